package main

import (
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// metadataServer serves the metadata of a provider, and after renew with another certificate of its key.
func metadataServer(t *testing.T) (url string, renew func()) {
	t.Helper()
	idp, err := ssotest.NewSAML("https://idp.acme.example")
	if err != nil {
		t.Fatal(err)
	}
	var text atomic.Value
	text.Store(string(idp.Metadata()))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text.Load().(string))) }))
	t.Cleanup(server.Close)
	return server.URL, func() {
		key, cert := idp.Key()
		other, err := ssotest.SelfSigned(key.(*rsa.PrivateKey), "renewed")
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.StdEncoding.EncodeToString
		text.Store(strings.Replace(string(idp.Metadata()), encode(cert), encode(other), 1))
	}
}

func TestAChangeOfPinnedMetadataIsSettledAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.env["DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS"] = "true"
		url, renew := metadataServer(t)
		sh.must("connection", "create-saml", "Acme", "--metadata", url, "--domain", "acme.example", "--pin-certificates")
		if out := sh.must("connection", "refresh", "acme"); !strings.Contains(out, "says nothing new") {
			t.Errorf("refresh says\n%s", out)
		}
		sh.refused(1, []string{"waits for approval"}, "connection", "approve", "Acme")
		renew()
		var held metadataView
		sh.json(&held, "connection", "refresh", "Acme")
		if held.State != "held" || held.Change == "" || len(held.Changes) == 0 {
			t.Fatalf("refresh says %+v", held)
		}
		sh.refused(1, []string{"changed again"}, "connection", "approve", "Acme", "--change", "0000000000000000")
		if out := sh.must("connection", "approve", "Acme", "--change", held.Change); !strings.Contains(out, "was approved") || !strings.Contains(out, "certificates") {
			t.Errorf("approve says\n%s", out)
		}
		if out := sh.must("events", "--type", string(identity.MetadataApproved)); !strings.Contains(out, "operator") {
			t.Errorf("the events are\n%s", out)
		}
		renew()
		sh.must("connection", "refresh", "Acme")
		if out := sh.must("connection", "reject", "Acme"); !strings.Contains(out, "was rejected") {
			t.Errorf("reject says\n%s", out)
		}
		if out := sh.must("connection", "refresh", "Acme"); !strings.Contains(out, "still says what was rejected") {
			t.Errorf("refresh says\n%s", out)
		}
	})
}

func TestOneOfSeveralProvidersIsChosenAtTheCommandLine(t *testing.T) {
	sh := newShell(t)
	first, err := ssotest.NewSAML("https://one.example")
	if err != nil {
		t.Fatal(err)
	}
	text := string(first.Metadata())
	inner := text[strings.Index(text, "<md:Entity"):]
	sh.stdin = `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + inner + strings.ReplaceAll(inner, "one.example", "two.example") + `</md:EntitiesDescriptor>`
	sh.refused(1, []string{"choose the entity id", "https://two.example/metadata"}, "connection", "create-saml", "x", "--metadata", "-", "--domain", "x.example")
	sh.must("connection", "create-saml", "x", "--metadata", "-", "--domain", "x.example", "--entity-id", "https://two.example/metadata")
	sh.refused(1, []string{"no address of its provider's metadata"}, "connection", "refresh", "x")
}

func TestMailsAreListedWithWhatBecameOfThem(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		if out := sh.must("mails"); out != "No mails.\n" {
			t.Errorf("it says %q", out)
		}
		sh.env["DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS"] = "true"
		url, renew := metadataServer(t)
		sh.must("user", "create", "--email", "root@bridge.example", "--role", "superadmin", "--password-file", passwordFile(t, goodPassword))
		sh.must("connection", "create-saml", "Acme", "--metadata", url, "--domain", "acme.example")
		renew()
		sh.must("connection", "refresh", "Acme")
		if out := sh.must("mails"); !strings.Contains(out, "root@bridge.example") || !strings.Contains(out, "waiting") || !strings.Contains(out, "DRAWBRIDGE_SMTP_URL") {
			t.Errorf("it says\n%s", out)
		}
		var list struct{ Items []mailView }
		sh.json(&list, "mails")
		if len(list.Items) != 1 || list.Items[0].State != identity.MailWaiting || list.Items[0].Kind != "metadata" {
			t.Fatalf("the list is %+v", list)
		}
		sh.refused(1, []string{"given up"}, "mails", "resend", string(list.Items[0].ID))
	})
}
