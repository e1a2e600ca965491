package provisioning_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// file is a CSV file of some lines.
func file(lines ...string) provisioning.Upload {
	return upload("people.csv", []byte(strings.Join(lines, "\n")+"\n"))
}

func upload(name string, content []byte) provisioning.Upload {
	return provisioning.Upload{Name: name, Content: bytes.NewReader(content), Size: int64(len(content))}
}

// plan computes a plan that must be possible.
func (h *house) plan(o provisioning.ImportOptions, lines ...string) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.PlanImport(h.ctx, h.op, file(lines...), o))
}

// planSteps are all steps of a plan.
func (h *house) planSteps(id identity.PlanID) []provisioning.PlanStepView {
	h.t.Helper()
	return must[identity.Page[provisioning.PlanStepView]](h.t)(h.PlanSteps(h.ctx, h.op, id, provisioning.StepQuery{Limit: 1000})).Items
}

// steps writes the steps of a plan, one text each: action, state, who, and what is wrong.
func (h *house) steps(id identity.PlanID) []string {
	h.t.Helper()
	var out []string
	for _, s := range h.planSteps(id) {
		text := fmt.Sprintf("%d %s %s %s", s.Line, s.Action, s.State, s.Who)
		if s.Action == identity.StepError || s.Action == identity.StepConflict || s.State == identity.StepFailed || s.State == identity.StepChanged || s.State == identity.StepKept {
			text += ": " + s.Field + ": " + s.Detail
		}
		out = append(out, text)
	}
	return out
}

// wantSteps compares steps by their beginnings.
func (h *house) wantSteps(t *testing.T, id identity.PlanID, want ...string) {
	t.Helper()
	got := h.steps(id)
	ok := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		ok = ok && strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (h *house) apply(id identity.PlanID) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.ApplyPlan(h.ctx, h.op, id, provisioning.ApplyOptions{}))
}

func (h *house) bring(o provisioning.ImportOptions, lines ...string) identity.Plan {
	h.t.Helper()
	return h.apply(h.plan(o, lines...).ID)
}

// known returns the one person with a user name.
func (h *house) known(name string) identity.User {
	h.t.Helper()
	page := must[identity.Page[identity.User]](h.t)(h.Users(h.ctx, h.op, identity.Query{Search: name, Limit: 10}))
	if len(page.Items) != 1 {
		h.t.Fatalf("%d people are found by %s", len(page.Items), name)
	}
	return page.Items[0]
}

// rowsOfAllKinds is a file with every kind of row.
func (h *house) rowsOfAllKinds() []string {
	h.t.Helper()
	root, ok := h.Model().RootUnit()
	if !ok {
		h.t.Fatal("the model has no units")
	}
	return []string{
		"E-Mail;Vorname;Nachname;Rolle;Personalnummer;Telefon;Niederlassung;Benutzertyp",
		"ada@acme.test;Ada;Lovelace;technician;1815;+44 1;" + root + ";technician",
		"bob@acme.test;Bob;Builder;;7;;;",
		"nonsense;No;Body;dispatcher;8;;;",
		"ada@acme.test;Ada;Again;dispatcher;9;;;",
		"eve@acme.test;Eve;Else;king;10;;;",
		"old@acme.test;Olga;Old;;11;;;",
		"far@acme.test;Far;Away;;12;;Atlantis;",
		"odd@acme.test;Odd;One;;13;;;visitor",
		"x@acme.test;X;Y;;14;;;;;more",
	}
}

