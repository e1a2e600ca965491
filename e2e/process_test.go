//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// patience is how long anything here may take to start.
const patience = 60 * time.Second

// process is a program that runs beside the test and ends with it, however it ends.
type process struct {
	cmd   *exec.Cmd
	log   *logbook
	guard *guard
	end   sync.Once
}

// start starts a program with exactly this environment, in a folder.
func start(t *testing.T, folder string, environment []string, name string, arguments ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, arguments...), log: &logbook{}}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = folder, environment, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s does not start: %v", name, err)
	}
	p.guard = watch(t, p.cmd.Process.Pid)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.log)
		}
	})
	return p
}

// kill ends the program as a power cut would, and waits until it is gone. A second time it only waits.
func (p *process) kill() {
	p.end.Do(func() {
		p.guard.dismiss()
		_ = p.cmd.Process.Kill() // it may have ended by itself
		_ = p.cmd.Wait()         // "signal: killed" is what we asked for
	})
}

// guard is a shell that kills a process when the test that started it is gone without a word, as after a time-out.
type guard struct {
	cmd  *exec.Cmd
	pipe interface {
		Write([]byte) (int, error)
		Close() error
	}
}

func watch(t *testing.T, pid int) *guard {
	t.Helper()
	g := &guard{cmd: exec.Command("/bin/sh", "-c", `read -r word || kill -KILL "$1"`, "sh", strconv.Itoa(pid))}
	pipe, err := g.cmd.StdinPipe()
	if err == nil {
		g.pipe = pipe
		err = g.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// dismiss ends the guard before its process ends, so that it never kills another with the same number.
func (g *guard) dismiss() {
	_, _ = g.pipe.Write([]byte("done\n"))
	_ = g.pipe.Close()
	_ = g.cmd.Wait()
}

// logbook keeps what a program printed.
type logbook struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

// Write implements io.Writer.
func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.Write(b)
}

// String returns everything so far.
func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.String()
}

// eventually waits until the condition holds, for as long as patience lasts.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// answers reports whether a GET of the address is answered with 200.
func answers(ctx context.Context, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// freePort returns a port of the loopback address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// environment returns what any program needs, and the variables given.
func environment(variables ...string) []string {
	out := variables
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value := os.Getenv(name); value != "" {
			out = append(out, name+"="+value)
		}
	}
	return out
}
