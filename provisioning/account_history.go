package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ownEvents are what people are told of what happened with their account. What is planned about somebody, decided in reviews or noted by administrators is not.
var ownEvents = []identity.EventType{
	identity.UserCreated, identity.UserUpdated, identity.UserActivated, identity.UserPlaced, identity.UserLinked, identity.UserUnlinked, identity.UserLocked, identity.UserUnlocked,
	identity.SessionStarted, identity.SessionEnded, identity.SignInRefused, identity.PasswordChanged, identity.PasswordSet, identity.PasswordLocked, identity.PasswordDemanded,
	identity.SecondFactorOn, identity.SecondFactorOff, identity.SecondFactorReset, identity.SecondFactorLocked, identity.RecoveryCodeUsed, identity.RecoveryCodesRenewed, identity.RoleAssigned, identity.RoleRemoved,
	identity.APIKeyCreated, identity.APIKeyRevealed, identity.APIKeyRevoked, identity.InvitationUsed, identity.ResetSent,
	identity.EmailChangeAsked, identity.EmailChangeProven, identity.EmailChangeStopped,
}

// OwnHistory returns what happened lately with the actor's own account, newest first: sign-ins and changes. The reasons that administrators wrote down are left out,
// and so are their addresses.
func (s *Service) OwnHistory(ctx context.Context, by identity.Actor, limit int) ([]identity.Event, error) {
	if by.UserID() == "" {
		return nil, identity.Errorf(identity.Forbidden, "Only people have an account of their own.")
	}
	q := EventQuery{UserID: by.UserID(), Types: ownEvents, Limit: min(max(limit, 1), maxTimeline)}
	var out []identity.Event
	err := s.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.Events(ctx, store.Everything(), q)
		out = page.Items
		return err
	})
	for i := range out {
		e := &out[i]
		if e.ActorKind == identity.ActorUser && e.ActorID != by.ID {
			e.IP = ""
		}
		e.Reason = ""
	}
	return out, err
}
