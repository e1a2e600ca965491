package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// statusDeleted is the filter for people who were deleted and may come back. It is no status: nobody of the list has it otherwise.
const statusDeleted identity.Status = "Deleted"

// userFilters are what narrows and orders the list of people, as the address has it.
type userFilters struct {
	Search    string
	Status    identity.Status
	Tenant    identity.TenantID
	Role      identity.RoleID
	Unit      identity.UnitID
	Type      identity.UserTypeID
	External  string // "yes", "no"
	Directory identity.DirectoryID
	Sort      string // "name", "email", "seen", "created"; "": newest first
	Down      bool   // the other way round
}

// Any reports whether something narrows the list.
func (f userFilters) Any() bool {
	f.Sort, f.Down = "", false
	return f != userFilters{}
}

// Deleted reports whether the list is of people who were deleted.
func (f userFilters) Deleted() bool { return f.Status == statusDeleted }

// SortText is the order as the address has it.
func (f userFilters) SortText() string {
	if f.Down {
		return "-" + f.Sort
	}
	return f.Sort
}

// readFilters reads the address; what is none narrows nothing.
func (d *Door) readFilters(r *http.Request, v visit) userFilters {
	return d.filtersOf(r.URL.Query().Get, v)
}

// filtersOf reads the filters of a list by their names, from an address or from a form.
func (d *Door) filtersOf(of func(name string) string, v visit) userFilters {
	f := userFilters{Search: strings.TrimSpace(oneLine(of("q"))), Status: status(of("status")), External: of("external")}
	if of("status") == string(statusDeleted) && v.Can(usersWrite) {
		f.Status = statusDeleted
	}
	f.Tenant, _ = identity.ParseID[identity.TenantID](of("tenant"))
	f.Unit, _ = identity.ParseID[identity.UnitID](of("unit"))
	f.Directory, _ = identity.ParseID[identity.DirectoryID](of("directory"))
	if role, ok := v.prov.Model().Role(identity.RoleID(of("role"))); ok {
		f.Role = role.ID
	}
	if t := oneLine(of("type")); len(t) < 64 {
		f.Type = identity.UserTypeID(t)
	}
	if f.External != "yes" && f.External != "no" || !v.prov.Model().ExternalFlag() {
		f.External = ""
	}
	sort, down := strings.CutPrefix(of("sort"), "-")
	if slices.Contains([]string{"name", "email", "seen", "created"}, sort) && (sort != "created" || !down) {
		f.Sort, f.Down = sort, down
	}
	return f
}

// narrow is the part of the query that says who is in the list.
func (f userFilters) narrow() identity.Query {
	q := identity.Query{Search: f.Search, Tenant: f.Tenant, Role: f.Role, Unit: f.Unit, Type: f.Type, Directory: f.Directory, Deleted: f.Deleted()}
	if !q.Deleted {
		q.Status = f.Status
	}
	if f.External != "" {
		external := f.External == "yes"
		q.External = &external
	}
	return q
}

// query is what the list is asked for.
func (f userFilters) query(r *http.Request) identity.Query {
	q := f.narrow()
	at := keyset(r)
	q.Limit, q.After = at.Limit, at.After
	switch f.Sort {
	case "":
		q.Newest = at.Newest
		return q
	case "created":
	default:
		q.Order, q.Descending = identity.UserOrder(f.Sort), f.Down
	}
	if r.FormValue("before") != "" {
		q.After = "" // sorted lists are read onwards only
	}
	if key := plainKey(r); key != nil && q.After != "" {
		q.AfterKey = key
	}
	return q
}

// plainKey is the key at which a sorted page starts; none where the row before had none.
func plainKey(r *http.Request) *string {
	values, ok := r.URL.Query()["key"]
	if !ok || len(values) == 0 || plainText("key", values[0]) != nil {
		return nil
	}
	key := clip(values[0], maxField)
	return &key
}

// onwardSorted is the foot of a sorted list, whose pages start behind a key and an id.
func onwardSorted(r *http.Request, p identity.Page[provisioning.ListedUser], id func(provisioning.ListedUser) string) pager {
	out := onward(r, p, id)
	out.Lines = true
	if out.Older != "" && p.LastKey != nil {
		out.Older += "&" + url.Values{"key": {*p.LastKey}}.Encode()
	}
	return out
}

