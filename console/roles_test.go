package console_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// roleHouses runs a test in a house of an access model on every kind of database.
func roleHouses(t *testing.T, preset string, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, houseOn(t, db, preset)) })
}

// visitor is a client without scripts in which somebody of the house is signed in.
func (h *house) visitor(who identity.User) *browser {
	h.t.Helper()
	cookie, _, err := h.authn.StartSession(h.t.Context(), who, identity.Session{ConnectionID: h.door, Upstream: identity.Upstream{AMR: []string{"mfa"}}}, "")
	if err != nil {
		h.t.Fatal(err)
	}
	b := &browser{t: h.t, url: h.url, client: &http.Client{Jar: must(cookiejar.New(nil))(h.t), Timeout: 30 * time.Second}}
	at := must(url.Parse(h.url))(h.t)
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "drawbridge", Value: cookie, Path: "/"}})
	return b
}

// roleNow reads a role as the database has it.
func (h *house) roleNow(id identity.RoleID) identity.RoleDefinition {
	h.t.Helper()
	return must(h.prov.Role(h.t.Context(), identity.Operator(), id, identity.Query{}))(h.t).Role
}

// roleForm returns what the edit form of a role would send if nothing was typed.
func roleForm(r reply) url.Values {
	r.t.Helper()
	f := url.Values{"version": {r.value("version")}, "title": {r.all(`name="title" value="([^"]*)"`)[0]}}
	f["grant"] = r.all(`name="grant" value="([^"]*)"[^>]* checked`)
	return f
}

func TestARoleIsEditedWithoutScripts(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		b := h.visitor(h.boss)
		f := roleForm(b.get("/console/roles/viewer/edit").is(http.StatusOK).says("Edit Viewer", "1 person holds it"))
		f.Set("level.home", "checked")
		f.Set("level.inbound", "unchecked")
		f.Set("description", "Looks at things")
		preview := b.post("/console/roles/viewer/preview", f).is(http.StatusOK).says("Save Viewer?", "1 person holds Viewer", "Viewer Person", "Home view view, edit more: edit", "Inbound view nothing less: view", "Looks at things")
		if h.roleNow("viewer").Description != "" {
			t.Error("the preview has saved")
		}
		sent := url.Values{}
		for _, name := range []string{"version", "title", "description", "level.home", "level.inbound"} {
			sent.Set(name, preview.value(name))
		}
		sent["grant"] = preview.all(`name="grant" value="([^"]*)"`)
		b.post("/console/roles/viewer", sent).is(http.StatusOK).at("/console/roles/viewer?done=role-updated").says("The role was saved", "Looks at things")
		now := h.roleNow("viewer")
		if strings.Join(now.Grants["home"], ",") != "view,edit" || now.Grants["inbound"] != nil || now.Description != "Looks at things" {
			t.Errorf("the role is %+v", now)
		}
		b.get("/console/roles/viewer/history").is(http.StatusOK).says("Role changed", "grants home view → view, edit grants inbound view")
	})
}

func TestAStaleFormOfARoleShowsBothAndLosesNothing(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		b := h.visitor(h.boss)
		f := roleForm(b.get("/console/roles/viewer/edit").is(http.StatusOK))
		before := h.roleNow("viewer")
		faster := provisioning.RoleDraft{Title: "Onlooker", Grants: map[string][]string{"visible": {"on"}}}
		must(h.prov.UpdateRole(t.Context(), identity.Operator(), "viewer", before.Version, faster))(t)
		f.Set("title", "My viewer")
		for _, path := range []string{"/console/roles/viewer/preview", "/console/roles/viewer"} {
			stale := b.post(path, f).is(http.StatusPreconditionFailed).says("Somebody saved this role", "Onlooker", "It now says", "Home", "more: view")
			stale.has(`value="My viewer"`)
			if h.roleNow("viewer").Title != "Onlooker" {
				t.Fatal("a stale form has saved")
			}
			if v := stale.value("version"); v == f.Get("version") {
				t.Error("saving again would be refused again")
			}
		}
		f.Del("version")
		b.post("/console/roles/viewer", f).is(http.StatusPreconditionFailed)
	})
}

