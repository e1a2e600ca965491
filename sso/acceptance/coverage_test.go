package acceptance

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"testing"
)

// rows is how many rows each chapter of the acceptance table has: signatures, conditions, flow, parser, metadata, OpenID Connect, e-mail matching, browser.
var rows = map[string]int{"S": 39, "C": 22, "F": 19, "X": 11, "M": 12, "O": 32, "E": 35, "B": 7}

var rowTest = regexp.MustCompile(`^Test([SCFXMOEB][0-9]{2})[A-Z]`)

// Every row is a test of its own that go test -run finds by the row's id.
func TestEveryRowOfTheTableHasItsTest(t *testing.T) {
	found := map[string][]string{}
	for _, folder := range []string{"..", "."} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
					if m := rowTest.FindStringSubmatch(f.Name.Name); m != nil {
						found[m[1]] = append(found[m[1]], f.Name.Name)
					}
				}
			}
		}
	}
	total := 0
	for chapter, n := range rows {
		for i := 1; i <= n; i++ {
			id := fmt.Sprintf("%s%02d", chapter, i)
			if len(found[id]) == 0 {
				t.Errorf("no test is named for the row %s", id)
			}
			total += min(len(found[id]), 1)
		}
	}
	t.Logf("%d of 177 rows have a test", total)
}
