package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// attempted keeps a trace in Acme and returns it with its reference.
func (s *site) attempted(t identity.Trace) identity.Trace {
	s.t.Helper()
	t.ID, t.TenantID = identity.NewID[identity.TraceID](), s.acme.ID
	if !t.At.IsZero() {
		t.ID = identity.TraceID(identity.IDBefore(t.At))
	}
	if err := s.prov.RecordTrace(s.t.Context(), t); err != nil {
		s.t.Fatal(err)
	}
	return t
}

// provider creates a connection of Acme.
func (s *site) provider() identity.Connection {
	s.t.Helper()
	return must(s.prov.CreateConnection(s.t.Context(), identity.Operator(), identity.Connection{
		Name: "Okta of Acme", TenantID: s.acme.ID, Kind: identity.OIDC, Domains: []string{"acme.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
	}))(s.t)
}

func TestAReferenceLeadsToItsSignIn(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		trace := s.attempted(identity.Trace{ConnectionID: s.provider().ID, Code: "saml.expired", Email: "bob@acme.example"})
		s.attempted(identity.Trace{Code: "x", Subject: "01a2b3c4-0000-4000-8000-00000000abcd"})
		page, ada := "/console/signins/"+string(trace.ID), s.signedIn("ada@acme.example")
		for _, typed := range []string{string(trace.ID), " " + strings.ToUpper(string(trace.ID)) + " ", "Reference: " + string(trace.ID), "reference " + string(trace.ID) + "."} {
			ada.get("/console/signins?q=" + url.QueryEscape(typed)).is(http.StatusOK).at(page)
		}
		ada.get("/console/signins?reference=" + string(trace.ID)).at(page)
		ada.get("/console/signins?reference=" + string(identity.NewID[identity.TraceID]())).is(http.StatusNotFound).says("kept for 30 days")
		ada.get("/console/signins?q=01a2b3c4-0000-4000-8000-00000000abcd").is(http.StatusOK).says("1 in all")
		ada.get("/console/signins?q=" + string(identity.NewID[identity.TraceID]())).is(http.StatusOK).says("No such attempt")
	})
}

func TestSignInsAreNarrowedByTheirForm(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		c := s.provider()
		s.attempted(identity.Trace{ConnectionID: c.ID, Code: "oidc.expired", Email: "Bob@acme.example", Subject: "00u1", At: time.Now().Add(-26 * time.Hour)})
		s.attempted(identity.Trace{Code: "password.wrong", Email: "carol@acme.example"})
		ada := s.signedIn("ada@acme.example")
		const bob, carol = "Bob@acme.example", "carol@acme.example"
		day := func(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }
		for query, want := range map[string][2]bool{
			"": {true, true}, "refused=1": {true, true}, "q=BOB": {true, false}, "q=bob%40acme.example": {true, false}, "q=password": {false, true}, "email=BOB%40acme.example": {true, false},
			"subject=00u1": {true, false}, "code=oidc.": {true, false}, "connection=" + string(c.ID): {true, false}, "since=" + day(0) + "T00:00": {false, true},
			"until=" + day(1): {true, false}, "since=" + day(2) + "&until=" + day(0): {true, true}, "q=nobody": {false, false}, "user=" + string(s.vera.ID): {false, false},
		} {
			r := ada.get("/console/signins?" + query).is(http.StatusOK)
			if got := [2]bool{strings.Contains(r.body, bob+"</a>"), strings.Contains(r.body, carol+"</a>")}; got != want {
				t.Errorf("%s shows Bob and Carol: %v, want %v", query, got, want)
			}
		}
		for _, query := range []string{"since=yesterday", "until=x"} {
			ada.get("/console/signins?" + query).is(http.StatusOK).says("2026-01-31").hides(bob)
		}
	})
}

func TestTheCauseOfARefusalStandsOnTop(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		trace := s.attempted(identity.Trace{
			ConnectionID: s.provider().ID, Code: "saml.wrong_audience", Message: "Enter our entity id.", Email: "bob@acme.example", UserID: s.vera.ID, Purpose: identity.PurposeTest,
			Checks: []identity.Check{
				{Name: "document", Result: identity.Passed},
				{Name: "audience", Result: identity.Failed, Got: "<i>old", Expected: "https://new.example", Fix: "Enter our entity id."},
				{Name: "status", Result: identity.Failed, Fix: "Later."},
			},
			Facts: []identity.Fact{{Name: "department", Value: "<b>Sales"}},
		})
		r := s.signedIn("ada@acme.example").get("/console/signins/"+string(trace.ID)).is(http.StatusOK).hides("<i>old", "<b>Sales").
			says("The check “audience” failed: it got <i>old and expected https://new.example . What to do: Enter our entity id.", "department", "<b>Sales", "a test of the connection", "Okta of Acme", "30 days", string(trace.ID))
		if !strings.Contains(r.body, "/console/users/"+string(s.vera.ID)) {
			t.Error("the page does not lead to the user")
		}
	})
}

// shareOf makes a link on the page and returns its path.
func (b *browser) shareOf(form url.Values) string {
	b.t.Helper()
	r := b.post("/console/signins/links", form).is(http.StatusOK).says("It is shown this once")
	found := r.all(`<code>` + b.url + `(/shared/signins/[^<]+)</code>`)
	if len(found) != 1 {
		b.t.Fatalf("the page shows the links %v", found)
	}
	return found[0]
}

