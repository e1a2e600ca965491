package scim

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/elimity-com/scim/schema"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	configURN       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	resourceTypeURN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaURN       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// documents are the discovery documents (RFC 7644 section 4), rendered once. The lists are of single documents by lower-case id.
type documents struct {
	config        []byte
	resourceTypes []byte
	schemas       []byte
	resourceType  map[string][]byte
	schema        map[string][]byte
	oauth         []byte // the metadata of RFC 8414
}

// newDocuments renders the documents from the same data that requests are checked with, so that they cannot say anything else.
func newDocuments(origin string, l Limits, types *catalogue) documents {
	base := origin + Path
	d := documents{resourceType: map[string][]byte{}, schema: map[string][]byte{}}
	d.config, d.oauth = encode(configDocument(origin, l)), encode(oauthDocument(origin))
	var list, schemas []any
	for _, t := range types.all {
		list = append(list, typeDocument(base, t))
		d.resourceType[strings.ToLower(t.name)] = encode(list[len(list)-1])
		for _, s := range t.schemas() {
			if d.schema[strings.ToLower(s.ID)] != nil {
				continue // of another type too
			}
			doc := s.ToMap()
			doc["meta"] = object{"resourceType": "Schema", "location": base + "/Schemas/" + s.ID}
			schemas = append(schemas, doc)
			d.schema[strings.ToLower(s.ID)] = encode(doc)
		}
	}
	d.resourceTypes, d.schemas = encode(listDocument(list)), encode(listDocument(schemas))
	return d
}

// encode renders a document that is made of strings, numbers and booleans only.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}

func listDocument(items []any) object {
	return object{"schemas": []string{listURN}, "totalResults": len(items), "itemsPerPage": len(items), "startIndex": 1, "Resources": items}
}

// schemas returns the schemas of a type, its own first.
func (t *resourceType) schemas() []schema.Schema {
	list := []schema.Schema{t.schema}
	for _, x := range t.extensions {
		list = append(list, x.schema)
	}
	return list
}

func typeDocument(base string, t *resourceType) object {
	extensions := []any{}
	for _, x := range t.extensions {
		extensions = append(extensions, object{"schema": x.urn, "required": x.required})
	}
	return object{
		"schemas": []string{resourceTypeURN}, "id": t.name, "name": t.name, "endpoint": "/" + t.plural, "description": t.description,
		"schema": t.schema.ID, "schemaExtensions": extensions,
		"meta": object{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + t.name},
	}
}

// configDocument says what this server can do (RFC 7643 section 5, RFC 9865 section 4).
func configDocument(origin string, l Limits) object {
	return object{
		"schemas":        []string{configURN},
		"patch":          object{"supported": true},
		"bulk":           object{"supported": true, "maxOperations": l.Bulk, "maxPayloadSize": l.Body},
		"filter":         object{"supported": true, "maxResults": l.Page},
		"changePassword": object{"supported": false},
		"sort":           object{"supported": true},
		"etag":           object{"supported": true},
		"pagination": object{
			"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": l.PageDefault, "maxPageSize": l.Page,
			"cursorTimeout": int(cursorLife.Seconds()),
		},
		"authenticationSchemes": []any{object{
			"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "The token of a directory in the header Authorization: Bearer",
			"specUri":     "https://www.rfc-editor.org/info/rfc6750",
		}, object{
			"type": "oauth2", "name": "OAuth 2.0 client credentials", "primary": false,
			"description": "A short-lived access token with the scope scim, from " + TokenPath + " for a client's secret or signed JWT",
			"specUri":     "https://www.rfc-editor.org/info/rfc6749",
		}},
		"meta": object{"resourceType": "ServiceProviderConfig", "location": origin + Path + "/ServiceProviderConfig"},
	}
}

// document answers with a document; nothing there can be filtered (RFC 7644 section 4).
func (c *call) document(body []byte) (answer, error) {
	q, err := c.query()
	if err != nil {
		return answer{}, err
	}
	if q.Has("filter") {
		return answer{}, identity.Errorf(identity.Forbidden, "This endpoint cannot be filtered; read all of it.")
	}
	if body == nil {
		return answer{}, identity.Errorf(identity.NotFound, "There is no %q here.", clip(c.doc))
	}
	return answer{status: http.StatusOK, body: body}, nil
}

func (c *call) serviceProviderConfig() (answer, error) { return c.document(c.docs.config) }

func (c *call) resourceTypes() (answer, error) { return c.document(c.docs.resourceTypes) }

func (c *call) schemas() (answer, error) { return c.document(c.docs.schemas) }

func (c *call) resourceTypeDocument() (answer, error) {
	return c.document(c.docs.resourceType[strings.ToLower(c.doc)])
}

func (c *call) schemaDocument() (answer, error) {
	return c.document(c.docs.schema[strings.ToLower(c.doc)])
}
