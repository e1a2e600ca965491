package provisioning_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// settle writes many people of a tenant straight into the database; role says which role each gets.
func (h *house) settle(tenant identity.TenantID, n int, role func(i int) identity.RoleID) []identity.UserID {
	h.t.Helper()
	var ids []identity.UserID
	now := time.Now().UTC().Truncate(time.Microsecond)
	for start := 0; start < n; start += 100 {
		var users []identity.User
		var given []identity.Assignment
		for i := start; i < min(n, start+100); i++ {
			u := person(fmt.Sprintf("p%05d@example.com", i))
			u.ID, u.TenantID, u.Version, u.CreatedAt, u.UpdatedAt = identity.NewID[identity.UserID](), tenant, 1, now, now
			users, ids = append(users, u), append(ids, u.ID)
			given = append(given, identity.Assignment{
				ID: identity.NewID[identity.AssignmentID](), UserID: u.ID, RoleID: role(i), Application: identity.DefaultApplication,
				Source: identity.SourceManual, GrantedBy: "test", CreatedAt: now,
			})
		}
		err := h.db.Update(h.ctx, func(tx *store.Tx) error {
			if err := tx.InsertUser(h.ctx, users...); err != nil {
				return err
			}
			return tx.InsertAssignment(h.ctx, given...)
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return ids
}

// etlworks returns the preset's file with words replaced.
func etlworks(t *testing.T, replace ...string) provisioning.ModelChange {
	t.Helper()
	source := string(must[*access.Model](t)(access.Load("etlworks")).Source())
	changed := strings.NewReplacer(replace...).Replace(source)
	if len(replace) > 0 && changed == source {
		t.Fatal("nothing was replaced")
	}
	return provisioning.ModelChange{Name: "etlworks.yaml", Source: []byte(changed)}
}

func other(t *testing.T, name string) provisioning.ModelChange {
	t.Helper()
	return provisioning.ModelChange{Name: name, Source: must[*access.Model](t)(access.Load(name)).Source()}
}

const viewerSees = "grants: {flows: [view], schedules: [view], exec_stats: [view], builtin_api: [call]}"

func TestAPlanListsExactlyThoseWhosePermissionsChange(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, many := h.tenant("Acme"), 10_000
		if testing.Short() {
			many = 1_000
		}
		ids := h.settle(acme.ID, many, func(i int) identity.RoleID {
			switch {
			case i%97 == 0:
				return "viewer"
			case i%2 == 0:
				return "operator"
			}
			return "editor"
		})
		var want, got []identity.UserID
		for i, id := range ids {
			if i%97 == 0 {
				want = append(want, id)
			}
		}
		c := etlworks(t, viewerSees, "grants: {flows: [view], schedules: [view], explorer: [view]}")
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, func(p provisioning.PersonChange) error {
			got = append(got, p.User.ID)
			if len(p.Permissions) != 3 || !p.Permissions[0].Gained() || !p.Permissions[1].Lost() || p.Permissions[2].Resource != "builtin_api" {
				return fmt.Errorf("%s: %+v", p.User.UserName, p.Permissions)
			}
			return nil
		}))
		slices.Sort(want)
		if plan.People != many || plan.Changed != len(want) || !slices.Equal(got, want) {
			t.Fatalf("%d of %d people change, %d were listed; want %d", plan.Changed, plan.People, len(got), len(want))
		}
		if len(plan.Roles) != 1 || plan.Roles[0].ID != "viewer" || plan.Roles[0].Holders != len(want) || len(plan.Obstacles) != 0 {
			t.Errorf("roles %+v, obstacles %v", plan.Roles, plan.Obstacles)
		}
		if d := must[provisioning.Answer](t)(h.Check(h.ctx, h.op, ids[0], "explorer", "view")); d.Allowed {
			t.Error("a plan changed something")
		}
	})
}

func TestAnAppliedModelCountsAtOnceAndIsAnEvent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		vera := h.userIn(acme.ID, "vera@acme.example", "viewer")
		h.signedIn(vera.ID)
		c := etlworks(t, viewerSees, "grants: {flows: [view], explorer: [view]}", "invite_ttl: 72h", "invite_ttl: 24h")
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		if len(plan.Rules) != 1 || plan.Rules[0].Field != "onboarding.invite_ttl" || plan.Rules[0].Before != "72h" || plan.Rules[0].After != "24h" {
			t.Errorf("rules %+v", plan.Rules)
		}
		must[provisioning.ModelPlan](t)(h.ApplyModel(h.ctx, h.op, c, plan.Version))
		if d := must[provisioning.Answer](t)(h.Check(h.ctx, h.op, vera.ID, "explorer", "view")); !d.Allowed {
			t.Errorf("after the apply: %+v", d.Decision)
		}
		page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.ModelApplied, Limit: 5}))
		if len(page.Items) != 1 || page.Items[0].ObjectID != "etlworks" || page.Items[0].ActorLabel != "operator" {
			t.Fatalf("events %+v", page.Items)
		}
		text := fmt.Sprint(page.Items[0].Changes)
		for _, want := range []string{"role viewer", "Viewer; builtin_api: call; exec_stats: view; flows: view; schedules: view", "Viewer; explorer: view; flows: view", "version"} {
			if !strings.Contains(text, want) {
				t.Errorf("the event does not say %q: %s", want, text)
			}
		}
		_, err := h.ApplyModel(h.ctx, h.op, c, plan.Version)
		wantKind(t, err, identity.Precondition, "model_changed")
		again := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		if !again.Nothing() {
			t.Errorf("the same model would change %+v", again)
		}
	})
}

