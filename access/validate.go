package access

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// capabilities are Drawbridge's own abilities that an action of the catalogue may be bound to.
var capabilities = []string{
	"api.call", "audit.read", "roles.read", "roles.write", "self.read", "self.write",
	"tenants.write", "users.invite", "users.read", "users.write",
}

var slug = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// check adds every mistake of the document.
func (d *document) check(bad *mistakes) {
	if d.APIVersion != version {
		bad.add("apiVersion", "apiVersion is %q; write %s", d.APIVersion, version)
	}
	checkID(bad, "name", d.Name)
	checkText(bad, "title", d.Title)
	d.checkCatalogue(bad)
	d.checkLevels(bad)
	d.checkRoles(bad)
	d.checkTenancy(bad)
	d.checkPeople(bad)
	d.checkAccess(bad)
	d.checkInvariants(bad)
}

func (d *document) checkCatalogue(bad *mistakes) {
	if len(d.Catalogue) == 0 {
		bad.add("catalogue", "catalogue is empty: list the resources that roles grant")
	}
	seen, gates := map[string]bool{}, 0
	for _, r := range d.Catalogue {
		at := "catalogue " + r.ID
		checkID(bad, at, r.ID)
		checkOnce(bad, at, r.ID, seen)
		checkText(bad, at+": title", r.Title)
		checkWord(bad, at+": owner", r.Owner, "app", "drawbridge")
		checkOptional(bad, at+": scope", r.Scope, "platform", "tenant")
		if r.Gate {
			gates++
		}
		if r.RequiresLink != "" && !slices.ContainsFunc(d.Links, func(l link) bool { return l.Type == r.RequiresLink }) {
			bad.add(at, "%s: requires_link names %q, which links does not list", at, r.RequiresLink)
		}
		if r.RequiresLink != "" && len(r.Binds) > 0 {
			bad.add(at+": requires_link", "%s: what Drawbridge itself does needs no record; take binds or requires_link away", at)
		}
		if r.Scoped && d.DataAccess == nil {
			bad.add(at+": scoped", "%s: scoped needs data_access with its levels", at)
		}
		r.checkActions(bad, at)
	}
	if gates > 1 {
		bad.add("catalogue", "catalogue has %d gates; there can be one", gates)
	}
}

func (r *resource) checkActions(bad *mistakes, at string) {
	if len(r.Actions) == 0 {
		bad.add(at, "%s: actions is empty", at)
	}
	seen := map[string]bool{}
	for _, a := range r.Actions {
		checkID(bad, at+": action", a)
		checkOnce(bad, at+": action", a, seen)
	}
	for _, action := range slices.Sorted(maps.Keys(r.Binds)) {
		if !slices.Contains(r.Actions, action) {
			bad.add(at, "%s: binds names the action %q, which it does not have", at, action)
		}
		checkWord(bad, at+": binds "+action, r.Binds[action], capabilities...)
	}
}

func (d *document) checkLevels(bad *mistakes) {
	for _, name := range slices.Sorted(maps.Keys(d.Levels)) {
		level := d.Levels[name]
		if name == "all" || name == "none" || name == "" {
			bad.add("levels: "+name, "levels cannot redefine %q", name)
		}
		if level.list == nil && level.word != "all" && level.word != "none" {
			bad.add("levels: "+name, "level %q is %q; write all, none or a list of actions", name, level.word)
		}
		for _, action := range level.list {
			if !slices.ContainsFunc(d.Catalogue, func(r resource) bool { return slices.Contains(r.Actions, action) }) {
				bad.add("levels: "+name, "level %q names the action %q, which no resource has", name, action)
			}
		}
	}
}

func (d *document) checkRoles(bad *mistakes) {
	if len(d.Roles) == 0 {
		bad.add("roles", "roles is empty")
	}
	seen := map[string]bool{}
	for _, r := range d.Roles {
		at := "role " + string(r.ID)
		checkID(bad, at, string(r.ID))
		checkOnce(bad, at, string(r.ID), seen)
		checkText(bad, at+": title", r.Title)
		checkWord(bad, at+": scope", string(r.Scope), "platform", "tenant")
		d.checkGrants(bad, at, r.Scope, r.Grants)
		for _, id := range slices.Sorted(maps.Keys(r.Levels)) {
			d.checkRoleLevel(bad, at+": levels", id, r.Levels[id])
		}
		if r.ID == superadmin.ID && !d.unlimited(r) && !slices.ContainsFunc(d.Roles, d.unlimited) {
			bad.add(at, `%s is the role that runs the installation: give it scope platform and grants {"*": all}, or another id`, at)
		}
	}
	if d.AdminFlag != nil {
		checkText(bad, "admin_flag: label", d.AdminFlag.Label)
		d.checkGrants(bad, "admin_flag", identity.ScopeTenant, d.AdminFlag.Grants)
	}
}

