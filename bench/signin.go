package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// benchmark is one Go benchmark: its name without "Benchmark" and the time of one turn.
type benchmark struct {
	Name        string  `json:"name"`
	Nanoseconds float64 `json:"ns_per_op"`
	Allocations float64 `json:"allocs_per_op,omitempty"`
}

// benchmarkLine is how go test reports one: name, turns, ns/op and more.
var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(.*)$`)

// allocations is the end of such a line.
var allocations = regexp.MustCompile(`(\d+) allocs/op`)

// signIns runs the benchmarks of package sso: ours and crewjam/saml's verification of one response, and the whole way of a sign-in
// where there is a benchmark of it.
func (s *session) signIns(ctx context.Context) ([]benchmark, error) {
	s.say("sign-in: the Go benchmarks of package sso")
	args := []string{"test", "-run", "^$", "-bench", "Verify|Crewjam|ACS|Callback", "-benchmem", "-benchtime", s.duration.String(), "-count", strconv.Itoa(s.runs), "./sso"}
	out, err := output(exec.CommandContext(ctx, "go", args...))
	if err != nil {
		return nil, err
	}
	byName := map[string][]benchmark{}
	var names []string
	for _, m := range benchmarkLine.FindAllStringSubmatch(string(out), -1) {
		b := benchmark{Name: m[1], Nanoseconds: decimal(m[2])}
		if a := allocations.FindStringSubmatch(m[3]); a != nil {
			b.Allocations = decimal(a[1])
		}
		if byName[b.Name] == nil {
			names = append(names, b.Name)
		}
		byName[b.Name] = append(byName[b.Name], b)
	}
	var medians []benchmark
	for _, name := range names {
		medians = append(medians, middle(byName[name]))
	}
	return medians, nil
}

// middle returns the benchmark with the median time.
func middle(all []benchmark) benchmark {
	samples := make([]sample, len(all))
	for i, b := range all {
		samples[i] = sample{PerSecond: 1e9 / b.Nanoseconds, Bytes: i}
	}
	return all[median(samples).Bytes]
}

func decimal(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return f
}

// signInLines returns the lines of the table, with those that have no benchmark named as such.
func signInLines(all []benchmark) []line {
	if len(all) == 0 {
		return nil
	}
	lines := []line{{"", "", "product", "asked", ""}}
	ours, found := named(all, "Verify")
	theirs, alsoFound := named(all, "Crewjam")
	if found && alsoFound {
		ratio := ours.Nanoseconds / theirs.Nanoseconds
		lines = append(lines, line{
			"verify a signed SAML response, by crewjam's time", fmt.Sprintf("crewjam %.2f ms", theirs.Nanoseconds/1e6),
			fmt.Sprintf("%.2f ms = %.2f", ours.Nanoseconds/1e6, ratio), fmt.Sprintf("<= %.2f", askedVerify), within(ratio <= askedVerify),
		})
	}
	lines = append(lines, rateLines(all, "ACS", "ACS end to end, a second", askedACS)...)
	return append(lines, rateLines(all, "Callback", "OIDC callback without the provider's time, a second", askedCallback)...)
}

// rateLines returns a line for each database that a benchmark ran on.
func rateLines(all []benchmark, name, title string, asked float64) []line {
	var lines []line
	for _, b := range all {
		first, database, _ := strings.Cut(b.Name, "/")
		if first != name || b.Nanoseconds == 0 {
			continue
		}
		rate := 1e9 / b.Nanoseconds
		lines = append(lines, line{strings.TrimSpace(title + " " + database), "", fmt.Sprintf("%.0f", rate), fmt.Sprintf(">= %.0f", asked), within(rate >= asked)})
	}
	if len(lines) == 0 {
		lines = []line{{title, "", "not measured", fmt.Sprintf(">= %.0f", asked), "-"}}
	}
	return lines
}

// named finds a benchmark.
func named(all []benchmark, name string) (benchmark, bool) {
	for _, b := range all {
		if b.Name == name && b.Nanoseconds > 0 {
			return b, true
		}
	}
	return benchmark{}, false
}
