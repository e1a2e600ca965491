package sso

import (
	"bytes"
	"context"
	"encoding/base64"
	"net"
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
		{"several providers", several, "second.example.com"},
		{"S29 an RSA key of 1024 bits", strings.Replace(good, cert, weak, 1), "1024 bits"},
		{"an empty certificate", replaceOnce(good, cert, ""), "cannot be read"},
		{"no key at all", good[:strings.Index(good, "<md:KeyDescriptor")] + good[strings.Index(good, "<md:SingleSignOn"):], "no signing certificate"},
		{"a key for encryption only", strings.Replace(good, `use="signing"`, `use="encryption"`, 1), "no signing certificate"},
		{"only HTTP-POST", strings.Replace(good, "bindings:HTTP-Redirect", "bindings:HTTP-POST", 1), "requests by HTTP-POST only"},
		{"a script as the address", strings.Replace(good, `Location="https:`, `Location="javascript:`, 1), "not an https URL"},
		{"http", strings.Replace(good, `Location="https:`, `Location="http:`, 1), "not an https URL"},
		{"a service provider's", strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"), "no identity provider"},
		{"no entity id", strings.Replace(good, testProvider().EntityID(), "", 1), "no entityID"},
		{"no longer valid", strings.Replace(good, "entityID=", `validUntil="2020-01-01T00:00:00Z" entityID=`, 1), "valid until"},
		{"a document type", strings.Replace(good, "<md:Entity", "<!DOCTYPE x><md:Entity", 1), "document type"},
		{"too large", good + strings.Repeat(" ", 3<<20), ""},
		{"too large inside", strings.Replace(good, "<md:KeyDescriptor", "<!--"+strings.Repeat("x", 3<<20)+"--><md:KeyDescriptor", 1), "2 MiB"},
		{"SAML 1.1 only", strings.Replace(good, nsProtocol, "urn:oasis:names:tc:SAML:1.1:protocol", 1), "SAML 2.0"},
		{"no metadata", "<x/>", "root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ReadMetadata(context.Background(), "\n"+tt.raw, identity.SAMLSettings{}, false)
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

// publicServer is a TLS server that a fetcher takes for one at a public address: https://example.com. Every other address is reached, or not, as always.
func publicServer(t *testing.T, answer http.HandlerFunc) *fetcher {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	f := newFetcher(false)
	limited := f.client.Transport.(*limitedTransport)
	transport := limited.next.(*http.Transport)
	guarded := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "example.com:443" {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		}
		return guarded(ctx, network, address)
	}
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	return f
}

func TestM01OnlyPublicAddressesAreAskedAndOnlyByHTTPS(t *testing.T) {
	served := false
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { served = true; _, _ = w.Write([]byte(goodMetadata())) })
	plain, secure := httptest.NewServer(serve), httptest.NewTLSServer(serve)
	defer plain.Close()
	defer secure.Close()
	refused := []string{
		plain.URL, secure.URL, "http://example.com/", "file:///etc/passwd", "https://user:secret@example.com/", "gopher://example.com", "https://",
		"https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://[fe80::1]/", "https://localhost/",
	}
	for _, source := range refused {
		_, err := ReadMetadata(t.Context(), source, identity.SAMLSettings{}, false)
		if identity.KindOf(err) != identity.Invalid || identity.CodeOf(err) != "saml.metadata_unreachable" {
			t.Errorf("%s: %v, want a refusal", source, err)
		}
	}
	for _, to := range []string{plain.URL, secure.URL, "http://example.com/", "https://169.254.169.254/", "file:///etc/passwd"} {
		f := publicServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
		if _, err := f.metadata(t.Context(), "https://example.com/metadata", identity.SAMLSettings{}); identity.KindOf(err) != identity.Invalid {
			t.Errorf("redirected to %s: %v, want a refusal", to, err)
		}
	}
	if served {
		t.Error("a private address was asked")
	}
	if s, err := publicServer(t, serve).metadata(t.Context(), "https://example.com/metadata", identity.SAMLSettings{}); err != nil || s.MetadataURL != "https://example.com/metadata" {
		t.Errorf("a public address: %q, %v", s.MetadataURL, err)
	}
	if _, err := ReadMetadata(t.Context(), plain.URL, identity.SAMLSettings{}, true); err != nil {
		t.Errorf("allowed for development, and still: %v", err)
	}
}

func TestWhichAddressesArePublic(t *testing.T) {
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

func TestRedirectsWithoutEndAreRefused(t *testing.T) {
	loop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }))
	defer loop.Close()
	if _, err := ReadMetadata(t.Context(), loop.URL, identity.SAMLSettings{}, true); identity.KindOf(err) != identity.Invalid {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestAnAddressThatIsNoMetadataIsNamed(t *testing.T) {
	for name, body := range map[string]string{"a web page": "\n<!DOCTYPE html><html lang=en></html>", "another": "<HTML><p>Sign in</p></HTML>", "JSON": `{"realm":"t"}`, "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
			defer server.Close()
			if _, err := ReadMetadata(context.Background(), server.URL, identity.SAMLSettings{}, true); err == nil || !strings.Contains(messageOf(err), "give the address of the provider's metadata itself") {
				t.Errorf("the message is %q", messageOf(err))
			}
		})
	}
}

// FuzzMetadata: no bytes make the reader panic or work for long, and none are accepted without a certificate and an https address; where a signer is
// pinned, none at all are, since nobody here has its key.
func FuzzMetadata(f *testing.F) {
	good := goodMetadata()
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, "<md:Entity", `<md:EntitiesDescriptor xmlns:md="`+nsMetadata+`"><md:Entity`, 1) + "</md:EntitiesDescriptor>"))
	f.Add([]byte(strings.Replace(good, "entityID=", `validUntil="2099-01-01T00:00:00Z" ID="_1" entityID=`, 1)))
	f.Add([]byte(strings.Replace(good, "<md:IDP", `<ds:Signature xmlns:ds="`+nsSignature+`"><ds:SignedInfo/><ds:SignatureValue/></ds:Signature><md:IDP`, 1)))
	signer := identity.SAMLSettings{MetadataSigner: attackerPair().cert}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseMetadata(raw, identity.SAMLSettings{}, false)
		if err == nil && (len(s.Certificates) == 0 || s.EntityID == "" || !strings.HasPrefix(s.SSOURL, "https://")) {
			t.Fatalf("accepted %+v", s)
		}
		if _, err := parseMetadata(raw, signer, false); err == nil {
			t.Fatal("accepted without the signer's signature")
		}
	})
}
