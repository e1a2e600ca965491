package provisioning

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// DefaultSkew is how far a provider's clock may be off; MaxSkew is the most that a connection may allow.
const (
	DefaultSkew = time.Minute
	MaxSkew     = 5 * time.Minute
)

func noConnection() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such connection.")
}

// CreateConnection creates a connection to an identity provider, switched on. A SAML connection without a key of its own gets one. An id may be chosen before,
// so that the provider can be told the addresses first; one that is taken is a Conflict.
func (s *Service) CreateConnection(ctx context.Context, by identity.Actor, c identity.Connection) (identity.Connection, error) {
	c.Enabled = true
	return s.createConnection(ctx, by, c)
}

// PrepareConnection is CreateConnection, but the connection stays switched off until somebody switches it on, best after a test.
func (s *Service) PrepareConnection(ctx context.Context, by identity.Actor, c identity.Connection) (identity.Connection, error) {
	c.Enabled = false
	return s.createConnection(ctx, by, c)
}

func (s *Service) createConnection(ctx context.Context, by identity.Actor, c identity.Connection) (identity.Connection, error) {
	if err := s.platform(by); err != nil {
		return c, err
	}
	if id, ok := identity.ParseID[identity.ConnectionID](string(c.ID)); ok {
		c.ID = id
	} else {
		c.ID = identity.NewID[identity.ConnectionID]()
	}
	if needsKey(&c) {
		if err := giveKey(&c); err != nil {
			return c, err
		}
	}
	if err := s.checkConnection(&c); err != nil {
		return c, err
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error { return s.insertConnection(ctx, tx, by, &c) })
	return hideSecrets(by, c), sharpen(err, func() *identity.Error { return nameTaken("connection", c.Name) })
}

// insertConnection writes a checked connection and its event.
func (s *Service) insertConnection(ctx context.Context, tx *store.Tx, by identity.Actor, c *identity.Connection) error {
	if err := s.checkReferences(ctx, tx, *c); err != nil {
		return err
	}
	words, err := s.trustDomains(ctx, tx, by, identity.Connection{}, *c)
	if err != nil {
		return err
	}
	c.CreatedAt, c.UpdatedAt = tx.Now(), tx.Now()
	if err := tx.InsertConnection(ctx, *c); err != nil {
		return err
	}
	e := aboutConnection(by, identity.ConnectionCreated, *c)
	e.Changes = append(diffConnections(identity.Connection{}, *c), words...)
	return tx.InsertEvent(ctx, e)
}

// checkConnection holds what needs no database to be known.
func (s *Service) checkConnection(c *identity.Connection) error {
	if err := s.checkPlan(c); err != nil {
		return err
	}
	return checkProvider(c)
}

// checkPlan is the part of checkConnection that is not about the provider.
func (s *Service) checkPlan(c *identity.Connection) error {
	invalid := func(field, message string) error {
		return identity.Errorf(identity.Invalid, "%s", message).WithField(field)
	}
	c.Name = strings.TrimSpace(c.Name)
	if c.Name == "" || len(c.Name) > 200 {
		return invalid("name", "A connection needs a name of at most 200 bytes.")
	}
	if !validIDs(&c.TenantID) || !validIDs(&c.DirectoryID) {
		return invalid("tenant", "The tenant or directory is no id.")
	}
	if c.Skew == 0 {
		c.Skew = DefaultSkew
	}
	if c.Skew < 0 || c.Skew > MaxSkew {
		return invalid("skew", "The clock may be off by 5 minutes at most.")
	}
	var err error
	if c.Domains, err = domainKeys(c.Domains, true); err != nil {
		return err
	}
	if len(c.Domains) == 0 {
		return invalid("domains", "Name the e-mail domains that this provider may speak for, or * for a provider of your own that may speak for all.")
	}
	if c.TenantID != "" && c.Trusts("") {
		return invalid("domains", "Only a connection of the whole installation may be trusted for every domain.")
	}
	if err := s.checkUnknown(c); err != nil {
		return err
	}
	return s.checkMatching(c)
}

func (s *Service) checkUnknown(c *identity.Connection) error {
	switch c.Unknown {
	case "":
		c.Unknown = identity.UnknownLanding
	case identity.UnknownLanding, identity.UnknownRefuse:
	case identity.UnknownTenant:
		role, ok := s.model.Role(c.UnknownRole)
		if c.TenantID == "" || !ok || role.Scope != identity.ScopeTenant || s.model.Privileged(role.ID) {
			return identity.Errorf(identity.Invalid, "To create unknown people in a tenant the connection needs that tenant and a role there that may not manage people.").WithField("unknown")
		}
	default:
		return identity.Errorf(identity.Invalid, "What happens to unknown people is landing, tenant or refuse.").WithField("unknown")
	}
	return nil
}

