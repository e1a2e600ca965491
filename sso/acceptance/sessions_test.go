package acceptance

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// waysIn are all ways to begin a session.
func (h *house) waysIn() map[string]func(b *browser) reply {
	return map[string]func(b *browser) reply{
		"SAML":     func(b *browser) reply { return b.signIn(h.viaSAML, ada.Email) },
		"OIDC":     func(b *browser) reply { return b.signIn(h.viaOIDC, ada.Email) },
		"password": func(b *browser) reply { return b.withPassword(ada.Email) },
	}
}

// cookieOf returns the session cookie of a browser.
func (b *browser) cookieOf(t *testing.T) *http.Cookie {
	t.Helper()
	u, err := url.Parse(b.h.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.TrimPrefix(c.Name, "__Host-") == "drawbridge" {
			return c
		}
	}
	return nil
}

// plant gives a browser a session cookie that somebody else chose.
func (b *browser) plant(t *testing.T, value string) {
	t.Helper()
	u, err := url.Parse(b.h.url)
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "drawbridge", Value: value, Path: "/"}})
}

func TestB01ASignInMakesANewSessionAndEndsTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(h.tenant().ID, ada.Email, "viewer")
		mallory := h.person(h.tenant().ID, "mallory@example.com", "viewer")
		for name, signIn := range h.waysIn() {
			t.Run(name, func(t *testing.T) {
				h.t = t
				attacker, victim := h.browser(), h.browser()
				attacker.withPassword("mallory@example.com")
				planted := attacker.cookieOf(t).Value
				victim.plant(t, planted)
				if res := signIn(victim); res.StatusCode != http.StatusSeeOther {
					t.Fatalf("answered %d: %+v", res.StatusCode, h.lastTrace())
				}
				visit, err := victim.session()
				if err != nil || visit.User.ID == mallory.ID || victim.cookieOf(t).Value == planted {
					t.Fatalf("the victim keeps the planted cookie, or is %s (%v)", visit.User.UserName, err)
				}
				if _, err := h.authn.Session(t.Context(), planted); identity.KindOf(err) != identity.Unauthenticated {
					t.Errorf("the planted cookie still opens a session: %v", err)
				}
				first := victim.cookieOf(t).Value
				signIn(victim)
				if again, err := victim.session(); err != nil || victim.cookieOf(t).Value == first || again.Session.ID == visit.Session.ID {
					t.Errorf("the second sign-in keeps the first session (%v)", err)
				}
				if _, err := h.authn.Session(t.Context(), first); identity.KindOf(err) != identity.Unauthenticated {
					t.Errorf("the first session is not over: %v", err)
				}
			})
		}
	})
}

// opaque is what the values of our cookies look like: no JWT, nothing of a person.
var opaque = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func TestB02CookiesAreHiddenAndBoundToThisHost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := buildOver(t, db, true)
		h.person(h.tenant().ID, ada.Email, "viewer")
		for name, signIn := range h.waysIn() {
			h.t = t
			b := h.browser()
			start := b.get(h.at(h.viaOIDC, "login"))
			res := signIn(b)
			if res.StatusCode != http.StatusSeeOther {
				t.Fatalf("%s: answered %d: %+v", name, res.StatusCode, h.lastTrace())
			}
			found := map[string]http.SameSite{}
			for _, c := range append(start.Cookies(), res.Cookies()...) {
				found[c.Name] = c.SameSite
				if !c.HttpOnly || !c.Secure || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") || !opaque.MatchString(c.Value) {
					t.Errorf("%s: the cookie is set as %s", name, c.Raw)
				}
			}
			if found["__Host-drawbridge"] != http.SameSiteLaxMode || found["__Host-drawbridge-signin"] != http.SameSiteNoneMode || len(found) != 2 {
				t.Errorf("%s: the cookies are %v", name, found) // the one that binds a browser comes with the provider's POST
			}
		}
	})
}

func TestB03ASignInEndsOnThisSiteOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(h.tenant().ID, ada.Email, "viewer")
		for target, want := range map[string]string{
			"/console/users?a=b": "/console/users?a=b", "/account": "/account",
			"https://evil.example": "", "//evil.example": "", `/\evil.example`: "", `\\evil.example`: "", "javascript:alert(1)": "", "/\t/evil.example": "", "": "",
			"/" + strings.Repeat("x", 5000): "",
		} {
			ways := map[string]func(b *browser) reply{
				"OIDC": func(b *browser) reply {
					return b.atProvider(h.viaOIDC, b.get(h.at(h.viaOIDC, "login")+"?return_to="+url.QueryEscape(target)), ada.Email)
				},
				"SAML": func(b *browser) reply {
					return b.atProvider(h.viaSAML, b.get(h.at(h.viaSAML, "login")+"?return_to="+url.QueryEscape(target)), ada.Email)
				},
				"password": func(b *browser) reply {
					return b.post("/signin", url.Values{"email": {ada.Email}, "password": {password}, "step": {"password"}, "return_to": {target}})
				},
				"signed in already": func(b *browser) reply {
					b.withPassword(ada.Email)
					return b.get("/signin?return_to=" + url.QueryEscape(target))
				},
			}
			for name, way := range ways {
				res := way(h.browser())
				to := res.Header.Get("Location")
				local := strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.Contains(to, "evil") && len(to) < 100
				if res.StatusCode != http.StatusSeeOther || want != "" && to != want || !local {
					t.Errorf("%s to %.60q: %d to %.80q", name, target, res.StatusCode, to)
				}
			}
		}
	})
}

func TestTheProvidersOwnEndCapsTheSessionAndItsCookie(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, c := range map[string]identity.Connection{"SAML": h.viaSAML, "OIDC": h.viaOIDC} {
			end := time.Now().Add(20 * time.Minute)
			limit := func(at time.Time) {
				h.saml.Change(func(a *ssotest.Answer) { a.SessionNotOnOrAfter = ssotest.Stamp(at) })
				h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["session_expiry"] = at.Unix() })
			}
			limit(end)
			b := h.browser()
			res := b.signIn(c, ada.Email)
			visit, err := b.session()
			if err != nil || visit.Session.ExpiresAt.Sub(end).Abs() > 2*time.Second || visit.Session.Upstream.Ends == nil {
				t.Errorf("%s: the session ends at %v, want %v (%v)", name, visit.Session.ExpiresAt, end, err)
			}
			for _, cookie := range res.Cookies() {
				if cookie.Name == "drawbridge" && cookie.Expires.Sub(end).Abs() > 2*time.Second {
					t.Errorf("%s: the cookie ends at %v", name, cookie.Expires)
				}
			}
			limit(time.Now().Add(-time.Hour))
			late := h.browser()
			if res := late.signIn(c, ada.Email); res.StatusCode < 400 || res.StatusCode >= 500 {
				t.Errorf("%s: a session that is over: %d", name, res.StatusCode)
			}
			if _, err := late.session(); err == nil {
				t.Errorf("%s: there is a session that is over", name)
			}
		}
	})
}

func TestMyAccountSaysWhereOneIsSignedInAndUntilWhen(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(h.tenant().ID, ada.Email, "viewer")
		h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["session_expiry"] = time.Now().Add(20 * time.Minute).Unix() })
		h.browser().signIn(h.viaOIDC, ada.Email)
		b := h.browser()
		b.withPassword(ada.Email)
		body := b.get("/account").body
		for _, want := range []string{"through OIDC", "the provider’s own limit", "with a password", "unless it is used", "this one", "127.0.0.1"} {
			if !strings.Contains(body, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
	})
}
