package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// The folders within the one where files are dropped.
const (
	folderWorking = "working"
	folderDone    = "done"
	folderHeld    = "held"
	folderFailed  = "failed"
)

// dropFolder is a folder where the files of a source are dropped. Each file is taken once, by renaming it, whatever number of programs look.
type dropFolder struct {
	b       *bridge
	by      identity.Actor
	source  string
	options provisioning.ImportOptions // what goes before the settings of the source
	path    string
	pattern string // empty: every CSV and XLSX file
	apply   bool   // plans that no guard holds, also where the source does not say so
	took    func(dropped)

	seen map[string]look // at the last look
	root *os.Root        // while a pass lasts
}

// look is what a file looked like.
type look struct {
	size int64
	at   time.Time
}

// dropped is a file that was taken and where it went.
type dropped struct {
	Name  string // as it was dropped
	To    string // within the folder
	Plan  *planView
	Error error // why there is no plan
}

// pass looks into the folder once, and works on what has not changed since the last look, and on what a program that ended left behind. It reports false when
// another program is at it.
func (d *dropFolder) pass(ctx context.Context) (bool, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return false, identity.Errorf(identity.Invalid, "The folder cannot be looked into: %v.", err).WithField("folder")
	}
	defer root.Close()
	d.root = root
	ready, err := d.look()
	if err != nil {
		return false, err
	}
	return d.b.people.HoldSource(ctx, d.by, d.options.Tenant, d.source, func(ctx context.Context) error {
		for _, folder := range []string{folderWorking, folderDone, folderHeld, folderFailed} {
			if err := root.Mkdir(folder, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
				return identity.Errorf(identity.Invalid, "The folder has to be writable: %v.", err).WithField("folder")
			}
		}
		left, err := d.left()
		for _, name := range left {
			if ctx.Err() == nil { // one file that cannot be worked on does not keep the others waiting
				err = errors.Join(err, d.work(ctx, name))
			}
		}
		for _, name := range ready {
			if ctx.Err() == nil {
				err = errors.Join(err, d.take(ctx, name))
			}
		}
		return errors.Join(err, ctx.Err())
	})
}

// look returns the names of the files that look as they did at the last look, and of links, which are never read.
func (d *dropFolder) look() ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "The folder cannot be looked into: %v.", err).WithField("folder")
	}
	now := map[string]look{}
	var ready []string
	for _, e := range entries {
		if e.IsDir() || !d.wanted(e.Name()) {
			continue
		}
		info, err := d.root.Lstat(e.Name())
		if err != nil {
			continue // it went meanwhile
		}
		is := look{info.Size(), info.ModTime()}
		now[e.Name()] = is
		if was, ok := d.seen[e.Name()]; ok && was.size == is.size && was.at.Equal(is.at) || !info.Mode().IsRegular() {
			ready = append(ready, e.Name())
		}
	}
	d.seen = now
	return ready, nil
}

// wanted reports whether a name is one of a file of the source that is whole; programs that copy write under another name first.
func (d *dropFolder) wanted(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
		return false
	}
	name = strings.ToLower(name)
	if d.pattern == "" {
		return path.Ext(name) == ".csv" || path.Ext(name) == ".xlsx"
	}
	ok, err := path.Match(strings.ToLower(d.pattern), name)
	return ok && err == nil
}

// take claims a file by renaming it. Somebody who was quicker has it.
func (d *dropFolder) take(ctx context.Context, name string) error {
	claimed := time.Now().UTC().Format(claimForm) + "-" + d.key() + "-" + ending(name)
	err := d.root.Rename(name, path.Join(folderWorking, claimed))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return identity.Errorf(identity.Invalid, "The folder has to be writable: %v.", err).WithField("folder")
	}
	delete(d.seen, name)
	return d.work(ctx, claimed)
}

// claimForm is the time in the name of a file that was taken, by which names do not meet again.
const claimForm = "20060102T150405.000000Z"

// ending returns the end of a name that is too long to get a time in front.
func ending(name string) string {
	const most = 150
	if len(name) > most {
		return name[len(name)-most:]
	}
	return name
}

// key tells the files of a source from those of others in one folder.
func (d *dropFolder) key() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s", d.options.Tenant, d.source)
	return fmt.Sprintf("%016x", h.Sum64())
}

// claim reads the name of a file that was taken: when, and its own name.
func (d *dropFolder) claim(claimed string) (at, name string, ok bool) {
	parts := strings.SplitN(claimed, "-", 3)
	if len(parts) != 3 || parts[1] != d.key() || strings.HasSuffix(claimed, planSuffix) {
		return "", "", false
	}
	return parts[0], parts[2], true
}

// left returns the files of the source that a program that ended left behind: nobody else works on them now.
func (d *dropFolder) left() ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), folderWorking)
	var out []string
	for _, e := range entries {
		if _, _, ok := d.claim(e.Name()); ok {
			out = append(out, e.Name())
		}
	}
	return out, err
}
