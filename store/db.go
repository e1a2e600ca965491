package store

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	sqlite "modernc.org/sqlite"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The drivers' names, which are also the names of the folders of migrations.
const (
	driverPostgres = "postgres"
	driverSQLite   = "sqlite"
)

// Options are what a database needs besides its address.
type Options struct {
	SecretKey []byte   // 32 bytes: seals secrets at rest
	OldKeys   [][]byte // earlier keys that may still open what they sealed
}

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	path   string // of the file; empty on PostgreSQL
	write  *sqlx.DB
	read   *sqlx.DB // SQLite: readers beside the one writer; PostgreSQL: the same pool
	driver string
	keys   []sealKey
	bound  sync.Map      // query -> rebound query
	opened atomic.Uint64 // see OpeningVersion
	texts  atomic.Int32  // how many are in bound
	writer *writer       // SQLite: who gathers the changes
	places remembered
	slots  atomic.Uint32 // see slot
}

type sealKey struct {
	id   [4]byte
	aead cipher.AEAD
	seed []byte // of the keys that sign
}

func init() {
	sqlx.BindDriver(driverSQLite, sqlx.QUESTION)
	sqlite.MustRegisterDeterministicScalarFunction("fold", 1, foldSQLite)
}

// Open opens the database at an address such as sqlite:drawbridge.db or postgres://user@host/name. It does not migrate.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	db := &DB{}
	for _, key := range append([][]byte{o.SecretKey}, o.OldKeys...) {
		k, err := newSealKey(key)
		if err != nil {
			return nil, err
		}
		db.keys = append(db.keys, k)
	}
	var err error
	switch scheme, rest, _ := strings.Cut(address, ":"); scheme {
	case "sqlite":
		err = db.openSQLite(rest)
	case "postgres", "postgresql":
		err = db.openPostgres(address)
	default:
		err = identity.Errorf(identity.Invalid, "a database address starts with sqlite: or postgres://, not %q", scheme)
	}
	if err != nil {
		return nil, err
	}
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, identity.Errorf(identity.Internal, "the database does not answer; check the address and that the server runs").WithCause(err)
	}
	return db, nil
}

// openSQLite opens one writer, which takes the lock when its transaction begins, and a pool of readers.
func (db *DB) openSQLite(path string) error {
	path, _, _ = strings.Cut(path, "?")
	if path == "" || path == ":memory:" {
		return identity.Errorf(identity.Invalid, "SQLite needs a file, such as sqlite:drawbridge.db")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return identity.Errorf(identity.Invalid, "the database file cannot be written").WithCause(err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=cache_size(-16384)&_pragma=case_sensitive_like(ON)&_time_format=sqlite"
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + pragmas
	db.driver, db.path = driverSQLite, path
	writer, err := sqlite.NewConnector(name + "&_txlock=immediate")
	if err != nil {
		return err
	}
	reader, err := sqlite.NewConnector(strings.Replace(name, "cache_size(-16384)", "cache_size(-4096)", 1) + "&_pragma=query_only(ON)")
	if err != nil {
		return err
	}
	db.write = sqlx.NewDb(sql.OpenDB(preparing{Connector: writer}), driverSQLite)
	db.write.SetMaxOpenConns(1)
	db.read = sqlx.NewDb(sql.OpenDB(preparing{Connector: reader}), driverSQLite)
	readers := max(4, runtime.NumCPU())
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	db.writer = startWriter(db)
	return nil
}

// openPostgres sends parameters in the same journey as the statement. Statements are prepared only where no pooler is in between.
func (db *DB) openPostgres(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return identity.Errorf(identity.Invalid, "the database address is no URL")
	}
	q := u.Query()
	q.Set("binary_parameters", "yes")
	if q.Get("sslmode") == "" {
		q.Set("sslmode", "require")
	}
	u.RawQuery = q.Encode()
	db.driver = driverPostgres
	connector, err := pq.NewConnector(u.String())
	if err != nil {
		return err
	}
	db.write = sqlx.NewDb(sql.OpenDB(preparing{Connector: connector, direct: sameBackend, setup: planOnce}), driverPostgres)
	db.write.SetMaxOpenConns(16)
	db.write.SetMaxIdleConns(16)
	db.write.SetConnMaxIdleTime(5 * time.Minute)
	db.read = db.write
	return nil
}

// Parallel reports whether changes can be made at the same time.
func (db *DB) Parallel() bool { return db.driver == driverPostgres }

// Ping asks the database for a sign of life.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// Close closes the database.
func (db *DB) Close() error {
	if db.read == db.write {
		return db.write.Close()
	}
	if db.writer != nil {
		db.writer.stop()
	}
	return errors.Join(db.read.Close(), db.write.Close())
}

// View runs fn with queries that see what was committed when each of them began. fn must not write.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return fn(&Tx{db: db, q: db.read, now: now()})
}

