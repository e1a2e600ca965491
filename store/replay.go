package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// EventsInOrder returns the next events behind one, oldest first, at most limit. An empty until is no end; kinds narrow to these types.
func (tx *Tx) EventsInOrder(ctx context.Context, after identity.EventID, until time.Time, limit int, kinds ...identity.EventType) ([]identity.Event, error) {
	b := builder{tx: tx}
	if after != "" {
		b.add("e.id > ?", string(after))
	}
	if !until.IsZero() {
		b.add("e.at < ?", until.UTC())
	}
	if len(kinds) > 0 {
		in, list := tx.textList("e.type", asTexts(kinds))
		b.add(in, list)
	}
	var rows []eventRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+eventColumns+` FROM events e`+b.where()+" ORDER BY e.id LIMIT "+strconv.Itoa(limit), b.args...); err != nil {
		return nil, err
	}
	out := make([]identity.Event, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].event(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Unused reports whether a database has no tables yet, or is one of Drawbridge's in which nothing has happened. It changes nothing, and needs no migration to have been done.
func (db *DB) Unused(ctx context.Context) (bool, error) {
	unused := false
	err := db.View(ctx, func(tx *Tx) error {
		query := `SELECT name FROM sqlite_master WHERE type = 'table'`
		if tx.postgres() {
			query = `SELECT table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`
		}
		var tables []string
		if err := tx.list(ctx, &tables, query); err != nil {
			return err
		}
		if unused = len(tables) == 0; unused {
			return nil
		}
		if !slices.Contains(tables, "users") || !slices.Contains(tables, "events") || !slices.Contains(tables, "goose_db_version") {
			return nil // somebody else's
		}
		var rows []int
		if err := tx.list(ctx, &rows, `SELECT 1 FROM users UNION ALL SELECT 1 FROM events LIMIT 1`); err != nil {
			return err
		}
		unused = len(rows) == 0
		return nil
	})
	return unused, err
}
