package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// clients is how many ask at once, as in scimload.
const clients = 8

// answerTime is the limit of one request.
const answerTime = time.Minute

// connection is one keep-alive connection, used by one goroutine. It costs less than http.Client does, which matters where the load
// and the server share two cores.
type connection struct {
	base   string
	token  string
	socket net.Conn
	reader *bufio.Reader
	body   bytes.Buffer
}

func newConnection(c *contender) *connection { return &connection{base: c.base, token: c.token} }

// do sends a request and returns the body of its answer, which is valid until the next call. A status outside 2xx is an error.
func (c *connection) do(ctx context.Context, method, path string, content []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/scim+json")
	status, err := c.exchange(req)
	if err != nil {
		c.close()
		return nil, err
	}
	if status < 200 || status > 299 {
		return nil, fmt.Errorf("%s %s: %d %.200s", method, path, status, c.body.Bytes())
	}
	return c.body.Bytes(), nil
}

func (c *connection) exchange(req *http.Request) (int, error) {
	if c.socket == nil {
		socket, err := net.Dial("tcp", req.URL.Host)
		if err != nil {
			return 0, err
		}
		c.socket, c.reader = socket, bufio.NewReaderSize(socket, 64<<10)
	}
	if err := c.socket.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return 0, err
	}
	if err := req.Write(c.socket); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(c.reader, req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	c.body.Reset()
	if _, err := io.Copy(&c.body, res.Body); err != nil {
		return 0, err
	}
	if res.Close {
		c.close()
	}
	return res.StatusCode, nil
}

func (c *connection) close() {
	if c.socket != nil {
		c.socket.Close() // it was read to its end, or is broken
		c.socket = nil
	}
}

// run lets several clients do the same request again and again for some time and measures them and the server.
func (l *loader) repeat(ctx context.Context, c *contender, request func(*connection) (size int, err error)) sample {
	var (
		mu      sync.Mutex
		all     []time.Duration
		s       sample
		workers sync.WaitGroup
	)
	server, database := readUsage(c.running.pid()), databaseUsage(c)
	began := time.Now()
	for range clients {
		workers.Go(func() {
			own, taken := newConnection(c), []time.Duration(nil)
			defer own.close()
			failed, size, first := 0, 0, ""
			for failed < 200 && ctx.Err() == nil && time.Since(began) < l.duration {
				at := time.Now()
				n, err := request(own)
				taken, size = append(taken, time.Since(at)), size+n
				if err != nil {
					failed, first = failed+1, err.Error()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all, s.Bytes, s.Errors, s.FirstErr = append(all, taken...), s.Bytes+size, s.Errors+failed, first
		})
	}
	workers.Wait()
	took, after := time.Since(began), readUsage(c.running.pid())
	s.Peak = after.memory
	s.summarise(all, took, after.cpu-server.cpu, databaseUsage(c).cpu-database.cpu)
	return s
}

func databaseUsage(c *contender) usage {
	if c.databasePID == 0 {
		return usage{}
	}
	return readUsage(c.databasePID)
}

func (s *sample) summarise(all []time.Duration, took, server, database time.Duration) {
	s.Requests = len(all)
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	n := float64(len(all))
	s.PerSecond = (n - float64(s.Errors)) / took.Seconds()
	s.P50, s.P99 = milliseconds(all[len(all)/2]), milliseconds(all[len(all)*99/100])
	s.Bytes /= len(all)
	s.CPU, s.DBCPU = float64(server.Microseconds())/n, float64(database.Microseconds())/n
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// page reads one page of users by cursor and returns its size in bytes, how many users it has and the cursor of the next.
func (c *connection) page(ctx context.Context, cursor string, count int) (size, users int, next string, err error) {
	body, err := c.do(ctx, http.MethodGet, fmt.Sprintf("/Users?cursor=%s&count=%d", url.QueryEscape(cursor), count), nil)
	if err != nil {
		return 0, 0, "", err
	}
	return len(body), bytes.Count(body, []byte(`"userName"`)), nextCursor(body), nil
}

// nextCursor takes the cursor out of a page without decoding its users, or returns "".
func nextCursor(page []byte) string {
	at := bytes.LastIndex(page, []byte(`"nextCursor":`))
	if at < 0 {
		return ""
	}
	var cursor string
	if err := json.NewDecoder(bytes.NewReader(page[at+len(`"nextCursor":`):])).Decode(&cursor); err != nil {
		return ""
	}
	return cursor
}

// cursorAt walks over the first users and returns the cursor of the page behind them.
func cursorAt(ctx context.Context, c *contender, users int) (string, error) {
	own := newConnection(c)
	defer own.close()
	cursor := ""
	for seen := 0; seen < users; {
		_, n, next, err := own.page(ctx, cursor, min(1000, users-seen))
		if err != nil {
			return "", err
		}
		if next == "" || n == 0 {
			return "", fmt.Errorf("the list ends after %d users", seen+n)
		}
		seen, cursor = seen+n, next
	}
	return cursor, nil
}

// byCursor reads the same page of some users again and again.
func (l *loader) byCursor(ctx context.Context, c *contender, cursor string, count int) sample {
	return l.repeat(ctx, c, func(own *connection) (int, error) {
		size, n, _, err := own.page(ctx, cursor, count)
		if err == nil && n != count {
			err = fmt.Errorf("%d users in the page, want %d", n, count)
		}
		return size, err
	})
}
