package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// How long one journey and one step of it may take, on a slow machine.
const (
	journeyTime = 3 * time.Minute
	journeyStep = 40 * time.Second
)

// journey is somebody in front of a real browser who goes by what is visible only. Each click is counted; what is typed, selected or chosen is told and not counted.
type journey struct {
	t      *testing.T
	ctx    context.Context
	home   string
	clicks int
	mu     sync.Mutex
	faults []string // what the browser complained about
}

// newJourney opens a browser. Without one the test skips, or fails under DRAWBRIDGE_TEST_BROWSER=require.
func newJourney(t *testing.T, home string) *journey {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("DRAWBRIDGE_TEST_BROWSER") == "require" {
			t.Fatal("chromium is not installed, and DRAWBRIDGE_TEST_BROWSER=require asks for it")
		}
		t.Skip("chromium is not installed: the journeys are not made in a browser (apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(journeyProfile(t)), chromedp.WindowSize(1280, 900))
	ctx, stop := context.WithTimeout(context.Background(), journeyTime)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(stop)
	j := &journey{t: t, ctx: ctx, home: home}
	chromedp.ListenTarget(ctx, j.listen)
	j.run(log.Enable(), runtime.Enable())
	return j
}

// journeyProfile is a folder for one browser. Chromium's children outlive it for a moment and go on writing there, so it is removed when they let it.
func journeyProfile(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "drawbridge-journey-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range 250 {
			if err = os.RemoveAll(folder); err == nil {
				return
			}
			<-tick.C
		}
		t.Logf("the folder of the browser stays: %v", err)
	})
	return folder
}

func (j *journey) listen(event any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if (e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning) && strings.HasPrefix(e.Entry.URL, j.home) {
			j.faults = append(j.faults, fmt.Sprintf("%s: %s", e.Entry.URL, e.Entry.Text))
		}
	case *runtime.EventExceptionThrown:
		j.faults = append(j.faults, e.ExceptionDetails.Error())
	}
}

func (j *journey) run(actions ...chromedp.Action) {
	j.t.Helper()
	if err := chromedp.Run(j.ctx, actions...); err != nil {
		j.lost(err.Error())
	}
}

// lost ends the test with what the browser shows.
func (j *journey) lost(why string) {
	j.t.Helper()
	var at, body string
	_ = chromedp.Run(j.ctx, chromedp.Location(&at), chromedp.Text("body", &body, chromedp.ByQuery))
	j.t.Fatalf("%s\nat %s, which shows:\n%s", why, at, body)
}

// until asks the page again and again whether something is so. A page that is just being left answers nothing.
func (j *journey) until(script, what string) {
	j.t.Helper()
	tick, over := time.NewTicker(40*time.Millisecond), time.After(journeyStep)
	defer tick.Stop()
	for {
		var so bool
		if err := chromedp.Run(j.ctx, chromedp.Evaluate(script, &so)); err == nil && so {
			return
		}
		select {
		case <-tick.C:
		case <-over:
			j.lost("waited in vain for " + what)
		case <-j.ctx.Done():
			j.lost("the browser ended, waiting for " + what)
		}
	}
}

// quoted is a text as JavaScript writes it.
func quoted(s string) string {
	raw, _ := json.Marshal(s) // a string always can be
	return string(raw)
}

// seen finds the visible control that says a text and marks it; texts that are for screen readers only do not count.
const seen = `(() => {
	const want = %s;
	const fits = (e) => e.checkVisibility({checkVisibilityCSS: true}) && (e.innerText.replace(/\s+/g, " ").trim() === want || e.ariaLabel === want );
	const found = Array.from(document.querySelectorAll("a[href], button, summary, input[type=checkbox], label:has(input[type=radio])")).filter(fits);
	for (const e of document.querySelectorAll("[data-journey]")) delete e.dataset.journey;
	if (found.length > 0) (found.find((e) => e.closest("main")) || found[0]).dataset.journey = "here";
	return found.length > 0 && document.readyState === "complete";
})()`

// press clicks on what says a text, and counts it.
func (j *journey) press(text string) {
	j.t.Helper()
	j.until(fmt.Sprintf(seen, quoted(text)), "a link or button that says "+quoted(text))
	j.clicks++
	j.t.Logf("  click %d: %s", j.clicks, text)
	j.run(chromedp.Click(`[data-journey]`, chromedp.ByQuery))
}

