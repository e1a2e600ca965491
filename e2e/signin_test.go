//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// installation is a running Drawbridge with a tenant, its directory, and a connection to a running provider.
type installation struct {
	*bridge
	provider   provider
	directory  directory
	connection connection
}

// connection is what the command line prints of a new connection.
type connection struct {
	ID          string `json:"id"`
	MetadataURL string `json:"metadata_url"`
	RedirectURI string `json:"redirect_uri"`
	EntityID    string `json:"entity_id"`

	PostLogoutURI  string `json:"post_logout_redirect_uri"`
	BackchannelURI string `json:"backchannel_logout_uri"`
	KeysURL        string `json:"jwks_uri"`
}

const (
	tenant  = "Contoso"
	landing = "SSO Landing"
)

// protocols are the two ways to sign in, each with the real provider that speaks it.
var protocols = map[string]func(t *testing.T, b *bridge) (provider, connection){
	"saml": connectSAML,
	"oidc": connectOIDC,
}

func connectSAML(t *testing.T, b *bridge) (provider, connection) {
	t.Helper()
	p := startSimpleSAMLphp(t)
	var c connection
	b.command(t, &c, "connection", "create-saml", "SimpleSAMLphp", "--metadata", p.metadata(), "--domain", domain)
	p.trust(t, "drawbridge", metadataOf(t, b, c), false)
	return p, c
}

// metadataOf fetches Drawbridge's own metadata for a connection.
func metadataOf(t *testing.T, b *bridge, c connection) []byte {
	t.Helper()
	path, ours := strings.CutPrefix(c.MetadataURL, b.url)
	metadata := newBrowser(b).open(t, path)
	if !ours || metadata.status != http.StatusOK {
		t.Fatalf("our metadata at %s: %d %s", c.MetadataURL, metadata.status, metadata.text)
	}
	return []byte(metadata.text)
}

func connectOIDC(t *testing.T, b *bridge) (provider, connection) {
	t.Helper()
	p := startOIDCProvider(t)
	secret := filepath.Join(p.folder, "secret")
	write(t, secret, []byte(p.secret+"\n"))
	var c connection
	b.command(t, &c, "connection", "create-oidc", "oidc-provider", "--issuer", p.origin, "--client-id", "drawbridge", "--client-secret-file", secret, "--domain", domain)
	p.allow(t, c.RedirectURI)
	return p, c
}

func newInstallation(t *testing.T, database, protocol string) installation {
	t.Helper()
	i := installation{bridge: newBridge(t, database).serve(t)}
	i.command(t, nil, "tenant", "create", tenant)
	i.command(t, &i.directory, "directory", "create", "Okta", "--tenant", tenant, "--dialect", "okta")
	i.provider, i.connection = protocols[protocol](t, i.bridge)
	return i
}

func TestSignInAtARealProvider(t *testing.T) {
	for protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			storetest.EachURL(t, func(t *testing.T, database string) {
				i := newInstallation(t, database, protocol)
				t.Run("a known address opens the account that was pushed, and is linked", i.knownAddress)
				t.Run("an unknown address lands in SSO Landing as a viewer", i.unknownAddress)
				t.Run("who is deactivated loses the session and stays outside", i.deactivated)
				t.Run("twenty first sign-ins of one person make one user", i.twentyAtOnce)
				t.Run("placing changes the rights of the open session and outlasts the next sign-in", i.placed)
				t.Run("an answer is good for one browser and one time", i.answerTwice)
			})
		})
	}
}

