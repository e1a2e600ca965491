package provisioning_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// review begins a review and returns its items by the person's user name.
func (h *house) review(by identity.Actor, scope string) (identity.AccessReview, map[string]identity.AccessReviewItem) {
	h.t.Helper()
	parsed := must[identity.AccessReviewScope](h.t)(identity.ParseAccessReviewScope(scope))
	r := must[identity.AccessReview](h.t)(h.StartAccessReview(h.ctx, by, provisioning.NewAccessReview{Scope: parsed}))
	d := must[provisioning.AccessReviewDetail](h.t)(h.AccessReview(h.ctx, by, r.ID, false, identity.Query{Limit: 100}))
	items := map[string]identity.AccessReviewItem{}
	for _, i := range d.Items.Items {
		items[i.User.UserName] = i
	}
	return r, items
}

// decide decides one item.
func (h *house) decide(by identity.Actor, r identity.AccessReview, v provisioning.AccessVerdict) error {
	h.t.Helper()
	out := must[[]provisioning.AccessOutcome](h.t)(h.DecideAccessReview(h.ctx, by, r.ID, []provisioning.AccessVerdict{v}))
	return out[0].Err
}

func names(items map[string]identity.AccessReviewItem) []string {
	var out []string
	for name := range items {
		out = append(out, strings.TrimSuffix(name, "@example.com"))
	}
	slices.Sort(out)
	return out
}

func TestAReviewTakesUpWhatItsScopeSays(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		boss := h.boss("boss@example.com", "administrator")
		h.hire("keeper@example.com", "integration_manager")
		h.hire("ada@example.com", "viewer")
		gone := h.hire("gone@example.com", "administrator")
		if err := h.DeleteUser(h.ctx, h.op, gone.ID, 0); err != nil {
			t.Fatal(err)
		}
		for scope, want := range map[string]string{"administrators": "boss", "role:viewer": "ada", "everybody": "ada boss keeper", "sensitive": "boss keeper", "dormant:90": ""} {
			if _, items := h.review(boss, scope); strings.Join(names(items), " ") != want {
				t.Errorf("%s takes up %v", scope, names(items))
			}
		}
		_, items := h.review(boss, "sensitive")
		t.Run("FC-51 a sensitive permission has its own line in the review", func(t *testing.T) {
			if got := items["keeper@example.com"]; !slices.Equal(got.Sensitive, []string{"Connection Config: view, edit"}) || got.GrantedReason != "hired" || !got.Held {
				t.Errorf("%+v", got)
			}
		})
		for _, wrong := range []identity.AccessReviewScope{{Kind: "moon"}, {Kind: identity.ReviewRole, Role: "lost"}, {Kind: identity.ReviewRole}, {Kind: identity.ReviewDormant, Days: -1}} {
			_, err := h.StartAccessReview(h.ctx, boss, provisioning.NewAccessReview{Scope: wrong})
			wantKind(t, err, identity.Invalid, "")
		}
		_, err := h.StartAccessReview(h.ctx, h.boss("v@example.com", "viewer"), provisioning.NewAccessReview{Scope: identity.AccessReviewScope{Kind: identity.ReviewEverybody}})
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestWhatAReviewerDecidesIsDoneAtOnce(t *testing.T) {
	t.Run("FC-56 the reviewer keeps, takes away or changes in place", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) { decides(t, h) })
	})
	t.Run("FC-55 people who left are found and kept out together", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) { findsLeavers(t, h) })
	})
}

