package scim

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// The schemas of testdata/schemas.json.
const (
	badgeURN  = "urn:example:params:scim:schemas:extension:badge:2.0:User"
	roomURN   = "urn:example:params:scim:schemas:extension:room:2.0:Group"
	deviceURN = "urn:example:params:scim:schemas:2.0:Device"
	leaseURN  = "urn:example:params:scim:schemas:extension:lease:2.0:Device"
)

func declaredSchemas(t testing.TB) *Schemas {
	t.Helper()
	raw, err := os.ReadFile("testdata/schemas.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadSchemas(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withSchemas runs a test on both databases against a server with the schemas of testdata/schemas.json.
func withSchemas(t *testing.T, test func(*testing.T, *bridge, *client)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridgeWith(t, db, Options{Schemas: declaredSchemas(t)})
		test(t, b, b.client(t, "declared", identity.DialectStandard))
	})
}

func deviceBody(name, more string) string {
	return `{"schemas":["` + deviceURN + `"],"displayName":"` + name + `","` + leaseURN + `":{"until":"2030-01-01T00:00:00Z"}` + more + `}`
}

func (c *client) device(name, more string) string {
	c.t.Helper()
	return textOf(c.must(http.StatusCreated, "POST", "/Devices", deviceBody(name, more)).object["id"])
}

func badge(members string) string {
	return `{"schemas":["` + urnCore + `","` + badgeURN + `"],"userName":"ada","` + badgeURN + `":{` + members + `}}`
}

// part returns the attributes of an extension in an answer.
func (r reply) part(urn string) object {
	o, _ := r.object[urn].(object)
	return o
}

func TestADeclaredTypeHasTheWholeProtocol(t *testing.T) {
	withSchemas(t, func(t *testing.T, b *bridge, c *client) {
		made := c.must(201, "POST", "/Devices?attributes=displayName,serialNumber", deviceBody("phone", `,"serialNumber":"S1","externalId":"E1","firmware":"9","unknown":1`))
		id := textOf(made.object["id"])
		if made.header.Get("Location") != c.base+"/Devices/"+id || made.header.Get("ETag") != `W/"1"` || made.object["serialNumber"] != "S1" || made.object["meta"] != nil {
			t.Errorf("created: %v %s", made.header, made.raw)
		}
		got := c.must(200, "GET", "/Devices/"+id, "")
		want := object{
			"schemas": []any{deviceURN, leaseURN}, "id": id, "externalId": "E1", "displayName": "phone", "serialNumber": "S1",
			leaseURN: object{"until": "2030-01-01T00:00:00Z"}, "meta": got.object["meta"],
		}
		if diff := cmp.Diff(want, got.object); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if m := got.object["meta"].(object); m["resourceType"] != "Device" || m["location"] != c.base+"/Devices/"+id || m["version"] != `W/"1"` {
			t.Errorf("meta is %v", m)
		}
		c.must(304, "GET", "/Devices/"+id, "", "If-None-Match", `W/"1"`)
		c.must(412, "PATCH", "/Devices/"+id, patchBody(`{"op":"replace","path":"state","value":"lost"}`), "If-Match", `W/"7"`)
		patched := c.must(200, "PATCH", "/Devices/"+id, patchBody(`{"op":"replace","path":"state","value":"LOST"},{"op":"add","path":"tags","value":["a","b"]},
			{"op":"add","path":"`+leaseURN+`:contract","value":"C1"},{"op":"add","value":{"maker":{"name":"M"},"ports":[{"value":"eth0","speed":10}]}}`), "If-Match", `W/"1"`)
		if patched.object["state"] != "lost" || patched.part(leaseURN)["contract"] != "C1" || len(listOf(patched.object["tags"])) != 2 || patched.header.Get("ETag") != `W/"2"` {
			t.Errorf("patched: %s", patched.raw)
		}
		c.must(200, "PATCH", "/Devices/"+id, patchBody(`{"op":"replace","path":"ports[value eq \"ETH0\"].speed","value":100},{"op":"remove","path":"tags[value eq \"a\"]"}`))
		put := c.must(200, "PUT", "/Devices/"+id, deviceBody("tablet", ""))
		if put.object["displayName"] != "tablet" || put.object["tags"] != nil || put.object["externalId"] != "E1" {
			t.Errorf("replaced: %s", put.raw)
		}
		c.must(404, "GET", "/Users/"+id, "")
		c.must(412, "DELETE", "/Devices/"+id, "", "If-Match", `W/"1"`)
		c.must(204, "DELETE", "/Devices/"+id, "")
		c.must(404, "GET", "/Devices/"+id, "")
		c.must(404, "DELETE", "/Devices/"+id, "")
		c.must(405, "PUT", "/Devices", "{}")
		c.must(404, "GET", "/devices", "")
		c.must(404, "GET", "/Devices/x", "")
		c.checkEvents(b, id, "resource.deleted resource.updated resource.updated resource.updated resource.created")
	})
}

