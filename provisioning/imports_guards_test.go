package provisioning_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestAnHRSystemDropsAFile(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		h.boss("boss@acme.test", "administrator")
		o := provisioning.ImportOptions{Source: "workday"}
		lines := []string{"Employee ID,Primary Work Email,Legal First Name,Active Status"}
		for i := range 30 {
			lines = append(lines, fmt.Sprintf("%d,p%02d@acme.test,P%02d,Active", i, i, i))
		}
		h.bring(o, lines...)
		missing := o
		missing.Missing = true
		t.Run("MIS-10 an HR system that cannot push by SCIM drops a file: whom its next file no longer has is deactivated, if that is asked for", func(t *testing.T) {
			h.hire("local@acme.test", "dispatcher")
			p := h.plan(missing, lines[:30]...)
			h.wantSteps(t, p.ID, "31 deactivate open P29")
			if p.Summary.Skip != 29 || p.State != identity.PlanReady || p.Summary.Deactivate != 1 {
				t.Fatalf("%+v", p)
			}
			h.apply(p.ID)
			if u := h.known("p29@acme.test"); u.Status() != identity.StatusInactive {
				t.Error("the leaver is still let in")
			}
			if u := h.known("local@acme.test"); !u.Enabled {
				t.Error("somebody whom the source never had was deactivated")
			}
		})
		t.Run("MIS-10 a file that would keep many out is held until somebody says why, and so is an empty one", func(t *testing.T) {
			p := h.plan(missing, lines[:10]...)
			if p.State != identity.PlanHeld || p.Summary.Deactivate != 20 || len(p.Summary.Holds) < 1 {
				t.Fatalf("%+v", p)
			}
			_, err := h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{})
			wantKind(t, err, identity.Precondition, "plan_held")
			if u := h.known("p20@acme.test"); !u.Enabled {
				t.Error("it was carried out all the same")
			}
			done := must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{Override: "the branch was closed"}))
			if done.Summary.Done != 20 || h.lastEvent(identity.PlanApplied).Reason != "the branch was closed" {
				t.Errorf("%+v", done)
			}
			if p := h.plan(missing, lines[0]); p.State != identity.PlanHeld || !strings.Contains(strings.Join(p.Summary.Holds, " "), "no rows") {
				t.Errorf("%+v", p)
			}
		})
		t.Run("MIS-10 a row that cannot be used is no sign that somebody left", func(t *testing.T) {
			p := h.plan(missing, append(append([]string{}, lines[:9]...), "8,broken address,P,Active")...)
			if p.Summary.Deactivate != 0 || p.Summary.Errors != 1 {
				t.Errorf("%+v\n%s", p.Summary, strings.Join(h.steps(p.ID), "\n"))
			}
		})
	})
}

func TestAPlanThatLosesAnAdministratorIsHeld(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		h.boss("boss@acme.test", "administrator")
		o := provisioning.ImportOptions{}
		t.Run("MIS-10 losing an administrator holds a plan, and the last one is never lost", func(t *testing.T) {
			h.boss("second@acme.test", "administrator")
			p := h.plan(o, "email,active", "second@acme.test,no")
			if p.State != identity.PlanHeld || !strings.Contains(p.Summary.Holds[0], "second@acme.test") {
				t.Fatalf("%+v", p)
			}
			p = h.plan(o, "email,active", "second@acme.test,no", "boss@acme.test,no")
			h.wantSteps(t, p.ID, "2 update open second@acme.test", "3 error none boss@acme.test: : boss@acme.test is the last Administrator")
		})
	})
}

