package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// A page by index costs the same at any depth, because a process remembers how many users have ids up to some (docs/decisions/0012).
// New ids are later than all others, so only users who go, come back or move shift what is remembered; these are numbered in user_moves.
const (
	stride      = 100             // users between two remembered places
	worthwhile  = 1000            // users that are counted each time, before they become places
	settledTime = 6 * time.Second // how old an id must be so that no transaction in progress can still add an earlier one
	slowChange  = 3 * time.Second // a transaction that added users and took longer numbers them, as if they had moved
	maxMoves    = 10000           // moves that are applied one by one; past these the places are found anew
	movesKept   = time.Hour
	searchEvery = 2 * time.Second
)

// everywhere is the scope of all tenants in the tables of moves.
const everywhere = "00000000-0000-0000-0000-000000000000"

// places are what is remembered of one scope. They never change; a new value takes their place.
type places struct {
	moves int64 // the number of the last move that is counted in
	found time.Time
	ids   []string // ascending, each stride users apart when it was found
	upto  []int    // how many users have ids up to that one
}

func (p *places) last() string {
	if len(p.ids) == 0 {
		return everywhere
	}
	return p.ids[len(p.ids)-1]
}

func (p *places) total() int {
	if len(p.upto) == 0 {
		return 0
	}
	return p.upto[len(p.upto)-1]
}

// seek returns the last place that is not behind an offset, and how many users to skip from there.
func (p *places) seek(offset int) (after string, skip int) {
	i := sort.SearchInts(p.upto, offset+1) - 1
	if i < 0 {
		return everywhere, offset
	}
	return p.ids[i], offset - p.upto[i]
}

// moved returns the places after one user went or came.
func (p *places) moved(id string, delta int) {
	for i := sort.SearchStrings(p.ids, id); i < len(p.upto); i++ {
		p.upto[i] += delta
	}
}

func (p *places) clone() *places {
	return &places{moves: p.moves, found: p.found, ids: slices.Clip(p.ids), upto: slices.Clone(p.upto)}
}

// remembered are the places of every scope that was listed.
type remembered struct {
	mu     sync.Mutex
	scopes map[string]*memory
}

// memory is what is remembered of one scope, and whoever finds that anew.
type memory struct {
	atomic.Pointer[places]
	finding sync.Mutex
}

func (r *remembered) of(scope string) *memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scopes == nil {
		r.scopes = map[string]*memory{}
	}
	if r.scopes[scope] == nil {
		r.scopes[scope] = &memory{}
	}
	return r.scopes[scope]
}

// placeScope returns the name of a directory's scope in the tables of moves, or "".
func placeScope(s Scope) string {
	switch {
	case s.directory == "":
		return ""
	case s.all:
		return everywhere
	}
	return string(s.tenant)
}

// counted is what a scope has beyond its places.
type counted struct {
	moves   int64
	tail    int  // users behind the last place
	strange bool // the directory of all tenants knows users without one, who are in no place
}

// usersByPlace is Users for a directory's whole list in the order of ids; false where another way must be taken.
func (tx *Tx) usersByPlace(ctx context.Context, scope Scope, q identity.Query) (page identity.Page[identity.User], ok bool, err error) {
	name := placeScope(scope)
	if name == "" || !q.Lean || !q.Total || q.Filter != nil || q.Sort != nil || q.Newest || q.Search != "" || q.Tenant != "" || q.Status != "" || q.Type != "" || q.Unit != "" || q.External != nil || q.Role != "" || q.Directory != "" || q.Deleted || q.Order != "" {
		return page, false, nil
	}
	m := tx.db.places.of(name)
	for range 3 {
		p, err := tx.placesOf(ctx, scope, name, m)
		if err != nil {
			return page, false, err
		}
		if p == nil {
			continue
		}
		page, err = tx.pageAt(ctx, scope, q, p)
		if err != nil {
			return page, false, err
		}
		c, err := tx.countBeyond(ctx, scope, name, p)
		if err != nil || c.strange {
			return page, false, err
		}
		if c.moves == p.moves {
			page.Total = int64(p.total() + c.tail)
			if c.tail > worthwhile && tx.now.Sub(p.found) > searchEvery {
				err = tx.extend(ctx, scope, name, m, p)
			}
			return page, true, err
		}
		if p, err = tx.catchUp(ctx, name, p, c.moves); err != nil {
			return page, false, err
		}
		m.Store(p) // nil: they are found anew
	}
	return page, false, nil
}

