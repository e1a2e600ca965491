//go:build e2e

package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// program is the built command; TestMain removes its folder.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programFolder, "drawbridge")
	cmd := exec.Command("go", "build", "-o", path, "../cmd/drawbridge")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

var programFolder string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "drawbridge-e2e-")
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	programFolder = folder
	code := m.Run()
	if err := report(); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		code = max(code, 1)
	}
	os.RemoveAll(folder)
	os.Exit(code)
}

// bridge is one Drawbridge process and the command line of its installation.
type bridge struct {
	url     string
	env     []string
	folder  string
	path    string
	process *process
}

// newBridge prepares a Drawbridge on a database, with a port of its own; serve starts it.
func newBridge(t *testing.T, database string) *bridge {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("the program does not build: %v", err)
	}
	address := "127.0.0.1:" + freePort(t)
	return &bridge{
		url: "http://" + address, folder: t.TempDir(), path: path,
		env: environment(
			"DRAWBRIDGE_LISTEN="+address, "DRAWBRIDGE_DATABASE="+database, "DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS=true",
			"DRAWBRIDGE_SECRET_KEY="+hex.EncodeToString(storetest.SecretKey()), "DRAWBRIDGE_LOG_FORMAT=json",
		),
	}
}

// serve starts the program and waits until it is ready.
func (b *bridge) serve(t *testing.T) *bridge {
	t.Helper()
	b.start(t)
	b.ready(t)
	return b
}

func (b *bridge) start(t *testing.T) {
	t.Helper()
	b.process = start(t, b.folder, b.env, b.path, "serve")
}

func (b *bridge) ready(t *testing.T) {
	t.Helper()
	eventually(t, "Drawbridge is ready", func() bool { return answers(t.Context(), b.url+"/readyz") })
}

// command runs a command of the program with --json and reads its answer into out, which may be nil.
func (b *bridge) command(t *testing.T, out any, arguments ...string) {
	t.Helper()
	cmd := exec.Command(b.path, append(arguments, "--json")...)
	cmd.Dir, cmd.Env = b.folder, b.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("drawbridge %s: %v\n%s", strings.Join(arguments, " "), err, &stderr)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("drawbridge %s: %v in %s", strings.Join(arguments, " "), err, answer)
	}
}

// account is what the command line shows of a person.
type account struct {
	ID          string   `json:"id"`
	Tenant      string   `json:"tenant"`
	Email       string   `json:"email"`
	DisplayName string   `json:"display_name"`
	Status      string   `json:"status"`
	Roles       []string `json:"roles"`
	Links       []struct {
		ConnectionID string `json:"connection_id"`
		Subject      string `json:"subject"`
	} `json:"links"`
	Sessions []struct {
		ID string `json:"id"`
	} `json:"sessions"`
}

// show returns the one account with an e-mail address or an id.
func (b *bridge) show(t *testing.T, word string) account {
	t.Helper()
	var a account
	b.command(t, &a, "user", "show", word)
	return a
}

// count returns how many accounts have a word in their names or addresses.
func (b *bridge) count(t *testing.T, word string) int {
	t.Helper()
	var list struct {
		Items []account `json:"items"`
	}
	b.command(t, &list, "user", "list", "--search", word)
	return len(list.Items)
}