func TestWhatIsSensitiveInARoleIsConfirmed(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		b := h.visitor(h.boss)
		f := roleForm(b.get("/console/roles/viewer/edit"))
		f.Add("grant", "connection_config:view")
		b.post("/console/roles/viewer/preview", f).is(http.StatusOK).says("This is sensitive", "Connection Config", "may then also: view").has(`name="confirm" value="connection_config" required`)
		b.post("/console/roles/viewer", f).is(http.StatusPreconditionFailed).says("Tick every line above")
		if h.roleNow("viewer").Grants["connection_config"] != nil {
			t.Fatal("it was granted without a word")
		}
		f.Set("confirm", "connection_config")
		b.post("/console/roles/viewer", f).is(http.StatusOK).at("/console/roles/viewer?done=role-updated")
		made := url.Values{"title": {"Keys"}, "scope": {"tenant"}, "grant": {"visible:on", "connection_config:view"}}
		b.post("/console/roles", made).is(http.StatusOK).says("Save Keys?", "This is sensitive")
		made.Set("confirm", "connection_config")
		b.post("/console/roles", made).is(http.StatusOK).at("/console/roles/keys?done=role-created")
	})
}

func TestARoleIsRefusedAtItsFields(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		keeper := must(h.prov.CreateRole(t.Context(), identity.Operator(), provisioning.RoleDraft{
			Title: "Keeper", Grants: map[string][]string{"visible": {"on"}, "users": {"view", "edit"}, "profiles": {"view", "edit"}}, ConfirmSensitive: []string{"users", "profiles"},
		}))(t)
		b := h.visitor(must(h.hire("keeper@house.example", "Keeper", h.home.ID, keeper.ID))(t))
		f := roleForm(b.get("/console/roles/viewer/edit").is(http.StatusOK))
		f.Add("grant", "connector:edit")
		refused := b.post("/console/roles/viewer/preview", f).is(http.StatusForbidden).says("You may not grant Connector: edit, which you do not hold yourself.")
		if !strings.Contains(refused.body, `<tr class="bad-row"><th scope="row">Connector<`) {
			t.Error("the row is not marked")
		}
		b.post("/console/roles/viewer", f).is(http.StatusForbidden).says("You may not grant Connector: edit")
		for want, form := range map[string]url.Values{
			"There is a role Viewer already; choose another name.": {"title": {"VIEWER"}, "description": {"kept text"}},
			"A role needs a name.":                                 {"title": {" "}, "description": {"kept text"}},
		} {
			r := b.post("/console/roles", form).says(want).has("kept text")
			if r.status != http.StatusConflict && r.status != http.StatusBadRequest {
				t.Errorf("%q is answered with %d", want, r.status)
			}
		}
		b.post("/console/roles", url.Values{"title": {"Odd"}, "grant": {"nothing:view"}}).is(http.StatusBadRequest).says("has no")
	})
}

func TestARoleIsDeletedWhenItsPeopleHaveAnother(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		b := h.visitor(h.boss)
		who := h.people["restricted"]
		b.get("/console/roles/restricted/delete").is(http.StatusOK).says("Delete No credentials?", "No credentials Person", "Move 1 user, then delete No credentials")
		b.post("/console/roles/restricted/delete", nil).is(http.StatusConflict).says("One person holds No credentials", "Name the role that they get instead.")
		b.post("/console/roles/restricted/delete", url.Values{"reassign_to": {"superadmin"}}).is(http.StatusBadRequest).says("people of another kind")
		b.post("/console/roles/administrator/delete", url.Values{"reassign_to": {"viewer"}}).is(http.StatusForbidden).says("cannot be deleted")
		if got := h.now(who.ID).Roles[0].ID; got != "restricted" {
			t.Fatalf("a refusal has moved somebody to %s", got)
		}
		b.post("/console/roles/restricted/delete", url.Values{"reassign_to": {"viewer"}, "reason": {"no longer"}}).is(http.StatusOK).at("/console/roles?done=role-deleted").says("The role was deleted")
		if got := h.now(who.ID).Roles[0].ID; got != "viewer" {
			t.Errorf("the person has %s", got)
		}
		b.get("/console/roles/restricted").is(http.StatusNotFound)
	})
	h := newHouse(t, "fentu-fsm") // here nobody is moved: they get another role first
	b := h.visitor(h.boss)
	b.get("/console/roles/manager/delete").is(http.StatusOK).says("Give them another role first").hides("button-danger")
	b.post("/console/roles/manager/delete", url.Values{"reassign_to": {"dispatcher"}}).is(http.StatusConflict)
}

