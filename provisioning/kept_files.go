package provisioning

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// MaxKeptFile is the largest file in bytes that is kept for somebody; the command line reads larger ones.
const MaxKeptFile = 32 << 20

// How a file is kept: the bytes of a part, which is also what is in memory of it, and how many files one person has at most; the oldest go first.
const (
	keptPartSize = 256 << 10
	keptMost     = 5
)

func noKeptFile() *identity.Error {
	return identity.Errorf(identity.NotFound, "This file is not kept any more: files wait for a day, and go when they were read. Upload it again.").WithField("file")
}

// KeepFile reads a file to its end and keeps it, sealed, until ImportKeptFile makes a plan of it or KeptFileAge is over. Tenant, source and name are taken from f. It refuses whom PlanImport
// would refuse, and what is no table.
func (s *Service) KeepFile(ctx context.Context, by identity.Actor, f identity.KeptFile, content io.Reader) (identity.KeptFile, error) {
	f.Name = path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
	plan, _, err := s.newPlan(ctx, by, Upload{Name: f.Name}, ImportOptions{Tenant: f.TenantID, Source: f.Source})
	if err != nil {
		return f, err
	}
	f.ID, f.BroughtBy, f.TenantID, f.Source, f.Name, f.Size = identity.NewID[identity.KeptFileID](), by.ID, plan.TenantID, plan.Source, plan.FileName, 0
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		f.CreatedAt = tx.Now()
		if err := tx.InsertKeptFile(ctx, f); err != nil {
			return err
		}
		return tx.TrimKeptFiles(ctx, f.BroughtBy, keptMost)
	})
	if err != nil {
		return f, err
	}
	if err = s.keepParts(ctx, &f, content); err == nil {
		err = s.checkKept(ctx, f)
	}
	if err != nil {
		return f, errors.Join(err, s.dropKept(context.WithoutCancel(ctx), f))
	}
	return f, nil
}

// keepParts writes the parts of a file, each in a transaction of its own: a slow line must not hold one open.
func (s *Service) keepParts(ctx context.Context, f *identity.KeptFile, content io.Reader) error {
	part := make([]byte, keptPartSize)
	for number := 0; ; number++ {
		n, err := io.ReadFull(content, part)
		if f.Size += int64(n); f.Size > MaxKeptFile {
			return largeFile()
		}
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return identity.Errorf(identity.Invalid, "The file did not arrive whole. Send it again.").WithField("file").WithCause(err)
		}
		err = s.db.Update(ctx, func(tx *store.Tx) error {
			if n > 0 {
				if err := tx.InsertKeptPart(ctx, f.ID, number, part[:n]); err != nil {
					return err
				}
			}
			return tx.UpdateKeptFile(ctx, f.ID, f.Size)
		})
		if err != nil || last {
			return err
		}
	}
}

// checkKept reads the heading of a file, so that what is no table is refused while somebody still has it in hand.
func (s *Service) checkKept(ctx context.Context, f identity.KeptFile) error {
	table, err := sheets.Open(&keptReader{ctx: ctx, s: s, file: f}, f.Size, sheets.DefaultLimits())
	if err != nil {
		return err
	}
	return table.Close()
}

func largeFile() *identity.Error {
	return identity.Errorf(identity.TooLarge, "The file has more than %d MB. Split it, or read it with 'drawbridge import', which takes larger ones.", MaxKeptFile>>20).WithField("file")
}

// keptReader reads a kept file at any place, and has the parts in memory that it used last.
type keptReader struct {
	ctx   context.Context
	s     *Service
	file  identity.KeptFile
	parts [2]struct {
		number int
		body   []byte
	}
	turn int // which of the parts is given up next
}

// ReadAt is that of io.ReaderAt.
func (r *keptReader) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= r.file.Size || at < 0 {
			return n, io.EOF
		}
		body, err := r.part(int(at / keptPartSize))
		if err != nil {
			return n, err
		}
		rest := at % keptPartSize
		if rest >= int64(len(body)) {
			return n, io.ErrUnexpectedEOF
		}
		n += copy(p[n:], body[rest:])
	}
	return n, nil
}

