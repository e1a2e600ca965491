package api

import (
	"net/http"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// users lists the people whom the key may see, a page at a time: next is the id to continue after.
func (c *call) users() error {
	q, err := c.page()
	if err != nil {
		return err
	}
	page, err := c.prov.Users(c.r.Context(), c.Actor, q)
	if err != nil {
		return err
	}
	out := struct {
		Users []personDocument `json:"users"`
		Next  string           `json:"next,omitempty"`
	}{Users: []personDocument{}}
	for _, u := range page.Items {
		out.Users = append(out.Users, person(u))
	}
	if page.More && len(page.Items) > 0 {
		out.Next = string(page.Items[len(page.Items)-1].ID)
	}
	return c.answer(http.StatusOK, out)
}

func (c *call) id() identity.UserID { return identity.UserID(c.r.PathValue("id")) }

func (c *call) user() error {
	u, err := c.prov.User(c.r.Context(), c.Actor, c.id())
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, person(u))
}

// newUser is the body of a creation. A password is not taken here: programs that made people would know it.
type newUser struct {
	UserName    string            `json:"userName"`
	DisplayName string            `json:"displayName"`
	Email       string            `json:"email"`
	TenantID    identity.TenantID `json:"tenantId"`
	Role        identity.RoleID   `json:"role"`
	Reason      string            `json:"reason"`
}

func (c *call) createUser() error {
	var n newUser
	if err := c.read(&n); err != nil {
		return err
	}
	if n.TenantID == "" {
		n.TenantID = c.Actor.TenantID
	}
	u := identity.User{UserName: n.UserName, DisplayName: n.DisplayName, TenantID: n.TenantID}
	if u.UserName == "" {
		u.UserName = n.Email
	}
	if n.Email != "" {
		u.Emails = []identity.Email{{Value: n.Email, Type: "work", Primary: true}}
	}
	made, err := c.prov.CreateUser(c.r.Context(), c.Actor, provisioning.NewUser{User: u, Role: n.Role, Reason: n.Reason})
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/api/v1/users/"+string(made.ID))
	return c.show(http.StatusCreated, made.ID)
}

// show answers with a person as the door shows one, roles included.
func (c *call) show(status int, id identity.UserID) error {
	u, err := c.prov.User(c.r.Context(), c.Actor, id)
	if err != nil {
		return err
	}
	return c.answer(status, person(u))
}

// userChange is the body of a change; what is absent stays.
type userChange struct {
	UserName    *string `json:"userName"`
	DisplayName *string `json:"displayName"`
	Email       *string `json:"email"`
	Version     int64   `json:"version"` // 0: whatever it is
}

func (c *call) updateUser() error {
	var n userChange
	if err := c.read(&n); err != nil {
		return err
	}
	_, err := c.prov.UpdateUser(c.r.Context(), c.Actor, c.id(), n.Version, func(u *identity.User) error {
		if n.UserName != nil {
			u.UserName = *n.UserName
		}
		if n.DisplayName != nil {
			u.DisplayName = *n.DisplayName
		}
		if n.Email != nil {
			u.Emails = withPrimary(u.Emails, *n.Email)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.show(http.StatusOK, c.id())
}

func (c *call) deleteUser() error {
	if err := c.prov.DeleteUser(c.r.Context(), c.Actor, c.id(), 0); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// switchUser lets somebody in or keeps somebody out; the body may be empty.
func (c *call) switchUser() error {
	var n struct {
		Reason string `json:"reason"`
	}
	if c.r.ContentLength != 0 {
		if err := c.read(&n); err != nil {
			return err
		}
	}
	var err error
	switch c.r.PathValue("act") {
	case "deactivate":
		_, err = c.prov.DeactivateUser(c.r.Context(), c.Actor, c.id(), n.Reason)
	case "activate":
		_, err = c.prov.ActivateUser(c.r.Context(), c.Actor, c.id(), n.Reason)
	default:
		err = identity.Errorf(identity.NotFound, "A user can be told to activate or to deactivate.")
	}
	if err != nil {
		return err
	}
	return c.show(http.StatusOK, c.id())
}

// withPrimary changes the primary address and leaves the others.
func withPrimary(emails []identity.Email, value string) []identity.Email {
	out := slices.Clone(emails)
	old := identity.PrimaryEmail(out)
	i := slices.IndexFunc(out, func(e identity.Email) bool { return e.Value == old })
	if i < 0 {
		return append(out, identity.Email{Value: value, Type: "work", Primary: true})
	}
	out[i].Value = value
	return out
}
