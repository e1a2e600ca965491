package identity

// UserWarningKind says what somebody who makes or changes a user had better look at.
type UserWarningKind string

// The kinds.
const (
	WarnSameEmail     UserWarningKind = "same_email"     // others of the tenant have the address
	WarnDeletedEmail  UserWarningKind = "deleted_email"  // somebody who was deleted had it
	WarnFreeMail      UserWarningKind = "free_mail"      // an address that everybody gets, where the tenant has no domains
	WarnForeignDomain UserWarningKind = "foreign_domain" // none of the tenant's own domains
)

// UserWarning is something about a user that refuses nothing.
type UserWarning struct {
	Kind  UserWarningKind
	Field string
	Text  string   // for people
	Users []UserID // whom it is about, if others
}