// checkEvents compares the events of a resource, newest first.
func (c *client) checkEvents(b *bridge, id, want string) {
	c.t.Helper()
	page, err := b.people.Events(context.Background(), identity.Operator(), provisioning.EventQuery{ObjectID: id, Limit: 20})
	if err != nil {
		c.t.Fatal(err)
	}
	var got []string
	for _, e := range page.Items {
		got = append(got, string(e.Type))
		if e.RequestID == "" || e.ObjectKind != "resource" || e.TenantID != c.directory.TenantID {
			c.t.Errorf("the event %+v", e)
		}
	}
	if strings.Join(got, " ") != want {
		c.t.Errorf("events %v, want %s", got, want)
	}
}

func TestDeclaredTypesAreListedFilteredSortedAndPaged(t *testing.T) {
	withSchemas(t, func(t *testing.T, _ *bridge, c *client) {
		for i := range 6 {
			more := ""
			if i > 0 {
				more = fmt.Sprintf(`,"height":%d,"weight":%d.5,"managed":%t,"seen":"2026-0%d-01T00:00:00%s","tags":["t%d","x"],"ports":[{"value":"p%d","speed":%d}],"serialNumber":"Ser%d","externalId":"E%d","owner":"../Users/1"`,
					i*7%10*5, i, i%2 == 0, i, []string{"Z", "+02:00"}[i%2], i, i, i*10, i, i)
			}
			c.device(fmt.Sprint("device ", i), more)
		}
		for filter, want := range map[string]int{
			`height eq 35`: 1, `height gt 5`: 4, `height ge 35`: 2, `height ne 35`: 5, `weight lt 2.6`: 2, `weight eq 1.5`: 1, `managed eq true`: 2, `managed eq false`: 3, `seen gt "2026-03-01T00:00:00Z"`: 2,
			`seen eq "2026-02-28T22:00:00Z"`: 1, `serialNumber eq "ser1"`: 0, `serialNumber eq "Ser1"`: 1, `tags eq "T1"`: 1, `tags eq "x"`: 5, `tags[value eq "T1"]`: 1, `tags[not (value eq "x")]`: 5, `tags.value sw "t1"`: 1, `ports.speed ge 40`: 2, `ports[value eq "p1" and speed eq 10]`: 1,
			`ports[value eq "p1" and speed eq 20]`: 0, `height pr`: 5, `not (height pr)`: 1, `externalId eq "E2"`: 1, `displayName co "DEVICE"`: 6, leaseURN + `:until eq "2030-01-01T00:00:00Z"`: 6, leaseURN + `:contract pr`: 0,
			`meta.resourceType eq "Device"`: 6, `schemas eq "` + leaseURN + `"`: 6, `owner ew "/1"`: 5, `id pr`: 6, deviceURN + `:displayName eq "device 1"`: 1, `meta.created gt "2020-01-01T00:00:00Z"`: 6,
		} {
			if r := c.must(200, "GET", address("/Devices?attributes=id&filter="+filter), ""); fmt.Sprint(r.object["totalResults"]) != fmt.Sprint(want) {
				t.Errorf("%s matches %v, want %d", filter, r.object["totalResults"], want)
			}
		}
		for _, filter := range []string{`unlockCode eq "1"`, `unlockCode pr`, `userName eq "x"`, `managed gt true`} {
			if r := c.must(400, "GET", address("/Devices?filter="+filter), ""); r.object["scimType"] != invalidFilter {
				t.Errorf("%s: %s", filter, r.raw)
			}
		}
		c.must(400, "GET", "/Devices?sortBy=unlockCode", "")
		for _, by := range []string{"height", "weight", "seen", "managed", "serialNumber", "ports", "ports.speed", "tags", leaseURN + ":until"} {
			path := "/Devices?attributes=id&sortBy=" + by
			if diff := cmp.Diff(c.byIndex(path), c.ids(path, 2)); diff != "" {
				t.Errorf("%s (-by index +by cursor):\n%s", by, diff)
			}
		}
		var heights []string
		for _, v := range listOf(c.must(200, "GET", "/Devices?sortBy=height&attributes=height", "").object["Resources"]) {
			heights = append(heights, fmt.Sprint(v.(object)["height"]))
		}
		if want := "5 20 25 35 40 <nil>"; strings.Join(heights, " ") != want {
			t.Errorf("by height: %v, want %s", heights, want)
		}
		found := c.must(200, "POST", "/Devices/.search", `{"schemas":["`+searchURN+`"],"filter":"height pr","sortBy":"height","sortOrder":"descending","count":1,"startIndex":2,"attributes":["height"]}`)
		if list := listOf(found.object["Resources"]); len(list) != 1 || fmt.Sprint(list[0].(object)["height"]) != "35" {
			t.Errorf("the search found %s", found.raw)
		}
		c.createUser("ada")
		all := c.must(200, "POST", "/.search", `{"schemas":["`+searchURN+`"],"filter":"id pr","count":3,"cursor":""}`)
		rest := c.must(200, "POST", "/.search", `{"schemas":["`+searchURN+`"],"filter":"id pr","count":30,"cursor":"`+textOf(all.object["nextCursor"])+`"}`)
		if fmt.Sprint(all.object["totalResults"]) != "7" || len(listOf(rest.object["Resources"])) != 4 {
			t.Errorf("the search over all types: %s %s", all.raw, rest.raw)
		}
	})
}

