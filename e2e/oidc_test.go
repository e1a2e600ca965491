//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// oidcProvider is how the report calls npm's oidc-provider.
const oidcProvider = "oidc-provider 9.13.3"

func TestAnOpenIDProvider(t *testing.T) {
	i := newInstallation(t, storetest.SQLiteURL(t), "oidc")
	i.provider = i.provider.register(t, map[string]any{
		"post_logout_redirect_uris": []string{i.connection.PostLogoutURI}, "backchannel_logout_uri": i.connection.BackchannelURI, "backchannel_logout_session_required": true,
	})
	t.Run("sign-in", func(t *testing.T) { proves(t, oidcProvider, "sign-in"); i.mustSignIn(t, ada) })
	i.provider = i.provider.newKey(t) // outside of the test below, which would end it
	t.Run("key rotation", func(t *testing.T) {
		proves(t, oidcProvider, "key rotation, without a failed sign-in")
		i.mustSignIn(t, ada)
		i.mustSignIn(t, bob)
	})
	t.Run("log-out here ends the session there", i.logOutHere)
	t.Run("log-out there ends the sessions here", i.logOutThere)
	t.Run("private_key_jwt", i.privateKey)
}

// logOutHere signs out of Drawbridge and follows the browser to the provider and back.
func (i installation) logOutHere(t *testing.T) {
	proves(t, oidcProvider, "RP-initiated logout")
	b := i.mustSignIn(t, carol)
	account := b.open(t, "/account")
	out := b.sendForm(t, account, "/signout", nil)
	if out.status != http.StatusOK {
		t.Fatalf("the log-out answers %d: %s", out.status, out.text)
	}
	onward := linkOf(t, out)
	asked, err := b.send(t.Context(), request{method: http.MethodGet, target: onward, from: out.url})
	if err != nil {
		t.Fatal(err)
	}
	back := b.sendForm(t, asked, "/session/end/confirm", url.Values{"logout": {"yes"}})
	target, err := asked.url.Parse(back.location)
	if err != nil || !strings.HasPrefix(target.String(), i.connection.PostLogoutURI+"?state=") {
		t.Fatalf("the provider answers %d and leads to %s (%v): %s", back.status, back.location, err, back.text)
	}
	if end, err := b.send(t.Context(), request{method: http.MethodGet, target: target, from: asked.url}); err != nil || end.location != "/signin?done=signed-out" {
		t.Errorf("the way back ends at %q (%v)", end.location, err)
	}
	i.mustBeAsked(t, b)
	if strings.Contains(i.process.log.String(), "id_token_hint") || strings.Contains(i.process.log.String(), onward.Query().Get("id_token_hint")) {
		t.Error("the log has the ID token")
	}
}

// mustBeAsked demands that the provider does not know the browser any more.
func (i installation) mustBeAsked(t *testing.T, b *browser) {
	t.Helper()
	p := b.open(t, "/sso/"+i.connection.ID+"/login")
	for p.location != "" {
		next, err := after(p, person{})
		if err == nil {
			p, err = b.send(t.Context(), next)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if p.status != http.StatusOK || !strings.HasPrefix(p.url.String(), i.provider.origin) || !strings.Contains(p.text, `name="login"`) {
		t.Errorf("the provider lets the browser in without asking: %d at %s", p.status, p.url.Redacted())
	}
}

// logOutThere ends the session at the provider, which tells Drawbridge behind the browser's back.
func (i installation) logOutThere(t *testing.T) {
	proves(t, oidcProvider, "back-channel logout")
	left, stays := i.mustSignIn(t, dave), i.mustSignIn(t, dave)
	there, err := url.Parse(i.provider.origin + "/session/end")
	if err != nil {
		t.Fatal(err)
	}
	asked, err := left.send(t.Context(), request{method: http.MethodGet, target: there})
	if err != nil {
		t.Fatal(err)
	}
	left.sendForm(t, asked, "/session/end/confirm", url.Values{"logout": {"yes"}})
	if log := i.provider.process.log.String(); !strings.Contains(log, "backchannel.success") || strings.Contains(log, "backchannel.error") {
		t.Fatalf("the provider says:\n%s", log)
	}
	if p := left.open(t, "/account"); p.status == http.StatusOK {
		t.Error("the session of the browser that left still works")
	}
	if p := stays.open(t, "/account"); p.status != http.StatusOK {
		t.Errorf("another browser's session ended as well: %d", p.status)
	}
}

// privateKey signs in through a connection that has no secret but a key.
func (i installation) privateKey(t *testing.T) {
	proves(t, oidcProvider, "private_key_jwt, addressed to the token endpoint and to the issuer")
	p := i.provider
	var redirects, names []string
	for name, flags := range map[string][]string{"for the token endpoint": nil, "for the issuer": {"--issuer-as-audience"}} {
		var c connection
		i.command(t, &c, append([]string{
			"connection", "create-oidc", name, "--issuer", p.origin, "--client-id", "drawbridge", "--client-auth", "private_key_jwt", "--domain", domain,
		}, flags...)...)
		redirects, names = append(redirects, c.RedirectURI), append(names, c.ID)
		p.allow(t, append([]string{i.connection.RedirectURI}, redirects...)...)
		p = p.register(t, map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": c.KeysURL})
		b := newBrowser(i.bridge)
		next, err := after(b.open(t, "/sso/"+c.ID+"/login?return_to=%2Faccount"), eve)
		for err == nil && !b.carriesAnswer(next) {
			var at page
			if at, err = b.send(t.Context(), next); err == nil {
				next, err = after(at, eve)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		end, err := b.arrive(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		i.mustBeIn(t, end, eve)
	}
	if len(names) != 2 || filepath.Base(redirects[0]) != "callback" {
		t.Errorf("connections %v, redirect URIs %v", names, redirects)
	}
}

// sendForm submits the form of a page whose action ends with a path, with values of its own on top.
func (b *browser) sendForm(t *testing.T, p page, path string, values url.Values) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode || node.Data != "form" || !strings.HasSuffix(attribute(node, "action"), path) {
			continue
		}
		next, err := submit(p, node, person{})
		if err != nil {
			t.Fatal(err)
		}
		for name := range values {
			next.form.Set(name, values.Get(name))
		}
		answer, err := b.send(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	t.Fatalf("%s has no form for %s: %s", p.url.Redacted(), path, p.text)
	return page{}
}

// linkOf returns where the button of a page that leads on goes to.
func linkOf(t *testing.T, p page) *url.URL {
	t.Helper()
	root, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Type == html.ElementNode && node.Data == "a" && attribute(node, "class") == "button" {
			target, err := p.url.Parse(attribute(node, "href"))
			if err != nil {
				t.Fatal(err)
			}
			return target
		}
	}
	t.Fatalf("%s leads nowhere: %s", p.url.Redacted(), p.text)
	return nil
}
