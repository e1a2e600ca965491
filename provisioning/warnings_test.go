package provisioning_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

const day = 24 * time.Hour

// certificateFor returns a certificate that ends at a time.
func certificateFor(t *testing.T, ends time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(ends.Unix()), NotBefore: ends.Add(-400 * day), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// saml makes a SAML connection of a tenant (none: of the installation) whose provider's certificates end in so many days.
func (h *house) saml(name string, tenant identity.TenantID, days ...int) identity.Connection {
	h.t.Helper()
	var certs [][]byte
	for _, n := range days {
		certs = append(certs, certificateFor(h.t, time.Now().Add(time.Duration(n)*day+time.Hour)))
	}
	return h.connection(name, func(c *identity.Connection) {
		c.Kind, c.TenantID, c.OIDC, c.Domains = identity.SAML, tenant, identity.OIDCSettings{}, []string{strings.ToLower(name) + ".test"}
		c.SAML = identity.SAMLSettings{EntityID: "https://" + name + ".test", SSOURL: "https://idp.test/sso", Certificates: certs}
	})
}

// superAdmin makes somebody who runs the installation and can be written to.
func (h *house) superAdmin(email string) {
	h.t.Helper()
	must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{
		User: identity.User{UserName: email, Enabled: true, Emails: []identity.Email{{Value: email, Primary: true}}}, Role: "superadmin",
	}))
}

// mailsTo returns the subjects of the mails to an address, the oldest first.
func (h *house) mailsTo(address string) []string {
	h.t.Helper()
	var subjects []string
	for _, m := range must[[]identity.Mail](h.t)(h.Mails(h.ctx, h.op, 100)) {
		if m.To == address {
			subjects = append(subjects, m.Subject)
		}
	}
	slices.Reverse(subjects)
	return subjects
}

func TestWhatEndsSoonIsNamedToThoseWhoseItIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		h.saml("Calm", "", 200)
		h.saml("Overlap", "", 5, 300) // the new certificate is there already
		h.saml("Soon", acme.ID, 20)
		h.saml("Over", other.ID, -3)
		off := h.saml("Off", acme.ID, 2)
		must[identity.Connection](t)(h.UpdateConnection(h.ctx, h.op, off.ID, func(c *identity.Connection) error { c.Enabled = false; return nil }))
		ends := time.Now().Add(40 * day).UTC()
		h.connection("Secret", func(c *identity.Connection) { c.Domains, c.OIDC.SecretExpiresAt = []string{"secret.test"}, &ends })
		var got []string
		for _, w := range must[[]identity.Warning](t)(h.ConnectionWarnings(h.ctx, h.op)) {
			got = append(got, w.Name+": "+string(w.Kind))
			if w.Text == "" || w.Days > 59 || (w.Days < 0) != (w.Name == "Over") {
				t.Errorf("%+v", w)
			}
		}
		if want := []string{"Over: provider certificate", "Soon: provider certificate", "Secret: client secret"}; !slices.Equal(got, want) {
			t.Errorf("the warnings are %q, want %q", got, want)
		}
		admin := h.push(h.directory("A", acme.ID, "okta"), "boss@acme.test")
		by := h.as(admin.ID)
		by.Roles = []identity.RoleID{"administrator"}
		for _, w := range must[[]identity.Warning](t)(h.ConnectionWarnings(h.ctx, by)) {
			if w.TenantID != acme.ID {
				t.Errorf("an administrator of Acme sees %s", w.Text)
			}
		}
		by.Roles = []identity.RoleID{"viewer"}
		_, err := h.ConnectionWarnings(h.ctx, by)
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestATokenThatIsInUseOrTheLastIsWarnedOf(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("Okta", "", "okta").DirectoryID()
		err := h.db.Update(h.ctx, func(tx *store.Tx) error { // the one that it came with has no end
			tokens, err := tx.Tokens(h.ctx, []identity.DirectoryID{d})
			for _, k := range tokens[d] {
				err = errors.Join(err, tx.RevokeToken(h.ctx, d, k.ID))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		soon, late := time.Now().Add(10*day).UTC(), time.Now().Add(300*day).UTC()
		first, second := identity.NewID[identity.TokenID](), identity.NewID[identity.TokenID]()
		insert := func(id identity.TokenID, ends time.Time) {
			err := h.db.Update(h.ctx, func(tx *store.Tx) error {
				return tx.InsertToken(h.ctx, identity.Token{ID: id, DirectoryID: d, CreatedAt: tx.Now(), ExpiresAt: &ends}, []byte(id))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		count := func() int { return len(must[[]identity.Warning](t)(h.ConnectionWarnings(h.ctx, h.op))) }
		insert(first, soon)
		if n := count(); n != 1 {
			t.Errorf("%d warnings of the only token", n)
		}
		insert(second, late)
		if n := count(); n != 0 {
			t.Errorf("%d warnings of a token that nobody uses any more", n)
		}
		if err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.TouchToken(h.ctx, first, tx.Now()) }); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 1 {
			t.Errorf("%d warnings of a token that is in use", n)
		}
	})
}

func TestEachThresholdIsMailedOnceOverAllReplicas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		h.superAdmin("root@bridge.test")
		must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: identity.User{
			TenantID: acme.ID, UserName: "boss@acme.test", Enabled: true, Emails: []identity.Email{{Value: "boss@acme.test", Primary: true}},
		}, Role: "administrator"}))
		must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: identity.User{
			TenantID: acme.ID, UserName: "ada@acme.test", Enabled: true, Emails: []identity.Email{{Value: "ada@acme.test", Primary: true}},
		}, Role: "viewer"}))
		h.saml("Ours", "", 5)
		h.saml("Acme", acme.ID, 50)
		model := h.Model()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := provisioning.New(h.db, model).WarnOfEnds(context.WithoutCancel(h.ctx), identity.System()); err != nil {
					t.Errorf("%v", err)
				}
			})
		}
		all.Wait()
		if got := h.mailsTo("root@bridge.test"); len(got) != 2 {
			t.Errorf("the Super Admin got %q", got)
		}
		if got := h.mailsTo("boss@acme.test"); len(got) != 1 || !strings.Contains(got[0], "Provider certificate of Acme ends in 50 days") {
			t.Errorf("Acme's administrator got %q", got)
		}
		if got := h.mailsTo("ada@acme.test"); len(got) != 0 {
			t.Errorf("a viewer got %q", got)
		}
	})
}

