package ssotest

import (
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
)

// LoginParameter is the query or form field, and LoginCookie the cookie, that names the e-mail address of who signs in; with one of them no page is shown.
const (
	LoginParameter = "login"
	LoginCookie    = "ssotest-login"
)

// Person is somebody whom a provider knows.
type Person struct {
	Subject    string // NameID and sub; empty: made from the e-mail address
	Email      string
	GivenName  string
	FamilyName string
	Groups     []string
}

// Name returns the full name, or the address of who has none.
func (p Person) Name() string {
	if s := strings.TrimSpace(p.GivenName + " " + p.FamilyName); s != "" {
		return s
	}
	return p.Email
}

func (p Person) withSubject() Person {
	if p.Subject == "" {
		sum := sha256.Sum256([]byte(strings.ToLower(p.Email)))
		p.Subject = "ssotest-" + hex.EncodeToString(sum[:8])
	}
	return p
}

// find returns the person with that address; a stranger is somebody too, so that first sign-ins can be tried with any address.
func find(people []Person, email string) Person {
	for _, p := range people {
		if strings.EqualFold(p.Email, email) {
			return p.withSubject()
		}
	}
	return Person{Email: email}.withSubject()
}

// chosen returns the address of who signs in with this request, or "" when a page must ask.
func chosen(r *http.Request) string {
	if email := strings.TrimSpace(r.FormValue(LoginParameter)); email != "" {
		return email
	}
	if c, err := r.Cookie(LoginCookie); err == nil {
		return c.Value
	}
	return ""
}

var chooser = template.Must(template.New("chooser").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title>
<style>
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:26rem;margin:12vh auto;padding:0 1rem}
h1{font-size:1.25rem;margin:0}
p{margin:.25rem 0 1.5rem;opacity:.75}
button,input{font:inherit;box-sizing:border-box;width:100%;padding:.6rem .8rem;margin:0 0 .5rem;border:1px solid #8886;border-radius:.5rem;text-align:left}
button{cursor:pointer}
button span{display:block;font-size:.85em;opacity:.7}
label{display:block;margin-top:1.5rem}
</style></head>
<body><main><h1>{{.Title}}</h1><p>A provider for trying things out: choose who you are, no password is asked.</p>
<form method="post" action="{{.Action}}">
{{range .People}}<button name="login" value="{{.Email}}">{{.Name}}<span>{{.Email}}</span></button>
{{end}}</form>
<form method="post" action="{{.Action}}"><label>Somebody else<input type="email" name="login" required placeholder="name@example.com" autocomplete="off"></label><button>Continue</button></form>
</main></body></html>
`))

// ask shows the page on which one chooses who to be; it posts back to the same address.
func ask(w http.ResponseWriter, r *http.Request, title string, people []Person) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = chooser.Execute(w, struct {
		Title, Action string
		People        []Person
	}{title, r.URL.RequestURI(), people}) // the only error is a browser that went away
}
