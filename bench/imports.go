package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// importRows are how many people the files have when nobody says otherwise: the first shows what memory does not depend on.
var importRows = []int{10_000, 100_000}

// imports measures what reading people from a file costs: planning and carrying out the first file, bringing it again, and a bare insert of the same rows.
func (s *session) imports(ctx context.Context, stdout io.Writer) error {
	if err := s.buildProduct(ctx); err != nil {
		return err
	}
	r := importReport{Version: reportVersion, At: time.Now().UTC()}
	for _, store := range s.stores {
		if store == storePostgres {
			if err := s.needCluster(ctx); err != nil {
				return err
			}
		}
		for _, rows := range s.rows {
			found, err := s.importOnce(ctx, store, rows)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				found.Problem = err.Error()
			}
			r.Runs = append(r.Runs, found)
		}
	}
	r.Machine = s.machine(ctx)
	r.conclude()
	if err := errors.Join(r.print(stdout), write(s.json, r)); err != nil {
		return err
	}
	if s.strict && !r.met() {
		return errBelow
	}
	return nil
}

// importOnce brings one file into an empty database.
func (s *session) importOnce(ctx context.Context, store string, rows int) (importRun, error) {
	run := importRun{Store: store, Rows: rows}
	s.say("%s, %s rows", store, grouped(rows))
	file := filepath.Join(s.dir, fmt.Sprintf("people-%d.csv", rows))
	if err := writePeople(file, rows); err != nil {
		return run, err
	}
	name := fmt.Sprintf("import_%d", rows)
	driver, source, database := "sqlite", "file:"+filepath.Join(s.dir, name+".db"), "sqlite:"+filepath.Join(s.dir, name+".db")
	if store == storePostgres {
		address, err := s.cluster.create(ctx, name)
		if err != nil {
			return run, err
		}
		driver, source, database = "postgres", address, address
	}
	c, err := newProduct(ctx, s.drawbridge, database, s.dir, s.settings)
	if err != nil {
		return run, err
	}
	if err := bring(ctx, c, &run, file); err != nil {
		return run, err
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return run, err
	}
	before, err := countRows(ctx, db)
	if err == nil {
		run.Again, _, err = measured(c.command(ctx, slices.Concat(importCommand(file), []string{"--yes"})...), &run)
	}
	if err == nil {
		run.Wrote, err = grown(ctx, db, before)
	}
	if err == nil {
		run.Bare, err = bareInsert(ctx, db, store, file)
	}
	return run, errors.Join(err, db.Close(), os.Remove(file))
}

// bring plans a file and carries the plan out, each in a process of its own.
func bring(ctx context.Context, c *contender, run *importRun, file string) (err error) {
	var out []byte
	if run.Plan, out, err = measured(c.command(ctx, slices.Concat(importCommand(file), []string{"--dry-run"})...), run); err != nil {
		return err
	}
	var plan struct{ Plan string }
	if err := json.Unmarshal(out, &plan); err != nil || plan.Plan == "" {
		return fmt.Errorf("drawbridge import --dry-run --json named no plan: %w", err)
	}
	if run.Apply, out, err = measured(c.command(ctx, "plan", "apply", plan.Plan, "--json"), run); err != nil {
		return err
	}
	if !strings.Contains(string(out), `"applied"`) {
		return fmt.Errorf("the plan was not carried out: %.300s", out)
	}
	return nil
}

// importCommand reads a file, shows as little as possible of it, and changes nothing yet.
func importCommand(file string) []string {
	return []string{"import", file, "--tenant", "Bench", "--source", "hr", "--welcome", "none", "--limit", "1", "--json"}
}

// measured runs a command and returns how long it took; its memory goes into the run.
func measured(cmd *exec.Cmd, run *importRun) (float64, []byte, error) {
	began := time.Now()
	out, err := output(cmd)
	seconds := time.Since(began).Seconds()
	if cmd.ProcessState != nil {
		run.PeakMiB = max(run.PeakMiB, peakMiB(cmd.ProcessState))
	}
	return seconds, out, err
}

// writePeople writes a file as an HR system does.
func writePeople(file string, rows int) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, filePermission)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "userName,email,displayName,givenName,familyName,employeeNumber,department,title,phone,role")
	for n := range rows {
		fmt.Fprintf(w, "user%07d@example.com,user%07d@example.com,Given%d Family%d,Given%d,Family%d,E%07d,Department %d,Engineer %d,+49 30 %07d,viewer\n", n, n, n, n, n, n, n, n%97, n%13, n)
	}
	return errors.Join(w.Flush(), f.Close())
}

// importTables are those of which the rows are counted.
var importTables = []string{"users", "user_emails", "assignments", "source_users", "events", "plans", "plan_steps"}

func countRows(ctx context.Context, db *sql.DB) (map[string]int, error) {
	out := map[string]int{}
	for _, table := range importTables {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return nil, err
		}
		out[table] = n
	}
	return out, nil
}

// grown returns the tables that have more rows than before, with how many.
func grown(ctx context.Context, db *sql.DB, before map[string]int) (map[string]int, error) {
	after, err := countRows(ctx, db)
	for table, n := range after {
		if after[table] = n - before[table]; after[table] == 0 {
			delete(after, table)
		}
	}
	return after, err
}

// bareInsert writes the rows of the file into one table with its key and a unique name, so many at a time, and returns how long that took.
func bareInsert(ctx context.Context, db *sql.DB, store, file string) (float64, error) {
	const columns = 10
	if _, err := db.ExecContext(ctx, `CREATE TABLE bare (id BIGINT PRIMARY KEY, user_name TEXT UNIQUE, c1 TEXT, c2 TEXT, c3 TEXT, c4 TEXT, c5 TEXT, c6 TEXT, c7 TEXT, c8 TEXT, c9 TEXT)`); err != nil {
		return 0, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")[1:]
	began := time.Now()
	for part := range slices.Chunk(lines, 1000) {
		lists := make([][]string, columns)
		for _, text := range part {
			for i, cell := range strings.Split(text, ",") {
				lists[i] = append(lists[i], cell)
			}
		}
		if err := bareChunk(ctx, db, store, lists); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}

func bareChunk(ctx context.Context, db *sql.DB, store string, lists [][]string) error {
	if store == storePostgres {
		args := make([]any, len(lists))
		sources := make([]string, len(lists))
		for i, list := range lists {
			args[i] = `{"` + strings.Join(list, `","`) + `"}`
			sources[i] = "CAST($" + strconv.Itoa(i+1) + " AS text[])"
		}
		_, err := db.ExecContext(ctx, `INSERT INTO bare SELECT (SELECT COALESCE(max(id), 0) FROM bare) + row_number() OVER (), r.* FROM unnest(`+strings.Join(sources, ", ")+`) AS r`, args...)
		return err
	}
	var args []any
	for i := range lists[0] {
		for _, list := range lists {
			args = append(args, list[i])
		}
	}
	row := ", (" + strings.TrimPrefix(strings.Repeat(", ?", len(lists)), ", ") + ")"
	_, err := db.ExecContext(ctx, `INSERT INTO bare (user_name, c1, c2, c3, c4, c5, c6, c7, c8, c9) VALUES `+strings.Repeat(row, len(lists[0]))[2:], args...)
	return err
}
