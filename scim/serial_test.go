package scim

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

var (
	serialActs    = flag.Int("serial-acts", 10_000, "how many operations the test of the serial order does")
	serialSeed    = flag.Uint64("serial-seed", 1, "the seed of its operations")
	serialClients = flag.Int("serial-clients", 8, "how many clients do them at once")
)

// act is one operation of a client with what became of it.
type act struct {
	kind    string // "create", "active", "title", "rename", "external", "put", "delete", "read", "sign in"; of groups: "add", "remove", "replace" too
	group   bool   // of a group
	id      string
	tag     string // If-Match
	tagged  time.Duration
	body    map[string]any // the attributes that it writes
	members []string

	start, end time.Duration
	status     int
	version    int64
	etag       string
	state      map[string]any // of the answer
	cookie     string
	raw        []byte
}

// draft is what is decided of an act beforehand: the rest depends on what exists when its turn comes.
type draft struct {
	n, kind, pick, name, external, many int
	tag, group                          bool
}

// pool is what exists as far as the clients know, with some of what was deleted since.
type pool struct {
	mu            sync.Mutex
	users, groups []string
	tags          map[string]*act // the last act that told a version
}

// fleet is a run: some clients, one directory.
type fleet struct {
	*client
	authn *authn.Service
	pool  pool
	base  time.Time
	mu    sync.Mutex
	acts  []*act
}

func TestRandomOperationsOfManyClientsHaveASerialOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		n := *serialActs
		if testing.Short() {
			n /= 5
		}
		t.Logf("%d operations of %d clients; again with -serial-acts %d -serial-seed %d", n, *serialClients, n, *serialSeed)
		model, err := access.Load(storetest.Model)
		if err != nil {
			t.Fatal(err)
		}
		b := newBridge(t, db)
		f := &fleet{client: b.client(t, "fleet", identity.DialectStandard), authn: authn.New(db, model), base: time.Now(), pool: pool{tags: map[string]*act{}}}
		f.run(n)
		h := newHistory(t, f)
		h.check()
	})
}

// run does the operations in the order of the seed, each by the client that is free.
func (f *fleet) run(n int) {
	r := rand.New(rand.NewPCG(*serialSeed, 0))
	drafts := make(chan draft)
	var wg sync.WaitGroup
	for range *serialClients {
		wg.Go(func() {
			for d := range drafts {
				f.do(d)
			}
		})
	}
	for i := range n {
		drafts <- draft{
			n: i, kind: r.IntN(100), pick: r.IntN(1 << 30), name: r.IntN(40), external: r.IntN(40), many: 1 + r.IntN(3),
			tag: r.IntN(4) == 0, group: r.IntN(10) < 3,
		}
	}
	close(drafts)
	wg.Wait()
}

// do makes an act of a draft, sends it and keeps it.
func (f *fleet) do(d draft) {
	a := f.userAct(d)
	if d.group {
		a = f.groupAct(d)
	}
	if a.id == "" && a.kind != "create" {
		return // nobody is there yet
	}
	a.start = time.Since(f.base)
	if a.kind == "sign in" {
		cookie, _, err := f.authn.StartSession(context.Background(), identity.User{ID: identity.UserID(a.id)}, identity.Session{}, "")
		if a.cookie = cookie; err != nil && identity.KindOf(err) != identity.Forbidden {
			f.t.Error(err)
		}
	} else {
		f.request(a)
	}
	a.end = time.Since(f.base)
	f.mu.Lock()
	f.acts = append(f.acts, a)
	f.mu.Unlock()
	f.pool.learn(a)
}

// learn keeps what an answer told.
func (p *pool) learn(a *act) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := &p.users
	if a.group {
		list = &p.groups
	}
	if a.kind == "create" && a.status == http.StatusCreated && !slices.Contains(*list, a.id) {
		*list = append(*list, a.id)
	}
	if i := slices.Index(*list, a.id); i >= 0 && a.kind == "delete" && a.status == http.StatusNoContent && a.start%4 > 0 {
		*list = slices.Delete(*list, i, i+1) // most acts are about somebody who is there
	}
	if a.etag != "" {
		p.tags[a.id] = a
	}
}

// choose returns an id, and the last version that was told of it.
func (p *pool) choose(list *[]string, d draft, a *act) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(*list) == 0 {
		return
	}
	a.id = (*list)[d.pick%len(*list)]
	if told := p.tags[a.id]; told != nil && d.tag && a.kind != "read" && a.kind != "sign in" {
		a.tag, a.tagged = told.etag, told.start
	}
}

