package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// session is one run of this program: what was asked for on the command line and what was built for it.
type session struct {
	floorDir, loadDir   string
	drawbridge          string // the program that is measured
	built               bool   // from this folder, and not given by -product
	scimfloor, scimload string
	runs                int
	duration            time.Duration
	users               int
	only                *regexp.Regexp
	stores              []string
	settings            []string // NAME=VALUE for the product
	json                string
	strict, skipSignIns bool
	largest             int   // of the users whose growth is measured
	rows                []int // of the files that are imported
	parent, dir         string
	cluster             *cluster
	stderr              io.Writer
	loadBefore          string
}

// errBelow ends the program with status 1 under -strict.
var errBelow = errors.New("something is below what is asked")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s := &session{stderr: stderr, loadBefore: loadAverage()}
	what := ""
	if len(args) > 0 && (args[0] == "growth" || args[0] == "import") {
		what, args = args[0], args[1:]
	}
	if err := s.parse(args, what == "growth"); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	var err error
	if s.dir, err = os.MkdirTemp(s.parent, "drawbridge-bench-"); err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // PostgreSQL's own user passes through
		return err
	}
	work := s.compare
	switch what {
	case "growth":
		work = s.growth
	case "import":
		work = s.imports
	}
	err = work(ctx, stdout)
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.stop())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *session) parse(args []string, growth bool) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(s.stderr)
	f.Usage = func() {
		fmt.Fprintln(s.stderr, "usage: go run ./bench [growth|import] [flags], from the root of the module; docs/performance.md says what the tables mean")
		f.PrintDefaults()
	}
	f.StringVar(&s.floorDir, "floor", "../shared/scimfloor", "folder of the floor's source")
	f.StringVar(&s.loadDir, "load", "../shared/scimload", "folder of the load's source")
	f.StringVar(&s.drawbridge, "product", "", "program to measure (default: built from this folder)")
	f.IntVar(&s.runs, "runs", 3, "runs of each row, by turns; the median counts")
	f.DurationVar(&s.duration, "d", 3*time.Second, "time of one run")
	f.IntVar(&s.users, "users", 10_000, "users that are there when the measurement begins")
	f.IntVar(&s.largest, "max", 1_000_000, "growth: the largest number of users")
	s.rows = importRows
	f.Func("rows", "import: how many people the files have, with commas (default 10000,100000)", s.setRows)
	f.StringVar(&s.json, "json", "", "file to keep the results in, as JSON")
	f.BoolVar(&s.strict, "strict", false, "end with status 1 when something is below what is asked")
	f.BoolVar(&s.skipSignIns, "no-sign-in", false, "leave out the benchmarks of sign-ins")
	f.StringVar(&s.parent, "dir", "/var/tmp", "folder for the databases: on a disk, not in memory")
	only := f.String("only", "", "rows to run, a regular expression on the beginning of their keys: get filter miss page cursor patch patch-group-N get-group post bulk sign-in; growth: get filter page cursor patch-group walk patch post")
	store := f.String("store", "", "pg or sqlite (default: both; growth: pg)")
	f.Func("env", "NAME=VALUE, a setting of the product; repeatable", func(v string) error {
		s.settings = append(s.settings, v)
		return nil
	})
	if err := f.Parse(args); err != nil {
		return err
	}
	s.stores = []string{storePostgres, storeSQLite}
	if growth {
		s.stores = s.stores[:1]
	}
	switch *store {
	case "":
	case storePostgres, storeSQLite:
		s.stores = []string{*store}
	default:
		return fmt.Errorf("-store is %q; use pg or sqlite", *store)
	}
	if s.runs < 1 || s.users < 2 || f.NArg() > 0 {
		return fmt.Errorf("-runs %d, -users %d, %q: see -help", s.runs, s.users, f.Args())
	}
	var err error
	s.only, err = regexp.Compile("^(" + *only + ")")
	return err
}

// setRows reads how many people files have.
func (s *session) setRows(list string) error {
	s.rows = nil
	for _, text := range strings.Split(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of rows", text)
		}
		s.rows = append(s.rows, n)
	}
	return nil
}

