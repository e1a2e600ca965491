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

// TestEveryRequirementHasATest holds testdata/requirements.tsv, what five systems ask of user management, against the tests: each row that is not purely a
// page (marks B, the bridge, or U, users) is named by a test.
func TestEveryRequirementHasATest(t *testing.T) {
	named := map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, match := range namedRow.FindAllStringSubmatch(readText(t, path), -1) {
			named[match[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(readText(t, "testdata/requirements.tsv")) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 || !strings.ContainsAny(cells[2], "BU") {
			continue
		}
		if rows++; !named[cells[0]] {
			t.Errorf("no test names %s: %s", cells[0], cells[1])
		}
	}
	if rows < 200 {
		t.Errorf("only %d rows were read", rows)
	}
}
