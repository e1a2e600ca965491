package scim

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
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
