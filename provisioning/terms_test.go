package provisioning_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// dayFrom is a day so many days from now, as a table has it.
func dayFrom(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }

func (h *house) terms(id identity.UserID) identity.Terms {
	h.t.Helper()
	return must[provisioning.UserDetail](h.t)(h.UserDetail(h.ctx, h.op, id)).Terms
}

// dueNow makes the start or the end of somebody be over, as time does.
func (h *house) dueNow(id identity.UserID, change func(t *identity.Terms, past *time.Time)) {
	h.t.Helper()
	h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
		t, err := tx.Terms(h.ctx, id)
		past := tx.Now().Add(-time.Second)
		if err != nil {
			return err
		}
		change(&t, &past)
		return tx.PutTerms(h.ctx, t)
	}))
}

func starts(t *identity.Terms, past *time.Time) { t.StartsAt = past }

func ends(t *identity.Terms, past *time.Time) { t.EndsAt = past }

// runTerms does what is due and returns how many people that were.
func (h *house) runTerms() int {
	h.t.Helper()
	return must[int](h.t)(h.RunTerms(h.ctx, identity.System()))
}

func TestSomebodyStartsLater(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.account()
		o := provisioning.ImportOptions{Source: "workday"}
		o.Welcome = identity.WelcomeInvite
		h.bring(o, "email,displayName,Hire Date", "ada@acme.test,Ada,"+dayFrom(30))
		ada := h.known("ada@acme.test")
		t.Run("a hire of the future is there and may not come in, and no mail has left", func(t *testing.T) {
			if ada.Enabled || ada.Held || len(h.post()) != 0 {
				t.Errorf("%+v, mails %v", ada, h.post())
			}
			if h.runTerms() != 0 {
				t.Error("let in too early")
			}
		})
		t.Run("neither a directory nor anybody by hand lets the person in meanwhile", func(t *testing.T) {
			okta := h.directory("Okta", home.ID, identity.DialectOkta)
			u := h.push(okta, "ada@acme.test")
			if u.ID != ada.ID || u.Enabled {
				t.Errorf("%+v", u)
			}
			u = must[identity.User](t)(h.UpdateUser(h.ctx, okta, ada.ID, 0, func(u *identity.User) error { u.Enabled, u.DisplayName = true, "Ada L."; return nil }))
			if u.Enabled {
				t.Error("the directory let her in")
			}
			_, err := h.ActivateUser(h.ctx, h.op, ada.ID, "")
			wantKind(t, err, identity.Precondition, "terms")
		})
		t.Run("on the day of the start the person may come in, gets the mail, and it happens once", func(t *testing.T) {
			h.dueNow(ada.ID, starts)
			if h.runTerms() != 1 || h.runTerms() != 0 {
				t.Error("not once")
			}
			u := h.known("ada@acme.test")
			e := h.lastEvent(identity.UserActivated)
			if !u.Enabled || e.UserID != ada.ID || e.Reason != "start date of source workday" {
				t.Errorf("%+v, %+v", u, e)
			}
			token(t, h.letter("ada@acme.test"), "join")
		})
		t.Run("whom an administrator deactivates before the start, the start does not let in", func(t *testing.T) {
			h.bring(o, "email,displayName,startDate", "bob@acme.test,Bob,"+dayFrom(3))
			bob := h.known("bob@acme.test")
			must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, bob.ID, "changed our minds"))
			h.dueNow(bob.ID, starts)
			h.runTerms()
			if u := h.known("bob@acme.test"); u.Enabled || len(h.post()) != 0 {
				t.Errorf("%+v, %v", u, h.post())
			}
		})
	})
}

