package scim

import (
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// What the other tests of this package show in depth, in one breath: people and groups are pushed to us, each tenant's by its own token.
func TestPeopleAndGroupsArePushedToUs(t *testing.T) {
	const user, patch = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`, `"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]`
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		okta, entra := b.client(t, "Okta", identity.DialectOkta), b.client(t, "Entra", identity.DialectEntra)
		var ada string
		t.Run("MIS-01 a user is created, found, changed and deactivated, in the dialects of Okta and Entra", func(t *testing.T) {
			for _, c := range []*client{okta, entra} {
				made := c.must(http.StatusCreated, "POST", "/Users", `{`+user+`,"userName":"ada@example.com","active":true}`)
				id := textOf(made.object["id"])
				list := c.must(http.StatusOK, "GET", `/Users?startIndex=1&count=1&filter=userName+eq+%22ada@example.com%22`, "").object
				if list["totalResults"] != float64(1) || textOf(listOf(list["Resources"])[0].(object)["id"]) != id {
					t.Errorf("%v", list)
				}
				c.must(http.StatusOK, "PUT", "/Users/"+id, `{`+user+`,"userName":"ada@example.com","displayName":"Ada","active":true}`)
				c.must(http.StatusOK, "PATCH", "/Users/"+id, `{`+patch+`,"Operations":[{"op":"replace","path":"active","value":false}]}`)
				if got := c.must(http.StatusOK, "GET", "/Users/"+id, "").object; got["active"] != false || got["displayName"] != "Ada" {
					t.Errorf("%v", got)
				}
				ada = id // of Entra, at the end
			}
		})
		t.Run("MIS-01 a token opens its own tenant and nothing else", func(t *testing.T) {
			okta.must(http.StatusNotFound, "GET", "/Users/"+ada, "")
			okta.must(http.StatusUnauthorized, "GET", "/Users", "", "Authorization", "Bearer dbs_wrong")
			okta.must(http.StatusUnauthorized, "GET", "/Users", "", "Authorization", "")
		})
		t.Run("MIS-02 groups are created, get and lose members, and are deleted", func(t *testing.T) {
			made := entra.must(http.StatusCreated, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Editors","members":[{"value":"`+ada+`"}]}`)
			id := textOf(made.object["id"])
			members := func() int { return len(listOf(entra.must(http.StatusOK, "GET", "/Groups/"+id, "").object["members"])) }
			if members() != 1 {
				t.Error("not a member")
			}
			entra.must(http.StatusNoContent, "PATCH", "/Groups/"+id, `{`+patch+`,"Operations":[{"op":"remove","path":"members[value eq \"`+ada+`\"]"}]}`)
			if members() != 0 {
				t.Error("still a member")
			}
			put := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Editors","members":[{"value":"` + ada + `"}]}`
			if answer := entra.must(http.StatusOK, "PUT", "/Groups/"+id, put); !strings.Contains(string(answer.raw), ada) || members() != 1 {
				t.Errorf("%s", answer.raw)
			}
			okta.must(http.StatusNotFound, "GET", "/Groups/"+id, "")
			entra.must(http.StatusNoContent, "DELETE", "/Groups/"+id, "")
		})
		t.Run("MIS-01 who is deleted is gone", func(t *testing.T) {
			entra.must(http.StatusNoContent, "DELETE", "/Users/"+ada, "")
			entra.must(http.StatusNotFound, "GET", "/Users/"+ada, "")
		})
	})
}
