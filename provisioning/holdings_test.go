package provisioning_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// holds says, as an application does, that somebody has something.
func (h *house) holds(by identity.Actor, kind identity.HoldingKind, id string, who identity.UserID) identity.Holding {
	h.t.Helper()
	return must[identity.Holding](h.t)(h.PutHolding(h.ctx, by, identity.Holding{HoldingKey: identity.HoldingKey{Application: "sync", Kind: kind, ForeignID: id}, Display: "The " + id, UserID: who}))
}

// heldBy lists the ids of what somebody has.
func (h *house) heldBy(by identity.Actor, who identity.UserID) string {
	h.t.Helper()
	var ids []string
	for _, x := range must[identity.Page[identity.Holding]](h.t)(h.Holdings(h.ctx, by, provisioning.HoldingQuery{UserID: who})).Items {
		ids = append(ids, x.ForeignID)
	}
	return strings.Join(ids, " ")
}

func TestWhatPeopleOwnIsKeptAndHandedOver(t *testing.T) {
	for _, preset := range []string{"fentu-connect", "etlworks", "fentu-fsm"} {
		t.Run(preset, func(t *testing.T) {
			eachWith(t, preset, func(t *testing.T, h *house) {
				home := h.home()
				_, boss := h.staff(home.ID, "boss@acme.test", h.chiefRole())
				ada, _ := h.staff(home.ID, "ada@acme.test", h.plainRole())
				bob, asBob := h.staff(home.ID, "bob@acme.test", h.plainRole())
				app := h.directory("Sync", home.ID, identity.DialectStandard)
				t.Run("FC-63 the connections that somebody managed are listed from what the application says", func(t *testing.T) {
					h.owns(t, boss, app, asBob, ada, bob)
				})
				t.Run("FC-64 ownership goes to a successor by a signed event that is open until the application acknowledges it", func(t *testing.T) {
					h.handsOver(t, boss, app, ada, bob)
				})
			})
		})
	}
}

// plainRole is the first role of a tenant that may not change people.
func (h *house) plainRole() identity.RoleID {
	h.t.Helper()
	for _, r := range h.Model().Roles() {
		if r.Scope == identity.ScopeTenant && r.Interactive && h.Model().Assignable(r.ID) && !h.Model().Privileged(r.ID) {
			return r.ID
		}
	}
	h.t.Fatal("everybody manages people in " + h.Model().Name())
	return ""
}

func (h *house) owns(t *testing.T, boss, app, asBob identity.Actor, ada, bob identity.User) {
	h.holds(app, identity.Ownership, "sap", ada.ID)
	h.holds(app, identity.Ownership, "crm", ada.ID)
	h.holds(app, identity.Ownership, "crm", ada.ID) // the same again is no change
	if got := h.heldBy(boss, ada.ID); got != "crm sap" {
		t.Errorf("ada holds %q", got)
	}
	if n := len(h.objectEvents("sync/ownership/crm")); n != 1 {
		t.Errorf("%d events", n)
	}
	_, err := h.Holdings(h.ctx, asBob, provisioning.HoldingQuery{UserID: ada.ID})
	wantKind(t, err, identity.Forbidden, "")
	if got := h.heldBy(asBob, bob.ID); got != "" {
		t.Errorf("bob holds %q", got)
	}
	_, err = h.PutHolding(h.ctx, asBob, identity.Holding{HoldingKey: identity.HoldingKey{Kind: identity.Ownership, ForeignID: "x"}, UserID: bob.ID})
	wantKind(t, err, identity.Forbidden, "")
	_, err = h.PutHolding(h.ctx, app, identity.Holding{HoldingKey: identity.HoldingKey{Kind: "hope", ForeignID: "x"}, UserID: bob.ID})
	wantKind(t, err, identity.Invalid, "")
	h.holds(app, identity.Ownership, "old", ada.ID)
	old := identity.HoldingKey{Application: "sync", Kind: identity.Ownership, ForeignID: "old"}
	if err := h.DeleteHolding(h.ctx, app, old); err != nil {
		t.Fatal(err)
	}
	wantKind(t, h.DeleteHolding(h.ctx, app, old), identity.NotFound, "")
}

