package console_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axeScript is where `npm ci` in testdata/axe puts axe-core.
const axeScript = "testdata/axe/node_modules/axe-core/axe.min.js"

// loadAxe returns the script. Where it is not installed the test skips, or fails under DRAWBRIDGE_TEST_BROWSER=require.
func loadAxe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile(axeScript)
	if err == nil {
		return string(script)
	}
	if os.Getenv("DRAWBRIDGE_TEST_BROWSER") == "require" {
		t.Fatalf("axe-core is not installed, and DRAWBRIDGE_TEST_BROWSER=require asks for it: make axe (%v)", err)
	}
	t.Skip("axe-core is not installed: pages are not checked for people who see, hear or move otherwise (make axe)")
	return ""
}

// axeRules are what is asked: everything that WCAG 2.2 AA wants, and in the dark only what colours decide.
var axeRules = map[string]string{
	"light": `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}`,
	"dark":  `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`,
}

// axeRun returns what is serious or worse by the rules that come before it.
const axeRun = `, resultTypes: ["violations"]}).then((found) =>
	JSON.stringify(found.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => ({
		rule: v.id, help: v.help, where: v.nodes.slice(0, 5).map((n) => n.html.slice(0, 160) + " " + n.any.map((a) => a.message).join(" "))}))))`

type axeFinding struct {
	Rule  string   `json:"rule"`
	Help  string   `json:"help"`
	Where []string `json:"where"`
}

// colours makes the browser prefer "light" or "dark".
func (s *screen) colours(scheme string) {
	s.t.Helper()
	s.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
}

// axe checks the page that is open, in light and dark, and fails the test for what is serious or critical.
func (s *screen) axe(script, where string) {
	s.t.Helper()
	s.run(chromedp.Evaluate(script+";0", nil))
	for _, scheme := range []string{"light", "dark"} {
		s.colours(scheme)
		var out string
		s.run(
			chromedp.Evaluate("axe.run(document, {runOnly: "+axeRules[scheme]+axeRun, &out, chromedp.EvalAsValue, awaitPromise),
		)
		var found []axeFinding
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			s.t.Fatalf("%s: %v: %s", where, err, out)
		}
		for _, f := range found {
			s.t.Errorf("%s, %s: %s: %s: %q", where, scheme, f.Rule, f.Help, f.Where)
		}
	}
}

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