func TestPeopleWhoseRoleGoesGetAnotherOrNothingHappens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		oda := h.userIn(acme.ID, "oda@acme.example", "operator")
		line := "  - {id: operator, title: Operator, scope: tenant,"
		source := string(etlworks(t).Source)
		from := strings.Index(source, "  - id: operator")
		to := strings.Index(source, "  - {id: viewer")
		if from < 0 || to < from {
			t.Fatal(line)
		}
		c := provisioning.ModelChange{Name: "new.yaml", Source: []byte(source[:from] + source[to:])}
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		if len(plan.Obstacles) != 2 || plan.Obstacles[0] != "Operator goes and one person holds it; say which role they get (--reassign operator=ROLE)." {
			t.Fatalf("obstacles %q", plan.Obstacles)
		}
		_, err := h.ApplyModel(h.ctx, h.op, c, plan.Version)
		wantKind(t, err, identity.Conflict, "model_obstacles")
		if got := h.roles(oda.ID); got != "operator " {
			t.Fatalf("refused, and yet she is %s", got)
		}
		for _, bad := range []map[identity.RoleID]identity.RoleID{{"operator": "nobody"}, {"operator": "superadmin"}, {"viewer": "editor"}} {
			c.Reassign = bad
			_, err := h.PlanModel(h.ctx, h.op, c, nil)
			wantKind(t, err, identity.Invalid, "")
		}
		c.Reassign, c.Reason = map[identity.RoleID]identity.RoleID{"operator": "viewer"}, "operators are viewers now"
		plan = must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		must[provisioning.ModelPlan](t)(h.ApplyModel(h.ctx, h.op, c, plan.Version))
		if got := h.roles(oda.ID); got != "viewer " {
			t.Errorf("she is %s", got)
		}
		events := h.events(oda.ID)
		if !slices.Equal(events[len(events)-2:], []identity.EventType{identity.RoleRemoved, identity.RoleAssigned}) &&
			!slices.Equal(events[len(events)-2:], []identity.EventType{identity.RoleAssigned, identity.RoleRemoved}) {
			t.Errorf("her events are %v", events)
		}
	})
}

func TestEditedRolesStayUnlessTheyAreReset(t *testing.T) {
	eachWith(t, "fentu-connect", func(t *testing.T, h *house) {
		err := h.db.Update(h.ctx, func(tx *store.Tx) error {
			defs, err := tx.RoleDefinitions(h.ctx, identity.DefaultApplication)
			if err != nil {
				return err
			}
			for _, d := range defs {
				if d.ID == "restricted" {
					d.Grants = map[string][]string{"visible": {"on"}, "home": {"view"}}
					d.Version++
					if err := tx.PutRole(h.ctx, d); err != nil {
						return err
					}
				}
			}
			own := identity.RoleDefinition{
				Role:       identity.Role{Application: identity.DefaultApplication, ID: "night", Title: "Night shift", Scope: identity.ScopeTenant, Interactive: true},
				Assignable: true, Version: 1, Grants: map[string][]string{"visible": {"on"}, "inbound": {"view"}},
			}
			if err := tx.PutRole(h.ctx, own); err != nil {
				return err
			}
			return tx.RaiseAccessVersion(h.ctx, identity.DefaultApplication)
		})
		if err != nil {
			t.Fatal(err)
		}
		c := other(t, "fentu-connect")
		c.Source = []byte(strings.Replace(string(c.Source), "title: No credentials", "title: Restricted", 1))
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		if !plan.Nothing() || len(plan.Roles) != 2 || !plan.Roles[0].Kept || plan.Roles[0].After.Title != "No credentials" {
			t.Errorf("an edited role is %+v", plan.Roles)
		}
		c.Reset = true
		plan = must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		must[provisioning.ModelPlan](t)(h.ApplyModel(h.ctx, h.op, c, plan.Version))
		if r, _ := h.Model().Role("restricted"); r.Title != "Restricted" {
			t.Errorf("after the reset it is called %q", r.Title)
		}
		if _, ok := h.Model().Role("night"); !ok {
			t.Error("a role that somebody made is gone")
		}
		fixed := other(t, "fluentpro-backup")
		plan = must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, fixed, nil))
		must[provisioning.ModelPlan](t)(h.ApplyModel(h.ctx, h.op, fixed, plan.Version))
		var ids []identity.RoleID
		for _, r := range h.Model().Roles() {
			ids = append(ids, r.ID)
		}
		slices.Sort(ids)
		if !slices.Equal(ids, []identity.RoleID{"admin", "member", "owner", "superadmin", "viewer"}) {
			t.Errorf("a model that fixes its roles has %v", ids)
		}
	})
}