func decides(t *testing.T, h *house) {
	boss, eve := h.boss("boss@example.com", "administrator"), h.boss("eve@example.com", "administrator")
	ada, bob, cy := h.hire("ada@example.com", "integration_manager"), h.hire("bob@example.com", "integration_manager"), h.hire("cy@example.com", "viewer")
	r, items := h.review(boss, "everybody")
	item := func(name string) identity.AssignmentID { return items[name+"@example.com"].ID }
	if err := h.decide(boss, r, provisioning.AccessVerdict{Item: item("eve"), Decision: identity.AccessKeep}); err != nil {
		t.Error(err)
	}
	err := h.decide(boss, r, provisioning.AccessVerdict{Item: item("boss"), Decision: identity.AccessKeep})
	wantKind(t, err, identity.Forbidden, "access_review.own")
	err = h.decide(boss, r, provisioning.AccessVerdict{Item: item("ada"), Decision: identity.AccessRevoke})
	wantKind(t, err, identity.Invalid, "reason_required")
	if err := h.decide(boss, r, provisioning.AccessVerdict{Item: item("ada"), Decision: identity.AccessRevoke, Reason: "left the team"}); err != nil || h.roles(ada.ID) != "viewer " {
		t.Errorf("%v: she has %s", err, h.roles(ada.ID))
	}
	if e := h.lastEvent(identity.RoleAssigned); !strings.HasPrefix(e.Reason, "review Everybody, ") || !strings.HasSuffix(e.Reason, ": left the team") {
		t.Errorf("the event says %q", e.Reason)
	}
	if err := h.decide(boss, r, provisioning.AccessVerdict{Item: item("bob"), Decision: identity.AccessChange, Role: "restricted", Reason: "new job"}); err != nil || h.roles(bob.ID) != "restricted " {
		t.Errorf("%v: he has %s", err, h.roles(bob.ID))
	}
	err = h.decide(boss, r, provisioning.AccessVerdict{Item: item("bob"), Decision: identity.AccessRevoke, Reason: "again"})
	wantKind(t, err, identity.Conflict, "access_review.gone")
	err = h.decide(boss, r, provisioning.AccessVerdict{Item: item("cy"), Decision: identity.AccessRevoke, Reason: "left"})
	wantKind(t, err, identity.Conflict, "role_bounds")
	wantSentence(t, err, "cy@example.com has no other role, and everybody needs one role: choose another role or deactivate the person.")
	err = h.decide(eve, r, provisioning.AccessVerdict{Item: item("boss"), Decision: identity.AccessRevoke, Reason: "enough"})
	if err != nil || h.roles(boss.UserID()) != "viewer " {
		t.Error(err)
	}
	_, err = h.DecideAccessReview(h.ctx, h.as(boss.UserID()), r.ID, nil)
	wantKind(t, err, identity.Forbidden, "") // an administrator no more
	err = h.decide(h.op, r, provisioning.AccessVerdict{Item: item("eve"), Decision: identity.AccessRevoke, Reason: "all must go"})
	wantKind(t, err, identity.Forbidden, "last_administrator")
	closed := must[identity.AccessReview](t)(h.CloseAccessReview(h.ctx, eve, r.ID, "done"))
	if closed.Undecided != 1 || closed.ClosedBy != "eve@example.com" {
		t.Errorf("%+v", closed)
	}
	left := must[provisioning.AccessReviewDetail](t)(h.AccessReview(h.ctx, eve, r.ID, true, identity.Query{Limit: 100, Total: true}))
	if left.Items.Total != 1 || left.Items.Items[0].UserID != cy.ID {
		t.Errorf("undecided are %+v", left.Items)
	}
	_, err = h.DecideAccessReview(h.ctx, eve, r.ID, []provisioning.AccessVerdict{{Item: item("cy"), Decision: identity.AccessKeep}})
	wantKind(t, err, identity.Conflict, "access_review.closed")
	_, err = h.CloseAccessReview(h.ctx, eve, r.ID, "")
	wantKind(t, err, identity.Conflict, "access_review.closed")
	if e := h.lastEvent(identity.AccessReviewClosed); e.Reason != "done" || change(e, "undecided").After == nil {
		t.Errorf("%+v", e)
	}
}

func findsLeavers(t *testing.T, h *house) {
	boss := h.boss("boss@example.com", "administrator")
	okta := h.directory("Okta", h.account().ID, identity.DialectOkta)
	gone, here, idle, off := h.push(okta, "gone@example.com"), h.push(okta, "here@example.com"), h.hire("idle@example.com", "viewer"), h.hire("off@example.com", "viewer")
	must[identity.User](t)(h.UpdateUser(h.ctx, okta, gone.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
	must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, off.ID, ""))
	err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.SetLastLogin(h.ctx, idle.ID, tx.Now().AddDate(0, 0, -100)) })
	if err != nil {
		t.Fatal(err)
	}
	r, items := h.review(boss, "dormant:90")
	if got := names(items); !slices.Equal(got, []string{"gone", "idle", "off"}) {
		t.Fatalf("dormant are %v, and not %s", got, here.UserName)
	}
	if known := items["gone@example.com"].Known; len(known) != 1 || known[0].DirectoryName != "Okta" || known[0].Active {
		t.Errorf("upstream says %+v", known)
	}
	var verdicts []provisioning.AccessVerdict
	for _, i := range items {
		verdicts = append(verdicts, provisioning.AccessVerdict{Item: i.ID, Decision: identity.AccessDeactivate, Reason: "not seen"})
	}
	for _, o := range must[[]provisioning.AccessOutcome](t)(h.DecideAccessReview(h.ctx, boss, r.ID, verdicts)) {
		if o.Err != nil {
			t.Error(o.Err)
		}
	}
	if u := must[identity.User](t)(h.User(h.ctx, h.op, idle.ID)); u.Enabled || !u.Held {
		t.Errorf("%+v", u)
	}
	if e := h.lastEvent(identity.UserDeactivated); !strings.HasSuffix(e.Reason, ": not seen") {
		t.Errorf("the event says %q", e.Reason)
	}
}

