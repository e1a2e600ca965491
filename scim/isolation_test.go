package scim

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// leak is in attributes of everything that lies outside, and in no request.
const leak = "leaked-secret"

// outsider is what a probe names: something that is outside, or something of the same length that does not exist.
type outsider struct{ user, group, name, mail, external, display string }

// nothing returns the same of what does not exist. Its ids differ in the last digit only, so that they have the same place in every order.
func (o outsider) nothing() outsider {
	last := func(s string) string {
		c := byte('0')
		if strings.HasSuffix(s, "0") {
			c = '1'
		}
		return s[:len(s)-1] + string(c)
	}
	return outsider{
		user: last(o.user), group: last(o.group), name: "x" + o.name[1:], mail: "x" + o.mail[1:], external: "x" + o.external[1:], display: "x" + o.display[1:],
	}
}

func (o outsider) fill(s string) string {
	return strings.NewReplacer("{user}", o.user, "{group}", o.group, "{name}", o.name, "{mail}", o.mail, "{external}", o.external, "{display}", o.display).Replace(s)
}

// probe is one request that names what is outside. route is the endpoint that it is for.
type probe struct {
	route, path, body string
	headers           []string
}

// outsideFilters name what is outside in every way that a filter has; those of groups are asked of groups.
var outsideFilters = map[string][]string{
	"Users": {
		`id eq "{user}"`, `id eq "{group}"`, `id ge "{user}" and id le "{user}"`, `userName eq "{name}"`, `userName sw "{name}"`, `externalId eq "{external}"`,
		`emails.value eq "{mail}"`, `emails[value eq "{mail}"]`, `emails co "{mail}"`, `groups.value eq "{group}"`, `groups eq "{group}"`, `groups[value eq "{group}"]`,
		`groups.display eq "{display}"`, `groups[display sw "{display}"]`, `groups.$ref eq "https://x/Groups/{group}"`, `meta.location eq "https://x/Users/{user}"`,
		`not (id ne "{user}")`, `not (groups.value ne "{group}")`, `not (externalId ne "{external}")`, enterpriseURN + `:manager.value eq "{user}"`,
		`title eq "{user}" or (active eq true and userName eq "{name}")`,
	},
	"Groups": {
		`id eq "{group}"`, `id eq "{user}"`, `displayName eq "{display}"`, `displayName co "{display}"`, `externalId eq "{external}"`, `members.value eq "{user}"`,
		`members[value eq "{user}" and type eq "User"]`, `members.value eq "{group}"`, `members.display eq "{display}"`, `members.$ref eq "https://x/Users/{user}"`,
		`not (displayName ne "{display}")`, `not (members.value ne "{user}")`,
	},
}

// probes returns the whole matrix but for the endpoints that name nothing.
func probes() []probe {
	list := slices.Concat(userProbes(), groupProbes(), bulkProbes())
	for name, filters := range outsideFilters {
		for _, f := range filters {
			query, _ := strings.CutPrefix(address("?filter="+f), "")
			search := string(encode(object{"schemas": []any{searchURN}, "filter": f}))
			list = append(list, probe{route: "GET /" + name, path: "/" + name + query}, probe{route: "GET /", path: "/" + query},
				probe{route: "GET /" + name, path: "/" + name + query + "&count=0&sortBy=id"}, probe{route: "GET /" + name, path: "/" + name + query + "&cursor="},
				probe{route: "POST /" + name + "/.search", path: "/" + name + "/.search", body: search}, probe{route: "POST /.search", path: "/.search", body: search})
		}
	}
	return list
}

