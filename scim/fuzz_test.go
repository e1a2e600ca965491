package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	oracle "github.com/scim2/filter-parser/v2"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// fuzzed is a server with one person and one group for the fuzz targets that need the whole door.
type fuzzed struct {
	*bridge
	*client
	user, group string
}

func newFuzzed(f *testing.F, dialect identity.Dialect) *fuzzed {
	f.Helper()
	b := newBridge(f, storetest.SQLite(f))
	c := b.client(f, "fuzz", dialect)
	u := c.must(http.StatusCreated, "POST", "/Users", `{"schemas":["`+urnCore+`"],"userName":"ada","displayName":"Ada","title":"T","name":{"givenName":"A","familyName":"L"},
		"emails":[{"value":"ada@example.com","type":"work","primary":true},{"value":"a@example.com"}],"ims":[{"value":"x","type":"y"}],"`+enterpriseURN+`":{"department":"D","manager":{"value":"m"}}}`)
	id := textOf(u.object["id"])
	g := c.must(http.StatusCreated, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g","members":[{"value":"`+id+`"}]}`)
	return &fuzzed{bridge: b, client: c, user: id, group: textOf(g.object["id"])}
}

// serve answers a request without a network, which is what costs most of a fuzz target's time.
func (c *fuzzed) serve(method, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, Path, bytes.NewReader(body))
	u, err := url.Parse(Path + path)
	if err != nil {
		u = &url.URL{Path: Path + path}
	}
	r.URL = u
	r.Header.Set("Authorization", "Bearer "+c.token)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w
}

// checkAnswer holds for every answer: it is no 5xx, JSON where there is a body, and a SCIM error where it failed.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, what string) object {
	t.Helper()
	var o object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil || w.Header().Get("Content-Type") != contentType {
			t.Fatalf("%s: %d %s %s: %v", what, w.Code, w.Header().Get("Content-Type"), w.Body, err)
		}
	}
	if w.Code >= 500 && w.Code != http.StatusNotImplemented {
		t.Fatalf("%s: %d %s", what, w.Code, w.Body)
	}
	if w.Code >= 400 && (o["status"] != fmt.Sprint(w.Code) || textOf(o["detail"]) == "") {
		t.Fatalf("%s: %d is no SCIM error: %s", what, w.Code, w.Body)
	}
	return o
}

// filterSeeds are filters that made trouble somewhere, or could.
var filterSeeds = []string{
	`userName eq "a" and not (title pr)`, `emails[type eq "work" and value co "@"].value sw "a"`, `meta.created gt "2020-01-01T00:00:00+01:00"`,
	`ims[primary eq false] or addresses pr`, enterpriseURN + `:manager.value ne null`, `groups.display ew "'"`, `id sw "0"`, `active ne true`,
	`members[type eq "User" and display co "%"]`, `displayName lt "\\_"`, `x509Certificates eq "AAAA"`, `meta.lastModified eq "9999-12-31T23:59:59Z"`,
	`meta.created lt "0000-01-01T00:00:00Z"`, `schemas eq "x" or schemas pr`, `externalId le ""`, `name eq null`, `active eq 1e400`,
	`meta.created ge "9999-12-31T23:59:59.999999999-23:59"`, `title co "\\"`, `title eq "\ud800"`, `ims.value sw "%_\\%"`, `userName gt "\u200b"`,
	`emails[not (not (type pr))]`, `groups[value eq "x" or display pr]`, `members.$ref eq "../Users/x"`, `not (not (id eq "ID"))`,
}

func TestFiltersThatMadeTroubleAreAnsweredOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "seeds", identity.DialectStandard)
		c.createUser("ada")
		for _, filter := range filterSeeds {
			for endpoint, rt := range map[string]*resourceType{"/Users": userType, "/Groups": groupType} {
				if _, err := rt.filter(filter, dialect{}); err == nil {
					c.must(http.StatusOK, "GET", endpoint+"?filter="+url.QueryEscape(filter), "")
				}
			}
		}
	})
}

// FuzzFilterInDatabase compiles filters to SQL and runs it: whatever the parser accepts the database answers, and a filter and its
// opposite share everybody among them.
func FuzzFilterInDatabase(f *testing.F) {
	c := newFuzzed(f, identity.DialectStandard)
	for _, s := range filterSeeds {
		f.Add(s)
	}
	actor := identity.Actor{Kind: identity.ActorDirectory, ID: string(c.directory.ID), TenantID: c.directory.TenantID, Label: c.directory.Name}
	f.Fuzz(func(t *testing.T, text string) {
		for _, rt := range []*resourceType{userType, groupType} {
			filter, err := rt.filter(text, dialect{})
			if err != nil {
				continue
			}
			yes, no := c.count(t, rt, actor, filter), c.count(t, rt, actor, &identity.Filter{Op: identity.OpNot, Children: []*identity.Filter{filter}})
			if yes+no != 1 {
				t.Fatalf("%q matches %d, and its opposite %d, of one %s", text, yes, no, rt.name)
			}
		}
	})
}

