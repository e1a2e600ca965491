package web

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	formsHere = "form-action 'self'"
	policy    = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
		formsHere + "; frame-ancestors 'none'; base-uri 'none'"
)

// setHeaders sets what every answer carries; a handler may override each. Referrer-Policy is same-origin and not no-referrer, because the latter turns
// a form's Origin into "null", and over plain http (no Sec-Fetch-Site there) our own forms would be refused as foreign.
func (s *Server) setHeaders(w http.ResponseWriter, r *http.Request, id identity.RequestID) {
	h := w.Header()
	h.Set("X-Request-Id", string(id))
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if s.https || r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if !strings.HasPrefix(r.URL.Path, "/assets/") {
		h.Set("Cache-Control", "no-store")
	}
}

// formSource is a scheme (https:) or an origin (https://idp.example.com:8443): nothing that could end the directive or begin another.
var formSource = regexp.MustCompile(`^https?:(//[A-Za-z0-9.-]+(:[0-9]{1,5})?|//\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?)?$`)

// AllowForms lets the forms of this one answer lead to more places than our own origin: an origin, or any place with a scheme ("https:").
// What is neither is ignored. Call it before the answer is written.
//
// It is needed because Chromium applies form-action to every redirect that follows a post. The e-mail-first page posts to us, we redirect to the
// provider, and the provider often redirects on to a host that we do not know, so naming one origin is not enough, and naming all of them would tell
// a stranger who our customers are. Therefore: a page that asks for the e-mail only, or only offers "sign in with …", allows "https:" (and "http:" when
// Drawbridge itself runs on plain http, as in the demo); a page with a password field stays strict and posts to us alone. A plain link to
// /sso/{connection}/login needs nothing: links are not forms.
func AllowForms(w http.ResponseWriter, sources ...string) {
	h := w.Header()
	allowed := formsHere
	for _, source := range sources {
		if formSource.MatchString(source) {
			allowed += " " + source
		}
	}
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), formsHere, allowed, 1))
}
