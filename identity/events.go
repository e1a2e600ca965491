package identity

import "time"

// Event says who did what to whom, when, through which door and request, field by field. It is written in the transaction of the change itself.
type Event struct {
	ID          EventID
	At          time.Time
	Type        EventType
	ActorKind   ActorKind
	ActorID     string
	ActorLabel  string
	Door        string
	RequestID   RequestID
	IP          string   // from where; empty for what no client asked for
	TenantID    TenantID // whose administrators may read it
	UserID      UserID   // the person it is about
	ObjectKind  string   // "user", "group", "resource", "tenant", "directory", "connection", "session"
	ObjectID    string
	ObjectLabel string
	Reason      string
	Changes     []Change

	Hidden []Veil // values that are not kept: a change says only that they changed
}

// Change is one field before and after; secrets are never in it.
type Change struct {
	Field  string `json:"field"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
}

// EventType names what happened, as "noun.verb".
type EventType string

// The event types.
const (
	UserCreated       EventType = "user.created"
	UserUpdated       EventType = "user.updated"
	UserDeactivated   EventType = "user.deactivated"
	UserActivated     EventType = "user.activated"
	UserDeleted       EventType = "user.deleted"
	UserRestored      EventType = "user.restored"
	UserAdopted       EventType = "user.adopted"
	UserPlaced        EventType = "user.placed"
	UserTermsChanged  EventType = "user.terms_changed"
	UserLinked        EventType = "user.linked"
	UserUnlinked      EventType = "user.unlinked"
	UserEmailSaid     EventType = "user.email_said"
	ModelApplied      EventType = "model.applied"
	RoleAssigned      EventType = "role.assigned"
	RoleRemoved       EventType = "role.removed"
	GroupCreated      EventType = "group.created"
	GroupUpdated      EventType = "group.updated"
	GroupDeleted      EventType = "group.deleted"
	MembersAdded      EventType = "group.members_added"
	MembersRemoved    EventType = "group.members_removed"
	ResourceCreated   EventType = "resource.created"
	ResourceUpdated   EventType = "resource.updated"
	ResourceDeleted   EventType = "resource.deleted"
	SessionStarted    EventType = "session.started"
	SessionEnded      EventType = "session.ended"
	SignInRefused     EventType = "signin.refused"
	ReviewOpened      EventType = "review.opened"
	ReviewClosed      EventType = "review.closed"
	PasswordSet       EventType = "password.set"
	PasswordLocked    EventType = "password.locked"
	PasswordChanged   EventType = "password.changed"
	PasswordDemanded  EventType = "password.change_required"
	UserLocked        EventType = "user.locked"
	UserUnlocked      EventType = "user.unlocked"
	TenantCreated     EventType = "tenant.created"
	TenantUpdated     EventType = "tenant.updated"
	TenantHanded      EventType = "tenant.owner_changed"
	DirectoryCreated  EventType = "directory.created"
	DirectoryUpdated  EventType = "directory.updated"
	TokenIssued       EventType = "directory.token_issued"
	TokenRevoked      EventType = "directory.token_revoked"
	TokenExpiring     EventType = "directory.token_expiring"
	ClientCreated     EventType = "directory.client_created"
	ClientRevoked     EventType = "directory.client_revoked"
	ConnectionCreated EventType = "connection.created"
	ConnectionUpdated EventType = "connection.updated"

	SecondFactorOn       EventType = "second_factor.on"
	SecondFactorOff      EventType = "second_factor.off"
	SecondFactorReset    EventType = "second_factor.reset"
	SecondFactorLocked   EventType = "second_factor.locked"
	RecoveryCodeUsed     EventType = "second_factor.recovery_code_used"
	RecoveryCodesRenewed EventType = "second_factor.recovery_codes_renewed"
	SignInBreakGlass     EventType = "signin.break_glass"
	BreakGlassGranted    EventType = "break_glass.granted"
	BreakGlassRevoked    EventType = "break_glass.revoked"

	DomainClaimed     EventType = "domain.claimed"
	DomainVerified    EventType = "domain.verified"
	DomainOverridden  EventType = "domain.overridden"
	DomainFailing     EventType = "domain.failing"
	DomainRecovered   EventType = "domain.recovered"
	DomainRemoved     EventType = "domain.removed"
	ConnectionDeleted EventType = "connection.deleted"
	ConnectionTested  EventType = "connection.tested"
	SetupLinkCreated  EventType = "setup_link.created"
	SetupLinkRevoked  EventType = "setup_link.revoked"
	SetupLinkFinished EventType = "setup_link.finished"

	UserErased           EventType = "user.erased"
	UserMerged           EventType = "user.merged"
	HoldingSet           EventType = "holding.set"
	HoldingRemoved       EventType = "holding.removed"
	TransferRequested    EventType = "ownership.transfer_requested"
	TransferAcknowledged EventType = "ownership.transfer_acknowledged"
	TransferWithdrawn    EventType = "ownership.transfer_withdrawn"
	OffboardingBegun     EventType = "offboarding.begun"
	OffboardingClosed    EventType = "offboarding.closed"
	OffboardingCancelled EventType = "offboarding.cancelled"
	OffboardingReported  EventType = "offboarding.reported"

	ConnectionKeyRotated EventType = "connection.key_rotated"
	MetadataChanged      EventType = "connection.metadata_changed"
	MetadataHeld         EventType = "connection.metadata_held"
	MetadataApproved     EventType = "connection.metadata_approved"
	MetadataRejected     EventType = "connection.metadata_rejected"
	MetadataRefused      EventType = "connection.metadata_refused"
	ConnectionEnding     EventType = "connection.ending"
	MailResent           EventType = "mail.resent"
	MailTested           EventType = "mail.tested"
	TracesShared         EventType = "signin.shared"
	TracesUnshared       EventType = "signin.unshared"

	PlanMade     EventType = "plan.made"
	PlanApplied  EventType = "plan.applied"
	PlanReverted EventType = "plan.reverted"
	PlanDropped  EventType = "plan.dropped"
	PlanApproved EventType = "plan.approved"
	PlanRefused  EventType = "plan.rejected"
	PlanStopped  EventType = "plan.stopped"

	SourceChanged EventType = "source.changed"
	SourceDeleted EventType = "source.deleted"

	BurstOpened  EventType = "directory.burst"
	BurstAllowed EventType = "directory.burst_approved"
	BurstRefused EventType = "directory.burst_rejected"

	UsersExported  EventType = "users.exported"
	EventsExported EventType = "events.exported"

	UserPositioned      EventType = "user.positioned"
	UnitCreated         EventType = "unit.created"
	UnitUpdated         EventType = "unit.updated"
	UnitDeleted         EventType = "unit.deleted"
	UserTypeCreated     EventType = "user_type.created"
	UserTypeUpdated     EventType = "user_type.updated"
	UserTypeDeleted     EventType = "user_type.deleted"
	RecordCreated       EventType = "record.created"
	RecordUpdated       EventType = "record.updated"
	RecordLinked        EventType = "record.linked"
	RecordUnlinked      EventType = "record.unlinked"
	APIKeyCreated       EventType = "api_key.created"
	APIKeyRevealed      EventType = "api_key.revealed"
	APIKeyRevoked       EventType = "api_key.revoked"
	KeyRolesChanged     EventType = "api_key.policy_changed"
	InvitationSent      EventType = "invitation.sent"
	InvitationResent    EventType = "invitation.resent"
	InvitationRevoked   EventType = "invitation.revoked"
	InvitationUsed      EventType = "invitation.accepted"
	ResetSent           EventType = "password.reset_sent"
	EmailChangeAsked    EventType = "email.change_asked"
	EmailChangeProven   EventType = "email.changed"
	EmailChangeStopped  EventType = "email.change_stopped"
	TenantRegistered    EventType = "tenant.registered"
	WelcomeSent         EventType = "user.welcomed"
	MailTemplateSet     EventType = "mail_template.changed"
	MailTemplateReset   EventType = "mail_template.reset"
	RoleCreated         EventType = "role.created"
	RoleUpdated         EventType = "role.updated"
	RoleDeleted         EventType = "role.deleted"
	RoleReviewed        EventType = "role.reviewed"
	AccessReported      EventType = "access.reported"
	AccessReviewStarted EventType = "access_review.started"
	AccessReviewDecided EventType = "access_review.decided"
	AccessReviewClosed  EventType = "access_review.closed"
	AccessReviewCopied  EventType = "access_review.exported"
)

// EventTypes lists every type with what it means; docs/events.md is checked against it.
var EventTypes = map[EventType]string{
	UserCreated:       "a person became a user: by a directory, a first sign-in, the console or the command line",
	UserUpdated:       "attributes of a user changed",
	UserDeactivated:   "a user may no longer come in; all sessions ended",
	UserActivated:     "a user may come in again",
	UserDeleted:       "a user was deleted; a tombstone keeps the id for a return",
	UserRestored:      "a deleted person came back and got the old id",
	UserAdopted:       "a directory took over a user who already existed",
	UserPlaced:        "a user was moved to a tenant with a role",
	UserTermsChanged:  "from when until when a person belongs here was changed",
	UserLinked:        "a provider's subject was tied to a user",
	UserUnlinked:      "a provider's subject was untied from a user; the sessions that it began ended",
	UserEmailSaid:     "the provider of a linked user says another address than before; the account keeps its own",
	ModelApplied:      "an access model was put in force",
	RoleAssigned:      "a user got a role",
	RoleRemoved:       "a user lost a role",
	GroupCreated:      "a directory created a group",
	GroupUpdated:      "a group was renamed or its attributes changed",
	GroupDeleted:      "a group was deleted with its memberships",
	MembersAdded:      "members were added to a group",
	MembersRemoved:    "members were removed from a group",
	ResourceCreated:   "a directory created a resource of a type that the installation declared",
	ResourceUpdated:   "attributes of such a resource changed",
	ResourceDeleted:   "such a resource was deleted",
	SessionStarted:    "somebody signed in",
	SessionEnded:      "a session ended: signed out, ended by an administrator, or with its user",
	SignInRefused:     "somebody was refused; the sign-in trace says why",
	ReviewOpened:      "a sign-in waits for an administrator to settle it",
	ReviewClosed:      "such a sign-in was settled or dismissed",
	PasswordSet:       "a password was set",
	PasswordLocked:    "too many wrong passwords; the account waits",
	PasswordChanged:   "a user changed the own password",
	PasswordDemanded:  "a password has to be changed at the next sign-in, or no longer has to",
	UserLocked:        "too many wrong passwords; nobody comes in until an administrator unlocks the account",
	UserUnlocked:      "a lock was taken away and the count of wrong passwords began anew",
	TenantCreated:     "a tenant was created",
	DirectoryCreated:  "a directory was created",
	DirectoryUpdated:  "a directory's settings changed",
	TokenIssued:       "a bearer token was made for a directory",
	TokenRevoked:      "a directory's bearer token was revoked",
	TokenExpiring:     "a directory's bearer token that is in use ends within 14 days; written once a token",
	ClientCreated:     "an OAuth client was made for a directory",
	ClientRevoked:     "a directory's OAuth client was revoked with its access tokens",
	ConnectionCreated: "a connection to an identity provider was created",
	ConnectionUpdated: "a connection's settings changed",
	TenantHanded:      "the platform made somebody the owner of a tenant, in place of whoever was",
	TenantUpdated:     "a tenant's settings changed, such as whether its people come in through its provider only",

	SecondFactorOn:       "a user turned on a second factor beside the password",
	SecondFactorOff:      "a user turned the own second factor off, with password and code",
	SecondFactorReset:    "an administrator took a user's second factor away; all sessions ended",
	SecondFactorLocked:   "too many wrong codes; the account takes none for a while",
	RecoveryCodeUsed:     "a recovery code was used in place of the second factor",
	RecoveryCodesRenewed: "a user got new recovery codes; the old ones are worth nothing",
	SignInBreakGlass:     "an account for emergencies signed in with a password",
	BreakGlassGranted:    "an account became one for emergencies: it may use a password where its tenant requires a provider",
	BreakGlassRevoked:    "an account for emergencies became an ordinary one",

	DomainClaimed:     "a domain was claimed; it is still to be verified",
	DomainVerified:    "a domain was verified by its DNS record",
	DomainOverridden:  "a Super Admin gave a domain to somebody without its DNS record",
	DomainFailing:     "the DNS record of a verified domain is gone; nothing was taken away",
	DomainRecovered:   "the DNS record of a verified domain is there again",
	DomainRemoved:     "a claim of a domain was removed",
	ConnectionDeleted: "a connection was deleted with its links; the sessions that came through it ended",
	ConnectionTested:  "somebody who sets a connection up tried it: nobody was created, linked or signed in",
	SetupLinkCreated:  "a link was made with which a customer's own administrators make one connection of their tenant",
	SetupLinkRevoked:  "such a link was revoked before it was used up",
	SetupLinkFinished: "a customer's administrators finished their connection with such a link, which is used up",

	UserErased:           "a user was deleted for good: the person's data is gone everywhere, and the id alone is left in the audit",
	UserMerged:           "two users who were one person were joined; the one that stays got what the other had",
	HoldingSet:           "an application said what a person owns or has to do",
	HoldingRemoved:       "an application said that something is owned, or is to be done, no more",
	TransferRequested:    "what a person owns or has to do is to go to a successor; open until the application acknowledges it",
	TransferAcknowledged: "the application made the successor the owner of what was to be transferred",
	TransferWithdrawn:    "what was to go to a successor stays with the person, who came back",
	OffboardingBegun:     "somebody leaves: access ended, and what the person owned or had to do is to go over; or a successor was named for it",
	OffboardingClosed:    "an offboarding was closed: nothing was left, or somebody said why it may stay",
	OffboardingCancelled: "an offboarding ended because the person came back",
	OffboardingReported:  "the evidence of an offboarding was written to a file",

	ConnectionKeyRotated: "a step of changing a connection's own key: a key was added, put to use, or the others were dropped",
	MetadataChanged:      "a provider's metadata brought other certificates or addresses, which are in force now",
	MetadataHeld:         "a provider's metadata brought certificates or a host that wait for a Super Admin, since the connection pins its certificates",
	MetadataApproved:     "a Super Admin let a change of a provider's metadata into force",
	MetadataRejected:     "a Super Admin refused a change of a provider's metadata, or the provider took it back",
	MetadataRefused:      "a provider's metadata could not be its own: another entity id, a wrong signature, an old document; the settings stayed",
	ConnectionEnding:     "a certificate or client secret of a connection ends within 60, 30, 7 or 1 days; written once each",
	MailResent:           "a mail that was given up is sent again",
	MailTested:           "somebody had a mail sent to the own address, to see whether mails arrive",
	TracesShared:         "a link was made that shows one sign-in, or the refused ones of a connection, to whoever has it",
	TracesUnshared:       "such a link was revoked",

	PlanMade:     "a file was read and a plan made of what it would change; no person was touched",
	PlanApplied:  "a plan was carried out, as far as it says: how many people it created, changed and refused, and why it was allowed where it was held",
	PlanReverted: "a plan was undone for everybody whom nobody had changed since",
	PlanDropped:  "a plan was thrown away with what it kept",
	PlanApproved: "a plan that a guard held was approved, with the reason; nobody was touched yet",
	PlanRefused:  "a plan was rejected; it is never carried out",
	PlanStopped:  "somebody asked that a plan be stopped; what was done stays done",

	SourceChanged: "what holds for all that a source of people sends was changed, field by field",
	BurstOpened:   "a directory would keep out more people at once than its guard allows; the rest waits until somebody approves it",
	BurstAllowed:  "an administrator let a directory keep out many people at once",
	BurstRefused:  "an administrator refused to let a directory keep out many people at once",

	SourceDeleted: "what held for all that a source of people sends was forgotten; its people stay",

	UsersExported:  "people were written to a file: by which filter, how many, and the SHA-256 of the file",
	EventsExported: "events were written to a file, likewise",

	UserPositioned:      "where a user stands changed: type, business unit, team, data level, external, or the admin flag",
	UnitCreated:         "a business unit or a team was created",
	UnitUpdated:         "a business unit or a team was renamed or moved",
	UnitDeleted:         "a business unit or a team was deleted",
	UserTypeCreated:     "a user type was added to those of the access model",
	UserTypeUpdated:     "a user type was renamed, or proposes another role",
	UserTypeDeleted:     "a user type that nobody had was deleted",
	RecordCreated:       "a record of an application, such as a technician, became known",
	RecordUpdated:       "such a record was renamed, activated or deactivated",
	RecordLinked:        "such a record was tied to a user",
	RecordUnlinked:      "such a record was untied from a user",
	APIKeyCreated:       "a key was made with which a program calls as a person; an older one that it replaces is revoked",
	APIKeyRevealed:      "somebody looked at a key that had been made before",
	APIKeyRevoked:       "a key was revoked; it stops at once",
	KeyRolesChanged:     "a Super Admin changed whose keys work; those of other roles stop at once and are kept",
	InvitationSent:      "a person was invited: a link went to the mailbox with which they join",
	InvitationResent:    "a person was sent a new invitation; the link of the old one is dead",
	InvitationRevoked:   "an invitation was taken back before the person had joined",
	InvitationUsed:      "a person who was invited has joined: the link proved the mailbox",
	ResetSent:           "a link to a new password went to a user's mailbox",
	EmailChangeAsked:    "a user wants another e-mail address; the new mailbox has to prove itself first",
	EmailChangeProven:   "a user's new e-mail address proved itself and is in force",
	EmailChangeStopped:  "the old mailbox stopped a change of a user's e-mail address, or took it back",
	TenantRegistered:    "somebody registered a tenant, whose owner they are",
	WelcomeSent:         "a user was sent the first mail: how to sign in, or a temporary password",
	MailTemplateSet:     "the words of a mail were changed, for a tenant or for the installation",
	MailTemplateReset:   "the changed words of a mail were taken back",
	RoleCreated:         "a role was made, from nothing or as a copy of another",
	RoleUpdated:         "a role grants something else, or says something else about itself; it counts for everybody who holds it from their next request on",
	RoleDeleted:         "a role was deleted; whoever held it got another one in the same moment",
	RoleReviewed:        "somebody looked whether a role is still right",
	AccessReported:      "the list of who holds what left as a file",
	AccessReviewStarted: "a review of who holds what began, by an administrator or by its schedule",
	AccessReviewDecided: "a reviewer kept, changed or took away what somebody holds",
	AccessReviewClosed:  "a review of who holds what was closed; it says how much was left undecided",
	AccessReviewCopied:  "the evidence of a review left as a file, with its SHA-256",
}
