package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// planner computes and carries out the steps of one plan. Both go the same way: what is computed is carried out and undone, so that a refusal is the same sentence.
type planner struct {
	s     *Service
	by    identity.Actor
	scope store.Scope
	plan  identity.Plan
	names *names
	match *matcher
}

func (s *Service) planner(by identity.Actor, scope store.Scope, plan identity.Plan) *planner {
	return &planner{s: s, by: by, scope: scope, plan: plan, names: s.names(scope), match: newMatcher(plan, scope)}
}

// effect is what a step did, or would do, to one person.
type effect struct {
	user    identity.User // as it is afterwards
	seen    int64         // the version before
	before  personFields  // nil: nobody was there
	after   personFields
	changes []identity.Change
	was     *wasPerson      // likewise
	outside bool            // may no longer come in
	demoted bool            // was an administrator, and is none any more or may no longer come in
	mail    identity.MailID // that tells the person
	known   bool            // the source knew the person as it does now
}

// create adds somebody new.
func (p *planner) create(ctx context.Context, tx *store.Tx, r importRow, reason string) (effect, error) {
	n, roles, err := p.newUser(ctx, tx, r, reason)
	if err != nil {
		return effect{}, err
	}
	u, err := p.s.addUser(ctx, tx, p.by, n)
	if err != nil {
		return effect{}, sharpen(err, func() *identity.Error { return taken(n.User.UserName) })
	}
	out := effect{user: u}
	if out.mail, err = p.welcome(ctx, tx, r, u); err != nil {
		return effect{}, err
	}
	stands := p.newStanding(r, n, u)
	if len(roles) > 1 {
		if stands.roles, err = p.importRoles(ctx, tx, u, stands.roles, roles, reason); err != nil {
			return effect{}, err
		}
	}
	if err := tx.PutSourceUser(ctx, stands.sources...); err != nil {
		return out, err
	}
	out.after, err = p.names.fields(ctx, tx, stands, p.plan.TenantID, p.plan.Source)
	out.changes = diffFields(nil, out.after)
	return out, err
}

// newUser is somebody new as a row says, before any rule was asked, with all roles; the first is that of the user. Nothing is written.
func (p *planner) newUser(ctx context.Context, tx *store.Tx, r importRow, reason string) (NewUser, []identity.RoleID, error) {
	n := NewUser{User: identity.User{TenantID: r.tenant, Enabled: true}, PasswordHash: r.hash, PasswordTerms: r.terms, Reason: reason, source: identity.SourceImport, sourceID: p.plan.Source}
	if err := r.applyTo(&n.User, false); err != nil {
		return n, nil, err
	}
	if n.User.UserName == "" {
		n.User.UserName = n.User.Email()
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
	return n, roles, err
}

// newStanding is how somebody stands whom the plan has just made, with the first role alone.
func (p *planner) newStanding(r importRow, n NewUser, u identity.User) standing {
	return standing{
		user: u, roles: []identity.Assignment{{RoleID: n.Role, Source: identity.SourceImport, SourceID: p.plan.Source}}, position: n.Position,
		sources: p.known(u.ID, r.fields[fieldExternalID]),
	}
}

// known is that the source knows somebody.
func (p *planner) known(id identity.UserID, externalID string) []store.SourceUser {
	return []store.SourceUser{{TenantID: p.plan.TenantID, Source: p.plan.Source, UserID: id, ExternalID: externalID}}
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

// update changes somebody to what a row says. What is the same already is not written.
func (p *planner) update(ctx context.Context, tx *store.Tx, id identity.UserID, r importRow, reason string) (effect, error) {
	before, facts, err := tx.UserForChange(ctx, p.scope, id)
	if err != nil {
		return effect{}, sharpen(err, noUser)
	}
	all, err := peopleOf(ctx, tx, p.scope, []identity.User{before})
	if err != nil {
		return effect{}, err
	}
	was := all[0]
	out := effect{user: before, seen: before.Version}
	if out.before, err = p.names.fields(ctx, tx, was, p.plan.TenantID, p.plan.Source); err != nil {
		return out, err
	}
	if err := p.mayChange(before, r); err != nil {
		return out, err
	}
	is := was
	if is.user, err = p.s.change(ctx, tx, p.by, before, facts, reason, func(u *identity.User) error { return r.applyTo(u, p.plan.Options.Clear) }); err != nil {
		return out, sharpen(err, func() *identity.Error { return taken(r.fields[fieldUserName]) })
	}
	if v := r.fields[fieldRole]; v != "" {
		roles, err := p.names.roles(v)
		if err != nil {
			return out, err
		}
		if is.roles, err = p.importRoles(ctx, tx, is.user, was.roles, roles, reason); err != nil {
			return out, err
		}
	}
	if err := p.stand(ctx, tx, &is, out.before, r, reason); err != nil {
		return out, err
	}
	if err := p.know(ctx, tx, &is, r); err != nil {
		return out, err
	}
	return p.compare(ctx, tx, was, is, out)
}

// mayChange refuses what an import never does.
func (p *planner) mayChange(u identity.User, r importRow) error {
	if r.tenant != "" && r.tenant != u.TenantID {
		return identity.Errorf(identity.Conflict, "%s belongs to another tenant. An import moves nobody: place the person there first.", u.Label()).WithField(fieldTenant)
	}
	if p.by.UserID() == u.ID && u.Enabled && r.fields[fieldActive] == yesNo(false) {
		return identity.Errorf(identity.Forbidden, "You cannot deactivate yourself; ask another administrator.").WithField(fieldActive)
	}
	return nil
}

// know notes that the source knows the person, with its own id for them where the row has one that nobody else gave.
func (p *planner) know(ctx context.Context, tx *store.Tx, is *standing, r importRow) error {
	at := slices.IndexFunc(is.sources, func(s store.SourceUser) bool { return s.Source == p.plan.Source && s.TenantID == p.plan.TenantID })
	own := ""
	if at >= 0 {
		own = is.sources[at].ExternalID
	}
	said := r.fields[fieldExternalID]
	if said == "" || slices.Contains(is.externalIDs(p.plan.TenantID, p.plan.Source), said) {
		said = own
	}
	if at >= 0 && said == own {
		return nil
	}
	is.sources = append(slices.Clone(is.sources[:max(at, 0)]), is.sources[at+1:]...)
	is.sources = append(is.sources, p.known(is.user.ID, said)...)
	return tx.PutSourceUser(ctx, is.sources[len(is.sources)-1])
}

// compare finishes an effect: what is another now, and what it means.
func (p *planner) compare(ctx context.Context, tx *store.Tx, was, is standing, out effect) (effect, error) {
	var err error
	out.user = is.user
	if out.after, err = p.names.fields(ctx, tx, is, p.plan.TenantID, p.plan.Source); err != nil {
		return out, err
	}
	out.changes = diffFields(out.before, out.after)
	out.was = &wasPerson{Fields: out.before, User: was.user, Roles: was.roles, Position: was.position, Source: p.knownAs(was)}
	out.known = slices.Equal(was.sources, is.sources)
	out.outside = was.user.Enabled && !is.user.Enabled
	out.demoted = was.user.Enabled && p.administers(was) && (out.outside || !p.administers(is))
	return out, nil
}

// knownAs returns how the source knows somebody; nil when it does not.
func (p *planner) knownAs(w standing) *store.SourceUser {
	for _, s := range w.sources {
		if s.Source == p.plan.Source && s.TenantID == p.plan.TenantID {
			return &s
		}
	}
	return nil
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
