package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestTheGuardOfADirectoryIsSetAndItsBurstsAreDecided(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, database string) {
		s := start(t, storetest.Open(t, database))
		b, ada := s.signedIn("root@bridge.example"), s.signedIn("ada@acme.example")
		at := "/console/directories/" + s.push.ID
		b.get(at + "/guard").is(http.StatusOK).says("one alone never waits")
		b.post(at+"/guard", url.Values{"most": {"many"}, "minutes": {"30"}}).is(http.StatusBadRequest).says("is no number").has(`value="30"`)
		b.post(at+"/guard", url.Values{"percent": {"101"}}).is(http.StatusBadRequest).says("write 0 to 100")
		b.post(at+"/guard", url.Values{"most": {"1"}, "percent": {"1"}, "minutes": {"30"}, "answer": {"202"}, "endsessions": {"1"}}).is(http.StatusOK).says("The guard was saved")
		dir := must(s.prov.Directory(t.Context(), identity.Operator(), identity.DirectoryID(s.push.ID)))(t)
		if g := dir.Guard; g.Most != 1 || g.Minutes != 30 || g.Answer != identity.AnswerQueue || !g.EndSession {
			t.Errorf("the guard is %+v", g)
		}
		b.get("/console/bursts").is(http.StatusOK).says("Nothing of the kind")
		guard := dir.Guard.For(dir.Dialect)
		by := s.push
		by.Guard = &guard
		var people []identity.User
		for i := range 3 {
			people = append(people, s.land(t.Context(), fmt.Sprintf("gone%d@partner.example", i), "Gone"))
		}
		storetest.Exec(t, database, `UPDATE directory_users SET created_at = '2020-01-01 00:00:00+00:00'`) // who came a moment ago may go again
		for _, u := range people {
			_ = s.prov.DeleteUser(t.Context(), by, u.ID, 0) // the guard holds all but the first
		}
		page := must(s.prov.Bursts(t.Context(), identity.Operator(), identity.Query{Limit: 5}))(t)
		if len(page.Items) != 1 {
			t.Fatalf("there are %d bursts", len(page.Items))
		}
		burst := "/console/bursts/" + string(page.Items[0].ID)
		b.get("/console/bursts").says("Okta of the house", "Waits")
		b.get(burst).is(http.StatusOK).says("would keep out", "deleted", "Drawbridge, once approved")
		for _, act := range []string{"approve", "reject"} {
			b.get(burst + "/" + act).is(http.StatusOK)
			ada.post(burst+"/"+act, url.Values{"reason": {"not mine"}}).is(http.StatusNotFound)
			s.signedIn("vera@acme.example").post(burst+"/"+act, url.Values{"reason": {"forged"}}).is(http.StatusForbidden)
		}
		ada.post(at+"/guard", url.Values{"most": {"-1"}}).is(http.StatusForbidden)
		b.post(burst+"/approve", nil).is(http.StatusBadRequest).says("Say why")
		b.post(burst+"/approve", url.Values{"reason": {"the contract ended"}}).is(http.StatusOK).says("Approved by Ingrid Root", "the contract ended")
		if found := s.find(t, "gone2@partner.example"); len(found) != 0 {
			t.Errorf("%d people are still there", len(found))
		}
	})
}
