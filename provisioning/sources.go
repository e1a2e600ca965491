package provisioning

import (
	"context"
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noSource() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such source here.").WithField("source")
}

// sourceOrNew returns a source, or an empty one of that name where nobody has said anything about it yet.
func sourceOrNew(ctx context.Context, tx *store.Tx, tenant identity.TenantID, name string) (identity.Source, error) {
	source, err := tx.SourceForUpdate(ctx, tenant, name)
	if identity.KindOf(err) == identity.NotFound {
		return identity.Source{TenantID: tenant, Name: name}, nil
	}
	return source, err
}

// rememberMapping keeps how the file of a plan was read for the next one of its source.
func rememberMapping(ctx context.Context, tx *store.Tx, plan identity.Plan) error {
	if len(plan.Options.Mapping) == 0 {
		return nil
	}
	source, err := sourceOrNew(ctx, tx, plan.TenantID, plan.Source)
	o, was := plan.Options, source.Settings
	o.Mapping = allMapped(was.Mapping, o.Mapping)
	same := maps.Equal(was.Mapping, o.Mapping) && was.Form == o.Form && slices.EqualFunc(was.Transforms, o.Transforms, identity.Transform.Equal)
	if err != nil || same {
		return err
	}
	source.Settings.Mapping, source.Settings.Transforms, source.Settings.Form = o.Mapping, o.Transforms, o.Form
	return tx.PutSource(ctx, source)
}

// maxHeadings is how many headings are remembered for a source: as many as a few kinds of files have.
const maxHeadings = 1000

// allMapped joins what was known of headings with what a file has, which goes first: a source may send more than one kind of files.
func allMapped(was, file identity.Mapping) identity.Mapping {
	out := maps.Clone(file)
	for heading, field := range was {
		if _, ok := savedField(file, heading); !ok {
			out[heading] = field
		}
	}
	if len(out) > maxHeadings {
		return file
	}
	return out
}

// Sources returns a page of the sources that the actor may see, by their names; q.After is the name of the last one that was seen.
func (s *Service) Sources(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Source], error) {
	var page identity.Page[identity.Source]
	scope, err := s.byHand(by)
	if err != nil {
		return page, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Sources(ctx, scope, q.After, q.Limit)
		return err
	})
	return page, err
}

// Source returns a source of a tenant by its name, or NotFound. A user's own tenant goes before the one that is named; none is the whole installation.
func (s *Service) Source(ctx context.Context, by identity.Actor, tenant identity.TenantID, name string) (identity.Source, error) {
	var source identity.Source
	tenant, err := s.sourceTenant(ctx, by, tenant)
	if err != nil {
		return source, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		source, err = tx.Source(ctx, tenant, identity.TidyText(name))
		return err
	})
	return source, sharpen(err, noSource)
}

// sourceTenant returns the tenant whose sources the actor may write: the own one, and for whoever stands above tenants the one that is named.
func (s *Service) sourceTenant(ctx context.Context, by identity.Actor, tenant identity.TenantID) (identity.TenantID, error) {
	plan := identity.Plan{TenantID: tenant}
	_, err := s.planScope(ctx, by, &plan)
	return plan.TenantID, err
}

// PutSource says what holds for all that a source sends, in place of what held before; a source of that name is made where there is none. Somebody of a tenant
// writes that tenant's sources only, and only who has the machine in hand names a folder of it. What changes nothing writes nothing.
func (s *Service) PutSource(ctx context.Context, by identity.Actor, source identity.Source, reason string) (identity.Source, error) {
	var err error
	if source.TenantID, err = s.sourceTenant(ctx, by, source.TenantID); err != nil {
		return source, err
	}
	if reason, err = s.tidyReason(reason); err != nil {
		return source, err
	}
	source.Name = identity.TidyText(source.Name)
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		before, err := sourceOrNew(ctx, tx, source.TenantID, source.Name)
		if err != nil {
			return err
		}
		if err := s.checkSource(ctx, tx, by, before, source); err != nil {
			return err
		}
		changes, err := diffSource(before.Settings, source.Settings)
		if err != nil || len(changes) == 0 && !before.CreatedAt.IsZero() {
			source = before
			return err
		}
		e := sourceEvent(by, identity.SourceChanged, source, reason)
		e.Changes = changes
		if err := tx.PutSource(ctx, source); err != nil {
			return err
		}
		source.CreatedAt, source.UpdatedAt = before.CreatedAt, tx.Now()
		if source.CreatedAt.IsZero() {
			source.CreatedAt = tx.Now()
		}
		return tx.InsertEvent(ctx, e)
	})
	return source, err
}

