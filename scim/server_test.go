package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

// bridge is a running server with everything behind it.
type bridge struct {
	people  *provisioning.Service
	url     string       // the origin
	handler http.Handler // what the server serves
}

func newBridge(t testing.TB, db *store.DB) *bridge {
	t.Helper()
	return newBridgeWith(t, db, Options{})
}

// newBridgeWithin is newBridge with other limits.
func newBridgeWithin(t testing.TB, db *store.DB, l Limits) *bridge {
	t.Helper()
	return newBridgeWith(t, db, Options{Limits: l})
}

// newBridgeWith is newBridge with options of its own.
func newBridgeWith(t testing.TB, db *store.DB, o Options) *bridge {
	t.Helper()
	model := loadModel(t)
	b := &bridge{people: provisioning.New(db, model)}
	mux := http.NewServeMux()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	server := httptest.NewUnstartedServer(nil)
	b.url = "http://" + server.Listener.Addr().String()
	o.Provisioning, o.Authn, o.URL, o.Log = b.people, authn.New(db, model), b.url, quiet
	New(o).Routes(mux)
	b.handler = web.New(web.Options{Log: quiet, URL: b.url}).Handler(mux)
	server.Config.Handler = b.handler
	server.Start()
	t.Cleanup(server.Close)
	return b
}

func loadModel(t testing.TB) *access.Model {
	t.Helper()
	model, err := access.Load(storetest.Model)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func newPeople(t testing.TB, db *store.DB) *provisioning.Service {
	t.Helper()
	return provisioning.New(db, loadModel(t))
}

// client speaks for one directory.
type client struct {
	t         testing.TB
	base      string
	token     string
	directory identity.Directory
}

// client makes a directory in a tenant of its own.
func (b *bridge) client(t testing.TB, name string, dialect identity.Dialect) *client {
	t.Helper()
	ctx := context.Background()
	tenant, err := b.people.CreateTenant(ctx, identity.Operator(), name)
	if err != nil {
		t.Fatal(err)
	}
	d, token, err := b.people.CreateDirectory(ctx, identity.Operator(), identity.Directory{Name: name, Dialect: dialect, TenantID: tenant.ID})
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, base: b.url + Path, token: token, directory: d}
}

// reply is an answer whose body was read; object is nil when the body is no JSON object.
type reply struct {
	status int
	header http.Header
	raw    []byte
	object object
}

// wire keeps as many connections as the tests have clients.
var wire = &http.Transport{MaxIdleConnsPerHost: 32}

// send sends one request. headers are names and values by turns; an empty value removes the header.
func (c *client) send(method, path string, body []byte, headers ...string) (reply, error) {
	r, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if len(body) > 0 {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Del(headers[i]); headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w, err := wire.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer w.Body.Close()
	out := reply{status: w.StatusCode, header: w.Header}
	if out.raw, err = io.ReadAll(w.Body); err != nil {
		return reply{}, err
	}
	if json.Unmarshal(out.raw, &out.object) != nil {
		out.object = nil
	}
	return out, nil
}

// must sends one request and fails the test unless the answer has the status.
func (c *client) must(status int, method, path, body string, headers ...string) reply {
	c.t.Helper()
	r, err := c.send(method, path, []byte(body), headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	if r.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, r.raw)
	}
	return r
}
