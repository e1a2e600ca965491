package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noTrial() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such test: it was opened before, is over, or was begun by somebody else. Begin again at the connection.").WithCode("trial.unknown")
}

// BeginTrial begins a try of a connection, switched on or not. Whoever has the returned secret may open it once, within identity.TrialAge; only its hash is kept.
func (s *Service) BeginTrial(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.Trial, string, error) {
	t := identity.Trial{ID: identity.NewID[identity.TrialID](), ConnectionID: id, UserID: by.UserID(), SetupID: by.SetupID(), By: by.Label}
	if _, err := s.Connection(ctx, by, id); err != nil {
		return t, "", err
	}
	secret := identity.NewSecret("")
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		t.CreatedAt, t.ExpiresAt = tx.Now(), tx.Now().Add(identity.TrialAge)
		return tx.InsertTrial(ctx, t, identity.HashSecret(secret))
	})
	return t, secret, err
}

// OpenTrial takes a trial of a connection on its way, once. A wrong, used or old secret, or one of another connection, is NotFound.
func (s *Service) OpenTrial(ctx context.Context, connection identity.ConnectionID, secret string) (identity.Trial, error) {
	var t identity.Trial
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if t, err = tx.TrialBySecret(ctx, identity.HashSecret(secret)); err != nil {
			return err
		}
		if t.ConnectionID != connection || !tx.Now().Before(t.ExpiresAt) {
			return noTrial()
		}
		now := tx.Now()
		t.OpenedAt = &now
		return tx.OpenTrial(ctx, t.ID)
	})
	return t, sharpen(err, noTrial)
}

// RunningTrial returns the trial of a connection that is on its way in the browser that has the secret, or NotFound.
func (s *Service) RunningTrial(ctx context.Context, connection identity.ConnectionID, secret string) (identity.Trial, error) {
	var t identity.Trial
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if t, err = tx.TrialBySecret(ctx, identity.HashSecret(secret)); err == nil && (t.ConnectionID != connection || !t.Running(tx.Now())) {
			err = noTrial()
		}
		return err
	})
	return t, sharpen(err, noTrial)
}

// FinishTrial keeps the trace of a trial as its result, once.
func (s *Service) FinishTrial(ctx context.Context, id identity.TrialID, trace identity.Trace) error {
	trace.Purpose = identity.PurposeTest
	if err := s.RecordTrace(ctx, trace); err != nil {
		return err
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.Trial(ctx, id)
		if err != nil {
			return err
		}
		c, err := tx.Connection(ctx, store.Everything(), t.ConnectionID)
		if err != nil {
			return err
		}
		if err := tx.FinishTrial(ctx, id, trace.OK, trace.ID); err != nil {
			return err
		}
		e := aboutConnection(starter(t), identity.ConnectionTested, c)
		e.Reason = trace.Code
		e.Changes = []identity.Change{{Field: "trace", After: string(trace.ID)}, {Field: "would come in", After: trace.OK}}
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, noTrial)
}

// starter is the actor who began a trial.
func starter(t identity.Trial) identity.Actor {
	by := identity.Actor{Kind: identity.ActorOperator, Label: t.By, Door: "sso"}
	switch {
	case t.UserID != "":
		by.Kind, by.ID = identity.ActorUser, string(t.UserID)
	case t.SetupID != "":
		by.Kind, by.ID = identity.ActorSetup, string(t.SetupID)
	}
	return by
}

// TrialResult returns a trial with its trace, which is empty while it is not finished. It is shown to the administrator who began it, to the operator, and to
// the browser that has its secret; to everybody else it is NotFound.
func (s *Service) TrialResult(ctx context.Context, by identity.Actor, id identity.TrialID, secret string) (identity.Trial, identity.Trace, error) {
	var t identity.Trial
	var trace identity.Trace
	if id == "" || !validIDs(&id) {
		return t, trace, noTrial()
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if t, err = tx.Trial(ctx, id); err != nil {
			return err
		}
		if err := mayReadTrial(ctx, tx, by, t, secret); err != nil {
			return err
		}
		if t.TraceID != "" {
			trace, err = tx.Trace(ctx, store.Everything(), t.TraceID)
		}
		return err
	})
	if err != nil {
		return identity.Trial{}, identity.Trace{}, sharpen(err, noTrial)
	}
	return t, trace, nil
}

// mayReadTrial: what an administrator began is for that administrator's session alone, whatever secrets a browser has.
func mayReadTrial(ctx context.Context, tx *store.Tx, by identity.Actor, t identity.Trial, secret string) error {
	if trusted(by) || t.UserID != "" && by.UserID() == t.UserID {
		return nil
	}
	same, err := tx.TrialBySecret(ctx, identity.HashSecret(secret))
	if err != nil || t.UserID != "" || same.ID != t.ID {
		return noTrial().WithCause(err)
	}
	return nil
}

// LastTrial returns the newest finished trial of a connection; the second result is false when there is none.
func (s *Service) LastTrial(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.Trial, bool, error) {
	if _, err := s.Connection(ctx, by, id); err != nil {
		return identity.Trial{}, false, err
	}
	var t identity.Trial
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		t, err = tx.LastTrial(ctx, id)
		return err
	})
	if identity.KindOf(err) == identity.NotFound {
		return identity.Trial{}, false, nil
	}
	return t, err == nil, err
}