func TestSomebodyLeavesOnADay(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		o := provisioning.ImportOptions{Source: "workday"}
		h.boss("boss@acme.test", "administrator")
		h.bring(o, "email,displayName,Vertragsende", "ada@acme.test,Ada,"+dayFrom(10), "bob@acme.test,Bob,31.12.9999")
		ada, bob := h.known("ada@acme.test"), h.known("bob@acme.test")
		t.Run("a day is the whole day: it ends with it", func(t *testing.T) {
			want := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 11)
			if got := h.terms(ada.ID); got.EndsAt == nil || !got.EndsAt.Equal(want) || !ada.Enabled {
				t.Errorf("%+v, want %v", got, want)
			}
			if got := h.terms(bob.ID); !got.None() {
				t.Errorf("the year 9999 is no end: %+v", got)
			}
		})
		t.Run("whoever is past the end is kept out, with the reason, and every session ends", func(t *testing.T) {
			h.session(ada.ID)
			h.dueNow(ada.ID, ends)
			if h.runTerms() != 1 || h.runTerms() != 0 {
				t.Error("not once")
			}
			e := h.lastEvent(identity.UserDeactivated)
			if u := h.known("ada@acme.test"); u.Enabled || u.Held || h.sessions(ada.ID) != 0 || e.Reason != "end date of source workday" || e.ActorKind != identity.ActorSystem {
				t.Errorf("%+v, %+v", u, e)
			}
		})
		t.Run("a later end lets the person in again, and taking it away too", func(t *testing.T) {
			p := h.plan(o, "email,endDate", "ada@acme.test,"+dayFrom(20))
			h.wantSteps(t, p.ID, "2 restore open Ada")
			h.apply(p.ID)
			if u := h.known("ada@acme.test"); !u.Enabled {
				t.Error("still out")
			}
			changed := h.lastEvent(identity.UserTermsChanged)
			if c := change(changed, "endDate"); c.After != dayFrom(20) || changed.Reason != "import people.csv, line 2" {
				t.Errorf("%+v", changed)
			}
			past := time.Now().Add(-time.Hour)
			if u := must[identity.User](t)(h.SetTerms(h.ctx, h.op, ada.ID, nil, &past, "left early")); u.Enabled {
				t.Error("an end in the past is due at once")
			}
			if u := must[identity.User](t)(h.SetTerms(h.ctx, h.op, ada.ID, nil, nil, "stays")); !u.Enabled || !h.terms(ada.ID).None() {
				t.Errorf("%+v", h.terms(ada.ID))
			}
		})
		t.Run("what is no date, or an end before the start, is an error of its row", func(t *testing.T) {
			p := h.plan(o, "email,startDate,endDate", "ada@acme.test,01/02/2027,", "bob@acme.test,2027-05-01,2027-04-01", "new@acme.test,2027-05-01,2027-04-01")
			h.wantSteps(t, p.ID, `2 error none ada@acme.test: startDate: startDate is "01/02/2027". Write a day as 2006-01-02`, "3 error none bob@acme.test: endDate: The end is not after the start.", "4 error none new@acme.test: endDate: The end")
		})
		t.Run("dates are an administrator's to set, of the own tenant alone, and not for the own account", func(t *testing.T) {
			past := time.Now().Add(-time.Hour)
			boss := h.as(h.known("boss@acme.test").ID)
			_, err := h.SetTerms(h.ctx, boss, boss.UserID(), nil, &past, "")
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.SetTerms(h.ctx, h.as(h.hire("plain@acme.test", "dispatcher").ID), ada.ID, nil, &past, "")
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

func TestTheEndOfTheLastAdministratorIsSaidOnce(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		h.boss("boss@acme.test", "administrator")
		boss := h.known("boss@acme.test")
		soon := time.Now().Add(time.Hour)
		must[identity.User](t)(h.SetTerms(h.ctx, h.op, boss.ID, nil, &soon, ""))
		h.dueNow(boss.ID, ends)
		for range 2 {
			if h.runTerms() != 0 {
				t.Error("it was done")
			}
		}
		u, terms := h.known("boss@acme.test"), h.terms(boss.ID)
		if !u.Enabled || terms.Ended || terms.Over(time.Now()) {
			t.Errorf("%+v %+v", u, terms)
		}
		if mails := h.post(); len(mails) != 1 || !strings.Contains(mails[0].Text, "last Administrator") {
			t.Errorf("%d mails: %+v", len(mails), mails)
		}
		h.boss("second@acme.test", "administrator")
		h.dueNow(boss.ID, func(t *identity.Terms, past *time.Time) { *t.KeptAt = past.Add(-2 * time.Hour) })
		if h.runTerms() != 1 || h.known("boss@acme.test").Enabled {
			t.Error("it is not tried again")
		}
	})
}

func TestErasingAManagerLeavesNoNameWithAnybody(t *testing.T) {
	eachOpened(t, "fentu-fsm", func(t *testing.T, h *opened) {
		h.account()
		h.boss("boss@acme.test", "administrator")
		o := provisioning.ImportOptions{Source: "hr"}
		head := "employeeNumber,email,displayName,costCenter,startDate,endDate,manager"
		h.bring(o, head, "1,zelda.quirk@acme.test,Zelda Quirk,Quirks,,"+dayFrom(5)+",", "2,ada@acme.test,Ada,,,,zelda.quirk@acme.test")
		h.bring(o, head, "2,ada@acme.test,Ada,,,,zelda.quirk@acme.test", "3,bob@acme.test,Bob,,,,Zelda.Quirk@acme.test")
		zelda := h.house.known("zelda.quirk@acme.test")
		h.ok(h.EraseUser(h.ctx, h.op, zelda.ID, 0, "asked for it"))
		for _, word := range []string{"uirk", "zelda"} {
			if left := h.everywhere(word); len(left) > 0 {
				t.Errorf("%q is still in %v", word, left)
			}
		}
		if got := h.row("hr", "ada@acme.test")["manager"]; got != "" {
			t.Error(got)
		}
	})
}

func TestAMergeTakesTermsAndSourcesAlong(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		h.boss("boss@acme.test", "administrator")
		o := provisioning.ImportOptions{Source: "hr"}
		h.bring(o, "externalId,email,displayName,title,endDate", "X1,ada@acme.test,Ada,Analyst,"+dayFrom(5))
		twin, keep := h.known("ada@acme.test"), h.hire("ada.l@acme.test", "dispatcher")
		must[provisioning.MergePlan](t)(h.MergeUsers(h.ctx, h.op, provisioning.Merge{Keep: provisioning.PlacedUser{ID: keep.ID}, Drop: provisioning.PlacedUser{ID: twin.ID}}))
		if got := h.terms(keep.ID); got.EndsAt == nil {
			t.Error("the end is lost")
		}
		p := h.plan(o, "externalId,title", "X1,Head")
		if steps := h.planSteps(p.ID); len(steps) != 1 || steps[0].UserID != keep.ID {
			t.Errorf("%+v", steps)
		}
	})
}
