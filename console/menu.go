package console

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type menuGroup struct {
	Title   string
	Entries []menuEntry
}

type menuEntry struct {
	Key, Title, URL, Icon string
	Count                 int64  // a number that asks for attention; 0 shows none
	Waits                 string // what those who are counted wait for
	Tally                 string // the number in words
	need                  string
}

var menuGroups = []menuGroup{
	{"People", []menuEntry{
		{Key: "users", Title: "Users", URL: "/console/users", Icon: "users", need: usersRead},
		{Key: "placement", Title: "Placement", URL: "/console/placement", Icon: "inbox", Waits: "to be placed", need: household},
		{Key: "reviews", Title: "Reviews", URL: "/console/reviews", Icon: "review", Waits: "to come in", need: usersWrite},
		{Key: "offboardings", Title: "Leavers", URL: "/console/offboardings", Icon: "leaver", need: usersRead},
		{Key: "groups", Title: "Groups", URL: "/console/groups", Icon: "group", need: usersRead},
	}},
	{"Organisation", []menuEntry{
		{Key: "tenants", Title: "Tenants", URL: "/console/tenants", Icon: "tenants", need: tenantsWrite},
		{Key: "organisation", Title: "Our organisation", URL: "/console/tenants/", Icon: "tenants", need: usersWrite},
		{Key: "units", Title: "Business units", URL: "/console/units", Icon: "unit", need: usersRead},
		{Key: "types", Title: "User types", URL: "/console/types", Icon: "type", need: usersRead},
		{Key: "records", Title: "Records", URL: "/console/records", Icon: "record", need: usersRead},
		{Key: "settings", Title: "Settings", URL: "/console/settings", Icon: "settings", need: usersWrite},
	}},
	{"Access", []menuEntry{
		{Key: "roles", Title: "Roles", URL: "/console/roles", Icon: "role", need: rolesRead},
		{Key: "access", Title: "Access report", URL: "/console/access", Icon: "access", need: usersRead},
		{Key: "access-reviews", Title: "Access reviews", URL: "/console/access-reviews", Icon: "accessreview", need: usersRead},
	}},
	{"Where they come from", []menuEntry{
		{Key: "directories", Title: "Directories", URL: "/console/directories", Icon: "directory", need: tenantsWrite},
		{Key: "imports", Title: "Import", URL: "/console/imports", Icon: "import", Waits: "to be decided", need: usersWrite},
		{Key: "sources", Title: "Sources", URL: "/console/sources", Icon: "source", need: usersWrite},
		{Key: "domains", Title: "Domains", URL: "/console/domains", Icon: "domain", need: usersWrite},
		{Key: "connections", Title: "Connections", URL: "/console/connections", Icon: "connection", need: tenantsWrite},
	}},
	{"What happened", []menuEntry{
		{Key: "signins", Title: "Sign-ins", URL: "/console/signins", Icon: "signin", need: auditRead},
		{Key: "requests", Title: "Requests", URL: "/console/requests", Icon: "requests", need: tenantsWrite},
		{Key: "events", Title: "Audit", URL: "/console/events", Icon: "events", need: auditRead},
		{Key: "statistics", Title: "Statistics", URL: "/console/statistics", Icon: "statistics", need: auditRead},
		{Key: "exports", Title: "Export", URL: "/console/exports/users", Icon: "export", need: usersRead},
	}},
}

// menu returns the groups that the visitor can use, in the access model's words, with the numbers that ask for attention.
func (d *Door) menu(ctx context.Context, v visit) []menuGroup {
	var out []menuGroup
	for _, g := range menuGroups {
		mine := menuGroup{Title: g.Title}
		for _, e := range g.Entries {
			if !v.Can(e.need) || !v.fits(&e) {
				continue
			}
			switch e.Key {
			case "placement":
				e.Count = d.waiting(ctx, v)
			case "reviews":
				e.Count = d.waitingReviews(ctx, v)
			case "users":
				e.Title = v.Caption("users_page", e.Title)
				if group, title, ok := v.menuPath(); ok {
					mine.Title, e.Title = group, title
				}
			case "roles":
				e.Title = v.RolesCaption()
			case "settings":
				e.Title = v.Caption("settings_page", e.Title)
			case "imports":
				e.Title, e.Count = d.importCaption(), d.waitingPlans(ctx, v)
			}
			e.Tally = count(e.Count, "person waits", "people wait") + " " + e.Waits
			if e.Key == "imports" {
				e.Tally = count(e.Count, "plan waits", "plans wait") + " " + e.Waits
			}
			mine.Entries = append(mine.Entries, e)
		}
		if len(mine.Entries) > 0 {
			out = append(out, mine)
		}
	}
	return out
}

// fits gives an entry of the organisation the access model's word and the visitor's address. It returns false where the model has nothing of the kind.
func (v visit) fits(e *menuEntry) bool {
	m := v.prov.Model()
	switch e.Key {
	case "tenants":
		return !m.Single()
	case "organisation":
		e.URL += string(v.Actor.TenantID)
		return v.Actor.TenantID != ""
	case "units":
		rule, ok := m.Units()
		e.Title = unitsTitle(rule.Label)
		return ok && (v.Actor.TenantID != "" || m.Single())
	case "types":
		return len(m.UserTypes()) > 0
	case "records":
		e.Title = v.Caption("records_page", e.Title)
		return len(m.LinkTypes()) > 0 && (v.Actor.TenantID != "" || m.Single())
	}
	return true
}

// menuPath is where the access model wants the list of people: "Security > System Users" is a group and an entry of it.
func (v visit) menuPath() (group, title string, ok bool) {
	group, title, ok = strings.Cut(v.Caption("menu", ""), ">")
	return strings.TrimSpace(group), strings.TrimSpace(title), ok
}

// geared are the entries that the button in the corner leads to as well, where the access model has one.
var geared = []string{"users", "placement", "roles", "organisation", "settings"}

// gear returns them; none where the model has no such button.
func (v visit) gear(menu []menuGroup) []menuEntry {
	if v.Caption("menu", "") != "gear" {
		return nil
	}
	var out []menuEntry
	for _, g := range menu {
		for _, e := range g.Entries {
			if slices.Contains(geared, e.Key) {
				out = append(out, e)
			}
		}
	}
	return out
}

// waiting counts who waits in the landing tenant. A page is not lost for this number: without it the menu shows none.
func (d *Door) waiting(ctx context.Context, v visit) int64 {
	p, err := d.prov.Landed(ctx, v.Actor, identity.Query{Total: true})
	if err != nil {
		d.log.DebugContext(ctx, "the number of waiting people is not known", "error", err)
		return 0
	}
	return p.Total
}

// waitingReviews counts the sign-ins that wait for an administrator.
func (d *Door) waitingReviews(ctx context.Context, v visit) int64 {
	p, err := d.prov.Reviews(ctx, v.Actor, provisioning.ReviewQuery{State: identity.ReviewOpen, Total: true})
	if err != nil {
		d.log.DebugContext(ctx, "the number of waiting reviews is not known", "error", err)
		return 0
	}
	return p.Total
}

// waitingPlans counts the plans that are held, as far as a page of them goes.
func (d *Door) waitingPlans(ctx context.Context, v visit) int64 {
	p, err := d.prov.PlansWhere(ctx, v.Actor, provisioning.PlanQuery{States: []identity.PlanState{identity.PlanHeld}, Query: identity.Query{Limit: pageSize}})
	if err != nil {
		d.log.DebugContext(ctx, "the number of held plans is not known", "error", err)
		return 0
	}
	return int64(len(p.Items))
}
