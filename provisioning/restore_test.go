package provisioning_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// reset sends the mail about a forgotten password as the page does, and returns it.
func (h *house) reset(u identity.User, local bool) identity.Mail {
	h.t.Helper()
	if err := h.SendReset(h.ctx, identity.System(), u.ID, local); err != nil {
		h.t.Fatal(err)
	}
	return h.letter(u.Email())
}

func TestRestorePassword(t *testing.T) {
	eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		i, tok := h.invite(h.op, provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "member"})
		t.Run("who was invited and has not joined is told to, without a link", func(t *testing.T) {
			m := h.reset(i.User, true)
			if linkInMail.MatchString(m.Text) || !strings.Contains(m.Text, "You were invited and have not joined yet") {
				t.Error(m.Text)
			}
		})
		u := must[identity.User](t)(h.AcceptInvitation(h.ctx, tok, provisioning.Joining{FirstName: "Ada", LastName: "L"}))
		var old string
		t.Run("FP-30 who joined without a password gets a link, which lives for an hour", func(t *testing.T) {
			old = token(t, h.reset(u, true), "restore")
			o := must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkReset, old))
			if o.User.ID != u.ID || o.Link.ExpiresAt.Sub(o.Link.CreatedAt) != identity.ResetAge {
				t.Errorf("%+v", o.Link)
			}
			h.wantEvent(u.ID, identity.ResetSent)
		})
		t.Run("a newer link is the only one that opens", func(t *testing.T) {
			fresh := token(t, h.reset(u, true), "restore")
			_, err := h.OpenMailLink(h.ctx, identity.LinkReset, old)
			wantKind(t, err, identity.NotFound, "link.revoked")
			must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkReset, fresh))
		})
		t.Run("after three in an hour no more are sent, whoever asks", func(t *testing.T) {
			wantKind(t, h.SendReset(h.ctx, identity.System(), u.ID, true), identity.TooMany, "reset.too_many")
			wantKind(t, h.SendReset(h.ctx, h.op, u.ID, true), identity.TooMany, "reset.too_many")
			if n := len(h.post()); n != 0 {
				t.Errorf("%d mails", n)
			}
		})
		t.Run("whose organisation signs them in is told with what", func(t *testing.T) {
			h.connection("Acme Okta", func(c *identity.Connection) { c.TenantID, c.Enabled = acme.ID, true })
			bob := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("bob@example.com"), acme.ID), Role: "member"}))
			m := h.reset(bob, false)
			if linkInMail.MatchString(m.Text+m.HTML) || !strings.Contains(m.Text, "signs you in with Acme Okta") || !strings.Contains(m.HTML, "signs you in with Acme Okta") {
				t.Error(m.Text)
			}
		})
		t.Run("an administrator sends it to the own people only, and a member to nobody", func(t *testing.T) {
			beta := h.tenant("Beta")
			boss := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@beta.example"), beta.ID), Role: "admin"}))
			wantKind(t, h.SendReset(h.ctx, h.as(boss.ID), u.ID, true), identity.NotFound, "")
			wantKind(t, h.SendReset(h.ctx, h.as(u.ID), boss.ID, true), identity.Forbidden, "")
		})
	})
}

func TestWhoIsMeantByAForgottenPassword(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		for _, in := range []identity.TenantID{acme.ID, beta.ID} {
			must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("both@example.com"), in), Role: "viewer"}))
		}
		gone := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("gone@example.com"), acme.ID), Role: "viewer"}))
		must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, gone.ID, ""))
		named := withTenant(person("named"), acme.ID)
		named.Emails = []identity.Email{{Value: "n@example.com", Primary: true}}
		must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: named, Role: "viewer"}))
		for typed, want := range map[string]int{
			"both@example.com": 2, " BOTH@Example.com ": 2, "gone@example.com": 0, "nobody@example.com": 0, "named": 1, "n@example.com": 1, "": 0, "both@example.com\x00": 0, "%": 0, strings.Repeat("x", 400): 0,
		} {
			if got := must[[]identity.User](t)(h.Forgotten(h.ctx, typed)); len(got) != want {
				t.Errorf("%q means %d people, want %d", typed, len(got), want)
			}
		}
	})
}

func TestALockedAccountIsNotOpenedByANewPassword(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.home()
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@example.com"), home.ID), Role: "dispatcher", Reason: "joins"}))
		h.lock(u.ID)
		if m := h.reset(u, true); linkInMail.MatchString(m.Text) || !strings.Contains(m.Text, "ask your administrator to unlock it") {
			t.Error(m.Text)
		}
	})
}

