package main

import (
	"fmt"
	"slices"
	"time"
)

// What is asked of the product beside the ratios of rates; docs/performance.md has the reasons.
const (
	askedRestMiB   = 30
	askedPeakMiB   = 64
	askedStart     = 100 * time.Millisecond
	askedSync      = 45 * time.Second // of syncPeople by an identity provider's dialogue: look up, create
	askedVerify    = 0.5              // of the time that crewjam/saml takes for the same response
	askedACS       = 300              // sign-ins a second
	askedCallback  = 2000             // of OpenID Connect, a second
	syncPeople     = 100_000
	restTime       = time.Second
	reportVersion  = 1
	filePermission = 0o644
)

// report is everything of one session, as -json keeps it.
type report struct {
	Version  int           `json:"version"`
	At       time.Time     `json:"at"`
	Machine  machine       `json:"machine"`
	Runs     int           `json:"runs"`
	Seconds  float64       `json:"seconds_a_run"`
	Users    int           `json:"users"`
	Stores   []storeResult `json:"stores"`
	SAML     []benchmark   `json:"sign_in,omitempty"`
	Problems []string      `json:"problems,omitempty"`
}

// machine says where the numbers are from.
type machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Go       string `json:"go"`
	Postgres string `json:"postgres,omitempty"`
	Commit   string `json:"commit"`
	Load     string `json:"load"` // the system's load average when the session began: what else was going on
}

// storeResult is what was found on one store.
type storeResult struct {
	Store   string      `json:"store"`
	Floor   launch      `json:"floor"`
	Product launch      `json:"product"`
	Rows    []rowResult `json:"rows"`
}

// launch is how one of the two starts and what memory it takes.
type launch struct {
	Seconds []float64 `json:"start_to_first_answer_s"` // each start
	RestMiB float64   `json:"rest_mib"`                // a second after the start
	PeakMiB float64   `json:"peak_mib"`                // the most of all rows
}

func (l *launch) set(to launch) { *l = to }

// start returns the start in the middle.
func (l launch) start() time.Duration {
	if len(l.Seconds) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l.Seconds))
	return time.Duration(sorted[len(sorted)/2] * float64(time.Second))
}

func (s *storeResult) startOf(name string) *launch {
	if name == floorName {
		return &s.Floor
	}
	return &s.Product
}

// rowResult is one row: every run, the medians of both, their ratio.
type rowResult struct {
	Key         string   `json:"key"`
	Title       string   `json:"title"`
	Asked       float64  `json:"asked,omitempty"`
	Ratio       float64  `json:"ratio,omitempty"`        // of the medians of the rates
	Lowest      float64  `json:"lowest_ratio,omitempty"` // of one turn's floor and product: how far to trust the ratio
	Highest     float64  `json:"highest_ratio,omitempty"`
	Floor       sample   `json:"floor"`
	Product     sample   `json:"product"`
	FloorRuns   []sample `json:"floor_runs"`
	ProductRuns []sample `json:"product_runs"`
	Problem     string   `json:"problem,omitempty"` // why there is no result, or why it does not count
}

func (r *rowResult) add(name string, s sample) {
	if name == floorName {
		r.FloorRuns = append(r.FloorRuns, s)
		return
	}
	r.ProductRuns = append(r.ProductRuns, s)
}

// conclude computes the medians. A row with a failed request has no valid result: an error is quick to answer.
func (r *rowResult) conclude() {
	r.Floor, r.Product = median(r.FloorRuns), median(r.ProductRuns)
	if r.Floor.PerSecond > 0 {
		r.Ratio = r.Product.PerSecond / r.Floor.PerSecond
	}
	for i := range min(len(r.FloorRuns), len(r.ProductRuns)) {
		if floor := r.FloorRuns[i].PerSecond; floor > 0 {
			turn := r.ProductRuns[i].PerSecond / floor
			r.Highest = max(r.Highest, turn)
			if r.Lowest == 0 || turn < r.Lowest {
				r.Lowest = turn
			}
		}
	}
	for _, s := range slices.Concat(r.FloorRuns, r.ProductRuns) {
		if s.Errors+s.Wrong > 0 && r.Problem == "" {
			r.Problem = fmt.Sprintf("%d of %d requests failed, first: %s", s.Errors+s.Wrong, s.Requests, s.FirstErr)
		}
	}
}

// verdict compares with what is asked.
func (r rowResult) verdict() string {
	switch {
	case r.Problem != "":
		return "FAILED"
	case r.Asked == 0:
		return "-"
	case r.Ratio >= r.Asked:
		return "ok"
	}
	return "below"
}

// brief is the row in one line, printed as soon as it is known.
func (r rowResult) brief() string {
	if r.Problem != "" {
		return fmt.Sprintf("%-44s FAILED: %s", r.Title, r.Problem)
	}
	return fmt.Sprintf("%-44s %9.1f/s of %9.1f/s, ratio %5.2f, %s", r.Title, r.Product.PerSecond, r.Floor.PerSecond, r.Ratio, r.verdict())
}

// fullSync is how long a provider with one client in eight connections takes for its first sync: a look-up and a creation a person.
func (s storeResult) fullSync(of func(rowResult) sample) (time.Duration, bool) {
	var each float64
	for _, key := range []string{"miss", "post"} {
		at := slices.IndexFunc(s.Rows, func(r rowResult) bool { return r.Key == key && r.Problem == "" })
		if at < 0 || of(s.Rows[at]).PerSecond == 0 {
			return 0, false
		}
		each += 1 / of(s.Rows[at]).PerSecond
	}
	return time.Duration(each * syncPeople * float64(time.Second)), true
}

// met reports whether everything that is asked is reached.
func (r report) met() bool {
	if len(r.Problems) > 0 {
		return false
	}
	for _, l := range r.lines() {
		if l.verdict == "below" || l.verdict == "FAILED" {
			return false
		}
	}
	return true
}