// sortHead is a head of a column that orders the list.
type sortHead struct {
	URL  string
	Aria string // "ascending", "descending" or "none"
}

// sortHeads lead to the list in the order of a column; once more turns it round. The order of the creation is the list's own.
func sortHeads(r *http.Request, f userFilters) map[string]sortHead {
	out := map[string]sortHead{}
	for _, name := range []string{"name", "email", "seen", "created"} {
		sort, down := f.Sort, f.Down
		if sort == "" {
			sort, down = "created", true
		}
		h := sortHead{Aria: "none"}
		next := name
		if name == "seen" && sort != name {
			next = "-seen" // who was here last is asked for more often
		}
		if name == sort {
			h.Aria = map[bool]string{true: "descending", false: "ascending"}[down]
			if next = "-" + name; down {
				next = name
			}
		}
		if next == "-created" || next == "created" && sort != "created" {
			next = ""
		}
		h.URL = withSort(r, next)
		out[name] = h
	}
	return out
}

// withSort is the list's address with its filters, from its start, in another order.
func withSort(r *http.Request, sort string) string {
	u, err := url.Parse(withQuery(r, "", ""))
	if err != nil {
		return usersPath
	}
	q := u.Query()
	q.Del("sort")
	if sort != "" {
		q.Set("sort", sort)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// userChoices are what the selects of the list offer: what the access model and the visitor have.
type userChoices struct {
	Statuses    []identity.Status
	Tenants     []identity.Tenant
	Roles       []identity.Role
	Units       []unitOption
	Types       []identity.UserType
	External    bool
	Directories []identity.Directory
	Give        roleOptions // that can be given to many
}

// userChoices reads them. Units are of one tenant: the visitor's own, the chosen one, or the only one.
func (d *Door) userChoices(ctx context.Context, v visit, f userFilters) (c userChoices, err error) {
	m := v.prov.Model()
	c.Statuses, c.Roles, c.External = userStatuses, m.Roles(), m.ExternalFlag()
	if v.Can(usersWrite) {
		c.Statuses = append(slices.Clone(c.Statuses), statusDeleted)
		if c.Give, err = d.roleOptions(ctx, v); err != nil {
			return c, err
		}
	}
	if !v.Can(tenantsWrite) {
		c.Roles = slices.DeleteFunc(c.Roles, func(r identity.Role) bool { return r.Scope == identity.ScopePlatform })
	} else {
		dirs, err := d.prov.Directories(ctx, v.Actor, identity.Query{Limit: maxOptions})
		if err != nil && identity.KindOf(err) != identity.Forbidden {
			return c, err
		}
		c.Directories = dirs.Items
	}
	if !m.Single() {
		if c.Tenants, err = d.tenantOptions(ctx, v); err != nil {
			return c, err
		}
	}
	if c.Units, err = d.unitOptions(ctx, v, f.Tenant, true); err != nil {
		return c, err
	}
	if len(m.UserTypes()) > 0 || m.UserTypesExtensible() {
		c.Types, err = d.prov.UserTypeChoices(ctx, v.Actor)
	}
	return c, err
}

// unitOption is a business unit or a team in a select, with its place in the tree in front.
type unitOption struct {
	provisioning.UnitNode
	Indent string
}

// unitOptions are the units of a tenant, none where the model has none or no tenant is meant.
func (d *Door) unitOptions(ctx context.Context, v visit, tenant identity.TenantID, teams bool) ([]unitOption, error) {
	m := v.prov.Model()
	if _, ok := m.Units(); !ok || tenant == "" && v.Actor.TenantID == "" && !m.Single() {
		return nil, nil
	}
	nodes, err := d.prov.UnitChoices(ctx, v.Actor, tenant)
	if identity.KindOf(err) == identity.NotFound || identity.KindOf(err) == identity.Forbidden {
		return nil, nil
	}
	var out []unitOption
	for _, n := range nodes {
		if teams || n.Kind == identity.KindUnit {
			out = append(out, unitOption{n, strings.Repeat("\u2003", n.Depth)})
		}
	}
	return out, err
}
