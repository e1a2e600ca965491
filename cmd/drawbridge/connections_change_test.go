package main

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestEverySettingOfAConnectionHasAFlag(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("connection", "create-saml", "Acme SAML", "--metadata", metadataFile(t), "--domain", "acme.example")
		c := sh.detail("connection", "update", "acme saml", "--name", "Acme 2", "--domain", "acme.org", "--domain", "acme.net", "--unknown", "refuse", "--skew", "90s", "--provider", "okta-saml",
			"--force-authn", "--email-attribute", "mail", "--allow-sha1", "--allow-unsolicited", "--artifact", "--refuse-expired")
		if !slices.Equal(c.Domains, []string{"acme.net", "acme.org"}) || c.Name != "Acme 2" || c.Unknown != "refuse" || c.SkewSeconds != 90 || c.Provider != "okta-saml" || !c.ForceAuthn {
			t.Errorf("the connection is %+v", c)
		}
		if s := c.SAML; s.EmailAttribute != "mail" || !s.AllowSHA1 || !s.AllowUnsolicited || !s.Artifact || !s.RefuseExpired || s.PinCertificates || len(s.Certificates) == 0 || len(s.OwnCertificates) != 1 {
			t.Errorf("its settings are %+v", s)
		}
		sh.must("tenant", "create", "Acme")
		c = sh.detail("connection", "update", "Acme 2", "--rule", "groups=Editors=>editor", "--rule", "groups=Ops=>operator@Acme", "--ceiling", "editor", "--ceiling", "operator", "--link-proof", "always", "--directory-key", "oid", "--deleted-as-new")
		if len(c.Rules) != 2 || c.Rules[1].Tenant == "" || len(c.Ceiling) != 2 || c.LinkProof != "always" || c.DirectoryKey != "oid" || !c.DeletedAsNew {
			t.Errorf("the rules are %+v", c)
		}
		first := c.Rules[0].ID
		if c = sh.detail("connection", "update", "Acme 2", "--rule", "groups=Editors=>editor", "--link-proof", "second-factor"); len(c.Rules) != 1 || c.Rules[0].ID != first || c.LinkProof != "second-factor" {
			t.Errorf("the rules are %+v", c)
		}
		sh.refused(2, []string{"ATTRIBUTE=VALUE=>ROLE"}, "connection", "update", "Acme 2", "--rule", "Editors")
		c = sh.detail("connection", "update", "Acme 2", "--allow-sha1=false", "--email-attribute", "")
		if c.SAML.AllowSHA1 || c.SAML.EmailAttribute != "" || !c.SAML.AllowUnsolicited {
			t.Errorf("what no flag named changed too: %+v", c.SAML)
		}
		sh.refused(2, []string{"--issuer is not for a saml connection"}, "connection", "update", "Acme 2", "--issuer", "https://x.example")
		if out := sh.must("events"); !strings.Contains(out, "connection.updated") {
			t.Errorf("the audit is\n%s", out)
		}
	})
}

func TestCertificatesAndKeysChangeAtTheCommandLine(t *testing.T) {
	sh := newShell(t)
	sh.must("connection", "create-saml", "A", "--metadata", metadataFile(t), "--domain", "a.example")
	c := sh.detail("connection", "show", "A")
	first := c.SAML.Certificates[0].SHA256
	file := filepath.Join(t.TempDir(), "more.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificateOf(t)}), 0o600); err != nil {
		t.Fatal(err)
	}
	c = sh.detail("connection", "update", "A", "--add-certificate", file)
	if len(c.SAML.Certificates) != 2 {
		t.Fatalf("the certificates are %+v", c.SAML.Certificates)
	}
	c = sh.detail("connection", "update", "A", "--remove-certificate", strings.ToUpper(first))
	if len(c.SAML.Certificates) != 1 || c.SAML.Certificates[0].SHA256 == first {
		t.Errorf("the certificates are %+v", c.SAML.Certificates)
	}
	sh.refused(1, []string{"no certificate with the SHA-256"}, "connection", "update", "A", "--remove-certificate", first)
	if c = sh.detail("connection", "key", "A", "add"); len(c.SAML.OwnCertificates) != 2 {
		t.Errorf("after add there are %d keys", len(c.SAML.OwnCertificates))
	}
	sh.must("connection", "key", "A", "use")
	c = sh.detail("connection", "key", "A", "drop")
	if len(c.SAML.OwnCertificates) != 1 {
		t.Errorf("after drop there are %d keys", len(c.SAML.OwnCertificates))
	}
	sh.refused(1, nil, "connection", "key", "A", "turn")
}

// certificateOf is a certificate of another provider.
func certificateOf(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile(metadataFile(t))
	if err != nil {
		t.Fatal(err)
	}
	settings, err := sso.ReadMetadata(t.Context(), string(raw), identity.SAMLSettings{}, true)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Certificates[0]
}

// detail runs a command that shows a connection.
func (sh shell) detail(args ...string) connectionDetail {
	sh.t.Helper()
	var c connectionDetail
	sh.json(&c, args...)
	return c
}

