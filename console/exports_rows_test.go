package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestAnExportKeepsEveryFilterOfTheListAndSaysHowManyRowsItHas(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.user(t.Context(), "eddie@acme.example", "Eddie Editor", s.acme.ID, "editor")
		ada := s.signedIn("ada@acme.example")
		form := ada.get(ada.get("/console/users?role=editor").is(http.StatusOK).all(`href="(/console/exports/users\?[^"]*)"`)[0]).is(http.StatusOK).says("1 row of now", "Role", "Editor")
		file := ada.post("/console/exports/users", url.Values{"format": {"csv"}, "column": {"userName"}, "role": {form.value("role")}}).is(http.StatusOK)
		if got := strings.TrimSpace(file.body); got != "\ufeffuserName\r\neddie@acme.example" {
			t.Errorf("the file is %q", got)
		}
		ada.get("/console/events?type=users.exported").says("role editor")
		ada.get("/console/exports/users").says("3 rows of now")
		ada.get("/console/exports/users?status=Deleted").says("People who were deleted leave in no file")
		ada.post("/console/exports/users", url.Values{"format": {"csv"}, "column": {"userName"}, "status": {"Deleted"}}).is(http.StatusBadRequest)
		ada.get("/console/exports/audit?type=user.created").is(http.StatusOK).says("3 rows of now")
		s.signedIn("root@bridge.example").get("/console/exports/users?directory="+s.push.ID).is(http.StatusOK).says("2 rows of now", "Okta of the house")
	})
}

func TestUploadsOfHRSystemsHaveAPage(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		root := s.signedIn("root@bridge.example")
		root.get("/console/uploads").is(http.StatusOK).says("Nothing was uploaded")
		must(s.prov.ReceiveUpload(t.Context(), s.push, "nightly", 3, []byte(`{"Operations":[]}`)))(t)
		root.get("/console/directories").has(`href="/console/uploads"`, `href="/console/bursts"`)
		root.get("/console/uploads").is(http.StatusOK).says("Okta of the house", "nightly", "Waits", "1 in all")
		root.get("/console/uploads?directory=" + s.push.ID).says("nightly")
		root.get("/console/uploads?directory=" + string(identity.NewID[identity.DirectoryID]())).says("Nothing was uploaded").hides("nightly")
		for _, email := range []string{"ada@acme.example", "vera@acme.example"} {
			s.signedIn(email).get("/console/uploads").is(http.StatusForbidden)
		}
		if _, err := s.prov.Uploads(t.Context(), identity.Actor{Kind: identity.ActorUser, ID: string(s.ada.ID), TenantID: s.acme.ID, Roles: []identity.RoleID{"administrator"}}, provisioning.UploadQuery{Limit: 1}); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("an administrator of a tenant reads uploads: %v", err)
		}
	})
}
