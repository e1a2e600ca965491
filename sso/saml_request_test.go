package sso

import (
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func TestF10RelayStateCannotAddParameters(t *testing.T) {
	for _, relay := range []string{"/x?a=1&SigAlg=none&Signature=x", "a=b&c", "#&RelayState=y", "\r\nLocation: https://evil.example"} {
		signedRedirect(t, "https://idp.example.com/sso", relay)
	}
}

func TestF11AnAddressWithAQueryOfItsOwnIsSignedRight(t *testing.T) {
	for _, address := range []string{"https://idp.example.com/sso", "https://idp.example.com/sso?tenant=a%20b&x=1", "https://idp.example.com/sso?idp=7#top", "https://idp.example.com/sso?x=%c3%a4&"} {
		signedRedirect(t, address, "")
		signedRedirect(t, address, "a=b&c")
	}
}

// signedRedirect sends a request to an address as a provider with that address reads it.
func signedRedirect(t *testing.T, address, relay string) {
	t.Helper()
	s := newSAMLCase(t)
	s.connection.SAML.SSOURL = address
	target, err := redirectURL(authnRequest("_id", &s.connection, s.want, false), &s.connection, relay)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	if err := ssotest.VerifyRedirect(u.RawQuery, ownPair().cert); err != nil {
		t.Errorf("the provider at %s refuses the signature: %v", address, err)
	}
	if got := u.Query(); got.Get("RelayState") != relay || len(got["SigAlg"]) != 1 || len(got["Signature"]) != 1 || u.Fragment != "" {
		t.Errorf("the address is %s", target)
	}
	before, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range before.Query() {
		if u.Query().Get(name) != values[0] {
			t.Errorf("%s was lost from the provider's own query", name)
		}
	}
	request, err := ssotest.ReadRequest(u.Query().Get("SAMLRequest"))
	if err != nil || request.ID != "_id" || request.ACS != s.want.acs || request.Issuer != s.want.entityID || request.Destination != address {
		t.Errorf("the request reads as %+v (%v)", request, err)
	}
}

func TestRequestsLeaveTheNameIDFormatToTheProvider(t *testing.T) {
	s := newSAMLCase(t)
	policy := child(authnRequest("_id", &s.connection, s.want, false), "NameIDPolicy")
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