func TestAConnectionIsSwitchedAndDeleted(t *testing.T) {
	sh := newShell(t)
	c := sh.detail("connection", "create-oidc", "Ours", "--issuer", "https://idp.example", "--client-id", "bridge", "--client-secret-file", passwordFile(t, "s3cret"), "--domain", "*")
	c = sh.detail("connection", "disable", "ours")
	if c.Enabled {
		t.Error("it is still switched on")
	}
	c = sh.detail("connection", "enable", string(c.ID))
	c = sh.detail("connection", "update", "Ours", "--client-secret-ends", "2030-01-31", "--client-auth", "private_key_jwt", "--scope", "openid", "--scope", "email", "--algorithm", "ES256", "--issuer-as-audience")
	if o := c.OIDC; !c.Enabled || o.SecretEnds == nil || o.ClientAuth != "private_key_jwt" || len(o.Scopes) != 2 || len(o.Algorithms) != 1 || !o.IssuerAsAudience || len(o.OwnCertificates) != 1 {
		t.Errorf("its settings are %+v", o)
	}
	if out := sh.must("connection", "show", "Ours"); strings.Contains(out, "s3cret") || !strings.Contains(out, "private_key_jwt") {
		t.Errorf("it shows\n%s", out)
	}
	sh.must("connection", "delete", "Ours")
	sh.refused(1, []string{"There is no connection"}, "connection", "show", "Ours")
}

func TestATestAtTheCommandLinePrintsAnAddress(t *testing.T) {
	sh := newShell(t)
	sh.must("connection", "create-saml", "Acme", "--metadata", metadataFile(t), "--domain", "acme.example")
	sh.must("connection", "disable", "Acme")
	at := strings.TrimSpace(sh.must("connection", "test", "Acme"))
	path, ok := strings.CutPrefix(at, "https://id.example.com")
	if !ok || !strings.Contains(path, "/test?key=") {
		t.Fatalf("it prints %q", at)
	}
	r := sh.serve()
	if got, body := r.get(t, path, ""); got != http.StatusFound {
		t.Errorf("the address is answered %d %s", got, body)
	}
	if got, _ := r.get(t, path, ""); got != http.StatusNotFound {
		t.Errorf("a second time it is answered %d", got)
	}
}

func TestASetupLinkAtTheCommandLine(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	var l setupView
	sh.json(&l, "connection", "setup-link", "--tenant", "Acme", "--domain", "acme.example", "--expires", "2h", "--protocol", "saml", "--switch-on")
	if l.State != identity.SetupOpen || l.Name != "Provider of Acme" || !l.SwitchOn || l.Kind != identity.SAML || !strings.HasPrefix(l.URL, "https://id.example.com/setup/dbl_") {
		t.Errorf("the link is %+v", l)
	}
	if out := sh.must("connection", "setup-link", "list", "--json"); strings.Contains(out, "dbl_") || !strings.Contains(out, `"open"`) {
		t.Errorf("the list is\n%s", out)
	}
	r := sh.serve()
	if got, _ := r.get(t, strings.TrimPrefix(l.URL, "https://id.example.com"), ""); got != http.StatusSeeOther {
		t.Errorf("the link is answered %d", got)
	}
	sh.must("connection", "setup-link", "revoke", string(l.ID))
	if got, _ := r.get(t, strings.TrimPrefix(l.URL, "https://id.example.com"), ""); got != http.StatusNotFound {
		t.Errorf("revoked, it is answered %d", got)
	}
	sh.refused(1, []string{"still open"}, "connection", "setup-link", "revoke", string(l.ID))
	sh.refused(1, []string{"1 hour to 30 days"}, "connection", "setup-link", "--tenant", "Acme", "--domain", "acme.example", "--expires", "5m")
}

func TestATestAtTheCommandLineWaitsForItsResult(t *testing.T) {
	sh := newShell(t)
	sh.must("connection", "create-saml", "Acme", "--metadata", metadataFile(t), "--domain", "acme.example")
	reader, writer := io.Pipe()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		ended <- run(t.Context(), []string{"connection", "test", "Acme", "--wait"}, func(name string) string { return sh.env[name] }, strings.NewReader(""), &out, writer)
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	var at string
	for at == "" && lines.Scan() {
		_, at, _ = strings.Cut(lines.Text(), "/test?key=")
	}
	id := sh.detail("connection", "show", "Acme").ID
	model, err := access.Load(storetest.Model)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), sh.env["DRAWBRIDGE_DATABASE"], store.Options{SecretKey: storetest.SecretKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	people := provisioning.New(db, model)
	trial, err := people.OpenTrial(t.Context(), id, at)
	if err != nil {
		t.Fatal(err)
	}
	bad := identity.Trace{
		ID: identity.NewID[identity.TraceID](), ConnectionID: id, Code: "saml.unsigned", Message: "Nothing is signed.",
		Checks: []identity.Check{{Name: "signature", Result: identity.Failed, Expected: "a signature", Fix: "Let the provider sign."}},
	}
	if err := people.FinishTrial(t.Context(), trial.ID, bad); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, reader); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; status(err) != 1 {
		t.Errorf("it ends with %v", err)
	}
	for _, want := range []string{"Nothing is signed.", "fail", "signature", "a signature", "Let the provider sign."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not print %q:\n%s", want, out.String())
		}
	}
}