// placesOf returns what is remembered. Where that is nothing, one request looks at all users and the others wait for it: nil when somebody moved meanwhile.
func (tx *Tx) placesOf(ctx context.Context, scope Scope, name string, m *memory) (*places, error) {
	if p := m.Load(); p != nil {
		return p, nil
	}
	m.finding.Lock()
	defer m.finding.Unlock()
	if p := m.Load(); p != nil {
		return p, nil
	}
	p, err := tx.firstPlaces(ctx, scope, name)
	if err == nil && p != nil {
		m.Store(p)
	}
	return p, err
}

// pageAt reads the page that begins at an offset.
func (tx *Tx) pageAt(ctx context.Context, scope Scope, q identity.Query, p *places) (page identity.Page[identity.User], err error) {
	if q.Limit == 0 {
		return page, nil
	}
	b := tx.usersBuilder(scope, q)
	if q.After != "" {
		b.after("u.id", q)
		return tx.usersPage(ctx, scope, b, q)
	}
	after, skip := p.seek(q.Offset)
	b.add("u.id > ?", after)
	if skip > 0 {
		if after, err = tx.skip(ctx, scope, b, skip); err != nil || after == "" {
			return page, err
		}
		b.add("u.id > ?", after)
	}
	q.Offset = 0
	return tx.usersPage(ctx, scope, b, q)
}

// skip returns the id of the last user that is left out, or "" when there are fewer.
func (tx *Tx) skip(ctx context.Context, scope Scope, b *builder, n int) (string, error) {
	var last text
	err := tx.each(ctx, tx.rebound(`SELECT u.id`+placeTables(scope)+b.where()+fmt.Sprintf(` ORDER BY u.id LIMIT 1 OFFSET %d`, n-1)), placeArgs(scope, b.args), func(rows *sql.Rows) error {
		return rows.Scan(&last)
	})
	return string(last), err
}

// placeTables are the tables that a scope's condition needs: within one tenant the directory's own rows decide nothing.
func placeTables(scope Scope) string {
	if scope.all {
		return userTables
	}
	return ` FROM users u`
}

func placeArgs(scope Scope, args []any) []any {
	if scope.all {
		return append([]any{null(scope.directory)}, args...)
	}
	return args
}

// inPlace is the condition on a user who has a place in a scope.
func inPlace(scope Scope) (string, []any) {
	if scope.all {
		return `u.deleted_at IS NULL AND u.tenant_id IS NOT NULL`, nil
	}
	return `u.deleted_at IS NULL AND u.tenant_id = ?`, []any{string(scope.tenant)}
}

// countBeyond reads, in one journey, what tells whether places still hold and how many users are behind them.
func (tx *Tx) countBeyond(ctx context.Context, scope Scope, name string, p *places) (c counted, err error) {
	where, args := inPlace(scope)
	strange := `FALSE`
	var own []any
	if scope.all {
		strange = `EXISTS (SELECT 1 FROM users u JOIN directory_users d ON d.user_id = u.id WHERE u.tenant_id IS NULL AND u.deleted_at IS NULL AND d.directory_id = ?)`
		own = []any{string(scope.directory)}
	}
	all := slices.Concat([]any{name}, args, []any{p.last()}, own)
	err = tx.each(ctx, tx.bind(`SELECT COALESCE((SELECT s.n FROM user_shifts s WHERE s.scope = ?), 0), (SELECT count(*) FROM users u WHERE `+where+` AND u.id > ?), `+strange), all, func(rows *sql.Rows) error {
		return rows.Scan(&c.moves, &c.tail, &c.strange)
	})
	return c, err
}

// firstPlaces finds the places of a scope, or returns nil when somebody moved meanwhile: whether they count that one already cannot be told.
func (tx *Tx) firstPlaces(ctx context.Context, scope Scope, name string) (*places, error) {
	p, err := tx.findPlaces(ctx, scope, name, &places{})
	if err != nil || len(p.ids) == 0 {
		return p, err
	}
	c, err := tx.countBeyond(ctx, scope, name, p)
	if err != nil || c.moves != p.moves {
		return nil, err
	}
	return p, nil
}

