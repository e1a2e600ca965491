package identity

// ActorKind says who asks.
type ActorKind string

// The kinds of actor.
const (
	ActorUser       ActorKind = "user"
	ActorDirectory  ActorKind = "directory"
	ActorConnection ActorKind = "connection"
	ActorOperator   ActorKind = "operator" // at the command line, with the database in hand
	ActorSystem     ActorKind = "system"
	ActorSetup      ActorKind = "setup" // whoever opened a setup link: one connection of one tenant, and nothing else
)

// Actor is who asks for a change or a look, and through which door.
type Actor struct {
	Kind      ActorKind
	ID        string // UserID, DirectoryID or ConnectionID by kind
	Label     string
	TenantID  TenantID // a user's home; the scope of a directory or connection; empty: the whole installation
	Roles     []RoleID // of a user, as they are now
	Admin     bool     // of a user: the admin flag, where the access model has one
	Door      string   // "scim", "console", "sso", "cli"
	RequestID RequestID
	IP        string          // from where; empty for what no client asked for
	Hidden    []Veil          // attributes whose values no event keeps
	Guard     *DirectoryGuard `json:"-"` // of a directory that pushes people, with its defaults; nil: it may keep out as many as it says
	Request   *Request        // of a directory: the journal entry of what is being answered; the first change writes it in its own transaction
}

// Operator returns the actor of the command line.
func Operator() Actor { return Actor{Kind: ActorOperator, Label: "operator", Door: "cli"} }

// System returns the actor of what Drawbridge does by itself.
func System() Actor { return Actor{Kind: ActorSystem, Label: "Drawbridge", Door: "system"} }

// DirectoryID returns the asking directory, or "".
func (a Actor) DirectoryID() DirectoryID {
	if a.Kind == ActorDirectory {
		return DirectoryID(a.ID)
	}
	return ""
}

// SetupID returns the setup link that was opened, or "".
func (a Actor) SetupID() SetupLinkID {
	if a.Kind == ActorSetup {
		return SetupLinkID(a.ID)
	}
	return ""
}

// UserID returns the asking user, or "".
func (a Actor) UserID() UserID {
	if a.Kind == ActorUser {
		return UserID(a.ID)
	}
	return ""
}