func checkProvider(c *identity.Connection) error {
	invalid := func(field, message string) error {
		return identity.Errorf(identity.Invalid, "%s", message).WithField(field)
	}
	switch c.Kind {
	case identity.SAML:
		if c.SAML.EntityID == "" || !webAddress(c.SAML.SSOURL) {
			return invalid("metadata", "The provider's entity id and its single sign-on address are needed; take them from its metadata.")
		}
		if len(c.SAML.Certificates) == 0 {
			return invalid("metadata", "The provider's signing certificate is needed; without it nothing could be trusted.")
		}
		if err := checkMetadata(c.SAML); err != nil {
			return err
		}
		for _, der := range c.SAML.Certificates {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return invalid("metadata", "A certificate of the provider cannot be read.")
			}
			if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < 2048 {
				return invalid("metadata", "A certificate of the provider has an RSA key of less than 2048 bits; ask for a new one.")
			}
		}
	case identity.OIDC:
		if !webAddress(c.OIDC.Issuer) || c.OIDC.ClientID == "" {
			return invalid("issuer", "The issuer's address and a client id are needed.")
		}
		if err := checkClientAuth(&c.OIDC); err != nil {
			return err
		}
		for _, name := range c.OIDC.Algorithms {
			if !slices.Contains(algorithms, name) {
				return invalid("algorithms", "ID tokens may be signed with "+strings.Join(algorithms, ", ")+"; never without a key, or with the client secret.")
			}
		}
	default:
		return invalid("kind", "A connection is saml or oidc.")
	}
	return nil
}

// algorithms are what ID tokens may be signed with (RFC 7518 3.1, RFC 8037), all with the provider's own key.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// checkReferences holds what needs the database: the tenant and directory exist and fit, and no domain belongs to somebody else.
func (s *Service) checkReferences(ctx context.Context, tx *store.Tx, c identity.Connection) error {
	if c.TenantID != "" {
		if _, err := tx.Tenant(ctx, store.Everything(), c.TenantID); err != nil {
			return sharpen(err, noTenant)
		}
	}
	if c.DirectoryID != "" {
		d, err := tx.Directory(ctx, store.Everything(), c.DirectoryID)
		if err != nil {
			return sharpen(err, noDirectory)
		}
		if d.TenantID != c.TenantID {
			return identity.Errorf(identity.Invalid, "The directory %s belongs to somebody else than the connection.", d.Name).WithField("directory")
		}
	}
	if err := s.checkRuleTenants(ctx, tx, c); err != nil {
		return err
	}
	if err := tx.Lock(ctx, "domains"); err != nil {
		return err
	}
	for _, domain := range c.Domains {
		others, err := tx.ConnectionsByDomain(ctx, domain)
		if err != nil {
			return err
		}
		for _, id := range others {
			other, err := tx.Connection(ctx, store.Everything(), id)
			if err != nil {
				return err
			}
			if other.ID != c.ID && other.TenantID != c.TenantID && domain != identity.AnyDomain {
				return identity.Errorf(identity.Conflict, "The domain %s already belongs to the connection %s of another tenant.", domain, other.Name).WithField("domains").WithCode("domain_taken")
			}
		}
	}
	return nil
}

// Connection returns a connection, or NotFound. Its secrets are there for Drawbridge itself only.
func (s *Service) Connection(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.Connection, error) {
	if by.Kind != identity.ActorConnection && by.Kind != identity.ActorSetup {
		if err := s.platform(by); err != nil {
			return identity.Connection{}, err
		}
	}
	if id == "" || !validIDs(&id) {
		return identity.Connection{}, noConnection()
	}
	var c identity.Connection
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if by.Kind == identity.ActorSetup {
			return s.ownConnection(ctx, tx, by, id, &c)
		}
		c, err = tx.Connection(ctx, store.Everything(), id)
		return err
	})
	return hideSecrets(by, c), sharpen(err, noConnection)
}

func hideSecrets(by identity.Actor, c identity.Connection) identity.Connection {
	if by.Kind != identity.ActorSystem && by.Kind != identity.ActorConnection {
		c.SAML.Key, c.OIDC.ClientSecret = nil, ""
		c.SAML.Standby = slices.Clone(c.SAML.Standby) // the caller's copy may be the one that is stored
		for i := range c.SAML.Standby {
			c.SAML.Standby[i].Key = nil
		}
		c.OIDC.Keys = slices.Clone(c.OIDC.Keys)
		for i := range c.OIDC.Keys {
			c.OIDC.Keys[i].Key = nil
		}
	}
	return c
}

// Connections returns a page of the connections.
func (s *Service) Connections(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Connection], error) {
	var page identity.Page[identity.Connection]
	if err := s.platform(by); err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		page, err = tx.Connections(ctx, store.Everything(), q)
		return err
	})
	for i := range page.Items {
		page.Items[i] = hideSecrets(by, page.Items[i])
	}
	return page, err
}