func TestNobodyChangesRolesWithoutTheRight(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		before := h.roleNow("viewer")
		b := h.visitor(h.people["viewer"])
		for _, path := range []string{"", "/new", "/viewer", "/viewer/users", "/viewer/history", "/viewer/edit", "/viewer/delete"} {
			b.get("/console/roles" + path).is(http.StatusForbidden).hides("Integration Manager")
		}
		for _, path := range []string{"/console/access", "/console/access/matrix", "/console/access/dormant", "/console/access-reviews", "/console/access-reviews/new"} {
			b.get(path).is(http.StatusForbidden)
		}
		f := url.Values{"title": {"Boss"}, "version": {"1"}, "grant": {"visible:on", "users:edit"}, "confirm": {"users"}, "reassign_to": {"administrator"}}
		for _, path := range []string{"", "/new", "/viewer", "/viewer/preview", "/viewer/edit", "/viewer/delete", "/viewer/reviewed"} {
			b.post("/console/roles"+path, f).is(http.StatusForbidden)
		}
		review := must(h.prov.StartAccessReview(t.Context(), identity.Operator(), provisioning.NewAccessReview{Tenant: h.home.ID, Scope: identity.AccessReviewScope{Kind: identity.ReviewEverybody}}))(t)
		at := "/console/access-reviews/" + string(review.ID)
		act := url.Values{"user": {string(h.boss.ID)}, "reason": {"x"}, "scope": {"everybody"}, "decision": {"deactivate"}}
		for _, path := range []string{"/console/access/dormant", "/console/access/dormant/preview", "/console/access-reviews", at + "/decide", at + "/close", at + "/evidence"} {
			b.post(path, act).is(http.StatusForbidden)
		}
		if now := h.roleNow("viewer"); now.Version != before.Version || now.ReviewedAt != nil || !h.now(h.boss.ID).Enabled {
			t.Error("something has changed")
		}
	})
}

func TestARoleIsComparedWhileItIsTyped(t *testing.T) {
	h := newHouse(t, "fentu-connect")
	b := h.visitor(h.boss)
	f := roleForm(b.get("/console/roles/viewer/edit?against=restricted").is(http.StatusOK).says("Home", "less: edit", "same"))
	f.Set("title", "Half typed")
	f.Set("against", "administrator")
	f["grant"] = []string{"visible:on", "home:edit"}
	again := b.post("/console/roles/viewer/edit", f).is(http.StatusOK).says("less: view", "Administrator").has(`value="Half typed"`)
	if got := strings.Join(again.all(`name="grant" value="([^"]*)"[^>]* checked`), " "); got != "visible:on home:edit" {
		t.Errorf("the ticks are %q", got)
	}
	if h.roleNow("viewer").Title != "Viewer" {
		t.Error("comparing has saved")
	}
}

func TestAPreviewOfARoleSaysForWhomSomethingChanges(t *testing.T) {
	roleHouses(t, "fintechos", func(t *testing.T, h *house) {
		for i := range mostNamedRoles + 2 {
			who := must(h.hire(fmt.Sprintf("o%02d@house.example", i), fmt.Sprintf("Officer %02d", i), h.home.ID, "officer"))(t)
			if i == 0 {
				must(h.prov.AssignRole(t.Context(), identity.Operator(), who.ID, "auditor", "also"))(t)
			}
		}
		b := h.visitor(h.root)
		f := roleForm(b.get("/console/roles/officer/edit").is(http.StatusOK))
		f["grant"] = slices.DeleteFunc(f["grant"], func(grant string) bool { return grant == "records:view" })
		f.Set("data.records", "branch")
		b.post("/console/roles/officer/preview", f).is(http.StatusOK).says("For 19 people of those named here something changes",
			"Officer 00 also holds other roles nothing, because of what else they have or lack", "Officer 01 Entity records less: view", "not worked out for up to 3 more people")
		if got := h.roleNow("officer").Grants["records"]; len(got) != 3 {
			t.Errorf("the preview has saved %q", got)
		}
		same := roleForm(b.get("/console/roles/officer/edit"))
		same.Set("description", "Officers")
		same.Set("data.records", "branch")
		b.post("/console/roles/officer/preview", same).is(http.StatusOK).says("Officer 00", "and others").hides("What changes for them")
	})
}