func (h *house) handsOver(t *testing.T, boss, app identity.Actor, ada, bob identity.User) {
	_, err := h.TransferHoldings(h.ctx, boss, ada.ID, ada.ID, nil, "")
	wantKind(t, err, identity.Invalid, "")
	_, err = h.TransferHoldings(h.ctx, boss, bob.ID, ada.ID, nil, "")
	wantKind(t, err, identity.NotFound, "")
	_, err = h.TransferHoldings(h.ctx, app, ada.ID, bob.ID, nil, "")
	wantKind(t, err, identity.Forbidden, "")
	asked := must[[]identity.Holding](t)(h.TransferHoldings(h.ctx, boss, ada.ID, bob.ID, nil, "ada leaves"))
	if len(asked) != 2 || h.heldBy(boss, ada.ID) != "crm sap" {
		t.Fatalf("handed over at once: %+v", asked)
	}
	page := must[identity.Page[provisioning.OpenTransfer]](t)(h.OpenTransfers(h.ctx, app, "sync", "", 1))
	if len(page.Items) != 1 || !page.More {
		t.Fatalf("%d transfers are open, more: %v", len(page.Items), page.More)
	}
	first := page.Items[0]
	h.noticed(t, first, ada, bob)
	second := must[identity.Page[provisioning.OpenTransfer]](t)(h.OpenTransfers(h.ctx, app, "sync", first.Transfer.ID, 5)).Items[0]
	_, err = h.AcknowledgeTransfer(h.ctx, app, "other", first.Transfer.ID)
	wantKind(t, err, identity.NotFound, "")
	got := must[identity.Holding](t)(h.AcknowledgeTransfer(h.ctx, app, "sync", first.Transfer.ID))
	if got.UserID != bob.ID || h.heldBy(boss, bob.ID) != first.ForeignID {
		t.Errorf("acknowledged: %+v", got)
	}
	_, err = h.AcknowledgeTransfer(h.ctx, app, "sync", first.Transfer.ID)
	wantKind(t, err, identity.NotFound, "")
	h.holds(app, identity.Ownership, second.ForeignID, bob.ID) // the application says it in its own words
	if left := must[identity.Page[provisioning.OpenTransfer]](t)(h.OpenTransfers(h.ctx, app, "sync", "", 5)); len(left.Items) != 0 || h.heldBy(boss, ada.ID) != "" {
		t.Errorf("still open: %+v", left.Items)
	}
	page2 := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.TransferAcknowledged, Limit: 5}))
	if len(page2.Items) != 2 || page2.Items[0].Reason != "ada leaves" || page2.Items[0].UserID != bob.ID || page2.Items[0].ActorID != app.ID {
		t.Errorf("the events are %+v", page2.Items)
	}
}

// noticed checks a notice as the application would.
func (h *house) noticed(t *testing.T, o provisioning.OpenTransfer, ada, bob identity.User) {
	t.Helper()
	signed := must[*jose.JSONWebSignature](t)(jose.ParseSignedCompact(o.Token, []jose.SignatureAlgorithm{jose.EdDSA}))
	var public any
	h.ok(h.db.View(h.ctx, func(tx *store.Tx) (err error) { public, err = tx.VerifyingKey(h.ctx); return err }))
	raw := must[[]byte](t)(signed.Verify(public))
	var notice struct {
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		Events   map[string]struct {
			Kind, ID, Reason string
			From, To         struct{ ID, UserName, Email string }
		}
	}
	h.ok(json.Unmarshal(raw, &notice))
	e, ok := notice.Events[provisioning.TransferRequestedURN]
	if !ok || notice.Audience != "sync" || notice.ID != string(o.Transfer.ID) || e.ID != o.ForeignID || e.From.ID != string(ada.ID) || e.To.ID != string(bob.ID) || e.To.Email != bob.Email() || e.Reason != "ada leaves" {
		t.Errorf("the notice says %s", raw)
	}
}

