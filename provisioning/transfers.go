package provisioning

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noTransfer() *identity.Error {
	return identity.Errorf(identity.NotFound, "No such transfer is open. It may have been acknowledged already, or asked for anew.")
}

// TransferHoldings asks that a successor takes over what a person owns or has to do: some of it, or all of it where no keys are given. Each transfer is open until the
// application acknowledges it; asking again replaces an open one. It returns the holdings with their transfers.
func (s *Service) TransferHoldings(ctx context.Context, by identity.Actor, from, to identity.UserID, keys []identity.HoldingKey, reason string) ([]identity.Holding, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return nil, err
	}
	if by.Kind == identity.ActorDirectory {
		return nil, identity.Errorf(identity.Forbidden, "A directory hands nothing over.")
	}
	if from == "" || to == "" || !validIDs(&from) || !validIDs(&to) {
		return nil, noUser()
	}
	if from == to {
		return nil, identity.Errorf(identity.Invalid, "Choose somebody else as the successor.").WithField("to")
	}
	var out []identity.Holding
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		heir, err := s.successor(ctx, tx, scope, to)
		if err != nil {
			return err
		}
		out, err = s.transfer(ctx, tx, by, scope, from, heir, keys, reason)
		return err
	})
	return out, err
}

// successor returns somebody who can take something over: one of the scope who may come in.
func (s *Service) successor(ctx context.Context, tx *store.Tx, scope store.Scope, id identity.UserID) (identity.User, error) {
	u, err := tx.UserForUpdate(ctx, scope, id)
	if err != nil {
		return u, sharpen(err, noUser)
	}
	if !u.Enabled {
		return u, identity.Errorf(identity.Invalid, "%s is inactive and can take nothing over.", u.Label()).WithField("to")
	}
	return u, nil
}

func (s *Service) transfer(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, from identity.UserID, heir identity.User, keys []identity.HoldingKey, reason string) ([]identity.Holding, error) {
	page, err := tx.HoldingsForUpdate(ctx, scope, store.HoldingQuery{UserID: from, Keys: keys, Limit: mostHoldings})
	switch {
	case err != nil:
		return nil, err
	case page.More:
		return nil, identity.Errorf(identity.TooLarge, "At most %d can be handed over at once; choose some of them.", mostHoldings)
	case len(page.Items) == 0 || len(keys) > 0 && len(page.Items) != len(keys):
		return nil, noHolding()
	}
	for i := range page.Items {
		h := &page.Items[i]
		if h.TenantID != heir.TenantID {
			return nil, identity.Errorf(identity.Invalid, "%s does not belong to the tenant of %s; choose somebody of that tenant.", heir.Label(), h.Display).WithField("to")
		}
		if err := s.askFor(ctx, tx, by, h, heir, reason); err != nil {
			return nil, err
		}
	}
	return page.Items, nil
}

// askFor asks that somebody takes over a holding that is locked.
func (s *Service) askFor(ctx context.Context, tx *store.Tx, by identity.Actor, h *identity.Holding, heir identity.User, reason string) error {
	h.Transfer = &identity.Transfer{ID: identity.NewID[identity.TransferID](), Successor: heir.ID, RequestedAt: tx.Now(), RequestedBy: by.Label, Reason: reason}
	if err := tx.PutHolding(ctx, *h); err != nil {
		return err
	}
	e := aboutHolding(by, identity.TransferRequested, *h)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "user", Before: string(h.UserID), After: string(heir.ID)}, {Field: "transfer", After: string(h.Transfer.ID)}}
	return tx.InsertEvent(ctx, e)
}

// takeBack takes back that somebody takes over a holding that is locked.
func (s *Service) takeBack(ctx context.Context, tx *store.Tx, by identity.Actor, h identity.Holding, reason string) error {
	e := aboutHolding(by, identity.TransferWithdrawn, h)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "user", Before: string(h.Transfer.Successor), After: string(h.UserID)}, {Field: "transfer", Before: string(h.Transfer.ID)}}
	h.Transfer = nil
	if err := tx.PutHolding(ctx, h); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, e)
}

