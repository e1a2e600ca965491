package provisioning

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// DormantQuery says which accounts are wanted that nobody seems to use.
type DormantQuery struct {
	Days     int                   // unseen for so many; 0: DefaultDormantDays
	Why      []identity.DormantWhy // any of these; none: every reason
	TenantID identity.TenantID
	After    identity.UserID
	Limit    int
}

// The days after which an account that nobody uses counts as dormant.
const (
	DefaultDormantDays = 90
	leastDormantDays   = 7
	mostDormantDays    = 3650
)

// mostDormant is how many accounts a page has at most, and how many are deactivated in one call.
const mostDormant = 1000

func checkDormantDays(days int) error {
	if days < leastDormantDays || days > mostDormantDays {
		return identity.Errorf(identity.Invalid, "The number of days is from %d to %d.", leastDormantDays, mostDormantDays).WithField("days")
	}
	return nil
}

// Dormant returns a page of the accounts that nobody seems to use, as far as the actor sees people: not seen for some days, never used, kept out by a directory, or known to no
// source any more. A session or a key of a program that is used counts as being seen; accounts for emergencies are left out.
func (s *Service) Dormant(ctx context.Context, by identity.Actor, q DormantQuery) (identity.Page[identity.Dormant], error) {
	var page identity.Page[identity.Dormant]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	if q.Days == 0 {
		q.Days = DefaultDormantDays
	}
	if err := checkDormantDays(q.Days); err != nil {
		return page, err
	}
	for _, why := range q.Why {
		if !slices.Contains(identity.DormantWhys, why) {
			return page, identity.Errorf(identity.Invalid, "There is no such reason as %q.", why).WithField("why")
		}
	}
	if !validIDs(&q.TenantID) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Dormant(ctx, scope, store.DormantQuery{
			Before: tx.Now().AddDate(0, 0, -q.Days), Why: q.Why, TenantID: q.TenantID, After: identity.UserID(cursor(string(q.After))), Limit: min(max(q.Limit, 1), mostDormant),
		})
		if err != nil {
			return err
		}
		return s.describeDormant(ctx, tx, page.Items)
	})
	return page, err
}

func (s *Service) describeDormant(ctx context.Context, tx *store.Tx, list []identity.Dormant) error {
	users := make([]identity.User, len(list))
	for i, d := range list {
		users[i] = d.User
	}
	err := s.describe(ctx, tx, users)
	for i := range list {
		list[i].User = users[i]
	}
	return err
}

// Deactivated is what became of one of many people who were to be deactivated.
type Deactivated struct {
	ID   identity.UserID
	User identity.User
	Err  error // why the person stays as they were, in words for people; nil: deactivated, or inactive already
}

// DeactivateUsers deactivates people one by one: each keeps every rule, so that whoever must stay stays, and it is said why. After each it calls
// progress; when that returns an error, or ctx ends, the others are left alone.
func (s *Service) DeactivateUsers(ctx context.Context, by identity.Actor, ids []identity.UserID, reason string, progress func(done int, d Deactivated) error) error {
	if _, err := s.scopeFor(by, usersWrite); err != nil {
		return err
	}
	if len(ids) > mostDormant {
		return identity.Errorf(identity.TooLarge, "At most %d people are deactivated at once.", mostDormant).WithField("users")
	}
	if strings.TrimSpace(reason) == "" {
		return identity.Errorf(identity.Invalid, "Say why; it is kept with each event.").WithField("reason")
	}
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := Deactivated{ID: id}
		d.User, d.Err = s.DeactivateUser(ctx, by, id, reason)
		if d.Err != nil && identity.KindOf(d.Err) == identity.Internal {
			return d.Err
		}
		if err := progress(i+1, d); err != nil {
			return err
		}
	}
	return nil
}

