//go:build unix

package storetest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/drawbridge-id/drawbridge/identity"
)

// installed are the folders in which packages put the server programs, one a major version.
var installed = []string{
	"/usr/lib/postgresql/*/bin", // Debian and its children
	"/usr/pgsql-*/bin",          // Red Hat and its children
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// serverFlags make a server that is quick and forgets: nothing in it outlives the test process.
const serverFlags = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off" +
	" -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=64MB -c min_wal_size=32MB -c max_connections=200 -c autovacuum=off -c jit=off"

// reaper waits until the test process is gone, however it went, then stops the server and removes its folder.
// It reads the lifeline as its standard input; $1 is pg_ctl, $2 the folder.
const reaper = `read -r end; "$1" stop -D "$2/data" -m immediate; rm -rf "$2"`

// tries is how often another port is taken when somebody else was quicker with the first.
const tries = 5

// startServer starts a PostgreSQL server in a new temporary folder. The error is missing when there is none to start.
func startServer() (*server, error) {
	bin, err := serverFolder()
	if err != nil {
		return nil, err
	}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := serverDataFolder(account)
	if err != nil {
		return nil, err
	}
	s := &server{password: identity.NewSecret("")}
	if s.lifeline, err = startReaper(bin, dir, account); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.start(bin, dir, account); err != nil {
		s.lifeline.Close() // the reaper clears up
		return nil, err
	}
	return s, nil
}

// start makes the data folder and runs the server; it returns when the server answers.
func (s *server) start(bin, dir string, account *syscall.Credential) error {
	if err := initialise(bin, dir, s.password, account); err != nil {
		return err
	}
	var failure error
	for range tries {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.address = "127.0.0.1:" + port
		cmd := command(account, filepath.Join(bin, "pg_ctl"), "start", "-w", "-t", "60", "-D", filepath.Join(dir, "data"),
			"-l", filepath.Join(dir, "log"), "-o", serverFlags+" -p "+port)
		if failure = cmd.Run(); failure == nil {
			return s.chooseStrategy()
		}
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log")) // best effort: the failure itself is reported in any case
	return fmt.Errorf("pg_ctl start: %w: %s", failure, lastLines(log))
}

// initialise runs initdb. Text is ordered by the rules of a language rather than by bytes where the server can do that, as most
// installations do: a query that silently leans on byte order fails here and not there.
func initialise(bin, dir, password string, account *syscall.Credential) error {
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if account != nil {
		if err := os.Chown(file, int(account.Uid), int(account.Gid)); err != nil {
			return err
		}
	}
	arguments := []string{
		"--no-sync", "-U", "drawbridge", "-A", "scram-sha-256", "--pwfile", file, "--encoding=UTF8", "--locale=C",
		"-D", filepath.Join(dir, "data"),
	}
	initdb := filepath.Join(bin, "initdb")
	language := append([]string{"--locale-provider=icu", "--icu-locale=en"}, arguments...)
	if command(account, initdb, language...).Run() == nil {
		return nil
	}
	if out, err := command(account, initdb, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(out))
	}
	return nil
}

// serverFolder returns the folder of the newest server programs, or missing.
func serverFolder() (string, error) {
	var found []string
	for _, pattern := range installed {
		matches, err := filepath.Glob(filepath.Join(pattern, "initdb"))
		if err != nil {
			return "", err
		}
		found = append(found, matches...)
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return majorVersion(a) - majorVersion(b) })), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", missing("no PostgreSQL server programs (initdb, pg_ctl) found; on Debian: apt-get install postgresql")
}

// majorVersion returns the number in the name of the folder above bin, or 0.
func majorVersion(path string) int {
	name := filepath.Base(filepath.Dir(filepath.Dir(path)))
	n, err := strconv.Atoi(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz@-"))
	if err != nil {
		return 0
	}
	return n
}

// serverAccount returns whom the server runs as: nil is the caller. PostgreSQL refuses to run as root, so root steps down.
func serverAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, missing("PostgreSQL does not run as root and there is no user postgres to step down to")
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func serverDataFolder(account *syscall.Credential) (string, error) {
	const pattern = "drawbridge-postgres-"
	dir, err := os.MkdirTemp(parentFolder(), pattern)
	if err != nil {
		dir, err = os.MkdirTemp("", pattern)
	}
	if err != nil || account == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(account.Uid), int(account.Gid))
}

// startReaper starts the reaper and returns the lifeline. Nobody waits for it: it outlives this process by design.
func startReaper(bin, dir string, account *syscall.Credential) (*os.File, error) {
	end, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := command(account, "/bin/sh", "-c", reaper, "sh", filepath.Join(bin, "pg_ctl"), dir)
	cmd.Stdin = end
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, end.Close(), lifeline.Close())
	}
	return lifeline, end.Close()
}

// command returns a command in a process group of its own, so that an interrupt at the terminal reaches the tests alone and the
// reaper clears up after them.
func command(account *syscall.Credential, name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(name, arguments...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account}
	return cmd
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
