package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type madeClient struct {
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	TokenEndpoint string `json:"token_endpoint"`
}

func TestAnOAuthClientGetsATokenUntilItIsRevoked(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		var d directoryView
		sh.json(&d, "directory", "create", "Okta", "--dialect", "okta")
		var c madeClient
		sh.json(&c, "directory", "client", "create", "Okta")
		if c.TokenEndpoint != "https://id.example.com/oauth/token" {
			t.Errorf("made %+v", c)
		}
		r := sh.serve()
		ask := func() (int, string) {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {c.ClientSecret}}
			res, err := http.PostForm(r.origin+"/oauth/token", form)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return res.StatusCode, string(body)
		}
		status, body := ask()
		_, rest, _ := strings.Cut(body, `"access_token":"`)
		token, _, _ := strings.Cut(rest, `"`)
		if got, _ := r.get(t, "/scim/v2/Users", token); status != 200 || got != 200 {
			t.Fatalf("the token endpoint says %d %s, the token is answered %d", status, body, got)
		}
		if got, doc := r.get(t, "/.well-known/oauth-authorization-server", ""); got != 200 || !strings.Contains(doc, c.TokenEndpoint) {
			t.Errorf("the metadata is %d %s", got, doc)
		}
		if out := sh.must("directory", "client", "list", "Okta"); !strings.Contains(out, c.ClientID) || strings.Contains(out, c.ClientSecret) {
			t.Errorf("the list is\n%s", out)
		}
		sh.must("directory", "client", "revoke", "Okta", "--client", c.ClientID)
		if got := r.soon(t, "/scim/v2/Users", token, 401); got != 401 {
			t.Errorf("the token of a revoked client is answered %d", got)
		}
		if status, _ := ask(); status != 401 {
			t.Errorf("a revoked client is answered %d", status)
		}
		sh.refused(1, []string{"no such live client"}, "directory", "client", "revoke", "Okta", "--client", c.ClientID)
	})
}

func TestAClientWithKeysHasNoSecret(t *testing.T) {
	sh := newShell(t)
	sh.must("directory", "create", "Okta")
	file := filepath.Join(t.TempDir(), "keys.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	var c madeClient
	if sh.json(&c, "directory", "client", "create", "Okta", "--jwks", file); c.ClientID == "" || c.ClientSecret != "" {
		t.Errorf("made %+v", c)
	}
	write(`{"keys":[]}`)
	sh.refused(1, []string{"jwks", "1 to 10 keys"}, "directory", "client", "create", "Okta", "--jwks", file)
	write("")
	sh.refused(1, []string{"--jwks", "is empty"}, "directory", "client", "create", "Okta", "--jwks", file)
}

func TestADirectoryIsAllowedFromNetworks(t *testing.T) {
	sh := newShell(t)
	var d directoryView
	sh.json(&d, "directory", "create", "Okta", "--cidr", "203.0.113.9/24")
	if len(d.Networks) != 1 || d.Networks[0] != "203.0.113.0/24" {
		t.Errorf("created %+v", d)
	}
	r := sh.serve()
	if got, body := r.get(t, "/scim/v2/Users", d.Token); got != 403 || !strings.Contains(body, "127.0.0.1") {
		t.Errorf("from elsewhere: %d %s", got, body)
	}
	if out := sh.must("directory", "allow", "Okta", "--cidr", "127.0.0.1,203.0.113.0/24"); !strings.Contains(out, "127.0.0.1/32, 203.0.113.0/24 only") {
		t.Errorf("it says %s", out)
	}
	if got := r.soon(t, "/scim/v2/Users", d.Token, 200); got != 200 {
		t.Errorf("from here: %d", got)
	}
	if out := sh.must("directory", "allow", "Okta", "--anywhere"); !strings.Contains(out, "from anywhere") {
		t.Errorf("it says %s", out)
	}
	sh.refused(2, []string{"--cidr", "--anywhere"}, "directory", "allow", "Okta")
	sh.refused(1, []string{"networks", `"home"`}, "directory", "allow", "Okta", "--cidr", "home")
}

func TestATokenThatEndsSoonIsNamedInTheList(t *testing.T) {
	sh := newShell(t)
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }
	var soon, late directoryView
	sh.json(&soon, "directory", "create", "Soon", "--expires", day(5))
	sh.json(&late, "directory", "create", "Late", "--expires", day(100))
	out := sh.must("directory", "list")
	if !strings.Contains(out, "of Soon ends at "+day(6)+" 00:00:00Z") || strings.Contains(out, "of Late ends") || !strings.Contains(out, "rotate-token "+string(soon.ID)) {
		t.Errorf("the list is\n%s", out)
	}
	sh.must("directory", "rotate-token", "Late", "--expires", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if out := sh.must("directory", "list"); !strings.Contains(out, "of Late ends") {
		t.Errorf("the list is\n%s", out)
	}
	sh.refused(2, []string{"--expires", "2027-01-31"}, "directory", "create", "X", "--expires", "soon")
	sh.refused(2, []string{"--days and --expires"}, "directory", "rotate-token", "Late", "--days", "3", "--expires", day(5))
	sh.refused(1, []string{"later time"}, "directory", "create", "X", "--expires", day(-2))
}