// follow clicks on what leads to another page, and waits for that.
func (j *journey) follow(text string) {
	j.t.Helper()
	j.until(`(document.documentElement.dataset.left = "soon") === "soon"`, "the page")
	j.press(text)
	j.until(`document.documentElement.dataset.left !== "soon" && document.readyState === "complete"`, "the page behind "+quoted(text))
}

// write types into the field with a label.
func (j *journey) write(label, text string) {
	j.t.Helper()
	j.field(label)
	shown := text
	if label == "Password" {
		shown = "…"
	}
	j.t.Logf("  type %s: %s", label, shown)
	j.run(chromedp.Evaluate(`document.querySelector("[data-journey]").select()`, nil), chromedp.SendKeys(`[data-journey]`, text, chromedp.ByQuery))
}

// field marks the visible field with a label; what stands in it in grey ("optional") does not count.
func (j *journey) field(label string) {
	j.t.Helper()
	j.until(fmt.Sprintf(`(() => {
		const want = %s;
		const says = (l) => Array.from(l.childNodes).filter((n) => n.nodeType === 3).map((n) => n.data).join(" ").replace(/\s+/g, " ").trim();
		const found = Array.from(document.querySelectorAll("label")).filter((l) => says(l) === want && l.control && l.control.checkVisibility());
		for (const e of document.querySelectorAll("[data-journey]")) delete e.dataset.journey;
		if (found.length > 0) found[0].control.dataset.journey = "here";
		return found.length > 0 && document.readyState === "complete";
	})()`, quoted(label)), "a field that is called "+quoted(label))
}

// choose selects what says a text in the select with a label.
func (j *journey) choose(label, text string) {
	j.t.Helper()
	j.field(label)
	j.t.Logf("  select %s: %s", label, text)
	j.until(fmt.Sprintf(`(() => {
		const s = document.querySelector("[data-journey]");
		const o = Array.from(s.options).find((o) => !o.hidden && !o.disabled && o.text.replace(/\s+/g, " ").trim().startsWith(%s));
		if (!o) return false;
		s.value = o.value;
		s.dispatchEvent(new Event("change", {bubbles: true}));
		return true;
	})()`, quoted(text)), quoted(text)+" in the list "+quoted(label))
}

// attach chooses a file.
func (j *journey) attach(label, file string) {
	j.t.Helper()
	j.field(label)
	j.t.Logf("  choose %s: a file", label)
	j.run(chromedp.SetUploadFiles(`[data-journey]`, []string{file}, chromedp.ByQuery))
}

// sees waits until the page shows all of the texts.
func (j *journey) sees(texts ...string) {
	j.t.Helper()
	for _, text := range texts {
		j.until(fmt.Sprintf(`document.body.innerText.replace(/\s+/g, " ").toLowerCase().includes(%s.toLowerCase())`, quoted(text)), "the text "+quoted(text))
	}
}

// value is what stands beside a term, as in a list of values to copy.
func (j *journey) value(term string) string {
	j.t.Helper()
	var out string
	j.run(chromedp.Evaluate(fmt.Sprintf(`(() => {
		const t = Array.from(document.querySelectorAll("main dt, main h2")).find((e) => e.innerText.trim().startsWith(%s));
		const code = t && (t.nextElementSibling.querySelector("code") || t.parentElement.querySelector("code"));
		return code ? code.innerText.trim() : "";
	})()`, quoted(term)), &out))
	if out == "" {
		j.lost("nothing stands beside " + quoted(term))
	}
	return out
}

// begin signs somebody in with a password and ends on the start page, where journeys begin.
func (j *journey) begin(email, password string) {
	j.t.Helper()
	j.run(chromedp.Navigate(j.home + "/signin?return_to=/console"))
	j.write("E-mail", email)
	j.follow("Continue")
	j.write("Password", password)
	j.follow("Sign in")
	j.sees("What needs you")
	j.t.Logf("%s is on the start page", email)
	j.clicks = 0
}

// arrived ends a journey: it prints what it took and fails when that was too much, or when the browser complained.
func (j *journey) arrived(name string) {
	j.t.Helper()
	j.t.Logf("JOURNEY %s: %d clicks", name, j.clicks)
	if j.clicks > 6 {
		j.t.Errorf("%s takes %d clicks; 6 are enough", name, j.clicks)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, fault := range j.faults {
		j.t.Errorf("%s: the browser says: %s", name, fault)
	}
}
