package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usage is what the trees of some processes have used: CPU time since their start, memory now.
type usage struct {
	cpu    time.Duration
	memory float64 // MiB; pages that several processes share count once
}

// jiffy is the unit of CPU time in /proc: USER_HZ is 100 on every Linux that Go runs on.
const jiffy = 10 * time.Millisecond

// The fields of /proc/PID/stat that are read, counted behind the name in brackets.
const (
	statParent       = 1
	statUser         = 11
	statSystem       = 12
	statEndedUser    = 13 // of children that have ended
	statEndedSystem  = 14
	statFieldsNeeded = 15
)

// readUsage adds up the trees of processes that begin at the roots. What cannot be read, because it has just ended, is left out.
func readUsage(roots ...int) usage {
	all := readProcesses()
	var sum usage
	for pid, fields := range all {
		if !below(all, pid, roots) {
			continue
		}
		sum.cpu += ticks(fields, statUser, statSystem)
		if slices.Contains(roots, pid) {
			sum.cpu += ticks(fields, statEndedUser, statEndedSystem)
		}
		sum.memory += residentMiB(pid)
	}
	return sum
}

func readProcesses() map[int][]string {
	all := map[int][]string{}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return all
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		text := string(content)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if err == nil && len(fields) >= statFieldsNeeded {
			all[pid] = fields
		}
	}
	return all
}

// below reports whether a process is one of the roots or descends from one.
func below(all map[int][]string, pid int, roots []int) bool {
	for pid > 1 {
		if slices.Contains(roots, pid) {
			return true
		}
		fields, there := all[pid]
		if !there {
			return false
		}
		pid = number(fields[statParent])
	}
	return false
}

func ticks(fields []string, at ...int) time.Duration {
	var sum time.Duration
	for _, i := range at {
		sum += time.Duration(number(fields[i])) * jiffy
	}
	return sum
}

// residentMiB returns the proportional resident size of a process.
func residentMiB(pid int) float64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if rest, found := strings.CutPrefix(line, "Pss:"); found {
			return float64(number(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))) / 1024
		}
	}
	return 0
}

// number reads a number that the kernel wrote; what is none counts as 0.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
