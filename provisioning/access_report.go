package provisioning

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// AccessQuery says whose access is wanted, and access to what; empty fields do not narrow.
type AccessQuery struct {
	Tenant    identity.TenantID
	Role      identity.RoleID // only those who hold it, and only what it gives
	Resource  string          // only those who may do something with it, and only that
	Sensitive bool            // only what the access model calls sensitive
	Search    string          // only people whose names or addresses have these words
	After     string          // the id of the last person of the page before
	Limit     int
	Total     bool
	Columns   []string // of a file, in this order; none: all
}

// AccessHolder is somebody with every path by which they may do something.
type AccessHolder struct {
	User      identity.User // with the tenant's name and the roles
	Admin     bool          // carries the admin flag
	DataLevel string        // how far the person sees at most; empty: as the access model says
	Links     []identity.Record
	Paths     []AccessPath
}

// AccessPath is one reason why somebody may do something: a role with where it came from, or the admin flag, which has no role.
type AccessPath struct {
	Role      identity.Role
	Source    identity.SourceKind
	From      string // the directory or the connection, in words; empty for what a person gave
	Reason    string
	GrantedBy string
	Since     time.Time
	Grants    []AccessGrant
}

// AccessGrant is what somebody may do with one resource by one path.
type AccessGrant struct {
	Resource  access.Resource
	Actions   []string
	DataLevel string // how far it goes; empty where the resource has no levels
}

// AccessReport returns a page of who holds what and by which path, in the order of the people's ids. It needs the right to see users.
func (s *Service) AccessReport(ctx context.Context, by identity.Actor, q AccessQuery) (identity.Page[AccessHolder], error) {
	var page identity.Page[AccessHolder]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	if by.Kind == identity.ActorDirectory {
		return page, identity.Errorf(identity.Forbidden, "A directory does not see who may do what.")
	}
	if err := s.checkAccessQuery(&q); err != nil {
		return page, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = s.accessPage(ctx, tx, scope, q)
		return err
	})
	return page, err
}

func (s *Service) checkAccessQuery(q *AccessQuery) error {
	q.After = cursor(q.After)
	if !validIDs(&q.Tenant) {
		return noTenant()
	}
	if _, ok := s.model.Role(q.Role); q.Role != "" && !ok {
		return identity.Errorf(identity.Invalid, "There is no role %q in the access model %s.", q.Role, s.model.Name()).WithField("role")
	}
	known := func(r access.Resource) bool { return r.ID == q.Resource }
	if q.Resource != "" && !slices.ContainsFunc(s.model.Catalogue(), known) {
		return identity.Errorf(identity.Invalid, "The access model %s has no %q.", s.model.Name(), q.Resource).WithField("resource")
	}
	return nil
}

func (s *Service) accessPage(ctx context.Context, tx *store.Tx, scope store.Scope, q AccessQuery) (identity.Page[AccessHolder], error) {
	people, err := tx.HolderPage(ctx, scope, s.holdersFor(q))
	page := identity.Page[AccessHolder]{Total: people.Total, More: people.More}
	if err != nil || len(people.Items) == 0 {
		return page, err
	}
	page.Items, err = s.accessOf(ctx, tx, people.Items, q)
	return page, err
}

// holdersFor says who may be in a report at all.
func (s *Service) holdersFor(q AccessQuery) store.HolderQuery {
	h := store.HolderQuery{Tenant: q.Tenant, Search: q.Search, After: q.After, Limit: q.Limit, Total: q.Total}
	_, flag := s.model.AdminFlag()
	switch {
	case q.Role != "":
		h.Roles = []identity.RoleID{q.Role}
	case q.Resource == "" && !q.Sensitive:
		h.Anybody = true
	default:
		for _, r := range s.model.Roles() {
			if len(s.grantsOf(access.Subject{Roles: []identity.RoleID{r.ID}, Links: s.everyLink()}, q)) > 0 {
				h.Roles = append(h.Roles, r.ID)
			}
		}
		h.Flagged = flag && len(s.grantsOf(access.Subject{Admin: true, Links: s.everyLink()}, q)) > 0
	}
	return h
}

func (s *Service) everyLink() []string {
	var out []string
	for _, l := range s.model.LinkTypes() {
		out = append(out, l.Type)
	}
	return out
}

// grantsOf returns what somebody may do, as far as a query asks for it.
func (s *Service) grantsOf(who access.Subject, q AccessQuery) []AccessGrant {
	var out []AccessGrant
	for _, p := range s.model.Permissions(who) {
		if !p.Allowed || p.Resource.Self || q.Resource != "" && p.Resource.ID != q.Resource || q.Sensitive && !p.Resource.Sensitive {
			continue
		}
		if n := len(out) - 1; n >= 0 && out[n].Resource.ID == p.Resource.ID && out[n].DataLevel == p.Level {
			out[n].Actions = append(out[n].Actions, p.Action)
			continue
		}
		out = append(out, AccessGrant{Resource: p.Resource, Actions: []string{p.Action}, DataLevel: p.Level})
	}
	return out
}