// AcknowledgeTransfer ends an open transfer by the application's word: the successor has it now.
func (s *Service) AcknowledgeTransfer(ctx context.Context, by identity.Actor, application string, id identity.TransferID) (identity.Holding, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return identity.Holding{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.Holding{}, noTransfer()
	}
	var after identity.Holding
	err = s.update(ctx, by, func(tx *store.Tx) error {
		before, err := tx.TransferForUpdate(ctx, scope, application, id)
		if err != nil {
			return err
		}
		after = before
		after.UserID, after.Transfer = before.Transfer.Successor, nil
		return s.writeHolding(ctx, tx, by, identity.TransferAcknowledged, before, after)
	})
	return after, sharpen(err, noTransfer)
}

// OpenTransfer is a transfer that waits for its application, with the notice that proves it.
type OpenTransfer struct {
	identity.Holding
	Token string // a JWT (RFC 8417) of the installation's signing key about exactly this transfer
}

// transferNotice is the payload of a notice.
type transferNotice struct {
	Issuer   string                         `json:"iss"`
	Audience string                         `json:"aud"`
	ID       identity.TransferID            `json:"jti"`
	IssuedAt int64                          `json:"iat"`
	Events   map[string]transferNoticeEvent `json:"events"`
}

type transferNoticeEvent struct {
	Kind      identity.HoldingKind `json:"kind"`
	ForeignID string               `json:"id"`
	Display   string               `json:"display,omitempty"`
	Tenant    identity.TenantID    `json:"tenant"`
	From      transferParty        `json:"from"`
	To        transferParty        `json:"to"`
	Reason    string               `json:"reason,omitempty"`
}

type transferParty struct {
	ID       identity.UserID `json:"id"`
	UserName string          `json:"user_name"`
	Email    string          `json:"email,omitempty"`
}

// TransferRequestedURN names the event inside a notice.
const TransferRequestedURN = "urn:drawbridge:event:" + string(identity.TransferRequested)

// OpenTransfers returns the transfers that wait for an application, the longest waiting first, behind the one named; each with a signed notice.
func (s *Service) OpenTransfers(ctx context.Context, by identity.Actor, application string, after identity.TransferID, limit int) (identity.Page[OpenTransfer], error) {
	var out identity.Page[OpenTransfer]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return out, err
	}
	q := store.HoldingQuery{Application: application, Open: true, AfterID: identity.TransferID(cursor(string(after))), Limit: min(max(limit, 1), mostHoldings)}
	err = s.db.Update(ctx, func(tx *store.Tx) error { // the first notice makes the key
		out = identity.Page[OpenTransfer]{}
		page, err := tx.Holdings(ctx, scope, q)
		if err != nil || len(page.Items) == 0 {
			return err
		}
		key, err := tx.SigningKey(ctx)
		if err != nil {
			return err
		}
		out.More = page.More
		for _, h := range page.Items {
			token, err := noticeOf(ctx, tx, key, h)
			if err != nil {
				return err
			}
			out.Items = append(out.Items, OpenTransfer{h, token})
		}
		return nil
	})
	return out, err
}

// noticeOf signs what an application has to know of a transfer.
func noticeOf(ctx context.Context, tx *store.Tx, key ed25519.PrivateKey, h identity.Holding) (string, error) {
	from, err := party(ctx, tx, h.UserID)
	if err != nil {
		return "", err
	}
	to, err := party(ctx, tx, h.Transfer.Successor)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(transferNotice{
		Issuer: "drawbridge", Audience: h.Application, ID: h.Transfer.ID, IssuedAt: h.Transfer.RequestedAt.Truncate(time.Second).Unix(),
		Events: map[string]transferNoticeEvent{TransferRequestedURN: {h.Kind, h.ForeignID, h.Display, h.TenantID, from, to, h.Transfer.Reason}},
	})
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, (&jose.SignerOptions{}).WithType("secevent+jwt"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func party(ctx context.Context, tx *store.Tx, id identity.UserID) (transferParty, error) {
	u, err := tx.AnyUser(ctx, store.Everything(), id)
	return transferParty{u.ID, u.UserName, u.Email()}, err
}
