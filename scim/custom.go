package scim

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// This file serves the resource types that an installation declared: c.kind says which one a request is about.

// ownResource returns a stored resource as a canonical one that may be changed; meta is not in it.
func ownResource(r identity.Resource) (object, error) {
	res, err := decodeAttributes(r.Attributes)
	if err != nil {
		return nil, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	res["id"] = string(r.ID)
	if r.ExternalID != "" {
		res["externalId"] = r.ExternalID
	}
	return res, nil
}

// setOwn writes a canonical resource to the record and returns the values that only it may have.
func setOwn(t *resourceType, r *identity.Resource, res object) ([]identity.ResourceKey, error) {
	rest := maps.Clone(res)
	r.ExternalID = textOf(rest["externalId"])
	delete(rest, "id")
	delete(rest, "externalId")
	raw, err := json.Marshal(rest)
	if err != nil {
		return nil, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	r.Attributes = raw
	return t.keys(res), nil
}

// createOwn answers POST of a declared type.
func (c *call) createOwn() (answer, error) {
	t := c.kind
	p, err := c.projection(t)
	if err != nil {
		return answer{}, err
	}
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	res, err := t.resource(body, c.dialect)
	if err != nil {
		return answer{}, err
	}
	r := identity.Resource{Type: t.name}
	keys, err := setOwn(t, &r, res)
	if err != nil {
		return answer{}, err
	}
	if r, err = c.people.CreateResource(c.ctx, c.asker(http.StatusCreated), r, keys); err != nil {
		return answer{}, err
	}
	return c.ownAnswer(http.StatusCreated, r, p)
}

// showOwn answers GET of one resource.
func (c *call) showOwn() (answer, error) {
	p, err := c.projection(c.kind)
	if err != nil {
		return answer{}, err
	}
	r, err := c.people.Resource(c.ctx, c.by, c.kind.name, identity.ResourceID(c.id))
	if err != nil {
		return answer{}, err
	}
	if c.unchanged(r.Version) {
		return answer{status: http.StatusNotModified, etag: etag(r.Version)}, nil
	}
	return c.ownAnswer(http.StatusOK, r, p)
}

// replaceOwn answers PUT. An externalId that the body does not name is kept, as it is for users.
func (c *call) replaceOwn() (answer, error) {
	return c.updateOwn(func(body object) (func(object) (object, error), error) {
		res, err := c.kind.resource(body, c.dialect)
		_, named := member(body, "externalId")
		return func(old object) (object, error) {
			out, err := c.kind.replaced(old, res)
			if id, ok := old["externalId"]; ok && err == nil && !named {
				out["externalId"] = id
			}
			return out, err
		}, err
	})
}

// patchOwn answers PATCH.
func (c *call) patchOwn() (answer, error) {
	return c.updateOwn(func(body object) (func(object) (object, error), error) {
		ops, err := readPatch(body)
		return func(old object) (object, error) {
			p := &patcher{t: c.kind, d: c.dialect, res: old}
			err := p.apply(ops)
			return p.res, err
		}, err
	})
}

// updateOwn reads the body and the conditions, makes the change and answers with the resource.
func (c *call) updateOwn(read func(object) (func(object) (object, error), error)) (answer, error) {
	p, err := c.projection(c.kind)
	if err != nil {
		return answer{}, err
	}
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	change, err := read(body)
	if err != nil {
		return answer{}, err
	}
	version, err := c.matchVersion(c.ownVersion)
	if err != nil {
		return answer{}, err
	}
	r, err := c.people.UpdateResource(c.ctx, c.asker(http.StatusOK), c.kind.name, identity.ResourceID(c.id), version, func(r *identity.Resource) ([]identity.ResourceKey, error) {
		old, err := ownResource(*r)
		if err != nil {
			return nil, err
		}
		res, err := change(old)
		if err != nil {
			return nil, err
		}
		return setOwn(c.kind, r, res)
	})
	if err != nil {
		return answer{}, err
	}
	return c.ownAnswer(http.StatusOK, r, p)
}

func (c *call) ownVersion() (int64, error) {
	r, err := c.people.Resource(c.ctx, c.by, c.kind.name, identity.ResourceID(c.id))
	return r.Version, err
}

// deleteOwn answers DELETE.
func (c *call) deleteOwn() (answer, error) {
	version, err := c.matchVersion(c.ownVersion)
	if err != nil {
		return answer{}, err
	}
	if err := c.people.DeleteResource(c.ctx, c.asker(http.StatusNoContent), c.kind.name, identity.ResourceID(c.id), version); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) ownAnswer(status int, r identity.Resource, p projection) (answer, error) {
	body, err := c.appendOwn(make([]byte, 0, 512), c.kind, r, p)
	return answer{status: status, location: c.location(c.kind, string(r.ID)), etag: etag(r.Version), body: body}, err
}

func (d *Door) appendOwn(b []byte, t *resourceType, r identity.Resource, p projection) ([]byte, error) {
	res, err := ownResource(r)
	if err != nil {
		return nil, err
	}
	m := meta{created: r.CreatedAt, modified: r.UpdatedAt, version: r.Version, location: d.location(t, string(r.ID))}
	return appendResource(b, t, res, m, p), nil
}

// resourceItems returns what renders a page of a declared type.
func (c *call) resourceItems(t *resourceType) func(identity.Query, projection) (page, error) {
	return func(q identity.Query, p projection) (page, error) {
		found, err := c.people.Resources(c.ctx, c.by, t.name, q)
		if err != nil {
			return page{}, err
		}
		out := page{total: found.Total, more: found.More, items: len(found.Items), last: place{Key: found.LastKey}}
		for i, r := range found.Items {
			if i > 0 {
				out.body = append(out.body, ',')
			}
			if out.body, err = c.appendOwn(out.body, t, r, p); err != nil {
				return page{}, err
			}
			out.last.ID = string(r.ID)
		}
		return out, nil
	}
}

func (c *call) listOwn() (answer, error) { return c.list(c.kind) }

func (c *call) searchOwn() (answer, error) { return c.search(c.kind) }

// namesHidden reports whether a text names an attribute that nobody sees.
func (c *call) namesHidden(s string) bool { return c.Door != nil && c.types.speaks(s) }

// veiled returns a body without the values of attributes that nobody sees, wherever they stand: under their name, or as the value of an
// operation whose path names them.
func (c *call) veiled(v any) any {
	if c.Door == nil || len(c.types.hidden) == 0 {
		return v
	}
	switch t := v.(type) {
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = c.veiled(e)
		}
		return out
	case object:
		out := make(object, len(t))
		path, _ := member(t, "path")
		for name, e := range t {
			if c.types.speaks(name) || strings.EqualFold(name, "value") && c.types.speaks(textOf(path)) {
				e = masked
			}
			out[name] = c.veiled(e)
		}
		return out
	}
	return v
}
