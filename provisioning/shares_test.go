package provisioning_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// share makes a link that lives a day.
func (h *house) share(by identity.Actor, s identity.TraceShare) (identity.TraceShare, string) {
	h.t.Helper()
	s.ExpiresAt = time.Now().Add(24 * time.Hour)
	made, token, err := h.CreateTraceShare(h.ctx, by, s)
	if err != nil {
		h.t.Fatal(err)
	}
	return made, token
}

func TestALinkShowsOneSignInAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		c := h.provider("Okta", acme.ID)
		ada := h.administrator("ada@acme.example", acme.ID, "administrator")
		id := h.record(identity.Trace{ConnectionID: c.ID, TenantID: acme.ID, Code: "saml.expired", Email: "bob@acme.example", Subject: "00ubob", UserID: identity.UserID(ada.ID)})
		h.record(identity.Trace{ConnectionID: c.ID, TenantID: acme.ID, Code: "saml.expired", Email: "carol@acme.example"})
		made, token := h.share(ada, identity.TraceShare{TraceID: id})
		got := must[provisioning.SharedTraces](t)(h.SharedTrace(h.ctx, token))
		if len(got.Traces) != 1 || got.Traces[0].ID != id || got.Traces[0].Email != "bob@acme.example" || got.Traces[0].UserID != "" || got.Connection != "Okta" {
			t.Errorf("the link shows %+v", got)
		}
		list := must[identity.Page[identity.TraceShare]](t)(h.TraceShares(h.ctx, ada, provisioning.ShareQuery{TraceID: id, Limit: 10}))
		if len(list.Items) != 1 || list.Items[0].ID != made.ID || list.Items[0].LastUsedAt == nil || list.Items[0].CreatedBy != ada.Label {
			t.Errorf("the links are %+v", list.Items)
		}
		events := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, ada, provisioning.EventQuery{Type: identity.TracesShared, Limit: 10}))
		if len(events.Items) != 1 || strings.Contains(fmt.Sprintf("%+v", events.Items), token) {
			t.Errorf("the events are %+v", events.Items)
		}
	})
}

func TestALinkToAConnectionTellsNobodysAddress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c, other := h.provider("Okta", ""), h.provider("Entra", "")
		h.record(identity.Trace{
			ConnectionID: c.ID, Code: "saml.ambiguous_email", Message: "bob@acme.example and bo.b@acme.example.", Email: "bob@acme.example", Subject: "00u-very-secret", IP: "203.0.113.9",
			Checks: []identity.Check{
				{Name: "e-mail", Result: identity.Failed, Got: "bob@acme.example, 00u-very-secret", Fix: "Send one address, not <bo.b@acme.example>."},
				{Name: "match.link", Result: identity.Passed, Got: "linked to bobby"},
			},
			Facts: []identity.Fact{{Name: "email", Value: "bob@acme.example"}, {Name: "surname", Value: "Bobson"}},
		})
		h.record(identity.Trace{ConnectionID: c.ID, OK: true, Email: "carol@acme.example"})
		h.record(identity.Trace{ConnectionID: other.ID, Code: "oidc.expired", Email: "dave@acme.example"})
		_, token := h.share(h.op, identity.TraceShare{ConnectionID: c.ID})
		got := must[provisioning.SharedTraces](t)(h.SharedTrace(h.ctx, token))
		if len(got.Traces) != 1 || got.Traces[0].Email != "b•••@acme.example" || got.Traces[0].Checks[0].Fix == "" {
			t.Fatalf("the link shows %+v", got.Traces)
		}
		text := fmt.Sprintf("%+v", got)
		for _, leak := range []string{"bob@", "bo.b@", "very-secret", "bobby", "Bobson", "203.0.113.9", "carol", "dave"} {
			if strings.Contains(text, leak) {
				t.Errorf("the link tells %q: %s", leak, text)
			}
		}
	})
}

func TestALinkIsMadeByWhoMayAndShowsOnlyTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		c := h.provider("Okta", acme.ID)
		id := h.record(identity.Trace{ConnectionID: c.ID, TenantID: acme.ID, Code: "saml.expired", Email: "bob@acme.example"})
		ada, eve := h.administrator("ada@acme.example", acme.ID, "administrator"), h.administrator("eve@beta.example", beta.ID, "administrator")
		vera := h.administrator("vera@acme.example", acme.ID, "viewer")
		until := time.Now().Add(time.Hour)
		for _, s := range []identity.TraceShare{{TraceID: id, ExpiresAt: until}, {ConnectionID: c.ID, ExpiresAt: until}} {
			_, _, err := h.CreateTraceShare(h.ctx, eve, s)
			wantKind(t, err, identity.NotFound, "")
			_, _, err = h.CreateTraceShare(h.ctx, vera, s)
			wantKind(t, err, identity.Forbidden, "")
		}
		made, _ := h.share(ada, identity.TraceShare{TraceID: id})
		wantKind(t, h.RevokeTraceShare(h.ctx, eve, made.ID), identity.NotFound, "")
		wantKind(t, h.RevokeTraceShare(h.ctx, vera, made.ID), identity.Forbidden, "")
		if page := must[identity.Page[identity.TraceShare]](t)(h.TraceShares(h.ctx, eve, provisioning.ShareQuery{Limit: 10})); len(page.Items) != 0 {
			t.Errorf("another tenant sees %+v", page.Items)
		}
		for _, bad := range []identity.TraceShare{{}, {TraceID: id, ConnectionID: c.ID}, {TraceID: id, ExpiresAt: time.Now().Add(50 * time.Minute)}, {TraceID: id, ExpiresAt: time.Now().Add(31 * 24 * time.Hour)}} {
			if bad.ExpiresAt.IsZero() {
				bad.ExpiresAt = until
			}
			_, _, err := h.CreateTraceShare(h.ctx, ada, bad)
			wantKind(t, err, identity.Invalid, "")
		}
	})
}

func TestATokenThatIsWrongOverOrRevokedOpensNothing(t *testing.T) {
	storetest.SQLite(t) // makes the template outside the bubble
	synctest.Test(t, func(t *testing.T) {
		model := must[*access.Model](t)(access.Load("etlworks"))
		db := storetest.SQLite(t)
		h := &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()}
		c := h.provider("Okta", "")
		id := h.record(identity.Trace{ConnectionID: c.ID, Code: "saml.expired", Email: "bob@acme.example"})
		_, over := h.share(h.op, identity.TraceShare{TraceID: id})
		<-time.After(25 * time.Hour)
		revoked, revokedToken := h.share(h.op, identity.TraceShare{TraceID: id})
		must[provisioning.SharedTraces](t)(h.SharedTrace(h.ctx, revokedToken))
		if err := h.RevokeTraceShare(h.ctx, h.op, revoked.ID); err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.RevokeTraceShare(h.ctx, h.op, revoked.ID), identity.NotFound, "")
		said := map[string]bool{}
		for _, token := range []string{over, revokedToken, "", "x", identity.NewSecret(identity.SharePrefix), strings.Repeat("x", 10000)} {
			_, err := h.SharedTrace(h.ctx, token)
			wantKind(t, err, identity.NotFound, "share.unknown")
			said[identity.Errorf(identity.KindOf(err), "%s", strings.SplitN(err.Error(), ": not found", 2)[0]).Message] = true
		}
		if len(said) != 1 {
			t.Errorf("they are told apart: %v", said)
		}
	})
}
