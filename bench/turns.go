package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// starts is how often a start is measured, spare how many users are never members of a group.
const (
	starts = 5
	spare  = 100
)

// duel is the floor and the product on one store, side by side; only one of them is under load at a time.
type duel struct {
	*session
	store   string
	dir     string
	floor   *contender
	product *contender
	load    *loader
	found   storeResult
}

// newDuel gives both an empty database of the store. The product's is brought up to date.
func (s *session) newDuel(ctx context.Context, store string) (*duel, error) {
	d := &duel{session: s, store: store, dir: filepath.Join(s.dir, store), found: storeResult{Store: store}}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		return nil, err
	}
	d.load = &loader{program: s.scimload, dir: d.dir, duration: s.duration}
	forFloor, forProduct := filepath.Join(d.dir, "floor.db"), "sqlite:"+filepath.Join(d.dir, "product.db")
	if store == storePostgres {
		var err error
		if forFloor, err = s.cluster.create(ctx, floorName); err != nil {
			return nil, err
		}
		if forProduct, err = s.cluster.create(ctx, productName); err != nil {
			return nil, err
		}
	}
	var err error
	if d.floor, err = newFloor(s.scimfloor, store, forFloor, d.dir); err != nil {
		return nil, err
	}
	if d.product, err = newProduct(ctx, s.drawbridge, forProduct, d.dir, s.settings); err != nil {
		return nil, err
	}
	if store == storePostgres {
		d.floor.databasePID, d.product.databasePID = s.cluster.pid(), s.cluster.pid()
	}
	return d, nil
}

// run measures everything on one store. What was found until an error is in the result.
func (d *duel) run(ctx context.Context) (storeResult, error) {
	err := d.measure(ctx)
	return d.found, errors.Join(err, d.floor.down(), d.product.down())
}

func (d *duel) measure(ctx context.Context) error {
	for _, c := range []*contender{d.floor, d.product} {
		at, err := d.begin(ctx, c)
		if err != nil {
			return err
		}
		d.found.startOf(c.name).set(at)
	}
	rows := plan(d.users, d.only)
	if err := d.seed(ctx, d.users); err != nil {
		return err
	}
	for _, r := range rows {
		if r.members > 0 {
			if err := d.seedGroup(ctx, r.members); err != nil {
				return err
			}
		}
		found := d.turns(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.found.Rows = append(d.found.Rows, found)
		d.say("  %s", found.brief())
	}
	return nil
}

// begin measures the start and the memory at rest, and leaves the program running.
func (d *duel) begin(ctx context.Context, c *contender) (launch, error) {
	var l launch
	for i := range starts {
		took, err := c.up(ctx)
		if err != nil {
			return l, err
		}
		l.Seconds = append(l.Seconds, took.Seconds())
		if i < starts-1 {
			if err := c.down(); err != nil {
				return l, err
			}
		}
	}
	wait(ctx, restTime)
	l.RestMiB = readUsage(c.running.pid()).memory
	return l, nil
}

// seed gives both the same number of users.
func (d *duel) seed(ctx context.Context, users int) error {
	for _, c := range []*contender{d.floor, d.product} {
		d.say("  seeding %s users into the %s", grouped(users), c.name)
		if err := d.load.prepare(ctx, c, c.state, "seed", "-users", strconv.Itoa(users)); err != nil {
			return err
		}
	}
	return d.settle(ctx)
}

func (d *duel) settle(ctx context.Context) error {
	if d.store != storePostgres {
		return nil
	}
	return d.cluster.settle(ctx, floorName, productName)
}

// seedGroup gives both a group of so many members, once, and users enough to have some who are none.
func (d *duel) seedGroup(ctx context.Context, members int) error {
	if _, err := os.Stat(d.floor.groupState(members)); err == nil {
		return nil
	}
	for _, c := range []*contender{d.floor, d.product} {
		d.say("  seeding a group of %s into the %s", grouped(members), c.name)
		if err := d.load.prepare(ctx, c, c.state, "seed", "-users", strconv.Itoa(d.users+spare)); err != nil && !errors.Is(err, errNothing) {
			return err
		}
		if err := copyFile(c.state, c.groupState(members)); err != nil {
			return err
		}
		if err := d.load.prepare(ctx, c, c.groupState(members), "seed-group", "-members", strconv.Itoa(members)); err != nil {
			return err
		}
	}
	return d.settle(ctx)
}

// groupState is where the load keeps the ids of a group of so many members.
func (c *contender) groupState(members int) string {
	return fmt.Sprintf("%s.group-%d", c.state, members)
}

// turns runs one row: the floor, the product, the floor, the product, and so on.
func (d *duel) turns(ctx context.Context, r row) rowResult {
	found := rowResult{Key: r.key, Title: r.title, Asked: r.asked}
	var cursor string
	if r.cursor {
		var err error
		if cursor, err = cursorAt(ctx, d.product, d.users/2); err != nil {
			found.Problem = err.Error()
			return found
		}
	}
	for range d.runs {
		for _, c := range []*contender{d.floor, d.product} {
			s, err := d.once(ctx, c, r, cursor)
			if err != nil {
				found.Problem = err.Error()
				return found
			}
			found.add(c.name, s)
			d.found.startOf(c.name).PeakMiB = max(d.found.startOf(c.name).PeakMiB, s.Peak)
		}
	}
	found.conclude()
	return found
}

// once runs a row once on one of the two.
func (d *duel) once(ctx context.Context, c *contender, r row, cursor string) (sample, error) {
	if r.cursor && c == d.product {
		return d.load.byCursor(ctx, c, cursor, 100), nil
	}
	state := c.state
	if r.members > 0 {
		state = c.groupState(r.members)
	}
	return d.load.run(ctx, c, state, r.scenario, r.flags...)
}
