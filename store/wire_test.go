package store_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"testing"
)

// wire stands between a program and PostgreSQL and shows each message to the test, which may change the body in place.
type wire struct {
	to     string                       // host:port of the server
	said   func(kind byte, body []byte) // by the program; may be nil
	answer func(kind byte, body []byte) // by the server; may be nil
}

// listen returns the address of the same database through the wire. The functions are called from many goroutines.
func (w *wire) listen(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	w.to = u.Host
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
			go w.serve(c)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

// serve carries one connection until either side ends it.
func (w *wire) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		carry(server, client, false, w.answer)
		_ = client.Close()
	}()
	carry(client, server, true, w.said)
}

// carry passes messages on. The first of a program has no type.
func carry(from io.Reader, to io.Writer, bare bool, show func(byte, []byte)) {
	for ; ; bare = false {
		head := make([]byte, 5)
		if bare {
			head = head[:4]
		}
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		body := make([]byte, max(binary.BigEndian.Uint32(head[len(head)-4:]), 4)-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if show != nil && !bare {
			show(head[0], body)
		}
		if _, err := to.Write(append(head, body...)); err != nil {
			return
		}
	}
}