// mustSignIn signs in and demands the account page.
func (i installation) mustSignIn(t *testing.T, who person) *browser {
	t.Helper()
	b := newBrowser(i.bridge)
	end, err := b.signIn(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	i.mustBeIn(t, end, who)
	return b
}

func (i installation) mustBeIn(t *testing.T, end page, who person) {
	t.Helper()
	if end.status != http.StatusOK || end.url.Path != "/account" || !strings.Contains(end.text, who.Email) {
		t.Fatalf("%s ended at %s with %d: %s", who.Login, end.url.Redacted(), end.status, end.text)
	}
}

// mustBeRefused demands the generic page: a status of failure and a reference, and nothing about the reason.
func mustBeRefused(t *testing.T, end page) {
	t.Helper()
	if end.status < 400 || end.status >= 500 || !strings.Contains(end.text, "Reference") {
		t.Fatalf("not refused: %s with %d: %s", end.url.Redacted(), end.status, end.text)
	}
	for _, reason := range []string{domain, "deactivated", "inactive", "verified"} {
		if strings.Contains(strings.ToLower(end.text), reason) {
			t.Errorf("the page tells %q to a stranger", reason)
		}
	}
}

func (i installation) mustBe(t *testing.T, a account, tenant, role string, links int) {
	t.Helper()
	if a.Tenant != tenant || !slices.Equal(a.Roles, []string{role}) || len(a.Links) != links {
		t.Errorf("the account is %+v, not a %s in %s with %d links", a, role, tenant, links)
	}
}

func (i installation) knownAddress(t *testing.T) {
	id := i.directory.push(t, ada)
	i.mustBe(t, i.show(t, id), tenant, "viewer", 0)
	i.mustSignIn(t, ada)
	a := i.show(t, ada.Email)
	i.mustBe(t, a, tenant, "viewer", 1)
	if a.ID != id || a.Links[0].ConnectionID != i.connection.ID || a.Links[0].Subject != ada.Subject {
		t.Errorf("the account is %+v, pushed was %s", a, id)
	}
	i.mustSignIn(t, ada)
	i.mustBe(t, i.show(t, ada.Email), tenant, "viewer", 1)
}

func (i installation) unknownAddress(t *testing.T) {
	i.mustSignIn(t, bob)
	a := i.show(t, bob.Email)
	i.mustBe(t, a, landing, "viewer", 1)
	if !strings.Contains(a.DisplayName, bob.FamilyName) || len(a.Sessions) != 1 || a.Status != "Active" {
		t.Errorf("the account is %+v", a)
	}
}

func (i installation) deactivated(t *testing.T) {
	id := i.directory.push(t, carol)
	b := i.mustSignIn(t, carol)
	if p := b.open(t, "/account"); p.status != http.StatusOK {
		t.Fatalf("the session does not work: %d", p.status)
	}
	i.directory.deactivate(t, id)
	if p := b.open(t, "/account"); p.status == http.StatusOK || strings.Contains(p.text, carol.Email) {
		t.Errorf("the old cookie still opens the account: %d", p.status)
	}
	end, err := newBrowser(i.bridge).signIn(t.Context(), carol)
	if err != nil {
		t.Fatal(err)
	}
	mustBeRefused(t, end)
	if a := i.show(t, id); a.Status != "Inactive" || len(a.Sessions) != 0 {
		t.Errorf("the account is %+v", a)
	}
	if n := i.count(t, carol.Email); n != 1 {
		t.Errorf("there are %d accounts of carol", n)
	}
}

func (i installation) twentyAtOnce(t *testing.T) {
	const many = 20
	browsers, answers := make([]*browser, many), make([]request, many)
	for n := range many {
		browsers[n] = newBrowser(i.bridge)
		var err error
		if answers[n], err = browsers[n].approach(t.Context(), dave); err != nil {
			t.Fatal(err)
		}
	}
	ends := together(many, func(n int) (page, error) { return browsers[n].arrive(t.Context(), answers[n]) })
	for _, end := range ends {
		if end.err != nil {
			t.Fatal(end.err)
		}
		i.mustBeIn(t, end.value, dave)
	}
	if n := i.count(t, dave.Email); n != 1 {
		t.Errorf("there are %d accounts of dave", n)
	}
	a := i.show(t, dave.Email)
	i.mustBe(t, a, landing, "viewer", 1)
	if len(a.Sessions) != many {
		t.Errorf("there are %d sessions", len(a.Sessions))
	}
}

func (i installation) placed(t *testing.T) {
	b := i.mustSignIn(t, eve)
	if p := b.open(t, "/console/users"); p.status == http.StatusOK {
		t.Fatal("a viewer sees the list of people")
	}
	i.command(t, nil, "user", "place", eve.Email, "--tenant", tenant, "--role", "administrator", "--yes")
	if p := b.open(t, "/console/users"); p.status != http.StatusOK || !strings.Contains(p.text, ada.Email) || strings.Contains(p.text, bob.Email) {
		t.Errorf("the same cookie, placed: %d, or it shows the wrong people", p.status)
	}
	i.mustBe(t, i.show(t, eve.Email), tenant, "administrator", 1)
	i.mustSignIn(t, eve)
	i.mustBe(t, i.show(t, eve.Email), tenant, "administrator", 1)
	if n := i.count(t, eve.Email); n != 1 {
		t.Errorf("there are %d accounts of eve", n)
	}
}

func (i installation) answerTwice(t *testing.T) {
	first, other := newBrowser(i.bridge), newBrowser(i.bridge)
	answer, err := first.approach(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := other.arrive(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	mustBeRefused(t, stolen)
	i.mustSignIn(t, bob)
	if answer, err = first.approach(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	end, err := first.arrive(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	i.mustBeIn(t, end, bob)
	again, err := first.send(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	mustBeRefused(t, again)
}

func TestAnAddressThatTheProviderDidNotVerifyOpensNothing(t *testing.T) {
	i := newInstallation(t, storetest.SQLiteURL(t), "oidc")
	id := i.directory.push(t, grace)
	end, err := newBrowser(i.bridge).signIn(t.Context(), grace)
	if err != nil {
		t.Fatal(err)
	}
	mustBeRefused(t, end)
	i.mustBe(t, i.show(t, id), tenant, "viewer", 0)
}

// lastRefusal returns the reason of the newest refused sign-in.
func (i installation) lastRefusal(t *testing.T) string {
	t.Helper()
	var list struct {
		Items []struct {
			OK   bool   `json:"ok"`
			Code string `json:"code"`
		} `json:"items"`
	}
	i.command(t, &list, "signins")
	for _, trace := range list.Items {
		if !trace.OK {
			return trace.Code
		}
	}
	return ""
}

// outcome is what one of several runs gave.
type outcome[T any] struct {
	value T
	err   error
}

// together runs a function n times at the same moment.
func together[T any](n int, run func(int) (T, error)) []outcome[T] {
	ctx, release := context.WithCancel(context.Background())
	out := make([]outcome[T], n)
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() {
			<-ctx.Done()
			out[k].value, out[k].err = run(k)
		})
	}
	release()
	wg.Wait()
	return out
}
