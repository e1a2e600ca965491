package console_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// keep writes an entry of the journal.
func (s *site) keep(r identity.Request) identity.RequestID {
	s.t.Helper()
	r.ID, r.At, r.DirectoryID = identity.NewID[identity.RequestID](), time.Now().UTC(), s.push.DirectoryID()
	if err := s.prov.RecordRequest(s.t.Context(), r); err != nil {
		s.t.Fatal(err)
	}
	return r.ID
}

func TestTheJournalIsNarrowedByItsForm(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.keep(identity.Request{Method: "POST", Path: "/scim/v2/Users", Body: "{}", Status: 201})
		id := s.keep(identity.Request{Method: "PATCH", Path: "/scim/v2/Groups/x", Status: 409, Code: "uniqueness", Detail: "Taken already."})
		s.keep(identity.Request{Method: "POST", Path: "/scim/v2/Bulk", Status: 200, Detail: "1 of 3 operations failed."})
		b := s.signedIn("root@bridge.example")
		today := time.Now().UTC().Format(time.DateOnly)
		all := []string{"/scim/v2/Users", "/scim/v2/Groups/x", "/scim/v2/Bulk"}
		for query, want := range map[string][]string{
			"":                                   all,
			"result=failed":                      all[1:],
			"failed=1":                           all[1:],
			"result=2xx":                         {all[0], all[2]},
			"result=4xx":                         all[1:2],
			"status=409":                         all[1:2],
			"method=POST":                        {all[0], all[2]},
			"path=Groups":                        all[1:2],
			"id=" + string(id):                   all[1:2],
			"since=" + today + "&until=" + today: all,
			"since=2100-01-01":                   nil,
			"until=2020-01-01":                   nil,
			"about=" + string(s.ada.ID):          nil,
			"directory=" + string(s.push.ID):     all,
			"directory=" + string(s.acme.ID):     nil,
			"result=failed&method=POST":          all[2:],
		} {
			page := b.get("/console/requests?" + query).is(http.StatusOK)
			var got []string
			for _, path := range page.all(`<code>(/scim/v2/[^<]+)</code>`) {
				got = append([]string{path}, got...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
		for query, problem := range map[string]string{"status=many": "from 100 to 599", "since=yesterday": "2026-01-31", "until=x": "2026-01-31", "id=x": "X-Request-Id", "result=9xx": "one of the list"} {
			b.get("/console/requests?" + query).is(http.StatusOK).says(problem).hides("/scim/v2/Users</code>")
		}
	})
}

func TestAnEventLeadsToItsRequestAndBack(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		by := s.push
		by.RequestID = identity.NewID[identity.RequestID]()
		by.Request = &identity.Request{
			ID: by.RequestID, At: time.Now().UTC(), DirectoryID: by.DirectoryID(), Method: "PUT", Path: "/scim/v2/Users/x?attributes=a%20b", Status: 200,
			Body: `{"userName":"<b>edsger","list":[1]}`,
		}
		edsger := s.landBy(by, "edsger@partner.example")
		b := s.signedIn("root@bridge.example")
		link := "/console/requests/" + string(by.RequestID)
		for _, page := range []string{"/console/events?user=" + string(edsger.ID), "/console/users/" + string(edsger.ID)} {
			if found := b.get(page).is(http.StatusOK).all(`href="(/console/requests/[^"]+)"`); !slices.Contains(found, link) {
				t.Errorf("%s leads to %v", page, found)
			}
		}
		page := b.get(link).is(http.StatusOK).says("PUT request", "Okta of the house", "a b", string(by.RequestID)).hides("<b>edsger")
		if len(page.all(`href="(/console/users/`+string(edsger.ID)+`)"`)) == 0 || len(page.all("(&#34;list&#34;: \\[\n    1\n  \\])")) == 0 {
			t.Errorf("no link to the person, or the body is not pretty: %s", page.body)
		}
		s.signedIn("ada@acme.example").get(link).is(http.StatusForbidden)
		b.get("/console/requests/" + string(identity.NewID[identity.RequestID]())).is(http.StatusNotFound).says("not in the journal")
	})
}

func TestARefusedRequestSaysWhatToDo(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		id := s.keep(identity.Request{Method: "POST", Path: "/scim/v2/Users", Body: `{"cut": … (9 more bytes are not kept)`, Status: 409, Code: "uniqueness", Detail: "The name <i>x is taken."})
		bulk := s.keep(identity.Request{Method: "POST", Path: "/scim/v2/Bulk", Status: 200, Detail: "1 of 2 operations failed.", Operations: []identity.RequestOperation{
			{Method: "POST", Path: "/Users", BulkID: "a", ID: "the-new-one", Status: 201}, {Method: "DELETE", Path: "/Users/y", Status: 404, Detail: "There is no user."}, {Method: "DELETE", Path: "/Users/z"},
		}})
		b := s.signedIn("root@bridge.example")
		b.get("/console/requests/"+string(id)).is(http.StatusOK).says("uniqueness", "is taken.", "What to do:", "rename one of the two", "9 more bytes", "it was refused").hides("<i>x")
		b.get("/console/requests/"+string(bulk)).is(http.StatusOK).says("1 of 2 operations failed.", "the-new-one", "There is no user.", "not begun")
	})
}

func TestReadsOfTodayAreShown(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for range 1234 {
			s.prov.CountRead(s.push.DirectoryID())
		}
		if err := s.prov.WriteReads(t.Context()); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn("root@bridge.example")
		b.get("/console/requests").is(http.StatusOK).says("Reads today that succeeded", "1\u202f234")
		b.get("/console/directories/"+s.push.ID).is(http.StatusOK).says("Reads today", "1\u202f234")
	})
}

// landBy pushes somebody by a request of the directory.
func (s *site) landBy(by identity.Actor, email string) identity.User {
	s.t.Helper()
	push := s.push
	s.push = by
	defer func() { s.push = push }()
	return s.land(s.t.Context(), email, "Edsger Dijkstra")
}
