package provisioning

import (
	"bytes"
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ModelChange is an access model that should take the place of the one in force.
type ModelChange struct {
	Name     string // the preset or the file, for messages
	Source   []byte
	Reset    bool                                // take the model's roles also where somebody edited those of the one in force
	Reassign map[identity.RoleID]identity.RoleID // a role that goes -> the role that its people get
	Reason   string
}

// ModelPlan is what putting an access model in force would do, or did.
type ModelPlan struct {
	Version   int64 // of what is in force; ApplyModel wants it
	Before    ModelName
	After     ModelName
	Rules     []identity.Change // what is said beside roles, by path
	Catalogue []identity.Change
	Roles     []RoleOutcome // that come, go, change, or stay because somebody edited them
	People    int           // looked at
	Changed   int           // whose permissions change
	Obstacles []string      // why it cannot be applied, one sentence each
	Warnings  []string      // what somebody should look after, one sentence each
}

// ModelName is how a model is called.
type ModelName struct{ Name, Title string }

// Nothing reports whether the plan changes nothing.
func (p ModelPlan) Nothing() bool {
	return len(p.Rules)+len(p.Catalogue)+p.Changed == 0 && p.Before == p.After && !p.changesRoles()
}

func (p ModelPlan) changesRoles() bool {
	for _, r := range p.Roles {
		if r.Before == nil || r.After == nil || !sameRole(*r.Before, *r.After) {
			return true
		}
	}
	return false
}

// RoleOutcome is what becomes of a role.
type RoleOutcome struct {
	access.RoleDifference
	Kept    bool            // it differs from the file's, because somebody edited it
	Holders int             // people who hold it, deleted ones too
	To      identity.RoleID // of a role that goes: which role they get
}

// PersonChange is a person whose permissions change.
type PersonChange struct {
	User        identity.User
	Before      []identity.RoleID
	After       []identity.RoleID
	Permissions []access.PermissionChange
}

// ModelInForce is the access model that is in force.
type ModelInForce struct {
	ModelName
	Version   int64
	AppliedBy string
	AppliedAt time.Time
	Source    []byte
}

// ModelInForce returns the access model that is in force. Whoever runs the installation sees it.
func (s *Service) ModelInForce(ctx context.Context, by identity.Actor) (ModelInForce, error) {
	var out ModelInForce
	if err := s.household(ctx, by); err != nil {
		return out, err
	}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		r, err := tx.AccessModelRecord(ctx, identity.DefaultApplication)
		if err == nil {
			err = s.model.Refresh(ctx, tx)
		}
		out = ModelInForce{ModelName: ModelName{r.Name, s.model.Title()}, Version: r.Version, AppliedBy: r.AppliedBy, AppliedAt: r.AppliedAt, Source: r.Document}
		return err
	})
	return out, err
}

// ModelDiffers reports whether an access model's document is another than the one in force, which the database owns once it was started.
func (s *Service) ModelDiffers(source []byte) bool { return !bytes.Equal(source, s.model.Source()) }

// PlanModel says what putting an access model in force would do, and changes nothing: rule by rule, role by role, and person by person. Each is called, in
// the order of people's ids, for exactly those whose permissions change, as far as roles, the admin flag, records and levels go; nil only counts them.
// People are read in pages, so that any number of them needs the same memory. Only the platform plans. A document with mistakes, and a reassignment
// that cannot be, are Invalid.
func (s *Service) PlanModel(ctx context.Context, by identity.Actor, c ModelChange, each func(PersonChange) error) (ModelPlan, error) {
	if err := s.platform(by); err != nil {
		return ModelPlan{}, err
	}
	var plan ModelPlan
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p, err := planModel(ctx, tx, c, each)
		if err == nil {
			plan = p.plan
		}
		return err
	})
	return plan, err
}

// planning is a plan in the making.
type planning struct {
	plan          ModelPlan
	change        ModelChange
	before, after *access.Model
	defs          []identity.RoleDefinition // of the roles afterwards
	effects       map[string][]access.PermissionChange
	seats         seatCount
	tenants       map[identity.TenantID]string
}

func planModel(ctx context.Context, tx *store.Tx, c ModelChange, each func(PersonChange) error) (*planning, error) {
	record, err := tx.AccessModelRecord(ctx, identity.DefaultApplication)
	if err != nil {
		return nil, err
	}
	defs, err := tx.RoleDefinitions(ctx, identity.DefaultApplication)
	if err != nil {
		return nil, err
	}
	p, err := newPlanning(record, defs, c)
	if err != nil {
		return nil, err
	}
	if err := p.readTenants(ctx, tx); err != nil {
		return nil, err
	}
	if err := p.planRoles(ctx, tx); err != nil {
		return nil, err
	}
	if err := p.planPeople(ctx, tx, each); err != nil {
		return nil, err
	}
	return p, p.planRules(ctx, tx)
}

func newPlanning(record store.AccessModelRecord, defs []identity.RoleDefinition, c ModelChange) (*planning, error) {
	p := &planning{change: c, effects: map[string][]access.PermissionChange{}, seats: newSeatCount()}
	var err error
	if p.before, err = access.Assemble(record.Name, record.Document, record.Version, defs); err != nil {
		return nil, err
	}
	shipped, err := access.Parse(record.Name, record.Document)
	if err != nil {
		return nil, err
	}
	file, err := access.Parse(c.Name, c.Source)
	if err != nil {
		return nil, err
	}
	p.defs = mergeRoles(shipped.Definitions(), defs, file, c.Reset)
	if p.after, err = access.Assemble(c.Name, c.Source, record.Version, p.defs); err != nil {
		return nil, err
	}
	p.plan = ModelPlan{Version: record.Version, Before: ModelName{p.before.Name(), p.before.Title()}, After: ModelName{p.after.Name(), p.after.Title()}}
	d := p.before.Diff(p.after)
	p.plan.Rules, p.plan.Catalogue = d.Rules, d.Catalogue
	for _, r := range d.Roles {
		p.plan.Roles = append(p.plan.Roles, RoleOutcome{RoleDifference: r, To: c.Reassign[r.ID]})
	}
	p.markKept(file)
	return p, p.checkReassign()
}

func (p *planning) obstacle(format string, args ...any) {
	p.plan.Obstacles = append(p.plan.Obstacles, identity.Errorf(identity.Conflict, format, args...).Message)
}

func (p *planning) warn(format string, args ...any) {
	p.plan.Warnings = append(p.plan.Warnings, identity.Errorf(identity.Conflict, format, args...).Message)
}
