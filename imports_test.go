package drawbridge

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is our own name; an import below it is one of ours.
const module = "github.com/drawbridge-id/drawbridge"

// room is what the law says about one package: its floor, whom of ours it may import, and which third-party modules it owns.
type room struct {
	floor  int
	ours   []string
	owns   []string
	inTest []string // third-party modules that only its tests may import
}

// support is the floor of packages that exist for tests: nothing below the command imports them.
const support = -1

// law is the table of docs/architecture.md. A package that is not in it may not exist; an import that it does not have fails the test.
var law = map[string]room{
	"identity": {floor: 0, owns: []string{"golang.org/x/net/idna", "golang.org/x/text/unicode/norm"}},
	"config":   {floor: 0, owns: []string{"github.com/caarlos0/env/v11", "go.yaml.in/yaml/v3"}},
	"access":   {floor: 1, ours: []string{"identity"}, owns: []string{"go.yaml.in/yaml/v3"}},
	"store": {floor: 1, ours: []string{"identity"}, owns: []string{
		"github.com/jmoiron/sqlx", "github.com/lib/pq", "modernc.org/sqlite", "github.com/pressly/goose/v3",
	}},
	"sheets":       {floor: 1, ours: []string{"identity"}, owns: []string{"github.com/xuri/excelize/v2", "golang.org/x/text/encoding"}},
	"provisioning": {floor: 2, ours: []string{"identity", "access", "store", "sheets"}, owns: []string{"github.com/go-jose/go-jose/v4", "golang.org/x/image"}},
	"authn": {floor: 2, ours: []string{"identity", "access", "store"}, owns: []string{
		"golang.org/x/crypto", "github.com/go-jose/go-jose/v4", "github.com/pquerna/otp", "github.com/ccojocar/zxcvbn-go",
	}},
	"outbox": {
		floor: 2, ours: []string{"identity", "store"}, owns: []string{"github.com/wneessen/go-mail"},
		inTest: []string{"github.com/emersion/go-smtp"},
	},
	"web": {floor: 3, ours: []string{"identity"}, owns: []string{"golang.org/x/time"}},
	"scim": {
		floor: 4, ours: []string{"identity", "provisioning", "authn", "web"},
		owns: []string{"github.com/elimity-com/scim"}, inTest: []string{"github.com/scim2/filter-parser/v2"},
	},
	"sso": {floor: 4, ours: []string{"identity", "provisioning", "authn", "web"}, owns: sign},
	"console": {
		floor: 4, ours: []string{"identity", "provisioning", "authn", "web"}, owns: []string{"golang.org/x/text/language"},
		inTest: []string{"github.com/chromedp/chromedp", "github.com/chromedp/cdproto", "github.com/pquerna/otp"},
	},
	"api": {floor: 4, ours: []string{"identity", "provisioning", "authn", "web"}, inTest: []string{"github.com/go-jose/go-jose/v4"}},
	"cmd/drawbridge": {
		floor: 5, ours: []string{
			"identity", "config", "access", "sheets", "store", "provisioning", "authn", "outbox", "web", "scim", "sso", "console", "api",
			"sso/ssotest", // the demo signs people in at the small provider of the tests
		},
		owns:   []string{"github.com/spf13/cobra", "github.com/spf13/pflag"},
		inTest: []string{"github.com/emersion/go-smtp", "github.com/chromedp/chromedp", "github.com/chromedp/cdproto"}, // mail; the journeys through the console
	},
	"outbox/smtptest":      {floor: support, owns: []string{"github.com/emersion/go-smtp", "github.com/emersion/go-sasl"}},
	"provisioning/dnstest": {floor: support, owns: []string{"golang.org/x/net/dns/dnsmessage"}},
	"store/storetest":      {floor: support, ours: []string{"identity", "access", "store"}, owns: []string{"github.com/lib/pq"}},
	"sso/ssotest":          {floor: support, ours: []string{"identity"}, owns: sign},
	"sso/acceptance":       {floor: support, ours: []string{"identity", "access", "store", "provisioning", "authn", "web", "scim", "sso", "console", "sso/ssotest", "store/storetest", "provisioning/dnstest"}, inTest: append([]string{"github.com/pquerna/otp"}, sign...)},
	"e2e":                  {floor: support, inTest: []string{"golang.org/x/net/html"}},
	"bench":                {floor: support, owns: []string{"github.com/lib/pq", "modernc.org/sqlite"}}, // none of ours: it sees what a client sees
}

// sign is what signs and verifies: owned by sso, and by the small provider that its tests sign in at.
var sign = []string{
	"github.com/beevik/etree", "github.com/crewjam/saml", "github.com/russellhaering/goxmldsig",
	"github.com/mattermost/xml-roundtrip-validator", "github.com/coreos/go-oidc/v3", "golang.org/x/oauth2", "github.com/go-jose/go-jose/v4",
}

// inEveryTest are the third-party modules that any test may import.
var inEveryTest = []string{"github.com/google/go-cmp", "go.uber.org/goleak", "pgregory.net/rapid"}

