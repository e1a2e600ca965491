package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// uploadRounds is how often the plan of an upload is carried out at most: what was changed by somebody else meanwhile is computed again and carried out in the next round.
const uploadRounds = 3

// uploadTitle is what the plan of an upload has for the name of a file.
const uploadTitle = "bulkUpload"

// RunUploads works off what HR systems sent, of each directory in its order, and returns how many uploads it took. Any number of programs may do this at once. An
// upload becomes a plan; what no guard holds is carried out at once, in the name of the directory and by the rules that hold for it.
func (s *Service) RunUploads(ctx context.Context) (int, error) {
	var taken int
	var err error
	for ctx.Err() == nil {
		u, there, more := s.takeUpload(ctx)
		if !there || more != nil {
			return taken, errors.Join(err, more)
		}
		taken++
		err = errors.Join(err, s.workUpload(ctx, u))
	}
	return taken, err
}

// takeUpload takes the lease of the oldest upload that nobody works on, and gives it the id of its plan.
func (s *Service) takeUpload(ctx context.Context) (identity.Upload, bool, error) {
	var list []identity.Upload
	read := func(tx *store.Tx) (err error) {
		list, err = tx.UploadsToWork(ctx, 1)
		return err
	}
	if err := s.db.View(ctx, read); err != nil || len(list) == 0 {
		return identity.Upload{}, false, err
	}
	var u identity.Upload
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		err := read(tx)
		if err != nil || len(list) == 0 {
			return err
		}
		if u, err = tx.UploadForUpdate(ctx, list[0].ID); err != nil {
			return err
		}
		if !u.Open() || u.LeaseUntil != nil && tx.Now().Before(*u.LeaseUntil) {
			list = nil
			return nil
		}
		u.State, u.LeaseUntil, u.LeaseBy = identity.UploadWorking, leaseEnd(tx), identity.NewID[string]()
		if u.PlanID == "" {
			u.PlanID = identity.NewID[identity.PlanID]()
		}
		return tx.UpdateUpload(ctx, u)
	})
	return u, len(list) > 0, err
}

// workUpload does one upload as far as it was not done before. What fails for no fault of it is tried again when the lease ran out.
func (s *Service) workUpload(ctx context.Context, u identity.Upload) error {
	err := s.keep(ctx, func(ctx context.Context) error { return s.doUpload(ctx, &u) }, func(ctx context.Context, tx *store.Tx) (bool, error) {
		return tx.RenewUpload(ctx, u.ID, u.LeaseBy, *leaseEnd(tx))
	})
	refused := refusalOf(err)
	switch {
	case ctx.Err() != nil:
		return s.endUpload(context.WithoutCancel(ctx), u, identity.UploadWaiting, "")
	case err == nil:
		return s.endUpload(ctx, u, identity.UploadDone, "")
	case refused != nil && (refused.Code == errTaken.Code || refused.Code == "plan_busy"):
		return nil // somebody has it in hand; it is looked at again when the lease ran out
	case refused != nil:
		return s.endUpload(ctx, u, identity.UploadFailed, refused.Message)
	}
	return err
}

// endUpload gives an upload back as it is now, as long as it is the caller's.
func (s *Service) endUpload(ctx context.Context, u identity.Upload, state identity.UploadState, failure string) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.UploadForUpdate(ctx, u.ID)
		if err != nil || now.LeaseBy != u.LeaseBy {
			return err
		}
		now.State, now.Failure, now.LeaseUntil, now.LeaseBy = state, failure, nil, ""
		if !now.Open() {
			at := tx.Now()
			now.FinishedAt = &at
		}
		if state == identity.UploadDone {
			now.Body = u.Body
		}
		return tx.UpdateUpload(ctx, now)
	})
}

// doUpload makes the plan of an upload, or finds the one that was made before the program ended, and carries it out where no guard holds it. The body becomes the notes
// of the log.
func (s *Service) doUpload(ctx context.Context, u *identity.Upload) error {
	by, err := s.directoryNow(ctx, u.DirectoryID)
	if err != nil {
		return err
	}
	by.RequestID = u.RequestID
	plan, reader, err := s.uploadPlan(ctx, by, *u)
	if err != nil {
		return err
	}
	list, err := readOperations(u.Body)
	if err != nil {
		return err
	}
	rows := reader.rows(list)
	if plan.State == identity.PlanComputing {
		if plan, err = s.makePlan(ctx, by, planPeople(plan), plan, rows, ImportOptions{}); err != nil {
			return err
		}
	} else if err := drain(rows); err != nil {
		return err
	}
	if err := s.carryOutPushed(ctx, by, plan); err != nil {
		return err
	}
	u.Body, err = json.Marshal(reader.Notes)
	return err
}

// drain reads all rows for their notes.
func drain(rows rowSource) error {
	for {
		_, err := rows()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// uploadPlan returns the plan of an upload as far as it is: one in the making is begun anew.
func (s *Service) uploadPlan(ctx context.Context, by identity.Actor, u identity.Upload) (identity.Plan, *uploadReader, error) {
	fresh := identity.Plan{
		ID: u.PlanID, TenantID: by.TenantID, DirectoryID: u.DirectoryID, Kind: identity.PlanSync, Source: by.Label, FileName: uploadTitle, State: identity.PlanComputing, CreatedBy: by.Label,
	}
	if err := s.takeSettings(ctx, &fresh, ImportOptions{}); err != nil {
		return fresh, nil, err
	}
	fresh.Options.Missing = false // what one request does not have says nothing
	reader := s.uploadReader(fresh)
	plan := fresh
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		source, err := tx.Source(ctx, by.TenantID, by.Label)
		if err != nil && identity.KindOf(err) != identity.NotFound {
			return err
		}
		reader.mapping = source.Settings.Mapping
		old, err := tx.PlanForUpdate(ctx, store.Everything(), u.PlanID)
		switch {
		case identity.KindOf(err) == identity.NotFound:
			plan.CreatedAt = tx.Now()
			return nil
		case err != nil:
			return err
		case old.State == identity.PlanComputing || old.State == identity.PlanFailed:
			plan.CreatedAt = tx.Now()
			return tx.DeletePlan(ctx, old.ID)
		}
		plan = old
		return nil
	})
	return plan, reader, err
}

// carryOutPushed carries out the plan of an upload, unless it waits for somebody or is done.
func (s *Service) carryOutPushed(ctx context.Context, by identity.Actor, plan identity.Plan) error {
	for range uploadRounds {
		if plan.State != identity.PlanReady && plan.State != identity.PlanApplying {
			return nil
		}
		taken, err := s.takeToApply(ctx, by, plan, ApplyOptions{}, takeLease)
		if err == nil {
			plan, err = s.carryOn(ctx, taken, ApplyOptions{})
		}
		if err != nil {
			if identity.CodeOf(err) == errStopped.Code {
				return nil
			}
			return err
		}
	}
	return nil
}
