package console_test

import (
	"encoding/csv"
	"net/http"
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

func TestTheAccessReportIsNarrowedAndPaged(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		b := h.visitor(h.boss)
		b.get("/console/access").is(http.StatusOK).says("Viewer Person", "Given by hand · operator", "lives here", "read-only Home", "4 in all")
		b.get("/console/access?role=viewer").is(http.StatusOK).says("Viewer Person", "1 in all").hides("Integration Manager Person")
		b.get("/console/access?resource=connection_config").is(http.StatusOK).says("Integration Manager Person", "checked Connection Config", "2 in all").hides("Viewer Person")
		b.get("/console/access?q=no+cred").is(http.StatusOK).says("No credentials Person", "1 in all").hides("Viewer Person")
		b.get("/console/access?sensitive=yes").is(http.StatusOK).says("Who may do what is sensitive", "2 people by SuperAdmin, Administrator, Integration Manager").hides("Viewer Person")
		b.get("/console/access?q=nobody-at-all").is(http.StatusOK).says("Nobody whom you may see has that")
		for i := range 50 {
			must(h.hire(string(rune('a'+i%26))+string(rune('a'+i/26))+"@many.example", "Many", h.home.ID, "viewer"))(t)
		}
		rows := `<a class="row" href="/console/users/([0-9a-f-]+)"`
		first := b.get("/console/access?role=viewer").is(http.StatusOK).says("50 on this page")
		next := b.get(first.all(`href="([^"]+)" rel="next"`)[0]).is(http.StatusOK)
		if n := len(first.all(rows)) + len(next.all(rows)); n != 51 {
			t.Errorf("two pages have %d people, not 51", n)
		}
		file := b.post("/console/exports/access", url.Values{"format": {"csv"}, "column": provisioning.AccessColumns(), "resource": {"connection_config"}}).is(http.StatusOK)
		table := must(csv.NewReader(strings.NewReader(strings.TrimPrefix(file.body, "\ufeff"))).ReadAll())(t)
		if len(table) != 3 {
			t.Errorf("the file has %d lines: %v", len(table), table)
		}
	})
}

func TestAReviewOfAccessIsDecidedInBulk(t *testing.T) {
	roleHouses(t, "fentu-connect", func(t *testing.T, h *house) {
		b := h.visitor(h.boss)
		b.post("/console/access-reviews", url.Values{"scope": {"role"}}).is(http.StatusBadRequest).says("Choose the role whose people are looked at.")
		b.post("/console/access-reviews", url.Values{"scope": {"everybody"}, "due": {"2001-01-01"}}).is(http.StatusBadRequest).says("within a year")
		page := b.post("/console/access-reviews", url.Values{"scope": {"everybody"}, "name": {"Autumn"}}).is(http.StatusOK).says("Autumn", "0 of 4 lines decided, 4 to go", "somebody else decides about you")
		at, _, _ := strings.Cut(page.path, "?")
		items := page.all(`name="item" value="([^"]+)" aria-label="[^"]*"(?:>| checked)`)
		if len(items) != 3 {
			t.Fatalf("%d lines can be ticked, not 3: the own one is another's", len(items))
		}
		b.post(at+"/decide", url.Values{"decision": {"keep"}}).is(http.StatusBadRequest).says("Tick at least one line.")
		b.post(at+"/decide", url.Values{"item": items, "decision": {"revoke"}}).is(http.StatusBadRequest).says("Say why")
		b.post(at+"/decide", url.Values{"item": items[:2], "decision": {"keep"}}).is(http.StatusOK).says("Your decisions were carried out", "2 of 4 lines decided, 2 to go")
		own := string(must(h.prov.AccessReview(t.Context(), identity.Operator(), reviewID(at), true, identity.Query{Limit: 9}))(t).Items.Items[0].ID)
		mixed := b.post(at+"/decide", url.Values{"item": {own, items[2]}, "decision": {"deactivate"}, "reason": {"left"}}).is(http.StatusOK)
		mixed.says("1 line was decided. These could not be", "Somebody else decides about your own access.", "3 of 4 lines decided")
		if !h.now(h.boss.ID).Enabled || h.now(h.people["restricted"].ID).Enabled {
			t.Error("the decision was not carried out as it says")
		}
		evidence := b.post(at+"/evidence", nil).is(http.StatusOK)
		if !strings.Contains(evidence.body, "left") || !strings.Contains(evidence.header.Get("Content-Disposition"), "access-review.csv") {
			t.Errorf("the evidence is %s", evidence.body)
		}
		b.get(at+"/close").is(http.StatusOK).says("Close Autumn?", "1 line is not decided")
		b.post(at+"/close", url.Values{"reason": {"done"}}).is(http.StatusOK).says("The review is closed", "Closed")
		b.post(at+"/decide", url.Values{"item": items, "decision": {"keep"}}).is(http.StatusConflict).says("closed this review already")
		b.get("/console/access-reviews").is(http.StatusOK).says("No review is open")
		b.get("/console/access-reviews?state=all").is(http.StatusOK).says("Autumn", "3 of 4")
	})
}

