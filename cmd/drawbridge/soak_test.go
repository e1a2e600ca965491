package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// soakVariable is how long TestSoak lasts on each database, such as 30m; without it a few seconds, which shows that it works.
const soakVariable = "DRAWBRIDGE_SOAK"

// How the soak is done: so many clients, so many samples, and how long one request may take at the very most.
const (
	soakShort   = 5 * time.Second
	soakClients = 8
	soakSamples = 180
	soakSlowest = 5 * time.Second // where the run is judged
	soakHangs   = time.Minute     // everywhere
	vacuumEvery = 30 * time.Second
)

// What the lowest sample of the last third of the time may have more than the lowest of the second: a leak lifts the lowest too, while
// the others tell what happened to be going on. Shorter runs than soakJudged are not judged: they are still warming up.
const (
	soakJudged         = time.Minute
	soakGrowth         = 1.1
	soakMoreHeap       = 4  // MiB
	soakMoreRSS        = 16 // MiB: freed memory goes back to the system late
	soakMoreGoroutines = 8
	soakMoreFiles      = 8
)

// A day of use in short: everything that a directory and a browser do, good and bad, from several clients at once. Nothing may be
// answered with 5xx or late, and memory, goroutines, files and connections must be as many at the end as in the middle.
func TestSoak(t *testing.T) {
	lasts := soakShort
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", soakVariable, err)
		}
	}
	storetest.EachURL(t, func(t *testing.T, url string) {
		before := goleak.IgnoreCurrent()
		soak := newSoak(t, url)
		soak.run(t, lasts)
		soak.report(t)
		if lasts >= soakJudged {
			soak.judge(t)
		}
		soak.stop(t)
		goleak.VerifyNone(t, before) // it waits a moment for those that are about to end
	})
}

func TestTheSoakSeesALeakAndNoMoment(t *testing.T) {
	flat, leaking := make([]soakSample, 30), make([]soakSample, 30)
	for i := range flat {
		flat[i] = soakSample{goroutines: 50 + i%20, heap: float64(5 + i%3*20), rss: 80, files: 40, connections: 8} // hashing a password takes 19 MiB for a moment
		leaking[i] = flat[i]
		leaking[i].goroutines += 5 * i
	}
	if found := leaks(flat); found != nil {
		t.Errorf("nothing grows, and it says %v", found)
	}
	if found := leaks(leaking); len(found) != 1 || !strings.Contains(found[0], "goroutines") {
		t.Errorf("goroutines leak, and it says %v", found)
	}
}

// soak is one program under load.
type soak struct {
	sh      shell
	running *running
	watch   *sql.DB // the PostgreSQL server, to count connections; nil with SQLite
	began   time.Time
	samples []soakSample

	mu     sync.Mutex
	token  string // the newest of the directory
	group  string // a group that all clients change
	counts map[string]*soakCount
	wrong  []error
}

// soakCount is what became of one kind of request.
type soakCount struct {
	done    int
	slowest time.Duration
}

// soakSample is one look at the process.
type soakSample struct {
	at          time.Duration
	requests    int
	goroutines  int
	heap        float64 // MiB in use after a collection
	rss         float64 // MiB
	files       int     // open, sockets too
	connections int     // to PostgreSQL
}

func newSoak(t *testing.T, url string) *soak {
	t.Helper()
	s := &soak{sh: shellOn(t, url), counts: map[string]*soakCount{}}
	s.sh.env["DRAWBRIDGE_TRUSTED_PROXIES"] = "127.0.0.1" // wrong passwords come from many addresses
	s.sh.must("tenant", "create", "Soak")
	s.sh.must("user", "create", "--email", soakAdministrator, "--role", "superadmin", "--password-file", passwordFile(t, goodPassword))
	var made struct{ Token string }
	s.sh.json(&made, "directory", "create", "Soak", "--tenant", "Soak")
	s.token = made.Token
	if strings.HasPrefix(url, "postgres") {
		db, err := sql.Open("postgres", url)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		s.watch = db
	}
	s.running = s.sh.serve()
	return s
}

// run lets the clients do what they do, and looks at the process again and again.
func (s *soak) run(t *testing.T, lasts time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	s.began = time.Now()
	if err := s.makeGroup(ctx); err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for i := range soakClients {
		clients.Go(func() { newSoaker(s, i).work(ctx) })
	}
	tick := time.NewTicker(max(lasts/soakSamples, 500*time.Millisecond))
	defer tick.Stop()
	vacuumed := time.Now()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			s.rotate(ctx)
			s.look(ctx)
			if s.watch != nil && time.Since(vacuumed) > vacuumEvery {
				vacuumed = time.Now() // the server of the tests has no autovacuum
				if _, err := s.watch.ExecContext(ctx, "VACUUM"); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		}
	}
	clients.Wait()
}