func userProbes() []probe {
	const core = `{"schemas":["` + urnCore + `"],`
	var list []probe
	for _, tags := range [][]string{nil, {"If-Match", `W/"1"`}, {"If-Match", `W/"99"`}, {"If-Match", "*"}, {"If-None-Match", `W/"1"`}, {"If-None-Match", "*"}, {"If-Match", `W/"1", W/"2"`}} {
		for _, id := range []string{"{user}", "{group}"} {
			at := "/Users/" + id
			list = append(list, probe{"GET /Users/{id}", at, "", tags}, probe{"GET /Users/{id}", at + "?attributes=userName,groups", "", tags},
				probe{"PUT /Users/{id}", at, core + `"userName":"{name}","externalId":"{external}"}`, tags},
				probe{"PATCH /Users/{id}", at, patchBody(`{"op":"replace","path":"active","value":false}`), tags},
				probe{"PATCH /Users/{id}", at, patchBody(`{"op":"add","path":"title","value":""}`), tags}, probe{"DELETE /Users/{id}", at, "", tags})
		}
	}
	return append(list,
		probe{route: "POST /Users", path: "/Users", body: core + `"userName":"{name}"}`},
		probe{route: "POST /Users", path: "/Users", body: core + `"userName":"{name}"}`}, // again: a conflict with one's own
		probe{route: "POST /Users", path: "/Users", body: core + `"userName":"e{user}","externalId":"{external}"}`},
		probe{route: "POST /Users", path: "/Users", body: core + `"userName":"m{user}","emails":[{"value":"{mail}","primary":true}]}`},
		probe{route: "POST /Users", path: "/Users", body: core + `"id":"{user}","userName":"i{user}","groups":[{"value":"{group}"}]}`},
		probe{route: "POST /Users", path: "/Users", body: core + `"userName":"b{user}","` + enterpriseURN + `":{"manager":{"value":"{user}","$ref":"../Users/{user}"}}}`},
		probe{route: "PATCH /Users/{id}", path: "/Users/{mine}", body: patchBody(`{"op":"replace","path":"externalId","value":"{external}"}`)},
		probe{route: "PATCH /Users/{id}", path: "/Users/{mine}", body: patchBody(`{"op":"replace","path":"emails","value":[{"value":"{mail}"}]}`)},
		probe{route: "PATCH /Users/{id}", path: "/Users/{mine}", body: patchBody(`{"op":"add","path":"` + enterpriseURN + `:manager","value":{"value":"{user}"}}`)},
		probe{route: "PATCH /Users/{id}", path: "/Users/{mine}", body: patchBody(`{"op":"replace","path":"id","value":"{user}"}`)},
		probe{route: "PUT /Users/{id}", path: "/Users/{mine}", body: core + `"id":"{user}","userName":"p{user}","groups":[{"value":"{group}"}]}`},
	)
}

func groupProbes() []probe {
	core := `{"schemas":["` + groupType.schema.ID + `"],`
	var list []probe
	for _, tags := range [][]string{nil, {"If-Match", `W/"1"`}, {"If-Match", `W/"99"`}, {"If-None-Match", "*"}} {
		for _, id := range []string{"{group}", "{user}"} {
			at := "/Groups/" + id
			list = append(list, probe{"GET /Groups/{id}", at, "", tags}, probe{"GET /Groups/{id}", at + "?excludedAttributes=members", "", tags},
				probe{"PUT /Groups/{id}", at, core + `"displayName":"taken over","members":[]}`, tags},
				probe{"PATCH /Groups/{id}", at, patchBody(`{"op":"remove","path":"members"}`), tags},
				probe{"PATCH /Groups/{id}", at, patchBody(`{"op":"add","path":"members","value":[{"value":"{mine}"}]}`), tags},
				probe{"PATCH /Groups/{id}", at, patchBody(`{"op":"remove","path":"members[value eq \"{user}\"]"}`), tags}, probe{"DELETE /Groups/{id}", at, "", tags})
		}
	}
	for _, id := range []string{"{user}", "{group}"} {
		member := `[{"value":"{mine}"},{"value":"` + id + `"}]`
		list = append(list,
			probe{route: "POST /Groups", path: "/Groups", body: core + `"displayName":"of others","members":` + member + `}`},
			probe{route: "PUT /Groups/{id}", path: "/Groups/{ours}", body: core + `"displayName":"ours","members":` + member + `}`},
			probe{route: "PATCH /Groups/{id}", path: "/Groups/{ours}", body: patchBody(`{"op":"add","path":"members","value":` + member + `}`)},
			probe{route: "PATCH /Groups/{id}", path: "/Groups/{ours}", body: patchBody(`{"op":"replace","value":{"members":` + member + `}}`)},
			probe{route: "PATCH /Groups/{id}", path: "/Groups/{ours}", body: patchBody(`{"op":"remove","path":"members[value eq \"` + id + `\"]"}`)})
	}
	return append(list, probe{route: "POST /Groups", path: "/Groups", body: core + `"displayName":"{display}","externalId":"{external}"}`},
		probe{route: "PATCH /Groups/{id}", path: "/Groups/{ours}", body: patchBody(`{"op":"remove","path":"members[display eq \"{display}\"]"}`)})
}

