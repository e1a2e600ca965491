package api

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// holdingDocument is what somebody owns or has to do in an application. Notice proves an open transfer to the application: a JWT of the installation's key.
type holdingDocument struct {
	Application string               `json:"application"`
	Kind        identity.HoldingKind `json:"kind"`
	ID          string               `json:"id"`
	Display     string               `json:"display,omitempty"`
	User        identity.UserID      `json:"user"`
	Transfer    identity.TransferID  `json:"transfer,omitempty"`
	Successor   identity.UserID      `json:"successor,omitempty"`
	Notice      string               `json:"notice,omitempty"`
}

func holding(h identity.Holding) holdingDocument {
	d := holdingDocument{Application: h.Application, Kind: h.Kind, ID: h.ForeignID, Display: h.Display, User: h.UserID}
	if h.Transfer != nil {
		d.Transfer, d.Successor = h.Transfer.ID, h.Transfer.Successor
	}
	return d
}

func (c *call) holdingKey() identity.HoldingKey {
	return identity.HoldingKey{Application: c.r.PathValue("application"), Kind: identity.HoldingKind(c.r.PathValue("kind")), ForeignID: c.r.PathValue("id")}
}

// putHolding says, from the application's side, who has something.
func (c *call) putHolding() error {
	var n struct {
		User    identity.UserID `json:"user"`
		Display string          `json:"display"`
	}
	if err := c.read(&n); err != nil {
		return err
	}
	h, err := c.prov.PutHolding(c.r.Context(), c.Actor, identity.Holding{HoldingKey: c.holdingKey(), UserID: n.User, Display: n.Display})
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, holding(h))
}

func (c *call) deleteHolding() error {
	if err := c.prov.DeleteHolding(c.r.Context(), c.Actor, c.holdingKey()); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// transfers lists what waits for an application, the longest waiting first.
func (c *call) transfers() error {
	q, err := c.page()
	if err != nil {
		return err
	}
	page, err := c.prov.OpenTransfers(c.r.Context(), c.Actor, c.r.PathValue("application"), identity.TransferID(q.After), q.Limit)
	if err != nil {
		return err
	}
	out := struct {
		Transfers []holdingDocument   `json:"transfers"`
		Next      identity.TransferID `json:"next,omitempty"`
	}{Transfers: []holdingDocument{}}
	for _, t := range page.Items {
		d := holding(t.Holding)
		d.Notice = t.Token
		out.Transfers = append(out.Transfers, d)
		if page.More {
			out.Next = d.Transfer
		}
	}
	return c.answer(http.StatusOK, out)
}

// acknowledge ends a transfer by the application's word: the successor has it now.
func (c *call) acknowledge() error {
	h, err := c.prov.AcknowledgeTransfer(c.r.Context(), c.Actor, c.r.PathValue("application"), identity.TransferID(c.r.PathValue("transfer")))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, holding(h))
}
