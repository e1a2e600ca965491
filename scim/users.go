package scim

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// createUser answers POST /Users (RFC 7644 section 3.3).
func (c *call) createUser() (answer, error) {
	p, err := c.projection(c.types.users())
	if err != nil {
		return answer{}, err
	}
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	u, err := newUser(body, c.dialect)
	if err != nil {
		return answer{}, err
	}
	if u, err = c.people.CreateUser(c.ctx, c.asker(http.StatusCreated), provisioning.NewUser{User: u}); err != nil {
		return answer{}, err
	}
	return c.userAnswer(http.StatusCreated, u, p)
}

// showUser answers GET /Users/{id} (RFC 7644 section 3.4.1).
func (c *call) showUser() (answer, error) {
	p, err := c.projection(c.types.users())
	if err != nil {
		return answer{}, err
	}
	u, err := c.people.User(c.ctx, c.by, identity.UserID(c.id))
	if err != nil {
		return answer{}, err
	}
	if c.unchanged(u.Version) {
		return answer{status: http.StatusNotModified, etag: etag(u.Version)}, nil
	}
	return c.userAnswer(http.StatusOK, u, p)
}

// replaceUser answers PUT /Users/{id} (RFC 7644 section 3.5.1).
func (c *call) replaceUser() (answer, error) {
	return c.updateUser(func(body object) (func(*identity.User) error, error) { return replaceUser(body, c.dialect) })
}

// patchUser answers PATCH /Users/{id} (RFC 7644 section 3.5.2).
func (c *call) patchUser() (answer, error) {
	return c.updateUser(func(body object) (func(*identity.User) error, error) {
		ops, err := c.readPatch(body)
		return patchUser(ops, c.dialect), err
	})
}

// updateUser reads the body and the conditions, makes the change and answers with the user.
func (c *call) updateUser(read func(object) (func(*identity.User) error, error)) (answer, error) {
	p, err := c.projection(c.types.users())
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
	version, err := c.matchVersion(c.userVersion)
	if err != nil {
		return answer{}, err
	}
	u, err := c.people.UpdateUser(c.ctx, c.asker(http.StatusOK), identity.UserID(c.id), version, change)
	if err != nil {
		return c.queued(err)
	}
	return c.userAnswer(http.StatusOK, u, p)
}

// queued answers 202 for somebody who waits to be kept out until many departures at once are approved: nothing was done yet, and it is done without being asked for
// again. Any other error stays one.
func (c *call) queued(err error) (answer, error) {
	if identity.CodeOf(err) != provisioning.DepartureQueued {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, location: c.location(userType, c.id), note: message(err)}, nil
}

func (c *call) userVersion() (int64, error) {
	u, err := c.people.User(c.ctx, c.by, identity.UserID(c.id))
	return u.Version, err
}

// deleteUser answers DELETE /Users/{id} (RFC 7644 section 3.6).
func (c *call) deleteUser() (answer, error) {
	version, err := c.matchVersion(c.userVersion)
	if err != nil {
		return answer{}, err
	}
	if err := c.people.DeleteUser(c.ctx, c.asker(http.StatusNoContent), identity.UserID(c.id), version); err != nil {
		return c.queued(err)
	}
	return answer{status: http.StatusNoContent}, nil
}

// userAnswer renders one user.
func (c *call) userAnswer(status int, u identity.User, p projection) (answer, error) {
	body, err := c.appendUser(make([]byte, 0, 1024), u, p)
	return answer{status: status, location: c.location(userType, string(u.ID)), etag: etag(u.Version), body: body}, err
}

// userItems renders a page of users, each as it is appended to the list.
func (c *call) userItems(q identity.Query, p projection) (page, error) {
	found, err := c.people.Users(c.ctx, c.by, q)
	if err != nil {
		return page{}, err
	}
	out := page{total: found.Total, more: found.More, items: len(found.Items), last: place{Key: found.LastKey}}
	out.body = make([]byte, 0, 768*len(found.Items))
	for i, u := range found.Items {
		if i > 0 {
			out.body = append(out.body, ',')
		}
		if out.body, err = c.appendUser(out.body, u, p); err != nil {
			return page{}, err
		}
		out.last.ID = string(u.ID)
	}
	return out, nil
}

// listUsers answers GET /Users (RFC 7644 section 3.4.2).
func (c *call) listUsers() (answer, error) { return c.list(c.types.users()) }

// searchUsers answers POST /Users/.search (RFC 7644 section 3.4.3).
func (c *call) searchUsers() (answer, error) { return c.search(c.types.users()) }