func bulkProbes() []probe {
	core := `{"schemas":["` + groupType.schema.ID + `"],`
	var list []probe
	for _, operation := range []string{
		`{"method":"DELETE","path":"/Users/{user}"}`, `{"method":"DELETE","path":"/Groups/{group}","version":"W/\"1\""}`, `{"method":"DELETE","path":"/Users/bulkId:{user}"}`,
		`{"method":"PATCH","path":"/Users/{user}","data":` + patchBody(`{"op":"replace","path":"active","value":false}`) + `}`,
		`{"method":"PUT","path":"/Groups/{group}","data":` + core + `"displayName":"x","members":[]}}`,
		`{"method":"POST","path":"/Groups","bulkId":"g","data":` + core + `"displayName":"x","members":[{"value":"{user}"}]}}`,
		`{"method":"POST","path":"/Groups","bulkId":"g","data":` + core + `"displayName":"x","members":[{"value":"bulkId:{user}"}]}}`,
		`{"method":"POST","path":"/Groups","bulkId":"{group}","data":` + core + `"displayName":"x","members":[{"value":"{group}"},{"value":"bulkId:{group}"}]}}`,
		`{"method":"PATCH","path":"/Groups/{group}","data":` + patchBody(`{"op":"remove","path":"members[value eq \"{user}\"]"}`) + `}`,
		`{"method":"PATCH","path":"/Groups/{ours}","data":` + patchBody(`{"op":"add","path":"members","value":[{"value":"{group}"}]}`) + `}`,
		bulkUser("u", "bulk-{name}"),
	} {
		list = append(list, probe{route: "POST /Bulk", path: "/Bulk", body: bulkBody("", operation)}, probe{route: "POST /Bulk", path: "/Bulk", body: bulkBody(`"failOnErrors":1,`, operation, operation)})
	}
	return list
}

// side is a directory with what is its own.
type side struct {
	*client
	outsider
	own [2]struct{ user, group string } // those that probes for what is outside may change, and the same for what does not exist
}

// inhabit puts a person and a group with that person into a directory.
func (c *client) inhabit(name string) *side {
	s := &side{client: c, outsider: outsider{name: name, mail: name + "@example.com", external: name + "-external", display: name + "-group"}}
	body := `{"schemas":["` + urnCore + `"],"userName":"` + name + `","externalId":"` + s.external + `","title":"` + leak + `","emails":[{"value":"` + s.mail + `","primary":true,"display":"` + leak + `"}]}`
	s.user = textOf(c.must(http.StatusCreated, "POST", "/Users", body).object["id"])
	group := `{"schemas":["` + groupType.schema.ID + `"],"displayName":"` + s.display + `","externalId":"` + s.external + `","members":[{"value":"` + s.user + `"}]}`
	s.group = textOf(c.must(http.StatusCreated, "POST", "/Groups", group).object["id"])
	return s
}

// add puts in what the asking side has of its own.
func (s *side) add() {
	for i := range s.own {
		o := &s.own[i]
		o.user = s.createUser(fmt.Sprintf("%s-own%d", strings.ToLower(strings.ReplaceAll(s.directory.Name, " ", "")), i))
		group := `{"schemas":["` + groupType.schema.ID + `"],"displayName":"ours","members":[{"value":"` + o.user + `"}]}`
		o.group = textOf(s.must(http.StatusCreated, "POST", "/Groups", group).object["id"])
	}
}

