package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// line is a line of a table that has no floor's CPU time beside it: memory, starts, computed times, sign-ins.
type line struct {
	title, floor, product, asked, verdict string
}

// print writes the tables of a report.
func (r report) print(w io.Writer) error {
	fmt.Fprintf(w, "\n%s. %d runs of %gs by turns, %d clients, %s users; medians.\n", r.Machine, r.Runs, r.Seconds, clients, grouped(r.Users))
	for _, s := range r.Stores {
		fmt.Fprintf(w, "\n%s\n", storeTitle(s.Store, r.Machine.Postgres))
		if err := s.print(w); err != nil {
			return err
		}
	}
	if lines := signInLines(r.SAML); len(lines) > 0 {
		fmt.Fprintln(w, "\nSign-in, by Go benchmarks of package sso")
		if err := printLines(w, lines); err != nil {
			return err
		}
	}
	for _, problem := range r.Problems {
		fmt.Fprintln(w, "PROBLEM:", problem)
	}
	return nil
}

// String says where numbers are from.
func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, commit %s, load average %s before", m.CPU, m.Cores, m.Go, m.Commit, m.Load)
}

func storeTitle(store, postgres string) string {
	if store == storePostgres {
		return "PostgreSQL " + postgres + ", its own defaults (fsync on)"
	}
	return "SQLite, against the floor with full synchronisation and gathered writes"
}

func (s storeResult) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "request\tfloor /s\tproduct /s\tratio\tturns\tasked\t\tfloor us server+db\tproduct us server+db\tfloor p99 ms\tproduct p99 ms\t")
	for _, r := range s.Rows {
		if len(r.ProductRuns) == 0 {
			fmt.Fprintf(t, "%s\t\t\t\t\t%s\t%s\t\t\t\t\t\n", r.Title, atLeast(r.Asked), r.verdict())
			continue
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.2f\t%.2f-%.2f\t%s\t%s\t%.0f+%.0f\t%.0f+%.0f\t%.1f\t%.1f\t\n", r.Title, r.Floor.PerSecond, r.Product.PerSecond, r.Ratio,
			r.Lowest, r.Highest, atLeast(r.Asked), r.verdict(), r.Floor.CPU, r.Floor.DBCPU, r.Product.CPU, r.Product.DBCPU, r.Floor.P99, r.Product.P99)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range s.Rows {
		if r.Problem != "" {
			fmt.Fprintf(w, "  %s: %s\n", r.Title, r.Problem)
		}
	}
	return printLines(w, s.lines())
}

func printLines(w io.Writer, lines []line) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, l := range lines {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", l.title, l.floor, l.product, l.asked, l.verdict)
	}
	return t.Flush()
}

// lines returns everything that is asked, for the exit status.
func (r report) lines() []line {
	all := signInLines(r.SAML)
	for _, s := range r.Stores {
		all = append(all, s.lines()...)
		for _, row := range s.Rows {
			all = append(all, line{title: row.Title, verdict: row.verdict()})
		}
	}
	return all
}

// lines returns what a store's table has below its requests.
func (s storeResult) lines() []line {
	all := []line{{"", "floor", "product", "asked", ""}}
	if len(s.Product.Seconds) > 0 {
		all = append(all,
			line{
				"start to first answer, ms", fmt.Sprintf("%.0f", milliseconds(s.Floor.start())), fmt.Sprintf("%.0f", milliseconds(s.Product.start())),
				fmt.Sprintf("<= %.0f", milliseconds(askedStart)), within(s.Product.start() <= askedStart),
			},
			line{
				"memory at rest, MiB", fmt.Sprintf("%.0f", s.Floor.RestMiB), fmt.Sprintf("%.0f", s.Product.RestMiB),
				fmt.Sprintf("<= %d", askedRestMiB), within(s.Product.RestMiB <= askedRestMiB),
			})
	}
	if s.Product.PeakMiB > 0 {
		all = append(all, line{
			"memory under this load, MiB", fmt.Sprintf("%.0f", s.Floor.PeakMiB), fmt.Sprintf("%.0f", s.Product.PeakMiB),
			fmt.Sprintf("<= %d", askedPeakMiB), within(s.Product.PeakMiB <= askedPeakMiB),
		})
	}
	floor, _ := s.fullSync(func(r rowResult) sample { return r.Floor })
	if product, known := s.fullSync(func(r rowResult) sample { return r.Product }); known {
		all = append(all, line{
			"full sync of 100,000 people, s, computed", fmt.Sprintf("%.0f", floor.Seconds()), fmt.Sprintf("%.0f", product.Seconds()),
			fmt.Sprintf("<= %.0f", askedSync.Seconds()), within(product <= askedSync),
		})
	}
	return all
}

func within(ok bool) string {
	if ok {
		return "ok"
	}
	return "below"
}

func atLeast(asked float64) string {
	if asked == 0 {
		return "-"
	}
	return fmt.Sprintf(">= %.2f", asked)
}

// write keeps a value as JSON.
func write(file string, v any) error {
	if file == "" {
		return nil
	}
	content, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), filePermission)
}

// firstLine returns what a text begins with.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