func TestWhatASchemaDemandsIsDemanded(t *testing.T) {
	withSchemas(t, func(t *testing.T, _ *bridge, c *client) {
		id := c.device("phone", `,"model":"M1","serialNumber":"S1","maker":{"name":"m","id":"1"},"ports":[{"value":"a","mac":"AA"}]`)
		for name, r := range map[string]struct{ method, path, body, keyword string }{
			"required":                    {"POST", "/Devices", `{"schemas":["` + deviceURN + `"],"` + leaseURN + `":{"until":"2030-01-01T00:00:00Z"}}`, invalidValue},
			"a required extension":        {"POST", "/Devices", `{"schemas":["` + deviceURN + `"],"displayName":"x"}`, invalidValue},
			"required in an extension":    {"POST", "/Devices", `{"schemas":["` + deviceURN + `"],"displayName":"x","` + leaseURN + `":{"contract":"c"}}`, invalidValue},
			"a required sub-attribute":    {"POST", "/Devices", deviceBody("x", `,"maker":{"country":"c"}`), invalidValue},
			"one in a list":               {"POST", "/Devices", deviceBody("x", `,"ports":[{"value":"a"},{"speed":1}]`), invalidValue},
			"a canonical value":           {"POST", "/Devices", deviceBody("x", `,"state":"sold"`), invalidValue},
			"an integer":                  {"POST", "/Devices", deviceBody("x", `,"height":1.5`), invalidValue},
			"a decimal":                   {"POST", "/Devices", deviceBody("x", `,"weight":"1"`), invalidValue},
			"a time":                      {"POST", "/Devices", deviceBody("x", `,"seen":"yesterday"`), invalidValue},
			"base64":                      {"POST", "/Devices", deviceBody("x", `,"certificate":"%"`), invalidValue},
			"another schema":              {"POST", "/Devices", `{"schemas":["` + urnCore + `"],"displayName":"x"}`, invalidValue},
			"immutable by PATCH":          {"PATCH", "/Devices/" + id, patchBody(`{"op":"replace","path":"model","value":"M2"}`), mutability},
			"immutable removed":           {"PATCH", "/Devices/" + id, patchBody(`{"op":"remove","path":"model"}`), mutability},
			"immutable by PUT":            {"PUT", "/Devices/" + id, deviceBody("x", `,"model":"M2"`), mutability},
			"an immutable sub-attribute":  {"PATCH", "/Devices/" + id, patchBody(`{"op":"replace","path":"maker.id","value":"2"}`), mutability},
			"removed with what is around": {"PATCH", "/Devices/" + id, patchBody(`{"op":"remove","path":"maker"}`), mutability},
			"read-only by PATCH":          {"PATCH", "/Devices/" + id, patchBody(`{"op":"add","path":"firmware","value":"1"}`), mutability},
			"the extension removed":       {"PATCH", "/Devices/" + id, patchBody(`{"op":"remove","path":"` + leaseURN + `"}`), invalidValue},
			"required removed":            {"PATCH", "/Devices/" + id, patchBody(`{"op":"remove","path":"` + leaseURN + `:until"}`), mutability},
			"a required part removed":     {"PATCH", "/Devices/" + id, patchBody(`{"op":"remove","path":"maker.name"}`), invalidValue},
			"a path to nothing":           {"PATCH", "/Devices/" + id, patchBody(`{"op":"add","path":"nothing","value":"1"}`), invalidPath},
			"a target that is not there":  {"PATCH", "/Devices/" + id, patchBody(`{"op":"replace","path":"ports[value eq \"z\"].speed","value":1}`), noTarget},
		} {
			if got := c.must(400, r.method, r.path, r.body); got.object["scimType"] != r.keyword {
				t.Errorf("%s: %s", name, got.raw)
			}
		}
		c.must(200, "PUT", "/Devices/"+id, deviceBody("x", `,"model":"M1","maker":{"name":"n"}`))
		kept := c.must(200, "PUT", "/Devices/"+id, deviceBody("x", `,"maker":{"name":"n"}`))
		if kept.object["model"] != "M1" || fmt.Sprint(kept.object["maker"]) != "map[id:1 name:n]" {
			t.Errorf("PUT lost what cannot change: %s", kept.raw)
		}
	})
}

