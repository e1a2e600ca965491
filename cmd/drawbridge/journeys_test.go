package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// journeyStage is the whole program in this process, with the demo's fake Okta, Entra and identity provider; the tour is not given.
func journeyStage(t *testing.T) *stage {
	t.Helper()
	p := &program{stdout: io.Discard, stderr: io.Discard}
	listener, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.demoBridge(t.Context(), t.TempDir(), "", "http://"+listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- b.run(ctx, listener, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("the bridge ended with %v", err)
		}
		b.db.Close()
	})
	idp, err := newFakeIdP(t.Context(), b.settings.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(idp.close)
	s, err := b.stage(t.Context(), idp, &guide{p: p})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// admin is the Super Admin's browser, on the start page.
func (s *stage) admin(t *testing.T) *journey {
	t.Helper()
	j := newJourney(t, s.b.settings.URL)
	j.begin(demoAdmin, s.password)
	return j
}

func journeyNeed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAJourneyConnectsOktaSCIM(t *testing.T) {
	s := journeyStage(t)
	j := s.admin(t)
	j.follow("Connect a directory")
	j.write("Name", "Okta of Globex")
	j.press("Okta")
	j.choose("For", "Globex")
	j.follow("Create and show the token")
	j.sees("is ready", "shown this once")
	okta := &fakeOkta{pusher: pusher{base: j.value("SCIM connector base URL"), token: j.value("Token"), agent: "Okta SCIM Client 1.0.0", guide: s.guide}, people: []*person{
		{given: "Mary", family: "Jackson", email: "mary@" + globexDomain, title: "Engineer", key: "00u9mary"},
	}}
	j.arrived("connect Okta SCIM")
	journeyNeed(t, okta.push(t.Context()))
	u, err := s.b.findUser(t.Context(), "mary@"+globexDomain)
	if err != nil || string(u.ID) != okta.people[0].id {
		t.Fatalf("pushed as %s, found %s: %v", okta.people[0].id, u.ID, err)
	}
	j.follow("I have saved the token")
	j.sees("Okta of Globex", "What to type in")
}

func TestAJourneyConnectsSAMLAndTestsIt(t *testing.T) {
	s := journeyStage(t)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	idp, err := ssotest.NewSAML(server.URL+"/saml", ssotest.Person{Email: "katherine@" + globexDomain, GivenName: "Katherine", FamilyName: "Johnson"})
	journeyNeed(t, err)
	mux.Handle("/saml/", idp)
	j := s.admin(t)
	j.follow("Connect an identity provider")
	j.follow("Another provider SAML 2.0")
	j.write("Name", "Globex SAML")
	j.choose("For", "Globex")
	j.write("E-mail domains", globexDomain)
	j.follow("Next: the values")
	idp.Register(ssotest.SAMLClient{EntityID: j.value("Entity ID"), ACS: j.value("ACS URL")})
	j.write("Address of its metadata", idp.EntityID())
	j.follow("Create and test")
	j.follow("Go to the provider")
	j.follow("Katherine Johnson katherine@" + globexDomain)
	j.sees("It works", "katherine@"+globexDomain, "Nobody was created, linked or signed in", "Switch on")
	j.arrived("connect SAML and test it")
	j.follow("Switch on")
	j.sees("Globex SAML", "Enabled")
}

func TestAJourneyPlacesTwentyPeople(t *testing.T) {
	s := journeyStage(t)
	people := s.landed20(t)
	j := s.admin(t)
	j.follow("Place them")
	j.press("Tick everybody on this page")
	j.sees("20 people")
	j.choose("To tenant", "Acme")
	j.choose("With role", "Editor")
	j.follow("Preview")
	j.sees("Place 20 people?")
	j.follow("Place them")
	j.sees("everybody you chose was placed", "Nobody waits")
	j.arrived("place 20 people")
	acme, err := s.b.findUser(t.Context(), "edith@"+acmeDomain)
	journeyNeed(t, err)
	for _, who := range people {
		u, err := s.b.findUser(t.Context(), who.email)
		if err != nil || u.TenantID != acme.TenantID || len(u.Roles) != 1 || u.Roles[0].ID != "editor" {
			t.Errorf("%s is in %s with %v: %v", who.email, u.TenantID, u.Roles, err)
		}
	}
}

// landed20 has a directory of the whole installation push 20 people, who land.
func (s *stage) landed20(t *testing.T) []*person {
	t.Helper()
	d, token, err := s.b.people.CreateDirectory(t.Context(), identity.Operator(), identity.Directory{Name: "Okta of the group", Dialect: identity.DialectOkta, Enabled: true})
	journeyNeed(t, err)
	okta := &fakeOkta{pusher: pusher{base: viewDirectory(d, "", s.b.settings.URL).BaseURL, token: token, agent: "Okta SCIM Client 1.0.0", guide: s.guide}}
	for i := range 20 {
		okta.people = append(okta.people, &person{given: fmt.Sprintf("Person%02d", i), family: "Newcomer", email: fmt.Sprintf("person%02d@newcomers.example", i), key: fmt.Sprintf("00u%02d", i)})
		journeyNeed(t, okta.assign(t.Context(), okta.people[i]))
	}
	return okta.people
}

func TestAJourneyFindsOutWhyASignInFailed(t *testing.T) {
	s := journeyStage(t)
	s.idp.saml.Change(func(a *ssotest.Answer) { a.Audiences = []string{"https://somebody-else.example"} })
	b, err := newBrowser(s.b.settings.URL, s.guide)
	journeyNeed(t, err)
	journeyNeed(t, s.okta.push(t.Context()))
	refused, err := s.answer(t.Context(), b, s.okta.people[0], s.throughSAML)
	journeyNeed(t, err)
	journeyNeed(t, refused.expect(http.StatusForbidden, "Reference"))
	j := s.admin(t)
	j.sees("Refused last", "ada@"+acmeDomain)
	j.follow("ada@" + acmeDomain)
	j.sees("saml.wrong_audience", "https://somebody-else.example", "What to do")
	j.arrived("find out why a sign-in failed")
}

func TestAJourneyTakesALeaverOut(t *testing.T) {
	s := journeyStage(t)
	journeyNeed(t, s.okta.push(t.Context()))
	grace := s.okta.people[1]
	hers, err := s.signIn(t.Context(), grace, s.throughSAML)
	journeyNeed(t, err)
	_, err = s.b.people.PutHolding(t.Context(), identity.Operator(), identity.Holding{
		HoldingKey: identity.HoldingKey{Application: "flows", Kind: identity.Ownership, ForeignID: "f-1"}, Display: "Nightly flow", UserID: identity.UserID(grace.id),
	})
	journeyNeed(t, err)
	j := s.admin(t)
	j.write("Search for a person", "grace hopper")
	j.follow("Find")
	j.press("More")
	j.follow("Offboard")
	j.sees("1 open session ends", "Nightly flow")
	j.write("Successor", "ada@"+acmeDomain)
	j.write("Reason", "left on her own wish")
	j.follow("End access of Grace Hopper")
	j.sees("Sessions that ended 1", "Nightly flow", "Still to be handed over 1", "Ada Lovelace")
	j.arrived("take a leaver out")
	account, err := hers.get(t.Context(), "/account", "")
	journeyNeed(t, err)
	journeyNeed(t, account.expect(http.StatusSeeOther, ""))
	if again, err := s.answer(t.Context(), hers, grace, s.throughSAML); err != nil || again.status != http.StatusForbidden {
		t.Errorf("she tries again and is answered %d: %v", again.status, err)
	}
}

func TestAJourneyGivesARoleAndSeesWhy(t *testing.T) {
	s := journeyStage(t)
	journeyNeed(t, s.okta.push(t.Context()))
	j := s.admin(t)
	j.write("Search for a person", "ada lovelace")
	j.follow("Find")
	j.choose("Another role", "Editor")
	j.write("Reason", "edits flows since July")
	j.follow("Change role")
	j.sees("Editor", "Given by hand", "edits flows since July")
	j.follow("What that allows")
	j.sees("Editor", "Given by hand, by Demo Admin", "edits flows since July")
	j.arrived("give somebody a role and see why she has it")
}

func TestAJourneyWithoutScriptsSignsInPlacesEditsAndImports(t *testing.T) {
	s := journeyStage(t)
	s.landed20(t)
	j := newJourney(t, s.b.settings.URL)
	j.run(emulation.SetScriptExecutionDisabled(true))
	j.begin(demoAdmin, s.password)
	j.follow("Place them")
	j.press("Person03 Newcomer")
	j.press("Person04 Newcomer")
	j.choose("To tenant", "Acme")
	j.choose("With role", "Editor")
	j.follow("Preview")
	j.sees("Place 2 people?")
	j.follow("Place them")
	j.sees("everybody you chose was placed")
	j.arrived("place without scripts")

	j.follow("Drawbridge")
	j.clicks = 0
	j.write("Search for a person", "edith@"+acmeDomain)
	j.follow("Find")
	j.follow("Edit")
	j.write("Name", "Edith Clarke-Jones")
	j.follow("Save")
	j.sees("Edith Clarke-Jones")
	j.arrived("edit without scripts")
	j.imports(t)
	u, err := s.b.findUser(t.Context(), "jean.bartik@"+acmeDomain)
	if err != nil || u.Name().GivenName != "Jean" {
		t.Errorf("the file brought %+v: %v", u, err)
	}
}

// imports brings a file of people: what it would do is shown before it is done.
func (j *journey) imports(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.csv")
	journeyNeed(t, os.WriteFile(file, []byte("email,givenName,familyName\njean.bartik@"+acmeDomain+",Jean,Bartik\n"), 0o600))
	j.follow("Drawbridge")
	j.clicks = 0
	j.follow("Import")
	j.follow("New import")
	j.write("Source", "hr")
	j.choose("Whose people are they?", "Acme")
	j.attach("File", file)
	j.follow("Upload and choose columns")
	j.follow("Make the plan")
	j.sees("jean.bartik@" + acmeDomain)
	j.follow("Apply")
	j.follow("Apply to 1 person")
	j.sees("1 row done")
	j.arrived("import a file without scripts")
}
