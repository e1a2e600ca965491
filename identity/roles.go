package identity

import "time"

// DefaultApplication is the application that roles belong to while there is only one.
const DefaultApplication = "default"

// RoleScope says where a role may be held.
type RoleScope string

// The scopes: a platform role needs a user without a tenant, a tenant role a user with one.
const (
	ScopePlatform RoleScope = "platform"
	ScopeTenant   RoleScope = "tenant"
)

// Role is a named set of permissions of the access model.
type Role struct {
	ID          RoleID
	Application string
	Title       string
	Scope       RoleScope
	Interactive bool // may sign in
}

// RoleDefinition is a role with all that is kept of it. Grants are as they were given: the actions of each resource of the catalogue, also of those
// that a gate hides. What a role may really do is the access model's to say.
type RoleDefinition struct {
	Role
	Assignable  bool                // administrators may give it
	Shipped     bool                // came with the access model
	Grants      map[string][]string // resource -> actions
	Levels      map[string]string   // resource -> data-access level, where roles carry levels
	Description string
	IntendedFor string
	Provides    string
	ReviewedAt  *time.Time // when somebody last looked whether the role is still right
	ReviewedBy  string
	Position    int   // in lists
	Version     int64 // grows with each change; 0 for a role that only the access model's file has
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Users       int // filled where a list shows it
}

// SourceKind says where a role assignment or a link came from. A sync touches only rows of its own source.
type SourceKind string

// The sources.
const (
	SourceDefault   SourceKind = "default" // given at creation; placing replaces it
	SourceManual    SourceKind = "manual"
	SourceDirectory SourceKind = "directory"
	SourceClaim     SourceKind = "claim"
	SourceImport    SourceKind = "import"
)

// Assignment is one role of one user, with where it came from.
type Assignment struct {
	ID          AssignmentID
	UserID      UserID
	RoleID      RoleID
	Application string
	Source      SourceKind
	SourceID    string // directory or connection, where the source is one
	Reason      string
	GrantedBy   string
	CreatedAt   time.Time
}
