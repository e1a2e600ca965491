package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// planVictim holds the arguments of a program that runs in a process of its own, to be killed there.
const planVictim = "DRAWBRIDGE_PLAN_VICTIM"

// Half of the programs are killed while people are created one by one and get an invitation, half while people are created many at once.
const (
	killInvited = 1000
	killSilent  = 8000
	killTimes   = 5 // of each
)

// killing is a plan that is carried out by programs that are killed again and again.
type killing struct {
	t    *testing.T
	sh   shell
	b    *bridge
	plan identity.PlanID
	rows int
	dice *rand.Rand
}

func TestAPlanSurvivesTenKilledPrograms(t *testing.T) {
	if args := os.Getenv(planVictim); args != "" {
		err := run(t.Context(), strings.Split(args, " "), os.Getenv, strings.NewReader(""), os.Stdout, os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("the moments are those of seed %d", seed)
	eachShell(t, func(t *testing.T, sh shell) {
		t.Run("FSM-50 kill -9 at ten random moments of an apply: carried on, nothing twice, nothing lost", func(t *testing.T) {
			sh.t = t
			k := &killing{t: t, sh: sh, b: sh.bridge(t), dice: rand.New(rand.NewPCG(seed, 7))}
			defer k.b.db.Close()
			sh.must("tenant", "create", "Acme")
			for _, many := range []int{killInvited, killSilent} {
				k.prepare(many)
				for n := range killTimes {
					if k.kill(n); t.Failed() {
						return
					}
				}
				k.end()
			}
			k.check()
		})
	})
}

// bridge opens what a program of the shell would open.
func (sh shell) bridge(t *testing.T) *bridge {
	t.Helper()
	settings, err := config.Load(nil, func(name string) string { return sh.env[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (k *killing) prepare(rows int) {
	welcome := map[int]string{killInvited: "invite", killSilent: "none"}[rows]
	lines := []string{"email,given name,family name,employee number"}
	for n := range rows {
		lines = append(lines, fmt.Sprintf("%s%05d@acme.test,Person,Number %d,%s-%d", welcome, n, n, welcome, n))
	}
	var plan planView
	k.sh.json(&plan, "import", peopleFile(k.t, lines...), "--tenant", "Acme", "--welcome", welcome, "--limit", "1")
	if plan.State != string(identity.PlanReady) || plan.Summary.Create != rows {
		k.t.Fatalf("%+v", plan)
	}
	k.plan, k.rows = plan.ID, rows
}

// program starts the program in a process of its own: a command of somebody, or the worker of a server, by turns.
func (k *killing) program(n int) *exec.Cmd {
	k.t.Helper()
	args := "plan apply " + string(k.plan) + " --json"
	if n%2 == 1 {
		args = "serve --listen 127.0.0.1:0"
	}
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestAPlanSurvivesTenKilledPrograms$")
	cmd.Env = append(os.Environ(), planVictim+"="+args)
	for name, value := range k.sh.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stdout, cmd.Stderr = nil, os.Stderr
	if n%2 == 1 {
		cmd.Stderr = nil // its log
	}
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	return cmd
}

// kill lets a program work on the plan for a moment, kills it, and lets its lease run out.
func (k *killing) kill(n int) {
	before := k.state()
	cmd := k.program(n)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	k.until("nobody took the plan", func(p identity.Plan) bool { return p.LeaseBy != "" && p.LeaseBy != before.LeaseBy })
	after := time.Duration(k.dice.Int64N(int64(time.Second)))
	enough := before.Summary.Done + k.dice.IntN(k.rows/killTimes/2)
	deadline := time.Now().Add(after)
	k.until("", func(p identity.Plan) bool { return time.Now().After(deadline) || p.Summary.Done > enough })
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		k.t.Fatal(err)
	}
	<-ended
	p := k.state()
	k.t.Logf("killed program %d after %d of %d people", n+1, p.Summary.Done, k.rows)
	if p.State != identity.PlanApplying || p.Summary.Done >= k.rows {
		k.t.Errorf("program %d was not killed in the midst: %s, %d done", n+1, p.State, p.Summary.Done)
	}
	k.expire()
}

// until looks at the plan again and again until it is as it should be.
func (k *killing) until(otherwise string, ok func(identity.Plan) bool) {
	k.t.Helper()
	ctx, stop := context.WithTimeout(k.t.Context(), 30*time.Second)
	defer stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok(k.state()) {
		select {
		case <-ctx.Done():
			k.t.Fatal(otherwise)
		case <-tick.C:
		}
	}
}

func (k *killing) state() identity.Plan {
	k.t.Helper()
	p, err := k.b.people.Plan(k.t.Context(), identity.Operator(), k.plan)
	if err != nil {
		k.t.Fatal(err)
	}
	return p
}

// expire is the time that a lease lasts.
func (k *killing) expire() {
	k.t.Helper()
	ctx := k.t.Context()
	err := k.b.db.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.PlanForUpdate(ctx, store.Everything(), k.plan)
		if err != nil {
			return err
		}
		past := tx.Now().Add(-time.Millisecond)
		p.LeaseUntil = &past
		return tx.UpdatePlan(ctx, p)
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// end lets a server finish the plan, and counts.
func (k *killing) end() {
	cmd := k.program(1)
	k.until("the last program did not finish", func(p identity.Plan) bool { return p.State != identity.PlanApplying })
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		k.t.Fatal(err)
	}
	_ = cmd.Wait()
	if p := k.state(); p.State != identity.PlanDone || p.Summary.Done != k.rows || p.Summary.Failed+p.Summary.Changed > 0 || p.LeaseBy != "" {
		k.t.Errorf("the plan is %s: %+v", p.State, p.Summary)
	}
}

// check holds what is there against the files.
func (k *killing) check() {
	ctx, op := k.t.Context(), identity.Operator()
	people := map[identity.UserID]string{}
	for q := (identity.Query{Limit: 1000}); ; {
		page, err := k.b.people.Users(ctx, op, q)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, u := range page.Items {
			people[u.ID] = u.UserName
			q.After = string(u.ID)
		}
		if !page.More {
			break
		}
	}
	created, invited := map[identity.UserID]int{}, map[identity.UserID]int{}
	for q := (provisioning.EventQuery{Type: identity.UserCreated, Limit: 1000}); ; {
		page, err := k.b.people.Events(ctx, op, q)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, e := range page.Items {
			created[e.UserID]++
			q.After = e.ID
		}
		if !page.More {
			break
		}
	}
	err := k.b.db.View(ctx, func(tx *store.Tx) error {
		mails, err := tx.Mails(ctx, 2*killInvited)
		for _, m := range mails {
			invited[m.UserID]++
		}
		return err
	})
	if all := killInvited + killSilent; err != nil || len(people) != all || len(created) != all || len(invited) != killInvited {
		k.t.Fatalf("%d people, %d of them with an event, %d with a mail: %v", len(people), len(created), len(invited), err)
	}
	for id, name := range people {
		if mails := invited[id]; created[id] != 1 || mails > 1 || (mails == 1) != strings.HasPrefix(name, "invite") {
			k.t.Errorf("%s was created %d times and got %d mails", name, created[id], mails)
		}
	}
}