// findPlaces adds the places behind the last one of p, as far as ids are settled.
func (tx *Tx) findPlaces(ctx context.Context, scope Scope, name string, p *places) (*places, error) {
	c, err := tx.countBeyond(ctx, scope, name, p)
	if err != nil {
		return nil, err
	}
	if len(p.ids) == 0 {
		p = &places{moves: c.moves}
	}
	next := p.clone()
	next.found = tx.now
	if c.tail <= worthwhile {
		return next, nil
	}
	where, args := inPlace(scope)
	query := fmt.Sprintf(`SELECT x.id FROM (SELECT u.id, row_number() OVER (ORDER BY u.id) AS n FROM users u WHERE %s AND u.id > ? AND u.id < ?) x WHERE x.n %% %d = 0 ORDER BY x.id`, where, stride)
	err = tx.each(ctx, tx.bind(query), append(args, next.last(), identity.IDBefore(tx.now.Add(-settledTime))), func(rows *sql.Rows) error {
		var id text
		err := rows.Scan(&id)
		next.upto = append(next.upto, next.total()+stride)
		next.ids = append(next.ids, string(id))
		return err
	})
	return next, err
}

// extend makes places of the users behind the last one, unless something moved meanwhile.
func (tx *Tx) extend(ctx context.Context, scope Scope, name string, m *memory, p *places) error {
	next, err := tx.findPlaces(ctx, scope, name, p)
	if err != nil {
		return err
	}
	c, err := tx.countBeyond(ctx, scope, name, next)
	if err == nil && c.moves == p.moves {
		m.CompareAndSwap(p, next)
	}
	return err
}

// catchUp applies the moves up to a number, or returns nil when they are too many or no longer known.
func (tx *Tx) catchUp(ctx context.Context, name string, p *places, to int64) (*places, error) {
	if to-p.moves > maxMoves || to < p.moves {
		return nil, nil
	}
	next := p.clone()
	err := tx.each(ctx, tx.bind(`SELECT m.user_id, m.delta FROM user_moves m WHERE m.scope = ? AND m.n > ? AND m.n <= ? ORDER BY m.n`), []any{name, p.moves, to}, func(rows *sql.Rows) error {
		var id text
		var delta int
		err := rows.Scan(&id, &delta)
		next.moved(string(id), delta)
		next.moves++
		return err
	})
	if err != nil || next.moves != to {
		return nil, err
	}
	return next, nil
}

// noteMove numbers what a change of a user does to the lists that the user is in.
func (tx *Tx) noteMove(ctx context.Context, before, after identity.User) error {
	was, is := before.TenantID, after.TenantID
	if before.DeletedAt != nil {
		was = ""
	}
	if after.DeletedAt != nil {
		is = ""
	}
	if was == is {
		return nil
	}
	if was != "" {
		if err := tx.move(ctx, string(was), after.ID, -1); err != nil {
			return err
		}
	}
	if is != "" {
		if err := tx.move(ctx, string(is), after.ID, 1); err != nil {
			return err
		}
	}
	switch {
	case was == "":
		return tx.move(ctx, everywhere, after.ID, 1)
	case is == "":
		return tx.move(ctx, everywhere, after.ID, -1)
	}
	return nil
}

// move takes the next number of a scope; who moves somebody in the same scope waits for the commit, so that no number is seen before an earlier one.
func (tx *Tx) move(ctx context.Context, scope string, id identity.UserID, delta int) error {
	var n []int64
	err := tx.list(ctx, &n, `INSERT INTO user_shifts (scope, n) VALUES (?, 1) ON CONFLICT (scope) DO UPDATE SET n = user_shifts.n + 1 RETURNING n`, scope)
	if err != nil {
		return err
	}
	return tx.later(ctx, `INSERT INTO user_moves (scope, n, user_id, delta, at) VALUES (?, ?, ?, ?, ?)`, scope, n[0], string(id), delta, tx.now)
}

// noteSlow numbers the users whom a slow transaction added: their ids may be settled before they are there to be seen.
func (tx *Tx) noteSlow(ctx context.Context) error {
	if len(tx.added) == 0 || time.Since(tx.now) < slowChange {
		return nil
	}
	for _, u := range tx.added {
		if err := tx.noteMove(ctx, identity.User{ID: u.ID}, u); err != nil {
			return err
		}
	}
	return nil
}