func (r *keptReader) part(number int) ([]byte, error) {
	for _, p := range r.parts {
		if p.body != nil && p.number == number {
			return p.body, nil
		}
	}
	var body []byte
	err := r.s.db.View(r.ctx, func(tx *store.Tx) (err error) {
		body, err = tx.KeptPart(r.ctx, r.file.ID, number)
		return err
	})
	if err != nil {
		return nil, sharpen(err, noKeptFile)
	}
	r.parts[r.turn].number, r.parts[r.turn].body = number, body
	r.turn = 1 - r.turn
	return body, nil
}

// KeptFile returns a file that the actor brought, or NotFound.
func (s *Service) KeptFile(ctx context.Context, by identity.Actor, id identity.KeptFileID) (identity.KeptFile, error) {
	var f identity.KeptFile
	if _, err := s.byHand(by); err != nil {
		return f, err
	}
	if id == "" || !validIDs(&id) {
		return f, noKeptFile()
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		f, err = tx.KeptFile(ctx, by.ID, id)
		return err
	})
	return f, sharpen(err, noKeptFile)
}

// KeptFiles returns the files that the actor brought and that no plan was made of yet, newest first.
func (s *Service) KeptFiles(ctx context.Context, by identity.Actor) ([]identity.KeptFile, error) {
	if _, err := s.byHand(by); err != nil {
		return nil, err
	}
	var out []identity.KeptFile
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.KeptFiles(ctx, by.ID, keptMost)
		return err
	})
	return out, err
}

// PreviewKeptFile is PreviewImport of a kept file. Tenant and source are those that the file was brought with.
func (s *Service) PreviewKeptFile(ctx context.Context, by identity.Actor, id identity.KeptFileID, o ImportOptions) (ImportPreview, error) {
	f, err := s.KeptFile(ctx, by, id)
	if err != nil {
		return ImportPreview{}, err
	}
	o.Tenant, o.Source = f.TenantID, f.Source
	return s.PreviewImport(ctx, by, s.keptUpload(ctx, f), o)
}

// keptUpload is a kept file as what somebody brings.
func (s *Service) keptUpload(ctx context.Context, f identity.KeptFile) Upload {
	return Upload{Name: f.Name, Content: &keptReader{ctx: ctx, s: s, file: f}, Size: f.Size}
}

// ImportKeptFile makes a plan of a kept file, as PlanImport does; then the file is not kept any longer. Tenant and source are those that the file was brought with.
func (s *Service) ImportKeptFile(ctx context.Context, by identity.Actor, id identity.KeptFileID, o ImportOptions) (identity.Plan, error) {
	f, err := s.KeptFile(ctx, by, id)
	if err != nil {
		return identity.Plan{}, err
	}
	o.Tenant, o.Source = f.TenantID, f.Source
	plan, err := s.PlanImport(ctx, by, s.keptUpload(ctx, f), o)
	if err != nil {
		return plan, err
	}
	return plan, s.dropKept(ctx, f)
}

// DropKeptFile throws a file away that the actor brought.
func (s *Service) DropKeptFile(ctx context.Context, by identity.Actor, id identity.KeptFileID) error {
	f, err := s.KeptFile(ctx, by, id)
	if err != nil {
		return err
	}
	return s.dropKept(ctx, f)
}

// dropKept deletes a file; one that is gone already is none to complain about.
func (s *Service) dropKept(ctx context.Context, f identity.KeptFile) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.DeleteKeptFile(ctx, f.BroughtBy, f.ID) })
	if identity.KindOf(err) == identity.NotFound {
		return nil
	}
	return err
}

// SweepKeptFiles deletes files that nobody made a plan of within KeptFileAge, a few in a transaction. It may run at any time and on every replica.
func (s *Service) SweepKeptFiles(ctx context.Context) error {
	const most = 5
	for n := most; n == most; {
		err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.DeleteKeptFiles(ctx, tx.Now().Add(-identity.KeptFileAge), most)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
