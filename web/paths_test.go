package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/web"
)

func TestOnlyPathsOfThisOriginAreFollowed(t *testing.T) {
	tests := []struct{ in, want string }{
		{"/console", "/console"},
		{"/console/users?search=a%20b#top", "/console/users?search=a%20b#top"},
		{"/", "/"},
		{"", "/"},
		{"console", "/"},
		{"//evil.example", "/"},
		{"///evil.example", "/"},
		{`/\evil.example`, "/"},
		{`\/evil.example`, "/"},
		{`/console\..\x`, "/"},
		{"/\t/evil.example", "/"},
		{"/\n/evil.example", "/"},
		{"/\u00a0/evil.example", "/"},
		{"/\x7f", "/"},
		{"/console\r\nSet-Cookie: a=b", "/"},
		{" /console", "/"},
		{"https://evil.example/", "/"},
		{"https:/evil.example/", "/"},
		{"javascript:alert(1)", "/"},
		{"/%zz", "/"},
		{"/" + strings.Repeat("a", web.MaxLocalPath), "/"},
	}
	for _, tt := range tests {
		if got := web.LocalPath(tt.in); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/a", "//a", "/.//a", "/a?b=//c", "/%2f/a", "/\\a", "/@a", "/:a"} {
		f.Add(s)
	}
	base := &url.URL{Scheme: "https", Host: "id.example.com", Path: "/signin"}
	f.Fuzz(func(t *testing.T, s string) {
		got := web.LocalPath(s)
		u, err := base.Parse(got)
		if err != nil || u.Scheme != base.Scheme || u.Host != base.Host || u.User != nil {
			t.Fatalf("%q became %q, which leads to %v (%v)", s, got, u, err)
		}
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest("GET", "/signin", nil), got, http.StatusSeeOther)
		if where := w.Header().Get("Location"); !strings.HasPrefix(where, "/") || strings.HasPrefix(where, "//") {
			t.Fatalf("%q became the redirect %q", s, where)
		}
	})
}

func TestCookiesAreHiddenFromScriptsAndBoundToTheHost(t *testing.T) {
	end := time.Now().Add(time.Hour)
	tests := []struct {
		name    string
		cookies web.Cookies
		want    []string
	}{
		{"over https", web.Cookies{Secure: true}, []string{"__Host-drawbridge=abc", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"}},
		{"over plain http", web.Cookies{}, []string{"drawbridge=abc", "Path=/", "HttpOnly", "SameSite=Lax"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tt.cookies.SetSession(w, "abc", end)
			got := w.Header().Get("Set-Cookie")
			for _, part := range tt.want {
				if !strings.Contains(got, part) {
					t.Errorf("%q lacks %q", got, part)
				}
			}
			if !strings.HasPrefix(got, tt.want[0]) || strings.Contains(got, "Domain") || strings.Contains(got, "Secure") != tt.cookies.Secure {
				t.Errorf("the cookie is %q", got)
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.AddCookie(w.Result().Cookies()[0])
			if v := tt.cookies.Session(r); v != "abc" {
				t.Errorf("read back: %q", v)
			}
			if v := (web.Cookies{Secure: !tt.cookies.Secure}).Session(r); v != "" {
				t.Errorf("the other name reads it too: %q", v)
			}
			w = httptest.NewRecorder()
			tt.cookies.ClearSession(w)
			if c := w.Result().Cookies()[0]; c.MaxAge >= 0 || c.Value != "" || c.Secure != tt.cookies.Secure {
				t.Errorf("cleared as %v", c)
			}
		})
	}
}

func TestACookieForAProvidersPostIsSentAcrossSitesOnlyWhenSecure(t *testing.T) {
	for secure, want := range map[bool]string{true: "SameSite=None", false: "SameSite=Lax"} {
		w := httptest.NewRecorder()
		web.Cookies{Secure: secure}.Set(w, http.Cookie{Name: "signin", Value: "x", SameSite: http.SameSiteNoneMode})
		if got := w.Header().Get("Set-Cookie"); !strings.Contains(got, want) {
			t.Errorf("secure %v: %q", secure, got)
		}
	}
}