// mostNamedRoles is how many people the preview of a role names.
const mostNamedRoles = 20

func TestARoleSaysHowFarItGoes(t *testing.T) {
	roleHouses(t, "fintechos", func(t *testing.T, h *house) {
		b := h.visitor(h.root)
		page := b.get("/console/roles/officer/edit").is(http.StatusOK).says("How far", "personal, as usual").has(`<option value="branch" selected>`)
		f := roleForm(page)
		f.Set("data.records", "global")
		preview := b.post("/console/roles/officer/preview", f).is(http.StatusOK).says("Entity records view, create, edit (branch) view, create, edit (global) another reach", "For 1 person of those named here something changes", "Officer Person Entity records view (branch → global)").hides("not worked out")
		preview.has(`value="Save and reload">Save and reload<`, `value="Save and close">Save and close<`)
		f.Set("then", "Save and reload")
		b.post("/console/roles/officer", f).is(http.StatusOK).at("/console/roles/officer/edit?done=role-updated")
		if got := h.roleNow("officer").Levels["records"]; got != "global" {
			t.Errorf("the records go %q far", got)
		}
		f.Set("version", b.get("/console/roles/officer/edit").value("version"))
		f.Set("then", "Save and close")
		b.post("/console/roles/officer", f).is(http.StatusOK).at("/console/roles?done=role-unchanged")
	})
}

func TestRolesThatTheModelFixesAreShown(t *testing.T) {
	h := newHouse(t, "etlworks")
	b := h.visitor(h.root)
	for _, path := range []string{"/console/roles", "/console/roles/editor", "/console/access/matrix"} {
		b.get(path).is(http.StatusOK).says("The access model fixes its roles").hides(`href="/console/roles/new`, `/edit"`, `/delete"`, ">Clone<")
	}
	b.get("/console/roles/editor?against=viewer").is(http.StatusOK).says("Schedules", "more: create, edit, delete, execute", "same")
	b.get("/console/roles/editor/users").is(http.StatusOK).says("Editor Person", "Given by hand", "lives here")
	b.get("/console/roles/editor/edit").is(http.StatusForbidden).says("fixes its roles")
	b.post("/console/roles", url.Values{"title": {"Mine"}}).is(http.StatusForbidden)
	b.post("/console/roles/editor", url.Values{"title": {"Mine"}, "version": {"1"}}).is(http.StatusForbidden)
	b.post("/console/roles/editor/reviewed", url.Values{"note": {"looked"}}).is(http.StatusOK).says("It is noted")
	h.visitor(h.boss).get("/console/access").is(http.StatusOK).says("Administrator Person").hides(`href="/console/roles`)
}

func TestEveryModelHasItsMatrix(t *testing.T) {
	for preset, want := range map[string][]string{
		"etlworks":         {"SuperAdmin", "Flows", "view, execute"},
		"fentu-connect":    {"Integration Manager", "Connection Config sensitive", "read-only"},
		"fentu-fsm":        {"Dispatcher", "Work orders"},
		"fintechos":        {"Officer", "view, create, edit branch", "Is Administrator by flag"},
		"fluentpro-backup": {"Owner", "View only"},
	} {
		h := newHouse(t, preset)
		super := must(h.hire("super@house.example", "Super", "", "superadmin"))(t)
		b := h.visitor(super)
		b.get("/console/access/matrix").is(http.StatusOK).says(want...)
		for _, role := range must(h.prov.Roles(t.Context(), identity.Operator()))(t) {
			if r := b.get("/console/roles/" + string(role.ID) + "?against=viewer"); r.status != http.StatusOK {
				t.Errorf("%s: %s answers %d", preset, role.ID, r.status)
			}
		}
	}
}
