//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// proven is what was tried at a real provider, and how it went.
var proven struct {
	mu    sync.Mutex
	lines []string
}

// proves notes, when the test is over, whether something works with a real provider: the report that is printed at the end.
func proves(t *testing.T, provider, what string) {
	t.Helper()
	t.Cleanup(func() {
		word := "passed "
		switch {
		case t.Failed():
			word = "FAILED "
		case t.Skipped():
			word = "skipped"
		}
		proven.mu.Lock()
		defer proven.mu.Unlock()
		proven.lines = append(proven.lines, fmt.Sprintf("%s  %s: %s", word, provider, what))
	})
}

// report writes what was proven, each thing once, to the file that DRAWBRIDGE_E2E_REPORT names, or prints it: "go test" hides what a good run prints.
func report() error {
	proven.mu.Lock()
	defer proven.mu.Unlock()
	if len(proven.lines) == 0 {
		return nil
	}
	slices.Sort(proven.lines)
	text := "\n== with real providers\n" + strings.Join(slices.Compact(proven.lines), "\n") + "\n"
	if path := os.Getenv("DRAWBRIDGE_E2E_REPORT"); path != "" {
		return os.WriteFile(path, []byte(text), 0o600)
	}
	_, err := os.Stdout.WriteString(text)
	return err
}
