package provisioning

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noDirectory() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such directory.")
}

// CreateDirectory creates a directory and its first bearer token, which does not expire. The token is returned this once; only its hash is kept.
func (s *Service) CreateDirectory(ctx context.Context, by identity.Actor, d identity.Directory) (identity.Directory, string, error) {
	return s.CreateDirectoryUntil(ctx, by, d, nil)
}

// CreateDirectoryUntil is CreateDirectory with the end of the first token; nil: it does not expire.
func (s *Service) CreateDirectoryUntil(ctx context.Context, by identity.Actor, d identity.Directory, expires *time.Time) (identity.Directory, string, error) {
	if err := s.platform(by); err != nil {
		return d, "", err
	}
	d.ID, d.Enabled = identity.NewID[identity.DirectoryID](), true
	if d.Dialect == "" {
		d.Dialect = identity.DialectStandard
	}
	if err := checkDirectory(&d); err != nil {
		return d, "", err
	}
	var secret string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if err := checkEnd(expires, tx.Now()); err != nil {
			return err
		}
		if d.TenantID != "" {
			if _, err := tx.Tenant(ctx, store.Everything(), d.TenantID); err != nil {
				return sharpen(err, noTenant)
			}
		}
		d.CreatedAt, d.UpdatedAt = tx.Now(), tx.Now()
		if err := tx.InsertDirectory(ctx, d); err != nil {
			return err
		}
		e := aboutDirectory(by, identity.DirectoryCreated, d)
		e.Changes = []identity.Change{{Field: "name", After: d.Name}, {Field: "dialect", After: d.Dialect}, {Field: "domains", After: d.Domains}}
		if len(d.Networks) > 0 {
			e.Changes = append(e.Changes, identity.Change{Field: "networks", After: identity.NetworkTexts(d.Networks)})
		}
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		token, t, err := issueToken(ctx, tx, by, d, expires)
		secret, d.Tokens = token, []identity.Token{t}
		return err
	})
	return d, secret, sharpen(err, func() *identity.Error { return nameTaken("directory", d.Name) })
}

func checkDirectory(d *identity.Directory) error {
	d.Name = strings.TrimSpace(d.Name)
	if d.Name == "" || len(d.Name) > 200 {
		return identity.Errorf(identity.Invalid, "A directory needs a name of at most 200 bytes.").WithField("name")
	}
	if !slices.Contains([]identity.Dialect{identity.DialectStandard, identity.DialectEntra, identity.DialectOkta}, d.Dialect) {
		return identity.Errorf(identity.Invalid, "A dialect is standard, entra or okta.").WithField("dialect")
	}
	if !validIDs(&d.TenantID) {
		return noTenant()
	}
	if err := checkGuard(d.Guard); err != nil {
		return err
	}
	var err error
	if d.Networks, err = identity.ParseNetworks(identity.NetworkTexts(d.Networks)); err != nil {
		return err
	}
	d.Domains, err = domainKeys(d.Domains, false)
	return err
}

// checkEnd refuses a token that would be expired from the start.
func checkEnd(expires *time.Time, now time.Time) error {
	if expires != nil && !expires.After(now) {
		return identity.Errorf(identity.Invalid, "The token would be expired from the start; choose a later time.").WithField("expires")
	}
	return nil
}

// domainKeys normalises a list of domains; the star is allowed where any is.
func domainKeys(domains []string, star bool) ([]string, error) {
	out := make([]string, 0, len(domains))
	for _, d := range domains {
		d = strings.TrimPrefix(strings.TrimSpace(d), "@")
		if d == "" {
			continue
		}
		if d != identity.AnyDomain || !star {
			key, err := identity.DomainKey(d)
			if err != nil {
				return nil, err
			}
			d = key
		}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	slices.Sort(out)
	return out, nil
}

// issueToken makes a bearer token; the secret leaves this function once.
func issueToken(ctx context.Context, tx *store.Tx, by identity.Actor, d identity.Directory, expires *time.Time) (string, identity.Token, error) {
	secret := identity.NewSecret(identity.DirectoryTokenPrefix)
	t := identity.Token{ID: identity.NewID[identity.TokenID](), DirectoryID: d.ID, Hint: secret[len(secret)-4:], CreatedAt: tx.Now(), ExpiresAt: expires}
	if err := tx.InsertToken(ctx, t, identity.HashSecret(secret)); err != nil {
		return "", t, err
	}
	e := aboutDirectory(by, identity.TokenIssued, d)
	e.Changes = []identity.Change{{Field: "token", After: "…" + t.Hint}}
	return secret, t, tx.InsertEvent(ctx, e)
}

// Directories returns a page of the directories with the facts of their tokens and clients.
func (s *Service) Directories(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Directory], error) {
	var page identity.Page[identity.Directory]
	if err := s.platform(by); err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if page, err = tx.Directories(ctx, store.Everything(), q); err != nil {
			return err
		}
		return withTokens(ctx, tx, page.Items)
	})
	return page, err
}

