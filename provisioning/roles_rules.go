package provisioning

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The capabilities of whoever looks at roles and whoever changes them.
const (
	rolesRead  = "roles.read"
	rolesWrite = "roles.write"
)

// administrative are the capabilities that nobody below the platform may give away without having them.
var administrative = []string{usersRead, usersWrite, "users.invite", rolesRead, rolesWrite, tenantsWrite, auditRead}

// The longest title of a role, and the longest of its other texts, in bytes.
const (
	maxTitle    = 100
	maxRoleText = 2000
)

// mayEditRoles refuses whoever may not change what roles grant, and everybody where the access model fixes them. A role counts in every tenant, so
// where there are several only the platform changes one.
func (s *Service) mayEditRoles(by identity.Actor) error {
	if err := s.mayKeepRoles(by); err != nil {
		return err
	}
	if !s.model.RolesEditable() {
		return identity.Errorf(identity.Forbidden, "The access model %s fixes its roles: they are changed in its file and by nothing else.", s.model.Name()).WithCode("roles_fixed")
	}
	return nil
}

// mayKeepRoles is mayEditRoles for what grants nothing, such as a note that a role is still right.
func (s *Service) mayKeepRoles(by identity.Actor) error {
	if _, err := s.scopeFor(by, rolesWrite); err != nil {
		return err
	}
	if by.Kind == identity.ActorUser && by.TenantID != "" && !s.model.Single() {
		return identity.Errorf(identity.Forbidden, "A role counts in every tenant; only the platform may change one.")
	}
	return nil
}

// ofPlatform reports whether the actor stands above all tenants.
func ofPlatform(by identity.Actor) bool {
	return trusted(by) || by.Kind == identity.ActorUser && by.TenantID == ""
}

// modelIn returns the access model with the roles as a transaction sees them.
func (s *Service) modelIn(ctx context.Context, tx *store.Tx) (*access.Model, error) {
	m, err := access.Parse(s.model.Name(), s.model.Source())
	if err != nil {
		return nil, err
	}
	return m, m.Refresh(ctx, tx)
}

// refreshModel makes the service see a change of roles at once; every other one sees it at its next request.
func (s *Service) refreshModel(ctx context.Context) error {
	return s.db.View(ctx, func(tx *store.Tx) error { return s.model.Refresh(ctx, tx) })
}

// checkTexts refuses texts that a role may not have, and tidies them.
func checkTexts(d *identity.RoleDefinition) error {
	d.Title = strings.TrimSpace(d.Title)
	if d.Title == "" {
		return identity.Errorf(identity.Invalid, "A role needs a name.").WithField("title")
	}
	if len(d.Title) > maxTitle || strings.ContainsFunc(d.Title, unicode.IsControl) {
		return identity.Errorf(identity.Invalid, "The name of a role is one line of at most %d bytes.", maxTitle).WithField("title")
	}
	for field, text := range map[string]*string{"description": &d.Description, "intended for": &d.IntendedFor, "provides": &d.Provides} {
		if *text = strings.TrimSpace(*text); len(*text) > maxRoleText {
			return identity.Errorf(identity.Invalid, "What is said about a role has at most %d bytes.", maxRoleText).WithField(field)
		}
	}
	return nil
}

// tidyGrants brings grants into the catalogue's order and leaves out what is empty or everybody's own. What the catalogue does not have stays, so that
// it is refused.
func tidyGrants(m *access.Model, grants map[string][]string) map[string][]string {
	out := map[string][]string{}
	for id, actions := range grants {
		out[id] = slices.Clone(actions)
	}
	for _, r := range m.Catalogue() {
		var ordered []string
		for _, action := range r.Actions {
			if slices.Contains(out[r.ID], action) {
				ordered = append(ordered, action)
			}
		}
		unknown := slices.ContainsFunc(out[r.ID], func(action string) bool { return !slices.Contains(r.Actions, action) })
		switch {
		case unknown:
		case r.Self || len(ordered) == 0:
			delete(out, r.ID)
		default:
			out[r.ID] = ordered
		}
	}
	return out
}

