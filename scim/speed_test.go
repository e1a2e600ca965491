package scim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

// throng is a directory with users and one group of them all, asked without a network.
type throng struct {
	handler http.Handler
	token   string
	users   []string // ids
	group   string
	spare   string // somebody outside the group
}

const throngSize = 2000

func newThrong(b *testing.B, db *store.DB) *throng {
	b.Helper()
	model, err := access.Load(storetest.Model)
	if err != nil {
		b.Fatal(err)
	}
	people := provisioning.New(db, model)
	_, token, err := people.CreateDirectory(context.Background(), identity.Operator(), identity.Directory{Name: "throng"})
	if err != nil {
		b.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	New(Options{Provisioning: people, Authn: authn.New(db, model), URL: "http://127.0.0.1:8080", Log: quiet}).Routes(mux)
	c := &throng{handler: web.New(web.Options{Log: quiet}).Handler(mux), token: token}
	for i := range throngSize + 1 {
		c.users = append(c.users, c.create(b, fmt.Sprintf("throng%d", i)))
	}
	c.spare, c.users = c.users[throngSize], c.users[:throngSize]
	members := `{"value":"` + strings.Join(c.users, `"},{"value":"`) + `"}`
	answer := c.ask(b, http.StatusCreated, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"all","members":[`+members+`]}`)
	c.group = idOf(answer)
	return c
}

func idOf(body string) string {
	_, rest, _ := strings.Cut(body, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func (c *throng) create(b *testing.B, name string) string {
	return idOf(c.ask(b, http.StatusCreated, "POST", "/Users", throngBody(name)))
}

func throngBody(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%[1]s@example.com","externalId":"ext-%[1]s",
		"name":{"givenName":"Given","familyName":"Family"},"displayName":"Given Family","active":true,"emails":[{"value":"%[1]s@example.com","type":"work","primary":true}]}`, name)
}

func (c *throng) ask(b *testing.B, status int, method, path, body string) string {
	r := httptest.NewRequest(method, Path+path, io.NopCloser(bytes.NewReader([]byte(body))))
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	if w.Code != status {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.String()
}

func throngPatch(op string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
}

// BenchmarkDoor measures one request at a time, without a network between client and door; the databases do not wait for their disks.
func BenchmarkDoor(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			open := map[string]func(testing.TB) *store.DB{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}[kind]
			benchmarkDoor(b, newThrong(b, open(b)))
		})
	}
}

func benchmarkDoor(b *testing.B, c *throng) {
	n := 0
	run := func(name string, status int, method string, request func(i int) (path, body string)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n++
				path, body := request(n)
				c.ask(b, status, method, path, body)
			}
		})
	}
	one := func(i int) string { return c.users[i%len(c.users)] }
	run("get", http.StatusOK, "GET", func(i int) (string, string) { return "/Users/" + one(i), "" })
	run("filter", http.StatusOK, "GET", func(i int) (string, string) {
		return fmt.Sprintf("/Users?filter=userName%%20eq%%20%%22crowd%d@example.com%%22", i%throngSize), ""
	})
	run("page", http.StatusOK, "GET", func(int) (string, string) { return "/Users?startIndex=1001&count=100", "" })
	run("create", http.StatusCreated, "POST", func(i int) (string, string) { return "/Users", throngBody(fmt.Sprintf("late%d", i)) })
	run("patch-user", http.StatusOK, "PATCH", func(i int) (string, string) {
		return "/Users/" + one(i), throngPatch(fmt.Sprintf(`{"op":"replace","path":"active","value":%t}`, i/throngSize%2 == 1))
	})
	run("patch-group", http.StatusNoContent, "PATCH", func(i int) (string, string) {
		op := `{"op":"add","path":"members","value":[{"value":"` + c.spare + `"}]}`
		if i%2 == 0 {
			op = `{"op":"remove","path":"members[value eq \"` + c.spare + `\"]"}`
		}
		return "/Groups/" + c.group, throngPatch(op)
	})
	run("get-group", http.StatusOK, "GET", func(int) (string, string) { return "/Groups/" + c.group, "" })
	run("bulk", http.StatusOK, "POST", func(i int) (string, string) {
		var ops []string
		for k := range 100 {
			ops = append(ops, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"b%d","data":%s}`, k, throngBody(fmt.Sprintf("bulk%d-%d", i, k))))
		}
		return "/Bulk", `{"schemas":["` + bulkRequestURN + `"],"Operations":[` + strings.Join(ops, ",") + `]}`
	})
}