func TestTheEvidenceOfAReviewCanBeProved(t *testing.T) {
	t.Run("FC-57 the evidence is a file whose hash its event keeps", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			boss := h.boss("boss@example.com", "administrator")
			h.hire("=cmd@example.com", "administrator")
			r, items := h.review(boss, "administrators")
			if err := h.decide(boss, r, provisioning.AccessVerdict{Item: items["=cmd@example.com"].ID, Decision: identity.AccessKeep, Reason: "still needed"}); err != nil {
				t.Fatal(err)
			}
			var file bytes.Buffer
			hash := must[string](t)(h.WriteAccessReview(h.ctx, boss, r.ID, &file))
			if sum := sha256.Sum256(file.Bytes()); hash != hex.EncodeToString(sum[:]) || change(h.lastEvent(identity.AccessReviewCopied), "sha256").After != hash {
				t.Errorf("the hash is %s", hash)
			}
			rows := must[[][]string](t)(csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Bytes(), []byte("\ufeff")))).ReadAll())
			column := func(name string) int { return slices.Index(rows[0], name) }
			if len(rows) != 3 || rows[1][column("decision")] != "undecided" || rows[2][column("decision")] != "keep" || rows[2][column("why")] != "still needed" || rows[2][column("user name")] != "'=cmd@example.com" {
				t.Errorf("the file is %q", rows)
			}
			_, err := h.WriteAccessReview(h.ctx, boss, identity.NewID[identity.AccessReviewID](), &file)
			wantKind(t, err, identity.NotFound, "")
		})
	})
}

func TestReviewsOfAdministratorsBeginByThemselves(t *testing.T) {
	t.Run("FC-57 every 90 days a review begins, with reminders before and after it is due", func(t *testing.T) {
		storetest.SQLite(t) // makes the template outside the bubble
		synctest.Test(t, func(t *testing.T) {
			h := houseOn(t, storetest.SQLite(t), "fentu-connect")
			h.hire("boss@example.com", "administrator")
			var began, reminded []int
			for n := range 130 {
				b, r, err := h.KeepAccessReviews(h.ctx, identity.System())
				if err != nil {
					t.Fatal(err)
				}
				if again, _, _ := h.KeepAccessReviews(h.ctx, identity.System()); again != 0 {
					t.Error("it began twice")
				}
				if b > 0 {
					began = append(began, n)
				}
				if r > 0 {
					reminded = append(reminded, n)
				}
				<-time.After(24*time.Hour + time.Second)
			}
			if !slices.Equal(began, []int{90}) || !slices.Equal(reminded, []int{97, 103, 104, 111, 118, 125}) {
				t.Errorf("began on day %v, reminded on %v", began, reminded)
			}
			mails := h.mailsTo("boss@example.com")
			if len(mails) != 7 || !strings.HasPrefix(mails[0], "A review of access has begun: Administrators") || !strings.Contains(mails[2], "is due on") || !strings.Contains(mails[6], "is overdue since") {
				t.Errorf("the mails are %q", mails)
			}
		})
	})
	t.Run("a model that asks for none begins none", func(t *testing.T) {
		eachOn(t, "etlworks", func(t *testing.T, h *house) {
			began, reminded, err := h.KeepAccessReviews(h.ctx, identity.System())
			if began != 0 || reminded != 0 || err != nil {
				t.Error(began, reminded, err)
			}
		})
	})
}

func TestAReviewStaysInItsTenant(t *testing.T) {
	eachOn(t, "etlworks", func(t *testing.T, h *house) {
		boss, other := h.boss("boss@example.com", "administrator"), h.tenant("Other")
		must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("x@other.test"), other.ID), Role: "administrator"}))
		r, items := h.review(boss, "everybody")
		if r.TenantID != boss.TenantID || len(items) != 1 {
			t.Errorf("%+v takes up %v", r, names(items))
		}
		_, err := h.StartAccessReview(h.ctx, boss, provisioning.NewAccessReview{Tenant: other.ID, Scope: identity.AccessReviewScope{Kind: identity.ReviewEverybody}})
		wantKind(t, err, identity.NotFound, "")
		whole, all := h.review(h.op, "everybody")
		if whole.TenantID != "" || len(all) != 2 {
			t.Errorf("%+v takes up %v", whole, names(all))
		}
		_, err = h.AccessReview(h.ctx, boss, whole.ID, false, identity.Query{Limit: 10})
		wantKind(t, err, identity.NotFound, "")
		if page := must[identity.Page[identity.AccessReview]](t)(h.AccessReviews(h.ctx, boss, provisioning.AccessReviewQuery{Limit: 10})); len(page.Items) != 1 {
			t.Errorf("the administrator sees %+v", page.Items)
		}
	})
}
