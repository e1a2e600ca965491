package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// planner computes and carries out the steps of one plan. Both go the same way: what is computed is carried out and undone, so that a refusal is the same sentence.
type planner struct {
	s       *Service
	by      identity.Actor
	scope   store.Scope
	plan    identity.Plan
	names   *names
	match   *matcher
	leaders leaders
	gone    *gone           // whom the source knew and who is deleted; nil until a row asks
	word    *identity.Actor // in whose name records are put back; nil until a step asks
}

func (s *Service) planner(by identity.Actor, scope store.Scope, plan identity.Plan) *planner {
	return &planner{s: s, by: by, scope: scope, plan: plan, names: s.names(scope), match: newMatcher(plan, scope), leaders: leaders{}}
}

// fromSource reports whether the rows are a source's word, and not that of an administrator who chose people, or who undoes a plan.
func (p *planner) fromSource() bool {
	return p.plan.Kind != identity.PlanBulk && p.plan.Kind != identity.PlanUndo
}

// effect is what a step did, or would do, to one person.
type effect struct {
	user    identity.User // as it is afterwards
	seen    int64         // the version before
	before  personFields  // nil: nobody was there
	after   personFields
	changes []identity.Change
	was     *wasPerson          // likewise
	outside bool                // may no longer come in
	demoted bool                // was an administrator, and is none any more or may no longer come in
	mail    identity.MailID     // that tells the person
	known   bool                // the source knew the person as it does now
	action  identity.PlanAction // where it is neither create nor update
	notes   []string            // what is noteworthy, for people
	manager identity.UserID     // who was found by the row's word
	open    string              // the word for a manager whom nobody was found for
	because map[string]string   // as importRow has it
}

func (e *effect) note(text string) {
	if text != "" {
		e.notes = append(e.notes, text)
	}
}

// create adds somebody new.
func (p *planner) create(ctx context.Context, tx *store.Tx, row importRow, reason string) (effect, error) {
	var out effect
	r := p.ruled(row, &out)
	home := identity.User{TenantID: r.tenant}
	r, err := p.led(ctx, tx, r, home, nil, &out)
	if err != nil {
		return out, err
	}
	terms, err := p.termsOfNew(tx, r)
	if err != nil {
		return out, err
	}
	n, roles, err := p.newUser(ctx, tx, r, reason)
	if err != nil {
		return out, err
	}
	n.waits = terms.Out()
	u, err := p.s.addUser(ctx, tx, p.by, n)
	if err != nil {
		return effect{}, sharpen(err, func() *identity.Error { return taken(n.User.UserName) })
	}
	out.user, terms.UserID = u, u.ID
	if !terms.None() {
		if err := tx.PutTerms(ctx, terms); err != nil {
			return out, err
		}
	}
	if out.mail, err = p.welcome(ctx, tx, r, u); err != nil {
		return effect{}, err
	}
	stands := p.newStanding(r, n, u)
	if len(roles) > 1 {
		if stands.roles, err = p.importRoles(ctx, tx, u, stands.roles, roles, r.why(reason)); err != nil {
			return effect{}, err
		}
	}
	stands.terms, stands.sources = terms, p.known(u, row.openManager(r))
	if err := tx.PutSourceUser(ctx, stands.sources...); err != nil {
		return out, err
	}
	return p.created(ctx, tx, stands, out)
}

// newUser is somebody new as a row says, before any rule was asked, with all roles; the first is that of the user. Nothing is written.
func (p *planner) newUser(ctx context.Context, tx *store.Tx, r importRow, reason string) (NewUser, []identity.RoleID, error) {
	n := NewUser{User: identity.User{TenantID: r.tenant, Enabled: true}, PasswordHash: r.hash, PasswordTerms: r.terms, source: identity.SourceImport, sourceID: p.plan.Source}
	all, err := r.putInto(&n.User, false)
	if err != nil {
		return n, nil, err
	}
	if all != nil {
		n.read = &readOnce{n.User.Attributes, tableOf(all), all}
	}
	if n.User.UserName == "" {
		n.User.UserName = n.User.Email()
	}
	if n.User.UserName == "" {
		return n, nil, identity.Errorf(identity.Invalid, "Nobody here is known by this row, and somebody new needs a user name or an e-mail address.").WithField(fieldUserName).WithCode("invalidValue")
	}
	if err := normalise(&n.User); err != nil {
		return n, nil, err
	}
	n.out = !n.User.Enabled
	if err := p.position(ctx, tx, r, n.User, nil, &n.Position); err != nil {
		return n, nil, err
	}
	roles, err := p.rolesOfNew(ctx, tx, r)
	if len(roles) > 0 {
		n.Role = roles[0]
	}
	n.Reason = r.why(reason)(n.Role)
	return n, roles, err
}