// ChangedMeanwhile is the code of a Conflict with somebody who deleted what a row belongs to before the row was written, or made something belong to a row before it was deleted.
const ChangedMeanwhile = "changed_meanwhile"

// Update runs fn in one transaction and commits it when fn returns nil. fn may run again after a serialisation failure, a
// deadlock, a busy database or, once, when somebody deleted what it had read, so nothing outside the database may happen inside it.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	const tries = 12
	for try := 1; ; try++ {
		err := db.change(ctx, fn)
		if err == nil || try == tries || !retryable(err) && (try > 1 || !orphaned(err)) {
			return err
		}
		pause := time.Duration(1<<min(try, 8)) * time.Millisecond
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

func (db *DB) change(ctx context.Context, fn func(*Tx) error) error {
	if db.writer != nil {
		return db.writer.change(ctx, fn)
	}
	return db.transaction(ctx, fn)
}

// transaction runs fn on PostgreSQL. The transaction begins with the first query: writes that nobody waits for, and nothing else, are one
// statement, which is a transaction by itself.
func (db *DB) transaction(ctx context.Context, fn func(*Tx) error) (err error) {
	t := &Tx{db: db, now: now(), lazy: true}
	defer func() {
		_ = t.arrived() // nothing of this transaction goes on behind its end; what failed there is err already, or undone
		if err != nil && t.own != nil {
			_ = t.own.Rollback()
		}
		if err == nil && t.opens {
			db.opened.Add(1)
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	if err := t.noteSlow(ctx); err != nil {
		return err
	}
	if err := t.touchUsers(ctx); err != nil {
		return err
	}
	if t.own == nil {
		t.lazy, t.q = false, db.write
		return t.flush(ctx)
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	return classify(ctx, t.own.Commit())
}

// OpeningVersion counts the changes that this process committed to what opens the SCIM door: directories, tokens and clients. What was
// read of them while it had this value is still so in this process; another replica's changes do not count.
func (db *DB) OpeningVersion() uint64 { return db.opened.Load() }

// now is the time as both databases keep it: UTC, to the microsecond.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// retryable reports whether the transaction lost a race that it may win when it runs again.
func retryable(err error) bool {
	var p *pq.Error
	if errors.As(err, &p) {
		return p.Code == "40001" || p.Code == "40P01" || p.Code == "25P02" // the last: after a statement that a migration made unusable
	}
	if errors.Is(err, errAgain) {
		return true
	}
	var s *sqlite.Error
	if errors.As(err, &s) {
		code := s.Code() & 0xff
		return code == 5 || code == 6
	}
	return false
}

// orphaned reports whether a transaction on PostgreSQL wrote what belongs to a row that somebody deleted at the same time: when it runs again, it sees that. On SQLite
// nobody writes at the same time.
func orphaned(err error) bool {
	var p *pq.Error
	return errors.As(err, &p) && p.Code == "23503"
}

// changedMeanwhile is the Conflict of a row with what it belongs to.
func changedMeanwhile(err error) error {
	return identity.Errorf(identity.Conflict, "somebody else changed or deleted what this belongs to at the same time; look again").WithCode(ChangedMeanwhile).WithCause(err)
}

// classify turns a driver's error into a kind. It goes by codes, never by text.
func classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var p *pq.Error
	if errors.As(err, &p) {
		switch {
		case p.Code == "23505":
			return identity.Errorf(identity.Conflict, "this already exists").WithField(p.Constraint).WithCause(err)
		case p.Code == "23503":
			return changedMeanwhile(err)
		case p.Code == "22012": // see hope
			return identity.Errorf(identity.Conflict, "somebody else changed this at the same time").WithCause(err)
		case p.Code == "57014" && ctx.Err() != nil:
			return ctx.Err()
		}
		return fmt.Errorf("database: %w", err)
	}
	var s *sqlite.Error
	if errors.As(err, &s) {
		switch s.Code() {
		case 2067, 1555:
			return identity.Errorf(identity.Conflict, "this already exists").WithCause(err)
		case 787:
			return changedMeanwhile(err)
		}
	}
	return fmt.Errorf("database: %w", err)
}
