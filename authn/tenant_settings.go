package authn

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

const tenantsWrite = "tenants.write"

// The bounds of what a tenant may say of sessions.
const (
	leastIdle = time.Minute
	mostAge   = 90 * 24 * time.Hour
)

// SessionRules are how long a tenant's sessions may be unused, how old they may become and how many one person may have. What is 0 is as everywhere.
type SessionRules struct {
	Idle, Age time.Duration
	Most      int
}

// TenantSettings returns what a tenant asks of its people's sign-ins, for those who may look after them.
func (s *Service) TenantSettings(ctx context.Context, by identity.Actor, tenant identity.TenantID) (identity.TenantSettings, error) {
	var out identity.TenantSettings
	err := s.db.View(ctx, func(tx *store.Tx) error {
		t, err := s.tenant(ctx, tx, by, tenant)
		if err != nil {
			return err
		}
		out, err = tx.TenantSettings(ctx, t.ID)
		return err
	})
	return out, err
}

// LimitTenantSessions says how long and how many sessions of a tenant's people live; it holds for those that were begun before too, but for how many. Its own administrators may only make them shorter and
// fewer than they are without the tenant's word. Invalid with the field "idle", "age" or "most".
func (s *Service) LimitTenantSessions(ctx context.Context, by identity.Actor, tenant identity.TenantID, r SessionRules) (identity.TenantSettings, error) {
	if err := s.checkRules(by, r); err != nil {
		return identity.TenantSettings{}, err
	}
	return s.changeSettings(ctx, by, tenant, func(t *identity.TenantSettings) error {
		t.SessionIdle, t.SessionAge, t.SessionMost = r.Idle, r.Age, r.Most
		return nil
	})
}

// TenantRules are what a tenant says of its people's sign-ins.
type TenantRules struct {
	SessionRules
	SecondFactor bool
	Worth        identity.ProviderFactor // what a sign-in through a provider counts for
}

// RulesOf returns the rules among a tenant's settings.
func RulesOf(t identity.TenantSettings) TenantRules {
	return TenantRules{SessionRules{t.SessionIdle, t.SessionAge, t.SessionMost}, t.SecondFactor, t.ProviderFactor}
}

// ChangeTenantRules puts all of them in force, as LimitTenantSessions and RequireSecondFactor do with their part. seen is what stood there when they were thought of:
// where somebody has changed them since, it is Precondition, and what is returned is what they say now.
func (s *Service) ChangeTenantRules(ctx context.Context, by identity.Actor, tenant identity.TenantID, seen, r TenantRules) (identity.TenantSettings, error) {
	if err := s.checkRules(by, r.SessionRules); err != nil {
		return identity.TenantSettings{}, err
	}
	if err := checkWorth(r.Worth); err != nil {
		return identity.TenantSettings{}, err
	}
	return s.changeSettings(ctx, by, tenant, func(t *identity.TenantSettings) error {
		if RulesOf(*t) != seen {
			return identity.Errorf(identity.Precondition, "Somebody changed these settings while you were at it. Look at what they say now, then save again.").WithCode("tenant_settings.changed")
		}
		t.SessionIdle, t.SessionAge, t.SessionMost = r.Idle, r.Age, r.Most
		t.SecondFactor, t.ProviderFactor = r.SecondFactor, r.Worth
		return nil
	})
}

func checkWorth(worth identity.ProviderFactor) error {
	if worth != identity.FactorAsTold && worth != identity.FactorAlways && worth != identity.FactorNever {
		return identity.Errorf(identity.Invalid, "A sign-in through a provider counts as the provider tells, always, or never.").WithField("provider_factor")
	}
	return nil
}

func (s *Service) checkRules(by identity.Actor, r SessionRules) error {
	bad := func(field, format string, args ...any) error {
		return identity.Errorf(identity.Invalid, format, args...).WithField(field)
	}
	switch {
	case r.Idle != 0 && (r.Idle < leastIdle || r.Idle > mostAge):
		return bad("idle", "Sessions may be unused for a minute at least and for 90 days at most.")
	case r.Age != 0 && (r.Age < leastIdle || r.Age > mostAge):
		return bad("age", "Sessions may become a minute old at least and 90 days at most.")
	case r.Most < 0 || r.Most > maxSessions:
		return bad("most", "A person may have 1 to %d sessions at once.", maxSessions)
	}
	p := s.policy()
	if by.Kind == identity.ActorUser && by.TenantID != "" && (r.Idle > p.SessionIdle || r.Age > p.SessionAge) {
		return bad("idle", "Sessions live %s unused and %s in all here; a tenant can only make that shorter.", p.SessionIdle, p.SessionAge)
	}
	return nil
}