// UpdateConnection changes a connection; its kind and tenant are fixed. A secret that change leaves as it is, stays.
func (s *Service) UpdateConnection(ctx context.Context, by identity.Actor, id identity.ConnectionID, change func(*identity.Connection) error) (identity.Connection, error) {
	after, err := s.changeConnection(ctx, by, id, func(tx *store.Tx, before identity.Connection, after *identity.Connection, fresh identity.KeyPair) error {
		if err := change(after); err != nil {
			return err
		}
		if needsKey(after) {
			if len(fresh.Key) == 0 {
				return errNeedsKey
			}
			setOwnKeys(after, []identity.KeyPair{fresh})
		}
		return s.writeConnection(ctx, tx, by, before, after)
	})
	return after, sharpen(err, func() *identity.Error { return nameTaken("connection", after.Name) })
}

// changeConnection reads a connection for a change, and lets work change and write it in the same transaction; after begins as before. When work returns
// errNeedsKey, it is done again with a fresh key of our own.
func (s *Service) changeConnection(ctx context.Context, by identity.Actor, id identity.ConnectionID,
	work func(tx *store.Tx, before identity.Connection, after *identity.Connection, fresh identity.KeyPair) error,
) (identity.Connection, error) {
	var after identity.Connection
	if err := s.platform(by); err != nil {
		return after, err
	}
	if id == "" || !validIDs(&id) {
		return after, noConnection()
	}
	var fresh identity.KeyPair
	run := func(tx *store.Tx) error {
		before, err := tx.ConnectionForUpdate(ctx, store.Everything(), id)
		if err != nil {
			return sharpen(err, noConnection)
		}
		after = before
		return work(tx, before, &after, fresh)
	}
	err := s.db.Update(ctx, run)
	if errors.Is(err, errNeedsKey) {
		if fresh, err = newKeyPair(id); err == nil {
			err = s.db.Update(ctx, run)
		}
	}
	return hideSecrets(by, after), err
}

// writeConnection checks and writes what became of a connection, with its event, unless nothing differs.
func (s *Service) writeConnection(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.Connection, after *identity.Connection) error {
	after.ID, after.TenantID, after.Kind, after.UpdatedAt = before.ID, before.TenantID, before.Kind, tx.Now()
	if err := s.checkConnection(after); err != nil {
		return err
	}
	if err := s.checkReferences(ctx, tx, *after); err != nil {
		return err
	}
	words, err := s.trustDomains(ctx, tx, by, before, *after)
	if err != nil {
		return err
	}
	e := aboutConnection(by, identity.ConnectionUpdated, *after)
	if e.Changes = diffConnections(before, *after); len(e.Changes) == 0 {
		return nil
	}
	e.Changes = append(e.Changes, words...)
	if err := tx.UpdateConnection(ctx, *after); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, e)
}

// diffConnections names what differs; of secrets and keys it says only that they changed.
func diffConnections(before, after identity.Connection) []identity.Change {
	var out []identity.Change
	add := func(field string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			out = append(out, identity.Change{Field: field, Before: a, After: b})
		}
	}
	add("name", before.Name, after.Name)
	add("kind", before.Kind, after.Kind)
	add("enabled", before.Enabled, after.Enabled)
	add("domains", before.Domains, after.Domains)
	add("unknown", before.Unknown, after.Unknown)
	add("unknown role", before.UnknownRole, after.UnknownRole)
	add("directory", before.DirectoryID, after.DirectoryID)
	add("skew", before.Skew.String(), after.Skew.String())
	add("password before a link", before.Options.LinkProof, after.Options.LinkProof)
	add("directory's claim", before.Options.DirectoryKey, after.Options.DirectoryKey)
	add("deleted people return as new", before.Options.DeletedAsNew, after.Options.DeletedAsNew)
	add("rules", ruleTexts(before.Options.Rules), ruleTexts(after.Options.Rules))
	add("ceiling", before.Options.Ceiling, after.Options.Ceiling)
	add("entity id", before.SAML.EntityID, after.SAML.EntityID)
	add("provider", before.Options.Provider, after.Options.Provider)
	add("sso url", before.SAML.SSOURL, after.SAML.SSOURL)
	add("allow SHA-1", before.SAML.AllowSHA1, after.SAML.AllowSHA1)
	add("email claim", before.SAML.EmailClaim, after.SAML.EmailClaim)
	add("certificates", fingerprints(before.SAML.Certificates), fingerprints(after.SAML.Certificates))
	out = append(out, diffMetadata(before, after)...)
	add("issuer", before.OIDC.Issuer, after.OIDC.Issuer)
	add("client id", before.OIDC.ClientID, after.OIDC.ClientID)
	add("scopes", before.OIDC.Scopes, after.OIDC.Scopes)
	add("algorithms", before.OIDC.Algorithms, after.OIDC.Algorithms)
	add("tenant ids", before.OIDC.TenantIDs, after.OIDC.TenantIDs)
	diffFlows(before, after, add)
	if before.OIDC.ClientSecret != after.OIDC.ClientSecret {
		out = append(out, identity.Change{Field: "client secret", After: "changed"})
	}
	return out
}

func aboutConnection(by identity.Actor, kind identity.EventType, c identity.Connection) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = c.TenantID, "connection", string(c.ID), c.Name
	return e
}