// DeleteSource forgets what holds for a source. Its plans, and what it knows of people, stay.
func (s *Service) DeleteSource(ctx context.Context, by identity.Actor, tenant identity.TenantID, name, reason string) error {
	tenant, err := s.sourceTenant(ctx, by, tenant)
	if err != nil {
		return err
	}
	if reason, err = s.tidyReason(reason); err != nil {
		return err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		source, err := tx.SourceForUpdate(ctx, tenant, identity.TidyText(name))
		if err != nil {
			return err
		}
		if err := tx.DeleteSource(ctx, tenant, source.Name); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, sourceEvent(by, identity.SourceDeleted, source, reason))
	})
	return sharpen(err, noSource)
}

func sourceEvent(by identity.Actor, kind identity.EventType, source identity.Source, reason string) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason = source.TenantID, "source", source.Name, source.Name, reason
	return e
}

// diffSource returns what differs between the settings of a source, by their names in JSON.
func diffSource(before, after identity.SourceSettings) ([]identity.Change, error) {
	was, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	is, err := json.Marshal(after)
	return diffAttributes(was, is), err
}

// checkSource refuses settings that could not be meant.
func (s *Service) checkSource(ctx context.Context, tx *store.Tx, by identity.Actor, before, source identity.Source) error {
	o := source.Settings
	if source.Name == "" || len(source.Name) > maxSourceName {
		return identity.Errorf(identity.Invalid, "A source needs a name of at most %d bytes.", maxSourceName).WithField("source")
	}
	if o.Folder != before.Settings.Folder {
		if err := checkFolder(by, o.Folder); err != nil {
			return err
		}
	}
	if _, err := path.Match(o.Pattern, ""); err != nil || len(o.Pattern) > 255 {
		return identity.Errorf(identity.Invalid, "The pattern %q is none. Write it as people-*.csv.", o.Pattern).WithField("pattern")
	}
	if o.Role != "" {
		if _, ok := s.model.Role(o.Role); !ok {
			return identity.Errorf(identity.Invalid, "There is no role %q in the access model.", o.Role).WithField("role")
		}
	}
	if err := checkTransforms(o.Transforms, s.ImportFields()); err != nil {
		return err
	}
	if !reflect.DeepEqual(o.Rules, before.Settings.Rules) { // those who wrote the others might give what they give
		if err := s.checkSourceRules(ctx, tx, by, source.TenantID, o.Rules); err != nil {
			return err
		}
	}
	if err := s.checkPolicies(o.Fields); err != nil {
		return err
	}
	for _, heading := range slices.Sorted(maps.Keys(o.Mapping)) { // of two headings for a field each may be in another file
		if field := o.Mapping[heading]; field != "" && !s.hasField(field) {
			return s.noField(field, heading)
		}
	}
	o.Mapping = nil
	return s.checkOptions(o.PlanOptions)
}

// maxSourceName is the longest name of a source, in bytes.
const maxSourceName = 100

// checkFolder lets only who has the machine in hand name a folder of it.
func checkFolder(by identity.Actor, folder string) error {
	switch {
	case folder == "":
		return nil
	case !trusted(by):
		return identity.Errorf(identity.Forbidden, "A folder of the machine is named at its command line: drawbridge source set NAME --folder PATH.").WithField("folder")
	case !filepath.IsAbs(folder) || len(folder) > 1000:
		return identity.Errorf(identity.Invalid, "The folder %q is no absolute path, such as /var/lib/drawbridge/hr.", folder).WithField("folder")
	}
	return nil
}

