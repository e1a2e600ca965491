package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// sample is one run of a load, in the shape that scimload writes.
type sample struct {
	Requests  int     `json:"requests"`
	Errors    int     `json:"errors,omitempty"` // not answered, or with a status outside 2xx
	Wrong     int     `json:"wrong,omitempty"`  // 2xx without what was asked for
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Bytes     int     `json:"bytes_per_answer"`
	CPU       float64 `json:"server_cpu_us_per_request"`
	DBCPU     float64 `json:"db_cpu_us_per_request"`
	Peak      float64 `json:"server_peak_rss_mib"`
	FirstErr  string  `json:"first_error,omitempty"`
}

// median returns the sample in the middle of the rates.
func median(all []sample) sample {
	if len(all) == 0 {
		return sample{}
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b sample) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
	return sorted[len(sorted)/2]
}

// errNothing says that a load had nothing to do.
var errNothing = errors.New("no request was made")

// loader runs scimload.
type loader struct {
	program  string
	dir      string // for its reports
	duration time.Duration
	reports  int
}

// run puts one load on a running contender. The state file carries ids from one run to the next.
func (l *loader) run(ctx context.Context, c *contender, state, scenario string, flags ...string) (sample, error) {
	l.reports++
	report := filepath.Join(l.dir, fmt.Sprintf("load-%d.json", l.reports))
	args := []string{
		"-base", c.base, "-token", c.token, "-state", state, "-label", c.name, "-out", report, "-runs", "1",
		"-d", l.duration.String(), "-pid", strconv.Itoa(c.running.pid()),
	}
	if c.databasePID != 0 {
		args = append(args, "-db-pid", strconv.Itoa(c.databasePID))
	}
	cmd := exec.CommandContext(ctx, l.program, append(append(args, flags...), scenario)...)
	alone(cmd)
	if _, err := output(cmd); err != nil {
		return sample{}, fmt.Errorf("%s on the %s: %w", scenario, c.name, err)
	}
	content, err := os.ReadFile(report)
	if err != nil {
		return sample{}, err
	}
	var s sample
	if err := json.Unmarshal(content, &s); err != nil {
		return sample{}, err
	}
	if s.Requests == 0 {
		return s, fmt.Errorf("%s on the %s: %w", scenario, c.name, errNothing)
	}
	return s, os.Remove(report)
}

// prepare runs a load whose only purpose is what it leaves behind: every request of it must succeed.
func (l *loader) prepare(ctx context.Context, c *contender, state, scenario string, flags ...string) error {
	s, err := l.run(ctx, c, state, scenario, flags...)
	if err == nil && s.Errors+s.Wrong > 0 {
		err = fmt.Errorf("%s on the %s: %d of %d requests failed, first: %s", scenario, c.name, s.Errors+s.Wrong, s.Requests, s.FirstErr)
	}
	return err
}

// copyFile copies a state, so that two groups of one directory have one each.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}