func (d *document) checkGrants(bad *mistakes, at string, scope identity.RoleScope, grants map[string]choice) {
	for _, id := range slices.Sorted(maps.Keys(grants)) {
		g := grants[id]
		r, known := d.resource(id)
		if id != "*" && !known {
			bad.add(at+": grants: "+id, "%s grants %q, which the catalogue does not list", at, id)
			continue
		}
		if known && r.Scope == "platform" && scope == identity.ScopeTenant {
			bad.add(at+": grants: "+id, "%s grants %s, which belongs to the platform; a tenant's role cannot have it", at, id)
		}
		if _, ok := d.Levels[g.word]; g.list == nil && g.word != "all" && g.word != "none" && !ok {
			bad.add(at+": grants: "+id, "%s grants %s: %q is no level; write all, none or a list of actions", at, id, g.word)
		}
		for _, action := range g.list {
			if known && !slices.Contains(r.Actions, action) {
				bad.add(at+": grants: "+id, "%s grants %s: %s; its actions are %s", at, id, action, strings.Join(r.Actions, ", "))
			}
		}
		if id == "*" && g.list != nil {
			bad.add(at+": grants: "+id, `%s: "*" takes all, none or a level, not a list`, at)
		}
	}
}

// checkRoleLevel wants a level only where it would be asked for: on a scoped resource, in a model whose grants carry levels.
func (d *document) checkRoleLevel(bad *mistakes, at, id, level string) {
	d.checkDataLevel(bad, at+" "+id, level)
	r, known := d.resource(id)
	switch {
	case !known:
		bad.add(at+": "+id, "%s names %q, which the catalogue does not list", at, id)
	case !r.Scoped:
		bad.add(at+": "+id, "%s: %s is not scoped; it has no data levels", at, id)
	case d.DataAccess != nil && d.DataAccess.Where != LevelOfGrant:
		bad.add(at+": "+id, "%s: roles carry levels only with data_access: where: grant", at)
	}
}

func (d *document) checkRole(bad *mistakes, at string, id identity.RoleID) {
	if _, ok := d.role(id); !ok {
		bad.add(at, "%s names the role %q, which roles does not list", at, id)
	}
}

func (d *document) resource(id string) (resource, bool) {
	i := slices.IndexFunc(d.Catalogue, func(r resource) bool { return r.ID == id })
	if i < 0 {
		return resource{}, false
	}
	return d.Catalogue[i], true
}

func (d *document) role(id identity.RoleID) (roleEntry, bool) {
	i := slices.IndexFunc(d.Roles, func(r roleEntry) bool { return r.ID == id })
	if i < 0 {
		return roleEntry{}, false
	}
	return d.Roles[i], true
}

func (d *document) unlimited(r roleEntry) bool {
	return r.Scope == identity.ScopePlatform && r.Grants["*"].word == "all"
}

func checkID(bad *mistakes, at, id string) {
	if !slug.MatchString(id) {
		bad.add(at, "%s: %q is no id: small letters, digits, _ and -, a letter first, at most 63", at, id)
	}
}

func checkOnce(bad *mistakes, at, id string, seen map[string]bool) {
	if seen[id] {
		bad.add(at, "%s: %q stands twice", at, id)
	}
	seen[id] = true
}

func checkText(bad *mistakes, at, text string) {
	if strings.TrimSpace(text) == "" {
		bad.add(at, "%s is missing", at)
	}
}

func checkWord(bad *mistakes, at, word string, allowed ...string) {
	if !slices.Contains(allowed, word) {
		bad.add(at, "%s is %q; write one of %s", at, word, strings.Join(allowed, ", "))
	}
}

func checkOptional(bad *mistakes, at, word string, allowed ...string) {
	if word != "" {
		checkWord(bad, at, word, allowed...)
	}
}

func checkWords(bad *mistakes, at string, words []string, allowed ...string) {
	for _, w := range words {
		checkWord(bad, at, w, allowed...)
	}
}

func checkCount(bad *mistakes, at string, n int) {
	if n < 0 {
		bad.add(at, "%s is %d; write 0 or more", at, n)
	}
}
