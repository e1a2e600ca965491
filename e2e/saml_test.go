//go:build e2e

package e2e

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// simpleSAML is how the report calls Debian's SimpleSAMLphp.
const simpleSAML = "SimpleSAMLphp 1.19"

func TestASAMLProvider(t *testing.T) {
	i := newInstallation(t, storetest.SQLiteURL(t), "saml")
	for _, step := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"sign-in that starts here", i.startsHere},
		{"a request without its signature", i.unsignedRequest},
		{"sign-in that starts there", i.startsThere},
		{"encrypted assertions", i.encryptedAssertions},
		{"the provider changes its certificate", i.providerRollover},
		{"we change ours", i.ownRollover},
		{"a person is asked again", i.askedAgain},
		{"log-out here ends the session there", i.samlLogOutHere},
		{"log-out there ends the session here", i.samlLogOutThere},
		{"answers by artifact", i.artifacts},
	} {
		if !t.Run(step.name, step.test) {
			break // what follows builds on it
		}
	}
}

// travel follows a browser from a request to the first page of Drawbridge that leads nowhere else; the person fills in what the provider asks.
func (b *browser) travel(ctx context.Context, next request, who person) (page, error) {
	for range maxSteps {
		p, err := b.send(ctx, next)
		ours := next.target.Scheme+"://"+next.target.Host == b.bridge
		if err != nil || ours && p.location == "" {
			return p, err
		}
		if next, err = after(p, who); err != nil {
			return p, err
		}
	}
	return page{}, errors.New("the browser goes round in circles")
}

// at signs a person in at a connection, in a browser that may have been there before.
func (i installation) at(t *testing.T, b *browser, c connection, query string, who person) page {
	t.Helper()
	return i.goTo(t, b, i.url+"/sso/"+c.ID+"/login?return_to=%2Faccount"+query, who)
}