func TestSixtyThirtySevenAndOneDaysBeforeTheEndAMailIsWritten(t *testing.T) {
	storetest.SQLite(t) // makes the template outside the bubble
	synctest.Test(t, func(t *testing.T) {
		model, err := access.Load("etlworks")
		if err != nil {
			t.Fatal(err)
		}
		db := storetest.SQLite(t)
		h := &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()}
		h.superAdmin("root@bridge.test")
		h.saml("Ours", "", 70)
		var on []int
		for n := range 75 {
			if told := must[int](t)(h.WarnOfEnds(h.ctx, identity.System())); told > 0 {
				on = append(on, 70-n)
			}
			<-time.After(day)
		}
		if want := []int{59, 29, 6, 0}; !slices.Equal(on, want) {
			t.Errorf("mails were written with %v whole days left, want %v", on, want)
		}
		if got := h.mailsTo("root@bridge.test"); len(got) != 4 || !strings.Contains(got[3], "ends within a day") {
			t.Errorf("the mails are %q", got)
		}
	})
}

func TestMetadataThatFailedIsReadSoonerButNeverMoreRarelyThanUsual(t *testing.T) {
	storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		model, err := access.Load("etlworks")
		if err != nil {
			t.Fatal(err)
		}
		db := storetest.SQLite(t)
		h := &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()}
		c := h.saml("Ours", "", 70)
		must[identity.Connection](t)(h.UpdateConnection(h.ctx, h.op, c.ID, func(c *identity.Connection) error { c.SAML.MetadataURL = "https://idp.test/metadata"; return nil }))
		began, failed := time.Now(), true
		var minutes []int
		for range 5 * 60 {
			if id, err := h.ClaimMetadataRefresh(h.ctx); err == nil && id == c.ID {
				minutes = append(minutes, int(time.Since(began).Minutes()))
				failed = len(minutes) < 9
				if err := h.FinishMetadataRefresh(h.ctx, id, time.Hour, failed); err != nil {
					t.Fatal(err)
				}
			}
			<-time.After(time.Minute)
		}
		if want := []int{0, 1, 3, 7, 15, 31, 63, 123, 183, 243}; !slices.Equal(minutes, want) {
			t.Errorf("it was read in the minutes %v, want %v", minutes, want)
		}
	})
}
