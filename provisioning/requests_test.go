package provisioning_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// keep writes an entry of the journal that is as old as ago, and returns its id.
func (h *house) keep(ago time.Duration, r identity.Request) identity.RequestID {
	h.t.Helper()
	r.At = time.Now().Add(-ago).UTC()
	if r.ID == "" {
		ms := r.At.UnixMilli()
		r.ID = identity.RequestID(fmt.Sprintf("%08x-%04x%s", ms>>16, ms&0xffff, string(identity.NewID[identity.RequestID]())[13:]))
	}
	if r.Method == "" {
		r.Method = "POST"
	}
	if err := h.RecordRequest(h.ctx, r); err != nil {
		h.t.Fatal(err)
	}
	return r.ID
}

// found returns the paths of the requests that a query finds, in their order.
func (h *house) found(q provisioning.RequestQuery) string {
	h.t.Helper()
	if q.Limit == 0 {
		q.Limit = 10
	}
	var paths []string
	for _, r := range must[identity.Page[identity.Request]](h.t)(h.Requests(h.ctx, h.op, q)).Items {
		paths = append(paths, r.Path)
	}
	return strings.Join(paths, " ")
}

func TestTheJournalIsSearchedByEverythingThatARequestHas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta, entra := h.directory("Okta", "", identity.DialectOkta), h.directory("Entra", "", identity.DialectEntra)
		day := 24 * time.Hour
		h.keep(9*day, identity.Request{Path: "/old", Status: 201, DirectoryID: okta.DirectoryID()})
		h.keep(3*day, identity.Request{Path: "/taken", Status: 409, Code: "uniqueness", Detail: "The name is taken.", DirectoryID: okta.DirectoryID()})
		h.keep(2*day, identity.Request{Path: "/broken", Status: 500, Detail: "Something went wrong.", Method: "PATCH", DirectoryID: okta.DirectoryID()})
		h.keep(time.Hour, identity.Request{Path: "/Users?filter=100%25_x", Method: "GET", Status: 400, Detail: "The filter is empty.", DirectoryID: entra.DirectoryID()})
		id := h.keep(time.Minute, identity.Request{Path: "/Bulk", Status: 200, Detail: "1 of 2 operations failed.", DirectoryID: entra.DirectoryID()})
		now := time.Now()
		for name, c := range map[string]struct {
			q    provisioning.RequestQuery
			want string
		}{
			"everything, newest first": {provisioning.RequestQuery{}, "/Bulk /Users?filter=100%25_x /broken /taken /old"},
			"of one directory":         {provisioning.RequestQuery{DirectoryID: entra.DirectoryID()}, "/Bulk /Users?filter=100%25_x"},
			"failed, also in part":     {provisioning.RequestQuery{Failed: true}, "/Bulk /Users?filter=100%25_x /broken /taken"},
			"a class of statuses":      {provisioning.RequestQuery{Class: 4}, "/Users?filter=100%25_x /taken"},
			"the class of success":     {provisioning.RequestQuery{Class: 2}, "/Bulk /old"},
			"one status":               {provisioning.RequestQuery{Status: 409}, "/taken"},
			"one method in any case":   {provisioning.RequestQuery{Method: "patch"}, "/broken"},
			"a part of the path":       {provisioning.RequestQuery{Path: "100%25_"}, "/Users?filter=100%25_x"},
			"no pattern":               {provisioning.RequestQuery{Path: "%"}, "/Users?filter=100%25_x"},
			"since":                    {provisioning.RequestQuery{Since: now.Add(-2*day - time.Hour)}, "/Bulk /Users?filter=100%25_x /broken"},
			"until":                    {provisioning.RequestQuery{Until: now.Add(-day)}, "/broken /taken /old"},
			"between":                  {provisioning.RequestQuery{Since: now.Add(-4 * day), Until: now.Add(-day), Failed: true, Class: 5}, "/broken"},
			"by its id":                {provisioning.RequestQuery{ID: id}, "/Bulk"},
			"by what is no id":         {provisioning.RequestQuery{ID: "x' OR 1=1"}, ""},
		} {
			if got := h.found(c.q); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestTheJournalIsReadPageByPage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var want []string
		for i := range 7 {
			h.keep(time.Duration(i)*time.Minute, identity.Request{Path: fmt.Sprintf("/%d", i), Status: 400 + i%2, Detail: "x"})
			want = append(want, fmt.Sprintf("/%d", i))
		}
		var got []string
		q := provisioning.RequestQuery{Limit: 3, Failed: true}
		for {
			page := must[identity.Page[identity.Request]](t)(h.Requests(h.ctx, h.op, q))
			for _, r := range page.Items {
				got = append(got, r.Path)
				q.After = r.ID
			}
			if !page.More {
				break
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("the pages have %v", got)
		}
	})
}