// newStanding is how somebody stands whom the plan has just made, with the first role alone.
func (p *planner) newStanding(r importRow, n NewUser, u identity.User) standing {
	return standing{
		user: u, roles: []identity.Assignment{{RoleID: n.Role, Source: identity.SourceImport, SourceID: p.plan.Source}}, position: n.Position, sources: p.known(u, r), read: n.read,
	}
}

// created finishes the effect of somebody new.
func (p *planner) created(ctx context.Context, tx *store.Tx, stands standing, out effect) (effect, error) {
	list := []standing{stands}
	err := leadersOf(ctx, tx, list)
	if err == nil {
		out.after, err = p.names.fields(ctx, tx, list[0], p.plan.TenantID, p.plan.Source)
	}
	out.changes = diffFields(nil, out.after)
	out.noteRules()
	return out, err
}

// rolesOfNew returns the roles of somebody new: those of the row, else the plan's, else that of the type, else the least that the access model has.
func (p *planner) rolesOfNew(ctx context.Context, tx *store.Tx, r importRow) ([]identity.RoleID, error) {
	if v := r.fields[fieldRole]; v != "" {
		return p.names.roles(v)
	}
	if p.plan.Options.Role != "" {
		return []identity.RoleID{p.plan.Options.Role}, nil
	}
	if v := r.fields[fieldType]; v != "" {
		t, err := p.names.userType(ctx, tx, v)
		if err != nil || t.DefaultRole != "" {
			return []identity.RoleID{t.DefaultRole}, err
		}
	}
	if r.tenant == "" {
		return nil, nil // a platform role is given by name only
	}
	_, least := p.s.model.Landing()
	return []identity.RoleID{least}, nil
}

// rowStep is one person of a plan while a row is carried out.
type rowStep struct {
	was   standing
	is    standing
	facts store.UserFacts
	now   personFields // as a table has the person at this moment
	out   effect
}

// update changes somebody to what a row says. What is the same already is not written.
func (p *planner) update(ctx context.Context, tx *store.Tx, id identity.UserID, row importRow, reason string) (effect, error) {
	t, err := p.rowStep(ctx, tx, id)
	if err != nil {
		return t.out, err
	}
	r, err := p.heeded(ctx, tx, t, p.ruled(row, &t.out))
	if err == nil {
		r, err = p.led(ctx, tx, r, t.is.user, t.now, &t.out)
	}
	if err != nil {
		return t.out, err
	}
	if err := p.mayChange(t.is.user, r); err != nil {
		return t.out, err
	}
	if r, err = p.comeBack(ctx, tx, t, r, reason); err != nil || t.out.action == identity.StepSkip {
		return t.out, err
	}
	if err := p.goTo(ctx, tx, t, r, reason); err != nil {
		return t.out, err
	}
	if err := p.write(ctx, tx, t, r, reason); err != nil {
		return t.out, err
	}
	if err := p.know(ctx, tx, t, row.openManager(r)); err != nil {
		return t.out, err
	}
	return p.compare(ctx, tx, t.was, t.is, t.out)
}

// rowStep reads a person, deleted or not.
func (p *planner) rowStep(ctx context.Context, tx *store.Tx, id identity.UserID) (*rowStep, error) {
	t := &rowStep{}
	u, facts, err := tx.UserForChange(ctx, p.scope, id)
	if identity.KindOf(err) == identity.NotFound && p.fromSource() {
		u, err = tx.DeletedUserForUpdate(ctx, p.scope, id)
	}
	if err != nil {
		return t, sharpen(err, noUser)
	}
	all, err := peopleOf(ctx, tx, p.scope, []identity.User{u})
	if err != nil {
		return t, err
	}
	t.was, t.is, t.facts = all[0], all[0], facts
	t.out = effect{user: u, seen: u.Version}
	t.now, err = p.names.fields(ctx, tx, t.was, p.plan.TenantID, p.plan.Source)
	t.out.before = t.now
	return t, err
}

