package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// The two that are measured, as they are called in tables.
const (
	floorName   = "floor"
	productName = "product"
)

// contender is a SCIM server under measurement, running or not.
type contender struct {
	name        string
	program     string
	args        []string
	env         []string
	base        string // the SCIM base URL
	token       string
	databasePID int    // pid of the database server, 0 without one
	state       string // file in which the load keeps the ids of what it has seeded
	running     *process
}

// newFloor returns the yardstick on a database of its own: an address of PostgreSQL, or the path of a SQLite file, which is then
// written as durably as the product's, and as cleverly: with full synchronisation and with waiting writes gathered into one transaction.
func newFloor(program, store, database, dir string) (*contender, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := []string{"-listen", address, "-store", "pq", "-dsn", database, "-patch204"}
	if store == storeSQLite {
		args = []string{"-listen", address, "-store", "sqlite", "-dsn", database, "-full", "-batch", "-patch204"}
	}
	return &contender{
		name: floorName, program: program, args: args, env: os.Environ(), base: "http://" + address + "/scim/v2", token: "secret",
		state: filepath.Join(dir, "floor.json"),
	}, nil
}

// newProduct returns Drawbridge on an empty database, brought up to date, with one tenant and its directory.
func newProduct(ctx context.Context, program, database, dir string, settings []string) (*contender, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	var key [32]byte
	rand.Read(key[:])
	c := &contender{
		name: productName, program: program, args: []string{"serve"}, base: "http://" + address + "/scim/v2",
		state: filepath.Join(dir, "product.json"),
		env: slices.Concat(os.Environ(), []string{
			"DRAWBRIDGE_DATABASE=" + database, "DRAWBRIDGE_SECRET_KEY=" + base64.StdEncoding.EncodeToString(key[:]),
			"DRAWBRIDGE_LISTEN=" + address, "DRAWBRIDGE_LOG_LEVEL=warn",
		}, settings),
	}
	if _, err := output(c.command(ctx, "tenant", "create", "Bench")); err != nil {
		return nil, err
	}
	out, err := output(c.command(ctx, "directory", "create", "Bench", "--tenant", "Bench", "--json"))
	if err != nil {
		return nil, err
	}
	var made struct{ Token string }
	if err := json.Unmarshal(out, &made); err != nil || made.Token == "" {
		return nil, fmt.Errorf("drawbridge directory create --json printed no token: %w", err)
	}
	c.token = made.Token
	return c, nil
}

func (c *contender) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env = c.env
	alone(cmd)
	return cmd
}

// up starts the program and returns how long its first answer took: a list of one user, read from the database with the token.
func (c *contender) up(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	p, err := start(c.name, c.command(context.WithoutCancel(ctx), c.args...)) // stopped by down, in its turn
	if err != nil {
		return 0, err
	}
	c.running = p
	err = p.until(ctx, time.Millisecond, func() error { return c.answers(ctx) })
	return time.Since(began), err
}

func (c *contender) answers(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/Users?startIndex=1&count=1", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /Users is answered %s", res.Status)
	}
	return nil
}

// down stops the program, when it runs.
func (c *contender) down() error {
	if c == nil || c.running == nil {
		return nil
	}
	p := c.running
	c.running = nil
	return p.stop()
}