func (c *fuzzed) count(t *testing.T, rt *resourceType, by identity.Actor, filter *identity.Filter) int64 {
	t.Helper()
	ctx := context.Background()
	q := identity.Query{Filter: filter, Total: true}
	if rt == userType {
		page, err := c.people.Users(ctx, by, q)
		if err != nil {
			t.Fatalf("%+v: %v", filter, err)
		}
		return page.Total
	}
	page, err := c.people.Groups(ctx, by, q)
	if err != nil {
		t.Fatalf("%+v: %v", filter, err)
	}
	return page.Total
}

// FuzzFilterOracle compares the parser with another one: what both accept they read alike.
func FuzzFilterOracle(f *testing.F) {
	for _, s := range []string{
		`a eq "b"`, `a.b eq 5 and c pr or not (d ne true)`, `emails[type eq "work" and value co "x"]`, `urn:x:y:a sw "\"" or (b gt -1.5e3 and c le null)`,
		`NOT (a eq "b")`, `a pr and b pr and c pr or d pr`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		theirs, err := oracle.ParseFilter([]byte(text))
		if err != nil {
			return
		}
		if strings.Contains(text, `\`) || !utf8.ValidString(text) || oracleSpaces.MatchString(text) {
			return // it keeps escapes as they are, minds no UTF-8, and takes spaces where the grammar of RFC 7644 has none
		}
		want := fromOracle(theirs)
		ours, err := parseFilter(text, Limits{})
		if err != nil {
			t.Fatalf("%q is accepted by another parser as %v: %v", text, theirs, err)
		}
		if got := flat(ours); !got.same(flat(want)) {
			t.Fatalf("%q is read as %s, and by another parser as %s", text, got, flat(want))
		}
	})
}

// oracleSpaces finds a space before a value path, and words that touch what stands before them.
var oracleSpaces = regexp.MustCompile(`\s\[|["0-9a-z](?i:and|or)\b`)

func fromOracle(e oracle.Expression) *expr {
	switch t := e.(type) {
	case *oracle.LogicalExpression:
		return &expr{op: identity.FilterOp(t.Operator), kids: []*expr{fromOracle(t.Left), fromOracle(t.Right)}}
	case *oracle.NotExpression:
		return &expr{op: identity.OpNot, kids: []*expr{fromOracle(t.Expression)}}
	case *oracle.ValuePath:
		return &expr{op: identity.OpExists, name: t.AttributePath.String(), kids: []*expr{fromOracle(t.ValueFilter)}}
	}
	c := e.(*oracle.AttributeExpression)
	out := &expr{op: identity.FilterOp(strings.ToLower(string(c.Operator))), name: c.AttributePath.String(), value: c.CompareValue}
	if n, ok := c.CompareValue.(int); ok {
		out.value = float64(n)
	}
	return out
}

// flat brings a filter into one form: chains of and and of or have no brackets, and numbers are compared by their value.
func flat(e *expr) *expr {
	out := &expr{op: e.op, name: e.name, value: e.value}
	if n, ok := e.value.(json.Number); ok {
		out.value, _ = n.Float64()
	}
	for _, k := range e.kids {
		k = flat(k)
		if k.op == e.op && (e.op == identity.OpAnd || e.op == identity.OpOr) {
			out.kids = append(out.kids, k.kids...)
		} else {
			out.kids = append(out.kids, k)
		}
	}
	return out
}

// FuzzProjection asks for parts of a user: each is a part of the whole, holds what is always returned and nothing that was excluded.
func FuzzProjection(f *testing.F) {
	c := newFuzzed(f, identity.DialectStandard)
	for _, s := range []string{"userName", "name.givenName,emails", enterpriseURN, enterpriseURN + ":manager.value", "urn:ietf:params:scim:schemas:core:2.0:User:title,groups.display", "emails.type, ims", "id", "noSuch", ",,", "meta.version"} {
		f.Add(s)
	}
	var whole object
	if err := json.Unmarshal(c.serve("GET", "/Users/"+c.user, nil).Body.Bytes(), &whole); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, list string) {
		only := c.part(t, "attributes", list)
		without := c.part(t, "excludedAttributes", list)
		for _, part := range []object{only, without} {
			if part == nil {
				continue
			}
			if diff := partOf(whole, part); diff != "" || part["id"] != c.user || part["schemas"] == nil {
				t.Fatalf("%q: %v is no part of the whole: %s", list, part, diff)
			}
		}
		if only == nil || without == nil || strings.TrimSpace(strings.ReplaceAll(list, ",", "")) == "" {
			return
		}
		for name := range whole {
			if a := userType.index[strings.ToLower(name)]; a != nil && a.returned == "always" {
				continue
			}
			_, in := only[name]
			if _, out := without[name]; !in && !out {
				t.Fatalf("%q: %s is neither asked for nor left out", list, name)
			}
		}
	})
}

func (c *fuzzed) part(t *testing.T, parameter, list string) object {
	t.Helper()
	w := c.serve("GET", "/Users/"+c.user+"?"+parameter+"="+url.QueryEscape(list), nil)
	o := checkAnswer(t, w, list)
	if w.Code != http.StatusOK {
		return nil
	}
	return o
}

// partOf says what of a part is not in the whole.
func partOf(whole, part any) string {
	switch p := part.(type) {
	case object:
		w, _ := whole.(object)
		for name, v := range p {
			if diff := partOf(w[name], v); diff != "" || w[name] == nil {
				return name + " " + diff
			}
		}
		return ""
	case []any:
		w, _ := whole.([]any)
		for _, e := range p {
			if !slices.ContainsFunc(w, func(o any) bool { return partOf(o, e) == "" }) {
				return fmt.Sprintf("has %v", e)
			}
		}
		return ""
	}
	return cmp.Diff(whole, part)
}

// doors are the endpoints that read a body.
var doors = []struct{ method, path string }{
	{"POST", "/Users"},
	{"PUT", "/Users/{user}"},
	{"PATCH", "/Users/{user}"},
	{"POST", "/Groups"},
	{"PUT", "/Groups/{group}"},
	{"PATCH", "/Groups/{group}"},
	{"POST", "/Bulk"},
	{"POST", "/.search"},
	{"POST", "/Users/.search"},
	{"POST", "/Groups/.search"},
}

// FuzzDoor sends bodies through the whole server: no answer is a 5xx, each is JSON, and the person is still one.
func FuzzDoor(f *testing.F) {
	c := newFuzzed(f, identity.DialectEntra)
	for i, s := range []string{
		`{"schemas":["` + urnCore + `"],"userName":"bob","emails":[{"value":"\u00e9"}]}`,
		`{"schemas":["` + urnCore + `"],"userName":"ada","active":"False","` + enterpriseURN + `":{"manager":"x"}}`,
		patchBody(`{"op":"Replace","path":"emails[type eq \"home\"].value","value":"h"},{"op":"remove","path":"ims"}`),
		`{"schemas":["` + groupType.schema.ID + `"],"displayName":"h","members":[{"value":"x"}]}`,
		`{"schemas":["` + groupType.schema.ID + `"],"displayName":"g","members":null}`,
		patchBody(`{"op":"remove","path":"members[display co \"a\" and not (type eq \"Group\")]"}`),
		bulkBody(`"failOnErrors":1,`, bulkUser("a", "cyd"), `{"method":"PATCH","path":"/Users/bulkId:a","data":`+patchBody(`{"op":"add","value":{"title":"x"}}`)+`}`),
		`{"schemas":["` + searchURN + `"],"filter":"id pr","sortBy":"name.familyName","sortOrder":"descending","startIndex":-1,"count":2147483648}`,
		`{"schemas":["` + searchURN + `"],"cursor":"","count":1,"attributes":["groups","emails.type"],"excludedAttributes":"id"}`,
		`{"schemas":["` + searchURN + `"],"sortBy":"members","count":0}`,
	} {
		f.Add(uint8(i), []byte(s))
	}
	f.Add(uint8(0), []byte(strings.Repeat(`{"a":`, 100)+strings.Repeat("}", 100)))
	f.Add(uint8(2), []byte("\xff\x00"))
	names := strings.NewReplacer("{user}", c.user, "{group}", c.group)
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		d := doors[int(which)%len(doors)]
		w := c.serve(d.method, names.Replace(d.path), body)
		checkAnswer(t, w, fmt.Sprintf("%s %s %q", d.method, d.path, body))
		r := c.serve("GET", "/Users/"+c.user, nil)
		if r.Code == http.StatusNotFound {
			c.again(t) // a bulk request may delete
			return
		}
		if o := checkAnswer(t, r, "the person"); textOf(o["userName"]) == "" {
			t.Fatalf("%s %s %q leaves %s", d.method, d.path, body, r.Body)
		}
	})
}

// again brings the person back.
func (c *fuzzed) again(t *testing.T) {
	t.Helper()
	w := c.serve("POST", "/Users", []byte(userBody("ada")))
	if o := checkAnswer(t, w, "the person again"); w.Code == http.StatusCreated {
		c.user = textOf(o["id"])
	}
}

// FuzzQuery asks with any parameters: the answer is a list or says what is wrong.
func FuzzQuery(f *testing.F) {
	c := newFuzzed(f, identity.DialectOkta)
	for _, s := range []string{
		`filter=userName+eq+"ada"&count=1`, "sortBy=emails&sortOrder=descending&startIndex=2", "cursor=&count=0", "filter=members.value+pr", "count=-1&startIndex=99999999999999999999",
		"attributes=a&excludedAttributes=b", "sortBy=meta.version", "sortBy=groups.display&cursor", "%zz", "filter=id+sw+%22%25%22&sortBy=members.type",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, endpoint := range []string{"/Users", "/Groups", "/"} {
			r := httptest.NewRequest("GET", Path+endpoint, nil)
			r.URL.RawQuery = query
			r.Header.Set("Authorization", "Bearer "+c.token)
			w := httptest.NewRecorder()
			c.handler.ServeHTTP(w, r)
			o := checkAnswer(t, w, query)
			if n, _ := o["totalResults"].(float64); w.Code == http.StatusOK && (len(listOf(o["Resources"])) > 2 || n > 2) {
				t.Fatalf("%q: there are only two: %s", query, w.Body)
			}
		}
	})
}