func TestALinkToASignInIsOpenedWithoutAnAccountUntilItIsRevoked(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		c := s.provider()
		trace := s.attempted(identity.Trace{ConnectionID: c.ID, Code: "saml.expired", Email: "bob@acme.example", Checks: []identity.Check{{Name: "validity", Result: identity.Failed, Fix: "Compare the clocks."}}})
		s.attempted(identity.Trace{ConnectionID: c.ID, Code: "saml.replay", Email: "carol@acme.example"})
		ada, stranger := s.signedIn("ada@acme.example"), s.browser()
		one := ada.shareOf(url.Values{"trace": {string(trace.ID)}, "hours": {"24"}})
		all := ada.shareOf(url.Values{"connection": {string(c.ID)}, "hours": {"1"}})
		r := stranger.get(one).is(http.StatusOK).says("Okta of Acme", "bob@acme.example", "Compare the clocks.", string(trace.ID)).hides("carol", "/console", "/account")
		for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if !strings.Contains(r.body, `<meta name="robots" content="noindex">`) || inline.MatchString(r.body) {
			t.Errorf("the page is not plain: %s", r.body)
		}
		stranger.get(all).is(http.StatusOK).says("b•••@acme.example", "c•••@acme.example", "Compare the clocks.").hides("bob@", "carol@")
		list := ada.get("/console/signins/links").is(http.StatusOK).says("one sign-in", "the refused sign-ins of Okta of Acme", "2 in all").hides(strings.TrimPrefix(one, "/shared/signins/"))
		for _, revoke := range list.all(`href="(/console/signins/links/[^"]+/revoke)"`) {
			ada.get(revoke).is(http.StatusOK).says("Revoke this link?")
			ada.post(revoke, nil).is(http.StatusOK).says("The link was revoked.", "Revoked")
			ada.post(revoke, nil).is(http.StatusNotFound)
		}
		var texts []string
		for _, path := range []string{one, all, "/shared/signins/x", "/shared/signins/" + identity.NewSecret(identity.SharePrefix)} {
			r := stranger.get(path).is(http.StatusNotFound).hides("bob")
			texts = append(texts, strings.Split(r.text(), "Reference")[0])
		}
		if texts[0] != texts[1] || texts[0] != texts[2] || texts[0] != texts[3] {
			t.Errorf("wrong and revoked links are told apart: %q", texts)
		}
		stranger.post(one, nil).is(http.StatusNotFound)
	})
}

func TestOnlyWhoMayChangeUsersLetsSignInsOut(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		trace := s.attempted(identity.Trace{ConnectionID: s.provider().ID, Code: "saml.expired"})
		form := url.Values{"trace": {string(trace.ID)}, "hours": {"24"}}
		s.signedIn("vera@acme.example").post("/console/signins/links", form).is(http.StatusForbidden)
		s.signedIn("root@bridge.example").post("/console/signins/links", form).is(http.StatusOK)
		other := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Other"))(t)
		s.user(t.Context(), "eve@other.example", "Eve", other.ID, "administrator")
		eve := s.signedIn("eve@other.example")
		eve.post("/console/signins/links", form).is(http.StatusNotFound)
		eve.get("/console/signins/links?trace=" + string(trace.ID)).is(http.StatusNotFound)
		eve.get("/console/signins/links").is(http.StatusOK).says("No links")
		ada := s.signedIn("ada@acme.example")
		for _, hours := range []string{"0", "721", "-5", "x"} {
			ada.post("/console/signins/links", url.Values{"trace": {string(trace.ID)}, "hours": {hours}}).is(http.StatusBadRequest).says("30 days at the latest")
		}
	})
}

func TestAMessageIsPastedOrUploadedAndNotShownAgain(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.signedIn("ada@acme.example")
		ada.get("/console/signins/explain").is(http.StatusOK).says("nothing is stored")
		form := url.Values{"message": {"the pasted message"}, "at": {"now"}}
		ada.post("/console/signins/explain", form).is(http.StatusOK).says("Would be refused", "The check “pasted” failed: it got the pasted message now", "Do something.").hides(`>the pasted message</textarea>`)
		ada.post("/console/signins/explain", url.Values{"message": {""}}).is(http.StatusBadRequest).says("Paste a message")
		upload := func(content string) reply {
			var body bytes.Buffer
			w := multipart.NewWriter(&body)
			part := must(w.CreateFormFile("file", "response.txt"))(t)
			part.Write([]byte(content))
			w.Close()
			r := must(http.NewRequest(http.MethodPost, s.url+"/console/signins/explain", &body))(t)
			r.Header.Set("Content-Type", w.FormDataContentType())
			return ada.do(r)
		}
		upload("an uploaded message").is(http.StatusOK).says("it got an uploaded message")
		upload(strings.Repeat("x", 512<<10+1)).is(http.StatusRequestEntityTooLarge).says("larger than 512 KB")
		s.signedIn("vera@acme.example").post("/console/signins/explain", form).is(http.StatusForbidden)
	})
}
