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
		{Key: "organisation", Title: "Organisation", URL: "/console/tenants/", Icon: "tenants", need: usersWrite},
		{Key: "units", Title: "Business units", URL: "/console/units", Icon: "unit", need: usersRead},
		{Key: "types", Title: "User types", URL: "/console/types", Icon: "type", need: usersRead},
		{Key: "records", Title: "Records", URL: "/console/records", Icon: "record", need: usersRead},
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
		{Key: "exports", Title: "Export", URL: "/console/exports/users", Icon: "export", need: usersRead},
	}},
	{"Administration", []menuEntry{
		{Key: "settings", Title: "Settings", URL: "/console/settings", Icon: "settings", need: usersWrite},
	}},
}

// menu returns the groups that the visitor can use, in the access model's words, with the numbers that ask for attention.
func (d *Door) menu(ctx context.Context, v visit) []menuGroup {
	var out []menuGroup
	for _, g := range menuGroups {
		mine := menuGroup{Title: g.Title}
		for _, e := range g.Entries {
			if !v.Can(e.need) || !v.inWords(&e) {
				continue
			}
			switch e.Key {
			case "placement":
				e.Count = d.waiting(ctx, v)
			case "reviews":
				e.Count = d.waitingReviews(ctx, v)
			case "users":
				e.Title = v.Caption("users_page", e.Title)
			case "roles":
				e.Title = v.RolesCaption()
			case "settings":
				e.Title = v.Caption("settings_page", e.Title)
			case "imports":
				e.Title, e.Count = d.importCaption(), d.waitingPlans(ctx, v)
			}
			e.Count = d.attention(ctx, v, e.Key)
			e.Tally = count(e.Count, "person waits", "people wait") + " " + e.Waits
			if e.Key == "imports" {
				e.Tally = count(e.Count, "plan waits", "plans wait") + " " + e.Waits
			}
			if group, title, ok := v.menuPath(); ok && e.Key == "users" {
				mine.Title, e.Title = group, title
			}
			mine.Entries = append(mine.Entries, e)
		}
		if len(mine.Entries) > 0 {
			out = append(out, mine)
		}
	}
	return out
}

