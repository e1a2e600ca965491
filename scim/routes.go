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

// endpoints are the handlers of a resource type: of the collection, of .search below it, and of one resource.
type endpoints struct {
	collection methods
	search     methods
	single     methods
}

// The endpoints (RFC 7644 section 3.2). Users and groups have their own, other types share one set.
var (
	userEndpoints = endpoints{
		collection: methods{"GET": (*call).listUsers, "POST": (*call).createUser},
		search:     methods{"POST": (*call).searchUsers},
		single:     methods{"GET": (*call).showUser, "PUT": (*call).replaceUser, "PATCH": (*call).patchUser, "DELETE": (*call).deleteUser},
	}
	groupEndpoints = endpoints{
		collection: methods{"GET": (*call).listGroups, "POST": (*call).createGroup},
		search:     methods{"POST": (*call).searchGroups},
		single:     methods{"GET": (*call).showGroup, "PUT": (*call).replaceGroup, "PATCH": (*call).patchGroup, "DELETE": (*call).deleteGroup},
	}
	ownEndpoints = endpoints{
		collection: methods{"GET": (*call).listOwn, "POST": (*call).createOwn},
		search:     methods{"POST": (*call).searchOwn},
		single:     methods{"GET": (*call).showOwn, "PUT": (*call).replaceOwn, "PATCH": (*call).patchOwn, "DELETE": (*call).deleteOwn},
	}
	collections = map[string]methods{
		"ServiceProviderConfig": {"GET": (*call).serviceProviderConfig},
		"ResourceTypes":         {"GET": (*call).resourceTypes},
		"Schemas":               {"GET": (*call).schemas},
		".search":               {"POST": (*call).searchAll},
		"":                      {"GET": (*call).listAll},
	}
	documented = map[string]methods{
		"ResourceTypes": {"GET": (*call).resourceTypeDocument},
		"Schemas":       {"GET": (*call).schemaDocument},
	}
	missing = map[string]string{
		"Me": "The token belongs to a directory, not to a person, so there is no /Me. Ask for /Users with a filter instead.",
	}
)

// endpointsOf returns the handlers of a type.
func (k *catalogue) endpointsOf(t *resourceType) endpoints {
	switch t {
	case k.user:
		return userEndpoints
	case k.group:
		return groupEndpoints
	}
	return ownEndpoints
}

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
	if !strings.HasPrefix(c.r.URL.Path, Path) && !c.part {
		return c.routeScript(parts)
	}
	name := c.endpoint(parts[0])
	if why, ok := missing[name]; ok && len(parts) == 1 {
		return nil, fail(http.StatusNotImplemented, "%s", why)
	}
	if t := c.types.named(name); t != nil {
		return c.routeTo(t, parts[1:])
	}
	if name == "bulkUpload" && !c.part {
		return c.routeUpload(parts[1:])
	}
	var m methods
	switch {
	case name == "Bulk" && len(parts) == 1:
		m = methods{"POST": (*call).bulk} // not in collections, since bulk leads back to them
	case len(parts) == 1:
		m = collections[name]
	case len(parts) == 2 && documented[name] != nil:
		m, c.doc = documented[name], parts[1]
	}
	if m == nil {
		return nil, notFound()
	}
	return c.method(m)
}

// routeTo finds the handler of what follows the endpoint of a resource type.
func (c *call) routeTo(t *resourceType, rest []string) (handler, error) {
	c.kind = t
	e := c.types.endpointsOf(t)
	switch {
	case len(rest) == 0:
		return c.method(e.collection)
	case len(rest) > 1:
		return nil, notFound()
	case rest[0] == ".search":
		return c.method(e.search)
	}
	return c.resource(e.single, rest[0])
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
	if name == http.MethodOptions {
		return func(*call) (answer, error) { return answer{status: http.StatusNoContent, allow: m.allow()}, nil }, nil
	}
	f := fail(http.StatusMethodNotAllowed, "The method %s cannot be used here. Use one of %s.", clip(c.r.Method), m.allow())
	f.header.Set("Allow", m.allow())
	return nil, f
}

// allow lists the methods as the header Allow does (RFC 9110 section 10.2.1).
func (m methods) allow() string {
	names := append(slices.Collect(maps.Keys(m)), http.MethodOptions)
	if _, ok := m[http.MethodGet]; ok {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// endpoint returns the canonical name of the first part of a path.
func (c *call) endpoint(name string) string {
	if !c.dialect.foldPaths {
		return name
	}
	names := append(slices.Collect(maps.Keys(collections)), "Bulk", "bulkUpload", "Me")
	for _, t := range c.types.all {
		names = append(names, t.plural)
	}
	for _, canonical := range names {
		if strings.EqualFold(canonical, name) {
			return canonical
		}
	}
	return name
}
