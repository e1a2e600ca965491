package identity

// DormantWhy says why nobody seems to use an account.
type DormantWhy string

// The reasons.
const (
	NotSeen             DormantWhy = "not_seen"             // came in once, but not for so many days
	NeverSignedIn       DormantWhy = "never_signed_in"      // was made so many days ago and never came in
	DeactivatedUpstream DormantWhy = "deactivated_upstream" // a directory keeps the person out, and the account with its roles is still there
	NoSource            DormantWhy = "no_source"            // no directory and no provider knows the person any more, and there is no password
)

// DormantWhys lists the reasons.
var DormantWhys = []DormantWhy{NotSeen, NeverSignedIn, DeactivatedUpstream, NoSource}

// Dormant is an account that nobody seems to use.
type Dormant struct {
	User User
	Why  []DormantWhy
}
