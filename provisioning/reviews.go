package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxReviews is how many reviews of one connection may wait at once: a provider that sends ever new subjects does not fill the inbox. The traces of what is
// beyond it are kept as usual.
const maxReviews = 500

// mixedScripts and noRole are the reasons of flags: reviews about people who were found.
const (
	mixedScripts = "email.mixed_scripts"
	noRole       = "user.no_role"
)

// reviewable are the reasons of refusals that an administrator can settle. All of them are about claims that were verified.
var reviewable = map[string]bool{
	"link.requires_admin": true, "link.requires_proof": true, "link.conflict": true, "external_id.ambiguous": true,
	"email.ambiguous": true, "email.domain_not_allowed": true, "email.not_verified": true, "email.missing": true, "email.invalid": true,
	"jit.off": true, "user_name.taken": true, "user.inactive": true, "user.locked": true, "user.deleted": true,
}

// openReview puts a refused sign-in into the inbox. The refusal's own transaction was undone, so this is another one.
func (s *Service) openReview(ctx context.Context, c identity.Connection, claims identity.Claims, trace identity.Trace, why error) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		return s.putReview(ctx, tx, review(c, claims, trace, identity.CodeOf(why), messageFor(why)))
	})
	if identity.KindOf(err) == identity.Conflict || identity.KindOf(err) == identity.NotFound {
		return nil // the connection was deleted meanwhile: there is nothing left to settle
	}
	return err
}

func review(c identity.Connection, claims identity.Claims, trace identity.Trace, code, message string) identity.Review {
	name := claims.DisplayName
	if name == "" {
		name = identity.Name{GivenName: claims.GivenName, FamilyName: claims.FamilyName}.Text()
	}
	return identity.Review{
		ConnectionID: c.ID, ConnectionName: c.Name, TenantID: c.TenantID, Issuer: claims.Issuer, Subject: claims.Subject, Email: claims.Email, Name: name,
		Code: code, Message: message, TraceID: trace.ID, UserID: trace.UserID,
	}
}

// putReview writes a review; the first of a subject and reason is an event.
func (s *Service) putReview(ctx context.Context, tx *store.Tx, r identity.Review) error {
	r.ID, r.At, r.LastAt, r.State = identity.NewID[identity.ReviewID](), tx.Now(), tx.Now(), identity.ReviewOpen
	opened, err := tx.PutReview(ctx, r, maxReviews)
	if err != nil || !opened {
		return err
	}
	by := identity.Actor{Kind: identity.ActorConnection, ID: string(r.ConnectionID), Label: r.ConnectionName, TenantID: r.TenantID, Door: "sso"}
	return tx.InsertEvent(ctx, aboutReview(by, identity.ReviewOpened, r))
}

// flag puts somebody who was found into the inbox.
func (a *signIn) flag(ctx context.Context, u identity.User, code, message string) error {
	trace := *a.trace
	trace.UserID = u.ID
	r := review(a.c, a.claims, trace, code, message)
	r.Flag = true
	return a.s.putReview(ctx, a.tx, r)
}

func (a *signIn) flagMixedScripts(ctx context.Context, u identity.User) error {
	a.note(mixedScripts, a.key+" mixes scripts that no language writes together", "Look whether it was made to be taken for somebody else's address.")
	return a.flag(ctx, u, mixedScripts, "The new user's address mixes scripts that no language writes together: look whether it was made to be taken for somebody else's.")
}

func (a *signIn) flagNoRole(ctx context.Context, u identity.User) error {
	return a.flag(ctx, u, noRole, "No rule of the connection gives this person a role any more, and nobody else gave one: place them, or correct their groups at the provider.")
}

func noReview() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such review here.")
}

// aboutReview starts an event about a review. Events stay for ever, so the address is all that they say of the person.
func aboutReview(by identity.Actor, kind identity.EventType, r identity.Review) identity.Event {
	e := event(by, kind)
	e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason = r.TenantID, r.UserID, "review", string(r.ID), r.Email, r.Code
	return e
}

// ReviewQuery says which reviews are wanted; empty fields do not narrow.
type ReviewQuery = store.ReviewQuery

// Reviews returns the sign-ins that wait for an administrator or waited, newest first: those of the actor's tenant's own connections, or all.
func (s *Service) Reviews(ctx context.Context, by identity.Actor, q ReviewQuery) (identity.Page[identity.Review], error) {
	var page identity.Page[identity.Review]
	scope, err := s.reviewScope(by)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	if !validIDs(&q.ConnectionID) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Reviews(ctx, scope, q)
		return err
	})
	return page, err
}

// ReviewDetail is a review with whom it may be about.
type ReviewDetail struct {
	Review     identity.Review
	Candidates []identity.User // with roles; those whom the actor may see
}

// Review returns a review with the people it may be about: whom the sign-in found, and whoever has the address.
func (s *Service) Review(ctx context.Context, by identity.Actor, id identity.ReviewID) (ReviewDetail, error) {
	var d ReviewDetail
	scope, err := s.reviewScope(by)
	if err != nil {
		return d, err
	}
	if id == "" || !validIDs(&id) {
		return d, noReview()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if d.Review, err = tx.Review(ctx, scope, id); err != nil {
			return sharpen(err, noReview)
		}
		d.Candidates, err = s.reviewCandidates(ctx, tx, scope, d.Review)
		return err
	})
	return d, err
}

func (s *Service) reviewCandidates(ctx context.Context, tx *store.Tx, scope store.Scope, r identity.Review) ([]identity.User, error) {
	var out []identity.User
	if r.UserID != "" {
		u, err := tx.User(ctx, scope, r.UserID)
		if err == nil {
			out = append(out, u)
		} else if identity.KindOf(err) != identity.NotFound {
			return nil, err
		}
	}
	if key, err := identity.EmailKey(r.Email); err == nil {
		same, err := tx.UsersByEmail(ctx, scope, key, 20)
		if err != nil {
			return nil, err
		}
		for _, u := range same {
			if u.DeletedAt == nil && u.ID != r.UserID {
				out = append(out, u)
			}
		}
	}
	return out, s.describe(ctx, tx, out)
}

// reviewScope says whose reviews the actor may settle. A directory settles none.
func (s *Service) reviewScope(by identity.Actor) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory settles no sign-ins.")
	}
	return s.scopeFor(by, usersWrite)
}
