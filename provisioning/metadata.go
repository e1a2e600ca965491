package provisioning

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// CertificateOverlap is how long a certificate that the provider's metadata names no more is still trusted: a provider may publish the new one before
// all its machines sign with it.
const CertificateOverlap = 7 * 24 * time.Hour

// ApplyMetadata takes over what a connection's provider says in its metadata now: new certificates beside the old ones, other addresses. A certificate
// that it names no more goes after CertificateOverlap. A connection that pins its certificates takes no new certificate or host by itself: the whole
// change is held until ApproveMetadata. Another entity id is a Conflict with the code saml.other_provider, and nothing changes.
func (s *Service) ApplyMetadata(ctx context.Context, by identity.Actor, id identity.ConnectionID, provider identity.SAMLSettings) (identity.MetadataRefresh, error) {
	var out identity.MetadataRefresh
	err := s.changeMetadata(ctx, by, id, func(tx *store.Tx, before identity.Connection) error {
		out = identity.MetadataRefresh{}
		if err := sameProvider(before, provider); err != nil {
			return err
		}
		after := before
		after.SAML = renewed(before.SAML, provider, tx.Now())
		out.Changes = diffConnections(before, after)
		if needsApproval(before.SAML, after.SAML) {
			held, err := s.hold(ctx, tx, by, before, provider, out.Changes)
			out = identity.MetadataRefresh{Held: held, Rejected: err == nil && held == nil}
			return err
		}
		if err := s.withdraw(ctx, tx, by, before); err != nil || len(out.Changes) == 0 {
			return err
		}
		return s.follow(ctx, tx, by, before, after, out.Changes)
	})
	return out, err
}

// changeMetadata runs a change of what a SAML connection knows of its provider, with the connection locked.
func (s *Service) changeMetadata(ctx context.Context, by identity.Actor, id identity.ConnectionID, change func(*store.Tx, identity.Connection) error) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noConnection()
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		before, err := tx.ConnectionForUpdate(ctx, store.Everything(), id)
		if err == nil && before.Kind != identity.SAML {
			err = noConnection()
		}
		if err != nil {
			return sharpen(err, noConnection)
		}
		return change(tx, before)
	})
}

func sameProvider(c identity.Connection, provider identity.SAMLSettings) error {
	if provider.EntityID == c.SAML.EntityID {
		return nil
	}
	return identity.Errorf(identity.Conflict, "The metadata describes another provider: %q instead of %q. Nothing was changed. Ask the provider; "+
		"if it has really moved, make a new connection with the new metadata.", shortened(provider.EntityID), c.SAML.EntityID).WithField("metadata").WithCode("saml.other_provider")
}

// renewed returns settings with what the provider's metadata says at a time. Certificates keep their order, so that only a real difference is one.
func renewed(before, provider identity.SAMLSettings, now time.Time) identity.SAMLSettings {
	after := before
	after.SSOURL, after.SLOURL, after.SLOResponseURL, after.SLOBinding = provider.SSOURL, provider.SLOURL, provider.SLOResponseURL, provider.SLOBinding
	after.ArtifactURLs = provider.ArtifactURLs
	after.Certificates, after.Retiring = nil, nil
	for _, der := range before.Certificates {
		if holds(provider.Certificates, der) {
			after.Certificates = append(after.Certificates, der)
			continue
		}
		name := fingerprint(der)
		goes, known := before.Retiring[name]
		if !known {
			goes = now.Add(CertificateOverlap)
		}
		if !now.Before(goes) {
			continue
		}
		after.Certificates = append(after.Certificates, der)
		if after.Retiring == nil {
			after.Retiring = map[string]time.Time{}
		}
		after.Retiring[name] = goes
	}
	for _, der := range provider.Certificates {
		if !holds(after.Certificates, der) {
			after.Certificates = append(after.Certificates, der)
		}
	}
	return after
}

