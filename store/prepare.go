package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"

	"github.com/lib/pq"
)

// How many statements a connection keeps prepared, and how many texts it remembers to have seen once. Past these it starts anew, so that
// strange filters cannot fill the memory.
const (
	maxPrepared = 300
	maxSeen     = 1000
)

// preparing opens connections that prepare a statement when they see its text for the second time. Planning costs more than the work of
// most statements (docs/decisions/0011).
type preparing struct {
	driver.Connector
	direct func(context.Context, driver.Conn) (bool, error) // whether this connection is one server session; nil: always
	setup  string                                           // what such a session is told at its start; may be empty
}

// planOnce makes a PostgreSQL session plan each prepared statement once, and by the indexes: a plan that was made while a table was empty
// must serve when it is full. What has no index is read whole all the same. Nor does it call other processes for help: such a plan believes that
// a third of a large table lies behind an id, and would start two of them to count the few rows that do.
const planOnce = `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off; SET max_parallel_workers_per_gather = 0`

// Connect implements driver.Connector. A connection that a pooler may hand to another session after each transaction prepares nothing.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := c.(fullConn)
	if ok && p.direct != nil {
		if ok, err = p.direct(ctx, c); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	if !ok {
		return c, nil
	}
	if p.setup != "" {
		if _, err := full.ExecContext(ctx, p.setup, nil); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	return &preparedConn{fullConn: full, ready: map[string]driver.Stmt{}, seen: map[string]bool{}}, nil
}

// fullConn is what both drivers' connections can do.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedConn is a connection with the statements that it has prepared. database/sql lets one goroutine at a time use it.
type preparedConn struct {
	fullConn
	ready map[string]driver.Stmt
	seen  map[string]bool
}

// statement returns the prepared statement of a text, or nil when it is seen for the first time.
func (c *preparedConn) statement(ctx context.Context, query string) (driver.Stmt, error) {
	if s := c.ready[query]; s != nil {
		return s, nil
	}
	if !c.seen[query] {
		if len(c.seen) >= maxSeen {
			clear(c.seen)
		}
		c.seen[query] = true
		return nil, nil
	}
	if len(c.ready) >= maxPrepared {
		c.forget()
	}
	s, err := c.PrepareContext(ctx, query)
	if err == nil {
		c.ready[query] = s
	}
	return s, err
}

func (c *preparedConn) forget() {
	for _, s := range c.ready {
		_ = s.Close()
	}
	clear(c.ready)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if q, ok := s.(driver.StmtQueryContext); ok {
		rows, err := q.QueryContext(ctx, args)
		if !c.outdated(query, err) {
			return rows, err
		}
	}
	return c.fullConn.QueryContext(ctx, query, args)
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if e, ok := s.(driver.StmtExecContext); ok {
		result, err := e.ExecContext(ctx, args)
		if !c.outdated(query, err) {
			return result, err
		}
	}
	return c.fullConn.ExecContext(ctx, query, args)
}

// outdated forgets a statement that a migration by another replica made unusable, and reports so. The server keeps the types that the
// parameters had, so a column of another type is an error in the statement (class 42), for as long as the connection lives.
func (c *preparedConn) outdated(query string, err error) bool {
	var p *pq.Error
	if !errors.As(err, &p) || p.Code != "0A000" && p.Code != "26000" && p.Code.Class() != "42" || c.ready[query] == nil {
		return false
	}
	_ = c.ready[query].Close()
	delete(c.ready, query)
	return true
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *preparedConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.fullConn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Close implements driver.Conn. SQLite does not close a connection that has statements.
func (c *preparedConn) Close() error {
	c.forget()
	return c.fullConn.Close()
}

// sameBackend reports whether a PostgreSQL connection talks to the server itself: a pooler tells its clients a process id of its own
// making. The driver keeps what it was told in a field without a name for us; where that field is gone, nothing is prepared.
func sameBackend(ctx context.Context, c driver.Conn) (bool, error) {
	field := reflect.Indirect(reflect.ValueOf(c)).FieldByName("pid")
	q, ok := c.(driver.QueryerContext)
	if !ok || !field.IsValid() || !field.CanInt() {
		return false, nil
	}
	rows, err := q.QueryContext(ctx, `SELECT pg_backend_pid()`, nil)
	if err != nil {
		return false, err
	}
	value := make([]driver.Value, 1)
	err = rows.Next(value)
	pid, _ := value[0].(int64)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return pid != 0 && pid == field.Int(), errors.Join(err, rows.Close())
}
