package identity

import "time"

// PasswordTerms is what holds for a local password beside its hash. The zero value is one that its owner chose here.
type PasswordTerms struct {
	MustChange bool       // whoever signs in with it reaches nothing but the page that changes it
	Temporary  bool       // somebody else made it up
	ExpiresAt  *time.Time // when a temporary one opens nothing any more
	Imported   bool       // its hash was made elsewhere
}

// TenantSettings are what a tenant asks of its people's sign-ins beside what the access model and the installation ask. A zero field asks nothing.
type TenantSettings struct {
	SessionIdle    time.Duration  `json:"session_idle,omitempty"` // how long a session may be unused
	SessionAge     time.Duration  `json:"session_age,omitempty"`  // how old a session may become
	SessionMost    int            `json:"session_most,omitempty"` // how many sessions one person has at most
	SecondFactor   bool           `json:"second_factor,omitempty"`
	ProviderFactor ProviderFactor `json:"provider_factor,omitempty"`
	WithoutSSO     bool           `json:"without_sso,omitempty"`  // its own providers sign nobody in; only whoever runs the installation says so
	DormantDays    int            `json:"dormant_days,omitempty"` // after how many days unseen people are deactivated
}

// ProviderFactor says what a sign-in through a provider is worth where a second factor is required.
type ProviderFactor string

// What it is worth: a second factor when the provider says that it asked for one, always, or never.
const (
	FactorAsTold ProviderFactor = ""
	FactorAlways ProviderFactor = "always"
	FactorNever  ProviderFactor = "never"
)

// SharedLogin is an account with several sessions at once, which may mean that several people use it.
type SharedLogin struct {
	User       User
	Sessions   int
	Addresses  int // different ones
	Browsers   int
	LastSeenAt time.Time
}