func holds(certificates [][]byte, der []byte) bool {
	return slices.ContainsFunc(certificates, func(have []byte) bool { return string(have) == string(der) })
}

// needsApproval reports whether a change could let somebody else speak for the provider, at a connection that pins its certificates.
func needsApproval(before, after identity.SAMLSettings) bool {
	return before.PinCertificates && (trustsMore(before, after) || moved(before, after))
}

func trustsMore(before, after identity.SAMLSettings) bool {
	return slices.ContainsFunc(after.Certificates, func(der []byte) bool { return !holds(before.Certificates, der) })
}

// moved reports whether people or messages would go to a host where none of the provider's addresses was.
func moved(before, after identity.SAMLSettings) bool {
	known := hosts(before)
	return slices.ContainsFunc(hosts(after), func(host string) bool { return !slices.Contains(known, host) })
}

// hosts lists the hosts of the provider's addresses.
func hosts(s identity.SAMLSettings) []string {
	var all []string
	for _, address := range append([]string{s.SSOURL, s.SLOURL, s.SLOResponseURL}, slices.Collect(maps.Values(s.ArtifactURLs))...) {
		if address != "" {
			all = append(all, hostOf(address))
		}
	}
	return all
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// hold keeps a change for a Super Admin. One that waits already, or that was rejected, is not told of again; a rejected one returns nil.
func (s *Service) hold(ctx context.Context, tx *store.Tx, by identity.Actor, c identity.Connection, provider identity.SAMLSettings, changes []identity.Change) (*identity.MetadataChange, error) {
	held := identity.MetadataChange{ConnectionID: c.ID, Digest: digestOf(provider), SeenAt: tx.Now(), Provider: fromProvider(provider), Changes: changes}
	rejected, err := tx.RejectedMetadata(ctx, c.ID)
	if err != nil || rejected == held.Digest {
		return nil, err
	}
	waiting, err := tx.HeldMetadata(ctx, c.ID)
	if err == nil && waiting.Digest == held.Digest {
		return &waiting, nil
	}
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return nil, err
	}
	if err := tx.HoldMetadata(ctx, held); err != nil {
		return nil, err
	}
	e := aboutConnection(by, identity.MetadataHeld, c)
	e.Changes, e.Reason = changes, held.Digest
	if err := tx.InsertEvent(ctx, e); err != nil {
		return nil, err
	}
	return &held, s.tell(ctx, tx, c.TenantID, mailHeld(c, held))
}

// fromProvider keeps of settings what metadata says and nothing that an administrator chose.
func fromProvider(p identity.SAMLSettings) identity.SAMLSettings {
	return identity.SAMLSettings{
		EntityID: p.EntityID, SSOURL: p.SSOURL, Certificates: p.Certificates,
		SLOURL: p.SLOURL, SLOResponseURL: p.SLOResponseURL, SLOBinding: p.SLOBinding, ArtifactURLs: p.ArtifactURLs,
	}
}

