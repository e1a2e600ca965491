package provisioning

import (
	"context"
	"errors"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// errPreview undoes the transaction of a preview.
var errPreview = errors.New("a preview is never written")

// PreviewSignIn decides what SignIn would do with the same claims, and writes nothing: it is SignIn in a transaction that is always undone, so that the two
// cannot drift apart. The checks are added to the trace; what would have happened is its message. A refusal is the error that SignIn would return.
func (s *Service) PreviewSignIn(ctx context.Context, c identity.Connection, claims identity.Claims, trace *identity.Trace) error {
	protocolChecks := trace.Checks
	var would string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		trace.Checks = protocolChecks
		a := s.newSignIn(tx, c, claims, trace)
		u, err := a.decide(ctx)
		if err != nil {
			return err
		}
		if would, err = a.would(ctx, u); err != nil {
			return err
		}
		return errPreview
	})
	trace.UserID = ""
	if errors.Is(err, errPreview) {
		trace.Message = would
		trace.Checks = append(trace.Checks, identity.Check{Name: "would have", Result: identity.Passed, Got: would})
		return nil
	}
	return s.unsettled(trace, err)
}

// would says what the sign-in would have come to. Its query also sends what waits, so that a conflict shows.
func (a *signIn) would(ctx context.Context, u identity.User) (string, error) {
	place := "above all tenants"
	if u.TenantID != "" {
		tenant, err := a.tx.Tenant(ctx, store.Everything(), u.TenantID)
		if err != nil {
			return "", err
		}
		place = tenant.Name
	}
	held, err := a.tx.Assignments(ctx, u.ID)
	if err != nil {
		return "", err
	}
	var roles []string
	for _, role := range held {
		roles = append(roles, a.s.roleTitle(role.RoleID))
	}
	as := strings.Join(roles, ", ")
	if as == "" {
		as = "nobody in particular: no role"
	}
	if u.CreatedAt.Equal(a.tx.Now()) {
		return "A new user " + u.UserName + " would have been created in " + place + " as " + as + ".", nil
	}
	return "Would have been signed in as " + u.UserName + " (" + u.Label() + "), in " + place + " as " + as + ".", nil
}
