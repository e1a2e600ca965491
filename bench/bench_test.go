package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestARowWithAFailedRequestHasNoValidResult(t *testing.T) {
	r := rowResult{Asked: 0.6}
	for range 3 {
		r.add(floorName, sample{Requests: 100, PerSecond: 100})
		r.add(productName, sample{Requests: 100, PerSecond: 99})
	}
	if r.conclude(); r.verdict() != "ok" || r.Ratio != 0.99 {
		t.Errorf("a good row is %s with a ratio of %v", r.verdict(), r.Ratio)
	}
	r.add(productName, sample{Requests: 100, PerSecond: 900, Wrong: 1, FirstErr: "another user"})
	if r.conclude(); r.verdict() != "FAILED" || !strings.Contains(r.Problem, "another user") {
		t.Errorf("with a wrong answer it is %s: %s", r.verdict(), r.Problem)
	}
}

func TestTheMedianIsTheRunWithTheMiddleRate(t *testing.T) {
	got := median([]sample{{PerSecond: 9, CPU: 1}, {PerSecond: 1, CPU: 2}, {PerSecond: 5, CPU: 3}})
	if got.CPU != 3 {
		t.Errorf("it is %+v", got)
	}
}

func TestStrictMeansEveryLineOfEveryTable(t *testing.T) {
	good := report{Stores: []storeResult{{Store: storePostgres, Rows: []rowResult{{Asked: 0.6, Ratio: 0.7}}}}}
	if !good.met() {
		t.Error("a good report is not met")
	}
	for name, change := range map[string]func(*report){
		"a ratio":    func(r *report) { r.Stores[0].Rows = []rowResult{{Asked: 0.6, Ratio: 0.5}} },
		"a failure":  func(r *report) { r.Stores[0].Rows = []rowResult{{Problem: "refused"}} },
		"the memory": func(r *report) { r.Stores[0].Product.PeakMiB = 65 },
		"the start":  func(r *report) { r.Stores[0].Product.Seconds = []float64{0.2} },
		"the signing": func(r *report) {
			r.SAML = []benchmark{{Name: "Verify", Nanoseconds: 2}, {Name: "Crewjam", Nanoseconds: 3}}
		},
		"a problem": func(r *report) { r.Problems = []string{"no PostgreSQL"} },
	} {
		bad := report{Stores: []storeResult{good.Stores[0]}}
		if change(&bad); bad.met() {
			t.Errorf("%s is below what is asked, and the report is met", name)
		}
	}
}

func TestGrowthIsTheDearestSizeByTheSmallest(t *testing.T) {
	r := growthResult{Points: []growthPoint{{Size: 10}, {Size: 100}, {Size: 1000}}}
	for i, cost := range []float64{100, 130, 110} {
		r.add(i, sample{Requests: 1, CPU: cost - 50, DBCPU: 50}, nil)
	}
	if r.conclude(); r.Growth != 1.3 || r.verdict() != "below" {
		t.Errorf("the growth is %v, %s", r.Growth, r.verdict())
	}
}

func TestTheTablesShowEveryRow(t *testing.T) {
	r := report{Runs: 3, Users: 10_000, Stores: []storeResult{{
		Store:   storePostgres,
		Floor:   launch{Seconds: []float64{0.01}, PeakMiB: 30},
		Product: launch{Seconds: []float64{0.05}, PeakMiB: 60},
		Rows: []rowResult{
			{Key: "miss", Title: "nobody", Floor: sample{PerSecond: 10_000}, Product: sample{PerSecond: 5000}, ProductRuns: []sample{{}}},
			{Key: "post", Title: "POST /Users", Floor: sample{PerSecond: 5000}, Product: sample{PerSecond: 2500}, ProductRuns: []sample{{}}},
			{Key: "bulk", Title: "Bulk", Problem: "no answer"},
		},
	}}, SAML: []benchmark{{Name: "Verify", Nanoseconds: 1e6}, {Name: "Crewjam", Nanoseconds: 3e6}, {Name: "ACS/sqlite", Nanoseconds: 1e6}}}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"POST /Users", "Bulk: no answer", "FAILED", "start to first answer", "<= 45", " 60 ", "= 0.33", "1000", "not measured"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables lack %q:\n%s", want, &out)
		}
	}
}

