package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	sqlite "modernc.org/sqlite"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Tx carries the queries. It is valid only inside the function that View or Update was given.
type Tx struct {
	db    *DB
	q     sqlx.ExtContext
	own   *sqlx.Tx // PostgreSQL: the transaction, once it has begun
	lazy  bool     // PostgreSQL: it begins with the first query
	whole bool     // SQLite: others share the transaction, so that nothing may interrupt it
	now   time.Time
	added []identity.User // inserted by this transaction
	queue []statement     // PostgreSQL: writes that go out together, with the next query or the commit
	hopes []expectation   // what must be true of the queue when it went out
	sent  chan error      // PostgreSQL: the outcome of writes that are on their way; nil: there are none
	opens bool            // it wrote what OpeningVersion counts
	light bool            // PostgreSQL: its writes are one statement, or it ends with NeedsLock
	seen  string          // PostgreSQL: the version of the row of the user whom UserSeen returned
	facts map[string]bool // PostgreSQL: users of whom it wrote UserFacts, and whether it wrote the user too
}

// statement is a write that nobody waits for.
type statement struct {
	name  string // by which the others that travel with it know it; may be empty
	query string
	args  []any
}

// expectation is a condition that must be true; otherwise everything that travels with it is undone.
type expectation struct {
	condition string
	args      []any
}

// maxBound is how many texts of queries are kept; those of a program with fixed queries and a few shapes of changes.
const maxBound = 2000

// maxQueue is how many writes go out together at most.
const maxQueue = 16

// Now returns the transaction's time: UTC, to the microsecond.
func (tx *Tx) Now() time.Time { return tx.now }

func (tx *Tx) postgres() bool { return tx.db.driver == driverPostgres }

// ready makes sure that there is a transaction and that what waited was sent before the next query.
func (tx *Tx) ready(ctx context.Context) error {
	if tx.light {
		return errNeedsLock
	}
	if tx.lazy {
		own, err := tx.db.write.BeginTxx(ctx, nil)
		if err != nil {
			return classify(ctx, err)
		}
		tx.lazy, tx.own, tx.q = false, own, own
	}
	return tx.flush(ctx)
}

