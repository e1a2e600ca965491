package scim

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// statements stands between a program and PostgreSQL and counts what is executed.
type statements struct {
	n  atomic.Int64
	to string // host:port of the server
}

// countStatements returns the address of a database that counts its statements.
func countStatements(t *testing.T, address string) (string, *statements) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s := &statements{to: u.Host}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			go s.serve(c)
		}
	}()
	u.Host = l.Addr().String()
	return u.String(), s
}

// serve carries one connection.
func (s *statements) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", s.to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	s.carry(client, server)
}

// carry passes on what the program says, message by message: the first one has no type. Execute (E) and Query (Q) are statements.
func (s *statements) carry(from io.Reader, to io.Writer) {
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[:4]
		}
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(head[len(head)-4:])
		body := make([]byte, max(length, 4)-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if !first && (head[0] == 'E' || head[0] == 'Q') {
			s.n.Add(1)
		}
		if _, err := to.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// One person in two directories of a tenant is the same person, and what each of them keeps about the person is its own.
func TestAPersonOfTwoDirectoriesShowsEachOnlyItsOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		one := b.client(t, "one", identity.DialectStandard)
		two := b.sibling(t, one, "two", one.directory.TenantID)
		id := textOf(one.must(201, "POST", "/Users", `{"schemas":["`+urnCore+`"],"userName":"ada","externalId":"e1"}`).object["id"])
		two.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"externalId","value":"e2"}`))
		var outer [2]string
		for i, c := range []*client{one, two} {
			inner := textOf(c.must(201, "POST", "/Groups", fmt.Sprintf(`{"schemas":["%s"],"displayName":"inner%d","members":[{"value":"%s"}]}`, groupType.schema.ID, i+1, id)).object["id"])
			outer[i] = textOf(c.must(201, "POST", "/Groups", fmt.Sprintf(`{"schemas":["%s"],"displayName":"outer%d","members":[{"value":"%s"}]}`, groupType.schema.ID, i+1, inner)).object["id"])
		}
		for i, c := range []*client{one, two} {
			person := c.must(200, "GET", "/Users/"+id, "").object
			listed := listOf(c.must(200, "GET", "/Users", "").object["Resources"])[0].(object)
			for _, seen := range []object{person, listed} {
				var names []string
				for _, g := range listOf(seen["groups"]) {
					names = append(names, textOf(g.(object)["display"]))
				}
				slices.Sort(names)
				if want := fmt.Sprintf("inner%d outer%d", i+1, i+1); strings.Join(names, " ") != want || seen["externalId"] != fmt.Sprintf("e%d", i+1) {
					t.Errorf("directory %d sees %v", i+1, seen)
				}
			}
			c.must(404, "GET", "/Groups/"+outer[1-i], "")
		}
		two.must(204, "DELETE", "/Users/"+id, "")
		one.must(404, "GET", "/Users/"+id, "")
	})
}
