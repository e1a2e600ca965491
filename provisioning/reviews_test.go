package provisioning_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// waiting returns what waits, newest first, as an actor sees it.
func (h *house) waiting(by identity.Actor) []identity.Review {
	h.t.Helper()
	return must[identity.Page[identity.Review]](h.t)(h.Reviews(h.ctx, by, provisioning.ReviewQuery{State: identity.ReviewOpen, Limit: 1000})).Items
}

// refused signs somebody in who must be refused with a code, and returns the newest review.
func (h *house) refused(c identity.Connection, cl identity.Claims, code string) identity.Review {
	h.t.Helper()
	_, err := h.signIn(c, cl)
	wantKind(h.t, err, identity.Forbidden, code)
	found := h.waiting(h.op)
	if len(found) == 0 || found[0].Code != code || found[0].Subject != cl.Subject {
		h.t.Fatalf("%s left %+v in the inbox", code, found)
	}
	return found[0]
}

func TestARefusedSignInIsOneReviewHoweverOftenThePersonTries(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.connection("IdP", func(c *identity.Connection) { c.Unknown = identity.UnknownRefuse })
		first := h.refused(c, claims("s1", "new@example.com"), "jit.off")
		for range 3 {
			h.refused(c, claims("s1", "new@example.com"), "jit.off")
		}
		h.refused(c, claims("s1", "new@other.test"), "email.domain_not_allowed") // the same subject, another reason
		all := h.waiting(h.op)
		if len(all) != 2 || all[1].ID != first.ID || all[1].Attempts != 4 || all[1].Name != "Ada Lovelace" || all[1].Message == "" {
			t.Fatalf("the inbox has %+v", all)
		}
		if err := h.DismissReview(h.ctx, h.op, first.ID, ""); identity.KindOf(err) != identity.Invalid {
			t.Errorf("dismissed without a reason: %v", err)
		}
		if err := h.DismissReview(h.ctx, h.op, first.ID, "a test account"); err != nil {
			t.Fatal(err)
		}
		_, err := h.signIn(c, claims("s1", "new@example.com"))
		wantKind(t, err, identity.Forbidden, "jit.off")
		d := must[provisioning.ReviewDetail](t)(h.Review(h.ctx, h.op, first.ID))
		if len(h.waiting(h.op)) != 1 || d.Review.State != identity.ReviewDismissed || d.Review.Attempts != 5 || d.Review.Note != "a test account" || d.Review.SettledBy != "operator" {
			t.Errorf("after dismissing it is %+v", d.Review)
		}
	})
}

func TestAProviderThatMakesUpSubjectsDoesNotFillTheInbox(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.connection("IdP", func(c *identity.Connection) { c.Unknown = identity.UnknownRefuse })
		other := h.connection("Other", func(c *identity.Connection) { c.Unknown = identity.UnknownRefuse })
		for i := range 510 {
			_, err := h.signIn(c, claims(fmt.Sprint("s", i), "new@example.com"))
			wantKind(t, err, identity.Forbidden, "jit.off")
		}
		if n := len(h.waiting(h.op)); n != 500 {
			t.Errorf("%d reviews", n)
		}
		h.refused(other, claims("s1", "new@example.com"), "jit.off")
	})
}

func TestASignInThatSucceedsSettlesWhatWaitedBecauseOfIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.connection("IdP", func(c *identity.Connection) { c.Unknown = identity.UnknownRefuse })
		r := h.refused(c, claims("s1", "new@example.com"), "jit.off")
		c.Unknown = identity.UnknownLanding
		u := must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com")))
		d := must[provisioning.ReviewDetail](t)(h.Review(h.ctx, h.op, r.ID))
		if d.Review.State != identity.ReviewSettled || d.Review.UserID != u.ID {
			t.Errorf("the review is %+v", d.Review)
		}
		must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, u.ID, ""))
		h.refused(c, claims("s1", "new@example.com"), "user.inactive")
		must[identity.User](t)(h.ActivateUser(h.ctx, h.op, u.ID, ""))
		must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com")))
		if n := len(h.waiting(h.op)); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

