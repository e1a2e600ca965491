package identity

// MaxRules is how many rules a connection may have.
const MaxRules = 200

// RuleGroups is the Attribute of a rule about the provider's groups (Claims.Groups); any other name is one of Claims.Attributes.
const RuleGroups = "groups"

// Rule gives a role to everybody of whom the provider says something: the value must be the very same text. With a tenant it counts only there, and a
// person in SSO Landing whom no administrator placed is moved there.
type Rule struct {
	ID        string   `json:"id"`
	Attribute string   `json:"attribute"`
	Value     string   `json:"value"`
	Role      RoleID   `json:"role"`
	Tenant    TenantID `json:"tenant,omitempty"` // empty: wherever the person is
}

// Label writes a rule for people.
func (r Rule) Label() string { return r.Attribute + " = " + r.Value }

// LinkProof says when somebody must sign in with the local password once before a provider's account is tied to theirs by its address.
type LinkProof string

// The policies.
const (
	LinkProofSecondFactor LinkProof = ""       // when the account has a password and a second factor
	LinkProofAlways       LinkProof = "always" // when the account has a password
	LinkProofNever        LinkProof = "never"
)
