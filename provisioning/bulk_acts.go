package provisioning

import (
	"context"
	"io"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// BulkKind says what is to happen to many people.
type BulkKind string

// The bulk acts. Each is what an administrator does by hand to one person, with its rules.
const (
	BulkDeactivate BulkKind = "deactivate"
	BulkActivate   BulkKind = "activate"
	BulkAssignRole BulkKind = "assign-role" // one more
	BulkRemoveRole BulkKind = "remove-role"
	BulkSetRole    BulkKind = "set-role" // in place of all that administrators gave
	BulkSetUnit    BulkKind = "set-unit"
	BulkMove       BulkKind = "move" // to a tenant with a role, as a placement
)

// BulkKinds are all bulk acts.
func BulkKinds() []BulkKind {
	return []BulkKind{BulkDeactivate, BulkActivate, BulkAssignRole, BulkRemoveRole, BulkSetRole, BulkSetUnit, BulkMove}
}

// BulkAct is something that is to happen to many people.
type BulkAct struct {
	Act    BulkKind
	Users  []identity.UserID // to whom; where there are none, to those of Filter
	Filter *identity.Query   // the filters of the list of people; at which page it is does not count
	Role   identity.RoleID   // of assign-role, remove-role, set-role and move
	Tenant identity.TenantID // of move: where to
	Unit   string            // of set-unit: the name, path or id of a business unit; empty: the root
	Reason string

	Most int // more people than that may a filter not find; 0: any number

	Progress func(people int) // called now and then with how many were looked at
	made     func(identity.Plan)
}

// sourceBulk is the source of plans of bulk acts. Nobody is known to it: what such a plan does is an administrator's word.
const sourceBulk = "bulk"

// bulkStep is what a step of a bulk act does to its person.
type bulkStep struct {
	Act    BulkKind          `json:"act"`
	Role   identity.RoleID   `json:"role,omitempty"`
	Tenant identity.TenantID `json:"tenant,omitempty"`
	Unit   string            `json:"unit,omitempty"`
	Reason string            `json:"reason,omitempty"`
}

// PlanBulk computes what a bulk act would do, person by person, and changes nothing: the plan is shown, held by guards, carried out and undone as one of a file. Whoever a rule keeps is
// a step with the rule's sentence, and the others go on.
func (s *Service) PlanBulk(ctx context.Context, by identity.Actor, act BulkAct) (identity.Plan, error) {
	plan := identity.Plan{
		ID: identity.NewID[identity.PlanID](), Kind: identity.PlanBulk, Source: sourceBulk, FileName: string(act.Act), State: identity.PlanComputing, CreatedBy: by.Label,
		Options: identity.PlanOptions{Welcome: identity.WelcomeNone, Moves: act.Act == BulkMove},
	}
	step, err := s.checkBulk(ctx, by, act)
	if err != nil {
		return plan, err
	}
	scope, err := s.planScope(ctx, by, &plan)
	if err == nil {
		err = s.countFound(ctx, by, act)
	}
	if err != nil {
		return plan, err
	}
	if act.Act == BulkMove { // people go from one tenant to another
		scope = store.Everything()
		if by.TenantID == "" && !s.model.Single() {
			plan.TenantID = ""
		}
	}
	return s.makePlan(ctx, by, scope, plan, s.bulkRows(ctx, by, act, step), ImportOptions{Progress: act.Progress, Made: act.made})
}

// checkBulk refuses what needs nobody to be refused.
func (s *Service) checkBulk(ctx context.Context, by identity.Actor, act BulkAct) (bulkStep, error) {
	step := bulkStep{Act: act.Act, Role: act.Role, Tenant: act.Tenant, Unit: identity.TidyText(act.Unit)}
	if _, err := s.byHand(by); err != nil {
		return step, err
	}
	var err error
	if step.Reason, err = s.checkReason(act.Reason); err != nil {
		return step, err
	}
	_, units := s.model.Units()
	role, known := s.model.Role(act.Role)
	roled := slices.Contains([]BulkKind{BulkAssignRole, BulkRemoveRole, BulkSetRole, BulkMove}, act.Act)
	switch {
	case !slices.Contains(BulkKinds(), act.Act):
		return step, identity.Errorf(identity.Invalid, "There is no bulk act %q.", act.Act).WithField("act")
	case len(act.Users) == 0 && act.Filter != nil && act.Filter.Deleted:
		return step, deletedPeople()
	case len(act.Users) == 0 && act.Filter == nil:
		return step, identity.Errorf(identity.Invalid, "Say to whom it is to happen.").WithField("users")
	case roled && !known:
		return step, identity.Errorf(identity.Invalid, "Choose a role of the access model %s.", s.model.Name()).WithField("role")
	case act.Act == BulkSetUnit && !units:
		return step, identity.Errorf(identity.Invalid, "The access model %s has no business units.", s.model.Name()).WithField("unit")
	case act.Act == BulkMove && (!validIDs(&step.Tenant) || step.Tenant == "" && role.Scope != identity.ScopePlatform):
		return step, identity.Errorf(identity.Invalid, "Choose the tenant to which they go.").WithField("tenant")
	case act.Act == BulkMove:
		err = s.household(ctx, by)
	}
	for i := range act.Users {
		if act.Users[i] == "" || !validIDs(&act.Users[i]) {
			return step, noUser()
		}
	}
	return step, err
}

// bulkRows makes a row of each person.
func (s *Service) bulkRows(ctx context.Context, by identity.Actor, act BulkAct, step bulkStep) rowSource {
	next := s.bulkPeople(ctx, by, act)
	line := 0
	return func() (importRow, error) {
		id, err := next()
		if err != nil {
			return importRow{}, err
		}
		line++
		return importRow{line: line, fields: personFields{fieldID: string(id)}, bulk: &step}, nil
	}
}

// bulkPeople hands over to whom a bulk act is to happen; io.EOF ends them.
func (s *Service) bulkPeople(ctx context.Context, by identity.Actor, act BulkAct) func() (identity.UserID, error) {
	ids, more := slices.Clone(act.Users), len(act.Users) == 0
	slices.Sort(ids)
	ids = slices.Compact(ids)
	q := foundBy(act.Filter)
	q.Limit = planChunk
	return func() (identity.UserID, error) {
		if len(ids) == 0 && more {
			page, err := s.peopleOfBulk(ctx, by, act.Act, q)
			if err != nil {
				return "", err
			}
			for _, u := range page.Items {
				ids = append(ids, u.ID)
				q.After = string(u.ID)
			}
			more = page.More
		}
		if len(ids) == 0 {
			return "", io.EOF
		}
		id := ids[0]
		ids = ids[1:]
		return id, nil
	}
}

// peopleOfBulk returns the people of a filter: those who wait to be placed for whoever may place them, else whom the actor sees.
func (s *Service) peopleOfBulk(ctx context.Context, by identity.Actor, act BulkKind, q identity.Query) (identity.Page[identity.User], error) {
	if act == BulkMove && q.Tenant != "" && q.Tenant != by.TenantID {
		landing, err := s.Landing(ctx)
		if err != nil {
			return identity.Page[identity.User]{}, err
		}
		if landing.ID == q.Tenant {
			return s.Landed(ctx, by, q)
		}
	}
	return s.Users(ctx, by, q)
}