func TestAnImportShowsEveryRowBeforeAnythingIsWritten(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.account()
		boss := h.boss("boss@acme.test", "administrator")
		h.hire("old@acme.test", "dispatcher")
		lines := h.rowsOfAllKinds()
		before := h.count()
		var p identity.Plan
		t.Run("FSM-50 a dry run says of each row what it would do or why not, in the words of the rule, and writes nothing but the plan", func(t *testing.T) {
			p = must[identity.Plan](t)(h.PlanImport(h.ctx, boss, file(lines...), provisioning.ImportOptions{Source: "hr"}))
			h.wantSteps(
				t, p.ID,
				"2 create open Ada Lovelace", "3 create open Bob Builder",
				`4 error none nonsense: email: "nonsense" is no plain e-mail address`,
				"5 error none ada@acme.test: email: The same email is in line 2.",
				`6 error none eve@acme.test: role: There is no role "king" in the access model fentu-fsm.`,
				"7 update open old@acme.test",
				`8 error none far@acme.test: unit: There is no business unit "Atlantis" in the tenant.`,
				`9 error none odd@acme.test: type: There is no user type "visitor".`,
				"10 error none : : The line has more cells than the heading",
			)
			if h.count() != before || p.State != identity.PlanReady || p.TenantID != home.ID {
				t.Errorf("%d people, plan %+v", h.count(), p)
			}
			changes := h.planSteps(p.ID)[5].Changes
			want := []identity.Change{{Field: "givenName", After: "Olga"}, {Field: "familyName", After: "Old"}, {Field: "employeeNumber", After: "11"}}
			if diff := cmp.Diff(want, changes); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("FSM-50 the same plan is what is carried out, with an event for each person that names the file and the line", func(t *testing.T) {
			done := must[identity.Plan](t)(h.ApplyPlan(h.ctx, boss, p.ID, provisioning.ApplyOptions{}))
			if done.State != identity.PlanDone || done.Summary.Done != 3 || done.Summary.Failed != 0 || h.count() != before+2 {
				t.Fatalf("%+v", done)
			}
			ada := h.known("ada@acme.test")
			if h.roles(ada.ID) != "technician " || ada.Name().GivenName != "Ada" || ada.TenantID != home.ID {
				t.Errorf("%+v", ada)
			}
			created := h.lastEvent(identity.UserCreated)
			if created.Reason != "import people.csv, line 3" || created.ActorLabel != boss.Label {
				t.Errorf("%+v", created)
			}
			applied := h.lastEvent(identity.PlanApplied)
			if change(applied, "done").After != float64(3) || change(applied, "sha256").After != p.Summary.SHA256 {
				t.Errorf("%+v", applied)
			}
			if _, err := h.ApplyPlan(h.ctx, boss, p.ID, provisioning.ApplyOptions{}); identity.KindOf(err) != identity.Precondition {
				t.Errorf("it was carried out twice: %v", err)
			}
		})
		t.Run("MIS-08 roles from a file have it as their source, and the least role is what somebody new gets", func(t *testing.T) {
			if bob := h.known("bob@acme.test"); h.roles(bob.ID) != "read_only " {
				t.Error(h.roles(bob.ID))
			}
			ada := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, h.known("ada@acme.test").ID))
			if a := ada.Assignments[0]; a.Source != identity.SourceImport || a.SourceID != "hr" {
				t.Errorf("%+v", a)
			}
		})
	})
}

func TestAnImportComesAsCSVOrXLSXWithATemplate(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		for _, f := range []sheets.Format{sheets.CSV, sheets.XLSX} {
			t.Run("FSM-47 the template has the columns of the model, and importing it works: "+string(f), func(t *testing.T) {
				var b bytes.Buffer
				if err := h.WriteTemplate(h.ctx, h.op, f, &b); err != nil {
					t.Fatal(err)
				}
				columns := must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, upload("t."+string(f), b.Bytes()), provisioning.ImportOptions{})).Columns
				var fields []string
				for _, c := range columns {
					if c.Field != c.Heading {
						t.Errorf("the column %s is taken for %s", c.Heading, c.Field)
					}
					fields = append(fields, c.Field)
				}
				for _, want := range []string{"userName", "email", "role", "type", "unit", "team", "level", "employeeNumber", "password", "passwordHash"} {
					if !slices.Contains(fields, want) {
						t.Errorf("the template has no %s: %v", want, fields)
					}
				}
				if slices.Contains(fields, "tenant") || slices.Contains(fields, "external") {
					t.Errorf("the template has what this model does not know: %v", fields)
				}
				p := must[identity.Plan](t)(h.PlanImport(h.ctx, h.op, upload("t."+string(f), b.Bytes()), provisioning.ImportOptions{}))
				h.wantSteps(t, p.ID, "2 create open Ada Lovelace")
			})
		}
	})
}