// rotate makes a new token; the one that the clients have just used goes on working until the next time.
func (s *soak) rotate(ctx context.Context) {
	var out, errs strings.Builder
	err := run(ctx, []string{"directory", "rotate-token", "Soak", "--json"}, func(name string) string { return s.sh.env[name] }, strings.NewReader(""), &out, &errs)
	var made struct{ Token string }
	if err == nil {
		err = json.Unmarshal([]byte(out.String()), &made)
	}
	if err != nil {
		s.fail(ctx, fmt.Errorf("rotate-token: %w: %s", err, errs.String()))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = made.Token
}

// look takes a sample.
func (s *soak) look(ctx context.Context) {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	sample := soakSample{
		at: time.Since(s.began), goroutines: runtime.NumGoroutine(), heap: float64(memory.HeapAlloc) / (1 << 20), rss: residentMiB(), files: openFiles(),
	}
	if s.watch != nil {
		const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
		if err := s.watch.QueryRowContext(ctx, others).Scan(&sample.connections); err != nil {
			s.fail(ctx, err)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.counts {
		sample.requests += c.done
	}
	s.samples = append(s.samples, sample)
}

// fail keeps what went wrong, unless it went wrong because the time was over.
func (s *soak) fail(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() == nil && len(s.wrong) < 20 {
		s.wrong = append(s.wrong, fmt.Errorf("after %s: %w", time.Since(s.began).Round(time.Second), err))
	}
}

// stop ends the program as an operator does.
func (s *soak) stop(t *testing.T) {
	t.Helper()
	s.running.stop()
	if err := <-s.running.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if s.watch != nil {
		if err := s.watch.Close(); err != nil {
			t.Error(err)
		}
	}
}

// report prints the samples, a dozen of them, and judges.
func (s *soak) report(t *testing.T) {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n    time  requests  goroutines  heap MiB  RSS MiB  files  connections\n")
	for i := 0; i < len(s.samples); i += max(1, len(s.samples)/12) {
		x := s.samples[i]
		fmt.Fprintf(&b, "%8s  %8d  %10d  %8.1f  %7.1f  %5d  %11d\n", x.at.Round(time.Second), x.requests, x.goroutines, x.heap, x.rss, x.files, x.connections)
	}
	b.WriteString("\nwhat was done                 times    slowest\n")
	for _, kind := range soakKinds {
		c := s.counts[kind.name]
		if c == nil {
			t.Errorf("no client did this: %s", kind.name)
			continue
		}
		fmt.Fprintf(&b, "%-26s %8d  %9s\n", kind.name, c.done, c.slowest.Round(time.Millisecond))
	}
	t.Log(b.String())
	for _, err := range s.wrong {
		t.Error(err)
	}
}

// judge looks for requests that took too long and for what grows.
func (s *soak) judge(t *testing.T) {
	t.Helper()
	for name, c := range s.counts {
		if c.slowest > soakSlowest {
			t.Errorf("%s: the slowest took %s", name, c.slowest.Round(time.Millisecond))
		}
	}
	if len(s.samples) < 9 {
		t.Errorf("%d samples are too few to judge by", len(s.samples))
		return
	}
	for _, leak := range leaks(s.samples) {
		t.Error(leak)
	}
}

// leaks compares the last third of the samples with the second.
func leaks(samples []soakSample) []string {
	third := len(samples) / 3
	middle, last := samples[third:2*third], samples[2*third:]
	var found []string
	for _, x := range []struct {
		name string
		of   func(soakSample) float64
		more float64
	}{
		{"goroutines", func(x soakSample) float64 { return float64(x.goroutines) }, soakMoreGoroutines},
		{"MiB of heap", func(x soakSample) float64 { return x.heap }, soakMoreHeap},
		{"MiB of memory", func(x soakSample) float64 { return x.rss }, soakMoreRSS},
		{"open files", func(x soakSample) float64 { return float64(x.files) }, soakMoreFiles},
		{"connections", func(x soakSample) float64 { return float64(x.connections) }, soakMoreFiles},
	} {
		was, is := lowest(middle, x.of), lowest(last, x.of)
		if is > was*soakGrowth+x.more {
			found = append(found, fmt.Sprintf("at least %.0f %s in the last third of the time, %.0f in the second: something leaks", is, x.name, was))
		}
	}
	return found
}

func lowest(samples []soakSample, of func(soakSample) float64) float64 {
	return of(slices.MinFunc(samples, func(a, b soakSample) int { return cmp.Compare(of(a), of(b)) }))
}

// residentMiB returns the resident memory of this process, or 0 where the system does not say.
func residentMiB() float64 {
	content, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err == nil {
				return kib / 1024
			}
		}
	}
	return 0
}

// openFiles counts what this process has open, or returns 0 where the system does not say.
func openFiles() int {
	folder, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	names, err := folder.Readdirnames(-1)
	if err := errors.Join(err, folder.Close()); err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	return len(names)
}
