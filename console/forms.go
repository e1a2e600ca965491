package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
)

// maxForm is the largest form in bytes: enough for the metadata of a provider and for a thousand people to place.
const maxForm = 2 << 20

// maxField is the longest single field in bytes; only metadata, certificates and a message to be explained may be longer. What is typed here is kept in events for ever.
const maxField = 16 << 10

// form is what somebody typed, with what was wrong about it, so that a page can show both again.
type form struct {
	Values  url.Values
	Problem *identity.Error
	fields  []string
}

// blank returns a form with values to start from, as pairs of name and value.
func blank(pairs ...string) form {
	f := form{Values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// readForm parses the posted form. fields names the inputs that can show an error of their own.
func readForm(w http.ResponseWriter, r *http.Request, fields ...string) (form, error) {
	return readFormUpTo(w, r, maxForm, fields...)
}

// readFormUpTo is readForm for a form of at most so many bytes, with files.
func readFormUpTo(w http.ResponseWriter, r *http.Request, most int64, fields ...string) (form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	parse := r.ParseForm
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		parse = func() error { return r.ParseMultipartForm(most) }
	}
	if err := parse(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return form{}, identity.Errorf(identity.TooLarge, "The form is larger than %d MB.", most>>20).WithCause(err)
		}
		return form{}, identity.Errorf(identity.Invalid, "The form could not be read.").WithCause(err)
	}
	for name, values := range r.PostForm {
		for _, value := range values {
			if len(value) > maxField && name != "metadata" && name != "certificate" && name != "message" {
				return form{}, identity.Errorf(identity.TooLarge, "The field %s has more than 16 KB. Write less.", clip(name, 40))
			}
			if err := plainText(name, value); err != nil {
				return form{}, err
			}
		}
	}
	return form{Values: r.PostForm, fields: fields}, nil
}

// plainText refuses what is typed into a field and is no text.
func plainText(name, value string) error {
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return identity.Errorf(identity.Invalid, "The field %s has characters that are no text.", clip(strings.ToValidUTF8(name, "?"), 40)).WithField(name)
	}
	return nil
}

// maxSearch is how many characters of a search are looked for.
const maxSearch = 200

// search returns what was typed into a search box, as text that can be looked for.
func search(r *http.Request) string {
	s := strings.ReplaceAll(strings.ToValidUTF8(r.URL.Query().Get("q"), ""), "\x00", "")
	return strings.TrimSpace(clip(s, maxSearch))
}

// Value returns a field without the space around it.
func (f form) Value(name string) string { return strings.TrimSpace(f.Values.Get(name)) }

// Has reports whether a field has a value among several.
func (f form) Has(name, value string) bool { return slices.Contains(f.Values[name], value) }

// Error returns what is wrong with one field, or "".
func (f form) Error(name string) string {
	if f.Problem == nil || f.fieldOf() != name {
		return ""
	}
	return f.Problem.Message
}

// Choices returns what the field that is wrong may be instead, where only a few values can be right.
func (f form) Choices() []string {
	if f.Problem == nil {
		return nil
	}
	return f.Problem.Choices
}

// General returns what is wrong with the form as a whole, or "".
func (f form) General() string {
	if f.Problem == nil || f.fieldOf() != "" {
		return ""
	}
	return f.Problem.Message
}

// fieldOf maps the name that provisioning knows (userName, emails, tenantId) to the input of the page (username, email, tenant).
func (f form) fieldOf() string {
	key := func(s string) string {
		s = strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
		return strings.TrimSuffix(strings.TrimSuffix(s, "id"), "s")
	}
	for _, name := range f.fields {
		if f.Problem.Field != "" && key(name) == key(f.Problem.Field) {
			return name
		}
	}
	return ""
}

// refused takes an error that the page can show beside what was typed. Other errors (nobody is signed in, the database is gone) stay errors.
func (f *form) refused(err error) bool {
	var e *identity.Error
	if !errors.As(err, &e) || e.Message == "" {
		return false
	}
	switch e.Kind {
	case identity.Invalid, identity.Conflict, identity.Precondition, identity.Forbidden, identity.NotFound, identity.TooMany, identity.TooLarge:
		f.Problem = e
		return true
	}
	return false
}

// stale reports whether what a form was made from ("was") is no longer what is there. It makes the form say so, and hold when it is sent once more.
func (f *form) stale(now string) bool {
	if f.Value("was") == now {
		return false
	}
	f.Values.Set("was", now)
	f.Problem = identity.Errorf(identity.Precondition, "Somebody changed this meanwhile; what it says now stands beside what you entered. Save again to keep yours.")
	return true
}

// pathID returns an id of the path; what is no id names nothing.
func pathID[T ~string](r *http.Request, name string) (T, error) {
	id, ok := identity.ParseID[T](r.PathValue(name))
	if !ok {
		return "", identity.Errorf(identity.NotFound, "There is nothing with this id.")
	}
	return id, nil
}

// words splits what people type as a list: by comma, semicolon or white space.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}
