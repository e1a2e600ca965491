package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// walkPage is how many users a walk takes with each request.
const walkPage = 1000

// floorTenant is the one tenant of the floor's tables.
const floorTenant = "00000000-0000-0000-0000-000000000001"

// walkResult is how long it takes to read all users, one page behind the other, in seconds.
type walkResult struct {
	Users   int       `json:"users"`
	Floor   []float64 `json:"floor_s"`
	Product []float64 `json:"product_s"`
}

func (w walkResult) ratio() float64 {
	if floor := medianOf(w.Floor); floor > 0 {
		return medianOf(w.Product) / floor
	}
	return 0
}

// walks walks over all users of the largest world and of the floor, by turns. The floor has no cursors of its own: its table is
// read here in the order of its key, and written as the floor writes it.
func (g *growing) walks(ctx context.Context) error {
	w := g.worlds[len(g.worlds)-1]
	database := filepath.Join(g.dir, "floor.db")
	if g.store == storePostgres {
		var err error
		if database, err = g.cluster.create(ctx, floorName); err != nil {
			return err
		}
	}
	if err := g.seedFloor(ctx, database, w.size+spare); err != nil {
		return err
	}
	reader, err := openFloor(ctx, g.store, database)
	if err != nil {
		return err
	}
	found := &walkResult{Users: w.size + spare}
	g.found.Walk = found
	for range g.runs {
		if err := found.walk(ctx, &found.Floor, reader.contender); err != nil {
			return errors.Join(err, reader.close())
		}
		if err := found.walk(ctx, &found.Product, w.contender); err != nil {
			return errors.Join(err, reader.close())
		}
	}
	g.say("  walk of %s users: %.1f s, the floor %.1f s", grouped(found.Users), medianOf(found.Product), medianOf(found.Floor))
	return reader.close()
}

// seedFloor fills the floor's own tables by its own Bulk, and stops it.
func (g *growing) seedFloor(ctx context.Context, database string, users int) error {
	floor, err := newFloor(g.scimfloor, g.store, database, g.dir)
	if err != nil {
		return err
	}
	if _, err := floor.up(ctx); err != nil {
		return errors.Join(err, floor.down())
	}
	_, err = g.seedByBulk(ctx, floor, users)
	if err := errors.Join(err, floor.down()); err != nil || g.store != storePostgres {
		return err
	}
	return g.cluster.settle(ctx, floorName)
}

// walk reads all users once and appends the time. A walk that does not meet each user has failed.
func (w *walkResult) walk(ctx context.Context, times *[]float64, c *contender) error {
	own := newConnection(c)
	defer own.close()
	began, met, cursor := time.Now(), 0, ""
	for {
		_, n, next, err := own.page(ctx, cursor, walkPage)
		if err != nil {
			return err
		}
		met += n
		if next == "" {
			break
		}
		cursor = next
	}
	if met != w.Users {
		return fmt.Errorf("the walk over the %s met %d users of %d", c.name, met, w.Users)
	}
	*times = append(*times, time.Since(began).Seconds())
	return nil
}

// floorReader answers pages by cursor from the floor's tables, with the least work that this takes.
type floorReader struct {
	*contender
	db     *sql.DB
	page   *sql.Stmt
	server *http.Server
}

func openFloor(ctx context.Context, store, database string) (*floorReader, error) {
	driver, address := "postgres", database
	query := `SELECT id, active, doc FROM users WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3`
	if store == storeSQLite {
		driver, address = "sqlite", "file:"+database+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return nil, err
	}
	r := &floorReader{db: db}
	if r.page, err = db.PrepareContext(ctx, query); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r.contender = &contender{name: floorName, base: "http://" + listener.Addr().String()}
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: answerTime}
	go func() { _ = r.server.Serve(listener) }() // it ends with close
	return r, nil
}

func (r *floorReader) close() error {
	return errors.Join(r.server.Close(), r.page.Close(), r.db.Close())
}

// serve answers /Users?cursor=ID&count=N with the users behind that id.
func (r *floorReader) serve(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	after := q.Get("cursor")
	if after == "" {
		after = "00000000-0000-0000-0000-000000000000"
	}
	body, err := r.read(req.Context(), after, number(q.Get("count")))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	_, _ = body.WriteTo(w) // a client that has gone is nobody's loss
}

func (r *floorReader) read(ctx context.Context, after string, count int) (*bytes.Buffer, error) {
	rows, err := r.page.QueryContext(ctx, floorTenant, after, count)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var body bytes.Buffer
	body.WriteString(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[`)
	n, last := 0, ""
	for ; rows.Next(); n++ {
		var active bool
		var document sql.RawBytes
		if err := rows.Scan(&last, &active, &document); err != nil {
			return nil, err
		}
		if n > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":"%s","active":%t,"meta":{"resourceType":"User","location":"/scim/v2/Users/%s"},%s`, last, active, last, document[1:])
	}
	body.WriteByte(']')
	if n == count {
		fmt.Fprintf(&body, `,"nextCursor":"%s"`, last)
	}
	fmt.Fprintf(&body, `,"itemsPerPage":%d}`, n)
	return &body, rows.Err()
}
