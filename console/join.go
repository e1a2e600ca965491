package console

import (
	"context"
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type joinBody struct {
	Form     form
	Asks     provisioning.JoinForm
	Opened   provisioning.OpenedLink
	Rules    []authn.PasswordRule
	Provider bool // the organisation signs its people in: nothing is asked for here
	Buttons  []provisioning.SignInButton
}

// joinForm asks whoever was invited for what the access model names.
func (d *Door) joinForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	o, _, err := d.openedMail(r, identity.LinkInvitation)
	if err != nil {
		return d.linkOver(w, r, identity.LinkInvitation, err)
	}
	name := o.User.Name()
	return d.joinPage(w, r, o, blank("first_name", name.GivenName, "last_name", name.FamilyName))
}

func (d *Door) joinPage(w http.ResponseWriter, r *http.Request, o provisioning.OpenedLink, f form) error {
	f.Values.Del("password")
	f.Values.Del("confirm_password")
	body := joinBody{Form: f, Asks: d.prov.JoinForm(o.User), Opened: o}
	err := d.authn.MayUseLocal(r.Context(), o.User.ID)
	if identity.CodeOf(err) == "sso.required" {
		body.Provider, err = true, nil
	}
	if err != nil {
		return err
	}
	if body.Buttons, err = d.prov.SignInButtons(r.Context()); err != nil {
		return err
	}
	if body.Asks.Password {
		if body.Rules, err = d.authn.PasswordRules(r.Context(), o.User, ""); err != nil {
			return err
		}
	}
	return d.gate(w, r, "join", "Join "+tenantLabel(o.Tenant), f, body)
}

// tenantLabel is what a page calls an organisation.
func tenantLabel(t identity.Tenant) string {
	if t.Name == "" {
		return "Drawbridge"
	}
	return t.Name
}

// join takes what was entered, uses the link up and starts the session: the mailbox was proven.
func (d *Door) join(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r, "first_name", "last_name", "password", "confirm_password")
	if err != nil {
		return err
	}
	o, token, err := d.openedMail(r, identity.LinkInvitation)
	if err != nil {
		return d.linkOver(w, r, identity.LinkInvitation, err)
	}
	if err := d.authn.MayUseLocal(r.Context(), o.User.ID); err != nil {
		return d.joinPage(w, r, o, f)
	}
	j := provisioning.Joining{FirstName: f.Value("first_name"), LastName: f.Value("last_name")}
	method := authn.ByMail
	if d.prov.JoinForm(o.User).Password {
		method = authn.ByPassword
		named := o.User
		named.DisplayName += " " + j.FirstName + " " + j.LastName
		j.PasswordHash, err = d.newPassword(r.Context(), named, f)
	}
	if err == nil {
		o.User, err = d.prov.AcceptInvitation(r.Context(), token, j)
	}
	switch {
	case err == nil:
		d.forgetMail(w)
		return d.startLocal(w, r, o.User, "/account?done=joined", method)
	case identity.KindOf(err) == identity.NotFound:
		return d.linkOver(w, r, identity.LinkInvitation, err)
	case f.refused(err):
		return d.joinPage(w, r, o, f)
	}
	return err
}

// newPassword hashes a password that somebody chose and typed twice.
func (d *Door) newPassword(ctx context.Context, u identity.User, f form) (string, error) {
	password := f.Values.Get("password")
	if err := authn.CheckRepeated(password, f.Values.Get("confirm_password")); err != nil {
		return "", err
	}
	hash, _, err := d.authn.NewPassword(ctx, identity.Actor{Kind: identity.ActorUser, ID: string(u.ID)}, u, password)
	return hash, err
}
