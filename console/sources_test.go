package console_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// settings is a form of a source with one rule and one guard of its own.
func sourceSettings() url.Values {
	return url.Values{
		"most": {"5"}, "percent": {"2,5"}, "fewer": {"-1"}, "whole": {"1"}, "welcome": {"none"}, "role": {"editor"},
		"heading": {"Mail"}, "mapped": {"email"}, "transformfield": {"email"}, "transformkind": {"lower"}, "transformargs": {""},
		"rule-0-field": {"title"}, "rule-0-how": {"is"}, "rule-0-is": {"Sales; Marketing*"}, "rule-0-unit": {""}, "rule-0-roles": {"Viewer"},
		"manual-title": {"flag"}, "authority-title": {"hr"}, "reason": {"as agreed"},
	}
}

func TestWhatHoldsForASourceIsSaid(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		b.get("/console/sources").is(http.StatusOK).says("No source yet")
		b.get("/console/sources?name=hr").is(http.StatusOK).says("Settings of hr")
		saved := b.post("/console/sources/hr/settings", sourceSettings()).is(http.StatusOK).says("The settings were saved", "5 people", "2.5 %", "off", "whole list")
		source := must(s.prov.Source(t.Context(), identity.Operator(), s.acme.ID, "hr"))(t)
		o := source.Settings
		if g := o.Guards; g.Most != 5 || g.Percent != 2.5 || g.Fewer != -1 || g.Errors != 0 {
			t.Errorf("the guards are %+v", g)
		}
		if len(o.Rules) != 1 || len(o.Rules[0].When) != 1 || len(o.Rules[0].When[0].Is) != 2 || o.Rules[0].Roles[0] != "viewer" {
			t.Errorf("the rules are %+v", o.Rules)
		}
		if o.Mapping["Mail"] != "email" || len(o.Transforms) != 1 || o.Fields["title"].Manual != identity.ManualFlag || o.Fields["title"].Authority != "hr" {
			t.Errorf("the settings are %+v", o)
		}
		t.Run("a stale form is said and nothing of it is lost", func(t *testing.T) {
			stale := sourceSettings()
			stale.Set("seen", "2020-01-01T00:00:00Z")
			stale.Set("most", "77")
			b.post("/console/sources/hr/settings", stale).is(http.StatusPreconditionFailed).says("Somebody else changed the source").has(`value="77"`)
		})
		t.Run("what is wrong is said at its field", func(t *testing.T) {
			fresh := b.get("/console/sources/hr/settings").value("seen")
			for field, value := range map[string]string{"most": "many", "rule-0-roles": "emperor", "role": "emperor", "errors": "101"} {
				form := sourceSettings()
				form.Set(field, value)
				form.Set("seen", fresh)
				b.post("/console/sources/hr/settings", form).is(http.StatusBadRequest).has(`value="Sales; Marketing*"`)
			}
		})
		t.Run("FSM-49 the next file of the source is read as its settings say", func(t *testing.T) {
			page := b.upload("people.csv", "Mail;Notiz\nNora@Acme.example;x\n", url.Values{"source": {"hr"}}).is(http.StatusOK).says("nora@acme.example")
			if got := page.columns(); got.Get("field-0") != "email" || got.Get("change-0") != "lower" {
				t.Errorf("the columns are %v", got)
			}
			page.has(`name="whole" value="1" checked`)
		})
		b.get("/console/sources").says("hr", "whole lists", "1 rule")
		b.get("/console/sources/hr/forget").is(http.StatusOK).says("read as that of a new one")
		b.post("/console/sources/hr/forget", url.Values{"reason": {"not used"}}).is(http.StatusOK).says("forgotten", "No source yet")
		_ = saved
	})
}

func TestSourcesOfOthersAreNotThereAndAViewerSeesNone(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		must(s.prov.PutSource(t.Context(), identity.Operator(), identity.Source{TenantID: s.acme.ID, Name: "hr", Settings: identity.SourceSettings{AutoApply: true}}, ""))(t)
		other := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Other"))(t)
		s.user(t.Context(), "olga@other.example", "Olga Other", other.ID, "administrator")
		olga, vera := s.signedIn("olga@other.example"), s.signedIn("vera@acme.example")
		olga.get("/console/sources").is(http.StatusOK).says("No source yet")
		olga.get("/console/sources/hr").is(http.StatusNotFound)
		for _, path := range []string{"/console/sources/hr/settings?tenant=" + string(s.acme.ID), "/console/sources/hr/forget?tenant=" + string(s.acme.ID)} {
			olga.post(path, sourceSettings())
		}
		for _, path := range []string{"/console/sources", "/console/sources/hr", "/console/sources/hr/settings", "/console/sources/hr/forget"} {
			vera.get(path).is(http.StatusForbidden)
		}
		for _, path := range []string{"/console/sources/hr/settings", "/console/sources/hr/forget"} {
			vera.post(path, sourceSettings()).is(http.StatusForbidden)
		}
		source := must(s.prov.Source(t.Context(), identity.Operator(), s.acme.ID, "hr"))(t)
		if !source.Settings.AutoApply || len(source.Settings.Rules) > 0 {
			t.Errorf("somebody of another tenant, or a viewer, changed the source: %+v", source.Settings)
		}
		t.Run("nobody names a folder of the machine here", func(t *testing.T) {
			form := sourceSettings()
			form.Set("folder", "/etc")
			s.signedIn("ada@acme.example").post("/console/sources/new/settings", form).is(http.StatusOK)
			if got := must(s.prov.Source(t.Context(), identity.Operator(), s.acme.ID, "new"))(t); got.Settings.Folder != "" {
				t.Errorf("the folder is %q", got.Settings.Folder)
			}
		})
	})
}

func TestDriftOfASourceIsAPlanThatIsHeld(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		b.post("/console/sources/hr/drift", nil).is(http.StatusNotFound)
		first := b.planOf("email,displayName\np@acme.example,Pia Said\n", nil)
		b.post(first.path+"/apply", nil).is(http.StatusOK)
		s.work(t)
		b.post("/console/sources/hr/drift", nil).is(http.StatusOK).says("Everybody is as the source said last")
		p := s.somebody(t, "p@acme.example")
		change := func(u *identity.User) error { u.DisplayName = "Pia Changed"; return nil }
		must(s.prov.UpdateUser(t.Context(), identity.Operator(), p.ID, 0, change))(t)
		b.post("/console/sources/hr/drift", nil).is(http.StatusOK).says("Held", "drift of hr", "Pia Said")
		if got := s.now(p.ID).DisplayName; got != "Pia Changed" {
			t.Error("looking at drift changed somebody")
		}
		s.signedIn("vera@acme.example").post("/console/sources/hr/drift", nil).is(http.StatusForbidden)
	})
}
