package store

import (
	"context"
	"time"
)

// warningsKept is how long it is remembered, after the end of something, that it was warned of.
const warningsKept = 365 * 24 * time.Hour

// PutWarning remembers that it was warned of the end of something so many days before. It reports whether that is new.
func (tx *Tx) PutWarning(ctx context.Context, subject string, days int, ends time.Time) (bool, error) {
	n, err := tx.execCount(ctx, `INSERT INTO warnings (subject, threshold, ends_at, warned_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, subject, days, ends, tx.now)
	return n > 0, err
}

// SweepWarnings forgets warnings of what ended long ago.
func (tx *Tx) SweepWarnings(ctx context.Context) error {
	return tx.exec(ctx, `DELETE FROM warnings WHERE ends_at < ?`, tx.now.Add(-warningsKept))
}