func TestColumnsAreFieldsByTheirUsualNames(t *testing.T) {
	eachOn(t, "etlworks", func(t *testing.T, h *house) {
		for source, c := range map[string]struct{ header, want string }{
			"Okta":           {"login,firstName,lastName,email,primaryPhone,title,employeeNumber,department,status", "userName,givenName,familyName,email,phone,title,employeeNumber,department,active"},
			"Entra":          {"userPrincipalName,displayName,givenName,surname,mail,objectId,jobTitle,accountEnabled,mobilePhone", "userName,displayName,givenName,familyName,email,externalId,title,active,phone"},
			"Entra template": {"Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,First name [givenName],Last name [surname]", "displayName,userName,password,inactive,givenName,familyName"},
			"Workday":        {"Employee ID,Worker,Legal First Name,Legal Last Name,Primary Work Email,Business Title,Work Phone,Active Status,WID,Cost Centre", "employeeNumber,displayName,givenName,familyName,email,title,phone,active,externalId,costCenter"},
			"SuccessFactors": {"STATUS,USERID,USERNAME,FIRSTNAME,LASTNAME,MI,GENDER,EMAIL,MANAGER,EMPID,TITLE,BIZ_PHONE", "active,externalId,userName,givenName,familyName,,,email,manager,employeeNumber,title,phone"},
			"German":         {"Benutzername;Vorname;Nachname;E-Mail-Adresse;Personalnr.;Telefon;Stelle;Rolle;Mandant;Aktiv;Geburtstag", "userName,givenName,familyName,email,employeeNumber,phone,title,role,tenant,active,"},
			"two of a kind":  {"Mobile phone,Phone,E-Mail", ",phone,email"},
		} {
			t.Run("FSM-49 the columns of "+source, func(t *testing.T) {
				var got []string
				for _, m := range must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, file(c.header, "x"), provisioning.ImportOptions{})).Columns {
					got = append(got, m.Field)
				}
				if strings.Join(got, ",") != c.want {
					t.Errorf("got  %s\nwant %s", strings.Join(got, ","), c.want)
				}
			})
		}
		acme := h.tenant("Acme")
		t.Run("FSM-49 a mapping that was carried out is the next one of its source, and of no other", func(t *testing.T) {
			o := provisioning.ImportOptions{Tenant: acme.ID, Source: "workday"}
			o.Mapping = identity.Mapping{"Who": "email", "Mail": ""}
			h.bring(o, "Who,Mail", "ada@acme.test,else@acme.test")
			columns := must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, file("who,MAIL", "x,y"), provisioning.ImportOptions{Tenant: acme.ID, Source: "workday"})).Columns
			if columns[0].Field != "email" || !columns[0].Saved || columns[1].Field != "" {
				t.Errorf("%+v", columns)
			}
			columns = must[provisioning.ImportPreview](t)(h.PreviewImport(h.ctx, h.op, file("who,MAIL", "x,y"), provisioning.ImportOptions{Tenant: acme.ID, Source: "other"})).Columns
			if columns[0].Field != "" || columns[1].Field != "email" {
				t.Errorf("%+v", columns)
			}
		})
		t.Run("FSM-49 of two columns with one heading the first counts, and the next file with one of them is read by it", func(t *testing.T) {
			o := provisioning.ImportOptions{Tenant: acme.ID, Source: "doubled"}
			p := h.plan(o, "Mail,Mail,Name", "eve@acme.test,else@acme.test,Eve")
			if p.Options.Mapping["Mail"] != "email" {
				t.Errorf("%+v", p.Options.Mapping)
			}
			h.apply(p.ID)
			h.bring(o, "Mail,Name", "fay@acme.test,Fay")
			h.inTenant(acme.ID, "fay@acme.test")
		})
		t.Run("FSM-49 a source that sends two kinds of files remembers the columns of both", func(t *testing.T) {
			source := identity.Source{TenantID: acme.ID, Name: "two"}
			source.Settings.Mapping = identity.Mapping{"Who": "employeeNumber", "Post": "email", "Mobile": ""}
			must[identity.Source](t)(h.PutSource(h.ctx, h.op, source, ""))
			o := provisioning.ImportOptions{Tenant: acme.ID, Source: "two"}
			h.bring(o, "Who,Post", "71,gil@acme.test")
			h.bring(o, "employeeNumber,E-Mail,Title", "71,gil@acme.test,Analyst")
			h.bring(o, "Who,Post,Mobile", "71,gil@acme.test,1", "72,hal@acme.test,2")
			h.inTenant(acme.ID, "hal@acme.test")
			kept := must[identity.Source](t)(h.Source(h.ctx, h.op, acme.ID, "two")).Settings.Mapping
			if kept["E-Mail"] != "email" || kept["Post"] != "email" || kept["Mobile"] != "" || len(kept) != 6 {
				t.Errorf("%+v", kept)
			}
			source.Settings.Mapping = kept
			must[identity.Source](t)(h.PutSource(h.ctx, h.op, source, "")) // as it is shown it is written
		})
		t.Run("FSM-49 a mapping that cannot be is refused", func(t *testing.T) {
			for says, m := range map[string]identity.Mapping{
				"no column":   {"None": "email"},
				"no field":    {"E-Mail": "shoe size"},
				"Two columns": {"E-Mail": "email", "Mail": "email"},
				"who":         {"E-Mail": "", "Mail": ""},
			} {
				o := provisioning.ImportOptions{}
				o.Mapping = m
				_, err := h.PlanImport(h.ctx, h.op, file("E-Mail,Mail,Name", "a,b,c"), o)
				if identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), says) {
					t.Errorf("%v: %v", m, err)
				}
			}
		})
	})
}