// forbiddenNames say nothing about what a package does, so everything ends up in them.
var forbiddenNames = []string{"models", "utils", "util", "common", "helpers", "helper", "middleware", "internal", "pkg", "misc", "base", "shared", "mock", "mocks"}

// source is one file of ours: what it imports and what it says of its package.
type source struct {
	path    string
	folder  string // slash-separated, from the root
	name    string // of the package
	test    bool
	imports []string
	doc     string
}

func TestEveryImportIsInTheLaw(t *testing.T) {
	for _, s := range sources(t) {
		r, known := law[s.folder]
		if !known {
			t.Errorf("%s: there is no package %s in the law. Add a row to imports_test.go and to docs/architecture.md, with its one duty", s.path, s.folder)
			continue
		}
		for _, imported := range s.imports {
			if reason := refusal(s, r, imported); reason != "" {
				t.Errorf("%s imports %s: %s", s.path, imported, reason)
			}
		}
	}
}

// refusal says why a file may not import something, or "".
func refusal(s source, r room, imported string) string {
	if our, isOurs := strings.CutPrefix(imported, module+"/"); isOurs {
		return refusalOfOurs(s, r, our)
	}
	if isStandard(imported) {
		if imported == "net/http" && !s.test && r.floor >= 0 && r.floor < 3 {
			return "HTTP begins on floor 3. Take plain values, and let a door or web read the request"
		}
		return ""
	}
	switch {
	case owned(r.owns, imported), s.test && (owned(r.inTest, imported) || owned(inEveryTest, imported)):
		return ""
	case owned(r.inTest, imported):
		return "only its tests may"
	}
	return s.folder + " does not own this module. Use the package that does, or write a decision and change the law"
}

func refusalOfOurs(s source, r room, our string) string {
	other := law[our]
	switch {
	case our == s.folder && s.test: // a test of the package's outside
		return ""
	case slices.Contains(r.ours, our):
		return ""
	case s.test && other.floor == support:
		return ""
	case s.test && other.floor < r.floor: // a test builds the floors below its own
		return ""
	case other.floor == support:
		return "it is for tests only"
	case r.floor == 4 && other.floor == 4:
		return "doors do not import each other. What two doors need belongs in web, or in provisioning or authn when it is a rule"
	case r.floor == 4 && (our == "store" || our == "access"):
		return "a door asks provisioning or authn, so that every rule is kept on every way in"
	case other.floor >= r.floor:
		return "a package imports from floors below its own only"
	}
	return "the table of docs/architecture.md does not have it"
}

// owned reports whether one of the modules holds the imported package.
func owned(modules []string, imported string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
}

// isStandard reports whether a package is of the standard library: its first element has no dot.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func TestTheLawItselfKeepsTheFloors(t *testing.T) {
	for name, r := range law {
		for _, our := range r.ours {
			other, known := law[our]
			if !known {
				t.Errorf("%s may import %s, which is not in the law", name, our)
			}
			if r.floor != support && other.floor >= r.floor {
				t.Errorf("%s on floor %d may import %s on floor %d", name, r.floor, our, other.floor)
			}
		}
	}
}

func TestEveryPackageStatesItsDutyInADocComment(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		want := "Package " + s.name + " "
		if s.name == "main" {
			want = "Drawbridge "
		}
		said[s.folder] = said[s.folder] || !s.test && strings.HasPrefix(s.doc, want)
	}
	for folder, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment that begins as Go's do. Write doc.go: its duty and its limit", folder)
		}
	}
}

func TestNoPackageHasANameThatSaysNothing(t *testing.T) {
	for _, s := range sources(t) {
		for _, name := range append(strings.Split(s.folder, "/"), s.name) {
			if slices.Contains(forbiddenNames, name) {
				t.Errorf("%s: %q says nothing about what is in it", s.path, name)
			}
		}
	}
}

// sources reads the imports and package comments of all our files, under every build constraint, apart from the root's own tests.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(file, d.Name())
		}
		if filepath.Ext(file) != ".go" || filepath.Dir(file) == "." {
			return nil
		}
		s, err := read(file)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no file was found: this test must run in the root of the module")
	}
	return all
}

// skipFolder leaves out what the go command leaves out.
func skipFolder(path, name string) error {
	if path != "." && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
		return filepath.SkipDir
	}
	return nil
}

func read(file string) (source, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	slashed := filepath.ToSlash(file)
	s := source{
		path: slashed, folder: path.Dir(slashed), name: strings.TrimSuffix(parsed.Name.Name, "_test"),
		test: strings.HasSuffix(file, "_test.go"), doc: parsed.Doc.Text(),
	}
	for _, i := range parsed.Imports {
		s.imports = append(s.imports, unquote(i))
	}
	return s, nil
}

// unquote returns the path of an import; the parser has checked its quotes.
func unquote(i *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(i.Path.Value)
	if err != nil {
		return i.Path.Value
	}
	return unquoted
}
