package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// held makes a plan that a guard holds: a whole list from which most people are missing.
func (s *site) held(t *testing.T, b *browser) reply {
	t.Helper()
	var all strings.Builder
	all.WriteString("email\n")
	for i := range 14 {
		fmt.Fprintf(&all, "p%d@acme.example\n", i)
	}
	first := b.planOf(all.String(), nil)
	b.post(first.path+"/apply", nil).is(http.StatusOK)
	s.work(t)
	return b.planOf("email\np0@acme.example\n", url.Values{"whole": {"1"}})
}

func TestAPlanThatIsHeldIsApprovedOrRejected(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		plan := s.held(t, b)
		plan.says("Held", "It is held, and nothing has changed.", "13 kept out").has(plan.path + "/approve").hides(plan.path + "/apply\"")
		b.get("/console/imports?state=held").is(http.StatusOK).says("people.csv", "Held")
		b.get("/account").has("1 plan waits to be decided")
		b.post(plan.path+"/apply", nil).is(http.StatusPreconditionFailed).says("The plan is held")
		t.Run("a reason is asked for at its field", func(t *testing.T) {
			b.get(plan.path + "/approve").is(http.StatusOK).says("13 people may no longer come in")
			b.post(plan.path+"/approve", nil).is(http.StatusBadRequest).says("Say why").has(`id="reason-error"`)
		})
		t.Run("a viewer decides nothing", func(t *testing.T) {
			vera := s.signedIn("vera@acme.example")
			for _, act := range []string{"approve", "reject", "stop"} {
				vera.get(plan.path + "/" + act).is(http.StatusForbidden)
				vera.post(plan.path+"/"+act, url.Values{"reason": {"forged"}}).is(http.StatusForbidden)
			}
		})
		b.post(plan.path+"/approve", url.Values{"reason": {"the branch was sold"}}).is(http.StatusOK).says("The plan is approved", "Ready", "Approved by Ada Lovelace", "the branch was sold")
		if !s.somebody(t, "p9@acme.example").Enabled {
			t.Error("approving a plan applied it")
		}
		b.post(plan.path+"/apply", nil).is(http.StatusOK)
		s.work(t)
		b.get(plan.path).says("Applied")
		if s.somebody(t, "p9@acme.example").Enabled {
			t.Error("the plan kept nobody out")
		}
	})
}

func TestAPlanIsRejectedOrStopped(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		plan := s.held(t, b)
		b.get(plan.path + "/reject").is(http.StatusOK).says("never applied")
		b.post(plan.path+"/reject", url.Values{"reason": {"a broken export"}}).is(http.StatusOK).says("Rejected", "Rejected by Ada Lovelace", "a broken export").hides(plan.path+"/apply\"", plan.path+"/approve")
		b.post(plan.path+"/apply", nil).is(http.StatusPreconditionFailed).says("was rejected by Ada Lovelace")

		next := b.planOf("email\nq@acme.example\n", nil)
		b.post(next.path+"/apply", nil).is(http.StatusOK).has(next.path + "/stop")
		b.get(next.path + "/stop").is(http.StatusOK).says("What was done stays done")
		b.post(next.path+"/stop", nil).is(http.StatusOK).says("Ready")
		s.work(t)
		s.nobody(t, "q@acme.example")
		b.post(next.path+"/drop", nil).is(http.StatusOK).says("The plan was thrown away")
		b.get(next.path).is(http.StatusNotFound)
	})
}

func TestAPlanSaysWhomSomebodyElseChangedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		first := b.planOf("email,title\np@acme.example,Clerk\n", nil)
		b.post(first.path+"/apply", nil).is(http.StatusOK)
		s.work(t)
		plan := b.planOf("email,title\np@acme.example,Chief\n", nil)
		p := s.somebody(t, "p@acme.example")
		b.post("/console/users/"+string(p.ID), url.Values{"version": {fmt.Sprint(p.Version)}, "displayname": {"Changed By Hand"}, "username": {p.UserName}, "email": {"p@acme.example"}}).is(http.StatusOK)
		b.post(plan.path+"/apply", nil).is(http.StatusOK)
		s.work(t)
		b.get(plan.path).says("1 person was changed by somebody else meanwhile", "Ready")
		b.get(plan.path+"?state=changed").says("changed meanwhile", "Chief")
		if got := s.now(p.ID).DisplayName; got != "Changed By Hand" {
			t.Errorf("the name is %q", got)
		}
	})
}
