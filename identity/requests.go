package identity

import "time"

// Request is the journal entry of what a directory sent. Writes and failed reads are kept; plain successful reads are not.
type Request struct {
	ID          RequestID
	At          time.Time
	DirectoryID DirectoryID
	TenantID    TenantID
	Method      string
	Path        string // with the query
	Body        string // redacted and cut
	Status      int
	Detail      string // the answer's explanation when it was an error
	Duration    time.Duration
	Kept        bool // it is in the journal already
}
