package provisioning_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/provisioning/dnstest"
	"github.com/drawbridge-id/drawbridge/store"
)

// names gives the house a name server of its own.
func (h *house) names() *dnstest.Server {
	h.t.Helper()
	server := dnstest.Start(h.t)
	h.Resolve(provisioning.NewResolver(server.Address))
	return server
}

// chief creates an administrator of a tenant and returns the actor.
func (h *house) chief(t identity.Tenant, name string) identity.Actor {
	h.t.Helper()
	u := must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person(name), t.ID), Role: "administrator"}))
	return h.as(u.ID)
}

// objectEvents returns the types of what happened to an object, oldest first.
func (h *house) objectEvents(id string) []identity.EventType {
	h.t.Helper()
	page := must[identity.Page[identity.Event]](h.t)(h.Events(h.ctx, h.op, provisioning.EventQuery{ObjectID: id, Limit: 100}))
	var out []identity.EventType
	for _, e := range page.Items {
		out = append([]identity.EventType{e.Type}, out...)
	}
	return out
}

func TestADomainIsVerifiedByItsRecord(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dns, acme := h.names(), h.tenant("Acme")
		by := h.chief(acme, "boss@acme.test")
		d := must[identity.Domain](t)(h.AddDomain(h.ctx, by, acme.ID, "@Bücher.example"))
		if d.Domain != "xn--bcher-kva.example" || d.RecordName() != "_drawbridge.xn--bcher-kva.example" || len(d.Token) < 32 || d.State() != identity.DomainWaits {
			t.Fatalf("the claim is %+v", d)
		}
		_, err := h.VerifyDomain(h.ctx, by, d.ID)
		wantKind(t, err, identity.Invalid, "domain.unverified")
		if !strings.Contains(err.Error(), d.RecordName()) || !strings.Contains(err.Error(), d.RecordValue()) {
			t.Errorf("the answer does not name the record: %v", err)
		}
		dns.Set(d.RecordName(), "something else", "drawbridge-verification="+identity.NewSecret("")[:32])
		_, err = h.VerifyDomain(h.ctx, by, d.ID)
		wantKind(t, err, identity.Invalid, "domain.unverified")
		dns.Break(true)
		_, err = h.VerifyDomain(h.ctx, by, d.ID)
		wantKind(t, err, identity.Invalid, "domain.unreachable")
		dns.Break(false)
		dns.Set(d.Domain, "v=spf1 -all", d.RecordValue()) // at the domain itself
		d = must[identity.Domain](t)(h.VerifyDomain(h.ctx, by, d.ID))
		if d.State() != identity.DomainProven || d.VerifiedAt == nil || d.Failure != "" {
			t.Errorf("verified it is %+v", d)
		}
		must[identity.Domain](t)(h.VerifyDomain(h.ctx, by, d.ID)) // again is no event
		want := []identity.EventType{identity.DomainClaimed, identity.DomainVerified}
		if got := h.objectEvents(string(d.ID)); !slices.Equal(got, want) {
			t.Errorf("the events are %v", got)
		}
		if got := must[[]string](t)(h.VerifiedDomains(h.ctx, by, acme.ID)); !slices.Equal(got, []string{"xn--bcher-kva.example"}) {
			t.Errorf("verified: %v", got)
		}
	})
}

func TestADomainBelongsToOneTenant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dns, acme, evil := h.names(), h.tenant("Acme"), h.tenant("Evil")
		boss, eve := h.chief(acme, "boss@acme.test"), h.chief(evil, "eve@evil.test")
		// A claim alone keeps nobody out: else whoever is first could squat on every domain.
		squat := must[identity.Domain](t)(h.AddDomain(h.ctx, eve, evil.ID, "acme.test"))
		d := must[identity.Domain](t)(h.AddDomain(h.ctx, boss, acme.ID, "acme.test"))
		dns.Set(d.RecordName(), d.RecordValue())
		_, err := h.VerifyDomain(h.ctx, eve, squat.ID) // with the other's record
		wantKind(t, err, identity.Invalid, "domain.unverified")
		must[identity.Domain](t)(h.VerifyDomain(h.ctx, boss, d.ID))
		dns.Set(d.RecordName(), d.RecordValue(), squat.RecordValue())
		_, err = h.VerifyDomain(h.ctx, eve, squat.ID)
		wantKind(t, err, identity.Conflict, "domain_taken")
		if strings.Contains(err.Error(), "Acme") {
			t.Errorf("the refusal names the other tenant: %v", err)
		}
		other := h.tenant("Other")
		_, err = h.AddDomain(h.ctx, h.op, other.ID, "ACME.test")
		wantKind(t, err, identity.Conflict, "domain_taken")
		if _, err = h.AddDomain(h.ctx, eve, evil.ID, "sub.acme.test"); err != nil {
			t.Errorf("a sub-domain is another domain: %v", err)
		}
	})
}

