package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/lib/pq" // the driver "postgres"

	"github.com/drawbridge-id/drawbridge/store"
)

// requireVariable makes a missing PostgreSQL an error when it is set to "require", as it is in .ci/run.
const requireVariable = "DRAWBRIDGE_TEST_POSTGRES"

// templateName is the database that is cloned for each test.
const templateName = "drawbridge_template"

// Postgres returns a migrated and seeded PostgreSQL database of its own, dropped when the test ends.
// It skips where no server program is installed, or fails under DRAWBRIDGE_TEST_POSTGRES=require.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	db, _ := freshPostgres(t)
	return db
}

// PostgresURL returns the URL of an empty PostgreSQL database that was never migrated, dropped when the test ends.
// It skips or fails as Postgres does.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return runningServer(t).newDatabase(t, "template0")
}

// server is the PostgreSQL server of this test process.
type server struct {
	address  string // host:port
	password string
	strategy string        // the end of a CREATE DATABASE that clones quickest
	count    atomic.Int64  // of databases, for their names
	template func() error  // makes the template database, once
	lifeline *os.File      // the reaper reads the other end: it closes when this process ends
	cloning  chan struct{} // one at a time: a template must have no other user while it is copied
}

// startOnce starts the server of this process, or says why there is none.
var startOnce = sync.OnceValues(func() (*server, error) {
	s, err := startServer()
	if err != nil {
		return nil, err
	}
	s.cloning = make(chan struct{}, 1)
	s.template = sync.OnceValue(s.makeTemplate)
	return s, nil
})

func runningServer(t testing.TB) *server {
	t.Helper()
	s, err := startOnce()
	switch {
	case err == nil:
		return s
	case isMissing(err) && os.Getenv(requireVariable) != "require":
		t.Skipf("PostgreSQL is not tested here: %v", err)
	default:
		t.Fatalf("PostgreSQL must be tested and is not: %v", err)
	}
	return nil
}

// makeTemplate creates and migrates the database that tests get copies of.
func (s *server) makeTemplate() error {
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	if err := s.execute(ctx, "CREATE DATABASE "+templateName+" TEMPLATE template0"+s.strategy); err != nil {
		return err
	}
	return prepareTemplate(s.url(templateName))
}

// newDatabase clones a template for one test and returns its URL.
func (s *server) newDatabase(t testing.TB, template string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	name := fmt.Sprintf("test_%d", s.count.Add(1))
	s.cloning <- struct{}{}
	err := s.execute(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+s.strategy)
	<-s.cloning
	if err != nil {
		t.Fatalf("PostgreSQL gave no database: %v", err)
	}
	t.Cleanup(func() {
		// The test is over and its process still runs: what is left of it is cut off.
		if err := s.execute(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Logf("the test database %s stays until the process ends: %v", name, err)
		}
	})
	return s.url(name)
}

// chooseStrategy asks the server for its version: from PostgreSQL 15 on it can copy a template as files, as older ones always do.
func (s *server) chooseStrategy() error {
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	db, err := sql.Open("postgres", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	var version int
	if err := db.QueryRowContext(ctx, "SELECT CAST(current_setting('server_version_num') AS integer)").Scan(&version); err != nil {
		return err
	}
	if version >= 150000 {
		s.strategy = " STRATEGY file_copy"
	}
	return nil
}

// execute runs one statement in the server's own database, on a connection of its own, so that nothing stays open between tests.
func (s *server) execute(ctx context.Context, statement string) error {
	db, err := sql.Open("postgres", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

func (s *server) url(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("drawbridge", s.password),
		Host:     s.address,
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// missing says that there is no PostgreSQL server to start on this machine.
type missing string

func (m missing) Error() string { return string(m) }

func isMissing(err error) bool {
	_, ok := err.(missing)
	return ok
}

// lastLines returns the end of a program's output in one line, for an error.
func lastLines(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}
