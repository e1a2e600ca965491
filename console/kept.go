package console

import (
	"net/http"
	"slices"
	"strings"
)

// keptBody is a form that came when the session had ended: where it goes, and its fields.
type keptBody struct {
	Action string
	Fields []keptField
	Parts  bool // it is sent in parts, as forms with files are
	Files  bool // a file was chosen, which is not kept
}

type keptField struct{ Name, Value string }

// secretFields are parts of the names of fields that no page repeats.
var secretFields = []string{"password", "secret", "token", "code", "key"}

// keepForm answers a form that came without a session by a page that carries it, so that nothing typed is lost: it is sent again after signing in in another tab. It reports false
// for what is none (a program's request) or has a secret; that goes to the sign-in page. The form came from a page of ours: forms from elsewhere are refused before.
func (d *Door) keepForm(w http.ResponseWriter, r *http.Request) bool {
	ours := d.cookies.Session(r) != "" || r.Header.Get("Origin") != "" // a browser forgets a cookie that has ended
	inside := strings.HasPrefix(r.URL.Path, "/console") || strings.HasPrefix(r.URL.Path, "/account")
	if r.Method != http.MethodPost || !ours || !inside {
		return false
	}
	f, err := readForm(w, r)
	if err != nil {
		return false
	}
	body := keptBody{Action: r.URL.RequestURI(), Parts: r.MultipartForm != nil}
	if body.Parts {
		for _, files := range r.MultipartForm.File {
			body.Files = body.Files || len(files) > 0 && files[0].Size > 0
		}
	}
	for name, values := range f.Values {
		for _, value := range values {
			if value != "" && slices.ContainsFunc(secretFields, func(part string) bool { return strings.Contains(strings.ToLower(name), part) }) {
				return false
			}
			body.Fields = append(body.Fields, keptField{name, value})
		}
	}
	if len(body.Fields) == 0 {
		return false
	}
	slices.SortStableFunc(body.Fields, func(a, b keptField) int { return strings.Compare(a.Name, b.Name) })
	return d.show(w, r, visit{}, "kept", screen{Title: "Your session has ended", Status: http.StatusUnauthorized, Body: body}) == nil
}