func TestReviewsAreOfTheTenantWhoseProviderItIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@acme.test"), acme.ID), Role: "administrator"}))
		viewer := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("viewer@acme.test"), acme.ID), Role: "viewer"}))
		other := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("viewer@beta.test"), beta.ID), Role: "viewer"}))
		refuse := func(tenant identity.TenantID, domain string) func(*identity.Connection) {
			return func(c *identity.Connection) {
				c.TenantID, c.Domains, c.Unknown = tenant, []string{domain}, identity.UnknownRefuse
			}
		}
		mine := h.refused(h.connection("Acme", refuse(acme.ID, "acme.test")), claims("s1", "new@acme.test"), "jit.off")
		theirs := h.refused(h.connection("Beta", refuse(beta.ID, "beta.test")), claims("s1", "new@beta.test"), "jit.off")
		platform := h.refused(h.connection("Ours", refuse("", "example.com")), claims("s1", "new@example.com"), "jit.off")
		by := h.as(boss.ID)
		if seen := h.waiting(by); len(seen) != 1 || seen[0].ID != mine.ID {
			t.Errorf("Acme's administrator sees %+v", seen)
		}
		for name, r := range map[string]identity.Review{"another tenant's": theirs, "the installation's": platform} {
			_, err := h.Review(h.ctx, by, r.ID)
			if identity.KindOf(err) != identity.NotFound {
				t.Errorf("%s review is shown: %v", name, err)
			}
			if err := h.LinkFromReview(h.ctx, by, r.ID, provisioning.Settlement{User: viewer.ID}); identity.KindOf(err) != identity.NotFound {
				t.Errorf("%s review is settled: %v", name, err)
			}
			if err := h.DismissReview(h.ctx, by, r.ID, "x"); identity.KindOf(err) != identity.NotFound {
				t.Errorf("%s review is dismissed: %v", name, err)
			}
		}
		if _, err := h.Reviews(h.ctx, h.as(viewer.ID), provisioning.ReviewQuery{Limit: 1}); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("a viewer reads the inbox: %v", err)
		}
		if err := h.LinkFromReview(h.ctx, by, mine.ID, provisioning.Settlement{User: other.ID}); identity.KindOf(err) != identity.NotFound {
			t.Errorf("linked to somebody of another tenant: %v", err)
		}
		wantKind(t, h.LinkFromReview(h.ctx, by, mine.ID, provisioning.Settlement{User: boss.ID, Note: "me"}), identity.Forbidden, "")
		if _, err := h.CreateFromReview(h.ctx, by, mine.ID, beta.ID, "viewer", ""); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("created in another tenant: %v", err)
		}
		if _, err := h.CreateFromReview(h.ctx, by, mine.ID, "", "superadmin", ""); err == nil {
			t.Error("a tenant's administrator made a Super Admin")
		}
		if err := h.LinkFromReview(h.ctx, by, mine.ID, provisioning.Settlement{User: viewer.ID}); err != nil {
			t.Fatal(err)
		}
		if err := h.LinkFromReview(h.ctx, by, mine.ID, provisioning.Settlement{User: viewer.ID}); identity.KindOf(err) != identity.Precondition {
			t.Errorf("settled twice: %v", err)
		}
	})
}

func TestAnAdministratorLinksCreatesAndReplaces(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		c := h.connection("IdP", func(c *identity.Connection) { c.Unknown = identity.UnknownRefuse })
		r := h.refused(c, claims("s1", "new@example.com"), "jit.off")
		_, err := h.CreateFromReview(h.ctx, h.op, r.ID, acme.ID, "emperor", "")
		wantKind(t, err, identity.Invalid, "")
		u := must[identity.User](t)(h.CreateFromReview(h.ctx, h.op, r.ID, acme.ID, "editor", "asked her"))
		if in := must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com"))); in.ID != u.ID || in.TenantID != acme.ID || h.roles(u.ID) != "editor " {
			t.Errorf("signed in as %+v with %s", in, h.roles(u.ID))
		}
		second := h.refused(c, claims("s2", "new@example.com"), "link.conflict")
		if second.UserID != u.ID {
			t.Errorf("the candidate is %q", second.UserID)
		}
		wantKind(t, h.LinkFromReview(h.ctx, h.op, second.ID, provisioning.Settlement{User: u.ID}), identity.Conflict, "link.conflict")
		if err := h.LinkFromReview(h.ctx, h.op, second.ID, provisioning.Settlement{User: u.ID, Replace: true}); err != nil {
			t.Fatal(err)
		}
		if in := must[identity.User](t)(h.signIn(c, claims("s2", "new@example.com"))); in.ID != u.ID {
			t.Error("the new subject is somebody else")
		}
		h.refused(c, claims("s1", "new@example.com"), "link.conflict")

		bad := h.refused(c, claims("s3", "not an address"), "email.invalid")
		_, err = h.CreateFromReview(h.ctx, h.op, bad.ID, acme.ID, "viewer", "")
		wantKind(t, err, identity.Invalid, "")
		someone := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("someone@elsewhere.test"), acme.ID), Role: "viewer"}))
		if err := h.LinkFromReview(h.ctx, h.op, bad.ID, provisioning.Settlement{User: someone.ID}); err != nil {
			t.Fatal(err)
		}
		if in := must[identity.User](t)(h.signIn(c, claims("s3", "still no address"))); in.ID != someone.ID {
			t.Error("the link by hand is not followed")
		}
		var text []string
		for _, e := range h.events(u.ID) {
			text = append(text, string(e))
		}
		for _, want := range []identity.EventType{identity.ReviewClosed, identity.UserCreated, identity.UserLinked, identity.UserUnlinked, identity.ReviewOpened} {
			if !strings.Contains(strings.Join(text, " "), string(want)) {
				t.Errorf("no event %s: %v", want, text)
			}
		}
	})
}
