package identity

import "time"

// UploadState says how far what an HR system sent is.
type UploadState string

// The states of an upload.
const (
	UploadWaiting UploadState = "waiting"
	UploadWorking UploadState = "working"
	UploadDone    UploadState = "done"   // its plan says what came of it; it may be held
	UploadFailed  UploadState = "failed" // nothing of it was done; Failure says why
)

// Upload is a list of people that an HR system sent, to be worked off after those that it sent before.
type Upload struct {
	ID          UploadID
	DirectoryID DirectoryID
	TenantID    TenantID // of the directory
	Source      string   // that its plan is of: the directory's name
	Job         string   // what the sender calls the job; the directory's id where it has no name for it
	Body        []byte   // as it was sent; what the log needs of it, once it is done. Sealed in the database
	Operations  int
	State       UploadState
	Failure     string // for people
	PlanID      PlanID // empty: nobody has begun
	RequestID   RequestID
	CreatedAt   time.Time
	FinishedAt  *time.Time
	LeaseUntil  *time.Time // until when nobody else may work on it
	LeaseBy     string     // who that is: another text each time
}

// Open reports whether something is still to be done.
func (u Upload) Open() bool { return u.State == UploadWaiting || u.State == UploadWorking }
