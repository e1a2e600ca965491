package main

import (
	"encoding/json"
	"fmt"
	"net/url"
)

// guide tells the tour while it happens: chapters of numbered steps, each with the request, the answer and what it means. With --json it is one
// object a line.
type guide struct {
	p       *program
	chapter string
	steps   int
	quiet   bool // the way is known: steps are taken and not told
}

// stepView is one step of the tour for programs.
type stepView struct {
	Step    int    `json:"step"`
	Chapter string `json:"chapter"`
	Method  string `json:"method"`
	URL     string `json:"url"`
	Status  int    `json:"status"`
	What    string `json:"what"`
}

// open begins a chapter.
func (g *guide) open(chapter string) {
	g.chapter = chapter
	if !g.p.json {
		fmt.Fprintf(g.p.stdout, "\n%s\n", chapter)
	}
}

// step tells of one request and its answer.
func (g *guide) step(method, address string, status int, what string) {
	if g.quiet {
		return
	}
	g.steps++
	if g.p.json {
		g.line(stepView{g.steps, g.chapter, method, address, status, what})
		return
	}
	if readable, err := url.QueryUnescape(address); err == nil {
		address = readable
	}
	fmt.Fprintf(g.p.stdout, "  %2d  %-5s  %s\n      %-5d  %s\n", g.steps, method, clean(cut(address, 100)), status, clean(what))
}

// say tells something that is no request.
func (g *guide) say(format string, args ...any) {
	if !g.p.json {
		fmt.Fprintf(g.p.stdout, format+"\n", args...)
	}
}

func (g *guide) line(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		raw = []byte(`{"error":"this step cannot be told"}`)
	}
	fmt.Fprintf(g.p.stdout, "%s\n", raw)
}

// cut shortens an address of a protocol, which can be thousands of characters long, for a line of text.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