func TestPeopleOfAFileAreFound(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		h.bring(o, "externalId,employeeNumber,userName,email,displayName,role",
			"X1,1,ada,ada@acme.test,Ada,editor", "X2,2,bob,bob@acme.test,Bob,viewer", "X3,3,cid,both@acme.test,Cid,viewer", "X4,4,dan,dan@acme.test,Dan,viewer")
		h.userIn(beta.ID, "ada@acme.test", "viewer")
		ada := h.inTenant(acme.ID, "ada@acme.test")
		t.Run("FSM-48 a row about nobody who is here, without a name for somebody new, says what it needs", func(t *testing.T) {
			p := h.plan(o, "employeeNumber,email,title", "77,,Analyst")
			h.wantSteps(t, p.ID, "2 error none 77: userName: Nobody here is known by this row, and somebody new needs a user name or an e-mail address.")
		})
		t.Run("FSM-50 by id, externalId, employeeNumber, user name and address, the surest first, and within the tenant only", func(t *testing.T) {
			p := h.plan(o, "id,externalId,employeeNumber,userName,email,title",
				string(ada.ID)+",,,,,by id", ",X2,,,,by external id", ",,3,,,by number", ",,,DAN,,by name")
			h.wantSteps(t, p.ID, "2 update open Ada", "3 update open Bob", "4 update open Cid", "5 update open Dan")
			p = h.plan(o, "email,title,displayName", "Both@Acme.test,by address,", "ada@beta.test,new,Ada B")
			h.wantSteps(t, p.ID, "2 update open Cid", "3 create open Ada B")
		})
		t.Run("FSM-50 two whom one key names are a conflict, and two rows about one person an error", func(t *testing.T) {
			h.bring(o, "userName,email,displayName", "cid2,cid2@acme.test,Cid Two")
			must[identity.User](t)(h.UpdateUser(h.ctx, h.op, h.known("cid2@acme.test").ID, 0, func(u *identity.User) error {
				u.Attributes = []byte(`{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"3"}}`)
				return nil
			}))
			p := h.plan(o, "externalId,userName,employeeNumber,title", ",,3,x", "X1,,,x", ",ada,,y")
			h.wantSteps(t, p.ID, "2 conflict none 3: employeeNumber: Two people have the employeeNumber", "3 update open Ada", "4 error none ada: : Line 3 is about the same person.")
		})
		t.Run("FSM-50 an id that nobody has, and a name that somebody else has, are errors", func(t *testing.T) {
			p := h.plan(o, "id,userName,title", "0197a000-0000-7000-8000-000000000001,,x", string(ada.ID)+",bob,")
			h.wantSteps(t, p.ID, `2 error none 0197a000-0000-7000-8000-000000000001: id: Nobody here has the id`, "3 error none bob: userName: The user name of Ada cannot be changed")
		})
		t.Run("FSM-56 an e-mail address is the user name of whoever has no other, and both spellings of a letter are one", func(t *testing.T) {
			h.bring(o, "email,displayName", "zoe@acme.test,Zoe\u0308  Z") // in two characters, with two spaces
			zoe := h.known("zoe@acme.test")
			if zoe.UserName != "zoe@acme.test" || zoe.DisplayName != "Zo\u00eb Z" {
				t.Errorf("%q %q", zoe.UserName, zoe.DisplayName)
			}
		})
		t.Run("an administrator of a tenant brings people into the own tenant only, and hears nothing of others", func(t *testing.T) {
			boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
			p := must[identity.Plan](t)(h.PlanImport(h.ctx, boss, file("userName,email,displayName,tenant,role", "new,new@acme.test,New,,viewer", "other,,other,Beta,viewer", "none,,none,Gamma,viewer"), provisioning.ImportOptions{}))
			h.wantSteps(t, p.ID, "2 create open New", "3 error none other: tenant: There is no such tenant.", "4 error none none: tenant: There is no such tenant.")
			_, err := h.PlanImport(h.ctx, boss, file("userName", "x"), provisioning.ImportOptions{Tenant: beta.ID})
			wantKind(t, err, identity.Forbidden, "")
			other := h.as(h.userIn(beta.ID, "boss@beta.test", "administrator").ID)
			_, err = h.Plan(h.ctx, other, p.ID)
			wantKind(t, err, identity.NotFound, "")
			_, err = h.ApplyPlan(h.ctx, other, p.ID, provisioning.ApplyOptions{})
			wantKind(t, err, identity.NotFound, "")
			plain := h.as(h.userIn(acme.ID, "plain@acme.test", "viewer").ID)
			_, err = h.PlanImport(h.ctx, plain, file("userName", "x"), provisioning.ImportOptions{})
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

// inTenant returns the one person of a tenant whom words find.
func (h *house) inTenant(tenant identity.TenantID, words string) identity.User {
	h.t.Helper()
	page := must[identity.Page[identity.User]](h.t)(h.Users(h.ctx, h.op, identity.Query{Tenant: tenant, Search: words, Limit: 2}))
	if len(page.Items) != 1 {
		h.t.Fatalf("%d people are found by %s", len(page.Items), words)
	}
	return page.Items[0]
}

// rename gives somebody another address.
func (h *house) rename(id identity.UserID, address string) error {
	_, err := h.UpdateUser(h.ctx, h.op, id, 0, func(u *identity.User) error {
		u.Emails = []identity.Email{{Value: address, Primary: true}}
		return nil
	})
	return err
}

func TestARowThatChangedMeanwhileIsComputedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		h.bring(o, "userName,email,title,displayName", "ada,ada@acme.test,One,Ada", "bob,bob@acme.test,One,Bob", "cid,cid@acme.test,One,Cid")
		ada, bob := h.known("ada@acme.test"), h.known("bob@acme.test")
		t.Run("FSM-50 somebody who was changed since the plan is left alone, and the step says so and waits", func(t *testing.T) {
			p := h.plan(o, "userName,title,email,displayName", "ada,Two,,", "bob,Two,,", "cid,Two,,", "new,Two,new@acme.test,new")
			h.ok(h.rename(ada.ID, "ada2@acme.test"))
			if _, err := h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(identity.User{UserName: "new", DisplayName: "new", Emails: []identity.Email{{Value: "new@acme.test", Primary: true}}}, acme.ID), Role: "viewer"}); err != nil {
				t.Fatal(err)
			}
			done := h.apply(p.ID)
			if done.State != identity.PlanReady || done.Summary.Done != 2 || done.Summary.Changed != 2 {
				t.Fatalf("%+v", done)
			}
			h.wantSteps(t, p.ID, "2 update changed Ada: : changed by somebody else meanwhile", "3 update done Bob", "4 update done Cid", "5 update changed new: : changed by somebody else meanwhile")
			if strings.Contains(string(h.known("ada2@acme.test").Attributes), "Two") {
				t.Error("it was carried out all the same")
			}
			if done = h.apply(p.ID); done.State != identity.PlanDone || done.Summary.Done != 4 {
				t.Fatalf("%+v", done)
			}
			if !strings.Contains(string(h.known("ada2@acme.test").Attributes), "Two") {
				t.Error("it was not carried out at last")
			}
		})
		t.Run("FSM-50 a step that was done in the end does not say that it was not", func(t *testing.T) {
			p := h.plan(o, "userName,title", "cid,Four")
			h.ok(h.rename(h.known("cid@acme.test").ID, "cid2@acme.test"))
			h.apply(p.ID)
			h.wantSteps(t, p.ID, "2 update changed Cid")
			h.apply(p.ID)
			h.wantSteps(t, p.ID, "2 update done Cid")
			if got := h.detailOf(p.ID, 2); got != "" {
				t.Errorf("it says %q", got)
			}
			h.ok(h.rename(h.known("cid2@acme.test").ID, "cid@acme.test"))
		})
		t.Run("FSM-50 a role that was given meanwhile counts as a change, too", func(t *testing.T) {
			p := h.plan(o, "userName,role", "bob,editor")
			must[identity.User](t)(h.SetRoles(h.ctx, h.op, bob.ID, []identity.RoleID{"operator"}, ""))
			done := h.apply(p.ID)
			if done.Summary.Done != 0 || h.roles(bob.ID) != "operator " {
				t.Errorf("%+v %s", done.Summary, h.roles(bob.ID))
			}
		})
		t.Run("FSM-50 a plan that is broken off is continued where it stopped, and no step is done twice", func(t *testing.T) {
			lines := []string{"email,displayName"}
			for i := range 2120 {
				lines = append(lines, fmt.Sprintf("many%d@acme.test,Many", i))
			}
			p := h.plan(o, lines...)
			ctx, cancel := context.WithCancel(h.ctx)
			_, err := h.ApplyPlan(ctx, h.op, p.ID, provisioning.ApplyOptions{Progress: func(provisioning.PlanProgress) { cancel() }})
			if err == nil {
				t.Fatal("it was not broken off")
			}
			half := must[identity.Plan](t)(h.Plan(h.ctx, h.op, p.ID))
			if half.Summary.Done < 500 || half.Summary.Done > 2000 || half.State != identity.PlanReady {
				t.Fatalf("%+v", half)
			}
			if done := h.apply(p.ID); done.Summary.Done != 2120 || done.Summary.Failed != 0 || done.State != identity.PlanDone {
				t.Errorf("%+v", done)
			}
		})
	})
}