// RequireSecondFactor makes all people of a tenant have a second factor, or ends that: who has none reaches nothing but the page that turns one on. worth says what a sign-in through a provider counts for.
func (s *Service) RequireSecondFactor(ctx context.Context, by identity.Actor, tenant identity.TenantID, on bool, worth identity.ProviderFactor) (identity.TenantSettings, error) {
	if err := checkWorth(worth); err != nil {
		return identity.TenantSettings{}, err
	}
	return s.changeSettings(ctx, by, tenant, func(t *identity.TenantSettings) error {
		t.SecondFactor, t.ProviderFactor = on, worth
		return nil
	})
}

// changeSettings changes them and writes the event; what changes nothing writes nothing.
func (s *Service) changeSettings(ctx context.Context, by identity.Actor, tenant identity.TenantID, change func(*identity.TenantSettings) error) (identity.TenantSettings, error) {
	var after identity.TenantSettings
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		t, err := s.tenant(ctx, tx, by, tenant)
		if err != nil {
			return err
		}
		if err := tx.Lock(ctx, "tenant_settings"); err != nil {
			return err
		}
		before, err := tx.TenantSettings(ctx, t.ID)
		if err != nil {
			return err
		}
		after = before
		if err := change(&after); err != nil {
			return err
		}
		changes := differences(before, after)
		if len(changes) == 0 {
			return nil
		}
		if err := tx.PutTenantSettings(ctx, t.ID, after); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, identity.Event{
			Type: identity.TenantUpdated, ActorKind: by.Kind, ActorID: by.ID, ActorLabel: by.Label, Door: by.Door, RequestID: by.RequestID, IP: by.IP,
			TenantID: t.ID, ObjectKind: "tenant", ObjectID: string(t.ID), ObjectLabel: t.Name, Changes: changes,
		})
	})
	return after, err
}

// differences names what changed in words of people.
func differences(before, after identity.TenantSettings) []identity.Change {
	var out []identity.Change
	add := func(field string, before, after any) {
		if before != after {
			out = append(out, identity.Change{Field: field, Before: before, After: after})
		}
	}
	add("sessions end unused after", before.SessionIdle.String(), after.SessionIdle.String())
	add("sessions end at the age of", before.SessionAge.String(), after.SessionAge.String())
	add("sessions at once", before.SessionMost, after.SessionMost)
	add("requires a second factor", before.SecondFactor, after.SecondFactor)
	add("a provider counts as a second factor", string(before.ProviderFactor), string(after.ProviderFactor))
	return out
}

// tenant returns a tenant whose people the actor may look after: one's own with the right to write users, every one with the right to write tenants.
func (s *Service) tenant(ctx context.Context, tx *store.Tx, by identity.Actor, id identity.TenantID) (identity.Tenant, error) {
	none := identity.Errorf(identity.NotFound, "There is no such tenant.").WithField("tenant")
	id, ok := identity.ParseID[identity.TenantID](string(id))
	if !ok {
		return identity.Tenant{}, none
	}
	switch {
	case by.Kind == identity.ActorOperator, by.Kind == identity.ActorSystem:
	case by.Kind != identity.ActorUser:
		return identity.Tenant{}, identity.Errorf(identity.Forbidden, "A %s may not do this.", by.Kind)
	case by.TenantID != "" && by.TenantID != id:
		return identity.Tenant{}, none
	default:
		capability := tenantsWrite
		if by.TenantID != "" {
			capability = usersWrite
		}
		if d := s.model.Allows(access.Who(by), capability); !d.Allowed {
			return identity.Tenant{}, identity.Errorf(identity.Forbidden, "You may not do this: it needs the right %s. %s.", capability, d.Reason)
		}
	}
	t, err := tx.Tenant(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		err = none
	}
	return t, err
}
