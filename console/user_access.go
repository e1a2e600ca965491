package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// accessCard says what somebody may do and why.
type accessCard struct {
	Rows    []whyRow
	Limit   identity.Status // of an account that may do nothing at present, whatever the roles say
	Level   string          // how far the person sees at most; empty: no data levels
	Unit    string
	Gate    string // the title of what the roles must have to grant anything, where the person has it not
	Steps   []provisioning.RoleStep
	Actions []accessAction
	Asked   string // the action that was asked about
	Answer  *provisioning.Answer
}

// whyRow is one resource with what somebody may do with it.
type whyRow struct {
	Title     string
	Level     string // the access model's word for the actions, else the actions
	None      bool
	Sensitive bool
	Why       []accessWhy
	Reason    string // why not, in the words of the decision
	Missing   string // the record that is missing for what the roles grant
}

// accessWhy is one path by which somebody may do it: a role and where that came from; or the admin flag, which has no role.
type accessWhy struct {
	Role      string
	Flag      string // the word for the admin flag
	Source    identity.SourceKind
	From      string
	GrantedBy string
	Reason    string
	Level     string // how far it goes
	Partly    string // the actions, where this path grants less than all that the person may do
	Since     time.Time
}

// accessAction is one question of the small check.
type accessAction struct {
	Value, Resource string
	Actions         []string // one
}

func (d *Door) accessCard(r *http.Request, v visit, b *userBody) (accessCard, error) {
	holder, err := d.prov.UserAccess(r.Context(), v.Actor, b.User.ID)
	if err != nil {
		return accessCard{}, err
	}
	decided, err := d.prov.Permissions(r.Context(), v.Actor, b.User.ID)
	if err != nil {
		return accessCard{}, err
	}
	var c accessCard
	if status := b.User.Status(); status != identity.StatusActive {
		c.Limit = status
	}
	if levels, where, _ := v.prov.Model().DataLevels(); len(levels) > 0 && where == "user" {
		c.Level, c.Unit = b.Standing.DataLevel, b.Standing.UnitName
	}
	c.Rows = v.mayRows(holder, decided, &c)
	history, err := d.prov.RoleHistory(r.Context(), v.Actor, b.User.ID, identity.Query{Limit: recentSize})
	if err != nil {
		return c, err
	}
	c.Steps = history.Items
	return c, d.answer(r, v, b, decided, &c)
}

// mayRows joins what the paths grant with what is decided, in the order of the catalogue.
func (v visit) mayRows(holder provisioning.AccessHolder, decided provisioning.Access, c *accessCard) []whyRow {
	flag, _ := v.prov.Model().AdminFlag()
	var out []whyRow
	for _, resource := range v.prov.Model().Catalogue() {
		row := whyRow{Title: resource.Title, Sensitive: resource.Sensitive}
		var may []string
		for _, p := range holder.Paths {
			for _, g := range p.Grants {
				if g.Resource.ID != resource.ID {
					continue
				}
				why := accessWhy{Role: p.Role.Title, Source: p.Source, From: p.From, GrantedBy: p.GrantedBy, Reason: p.Reason, Level: g.DataLevel, Since: p.Since, Partly: strings.Join(g.Actions, ", ")}
				if p.Role.ID == "" {
					why.Flag = flag
				}
				row.Why = append(row.Why, why)
				may = append(may, g.Actions...)
			}
		}
		may = slices.DeleteFunc(slices.Clone(resource.Actions), func(action string) bool { return !slices.Contains(may, action) })
		if resource.Self {
			may = resource.Actions
		}
		row.None, row.Level = len(may) == 0, v.levelName(resource.ID, may)
		for i := range row.Why {
			if row.Why[i].Partly == strings.Join(may, ", ") {
				row.Why[i].Partly = ""
			}
		}
		row.explain(resource.ID, decided)
		if resource.Gate && row.None {
			c.Gate = resource.Title
		}
		out = append(out, row)
	}
	return out
}

// levelName is the access model's word for some actions of a resource, where it has one for exactly these.
func (v visit) levelName(resource string, actions []string) string {
	for _, l := range v.prov.Model().Levels(resource) {
		if slices.Equal(l.Actions, actions) && l.Name != "all" && l.Name != "none" {
			return l.Name
		}
	}
	return strings.Join(actions, ", ")
}

// explain takes over why nothing of a resource is granted, as the decision says it.
func (row *whyRow) explain(resource string, decided provisioning.Access) {
	for _, a := range decided.Answers {
		if a.Resource.ID == resource && !a.Allowed && row.None {
			row.Reason = titled(a.Reason, resource, a.Resource.Title)
			return
		}
		if a.Resource.ID == resource && a.Resource.Self {
			row.Reason = titled(a.Reason, resource, a.Resource.Title)
		}
	}
}

// answer is the small check: may this person do that?
func (d *Door) answer(r *http.Request, v visit, b *userBody, decided provisioning.Access, c *accessCard) error {
	for _, a := range decided.Answers {
		c.Actions = append(c.Actions, accessAction{Value: a.Resource.ID + ":" + a.Action, Resource: a.Resource.Title, Actions: []string{a.Action}})
	}
	asked := func(a accessAction) bool { return a.Value == r.FormValue("may") }
	i := slices.IndexFunc(c.Actions, asked)
	if i < 0 {
		return nil
	}
	resource, action, _ := strings.Cut(c.Actions[i].Value, ":")
	answer, err := d.prov.Check(r.Context(), v.Actor, b.User.ID, resource, action)
	answer.Reason = v.worded(answer.Reason)
	c.Asked, c.Answer = c.Actions[i].Value, &answer
	return err
}
