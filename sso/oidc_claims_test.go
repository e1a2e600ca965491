package sso

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func claimsFrom(t *testing.T, raw string) *idToken {
	t.Helper()
	var id idToken
	var err error
	if id.all, err = readClaims([]byte(raw), &id); err != nil {
		t.Fatal(err)
	}
	return &id
}

func TestClaimsAreKeptAsTheyCame(t *testing.T) {
	id := claimsFrom(t, `{"sub":"1","department":"Bridges","level":7,"big":12345678901234567890,"active":true,"roles":["a",2,false,null,{"x":1},["y"]],
		"address":{"country":"GB"},"nothing":null,"empty":[],"nonce":"n","at_hash":"h","Mixed":"Case","groups":["eng","ops"]}`)
	got := id.claims(discovery{})
	want := map[string][]string{
		"sub": {"1"}, "department": {"Bridges"}, "level": {"7"}, "big": {"12345678901234567890"}, "active": {"true"}, "roles": {"a", "2", "false"},
		"Mixed": {"Case"}, "groups": {"eng", "ops"},
	}
	if diff := cmp.Diff(want, got.Attributes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"eng", "ops"}, got.Groups); diff != "" || got.GroupsElsewhere {
		t.Error(diff)
	}
}

func TestWhatIsKeptOfClaimsIsBounded(t *testing.T) {
	all := map[string]any{"long": strings.Repeat("x", maxClaimValue+1), strings.Repeat("n", maxClaimName+1): "x", "many": make([]int, maxClaimValues+5)}
	for i := range maxClaims + 50 {
		all[fmt.Sprintf("a%03d", i)] = "x"
	}
	raw, err := json.Marshal(all)
	must(err)
	got := claimsFrom(t, string(raw)).claims(discovery{}).Attributes
	if len(got) != maxClaims || got["long"] != nil {
		t.Errorf("%d claims are kept", len(got))
	}
	if n := len(attributesOf(map[string]json.RawMessage{"many": claimsFrom(t, string(raw)).all["many"]})["many"]); n != maxClaimValues {
		t.Errorf("%d values are kept", n)
	}
}

func TestGroupsThatAreElsewhereAreNoticed(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"hasgroups":true}`: true, `{"hasgroups":"true"}`: true, `{"hasgroups":false}`: false, `{"hasgroups":null}`: false,
		`{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://graph.example/users/1/getMemberObjects"}}}`: true,
		`{"_claim_names":{"payments":"src1"}}`: false, `{"_claim_names":"groups"}`: false,
		`{"groups.link":"https://graph.example"}`: true, `{"groups":["a"]}`: false, `{"groups":[]}`: false, `{}`: false,
	} {
		if got := claimsFrom(t, raw).claims(discovery{}).GroupsElsewhere; got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}

func TestGroupsInAnotherShape(t *testing.T) {
	for raw, want := range map[string]string{
		`{"groups":"one"}`: "one", `{"groups":["a","b"]}`: "a,b", `{"groups":[1,2]}`: "1,2", `{"groups":{"a":1}}`: "", `{"groups":null}`: "", `{}`: "",
	} {
		if got := strings.Join(claimsFrom(t, raw).claims(discovery{}).Groups, ","); got != want {
			t.Errorf("%s: %q", raw, got)
		}
	}
}