func TestTheFirstOfTwoVerificationsAtOnceWins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dns := h.names()
		var claims []identity.Domain
		var values []string
		for _, name := range []string{"A", "B", "C", "D"} {
			d := must[identity.Domain](t)(h.AddDomain(h.ctx, h.op, h.tenant(name).ID, "race.test"))
			claims, values = append(claims, d), append(values, d.RecordValue())
		}
		dns.Set("_drawbridge.race.test", values...)
		var won sync.Map
		var all sync.WaitGroup
		for _, d := range claims {
			all.Go(func() {
				if _, err := h.VerifyDomain(h.ctx, h.op, d.ID); err == nil {
					won.Store(d.ID, true)
				} else if identity.CodeOf(err) != "domain_taken" {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d tenants hold the domain", n)
		}
	})
}

func TestASuperAdminDecidesADomainWithAReason(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dns, acme, heirs := h.names(), h.tenant("Acme"), h.tenant("Heirs")
		boss, root := h.chief(acme, "boss@acme.test"), h.as(h.admin("root@bridge.test").ID)
		d := must[identity.Domain](t)(h.AddDomain(h.ctx, boss, acme.ID, "acme.test"))
		dns.Set(d.RecordName(), d.RecordValue())
		must[identity.Domain](t)(h.VerifyDomain(h.ctx, boss, d.ID))
		_, err := h.OverrideDomain(h.ctx, boss, acme.ID, "new.test", "because")
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.OverrideDomain(h.ctx, root, heirs.ID, "acme.test", " ")
		wantKind(t, err, identity.Invalid, "")
		c := h.connection("Acme", func(c *identity.Connection) { c.TenantID, c.Domains = acme.ID, []string{"acme.test"} })
		_, err = h.OverrideDomain(h.ctx, root, heirs.ID, "acme.test", "sold")
		wantKind(t, err, identity.Conflict, "domain_in_use")
		must[identity.Connection](t)(h.UpdateConnection(h.ctx, root, c.ID, func(c *identity.Connection) error { c.Domains = []string{"acme.example"}; return nil }))
		given := must[identity.Domain](t)(h.OverrideDomain(h.ctx, root, heirs.ID, "acme.test", "sold in May"))
		if given.State() != identity.DomainByWord || given.OverrideBy == "" || given.OverrideReason != "sold in May" {
			t.Errorf("given it is %+v", given)
		}
		if now := must[identity.Domain](t)(h.Domain(h.ctx, boss, d.ID)); now.Holds || now.VerifiedAt != nil {
			t.Errorf("the former holder has %+v", now)
		}
		for _, id := range []identity.DomainID{d.ID, given.ID} {
			page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{ObjectID: string(id), Limit: 1}))
			if e := page.Items[0]; e.Type != identity.DomainOverridden || e.Reason != "sold in May" || e.ActorID != root.ID {
				t.Errorf("the audit of %s has %+v", id, e)
			}
		}
	})
}

func TestATenantAdministratorSeesAndClaimsForTheOwnTenantOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, evil := h.tenant("Acme"), h.tenant("Evil")
		boss, eve := h.chief(acme, "boss@acme.test"), h.chief(evil, "eve@evil.test")
		d := must[identity.Domain](t)(h.AddDomain(h.ctx, boss, acme.ID, "acme.test"))
		_, err := h.AddDomain(h.ctx, eve, acme.ID, "x.test")
		wantKind(t, err, identity.NotFound, "")
		_, err = h.AddDomain(h.ctx, eve, "", "x.test")
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.VerifyDomain(h.ctx, eve, d.ID)
		wantKind(t, err, identity.NotFound, "")
		wantKind(t, h.RemoveDomain(h.ctx, eve, d.ID), identity.NotFound, "")
		_, err = h.VerifiedDomains(h.ctx, eve, acme.ID)
		wantKind(t, err, identity.NotFound, "")
		if page := must[identity.Page[identity.Domain]](t)(h.Domains(h.ctx, eve, identity.Query{Limit: 10})); len(page.Items) != 0 {
			t.Errorf("she sees %+v", page.Items)
		}
		for name, by := range map[string]identity.Actor{"a directory": h.directory("D", acme.ID, identity.DialectOkta), "a viewer": {Kind: identity.ActorUser, ID: boss.ID, TenantID: acme.ID, Roles: []identity.RoleID{"viewer"}}} {
			if _, err := h.AddDomain(h.ctx, by, acme.ID, "y.test"); identity.KindOf(err) != identity.Forbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, name := range []string{"gmail.com", "GMX.de", "localhost", "two words.test", "", "*", "1.2.3.4.5.6.7.8.9."} {
			if _, err := h.AddDomain(h.ctx, boss, acme.ID, name); identity.KindOf(err) != identity.Invalid {
				t.Errorf("%q: %v", name, err)
			}
		}
		_, err = h.AddDomain(h.ctx, boss, acme.ID, "acme.test")
		wantKind(t, err, identity.Conflict, "")
		if err := h.RemoveDomain(h.ctx, boss, d.ID); err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.RemoveDomain(h.ctx, boss, d.ID), identity.NotFound, "")
	})
}

