package provisioning_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// leaving is a house in which somebody leaves.
type leaving struct {
	*house
	boss, app identity.Actor
	ada, bob  identity.User
}

// eachLeaving runs a test in such a house, under a model that holds back whoever has open work.
func eachLeaving(t *testing.T, test func(t *testing.T, l leaving)) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		l := leaving{house: h}
		home := h.home()
		_, l.boss = h.staff(home.ID, "boss@acme.test", h.chiefRole())
		l.ada, _ = h.staff(home.ID, "ada@acme.test", h.plainRole())
		l.bob, _ = h.staff(home.ID, "bob@acme.test", h.plainRole())
		l.app = h.directory("Sync", home.ID, identity.DialectStandard)
		test(t, l)
	})
}

func (l leaving) offboard(t *testing.T) identity.Offboarding {
	t.Helper()
	return must[identity.Offboarding](t)(l.Offboard(l.ctx, l.boss, l.ada.ID, provisioning.Leaving{Successor: l.bob.ID, Reason: "leaves us"}))
}

func (l leaving) view(t *testing.T, id identity.OffboardingID) provisioning.OffboardingView {
	t.Helper()
	return must[provisioning.OffboardingView](t)(l.Offboarding(l.ctx, l.boss, id))
}

// things writes what became of things, as id state.
func things(v provisioning.OffboardingView) string {
	var out []string
	for _, x := range v.Things {
		out = append(out, x.ForeignID+" "+string(x.State))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestWhoeverLeavesIsOutAtOnceAndTheRestIsClosedWhenItIsDone(t *testing.T) {
	eachLeaving(t, func(t *testing.T, l leaving) {
		l.session(l.ada.ID)
		l.holds(l.app, identity.Ownership, "crm", l.ada.ID)
		l.holds(l.app, identity.OpenTask, "wo-1", l.ada.ID)
		t.Run("FC-55 somebody with open work needs a successor who can take over", func(t *testing.T) {
			_, err := l.Offboard(l.ctx, l.boss, l.ada.ID, provisioning.Leaving{Reason: "leaves us"})
			wantKind(t, err, identity.Conflict, "open_assignments")
			_, err = l.Offboard(l.ctx, l.boss, l.ada.ID, provisioning.Leaving{Successor: l.ada.ID, Reason: "leaves us"})
			wantKind(t, err, identity.Invalid, "")
			_, err = l.Offboard(l.ctx, l.boss, l.ada.ID, provisioning.Leaving{Successor: l.bob.ID})
			wantKind(t, err, identity.Invalid, "reason_required")
			_, err = l.Offboard(l.ctx, l.boss, l.boss.UserID(), provisioning.Leaving{Successor: l.bob.ID, Reason: "x"})
			wantKind(t, err, identity.Forbidden, "")
			if u := l.known("ada@acme.test"); !u.Enabled {
				t.Error("the access ended all the same")
			}
		})
		var o identity.Offboarding
		t.Run("FC-55 the access ends at once, and what is owned or to be done waits for its applications", func(t *testing.T) {
			o = l.offboard(t)
			v := l.view(t, o.ID)
			if !v.Ended() || v.Sessions != 0 || v.Facts.Sessions != 1 || v.State != identity.OffboardOpen || v.Successor.ID != l.bob.ID || !v.User.Held {
				t.Fatalf("%+v", v)
			}
			if got := things(v); got != "crm open, wo-1 open" || v.Left != 2 {
				t.Error(got)
			}
			_, err := l.CloseOffboarding(l.ctx, l.boss, o.ID, provisioning.Closing{})
			wantKind(t, err, identity.Precondition, "offboarding_open")
		})
		t.Run("FC-63 what the applications acknowledge is the successor's, and when nothing is left it is closed", func(t *testing.T) {
			for _, x := range l.view(t, o.ID).Things {
				must[identity.Holding](t)(l.AcknowledgeTransfer(l.ctx, l.app, "sync", x.Transfer.ID))
			}
			if got := things(l.view(t, o.ID)); got != "crm acknowledged, wo-1 acknowledged" {
				t.Error(got)
			}
			done := must[identity.Offboarding](t)(l.CloseOffboarding(l.ctx, l.boss, o.ID, provisioning.Closing{}))
			if done.State != identity.OffboardClosed || done.ClosedBy != l.boss.Label || l.lastEvent(identity.OffboardingClosed).UserID != l.ada.ID {
				t.Errorf("%+v", done)
			}
			_, err := l.CloseOffboarding(l.ctx, l.boss, o.ID, provisioning.Closing{})
			wantKind(t, err, identity.Precondition, "offboarding_state")
		})
		t.Run("FC-55 the evidence says who did what when, and is known by its signature", func(t *testing.T) { l.evidence(t, o.ID) })
	})
}

// evidence wants a report to tell the whole story.
func (l leaving) evidence(t *testing.T, id identity.OffboardingID) {
	var b bytes.Buffer
	x := must[provisioning.Export](t)(l.EvidenceReport(l.ctx, l.boss, id, sheets.CSV, &b))
	text, at := b.String(), 0
	for _, want := range []string{
		"access ended", "sessions ended,,1", string(identity.TransferRequested) + ",boss@acme.test", string(identity.UserDeactivated) + ",boss@acme.test", "leaves us",
		string(identity.OffboardingBegun), string(identity.TransferAcknowledged) + ",Sync", string(identity.OffboardingClosed), "thing acknowledged",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing, or is not where it belongs, in\n%s", want, text)
		}
		at += i
	}
	sum := sha256.Sum256(b.Bytes())
	if known, events, err := l.CheckExport(l.ctx, l.op, hex.EncodeToString(sum[:]), x.Signature); err != nil || known.Rows != x.Rows || len(events) != 1 {
		t.Errorf("%+v %d %v", known, len(events), err)
	}
}

func TestAnOffboardingIsClosedByForceOrCancelled(t *testing.T) {
	eachLeaving(t, func(t *testing.T, l leaving) {
		l.holds(l.app, identity.Ownership, "crm", l.ada.ID)
		t.Run("FC-55 somebody who stays comes in again, with what had not gone over", func(t *testing.T) {
			o := l.offboard(t)
			_, err := l.RestoreOffboarded(l.ctx, l.boss, o.ID, "")
			wantKind(t, err, identity.Invalid, "reason_required")
			back := must[identity.Offboarding](t)(l.RestoreOffboarded(l.ctx, l.boss, o.ID, "stays after all"))
			if u := l.known("ada@acme.test"); !u.Enabled || back.State != identity.OffboardCancelled {
				t.Fatalf("%+v %+v", u, back)
			}
			if got := must[identity.Page[identity.Holding]](t)(l.Holdings(l.ctx, l.boss, provisioning.HoldingQuery{UserID: l.ada.ID})); got.Items[0].Transfer != nil {
				t.Errorf("%+v", got.Items[0].Transfer)
			}
			l.wantEvent(l.ada.ID, identity.TransferWithdrawn)
		})
		t.Run("FC-55 what is left when it is closed all the same is in the evidence", func(t *testing.T) {
			o := l.offboard(t)
			_, err := l.CloseOffboarding(l.ctx, l.boss, o.ID, provisioning.Closing{Force: true})
			wantKind(t, err, identity.Invalid, "reason_required")
			must[identity.Offboarding](t)(l.CloseOffboarding(l.ctx, l.boss, o.ID, provisioning.Closing{Force: true, Reason: "the application is gone"}))
			if v := l.view(t, o.ID); len(v.Facts.Left) != 1 || v.Facts.Left[0] != "sync/ownership/crm" {
				t.Errorf("%+v", v.Facts)
			}
			if n := must[int](t)(l.OpenOffboardings(l.ctx, identity.System())); n != 0 {
				t.Errorf("%d were opened again", n)
			}
		})
		t.Run("a list has them by state, page by page, and nobody of another tenant sees them", func(t *testing.T) {
			page := must[identity.Page[identity.Offboarding]](t)(l.Offboardings(l.ctx, l.boss, provisioning.OffboardingQuery{Limit: 1}))
			if len(page.Items) != 1 || !page.More || page.Items[0].State != identity.OffboardClosed {
				t.Fatalf("%+v", page)
			}
			page = must[identity.Page[identity.Offboarding]](t)(l.Offboardings(l.ctx, l.boss, provisioning.OffboardingQuery{Limit: 1, After: page.Items[0].ID}))
			if len(page.Items) != 1 || page.More || page.Items[0].State != identity.OffboardCancelled {
				t.Fatalf("%+v", page)
			}
			other := l.boss
			other.TenantID = l.landing().ID
			_, err := l.Offboarding(l.ctx, other, page.Items[0].ID)
			wantKind(t, err, identity.NotFound, "")
			_, err = l.CloseOffboarding(l.ctx, other, page.Items[0].ID, provisioning.Closing{})
			wantKind(t, err, identity.NotFound, "")
			_, err = l.Offboardings(l.ctx, l.as(l.bob.ID), provisioning.OffboardingQuery{})
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

func TestALeaverOfADirectoryGetsAnOffboarding(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		home := h.tenant("Acme")
		boss := h.as(h.userIn(home.ID, "boss@acme.test", "administrator").ID)
		bob := h.userIn(home.ID, "bob@acme.test", "viewer")
		app := h.directory("Sync", home.ID, identity.DialectStandard)
		okta := h.directory("Okta", home.ID, identity.DialectOkta)
		gone, out := h.push(okta, "gone@acme.test"), h.push(okta, "out@acme.test")
		h.session(out.ID)
		h.holds(app, identity.Ownership, "crm", gone.ID)
		h.holds(app, identity.Ownership, "sap", out.ID)
		t.Run("FSM-58 a directory's word is never held back; what the person had is found by a job", func(t *testing.T) {
			h.ok(h.DeleteUser(h.ctx, okta, gone.ID, 0))
			must[identity.User](t)(h.UpdateUser(h.ctx, okta, out.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
			if n := must[int](t)(h.OpenOffboardings(h.ctx, identity.System())); n != 2 {
				t.Fatalf("%d offboardings", n)
			}
			if n := must[int](t)(h.OpenOffboardings(h.ctx, identity.System())); n != 0 {
				t.Fatalf("%d more offboardings", n)
			}
			if _, err := h.OpenOffboardings(h.ctx, boss); identity.KindOf(err) != identity.Forbidden {
				t.Error(err)
			}
		})
		t.Run("FSM-58 an administrator names the successor later, also of somebody who is deleted", func(t *testing.T) {
			for _, id := range []identity.UserID{gone.ID, out.ID} {
				must[identity.Offboarding](t)(h.Offboard(h.ctx, boss, id, provisioning.Leaving{Successor: bob.ID, Reason: "left"}))
			}
			page := must[identity.Page[identity.Offboarding]](t)(h.Offboardings(h.ctx, boss, provisioning.OffboardingQuery{State: identity.OffboardOpen}))
			if len(page.Items) != 2 {
				t.Fatalf("%+v", page.Items)
			}
			for _, o := range page.Items {
				v := must[provisioning.OffboardingView](t)(h.Offboarding(h.ctx, boss, o.ID))
				if !o.Facts.Automatic || v.Left != 1 || v.Things[0].State != provisioning.ThingOpen || v.UserID == out.ID && v.Facts.Sessions != 1 {
					t.Errorf("%+v", v)
				}
			}
		})
		t.Run("whoever is erased takes the offboarding along", func(t *testing.T) {
			h.ok(h.EraseUser(h.ctx, h.op, gone.ID, 0, "asked for it"))
			page := must[identity.Page[identity.Offboarding]](t)(h.Offboardings(h.ctx, boss, provisioning.OffboardingQuery{}))
			if len(page.Items) != 1 || page.Items[0].UserID != out.ID {
				t.Errorf("%+v", page.Items)
			}
		})
	})
}