func TestAWalkByCursorMeetsEveryUserOnce(t *testing.T) {
	const users = 2500
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		first, count := number(r.URL.Query().Get("cursor")), number(r.URL.Query().Get("count"))
		last := min(first+count, users)
		var list []map[string]string
		for i := first; i < last; i++ {
			list = append(list, map[string]string{"userName": fmt.Sprint(i)})
		}
		page := map[string]any{"Resources": list}
		if last < users {
			page["nextCursor"] = fmt.Sprint(last)
		}
		if err := json.NewEncoder(w).Encode(page); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	c := &contender{name: productName, base: server.URL, token: "t"}
	w := &walkResult{Users: users}
	if err := w.walk(t.Context(), &w.Product, c); err != nil || len(w.Product) != 1 {
		t.Errorf("%v, %v", err, w.Product)
	}
	w.Users++
	if err := w.walk(t.Context(), &w.Product, c); err == nil {
		t.Error("nobody misses a user who is not there")
	}
	if cursor, err := cursorAt(t.Context(), c, 1250); err != nil || cursor != "1250" {
		t.Errorf("the cursor in the middle is %q, %v", cursor, err)
	}
	if _, err := cursorAt(t.Context(), c, users); err == nil {
		t.Error("there is a cursor behind the end")
	}
	c.token = "wrong"
	if _, err := cursorAt(t.Context(), c, 10); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a refused token is %v", err)
	}
}

func TestWhatAProcessUsesIsSeenFromOutside(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("the CPU time of processes is read from /proc, which is not here")
	}
	busy := exec.Command("/bin/sh", "-c", "while :; do :; done")
	p, err := start("busy", busy)
	if err != nil {
		t.Fatal(err)
	}
	err = p.until(t.Context(), 10*time.Millisecond, func() error {
		if used := readUsage(p.pid()); used.cpu < 5*jiffy || used.memory == 0 {
			return fmt.Errorf("only %+v", used)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := busy.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if err := p.stop(); err != nil {
		t.Errorf("a process that has ended is no reason to complain: %v", err)
	}
}

func TestAProgramThatEndsAtOnceIsReportedWithWhatItSaid(t *testing.T) {
	p, err := start("the program", exec.Command("/bin/sh", "-c", "echo the port is taken; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.until(t.Context(), time.Millisecond, func() error { return os.ErrNotExist })
	if err == nil || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("it says %v", err)
	}
}

func TestAMissingYardstickIsSaidInWords(t *testing.T) {
	var out, errs bytes.Buffer
	err := run(t.Context(), []string{"-floor", filepath.Join(t.TempDir(), "none"), "-dir", t.TempDir()}, &out, &errs)
	if err == nil || !strings.Contains(err.Error(), "-floor") {
		t.Errorf("it says %v", err)
	}
	for _, args := range [][]string{{"-store", "oracle"}, {"-runs", "0"}, {"-only", "("}, {"word"}, {"growth", "-max", "x"}} {
		if err := run(t.Context(), args, &out, &errs); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}

func TestASampleOfThePeopleKeepsIdsAndNamesTogether(t *testing.T) {
	var p people
	for i := range 100 {
		p.IDs, p.Names = append(p.IDs, fmt.Sprint(i)), append(p.Names, fmt.Sprint("user", i))
	}
	some := p.sample(10)
	if len(some.IDs) != 10 || len(p.sample(1000).IDs) != 100 {
		t.Errorf("10 of 100 are %d, 1000 of 100 are %d", len(some.IDs), len(p.sample(1000).IDs))
	}
	for i, id := range some.IDs {
		if some.Names[i] != "user"+id {
			t.Errorf("%s is called %s", id, some.Names[i])
		}
	}
	slices.Sort(some.IDs)
	if len(slices.Compact(some.IDs)) != 10 {
		t.Error("somebody is there twice")
	}
}

func TestNumbersAreGroupedByThousands(t *testing.T) {
	for n, want := range map[int]string{7: "7", 999: "999", 1000: "1,000", 1_234_567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}

func TestAnImportIsHeldToWhatIsAsked(t *testing.T) {
	run := func(store string, rows int, plan, apply, again, peak float64) importRun {
		return importRun{Store: store, Rows: rows, Plan: plan, Apply: apply, Again: again, Bare: 1, PeakMiB: peak, Wrote: map[string]int{"plans": 1, "events": 2}}
	}
	for name, want := range map[string]struct {
		last importRun
		met  bool
	}{
		"all is well":            {run(storePostgres, 100_000, 5, 9, 4, 100), true},
		"too slow":               {run(storePostgres, 100_000, 5, 11, 4, 100), false},
		"SQLite may be slower":   {run(storeSQLite, 100_000, 5, 11, 4, 100), true},
		"too large":              {run(storePostgres, 100_000, 5, 9, 4, 151), false},
		"the second run as long": {run(storePostgres, 100_000, 5, 9, 5, 100), false},
		"it grows":               {run(storePostgres, 1_000_000, 50, 90, 40, 149), false},
	} {
		r := importReport{Runs: []importRun{run(want.last.Store, 10_000, 1, 1, 1, 80), want.last}}
		if r.conclude(); r.met() != want.met {
			t.Errorf("%s: %+v", name, r.Runs[1])
		}
	}
	wrote := importReport{Runs: []importRun{run(storePostgres, 10_000, 1, 1, 1, 80)}}
	wrote.Runs[0].Wrote["plan_steps"] = 1
	if wrote.conclude(); wrote.met() || wrote.Runs[0].Unexpected == "" {
		t.Error("the second run wrote steps, and nobody minds")
	}
}
