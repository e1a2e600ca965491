package scim

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	allDialects = ""
	urnCore     = "urn:ietf:params:scim:schemas:core:2.0:User"
)

// parse reads JSON as a body is read.
func parse(t testing.TB, text string) object {
	t.Helper()
	o, err := readObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// patched applies operations to a person who has these attributes beside the user name.
func patched(t testing.TB, attributes, operations string, d dialect) (object, error) {
	t.Helper()
	res := parse(t, attributes)
	res["userName"], res["id"] = "ada", "1"
	ops, err := readPatch(parse(t, `{"schemas": ["`+patchURN+`"], "Operations": `+operations+`}`))
	if err != nil {
		return nil, err
	}
	p := &patcher{t: userType, d: d, res: res}
	if err := p.apply(ops); err != nil {
		return nil, err
	}
	delete(p.res, "userName")
	delete(p.res, "id")
	return p.res, nil
}

// patchCases are a person before, the operations, and the person after.
var patchCases = []struct {
	name, dialect, before, ops, after string
}{
	{"add sets", allDialects, `{}`, `[{"op": "add", "path": "title", "value": "x"}]`, `{"title": "x"}`},
	{"replace sets what was not there", allDialects, `{}`, `[{"op": "replace", "path": "title", "value": "x"}]`, `{"title": "x"}`},
	{"remove unassigns", allDialects, `{"title": "x"}`, `[{"op": "remove", "path": "title"}]`, `{}`},
	{"remove of nothing is done", allDialects, `{}`, `[{"op": "remove", "path": "title"}]`, `{}`},
	{"add of null does nothing", allDialects, `{"title": "x"}`, `[{"op": "add", "path": "title", "value": null}]`, `{"title": "x"}`},
	{"replace by null unassigns", allDialects, `{"title": "x"}`, `[{"op": "replace", "path": "title", "value": null}]`, `{}`},
	{"the names of a request are folded", allDialects, `{}`, `[{"OP": "add", "Path": "TITLE", "VALUE": "x"}]`, `{"title": "x"}`},
	{"the case of an operation's name says nothing", allDialects, `{"nickName": "A"}`, `[{"op": "Add", "path": "title", "value": "x"}, {"op": "REMOVE", "path": "nickName"}]`, `{"title": "x"}`},
	{"a value without a path", allDialects, `{"nickName": "A"}`, `[{"op": "replace", "value": {"title": "x", "nickname": null}}]`, `{"title": "x"}`},
	{"dotted names", allDialects, `{"name": {"givenName": "A", "familyName": "B"}}`, `[{"op": "replace", "value": {"name.givenName": "C"}}]`, `{"name": {"givenName": "C", "familyName": "B"}}`},
	{"complex values are joined by add", allDialects, `{"name": {"givenName": "A"}}`, `[{"op": "add", "value": {"name": {"middleName": "M"}}}]`, `{"name": {"givenName": "A", "middleName": "M"}}`},
	{"and by replace", allDialects, `{"name": {"givenName": "A"}}`, `[{"op": "replace", "path": "name", "value": {"middleName": "M", "givenName": null}}]`, `{"name": {"middleName": "M"}}`},
	{"the last sub-attribute takes the attribute with it", allDialects, `{"name": {"givenName": "A"}}`, `[{"op": "remove", "path": "name.givenName"}]`, `{}`},
	{"the full name of a core attribute", allDialects, `{}`, `[{"op": "add", "path": "` + urnCore + `:title", "value": "x"}]`, `{"title": "x"}`},
	{"the core schema as a target", allDialects, `{}`, `[{"op": "add", "path": "` + urnCore + `", "value": {"title": "x"}}]`, `{"title": "x"}`},
	{"id and schemas may be sent along", allDialects, `{}`, `[{"op": "replace", "value": {"id": "1", "schemas": [], "title": "x"}}]`, `{"title": "x"}`},
	{"unknown names beside known ones", allDialects, `{}`, `[{"op": "replace", "value": {"custom": "1", "title": "x"}}]`, `{"title": "x"}`},
	{"a password is not kept", allDialects, `{}`, `[{"op": "replace", "path": "password", "value": "p"}, {"op": "add", "value": {"password": "p"}}]`, `{}`},

	{"an extension by its URN", allDialects, `{}`, `[{"op": "add", "path": "` + enterpriseURN + `", "value": {"department": "D"}}]`, `{"` + enterpriseURN + `": {"department": "D"}}`},
	{"an extension in a value", allDialects, `{}`, `[{"op": "add", "value": {"` + enterpriseURN + `": {"department": "D"}}}]`, `{"` + enterpriseURN + `": {"department": "D"}}`},
	{"one attribute by URN and name", allDialects, `{"` + enterpriseURN + `": {"costCenter": "1"}}`, `[{"op": "add", "value": {"` + enterpriseURN + `:department": "D"}}]`, `{"` + enterpriseURN + `": {"department": "D", "costCenter": "1"}}`},
	{"the last attribute takes the extension with it", allDialects, `{"` + enterpriseURN + `": {"costCenter": "1"}}`, `[{"op": "remove", "path": "` + enterpriseURN + `:costCenter"}]`, `{}`},
	{"a whole extension", allDialects, `{"` + enterpriseURN + `": {"costCenter": "1"}}`, `[{"op": "remove", "path": "` + enterpriseURN + `"}]`, `{}`},
	{"a manager as a string", "okta", `{}`, `[{"op": "add", "path": "` + enterpriseURN + `:manager", "value": "7"}]`, `{"` + enterpriseURN + `": {"manager": {"value": "7"}}}`},
	{"a manager as a list", "entra", `{}`, `[{"op": "add", "path": "manager", "value": [{"$ref": null, "value": "7"}]}]`, `{"` + enterpriseURN + `": {"manager": {"value": "7"}}}`},
	{"no manager any more", "entra", `{"` + enterpriseURN + `": {"manager": {"value": "7"}}}`, `[{"op": "Replace", "path": "` + enterpriseURN + `:manager.value", "value": ""}]`, `{}`},

	{"add appends", allDialects, `{"ims": [{"value": "a"}]}`, `[{"op": "add", "path": "ims", "value": [{"value": "b"}]}]`, `{"ims": [{"value": "a"}, {"value": "b"}]}`},
	{"add of one object", allDialects, `{}`, `[{"op": "add", "path": "ims", "value": {"value": "b"}}]`, `{"ims": [{"value": "b"}]}`},
	{"no value twice", allDialects, `{"ims": [{"value": "a", "type": "x"}]}`, `[{"op": "add", "path": "ims", "value": [{"value": "A", "type": "X"}, {"value": "a", "type": "y"}]}]`, `{"ims": [{"value": "A", "type": "X"}, {"value": "a", "type": "y"}]}`},
	{"replace of a list", allDialects, `{"ims": [{"value": "a"}]}`, `[{"op": "replace", "path": "ims", "value": [{"value": "b"}]}]`, `{"ims": [{"value": "b"}]}`},
	{"replace by nothing", allDialects, `{"ims": [{"value": "a"}]}`, `[{"op": "replace", "path": "ims", "value": []}]`, `{}`},
	{"one primary", allDialects, `{"ims": [{"value": "a", "primary": true}]}`, `[{"op": "add", "path": "ims", "value": [{"value": "b", "primary": true}]}]`, `{"ims": [{"value": "a", "primary": false}, {"value": "b", "primary": true}]}`},
	{"one primary by a value path", allDialects, `{"ims": [{"value": "a", "primary": true}, {"value": "b"}]}`, `[{"op": "replace", "path": "ims[value eq \"b\"].primary", "value": true}]`, `{"ims": [{"value": "a", "primary": false}, {"value": "b", "primary": true}]}`},
	{"a sub-attribute of the selected", allDialects, `{"ims": [{"value": "a", "type": "x"}, {"value": "b", "type": "y"}]}`, `[{"op": "replace", "path": "ims[type eq \"Y\"].value", "value": "c"}]`, `{"ims": [{"value": "a", "type": "x"}, {"value": "c", "type": "y"}]}`},
	{"a sub-attribute of all", allDialects, `{"ims": [{"value": "a"}, {"value": "b"}]}`, `[{"op": "add", "path": "ims.type", "value": "x"}]`, `{"ims": [{"value": "a", "type": "x"}, {"value": "b", "type": "x"}]}`},
	{"an element is replaced and stays what was selected", allDialects, `{"addresses": [{"type": "work", "country": "DE", "region": "R"}]}`, `[{"op": "replace", "path": "addresses[type eq \"work\"]", "value": {"country": "GB"}}]`, `{"addresses": [{"type": "work", "country": "GB"}]}`},
	{"an element is joined by add", allDialects, `{"addresses": [{"type": "work", "country": "DE"}]}`, `[{"op": "add", "path": "addresses[type eq \"work\"]", "value": {"region": "R"}}]`, `{"addresses": [{"type": "work", "country": "DE", "region": "R"}]}`},
	{"add makes an element", allDialects, `{}`, `[{"op": "add", "path": "addresses[type eq \"work\"].country", "value": "DE"}, {"op": "add", "path": "addresses[type eq \"work\"].region", "value": "R"}]`, `{"addresses": [{"type": "work", "country": "DE", "region": "R"}]}`},
	{"replace makes one too", "entra", `{}`, `[{"op": "Replace", "path": "ims[type eq \"work\"].value", "value": "a"}]`, `{"ims": [{"type": "work", "value": "a"}]}`},
	{"selected elements go", allDialects, `{"ims": [{"value": "a", "type": "x"}, {"value": "b", "type": "y"}]}`, `[{"op": "remove", "path": "ims[type eq \"x\" or value sw \"z\"]"}]`, `{"ims": [{"value": "b", "type": "y"}]}`},
	{"an element without a value goes", allDialects, `{"ims": [{"value": "a", "type": "x"}, {"value": "b", "type": "y"}]}`, `[{"op": "remove", "path": "ims[type eq \"x\"].value"}]`, `{"ims": [{"value": "b", "type": "y"}]}`},
	{"replace of a sub-attribute where nothing is is add", allDialects, `{}`, `[{"op": "replace", "path": "ims.value", "value": "a"}]`, `{"ims": [{"value": "a"}]}`},
	{"remove of a sub-attribute where nothing is is done", allDialects, `{}`, `[{"op": "remove", "path": "ims.value"}]`, `{}`},
	{"what is not there differs from an empty text", allDialects, `{"ims": [{"display": "a"}, {"value": "b"}]}`, `[{"op": "replace", "path": "ims[value ne \"\"].type", "value": "x"}]`, `{"ims": [{"display": "a", "type": "x"}, {"value": "b", "type": "x"}]}`},
	{"selected elements are replaced by nothing", allDialects, `{"ims": [{"value": "a"}, {"value": "b"}]}`, `[{"op": "replace", "path": "ims[value eq \"a\"]", "value": null}]`, `{"ims": [{"value": "b"}]}`},
	{"two elements that become one", allDialects, `{"ims": [{"value": "a", "primary": true}, {"value": "b", "display": "B"}]}`, `[{"op": "replace", "path": "ims[value eq \"b\"].value", "value": "A"}]`, `{"ims": [{"value": "A", "display": "B", "primary": true}]}`},
	{"what is not there is different from an empty text", allDialects, `{"ims": [{"display": "x"}]}`, `[{"op": "replace", "path": "ims[value ne \"\"].type", "value": "y"}]`, `{"ims": [{"display": "x", "type": "y"}]}`},
	{"an element that nobody touched stays", allDialects, `{"ims": [{"type": "x"}, {"value": "b", "type": "y"}]}`, `[{"op": "replace", "path": "ims[value eq \"b\"].type", "value": "z"}]`, `{"ims": [{"type": "x"}, {"value": "b", "type": "z"}]}`},
	{"all elements go", allDialects, `{"ims": [{"value": "a"}]}`, `[{"op": "remove", "path": "ims"}]`, `{}`},
	{"listed elements go, never all", "okta", `{"ims": [{"value": "a", "type": "x"}, {"value": "b"}]}`, `[{"op": "remove", "path": "ims", "value": [{"value": "A"}]}]`, `{"ims": [{"value": "b"}]}`},
	{"remove of an element that is not there", "entra", `{"ims": [{"value": "a"}]}`, `[{"op": "Remove", "path": "ims[type eq \"x\"]"}]`, `{"ims": [{"value": "a"}]}`},
	{"a boolean in quotes selects", "entra", `{"roles": [{"value": "a", "primary": true}]}`, `[{"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "b"}]`, `{"roles": [{"value": "b", "primary": true}]}`},
	{"booleans in quotes", "entra", `{}`, `[{"op": "Add", "path": "active", "value": "FALSE"}]`, `{"active": false}`},
	{"booleans in quotes, exact", "okta", `{}`, `[{"op": "add", "path": "active", "value": "false"}]`, `{"active": false}`},
}

func TestPatchChangesWhatItSays(t *testing.T) {
	for _, c := range patchCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := patched(t, c.before, c.ops, dialectOf(identity.Dialect(c.dialect)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, c.after), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPatchRefusesWhatItCannotDo(t *testing.T) {
	for _, c := range []struct {
		name, dialect, ops, keyword string
	}{
		{"no operations", allDialects, `[]`, invalidSyntax},
		{"an operation that is none", allDialects, `[5]`, invalidSyntax},
		{"an unknown operation", allDialects, `[{"op": "move", "path": "title", "value": "x"}]`, invalidSyntax},
		{"a path that is a number", allDialects, `[{"op": "add", "path": 5, "value": "x"}]`, invalidPath},
		{"no value", allDialects, `[{"op": "add", "path": "title"}]`, invalidValue},
		{"a value of the wrong type", allDialects, `[{"op": "add", "path": "title", "value": 5}]`, invalidValue},
		{"a boolean in quotes", allDialects, `[{"op": "add", "path": "active", "value": "true"}]`, invalidValue},
		{"a boolean in quotes with a capital for Okta", "okta", `[{"op": "add", "path": "active", "value": "True"}]`, invalidValue},
		{"a manager as a string", allDialects, `[{"op": "add", "path": "` + enterpriseURN + `:manager", "value": "7"}]`, invalidValue},
		{"a manager as a list for Okta", "okta", `[{"op": "add", "path": "` + enterpriseURN + `:manager", "value": [{"value": "7"}]}]`, invalidValue},
		{"no path and no object", allDialects, `[{"op": "add", "value": "x"}]`, invalidValue},
		{"remove without a path", allDialects, `[{"op": "remove"}]`, noTarget},
		{"an unknown attribute", allDialects, `[{"op": "add", "path": "noSuch", "value": "x"}]`, invalidPath},
		{"only unknown attributes", allDialects, `[{"op": "add", "value": {"noSuch": "x"}}]`, invalidPath},
		{"a bare name of the extension", allDialects, `[{"op": "add", "path": "department", "value": "x"}]`, invalidPath},
		{"read-only", allDialects, `[{"op": "replace", "path": "groups", "value": []}]`, mutability},
		{"read-only in a value", allDialects, `[{"op": "replace", "value": {"meta": {}}}]`, mutability},
		{"another id", allDialects, `[{"op": "replace", "value": {"id": "2"}}]`, mutability},
		{"an id that is an object", allDialects, `[{"op": "replace", "value": {"id": {}}}]`, mutability},
		{"a required attribute", allDialects, `[{"op": "remove", "path": "userName"}]`, mutability},
		{"a required attribute, emptied", allDialects, `[{"op": "replace", "path": "userName", "value": ""}]`, invalidValue},
		{"active", allDialects, `[{"op": "replace", "value": {"active": null}}]`, invalidValue},
		{"the resource", allDialects, `[{"op": "remove", "path": "` + urnCore + `"}]`, mutability},
		{"replace of what is not selected", allDialects, `[{"op": "replace", "path": "ims[type eq \"x\"].value", "value": "a"}]`, noTarget},
		{"replace of an element that cannot be made", "entra", `[{"op": "replace", "path": "ims[type ne \"x\"].value", "value": "a"}]`, noTarget},
		{"remove of what is not selected", allDialects, `[{"op": "remove", "path": "ims[type eq \"x\"]"}]`, noTarget},
		{"remove with a list", allDialects, `[{"op": "remove", "path": "emails", "value": [{"value": "a"}]}]`, invalidValue},
		{"two primaries", allDialects, `[{"op": "add", "path": "ims", "value": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}]`, invalidValue},
		{"a certificate that is none", allDialects, `[{"op": "add", "path": "x509Certificates", "value": [{"value": "%%%"}]}]`, invalidValue},
		{"the second of two", allDialects, `[{"op": "add", "path": "title", "value": "x"}, {"op": "add", "path": "noSuch", "value": "x"}]`, invalidPath},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := patched(t, `{"emails": [{"value": "a", "type": "work"}]}`, c.ops, dialectOf(identity.Dialect(c.dialect)))
			if identity.KindOf(err) != identity.Invalid || identity.CodeOf(err) != c.keyword {
				t.Errorf("%v with %q, want %q", err, identity.CodeOf(err), c.keyword)
			}
		})
	}
}

func TestAFailedPatchLeavesTheUserAlone(t *testing.T) {
	u := identity.User{UserName: "ada", Emails: []identity.Email{{Value: "a@example.com", Primary: true}}, Attributes: json.RawMessage(`{"title":"x","ims":[{"value":"a","primary":true}]}`)}
	before := u
	ops, err := readPatch(parse(t, `{"schemas": ["`+patchURN+`"], "Operations": [
		{"op": "add", "path": "ims", "value": [{"value": "b", "primary": true}]},
		{"op": "replace", "path": "emails.value", "value": "b@example.com"},
		{"op": "add", "path": "noSuch", "value": 1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := patchUser(ops, dialect{})(&u); err == nil {
		t.Fatal("the patch was accepted")
	}
	if diff := cmp.Diff(before, u); diff != "" {
		t.Errorf("the user changed:\n%s", diff)
	}
}

func TestMembersBecomeChangesOfRows(t *testing.T) {
	const a, b = "0198c0de-0000-7000-8000-00000000000a", "0198c0de-0000-7000-8000-00000000000b"
	add := identity.MemberChange{Op: "add", Members: []identity.Member{{ID: a}, {ID: b, Type: identity.MemberGroup}}}
	for _, c := range []struct {
		name, dialect, ops string
		want               []identity.MemberChange
		keyword            string
	}{
		{"add", allDialects, `[{"op": "add", "path": "members", "value": [{"value": "` + a + `"}, {"value": "` + b + `", "type": "group"}, {"value": "` + a + `"}]}]`, []identity.MemberChange{add}, ""},
		{"add without a path", allDialects, `[{"op": "add", "value": {"members": {"value": "` + a + `"}}}]`, []identity.MemberChange{{Op: "add", Members: []identity.Member{{ID: a}}}}, ""},
		{"replace", allDialects, `[{"op": "replace", "path": "members", "value": []}]`, []identity.MemberChange{{Op: "replace"}}, ""},
		{"remove one", allDialects, `[{"op": "remove", "path": "members[value eq \"` + a + `\"]"}]`, []identity.MemberChange{{Op: "remove", Members: []identity.Member{{ID: a}}}}, ""},
		{"remove two", allDialects, `[{"op": "remove", "path": "members[value eq \"` + a + `\" or value eq \"` + b + `\"]"}]`, []identity.MemberChange{{Op: "remove", Members: []identity.Member{{ID: a}, {ID: b}}}}, ""},
		{"remove who is nobody", allDialects, `[{"op": "remove", "path": "members[value eq \"nobody\"]"}]`, nil, ""},
		{"remove some", allDialects, `[{"op": "remove", "path": "members[type eq \"Group\"]"}]`, []identity.MemberChange{{Op: "remove", Match: is(identity.OpEq, identity.Attribute{Sub: "type", Type: identity.TypeString}, "Group")}}, ""},
		{"remove all", allDialects, `[{"op": "remove", "path": "members"}]`, []identity.MemberChange{{Op: "replace"}}, ""},
		{"remove listed", "entra", `[{"op": "Remove", "path": "members", "value": [{"value": "` + a + `"}]}]`, []identity.MemberChange{{Op: "remove", Members: []identity.Member{{ID: a}}}}, ""},
		{"remove an empty list", "entra", `[{"op": "Remove", "path": "members", "value": []}]`, nil, ""},
		{"remove listed by the standard", allDialects, `[{"op": "remove", "path": "members", "value": [{"value": "` + a + `"}]}]`, nil, invalidValue},
		{"somebody without an id", allDialects, `[{"op": "add", "path": "members", "value": [{"display": "x"}]}]`, nil, invalidValue},
		{"an id that is none", allDialects, `[{"op": "add", "path": "members", "value": [{"value": "x"}]}]`, nil, invalidValue},
		{"strings", allDialects, `[{"op": "add", "path": "members", "value": ["` + a + `"]}]`, nil, invalidValue},
		{"a type that is none", allDialects, `[{"op": "add", "path": "members", "value": [{"value": "` + a + `", "type": "Robot"}]}]`, nil, invalidValue},
		{"a sub-attribute", allDialects, `[{"op": "replace", "path": "members[value eq \"` + a + `\"].display", "value": "x"}]`, nil, mutability},
		{"one by another", allDialects, `[{"op": "replace", "path": "members[value eq \"` + a + `\"]", "value": {"value": "` + b + `"}}]`, []identity.MemberChange{{Op: "swap", Members: []identity.Member{{ID: b}}, Gone: []identity.Member{{ID: a}}}}, ""},
		{"one by another, or there", "entra", `[{"op": "replace", "path": "members[value eq \"` + a + `\"]", "value": [{"value": "` + b + `"}]}]`, []identity.MemberChange{{Op: "swap", Members: []identity.Member{{ID: b}}, Gone: []identity.Member{{ID: a}}, Lenient: true}}, ""},
		{"one by somebody without an id", allDialects, `[{"op": "replace", "path": "members[value eq \"` + a + `\"]", "value": {"display": "x"}}]`, nil, invalidValue},
		{"one by null", allDialects, `[{"op": "replace", "path": "members[value eq \"` + a + `\"]", "value": null}]`, []identity.MemberChange{{Op: "remove", Members: []identity.Member{{ID: a}}}}, ""},
		{"add whom the path names", allDialects, `[{"op": "add", "path": "members[value eq \"` + a + `\"]", "value": {"display": "x"}}]`, []identity.MemberChange{{Op: "add", Members: []identity.Member{{ID: a}}}}, ""},
		{"add nobody", allDialects, `[{"op": "add", "path": "members[value eq \"` + a + `\"]", "value": null}]`, nil, ""},
		{"add somebody else than the path names", allDialects, `[{"op": "add", "path": "members[value eq \"` + a + `\"]", "value": {"value": "` + b + `"}}]`, nil, mutability},
		{"add some", allDialects, `[{"op": "add", "path": "members[type eq \"User\"]", "value": {"value": "` + b + `"}}]`, nil, invalidPath},
		{"the name", allDialects, `[{"op": "remove", "path": "displayName"}]`, nil, mutability},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := dialectOf(identity.Dialect(c.dialect))
			ops, err := readPatch(parse(t, `{"schemas": ["`+patchURN+`"], "Operations": `+c.ops+`}`))
			if err != nil {
				t.Fatal(err)
			}
			got, err := patchGroup(ops, d)(&identity.Group{DisplayName: "g"})
			if identity.CodeOf(err) != c.keyword {
				t.Fatalf("%v, want %q", err, c.keyword)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"schemas":["`+patchURN+`"],"Operations":[{"op":"add","path":"emails[type eq \"work\"].value","value":"x"},{"op":"replace","value":{"name.givenName":"x","ims":[{"value":"q","primary":true}]}}]}`), uint8(1))
	f.Add([]byte(`{"schemas":["`+patchURN+`"],"Operations":[{"op":"remove","path":"ims[primary eq true]"},{"op":"Add","path":"manager","value":[{"value":"x"}]}]}`), uint8(2))
	f.Add([]byte(`{"schemas":["`+patchURN+`"],"Operations":[{"op":"replace","path":"`+enterpriseURN+`","value":{"manager":{"value":""}}}]}`), uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		d := dialectOf([]identity.Dialect{identity.DialectStandard, identity.DialectEntra, identity.DialectOkta}[which%3])
		o, err := readObject(body)
		if err != nil {
			return
		}
		ops, err := readPatch(o)
		if err != nil {
			return
		}
		u := identity.User{
			ID: "1", UserName: "ada", Enabled: true, Emails: []identity.Email{{Value: "a@example.com", Type: "work", Primary: true}},
			Attributes: json.RawMessage(`{"ims":[{"value":"a","primary":true},{"value":"b"}],"` + enterpriseURN + `":{"department":"D"}}`),
		}
		if err := patchUser(ops, d)(&u); err != nil {
			if identity.KindOf(err) != identity.Invalid {
				t.Fatalf("%s: %v", body, err)
			}
			return
		}
		checkUser(t, u)
	})
}

// checkUser holds for every user, whatever was done to it.
func checkUser(t *testing.T, u identity.User) {
	t.Helper()
	if u.UserName == "" {
		t.Fatal("no user name is left")
	}
	res, err := userResource(u)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range res {
		if list, ok := v.([]any); ok && (primaries(list) > 1 || len(list) == 0) {
			t.Fatalf("%s: %v", name, list)
		}
	}
	door := New(Options{URL: "https://bridge.example"})
	quick, err := door.appendUser(nil, u, projection{})
	if err != nil {
		t.Fatal(err)
	}
	slow := appendResource(nil, userType, res, meta{created: u.CreatedAt, modified: u.UpdatedAt, version: u.Version, location: door.location(userType, string(u.ID))}, projection{})
	var a, b object
	if err := json.Unmarshal(quick, &a); err != nil {
		t.Fatalf("%s: %v", quick, err)
	}
	if err := json.Unmarshal(slow, &b); err != nil {
		t.Fatalf("%s: %v", slow, err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Fatalf("the two ways to write a user differ:\n%s", diff)
	}
}
