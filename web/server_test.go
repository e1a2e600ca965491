package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// journal is a log that tests can read while the server writes.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) lines(t *testing.T) []map[string]any {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []map[string]any
	for line := range strings.Lines(j.buf.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, m)
	}
	return out
}

// await waits for the first lines: a connection that is cut ends for the client before its line is written.
func (j *journal) await(t *testing.T, n int) []map[string]any {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		if lines := j.lines(t); len(lines) >= n {
			return lines
		}
		select {
		case <-tick.C:
		case <-deadline:
			return j.lines(t)
		}
	}
}

// render is a door's tongue that shows kind and message.
func render(w http.ResponseWriter, _ *http.Request, err error) {
	var e *identity.Error
	message := "internal"
	if errors.As(err, &e) {
		message = e.Message
	}
	http.Error(w, "door: "+message, web.Status(err))
}

// routes is a small application with one route for each way to answer.
func routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, h web.Handler) { mux.Handle(pattern, web.Handle(h, render)) }
	handle("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) error {
		_, err := fmt.Fprintf(w, "%s %s", web.RequestID(r.Context()), web.ClientIP(r))
		return err
	})
	handle("GET /missing", func(http.ResponseWriter, *http.Request) error {
		return identity.Errorf(identity.NotFound, "There is no such thing.").WithCode("gone").WithCause(errors.New("row 7"))
	})
	handle("GET /broken", func(http.ResponseWriter, *http.Request) error { return errors.New("disk on fire") })
	handle("GET /panic", func(http.ResponseWriter, *http.Request) error {
		count := func(m map[string]int) { m["x"]++ }
		count(nil)
		return nil
	})
	handle("GET /half", func(w http.ResponseWriter, _ *http.Request) error {
		fmt.Fprint(w, strings.Repeat("half of it ", 1000))
		return errors.New("the rest is lost")
	})
	handle("GET /halfpanic", func(w http.ResponseWriter, _ *http.Request) error {
		fmt.Fprint(w, strings.Repeat("half of it ", 1000))
		var p *http.Request
		return p.ParseForm()
	})
	handle("POST /form", echo)
	handle("POST /sso/{connection}/acs", echo)
	handle("POST /sso/{connection}/logout", echo)
	handle("GET /assets/{file}", func(w http.ResponseWriter, _ *http.Request) error { _, err := fmt.Fprint(w, "body{}"); return err })
	handle("GET /signin", func(w http.ResponseWriter, _ *http.Request) error {
		web.AllowForms(w, "https:", "https://idp.example:8443", "javascript:", "https://x; script-src *", "*")
		_, err := fmt.Fprint(w, "e-mail?")
		return err
	})
	return mux
}

