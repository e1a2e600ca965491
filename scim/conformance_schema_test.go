package scim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// declaration is one attribute as /Schemas tells it, and how a client names it.
type declaration struct {
	Name         string
	Type         string
	MultiValued  bool
	Required     bool
	CaseExact    bool
	Mutability   string
	Returned     string
	Uniqueness   string
	Canonical    []string      `json:"canonicalValues"`
	SubAttribute []declaration `json:"subAttributes"`

	urn string // of an extension
}

// path is how the attribute is named in a path or filter.
func (d declaration) path() string {
	if d.urn != "" {
		return d.urn + ":" + d.Name
	}
	return d.Name
}

// written is how the attribute is sent: in its extension, when it is of one.
func (d declaration) written(value string) string {
	value = `"` + d.Name + `":` + value
	if d.urn != "" {
		return `"` + d.urn + `":{` + value + `}`
	}
	return value
}

// in returns the value of the attribute in a resource.
func (d declaration) in(o object) any {
	if d.urn != "" {
		return at(o[d.urn], d.Name)
	}
	return o[d.Name]
}

// sample is a JSON value of the attribute; two variants differ. Parts that a client may not write are left out.
func (d declaration) sample(variant int) string {
	one := d.one(variant)
	if d.MultiValued {
		return "[" + one + "]"
	}
	return one
}