// grantDiff is one resource of which a role grants something else than before.
type grantDiff struct {
	access.Resource
	before, after []string
	fresh         []string // what is granted and was not
}

func diffGrants(m *access.Model, before, after map[string][]string) []grantDiff {
	var out []grantDiff
	for _, r := range m.Catalogue() {
		d := grantDiff{Resource: r, before: before[r.ID], after: after[r.ID]}
		for _, action := range d.after {
			if !slices.Contains(d.before, action) {
				d.fresh = append(d.fresh, action)
			}
		}
		if !slices.Equal(d.before, d.after) {
			out = append(out, d)
		}
	}
	return out
}

// mayGrant refuses to put into a role what the actor does not hold; the platform may grant everything.
func mayGrant(m *access.Model, by identity.Actor, diffs []grantDiff) error {
	if ofPlatform(by) {
		return nil
	}
	for _, d := range diffs {
		for _, action := range d.fresh {
			if !m.Decide(access.Who(by), d.ID, action).Allowed {
				e := identity.Errorf(identity.Forbidden, "You may not grant %s: %s, which you do not hold yourself.", d.Title, action).WithField("grants").WithCode("escalation")
				e.Choices = []string{d.ID} // the resource, so that a page can say it there
				return e
			}
		}
	}
	return nil
}

// checkConfirmed wants each sensitive resource of which more is granted named once more, and no other.
func checkConfirmed(diffs []grantDiff, confirmed []string) error {
	var need, say []string
	for _, d := range diffs {
		if d.Sensitive && len(d.fresh) > 0 {
			need = append(need, d.ID)
			say = append(say, fmt.Sprintf("%s (%s)", d.Title, strings.Join(d.fresh, ", ")))
		}
	}
	given := slices.Compact(slices.Sorted(slices.Values(confirmed)))
	if slices.Equal(given, slices.Sorted(slices.Values(need))) {
		return nil
	}
	message := "This grants nothing sensitive; confirm nothing."
	if len(need) > 0 {
		message = "This grants what is sensitive: " + strings.Join(say, "; ") + ". Confirm exactly this: " + strings.Join(need, ", ") + "."
	}
	e := identity.Errorf(identity.Precondition, "%s", message).WithField("confirm sensitive").WithCode("confirm_sensitive")
	e.Choices = need
	return e
}

// managers returns the roles that let people be managed.
func managers(m *access.Model) []identity.RoleID {
	var out []identity.RoleID
	for _, r := range m.Roles() {
		if m.Allows(access.Subject{Roles: []identity.RoleID{r.ID}}, usersWrite).Allowed {
			out = append(out, r.ID)
		}
	}
	return out
}

// countManagers counts the people who may come in and manage people.
func countManagers(ctx context.Context, tx *store.Tx, m *access.Model) (int, error) {
	return tx.CountComers(ctx, managers(m), m.Allows(access.Subject{Admin: true}, usersWrite).Allowed)
}

// guardManagers returns a check that is to be made when a role has been changed: it refuses what left nobody to manage people.
func (s *Service) guardManagers(ctx context.Context, tx *store.Tx, before *access.Model, id identity.RoleID) (func() error, error) {
	was := managers(before)
	if !slices.Contains(was, id) {
		return func() error { return nil }, nil
	}
	if err := tx.Lock(ctx, "administrators"); err != nil {
		return nil, err
	}
	count, err := countManagers(ctx, tx, before)
	return func() error {
		after, err := s.modelIn(ctx, tx)
		if err != nil || slices.Contains(managers(after), id) {
			return err
		}
		role, _ := before.Role(id)
		left, err := countManagers(ctx, tx, after)
		if err == nil && left == 0 && count > 0 {
			return withoutManagers(role.Title)
		}
		return err
	}, err
}

func withoutManagers(title string) *identity.Error {
	return identity.Errorf(identity.Forbidden, "Nobody could manage people any more without %s; let somebody else do it first.", title).WithCode("last_administrator")
}