func TestARequestIsFoundByWhomItWasAbout(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		push := func(name string) identity.User {
			by := okta
			by.RequestID = identity.NewID[identity.RequestID]()
			by.Request = &identity.Request{ID: by.RequestID, At: time.Now().UTC(), Method: "POST", Path: "/Users", Body: "{}", Status: 201, DirectoryID: okta.DirectoryID()}
			return h.push(by, name)
		}
		ada, bob := push("ada@example.com"), push("bob@example.com")
		g := must[identity.Group](t)(h.CreateGroup(h.ctx, okta, identity.Group{DisplayName: "Readers"}, members(bob.ID)))
		h.keep(0, identity.Request{Method: "GET", Path: "/Users/" + string(ada.ID), Status: 404, Detail: "x"})
		h.keep(0, identity.Request{Path: "/Users", Body: `{"userName":"Ada@example.com"}`, Status: 409, Detail: "x"})
		h.keep(0, identity.Request{Method: "PATCH", Path: "/Groups/" + string(g.ID), Body: `{"value":"` + string(ada.ID) + `"}`, Status: 400, Detail: "x"})
		h.keep(0, identity.Request{Path: "/Bulk", Status: 200, Detail: "x", Operations: []identity.RequestOperation{{Method: "DELETE", Path: "/Users/" + string(bob.ID), Status: 404}}})
		for _, c := range []struct {
			about string
			want  int
		}{{string(ada.ID), 3}, {strings.ToUpper(string(ada.ID)), 3}, {"ada@example.com", 3}, {"ADA@example.com", 3}, {"Ada@example.com", 4}, {string(bob.ID), 2}, {"bob@example.com", 2}, {"Readers", 1}, {string(g.ID), 1}, {"nobody", 0}, {"", 6}} {
			page := must[identity.Page[identity.Request]](t)(h.Requests(h.ctx, h.op, provisioning.RequestQuery{About: []string{c.about}, Limit: 20}))
			if len(page.Items) != c.want {
				t.Errorf("about %q: %d requests, want %d", c.about, len(page.Items), c.want)
			}
		}
	})
}

func TestARequestIsShownWithWhatItChanged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		okta.RequestID = identity.NewID[identity.RequestID]()
		okta.Request = &identity.Request{ID: okta.RequestID, At: time.Now().UTC(), Method: "POST", Path: "/Users", Status: 201, DirectoryID: okta.DirectoryID()}
		ada := h.push(okta, "ada@example.com")
		h.push(h.directory("Other", "", identity.DialectOkta), "bob@example.com")
		d := must[provisioning.RequestDetail](t)(h.Request(h.ctx, h.op, okta.RequestID))
		if len(d.Events) != 1 || d.Events[0].UserID != ada.ID || d.Request.Path != "/Users" || d.More {
			t.Errorf("%+v", d)
		}
		_, err := h.Request(h.ctx, h.op, identity.NewID[identity.RequestID]())
		wantKind(t, err, identity.NotFound, "")
		_, err = h.Request(h.ctx, h.op, "")
		wantKind(t, err, identity.NotFound, "")
		_, err = h.Request(h.ctx, okta, okta.RequestID)
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestOldEntriesOfTheJournalAreDeleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for i := range 1203 {
			h.keep(100*24*time.Hour+time.Duration(i)*time.Second, identity.Request{Path: "/old", Status: 201})
		}
		h.keep(80*24*time.Hour, identity.Request{Path: "/young", Status: 201})
		if n := must[int](t)(h.SweepRequests(h.ctx, 0)); n != 0 {
			t.Errorf("%d entries were deleted that are kept for ever", n)
		}
		if n := must[int](t)(h.SweepRequests(h.ctx, 90*24*time.Hour)); n != 1203 {
			t.Errorf("%d entries were deleted, want 1203", n)
		}
		if got := h.found(provisioning.RequestQuery{}); got != "/young" {
			t.Errorf("left is %q", got)
		}
	})
}

func TestReadsAreCountedAndWrittenTogether(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta, entra := h.directory("Okta", "", identity.DialectOkta), h.directory("Entra", "", identity.DialectEntra)
		count := func(by identity.Actor, n int) {
			for range n {
				h.CountRead(by.DirectoryID())
			}
		}
		today := func() map[identity.DirectoryID]int64 {
			return must[map[identity.DirectoryID]int64](t)(h.ReadsToday(h.ctx, h.op))
		}
		count(okta, 3)
		if got := today(); len(got) != 0 {
			t.Errorf("a read wrote at once: %v", got)
		}
		for range 2 {
			if err := h.WriteReads(h.ctx); err != nil {
				t.Fatal(err)
			}
		}
		count(okta, 2)
		count(entra, 1)
		if err := h.WriteReads(h.ctx); err != nil {
			t.Fatal(err)
		}
		if got := today(); got[okta.DirectoryID()] != 5 || got[entra.DirectoryID()] != 1 {
			t.Errorf("the counts are %v", got)
		}
		if err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.AddReads(h.ctx, okta.DirectoryID(), "2020-01-01", 7) }); err != nil {
			t.Fatal(err)
		}
		must[int](t)(h.SweepRequests(h.ctx, 24*time.Hour))
		if err := h.db.View(h.ctx, func(tx *store.Tx) error {
			old, err := tx.Reads(h.ctx, "2020-01-01")
			if len(old) != 0 {
				t.Errorf("old counts are kept: %v", old)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatCannotBeWrittenIsCountedTheNextTime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		h.CountRead(okta.DirectoryID())
		if err := h.db.Close(); err != nil {
			t.Fatal(err)
		}
		for _, when := range []string{"a closed database took the counts", "counts that were not written are lost"} {
			if h.WriteReads(h.ctx) == nil {
				t.Error(when)
			}
		}
	})
}