// inWords gives an entry the access model's word and the visitor's address. It returns false where the model has nothing of the kind.
func (v visit) inWords(e *menuEntry) bool {
	m := v.prov.Model()
	switch e.Key {
	case "users":
		e.Title = v.Caption("users_page", e.Title)
	case "imports":
		e.Title = v.Caption("import_page", e.Title)
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

// attention is the number beside an entry of the menu.
func (d *Door) attention(ctx context.Context, v visit, key string) int64 {
	switch key {
	case "placement":
		return d.waiting(ctx, v)
	case "reviews":
		return d.waitingReviews(ctx, v)
	case "imports":
		return d.waitingPlans(ctx, v)
	}
	return 0
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

// icons are drawn on a grid of 16 with a line of 1.5.
var icons = map[string]string{
	"users":      `<circle cx="6" cy="5.25" r="2.5"/><path d="M1.75 13c.4-2.6 2-4 4.25-4s3.85 1.4 4.25 4M10.5 3a2.4 2.4 0 0 1 0 4.5M12 9.4c1.3.6 2 1.8 2.25 3.6"/>`,
	"inbox":      `<path d="M2 9.5 3.6 3h8.8L14 9.5V13H2V9.5h3.2c.3 1.2 1.3 2 2.8 2s2.5-.8 2.8-2H14M8 4.8v3M6.6 6.6 8 8l1.4-1.4"/>`,
	"review":     `<circle cx="6.5" cy="5.25" r="2.5"/><path d="M2 13c.4-2.6 2.1-4 4.5-4 .9 0 1.700.2 2.400.6M12.3 13.500v.01M10.900 9.300c.1-1 .8-1.500 1.600-1.500.9 0 1.600.6 1.600 1.400 0 1.200-1.700 1.200-1.800 2.500"/>`,
	"tenants":    `<path d="M2.5 13.5V3.5L8 2v11.5M8 6h5.5v7.5M1.5 13.5h13M4.8 5.5h.9M4.8 8h.9M4.8 10.5h.9M10.5 8.5h.9M10.5 11h.9"/>`,
	"directory":  `<path d="M9 2.5h3.5a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H9M2 8h7.5M7 5.3 9.7 8 7 10.7"/>`,
	"connection": `<circle cx="5" cy="8" r="2.75"/><path d="M7.75 8h6.5M12 8v2.5M14.25 8v1.75"/>`,
	"import":     `<path d="M8 2.250v7.250M5 6.700 8 9.700l3-3M2.250 10.500v3h11.500v-3"/>`,
	"export":     `<path d="M8 9.700V2.500M5 5.200l3-3 3 3M2.250 10.500v3h11.500v-3"/>`,
	"source":     `<path d="M2.500 4.250c0-1 2.500-1.750 5.500-1.750s5.500.75 5.500 1.750S11 6 8 6s-5.500-.75-5.500-1.750zM2.500 4.250v7.500c0 1 2.500 1.750 5.500 1.750s5.500-.75 5.500-1.750v-7.500M2.500 8c0 1 2.500 1.750 5.500 1.750S13.500 9 13.500 8"/>`,
	"domain":     `<circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c2.3 1.8 2.3 10.2 0 12M8 2c-2.3 1.8-2.3 10.2 0 12"/>`,
	"signin":     `<path d="M3 13.5V6a5 5 0 0 1 10 0v7.5M1.5 13.5h13M8 13.5V4.5M10 9v1"/>`,
	"requests":   `<path d="M2 4.5h9M2 8h12M2 11.5h6M12.5 2.7 14.3 4.5l-1.8 1.8"/>`,
	"events":     `<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.3 1.5"/>`,
	"account":    `<circle cx="8" cy="5.5" r="2.75"/><path d="M2.75 13.750c.5-3 2.5-4.5 5.25-4.5s4.75 1.5 5.25 4.5"/>`,
	"settings":   `<path d="M2 4.500h6.500M12 4.500h2M2 11.500h2M7.500 11.500H14"/><circle cx="10.250" cy="4.500" r="1.750"/><circle cx="5.750" cy="11.500" r="1.750"/>`,
	"menu":       `<path d="M2 4.5h12M2 8h12M2 11.5h12"/>`,
	"search":     `<circle cx="7" cy="7" r="4.25"/><path d="m10.2 10.2 3.6 3.6"/>`,
	"arrow":      `<path d="M2.5 8h10.5M9.3 4.3 13 8l-3.7 3.7"/>`,
	"plus":       `<path d="M8 3v10M3 8h10"/>`,
	"leaver":     `<circle cx="6" cy="5.25" r="2.5"/><path d="M1.75 13c.4-2.6 2-4 4.25-4 1 0 1.900.300 2.600.800M9.500 12h5M12.500 10l2 2-2 2"/>`,
	"role":       `<path d="M8 1.750 13.250 4v3.750c0 3.200-2.100 5.500-5.250 6.500-3.150-1-5.250-3.300-5.250-6.500V4zM5.750 8l1.600 1.600 3-3.200"/>`,
	"access":     `<path d="M2.500 2.500h11v11h-11zM2.500 6.200h11M6.200 2.500v11M8.600 9.800l1 1 1.900-2"/>`,

	"accessreview": `<path d="M10.500 3h2a.75.75 0 0 1 .75.750v9a.75.75 0 0 1-.75.750h-9a.75.75 0 0 1-.75-.750v-9A.75.75 0 0 1 3.500 3h2M5.750 1.750h4.500v2.500h-4.500zM5.500 8.900l1.800 1.800 3.200-3.400"/>`,
	"edit":         `<path d="M9.700 3.600 12.400 6.300M2.500 13.500l.6-3 7.700-7.700a1.400 1.400 0 0 1 2 0l.4.400a1.400 1.400 0 0 1 0 2l-7.700 7.700z"/>`,
	"delete":       `<path d="M2.500 4.250h11M6 4V2.500h4V4M4 4.250l.6 9.250h6.800l.6-9.250M6.700 7v4M9.300 7v4"/>`,

	"out": `<path d="M7 2.5H3.5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1H7M6.5 8H14M11.3 5.3 14 8l-2.7 2.7"/>`,
}

// icon draws one of the icons; it is decoration, so screen readers pass over it.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`)
}
