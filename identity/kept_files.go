package identity

import "time"

// KeptFileID names a file on its way to a plan.
type KeptFileID string

// KeptFile is a file that somebody brought, kept until it becomes a plan. Only who brought it sees it.
type KeptFile struct {
	ID        KeptFileID
	TenantID  TenantID // whose people it has; empty: the whole installation's
	BroughtBy string   // the id of the user
	Name      string
	Source    string
	Size      int64 // in bytes
	CreatedAt time.Time
}

// KeptFileAge is how long a file is kept that nobody makes a plan of.
const KeptFileAge = 24 * time.Hour