func TestAModelThatDoesNotFitThePeopleIsNotApplied(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		h.admin("root@example.com")
		h.userIn(acme.ID, "ada@acme.example", "administrator")
		c := other(t, "fluentpro-backup")
		c.Reassign = map[identity.RoleID]identity.RoleID{"administrator": "viewer"}
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		if !slices.Contains(plan.Obstacles, "Nobody of Acme could change people any more.") {
			t.Errorf("obstacles %q", plan.Obstacles)
		}
		if !slices.Contains(plan.Warnings, "Tenants that have no Owner yet need one: transfer the ownership to somebody.") {
			t.Errorf("warnings %q", plan.Warnings)
		}
		plan = must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, other(t, "fentu-fsm"), nil))
		if !slices.Contains(plan.Obstacles, "The access model fentu-fsm knows one tenant only, Main; move the one user of Acme there first.") {
			t.Errorf("obstacles %q", plan.Obstacles)
		}
		c.Reassign = map[identity.RoleID]identity.RoleID{"administrator": "admin"}
		plan = must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		if len(plan.Obstacles) != 0 {
			t.Errorf("obstacles %q", plan.Obstacles)
		}
		ada := h.as(h.userIn(acme.ID, "eva@acme.example", "administrator").ID)
		_, err := h.PlanModel(h.ctx, ada, c, nil)
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.ApplyModel(h.ctx, ada, c, plan.Version)
		wantKind(t, err, identity.Forbidden, "")
		c.Source = []byte("name: broken")
		_, err = h.PlanModel(h.ctx, h.op, c, nil)
		wantKind(t, err, identity.Invalid, "")
	})
}

// signedIn makes somebody an active user.
func (h *house) signedIn(id identity.UserID) {
	h.t.Helper()
	if err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.SetLastLogin(h.ctx, id, tx.Now()) }); err != nil {
		h.t.Fatal(err)
	}
}

func TestOfTwoWhoApplyAtOnceOneIsTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		replica := provisioning.New(h.db, must[*access.Model](t)(access.Load("etlworks")))
		a := etlworks(t, viewerSees, "grants: {flows: [view]}")
		b := etlworks(t, viewerSees, "grants: {schedules: [view]}")
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, a, nil))
		errs := make(chan error, 2)
		go func() { _, err := h.ApplyModel(h.ctx, h.op, a, plan.Version); errs <- err }()
		go func() { _, err := replica.ApplyModel(h.ctx, h.op, b, plan.Version); errs <- err }()
		one, two := <-errs, <-errs
		if one == nil {
			one, two = two, one
		}
		if two != nil {
			t.Fatalf("nobody applied: %v, %v", one, two)
		}
		wantKind(t, one, identity.Precondition, "model_changed")
		vera := h.userIn(h.tenant("Acme").ID, "vera@acme.example", "viewer")
		h.signedIn(vera.ID)
		for _, action := range []string{"flows", "schedules"} {
			here := must[provisioning.Answer](t)(h.Check(h.ctx, h.op, vera.ID, action, "view"))
			there := must[provisioning.Answer](t)(replica.Check(h.ctx, h.op, vera.ID, action, "view"))
			if here.Decision != there.Decision {
				t.Errorf("two replicas say %+v and %+v", here.Decision, there.Decision)
			}
		}
	})
}

func TestAModelBringsItsTypesAndItsOrganisation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := other(t, "fentu-fsm")
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		must[provisioning.ModelPlan](t)(h.ApplyModel(h.ctx, h.op, c, plan.Version))
		types := must[[]identity.UserType](t)(h.UserTypes(h.ctx, h.op))
		if len(types) != 6 || types[2].Title != "Technician" || types[2].DefaultRole != "technician" {
			t.Errorf("the types are %+v", types)
		}
		if root := h.root(); root.Name != "Main" || root.TenantID != h.home().ID {
			t.Errorf("the root is %+v", root)
		}
		back := etlworks(t)
		plan = must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, back, nil))
		must[provisioning.ModelPlan](t)(h.ApplyModel(h.ctx, h.op, back, plan.Version))
		if h.Model().Name() != "etlworks" || h.Model().Single() {
			t.Errorf("back is %s", h.Model().Name())
		}
	})
}

func TestAModelThatAllowsFewerRolesRefusesWhoHasMore(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		u := h.clerk("uma", "officer", identity.Position{})
		must[identity.User](t)(h.AssignRole(h.ctx, h.op, u.ID, "auditor", "season"))
		c := other(t, "fintechos")
		c.Source = []byte(strings.Replace(string(c.Source), "assignment: {min: 1, max: 0}", "assignment: {min: 1, max: 1}", 1))
		plan := must[provisioning.ModelPlan](t)(h.PlanModel(h.ctx, h.op, c, nil))
		if !slices.Equal(plan.Obstacles, []string{"One person has more roles than the access model allows (1); take some away first."}) {
			t.Errorf("obstacles %q", plan.Obstacles)
		}
		_, err := h.ApplyModel(h.ctx, h.op, c, plan.Version)
		wantKind(t, err, identity.Conflict, "model_obstacles")
	})
}
