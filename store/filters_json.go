package store

import (
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// jsonPath returns the text of a single-valued attribute in the JSON column.
func (c *compiler) jsonPath(a identity.Attribute) string {
	var keys []string
	for _, k := range []string{a.Schema, a.Name, a.Sub} {
		if k != "" {
			keys = append(keys, k)
		}
	}
	if c.tx.postgres() {
		return "(" + c.table.json + " #>> '{" + strings.Join(quoteAll(keys, `"`), ",") + "}')"
	}
	return "json_extract(" + c.table.json + ", '$." + strings.Join(quoteAll(keys, `"`), ".") + "')"
}

// jsonEach returns the elements of a multi-valued attribute in the JSON column as rows of x.
func (c *compiler) jsonEach(a identity.Attribute) string {
	if c.tx.postgres() {
		return c.jsonElements(a) + " AS x(value)"
	}
	return "json_each(" + c.table.json + ", '$." + strings.Join(quoteAll(listKeys(a), `"`), ".") + "') AS x"
}

// jsonEachRow is jsonEach with the position of each element; PostgreSQL only, since SQLite has it as x.key.
func (c *compiler) jsonEachRow(a identity.Attribute) string {
	return c.jsonElements(a) + " WITH ORDINALITY AS x(value, position)"
}

func (c *compiler) jsonElements(a identity.Attribute) string {
	path := c.table.json + " #> '{" + strings.Join(quoteAll(listKeys(a), `"`), ",") + "}'"
	return "jsonb_array_elements(CASE WHEN jsonb_typeof(" + path + ") = 'array' THEN " + path + " ELSE '[]' END)"
}

func listKeys(a identity.Attribute) []string {
	if a.Schema != "" {
		return []string{a.Schema, a.Name}
	}
	return []string{a.Name}
}

// jsonElement returns a sub-attribute of an element of jsonEach.
func (c *compiler) jsonElement(sub string) string {
	if c.tx.postgres() {
		if sub == "" {
			return "(x.value #>> '{}')"
		}
		return "(x.value ->> '" + quote(sub) + "')"
	}
	if sub == "" {
		return "x.value"
	}
	return "CASE x.type WHEN 'object' THEN json_extract(x.value, '$." + quoteAll([]string{sub}, `"`)[0] + "') END" // what is no object would be an error
}

// quote makes a schema's name safe inside a quoted literal; names come from schemas, never from a request.
func quote(name string) string {
	return strings.NewReplacer(`'`, `''`, `"`, ``, `\`, ``, `?`, ``, "\x00", "").Replace(name)
}

func quoteAll(names []string, mark string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = mark + quote(n) + mark
	}
	return out
}

// jsonFalse is what false looks like when it was taken out of JSON.
func (c *compiler) jsonFalse() string {
	if c.tx.postgres() {
		return "'false'"
	}
	return "0"
}
