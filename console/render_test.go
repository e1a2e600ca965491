package console

import (
	"errors"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryPageParsesAndEveryPartThatItNamesExists(t *testing.T) {
	set, err := templates["en"]()
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil || len(files) < 50 {
		t.Fatalf("only the templates %v are there: %v", files, err)
	}
	for _, file := range files {
		name := path.Base(file)
		if isShared(file) {
			continue
		}
		var wrong *template.Error // an error of the template itself; that there is no data is another
		if err := set.ExecuteTemplate(io.Discard, name, nil); errors.As(err, &wrong) || set.Lookup(name) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATemplateThatIsWrongIsRefused(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"an action without its end", `{{define "content"}}{{if .Body}}{{end}}`, "unexpected EOF"},
		{"a function that does not exist", `{{define "content"}}{{shout .Body}}{{end}}`, `"shout" not defined`},
		{"a page of nothing", `<p>lost</p>`, "defines no content"},
		{"a part that is defined elsewhere", `{{define "content"}}{{end}}{{define "status"}}{{end}}`, `defines "status"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{"templates/page.html": {Data: []byte(c.text)}}
			shared, err := fs.Glob(templateFiles, "templates/*.html")
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range slices.DeleteFunc(shared, func(file string) bool { return !isShared(file) }) {
				raw, err := fs.ReadFile(templateFiles, file)
				if err != nil {
					t.Fatal(err)
				}
				files[file] = &fstest.MapFile{Data: raw}
			}
			if _, err := parseTemplates(files, nil); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it ends with %v, want %q", err, c.says)
			}
		})
	}
}
