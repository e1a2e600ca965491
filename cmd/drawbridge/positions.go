package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// positionFlags are what the commands about people say of where somebody stands.
type positionFlags struct {
	kind, unit, team, level string
	external, admin         bool

	said func(flag string) bool // whether a flag was given
}

func (o *positionFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.kind, "type", "", "the user type, by id or title, where the access model has types")
	f.StringVar(&o.unit, "unit", "", "the business unit, by name, path or id")
	f.StringVar(&o.team, "team", "", "the team of that unit")
	f.StringVar(&o.level, "level", "", "how far the person sees at most: personal, team, branch or global")
	f.BoolVar(&o.external, "external", false, "the person does not belong to the organisation")
	f.BoolVar(&o.admin, "admin", false, "the admin flag, where the access model has one")
	o.said = func(flag string) bool { return f.Changed(flag) }
}

// change returns what the flags that were given make of a position. Units are looked up in the person's tenant.
func (o *positionFlags) change(ctx context.Context, b *bridge, tenant identity.TenantID) (func(*identity.Position) error, error) {
	kind, err := o.findType(ctx, b)
	if err != nil {
		return nil, err
	}
	units := unitFlags{tenant: string(tenant)}
	unit, err := units.find(ctx, b, o.unit)
	if err != nil {
		return nil, err
	}
	team, err := units.find(ctx, b, o.team)
	if err != nil {
		return nil, err
	}
	return func(p *identity.Position) error {
		for flag, set := range map[string]func(){
			"type": func() { p.Type = kind }, "unit": func() { p.UnitID = unit.ID }, "team": func() { p.TeamID = team.ID }, "level": func() { p.DataLevel = o.level },
			"external": func() { p.External = o.external }, "admin": func() { p.Admin = o.admin },
		} {
			if o.said(flag) {
				set()
			}
		}
		return nil
	}, nil
}

// findType returns the id of the type that was named by id or title.
func (o *positionFlags) findType(ctx context.Context, b *bridge) (identity.UserTypeID, error) {
	if o.kind == "" {
		return "", nil
	}
	types, err := b.people.UserTypes(ctx, identity.Operator())
	for _, t := range types {
		if string(t.ID) == o.kind || strings.EqualFold(t.Title, o.kind) {
			return t.ID, nil
		}
	}
	return identity.UserTypeID(o.kind), err
}

func (p *program) userPosition() *cobra.Command {
	var o positionFlags
	var reason string
	cmd := &cobra.Command{
		Use: "position USER", Short: "Change where a person stands: type, business unit, team, data level, external, admin flag",
		Long: `Changes what the flags name and leaves the rest. An empty value gives back the access model's default, as --type "". A person who goes to another
unit leaves the team.`,
		Example: "  drawbridge user position ada@example.com --unit East --team Night --level branch\n  drawbridge user position ada@example.com --admin=false --reason \"changed jobs\"",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.setPosition(ctx, b, args[0], o, reason) })
		}),
	}
	o.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) setPosition(ctx context.Context, b *bridge, word string, o positionFlags, reason string) error {
	u, err := b.findUser(ctx, word)
	if err != nil {
		return err
	}
	change, err := o.change(ctx, b, u.TenantID)
	if err != nil {
		return err
	}
	if _, err := b.people.SetPosition(ctx, identity.Operator(), u.ID, change, reason); err != nil {
		return err
	}
	d, err := b.people.UserDetail(ctx, identity.Operator(), u.ID)
	if err != nil {
		return err
	}
	v := viewStanding(d.Standing)
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s:\n", clean(u.Label()))
		fields(w, standingPairs(d.Standing)...)
	})
}

type standingView struct {
	Type      identity.UserTypeID `json:"type,omitempty"`
	TypeTitle string              `json:"type_title,omitempty"`
	UnitID    identity.UnitID     `json:"unit_id,omitempty"`
	Unit      string              `json:"unit,omitempty"`
	TeamID    identity.UnitID     `json:"team_id,omitempty"`
	Team      string              `json:"team,omitempty"`
	Level     string              `json:"data_level,omitempty"`
	External  bool                `json:"external,omitempty"`
	Admin     bool                `json:"admin,omitempty"`
}

func viewStanding(s provisioning.Standing) standingView {
	return standingView{s.Type, s.TypeTitle, s.UnitID, s.UnitName, s.TeamID, s.TeamName, s.DataLevel, s.External, s.Admin}
}

// standingPairs are the lines of where somebody stands; what the access model has no word for is left out.
func standingPairs(s provisioning.Standing) []string {
	return []string{"Type", s.TypeTitle, "Unit", s.UnitName, "Team", s.TeamName, "Sees as far as", s.DataLevel, "External", yes(s.External), "Admin flag", yes(s.Admin)}
}

type signedInView struct {
	Method       string                `json:"method,omitempty"`
	ConnectionID identity.ConnectionID `json:"connection_id,omitempty"`
	Connection   string                `json:"connection,omitempty"`
}

func viewSignedIn(s *provisioning.SignedIn) *signedInView {
	if s == nil {
		return nil
	}
	return &signedInView{s.Method, s.ConnectionID, s.ConnectionName}
}

// signedInBy tells how the last sign-in was made.
func signedInBy(s *provisioning.SignedIn) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(s.Method + " " + s.ConnectionName)
}

// positionFilter is what a list of people asks of where they stand.
type positionFilter struct{ kind, unit, belongs string }

func (o *positionFilter) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.kind, "type", "", "only people of this user type")
	f.StringVar(&o.unit, "unit", "", "only people of this business unit or team, or below it")
	f.StringVar(&o.belongs, "external", "", "yes: only people who do not belong to the organisation; no: only those who do")
}

func (o *positionFilter) narrow(ctx context.Context, b *bridge, tenant string, q *identity.Query) error {
	var err error
	if q.Type, err = (&positionFlags{kind: o.kind}).findType(ctx, b); err != nil {
		return err
	}
	unit, err := (&unitFlags{tenant}).find(ctx, b, o.unit)
	if err != nil {
		return err
	}
	q.Unit = unit.ID
	switch o.belongs {
	case "":
	case "yes", "no":
		external := o.belongs == "yes"
		q.External = &external
	default:
		return usage("user list", "--external is %q; write yes or no", o.belongs)
	}
	return nil
}
