package scim

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// signIn starts a session of a person whom the directory pushed.
func (c *examiner) signIn(s *authn.Service, person object) (cookie string, err error) {
	c.t.Helper()
	ctx := context.Background()
	u, err := c.bridge.people.User(ctx, identity.Operator(), identity.UserID(textOf(person["id"])))
	if err != nil {
		c.t.Fatal(err)
	}
	cookie, _, err = s.StartSession(ctx, u, identity.Session{IP: "192.0.2.1"}, "")
	return cookie, err
}

func (c *examiner) sessions() *authn.Service {
	c.t.Helper()
	model, err := access.Load(storetest.Model)
	if err != nil {
		c.t.Fatal(err)
	}
	return authn.New(c.db, model)
}

func TestDeprovisioningIsAsIPSIEAL1Asks(t *testing.T) {
	active := func(on bool) string { return fmt.Sprintf(`{"op":"replace","path":"active","value":%v}`, on) }
	examine(t, identity.DialectStandard, []clause{
		{"who is deactivated is out at once, with every session, and cannot come in", func(c *examiner) {
			s, ada := c.sessions(), c.person("ada", "")
			cookie, err := c.signIn(s, ada)
			c.expect(err == nil, "Ada cannot sign in: %v", err)
			_, err = s.Session(context.Background(), cookie)
			c.expect(err == nil, "the session is none: %v", err)
			c.see(c.patch(ada, active(false)), "active", "false")
			_, err = s.Session(context.Background(), cookie)
			c.expect(identity.KindOf(err) == identity.Unauthenticated, "the session goes on: %v", err)
			_, err = c.signIn(s, ada)
			c.expect(identity.KindOf(err) == identity.Forbidden, "Ada signs in again: %v", err)
		}},
		{"who is reactivated may come in again, under the same id", func(c *examiner) {
			ada := c.person("ada", "")
			c.patch(ada, active(false))
			again := c.patch(ada, active(true))
			c.see(again, "active", "true")
			c.see(again, "id", textOf(ada["id"]))
			_, err := c.signIn(c.sessions(), ada)
			c.expect(err == nil, "Ada cannot sign in: %v", err)
		}},
		{"who is deleted is out at once, and the name is free", func(c *examiner) {
			s, ada := c.sessions(), c.person("ada", "")
			cookie, err := c.signIn(s, ada)
			c.expect(err == nil, "Ada cannot sign in: %v", err)
			c.must(204, "DELETE", c.path(ada), "")
			_, err = s.Session(context.Background(), cookie)
			c.expect(identity.KindOf(err) == identity.Unauthenticated, "the session goes on: %v", err)
			c.refused(404, "", "GET", c.path(ada), "")
			c.person("ada", "")
		}},
		{"people are found by id, and by each alternate identifier", func(c *examiner) {
			ada := c.person("ada", `"externalId":"E1","emails":[{"value":"ada@x.example","type":"work"},{"value":"ada@home.example","type":"home"}]`)
			c.person("bob", `"externalId":"e1","emails":[{"value":"ada@x.example","type":"home"}]`)
			c.read(ada)
			for filter, want := range map[string]string{
				`username eq "ADA"`: "ada", `externalId eq "E1"`: "ada", `emails[value eq "ada@home.example"]`: "ada", `emails[type eq "work" and value eq "ada@x.example"]`: "ada",
			} {
				c.expect(c.search("/Users?filter="+filter) == want, "%s finds %q", filter, c.search("/Users?filter="+filter))
			}
		}},
	})
}

