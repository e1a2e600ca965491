package sso

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func goodMetadata() string { return string(testProvider().Metadata()) }

func entity(metadata string) string { return metadata[strings.Index(metadata, "<md:Entity"):] }

func TestMetadata(t *testing.T) {
	good := goodMetadata()
	weak := base64.StdEncoding.EncodeToString(newKeyPair(1024).cert)
	_, der := testProvider().Key()
	cert := base64.StdEncoding.EncodeToString(der)
	several := `<md:EntitiesDescriptor xmlns:md="` + nsMetadata + `">` + entity(good) + strings.Replace(entity(good), "idp.example.com/metadata", "second.example.com/metadata", 1) + `</md:EntitiesDescriptor>`
	tests := []struct{ name, raw, want string }{
		{"good", good, ""},
		{"a byte order mark", "\ufeff" + good, ""},
		{"comments", strings.Replace(good, "<md:KeyDescriptor", "<!-- keys --><md:KeyDescriptor", 1), ""},
		{"one provider in a list", `<md:EntitiesDescriptor xmlns:md="` + nsMetadata + `">` + entity(good) + `</md:EntitiesDescriptor>`, ""},
		{"a certificate in lines", strings.Replace(good, cert, "\n  "+cert[:40]+"\n\t"+cert[40:]+"\n", 1), ""},
		{"M03 several providers", several, "second.example.com"},
		{"S29 an RSA key of 1024 bits", strings.Replace(good, cert, weak, 1), "1024 bits"},
		{"M12 no certificate", replaceOnce(good, cert, ""), "cannot be read"},
		{"no key at all", good[:strings.Index(good, "<md:KeyDescriptor")] + good[strings.Index(good, "<md:SingleSignOn"):], "no signing certificate"},
		{"a key for encryption only", strings.Replace(good, `use="signing"`, `use="encryption"`, 1), "no signing certificate"},
		{"only HTTP-POST", strings.Replace(good, "bindings:HTTP-Redirect", "bindings:HTTP-POST", 1), "requests by HTTP-POST only"},
		{"a script as the address", strings.Replace(good, `Location="https:`, `Location="javascript:`, 1), "not an https URL"},
		{"http", strings.Replace(good, `Location="https:`, `Location="http:`, 1), "not an https URL"},
		{"a service provider's", strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"), "no identity provider"},
		{"no entity id", strings.Replace(good, testProvider().EntityID(), "", 1), "no entityID"},
		{"M07 no longer valid", strings.Replace(good, "entityID=", `validUntil="2020-01-01T00:00:00Z" entityID=`, 1), "valid until"},
		{"X01 a document type", strings.Replace(good, "<md:Entity", "<!DOCTYPE x><md:Entity", 1), "document type"},
		{"M02 too large", good + strings.Repeat(" ", 3<<20), ""},
		{"M02 too large inside", strings.Replace(good, "<md:KeyDescriptor", "<!--"+strings.Repeat("x", 3<<20)+"--><md:KeyDescriptor", 1), "2 MiB"},
		{"SAML 1.1 only", strings.Replace(good, nsProtocol, "urn:oasis:names:tc:SAML:1.1:protocol", 1), "SAML 2.0"},
		{"no metadata", "<x/>", "root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ReadMetadata(context.Background(), "\n"+tt.raw, false)
			if strings.HasPrefix(tt.raw, "\ufeff") {
				s, err = parseMetadata([]byte(tt.raw), identity.SAMLSettings{}, false)
			}
			if tt.want == "" {
				if err != nil || s.EntityID != testProvider().EntityID() || s.SSOURL != "https://idp.example.com/sso" || len(s.Certificates) != 1 || !bytes.Equal(s.Certificates[0], der) {
					t.Fatalf("read as %q %q with %d certificates, error %v", s.EntityID, s.SSOURL, len(s.Certificates), err)
				}
				return
			}
			if err == nil || !strings.Contains(messageOf(err), tt.want) || identity.KindOf(err) != identity.Invalid {
				t.Fatalf("error %v, want one about %q", err, tt.want)
			}
		})
	}
}

// M01 and O26: what may be asked.
func TestOnlyPublicAddressesAreAsked(t *testing.T) {
	served := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served = true
		_, _ = w.Write([]byte(goodMetadata()))
	}))
	defer server.Close()
	secure := httptest.NewTLSServer(server.Config.Handler)
	defer secure.Close()
	for _, source := range []string{server.URL, secure.URL, "http://example.com/", "file:///etc/passwd", "https://user:secret@example.com/", "gopher://example.com", "https://"} {
		if _, err := ReadMetadata(context.Background(), source, false); identity.KindOf(err) != identity.Invalid {
			t.Errorf("%s: %v, want a refusal", source, err)
		}
	}
	if served {
		t.Error("a private address was asked")
	}
	if _, err := ReadMetadata(context.Background(), server.URL, true); err != nil {
		t.Errorf("allowed for development, and still: %v", err)
	}
	for _, address := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
		"fd00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
	} {
		if public(netip.MustParseAddr(address)) {
			t.Errorf("%s counts as public", address)
		}
	}
	for _, address := range []string{"93.184.216.34", "2606:2800:220:1::1"} {
		if !public(netip.MustParseAddr(address)) {
			t.Errorf("%s does not count as public", address)
		}
	}
}

func TestRedirectsAndEndlessAnswersAreRefused(t *testing.T) { // M01, M02
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	loop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }))
	defer loop.Close()
	toFile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	}))
	defer toFile.Close()
	for _, source := range []string{endless.URL, loop.URL, toFile.URL} {
		if _, err := ReadMetadata(context.Background(), source, true); identity.KindOf(err) != identity.Invalid {
			t.Errorf("%s: %v, want a refusal", source, err)
		}
	}
}

func TestAnAddressThatIsNoMetadataIsNamed(t *testing.T) {
	for name, body := range map[string]string{"a web page": "\n<!DOCTYPE html><html lang=en></html>", "another": "<HTML><p>Sign in</p></HTML>", "JSON": `{"realm":"t"}`, "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
			defer server.Close()
			if _, err := ReadMetadata(context.Background(), server.URL, true); err == nil || !strings.Contains(messageOf(err), "give the address of the provider's metadata itself") {
				t.Errorf("the message is %q", messageOf(err))
			}
		})
	}
}

// FuzzMetadata: no bytes make the reader panic, and none are accepted without a certificate and an address.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(goodMetadata()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseMetadata(raw, identity.SAMLSettings{}, false)
		if err == nil && (len(s.Certificates) == 0 || s.EntityID == "" || !strings.HasPrefix(s.SSOURL, "https://")) {
			t.Fatalf("accepted %+v", s)
		}
	})
}