func TestMailTemplates(t *testing.T) {
	eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@example.com"), acme.ID), Role: "admin"}))
		by := h.as(boss.ID)
		mine := identity.MailTemplate{TenantID: acme.ID, Kind: identity.MailInvitation, Subject: "Komm zu {{.Tenant}}", Text: "Hallo{{if .Name}} {{.Name}}{{end}}: {{.Link}}", HTML: `<p>Hallo <a class="button" href="{{.Link}}">los</a></p>`}
		t.Run("every mail has words that came with the program, and each of them makes a mail", func(t *testing.T) {
			for _, m := range must[[]identity.MailTemplate](t)(h.MailTemplates(h.ctx, h.op, "")) {
				if m.Source != identity.TemplateDefault || m.Subject == "" || m.Text == "" || m.HTML == "" {
					t.Errorf("%+v", m)
				}
				made := must[identity.Mail](t)(h.PreviewMailTemplate(h.ctx, h.op, identity.MailTemplate{Kind: m.Kind}))
				if strings.Contains(made.Text+made.HTML+made.Subject, "{{") || !strings.HasPrefix(made.HTML, "<!doctype html>") {
					t.Errorf("%s: %+v", m.Kind, made)
				}
			}
		})
		t.Run("a tenant changes its own, and nobody else's people see them", func(t *testing.T) {
			if err := h.SetMailTemplate(h.ctx, by, mine); err != nil {
				t.Fatal(err)
			}
			must[identity.Invitation](t)(h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "member"}))
			if m := h.letter("ada@example.com"); m.Subject != "Komm zu Acme" || !strings.HasPrefix(m.Text, "Hallo: http") {
				t.Errorf("%+v", m)
			}
			must[identity.Invitation](t)(h.Invite(h.ctx, h.op, provisioning.NewInvitation{Email: "ada@example.com", Tenant: beta.ID, Role: "member"}))
			if m := h.letter("ada@example.com"); strings.Contains(m.Text, "Hallo") {
				t.Errorf("%+v", m)
			}
			other := mine
			other.TenantID = beta.ID
			wantKind(t, h.SetMailTemplate(h.ctx, by, other), identity.NotFound, "")
			other.TenantID = ""
			wantKind(t, h.SetMailTemplate(h.ctx, by, other), identity.Forbidden, "")
		})
		t.Run("the installation's words are between the tenant's and those that came", func(t *testing.T) {
			all := mine
			all.TenantID, all.Subject = "", "From the house"
			if err := h.SetMailTemplate(h.ctx, h.op, all); err != nil {
				t.Fatal(err)
			}
			for tenant, want := range map[identity.TenantID]identity.MailTemplateSource{acme.ID: identity.TemplateOfTenant, beta.ID: identity.TemplateOfInstallation} {
				if m := must[identity.MailTemplate](t)(h.MailTemplate(h.ctx, h.op, tenant, identity.MailInvitation)); m.Source != want {
					t.Errorf("%s", m.Source)
				}
			}
			if err := h.ResetMailTemplate(h.ctx, by, acme.ID, identity.MailInvitation); err != nil {
				t.Fatal(err)
			}
			wantKind(t, h.ResetMailTemplate(h.ctx, by, acme.ID, identity.MailInvitation), identity.NotFound, "")
			if m := must[identity.MailTemplate](t)(h.MailTemplate(h.ctx, by, acme.ID, identity.MailInvitation)); m.Subject != "From the house" {
				t.Errorf("%+v", m)
			}
		})
		t.Run("a template is fields and conditions, and its HTML runs and loads nothing", func(t *testing.T) {
			good := mine
			for field, words := range map[string][]string{
				"text": {
					"", "no link", "{{.Link", "{{.Nothing}} {{.Link}}", "{{range .Link}}x{{end}} {{.Link}}", `{{printf "%9999999999d" 1}} {{.Link}}`, "{{$x := .Link}}{{$x}}", `{{define "a"}}{{end}}{{.Link}}`,
					`{{template "a"}}{{.Link}}`, "{{.Link.Name}}", "{{with .Link}}{{.}}{{end}}", "{{.Link}}\xff", "{{html .Link}}", "{{call .Link}}", "{{if .Name}}{{.Link}}{{end}}", "{{range 1000000000}}{{end}}{{.Link}}", "{{break}}{{.Link}}",
				},
				"html": {
					"<script>x</script>", "<img src=x onerror=alert(1)>", `<a href="javascript:alert(1)">x</a>`, `<a href="http://evil.example">x</a>`, "<p onclick=\"x\">", "<iframe></iframe>", "<!-- x -->", "<style>p{}</style>",
					`<p style="background:url(https://x)">`, `<form action="https://x">`, "<p", "< p>", `<a href="https://x/{{.Link}}">`, `<img src="{{.Link}}">`, "<svg/onload=x>", "<P>", `<a href='{{.Link}}'>`, `<a href="data:text/html,x">x</a>`,
				},
				"subject": {"", "a\nb", "{{range .Link}}{{end}}", "{{.Message}}"},
			} {
				for _, w := range words {
					bad := good
					switch field {
					case "text":
						bad.Text = w
					case "html":
						bad.HTML = w
					default:
						bad.Subject = w
					}
					err := h.SetMailTemplate(h.ctx, by, bad)
					if identity.KindOf(err) != identity.Invalid {
						t.Errorf("%s %q was kept: %v", field, w, err)
					}
				}
			}
			good.Text = "{{.Link}}" + strings.Repeat("x", 30<<10)
			wantKind(t, h.SetMailTemplate(h.ctx, by, good), identity.TooLarge, "")
			wantKind(t, h.SetMailTemplate(h.ctx, by, identity.MailTemplate{TenantID: acme.ID, Kind: "spam", Subject: "x", Text: "x"}), identity.NotFound, "")
			advice := identity.MailTemplate{TenantID: acme.ID, Kind: identity.MailReset, Subject: "x", Text: "{{.Link}}"}
			wantKind(t, h.SetMailTemplate(h.ctx, by, advice), identity.Invalid, "template")
		})
		t.Run("a name is text, in a mail too", func(t *testing.T) {
			n := provisioning.NewInvitation{Email: "eve@example.com", DisplayName: `<script>{{.Password}}</script>`, Tenant: beta.ID, Role: "member"}
			if err := h.ResetMailTemplate(h.ctx, h.op, "", identity.MailInvitation); err != nil {
				t.Fatal(err)
			}
			must[identity.Invitation](t)(h.Invite(h.ctx, h.op, n))
			if m := h.letter("eve@example.com"); strings.Contains(m.HTML, "<script>") || !strings.Contains(m.Text, "{{.Password}}") {
				t.Errorf("%s", m.HTML)
			}
		})
		if page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.MailTemplateSet, Limit: 9})); len(page.Items) != 2 {
			t.Errorf("%d events", len(page.Items))
		}
	})
}

