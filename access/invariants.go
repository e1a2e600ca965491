package access

import (
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What must hold whoever changes what. A person has either a tenant or a platform role in every model: tenant_xor_platform_role only says so.

// What an owner is protected from.
const (
	DenyEdit       = "edit"
	DenyDelete     = "delete"
	DenyDeactivate = "deactivate"
	DenyRoleChange = "role_change"
)

// What happens when a directory wants what an invariant forbids.
const (
	OnSCIMRefuse  = "refuse"           // it gets an error
	OnSCIMSuspend = "suspend"          // the person cannot come in, and stays what he or she is
	OnSCIMProceed = "proceed_and_flag" // it is done, and somebody is told
)

// Owner protects the person who owns a tenant.
type Owner struct {
	Role   identity.RoleID
	Count  int      // owners of a tenant
	Deny   []string // DenyEdit, DenyDelete, DenyDeactivate, DenyRoleChange
	OnSCIM string   // OnSCIMRefuse, OnSCIMSuspend or OnSCIMProceed
}

// Denies reports whether the owner is protected from something, such as DenyDelete.
func (o Owner) Denies(what string) bool { return slices.Contains(o.Deny, what) }

// Owner returns what the model says about the owner of a tenant; false when its tenants have none.
func (m *Model) Owner() (Owner, bool) {
	i, ok := m.invariant("tenant_owner")
	return Owner{Role: i.Role, Count: max(i.Count, 1), Deny: slices.Clone(i.Deny), OnSCIM: or(i.OnSCIM, OnSCIMRefuse)}, ok
}

// MinimumAdmins returns how many enabled people must carry the admin flag at any time; 0 when any number may.
func (m *Model) MinimumAdmins() int {
	least := 0
	for _, i := range m.document().Invariants {
		if i.Kind == "last_admin" && i.Flag {
			least = max(least, i.Count)
		}
	}
	return least
}

// RoleInUse returns what happens to a role that somebody holds when it is deleted: "reassign" (its people get another one, which has to be named) or
// "refuse", which is the default.
func (m *Model) RoleInUse() string {
	i, _ := m.invariant("role_in_use")
	return or(i.Mode, "refuse")
}

// OpenAssignments says what stands in the way of deactivating somebody who has work to do in the application.
type OpenAssignments struct {
	OnPerson string // an administrator: "block" or "warn"
	OnSCIM   string // a directory: OnSCIMProceed, or OnSCIMRefuse
}

// OpenAssignments returns what open work means for deactivating its person; false when it means nothing.
func (m *Model) OpenAssignments() (OpenAssignments, bool) {
	i, ok := m.invariant("open_assignments")
	return OpenAssignments{OnPerson: or(i.OnPerson, "warn"), OnSCIM: or(i.OnSCIM, OnSCIMProceed)}, ok
}

func (m *Model) invariant(kind string) (invariant, bool) {
	list := m.document().Invariants
	if i := slices.IndexFunc(list, func(i invariant) bool { return i.Kind == kind }); i >= 0 {
		return list[i], true
	}
	return invariant{}, false
}