// write makes the dates, the record, the roles and the place of a person what a row says.
func (p *planner) write(ctx context.Context, tx *store.Tx, t *rowStep, r importRow, reason string) (err error) {
	if t.is, t.facts, err = p.dates(ctx, tx, t.is, t.facts, r, reason); err != nil {
		return err
	}
	t.is.user, err = p.s.change(ctx, tx, p.by, t.is.user, t.facts, reason, func(u *identity.User) error { return p.applyRow(t, r, u) })
	if err != nil {
		return sharpen(err, func() *identity.Error { return taken(r.fields[fieldUserName]) })
	}
	if roles, say, err := p.rolesOf(ctx, tx, t, r); err != nil {
		return err
	} else if say {
		if t.is.roles, err = p.importRoles(ctx, tx, t.is.user, t.is.roles, roles, r.why(reason)); err != nil {
			return err
		}
	}
	return p.stand(ctx, tx, &t.is, t.now, r, reason)
}

// applyRow writes a row into a user. Whom the dates keep out the row does not let in; whom it keeps out does not come in at the start either.
func (p *planner) applyRow(t *rowStep, r importRow, u *identity.User) error {
	enabled := u.Enabled
	if err := r.applyTo(u, p.plan.Options.Clear); err != nil || !t.facts.Out {
		return err
	}
	u.Enabled = enabled
	switch {
	case r.fields[fieldActive] == yesNo(false):
		u.Held = true
	case t.out.action == identity.StepRestore:
		u.Held = false
	}
	return nil
}

// mayChange refuses what an import never does.
func (p *planner) mayChange(u identity.User, r importRow) error {
	if p.by.UserID() == u.ID && u.Enabled && r.fields[fieldActive] == yesNo(false) {
		return identity.Errorf(identity.Forbidden, "You cannot deactivate yourself; ask another administrator.").WithField(fieldActive)
	}
	return nil
}

// compare finishes an effect: what is another now, and what it means.
func (p *planner) compare(ctx context.Context, tx *store.Tx, was, is standing, out effect) (effect, error) {
	list := []standing{is}
	err := leadersOf(ctx, tx, list)
	if err != nil {
		return out, err
	}
	is, out.user = list[0], is.user
	if out.after, err = p.names.fields(ctx, tx, is, p.plan.TenantID, p.plan.Source); err != nil {
		return out, err
	}
	out.changes = diffFields(out.before, out.after)
	out.noteRules()
	out.was = &wasPerson{Fields: out.before, User: was.user, Roles: was.roles, Position: was.position, Source: p.knownAs(was), Terms: was.terms}
	out.known = slices.EqualFunc(was.sources, is.sources, store.SourceUser.Same)
	out.outside = was.user.Enabled && !is.user.Enabled
	if out.action == "" && !was.user.Enabled && is.user.Enabled {
		out.action = identity.StepRestore
	}
	out.demoted = was.user.Enabled && p.administers(was) && (out.outside || !p.administers(is))
	return out, nil
}

// administers reports whether somebody may manage people or stands above all tenants.
func (p *planner) administers(w standing) bool {
	return w.position.Admin || slices.ContainsFunc(w.roles, func(a identity.Assignment) bool { return p.s.model.Privileged(a.RoleID) })
}

// diffFields returns what differs between two rows of a table, in the order of a template. The id is no change.
func diffFields(before, after personFields) []identity.Change {
	var out []identity.Change
	for _, f := range allFields {
		if a, b := before[f.Name], after[f.Name]; a != b && f.Name != fieldID && !(before == nil && b == yesNo(false) && f.Name == fieldExternal) {
			out = append(out, identity.Change{Field: f.Name, Before: orNil(a), After: orNil(b)})
		}
	}
	return out
}
