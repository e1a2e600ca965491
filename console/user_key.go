package console

import (
	"context"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// userKeyRoutes are the acts on the keys of somebody's programs.
func (d *Door) userKeyRoutes() []route {
	return []route{
		{"GET /console/users/{id}/keys/new", usersWrite, d.newKeyForm},
		{"POST /console/users/{id}/keys", usersWrite, d.makeKey},
		{"POST /console/users/{id}/keys/{key}/show", usersWrite, d.revealKey},
		{"GET /console/users/{id}/keys/{key}/revoke", usersWrite, d.askRevokeKey},
		{"POST /console/users/{id}/keys/{key}/revoke", usersWrite, d.endKey},
	}
}

// keysCard is what the page of a user shows of API keys.
type keysCard struct {
	At      string
	Live    []identity.APIKey
	Ended   []identity.APIKey // the last few
	Allowed bool              // the roles may have keys
	Shown   bool              // there is something to show at all
	Reveal  bool              // keys may be shown again
	Age     time.Duration
	Write   bool
	Key     identity.APIKeyID // the one that is shown
	Secret  string
}

// endedKeys is how many keys that work no more the page shows.
const endedKeys = 3

func (d *Door) keysCard(ctx context.Context, v visit, b *userBody) (keysCard, error) {
	c := keysCard{At: b.At, Write: b.Write, Key: b.Key, Secret: b.Secret}
	policy, err := d.authn.KeyPolicy(ctx, v.Actor)
	if err != nil {
		return c, err
	}
	keys, err := d.authn.APIKeys(ctx, v.Actor, b.User.ID)
	if err != nil {
		return c, err
	}
	var roles []identity.RoleID
	for _, a := range b.Assignments {
		roles = append(roles, a.RoleID)
	}
	c.Allowed, c.Reveal, c.Age = policy.Allows(roles), policy.Reveal, policy.Age
	for _, k := range keys {
		switch {
		case k.RevokedAt == nil:
			c.Live = append(c.Live, k)
		case len(c.Ended) < endedKeys:
			c.Ended = append(c.Ended, k)
		}
	}
	c.Shown = c.Allowed || len(keys) > 0
	return c, nil
}

// keyPageBody is the page on which a key is made, replaced or shown.
type keyPageBody struct {
	User   identity.User
	At     string
	Old    identity.APIKey // that is replaced, shown again or revoked
	Secret string          // shown now
	Reveal bool            // it may be shown again later
	Form   form
}

// newKeyForm asks what a key is for; with ?replaces= it asks whether the old one may end.
func (d *Door) newKeyForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.keyPage(w, r, v, "user_key_new", blank("replaces", r.FormValue("replaces"), "name", r.FormValue("name")))
}

func (d *Door) keyPage(w http.ResponseWriter, r *http.Request, v visit, page string, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	body := keyPageBody{User: u, At: userPath + string(u.ID), Form: f}
	id := f.Value("replaces")
	if r.PathValue("key") != "" {
		id = r.PathValue("key")
	}
	if id != "" {
		if body.Old, err = d.keyOf(r.Context(), v, u.ID, identity.APIKeyID(id)); err != nil {
			return err
		}
		if f.Value("name") == "" {
			f.Values.Set("name", body.Old.Name)
		}
	}
	policy, err := d.authn.KeyPolicy(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	body.Reveal = policy.Reveal
	s := screen{Title: "API key of " + u.Label(), Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, page, s)
}

// keyOf is a key of a person, or NotFound.
func (d *Door) keyOf(ctx context.Context, v visit, user identity.UserID, id identity.APIKeyID) (identity.APIKey, error) {
	k, err := d.authn.APIKey(ctx, v.Actor, id)
	if err == nil && k.UserID != user {
		err = identity.Errorf(identity.NotFound, "There is no such key.")
	}
	return k, err
}

// makeKey makes a key, in place of an old one where that is named, and shows it.
func (d *Door) makeKey(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "name")
	if err != nil {
		return err
	}
	k, secret, err := d.authn.CreateAPIKey(r.Context(), v.Actor, u.ID, f.Value("name"), identity.APIKeyID(f.Value("replaces")))
	switch {
	case err == nil:
		return d.showKey(w, r, v, keyPageBody{User: u, Old: k, Secret: secret})
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.keyPage(w, r, v, "user_key_new", f)
	}
	return err
}

// revealKey shows a key again, on the page of its person. That is written down.
func (d *Door) revealKey(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	k, err := d.keyOf(r.Context(), v, u.ID, identity.APIKeyID(r.PathValue("key")))
	if err != nil {
		return err
	}
	secret, err := d.authn.RevealAPIKey(r.Context(), v.Actor, k.ID)
	f := blank()
	if err != nil && !f.refused(err) {
		return err
	}
	return d.userPage(w, r, v, u.ID, userShown{Form: f, Key: k.ID, Secret: secret})
}

// showKey shows a key that was made.
func (d *Door) showKey(w http.ResponseWriter, r *http.Request, v visit, body keyPageBody) error {
	body.At, body.Form = userPath+string(body.User.ID), blank()
	policy, err := d.authn.KeyPolicy(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	body.Reveal = policy.Reveal
	return d.show(w, r, v, "user_key", screen{Title: "API key of " + body.User.Label(), Nav: "users", Body: body})
}

func (d *Door) askRevokeKey(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.keyPage(w, r, v, "user_key_revoke", blank())
}

// endKey revokes a key at once.
func (d *Door) endKey(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	k, err := d.keyOf(r.Context(), v, u.ID, identity.APIKeyID(r.PathValue("key")))
	if err == nil {
		err = d.authn.RevokeAPIKey(r.Context(), v.Actor, k.ID, f.Value("reason"))
	}
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(u.ID)+"?done=key-revoked#keys-of-programs", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.keyPage(w, r, v, "user_key_revoke", f)
	}
	return err
}