// compare measures floor and product by turns on each store and prints the tables.
func (s *session) compare(ctx context.Context, stdout io.Writer) error {
	if err := s.build(ctx); err != nil {
		return err
	}
	r := report{Version: reportVersion, At: time.Now().UTC(), Runs: s.runs, Seconds: s.duration.Seconds(), Users: s.users}
	for _, store := range s.stores {
		found, err := s.measure(ctx, store)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.Problems = append(r.Problems, store+": "+err.Error())
		}
		r.Stores = append(r.Stores, found)
	}
	if !s.skipSignIns && s.only.MatchString("sign-in") {
		var err error
		if r.SAML, err = s.signIns(ctx); err != nil {
			r.Problems = append(r.Problems, err.Error())
		}
	}
	r.Machine = s.machine(ctx)
	if err := errors.Join(r.print(stdout), write(s.json, r)); err != nil {
		return err
	}
	if s.strict && !r.met() {
		return errBelow
	}
	return nil
}

// measure runs the rows on one store.
func (s *session) measure(ctx context.Context, store string) (storeResult, error) {
	s.say("%s", store)
	if store == storePostgres {
		if err := s.needCluster(ctx); err != nil {
			return storeResult{Store: store}, err
		}
	}
	d, err := s.newDuel(ctx, store)
	if err != nil {
		return storeResult{Store: store}, err
	}
	return d.run(ctx)
}

// needCluster starts the PostgreSQL server when it does not run yet.
func (s *session) needCluster(ctx context.Context) (err error) {
	if s.cluster == nil {
		s.cluster, err = startCluster(ctx, s.dir)
	}
	return err
}

// program is one that is built from its source.
type program struct {
	to                      *string
	name, dir, pkg, missing string
}

// build makes the three programs.
func (s *session) build(ctx context.Context) error {
	for _, p := range []program{
		{&s.scimfloor, "scimfloor", s.floorDir, ".", "-floor: there is no source of scimfloor in %s; the floor is kept beside the project, not in it"},
		{&s.scimload, "scimload", s.loadDir, ".", "-load: there is no source of scimload in %s; the load is kept beside the project, not in it"},
	} {
		if err := s.make(ctx, p); err != nil {
			return err
		}
	}
	return s.buildProduct(ctx)
}

// buildProduct makes the program that is measured.
func (s *session) buildProduct(ctx context.Context) error {
	return s.make(ctx, program{&s.drawbridge, "drawbridge", ".", "./cmd/drawbridge", "run this from the root of the module: %s has no go.mod"})
}

func (s *session) make(ctx context.Context, p program) error {
	if *p.to != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(p.dir, "go.mod")); err != nil {
		return fmt.Errorf(p.missing, p.dir)
	}
	*p.to = filepath.Join(s.dir, p.name)
	s.built = s.built || p.to == &s.drawbridge
	cmd := exec.CommandContext(ctx, "go", "build", "-C", p.dir, "-trimpath", "-ldflags", "-s -w", "-o", *p.to, p.pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err := output(cmd)
	return err
}

// machine describes where this runs. What is not known is left empty.
func (s *session) machine(ctx context.Context) machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: runtime.GOARCH, Commit: "unknown", Load: s.loadBefore}
	if s.cluster != nil {
		m.Postgres = s.cluster.version
	}
	describe := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty")
	if !s.built {
		describe = exec.CommandContext(ctx, s.drawbridge, "version")
	}
	if out, err := output(describe); err == nil {
		m.Commit = firstLine(string(out))
	}
	if content, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for text := range strings.Lines(string(content)) {
			if name, found := strings.CutPrefix(text, "model name"); found {
				m.CPU = strings.Trim(name, " \t:\n")
				break
			}
		}
	}
	return m
}

// loadAverage returns how many processes wanted to run in the last minute, or "unknown".
func loadAverage() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(content), " ")
	return first
}

// say tells what is going on.
func (s *session) say(format string, args ...any) { fmt.Fprintf(s.stderr, format+"\n", args...) }

// wait returns after some time, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
