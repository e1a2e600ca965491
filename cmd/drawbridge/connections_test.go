package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// metadataFile returns a file with the metadata of a SAML provider.
func metadataFile(t *testing.T) string {
	t.Helper()
	idp, err := ssotest.NewSAML("https://idp.acme.example")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "idp.xml")
	if err := os.WriteFile(file, idp.Metadata(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestASAMLConnectionSaysWhatTheProviderMustKnow(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		sh.must("directory", "create", "Acme Okta", "--tenant", "Acme", "--dialect", "okta")
		var c connectionView
		sh.json(&c, "connection", "create-saml", "Acme SAML", "--tenant", "Acme", "--metadata", metadataFile(t), "--domain", "acme.example", "--directory", "Acme Okta")
		own := "https://id.example.com/sso/" + string(c.ID)
		if c.ACSURL != own+"/acs" || c.EntityID != own+"/metadata" || c.MetadataURL != own+"/metadata" || c.DirectoryID == "" || c.RedirectURI != "" {
			t.Errorf("created %+v", c)
		}
		r := sh.serve()
		if got, body := r.get(t, "/sso/"+string(c.ID)+"/metadata", ""); got != 200 || !strings.Contains(body, c.ACSURL) || !strings.Contains(body, "X509Certificate") {
			t.Errorf("its metadata is %d %s", got, body)
		}
		if got, _ := r.get(t, "/sso/"+string(c.ID)+"/login", ""); got != 302 {
			t.Errorf("its sign-in is answered %d", got)
		}
	})
}

func TestAnOIDCConnectionSaysItsRedirectURIAndHidesItsSecret(t *testing.T) {
	sh := newShell(t)
	const secret = "not for anybody's eyes"
	file := passwordFile(t, secret)
	var c connectionView
	sh.json(&c, "connection", "create-oidc", "Ours", "--issuer", "https://idp.example", "--client-id", "bridge", "--client-secret-file", file, "--domain", "*")
	if c.RedirectURI != "https://id.example.com/sso/"+string(c.ID)+"/callback" || c.ACSURL != "" || c.Unknown != "landing" {
		t.Errorf("created %+v", c)
	}
	for _, args := range [][]string{{"connection", "list"}, {"connection", "list", "--json"}, {"events"}, {"events", "--json"}} {
		if out := sh.must(args...); strings.Contains(out, secret) || !strings.Contains(out, "Ours") {
			t.Errorf("%v prints\n%s", args, out)
		}
	}
}

func TestMetadataThatCannotBeUsedIsExplained(t *testing.T) {
	sh := newShell(t)
	sh.stdin = "<html>Not found</html>"
	sh.refused(1, []string{"metadata"}, "connection", "create-saml", "x", "--metadata", "-", "--domain", "x.example")
	sh.refused(1, []string{"no such file"}, "connection", "create-saml", "x", "--metadata", filepath.Join(t.TempDir(), "none.xml"), "--domain", "x.example")
	sh.refused(1, []string{"public"}, "connection", "create-saml", "x", "--metadata", "https://127.0.0.1:1/metadata", "--domain", "x.example")
	if out := sh.must("connection", "list"); !strings.HasPrefix(out, "No connections.") {
		t.Errorf("the list is\n%s", out)
	}
}

func TestSigninsListsWhoWasRefusedAndWhy(t *testing.T) {
	if out := newShell(t).must("signins", "--refused"); out != "No attempts to sign in.\n" {
		t.Errorf("it says %q", out)
	}
}