// digestOf names what metadata says: the same for the same certificates in another order.
func digestOf(provider identity.SAMLSettings) string {
	p := fromProvider(provider)
	p.Certificates = slices.Clone(p.Certificates)
	slices.SortFunc(p.Certificates, slices.Compare[[]byte])
	raw, _ := json.Marshal(p) // texts and bytes always encode
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// withdraw forgets a change that waited and that the provider's metadata has no more.
func (s *Service) withdraw(ctx context.Context, tx *store.Tx, by identity.Actor, c identity.Connection) error {
	waiting, err := tx.HeldMetadata(ctx, c.ID)
	if identity.KindOf(err) == identity.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	e := aboutConnection(by, identity.MetadataRejected, c)
	e.Changes, e.Reason = waiting.Changes, "the provider's metadata does not say this any more"
	if err := tx.InsertEvent(ctx, e); err != nil {
		return err
	}
	return tx.DropHeldMetadata(ctx, c.ID, "")
}

// follow puts what the metadata says into force without asking. Administrators are written to when somebody else could speak for the provider now.
func (s *Service) follow(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.Connection, changes []identity.Change) error {
	e := aboutConnection(by, identity.MetadataChanged, after)
	e.Changes = changes
	if replaced(before.SAML, after.SAML) {
		e.Reason = "the metadata names none of the certificates that were trusted before"
	}
	if err := s.putMetadata(ctx, tx, after, e); err != nil {
		return err
	}
	if !trustsMore(before.SAML, after.SAML) && !moved(before.SAML, after.SAML) {
		return nil
	}
	return s.tell(ctx, tx, after.TenantID, mailChanged(after, e))
}

// replaced reports whether every certificate that was trusted is on its way out.
func replaced(before, after identity.SAMLSettings) bool {
	return !slices.ContainsFunc(before.Certificates, func(der []byte) bool {
		_, goes := after.Retiring[fingerprint(der)]
		return holds(after.Certificates, der) && !goes
	})
}

// putMetadata writes a connection whose provider's metadata has changed, with the event.
func (s *Service) putMetadata(ctx context.Context, tx *store.Tx, after identity.Connection, e identity.Event) error {
	after.UpdatedAt = tx.Now()
	if err := checkProvider(&after); err != nil {
		return err
	}
	if err := tx.UpdateConnection(ctx, after); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, e)
}

// fingerprint is the SHA-256 of a certificate in hex.
func fingerprint(der []byte) string {
	return fingerprints([][]byte{der})[0]
}

// shortened cuts a foreign text for a message.
func shortened(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.200s…", s)
	}
	return s
}

// checkMetadata holds what a connection may say of where its metadata comes from.
func checkMetadata(s identity.SAMLSettings) error {
	if s.MetadataURL != "" && !webAddress(s.MetadataURL) {
		return identity.Errorf(identity.Invalid, "The address of the metadata is no https address.").WithField("metadataurl")
	}
	if _, err := x509.ParseCertificate(s.MetadataSigner); err != nil && len(s.MetadataSigner) > 0 {
		return identity.Errorf(identity.Invalid, "The certificate that signs the metadata cannot be read.").WithField("metadatasigner").WithCause(err)
	}
	return nil
}

// diffMetadata names what differs of how a connection follows its provider, beside the certificates themselves.
func diffMetadata(before, after identity.Connection) []identity.Change {
	var out []identity.Change
	add := func(field string, a, b any, same bool) {
		if !same {
			out = append(out, identity.Change{Field: field, Before: a, After: b})
		}
	}
	a, b := before.SAML, after.SAML
	add("metadata url", orNil(a.MetadataURL), orNil(b.MetadataURL), a.MetadataURL == b.MetadataURL)
	add("metadata signer", signerText(a), signerText(b), string(a.MetadataSigner) == string(b.MetadataSigner))
	add("pin certificates", a.PinCertificates, b.PinCertificates, a.PinCertificates == b.PinCertificates)
	add("refuse expired", a.RefuseExpired, b.RefuseExpired, a.RefuseExpired == b.RefuseExpired)
	add("certificates that go", retiringText(a), retiringText(b), maps.Equal(a.Retiring, b.Retiring))
	secretA, secretB := momentText(before.OIDC.SecretExpiresAt), momentText(after.OIDC.SecretExpiresAt)
	add("client secret ends", secretA, secretB, secretA == secretB)
	return out
}

func signerText(s identity.SAMLSettings) any {
	if len(s.MetadataSigner) == 0 {
		return nil
	}
	return fingerprint(s.MetadataSigner)
}

// retiringText lists the certificates that go, with their days.
func retiringText(s identity.SAMLSettings) any {
	if len(s.Retiring) == 0 {
		return nil
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.Retiring)) {
		all = append(all, name+" on "+s.Retiring[name].UTC().Format(time.DateOnly))
	}
	return all
}

func momentText(at *time.Time) any {
	if at == nil {
		return nil
	}
	return at.UTC().Format(time.RFC3339)
}
