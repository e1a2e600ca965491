package scim

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// innocent are the routes that name nothing of anybody.
var innocent = []string{
	"GET /ServiceProviderConfig", "GET /ResourceTypes", "GET /Schemas", "GET /ResourceTypes/{id}", "GET /Schemas/{id}",
}

func TestEveryEndpointIsInTheIsolationMatrix(t *testing.T) {
	covered := map[string]bool{}
	for _, p := range probes() {
		covered[p.route] = true
	}
	for _, route := range innocent {
		covered[route] = true
	}
	for _, route := range allRoutes() {
		if !covered[route] {
			t.Errorf("no probe asks %s for what is outside; add some to the matrix", route)
		}
		delete(covered, route)
	}
	if len(covered) > 0 {
		t.Errorf("there is no route %v", slices.Sorted(maps.Keys(covered)))
	}
}

// allRoutes walks the tables of the door.
func allRoutes() []string {
	list := []string{"POST /Bulk"}
	walk := func(table map[string]methods, form string) {
		for name, m := range table {
			for method := range m {
				list = append(list, method+" "+fmt.Sprintf(form, name))
			}
		}
	}
	walk(collections, "/%s")
	for name, e := range map[string]endpoints{"Users": userEndpoints, "Groups": groupEndpoints} {
		walk(map[string]methods{name: e.collection}, "/%s")
		walk(map[string]methods{name: e.search}, "/%s/.search")
		walk(map[string]methods{name: e.single}, "/%s/{id}")
	}
	walk(documented, "/%s/{id}")
	return list
}
