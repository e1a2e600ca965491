package sso

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/web"
)

func TestTheBindingCookieSurvivesTheProvidersPost(t *testing.T) {
	for _, secure := range []bool{true, false} {
		d := New(Options{Cookies: web.Cookies{Secure: secure}})
		w := httptest.NewRecorder()
		value := d.bind(w, httptest.NewRequest(http.MethodGet, "/", nil))
		set := w.Header().Get("Set-Cookie")
		want := []string{"drawbridge-signin=" + value, "Path=/", "HttpOnly", "Max-Age="}
		if secure {
			want = append(want, "__Host-drawbridge-signin=", "Secure", "SameSite=None")
		} else if strings.Contains(set, "SameSite") || strings.Contains(set, "Secure") {
			t.Errorf("over http the cookie is %q", set)
		}
		for _, w := range want {
			if !strings.Contains(set, w) {
				t.Errorf("secure %v: the cookie %q lacks %q", secure, set, w)
			}
		}
		again := httptest.NewRequest(http.MethodGet, "/", nil)
		again.Header.Set("Cookie", strings.SplitN(set, ";", 2)[0])
		if got := d.bind(httptest.NewRecorder(), again); got != value {
			t.Error("a second tab changes the cookie of the first")
		}
		forged := httptest.NewRequest(http.MethodGet, "/", nil)
		forged.Header.Set("Cookie", strings.SplitN(set, "=", 2)[0]+"=short")
		if got := d.bind(httptest.NewRecorder(), forged); got == "short" || len(got) != 43 {
			t.Errorf("a value that is not ours was kept: %q", got)
		}
	}
}
