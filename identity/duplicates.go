package identity

// DuplicateKind says why several users may be one person.
type DuplicateKind string

// The kinds, the surest first.
const (
	SameIdentity       DuplicateKind = "identity"        // one subject of one issuer, through several connections
	SameEmail          DuplicateKind = "email"           // one address
	SameExternalID     DuplicateKind = "external_id"     // one id at directories
	SameEmployeeNumber DuplicateKind = "employee_number" // one number of the employer's
	SameName           DuplicateKind = "name"            // one name and one domain: weak, people share names
)

// DuplicateKinds lists the kinds, the surest first.
var DuplicateKinds = []DuplicateKind{SameIdentity, SameEmail, SameExternalID, SameEmployeeNumber, SameName}

// Duplicate is some users of one tenant who may be one person.
type Duplicate struct {
	Kind     DuplicateKind
	Key      string // what they have in common
	TenantID TenantID
	Users    []User
	Cursor   string // continues a list behind this one
}