func (i installation) goTo(t *testing.T, b *browser, address string, who person) page {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	end, err := b.travel(t.Context(), request{method: http.MethodGet, target: target}, who)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

func (i installation) startsHere(t *testing.T) {
	proves(t, simpleSAML, "SP-initiated sign-in, with a signed AuthnRequest")
	i.mustSignIn(t, ada)
}

// unsignedRequest shows that the provider looks at the signature of our requests at all.
func (i installation) unsignedRequest(t *testing.T) {
	b := newBrowser(i.bridge)
	start := b.open(t, "/sso/"+i.connection.ID+"/login")
	unsigned, _, found := strings.Cut(start.location, "&SigAlg=")
	target, err := url.Parse(unsigned)
	if err != nil || !found {
		t.Fatalf("the request goes to %s (%v)", start.location, err)
	}
	p, err := b.send(t.Context(), request{method: http.MethodGet, target: target}) // with a signature it leads on to the page that asks for the password
	if err != nil || p.location != "" || strings.Contains(p.text, `name="password"`) {
		t.Errorf("without a signature the provider answers %d and leads to %q (%v)", p.status, p.location, err)
	}
}

// startsThere begins at the provider, which answers to no request.
func (i installation) startsThere(t *testing.T) {
	proves(t, simpleSAML, "IdP-initiated sign-in, where it is on and through a fresh request; refused where it is off")
	address := i.provider.origin + "/saml2/idp/SSOService.php?" + url.Values{"spentityid": {i.connection.EntityID}, "RelayState": {"/account"}}.Encode()
	mustBeRefused(t, i.goTo(t, newBrowser(i.bridge), address, bob))
	if code := i.lastRefusal(t); code != "saml.unsolicited" {
		t.Errorf("the trace says %q", code)
	}
	i.command(t, nil, "connection", "update", "SimpleSAMLphp", "--allow-unsolicited")
	i.mustBeIn(t, i.goTo(t, newBrowser(i.bridge), address, bob), bob)
	i.command(t, nil, "connection", "update", "SimpleSAMLphp", "--allow-unsolicited=false")
}

// encryptedAssertions signs in with every cipher that our metadata lists.
func (i installation) encryptedAssertions(t *testing.T) {
	var c connection
	i.command(t, &c, "connection", "create-saml", "Encrypted", "--metadata", i.provider.metadata(), "--domain", domain)
	i.provider.trust(t, "encrypted", metadataOf(t, i.bridge, c), true)
	for name, uri := range map[string]string{
		"AES-128-CBC, its default": "",
		"AES-256-CBC":              "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
		"AES-128-GCM":              "http://www.w3.org/2009/xmlenc11#aes128-gcm",
		"AES-256-GCM":              "http://www.w3.org/2009/xmlenc11#aes256-gcm",
	} {
		t.Run(name, func(t *testing.T) {
			proves(t, simpleSAML, "encrypted assertion, "+name)
			i.provider.choose(t, map[string]any{})
			if uri != "" {
				i.provider.choose(t, map[string]any{"cipher": uri})
			}
			b := newBrowser(i.bridge)
			i.mustBeIn(t, i.at(t, b, c, "", frank), frank)
		})
	}
	i.provider.choose(t, map[string]any{})
}

// providerRollover lets the provider announce a certificate, sign with it, and forget the former one.
func (i installation) providerRollover(t *testing.T) {
	proves(t, simpleSAML, "certificate rollover without a failed sign-in")
	writeKey(t, i.provider.folder, "new")
	i.provider.choose(t, map[string]any{"new_certificate": "new.crt"})
	i.command(t, nil, "connection", "refresh", "SimpleSAMLphp")
	i.mustSignIn(t, ada)

	between := newBrowser(i.bridge)
	answer, err := between.approach(t.Context(), ada) // signed with the former key
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{".key", ".crt"} {
		if err := os.Rename(filepath.Join(i.provider.folder, "new"+kind), filepath.Join(i.provider.folder, "idp"+kind)); err != nil {
			t.Fatal(err)
		}
	}
	i.provider.choose(t, map[string]any{})
	end, err := between.arrive(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	i.mustBeIn(t, end, ada)
	i.mustSignIn(t, ada)
	i.command(t, nil, "connection", "refresh", "SimpleSAMLphp")
	i.mustSignIn(t, ada)
}

// ownRollover changes our own key at a connection whose provider demands our signature and encrypts for us.
func (i installation) ownRollover(t *testing.T) {
	proves(t, simpleSAML, "rotation of our own key: old and new in the metadata, both decrypt, the chosen one signs")
	var c connection
	i.command(t, &c, "connection", "create-saml", "Rotating", "--metadata", i.provider.metadata(), "--domain", domain)
	i.provider.trust(t, "rotating", metadataOf(t, i.bridge, c), true)
	in := func() {
		t.Helper()
		b := newBrowser(i.bridge)
		i.mustBeIn(t, i.at(t, b, c, "", frank), frank)
	}
	in()
	i.command(t, nil, "connection", "key", "Rotating", "add")
	in() // the provider does not know the new key yet
	i.provider.trust(t, "rotating", metadataOf(t, i.bridge, c), true)
	in()
	i.command(t, nil, "connection", "key", "Rotating", "use")
	in() // the provider still encrypts for the former key
	i.provider.trust(t, "rotating", metadataOf(t, i.bridge, c), true)
	in()
	i.command(t, nil, "connection", "key", "Rotating", "drop")
	in()
}

// askedAgain has a session at the provider and is asked for the password all the same.
func (i installation) askedAgain(t *testing.T) {
	proves(t, simpleSAML, "ForceAuthn")
	b := i.mustSignIn(t, bob)
	i.mustBeIn(t, i.at(t, b, i.connection, "", person{}), bob) // not asked: nobody would fill in the password
	end := i.passwordPage(t, b, "&force=1")
	if !strings.Contains(end.text, `name="password"`) {
		t.Fatalf("the provider does not ask again: %d %s", end.status, end.text)
	}
	i.mustBeIn(t, i.at(t, b, i.connection, "&force=1", bob), bob)
}

// passwordPage follows a browser from the start of a sign-in to where the provider shows a page.
func (i installation) passwordPage(t *testing.T, b *browser, query string) page {
	t.Helper()
	p := b.open(t, "/sso/"+i.connection.ID+"/login?return_to=%2Faccount"+query)
	for p.location != "" {
		next, err := after(p, person{})
		if err == nil {
			p, err = b.send(t.Context(), next)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (i installation) samlLogOutHere(t *testing.T) {
	proves(t, simpleSAML, "single logout that starts here: our LogoutRequest is accepted, the LogoutResponse is verified")
	b := i.mustSignIn(t, carol)
	out := b.sendForm(t, b.open(t, "/account"), "/signout", nil)
	if out.status != http.StatusOK {
		t.Fatalf("the log-out answers %d: %s", out.status, out.text)
	}
	if p := b.open(t, "/account"); p.status == http.StatusOK {
		t.Error("our session is there before the provider answers")
	}
	end, err := b.travel(t.Context(), request{method: http.MethodGet, target: linkOf(t, out), from: out.url}, person{})
	if err != nil || end.url.RequestURI() != "/signin?done=signed-out" {
		t.Fatalf("the log-out ends at %v with %d (%v): %s", end.url, end.status, err, end.text)
	}
	if p := i.passwordPage(t, b, ""); !strings.Contains(p.text, `name="password"`) {
		t.Errorf("the provider still knows the browser: %d %s", p.status, p.text)
	}
}

func (i installation) samlLogOutThere(t *testing.T) {
	proves(t, simpleSAML, "single logout that starts there: its LogoutRequest is verified, our LogoutResponse is accepted")
	left, stays := i.mustSignIn(t, dave), i.mustSignIn(t, dave)
	target, err := url.Parse(i.provider.origin + "/saml2/idp/SingleLogoutService.php?" + url.Values{"ReturnTo": {i.provider.origin + "/left"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	next := request{method: http.MethodGet, target: target}
	var through bool
	for range maxSteps {
		through = through || strings.HasSuffix(next.target.Path, "/slo")
		if next.target.Path == "/left" {
			break
		}
		p, err := left.send(t.Context(), next)
		if err == nil {
			next, err = after(p, person{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !through || next.target.Path != "/left" {
		t.Fatalf("the log-out ends at %s, through us: %v", next.target, through)
	}
	if p := left.open(t, "/account"); p.status == http.StatusOK {
		t.Error("the session of the browser that left still works")
	}
	if p := stays.open(t, "/account"); p.status != http.StatusOK {
		t.Errorf("another browser's session ended as well: %d", p.status)
	}
}

func (i installation) artifacts(t *testing.T) {
	proves(t, simpleSAML, "sign-in by artifact")
	i.provider.choose(t, map[string]any{"artifact": true})
	i.command(t, nil, "connection", "refresh", "SimpleSAMLphp")
	i.command(t, nil, "connection", "update", "SimpleSAMLphp", "--artifact")
	i.provider.trust(t, "drawbridge", metadataOf(t, i.bridge, i.connection), false)
	b := newBrowser(i.bridge)
	answer, err := b.approach(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	if answer.method != http.MethodGet || !answer.target.Query().Has("SAMLart") {
		t.Fatalf("the provider answers by %s", answer)
	}
	end, err := b.arrive(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	i.mustBeIn(t, end, ada)
}
