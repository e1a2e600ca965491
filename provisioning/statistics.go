package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// StatisticDays are how many days the statistics can go back, today with them.
var StatisticDays = []int{7, 30, 90}

// defaultDays is how many days the statistics go back where nobody said.
const defaultDays = 30

// mostTenantsCounted is how many tenants the statistics name.
const mostTenantsCounted = 200

// Statistics are the numbers behind the page of that name, of the people and directories that the actor may see.
type Statistics struct {
	Statuses map[identity.Status]int64
	Deleted  int64             // who were deleted and may come back
	Tenants  []identity.Tenant // with the number of their users, at most mostTenantsCounted
	Roles    []RoleCount       // in the order of the access model
	Days     []DayCount        // the oldest first
}

// RoleCount is how many people hold a role.
type RoleCount struct {
	Role  identity.Role
	Users int64
}

// DayCount is what happened on a day, in UTC.
type DayCount struct {
	Day     string // 2006-01-02
	SignIns int64
	Refused int64 // sign-ins
	Pushes  int64 // requests of directories, but for plain reads
	Failed  int64 // of the pushes
}

// Statistics returns numbers about people, sign-ins and pushes of the last days, one of StatisticDays (another number counts as 30). It needs the right to read the
// audit. Days that are over are counted once and remembered; sign-ins that were refused, and pushes, are kept for a while only, and older days show none.
func (s *Service) Statistics(ctx context.Context, by identity.Actor, days int) (Statistics, error) {
	if !slices.Contains(StatisticDays, days) {
		days = defaultDays
	}
	var st Statistics
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return st, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		if st.Statuses, st.Deleted, err = tx.CountStatuses(ctx, scope); err != nil {
			return err
		}
		tenants, err := tx.Tenants(ctx, scope, identity.Query{Limit: mostTenantsCounted})
		if err != nil {
			return err
		}
		st.Tenants = tenants.Items
		held, err := tx.CountRoles(ctx, scope)
		if err != nil {
			return err
		}
		for _, r := range s.model.Roles() {
			if held[r.ID] > 0 || r.Scope == identity.ScopeTenant {
				st.Roles = append(st.Roles, RoleCount{r, held[r.ID]})
			}
		}
		st.Days, err = s.days.of(ctx, tx, scope, days)
		return err
	})
	return st, err
}
