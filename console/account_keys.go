package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// ownKeys are somebody's own keys for programs.
type ownKeys struct {
	Live   []identity.APIKey
	Why    string // why none works; empty: they do
	Shown  identity.APIKeyID
	Secret string // of the one that is shown
	Made   bool   // it was made just now
	Reveal bool   // keys can be shown again
}

// Shows reports whether a page has anything to say of keys.
func (k ownKeys) Shows() bool { return len(k.Live) > 0 || k.Why == "" }

// fillKeys fills in the visitor's keys that were not revoked.
func (d *Door) fillKeys(r *http.Request, v visit, b *accountBody) error {
	all, err := d.authn.APIKeys(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.RevokedAt == nil {
			b.Keys.Live = append(b.Keys.Live, k)
		}
	}
	policy, err := d.authn.KeyPolicy(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	b.Keys.Reveal = policy.Reveal
	b.Keys.Why, err = d.authn.MayHaveKey(r.Context(), v.Actor)
	return err
}

// makeOwnKey makes a key and shows it.
func (d *Door) makeOwnKey(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name")
	if err != nil {
		return err
	}
	k, secret, err := d.authn.CreateAPIKey(r.Context(), v.Actor, v.User.ID, f.Value("name"), "")
	switch {
	case err == nil:
		return d.accountPage(w, r, v, accountBody{Form: blank(), Keys: ownKeys{Shown: k.ID, Secret: secret, Made: true}})
	case f.refused(err):
		f.Problem.Field = "name"
		return d.accountPage(w, r, v, accountBody{Form: f})
	}
	return err
}

// showOwnKey shows a key again, which is written down.
func (d *Door) showOwnKey(w http.ResponseWriter, r *http.Request, v visit) error {
	k, err := d.ownKey(r, v)
	if err != nil {
		return err
	}
	secret, err := d.authn.RevealAPIKey(r.Context(), v.Actor, k.ID)
	if err != nil {
		return err
	}
	return d.accountPage(w, r, v, accountBody{Form: blank(), Keys: ownKeys{Shown: k.ID, Secret: secret}})
}

// ownKey returns the key of the path, which is the visitor's: whoever may look after others does so on their pages.
func (d *Door) ownKey(r *http.Request, v visit) (identity.APIKey, error) {
	id, err := pathID[identity.APIKeyID](r, "key")
	if err != nil {
		return identity.APIKey{}, err
	}
	k, err := d.authn.APIKey(r.Context(), v.Actor, id)
	if err == nil && (k.UserID != v.User.ID || k.RevokedAt != nil) {
		err = identity.Errorf(identity.NotFound, "You have no such API key; it may have been revoked already.")
	}
	return k, err
}

func ownKeyURL(k identity.APIKey) string { return "/account/keys/" + string(k.ID) }

func replacingKey(k identity.APIKey) confirmBody {
	return confirmBody{
		Title: "Make a new key in place of " + k.Name + "?", Button: "Replace it", Danger: true, Action: ownKeyURL(k) + "/replace", Back: "/account#keys",
		Facts: []string{"The key that ends in " + k.Hint + " stops at once: whatever uses it is refused until it has the new one.", "The new key is shown next."},
	}
}

func revokingKey(k identity.APIKey) confirmBody {
	return confirmBody{
		Title: "Revoke the key " + k.Name + "?", Button: "Revoke it", Danger: true, Action: ownKeyURL(k) + "/revoke", Back: "/account#keys",
		Facts: []string{"The key that ends in " + k.Hint + " stops at once and for good: whatever uses it is refused."},
	}
}

// asksOwnKey asks before something happens to a key.
func (d *Door) asksOwnKey(ask func(identity.APIKey) confirmBody) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		k, err := d.ownKey(r, v)
		if err != nil {
			return err
		}
		return d.confirm(w, r, v, "account", ask(k))
	}
}

func (d *Door) replaceOwnKey(w http.ResponseWriter, r *http.Request, v visit) error {
	old, err := d.ownKey(r, v)
	if err != nil {
		return err
	}
	k, secret, err := d.authn.CreateAPIKey(r.Context(), v.Actor, v.User.ID, old.Name, old.ID)
	if err != nil {
		body := replacingKey(old)
		if body.Form = blank(); !body.Form.refused(err) {
			return err
		}
		return d.confirm(w, r, v, "account", body)
	}
	return d.accountPage(w, r, v, accountBody{Form: blank(), Keys: ownKeys{Shown: k.ID, Secret: secret, Made: true}})
}

func (d *Door) revokeOwnKey(w http.ResponseWriter, r *http.Request, v visit) error {
	k, err := d.ownKey(r, v)
	if err != nil {
		return err
	}
	if err := d.authn.RevokeAPIKey(r.Context(), v.Actor, k.ID, "revoked in My Account"); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=key-revoked#keys", http.StatusSeeOther)
	return nil
}
