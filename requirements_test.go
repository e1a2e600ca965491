package drawbridge

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// namedRow is the id of a row in the name of a test.
var namedRow = regexp.MustCompile(`\b((?:FC|FSM|ETL|FOS|FP|MIS)-[0-9]+)\b`)

// TestEveryRequirementHasATest holds testdata/requirements.tsv, what five systems ask of user management, against the tests: each row is named by a test, and each that
// is a page or a control (mark I) by one that drives a browser.
func TestEveryRequirementHasATest(t *testing.T) {
	named, browsed := map[string]bool{}, map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text := readText(t, path)
		drives := strings.Contains(text, "github.com/chromedp/chromedp")
		for _, match := range namedRow.FindAllStringSubmatch(text, -1) {
			named[match[1]] = true
			browsed[match[1]] = browsed[match[1]] || drives
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(readText(t, "testdata/requirements.tsv")) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 || !strings.ContainsAny(cells[2], "BUI") {
			continue
		}
		if rows++; !named[cells[0]] {
			t.Errorf("no test names %s: %s", cells[0], cells[1])
		}
		if strings.Contains(cells[2], "I") && !browsed[cells[0]] {
			t.Errorf("no test with a browser names %s: %s", cells[0], cells[1])
		}
	}
	if rows < 240 {
		t.Errorf("only %d rows were read", rows)
	}
}
