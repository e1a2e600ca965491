package identity

import "time"

// Tenant is one customer organisation.
type Tenant struct {
	ID        TenantID
	Name      string
	Landing   bool // the tenant in which unknown people arrive
	Main      bool // the one tenant of an installation that has one
	CreatedAt time.Time
	Users     int64 // filled where a list shows it

	RequireSSO bool // its people come in through a provider only; accounts for emergencies are exempt
}

// LandingTenantName is the name under which the landing tenant is seeded when the access model names none.
const LandingTenantName = "SSO Landing"
