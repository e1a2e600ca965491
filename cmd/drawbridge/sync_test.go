package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// syncHouse is a tenant Acme with a folder for the files of hr.
type syncHouse struct {
	t    *testing.T
	sh   shell
	b    *bridge
	acme identity.TenantID
	dir  string
}

func syncHouseOn(t *testing.T, sh shell) *syncHouse {
	t.Helper()
	sh.must("tenant", "create", "Acme")
	h := &syncHouse{t: t, sh: sh, b: syncBridge(t, sh), dir: t.TempDir()}
	acme, err := h.b.findTenant(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	h.acme = acme.ID
	return h
}

// syncBridge is one more program on the database of a shell.
func syncBridge(t *testing.T, sh shell) *bridge {
	t.Helper()
	s, err := config.Load(nil, func(name string) string { return sh.env[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// folder returns the folder as one more program sees it, that applies what no guard holds.
func (h *syncHouse) folder(took *[]dropped) *dropFolder {
	d := h.b.folderOf(identity.Operator(), identity.Source{TenantID: h.acme, Name: "hr", Settings: identity.SourceSettings{Folder: h.dir}})
	d.apply, d.options.Welcome = true, identity.WelcomeNone
	if took != nil {
		d.took = func(file dropped) { *took = append(*took, file) }
	}
	return d
}

// drop writes a file into the folder.
func (h *syncHouse) drop(name string, lines ...string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *syncHouse) pass(d *dropFolder) {
	h.t.Helper()
	if held, err := d.pass(h.t.Context()); err != nil || !held {
		h.t.Fatal(held, err)
	}
}

// in lists the files of a folder that match.
func (h *syncHouse) in(pattern string) []string {
	h.t.Helper()
	list, err := filepath.Glob(filepath.Join(h.dir, pattern))
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *syncHouse) plans() []identity.Plan {
	h.t.Helper()
	page, err := h.b.people.PlansWhere(h.t.Context(), identity.Operator(), provisioning.PlanQuery{Query: identity.Query{Limit: 100}, Source: "hr"})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

func TestFilesAreTakenFromAFolder(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		h := syncHouseOn(t, sh)
		var took []dropped
		d := h.folder(&took)
		t.Run("FSM-53 a file is taken when it did not change between two looks, and is done with a report", func(t *testing.T) {
			h.drop("people.csv", "email,displayName", "ada@acme.test,Ada")
			h.pass(d)
			h.drop("people.csv", "email,displayName", "ada@acme.test,Ada", "bob@acme.test,Bob", "nobody,No")
			h.pass(d)
			if len(took) != 0 || len(h.in("people.csv")) != 1 {
				t.Fatalf("a file that was being written was taken: %+v", took)
			}
			h.pass(d)
			if len(took) != 1 || took[0].Plan.State != string(identity.PlanDone) || took[0].Plan.Summary.Done != 2 || len(h.in("people.csv")) != 0 || len(h.in("working/*")) != 0 {
				t.Fatalf("%+v %v", took, h.in("*/*"))
			}
			h.reported("done/*-people.csv", string(identity.PlanDone), "line 4: email: ")
			sh.must("user", "show", "ada@acme.test")
		})
		t.Run("FSM-53 a plan that a guard holds is not carried out, and its file waits in held", func(t *testing.T) {
			lines := []string{"email,displayName"}
			for _, c := range "abcdefghijklmnopqrstuvwxyz" {
				lines = append(lines, string(c)+"@acme.test,"+string(c))
			}
			h.drop("all.csv", lines...)
			h.pass(d)
			h.pass(d)
			took = nil
			h.drop("few.csv", lines[:3]...)
			d.options.Missing = true
			h.pass(d)
			h.pass(d)
			d.options.Missing = false
			if len(took) != 1 || took[0].Plan.State != string(identity.PlanHeld) {
				t.Fatalf("%+v", took)
			}
			h.reported("held/*-few.csv", string(identity.PlanHeld), "drawbridge plan approve ")
			sh.must("user", "show", "z@acme.test")
		})
		t.Run("FSM-53 what cannot be read, and links, are put aside with the reason", func(t *testing.T) {
			took = nil
			h.drop("bad.csv", "shoe size", "42")
			if err := os.Symlink("/etc/passwd", filepath.Join(h.dir, "link.csv")); err != nil {
				t.Fatal(err)
			}
			h.drop("notes.txt", "not ours")
			h.drop(".hidden.csv", "email", "x@acme.test")
			h.pass(d)
			h.pass(d)
			if len(took) != 2 {
				t.Fatalf("%+v", took)
			}
			h.reported("failed/*-bad.csv", "No column says who somebody is", "No column says who somebody is")
			h.reported("failed/*-link.csv", "forbidden", "is a link")
			if len(h.in("notes.txt")) != 1 || len(h.in(".hidden.csv")) != 1 {
				t.Error("files of others were taken")
			}
		})
	})
}

// reported checks the two reports beside a file.
func (h *syncHouse) reported(pattern, inJSON, inText string) {
	h.t.Helper()
	for suffix, want := range map[string]string{".report.json": inJSON, ".report.txt": inText} {
		list := h.in(pattern + suffix)
		if len(list) != 1 {
			h.t.Fatalf("%v: %v", pattern+suffix, h.in("*/*"))
		}
		raw, err := os.ReadFile(list[0])
		if err != nil || !strings.Contains(string(raw), want) || suffix == ".report.json" && !json.Valid(raw) {
			h.t.Errorf("%s: %v: %s", list[0], err, raw)
		}
	}
}

func TestAFileIsTakenOnce(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		h := syncHouseOn(t, sh)
		t.Run("FSM-53 however many programs look", func(t *testing.T) {
			h.drop("people.csv", "email,displayName", "ada@acme.test,Ada")
			var all sync.WaitGroup
			took := make([][]dropped, 4)
			for i := range took {
				all.Go(func() {
					d := h.folder(&took[i])
					for range 3 {
						if _, err := d.pass(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			d := h.folder(&took[0])
			h.pass(d) // where each found another one at it
			h.pass(d)
			if n := len(took[0]) + len(took[1]) + len(took[2]) + len(took[3]); n != 1 || len(h.plans()) != 1 || len(h.in("done/*.csv")) != 1 {
				t.Errorf("%d programs took it, %d plans", n, len(h.plans()))
			}
		})
		t.Run("FSM-53 one program at a time has a source", func(t *testing.T) {
			other := syncBridge(t, sh)
			held, err := h.b.people.HoldSource(t.Context(), identity.Operator(), h.acme, "hr", func(ctx context.Context) error {
				held, err := other.people.HoldSource(ctx, identity.Operator(), h.acme, "hr", func(context.Context) error { return errors.New("two have it") })
				if err != nil || held {
					t.Error(held, err)
				}
				held, err = other.people.HoldSource(ctx, identity.Operator(), h.acme, "another", func(context.Context) error { return nil })
				if err != nil || !held {
					t.Error(held, err)
				}
				return nil
			})
			if err != nil || !held {
				t.Error(held, err)
			}
		})
	})
}

func TestAFileThatABrokenOffRunLeftIsTakenUpAgain(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		h := syncHouseOn(t, sh)
		// leave makes what a program leaves that ended after some steps.
		leave := func(t *testing.T, name string, steps int) string {
			t.Helper()
			d := h.folder(nil)
			root, err := os.OpenRoot(h.dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			d.root = root
			claimed := time.Now().UTC().Format(claimForm) + "-" + d.key() + "-" + name
			if err := os.MkdirAll(filepath.Join(h.dir, folderWorking), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := root.Rename(name, folderWorking+"/"+claimed); err != nil {
				t.Fatal(err)
			}
			var plan identity.Plan
			if steps > 0 {
				if plan, err = d.read(t.Context(), claimed, name); err == nil {
					err = d.note(claimed, plan.ID)
				}
			}
			if err == nil && steps > 1 {
				_, err = d.carryOut(t.Context(), plan)
			}
			if err != nil {
				t.Fatal(err)
			}
			return claimed
		}
		for name, steps := range map[string]int{"claimed.csv": 0, "planned.csv": 1, "applied.csv": 2} {
			t.Run("FSM-53 and nothing is done twice: "+name, func(t *testing.T) {
				before := len(h.plans())
				h.drop(name, "email,displayName", strings.TrimSuffix(name, ".csv")+"@acme.test,Somebody")
				leave(t, name, steps)
				var took []dropped
				h.pass(h.folder(&took))
				if len(took) != 1 || took[0].Plan == nil || took[0].Plan.State != string(identity.PlanDone) || took[0].Plan.Summary.Done != 1 {
					t.Fatalf("%+v", took)
				}
				if now := len(h.plans()); now != before+1 {
					t.Errorf("%d plans were made of one file", now-before)
				}
				if left := h.in("working/*"); len(left) != 0 {
					t.Error(left)
				}
			})
		}
	})
}

func TestSyncAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		h := syncHouseOn(t, sh)
		p := &program{}
		t.Run("FSM-53 one look is two, a moment apart", func(t *testing.T) {
			h.drop("people.csv", "email,displayName", "ada@acme.test,Ada")
			var took []dropped
			waited := 0
			err := p.lookTwice(t.Context(), h.folder(&took), func(context.Context, time.Duration) error {
				waited++
				return nil
			})
			if err != nil || waited != 1 || len(took) != 1 {
				t.Error(err, waited, took)
			}
		})
		t.Run("FSM-53 --once prints what became of each file, and nothing where there is none", func(t *testing.T) {
			var list listView[droppedView]
			sh.json(&list, "sync", "--source", "hr", "--tenant", "Acme", "--folder", h.dir, "--once")
			if list.Items == nil || len(list.Items) != 0 {
				t.Errorf("%+v", list)
			}
			sh.refused(2, []string{"names no folder"}, "sync", "--source", "hr", "--tenant", "Acme")
			sh.refused(2, []string{"--once and --watch"}, "sync", "--source", "hr", "--once", "--watch")
			sh.refused(2, []string{"--at"}, "sync", "--source", "hr", "--watch", "--at", "25:00")
			sh.refused(1, []string{"cannot be looked into"}, "sync", "--source", "hr", "--tenant", "Acme", "--folder", filepath.Join(h.dir, "none"))
		})
		t.Run("FSM-53 a watch ends cleanly, and looks again until then", func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var out strings.Builder
			w := &program{stdout: &out, stderr: &out}
			var took []dropped
			looks := 0
			h.drop("more.csv", "email,displayName", "bob@acme.test,Bob")
			err := w.watch(ctx, h.folder(&took), syncing{every: time.Minute}, func(context.Context, time.Duration) error {
				if looks++; looks == 2 {
					stop()
				}
				return ctx.Err()
			})
			if err != nil || len(took) != 1 {
				t.Error(err, took)
			}
		})
		t.Run("FSM-53 serve looks into the folders that sources name, and carries out where they say so", func(t *testing.T) {
			source := identity.Source{TenantID: h.acme, Name: "nightly", Settings: identity.SourceSettings{Folder: h.dir, Pattern: "night-*.csv", AutoApply: true}}
			if _, err := h.b.people.PutSource(t.Context(), identity.Operator(), source, ""); err != nil {
				t.Fatal(err)
			}
			h.drop("night-1.csv", "email,displayName", "cid@acme.test,Cid")
			folders := map[string]*dropFolder{}
			var out strings.Builder
			log := logger(&out, "text", 0)
			for range 2 {
				if err := h.b.lookIntoFolders(t.Context(), log, folders); err != nil {
					t.Fatal(err)
				}
			}
			if len(h.in("done/*-night-1.csv")) != 1 || !strings.Contains(out.String(), "a file was taken") {
				t.Error(h.in("*/*"), out.String())
			}
			sh.must("user", "show", "cid@acme.test")
		})
	})
}

func TestTheNextTimeOfTheDay(t *testing.T) {
	noon := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for at, want := range map[string]time.Duration{"12:30": 30 * time.Minute, "12:00": 24 * time.Hour, "03:00": 15 * time.Hour} {
		if got := untilDaily(noon, at); got != want {
			t.Errorf("%s is in %s, want %s", at, got, want)
		}
	}
}