func echo(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return identity.Errorf(identity.TooLarge, "The request has more than %d bytes.", big.Limit)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

func start(t *testing.T, o web.Options) (*httptest.Server, *journal) {
	t.Helper()
	j := &journal{}
	o.Log = slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server := httptest.NewServer(web.New(o).Handler(routes()))
	t.Cleanup(server.Close)
	return server, j
}

func do(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func TestARequestLeavesOneLineWithoutItsQuery(t *testing.T) {
	server, j := start(t, web.Options{})
	res, body := do(t, "GET", server.URL+"/things/7?filter=userName+eq+%22ada%22&code=hush", "", "X-Request-Id", "mine", "Authorization", "Bearer dbs_secret")
	id := res.Header.Get("X-Request-Id")
	if _, ok := identity.ParseID[identity.RequestID](id); !ok || body != id+" 127.0.0.1" {
		t.Errorf("the answer's id is %q, the handler saw %q", id, body)
	}
	server.Close()
	lines := j.lines(t)
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	want := map[string]any{
		"level": "INFO", "request": id, "method": "GET", "route": "GET /things/{id}", "path": "/things/7",
		"status": 200.0, "bytes": float64(len(body)), "remote": "127.0.0.1",
	}
	for k, v := range want {
		if lines[0][k] != v {
			t.Errorf("%s is %v, want %v", k, lines[0][k], v)
		}
	}
	for _, secret := range []string{"ada", "hush", "dbs_secret"} {
		if strings.Contains(fmt.Sprint(lines), secret) {
			t.Errorf("the line has %q: %v", secret, lines)
		}
	}
}

func TestThePathOfALineHasNoSecretOfALink(t *testing.T) {
	server, j := start(t, web.Options{})
	secret, id := identity.NewSecret(identity.SharePrefix), string(identity.NewID[identity.TraceID]())
	do(t, "GET", server.URL+"/shared/"+secret+"/"+identity.NewSecret("")+"/"+id, "")
	do(t, "GET", server.URL+"/scim/v2/Schemas/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "")
	server.Close()
	lines := j.lines(t)
	if len(lines) != 2 || lines[0]["path"] != "/shared/…/…/"+id || lines[1]["path"] != "/scim/v2/Schemas/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User" {
		t.Errorf("the lines are %v", lines)
	}
}

func TestAFailureIsRenderedByItsDoorAndLoggedOnceWithItsCause(t *testing.T) {
	tests := []struct {
		name, path   string
		status       int
		body         string
		level, error string
		code         any
	}{
		{"a client's mistake", "/missing", 404, "door: There is no such thing.\n", "INFO", "row 7", "gone"},
		{"our own failure", "/broken", 500, "door: internal\n", "ERROR", "disk on fire", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, j := start(t, web.Options{})
			res, body := do(t, "GET", server.URL+tt.path, "")
			server.Close()
			lines := j.lines(t)
			if res.StatusCode != tt.status || body != tt.body || len(lines) != 1 {
				t.Fatalf("%d %q, %d lines", res.StatusCode, body, len(lines))
			}
			if lines[0]["level"] != tt.level || !strings.Contains(fmt.Sprint(lines[0]["error"]), tt.error) || lines[0]["code"] != tt.code {
				t.Errorf("the line is %v", lines[0])
			}
		})
	}
}

func TestAPanicIsAnsweredWith500AndTheServerGoesOn(t *testing.T) {
	server, j := start(t, web.Options{})
	res, body := do(t, "GET", server.URL+"/panic", "")
	if res.StatusCode != 500 || strings.Contains(body, "nil map") || !strings.Contains(body, res.Header.Get("X-Request-Id")) {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	if res, _ := do(t, "GET", server.URL+"/things/1", ""); res.StatusCode != 200 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
	server.Close()
	line := j.lines(t)[0]
	if line["level"] != "ERROR" || !strings.Contains(fmt.Sprint(line["error"]), "nil map") || !strings.Contains(fmt.Sprint(line["error"]), "server_test.go") {
		t.Errorf("the line is %v", line)
	}
}

func TestHalfAnAnswerIsNotTakenForAWholeOne(t *testing.T) {
	for _, path := range []string{"/half", "/halfpanic"} {
		server, j := start(t, web.Options{})
		res, err := http.Get(server.URL + path)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the client saw a complete answer", path)
		}
		server.Close()
		if lines := j.await(t, 1); len(lines) != 1 || lines[0]["level"] != "ERROR" {
			t.Errorf("%s: %v", path, lines)
		}
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	plain, _ := start(t, web.Options{URL: "http://127.0.0.1:8080"})
	secure, _ := start(t, web.Options{URL: "https://id.example.com"})
	for _, path := range []string{"/things/1", "/missing", "/panic", "/nowhere", "/healthz", "/assets/a.css"} {
		res, _ := do(t, "GET", plain.URL+path, "")
		want := map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
			"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
			"Strict-Transport-Security": "", "Cache-Control": "no-store",
		}
		if strings.HasPrefix(path, "/assets/") {
			want["Cache-Control"] = ""
		}
		for k, v := range want {
			if got := res.Header.Get(k); got != v {
				t.Errorf("%s: %s is %q, want %q", path, k, got, v)
			}
		}
	}
	if res, _ := do(t, "GET", secure.URL+"/things/1", ""); res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS over https")
	}
}

func TestAPageMayLetItsFormsLeadElsewhereButNothingMore(t *testing.T) {
	server, _ := start(t, web.Options{})
	res, _ := do(t, "GET", server.URL+"/signin", "")
	csp := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "; form-action 'self' https: https://idp.example:8443; frame-ancestors 'none'") || strings.Count(csp, "script-src") != 1 {
		t.Errorf("the policy is %q", csp)
	}
}