// checkOptions refuses options of a plan or a source that could not be meant.
func (s *Service) checkOptions(o identity.PlanOptions) error {
	if err := checkWelcome(o.Welcome); err != nil {
		return err
	}
	if err := s.checkColumns(o.Mapping); err != nil {
		return err
	}
	if err := checkTransforms(o.Transforms, s.ImportFields()); err != nil {
		return err
	}
	for field, policy := range o.Fields {
		if !s.hasField(field) {
			return identity.Errorf(identity.Invalid, "There is no field %q. Use one of: %s.", field, s.fieldNames()).WithField("fields")
		}
		if !slices.Contains([]identity.ManualPolicy{"", identity.ManualOverwrite, identity.ManualKeep, identity.ManualFlag}, policy.Manual) {
			return identity.Errorf(identity.Invalid, "What happens to a change by hand is overwrite, keep or flag, not %q.", policy.Manual).WithField("fields")
		}
	}
	for name, percent := range map[string]float64{"percent": o.Guards.Percent, "renames": o.Guards.Renames, "fewer": o.Guards.Fewer, "errors": o.Guards.Errors} {
		if percent > 100 {
			return identity.Errorf(identity.Invalid, "The guard %s is %v per cent; write at most 100, or a negative number to turn it off.", name, percent).WithField("guards")
		}
	}
	return nil
}

func checkWelcome(w identity.Welcome) error {
	switch w {
	case "", identity.WelcomeInvite, identity.WelcomePassword, identity.WelcomeNone:
		return nil
	}
	return identity.Errorf(identity.Invalid, "There is no welcome %q. Use invite, password or none.", w).WithField("welcome")
}

// takeSettings fills in what the source says where whoever makes the plan said nothing; the plan keeps all of it, so that a later change of the source does not change it.
func (s *Service) takeSettings(ctx context.Context, plan *identity.Plan, o ImportOptions) error {
	return s.db.View(ctx, func(tx *store.Tx) error {
		source, err := tx.Source(ctx, plan.TenantID, plan.Source)
		if err != nil && identity.KindOf(err) != identity.NotFound {
			return err
		}
		plan.Options = settled(source.Settings.PlanOptions, o)
		return nil
	})
}

// settled joins what a source says and what was chosen, which goes first. The mapping of columns is joined by itself, heading by heading.
func settled(source identity.PlanOptions, o ImportOptions) identity.PlanOptions {
	out := o.PlanOptions
	yes := func(name string, said, source bool) bool { return said || source && !slices.Contains(o.Off, name) }
	out.Clear = yes("clear", out.Clear, source.Clear)
	out.ReplaceRoles = yes("replace_roles", out.ReplaceRoles, source.ReplaceRoles)
	out.Missing = yes("missing", out.Missing, source.Missing)
	for _, w := range []identity.Welcome{source.Welcome, o.ElseWelcome, identity.WelcomeNone} {
		if out.Welcome == "" {
			out.Welcome = w
		}
	}
	if out.Role == "" {
		out.Role = source.Role
	}
	if out.Transforms == nil {
		out.Transforms = source.Transforms
	}
	if out.Rules == nil {
		out.Rules = source.Rules
	}
	if out.Fields == nil {
		out.Fields = source.Fields
	}
	if out.Guards == (identity.Guards{}) {
		out.Guards = source.Guards
	}
	return out
}

// tidyReason tidies why somebody does something; it may be empty.
func (s *Service) tidyReason(reason string) (string, error) {
	reason = identity.TidyText(reason)
	if len(reason) > maxReason {
		return "", identity.Errorf(identity.Invalid, "A reason has at most %d bytes.", maxReason).WithField("reason")
	}
	return reason, nil
}