func (p *pool) someUsers(d draft) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for i := range min(d.many, len(p.users)) {
		if id := p.users[(d.pick/7+i*13)%len(p.users)]; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// userAct: names and external ids are few, so that they conflict; titles are never the same twice.
func (f *fleet) userAct(d draft) *act {
	name := fmt.Sprintf("user%d", d.name)
	if d.pick%3 == 0 {
		name = strings.ToUpper(name)
	}
	title, external := fmt.Sprintf("title %d", d.n), fmt.Sprintf("external%d", d.external)
	a := &act{body: map[string]any{}}
	switch k := d.kind; {
	case k < 18:
		a.kind, a.body = "create", map[string]any{"userName": name, "title": title}
		if d.pick%2 == 0 {
			a.body["externalId"] = external
		}
		return a
	case k < 34:
		a.kind, a.body["active"] = "active", d.pick%2 == 0
	case k < 50:
		a.kind, a.body["title"] = "title", title
	case k < 60:
		a.kind, a.body["userName"] = "rename", name
	case k < 66:
		a.kind, a.body["externalId"] = "external", external
	case k < 76:
		a.kind, a.body = "put", map[string]any{"userName": name, "title": title}
	case k < 86:
		a.kind = "delete"
	case k < 94:
		a.kind = "read"
	default:
		a.kind = "sign in"
	}
	f.pool.choose(&f.pool.users, d, a)
	return a
}

func (f *fleet) groupAct(d draft) *act {
	a := &act{group: true, body: map[string]any{}}
	name := fmt.Sprintf("group %d", d.n)
	switch k := d.kind; {
	case k < 6:
		a.kind, a.body["displayName"], a.members = "create", name, f.pool.someUsers(d)
		return a
	case k < 46:
		a.kind, a.members = "add", f.pool.someUsers(d)
	case k < 70:
		a.kind, a.members = "remove", f.pool.someUsers(d)
	case k < 78:
		a.kind, a.members = "replace", f.pool.someUsers(d)
	case k < 84:
		a.kind, a.body["displayName"] = "rename", name
	case k < 88:
		a.kind, a.body["displayName"], a.members = "put", name, f.pool.someUsers(d)
	case k < 91:
		a.kind = "delete"
	default:
		a.kind = "read"
	}
	f.pool.choose(&f.pool.groups, d, a)
	if len(a.members) == 0 && a.kind != "rename" {
		a.kind = "read"
	}
	return a
}

// request sends an act.
func (f *fleet) request(a *act) {
	path, urn := "/Users", urnCore
	if a.group {
		path, urn = "/Groups", groupType.schema.ID
	}
	var headers []string
	if a.tag != "" {
		headers = []string{"If-Match", a.tag}
	}
	method, body := "PATCH", encode(object{"schemas": []any{patchURN}, "Operations": a.operations()})
	switch a.kind {
	case "create", "put":
		whole := object{"schemas": []any{urn}}
		for k, v := range a.body {
			whole[k] = v
		}
		if a.group {
			whole["members"] = memberList(a.members)
		}
		method, body = map[string]string{"create": "POST", "put": "PUT"}[a.kind], encode(whole)
	case "delete":
		method, body = "DELETE", nil
	case "read":
		method, body = "GET", nil
	}
	if a.id != "" {
		path += "/" + a.id
	}
	r, err := f.send(method, path, body, headers...)
	if err != nil {
		f.t.Error(err)
		return
	}
	a.status, a.state, a.etag, a.raw = r.status, r.object, r.header.Get("ETag"), r.raw
	if a.etag != "" {
		list, _ := versions([]string{a.etag})
		a.version = list[0]
	}
	if a.kind == "create" {
		a.id = textOf(r.object["id"])
	}
	if r.status >= 500 || r.status == http.StatusBadRequest && !a.group {
		f.t.Errorf("%s %s %s: %d %s", method, path, body, r.status, r.raw)
	}
}

func memberList(ids []string) []any {
	list := []any{}
	for _, id := range ids {
		list = append(list, object{"value": id})
	}
	return list
}

// operations are those of a PATCH.
func (a *act) operations() []any {
	switch {
	case a.kind == "add" || a.kind == "replace":
		return []any{object{"op": a.kind, "path": "members", "value": memberList(a.members)}}
	case a.kind == "remove":
		var list []any
		for _, id := range a.members {
			list = append(list, object{"op": opRemove, "path": `members[value eq "` + id + `"]`})
		}
		return list
	}
	return []any{object{"op": opReplace, "value": a.body}}
}

// text says in an error what an act was.
func (a *act) text() string {
	body, _ := json.Marshal(a.body) // texts and booleans always encode
	return fmt.Sprintf("%s %s %s %v If-Match %q from %s to %s: %d version %d", a.kind, a.id, body, a.members, a.tag, a.start, a.end, a.status, a.version)
}

func TestTwoChangesAtOnceBothStay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "both", identity.DialectStandard)
		id := c.createUser("ada")
		for i := range 40 {
			values := []string{fmt.Sprintf(`{"externalId":"e%d"}`, i), fmt.Sprintf(`{"title":"t%d"}`, i), fmt.Sprintf(`{"emails":[{"value":"m%d"}]}`, i)}
			c.together(len(values), func(n int) (reply, error) {
				return c.send("PATCH", "/Users/"+id, []byte(patchBody(`{"op":"replace","value":`+values[n]+`}`)))
			})
			now := c.must(http.StatusOK, "GET", "/Users/"+id, "")
			for _, v := range []string{fmt.Sprintf(`"e%d"`, i), fmt.Sprintf(`"t%d"`, i), fmt.Sprintf(`"m%d"`, i)} {
				if !strings.Contains(string(now.raw), v) {
					t.Fatalf("%s was lost: %s", v, now.raw)
				}
			}
		}
	})
}
