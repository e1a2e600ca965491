package main

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// pageSize is how many records a command reads at once when it needs all of them.
const pageSize = 200

// everything reads all pages of a list, in the order of ids.
func everything[T any](list func(q identity.Query) (identity.Page[T], error), id func(T) string) ([]T, error) {
	var all []T
	q := identity.Query{Limit: pageSize}
	for {
		page, err := list(q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if !page.More || len(page.Items) == 0 {
			return all, nil
		}
		q.After = id(page.Items[len(page.Items)-1])
	}
}

// findUser returns the user that word names: an id, or an e-mail address or user name that only one user has.
func (b *bridge) findUser(ctx context.Context, word string) (identity.User, error) {
	return b.findUserIn(ctx, "", word)
}

// findUserIn is findUser among the people of a tenant; an empty tenant is everybody.
func (b *bridge) findUserIn(ctx context.Context, tenant identity.TenantID, word string) (identity.User, error) {
	if id, ok := identity.ParseID[identity.UserID](word); ok {
		return b.people.User(ctx, identity.Operator(), id)
	}
	page, err := b.people.Users(ctx, identity.Operator(), identity.Query{Tenant: tenant, Filter: named(word), Limit: 2})
	if err != nil {
		return identity.User{}, err
	}
	switch len(page.Items) {
	case 0:
		return identity.User{}, identity.Errorf(identity.NotFound,
			"Nobody has the e-mail address or user name %q. See 'drawbridge user list --search WORD'.", word)
	case 1:
		return page.Items[0], nil
	}
	return identity.User{}, identity.Errorf(identity.Conflict,
		"Several users have the e-mail address or user name %q. Give the id of the one you mean: see 'drawbridge user list --search %s'.", word, word)
}

// named matches users with that user name or address.
func named(word string) *identity.Filter {
	address := word
	if key, err := identity.EmailKey(word); err == nil {
		address = key
	}
	return &identity.Filter{Op: identity.OpOr, Children: []*identity.Filter{
		{Op: identity.OpEq, Attr: identity.Attribute{Name: "userName", Type: identity.TypeString}, Value: word},
		{
			Op:   identity.OpExists,
			Attr: identity.Attribute{Name: "emails", Type: identity.TypeComplex, MultiValued: true},
			Children: []*identity.Filter{
				{Op: identity.OpEq, Attr: identity.Attribute{Sub: "value", Type: identity.TypeString}, Value: address},
			},
		},
	}}
}

// findTenant returns the tenant that word names: an id or a name. An empty word is no tenant.
func (b *bridge) findTenant(ctx context.Context, word string) (identity.Tenant, error) {
	if word == "" {
		return identity.Tenant{}, nil
	}
	if id, ok := identity.ParseID[identity.TenantID](word); ok {
		return b.people.Tenant(ctx, identity.Operator(), id)
	}
	t, err := b.people.TenantByName(ctx, identity.Operator(), word)
	if identity.KindOf(err) == identity.NotFound {
		return t, identity.Errorf(identity.NotFound,
			"There is no tenant %q. Make it with 'drawbridge tenant create', or see 'drawbridge tenant list'.", word).WithField("tenant")
	}
	return t, err
}

// findRole returns the role that word names: its id or its title, in any case. The error lists those that exist.
func (b *bridge) findRole(word string) (identity.Role, error) {
	var ids []string
	for _, r := range b.model.Roles() {
		if strings.EqualFold(string(r.ID), word) || strings.EqualFold(r.Title, word) {
			return r, nil
		}
		ids = append(ids, string(r.ID))
	}
	return identity.Role{}, identity.Errorf(identity.Invalid,
		"There is no role %q in the access model %q. Use one of: %s.", word, b.model.Name(), strings.Join(ids, ", ")).WithField("role")
}

// findDirectory returns the directory that word names: an id, or a name that only one directory has. An empty word is none.
func (b *bridge) findDirectory(ctx context.Context, word string) (identity.Directory, error) {
	if word == "" {
		return identity.Directory{}, nil
	}
	if id, ok := identity.ParseID[identity.DirectoryID](word); ok {
		return b.people.Directory(ctx, identity.Operator(), id)
	}
	all, err := b.allDirectories(ctx)
	if err != nil {
		return identity.Directory{}, err
	}
	var found []identity.Directory
	for _, d := range all {
		if identity.NameKey(d.Name) == identity.NameKey(word) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return identity.Directory{}, identity.Errorf(identity.NotFound, "There is no directory %q. See 'drawbridge directory list'.", word)
	case 1:
		return found[0], nil
	}
	return identity.Directory{}, identity.Errorf(identity.Conflict,
		"Several directories are called %q. Give the id of the one you mean: see 'drawbridge directory list'.", word)
}

// findConnection returns the connection that word names: its id or its name.
func (b *bridge) findConnection(ctx context.Context, word string) (identity.Connection, error) {
	if id, ok := identity.ParseID[identity.ConnectionID](word); ok {
		return b.people.Connection(ctx, identity.Operator(), id)
	}
	all, err := b.allConnections(ctx, word)
	if err != nil {
		return identity.Connection{}, err
	}
	for _, c := range all {
		if identity.NameKey(c.Name) == identity.NameKey(word) {
			return c, nil
		}
	}
	return identity.Connection{}, identity.Errorf(identity.NotFound, "There is no connection %q. See 'drawbridge connection list'.", word)
}

// withConnection is with, for work on the connection that word names.
func (p *program) withConnection(ctx context.Context, word string, work func(b *bridge, c identity.Connection) error) error {
	return p.with(ctx, func(b *bridge) error {
		c, err := b.findConnection(ctx, word)
		if err != nil {
			return err
		}
		return work(b, c)
	})
}

// optionalConnection returns the id of the connection that an optional flag names; an empty word is none.
func (b *bridge) optionalConnection(ctx context.Context, word string) (identity.ConnectionID, error) {
	if word == "" {
		return "", nil
	}
	c, err := b.findConnection(ctx, word)
	return c.ID, err
}

// allConnections returns every connection with search in its name.
func (b *bridge) allConnections(ctx context.Context, search string) ([]identity.Connection, error) {
	return everything(func(q identity.Query) (identity.Page[identity.Connection], error) {
		q.Search = search
		return b.people.Connections(ctx, identity.Operator(), q)
	}, func(c identity.Connection) string { return string(c.ID) })
}

func (b *bridge) allDirectories(ctx context.Context) ([]identity.Directory, error) {
	return everything(func(q identity.Query) (identity.Page[identity.Directory], error) {
		return b.people.Directories(ctx, identity.Operator(), q)
	}, func(d identity.Directory) string { return string(d.ID) })
}

// tenantNames returns the names of all tenants, for lists of what belongs to them.
func (b *bridge) tenantNames(ctx context.Context) (map[identity.TenantID]string, error) {
	all, err := b.allTenants(ctx)
	names := map[identity.TenantID]string{"": ""}
	for _, t := range all {
		names[t.ID] = t.Name
	}
	return names, err
}

func (b *bridge) allTenants(ctx context.Context) ([]identity.Tenant, error) {
	return everything(func(q identity.Query) (identity.Page[identity.Tenant], error) {
		return b.people.Tenants(ctx, identity.Operator(), q)
	}, func(t identity.Tenant) string { return string(t.ID) })
}