func TestUniqueValuesBelongToOneResourceOfADirectory(t *testing.T) {
	withSchemas(t, func(t *testing.T, b *bridge, c *client) {
		first := c.device("one", `,"serialNumber":"S1","ports":[{"value":"a","mac":"AA"},{"value":"b","mac":"BB"}]`)
		for _, more := range []string{`,"serialNumber":"S1"`, `,"ports":[{"value":"x","mac":"bb"}]`} {
			r := c.must(409, "POST", "/Devices", deviceBody("two", more))
			if r.object["scimType"] != uniqueness || !strings.Contains(textOf(r.object["detail"]), first) {
				t.Errorf("%s: %s", more, r.raw)
			}
		}
		second := c.device("two", `,"serialNumber":"s1"`)
		c.must(409, "PATCH", "/Devices/"+second, patchBody(`{"op":"replace","path":"serialNumber","value":"S1"}`))
		c.must(200, "PATCH", "/Devices/"+first, patchBody(`{"op":"replace","path":"serialNumber","value":"S2"},{"op":"replace","path":"displayName","value":"uno"}`))
		c.must(200, "PATCH", "/Devices/"+second, patchBody(`{"op":"replace","path":"serialNumber","value":"S1"}`))
		c.must(200, "PATCH", "/Devices/"+second, patchBody(`{"op":"add","path":"`+leaseURN+`:contract","value":"c"}`))
		c.must(409, "POST", "/Devices", `{"schemas":["`+deviceURN+`"],"displayName":"x","`+leaseURN+`":{"until":"2030-01-01T00:00:00Z","contract":"C"}}`)
		c.must(204, "DELETE", "/Devices/"+first, "")
		c.device("three", `,"serialNumber":"S2","ports":[{"value":"x","mac":"AA"}]`)
		c.device("long", `,"serialNumber":"`+strings.Repeat("9", 5000)+`"`)
		c.must(409, "POST", "/Devices", deviceBody("long", `,"serialNumber":"`+strings.Repeat("9", 5000)+`"`))

		other := b.client(t, "other", identity.DialectStandard)
		other.device("theirs", `,"serialNumber":"S1"`)
		other.must(404, "GET", "/Devices/"+second, "")
		other.must(404, "PATCH", "/Devices/"+second, patchBody(`{"op":"replace","path":"state","value":"lost"}`))
		other.must(404, "DELETE", "/Devices/"+second, "")
		if n := len(other.byIndex("/Devices")); n != 1 {
			t.Errorf("the other directory sees %d devices", n)
		}
		statuses := map[int]int{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				r, err := c.send("POST", "/Devices", []byte(deviceBody("race", `,"serialNumber":"R"`)))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				statuses[r.status]++
			})
		}
		wg.Wait()
		if statuses[201] != 1 || statuses[409] != 7 {
			t.Errorf("of eight at once: %v", statuses)
		}
	})
}

