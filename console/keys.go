package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

type keysBody struct {
	Tabs     settingsTabs
	Keys     []authn.HeldKey
	Pager    pager
	State    string // "", "live" or "revoked"
	Tenants  []identity.Tenant
	Names    map[identity.TenantID]string
	Tenant   identity.TenantID
	Filtered bool
	Policy   identity.KeyPolicy
	ByModel  bool // it is the access model's word
	Roles    []identity.Role
	Allowed  []identity.Role
	Choose   bool // the visitor may choose
}

// keys lists the API keys of everybody whom the visitor may look after, with whose keys work.
func (d *Door) keys(w http.ResponseWriter, r *http.Request, v visit) error {
	b := keysBody{Tabs: v.tabs("keys"), State: r.FormValue("state"), Choose: v.Platform(), Roles: d.prov.Model().Roles()}
	q := authn.KeyQuery{Query: keyset(r)}
	switch b.State {
	case "live", "revoked":
		gone := b.State == "revoked"
		q.Revoked = &gone
	default:
		b.State = ""
	}
	if v.Platform() {
		q.TenantID, _ = identity.ParseID[identity.TenantID](r.FormValue("tenant"))
	}
	found, err := d.authn.KeysWhere(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b.Pager = turn(r, q.Query, &found, func(k authn.HeldKey) string { return string(k.ID) })
	b.Keys, b.Tenant, b.Filtered = found.Items, q.TenantID, b.State != "" || q.TenantID != ""
	if b.Tenants, b.Names, err = d.tenantsByID(r.Context(), v); err != nil {
		return err
	}
	p, err := d.authn.Policies(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	b.Policy, b.ByModel = p.Keys, p.KeysByModel
	for _, role := range b.Roles {
		if p.Keys.Allows([]identity.RoleID{role.ID}) {
			b.Allowed = append(b.Allowed, role)
		}
	}
	return d.showSettings(w, r, v, "settings_keys", "API keys", form{}, b)
}

// Allows reports whether the keys of a role work.
func (b keysBody) Allows(role identity.RoleID) bool {
	return slices.ContainsFunc(b.Allowed, func(r identity.Role) bool { return r.ID == role })
}

// keyChoice reads whose keys are to work.
func keyChoice(q url.Values) (authn.KeyChoice, error) {
	switch q.Get("choice") {
	case "model":
		return authn.KeyChoice{Model: true}, nil
	case "every":
		return authn.KeyChoice{Every: true}, nil
	case "roles":
		var c authn.KeyChoice
		for _, id := range q["role"] {
			c.Roles = append(c.Roles, identity.RoleID(id))
		}
		return c, nil
	}
	return authn.KeyChoice{}, identity.Errorf(identity.Invalid, "Choose whose API keys work: as the access model says, those of every role, or those of some roles.").WithField("choice")
}

// choosing is the question before other roles' keys work.
func (d *Door) choosing(r *http.Request, c authn.KeyChoice) confirmBody {
	body := confirmBody{
		Title: "Change whose API keys work?", Button: "Change it", Danger: true, Reason: true, Action: settingsPath + "/keys/policy?" + r.URL.RawQuery, Back: settingsPath + "/keys",
		Facts: []string{"It holds from the next request on. Keys that stop are kept, and work again when their role is chosen again."},
	}
	switch {
	case c.Model:
		body.Facts = append([]string{"Keys work for the roles that the access model names."}, body.Facts...)
	case c.Every:
		body.Facts = append([]string{"Keys work for every role."}, body.Facts...)
	case len(c.Roles) == 0:
		body.Facts = append([]string{"No key works any more, whoever has it."}, body.Facts...)
	default:
		body.Who = "Keys work for: " + d.roleNames(c.Roles)
	}
	return body
}

func (d *Door) roleNames(ids []identity.RoleID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
		if role, ok := d.prov.Model().Role(id); ok {
			names[i] = role.Title
		}
	}
	return strings.Join(names, ", ")
}

func (d *Door) confirmKeyPolicy(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := keyChoice(r.URL.Query())
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "settings", d.choosing(r, c))
}

func (d *Door) setKeyPolicy(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := keyChoice(r.URL.Query())
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	_, err = d.authn.ChooseKeyRoles(r.Context(), v.Actor, c, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, settingsPath+"/keys?done=key-policy-set", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.Forbidden && f.refused(err):
		body := d.choosing(r, c)
		body.Form = f
		return d.confirm(w, r, v, "settings", body)
	}
	return err
}

// keyOfPath returns a key that the visitor may look after.
func (d *Door) keyOfPath(r *http.Request, v visit) (identity.APIKey, confirmBody, error) {
	id, err := pathID[identity.APIKeyID](r, "key")
	if err != nil {
		return identity.APIKey{}, confirmBody{}, err
	}
	k, err := d.authn.APIKey(r.Context(), v.Actor, id)
	if err != nil {
		return k, confirmBody{}, err
	}
	u, err := d.prov.User(r.Context(), v.Actor, k.UserID)
	return k, confirmBody{
		Title: "Revoke the key " + k.Name + "?", Who: u.Label() + " · " + u.Email(), Button: "Revoke it", Danger: true, Reason: true, Action: settingsPath + "/keys/" + string(id) + "/revoke", Back: settingsPath + "/keys",
		Facts: []string{"The key that ends in " + k.Hint + " stops at once and for good: whatever uses it is refused."},
	}, err
}

func (d *Door) confirmRevokeKey(w http.ResponseWriter, r *http.Request, v visit) error {
	_, body, err := d.keyOfPath(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "settings", body)
}

func (d *Door) revokeKey(w http.ResponseWriter, r *http.Request, v visit) error {
	k, body, err := d.keyOfPath(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	err = d.authn.RevokeAPIKey(r.Context(), v.Actor, k.ID, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, settingsPath+"/keys?done=key-revoked", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.Forbidden && f.refused(err):
		body.Form = f
		return d.confirm(w, r, v, "settings", body)
	}
	return err
}
