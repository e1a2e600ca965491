package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// userSizes and groupSizes are what the cost of a request may not depend on.
var (
	userSizes  = []int{10_000, 100_000, 1_000_000}
	groupSizes = []int{100, 10_000, 100_000}
)

// world is one Drawbridge on a database of its own with so many users. Several run side by side, so that each row is measured by turns.
type world struct {
	*contender
	size     int
	database string // its name on the cluster
	people   people
	cursor   string // of the page in the middle
}

// growthRow is one request that is measured in worlds of several sizes, or on groups of several sizes.
type growthRow struct {
	key, title string
	run        func(ctx context.Context, w *world) (sample, error)
}

// growth measures what the same request costs in small and large directories.
func (s *session) growth(ctx context.Context, stdout io.Writer) error {
	if err := s.build(ctx); err != nil {
		return err
	}
	store := s.stores[0]
	if store == storePostgres {
		if err := s.needCluster(ctx); err != nil {
			return err
		}
	}
	g := &growing{session: s, store: store, load: &loader{program: s.scimload, dir: s.dir, duration: s.duration}}
	g.found = growthReport{Version: reportVersion, At: time.Now().UTC(), Store: store, Runs: s.runs, Seconds: s.duration.Seconds()}
	err := g.measure(ctx)
	g.found.Machine = s.machine(ctx)
	for _, w := range g.worlds {
		err = errors.Join(err, w.down())
	}
	if err != nil && len(g.found.Rows) == 0 {
		return err
	}
	if err := errors.Join(err, g.found.print(stdout), write(s.json, g.found)); err != nil {
		return err
	}
	if s.strict && !g.found.met() {
		return errBelow
	}
	return nil
}

// growing is a measurement of growth on one store.
type growing struct {
	*session
	store  string
	load   *loader
	worlds []*world
	found  growthReport
}

func (g *growing) measure(ctx context.Context) error {
	for _, size := range userSizes {
		if size > g.largest {
			continue
		}
		if err := g.addWorld(ctx, size); err != nil {
			return err
		}
	}
	if len(g.worlds) == 0 {
		return fmt.Errorf("-max %d is below the smallest size, %d", g.largest, userSizes[0])
	}
	if err := g.settle(ctx); err != nil {
		return err
	}
	for _, r := range g.reading() {
		g.measureRow(ctx, r)
	}
	if err := g.groups(ctx); err != nil {
		return err
	}
	if g.only.MatchString("walk") {
		if err := g.walks(ctx); err != nil {
			return err
		}
	}
	for _, r := range g.writing() {
		g.measureRow(ctx, r)
	}
	for _, w := range g.worlds {
		g.found.Memory = append(g.found.Memory, sizedMemory{Size: w.size, MiB: readUsage(w.running.pid()).memory})
	}
	return ctx.Err()
}

// addWorld starts a Drawbridge and gives it so many users, by its own Bulk.
func (g *growing) addWorld(ctx context.Context, size int) error {
	w := &world{size: size, database: fmt.Sprintf("growth_%d", size)}
	dir := filepath.Join(g.dir, w.database)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	address := "sqlite:" + filepath.Join(dir, "product.db")
	if g.store == storePostgres {
		var err error
		if address, err = g.cluster.create(ctx, w.database); err != nil {
			return err
		}
	}
	var err error
	if w.contender, err = newProduct(ctx, g.drawbridge, address, dir, g.settings); err != nil {
		return err
	}
	if g.store == storePostgres {
		w.contender.databasePID = g.cluster.pid()
	}
	g.worlds = append(g.worlds, w)
	if _, err := w.up(ctx); err != nil {
		return err
	}
	if w.people, err = g.seedByBulk(ctx, w.contender, size+spare); err != nil {
		return err
	}
	if err := w.people.sample(stateSize).save(w.state); err != nil {
		return err
	}
	w.cursor, err = cursorAt(ctx, w.contender, size/2)
	return err
}

func (g *growing) settle(ctx context.Context) error {
	if g.store != storePostgres {
		return nil
	}
	var names []string
	for _, w := range g.worlds {
		names = append(names, w.database)
	}
	return g.cluster.settle(ctx, names...)
}

// reading returns the rows that leave the worlds as they are; writing those that change them.
func (g *growing) reading() []growthRow {
	return []growthRow{
		{"get", "GET /Users/{id}", g.scenario("get")},
		{"filter", "GET /Users?filter=userName eq", g.scenario("filter")},
		{"page", "GET page of 100 at the middle, by index", func(ctx context.Context, w *world) (sample, error) {
			return g.load.run(ctx, w.contender, w.state, "page", "-start-index", strconv.Itoa(w.size/2+1))
		}},
		{"cursor", "GET page of 100 at the middle, by cursor", func(ctx context.Context, w *world) (sample, error) {
			return g.load.byCursor(ctx, w.contender, w.cursor, 100), nil
		}},
	}
}

func (g *growing) writing() []growthRow {
	return []growthRow{
		{"patch", "PATCH active", g.scenario("patch-user")},
		{"post", "POST /Users", g.scenario("create", "-n", "2000")}, // few, so that the smallest world stays small
	}
}

func (g *growing) scenario(name string, flags ...string) func(context.Context, *world) (sample, error) {
	return func(ctx context.Context, w *world) (sample, error) {
		return g.load.run(ctx, w.contender, w.state, name, flags...)
	}
}

// measureRow measures one request in every world, by turns.
func (g *growing) measureRow(ctx context.Context, r growthRow) {
	if !g.only.MatchString(r.key) || ctx.Err() != nil {
		return
	}
	found := growthResult{Key: r.key, Title: r.title, Unit: "users", Points: make([]growthPoint, len(g.worlds))}
	for i, w := range g.worlds {
		found.Points[i].Size = w.size
	}
	for range g.runs {
		for i, w := range g.worlds {
			s, err := r.run(ctx, w)
			found.add(i, s, err)
		}
	}
	g.keep(found)
}

func (g *growing) keep(found growthResult) {
	found.conclude()
	g.found.Rows = append(g.found.Rows, found)
	g.say("  %s", found.brief())
}

// groups measures the change of one member in groups of several sizes, all in the largest world.
func (g *growing) groups(ctx context.Context) error {
	const key = "patch-group"
	if !g.only.MatchString(key) {
		return nil
	}
	w := g.worlds[len(g.worlds)-1]
	found := growthResult{Key: key, Title: "PATCH one member", Unit: "members"}
	var states []string
	for _, members := range groupSizes {
		if members > w.size {
			continue
		}
		g.say("  seeding a group of %s", grouped(members))
		state := w.groupState(members)
		if err := w.people.sample(members + spare).save(state); err != nil {
			return err
		}
		if err := g.load.prepare(ctx, w.contender, state, "seed-group", "-members", strconv.Itoa(members), "-chunk", "1000"); err != nil {
			return err
		}
		states, found.Points = append(states, state), append(found.Points, growthPoint{Size: members})
	}
	if err := g.settle(ctx); err != nil {
		return err
	}
	for range g.runs {
		for i, state := range states {
			s, err := g.load.run(ctx, w.contender, state, key, "-toggle", "-members", strconv.Itoa(found.Points[i].Size))
			found.add(i, s, err)
		}
	}
	g.keep(found)
	return ctx.Err()
}

// medianOf returns the middle of some values, or 0.
func medianOf[T cmp.Ordered](values []T) T {
	var middle T
	if len(values) > 0 {
		middle = slices.Sorted(slices.Values(values))[len(values)/2]
	}
	return middle
}
