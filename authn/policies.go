package authn

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Policies are what is asked of passwords, sign-ins and sessions, and whose word each is.
type Policies struct {
	access.Policy                    // in force where a tenant says nothing
	Model         access.Policy      // as the access model says; what it leaves open is 0
	Default       access.Policy      // as it is where the access model says nothing
	Idle, Age     time.Duration      // what the installation says of sessions, before the model; 0: nothing
	Most          int                // sessions of one person where a tenant says no fewer
	LongPassword  int                // the longest password in characters
	Enforced      []identity.Role    // who must have a second factor
	Email         string             // what happens when people change their own address: verify, free or off
	Keys          identity.KeyPolicy // whose API keys work
	KeysByModel   bool               // as the access model says; else the installation chose
}

// Policies returns what is asked of passwords, sign-ins and sessions, for those who may see users.
func (s *Service) Policies(ctx context.Context, by identity.Actor) (Policies, error) {
	trusted := by.Kind == identity.ActorOperator || by.Kind == identity.ActorSystem
	if d := s.model.Allows(access.Who(by), usersRead); !trusted && (by.Kind != identity.ActorUser || !d.Allowed) {
		return Policies{}, identity.Errorf(identity.Forbidden, "You may not do this: it needs the right %s. %s.", usersRead, d.Reason)
	}
	p := Policies{
		Policy: s.policy(), Model: s.model.Policy(), Idle: s.idle, Age: s.age, Most: maxSessions, LongPassword: maxPassword, Email: s.model.SelfServiceEmail(), KeysByModel: true,
		Default: access.Policy{MinPassword: minPassword, MaxFailures: maxFailures, FailureWindow: failureWindow, UnlockAfter: unlockAfter, SessionIdle: sessionIdle, SessionAge: sessionAge},
	}
	for _, r := range s.model.Roles() {
		if s.model.EnforceSecondFactor([]identity.RoleID{r.ID}) {
			p.Enforced = append(p.Enforced, r)
		}
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if p.Keys, err = s.keyPolicy(ctx, tx); err != nil {
			return err
		}
		_, chosen, err := tx.KeyRoles(ctx)
		p.KeysByModel = !chosen
		return err
	})
	return p, err
}
