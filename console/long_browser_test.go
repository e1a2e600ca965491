package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// Names are as long as provisioning lets them be, in one word, and an address has 254 letters: nothing of it may push a page to the side.
func TestInABrowserNamesAndAddressesOfAnyLengthFit(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	word := strings.Repeat("Donaudampfschifffahrt", 8)
	tenant := must(s.prov.CreateTenant(t.Context(), identity.Operator(), word))(t)
	label := strings.Repeat("d", 60)
	address := strings.Repeat("m", 60) + "@" + label + "." + label + "." + label + ".example"
	long := s.user(t.Context(), address, word, tenant.ID, "editor")
	dir, _, err := s.prov.CreateDirectory(t.Context(), identity.Operator(), identity.Directory{Name: word, TenantID: tenant.ID, Dialect: identity.DialectOkta})
	if err != nil {
		t.Fatal(err)
	}
	person := "/console/users/" + string(long.ID)
	b := open(t, s.url)
	b.signInTo("root@bridge.example", "/console/users")
	for _, path := range []string{
		"/console/users", person, person + "?tab=access", person + "?tab=activity", person + "/edit", person + "/deactivate", person + "/password", person + "/merge", person + "/offboard",
		"/console/tenants", "/console/tenants/" + string(tenant.ID), "/console/tenants/" + string(tenant.ID) + "/settings", "/console/directories", "/console/directories/" + string(dir.ID),
		"/console/events", "/console/access?q=donau", "/console/statistics", "/console/exports/users",
	} {
		for _, width := range []int64{390, 1280} {
			var over int
			b.run(chromedp.EmulateViewport(width, 844))
			b.goTo(path)
			b.run(chromedp.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &over))
			if over > 0 {
				t.Errorf("%s at %d px is %d px too wide", path, width, over)
			}
		}
	}
}
