package provisioning_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// record keeps a trace and returns its reference.
func (h *house) record(t identity.Trace) identity.TraceID {
	h.t.Helper()
	t.ID = identity.NewID[identity.TraceID]()
	if err := h.RecordTrace(h.ctx, t); err != nil {
		h.t.Fatal(err)
	}
	return t.ID
}

// provider creates a connection of a tenant, or of the installation.
func (h *house) provider(name string, tenant identity.TenantID) identity.Connection {
	h.t.Helper()
	return must[identity.Connection](h.t)(h.CreateConnection(h.ctx, h.op, identity.Connection{
		Name: name, TenantID: tenant, Kind: identity.OIDC, Domains: []string{strings.ToLower(name) + ".example"}, Unknown: identity.UnknownLanding,
		OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
	}))
}

// administrator creates somebody in a tenant with a role and returns the actor.
func (h *house) administrator(name string, tenant identity.TenantID, role identity.RoleID) identity.Actor {
	h.t.Helper()
	u := must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person(name), tenant), Role: role}))
	return h.as(u.ID)
}

func TestTracesAreFoundByWhatIsKnownOfThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta, entra := h.provider("Okta", ""), h.provider("Entra", "")
		old := time.Now().Add(-48 * time.Hour)
		a := identity.Trace{ConnectionID: okta.ID, Code: "saml.expired", Email: "Ada@Example.com", Subject: "00u%ada", Issuer: "https://okta.example", IP: "203.0.113.9", At: time.Now()}
		b := identity.Trace{ConnectionID: entra.ID, Code: "oidc.wrong_nonce", Email: "bob@example.com", Subject: "00uxbob", At: time.Now()}
		c := identity.Trace{ConnectionID: entra.ID, OK: true, Email: "carol@example.com", Subject: "carol", At: time.Now()}
		d := identity.Trace{ConnectionID: okta.ID, Code: "saml.replay", At: old}
		names := map[identity.TraceID]string{h.record(a): "a", h.record(b): "b", h.record(c): "c"}
		d.ID = identity.TraceID(identity.IDBefore(old))
		if err := h.RecordTrace(h.ctx, d); err != nil {
			t.Fatal(err)
		}
		names[d.ID] = "d"
		for name, tt := range map[string]struct {
			q    provisioning.TraceQuery
			want string
		}{
			"nothing":                         {provisioning.TraceQuery{}, "abcd"},
			"refused":                         {provisioning.TraceQuery{Refused: true}, "abd"},
			"a connection":                    {provisioning.TraceQuery{ConnectionID: okta.ID}, "ad"},
			"an address in any case":          {provisioning.TraceQuery{Email: "aDa@example.COM"}, "a"},
			"a subject":                       {provisioning.TraceQuery{Subject: "00uxbob"}, "b"},
			"a part of a subject is no match": {provisioning.TraceQuery{Subject: "00ux"}, ""},
			"a code":                          {provisioning.TraceQuery{Code: "saml.replay"}, "d"},
			"codes of a protocol":             {provisioning.TraceQuery{Code: "saml."}, "ad"},
			"a code with a wildcard":          {provisioning.TraceQuery{Code: "sam_."}, ""},
			"a word of the address":           {provisioning.TraceQuery{Word: "EXAMPLE.com"}, "abc"},
			"a word of the subject":           {provisioning.TraceQuery{Word: "0U%A"}, "a"},
			"a word of the code":              {provisioning.TraceQuery{Word: "nonce"}, "b"},
			"a word of the issuer":            {provisioning.TraceQuery{Word: "okta.example"}, "a"},
			"a network address":               {provisioning.TraceQuery{Word: "203.0.113.9"}, "a"},
			"a part of a network address":     {provisioning.TraceQuery{Word: "203.0.113"}, ""},
			"since an hour":                   {provisioning.TraceQuery{Since: time.Now().Add(-time.Hour)}, "abc"},
			"until yesterday":                 {provisioning.TraceQuery{Until: time.Now().Add(-24 * time.Hour)}, "d"},
			"two at once":                     {provisioning.TraceQuery{ConnectionID: entra.ID, Word: "bob", Refused: true}, "b"},
		} {
			tt.q.Limit = 10
			var got []string
			for _, trace := range must[identity.Page[identity.Trace]](t)(h.Traces(h.ctx, h.op, tt.q)).Items {
				got = append(got, names[trace.ID])
			}
			slices.Sort(got)
			if strings.Join(got, "") != tt.want {
				t.Errorf("%s: %v, want %s", name, got, tt.want)
			}
		}
	})
}

func TestAFloodOfRefusalsIsCountedAndNotKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		c, other := h.provider("Acme", acme.ID), h.provider("Other", "")
		ada, eve := h.administrator("ada@acme.example", acme.ID, "administrator"), h.administrator("eve@other.example", h.tenant("Other").ID, "administrator")
		for range 203 {
			h.record(identity.Trace{ConnectionID: c.ID, TenantID: acme.ID, Code: "saml.malformed"})
		}
		known := h.record(identity.Trace{ConnectionID: c.ID, TenantID: acme.ID, Code: "saml.expired", Issuer: "https://idp.example", Subject: "x"})
		elsewhere := h.record(identity.Trace{ConnectionID: other.ID, Code: "saml.malformed"})
		good := h.record(identity.Trace{ConnectionID: c.ID, TenantID: acme.ID, OK: true})
		for _, id := range []identity.TraceID{known, elsewhere, good} {
			must[identity.Trace](t)(h.Trace(h.ctx, h.op, id))
		}
		if n := len(must[identity.Page[identity.Trace]](t)(h.Traces(h.ctx, ada, provisioning.TraceQuery{Limit: 1000})).Items); n != 202 {
			t.Errorf("%d traces are kept, want 200 of strangers, one refusal of somebody and one success", n)
		}
		for who, want := range map[*identity.Actor]int64{&ada: 3, &eve: 0, &h.op: 3} {
			if got := must[map[identity.ConnectionID]int64](t)(h.TracesNotKept(h.ctx, *who)); got[c.ID] != want || len(got) > 1 {
				t.Errorf("%s sees %v, want %d", who.Label, got, want)
			}
		}
	})
}

func TestTracesAreKeptAsLongAsTheSettingSays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.KeepTraces(2 * 24 * time.Hour)
		day := func(n int) identity.TraceID {
			return h.record(identity.Trace{At: time.Now().Add(-time.Duration(n)*24*time.Hour - time.Hour)})
		}
		fresh, old := day(1), day(2)
		for range 3 {
			if err := h.SweepTraces(h.ctx); err != nil {
				t.Fatal(err)
			}
		}
		must[identity.Trace](t)(h.Trace(h.ctx, h.op, fresh))
		_, err := h.Trace(h.ctx, h.op, old)
		wantKind(t, err, identity.NotFound, "")
		if !strings.Contains(err.Error(), "kept for 2 days") {
			t.Errorf("the error does not say how long they are kept: %v", err)
		}
	})
}
