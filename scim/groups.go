package scim

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// createGroup answers POST /Groups.
func (c *call) createGroup() (answer, error) {
	p, err := c.projection(c.types.groups())
	if err != nil {
		return answer{}, err
	}
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	g, members, err := newGroup(body, c.dialect)
	if err != nil {
		return answer{}, err
	}
	if g, err = c.people.CreateGroup(c.ctx, c.asker(http.StatusCreated), g, members); err != nil {
		return answer{}, err
	}
	return c.groupAnswer(http.StatusCreated, g, p)
}

// showGroup answers GET /Groups/{id}.
func (c *call) showGroup() (answer, error) {
	p, err := c.projection(c.types.groups())
	if err != nil {
		return answer{}, err
	}
	if conditional := len(c.r.Header.Values("If-None-Match")) > 0; conditional || !p.wants(membersAttr) {
		g, err := c.people.Group(c.ctx, c.by, identity.GroupID(c.id))
		switch {
		case err != nil:
			return answer{}, err
		case c.unchanged(g.Version): // for which no member needs to be read
			return answer{status: http.StatusNotModified, etag: etag(g.Version)}, nil
		case !p.wants(membersAttr):
			return c.renderGroup(http.StatusOK, g, nil, p)
		}
	}
	g, members, err := c.people.GroupWithMembers(c.ctx, c.by, identity.GroupID(c.id))
	if err != nil {
		return answer{}, err
	}
	return c.renderGroup(http.StatusOK, g, members, p)
}

// replaceGroup answers PUT /Groups/{id}.
func (c *call) replaceGroup() (answer, error) {
	p, err := c.projection(c.types.groups())
	if err != nil {
		return answer{}, err
	}
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	change, err := replaceGroup(body, c.dialect)
	if err != nil {
		return answer{}, err
	}
	g, err := c.updateGroup(http.StatusOK, change)
	if err != nil {
		return answer{}, err
	}
	return c.groupAnswer(http.StatusOK, g, p)
}

// smallGroup is how many members a group may have to be answered whole after a change of them.
const smallGroup = 100

// patchGroup answers PATCH /Groups/{id}. RFC 7644 section 3.5.2 leaves the choice between 200 with the whole group and 204: a change of
// the members of a large group is answered with 204, since the cost of one member must not grow with the group.
func (c *call) patchGroup() (answer, error) {
	p, err := c.projection(c.types.groups())
	if err != nil {
		return answer{}, err
	}
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	ops, err := c.readPatch(body)
	if err != nil {
		return answer{}, err
	}
	status, err := c.patchStatus(p, ops)
	if err != nil {
		return answer{}, err
	}
	g, err := c.updateGroup(status, patchGroup(ops, c.dialect))
	if err != nil {
		return answer{}, err
	}
	if status == http.StatusNoContent {
		return answer{status: status, etag: etag(g.Version)}, nil
	}
	return c.groupAnswer(status, g, p)
}

// patchStatus decides between 200 and 204 before the change, so that the journal can say it. What the client asks for by attributes it gets.
func (c *call) patchStatus(p projection, ops []operation) (int, error) {
	switch {
	case p.only != nil:
		return http.StatusOK, nil
	case c.dialect.quietGroups:
		return http.StatusNoContent, nil
	case !p.wants(membersAttr) || !touchesMembers(ops, c.dialect):
		return http.StatusOK, nil
	}
	small, err := c.people.FewMembers(c.ctx, c.by, identity.GroupID(c.id), smallGroup)
	if err != nil || small {
		return http.StatusOK, err
	}
	return http.StatusNoContent, nil
}

func (c *call) updateGroup(status int, change groupChange) (identity.Group, error) {
	version, err := c.matchVersion(c.groupVersion)
	if err != nil {
		return identity.Group{}, err
	}
	return c.people.UpdateGroup(c.ctx, c.asker(status), identity.GroupID(c.id), version, change)
}

func (c *call) groupVersion() (int64, error) {
	g, err := c.people.Group(c.ctx, c.by, identity.GroupID(c.id))
	return g.Version, err
}

// deleteGroup answers DELETE /Groups/{id}.
func (c *call) deleteGroup() (answer, error) {
	version, err := c.matchVersion(c.groupVersion)
	if err != nil {
		return answer{}, err
	}
	if err := c.people.DeleteGroup(c.ctx, c.asker(http.StatusNoContent), identity.GroupID(c.id), version); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// groupAnswer renders one group. Its members are loaded only when the answer has them.
func (c *call) groupAnswer(status int, g identity.Group, p projection) (answer, error) {
	var members map[identity.GroupID][]identity.Member
	var err error
	if p.wants(membersAttr) {
		if members, err = c.people.Members(c.ctx, c.by, []identity.GroupID{g.ID}); err != nil {
			return answer{}, err
		}
	}
	return c.renderGroup(status, g, members[g.ID], p)
}

func (c *call) renderGroup(status int, g identity.Group, list []identity.Member, p projection) (answer, error) {
	body, err := c.appendGroup(make([]byte, 0, 512), g, list, p)
	return answer{status: status, location: c.location(groupType, string(g.ID)), etag: etag(g.Version), body: body}, err
}

// groupItems renders a page of groups.
func (c *call) groupItems(q identity.Query, p projection) (page, error) {
	found, err := c.people.Groups(c.ctx, c.by, q)
	if err != nil {
		return page{}, err
	}
	out := page{total: found.Total, more: found.More, items: len(found.Items), last: place{Key: found.LastKey}}
	var members map[identity.GroupID][]identity.Member
	if p.wants(membersAttr) && len(found.Items) > 0 {
		ids := make([]identity.GroupID, len(found.Items))
		for i, g := range found.Items {
			ids[i] = g.ID
		}
		if members, err = c.people.Members(c.ctx, c.by, ids); err != nil {
			return page{}, err
		}
	}
	for i, g := range found.Items {
		if i > 0 {
			out.body = append(out.body, ',')
		}
		if out.body, err = c.appendGroup(out.body, g, members[g.ID], p); err != nil {
			return page{}, err
		}
		out.last.ID = string(g.ID)
	}
	return out, nil
}

// listGroups answers GET /Groups.
func (c *call) listGroups() (answer, error) { return c.list(c.types.groups()) }

// searchGroups answers POST /Groups/.search.
func (c *call) searchGroups() (answer, error) { return c.search(c.types.groups()) }
