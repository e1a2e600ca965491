package console

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The texts of the pages are English and stand where they are used: whole sentences in the templates, and constants in this package. texts/en.txt lists them all;
// a language is one file beside it, with the English text, a tab and the translation in each line. What it does not have stays English.
//
//go:embed texts/*.tsv
var textFiles embed.FS

// languages are those that the pages speak, the first where nobody asks for another.
var languages = []language.Tag{language.English, language.German}

var languageMatcher = language.NewMatcher(languages)

// leftward are the languages that are written from right to left.
var leftward = []string{"ar", "fa", "he", "ur"}

// texts translates into one language. A nil texts leaves everything as it is.
type texts struct {
	exact    map[string]string
	patterns []textPattern
}

// textPattern is a text with places for names and numbers: "{0} of {1} done".
type textPattern struct {
	fits *regexp.Regexp
	say  string
}

// textsOf returns the translator into a language, which is read when it is asked for first; nil for English.
func textsOf(lang string) *texts {
	if load := textLoaders[lang]; load != nil {
		return load()
	}
	return nil
}

var textLoaders = func() map[string]func() *texts {
	out := map[string]func() *texts{}
	for _, tag := range languages[1:] {
		out[tag.String()] = sync.OnceValue(func() *texts {
			file, err := textFiles.ReadFile("texts/" + tag.String() + ".tsv")
			if err != nil {
				return nil
			}
			return readTexts(string(file))
		})
	}
	return out
}()

// place is where a name or number stands in a text, and tag an element in one.
var place = regexp.MustCompile(`\{\d+\}`)

// readTexts reads a language's file. Empty lines, lines that begin with # and texts without a translation say nothing.
func readTexts(file string) *texts {
	t := &texts{exact: map[string]string{}}
	for line := range strings.Lines(file) {
		from, to, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		if !ok || from == "" || to == "" || strings.HasPrefix(from, "#") {
			continue
		}
		t.exact[from] = to
		if place.MatchString(from) && !strings.Contains(from, "<") && !general(from) {
			parts := place.Split(from, -1)
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			t.patterns = append(t.patterns, textPattern{regexp.MustCompile(`(?s)^` + strings.Join(parts, `(.+?)`) + `$`), to})
		}
	}
	// What has most words of its own is tried first.
	slices.SortStableFunc(t.patterns, func(a, b textPattern) int { return cmp.Compare(len(b.fits.String()), len(a.fits.String())) })
	return t
}

// general reports whether a text with places is hardly more than its places, as "{0} of {1}" is: then a name could be taken for it.
func general(text string) bool {
	return len(place.FindAllString(text, 3)) > 1 && len(letters.FindAllString(place.ReplaceAllString(text, ""), 2)) < 2
}

// number is a text that begins with a number, as what count returns.
var number = regexp.MustCompile(`^\d[\d,. ]* \pL`)

// filling is what stands at a place of a translated text: a name as it is; a number of things and a list of actions are texts of ours.
func (t *texts) filling(s string) string {
	switch {
	case number.MatchString(s):
		return t.Say(s)
	case isActions(s):
		return t.actions(s)
	}
	return s
}

// Say translates a finished text of this package: as it stands, or by a pattern whose places are filled. What is not known stays.
func (t *texts) Say(s string) string {
	if t == nil || s == "" {
		return s
	}
	if out, ok := t.exact[s]; ok {
		return out
	}
	for _, p := range t.patterns {
		if found := p.fits.FindStringSubmatch(s); found != nil {
			return place.ReplaceAllStringFunc(p.say, func(at string) string {
				n, err := strconv.Atoi(at[1 : len(at)-1])
				if err != nil || n+1 >= len(found) {
					return at
				}
				return t.filling(found[n+1])
			})
		}
	}
	return s
}

// Format translates a format of fmt, with its verbs as {0}, {1} …, and fills it in.
func (t *texts) Format(format string, args ...any) string { return t.Say(fmt.Sprintf(format, args...)) }

// languageOf chooses the language of a page: what the person's record says (RFC 7643 4.1.1: preferredLanguage, else locale), else what the browser asks for.
func languageOf(r *http.Request, u identity.User) string {
	var said struct{ PreferredLanguage, Locale string }
	if len(u.Attributes) > 0 {
		_ = json.Unmarshal(u.Attributes, &said) // attributes of another shape name no language
	}
	for _, wish := range []string{said.PreferredLanguage, said.Locale, r.Header.Get("Accept-Language")} {
		if len(wish) == 0 || len(wish) > 200 {
			continue
		}
		wanted, _, err := language.ParseAcceptLanguage(strings.ReplaceAll(wish, "_", "-"))
		if err != nil || len(wanted) == 0 {
			continue
		}
		if _, i, sure := languageMatcher.Match(wanted...); sure >= language.High {
			return languages[i].String()
		}
	}
	return languages[0].String()
}

// direction is how a language is written: "ltr" or "rtl".
func direction(lang string) string {
	if slices.Contains(leftward, lang) {
		return "rtl"
	}
	return "ltr"
}

// spoken are the functions of templates that return texts of ours. What people typed never goes through them alone.
var spoken = []string{"eventName", "planTitle", "planCounts", "planKind", "planState", "planAction", "stepState", "offState", "reviewTitle", "reviewAdvice", "count", "field", "source", "span"}

// functionsIn are the functions of templates in a language.
func functionsIn(t *texts) template.FuncMap {
	if t == nil {
		return functions
	}
	out := maps.Clone(functions)
	out["say"] = func(s any) string { return t.Say(fmt.Sprint(s)) }
	for _, name := range spoken {
		out[name] = saying(t, functions[name])
	}
	out["device"] = func(agent string) string { return t.device(device(agent)) }
	out["value"] = func(v any) string { return t.value(changeValue(v)) }
	out["actions"] = func(list []string) string { return t.actions(actionList(list)) }
	out["actor"] = t.actor
	out["reason"] = t.reason
	out["when"] = func(at any, none ...string) template.HTML {
		said := make([]string, len(none))
		for i := range none {
			said[i] = t.Say(none[i])
		}
		return when(at, said...)
	}
	return out
}

// saying translates what a function returns.
func saying(t *texts, f any) any {
	v := reflect.ValueOf(f)
	return reflect.MakeFunc(v.Type(), func(in []reflect.Value) []reflect.Value {
		call := v.Call
		if v.Type().IsVariadic() {
			call = v.CallSlice
		}
		out := call(in)
		if out[0].Kind() == reflect.String {
			out[0] = reflect.ValueOf(t.Say(out[0].String())).Convert(v.Type().Out(0))
		}
		return out
	}).Interface()
}