func TestProvisioningIsAsIPSIEAL2Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"userName, displayName, active and externalId are there", func(c *examiner) {
			ada := c.person("ada", `"displayName":"Ada","active":true,"externalId":"E1"`)
			for name, want := range map[string]string{"userName": "ada", "displayName": "Ada", "active": "true", "externalId": "E1"} {
				c.see(ada, name, want)
			}
			schema := string(c.must(200, "GET", "/Schemas/"+urnCore, "").raw)
			for _, name := range []string{"userName", "displayName", "active"} {
				c.expect(strings.Contains(schema, `"name":"`+name+`"`), "the schema lacks %s", name)
			}
		}},
		{"no schema has a password or another credential", func(c *examiner) {
			all := strings.ToLower(string(c.must(200, "GET", "/Schemas", "").raw))
			for _, word := range []string{`"name":"password"`, "totp", "privatekey", "secret"} {
				c.expect(!strings.Contains(all, word), "a schema has %s", word)
			}
		}},
		{"a person is created and updated in several attributes by one PATCH", func(c *examiner) {
			ada := c.patch(c.person("ada", ""), `{"op":"replace","path":"displayName","value":"Ada"},{"op":"add","path":"name.familyName","value":"Lovelace"},{"op":"replace","path":"active","value":false}`)
			for path, want := range map[string]string{"displayName": "Ada", "name.familyName": "Lovelace", "active": "false"} {
				c.see(ada, path, want)
			}
		}},
		{"everybody is listed, at most a thousand a page, by cursor too", func(c *examiner) {
			c.people()
			c.expect(c.limit("pagination.maxPageSize") <= 1000 && c.search("/Users?sortBy=userName") == "ada bob cyd", "%s", c.search("/Users?sortBy=userName"))
			c.expect(c.walk("/Users?count=1&sortBy=userName", nil) == "ada|bob|cyd", "by cursor")
		}},
		{"a group may be empty, is listed without its members, and found by each alternate identifier", func(c *examiner) {
			ada := c.person("ada", "")
			c.team("empty")
			full := c.ok(201, "POST", "/Groups", teamBody("full", `"externalId":"G1"`, textOf(ada["id"])))
			c.read(full)
			list := c.ok(200, "GET", "/Groups?excludedAttributes=members", "")
			c.see(list, "totalResults", "2")
			c.see(list, "Resources.1.members", "<nil>")
			for _, filter := range []string{`displayName eq "Full"`, `externalId eq "G1"`, `members[value eq "` + textOf(ada["id"]) + `"]`} {
				c.expect(c.search("/Groups?filter="+filter) == "full", "%s finds %q", filter, c.search("/Groups?filter="+filter))
			}
		}},
		{"fifty changes of members in one PATCH", func(c *examiner) {
			var adds, removes, creates []string
			for i := range 50 {
				creates = append(creates, bulkUser(fmt.Sprint(i), fmt.Sprintf("u%02d", i)))
			}
			g := c.team("g")
			for _, r := range c.bulk("", creates...) {
				location := textOf(at(r, "location"))
				id := location[strings.LastIndexByte(location, '/')+1:]
				adds = append(adds, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)
				removes = append(removes, `{"op":"remove","path":"members[value eq \"`+id+`\"]"}`)
			}
			c.expect(len(listOf(c.patch(g, strings.Join(adds, ","))["members"])) == 50, "not all were added")
			c.see(c.patch(g, strings.Join(removes, ",")), "members", "<nil>")
		}},
		{"what the directory says of a person is changed there and nowhere else", func(c *examiner) {
			ada := c.person("ada", "")
			_, err := c.bridge.people.UpdateUser(context.Background(), identity.Operator(), identity.UserID(textOf(ada["id"])), 0, func(u *identity.User) error {
				u.DisplayName = "Somebody Else"
				return nil
			})
			c.expect(identity.KindOf(err) == identity.Forbidden, "an administrator changes what the directory manages: %v", err)
			c.see(c.read(ada), "displayName", "<nil>")
		}},
		{"nobody else makes a person whom the directory has", func(c *examiner) {
			c.person("ada", "")
			_, err := c.bridge.people.CreateUser(context.Background(), identity.Operator(), provisioning.NewUser{
				User: identity.User{UserName: "Ada", DisplayName: "Ada", TenantID: c.directory.TenantID, Emails: []identity.Email{{Value: "second@acme.example"}}}, Role: "viewer",
			})
			c.expect(identity.KindOf(err) == identity.Conflict, "a second Ada: %v", err)
		}},
	})
}

func TestSharedRequirementsOfIPSIEHold(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"a hundred requests at once are served", func(c *examiner) {
			got := c.together(100, func(i int) (reply, error) {
				if i%4 == 0 {
					return c.send("POST", "/Users", []byte(userBody(fmt.Sprintf("u%d", i))))
				}
				return c.send("GET", "/Users?count=1", nil)
			})
			c.expect(got[http.StatusOK] == 75 && got[http.StatusCreated] == 25, "%v", got)
		}},
		{"every write is in the audit log and in the journal, under its request id", func(c *examiner) {
			ctx := context.Background()
			var want []string
			r := c.must(201, "POST", "/Users", userBody("ada"))
			want = append(want, r.header.Get("X-Request-Id"))
			for _, m := range []struct{ method, body string }{{"PATCH", patchBody(`{"op":"add","path":"title","value":"x"}`)}, {"PUT", userBody("ada")}, {"DELETE", ""}} {
				got, err := c.send(m.method, c.path(r.object), []byte(m.body))
				c.expect(err == nil && got.status < 300, "%s: %d %v", m.method, got.status, err)
				want = append([]string{got.header.Get("X-Request-Id")}, want...)
			}
			events, err := c.bridge.people.Events(ctx, identity.Operator(), provisioning.EventQuery{UserID: identity.UserID(textOf(r.object["id"])), Limit: 10})
			c.expect(err == nil, "%v", err)
			requests, err := c.bridge.people.Requests(ctx, identity.Operator(), provisioning.RequestQuery{DirectoryID: c.directory.ID, Limit: 10})
			c.expect(err == nil && len(requests.Items) == len(want), "%d entries, %v", len(requests.Items), err)
			told := map[string]bool{}
			for _, e := range events.Items {
				told[string(e.RequestID)] = true
			}
			for i, id := range want {
				c.expect(told[id] && string(requests.Items[i].ID) == id, "the request %s is not told", id)
			}
		}},
	})
}
