package scim

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestAConflictNamesWhomTheDirectoryMaySee(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		c, other := b.client(t, "ours", identity.DialectEntra), b.client(t, "theirs", identity.DialectEntra)
		ada, bob := c.createUser("ada@example.com"), c.createUser("bob@example.com")
		group := textOf(c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g"}`).object["id"])
		second := textOf(c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"h"}`).object["id"])
		for _, r := range []struct{ method, path, body, id, field string }{
			{"POST", "/Users", userBody("ADA@example.com"), ada, "user name"},
			{"PATCH", "/Users/" + bob, patchBody(`{"op":"replace","path":"userName","value":"ada@example.com"}`), ada, "user name"},
			{"PUT", "/Users/" + bob, userBody("Ada@example.com"), ada, "user name"},
			{"POST", "/Groups", `{"schemas":["` + groupType.schema.ID + `"],"displayName":"G"}`, group, "displayName"},
			{"PATCH", "/Groups/" + second, patchBody(`{"op":"replace","path":"displayName","value":"g"}`), group, "displayName"},
		} {
			got := c.must(409, r.method, r.path, r.body)
			if detail := textOf(got.object["detail"]); !strings.Contains(detail, r.id) || !strings.Contains(detail, r.field) || got.object["scimType"] != uniqueness {
				t.Errorf("%s %s: %s", r.method, r.path, got.raw)
			}
		}
		other.createUser("ada@example.com")
		other.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g"}`)
	})
}

func TestAttributesAndExcludedAttributesExcludeEachOther(t *testing.T) {
	c := newBridge(t, storetest.SQLite(t)).client(t, "both", identity.DialectOkta)
	id := c.createUser("ada")
	const both = "?attributes=userName&excludedAttributes=emails"
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/Users" + both, ""},
		{"GET", "/Users/" + id + both, ""},
		{"GET", "/Groups" + both, ""},
		{"GET", "/" + both, ""},
		{"POST", "/Users" + both, userBody("bob")},
		{"PUT", "/Users/" + id + both, userBody("ada")},
		{"PATCH", "/Users/" + id + both, patchBody(`{"op":"add","path":"title","value":"x"}`)},
		{"POST", "/Users/.search", `{"schemas":["` + searchURN + `"],"attributes":["userName"],"excludedAttributes":["emails"]}`},
		{"POST", "/.search", `{"schemas":["` + searchURN + `"],"attributes":"userName","excludedAttributes":["emails"]}`},
	} {
		if got := c.must(400, r.method, r.path, r.body); got.object["scimType"] != invalidValue || !strings.Contains(textOf(got.object["detail"]), "excludedAttributes") {
			t.Errorf("%s %s: %s", r.method, r.path, got.raw)
		}
	}
	c.must(200, "GET", "/Users?attributes=userName&excludedAttributes=", "")
	if len(c.byIndex("/Users")) != 1 {
		t.Error("a refused request made somebody")
	}
}

func TestAnEndpointSaysWhatCanBeDoneThere(t *testing.T) {
	b := newBridgeWith(t, storetest.SQLite(t), Options{Schemas: declaredSchemas(t)})
	c := b.client(t, "methods", identity.DialectStandard)
	id := c.createUser("ada")
	const collection, single = "GET, HEAD, OPTIONS, POST", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
	for path, want := range map[string]string{
		"/Users": collection, "/Groups": collection, "/Devices": collection, "/Users/" + id: single, "/Groups/" + id: single, "/Devices/" + id: single,
		"/Users/.search": "OPTIONS, POST", "/Devices/.search": "OPTIONS, POST", "/.search": "OPTIONS, POST", "/Bulk": "OPTIONS, POST",
		"/ServiceProviderConfig": "GET, HEAD, OPTIONS", "/ResourceTypes": "GET, HEAD, OPTIONS", "/ResourceTypes/User": "GET, HEAD, OPTIONS", "/Schemas": "GET, HEAD, OPTIONS",
	} {
		if r := c.must(204, "OPTIONS", path, ""); r.header.Get("Allow") != want || len(r.raw) > 0 {
			t.Errorf("OPTIONS %s: %s, want %s: %s", path, r.header.Get("Allow"), want, r.raw)
		}
		if r := c.must(405, "TRACE", path, ""); r.header.Get("Allow") != want || r.object["status"] != "405" {
			t.Errorf("TRACE %s: %s, want %s: %s", path, r.header.Get("Allow"), want, r.raw)
		}
	}
	for _, path := range []string{"/Users", "/Users/" + id, "/Schemas"} {
		head, get := c.must(200, "HEAD", path, ""), c.must(200, "GET", path, "")
		if len(head.raw) > 0 || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.header.Get("ETag") != get.header.Get("ETag") {
			t.Errorf("HEAD %s: %v %s", path, head.header, head.raw)
		}
	}
	c.must(404, "HEAD", "/Users/00000000-0000-7000-8000-000000000000", "")
}

func TestBodiesOfAnotherTypeAreRefusedEverywhere(t *testing.T) {
	b := newBridgeWith(t, storetest.SQLite(t), Options{Schemas: declaredSchemas(t)})
	c := b.client(t, "types", identity.DialectStandard)
	id := c.createUser("ada")
	for _, r := range []struct{ method, path string }{
		{"POST", "/Users"},
		{"PUT", "/Users/" + id},
		{"PATCH", "/Users/" + id},
		{"POST", "/Groups"},
		{"POST", "/Devices"},
		{"PATCH", "/Devices/" + id},
		{"POST", "/Users/.search"},
		{"POST", "/.search"},
		{"POST", "/Bulk"},
	} {
		for _, kind := range []string{"text/xml", "application/x-www-form-urlencoded", "application/scim+json; charset=utf-16", "nonsense/"} {
			got := c.must(415, r.method, r.path, "{}", "Content-Type", kind)
			if got.object["status"] != "415" || !strings.Contains(textOf(got.object["detail"]), contentType) {
				t.Errorf("%s %s with %s: %s", r.method, r.path, kind, got.raw)
			}
		}
	}
}
