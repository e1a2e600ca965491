package main

import (
	"fmt"
	"os"
	"time"
)

// progress shows on a terminal how far a long command is, in one line that is written over. Where nobody watches it is silent.
type progress struct {
	p     *program
	shown time.Time
	width int
}

// progressEvery is how often the line changes.
const progressEvery = 200 * time.Millisecond

func (p *program) progress() *progress { return &progress{p: p} }

// watched reports whether stderr is a terminal.
func (g *progress) watched() bool {
	file, ok := g.p.stderr.(*os.File)
	if !ok || g.p.json {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// say shows a line, unless the last one is too young to be read.
func (g *progress) say(format string, args ...any) {
	if now := time.Now(); now.Sub(g.shown) >= progressEvery && g.watched() {
		g.shown = now
		line := fmt.Sprintf(format, args...)
		fmt.Fprintf(g.p.stderr, "\r%-*s", g.width, line)
		g.width = len(line)
	}
}

// end clears the line.
func (g *progress) end() {
	if g.width > 0 {
		fmt.Fprintf(g.p.stderr, "\r%-*s\r", g.width, "")
		g.width = 0
	}
}
