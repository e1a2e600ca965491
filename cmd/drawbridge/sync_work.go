package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// planSuffix ends the name of the note that says which plan was made of a file that is being worked on.
const planSuffix = ".plan"

// work makes a plan of a file that was taken, carries it out where that is wanted, and puts the file where it belongs. What fails for no fault of the file leaves it
// where it is, to be tried again.
func (d *dropFolder) work(ctx context.Context, claimed string) error {
	out, to, err := d.worked(ctx, claimed)
	if err != nil {
		if errors.Is(err, errWorkedOn) {
			return nil
		}
		return err
	}
	at, name, _ := d.claim(claimed)
	out.To = path.Join(to, at+"-"+name)
	if err := d.report(out); err != nil {
		return err
	}
	if err := d.root.Rename(path.Join(folderWorking, claimed), out.To); err != nil {
		return err
	}
	if err := d.root.Remove(path.Join(folderWorking, claimed+planSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if d.took != nil {
		d.took(out)
	}
	return nil
}

// worked returns what became of a file and to which folder that belongs.
func (d *dropFolder) worked(ctx context.Context, claimed string) (dropped, string, error) {
	_, name, _ := d.claim(claimed)
	out := dropped{Name: name}
	plan, err := d.plan(ctx, claimed, name)
	var refused *identity.Error
	if errors.As(err, &refused) && refused.Kind != identity.Internal && ctx.Err() == nil {
		out.Error = err
		return out, folderFailed, nil
	}
	if err != nil {
		return out, "", err
	}
	v, err := d.b.viewPlan(ctx, plan, shownSteps(plan, maxList)...)
	out.Plan = &v
	if plan.State != identity.PlanDone {
		return out, folderHeld, err
	}
	return out, folderDone, err
}

// errWorkedOn says that somebody carries the plan of a file out, and that it is to be looked at later.
var errWorkedOn = errors.New("somebody carries the plan out")

// plan returns the plan of a file as far as it is to be carried out now. The plan is noted beside the file before anything of it is done, so that a program that ends
// here leaves a file that is not planned twice.
func (d *dropFolder) plan(ctx context.Context, claimed, name string) (identity.Plan, error) {
	plan, err := d.noted(ctx, claimed)
	if err == nil && plan.ID == "" {
		if plan, err = d.read(ctx, claimed, name); err == nil {
			err = d.note(claimed, plan.ID)
		}
	}
	if err != nil {
		return plan, err
	}
	if plan.State == identity.PlanReady || plan.State == identity.PlanApplying {
		return d.carryOut(ctx, plan)
	}
	return plan, nil
}

// carryOut applies a plan where the source or whoever called wants that. Steps of people who were changed meanwhile are tried once more.
func (d *dropFolder) carryOut(ctx context.Context, plan identity.Plan) (identity.Plan, error) {
	wanted, err := d.auto(ctx)
	if err != nil || !wanted && plan.State == identity.PlanReady {
		return plan, err
	}
	for range 2 {
		plan, err = d.b.people.ApplyPlan(ctx, d.by, plan.ID, provisioning.ApplyOptions{Temporary: d.b.authn.TemporaryPassword})
		if identity.CodeOf(err) == "plan_busy" || identity.CodeOf(err) == "plan_taken" {
			return plan, errWorkedOn
		}
		if err != nil || plan.State != identity.PlanReady {
			break
		}
	}
	if identity.CodeOf(err) == "plan_state" || identity.CodeOf(err) == "plan_stopped" { // it is as somebody else left it
		return d.b.people.Plan(ctx, d.by, plan.ID)
	}
	return plan, err
}

// auto reports whether plans that no guard holds are carried out.
func (d *dropFolder) auto(ctx context.Context) (bool, error) {
	source, err := d.b.people.Source(ctx, d.by, d.options.Tenant, d.source)
	if identity.KindOf(err) == identity.NotFound {
		err = nil
	}
	return d.apply || source.Settings.AutoApply, err
}

// read makes a plan of a file. It is opened by what is there now: no link, nothing outside of the folder, and nothing that changes while it is read.
func (d *dropFolder) read(ctx context.Context, claimed, name string) (identity.Plan, error) {
	at := path.Join(folderWorking, claimed)
	is, err := d.root.Lstat(at)
	if err != nil {
		return identity.Plan{}, err
	}
	if !is.Mode().IsRegular() {
		return identity.Plan{}, identity.Errorf(identity.Forbidden, "%s is a link or no file at all, which is never read. Drop the file itself.", name).WithField("file")
	}
	file, err := d.root.Open(at)
	if err != nil {
		return identity.Plan{}, identity.Errorf(identity.Invalid, "The file cannot be read: %v.", err).WithField("file")
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return identity.Plan{}, err
	}
	if !os.SameFile(is, info) {
		return identity.Plan{}, identity.Errorf(identity.Forbidden, "%s was put in the place of another file while it was opened. Drop it again.", name).WithField("file")
	}
	options := d.options
	options.Source = d.source
	plan, err := d.b.people.PlanImport(ctx, d.by, provisioning.Upload{Name: name, Content: file, Size: info.Size()}, options)
	if err != nil {
		return plan, err
	}
	if now, err := file.Stat(); err != nil || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
		return plan, identity.Errorf(identity.Invalid, "The file was written while it was read; its plan %s is not carried out. Drop it again when it is whole.", plan.ID).WithField("file")
	}
	return plan, nil
}

// note writes down which plan was made of a file, for good before anything is done.
func (d *dropFolder) note(claimed string, id identity.PlanID) error {
	return d.write(path.Join(folderWorking, claimed+planSuffix), []byte(id))
}

// noted returns the plan that was made of a file; one without id where none was, or it is gone.
func (d *dropFolder) noted(ctx context.Context, claimed string) (identity.Plan, error) {
	raw, err := d.root.ReadFile(path.Join(folderWorking, claimed+planSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return identity.Plan{}, nil
	}
	if err != nil {
		return identity.Plan{}, err
	}
	plan, err := d.b.people.Plan(ctx, d.by, identity.PlanID(raw))
	if identity.KindOf(err) == identity.NotFound || err == nil && plan.Source != d.source {
		return identity.Plan{}, nil
	}
	return plan, err
}

// write writes a file that is there whole or not at all.
func (d *dropFolder) write(name string, content []byte) error {
	draft := path.Join(path.Dir(name), "."+path.Base(name))
	file, err := d.root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return d.root.Rename(draft, name)
}
