package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// What growth may cost.
const (
	askedGrowth       = 1.2 // of the cost at the smallest size
	askedMemoryGrowth = 1.5 // of the memory there: the pace of the garbage collector alone makes a third
	askedWalk         = 1.5 // of the time that the floor's table takes to be walked
)

// growthReport is everything of one measurement of growth, as -json keeps it.
type growthReport struct {
	Version int            `json:"version"`
	At      time.Time      `json:"at"`
	Machine machine        `json:"machine"`
	Store   string         `json:"store"`
	Runs    int            `json:"runs"`
	Seconds float64        `json:"seconds_a_run"`
	Rows    []growthResult `json:"rows"`
	Walk    *walkResult    `json:"walk,omitempty"`
	Memory  []sizedMemory  `json:"memory"`
}

// sizedMemory is the resident memory of the product with so many users, after all rows.
type sizedMemory struct {
	Size int     `json:"users"`
	MiB  float64 `json:"mib"`
}

// growthResult is one request at several sizes.
type growthResult struct {
	Key     string        `json:"key"`
	Title   string        `json:"title"`
	Unit    string        `json:"unit"` // what a size counts: users or members
	Points  []growthPoint `json:"points"`
	Growth  float64       `json:"growth"` // the dearest size by the smallest
	Problem string        `json:"problem,omitempty"`
}

// growthPoint is one request at one size. The cost is CPU time of server and database a request, in microseconds: rates vary
// with what else the machine does, and with how many can work at once.
type growthPoint struct {
	Size int      `json:"size"`
	Cost float64  `json:"cost_us"`
	P50  float64  `json:"p50_ms"`
	Rate float64  `json:"per_second"`
	Runs []sample `json:"runs"`
}

func (r *growthResult) add(i int, s sample, err error) {
	if err == nil && s.Errors+s.Wrong > 0 {
		err = fmt.Errorf("%d of %d requests failed, first: %s", s.Errors+s.Wrong, s.Requests, s.FirstErr)
	}
	if err != nil && r.Problem == "" {
		r.Problem = fmt.Sprintf("at %s %s: %v", grouped(r.Points[i].Size), r.Unit, err)
	}
	r.Points[i].Runs = append(r.Points[i].Runs, s)
}

func (r *growthResult) conclude() {
	for i := range r.Points {
		p := &r.Points[i]
		var costs, times, rates []float64
		for _, s := range p.Runs {
			costs, times, rates = append(costs, s.CPU+s.DBCPU), append(times, s.P50), append(rates, s.PerSecond)
		}
		p.Cost, p.P50, p.Rate = medianOf(costs), medianOf(times), medianOf(rates)
		if smallest := r.Points[0].Cost; smallest > 0 {
			r.Growth = max(r.Growth, p.Cost/smallest)
		}
	}
}

func (r growthResult) verdict() string {
	if r.Problem != "" {
		return "FAILED"
	}
	return within(r.Growth <= askedGrowth)
}

// brief is the row in one line, printed as soon as it is known.
func (r growthResult) brief() string {
	if r.Problem != "" {
		return fmt.Sprintf("%-44s FAILED %s", r.Title, r.Problem)
	}
	text := fmt.Sprintf("%-44s", r.Title)
	for _, p := range r.Points {
		text += fmt.Sprintf("  %s: %.0f us", grouped(p.Size), p.Cost)
	}
	return text + fmt.Sprintf("  = %.2f, %s", r.Growth, r.verdict())
}

// print writes the tables of a report.
func (r growthReport) print(w io.Writer) error {
	fmt.Fprintf(w, "\n%s. %s. %d runs of %gs by turns, %d clients.\n", r.Machine, strings.TrimSpace(r.Store+" "+r.Machine.Postgres), r.Runs, r.Seconds, clients)
	for _, unit := range []string{"users", "members"} {
		if err := r.printUnit(w, unit); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	for _, row := range r.Rows {
		if row.Problem != "" {
			fmt.Fprintf(w, "%s: %s\n", row.Title, row.Problem)
		}
	}
	return printLines(w, r.lines())
}

// printUnit writes the rows whose sizes count the same thing.
func (r growthReport) printUnit(w io.Writer, unit string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	heading := false
	for _, row := range r.Rows {
		if row.Unit != unit {
			continue
		}
		if !heading {
			fmt.Fprintf(w, "\nCPU of server and database a request in us (p50 in ms), by %s\n", unit)
			fmt.Fprint(t, "request")
			for _, p := range row.Points {
				fmt.Fprintf(t, "\t%s", grouped(p.Size))
			}
			fmt.Fprint(t, "\tgrowth\tasked\t\t\n")
			heading = true
		}
		fmt.Fprint(t, row.Title)
		for _, p := range row.Points {
			fmt.Fprintf(t, "\t%.0f (%.2f)", p.Cost, p.P50)
		}
		fmt.Fprintf(t, "\t%.2f\t<= %.1f\t%s\t\n", row.Growth, askedGrowth, row.verdict())
	}
	return t.Flush()
}

// lines returns what stands below the tables.
func (r growthReport) lines() []line {
	all := []line{{"", "", "product", "asked", ""}}
	if r.Walk != nil {
		ratio := r.Walk.ratio()
		all = append(all, line{
			"walk of " + grouped(r.Walk.Users) + " users by cursor, one client", fmt.Sprintf("floor %.1f s", medianOf(r.Walk.Floor)),
			fmt.Sprintf("%.1f s = %.2f", medianOf(r.Walk.Product), ratio), fmt.Sprintf("<= %.1f", askedWalk), within(ratio <= askedWalk),
		})
	}
	for _, m := range r.Memory {
		all = append(all, line{
			"memory with " + grouped(m.Size) + " users, MiB", "", fmt.Sprintf("%.0f", m.MiB),
			fmt.Sprintf("<= %.0f", r.Memory[0].MiB*askedMemoryGrowth), within(m.MiB <= r.Memory[0].MiB*askedMemoryGrowth),
		})
	}
	return all
}

// met reports whether everything that is asked is reached.
func (r growthReport) met() bool {
	for _, row := range r.Rows {
		if row.verdict() != "ok" {
			return false
		}
	}
	for _, l := range r.lines() {
		if l.verdict == "below" {
			return false
		}
	}
	return true
}
