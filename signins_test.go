package drawbridge

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// signinSources are the files in which a sign-in is refused.
var signinSources = []string{
	"identity/account_fixes.go",
	"sso/*.go", "provisioning/signin*.go", "provisioning/reviews.go", "provisioning/pending_links.go", "provisioning/preview.go", "provisioning/trials.go",
	"authn/credentials.go", "authn/codes.go", "authn/second_factor.go", "authn/local.go", "authn/service.go", "authn/signins.go", "authn/attempts.go", "authn/passwords.go",
}

var (
	// reasonCode is what a reason code looks like in the source: a family and a reason.
	reasonCode = regexp.MustCompile(`^(saml|oidc|explain|connection|claims|email|external_id|jit|link|user|user_name|password|second_factor|session|signin|sso)\.[a-z_]+$`)
	// notReasons look so and are none: names of checks, and of attributes.
	notReasons = []string{"email.domain", "email.changed", "jit.created", "user.status", "user.email", "user.firstname", "user.lastname"}
)

// reasonCodes returns every reason code of the sources. One that is put together is made of the name of a protocol and its second half.
func reasonCodes(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for _, pattern := range signinSources {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("there is no file %s (%v)", pattern, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				for _, code := range codesIn(n) {
					found[code] = true
				}
				return true
			})
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func codesIn(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.BasicLit:
		if code, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && reasonCode.MatchString(code) && !slices.Contains(notReasons, code) {
			return []string{code}
		}
	case *ast.BinaryExpr:
		half, ok := n.Y.(*ast.BasicLit)
		if first, isName := n.X.(*ast.Ident); ok && isName && n.Op == token.ADD && first.Name == "protocol" {
			if code, err := strconv.Unquote(half.Value); err == nil {
				return []string{"saml" + code, "oidc" + code}
			}
		}
	}
	return nil
}

func TestDocumentsExplainEveryReasonOfARefusal(t *testing.T) {
	const file = "docs/signins.md"
	rows := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| [A-Z].*\\. \\| [A-Z].*\\. \\|$").FindAllStringSubmatch(readText(t, file), -1) {
		if rows[row[1]] {
			t.Errorf("%s has %s twice", file, row[1])
		}
		rows[row[1]] = true
	}
	codes := reasonCodes(t)
	if len(codes) < 100 || !slices.Contains(codes, "oidc.other_browser") {
		t.Fatalf("the sources have %d codes only: %v", len(codes), codes)
	}
	for _, code := range codes {
		if !rows[code] {
			t.Errorf("%s has no row for %s, with what it means and what to do: two sentences", file, code)
		}
		delete(rows, code)
	}
	for code := range rows {
		t.Errorf("%s has a row for %s, which no sign-in says any more", file, code)
	}
}
