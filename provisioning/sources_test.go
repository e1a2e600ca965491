package provisioning_test

import (
	"errors"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestASourceSaysWhatHoldsForItsPlans(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
		set := func(by identity.Actor, change func(*identity.Source)) (identity.Source, error) {
			source := identity.Source{TenantID: acme.ID, Name: "hr"}
			source.Settings.Missing, source.Settings.Clear, source.Settings.Role, source.Settings.Welcome = true, true, "editor", identity.WelcomeInvite
			source.Settings.Guards.Most = 3
			if change != nil {
				change(&source)
			}
			return h.PutSource(h.ctx, by, source, "as agreed")
		}
		t.Run("FSM-49 it is written field by field, and a plan takes what it says where nothing else was chosen", func(t *testing.T) {
			must[identity.Source](t)(set(boss, nil))
			e := h.lastEvent(identity.SourceChanged)
			if e.ActorLabel != boss.Label || e.Reason != "as agreed" || change(e, "missing").After != true || change(e, "role").After != "editor" || e.TenantID != acme.ID {
				t.Errorf("%+v", e)
			}
			p := h.plan(provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}, "email", "ada@acme.test")
			if o := p.Options; !o.Missing || !o.Clear || o.Role != "editor" || o.Welcome != identity.WelcomeInvite || o.Guards.Most != 3 {
				t.Errorf("%+v", o)
			}
			said := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr", Off: []string{"missing"}}
			said.Role, said.Welcome = "viewer", identity.WelcomeNone
			p = h.plan(said, "email", "ada@acme.test")
			if o := p.Options; o.Missing || !o.Clear || o.Role != "viewer" || o.Welcome != identity.WelcomeNone {
				t.Errorf("%+v", o)
			}
			p = h.plan(provisioning.ImportOptions{Tenant: beta.ID, Source: "hr", ElseWelcome: identity.WelcomePassword}, "email", "ada@acme.test")
			if o := p.Options; o.Missing || o.Role != "" || o.Welcome != identity.WelcomePassword {
				t.Errorf("another tenant's source counts: %+v", o)
			}
		})
		t.Run("a change says what differs, nothing changed writes nothing, and applying a plan keeps the mapping beside the rest", func(t *testing.T) {
			must[identity.Source](t)(set(boss, func(s *identity.Source) { s.Settings.Guards.Most = 4 }))
			e := h.lastEvent(identity.SourceChanged)
			if len(e.Changes) != 1 || e.Changes[0].Field != "guards" {
				t.Errorf("%+v", e)
			}
			must[identity.Source](t)(set(boss, func(s *identity.Source) { s.Settings.Guards.Most = 4 }))
			if again := h.lastEvent(identity.SourceChanged); again.ID != e.ID {
				t.Errorf("%+v", again)
			}
			h.bring(provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}, "Mail", "ada@acme.test")
			source := must[identity.Source](t)(h.Source(h.ctx, boss, "", "hr"))
			if source.Settings.Mapping["Mail"] != "email" || source.Settings.Role != "editor" {
				t.Errorf("%+v", source)
			}
		})
		t.Run("what cannot be meant is refused, and a folder is named at the machine", func(t *testing.T) {
			for field, spoil := range map[string]func(*identity.Source){
				"source":  func(s *identity.Source) { s.Name = " " },
				"role":    func(s *identity.Source) { s.Settings.Role = "king" },
				"welcome": func(s *identity.Source) { s.Settings.Welcome = "cake" },
				"pattern": func(s *identity.Source) { s.Settings.Pattern = "[" },
				"fields":  func(s *identity.Source) { s.Settings.Fields = map[string]identity.FieldPolicy{"shoe": {}} },
				"guards":  func(s *identity.Source) { s.Settings.Guards.Fewer = 101 },
				"mapping": func(s *identity.Source) { s.Settings.Mapping = identity.Mapping{"a": "shoe"} },
			} {
				_, err := set(h.op, spoil)
				wantKind(t, err, identity.Invalid, "")
				if sourceField(err) != field {
					t.Errorf("%s: %v", field, err)
				}
			}
			_, err := set(boss, func(s *identity.Source) { s.Settings.Folder = "/srv/hr" })
			wantKind(t, err, identity.Forbidden, "")
			_, err = set(h.op, func(s *identity.Source) { s.Settings.Folder = "hr" })
			wantKind(t, err, identity.Invalid, "")
			must[identity.Source](t)(set(h.op, func(s *identity.Source) { s.Settings.Folder = "/srv/hr" }))
			must[identity.Source](t)(set(boss, func(s *identity.Source) { s.Settings.Folder = "/srv/hr"; s.Settings.AutoApply = true }))
		})
		t.Run("another tenant's administrator neither sees nor writes it, and a directory and a viewer do neither", func(t *testing.T) {
			other := h.as(h.userIn(beta.ID, "boss@beta.test", "administrator").ID)
			if page := must[identity.Page[identity.Source]](t)(h.Sources(h.ctx, other, identity.Query{Limit: 10})); len(page.Items) != 0 {
				t.Errorf("%+v", page.Items)
			}
			_, err := h.Source(h.ctx, other, "", "hr")
			wantKind(t, err, identity.NotFound, "")
			_, err = set(other, nil)
			wantKind(t, err, identity.Forbidden, "")
			wantKind(t, h.DeleteSource(h.ctx, other, "", "hr", ""), identity.NotFound, "")
			for _, by := range []identity.Actor{h.as(h.userIn(acme.ID, "plain@acme.test", "viewer").ID), h.directory("Okta", acme.ID, identity.DialectOkta)} {
				_, err = set(by, nil)
				wantKind(t, err, identity.Forbidden, "")
			}
			h.ok(h.DeleteSource(h.ctx, boss, "", "hr", "gone"))
			wantKind(t, h.DeleteSource(h.ctx, boss, "", "hr", ""), identity.NotFound, "")
			if e := h.lastEvent(identity.SourceDeleted); e.ObjectID != "hr" || e.Reason != "gone" {
				t.Errorf("%+v", e)
			}
		})
	})
}

func sourceField(err error) string {
	var e *identity.Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}
