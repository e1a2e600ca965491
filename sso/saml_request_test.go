package sso

import (
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func TestRequestsAreSignedBesideTheRedirect(t *testing.T) {
	tests := []struct{ name, ssoURL, relay string }{
		{"a plain address", "https://idp.example.com/sso", ""},
		{"F11 the address has a query of its own", "https://idp.example.com/sso?tenant=a%20b&x=1", ""},
		{"F10 RelayState with &SigAlg=", "https://idp.example.com/sso", "/x?a=1&SigAlg=none&Signature=x"},
		{"both, and a fragment", "https://idp.example.com/sso?idp=7#top", "a=b&c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSAMLCase(t)
			s.connection.SAML.SSOURL = tt.ssoURL
			target, err := redirectURL(authnRequest("_id", &s.connection, s.want), &s.connection, tt.relay)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			if err := ssotest.VerifyRedirect(u.RawQuery, ownPair().cert); err != nil {
				t.Errorf("the provider refuses the signature: %v", err)
			}
			if got := u.Query().Get("RelayState"); got != tt.relay {
				t.Errorf("RelayState %q, want %q", got, tt.relay)
			}
			before, _ := url.Parse(tt.ssoURL)
			for name, values := range before.Query() {
				if u.Query().Get(name) != values[0] {
					t.Errorf("%s was lost from the provider's own query", name)
				}
			}
			request, err := ssotest.ReadRequest(u.Query().Get("SAMLRequest"))
			if err != nil || request.ID != "_id" || request.ACS != s.want.acs || request.Issuer != s.want.entityID || request.Destination != tt.ssoURL {
				t.Errorf("the request reads as %+v (%v)", request, err)
			}
		})
	}
}

func TestRequestsLeaveTheNameIDFormatToTheProvider(t *testing.T) {
	s := newSAMLCase(t)
	policy := child(authnRequest("_id", &s.connection, s.want), "NameIDPolicy")
	if policy == nil || policy.SelectAttrValue("AllowCreate", "") != "true" {
		t.Fatal("the request has no policy that lets an id be created")
	}
	if format := policy.SelectAttr("Format"); format != nil {
		t.Errorf("the request orders the format %q, which Keycloak follows against its own settings", format.Value)
	}
}

func TestOurMetadataReadsBack(t *testing.T) {
	s := newSAMLCase(t)
	raw, err := spMetadata(&s.connection, s.want)
	if err != nil {
		t.Fatal(err)
	}
	if err := scan(raw, metadataDocument); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{s.want.entityID, s.want.acs, `use="signing"`, `use="encryption"`, `AuthnRequestsSigned="true"`, "bindings:HTTP-POST"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the metadata lacks %s:\n%s", want, raw)
		}
	}
}
