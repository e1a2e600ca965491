package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// stopTime is how long a program may take to stop when it is asked to; then it is killed.
const stopTime = 20 * time.Second

// process is a program that runs beside this one.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan error // gets what Wait returned, once
	said  *tail
}

// start runs a command in the background. What it writes is kept for the error that says why it ended.
func start(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, ended: make(chan error, 1), said: &tail{}}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s does not start: %w", name, err)
	}
	go func() { p.ended <- cmd.Wait() }()
	return p, nil
}

// pid returns the number of the process.
func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the program to end with an interrupt, which means the same to all that are started here: finish, and go.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(os.Interrupt); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	patience := time.NewTimer(stopTime)
	defer patience.Stop()
	select {
	case <-p.ended:
		return nil
	case <-patience.C:
		err := p.cmd.Process.Kill()
		<-p.ended
		return errors.Join(fmt.Errorf("%s did not stop and was killed: %s", p.name, p.said), err)
	}
}

// until asks again and again, every so often, until the program answers, ends, or the time is over.
func (p *process) until(ctx context.Context, every time.Duration, answers func() error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		failure := answers()
		if failure == nil {
			return nil
		}
		select {
		case err := <-p.ended:
			p.ended <- err // for stop
			return fmt.Errorf("%s ended: %w: %s", p.name, err, p.said)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w: %s", p.name, failure, p.said)
		case <-tick.C:
		}
	}
}

// tail keeps the end of what a program writes.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps what is written, and forgets the oldest when there is much of it.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text.Len() > 1<<16 {
		t.text.Reset()
	}
	return t.text.Write(b)
}

// String returns the last lines in one.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return lastLines(t.text.String())
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

// output runs a command to its end and returns what it printed.
func output(cmd *exec.Cmd) ([]byte, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, lastLines(errs.String()+out.String()))
	}
	return out.Bytes(), nil
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
