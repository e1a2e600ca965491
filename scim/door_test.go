package scim

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func userBody(name string) string {
	return `{"schemas":["` + urnCore + `"],"userName":"` + name + `"}`
}

func (c *client) createUser(name string) string {
	c.t.Helper()
	return textOf(c.must(http.StatusCreated, "POST", "/Users", userBody(name)).object["id"])
}

func patchBody(ops string) string {
	return `{"schemas":["` + patchURN + `"],"Operations":[` + ops + `]}`
}

func TestOfSixteenPostsOfOneNameOneWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "race", identity.DialectStandard)
		got := c.together(16, func(int) (reply, error) { return c.send("POST", "/Users", []byte(userBody("ada@example.com"))) })
		if got[http.StatusCreated] != 1 || got[http.StatusConflict] != 15 {
			t.Errorf("statuses %v, want one 201 and fifteen 409", got)
		}
	})
}

func TestNoMemberIsLostWhenManyComeAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "race", identity.DialectStandard)
		var ids []string
		for i := range 16 {
			ids = append(ids, c.createUser(fmt.Sprintf("user%d@example.com", i)))
		}
		group := textOf(c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g"}`).object["id"])
		got := c.together(len(ids), func(i int) (reply, error) {
			return c.send("PATCH", "/Groups/"+group, []byte(patchBody(`{"op":"add","path":"members","value":[{"value":"`+ids[i]+`"}]}`)))
		})
		if got[http.StatusOK] != len(ids) {
			t.Fatalf("statuses %v, want only 200", got)
		}
		if n := len(listOf(c.must(200, "GET", "/Groups/"+group, "").object["members"])); n != len(ids) {
			t.Errorf("%d members, want %d", n, len(ids))
		}
	})
}

// together runs n requests at once and counts the statuses of their answers.
func (c *client) together(n int, send func(int) (reply, error)) map[int]int {
	c.t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[int]int{}
	for i := range n {
		wg.Go(func() {
			r, err := send(i)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				c.t.Error(err)
			}
			got[r.status]++
		})
	}
	wg.Wait()
	return got
}

func TestAChangeOfALargeGroupIsAnsweredWithoutIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "large", identity.DialectOkta)
		var members []string
		for i := range smallGroup + 1 {
			members = append(members, `{"value":"`+c.createUser(fmt.Sprintf("user%d@example.com", i))+`"}`)
		}
		group := func(n int) string {
			t.Helper()
			body := `{"schemas":["` + groupType.schema.ID + `"],"displayName":"g","members":[` + strings.Join(members[:n], ",") + `]}`
			return textOf(c.must(201, "POST", "/Groups", body).object["id"])
		}
		change := patchBody(`{"op":"remove","path":"members","value":[` + members[0] + `]}`)
		c.must(204, "PATCH", "/Groups/"+group(smallGroup+1), change)
		whole := c.must(200, "PATCH", "/Groups/"+group(smallGroup), change)
		if n := len(listOf(whole.object["members"])); n != smallGroup-1 {
			t.Errorf("%d members, want %d", n, smallGroup-1)
		}
	})
}

func TestADeletedMemberChangesTheGroupsAroundIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "around", identity.DialectStandard)
		group := func(name, members string) reply {
			t.Helper()
			return c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"`+name+`","members":[`+members+`]}`)
		}
		user, inner := c.createUser("ada"), textOf(group("inner", "").object["id"])
		outer := group("outer", `{"value":"`+user+`"},{"value":"`+inner+`"}`)
		id, tag := textOf(outer.object["id"]), outer.header.Get("ETag")
		for i, gone := range []string{"/Groups/" + inner, "/Users/" + user} {
			c.must(204, "DELETE", gone, "")
			now := c.must(200, "GET", "/Groups/"+id, "", "If-None-Match", tag)
			if n := len(listOf(now.object["members"])); n != 1-i {
				t.Errorf("%d members are left: %s", n, now.raw)
			}
			c.must(412, "PATCH", "/Groups/"+id, patchBody(`{"op":"replace","path":"displayName","value":"x"}`), "If-Match", tag)
			tag = now.header.Get("ETag")
		}
	})
}

func TestTheJournalKeepsWritesAndFailedReads(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		c := b.client(t, "journal", identity.DialectStandard)
		id := c.createUser("ada@example.com")
		c.must(200, "GET", "/Users/"+id, "")
		c.must(400, "GET", "/Users?filter=bad", "")
		c.must(400, "GET", "/Users?filter=password%20eq%20%22hunter2%22", "")
		r := c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","value":{"title":"x","password":"hunter2"}}`))
		ctx := context.Background()
		page, err := b.people.Requests(ctx, identity.Operator(), provisioning.RequestQuery{DirectoryID: c.directory.ID, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Items {
			got = append(got, fmt.Sprintf("%s %d", e.Method, e.Status))
			if strings.Contains(e.Body+e.Path, "hunter2") {
				t.Errorf("the journal holds a password: %s %s", e.Path, e.Body)
			}
		}
		if want := "PATCH 200, GET 400, GET 400, POST 201"; strings.Join(got, ", ") != want {
			t.Errorf("the journal has %v, want %s", got, want)
		}
		events, err := b.people.Events(ctx, identity.Operator(), provisioning.EventQuery{UserID: identity.UserID(id), Limit: 1})
		if err != nil || len(events.Items) == 0 {
			t.Fatalf("no event: %v", err)
		}
		e := events.Items[0]
		if e.RequestID != page.Items[0].ID || string(e.RequestID) != r.header.Get("X-Request-Id") || e.Door != "scim" {
			t.Errorf("the event points to the request %s at the door %s, want %s", e.RequestID, e.Door, page.Items[0].ID)
		}
	})
}

func TestADirectorySeesOnlyItsOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		ours, theirs := b.client(t, "ours", identity.DialectStandard), b.client(t, "theirs", identity.DialectStandard)
		id := theirs.createUser("ada@example.com")
		ours.must(404, "GET", "/Users/"+id, "")
		ours.must(404, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"x"}`))
		ours.must(404, "DELETE", "/Users/"+id, "")
		if r := ours.must(200, "GET", "/Users", ""); len(listOf(r.object["Resources"])) != 0 {
			t.Errorf("the list shows people of another tenant: %s", r.raw)
		}
		ours.must(201, "POST", "/Users", userBody("ada@example.com"))
		ours.must(400, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g","members":[{"value":"`+id+`"}]}`)
	})
}

func TestRequestsThatAreNotSCIMAreRefused(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "odd", identity.DialectStandard)
	group := textOf(c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g"}`).object["id"])
	for _, r := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"plain text", "POST", "/Users", userBody("a"), []string{"Content-Type", "text/plain"}, 415},
		{"another charset", "POST", "/Users", userBody("a"), []string{"Content-Type", "application/json; charset=latin1"}, 415},
		{"compressed", "POST", "/Users", userBody("a"), []string{"Content-Encoding", "gzip"}, 415},
		{"plain JSON is fine", "POST", "/Users", userBody("json"), []string{"Content-Type", "application/json; charset=UTF-8"}, 201},
		{"no type is fine", "POST", "/Users", userBody("none"), []string{"Content-Type", ""}, 201},
		{"too long", "POST", "/Users", `{"a":"` + strings.Repeat("x", int(DefaultLimits().Body)) + `"}`, nil, 413},
		{"no token", "GET", "/Users", "", []string{"Authorization", ""}, 401},
		{"another scheme", "GET", "/Users", "", []string{"Authorization", "Basic YTpi"}, 401},
		{"a wrong token", "GET", "/Users", "", []string{"Authorization", "Bearer dbs_x"}, 401},
		{"a broken query", "GET", "/Users?filter=%zz", "", nil, 400},
		{"two filters", "GET", "/Users?filter=id+pr&filter=title+pr", "", nil, 400},
		{"an empty filter", "GET", "/Users?filter=", "", nil, 400},
		{"an order that is none", "GET", "/Users?sortBy=userName&sortOrder=up", "", nil, 400},
		{"a slash at the end", "GET", "/Users/", "", nil, 200},
		{"the root", "GET", "/", "", nil, 200},
		{"an encoded path to another resource", "GET", "/Users/..%2FGroups%2F" + group, "", nil, 404},
		{"an id in capitals is the same", "GET", "/Groups/" + strings.ToUpper(group), "", nil, 200},
		{"below a resource", "GET", "/Groups/" + group + "/members", "", nil, 404},
		{"POST to a resource", "POST", "/Groups/" + group, "{}", nil, 405},
		{"GET of a search", "GET", "/Users/.search", "", nil, 405},
		{"a search that is none", "POST", "/Users/.search", "{}", nil, 400},
		{"a method that nobody knows", "BREW", "/Users", "", nil, 405},
		{"HEAD", "HEAD", "/Users", "", nil, 200},
		{"OPTIONS", "OPTIONS", "/Users", "", nil, 204},
		{"OPTIONS of nothing", "OPTIONS", "/Nothing", "", nil, 404},
		{"something else than JSON is accepted", "GET", "/Users", "", []string{"Accept", "text/html"}, 200},
	} {
		t.Run(r.name, func(t *testing.T) {
			c.t = t
			got := c.must(r.status, r.method, r.path, r.body, r.headers...)
			if r.status < 400 {
				return
			}
			if got.header.Get("Content-Type") != contentType || got.object["status"] != fmt.Sprint(r.status) || textOf(got.object["detail"]) == "" {
				t.Errorf("the answer is no SCIM error: %s %s", got.header.Get("Content-Type"), got.raw)
			}
			if r.status == 401 && got.header.Get("WWW-Authenticate") == "" || r.status == 405 && got.header.Get("Allow") == "" {
				t.Errorf("a header is missing: %v", got.header)
			}
		})
	}
}

func TestOddFiltersAreAnsweredOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "filters", identity.DialectStandard)
		c.must(201, "POST", "/Users", `{"schemas":["`+urnCore+`","`+enterpriseURN+`"],"userName":"ada","title":"100%_\\","externalId":"E1",
			"name":{"familyName":"Lovelace"},"emails":[{"value":"ada@example.com","type":"work","primary":true}],
			"phoneNumbers":[{"value":"1","type":"work","primary":true},{"value":"2","type":"home"}],"x509Certificates":[{"value":"AAAA"}],
			"`+enterpriseURN+`":{"department":"D","manager":{"value":"m"}}}`)
		for filter, want := range map[string]int{
			`userName eq "ada"`: 1, `userName eq "ADA"`: 1, `userName co "d"`: 1, `userName ge "a"`: 1, `userName lt "a"`: 0,
			`title eq "100%_\\"`: 1, `title co "%"`: 1, `title sw "1%"`: 0, `title ew "_\\"`: 1, `title co "'"`: 0,
			`externalId eq "E1"`: 1, `externalId eq "e1"`: 0, `id eq "nothing"`: 0, `id pr`: 1, `id sw "0"`: 1,
			`name pr`: 1, `name.familyName eq "lovelace"`: 1, `name.givenName pr`: 0, `name.givenName ne "x"`: 1,
			`phoneNumbers eq "2"`: 1, `phoneNumbers[type eq "home"].value eq "2"`: 1, `phoneNumbers[type eq "home" and value eq "1"]`: 0,
			`phoneNumbers[primary eq true]`: 1, `phoneNumbers[primary eq true and value eq "2"]`: 0, `phoneNumbers pr`: 1, `ims pr`: 0,
			`phoneNumbers[not (type eq "work")]`: 1, `phoneNumbers.type ne "work"`: 0, `emails.primary eq true`: 1, `emails ne "x"`: 1,
			`emails[value ew "@EXAMPLE.com"]`: 1, `not (emails pr)`: 0, `x509Certificates.value eq "AAAA"`: 1,
			`meta.created le "2100-01-01T00:00:00Z"`: 1, `meta.lastModified lt "2000-01-01T00:00:00Z"`: 0, `meta.resourceType eq "user"`: 0,
			`active eq true`: 1, `active ne true`: 0, `active eq null`: 0, `active pr`: 1,
			enterpriseURN + `:department eq "d"`: 1, enterpriseURN + `:manager.value eq "m"`: 1, enterpriseURN + ` pr`: 1,
			`schemas eq "` + enterpriseURN + `"`: 1, `schemas ne "` + enterpriseURN + `"`: 1, `groups pr`: 0, `groups eq "x"`: 0, `groups.display co "x"`: 0,
		} {
			r := c.must(200, "GET", address("/Users?attributes=id&filter="+filter), "")
			if fmt.Sprint(r.object["totalResults"]) != fmt.Sprint(want) {
				t.Errorf("%s matches %v, want %d", filter, r.object["totalResults"], want)
			}
		}
	})
}

func TestAnInternalErrorTellsNothing(t *testing.T) {
	db := storetest.SQLite(t)
	c := newBridge(t, db).client(t, "broken", identity.DialectStandard)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if r := c.must(500, "GET", "/Users", ""); bytes.Contains(r.raw, []byte("sql")) || textOf(r.object["detail"]) == "" {
		t.Errorf("the answer is %s", r.raw)
	}
}