func TestRolesOfAFileAreTheSourcesOwn(t *testing.T) {
	eachOn(t, "fintechos", func(t *testing.T, h *house) {
		home := h.account()
		var roles []identity.RoleID
		for _, r := range h.Model().Roles() {
			if r.Scope == identity.ScopeTenant && h.Model().Assignable(r.ID) && !h.Model().Privileged(r.ID) {
				roles = append(roles, r.ID)
			}
		}
		if len(roles) < 3 {
			t.Fatal(roles)
		}
		o := provisioning.ImportOptions{Tenant: home.ID, Source: "hr"}
		h.bring(o, "userName,email,displayName,role", fmt.Sprintf("ada,ada@acme.test,Ada,\"%s, %s\"", roles[0], roles[1]))
		ada := h.known("ada@acme.test")
		t.Run("MIS-08 a file takes away what it gave and leaves what an administrator gave", func(t *testing.T) {
			must[identity.User](t)(h.AssignRole(h.ctx, h.op, ada.ID, roles[2], "by hand"))
			h.bring(o, "userName,role", "ada,"+string(roles[1]))
			got := h.roles(ada.ID)
			if strings.Contains(got, string(roles[0])+" ") || !strings.Contains(got, string(roles[1])) || !strings.Contains(got, string(roles[2])) {
				t.Error(got)
			}
			replace := o
			replace.ReplaceRoles = true
			h.bring(replace, "userName,role", "ada,"+string(roles[1]))
			if got := h.roles(ada.ID); got != string(roles[1])+" " {
				t.Error(got)
			}
		})
	})
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.hire("ada@acme.test", "dispatcher")
		t.Run("MIS-08 where nobody has two roles, what an administrator gave is not replaced unless that is asked for", func(t *testing.T) {
			p := h.plan(provisioning.ImportOptions{}, "email,role", "ada@acme.test,manager")
			h.wantSteps(t, p.ID, "2 error none ada@acme.test: role: ada@acme.test has Dispatcher, which this source did not give.")
			o := provisioning.ImportOptions{}
			o.ReplaceRoles = true
			h.bring(o, "email,role", "ada@acme.test,manager")
			if got := h.roles(h.known("ada@acme.test").ID); got != "manager " {
				t.Error(got)
			}
		})
	})
}

// makeUp is a password for everybody, as authn makes them up.
func makeUp(context.Context, identity.User, time.Duration) (string, identity.PasswordTerms, string, error) {
	return "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", identity.PasswordTerms{Temporary: true, MustChange: true}, "made-up", nil
}

func TestNewPeopleOfAFileHearOfTheirAccount(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		o := provisioning.ImportOptions{}
		o.Welcome = identity.WelcomeInvite
		t.Run("FSM-51 by default a link to set a password, with the state of each mail in the plan, and again", func(t *testing.T) {
			p := h.plan(o, "email,displayName,active", "ada@acme.test,Ada,yes", "out@acme.test,Out,no")
			if n := len(h.post()); n != 0 {
				t.Fatalf("%d mails left before the plan was carried out", n)
			}
			h.apply(p.ID)
			steps := h.planSteps(p.ID)
			if steps[0].Mail == nil || steps[0].Mail.To != "ada@acme.test" || steps[1].Mail != nil {
				t.Fatalf("%+v", steps)
			}
			token(t, h.letter("ada@acme.test"), "join")
			must[identity.Invitation](t)(h.ResendInvitation(h.ctx, h.op, h.known("ada@acme.test").ID))
			token(t, h.letter("ada@acme.test"), "join")
		})
		t.Run("FSM-51 or a password for the first sign-in, which is nowhere but in the mail", func(t *testing.T) {
			o := provisioning.ImportOptions{}
			o.Welcome = identity.WelcomePassword
			p := h.plan(o, "email,userName,displayName", "bob@acme.test,bob,bob", ",nobody,nobody")
			h.wantSteps(t, p.ID, "2 create open bob", "3 error none nobody: email: nobody has no e-mail address")
			if _, err := h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{}); identity.KindOf(err) != identity.Invalid {
				t.Fatal(err)
			}
			must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{Temporary: makeUp}))
			mail := h.letter("bob@acme.test")
			_, after, ok := strings.Cut(mail.Text, "Password:")
			if !ok {
				t.Fatal(mail.Text)
			}
			password := strings.Fields(after)[0]
			if password != "made-up" || len(h.post()) > 0 {
				t.Fatal(mail.Text)
			}
			h.wantEvent(h.known("bob@acme.test").ID, identity.WelcomeSent)
		})
	})
}