func withTokens(ctx context.Context, tx *store.Tx, list []identity.Directory) error {
	if len(list) == 0 {
		return nil
	}
	ids := make([]identity.DirectoryID, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	tokens, err := tx.Tokens(ctx, ids)
	if err != nil {
		return err
	}
	clients, err := tx.Clients(ctx, ids)
	for i := range list {
		list[i].Tokens, list[i].Clients = tokens[list[i].ID], clients[list[i].ID]
	}
	return err
}

// Directory returns a directory with the facts of its tokens and clients, or NotFound.
func (s *Service) Directory(ctx context.Context, by identity.Actor, id identity.DirectoryID) (identity.Directory, error) {
	if err := s.platform(by); err != nil {
		return identity.Directory{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.Directory{}, noDirectory()
	}
	list := make([]identity.Directory, 1)
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if list[0], err = tx.Directory(ctx, store.Everything(), id); err != nil {
			return err
		}
		return withTokens(ctx, tx, list)
	})
	return list[0], sharpen(err, noDirectory)
}

// UpdateDirectory changes name, dialect, domains, networks and whether the directory may write at all; its tenant is fixed.
func (s *Service) UpdateDirectory(ctx context.Context, by identity.Actor, id identity.DirectoryID, change func(*identity.Directory) error) (identity.Directory, error) {
	var after identity.Directory
	err := s.updateDirectory(ctx, by, id, func(tx *store.Tx, before identity.Directory) error {
		after = before
		if err := change(&after); err != nil {
			return err
		}
		after.ID, after.TenantID, after.UpdatedAt = before.ID, before.TenantID, tx.Now()
		if err := checkDirectory(&after); err != nil {
			return err
		}
		e := aboutDirectory(by, identity.DirectoryUpdated, after)
		e.Changes = diffSettings(before, after)
		if len(e.Changes) == 0 {
			return nil
		}
		if err := tx.UpdateDirectory(ctx, after); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, e)
	})
	return after, sharpen(err, func() *identity.Error { return nameTaken("directory", after.Name) })
}

func diffSettings(before, after identity.Directory) []identity.Change {
	var out []identity.Change
	if before.Name != after.Name {
		out = append(out, identity.Change{Field: "name", Before: before.Name, After: after.Name})
	}
	if before.Dialect != after.Dialect {
		out = append(out, identity.Change{Field: "dialect", Before: before.Dialect, After: after.Dialect})
	}
	if before.Enabled != after.Enabled {
		out = append(out, identity.Change{Field: "enabled", Before: before.Enabled, After: after.Enabled})
	}
	if !slices.Equal(before.Domains, after.Domains) {
		out = append(out, identity.Change{Field: "domains", Before: before.Domains, After: after.Domains})
	}
	if before.Guard != after.Guard {
		out = append(out, identity.Change{Field: "guard", Before: before.Guard, After: after.Guard})
	}
	if !slices.Equal(before.Networks, after.Networks) {
		out = append(out, identity.Change{Field: "networks", Before: identity.NetworkTexts(before.Networks), After: identity.NetworkTexts(after.Networks)})
	}
	return out
}

func (s *Service) updateDirectory(ctx context.Context, by identity.Actor, id identity.DirectoryID, fn func(*store.Tx, identity.Directory) error) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noDirectory()
	}
	return sharpen(s.db.Update(ctx, func(tx *store.Tx) error {
		d, err := tx.DirectoryForUpdate(ctx, store.Everything(), id)
		if err != nil {
			return sharpen(err, noDirectory)
		}
		return fn(tx, d)
	}), noDirectory)
}

// RotateToken makes another bearer token. A directory has at most two live ones, so that a provider can be switched over without a gap:
// with two live tokens the older ends.
func (s *Service) RotateToken(ctx context.Context, by identity.Actor, id identity.DirectoryID, expires *time.Time) (string, identity.Token, error) {
	var secret string
	var t identity.Token
	err := s.updateDirectory(ctx, by, id, func(tx *store.Tx, d identity.Directory) error {
		if err := checkEnd(expires, tx.Now()); err != nil {
			return err
		}
		all, err := tx.Tokens(ctx, []identity.DirectoryID{d.ID})
		if err != nil {
			return err
		}
		var live []identity.Token
		for _, old := range all[d.ID] {
			if old.Live(tx.Now()) {
				live = append(live, old)
			}
		}
		for len(live) >= identity.MaxTokens {
			if err := revoke(ctx, tx, by, d, live[0]); err != nil {
				return err
			}
			live = live[1:]
		}
		secret, t, err = issueToken(ctx, tx, by, d, expires)
		return err
	})
	return secret, t, err
}

// RevokeToken ends a bearer token at once.
func (s *Service) RevokeToken(ctx context.Context, by identity.Actor, id identity.DirectoryID, token identity.TokenID) error {
	none := identity.Errorf(identity.NotFound, "There is no such live token.")
	if token == "" || !validIDs(&token) {
		return none
	}
	return s.updateDirectory(ctx, by, id, func(tx *store.Tx, d identity.Directory) error {
		all, err := tx.Tokens(ctx, []identity.DirectoryID{d.ID})
		if err != nil {
			return err
		}
		for _, t := range all[d.ID] {
			if t.ID == token && t.RevokedAt == nil {
				return revoke(ctx, tx, by, d, t)
			}
		}
		return none
	})
}

func revoke(ctx context.Context, tx *store.Tx, by identity.Actor, d identity.Directory, t identity.Token) error {
	if err := tx.RevokeToken(ctx, d.ID, t.ID); err != nil {
		return err
	}
	e := aboutDirectory(by, identity.TokenRevoked, d)
	e.Changes = []identity.Change{{Field: "token", Before: "…" + t.Hint}}
	return tx.InsertEvent(ctx, e)
}

func aboutDirectory(by identity.Actor, kind identity.EventType, d identity.Directory) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = d.TenantID, "directory", string(d.ID), d.Name
	return e
}