// accessOf fills in the paths of some people.
func (s *Service) accessOf(ctx context.Context, tx *store.Tx, users []identity.User, q AccessQuery) ([]AccessHolder, error) {
	if err := s.describe(ctx, tx, users); err != nil {
		return nil, err
	}
	ids := make([]identity.UserID, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	held, err := tx.AssignmentsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	positions, err := tx.PositionsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	links, err := tx.RecordsByUser(ctx, ids)
	if err != nil {
		return nil, err
	}
	_, flag := s.model.AdminFlag()
	names := sourceNames{}
	out := make([]AccessHolder, len(users))
	for i, u := range users {
		p := positions[u.ID]
		out[i] = AccessHolder{User: u, Admin: flag && p.Admin, DataLevel: p.DataLevel, Links: links[u.ID]}
		if out[i].Paths, err = s.paths(ctx, tx, out[i], held[u.ID], q, names); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sourceNames remembers what directories and connections are called.
type sourceNames map[string]string

func (n sourceNames) of(ctx context.Context, tx *store.Tx, a identity.Assignment) (string, error) {
	key := string(a.Source) + a.SourceID
	if name, ok := n[key]; ok {
		return name, nil
	}
	name, err := sourceName(ctx, tx, a)
	n[key] = name
	return name, err
}

func (s *Service) paths(ctx context.Context, tx *store.Tx, h AccessHolder, held []identity.Assignment, q AccessQuery, names sourceNames) ([]AccessPath, error) {
	who := access.Subject{Level: h.DataLevel}
	for _, l := range h.Links {
		if l.Active {
			who.Links = append(who.Links, l.Type)
		}
	}
	var out []AccessPath
	for _, a := range held {
		if q.Role != "" && a.RoleID != q.Role {
			continue
		}
		who.Roles = []identity.RoleID{a.RoleID}
		from, err := names.of(ctx, tx, a)
		if err != nil {
			return nil, err
		}
		role, _ := s.model.Role(a.RoleID)
		p := AccessPath{Role: role, Source: a.Source, From: from, Reason: a.Reason, GrantedBy: a.GrantedBy, Since: a.CreatedAt, Grants: s.grantsOf(who, q)}
		if len(p.Grants) > 0 || q.Resource == "" && !q.Sensitive {
			out = append(out, p)
		}
	}
	if h.Admin && q.Role == "" {
		who.Roles, who.Admin = nil, true
		if p := (AccessPath{Source: identity.SourceManual, Grants: s.grantsOf(who, q)}); len(p.Grants) > 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

// UserAccess returns what one person may do and by which paths, or NotFound. It needs the right to see users; everybody may see the own.
func (s *Service) UserAccess(ctx context.Context, by identity.Actor, id identity.UserID) (AccessHolder, error) {
	u, err := s.User(ctx, by, id)
	if err != nil {
		return AccessHolder{}, err
	}
	var list []AccessHolder
	err = s.db.View(ctx, func(tx *store.Tx) error {
		list, err = s.accessOf(ctx, tx, []identity.User{u}, AccessQuery{})
		return err
	})
	if err != nil {
		return AccessHolder{}, err
	}
	return list[0], nil
}

// SensitiveUse is something sensitive of the catalogue, the roles that grant it, and how many people hold it by one of them or by the admin flag.
type SensitiveUse struct {
	Resource access.Resource
	Roles    []identity.Role
	Flag     bool // the admin flag grants it too
	People   int
}

// SensitiveUse returns who may be able to do what is sensitive, resource by resource, as far as the actor sees people. AccessReport has the names.
func (s *Service) SensitiveUse(ctx context.Context, by identity.Actor) ([]SensitiveUse, error) {
	var out []SensitiveUse
	scope, err := s.scopeFor(by, usersRead)
	if err != nil || by.Kind == identity.ActorDirectory {
		return nil, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		for _, r := range s.model.Catalogue() {
			if !r.Sensitive {
				continue
			}
			h := s.holdersFor(AccessQuery{Resource: r.ID, Total: true})
			page, err := tx.HolderPage(ctx, scope, h)
			if err != nil {
				return err
			}
			use := SensitiveUse{Resource: r, People: int(page.Total), Flag: h.Flagged}
			for _, id := range h.Roles {
				role, _ := s.model.Role(id)
				use.Roles = append(use.Roles, role)
			}
			out = append(out, use)
		}
		return nil
	})
	return out, err
}

// titlesOfSensitive returns the titles of what a role (none: the admin flag) grants and the access model calls sensitive.
func (s *Service) titlesOfSensitive(id identity.RoleID) []string {
	who := access.Subject{Roles: []identity.RoleID{id}, Links: s.everyLink()}
	if id == "" {
		who = access.Subject{Admin: true, Links: s.everyLink()}
	}
	var out []string
	for _, g := range s.grantsOf(who, AccessQuery{Sensitive: true}) {
		out = append(out, g.Resource.Title+": "+strings.Join(g.Actions, ", "))
	}
	return out
}
