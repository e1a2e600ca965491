package provisioning

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// create is step 4: a new user where the connection's rules say, else in the landing tenant as Viewer, or in the connection's own tenant by a Super Admin's word.
func (a *signIn) create(ctx context.Context) (identity.User, error) {
	if a.c.Unknown == identity.UnknownRefuse {
		return identity.User{}, a.refuse("jit.off", "Nobody has the address "+a.key+", and this connection creates nobody.", "Create or invite the person first, or let the connection create unknown people.")
	}
	tenant, role, err := a.home(ctx)
	if err != nil {
		return identity.User{}, err
	}
	attributes, err := a.attributes()
	if err != nil {
		return identity.User{}, err
	}
	u := identity.User{
		TenantID: tenant.ID, UserName: a.key, DisplayName: a.displayName(), Enabled: true, Attributes: attributes,
		Emails: []identity.Email{{Value: strings.TrimSpace(a.claims.Email), Type: "work", Primary: true}},
	}
	u, err = a.s.insertUser(ctx, a.tx, a.by, u, NewUser{Role: role, Reason: "first sign-in through " + a.c.Name}, identity.SourceDefault)
	if err != nil {
		return identity.User{}, err
	}
	as := "with the roles of the rules"
	if role != "" {
		as = "as " + a.s.roleTitle(role)
	}
	a.pass("jit.created", "a new user in "+tenant.Name+" "+as)
	if identity.MixedScripts(a.key) {
		if err := a.flagMixedScripts(ctx, u); err != nil {
			return u, err
		}
	}
	return a.link(ctx, u)
}

// home returns where a new person belongs and the role to begin with; none when the rules give one there.
func (a *signIn) home(ctx context.Context) (identity.Tenant, identity.RoleID, error) {
	tenant, err := a.tx.LandingTenant(ctx)
	if err != nil {
		return tenant, "", err
	}
	_, role := a.s.model.Landing()
	if a.c.Unknown == identity.UnknownTenant {
		role = a.c.UnknownRole
		if tenant, err = a.tx.Tenant(ctx, store.Everything(), a.c.TenantID); err != nil {
			return tenant, "", err
		}
	}
	if a.groupsUnknown() {
		return tenant, role, nil
	}
	if to := a.ruledTenant(); to != "" {
		ruled, err := a.tx.Tenant(ctx, store.Everything(), to)
		if err == nil {
			tenant = ruled
		} else if identity.KindOf(err) != identity.NotFound {
			return tenant, "", err
		}
	}
	given, err := a.ruledRoles(ctx, tenant.ID)
	if len(given) > 0 {
		role = ""
	}
	return tenant, role, err
}

// attributes returns the name as SCIM keeps it.
func (a *signIn) attributes() (json.RawMessage, error) {
	name := identity.Name{GivenName: a.claims.GivenName, FamilyName: a.claims.FamilyName}
	if name == (identity.Name{}) {
		return json.RawMessage("{}"), nil
	}
	return json.Marshal(map[string]any{"name": name})
}

func (a *signIn) displayName() string {
	if a.claims.DisplayName != "" {
		return a.claims.DisplayName
	}
	return strings.TrimSpace(a.claims.GivenName + " " + a.claims.FamilyName)
}

// link ties the subject to the user, once. What waited for an administrator because of this subject is settled by it.
func (a *signIn) link(ctx context.Context, u identity.User) (identity.User, error) {
	now := a.tx.Now()
	l := identity.Link{
		ConnectionID: a.c.ID, Issuer: a.claims.Issuer, Subject: a.claims.Subject, UserID: u.ID, Email: strings.TrimSpace(a.claims.Email), CreatedAt: now, LastUsedAt: &now,
	}
	if err := a.tx.InsertLink(ctx, l); err != nil {
		return u, err
	}
	if err := a.tx.SettleReviews(ctx, l, a.c.Name, "signed in"); err != nil {
		return u, err
	}
	e := about(a.by, identity.UserLinked, u)
	e.Changes = []identity.Change{{Field: "connection", After: a.c.Name}, {Field: "subject", After: a.claims.Subject}}
	return u, a.tx.InsertEvent(ctx, e)
}
