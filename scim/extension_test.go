package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestAnExtensionOfUsersIsReadFilteredPatchedAndShownByItsSchema(t *testing.T) {
	withSchemas(t, func(t *testing.T, _ *bridge, c *client) {
		c.must(400, "POST", "/Users", badge(`"color":"red"`)) // the number is required where there is a badge
		made := c.must(201, "POST", "/Users", badge(`"number":7,"color":"red","issued":"2026-01-01T00:00:00Z","pin":"4711","note":"n","site":"HQ","doors":[{"value":"north","code":"c1"},{"value":"south","type":"side"}]`))
		id := textOf(made.object["id"])
		shown := object{"number": 7.0, "color": "Red", "issued": "2026-01-01T00:00:00Z", "site": "HQ", "doors": []any{object{"value": "north"}, object{"value": "south", "type": "side"}}}
		for _, r := range []reply{made, c.must(200, "GET", "/Users/"+id, "")} {
			if diff := cmp.Diff(shown, r.part(badgeURN)); diff != "" || fmt.Sprint(r.object["schemas"]) != fmt.Sprint([]string{urnCore, badgeURN}) {
				t.Errorf("%s\n%s", r.object["schemas"], diff)
			}
		}
		for query, want := range map[string]object{
			"attributes=userName": {"site": "HQ"}, "attributes=" + badgeURN + ":note": {"note": "n", "site": "HQ"}, "attributes=" + badgeURN + ":pin": {"site": "HQ"},
			"attributes=" + badgeURN + ":doors.value": {"site": "HQ", "doors": []any{object{"value": "north"}, object{"value": "south"}}}, "excludedAttributes=" + badgeURN: {"site": "HQ"},
			"attributes=" + badgeURN + ":doors.code": {"site": "HQ"},
		} {
			if diff := cmp.Diff(want, c.must(200, "GET", "/Users/"+id+"?"+query, "").part(badgeURN)); diff != "" {
				t.Errorf("%s: -want +got\n%s", query, diff)
			}
		}
		for filter, want := range map[string]int{
			badgeURN + `:number eq 7`: 1, badgeURN + `:number gt 7`: 0, badgeURN + `:color eq "RED"`: 1, badgeURN + `:site eq "hq"`: 0, badgeURN + `:doors[type eq "side"]`: 1, badgeURN + `:doors.value co "nor"`: 1,
			badgeURN + `:issued lt "2027-01-01T00:00:00Z"`: 1, `schemas eq "` + badgeURN + `"`: 1, badgeURN + `:note eq "n"`: 1,
		} {
			if r := c.must(200, "GET", address("/Users?attributes=id&filter="+filter), ""); fmt.Sprint(r.object["totalResults"]) != fmt.Sprint(want) {
				t.Errorf("%s matches %v, want %d", filter, r.object["totalResults"], want)
			}
		}
		for _, filter := range []string{badgeURN + `:pin sw "4"`, badgeURN + `:doors[code eq "c1"]`, badgeURN + `:doors.code pr`} {
			c.must(400, "GET", address("/Users?filter="+filter), "")
		}
		c.must(400, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"`+badgeURN+`:issued","value":"2027-01-01T00:00:00Z"}`))
		c.must(400, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"`+badgeURN+`:color","value":"blue"}`))
		c.must(400, "PUT", "/Users/"+id, badge(`"number":7,"issued":"2027-01-01T00:00:00Z"`))
		c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"`+badgeURN+`:doors","value":[{"value":"west"}]},{"op":"replace","path":"`+badgeURN+`:number","value":8}`))
		put := c.must(200, "PUT", "/Users/"+id+"?attributes="+badgeURN, badge(`"number":9`))
		if diff := cmp.Diff(object{"number": 9.0, "issued": "2026-01-01T00:00:00Z"}, put.part(badgeURN)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnExtensionOfGroups(t *testing.T) {
	withSchemas(t, func(t *testing.T, _ *bridge, c *client) {
		ada := c.createUser("ada")
		made := c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g","members":[{"value":"`+ada+`"}],"`+roomURN+`":{"room":"R1","seats":4,"key":"k"}}`)
		id := textOf(made.object["id"])
		if diff := cmp.Diff(object{"room": "R1", "seats": 4.0}, made.part(roomURN)); diff != "" || len(listOf(made.object["members"])) != 1 {
			t.Errorf("%s\n%s", made.raw, diff)
		}
		c.must(200, "PATCH", "/Groups/"+id, patchBody(`{"op":"replace","path":"`+roomURN+`:seats","value":5}`))
		if r := c.must(200, "GET", address(`/Groups?filter=`+roomURN+`:seats ge 5 and members.value eq "`+ada+`"`), ""); len(listOf(r.object["Resources"])) != 1 {
			t.Errorf("not found: %s", r.raw)
		}
		put := c.must(200, "PUT", "/Groups/"+id, `{"schemas":["`+groupType.schema.ID+`"],"displayName":"h"}`)
		if put.part(roomURN) != nil && len(put.part(roomURN)) > 0 {
			t.Errorf("PUT kept the extension: %s", put.raw)
		}
		plain := c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"p"}`)
		if fmt.Sprint(plain.object["schemas"]) != fmt.Sprint([]string{groupType.schema.ID}) {
			t.Errorf("the schemas of a plain group: %s", plain.raw)
		}
	})
}

func TestHiddenValuesAreKeptNowhereElse(t *testing.T) {
	withSchemas(t, func(t *testing.T, b *bridge, c *client) {
		made := c.must(201, "POST", "/Users", badge(`"number":7,"pin":"hunter2","doors":[{"value":"north","code":"hunter2"}]`))
		id := textOf(made.object["id"])
		c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"`+badgeURN+`:pin","value":"hunter22"}`))
		device := c.device("phone", `,"unlockCode":"hunter2"`)
		c.must(200, "PATCH", "/Devices/"+device, patchBody(`{"op":"add","value":{"unlockCode":"hunter23"}}`))
		c.must(400, "POST", "/Devices", `{"schemas":[],"unlockCode":"hunter2"}`)
		ctx := context.Background()
		events, err := b.people.Events(ctx, identity.Operator(), provisioning.EventQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		requests, err := b.people.Requests(ctx, identity.Operator(), provisioning.RequestQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal([]any{events.Items, requests.Items})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "hunter2") {
			t.Errorf("a hidden value was kept: %s", raw)
		}
		if !strings.Contains(string(raw), `"unlockCode","before":"***","after":"***"`) {
			t.Errorf("no event says that the code changed: %s", raw)
		}
	})
}

func TestSomebodyWithoutARequiredExtensionCanStillBeDeactivated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		before := newBridge(t, db).client(t, "before", identity.DialectStandard)
		id := before.createUser("ada")
		s, err := ReadSchemas([]byte(`{"schemas":[{"id":"urn:x:y","attributes":[{"name":"z","required":true}]}],"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"urn:x:y","required":true}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		c := *before
		c.base = newBridgeWith(t, db, Options{Schemas: s}).url + Path
		c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":false}`))
		c.must(400, "POST", "/Users", userBody("bob"))
		c.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"urn:x:y:z","value":"1"}`))
		c.must(400, "PATCH", "/Users/"+id, patchBody(`{"op":"remove","path":"urn:x:y"}`))
	})
}
