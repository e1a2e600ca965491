package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// running is a Drawbridge that serves in this process.
type running struct {
	origin string
	start  map[string]any // the start line
	stop   context.CancelFunc
	ended  chan error
}

// serve starts "drawbridge serve" on a free port and waits for its start line.
func (sh shell) serve(args ...string) *running {
	sh.t.Helper()
	ctx, stop := context.WithCancel(sh.t.Context())
	reader, writer := io.Pipe()
	r := &running{stop: stop, ended: make(chan error, 1)}
	all := append([]string{"serve", "--listen", "127.0.0.1:0", "--json"}, args...)
	go func() {
		err := run(ctx, all, func(name string) string { return sh.env[name] }, strings.NewReader(""), io.Discard, writer)
		writer.CloseWithError(io.EOF)
		r.ended <- err
	}()
	lines := bufio.NewReader(reader)
	line, err := lines.ReadString('\n')
	if err != nil {
		sh.t.Fatalf("serve wrote no start line: %v, %v", err, <-r.ended)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	if err := json.Unmarshal([]byte(line), &r.start); err != nil {
		sh.t.Fatalf("the start line is %q: %v", line, err)
	}
	at, _ := r.start["listen"].(string)
	r.origin = "http://" + at
	sh.t.Cleanup(stop)
	return r
}

// get asks the running program and returns the status and the body.
func (r *running) get(t *testing.T, path, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.origin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestOneCommandRunsIt(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"SQLite in a file": storetest.SQLiteURL, "PostgreSQL": storetest.PostgresURL} {
		t.Run("MIS-09 one command runs it on "+name, func(t *testing.T) {
			r := shellOn(t, url(t)).serve()
			if status, body := r.get(t, "/readyz", ""); status != http.StatusOK {
				t.Errorf("answered %d %s", status, body)
			}
		})
	}
}

func TestServeOpensEveryDoorAndEndsCalmly(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		r := sh.serve()
		if next, _ := r.start["next"].(string); !strings.Contains(next, "user create") || r.start["url"] != "https://id.example.com" {
			t.Errorf("the start line is %v", r.start)
		}
		for path, want := range map[string]int{
			"/healthz": 200, "/readyz": 200, "/signin": 200, "/assets/drawbridge.css": 200, "/console": 303, "/": 303,
			"/scim/v2/Users": 401, "/sso/none/login": 404, "/nowhere": 404,
		} {
			if got, _ := r.get(t, path, ""); got != want {
				t.Errorf("GET %s is answered %d instead of %d", path, got, want)
			}
		}
		r.stop()
		if err := <-r.ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestOnceThereIsAnAdministratorTheStartLineAsksForNone(t *testing.T) {
	sh := newShell(t)
	sh.must("user", "create", "--email", "you@example.com", "--role", "superadmin")
	if next, there := sh.serve().start["next"]; there {
		t.Errorf("the start line says %v", next)
	}
}

func TestAPortThatIsTakenIsSaidInWords(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	newShell(t).refused(1, []string{l.Addr().String(), "taken", "--listen"}, "serve", "--listen", l.Addr().String())
}

func TestAHealthcheckFindsTheProgramOrSaysThatItDoesNotRun(t *testing.T) {
	sh := newShell(t)
	r := sh.serve()
	if out := sh.must("healthcheck", "--listen", strings.TrimPrefix(r.origin, "http://")); out != "ok\n" {
		t.Errorf("it says %q", out)
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	sh.refused(1, []string{"Nothing answers", "drawbridge serve"}, "healthcheck", "--listen", strings.TrimPrefix(r.origin, "http://"))
}

func TestAHealthcheckReachesAnAddressThatMeansAll(t *testing.T) {
	for listen, want := range map[string]string{":8080": "127.0.0.1:8080", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "10.0.0.7:80": "10.0.0.7:80"} {
		if got := reachable(listen); got != want {
			t.Errorf("%s is asked at %s instead of %s", listen, got, want)
		}
	}
}

func TestADatabaseThatCannotBeOpenedIsNamedWithItsCauseAndWithoutItsPassword(t *testing.T) {
	sh := newShell(t)
	sh.env["DRAWBRIDGE_DATABASE"] = "postgres://bridge:hunter2@127.0.0.1:1/people?sslmode=disable"
	_, errs, err := sh.run("migrate")
	if status(err) != 1 || !strings.Contains(errs, "127.0.0.1:1") || !strings.Contains(errs, "refused") || strings.Contains(errs, "hunter2") {
		t.Errorf("%v: %s", err, errs)
	}
}
