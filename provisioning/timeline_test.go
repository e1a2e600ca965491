package provisioning_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// story returns the sentences of somebody's timeline with what they lead to, newest first, read in pages of limit.
func (h *house) story(by identity.Actor, id identity.UserID, limit int) []string {
	h.t.Helper()
	var out []string
	q := provisioning.TimelineQuery{Limit: limit}
	for range 100 {
		page := must[identity.Page[provisioning.TimelineEntry]](h.t)(h.Timeline(h.ctx, by, id, q))
		for _, e := range page.Items {
			out = append(out, string(e.Kind)+" "+e.Sentence)
			q.Before = e.Cursor()
		}
		if !page.More {
			return out
		}
	}
	h.t.Fatal("the timeline does not end")
	return nil
}

// timelineCast is somebody to whom something of every kind happened.
type timelineCast struct {
	acme identity.Tenant
	ada  identity.User
	boss identity.Actor
	plan identity.Plan
}

func (h *house) timelineCast() timelineCast {
	h.t.Helper()
	acme := h.tenant("Acme")
	c := timelineCast{acme: acme, boss: h.administrator("boss@acme.test", acme.ID, "administrator")}
	okta := h.directory("Okta", acme.ID, identity.DialectOkta)
	okta.RequestID = identity.NewID[identity.RequestID]()
	c.ada = h.push(okta, "ada@acme.test")
	must[identity.Group](h.t)(h.CreateGroup(h.ctx, okta, identity.Group{DisplayName: "Readers"}, members(c.ada.ID)))
	h.keep(0, identity.Request{Method: "PATCH", Path: "/scim/v2/Users/" + string(c.ada.ID), Status: 400, Code: "invalidPath", Detail: "There is no such attribute.", DirectoryID: okta.DirectoryID(), TenantID: acme.ID})
	via := h.provider("IdP", acme.ID)
	h.record(identity.Trace{ConnectionID: via.ID, TenantID: acme.ID, UserID: c.ada.ID, Email: "ada@acme.test", Code: "saml.expired", At: time.Now()})
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		return tx.InsertMail(h.ctx, identity.Mail{To: "ada@acme.test", Subject: "Welcome", Text: "x", Kind: "welcome", UserID: c.ada.ID, TenantID: acme.ID})
	})
	if err != nil {
		h.t.Fatal(err)
	}
	must[identity.User](h.t)(h.SetRoles(h.ctx, c.boss, c.ada.ID, []identity.RoleID{"editor"}, "she writes"))
	c.plan = must[identity.Plan](h.t)(h.PlanImport(h.ctx, c.boss, file("email,roles", "ada@acme.test,nonsense"), provisioning.ImportOptions{Source: "hr"}))
	return c
}

func TestTheTimelineOfAPersonHasAllThatHappened(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.timelineCast()
		t.Run("FC-70 MIS-08 changes, groups, sign-ins, mails, plans and failed requests stand in one list, newest first", func(t *testing.T) {
			got := h.story(h.op, c.ada.ID, 0)
			want := []string{
				"plan Plan of people.csv, line 2: nothing: the row cannot be used",
				"change Got a role: role Editor, source manual",
				"change Lost a role: role Viewer -> none, source default -> none",
				"mail Mail to ada@acme.test: Welcome (waiting)",
				"signin Signed in through a provider: refused, saml.expired",
				"request PATCH /scim/v2/Users/" + string(c.ada.ID) + " was answered 400 (invalidPath)",
				"change Came into the group Readers",
			}
			if len(got) < len(want)+1 || !slices.Equal(got[:len(want)], want) || !strings.HasPrefix(got[len(got)-1], "change Created: tenant ") {
				t.Errorf("got\n%s", strings.Join(got, "\n"))
			}
			for _, limit := range []int{1, 2, 3} {
				if paged := h.story(h.op, c.ada.ID, limit); !slices.Equal(paged, got) {
					t.Errorf("in pages of %d it is\n%s", limit, strings.Join(paged, "\n"))
				}
			}
		})
		t.Run("each entry leads on", func(t *testing.T) { h.entriesLeadOn(t, c) })
		t.Run("an administrator of the tenant reads it without the requests, one of another tenant nothing", func(t *testing.T) {
			if mine := strings.Join(h.story(c.boss, c.ada.ID, 0), "\n"); !strings.Contains(mine, "saml.expired") || !strings.Contains(mine, "plan Plan of") || strings.Contains(mine, "request ") {
				t.Errorf("the own administrator reads\n%s", mine)
			}
			stranger := h.administrator("boss@beta.test", h.tenant("Beta").ID, "administrator")
			if got := h.story(stranger, c.ada.ID, 0); len(got) > 0 {
				t.Errorf("a stranger reads\n%s", strings.Join(got, "\n"))
			}
			_, err := h.Timeline(h.ctx, h.administrator("plain@acme.test", c.acme.ID, "viewer"), c.ada.ID, provisioning.TimelineQuery{})
			wantKind(t, err, identity.Forbidden, "")
		})
		t.Run("what is no place in it is refused", func(t *testing.T) {
			_, err := h.Timeline(h.ctx, h.op, c.ada.ID, provisioning.TimelineQuery{Before: "yesterday"})
			wantKind(t, err, identity.Invalid, "")
		})
	})
}

func (h *house) entriesLeadOn(t *testing.T, c timelineCast) {
	page := must[identity.Page[provisioning.TimelineEntry]](t)(h.Timeline(h.ctx, h.op, c.ada.ID, provisioning.TimelineQuery{}))
	for _, e := range page.Items {
		leads := map[provisioning.EntryKind]bool{
			provisioning.EntryPlan: e.Plan == c.plan.ID && e.Line == 2, provisioning.EntryMail: e.Mail != "", provisioning.EntrySignIn: e.Trace != "", provisioning.EntryRequest: e.Request != "",
			provisioning.EntryChange: e.Event != "" && (e.Actor != "Okta" || e.Request != ""),
		}
		if !leads[e.Kind] {
			t.Errorf("%+v leads nowhere", e)
		}
	}
}

func TestThoseWhoWereJoinedHaveOneTimeline(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		keep, drop := h.userIn(acme.ID, "ada@acme.test", "viewer"), h.userIn(acme.ID, "lovelace@acme.test", "editor")
		must[provisioning.MergePlan](t)(h.MergeUsers(h.ctx, h.op, provisioning.Merge{Keep: provisioning.PlacedUser{ID: keep.ID}, Drop: provisioning.PlacedUser{ID: drop.ID}, Reason: "one person"}))
		got := strings.Join(h.story(h.op, keep.ID, 2), "\n")
		if !strings.Contains(got, "userName lovelace@acme.test") || !strings.Contains(got, "userName ada@acme.test") || strings.Count(got, "change Joined") != 2 {
			t.Errorf("their story is\n%s", got)
		}
	})
}