func (d declaration) one(variant int) string {
	switch d.Type {
	case "boolean":
		return fmt.Sprint(variant == 1)
	case "integer":
		return fmt.Sprint(variant)
	case "decimal":
		return fmt.Sprintf("%d.5", variant)
	case "dateTime":
		return fmt.Sprintf(`"2020-01-0%dT00:00:00Z"`, variant)
	case "binary":
		return []string{"", `"QUJD"`, `"REVG"`}[variant]
	case "reference":
		return fmt.Sprintf(`"https://example.com/Abc%d"`, variant)
	case "complex":
		var parts []string
		for _, s := range d.SubAttribute {
			if s.Mutability != "readOnly" {
				parts = append(parts, s.written(s.one(variant)))
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	if len(d.Canonical) > 1 {
		return `"` + d.Canonical[variant-1] + `"`
	}
	return fmt.Sprintf(`"Abc%d"`, variant)
}

// schema reads the declarations of a schema over HTTP. Those of an extension know it.
func (c *examiner) schema(urn string) []declaration {
	c.t.Helper()
	var s struct{ Attributes []declaration }
	if err := json.Unmarshal(c.must(200, "GET", "/Schemas/"+urn, "").raw, &s); err != nil || len(s.Attributes) == 0 {
		c.t.Fatal(urn, err)
	}
	if urn != urnCore && urn != coreGroup {
		for i := range s.Attributes {
			s.Attributes[i].urn = urn
		}
	}
	return s.Attributes
}

// writable are the attributes of a person that a client may write freely, and userName, which the tests give themselves.
func (c *examiner) writable() []declaration {
	var out []declaration
	for _, d := range append(c.schema(urnCore), c.schema(enterpriseURN)...) {
		if d.Mutability == "readWrite" && d.Name != "userName" {
			out = append(out, d)
		}
	}
	return out
}

// same reports whether an answer holds everything of a value that was sent.
func same(t testing.TB, sent string, got any) bool {
	t.Helper()
	var want any
	if err := json.Unmarshal([]byte(sent), &want); err != nil {
		t.Fatalf("%s: %v", sent, err)
	}
	return within(want, got)
}

func within(want, got any) bool {
	switch w := want.(type) {
	case object:
		g, ok := got.(object)
		for name, v := range w {
			ok = ok && within(v, g[name])
		}
		return ok
	case []any:
		g, ok := got.([]any)
		ok = ok && len(g) == len(w)
		for i := range w {
			ok = ok && within(w[i], g[i])
		}
		return ok
	}
	return fmt.Sprint(want) == fmt.Sprint(got)
}

func TestWhatTheSchemasDeclareIsSo(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"what is readWrite is created, replaced, patched and removed", func(c *examiner) {
			for i, d := range c.writable() {
				ada := c.person(fmt.Sprintf("ada%d", i), d.written(d.sample(1)))
				c.expect(same(c.t, d.sample(1), d.in(c.read(ada))), "POST %s: %v", d.path(), d.in(ada))
				ada = c.patch(ada, `{"op":"replace","path":"`+d.path()+`","value":`+d.sample(2)+`}`)
				c.expect(same(c.t, d.sample(2), d.in(ada)), "PATCH %s: %v", d.path(), d.in(ada))
				ada = c.ok(200, "PUT", c.path(ada), personBody(fmt.Sprintf("ada%d", i), d.written(d.sample(1))))
				c.expect(same(c.t, d.sample(1), d.in(ada)), "PUT %s: %v", d.path(), d.in(ada))
				if d.Name == "active" { // has no third state: the one that is removed could come in, or not
					c.refused(400, "mutability", "PATCH", c.path(ada), patchBody(`{"op":"remove","path":"active"}`))
					continue
				}
				c.expect(d.in(c.patch(ada, `{"op":"remove","path":"`+d.path()+`"}`)) == nil, "%s was not removed", d.path())
			}
		}},
		{"each part of a complex value is written alone", func(c *examiner) {
			ada := c.person("ada", "")
			for _, d := range c.writable() {
				for _, s := range d.SubAttribute {
					if s.Mutability != "readWrite" {
						continue
					}
					path := d.path() + "." + s.Name
					if d.MultiValued {
						ada = c.patch(ada, `{"op":"replace","path":"`+d.path()+`","value":`+d.sample(1)+`}`)
					}
					ada = c.patch(ada, `{"op":"replace","path":"`+path+`","value":`+s.one(2)+`}`)
					got := at(d.in(ada), s.Name)
					if d.MultiValued {
						got = at(d.in(ada), "0."+s.Name)
					}
					c.expect(same(c.t, s.one(2), got), "%s is %v", path, got)
				}
			}
		}},
		{"what is readOnly is ignored in a body and refused in a PATCH", func(c *examiner) {
			for _, d := range append(c.schema(urnCore), c.schema(enterpriseURN)...) {
				if d.Mutability == "readOnly" {
					ada := c.person("ada "+d.Name, d.written(d.sample(1)))
					c.expect(d.in(ada) == nil, "%s was taken from the client", d.path())
					c.refused(400, "mutability", "PATCH", c.path(ada), patchBody(`{"op":"add","path":"`+d.path()+`","value":`+d.sample(1)+`}`))
				}
				for _, s := range d.SubAttribute {
					if s.Mutability == "readOnly" && d.Mutability != "readOnly" {
						ada := c.person("ada "+d.Name+s.Name, d.written(`{`+s.written(s.one(1))+`}`))
						c.expect(d.in(ada) == nil, "%s.%s was taken from the client: %v", d.path(), s.Name, d.in(ada))
						c.refused(400, "mutability", "PATCH", c.path(ada), patchBody(`{"op":"add","path":"`+d.path()+"."+s.Name+`","value":`+s.one(1)+`}`))
					}
				}
			}
		}},
		{"what is immutable is given once", func(c *examiner) {
			ada := c.person("ada", "")
			g := c.team("g", textOf(ada["id"]))
			for _, d := range c.schema(coreGroup) {
				for _, s := range d.SubAttribute {
					if s.Mutability == "immutable" || s.Mutability == "readOnly" {
						c.refused(400, "mutability", "PATCH", c.path(g), patchBody(`{"op":"replace","path":"`+d.Name+`[value eq \"`+textOf(ada["id"])+`\"].`+s.Name+`","value":`+s.one(1)+`}`))
					}
				}
			}
			c.see(c.read(g), "members.0.display", "ada")
		}},
		{"what is required must be given and cannot be taken away", func(c *examiner) {
			bodies := map[string]string{urnCore: "/Users", coreGroup: "/Groups"}
			for urn, endpoint := range bodies {
				for _, d := range c.schema(urn) {
					if !d.Required {
						continue
					}
					c.refused(400, "invalidValue", "POST", endpoint, `{"schemas":["`+urn+`"]}`)
					made := c.ok(201, "POST", endpoint, `{"schemas":["`+urn+`"],"`+d.Name+`":"x"}`)
					c.refused(400, "mutability", "PATCH", c.path(made), patchBody(`{"op":"remove","path":"`+d.Name+`"}`))
				}
			}
		}},
		{"what is unique for the server is so, and what is not is not", func(c *examiner) {
			for _, d := range c.schema(urnCore) {
				if d.Uniqueness == "server" {
					c.person("same", "")
					c.refused(409, "uniqueness", "POST", "/Users", userBody("same"))
				}
			}
			for i, d := range c.writable() {
				c.person(fmt.Sprintf("one%d", i), d.written(d.sample(1)))
				c.person(fmt.Sprintf("two%d", i), d.written(d.sample(1)))
			}
			c.team("g")
			c.team("g")
		}},
		{"everything that is returned by default can be asked for alone, and left out", func(c *examiner) {
			var fields []string
			list := c.writable()
			extension := []string{}
			for _, d := range list {
				if d.urn == "" {
					fields = append(fields, d.written(d.sample(1)))
				} else {
					inner := d
					inner.urn = ""
					extension = append(extension, inner.written(d.sample(1)))
				}
			}
			fields = append(fields, `"`+enterpriseURN+`":{`+strings.Join(extension, ",")+`}`)
			ada := c.person("ada", strings.Join(fields, ","))
			for _, d := range list {
				alone := c.ok(200, "GET", c.path(ada)+"?attributes="+d.path(), "")
				c.expect(d.in(alone) != nil && alone["userName"] == nil && alone["id"] != nil, "attributes=%s: %v", d.path(), alone)
				without := c.ok(200, "GET", c.path(ada)+"?excludedAttributes="+d.path(), "")
				c.expect(d.in(without) == nil && without["userName"] != nil, "excludedAttributes=%s: %v", d.path(), d.in(without))
			}
		}},
		{"everything can be filtered on, in the case that it says", func(c *examiner) {
			for i, d := range c.writable() {
				name := fmt.Sprintf("ada%d", i)
				c.person(name, d.written(d.sample(1)))
				parts := map[string]declaration{"": d}
				if d.Type == "complex" {
					delete(parts, "")
					for _, s := range d.SubAttribute {
						if s.Mutability != "readOnly" {
							parts["."+s.Name] = s
						}
					}
				}
				for suffix, s := range parts {
					path, value := d.path()+suffix, s.one(1)
					only := ` and userName eq "` + name + `"`
					c.expect(c.search("/Users?filter="+path+" eq "+value+only) == name, "%s eq %s finds nobody", path, value)
					c.expect(c.search("/Users?filter="+path+" pr"+only) == name, "%s pr finds nobody", path)
					c.expect(c.search("/Users?filter="+path+" eq "+s.one(2)+only) == "", "%s eq %s finds somebody", path, s.one(2))
					if turned := strings.ToUpper(value); strings.HasPrefix(value, `"`) && turned != value {
						found := c.search("/Users?filter="+path+" eq "+turned+only) == name
						c.expect(found == !s.CaseExact, "%s eq %s: found %v, caseExact %v", path, turned, found, s.CaseExact)
					}
					c.search("/Users?sortBy=" + path)
				}
			}
		}},
	})
}