func TestWorkThatIsOpenIsListedAndReassigned(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		t.Run("FSM-68 open work orders are listed and reassigned before the account is deactivated", func(t *testing.T) {
			home := h.home()
			_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
			ada, _ := h.staff(home.ID, "ada@acme.test", "technician")
			bob, _ := h.staff(home.ID, "bob@acme.test", "technician")
			app := h.directory("Field service", home.ID, identity.DialectStandard)
			h.holds(app, identity.OpenTask, "wo-1", ada.ID)
			h.holds(app, identity.OpenTask, "wo-2", ada.ID)
			plan := must[provisioning.DeletePlan](t)(h.DeletePlan(h.ctx, boss, ada.ID))
			if len(plan.OpenTasks()) != 2 {
				t.Fatalf("the dialog lists %+v", plan.Holdings)
			}
			keys := []identity.HoldingKey{plan.Holdings[0].HoldingKey}
			must[[]identity.Holding](t)(h.TransferHoldings(h.ctx, boss, ada.ID, bob.ID, keys, "on leave"))
			plan = must[provisioning.DeletePlan](t)(h.DeletePlan(h.ctx, boss, ada.ID))
			if len(plan.OpenTasks()) != 1 || plan.OpenTasks()[0].ForeignID != "wo-2" {
				t.Errorf("what is still nobody's: %+v", plan.OpenTasks())
			}
			must[[]identity.Holding](t)(h.TransferHoldings(h.ctx, boss, ada.ID, bob.ID, nil, "on leave"))
			must[identity.User](t)(h.DeactivateUser(h.ctx, boss, ada.ID, "left"))
		})
	})
}

func TestOpenWorkHoldsBackPeopleAndNotDirectories(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
		hr := h.directory("HR", home.ID, identity.DialectStandard)
		ada := h.push(hr, "ada@acme.test")
		h.holds(hr, identity.OpenTask, "wo-1", ada.ID)
		h.holds(hr, identity.Ownership, "van", ada.ID) // owning something is no work
		t.Run("FSM-69 an administrator cannot deactivate somebody with open work, and is told which", func(t *testing.T) {
			for _, by := range []identity.Actor{boss, h.op} {
				_, err := h.DeactivateUser(h.ctx, by, ada.ID, "left")
				wantKind(t, err, identity.Conflict, "open_assignments")
				if !strings.Contains(err.Error(), "(The wo-1)") {
					t.Errorf("which work it is: %v", err)
				}
				wantKind(t, h.EraseUser(h.ctx, by, ada.ID, 0, "left"), identity.Conflict, "open_assignments")
			}
		})
		t.Run("FSM-69 where the model only warns it is done and the event says so", func(t *testing.T) { h.warns(t, boss, ada.ID) })
		t.Run("FSM-69 a directory deactivates at once and the event is flagged", func(t *testing.T) {
			must[identity.User](t)(h.UpdateUser(h.ctx, hr, ada.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
			h.flagged(t, ada.ID)
		})
	})
}

// warns deactivates and lets in again with a model that only warns.
func (h *house) warns(t *testing.T, boss identity.Actor, id identity.UserID) {
	source := strings.Replace(string(h.Model().Source()), "on_person: block", "on_person: warn", 1)
	mild := provisioning.New(h.db, must[*access.Model](t)(access.Parse("mild", []byte(source))))
	must[identity.User](t)(mild.DeactivateUser(h.ctx, boss, id, "left"))
	h.flagged(t, id)
	must[identity.User](t)(h.ActivateUser(h.ctx, boss, id, "came back"))
}

// flagged checks that the last deactivation says what was left undone.
func (h *house) flagged(t *testing.T, id identity.UserID) {
	t.Helper()
	page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: id, Type: identity.UserDeactivated, Limit: 1}))
	for _, c := range page.Items[0].Changes {
		if c.Field == "open work" && fmt.Sprint(c.After) == "1" {
			return
		}
	}
	t.Errorf("the event says nothing of open work: %+v", page.Items[0])
}

func TestATenantSeesItsOwnHoldingsOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		ada, eve := h.userIn(acme.ID, "ada@acme.test", "viewer"), h.userIn(beta.ID, "eve@beta.test", "viewer")
		mine, theirs := h.administrator("boss@acme.test", acme.ID, "administrator"), h.administrator("boss@beta.test", beta.ID, "administrator")
		x := h.holds(mine, identity.Ownership, "x", ada.ID)
		wantKind(t, h.DeleteHolding(h.ctx, theirs, x.HoldingKey), identity.NotFound, "")
		_, err := h.PutHolding(h.ctx, theirs, identity.Holding{HoldingKey: x.HoldingKey, UserID: eve.ID})
		wantKind(t, err, identity.Conflict, "uniqueness")
		_, err = h.TransferHoldings(h.ctx, theirs, ada.ID, eve.ID, nil, "")
		wantKind(t, err, identity.NotFound, "")
		_, err = h.TransferHoldings(h.ctx, h.op, ada.ID, eve.ID, nil, "")
		wantKind(t, err, identity.Invalid, "")
		if got := h.heldBy(theirs, ada.ID); got != "" {
			t.Errorf("another tenant sees %q", got)
		}
	})
}
