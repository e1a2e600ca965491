package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/provisioning/dnstest"
)

func eventsOf(id identity.UserID) provisioning.EventQuery {
	return provisioning.EventQuery{UserID: id, Limit: 100}
}

func hasEvent(events []identity.Event, kind identity.EventType) bool {
	return slices.ContainsFunc(events, func(e identity.Event) bool { return e.Type == kind })
}

func TestATenantsAdministratorProvesADomain(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		dns := dnstest.Start(t)
		s.prov.Resolve(provisioning.NewResolver(dns.Address))
		b := s.signedIn("ada@acme.example")
		b.get("/console/domains").is(http.StatusOK).says("No domain yet", "How people of Acme Logistics sign in").hides("Give it by my word")
		b.post("/console/domains", url.Values{"domain": {"gmail.com"}}).is(http.StatusBadRequest).says("belongs to everybody")
		page := b.post("/console/domains", url.Values{"domain": {"Acme.example"}, "tenant": {"somebody else's"}}).is(http.StatusOK).says("acme.example", "Waiting for its record", "_drawbridge.acme.example")
		record := page.all(`data-copy="([^"]+)"`)
		verify := page.all(`action="(/console/domains/[^"]+/verify)"`)[0]
		b.post(verify, nil).is(http.StatusBadRequest).says("There is no TXT record _drawbridge.acme.example")
		dns.Set(record[0], record[1])
		b.post(verify, nil).is(http.StatusOK).says("The domain is verified.", "Verified")
		b.get("/console/tenants/"+string(s.acme.ID)).is(http.StatusOK).says("acme.example", "Not required")
		b.get("/console/tenants/" + string(s.acme.ID) + "/require-sso").is(http.StatusOK).says("yours too, if it did")
		b.post("/console/tenants/"+string(s.acme.ID)+"/require-sso", nil).is(http.StatusPreconditionFailed).says("Nobody has come in")

		root := s.signedIn("root@bridge.example")
		other := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Other"))(t)
		root.post("/console/domains", url.Values{"domain": {"acme.example"}, "tenant": {string(other.ID)}}).is(http.StatusConflict).says("belongs to somebody else here")
		root.post("/console/domains", url.Values{"domain": {"acme.example"}, "tenant": {string(other.ID)}, "without": {"1"}}).is(http.StatusBadRequest).says("Say in at most 500 bytes why")
		root.post("/console/domains", url.Values{"domain": {"acme.example"}, "tenant": {string(other.ID)}, "without": {"1"}, "reason": {"sold in May"}}).
			is(http.StatusOK).says("given by your word", "By word", "by the word of Ingrid Root: sold in May")
		b.get("/console/domains").is(http.StatusOK).says("Waiting for its record").hides("sold in May")

		remove := b.get("/console/domains").all(`href="(/console/domains/[^"]+/remove)"`)
		if len(remove) != 1 {
			t.Fatalf("she sees %d domains", len(remove))
		}
		b.get(remove[0]).is(http.StatusOK).says("Remove acme.example?")
		b.post(remove[0], nil).is(http.StatusOK).says("The domain was removed.", "No domain yet")
		s.signedIn("vera@acme.example").get("/console/domains").is(http.StatusForbidden)
		foreign := root.get("/console/domains").all(`href="(/console/domains/[^"]+/remove)"`)[0]
		b.post(foreign, nil).is(http.StatusNotFound)
		b.get("/console/tenants/" + string(other.ID)).is(http.StatusNotFound)
	})
}
