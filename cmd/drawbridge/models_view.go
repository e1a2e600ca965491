package main

import (
	"fmt"
	"io"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// modelPlanView is a plan of an access model, or the difference of two.
type modelPlanView struct {
	Version   int64              `json:"version,omitempty"`
	Before    string             `json:"before"`
	After     string             `json:"after"`
	Rules     []identity.Change  `json:"rules"`
	Catalogue []identity.Change  `json:"catalogue"`
	Roles     []roleOutcomeView  `json:"roles"`
	Looked    int                `json:"people_looked_at"`
	Changed   int                `json:"people_changed"`
	People    []personChangeView `json:"people,omitempty"`
	Obstacles []string           `json:"obstacles"`
	Warnings  []string           `json:"warnings"`

	nothing bool
}

type roleOutcomeView struct {
	ID          identity.RoleID `json:"id"`
	Title       string          `json:"title"`
	Outcome     string          `json:"outcome"` // comes, goes, changes, stays as it was edited
	Holders     int             `json:"holders"`
	To          identity.RoleID `json:"reassign_to,omitempty"`
	Permissions []string        `json:"permissions,omitempty"`
}

type personChangeView struct {
	ID          identity.UserID   `json:"id"`
	UserName    string            `json:"user_name"`
	Before      []identity.RoleID `json:"roles_before"`
	After       []identity.RoleID `json:"roles_after"`
	Permissions []string          `json:"permissions"`
}

func viewModelPlan(p provisioning.ModelPlan) modelPlanView {
	v := modelPlanView{
		Version: p.Version, Before: p.Before.Name, After: p.After.Name, Rules: p.Rules, Catalogue: p.Catalogue,
		Looked: p.People, Changed: p.Changed, Obstacles: p.Obstacles, Warnings: p.Warnings, nothing: p.Nothing(),
	}
	for _, r := range p.Roles {
		v.Roles = append(v.Roles, viewRoleOutcome(r))
	}
	return v
}

func viewRoleOutcome(r provisioning.RoleOutcome) roleOutcomeView {
	v := roleOutcomeView{ID: r.ID, Holders: r.Holders, To: r.To, Permissions: permissionWords(r.Permissions)}
	switch {
	case r.Before == nil:
		v.Title, v.Outcome = r.After.Title, "comes"
	case r.After == nil:
		v.Title, v.Outcome = r.Before.Title, "goes"
	case r.Kept:
		v.Title, v.Outcome = r.After.Title, "stays as it was edited"
	default:
		v.Title, v.Outcome = r.After.Title, "changes"
	}
	return v
}

func viewPersonChange(c provisioning.PersonChange) personChangeView {
	return personChangeView{ID: c.User.ID, UserName: c.User.UserName, Before: c.Before, After: c.After, Permissions: permissionWords(c.Permissions)}
}

// permissionWords writes changes of permissions: "+flows: view" is gained, "-flows: view" lost.
func permissionWords(list []access.PermissionChange) []string {
	out := make([]string, len(list))
	for i, c := range list {
		sign := "~"
		switch {
		case c.Gained():
			sign = "+"
		case c.Lost():
			sign = "-"
		}
		out[i] = sign + c.Resource + ": " + c.Action
		if c.Before.Level != c.After.Level {
			out[i] += fmt.Sprintf(" (%s to %s)", orDash(c.Before.Level), orDash(c.After.Level))
		}
	}
	return out
}

// write prints rules, resources and roles.
func (v modelPlanView) write(w io.Writer) {
	compareTable(w, "RULE", v.Rules)
	compareTable(w, "RESOURCE", v.Catalogue)
	if len(v.Roles) == 0 {
		return
	}
	t := table{heading: []string{"ROLE", "", "PEOPLE", "PERMISSIONS"}}
	for _, r := range v.Roles {
		outcome := r.Outcome
		if r.To != "" {
			outcome += "; its people get " + string(r.To)
		}
		t.add(r.Title, outcome, fmt.Sprint(r.Holders), firstOr(r.Permissions))
		for i := 1; i < len(r.Permissions); i++ {
			t.add("", "", "", r.Permissions[i])
		}
	}
	t.write(w)
}

func firstOr(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return list[0]
}

func compareTable(w io.Writer, what string, list []identity.Change) {
	if len(list) == 0 {
		return
	}
	t := table{heading: []string{what, "BEFORE", "AFTER"}}
	for _, c := range list {
		t.add(c.Field, cell(c.Before), cell(c.After))
	}
	t.write(w)
}

func cell(v any) string {
	if v == nil {
		return "-"
	}
	return orDash(fmt.Sprint(v))
}

// writePlan prints a plan below the people that were listed already.
func (v modelPlanView) writePlan(w io.Writer, listed int) {
	if v.nothing {
		fmt.Fprintln(w, "It would change nothing.")
		v.write(w)
		return
	}
	if listed > 0 && v.Changed > listed {
		fmt.Fprintf(w, "  … and %d more; --people 0 lists all\n", v.Changed-listed)
	}
	fmt.Fprintf(w, "From %s (version %d) to %s: the permissions of %d of %d people change.\n", clean(v.Before), v.Version, clean(v.After), v.Changed, v.Looked)
	v.write(w)
	for _, text := range v.Warnings {
		fmt.Fprintf(w, "Look after this: %s\n", clean(text))
	}
	for _, text := range v.Obstacles {
		fmt.Fprintf(w, "In the way: %s\n", clean(text))
	}
}
