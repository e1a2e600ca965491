package scim

import (
	"os"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	thing     = `{"id":"urn:x:thing","attributes":[{"name":"a"}]}`
	thingType = `{"name":"Thing","endpoint":"/Things","schema":"urn:x:thing"}`
)

// oneAttribute is a file whose only schema has one attribute.
func oneAttribute(a string) string {
	return `{"schemas":[{"id":"urn:x:thing","attributes":[` + a + `]}],"resourceTypes":[` + thingType + `]}`
}

func TestEveryMistakeOfDeclaredSchemasIsNamed(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"no JSON", `{`, "not valid JSON"},
		{"a list", `[]`, "must be a JSON object"},
		{"a name that means nothing", `{"schema":[]}`, "schema: there is no such name here; the names are schemas, resourceTypes."},
		{"no list", `{"schemas":{}}`, "schemas: it must be a list of objects."},
		{"no URN", `{"schemas":[{"id":"thing","attributes":[{"name":"a"}]}]}`, "schemas[0].id: it must be a URN"},
		{"a URN that would need escapes", `{"schemas":[{"id":"urn:x:a'b","attributes":[{"name":"a"}]}]}`, "schemas[0].id: it must be a URN"},
		{"a schema of the standard", `{"schemas":[{"id":"` + urnCore + `","attributes":[{"name":"a"}]}]}`, "cannot both be schemas"},
		{"a schema below another", `{"schemas":[{"id":"` + enterpriseURN + `:more","attributes":[{"name":"a"}]}]}`, "cannot both be schemas"},
		{"a schema twice", `{"schemas":[` + thing + `,` + strings.ToUpper(thing[:20]) + thing[20:] + `]}`, "schemas[1]"},
		{"no attributes", `{"schemas":[{"id":"urn:x:thing"}]}`, "schemas[0].attributes: a schema needs at least one attribute."},
		{"a schema that nobody uses", `{"schemas":[` + thing + `]}`, "no resource type uses the schema urn:x:thing"},
		{"no name", oneAttribute(`{}`), "schemas[0].attributes[0].name: it must be a letter"},
		{"a name with a dot", oneAttribute(`{"name":"a.b"}`), "attributes[0].name"},
		{"a common name", oneAttribute(`{"name":"ExternalID"}`), "every resource has this attribute already"},
		{"a name twice", oneAttribute(`{"name":"a"},{"name":"A"}`), "there are two attributes named A."},
		{"an unknown type", oneAttribute(`{"name":"a","type":"number"}`), "attributes[0].type: it must be one of string, boolean"},
		{"an unknown mutability", oneAttribute(`{"name":"a","mutability":"once"}`), "attributes[0].mutability: it must be one of readOnly"},
		{"an unknown word", oneAttribute(`{"name":"a","multivalued":true}`), "attributes[0].multivalued: there is no such name here"},
		{"no boolean", oneAttribute(`{"name":"a","required":"true"}`), "attributes[0].required: it must be true or false."},
		{"complex without parts", oneAttribute(`{"name":"a","type":"complex"}`), "attributes[0].subAttributes: a complex attribute needs at least one."},
		{"parts without complex", oneAttribute(`{"name":"a","subAttributes":[{"name":"b"}]}`), "only a complex attribute has sub-attributes"},
		{"complex in complex", oneAttribute(`{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex"}]}`), "attributes[0].subAttributes[0].type: a sub-attribute cannot be complex"},
		{"lists in lists", oneAttribute(`{"name":"a","type":"complex","multiValued":true,"subAttributes":[{"name":"b","multiValued":true}]}`), "a list inside the elements of a list"},
		{"primary in words", oneAttribute(`{"name":"a","type":"complex","multiValued":true,"subAttributes":[{"name":"primary"}]}`), "primary must be a boolean"},
		{"canonical numbers", oneAttribute(`{"name":"a","type":"integer","canonicalValues":["1"]}`), "only a string has them"},
		{"references of text", oneAttribute(`{"name":"a","referenceTypes":["User"]}`), "only a reference has them"},
		{"an empty choice", oneAttribute(`{"name":"a","canonicalValues":[""]}`), "it must be a list of strings that are not empty"},
		{"a unique boolean", oneAttribute(`{"name":"a","type":"boolean","uniqueness":"server"}`), "no complex attribute and no boolean can be unique"},
		{"the case of a number", oneAttribute(`{"name":"a","type":"integer","caseExact":true}`), "only text has a case"},
		{"required and read-only", oneAttribute(`{"name":"a","required":true,"mutability":"readOnly"}`), "nobody could send"},
		{"written and shown", oneAttribute(`{"name":"a","mutability":"writeOnly","returned":"default"}`), "what is writeOnly is never returned"},
		{"a type without a name", `{"schemas":[` + thing + `],"resourceTypes":[{"endpoint":"/Things","schema":"urn:x:thing"}]}`, "resourceTypes[0].name: it must be a letter"},
		{"another id", `{"schemas":[` + thing + `],"resourceTypes":[{"id":"X","name":"Thing","endpoint":"/Things","schema":"urn:x:thing"}]}`, "resourceTypes[0].id: it must be the same as name"},
		{"no endpoint", `{"schemas":[` + thing + `],"resourceTypes":[{"name":"Thing","schema":"urn:x:thing"}]}`, "resourceTypes[0].endpoint: it must be a slash"},
		{"a taken endpoint", `{"schemas":[` + thing + `],"resourceTypes":[{"name":"Thing","endpoint":"/users","schema":"urn:x:thing"}]}`, "/users is taken."},
		{"an endpoint twice", `{"schemas":[` + thing + `],"resourceTypes":[` + thingType + `,{"name":"Other","endpoint":"/things","schema":"urn:x:thing"}]}`, "/things is taken."},
		{"a type twice", `{"schemas":[` + thing + `],"resourceTypes":[` + thingType + `,{"name":"THING","endpoint":"/Others","schema":"urn:x:thing"}]}`, "there are two resource types named THING."},
		{"users in another case", `{"schemas":[` + thing + `],"resourceTypes":[{"name":"user","endpoint":"/Things","schema":"urn:x:thing"}]}`, "there are two resource types named user."},
		{"an unknown schema", `{"resourceTypes":[` + thingType + `]}`, `resourceTypes[0].schema: "urn:x:thing" is none of the schemas`},
		{"an unknown extension", `{"schemas":[` + thing + `],"resourceTypes":[{"name":"Thing","endpoint":"/Things","schema":"urn:x:thing","schemaExtensions":[{"schema":"urn:x:y"}]}]}`, `schemaExtensions[0].schema: "urn:x:y" is none`},
		{"a type that extends itself", `{"schemas":[` + thing + `],"resourceTypes":[{"name":"Thing","endpoint":"/Things","schema":"urn:x:thing","schemaExtensions":[{"schema":"urn:x:thing"}]}]}`, "is a schema of this resource type already"},
		{"users without extensions", `{"resourceTypes":[{"name":"User"}]}`, "resourceTypes[0].schemaExtensions: a User is known already"},
		{"users with another schema", `{"schemas":[` + thing + `],"resourceTypes":[{"name":"User","schema":"urn:x:thing","schemaExtensions":[{"schema":"urn:x:thing"}]}]}`, "resourceTypes[0].schema: it must be one of " + urnCore},
		{"users elsewhere", `{"schemas":[` + thing + `],"resourceTypes":[{"name":"User","endpoint":"/People","schemaExtensions":[{"schema":"urn:x:thing"}]}]}`, "resourceTypes[0].endpoint: it must be one of /Users"},
		{"something unique of users", `{"schemas":[{"id":"urn:x:thing","attributes":[{"name":"a","uniqueness":"server"}]}],"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"urn:x:thing"}]}]}`, "urn:x:thing:a cannot be unique"},
		{"enterprise groups", `{"resourceTypes":[{"name":"Group","schemaExtensions":[{"schema":"` + enterpriseURN + `"}]}]}`, "is none of the schemas"},
	} {
		s, err := ReadSchemas([]byte(c.file))
		if s != nil || identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := ReadSchemas([]byte(`{"schemas":[{"id":"urn:x:thing","nane":"x","attributes":[{"name":"1"},{"name":"b","type":"text"}]}],"resourceTypes":[{"name":"Thing","endpoint":"Things"}],"more":1}`))
	if err == nil {
		t.Fatal("no mistake was found")
	}
	if n := strings.Count(err.Error(), "\n  "); n != 7 {
		t.Errorf("%d mistakes, want 7: %v", n, err)
	}
}

func TestTheEnterpriseExtensionCanBeRequired(t *testing.T) {
	s, err := ReadSchemas([]byte(`{"resourceTypes":[{"name":"User","schemaExtensions":[{"schema":"` + enterpriseURN + `","required":true}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	d := dialect{types: newCatalogue(s)}
	if _, err := newUser(parse(t, userBody("ada")), d); identity.CodeOf(err) != invalidValue {
		t.Errorf("a user without it: %v", err)
	}
	if _, err := newUser(parse(t, `{"schemas":["`+urnCore+`"],"userName":"a","`+enterpriseURN+`":{"department":"d"}}`), d); err != nil {
		t.Error(err)
	}
}

func FuzzSchemas(f *testing.F) {
	raw, err := os.ReadFile("testdata/schemas.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(oneAttribute(`{"name":"a","type":"complex","subAttributes":[{"name":"$ref","type":"reference"}]}`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := ReadSchemas(raw)
		if err != nil {
			if identity.KindOf(err) != identity.Invalid {
				t.Fatal(err)
			}
			return
		}
		newDocuments("https://bridge.example", DefaultLimits(), newCatalogue(s))
	})
}
