package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// What is asked of imports.
const (
	askedApplied    = 10_000 // people a second
	askedImportMiB  = 150    // of one process at its peak
	askedAgain      = 3      // the time of the first run by that of the second
	askedBytesARow  = 50     // by which the memory grows: some 20 are kept, and the garbage collector leaves as many lying
	importSteadyRow = 100_000
)

// importReport is everything that is known about imports, as -json keeps it.
type importReport struct {
	Version int         `json:"version"`
	At      time.Time   `json:"at"`
	Machine machine     `json:"machine"`
	Runs    []importRun `json:"runs"`
}

// importRun is one file on one store. Times are in seconds and of whole processes.
type importRun struct {
	Store      string         `json:"store"`
	Rows       int            `json:"rows"`
	Plan       float64        `json:"plan_seconds"`
	Apply      float64        `json:"apply_seconds"`
	Again      float64        `json:"again_seconds"`
	Bare       float64        `json:"bare_seconds"`
	PerSecond  float64        `json:"applied_per_second"`
	ByBare     float64        `json:"apply_by_bare"` // how many times as long as the bare insert
	ByAgain    float64        `json:"first_by_again"`
	PeakMiB    float64        `json:"peak_mib"`
	BytesARow  float64        `json:"bytes_a_row"` // more than the run before on the same store; 0 for the first
	Wrote      map[string]int `json:"wrote_again"` // rows that the second run added, by table
	Problem    string         `json:"problem,omitempty"`
	Unexpected string         `json:"unexpected,omitempty"`
}

// conclude computes the ratios.
func (r *importReport) conclude() {
	before := map[string]importRun{}
	for i := range r.Runs {
		run := &r.Runs[i]
		if run.Problem != "" || run.Apply == 0 || run.Again == 0 || run.Bare == 0 {
			continue
		}
		run.PerSecond, run.ByBare, run.ByAgain = float64(run.Rows)/run.Apply, run.Apply/run.Bare, (run.Plan+run.Apply)/run.Again
		if small, ok := before[run.Store]; ok && run.Rows > small.Rows {
			run.BytesARow = (run.PeakMiB - small.PeakMiB) * (1 << 20) / float64(run.Rows-small.Rows)
		}
		before[run.Store] = *run
		for table, n := range run.Wrote {
			if table != "plans" && table != "events" || n > 2 {
				run.Unexpected = fmt.Sprintf("the second run wrote %d rows of %s", n, table)
			}
		}
	}
}

// verdict compares with what is asked. SQLite has one writer and a disk to wait for: of its pace nothing is asked; of a few rows neither, since a process has to start.
func (run importRun) verdict() string {
	switch {
	case run.Problem != "":
		return "FAILED"
	case run.Unexpected != "" || run.PeakMiB > askedImportMiB:
		return "below"
	case run.Rows < importSteadyRow:
		return "-"
	case run.ByAgain < askedAgain, run.Store == storePostgres && run.PerSecond < askedApplied, run.Rows > importSteadyRow && run.BytesARow > askedBytesARow:
		return "below"
	}
	return "ok"
}

func (r importReport) met() bool {
	for _, run := range r.Runs {
		if v := run.verdict(); v == "below" || v == "FAILED" {
			return false
		}
	}
	return true
}

// print writes the table.
func (r importReport) print(w io.Writer) error {
	fmt.Fprintf(w, "\n%s. PostgreSQL %s. Whole processes; times in seconds.\n\n", r.Machine, r.Machine.Postgres)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "store\trows\tplan\tapply\tapplied /s\tagain\tfirst/again\tbare insert\tapply/bare\tpeak MiB\tbytes a row\t\t")
	for _, run := range r.Runs {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f\t%.0f\t%.2f\t%.1f\t%.2f\t%.1f\t%.0f\t%.0f\t%s\t\n", run.Store, grouped(run.Rows), run.Plan, run.Apply, run.PerSecond, run.Again, run.ByAgain, run.Bare,
			run.ByBare, run.PeakMiB, run.BytesARow, run.verdict())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nAsked of PostgreSQL with %s rows and more: %s people a second applied, below %d MiB, the first run %d times as long as the second, which writes nothing but its plan.\n",
		grouped(importSteadyRow), grouped(askedApplied), askedImportMiB, askedAgain)
	for _, run := range r.Runs {
		for _, text := range []string{run.Problem, run.Unexpected} {
			if text != "" {
				fmt.Fprintf(w, "PROBLEM: %s, %s rows: %s\n", run.Store, grouped(run.Rows), text)
			}
		}
	}
	return nil
}
