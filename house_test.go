package drawbridge

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
)

// update rewrites the documents that are made from the code: go test -run Documents -update .
var update = flag.Bool("update", false, "rewrite the documents that are made from the code")

const eventsHead = `# Events

Every change writes one event in the transaction of the change itself: who did what to whom, when, through which door and
request, and field by field what was before and after. The timeline of a person, the audit log and ` + "`drawbridge events`" + ` are readings of them.
Secrets are never in an event.

| type | what happened |
|---|---|
`

func TestDocumentsListEveryEvent(t *testing.T) {
	var b strings.Builder
	b.WriteString(eventsHead)
	for _, name := range slices.Sorted(maps.Keys(identity.EventTypes)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, identity.EventTypes[name])
	}
	const file = "docs/events.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if readText(t, file) != b.String() {
		t.Errorf("%s is not what identity.EventTypes says. Run: go test -run Documents -update .", file)
	}
}

func TestDocumentsListEverySetting(t *testing.T) {
	readme := readText(t, "README.md")
	for _, row := range config.Table() {
		line := settingLine(row)
		if !strings.Contains(readme, line) {
			t.Errorf("README.md lacks this line of the table of settings, or has an older one:\n%s", line)
		}
	}
}

// settingLine is a setting as README.md shows it.
func settingLine(row config.Setting) string {
	name, def := "`"+row.Name+"`", ""
	if row.Secret {
		name += ", `" + row.Name + "_FILE`"
	}
	if row.Default != "" {
		def = "`" + row.Default + "`"
	}
	return strings.Join(strings.Fields(fmt.Sprintf("| %s | %s | %s |", name, def, row.Description)), " ")
}

func TestDocumentsNameEveryPackageOfTheLaw(t *testing.T) {
	page := readText(t, "docs/architecture.md")
	for name := range law {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/architecture.md does not say what `%s` is for", name)
		}
	}
}

func TestDocumentsOfDecisionsAreNumberedWithoutAGap(t *testing.T) {
	entries, err := os.ReadDir("docs/decisions")
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if !strings.HasPrefix(e.Name(), fmt.Sprintf("%04d-", i+1)) {
			t.Errorf("docs/decisions/%s is not number %04d", e.Name(), i+1)
		}
	}
}

func TestDocumentsConformanceIsShownByTests(t *testing.T) {
	tests := testFunctions(t)
	rows := 0
	for line := range strings.Lines(readText(t, "docs/conformance.md")) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| test |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 4 {
			t.Errorf("docs/conformance.md: %d cells instead of clause, what it asks, how it is met, test: %s", len(cells), line)
			continue
		}
		names := quoted.FindAllStringSubmatch(cells[3], -1)
		if len(names) == 0 {
			t.Errorf("docs/conformance.md: no test shows %s:%s", cells[0], cells[1])
		}
		for _, n := range names {
			if why := shown(tests, n[1]); why != "" {
				t.Errorf("docs/conformance.md: %s:%s: %s", cells[0], cells[1], why)
			}
		}
	}
	if rows < 100 {
		t.Errorf("docs/conformance.md has %d clauses; are its tables still read?", rows)
	}
}

var (
	quoted       = regexp.MustCompile("`([^`]+)`")
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w \*testing\.[TF]\)`)
)

// testFunctions returns the text of the file of each test and fuzz target of the tree.
func testFunctions(t *testing.T) map[string]string {
	t.Helper()
	tests := map[string]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text := readText(t, path)
		for _, m := range testFunction.FindAllStringSubmatch(text, -1) {
			tests[m[1]] = text
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// shown says why a test that a document names shows nothing: there is none, or it has no such case. A case is a text in the file of the test, or
// a conversation.
func shown(tests map[string]string, name string) string {
	name, part, _ := strings.Cut(name, "/")
	text, ok := tests[name]
	switch _, err := os.Stat("scim/testdata/" + part + ".txt"); {
	case !ok:
		return "there is no test " + name
	case part == "" || strings.Contains(text, `"`+part+`"`) || err == nil:
		return ""
	}
	return name + " has no case " + part
}

func readText(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
