package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Origin says by which way somebody became a user.
type Origin string

// The origins.
const (
	OriginManual     Origin = "manual" // an administrator, in the console or at the command line
	OriginImport     Origin = "import"
	OriginSCIM       Origin = "scim"
	OriginSSO        Origin = "sso" // by a first sign-in through a provider
	OriginInvitation Origin = "invitation"
)

// originOf reads how somebody became a user from the event of it; where that is gone, from the source of the first role.
func originOf(ctx context.Context, tx *store.Tx, d *UserDetail) (Origin, error) {
	invited, err := tx.InvitedAtBirth(ctx, d.User)
	if err != nil || invited {
		return OriginInvitation, err
	}
	first := identity.SourceManual
	if len(d.Assignments) > 0 {
		first = d.Assignments[0].Source
	}
	page, err := tx.Events(ctx, store.Everything(), EventQuery{UserID: d.User.ID, Type: identity.UserCreated, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(page.Items) == 0 {
		return map[identity.SourceKind]Origin{
			identity.SourceImport: OriginImport, identity.SourceDirectory: OriginSCIM, identity.SourceClaim: OriginSSO, identity.SourceManual: OriginManual, identity.SourceDefault: OriginSSO,
		}[first], nil
	}
	e := page.Items[0]
	switch {
	case e.ActorKind == identity.ActorDirectory:
		return OriginSCIM, nil
	case e.ActorKind == identity.ActorConnection:
		return OriginSSO, nil
	case e.Door == "import" || first == identity.SourceImport:
		return OriginImport, nil
	}
	return OriginManual, nil
}

// SignedIn is one sign-in.
type SignedIn struct {
	At             time.Time
	Method         string // "password", "saml" or "oidc"; "sso" when the connection is gone
	ConnectionID   identity.ConnectionID
	ConnectionName string
}

// lastSignIn reads the last sign-in from its event.
func lastSignIn(ctx context.Context, tx *store.Tx, u identity.User) (*SignedIn, error) {
	if u.LastLoginAt == nil {
		return nil, nil
	}
	page, err := tx.Events(ctx, store.Everything(), EventQuery{UserID: u.ID, Type: identity.SessionStarted, Limit: 1})
	if err != nil {
		return nil, err
	}
	out := &SignedIn{At: *u.LastLoginAt}
	if len(page.Items) == 0 {
		return out, nil
	}
	out.Method = "password"
	for _, c := range page.Items[0].Changes {
		if id, ok := c.After.(string); ok && c.Field == "connection" {
			out.Method, out.ConnectionID = "sso", identity.ConnectionID(id)
		}
	}
	if out.ConnectionID == "" {
		return out, nil
	}
	c, err := tx.Connection(ctx, store.Everything(), out.ConnectionID)
	if identity.KindOf(err) == identity.NotFound {
		return out, nil
	}
	out.Method, out.ConnectionName = string(c.Kind), c.Name
	return out, err
}
