package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// shell is a place to run the program in: environment variables, and nothing else of this process.
type shell struct {
	t     *testing.T
	env   map[string]string
	stdin string
}

// eachShell runs a test on an empty database of every kind.
func eachShell(t *testing.T, test func(t *testing.T, sh shell)) {
	storetest.EachURL(t, func(t *testing.T, url string) { test(t, shellOn(t, url)) })
}

// newShell returns a shell with an empty SQLite database.
func newShell(t *testing.T) shell { return shellOn(t, storetest.SQLiteURL(t)) }

func shellOn(t *testing.T, url string) shell {
	return shell{t: t, env: map[string]string{
		"DRAWBRIDGE_DATABASE": url, "DRAWBRIDGE_SECRET_KEY": base64.StdEncoding.EncodeToString(storetest.SecretKey()), "DRAWBRIDGE_URL": "https://id.example.com",
	}}
}

// run runs the program and returns what it wrote.
func (sh shell) run(args ...string) (stdout, stderr string, err error) {
	sh.t.Helper()
	var out, errs bytes.Buffer
	err = run(sh.t.Context(), args, func(name string) string { return sh.env[name] }, strings.NewReader(sh.stdin), &out, &errs)
	return out.String(), errs.String(), err
}

// must runs the program, which must succeed, and returns its output.
func (sh shell) must(args ...string) string {
	sh.t.Helper()
	out, errs, err := sh.run(args...)
	if err != nil {
		sh.t.Fatalf("drawbridge %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	return out
}

// json runs the program with --json, which must succeed, and decodes what it prints.
func (sh shell) json(into any, args ...string) {
	sh.t.Helper()
	out := sh.must(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		sh.t.Fatalf("drawbridge %s --json printed no JSON: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// refused runs the program, which must fail with that exit status and say each of the words.
func (sh shell) refused(want int, words []string, args ...string) {
	sh.t.Helper()
	out, errs, err := sh.run(args...)
	if got := status(err); got != want {
		sh.t.Errorf("drawbridge %s: exit status %d instead of %d: %v\n%s", strings.Join(args, " "), got, want, err, out)
	}
	for _, word := range words {
		if !strings.Contains(errs, word) {
			sh.t.Errorf("drawbridge %s does not say %q, but:\n%s", strings.Join(args, " "), word, errs)
		}
	}
}

func TestAMistakeOfUsageHasStatusTwoAndSaysWhereTheHelpIs(t *testing.T) {
	sh := newShell(t)
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"a word that is no command", []string{"usr"}, []string{`"usr"`, "user"}},
		{"a word that is no subcommand", []string{"user", "crate"}, []string{`"crate"`, "create", "drawbridge user --help"}},
		{"a flag that does not exist", []string{"user", "list", "--colour"}, []string{"--colour", "drawbridge user list --help"}},
		{"a required flag is missing", []string{"user", "create", "--email", "a@example.com"}, []string{"role", "drawbridge user create --help"}},
		{"an argument is missing", []string{"tenant", "create"}, []string{"drawbridge tenant create --help"}},
		{"an argument too many", []string{"migrate", "now"}, []string{"drawbridge migrate --help"}},
		{"a dialect that does not exist", []string{"directory", "create", "x", "--dialect", "workday"}, []string{"workday", "okta", "entra"}},
		{"a page that is too long", []string{"user", "list", "--limit", "5000"}, []string{"5000", "1000"}},
		{"a type of event that does not exist", []string{"events", "--type", "user.exploded"}, []string{"user.exploded", "user.created"}},
		{"a policy without its role", []string{"connection", "create-oidc", "x", "--issuer", "https://i.example", "--client-id", "i", "--client-secret-file", "f", "--domain", "x.example", "--unknown", "tenant"}, []string{"--tenant", "--role"}},
		{"the demo has its own database", []string{"demo", "--database", "sqlite:mine.db"}, []string{"--keep"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sh := sh
			sh.t = t
			sh.refused(2, c.says, c.args...)
		})
	}
}

func TestAnErrorForProgramsIsAnObject(t *testing.T) {
	_, errs, err := newShell(t).run("user", "show", "nobody@example.com", "--json")
	var e struct {
		Error struct{ Kind, Message string }
	}
	if jsonErr := json.Unmarshal([]byte(errs), &e); jsonErr != nil || err == nil {
		t.Fatalf("%v, %v: %s", err, jsonErr, errs)
	}
	if e.Error.Kind != "not found" || !strings.Contains(e.Error.Message, "nobody@example.com") {
		t.Errorf("the object is %+v", e.Error)
	}
}

func TestEveryCommandIsExplainedWithAnExample(t *testing.T) {
	p := &program{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: its one line of help is %q", cmd.CommandPath(), cmd.Short)
		}
		if !cmd.HasSubCommands() && !strings.Contains(cmd.Example, "drawbridge "+strings.TrimPrefix(cmd.CommandPath(), "drawbridge ")) {
			t.Errorf("%s has no example of itself", cmd.CommandPath())
		}
		if strings.Contains(cmd.Long, "no such flag") || strings.Contains(cmd.Long, "does not exist") {
			t.Errorf("%s requires a flag that it does not have", cmd.CommandPath())
		}
		named := map[string]bool{}
		for _, sub := range cmd.Commands() {
			if named[sub.Name()] {
				t.Errorf("%s is listed twice", sub.CommandPath())
			}
			named[sub.Name()] = true
			walk(sub)
		}
	}
	walk(p.root())
}

func TestHelpNeedsNoSettings(t *testing.T) {
	sh := newShell(t)
	sh.env["DRAWBRIDGE_LISTEN"] = "nonsense"
	for _, args := range [][]string{{}, {"--help"}, {"user"}, {"user", "place", "--help"}, {"version"}} {
		if out := sh.must(args...); out == "" {
			t.Errorf("%v prints nothing", args)
		}
	}
}

func TestNothingThatADirectorySentMovesTheCursor(t *testing.T) {
	var out bytes.Buffer
	list := table{heading: []string{"NAME"}}
	list.add("Ada\x1b[2J\u202eecalevoL\r\n\tx")
	list.write(&out)
	if got := strings.TrimPrefix(out.String(), "NAME\n"); strings.ContainsAny(got[:len(got)-1], "\x1b\u202e\r\n\t") {
		t.Errorf("the cell is %q", got)
	}
}

func TestACommandThatIsInterruptedEnds(t *testing.T) {
	sh := newShell(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := run(ctx, []string{"user", "list"}, func(name string) string { return sh.env[name] }, strings.NewReader(""), &out, &out); err == nil {
		t.Error("it went on")
	}
}
