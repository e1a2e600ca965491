package api_test

import (
	"net/http"
	"testing"

	"github.com/drawbridge-id/drawbridge/api"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestPeopleAreManagedByTheAPI(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db, api.Options{})
		_, admin := h.key(h.person("ada@acme.example", h.acme.ID, "administrator"))
		_, viewer := h.key(h.person("vera@acme.example", h.acme.ID, "viewer"))
		grace := map[string]any{"displayName": "Grace", "email": "grace@acme.example", "role": "viewer"}
		t.Run("only who manages users creates, changes and deactivates them", func(t *testing.T) {
			h.want(h.do("POST", "/api/v1/users", viewer, grace), http.StatusForbidden, "")
			made := h.do("POST", "/api/v1/users", admin, grace)
			h.want(made, http.StatusCreated, "")
			at := "/api/v1/users/" + made.text("id")
			for method, path := range map[string]string{"PATCH": at, "DELETE": at, "POST": at + "/deactivate"} {
				if r := h.do(method, path, viewer, map[string]any{}); r.status != http.StatusForbidden {
					t.Errorf("%s %s is answered with %d", method, path, r.status)
				}
			}
			if r := h.do("PATCH", at, admin, map[string]any{"displayName": "Grace Hopper"}); r.text("displayName") != "Grace Hopper" {
				t.Errorf("answered %v", r.body)
			}
			h.want(h.do("PATCH", at, admin, map[string]any{"displayName": "G.", "version": 1}), http.StatusPreconditionFailed, "")
			if r := h.do("POST", at+"/deactivate", admin, nil); r.text("status") != string(identity.StatusInactive) {
				t.Errorf("answered %v", r.body)
			}
			h.want(h.do("DELETE", at, admin, nil), http.StatusForbidden, "deactivate_instead") // this access model deletes nobody
		})
		t.Run("a tenant's administrator creates people there alone", func(t *testing.T) {
			other := h.tenant("Umbrella")
			h.want(h.do("POST", "/api/v1/users", admin, map[string]any{"displayName": "Eve", "email": "eve@u.example", "role": "viewer", "tenantId": other.ID}), http.StatusForbidden, "")
		})
		t.Run("lists page", func(t *testing.T) {
			first := h.do("GET", "/api/v1/users?limit=1", admin, nil)
			next := h.do("GET", "/api/v1/users?limit=1&after="+first.text("next"), admin, nil)
			if len(first.body["users"].([]any)) != 1 || len(next.body["users"].([]any)) != 1 || next.text("next") == first.text("next") {
				t.Errorf("pages %v and %v", first.body, next.body)
			}
			h.want(h.do("GET", "/api/v1/users?limit=0", admin, nil), http.StatusBadRequest, "")
			h.want(h.do("GET", "/api/v1/users?after=rubbish", admin, nil), http.StatusBadRequest, "")
		})
		t.Run("what is no request is refused before anything is done", func(t *testing.T) {
			h.want(h.do("POST", "/api/v1/users", admin, "userName=x"), http.StatusBadRequest, "")
			h.want(h.do("POST", "/api/v1/users", admin, map[string]any{"password": "secret"}), http.StatusBadRequest, "")
			h.want(h.do("GET", "/api/v1/nothing", admin, nil), http.StatusNotFound, "")
			h.want(h.do("POST", "/api/v1/users/"+string(h.root.ID)+"/fire", admin, nil), http.StatusNotFound, "")
		})
	})
}
