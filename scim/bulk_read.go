package scim

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// readBulk reads the body of a bulk request. What is wrong with a single operation is kept as its fault, so that the others are done.
func readBulk(body object) (*bulk, error) {
	v, _ := member(body, "schemas")
	if list, ok := v.([]any); !ok || !holds(list, bulkRequestURN) {
		return nil, bad(invalidValue, "schemas must hold %q.", bulkRequestURN)
	}
	b := &bulk{byID: map[string]*bulkOperation{}}
	if err := readInt(body, "failOnErrors", &b.most); err != nil {
		return nil, err
	}
	if b.most < 0 {
		return nil, bad(invalidValue, "failOnErrors must not be negative.")
	}
	v, _ = member(body, "Operations")
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, bad(invalidSyntax, "Operations must be a list with at least one operation.")
	}
	return b, b.read(list)
}

// read reads the operations and finds out which refers to which.
func (b *bulk) read(list []any) error {
	for i, v := range list {
		raw, ok := v.(object)
		if !ok {
			return bad(invalidSyntax, "Each of Operations must be an object.")
		}
		o := &bulkOperation{index: i}
		o.fault = o.read(raw)
		b.operations = append(b.operations, o)
		if o.method != http.MethodPost || o.bulkID == "" {
			continue
		}
		if b.byID[o.bulkID] != nil {
			return bad(invalidValue, "The bulkId %q is used twice; nothing was done.", clip(o.bulkID))
		}
		b.byID[o.bulkID] = o
	}
	for _, o := range b.operations {
		if o.fault == nil {
			o.fault = b.link(o)
		}
	}
	return nil
}

// read reads one operation: all of its texts first, so that the answer can repeat them.
func (o *bulkOperation) read(raw object) error {
	err := errors.Join(readText(raw, "method", &o.method), readText(raw, "bulkId", &o.bulkID), readText(raw, "path", &o.path),
		readText(raw, "version", &o.version))
	if err != nil {
		return err
	}
	o.method = strings.ToUpper(o.method)
	if !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, o.method) {
		return bad(invalidValue, "method must be POST, PUT, PATCH or DELETE.")
	}
	if o.method == http.MethodPost && o.bulkID == "" {
		return bad(invalidValue, "A POST needs a bulkId, which tells the client what became of it.")
	}
	if o.path == "" {
		return bad(invalidValue, "path is missing; it must be that of a resource type to create, such as /Users, or that of a resource, such as /Users/{id}.")
	}
	if o.method == http.MethodDelete {
		return nil
	}
	v, _ := member(raw, "data")
	if list, ok := v.([]any); ok && o.method == http.MethodPatch { // as in the example of RFC 7644 section 3.7.3
		v = object{"schemas": []any{patchURN}, "Operations": list}
	}
	var ok bool
	if o.data, ok = v.(object); !ok {
		return bad(invalidSyntax, "data is missing; it must be the object that would be the body of a single %s.", o.method)
	}
	return nil
}

// target returns the parts of an operation's path, which must be those of a collection to create in or of one resource, and notes
// the location of that resource.
func (b *bulk) target(o *bulkOperation) ([]string, error) {
	parts := pathParts(o.path)
	name := b.c.endpoint(parts[0])
	create := o.method == http.MethodPost
	if b.c.types.named(name) == nil || create != (len(parts) == 1) || len(parts) > 2 || !create && parts[1] == ".search" {
		return nil, bad(invalidValue, "path must be that of a resource type, such as /Users, for POST and that of one resource, such as /Users/{id}, for the rest, not %q.", clip(o.path))
	}
	if !create {
		if need := b.byID[bulkIDOf(parts[1])]; need != nil {
			parts[1] = need.id
		}
		o.location = b.c.base + "/" + name + "/" + url.PathEscape(parts[1])
	}
	return parts, nil
}

// pathParts splits the path of an operation; what is no valid path has parts that name nothing.
func pathParts(path string) []string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, p := range parts {
		if decoded, err := url.PathUnescape(p); err == nil {
			parts[i] = decoded
		}
	}
	return parts
}
