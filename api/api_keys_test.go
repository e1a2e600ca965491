package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/drawbridge-id/drawbridge/api"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestAKeyCallsAsItsPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db, api.Options{})
		ada := h.person("ada@acme.example", h.acme.ID, "administrator")
		k, key := h.key(ada)
		t.Run("ETL-24 a static key is taken as a bearer token and in X-API-Key", func(t *testing.T) {
			r := h.do("GET", "/api/v1/me", key, nil)
			h.want(r, http.StatusOK, "")
			if r.text("id") != string(ada.ID) || r.text("tenant") != "Acme" && r.text("tenantId") != string(h.acme.ID) {
				t.Errorf("answered %v", r.body)
			}
			req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/api/v1/me", nil)
			must(t, err)
			req.Header.Set("X-API-Key", key)
			h.want(h.send(req), http.StatusOK, "")
			req.Header.Set("Authorization", "Bearer "+key)
			h.want(h.send(req), http.StatusBadRequest, "api_key.twice")
		})
		t.Run("ETL-25 the key is a JWT without an end, and holds by its jti", func(t *testing.T) {
			claims := payload(t, key)
			if _, ends := claims["exp"]; ends || claims["jti"] != string(k.ID) || claims["sub"] != string(ada.ID) {
				t.Errorf("the key says %v", claims)
			}
			h.verify(key)
			must(t, h.authn.RevokeAPIKey(t.Context(), identity.Operator(), k.ID, "test"))
			h.want(h.do("GET", "/api/v1/me", key, nil), http.StatusUnauthorized, "api_key.invalid")
		})
		t.Run("a key that says something else than was signed is unknown", func(t *testing.T) {
			_, fresh := h.key(ada)
			h.want(h.do("GET", "/api/v1/me", fresh+"x", nil), http.StatusUnauthorized, "api_key.invalid")
			h.want(h.do("GET", "/api/v1/me", fresh[:len(fresh)-1], nil), http.StatusUnauthorized, "api_key.invalid")
			h.want(h.do("GET", "/api/v1/me", "", nil), http.StatusUnauthorized, "api_key.missing")
			if r := h.do("GET", "/api/v1/me", strings.Repeat("k", 5000), nil); r.status != http.StatusUnauthorized {
				t.Errorf("a key of 5000 characters is answered with %d", r.status)
			}
		})
	})
}

// payload reads the claims of a key without checking it.
func payload(t *testing.T, key string) map[string]any {
	t.Helper()
	parts := strings.Split(key, ".")
	if len(parts) != 3 {
		t.Fatalf("the key has %d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	claims := map[string]any{}
	must(t, json.Unmarshal(raw, &claims))
	return claims
}

// verify checks the key's signature with the keys that the door publishes, as an application does.
func (h *house) verify(key string) {
	h.t.Helper()
	raw, err := json.Marshal(h.do("GET", "/api/v1/keys", "", nil).body)
	must(h.t, err)
	var set jose.JSONWebKeySet
	must(h.t, json.Unmarshal(raw, &set))
	token, err := jwt.ParseSigned(key, []jose.SignatureAlgorithm{jose.EdDSA})
	must(h.t, err)
	if len(set.Keys) != 1 || !set.Keys[0].IsPublic() {
		h.t.Fatalf("the published keys are %v", set)
	}
	must(h.t, token.Claims(set.Keys[0].Key, &jwt.Claims{}))
}

func TestARoleForProgramsCallsApplicationsOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db, api.Options{})
		robot := h.person("robot@acme.example", h.acme.ID, "api_user")
		ada := h.person("ada@acme.example", h.acme.ID, "administrator")
		_, robotKey := h.key(robot)
		_, adaKey := h.key(ada)
		_, rootKey := h.key(h.root)
		t.Run("ETL-20 API User is given like any role", func(t *testing.T) {
			roles, err := h.prov.AssignableRoles(t.Context(), identity.Operator(), h.acme.ID)
			must(t, err)
			found := false
			for _, r := range roles {
				found = found || r.ID == "api_user"
			}
			if !found {
				t.Errorf("the roles are %v", roles)
			}
		})
		t.Run("ETL-17 API User cannot sign in", func(t *testing.T) {
			_, _, err := h.authn.CheckPassword(t.Context(), "robot@acme.example", password, "")
			if identity.KindOf(err) != identity.Unauthenticated || !strings.Contains(err.Error(), "user.not_interactive") {
				t.Errorf("the sign-in is %v", err)
			}
		})
		for _, path := range []string{"/api/v1/me", "/api/v1/users", "/api/v1/users/" + string(ada.ID)} {
			t.Run("ETL-21 API User cannot call "+path, func(t *testing.T) {
				h.want(h.do("GET", path, robotKey, nil), http.StatusForbidden, "role_not_allowed")
			})
		}
		t.Run("ETL-23 API User gets nothing of the system", func(t *testing.T) {
			h.want(h.do("POST", "/api/v1/introspect", robotKey, "token="+adaKey), http.StatusForbidden, "role_not_allowed")
			h.want(h.do("DELETE", "/api/v1/users/"+string(ada.ID), robotKey, nil), http.StatusForbidden, "role_not_allowed")
		})
		t.Run("ETL-20 an application learns that API User's key works", func(t *testing.T) {
			r := h.do("POST", "/api/v1/introspect", rootKey, "token="+robotKey)
			h.want(r, http.StatusOK, "")
			if r.body["active"] != true || r.text("sub") != string(robot.ID) {
				t.Errorf("answered %v", r.body)
			}
		})
		t.Run("a key of another tenant is as one that does not work", func(t *testing.T) {
			other := h.person("eve@umbrella.example", h.tenant("Umbrella").ID, "administrator")
			_, otherKey := h.key(other)
			r := h.do("POST", "/api/v1/introspect", adaKey, "token="+otherKey)
			if wrong := h.do("POST", "/api/v1/introspect", adaKey, "token=nonsense"); r.status != http.StatusOK || len(r.body) != 1 || r.body["active"] != false || wrong.body["active"] != false {
				t.Errorf("answered %v and %v", r.body, wrong.body)
			}
			h.want(h.do("GET", "/api/v1/users/"+string(other.ID), adaKey, nil), http.StatusNotFound, "")
		})
	})
}