// SetDormantRule makes a tenant's people be deactivated by themselves when nobody has seen them for so many days; 0 ends that.
func (s *Service) SetDormantRule(ctx context.Context, by identity.Actor, tenant identity.TenantID, days int, reason string) error {
	scope, err := s.scopeFor(by, usersWrite)
	if err == nil && by.Kind == identity.ActorDirectory {
		err = identity.Errorf(identity.Forbidden, "A directory may not do this.")
	}
	if err == nil && days != 0 {
		err = checkDormantDays(days)
	}
	if err != nil {
		return err
	}
	if tenant == "" || !validIDs(&tenant) {
		return noTenant()
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.Tenant(ctx, scope, tenant)
		if err != nil {
			return sharpen(err, noTenant)
		}
		if err := tx.Lock(ctx, "tenant_settings"); err != nil {
			return err
		}
		settings, err := tx.TenantSettings(ctx, tenant)
		if err != nil || settings.DormantDays == days {
			return err
		}
		e := event(by, identity.TenantUpdated)
		e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason = t.ID, "tenant", string(t.ID), t.Name, reason
		e.Changes = []identity.Change{{Field: "days until unseen people are deactivated", Before: settings.DormantDays, After: days}}
		settings.DormantDays = days
		if err := tx.PutTenantSettings(ctx, tenant, settings); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, e)
	})
}

// RunDormantRules deactivates the people whom nobody has seen for as long as their tenant says, once a day whichever replica is first, and tells the administrators by mail. It
// returns how many it deactivated.
func (s *Service) RunDormantRules(ctx context.Context, by identity.Actor) (int, error) {
	if err := s.platform(by); err != nil {
		return 0, err
	}
	var rules map[identity.TenantID]int
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		rules, err = tx.DormantRules(ctx)
		return err
	})
	total := 0
	for tenant, days := range rules {
		if err != nil {
			return total, err
		}
		var n int
		n, err = s.runDormantRule(ctx, by, tenant, days)
		total += n
	}
	return total, err
}

func (s *Service) runDormantRule(ctx context.Context, by identity.Actor, tenant identity.TenantID, days int) (int, error) {
	mine := false
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		mine, err = tx.PutWarning(ctx, "dormant/"+string(tenant)+"/"+dayOf(tx.Now()), 0, tx.Now())
		return err
	})
	if err != nil || !mine {
		return 0, err
	}
	reason := fmt.Sprintf("nobody has seen the person for %d days", days)
	var gone, stayed []string
	q := DormantQuery{Days: days, Why: []identity.DormantWhy{identity.NotSeen, identity.NeverSignedIn}, TenantID: tenant, Limit: mostDormant}
	for {
		page, err := s.Dormant(ctx, by, q)
		if err != nil {
			return len(gone), err
		}
		for _, d := range page.Items {
			q.After = d.User.ID
			err := s.deactivateUnseen(ctx, by, d.User.ID, days, reason)
			switch {
			case err == nil:
				gone = append(gone, d.User.Label())
			case identity.KindOf(err) == identity.Internal:
				return len(gone), err
			default:
				stayed = append(stayed, d.User.Label()+": "+messageFor(err))
			}
		}
		if !page.More {
			break
		}
	}
	if len(gone) == 0 {
		return 0, nil // who has to stay is not told again each day
	}
	return len(gone), s.db.Update(ctx, func(tx *store.Tx) error { return s.tell(ctx, tx, tenant, mailDormant(days, gone, stayed)) })
}

// deactivateUnseen deactivates somebody who did not come in meanwhile.
func (s *Service) deactivateUnseen(ctx context.Context, by identity.Actor, id identity.UserID, days int, reason string) error {
	_, err := s.updateUser(ctx, by, id, 0, reason, func(u *identity.User) error {
		if u.LastLoginAt != nil && u.LastLoginAt.After(time.Now().AddDate(0, 0, -days)) {
			return identity.Errorf(identity.Precondition, "came in just now")
		}
		u.Enabled, u.Held = false, true
		return nil
	})
	return err
}

// mostNamed is how many people a mail names.
const mostNamed = 50

func mailDormant(days int, gone, stayed []string) note {
	list := func(names []string) string {
		out := "  " + strings.Join(names[:min(len(names), mostNamed)], "\n  ") + "\n"
		if more := len(names) - mostNamed; more > 0 {
			out += fmt.Sprintf("  and %d more\n", more)
		}
		return out
	}
	text := fmt.Sprintf("Your organisation has people deactivated whom nobody has seen for %d days.\n", days)
	if len(gone) > 0 {
		text += "\nDeactivated today; you can activate them again:\n" + list(gone)
	}
	if len(stayed) > 0 {
		text += "\nUnseen too, but they stay:\n" + list(stayed)
	}
	return note{"dormant", fmt.Sprintf("Deactivated after %d days unseen: %d", days, len(gone)), text}
}
