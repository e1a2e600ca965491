package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// exportRows is how many rows a file will have, as far as that is worth counting before.
type exportRows struct {
	Known bool
	Count int64
	Over  bool // there are more
}

// countRows counts what a file would have: people all of them, events up to an end, and a report of access not at all.
func (d *Door) countRows(r *http.Request, v visit, what exported, f form) (exportRows, error) {
	switch what.Key {
	case exportUsers.Key:
		q, err := d.exportedUsers(r, v, f)
		if err != nil {
			return exportRows{}, err
		}
		q.Total = true
		found, err := d.prov.Users(r.Context(), v.Actor, q)
		return exportRows{Known: err == nil, Count: found.Total}, err
	case exportAudit.Key:
		q, problem, err := d.eventQuery(r, v, readEventFilters(f.Value))
		if err != nil || problem != "" || q.Reads() {
			return exportRows{}, err
		}
		n, more, err := d.prov.CountEvents(r.Context(), v.Actor, q)
		return exportRows{Known: err == nil, Count: n, Over: more}, err
	}
	return exportRows{}, nil
}

// exportedUsers is the query of the list that led to an export, with the same filters.
func (d *Door) exportedUsers(r *http.Request, v visit, f form) (identity.Query, error) {
	if f.Value("status") == string(statusDeleted) {
		return identity.Query{}, identity.Errorf(identity.Invalid, "People who were deleted leave in no file. Restore them first, or choose another status.")
	}
	filters := d.filtersOf(f.Value, v)
	return filters.narrow(), nil
}

// shownFilter is a filter of users in words. A unit is one of a tenant.
func (d *Door) shownFilter(r *http.Request, v visit, tenant identity.TenantID, name, value string) (string, error) {
	switch name {
	case "role":
		if role, ok := v.prov.Model().Role(identity.RoleID(value)); ok {
			return role.Title, nil
		}
	case "external":
		return map[string]string{"yes": "External people", "no": "Own people"}[value], nil
	case "type":
		types, err := d.prov.UserTypeChoices(r.Context(), v.Actor)
		for _, t := range types {
			if string(t.ID) == value {
				return t.Title, nil
			}
		}
		return value, err
	case "tenant":
		t, err := d.prov.Tenant(r.Context(), v.Actor, tenant)
		if err == nil {
			return t.Name, nil
		}
		if identity.KindOf(err) != identity.NotFound && identity.KindOf(err) != identity.Forbidden {
			return "", err
		}
	case "directory":
		id, _ := identity.ParseID[identity.DirectoryID](value)
		switch dir, err := d.prov.Directory(r.Context(), v.Actor, id); {
		case err == nil:
			return dir.Name, nil
		case identity.KindOf(err) != identity.NotFound && identity.KindOf(err) != identity.Forbidden:
			return "", err
		}
	case "unit":
		id, _ := identity.ParseID[identity.UnitID](value)
		units, err := d.prov.Units(r.Context(), v.Actor, tenant)
		if err != nil && identity.KindOf(err) == identity.Internal {
			return "", err
		}
		for _, u := range units {
			if u.ID == id {
				return u.Name, nil
			}
		}
	}
	return value, nil
}