func TestAKeyHoldsAsLongAsItsPersonMayComeIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db, api.Options{})
		ada := h.person("ada@acme.example", h.acme.ID, "administrator")
		_, key := h.key(ada)
		works := func(t *testing.T, want bool) {
			t.Helper()
			if r := h.do("GET", "/api/v1/me", key, nil); (r.status == http.StatusOK) != want {
				t.Fatalf("answered %d %v", r.status, r.body)
			}
		}
		t.Run("ETL-26 a new password leaves the key as it is", func(t *testing.T) {
			hash, err := h.authn.HashPassword(t.Context(), "another long passphrase")
			must(t, err)
			must(t, h.authn.SetPassword(t.Context(), identity.Operator(), ada.ID, hash))
			works(t, true)
		})
		t.Run("ETL-27 deactivation stops the key, activation lets it work again", func(t *testing.T) {
			_, err := h.prov.DeactivateUser(t.Context(), identity.Operator(), ada.ID, "away")
			must(t, err)
			works(t, false)
			_, err = h.prov.ActivateUser(t.Context(), identity.Operator(), ada.ID, "back")
			must(t, err)
			works(t, true)
		})
		t.Run("ETL-30 keys of other roles stop at once and come back", func(t *testing.T) {
			choose(t, h, authn.KeyChoice{Roles: []identity.RoleID{"api_user"}})
			works(t, false)
			if _, _, err := h.authn.CreateAPIKey(t.Context(), identity.Operator(), ada.ID, "second", ""); identity.CodeOf(err) != "role_not_allowed" {
				t.Errorf("a new key is %v", err)
			}
			choose(t, h, authn.KeyChoice{Model: true})
			works(t, true)
			admin := identity.Actor{Kind: identity.ActorUser, ID: string(ada.ID), TenantID: h.acme.ID, Roles: []identity.RoleID{"administrator"}}
			if _, err := h.authn.ChooseKeyRoles(t.Context(), admin, authn.KeyChoice{Every: true}, ""); identity.KindOf(err) != identity.Forbidden {
				t.Errorf("a tenant's administrator changes the policy: %v", err)
			}
		})
		t.Run("a tenant that requires its provider has no keys", func(t *testing.T) {
			must(t, h.db.Update(t.Context(), func(tx *store.Tx) error { return tx.SetRequireSSO(t.Context(), h.acme.ID, true) }))
			works(t, false)
			must(t, h.db.Update(t.Context(), func(tx *store.Tx) error { return tx.SetRequireSSO(t.Context(), h.acme.ID, false) }))
			works(t, true)
		})
	})
}

func choose(t *testing.T, h *house, c authn.KeyChoice) {
	t.Helper()
	_, err := h.authn.ChooseKeyRoles(t.Context(), identity.Operator(), c, "test")
	must(t, err)
}

func TestKeysAreMadeShownAndRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db, api.Options{})
		roles := []identity.RoleID{"administrator", "editor", "operator", "viewer", "api_user"}
		t.Run("ETL-29 everybody may have a key, a Super Admin too", func(t *testing.T) {
			for _, role := range roles {
				u := h.person(string(role)+"@acme.example", h.acme.ID, role)
				if k, key := h.key(u); key == "" || k.UserID != u.ID {
					t.Errorf("%s got %+v", role, k)
				}
			}
			_, key := h.key(h.root)
			h.want(h.do("GET", "/api/v1/me", key, nil), http.StatusOK, "")
		})
		ada := h.person("ada@acme.example", h.acme.ID, "administrator")
		k, key := h.key(ada)
		t.Run("ETL-34 a key is shown again, and that it was is written down", func(t *testing.T) {
			again, err := h.authn.RevealAPIKey(t.Context(), identity.Operator(), k.ID)
			must(t, err)
			if again != key || h.events(ada, identity.APIKeyRevealed) != 1 {
				t.Errorf("%d events, the same key: %v", h.events(ada, identity.APIKeyRevealed), again == key)
			}
		})
		t.Run("ETL-31 a new key replaces the old one, which is dead", func(t *testing.T) {
			fresh, newKey, err := h.authn.CreateAPIKey(t.Context(), identity.Operator(), ada.ID, k.Name, k.ID)
			must(t, err)
			h.want(h.do("GET", "/api/v1/me", key, nil), http.StatusUnauthorized, "api_key.invalid")
			h.want(h.do("GET", "/api/v1/me", newKey, nil), http.StatusOK, "")
			k, key = fresh, newKey
		})
		t.Run("ETL-32 a revoked key stops at once and cannot be shown", func(t *testing.T) {
			must(t, h.authn.RevokeAPIKey(t.Context(), identity.Operator(), k.ID, "lost laptop"))
			h.want(h.do("GET", "/api/v1/me", key, nil), http.StatusUnauthorized, "api_key.invalid")
			if _, err := h.authn.RevealAPIKey(t.Context(), identity.Operator(), k.ID); identity.CodeOf(err) != "api_key.shown_once" {
				t.Errorf("showing it is %v", err)
			}
			if err := h.authn.RevokeAPIKey(t.Context(), identity.Operator(), k.ID, ""); identity.KindOf(err) != identity.NotFound {
				t.Errorf("revoking it again is %v", err)
			}
			if n := h.events(ada, identity.APIKeyRevoked); n != 2 {
				t.Errorf("%d events", n)
			}
		})
		t.Run("somebody of another tenant sees no key", func(t *testing.T) {
			other := h.person("eve@umbrella.example", h.tenant("Umbrella").ID, "administrator")
			eve := identity.Actor{Kind: identity.ActorUser, ID: string(other.ID), TenantID: other.TenantID, Roles: []identity.RoleID{"administrator"}}
			fresh, _ := h.key(ada)
			for name, err := range map[string]error{
				"reveal": second(h.authn.RevealAPIKey(t.Context(), eve, fresh.ID)), "revoke": h.authn.RevokeAPIKey(t.Context(), eve, fresh.ID, ""),
				"list": second(h.authn.APIKeys(t.Context(), eve, ada.ID)), "read": second(h.authn.APIKey(t.Context(), eve, fresh.ID)),
			} {
				if identity.KindOf(err) != identity.NotFound {
					t.Errorf("%s is %v", name, err)
				}
			}
		})
	})
}

func second[T any](_ T, err error) error { return err }

func TestAWebhookMayCarryTheKeyInItsAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		t.Run("ETL-28 the query is looked at only where it is switched on", func(t *testing.T) {
			h := build(t, db, api.Options{QueryKeys: true})
			_, key := h.key(h.root)
			h.want(h.do("GET", "/api/v1/me?api_key="+key, "", nil), http.StatusOK, "")
			h.want(h.do("GET", "/api/v1/me?api_key="+key, key, nil), http.StatusBadRequest, "api_key.twice")
			off := &house{t: t, url: serve(t, h.prov, h.authn, api.Options{})}
			off.want(off.do("GET", "/api/v1/me?api_key="+key, "", nil), http.StatusUnauthorized, "api_key.missing")
			off.want(off.do("GET", "/api/v1/me", key, nil), http.StatusOK, "")
		})
	})
}

func TestAModelMayEndKeysWithThePassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db, api.Options{})
		strict := strings.Replace(string(h.model.Source()), "survives_password_change: true", "survives_password_change: false", 1)
		must(t, db.Update(t.Context(), func(tx *store.Tx) error {
			return tx.PutAccessModel(t.Context(), store.AccessModelRecord{Application: identity.DefaultApplication, Name: "etlworks", Document: []byte(strict), AppliedBy: "test"})
		}))
		ada := h.person("ada@acme.example", h.acme.ID, "administrator")
		_, key := h.key(ada)
		h.want(h.do("GET", "/api/v1/me", key, nil), http.StatusOK, "")
		hash, err := h.authn.HashPassword(t.Context(), "another Long 1 passphrase")
		must(t, err)
		must(t, h.authn.SetPassword(t.Context(), identity.Operator(), ada.ID, hash))
		h.want(h.do("GET", "/api/v1/me", key, nil), http.StatusUnauthorized, "api_key.invalid")
		if n := h.events(ada, identity.APIKeyRevoked); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}