// guard returns the context for a statement.
func (tx *Tx) guard(ctx context.Context) context.Context {
	if tx.whole {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// bind writes a query's question marks as the driver wants them, once for each text.
func (tx *Tx) bind(query string) string {
	if !tx.postgres() {
		return query
	}
	if bound, ok := tx.db.bound.Load(query); ok {
		return bound.(string)
	}
	bound := sqlx.Rebind(sqlx.DOLLAR, query)
	if tx.db.texts.Add(1) <= maxBound {
		tx.db.bound.Store(query, bound)
	}
	return bound
}

// later writes without waiting: on PostgreSQL the writes of a transaction travel together, because each journey costs more than the work
// at its end. They run in no order among themselves, so no two of them may touch the same row. What is wrong with one of them, such as
// a Conflict, is the error of whatever sends them. On SQLite there is no journey and the write happens now.
func (tx *Tx) later(ctx context.Context, query string, args ...any) error {
	if !tx.postgres() {
		return tx.exec(ctx, query, args...)
	}
	tx.queue = append(tx.queue, statement{query: query, args: args})
	if len(tx.queue) < maxQueue {
		return nil
	}
	return tx.ready(ctx)
}

// named is later on PostgreSQL for a statement that others refer to by a name, and that must return some rows.
func (tx *Tx) named(name string, rows int, query string, args ...any) {
	tx.queue = append(tx.queue, statement{name, query, args})
	tx.hopes = append(tx.hopes, expectation{"(SELECT count(*) FROM " + name + ") = ?", []any{rows}})
}

// Send has what waits written while the caller goes on; the next query, or the commit, waits for it and returns what is wrong with it.
func (tx *Tx) Send(ctx context.Context) error {
	if !tx.postgres() || len(tx.queue) == 0 {
		return nil
	}
	queue := tx.queue
	tx.queue = nil
	if err := tx.ready(ctx); err != nil { // the transaction has begun, and nothing else is on its way
		return err
	}
	one := &Tx{db: tx.db, q: tx.q, now: tx.now, queue: queue, hopes: tx.hopes}
	tx.hopes, tx.sent = nil, make(chan error, 1)
	go func(sent chan<- error) { sent <- one.flush(ctx) }(tx.sent)
	return nil
}

// arrived waits for what Send has sent.
func (tx *Tx) arrived() error {
	if tx.sent == nil {
		return nil
	}
	err := <-tx.sent
	tx.sent = nil
	return err
}

// flush sends what later has gathered, as one statement.
func (tx *Tx) flush(ctx context.Context) error {
	if err := tx.arrived(); err != nil {
		return err
	}
	if len(tx.queue) == 0 {
		return nil
	}
	var b strings.Builder
	args := make([]any, 0, 16*len(tx.queue))
	last := len(tx.queue) - 1
	if len(tx.hopes) > 0 {
		last++
	}
	for i, s := range tx.queue[:last] {
		b.WriteString(map[bool]string{true: "WITH ", false: ", "}[i == 0])
		if s.name == "" {
			s.name = "q" + strconv.Itoa(i)
		}
		b.WriteString(s.name)
		b.WriteString(" AS (")
		b.WriteString(s.query)
		b.WriteByte(')')
		args = append(args, s.args...)
	}
	b.WriteByte(' ')
	if last < len(tx.queue) {
		b.WriteString(tx.queue[last].query)
		args = append(args, tx.queue[last].args...)
	} else {
		args = append(args, hope(&b, tx.hopes)...)
	}
	tx.queue, tx.hopes = nil, nil
	_, err := tx.q.ExecContext(ctx, tx.bind(b.String()), args...)
	return classify(ctx, err)
}

// hope writes the last part of a statement, which divides by zero when an expectation fails.
func hope(b *strings.Builder, hopes []expectation) []any {
	var args []any
	b.WriteString("SELECT 1 / (CASE WHEN ")
	for i, h := range hopes {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(h.condition)
		args = append(args, h.args...)
	}
	b.WriteString(" THEN 1 ELSE 0 END)")
	return args
}

func (tx *Tx) get(ctx context.Context, dst any, query string, args ...any) error {
	if err := tx.ready(ctx); err != nil {
		return err
	}
	err := sqlx.GetContext(tx.guard(ctx), tx.q, dst, tx.bind(query), args...)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.Errorf(identity.NotFound, "not found")
	}
	return classify(ctx, err)
}

// each calls scan for every row of a query. It is list without looking fields up by name, for what is asked most.
func (tx *Tx) each(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) (err error) {
	if err := tx.ready(ctx); err != nil {
		return err
	}
	rows, err := tx.q.QueryContext(tx.guard(ctx), query, args...)
	if err != nil {
		return classify(ctx, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("database: %w", err)
		}
	}
	return classify(ctx, rows.Err())
}

func (tx *Tx) list(ctx context.Context, dst any, query string, args ...any) error {
	if err := tx.ready(ctx); err != nil {
		return err
	}
	return classify(ctx, sqlx.SelectContext(tx.guard(ctx), tx.q, dst, tx.bind(query), args...))
}

// listBuilt is list for a query that was put together: its text is not kept, so that strange filters do not fill the memory.
func (tx *Tx) listBuilt(ctx context.Context, dst any, query string, args ...any) error {
	if err := tx.ready(ctx); err != nil {
		return err
	}
	if tx.postgres() {
		query = sqlx.Rebind(sqlx.DOLLAR, query)
	}
	return classify(ctx, sqlx.SelectContext(tx.guard(ctx), tx.q, dst, query, args...))
}

func (tx *Tx) exec(ctx context.Context, query string, args ...any) error {
	if err := tx.ready(ctx); err != nil {
		return err
	}
	_, err := tx.q.ExecContext(tx.guard(ctx), tx.bind(query), args...)
	return classify(ctx, err)
}

// execCount is exec that tells how many rows it touched.
func (tx *Tx) execCount(ctx context.Context, query string, args ...any) (int, error) {
	if err := tx.ready(ctx); err != nil {
		return 0, err
	}
	res, err := tx.q.ExecContext(tx.guard(ctx), tx.bind(query), args...)
	if err != nil {
		return 0, classify(ctx, err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// execOne is exec for one row that must be there.
func (tx *Tx) execOne(ctx context.Context, query string, args ...any) error {
	n, err := tx.execCount(ctx, query, args...)
	if err == nil && n == 0 {
		return identity.Errorf(identity.NotFound, "not found")
	}
	return err
}

// Lock makes transactions that name the same thing wait for each other until they end. SQLite has one writer and needs none.
func (tx *Tx) Lock(ctx context.Context, name string) error {
	if !tx.postgres() {
		return nil
	}
	return tx.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`, "drawbridge:"+name)
}

// LockAll is Lock for many things at once, which it takes in their order.
func (tx *Tx) LockAll(ctx context.Context, names []string) error {
	if !tx.postgres() || len(names) == 0 {
		return nil
	}
	locks := make([]string, len(names))
	for i, name := range slices.Sorted(slices.Values(names)) {
		locks[i] = "drawbridge:" + name
	}
	return tx.exec(ctx, `SELECT count(pg_advisory_xact_lock(hashtextextended(r.name, 0))) FROM unnest(CAST(? AS text[])) AS r(name)`, textArray(locks))
}

// lockRows ends a SELECT whose rows this transaction will change.
func (tx *Tx) lockRows(alias string) string {
	if tx.postgres() {
		return " FOR UPDATE OF " + alias
	}
	return ""
}

// idList returns a condition that a column is one of the ids, with its arguments.
func idList[T ~string](tx *Tx, column string, ids []T) (string, []any) {
	if tx.postgres() {
		return column + " = ANY(CAST(? AS uuid[]))", []any{"{" + joinIDs(ids) + "}"}
	}
	raw, _ := json.Marshal(ids) // strings always encode
	return column + " IN (SELECT value FROM json_each(?))", []any{string(raw)}
}

// joinIDs joins ids that ParseID accepted; they hold no character that an array literal gives a meaning to.
func joinIDs[T ~string](ids []T) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(string(id))
	}
	return b.String()
}

// null returns nil for an empty string, so that it is stored as NULL.
func null[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// text scans a nullable column into a string; NULL is "".
type text string

// Scan implements sql.Scanner.
func (t *text) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = text(v)
	case []byte:
		*t = text(v)
	default:
		return fmt.Errorf("a text column held a %T", src)
	}
	return nil
}

// moment is a nullable time in UTC.
type moment struct{ at *time.Time }

// Scan implements sql.Scanner.
func (m *moment) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		m.at = nil
	case time.Time:
		u := v.UTC()
		m.at = &u
	default:
		return fmt.Errorf("a time column held a %T", src)
	}
	return nil
}

func (m moment) time() time.Time {
	if m.at == nil {
		return time.Time{}
	}
	return *m.at
}

// asJSON returns v as JSON text: PostgreSQL takes JSON as a string, never as bytes.
func asJSON(v any) (string, error) {
	raw, err := identity.AppendJSON(nil, v)
	return string(raw), err
}

// fromJSON reads a JSON column.
func fromJSON(raw text, dst any) error {
	if raw == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(raw), dst); err != nil {
		return fmt.Errorf("a JSON column cannot be read: %w", err)
	}
	return nil
}

func foldSQLite(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	switch v := args[0].(type) {
	case string:
		return strings.ToLower(v), nil
	case []byte:
		return strings.ToLower(string(v)), nil
	}
	return args[0], nil
}
