package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxOpenUploads is how many uploads of a directory may wait; a company of 100,000 people in portions of 50 is 2,000.
const maxOpenUploads = 4000

// maxJobName is the longest name of a job, in bytes.
const maxJobName = 200

func noUpload() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such upload here.").WithField("upload")
}

// ReceiveUpload keeps a list of people that an HR system sent, to be worked off in its turn, and returns at once. The body is a SCIM bulk request of that many
// operations, whose form the door has checked. Only a directory sends such; TooMany when too much of it waits already.
func (s *Service) ReceiveUpload(ctx context.Context, by identity.Actor, job string, operations int, body []byte) (identity.Upload, error) {
	if by.Kind != identity.ActorDirectory {
		return identity.Upload{}, identity.Errorf(identity.Forbidden, "Only a directory sends people here; import a file instead.")
	}
	if job == "" {
		job = by.ID
	}
	if len(job) > maxJobName {
		return identity.Upload{}, identity.Errorf(identity.Invalid, "The name of a job has at most %d bytes.", maxJobName).WithField("job")
	}
	u := identity.Upload{
		ID: identity.NewID[identity.UploadID](), DirectoryID: by.DirectoryID(), TenantID: by.TenantID, Source: by.Label, Job: job, Body: body, Operations: operations,
		State: identity.UploadWaiting, RequestID: by.RequestID,
	}
	err := s.update(ctx, by, func(tx *store.Tx) error {
		open, err := tx.CountOpenUploads(ctx, u.DirectoryID)
		if err != nil {
			return err
		}
		if open >= maxOpenUploads {
			return identity.Errorf(identity.TooMany, "%d uploads wait already. Send more when some of them are done.", open)
		}
		u.CreatedAt = tx.Now()
		return tx.InsertUpload(ctx, u)
	})
	if err == nil {
		s.wakeWorker()
	}
	return u, err
}

// UploadQuery says which uploads are wanted; empty fields do not narrow.
type UploadQuery = store.UploadQuery

// Uploads returns a page of what HR systems sent, newest first, without the bodies: a directory's own, or whichever whoever runs the installation asks for.
func (s *Service) Uploads(ctx context.Context, by identity.Actor, q UploadQuery) (identity.Page[identity.Upload], error) {
	var page identity.Page[identity.Upload]
	directory, err := s.uploadsOf(by)
	if err != nil {
		return page, err
	}
	if directory != "" {
		q.DirectoryID = directory
	}
	q.After = identity.UploadID(cursor(string(q.After)))
	if !validIDs(&q.DirectoryID) || !validIDs(&q.From) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Uploads(ctx, q)
		return err
	})
	return page, err
}

// UploadDetail is an upload with its plan.
type UploadDetail struct {
	identity.Upload
	Plan *identity.Plan // nil: there is none yet, or none any more
}

// Upload returns an upload that the actor may see, without its body, or NotFound.
func (s *Service) Upload(ctx context.Context, by identity.Actor, id identity.UploadID) (UploadDetail, error) {
	var d UploadDetail
	directory, err := s.uploadsOf(by)
	if err != nil {
		return d, err
	}
	if id == "" || !validIDs(&id) {
		return d, noUpload()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if d.Upload, err = tx.Upload(ctx, directory, id); err != nil {
			return err
		}
		d.Body = nil
		d.Plan, err = planOfUpload(ctx, tx, d.Upload)
		return err
	})
	return d, sharpen(err, noUpload)
}

// planOfUpload returns the plan of an upload; nil when it has none.
func planOfUpload(ctx context.Context, tx *store.Tx, u identity.Upload) (*identity.Plan, error) {
	if u.PlanID == "" {
		return nil, nil
	}
	plan, err := tx.Plan(ctx, store.Everything(), u.PlanID)
	if identity.KindOf(err) == identity.NotFound {
		return nil, nil
	}
	return &plan, err
}

// uploadsOf returns whose uploads the actor may see; empty: everybody's.
func (s *Service) uploadsOf(by identity.Actor) (identity.DirectoryID, error) {
	if by.Kind == identity.ActorDirectory {
		return by.DirectoryID(), nil
	}
	return "", s.platform(by)
}

// SweepUploads deletes uploads that are done and older than PlanAge, a few in a transaction. It may run at any time and on every replica.
func (s *Service) SweepUploads(ctx context.Context) error {
	const most = 100
	for n := most; n == most; {
		err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.DeleteUploads(ctx, tx.Now().Add(-PlanAge), most)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
