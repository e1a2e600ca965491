package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

// installed is where Debian and its children, and Red Hat and its children, put the server programs, one folder a major version.
var installed = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"}

// cluster is a PostgreSQL server of our own in a temporary folder. It keeps the defaults that decide speed: fsync and
// synchronous_commit are on, buffers are those of a fresh installation.
type cluster struct {
	*process
	address string
	dir     string
	version string
}

// startCluster makes a cluster below a folder and starts its server.
func startCluster(ctx context.Context, parent string) (*cluster, error) {
	bin, err := serverPrograms()
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: filepath.Join(parent, "postgres")}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return nil, err
	}
	if err := giveToPostgres(c.dir); err != nil {
		return nil, err
	}
	data := filepath.Join(c.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-U", "bench", "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8", "-D", data)
	if err := asPostgres(initdb); err != nil {
		return nil, err
	}
	if _, err := output(initdb); err != nil {
		return nil, err
	}
	if c.address, err = freeAddress(); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(c.address)
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+port, "-c", "unix_socket_directories=")
	if err := asPostgres(server); err != nil {
		return nil, err
	}
	if c.process, err = start("PostgreSQL", server); err != nil {
		return nil, err
	}
	err = c.until(ctx, 20*time.Millisecond, func() (err error) {
		c.version, err = c.ask(ctx, "postgres", "SELECT split_part(current_setting('server_version'), ' ', 1)")
		return err
	})
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// serverPrograms returns the folder of the newest server programs.
func serverPrograms() (string, error) {
	var found []string
	for _, pattern := range installed {
		matches, err := filepath.Glob(filepath.Join(pattern, "initdb"))
		if err != nil {
			return "", err
		}
		found = append(found, matches...)
	}
	if len(found) == 0 {
		return "", errors.New("no PostgreSQL server programs (initdb, postgres) found. On Debian: apt-get install postgresql; or measure with -store sqlite alone")
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return majorVersion(a) - majorVersion(b) })), nil
}

// majorVersion returns the number in the name of the folder above bin, or 0.
func majorVersion(path string) int {
	name := filepath.Base(filepath.Dir(filepath.Dir(path)))
	n, err := strconv.Atoi(strings.TrimPrefix(name, "pgsql-"))
	if err != nil {
		return 0
	}
	return n
}

// url returns the address of a database of this cluster.
func (c *cluster) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("bench"), Host: c.address, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// create makes an empty database and returns its address.
func (c *cluster) create(ctx context.Context, database string) (string, error) {
	return c.url(database), c.execute(ctx, "postgres", `CREATE DATABASE "`+database+`"`)
}

// settle does at once what the server would do in the next minutes, in the midst of a measurement: it counts the rows of what was
// seeded and writes the dirty pages.
func (c *cluster) settle(ctx context.Context, databases ...string) error {
	for _, name := range databases {
		if err := c.execute(ctx, name, "VACUUM ANALYZE"); err != nil {
			return err
		}
	}
	return c.execute(ctx, "postgres", "CHECKPOINT")
}

// execute runs one statement on a connection of its own.
func (c *cluster) execute(ctx context.Context, database, statement string) error {
	db, err := sql.Open("postgres", c.url(database))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}

// ask returns the one text that a query answers with.
func (c *cluster) ask(ctx context.Context, database, query string) (string, error) {
	db, err := sql.Open("postgres", c.url(database))
	if err != nil {
		return "", err
	}
	var text string
	if err := db.QueryRowContext(ctx, query).Scan(&text); err != nil {
		return "", errors.Join(fmt.Errorf("%s: %w", query, err), db.Close())
	}
	return text, db.Close()
}
