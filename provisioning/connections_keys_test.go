package provisioning_test

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestAKeyOfOurOwnIsChangedStepByStep(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.saml("Rotating", "", 100)
		step := func(step provisioning.KeyStep) identity.SAMLSettings {
			t.Helper()
			return must[identity.Connection](t)(h.RotateConnectionKey(h.ctx, h.op, c.ID, step)).SAML
		}
		refused := func(by identity.Actor, id identity.ConnectionID, step provisioning.KeyStep, kind identity.Kind, code string) {
			t.Helper()
			_, err := h.RotateConnectionKey(h.ctx, by, id, step)
			wantKind(t, err, kind, code)
		}
		refused(h.op, c.ID, provisioning.UseKey, identity.Conflict, "connection.one_key")
		refused(h.op, c.ID, provisioning.DropKey, identity.Conflict, "connection.one_key")
		refused(h.op, c.ID, "turn", identity.Invalid, "")
		refused(h.op, "none", provisioning.AddKey, identity.NotFound, "")
		refused(h.as(h.push(h.directory("d", "", identity.DialectOkta), "viewer@x.test").ID), c.ID, provisioning.AddKey, identity.Forbidden, "")
		refused(h.op, h.connection("OIDC", func(*identity.Connection) {}).ID, provisioning.AddKey, identity.Invalid, "")

		first := c.SAML.Certificate
		second := step(provisioning.AddKey).Standby[0].Certificate
		third := step(provisioning.AddKey).Standby[1].Certificate
		refused(h.op, c.ID, provisioning.AddKey, identity.Conflict, "connection.too_many_keys")
		used := step(provisioning.UseKey)
		if !bytes.Equal(used.Certificate, third) || !bytes.Equal(used.Standby[0].Certificate, first) || !bytes.Equal(used.Standby[1].Certificate, second) {
			t.Error("the newest key is not in use, or the order of the others changed")
		}
		h.keysFit(c.ID, 3)
		if left := step(provisioning.DropKey); len(left.Standby) != 0 || !bytes.Equal(left.Certificate, third) {
			t.Errorf("%d keys are left beside", len(left.Standby))
		}
		h.keysFit(c.ID, 1)

		var steps []string
		for _, e := range must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.ConnectionKeyRotated, Limit: 100})).Items {
			steps = append([]string{e.Reason}, steps...)
			if len(e.Changes) != 1 || e.Changes[0].Field != "own certificates" {
				t.Errorf("the event says %+v", e.Changes)
			}
		}
		if want := []string{"add", "add", "use", "drop"}; len(steps) != 4 || steps[0] != want[0] || steps[2] != want[2] || steps[3] != want[3] {
			t.Errorf("the events are %v", steps)
		}
	})
}

// keysFit fails unless a connection has that many keys, each of its certificate, after they went through the database, and other changes leave them alone.
func (h *house) keysFit(id identity.ConnectionID, n int) {
	h.t.Helper()
	must[identity.Connection](h.t)(h.UpdateConnection(h.ctx, h.op, id, func(c *identity.Connection) error { c.Options.ForceAuthn = !c.Options.ForceAuthn; return nil }))
	c := must[identity.Connection](h.t)(h.Connection(h.ctx, identity.System(), id))
	own := c.SAML.Own()
	if len(own) != n {
		h.t.Fatalf("%d keys", len(own))
	}
	for _, pair := range own {
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pair.Key})); err != nil {
			h.t.Errorf("a key is not the one of its certificate: %v", err)
		}
	}
}