func TestFormsFromOtherSitesAreRefusedExceptTheProvidersAnswers(t *testing.T) {
	server, j := start(t, web.Options{URL: "https://id.example.com"})
	tests := []struct {
		name, path string
		header     []string
		want       int
	}{
		{"a program without a browser", "/form", nil, 200},
		{"our own page", "/form", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"our own page through a proxy that rewrites the host", "/form", []string{"Origin", "https://id.example.com"}, 200},
		{"another site", "/form", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"a neighbour on our domain", "/form", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://x.example.com"}, 403},
		{"an old browser on another site", "/form", []string{"Origin", "https://evil.example"}, 403},
		{"an identity provider's SAML answer", "/sso/okta/acs", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://idp.example"}, 200},
		{"the same at another path of sso", "/sso/okta/logout", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://idp.example"}, 403},
	}
	for _, tt := range tests {
		res, body := do(t, "POST", server.URL+tt.path, "a=b", tt.header...)
		if res.StatusCode != tt.want || tt.want == 200 && body != "a=b" {
			t.Errorf("%s: %d %q, want %d", tt.name, res.StatusCode, body, tt.want)
		}
	}
	server.Close()
	for _, line := range j.lines(t) {
		if line["status"] == 403.0 && line["code"] != "cross_origin" {
			t.Errorf("the line does not say why: %v", line)
		}
	}
}

func TestABodyAboveTheLimitIsRefused(t *testing.T) {
	server, _ := start(t, web.Options{MaxBody: 1000})
	if res, _ := do(t, "POST", server.URL+"/form", strings.Repeat("x", 1000)); res.StatusCode != 200 {
		t.Errorf("at the limit: %d", res.StatusCode)
	}
	if res, body := do(t, "POST", server.URL+"/form", strings.Repeat("x", 1001)); res.StatusCode != 413 || !strings.Contains(body, "1000 bytes") {
		t.Errorf("above the limit: %d %q", res.StatusCode, body)
	}
}

func TestHealthAndReadinessAreDifferentQuestions(t *testing.T) {
	server, j := start(t, web.Options{Ready: func(context.Context) error { return errors.New("no database at 10.0.0.7") }})
	if res, body := do(t, "GET", server.URL+"/healthz", ""); res.StatusCode != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", res.StatusCode, body)
	}
	if res, body := do(t, "GET", server.URL+"/readyz", ""); res.StatusCode != 503 || body != "not ready\n" {
		t.Errorf("readyz: %d %q", res.StatusCode, body)
	}
	server.Close()
	if lines := j.lines(t); lines[0]["level"] != "DEBUG" || !strings.Contains(fmt.Sprint(lines[1]["error"]), "10.0.0.7") {
		t.Errorf("the lines are %v", lines)
	}
	ready, _ := start(t, web.Options{})
	if res, _ := do(t, "GET", ready.URL+"/readyz", ""); res.StatusCode != 200 {
		t.Errorf("a server that asks nothing is ready: %d", res.StatusCode)
	}
}

func TestOnlyTrustedProxiesAreBelievedAboutTheClient(t *testing.T) {
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	tests := []struct {
		name    string
		trusted []netip.Prefix
		forward []string
		want    string
	}{
		{"without trust the header is nothing", nil, []string{"203.0.113.9"}, "127.0.0.1"},
		{"without the header it is the connection", local, nil, "127.0.0.1"},
		{"the proxy's word counts", local, []string{"203.0.113.9"}, "203.0.113.9"},
		{"what the client wrote itself does not", local, []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"a chain of proxies is walked", local, []string{"203.0.113.9, 10.0.0.5", "10.0.0.6"}, "203.0.113.9"},
		{"nonsense ends the walk", local, []string{"203.0.113.9, what, 10.0.0.6"}, "10.0.0.6"},
		{"IPv6 works", local, []string{"2001:db8::7"}, "2001:db8::7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, _ := start(t, web.Options{TrustedProxies: tt.trusted})
			var header []string
			for _, f := range tt.forward {
				header = append(header, "X-Forwarded-For", f)
			}
			_, body := do(t, "GET", server.URL+"/things/1", "", header...)
			if _, got, _ := strings.Cut(body, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestShuttingDownLetsARequestInProgressFinish(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, s.Handler(mux)) }()
	answered := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr().String() + "/slow")
		if err != nil {
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	<-began
	cancel()
	if _, err := refused(l.Addr().String()); err != nil {
		t.Error(err)
	}
	close(release)
	if status := <-answered; status != 200 {
		t.Errorf("the request in progress got %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("the end was not calm: %v", err)
	}
}

// refused waits until the address takes no new connection.
func refused(addr string) (time.Duration, error) {
	began := time.Now()
	for time.Since(began) < 5*time.Second {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return time.Since(began), nil
		}
		c.Close()
	}
	return 0, errors.New("a server that shuts down still takes connections after 5 s")
}