func TestBulkKnowsDeclaredTypes(t *testing.T) {
	withSchemas(t, func(t *testing.T, _ *bridge, c *client) {
		body := bulkBody("", `{"method":"POST","path":"/Devices","bulkId":"d","data":`+deviceBody("phone", `,"owner":"bulkId:u"`)+`}`, bulkUser("u", "ada"),
			`{"method":"PATCH","path":"/Devices/bulkId:d","data":`+patchBody(`{"op":"add","path":"state","value":"lost"}`)+`}`, `{"method":"POST","path":"/Nothing","bulkId":"n","data":{}}`)
		if got := c.bulkResults(body); got != "201 201 200 400" {
			t.Fatalf("the operations ended with %s", got)
		}
		device := listOf(c.must(200, "GET", "/Devices", "").object["Resources"])[0].(object)
		if device["state"] != "lost" || device["owner"] != c.byIndex("/Users")[0] {
			t.Errorf("the device is %v", device)
		}
	})
}

func TestDiscoveryShowsWhatWasDeclared(t *testing.T) {
	b := newBridgeWith(t, storetest.SQLite(t), Options{Schemas: declaredSchemas(t)})
	c := b.client(t, "declared", identity.DialectEntra)
	types := c.must(200, "GET", "/ResourceTypes", "")
	if fmt.Sprint(types.object["totalResults"]) != "3" {
		t.Errorf("types: %s", types.raw)
	}
	device := c.must(200, "GET", "/ResourceTypes/Device", "").object
	if device["endpoint"] != "/Devices" || device["schema"] != deviceURN || fmt.Sprint(device["schemaExtensions"]) != fmt.Sprint([]any{object{"schema": leaseURN, "required": true}}) {
		t.Errorf("the type is %v", device)
	}
	if list := listOf(c.must(200, "GET", "/ResourceTypes/User", "").object["schemaExtensions"]); len(list) != 2 {
		t.Errorf("the extensions of users are %v", list)
	}
	if n := fmt.Sprint(c.must(200, "GET", "/Schemas", "").object["totalResults"]); n != "7" {
		t.Errorf("%s schemas", n)
	}
	attributes := map[string]object{}
	for _, v := range listOf(c.must(200, "GET", "/Schemas/"+badgeURN, "").object["attributes"]) {
		attributes[textOf(v.(object)["name"])] = v.(object)
	}
	want := object{
		"name": "color", "type": "string", "multiValued": false, "description": "", "required": false, "caseExact": false, "mutability": "readWrite", "returned": "default",
		"uniqueness": "none", "canonicalValues": []any{"Red", "Green"},
	}
	if diff := cmp.Diff(want, attributes["color"]); diff != "" {
		t.Error(diff)
	}
	if attributes["pin"]["returned"] != "never" || attributes["pin"]["mutability"] != "writeOnly" || attributes["note"]["returned"] != "request" || attributes["number"]["required"] != true {
		t.Errorf("the attributes are %v", attributes)
	}
	c.must(200, "GET", "/devices", "") // Entra writes paths in any case
}
