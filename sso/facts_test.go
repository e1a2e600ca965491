package sso

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFactsHideWhatSomebodyCouldComeInWith(t *testing.T) {
	for _, name := range []string{
		"password", "userPassword", "unicodePwd", "client_secret", "accessToken", "refresh-token", "id_token", "code", "nonce", "at_hash", "c_hash", "Signature",
		"SignatureValue", "http://schemas.example.com/claims/password", "urn:example:apiToken", "one time OTP", "state",
	} {
		if got := fact(name, "s3cret"); got.Value != hidden {
			t.Errorf("%s = %q, want it hidden", name, got.Value)
		}
	}
	for _, value := range []string{
		"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "-----BEGIN RSA PRIVATE KEY-----\nMII",
		"$argon2id$v=19$m=65536", "$2b$12$abc", "{SSHA}abc",
	} {
		if got := fact("department", value); got.Value != hidden {
			t.Errorf("the value %q is shown as %q, want it hidden", value, got.Value)
		}
	}
	if got := attributeFacts(map[string][]string{"notes": {"plain", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"}}); got[0].Value != hidden {
		t.Errorf("a token among values is shown: %q", got[0].Value)
	}
}

func TestFactsShowWhatIsNoSecret(t *testing.T) {
	for _, name := range []string{
		"email", "postalCode", "country code", "signature algorithm", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "passport", "tokenizer", "stateOrProvince", "",
	} {
		if got := fact(name, "plain"); got.Value != "plain" {
			t.Errorf("%s = %q, want it shown", name, got.Value)
		}
	}
	if got := fact("password", ""); got.Value != "" {
		t.Errorf("nothing is shown as %q", got.Value)
	}
}

func TestFactsAreBounded(t *testing.T) {
	if got := fact("note", strings.Repeat("ä", 5000)+"\x00"); utf8.RuneCountInString(got.Value) != maxShown+1 {
		t.Errorf("a long value has %d characters", utf8.RuneCountInString(got.Value))
	}
	if got := fact("note", "a\r\nb\u202e"); got.Value != "a  b " {
		t.Errorf("control characters are kept: %q", got.Value)
	}
	many := map[string][]string{}
	for i := range 200 {
		many[fmt.Sprintf("a%03d", i)] = make([]string, 50)
	}
	got := attributeFacts(many)
	if len(got) != maxFacts+1 || got[maxFacts].Value != "140 more" || !strings.HasPrefix(got[0].Value, "50 values: ") {
		t.Errorf("%d facts, the first is %q, the last %q", len(got), got[0].Value, got[len(got)-1].Value)
	}
}
