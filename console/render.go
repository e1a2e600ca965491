package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

//go:embed templates
var templateFiles embed.FS

// sharedPatterns are the files that pages have in common: the layout and the parts.
var sharedPatterns = []string{"templates/layout.html", "templates/parts*.html"}

// templates are parsed when the first page of a language is shown: the commands of the command line show none. They are embedded, so what parses in a test parses
// everywhere.
var templates = func() map[string]func() (*template.Template, error) {
	out := map[string]func() (*template.Template, error){}
	for _, tag := range languages {
		lang := tag.String()
		out[lang] = sync.OnceValues(func() (*template.Template, error) { return parseTemplates(templateFiles, textsOf(lang)) })
	}
	return out
}()

// parseTemplates returns everything in one set, so that the parts are in memory once and not once a page. Every page's file defines "content", which the
// set has under the name of the file; whatever else a page defines must have a name of its own. The texts are those of a language; nil leaves them English.
func parseTemplates(from fs.FS, t *texts) (*template.Template, error) {
	set, err := template.New("").Funcs(functionsIn(t)).ParseFS(from, sharedPatterns...)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(from, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if isShared(file) {
			continue
		}
		if err := addPage(set, from, file); err != nil {
			return nil, err
		}
	}
	if t != nil {
		w := rewriter{say: t.Say}
		for _, page := range set.Templates() {
			w.tree(page.Tree)
		}
	}
	return set, nil
}

func isShared(file string) bool {
	return slices.ContainsFunc(sharedPatterns, func(pattern string) bool {
		fits, _ := path.Match(pattern, file) // the patterns are constants and valid
		return fits
	})
}

func addPage(set *template.Template, from fs.FS, file string) error {
	base := path.Base(file)
	page, err := template.New(base).Funcs(functions).ParseFS(from, file)
	if err != nil {
		return err
	}
	if page.Lookup("content") == nil {
		return fmt.Errorf("%s defines no content", base)
	}
	for _, t := range page.Templates() {
		name := t.Name()
		switch {
		case name == base: // what stands around the definitions
			continue
		case name == "content":
			name = base
		case set.Lookup(name) != nil:
			return fmt.Errorf("%s defines %q, which is defined elsewhere", base, name)
		}
		if _, err := set.AddParseTree(name, t.Tree); err != nil {
			return err
		}
	}
	return nil
}

// pair hands two things to a part of a page.
type pair struct{ First, Second any }

// screen is one page: its title, which entry of the menu it belongs to, and its own data.
type screen struct {
	Title   string
	Nav     string
	Status  int  // 0: 200
	Wide    bool // for somebody who is not signed in: a page to work on, not a gate
	Refresh int  // after how many seconds a browser without scripts looks again; 0: never
	Body    any
}

// frame is what the layout sees.
type frame struct {
	screen
	Visit  visit
	Me     identity.User
	Menu   []menuGroup
	Gear   []menuEntry // what the button in the corner leads to, where the access model has one
	Notice string
	Path   string

	Lang      string // of the page
	Direction string // "ltr" or "rtl"

	Content template.HTML // the page itself
}

// show writes a page. The page is complete before its first byte is sent, so an error can still become an error page.
func (d *Door) show(w http.ResponseWriter, r *http.Request, v visit, name string, s screen) error {
	lang := languageOf(r, v.User)
	set, err := templates[lang]()
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	t := textsOf(lang)
	s.Title = t.Say(s.Title)
	f := frame{screen: s, Visit: v, Me: v.User, Notice: t.Say(doneTexts[r.URL.Query().Get("done")]), Path: r.URL.Path, Lang: lang, Direction: direction(lang)}
	if v.prov != nil {
		f.Menu = d.menu(r.Context(), v)
		f.Gear = v.gear(f.Menu)
	}
	var content, page bytes.Buffer
	if err := set.ExecuteTemplate(&content, name+".html", f); err != nil {
		return fmt.Errorf("console: page %s: %w", name, err)
	}
	f.Content = template.HTML(content.String()) // the template has escaped it
	if err := set.ExecuteTemplate(&page, "layout", f); err != nil {
		return fmt.Errorf("console: page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", lang)
	if mayPack(r, s) {
		w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed(page.Bytes())) // a browser that left needs no answer
			return nil
		}
	}
	if s.Status != 0 {
		w.WriteHeader(s.Status)
	}
	_, _ = page.WriteTo(w) // a browser that left needs no answer
	return nil
}

// mayPack reports whether a page may travel by gzip: where it shows nothing that the address or a form brought. Beside something that somebody else chose, what is secret
// on a page could be guessed by its length (BREACH).
func mayPack(r *http.Request, s screen) bool {
	return r.Method == http.MethodGet && r.URL.RawQuery == "" && s.Status == 0
}

// when writes a time that the browser turns into local time. It takes a time.Time or a *time.Time; none is written as the word given, else as a dash.
func when(v any, none ...string) template.HTML {
	var at time.Time
	switch t := v.(type) {
	case time.Time:
		at = t
	case *time.Time:
		if t != nil {
			at = *t
		}
	}
	if at.IsZero() {
		word := "–"
		if len(none) > 0 {
			word = none[0]
		}
		return template.HTML(`<span class="none">` + template.HTMLEscapeString(word) + `</span>`)
	}
	at = at.UTC()
	return template.HTML(`<time datetime="` + at.Format(time.RFC3339) + `">` + at.Format("2006-01-02 15:04") + ` UTC</time>`)
}

// count writes a number (an int or int64) with its noun: "1 person", "20 people".
func count(n any, one, many string) string {
	number, ok := n.(int64)
	if small, isInt := n.(int); isInt {
		number, ok = int64(small), true
	}
	if ok && number == 1 {
		return "1 " + one
	}
	return group(number) + " " + many
}

// group writes a number with thin spaces between its thousands.
func group(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func roleTitles(roles []identity.Role) string {
	out := make([]string, 0, len(roles))
	for _, role := range roles {
		out = append(out, role.Title)
	}
	return strings.Join(out, ", ")
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// device says in a few words which browser and system a user agent names.
func device(agent string) string {
	if agent == "" {
		return "Unknown browser"
	}
	pick := func(names ...[2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := pick([2]string{"Edg/", "Edge"}, [2]string{"Firefox/", "Firefox"}, [2]string{"Chrome/", "Chrome"}, [2]string{"Safari/", "Safari"}, [2]string{"curl/", "curl"})
	system := pick([2]string{"Windows", "Windows"}, [2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Mac OS", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "":
		return "Other client"
	case system == "":
		return browser
	}
	return browser + " on " + system
}
