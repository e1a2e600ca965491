package console

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

var update = flag.Bool("update", false, "rewrite the documents that are made from the code")

// englishList is the list of all texts, for translators.
const englishList = "texts/en.txt"

func TestTextsAreAllListed(t *testing.T) {
	var list strings.Builder
	list.WriteString("# Every text of the pages, made from the templates and the code: go test ./console -run TextsAreAllListed -update\n")
	for _, text := range allTexts(t) {
		list.WriteString(text + "\n")
	}
	if *update {
		if err := os.WriteFile(englishList, []byte(list.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	is, err := os.ReadFile(englishList)
	if err != nil || string(is) != list.String() {
		t.Errorf("%s is not what the pages say (%v): run go test ./console -run TextsAreAllListed -update", englishList, err)
	}
}

func TestATranslationKeepsWhatIsFilledIn(t *testing.T) {
	known := map[string]bool{}
	for _, text := range allTexts(t) {
		known[text] = true
	}
	for _, tag := range languages[1:] {
		file, err := textFiles.ReadFile("texts/" + tag.String() + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		seen, done := map[string]bool{}, 0
		for n, line := range strings.Split(strings.TrimSuffix(string(file), "\n"), "\n") {
			from, to, ok := strings.Cut(line, "\t")
			if strings.HasPrefix(line, "#") {
				continue
			}
			switch {
			case !ok || to == "" || strings.Contains(to, "\t"):
				t.Errorf("%s, line %d: a line is the English text, one tab and the translation: %q", tag, n+1, line)
			case seen[from]:
				t.Errorf("%s, line %d: %q is translated twice", tag, n+1, from)
			case !known[from]:
				t.Errorf("%s, line %d: no page says %q any more", tag, n+1, from)
			case !slices.Equal(marksOf(from), marksOf(to)):
				t.Errorf("%s, line %d: %q has other places than %q", tag, n+1, to, from)
			case strings.Count(from, "|") != strings.Count(to, "|"):
				t.Errorf("%s, line %d: %q is one and many, and %q is not", tag, n+1, from, to)
			}
			seen[from] = true
			done++
		}
		t.Logf("%s: %d of %d texts", tag, done, len(known))
	}
}

// wholeLanguages are those that every text has to be in. What is the same as in English is written down as well: then somebody has looked at it.
var wholeLanguages = []string{"de"}

func TestEveryTextIsInGerman(t *testing.T) {
	for _, lang := range wholeLanguages {
		translator := textsOf(lang)
		if translator == nil {
			t.Fatalf("there is no texts/%s.tsv", lang)
		}
		for _, text := range allTexts(t) {
			if _, ok := translator.exact[text]; !ok {
				t.Errorf("texts/%s.tsv has no line for %q", lang, text)
			}
		}
	}
}

func marksOf(s string) []string {
	out := mark.FindAllString(s, -1)
	slices.Sort(out)
	return slices.Compact(out)
}

// borrowedTexts are said by other packages and shown on pages: statuses of people, rules of passwords, who works at the command line, a reason with one word of its own, and
// what strangers read who open a link that is over.
var borrowedTexts = []string{
	"Pending", "Locked", "at least {0} characters", "{0} of these: small letters, capitals, digits, other characters", "not easy to guess",
	"not your name or address, nor the name of your organisation or of this product", "operator", "{0} grants {1}: {2}",
	"This link opens nothing. Open it from the mail once more: a link that was copied may lack its end. It may also have been taken back.",
	"This link opens nothing any more. Ask for a new one on the page Restore password.",
	"This link opens nothing. It may have expired or been used: ask whoever sent it for a new one.",
	"This link opens nothing: it is mistyped, or its time is over, or it was revoked. Ask the administrator who gave it to you for a new one.",
	"You have joined already. Sign in; if you have no password, use Restore password.",
}

// allTexts are the messages of the templates and the texts of the code, sorted.
func allTexts(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	set, err := parseTemplates(templateFiles, nil)
	if err != nil {
		t.Fatal(err)
	}
	set = template.Must(set.Clone())
	w := rewriter{say: func(s string) string { found[s] = true; return s }}
	for _, page := range set.Templates() {
		if page.Tree == nil {
			continue
		}
		before := page.Tree.Root.String()
		w.tree(page.Tree)
		if after := page.Tree.Root.String(); after != before {
			t.Errorf("%s is not the same after it was read:\n%s\n%s", page.Name(), before, after)
		}
	}
	for _, text := range codeTexts(t) {
		found[text] = true
	}
	var out []string
	for _, text := range borrowedTexts {
		found[text] = true
	}
	for text := range found {
		if !strings.ContainsAny(text, "\t\n") {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}

// sentenceLike are constants that a person reads: they begin with a capital letter, or have several words.
var sentenceLike = regexp.MustCompile(`^(?:[A-Z“][\pL’' –…-]*[\pL.!?…:]|.*\pL{2,} .*\pL{2,}.*)$`)

// codeTexts are constants of this package that are shown: a word with a capital, or several words. Formats have {0}, {1} … for their verbs.
func codeTexts(t *testing.T) (out []string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../access/decision.go") // the reasons, which pages show
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var visit func(ast.Node) bool
		visit = func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.CallExpr:
				if len(x.Args) == 3 && calls(x, "count") {
					if one, many := literal(x.Args[1]), literal(x.Args[2]); one != "" && many != "" {
						out = append(out, "1 "+one, "{0} "+many)
					}
				}
			case *ast.ValueSpec:
				if wordLists[x.Names[0].Name] {
					out = append(out, wordsOf(x)...)
					return false
				}
			case *ast.BinaryExpr:
				if joined, names := joinedText(x); shown(joined) {
					out = append(out, joined)
					for _, name := range names {
						ast.Inspect(name, visit)
					}
					return false
				}
			case *ast.BasicLit:
				if s := literal(x); shown(s) {
					out = append(out, verbs(s))
				}
			}
			return true
		}
		ast.Inspect(file, visit)
	}
	return out
}

// wordLists are the variables whose texts are all shown, single words too.
var wordLists = map[string]bool{"fieldNames": true, "actionWords": true, "valueWords": true}

// wordsOf are the texts of a list, or the values of a map.
func wordsOf(x *ast.ValueSpec) (out []string) {
	list, ok := x.Values[0].(*ast.CompositeLit)
	if !ok {
		return nil
	}
	for _, e := range list.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			e = pair.Value
		}
		out = append(out, literal(e))
	}
	return out
}

// joinedText is a text that is put together of constants and names, with places for the names: "Delete " + name + "?" is "Delete {0}?". It is empty for what is put
// together of anything else. names are what stands at the places.
func joinedText(x *ast.BinaryExpr) (text string, names []ast.Expr) {
	var add func(e ast.Expr) string
	add = func(e ast.Expr) string {
		if b, isSum := e.(*ast.BinaryExpr); isSum && b.Op == token.ADD {
			return add(b.X) + add(b.Y)
		}
		if s := literal(e); s != "" {
			return s
		}
		names = append(names, e)
		return "{" + strconv.Itoa(len(names)-1) + "}"
	}
	text = add(x)
	if x.Op != token.ADD || len(names) == 0 || !apart.MatchString(text) || measures.MatchString(text) {
		return "", nil
	}
	return text, names
}

// apart is a text in which a word stands before or behind a name, with a space between them: an address is none, and neither is a measure.
var apart = regexp.MustCompile(`\{\d+\}[.,]? \pL{2,}|\pL{2,}.* “?\{\d+\}`)

var measures = regexp.MustCompile(`^[A-Z]+ \{\d+\}$|^\{\d+\} (?:UTC|MB|ms)$`)

func calls(x *ast.CallExpr, name string) bool {
	f, ok := x.Fun.(*ast.Ident)
	return ok && f.Name == name
}

func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

// notShown are what programs read: addresses, markup, headers.
var notShown = regexp.MustCompile(`^/|[<>{}\t\n]|^[A-Z]+ /|^\S+=|default-src|^[A-Z][a-z]+(-[A-Z][a-z]+)+$|^console: |^templates/|^[A-Z_]+$|^text/|^Mon|^attachment|^multipart`)

func shown(s string) bool {
	words := place.ReplaceAllString(s, "X")
	return sentenceLike.MatchString(words) && !notShown.MatchString(words) && len(words) > 2
}

var verb = regexp.MustCompile(`%[-+#0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z]`)

func verbs(s string) string {
	n := 0
	return verb.ReplaceAllStringFunc(s, func(string) string {
		n++
		return "{" + strconv.Itoa(n-1) + "}"
	})
}

func TestANameIsNotTakenForAText(t *testing.T) {
	german := textsOf("de")
	for _, name := range []string{"Okta of the house", "Head of Sales", "Grace on Monday"} {
		if got := german.Say(name); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
	if got := german.Say("Disable Okta of the house?"); got != "Okta of the house ausschalten?" {
		t.Error(got)
	}
	if got := german.Say("2 people are linked to it. They stay as users, but lose this way in: a new connection has to find them again by their e-mail address."); !strings.HasPrefix(got, "2 Personen sind damit verknüpft.") {
		t.Error(got)
	}
}

func TestMessagesAreReadFromPages(t *testing.T) {
	for page, want := range map[string][]string{
		`<p>The token of <strong>{{.Name}}</strong> that ends in <code>{{.Hint}}</code> expires {{.At}}. <a href="/x/{{.ID}}">Make a new one</a></p>`: {
			"The token of <0>{0}</0> that ends in <1>{1}</1> expires {2}. <2>Make a new one</2>",
		},
		`<p class="actions"><a class="button">Export</a> <a href="{{.X}}">{{icon "plus"}}New user</a></p>`:      {"Export", "New user"},
		`<input placeholder="Name or e-mail" aria-label="Search {{.What}}"{{if .A}} title="Here"{{end}}>`:       {"Name or e-mail", "Search {0}", "Here"},
		`<td data-label="Who">{{if .A}}<span>nobody</span>{{else}}by {{.Name}}{{end}}</td>`:                     {"Who", "nobody", "by {0}"},
		`<button aria-label="{{if .On}}Turn off{{else}}Turn on{{end}}">{{count .N "person" "people"}}</button>`: {"Turn off", "Turn on", "person|people"},
		`<pre>Not this</pre><code>nor that</code>`:                                                              nil,
	} {
		var got []string
		tmpl := template.Must(template.New("x").Funcs(functions).Parse(page))
		before := tmpl.Tree.Root.String()
		w := rewriter{say: func(s string) string { got = append(got, s); return s }}
		w.tree(tmpl.Tree)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s\nhas %q, not %q", page, got, want)
		}
		if after := tmpl.Tree.Root.String(); after != before {
			t.Errorf("%s\nbecame %s", before, after)
		}
	}
}

func TestATranslationPutsThingsElsewhere(t *testing.T) {
	tr := readTexts("{0} of <0>{1}</0> done\tVon <0>{1}</0> sind {0} fertig\nperson|people\tPerson|Personen\nDeactivate {0}?\t{0} sperren?\n")
	tmpl := template.Must(template.New("x").Funcs(functionsIn(tr)).Parse(`<p>{{.A}} of <b class="x">{{.B}}</b> done</p>{{count .A "person" "people"}} {{say .Q}}`))
	(&rewriter{say: tr.Say}).tree(tmpl.Tree)
	var out strings.Builder
	if err := tmpl.Execute(&out, map[string]any{"A": 3, "B": "<5>", "Q": "Deactivate <Ada>?"}); err != nil {
		t.Fatal(err)
	}
	if want := `<p>Von <b class="x">&lt;5&gt;</b> sind 3 fertig</p>3 Personen &lt;Ada&gt; sperren?`; out.String() != want {
		t.Errorf("%s\nnot\n%s", out.String(), want)
	}
}

func TestTheLanguageIsThePersonsElseTheBrowsers(t *testing.T) {
	for _, c := range []struct{ attributes, header, want string }{
		{"", "", "en"},
		{"", "de-CH, fr;q=0.5", "de"},
		{"", "fr, de;q=0.5", "de"},
		{"", "fr", "en"},
		{`{"preferredLanguage":"en-GB","locale":"de_AT"}`, "de", "en"},
		{`{"locale":"de_AT"}`, "en", "de"},
		{`{"locale":7}`, "de", "de"},
		{"", strings.Repeat("de,", 1000), "en"},
		{"", "\x00;;;q=x", "en"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", c.header)
		if got := languageOf(r, identity.User{Attributes: []byte(c.attributes)}); got != c.want {
			t.Errorf("%q with %q is %q, not %q", c.attributes, c.header, got, c.want)
		}
	}
}
