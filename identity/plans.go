package identity

import "time"

// PlanKind says what a plan came from.
type PlanKind string

// The kinds of plan.
const (
	PlanImport PlanKind = "import" // a file was read
	PlanSync   PlanKind = "sync"   // an HR system sent people
	PlanBulk   PlanKind = "bulk"   // an administrator chose people and what is to happen to them
	PlanUndo   PlanKind = "undo"   // the opposite of an earlier plan
	PlanDrift  PlanKind = "drift"  // what a source said last, held against what is there now
)

// PlanState says how far a plan is.
type PlanState string

// The states of a plan.
const (
	PlanComputing PlanState = "computing" // the rows are still being read
	PlanReady     PlanState = "planned"   // may be applied, or applied further
	PlanHeld      PlanState = "held"      // a guard tripped: somebody has to approve or reject it
	PlanRejected  PlanState = "rejected"  // it is never applied
	PlanApplying  PlanState = "applying"  // being carried out; whoever holds the lease does it
	PlanDone      PlanState = "applied"   // nothing is left to do
	PlanUndone    PlanState = "undone"    // a later plan put back what it did, as far as nobody had changed the people meanwhile
	PlanFailed    PlanState = "failed"    // its rows cannot be read; Summary.Failure says why
)

// Plan is a list of intended changes with the versions of the people that they were computed from. Nothing but the plan is written before it is applied, and
// nothing that it does not say is done then.
type Plan struct {
	ID         PlanID
	TenantID   TenantID // whose people it may touch; empty: the whole installation's
	Kind       PlanKind
	Source     string // where the people come from, such as "workday"; a plan takes away only what an earlier plan of the same source gave
	FileName   string
	State      PlanState
	Options    PlanOptions
	Summary    PlanSummary
	CreatedBy  string // for people
	CreatedAt  time.Time
	AppliedAt  *time.Time
	RevertedAt *time.Time

	ParentID    PlanID      // of a plan that undoes another: which one
	DirectoryID DirectoryID // of a plan that a directory sent
	DecidedBy   string      // who approved or rejected it, for people
	DecidedAt   *time.Time
	Reason      string     // of the decision
	Applier     *Actor     // in whose name it is being carried out
	Stopping    bool       // somebody asked that it be stopped; cleared when it is
	LeaseUntil  *time.Time // until when somebody else may not take it over
	LeaseBy     string     // who has the lease: another text each time it is taken
}

// PlanLease is how long whoever computes or carries out a plan has it alone. It is renewed with each chunk of steps, and while a chunk lasts; so a plan whose lease ran
// out has nobody any more, and is taken up by the next who looks.
const PlanLease = 30 * time.Second

// PlanOptions are what whoever made a plan chose, on top of what its source says.
type PlanOptions struct {
	Mapping      Mapping                `json:"mapping,omitempty"`
	Transforms   []Transform            `json:"transforms,omitempty"`
	Form         FileForm               `json:"form,omitzero"`
	Role         RoleID                 `json:"role,omitempty"`          // of new people whom the file gives none
	Clear        bool                   `json:"clear,omitempty"`         // an empty cell takes the value away; otherwise it says nothing
	ReplaceRoles bool                   `json:"replace_roles,omitempty"` // also roles that did not come from the source
	Missing      bool                   `json:"missing,omitempty"`       // the rows are the whole list: people of the source who are not in it are deactivated
	Welcome      Welcome                `json:"welcome,omitempty"`
	Rules        []SourceRule           `json:"rules,omitempty"`
	Fields       map[string]FieldPolicy `json:"fields,omitempty"`
	Guards       Guards                 `json:"guards,omitzero"`
	Moves        bool                   `json:"moves,omitempty"` // of bulk acts, and what undoes them: its people are elsewhere before or afterwards
}

// Welcome says how new people of a plan hear of their account.
type Welcome string

// The ways.
const (
	WelcomeInvite   Welcome = "invite"   // a link to set a password
	WelcomePassword Welcome = "password" // a password for the first sign-in, by mail
	WelcomeNone     Welcome = "none"
)

// PlanSummary counts the steps of a plan, and says what is noteworthy about it.
type PlanSummary struct {
	Rows       int      `json:"rows"` // of the file
	Create     int      `json:"create"`
	Update     int      `json:"update"`
	Deactivate int      `json:"deactivate"` // people who may no longer come in, by a step of its own or as a change
	Restore    int      `json:"restore"`    // people who may come in again, deleted ones among them
	Move       int      `json:"move"`       // people who go to another tenant
	Roles      int      `json:"roles"`      // people whose roles change, whatever else does
	Skip       int      `json:"skip"`       // rows that change nothing, with a step or without
	Conflict   int      `json:"conflict"`   // rows that somebody has to decide about
	Errors     int      `json:"errors"`
	Done       int      `json:"done"`
	Failed     int      `json:"failed"`
	Changed    int      `json:"changed"` // computed again, since the person was changed meanwhile
	Reverted   int      `json:"reverted"`
	Holds      []string `json:"holds,omitempty"`  // why it waits for a reason, one sentence each
	SHA256     string   `json:"sha256,omitempty"` // of the file, in hex
	Form       string   `json:"form,omitempty"`   // of the file, for people
	Override   string   `json:"override,omitempty"`
	Failure    string   `json:"failure,omitempty"` // why the rows could not be read, or why the plan was not carried on
}

// PlanAction is what one step does.
type PlanAction string

// The actions.
const (
	StepCreate     PlanAction = "create"
	StepUpdate     PlanAction = "update"
	StepDeactivate PlanAction = "deactivate"
	StepRestore    PlanAction = "restore" // somebody comes back: deleted, or kept out by the same source
	StepMove       PlanAction = "move"    // to another tenant
	StepSkip       PlanAction = "skip"
	StepConflict   PlanAction = "conflict" // somebody has to decide; it is never applied
	StepError      PlanAction = "error"    // the row cannot be used; it is never applied
)

// StepState says what became of a step.
type StepState string

// The states of a step.
const (
	StepOpen     StepState = "open"
	StepDone     StepState = "done"
	StepFailed   StepState = "failed"   // refused when it was applied
	StepChanged  StepState = "changed"  // the person was changed meanwhile: computed again, to be applied again
	StepReverted StepState = "reverted" // undone
	StepKept     StepState = "kept"     // not undone: changed since
	StepNone     StepState = "none"     // there is nothing to do
)

// PlanStep is one person of a plan.
type PlanStep struct {
	PlanID  PlanID
	Line    int // of the file; steps about people whom the file does not have are numbered behind its last line
	Action  PlanAction
	UserID  UserID // empty: somebody new
	Version int64  // of the user that the step was computed from, then the one that it left
	Detail  string // the reason, for people
	State   StepState
	MailID  MailID // of the mail that told the person
	Data    []byte // what the step needs; sealed in the database
}

// Mapping says which column of a file is which field, by the heading as it is written there.
type Mapping map[string]string