// isolation is who asks, what is outside for them, and who owns that and says that it did not change.
type isolation struct {
	name    string
	asker   *side
	outside outsider
	owners  []*side
}

// isolations builds two tenants, two directories of one of them, one of the other, and one of the whole installation.
func isolations(t *testing.T, b *bridge) []isolation {
	t.Helper()
	a1 := &side{client: b.client(t, "Acme", identity.DialectStandard)}
	a2 := b.sibling(t, a1.client, "Acme HR", a1.directory.TenantID).inhabit("anna")
	beta := b.client(t, "Beta", identity.DialectStandard).inhabit("bert")
	house := b.sibling(t, a1.client, "House", "").inhabit("hans")
	betaToo := &side{client: b.sibling(t, a1.client, "Beta HR", beta.directory.TenantID)}
	root := b.platformUser(t, "root")
	for _, s := range []*side{a1, house, betaToo} {
		s.add()
	}
	foreign := func(user, group outsider) outsider {
		user.group, user.display, user.external = group.group, group.display, group.external
		return user
	}
	return []isolation{
		{"another tenant", a1, beta.outsider, []*side{beta}},
		{"the other tenant, seen from there", betaToo, a2.outsider, []*side{a2}},
		{"another directory of the tenant", a1, foreign(beta.outsider, a2.outsider), []*side{beta, a2}},
		{"the directory of the installation", a1, house.outsider, []*side{house}},
		{"the platform, seen from the installation", house, foreign(root, a2.outsider), []*side{a2}},
	}
}

// sibling makes one more directory in a tenant that is there; an empty tenant makes it one of the installation.
func (b *bridge) sibling(t testing.TB, c *client, name string, tenant identity.TenantID) *client {
	t.Helper()
	d, token, err := b.people.CreateDirectory(context.Background(), identity.Operator(), identity.Directory{Name: name, Dialect: identity.DialectStandard, TenantID: tenant})
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, base: c.base, token: token, directory: d}
}

// platformUser makes somebody who runs the installation and whom no directory may see.
func (b *bridge) platformUser(t testing.TB, name string) outsider {
	t.Helper()
	o := outsider{name: name, mail: name + "@example.com", external: name + "-external", display: leak}
	u, err := b.people.CreateUser(context.Background(), identity.Operator(), provisioning.NewUser{
		User: identity.User{UserName: name, DisplayName: leak, Emails: []identity.Email{{Value: o.mail, Primary: true}}}, Role: "superadmin",
	})
	if err != nil {
		t.Fatal(err)
	}
	o.user = string(u.ID)
	return o
}

// The answers are compared, and on PostgreSQL the work behind them too: time would tell what an answer does not, so the database has to do the
// same for what is outside as for what does not exist. A clock is no judge of that in a test; the number of statements is.
func TestWhatLiesOutsideIsAsIfItWereNot(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		for _, i := range isolations(t, newBridge(t, storetest.SQLite(t))) {
			t.Run(i.name, func(t *testing.T) { i.run(t, nil) })
		}
	})
	t.Run("postgres", func(t *testing.T) {
		address, counted := countStatements(t, storetest.PostgresURL(t))
		b := newBridge(t, storetest.Open(t, address))
		before := counted.n.Load()
		all := isolations(t, b)
		if counted.n.Load() == before {
			t.Fatal("no statement was counted")
		}
		for _, i := range all {
			t.Run(i.name, func(t *testing.T) { i.run(t, counted.n.Load) })
		}
	})
}