func reviewID(path string) identity.AccessReviewID {
	return identity.AccessReviewID(path[strings.LastIndex(path, "/")+1:])
}

func TestUnusedAccountsAreDeactivatedTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, "fentu-connect")
		accessLeaver(h, db, "Gina Gone", 120, true)
		accessLeaver(h, db, "Leo Left", 120, false)
		accessLeaver(h, db, "Uma Used", 0, false)
		b := h.visitor(h.boss)
		page := b.get("/console/access/dormant?why=not_seen&why=deactivated_upstream").is(http.StatusOK).says("Gina Gone", "Leo Left", "not seen, kept out by a directory").hides("Viewer Person")
		b.get("/console/access/dormant?why=deactivated_upstream").is(http.StatusOK).says("Gina Gone").hides("Leo Left", "Uma Used")
		b.get("/console/access/dormant?days=1").is(http.StatusBadRequest).says("The number of days is from 7 to 3650.")
		b.post("/console/access/dormant/preview", nil).is(http.StatusBadRequest).says("Tick at least one person.")
		ids := page.all(`name="user" value="([^"]+)"`)
		b.post("/console/access/dormant/preview", url.Values{"user": ids}).is(http.StatusOK).says("Deactivate 2 people?", "Gina Gone", "Leo Left")
		b.post("/console/access/dormant", url.Values{"user": ids}).is(http.StatusBadRequest).says("Say why")
		mixed := url.Values{"user": append(slices.Clone(ids), string(h.boss.ID)), "reason": {"left the company"}}
		b.post("/console/access/dormant", mixed).is(http.StatusOK).says("2 people were deactivated", "The others stay as they were", "Administrator Person")
		for _, id := range ids {
			if u := h.now(identity.UserID(id)); u.Enabled || !u.Held {
				t.Errorf("%s may still come in", u.UserName)
			}
		}
		b.get("/console/access/dormant?why=not_seen").is(http.StatusOK).hides("Gina Gone", "Leo Left")
	})
}

// accessLeaver puts somebody into the house who is 400 days old and was seen some days ago; a directory may keep the person out.
func accessLeaver(h *house, db *store.DB, name string, seen int, out bool) identity.User {
	h.t.Helper()
	ctx := h.t.Context()
	u := person(strings.ToLower(strings.ReplaceAll(name, " ", "."))+"@house.example", name, h.home.ID)
	at := time.Now().UTC().AddDate(0, 0, -seen)
	u.ID, u.Version, u.CreatedAt, u.UpdatedAt, u.LastLoginAt = identity.NewID[identity.UserID](), 1, at.AddDate(0, 0, -400), at, &at
	err := db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.InsertUser(ctx, u); err != nil {
			return err
		}
		return tx.InsertAssignment(ctx, identity.Assignment{
			ID: identity.NewID[identity.AssignmentID](), UserID: u.ID, RoleID: "viewer", Application: identity.DefaultApplication, Source: identity.SourceManual, GrantedBy: "operator", CreatedAt: u.CreatedAt,
		})
	})
	if err == nil && out {
		var dir identity.Directory
		if dir, _, err = h.prov.CreateDirectory(ctx, identity.Operator(), identity.Directory{Name: "Directory of the house", Dialect: identity.DialectOkta}); err == nil {
			err = db.Update(ctx, func(tx *store.Tx) error {
				return tx.PutDirectoryLink(ctx, identity.DirectoryLink{DirectoryID: dir.ID, UserID: u.ID, ExternalID: name, CreatedAt: at})
			})
		}
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}
