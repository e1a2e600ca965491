package scim

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// handler answers one request that was authenticated.
type handler func(c *call) (answer, error)

// methods are the handlers of one endpoint by method; HEAD is GET without a body.
type methods map[string]handler

// The endpoints (RFC 7644 section 3.2).
var (
	collections = map[string]methods{
		"Users":                 {"GET": (*call).listUsers, "POST": (*call).createUser},
		"Groups":                {"GET": (*call).listGroups, "POST": (*call).createGroup},
		"ServiceProviderConfig": {"GET": (*call).serviceProviderConfig},
		"ResourceTypes":         {"GET": (*call).resourceTypes},
		"Schemas":               {"GET": (*call).schemas},
		".search":               {"POST": (*call).searchAll},
		"":                      {"GET": (*call).listAll},
	}
	searches = map[string]methods{
		"Users":  {"POST": (*call).searchUsers},
		"Groups": {"POST": (*call).searchGroups},
	}
	single = map[string]methods{
		"Users":  {"GET": (*call).showUser, "PUT": (*call).replaceUser, "PATCH": (*call).patchUser, "DELETE": (*call).deleteUser},
		"Groups": {"GET": (*call).showGroup, "PUT": (*call).replaceGroup, "PATCH": (*call).patchGroup, "DELETE": (*call).deleteGroup},
	}
	documented = map[string]methods{
		"ResourceTypes": {"GET": (*call).resourceTypeDocument},
		"Schemas":       {"GET": (*call).schemaDocument},
	}
	missing = map[string]string{
		"Me": "Tokens belong to directories, not to people, so there is no /Me.",
	}
)

// segments returns the parts of the path below the door, each decoded by itself so that an encoded slash stays inside its part. One
// trailing slash is ignored.
func segments(r *http.Request) ([]string, error) {
	rest := strings.Trim(strings.TrimPrefix(r.URL.EscapedPath(), Path), "/")
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		var err error
		if parts[i], err = url.PathUnescape(p); err != nil {
			return nil, bad(invalidValue, "The path of the URL is not valid.").WithCause(err)
		}
	}
	return parts, nil
}

// public reports whether a request needs no token: ServiceProviderConfig says how to authenticate, so RFC 7643 section 5 wants it
// readable before.
func public(r *http.Request, parts []string) bool {
	return len(parts) == 1 && parts[0] == "ServiceProviderConfig" && r.Header.Get("Authorization") == ""
}

func notFound() error {
	return identity.Errorf(identity.NotFound, "There is no such endpoint. See %s/ResourceTypes for those that exist.", Path)
}

// route finds the handler of a path and a method.
func (c *call) route(parts []string) (handler, error) {
	name := c.endpoint(parts[0])
	if why, ok := missing[name]; ok && len(parts) == 1 {
		return nil, fail(http.StatusNotImplemented, "%s", why)
	}
	var m methods
	switch {
	case name == "Bulk" && len(parts) == 1:
		m = methods{"POST": (*call).bulk} // not in collections, since bulk leads back to them
	case len(parts) == 1:
		m = collections[name]
	case len(parts) > 2:
	case parts[1] == ".search":
		m = searches[name]
	case documented[name] != nil:
		m, c.doc = documented[name], parts[1]
	case single[name] != nil:
		return c.resource(single[name], parts[1])
	}
	if m == nil {
		return nil, notFound()
	}
	return c.method(m)
}

// resource finds the handler of one resource. What is no id names nothing.
func (c *call) resource(m methods, id string) (handler, error) {
	h, err := c.method(m)
	if err != nil {
		return nil, err
	}
	var ok bool
	if c.id, ok = identity.ParseID[string](id); !ok {
		return nil, identity.Errorf(identity.NotFound, "There is no resource with the id %q here.", clip(id))
	}
	return h, nil
}

func (c *call) method(m methods) (handler, error) {
	name := c.r.Method
	if name == http.MethodHead {
		name = http.MethodGet
	}
	if h, ok := m[name]; ok {
		return h, nil
	}
	f := fail(http.StatusMethodNotAllowed, "The method %s cannot be used here.", clip(c.r.Method))
	f.header.Set("Allow", strings.Join(slices.Sorted(maps.Keys(m)), ", "))
	return nil, f
}

// endpoint returns the canonical name of the first part of a path.
func (c *call) endpoint(name string) string {
	if !c.dialect.foldPaths {
		return name
	}
	for _, canonical := range append(slices.Collect(maps.Keys(collections)), "Bulk", "Me") {
		if strings.EqualFold(canonical, name) {
			return canonical
		}
	}
	return name
}