func TestACursorOfAnotherDirectoryShowsNothingOfIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		theirs, ours := b.client(t, "theirs", identity.DialectStandard), b.client(t, "ours", identity.DialectStandard)
		own := map[string]bool{}
		for i := range 3 {
			theirs.createUser(fmt.Sprintf("theirs%d", i))
			own[ours.createUser(fmt.Sprintf("ours%d", i))] = true
		}
		for _, query := range []string{"?count=1&cursor=", "?count=1&sortBy=userName&cursor=", "?count=1&filter=userName+pr&cursor="} {
			next := textOf(theirs.must(http.StatusOK, "GET", "/Users"+query, "").object["nextCursor"])
			if next == "" {
				t.Fatal("there is no next page")
			}
			r, err := ours.send("GET", "/Users"+query+url.QueryEscape(next), nil)
			if err != nil || r.status != http.StatusOK && r.object["scimType"] != invalidCursor {
				t.Fatalf("%d %s %v", r.status, r.raw, err)
			}
			for _, v := range listOf(r.object["Resources"]) {
				if !own[textOf(v.(object)["id"])] {
					t.Errorf("the cursor of another directory shows %v", v)
				}
			}
		}
	})
}

// run sends every probe twice: for what is outside, and for what does not exist. Nothing may tell the answers apart. count says how many
// statements the database was asked so far; nil: nobody counts.
func (i isolation) run(t *testing.T, count func() int64) {
	before := i.witness(t)
	for _, p := range probes() {
		there, n := i.send(t, p, 0, count)
		absent, m := i.send(t, p, 1, count)
		if diff := cmp.Diff(absent, there); diff != "" {
			t.Errorf("%s %s %s\n-absent +outside:\n%s", p.route, p.path, p.body, diff)
		}
		for tries := 0; n != m && tries < 3; tries++ { // a token is read again now and then, and a new connection asks who it talks to
			_, n = i.send(t, p, 0, count)
			_, m = i.send(t, p, 1, count)
		}
		if n != m {
			t.Errorf("%s %s %s: the database was asked %d times for what is outside and %d times for what is not", p.route, p.path, p.body, n, m)
		}
	}
	if diff := cmp.Diff(before, i.witness(t)); diff != "" {
		t.Errorf("what is outside was changed:\n%s", diff)
	}
}

// witness is all that the owners of what is outside see.
func (i isolation) witness(t *testing.T) []string {
	t.Helper()
	var seen []string
	for _, o := range i.owners {
		for _, path := range []string{"/Users/" + o.user, "/Groups/" + o.group, "/Groups"} {
			seen = append(seen, string(o.must(http.StatusOK, "GET", path, "").raw))
		}
	}
	return seen
}

var (
	anyID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyTime = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z`)
	anyPage = regexp.MustCompile(`"nextCursor":"[^"]*"`)
	anyOwn  = regexp.MustCompile(`-own[01]`)
)

// send sends a probe and returns what the client sees of the answer, ids, times and names masked, and how often the database was asked.
func (i isolation) send(t *testing.T, p probe, which int, count func() int64) (string, int64) {
	t.Helper()
	o := []outsider{i.outside, i.outside.nothing()}[which]
	own := i.asker.own[which]
	fill := func(s string) string {
		return o.fill(strings.NewReplacer("{mine}", own.user, "{ours}", own.group).Replace(s))
	}
	method, _, _ := strings.Cut(p.route, " ")
	var n int64
	if count != nil {
		n = -count()
	}
	r, err := i.asker.send(method, fill(p.path), []byte(fill(p.body)), p.headers...)
	if err != nil {
		t.Fatal(err)
	}
	if count != nil {
		n += count()
	}
	if r.status >= 500 || bytes.Contains(r.raw, []byte(leak)) {
		t.Errorf("%s %s %s: %d %s", p.route, p.path, p.body, r.status, r.raw)
	}
	for _, name := range []string{"X-Request-Id", "Date"} {
		r.header.Del(name)
	}
	return i.masked(fmt.Sprintf("%d %v %s", r.status, r.header, r.raw)), n
}

func (i isolation) masked(text string) string {
	for _, o := range []outsider{i.outside, i.outside.nothing()} {
		for _, s := range []string{o.mail, o.external, o.display, o.name} {
			text = strings.ReplaceAll(text, s, "(named)")
		}
	}
	for mask, what := range map[string]*regexp.Regexp{"(id)": anyID, "(time)": anyTime, "(cursor)": anyPage, "-own": anyOwn} {
		text = what.ReplaceAllString(text, mask)
	}
	return text
}