func TestAConnectionListsWhatItsTenantHolds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dns, acme, other := h.names(), h.tenant("Acme"), h.tenant("Other")
		d := must[identity.Domain](t)(h.AddDomain(h.ctx, h.op, acme.ID, "acme.test"))
		dns.Set(d.RecordName(), d.RecordValue())
		must[identity.Domain](t)(h.VerifyDomain(h.ctx, h.op, d.ID))
		c := h.connection("Acme", func(c *identity.Connection) { c.TenantID, c.Domains = acme.ID, []string{"acme.test", "acme.example"} })
		page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{ObjectID: string(c.ID), Limit: 1}))
		last := page.Items[0].Changes[len(page.Items[0].Changes)-1]
		if !strings.Contains(last.Field, "not verified, by the word of operator") || len(last.After.([]any)) != 1 {
			t.Errorf("the event says %+v", last)
		}
		if got := must[[]string](t)(h.VerifiedDomains(h.ctx, h.op, acme.ID)); !slices.Equal(got, []string{"acme.example", "acme.test"}) {
			t.Errorf("it may list %v", got)
		}
		wantKind(t, h.RemoveDomain(h.ctx, h.op, d.ID), identity.Conflict, "domain_in_use")
		// What somebody verified is not given away by naming it; what was only said is.
		must[identity.Connection](t)(h.UpdateConnection(h.ctx, h.op, c.ID, func(c *identity.Connection) error { c.Domains = []string{"third.test"}; return nil }))
		bad := identity.Connection{Name: "Other", TenantID: other.ID, Kind: identity.OIDC, Domains: []string{"acme.test"}, OIDC: c.OIDC}
		bad.OIDC.ClientSecret = "s"
		_, err := h.CreateConnection(h.ctx, h.op, bad)
		wantKind(t, err, identity.Conflict, "domain_taken")
		bad.Domains = []string{"acme.example"}
		must[identity.Connection](t)(h.CreateConnection(h.ctx, h.op, bad))
		if got := must[[]string](t)(h.VerifiedDomains(h.ctx, h.op, acme.ID)); !slices.Equal(got, []string{"acme.test", "third.test"}) {
			t.Errorf("Acme holds %v", got)
		}
		bad.Name, bad.Domains = "Google", []string{"gmail.com"}
		_, err = h.CreateConnection(h.ctx, h.op, bad)
		wantKind(t, err, identity.Invalid, "")
		// Drawbridge itself gives no word: it changes what is there, such as certificates, and adds no domain.
		_, err = h.UpdateConnection(h.ctx, identity.System(), c.ID, func(c *identity.Connection) error { c.Domains = []string{"third.test", "fourth.test"}; return nil })
		wantKind(t, err, identity.Forbidden, "domain.unverified")
		must[identity.Connection](t)(h.UpdateConnection(h.ctx, identity.System(), c.ID, func(c *identity.Connection) error { c.Skew = 2 * time.Minute; return nil }))
	})
}

func TestALostRecordIsNotedAndTakesNothingAway(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dns, acme := h.names(), h.tenant("Acme")
		d := must[identity.Domain](t)(h.AddDomain(h.ctx, h.op, acme.ID, "acme.test"))
		dns.Set(d.RecordName(), d.RecordValue())
		must[identity.Domain](t)(h.VerifyDomain(h.ctx, h.op, d.ID))
		if gone, err := h.RecheckDomains(h.ctx); err != nil || len(gone) != 0 {
			t.Fatalf("%v %v", gone, err)
		}
		if n := dns.Asked(); n > 4 {
			t.Errorf("a domain that was looked at today is looked at again: %d questions", n)
		}
		recheck := func() []identity.Domain {
			t.Helper()
			h.yesterday(d.ID)
			return must[[]identity.Domain](t)(h.RecheckDomains(h.ctx))
		}
		dns.Break(true)
		if gone := recheck(); len(gone) != 0 {
			t.Errorf("a name server that does not answer means %+v", gone)
		}
		dns.Break(false)
		dns.Set(d.RecordName())
		if gone := recheck(); len(gone) != 1 || gone[0].Domain != "acme.test" || gone[0].State() != identity.DomainMissing {
			t.Errorf("without the record: %+v", gone)
		}
		if gone := recheck(); len(gone) != 0 {
			t.Errorf("the same loss is told again: %+v", gone)
		}
		if got := must[[]string](t)(h.VerifiedDomains(h.ctx, h.op, acme.ID)); !slices.Equal(got, []string{"acme.test"}) {
			t.Errorf("the tenant holds %v", got)
		}
		dns.Set(d.RecordName(), d.RecordValue())
		recheck()
		want := []identity.EventType{identity.DomainClaimed, identity.DomainVerified, identity.DomainFailing, identity.DomainRecovered}
		if got := h.objectEvents(string(d.ID)); !slices.Equal(got, want) {
			t.Errorf("the events are %v", got)
		}
	})
}

// yesterday lets a domain have been looked at two days ago.
func (h *house) yesterday(id identity.DomainID) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		d, err := tx.Domain(h.ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		at := tx.Now().AddDate(0, 0, -2)
		d.CheckedAt = &at
		return tx.UpdateDomain(h.ctx, d)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