func TestSingleSignOnIsASwitchOfEachTenant(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		c := h.connection("Acme Okta", func(c *identity.Connection) { c.TenantID = acme.ID })
		boss := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@example.com"), acme.ID), Role: "administrator"}))
		t.Run("ETL-35 single sign-on is switched per tenant, by whoever runs the installation", func(t *testing.T) {
			wantKind(t, h.SwitchSSO(h.ctx, h.as(boss.ID), acme.ID, false), identity.Forbidden, "")
			must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com")))
			for range 2 {
				if err := h.SwitchSSO(h.ctx, h.op, acme.ID, false); err != nil {
					t.Fatal(err)
				}
			}
			_, err := h.signIn(c, claims("s1", "new@example.com"))
			wantKind(t, err, identity.Forbidden, "sso.off")
			if err := h.SwitchSSO(h.ctx, h.op, acme.ID, true); err != nil {
				t.Fatal(err)
			}
			must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com")))
			page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.TenantUpdated, Limit: 9}))
			if len(page.Items) != 2 || page.Items[0].Changes[0].Field != "single sign-on" {
				t.Errorf("%+v", page.Items)
			}
		})
		t.Run("ETL-35 a provider of the installation is not the tenant's to switch", func(t *testing.T) {
			all := h.connection("House", func(c *identity.Connection) { c.Domains = []string{"house.example"} })
			if err := h.SwitchSSO(h.ctx, h.op, acme.ID, false); err != nil {
				t.Fatal(err)
			}
			must[identity.User](t)(h.signIn(all, claims("s9", "x@house.example")))
		})
	})
}

// lock locks an account until an administrator unlocks it.
func (h *house) lock(id identity.UserID) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		now := tx.Now()
		return tx.SetLocked(h.ctx, id, &now)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
