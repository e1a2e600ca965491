//go:build e2e

package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// person is somebody whom both providers know.
type person struct {
	Login         string `json:"login"`
	Password      string `json:"password"`
	Subject       string `json:"subject"` // stable and opaque
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	GivenName     string `json:"given_name"`
	FamilyName    string `json:"family_name"`
}

// domain is the e-mail domain of all people here.
const domain = "contoso.example"

func newPerson(given, family string) person {
	login := strings.ToLower(given)
	return person{
		Login: login, Password: "password of " + login, Subject: login + "-7c1f", Email: login + "@" + domain, EmailVerified: true,
		GivenName: given, FamilyName: family,
	}
}

var (
	ada   = newPerson("Ada", "Lovelace")
	bob   = newPerson("Bob", "Noyce")
	carol = newPerson("Carol", "Shaw")
	dave  = newPerson("Dave", "Cutler")
	eve   = newPerson("Eve", "Sullivan")
	frank = newPerson("Frank", "Gray")
	grace = func() person {
		p := newPerson("Grace", "Hopper")
		p.EmailVerified = false
		return p
	}()
)

// provider is a running identity provider.
type provider struct {
	origin string
	folder string // what the provider reads while it runs
	secret string // of the OIDC client

	process *process // of the OpenID provider
}

// newFolder makes the folder that a provider reads, with everybody in it.
func newFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, sub := range []string{"sp", "tmp"} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(folder, "people.json"), asJSON(t, []person{ada, bob, carol, dave, eve, frank, grace}))
	return folder
}

// startSimpleSAMLphp starts Debian's SimpleSAMLphp with a key of its own.
func startSimpleSAMLphp(t *testing.T) provider {
	t.Helper()
	const root = "/usr/share/simplesamlphp/www"
	if _, err := os.Stat(root); err != nil {
		t.Fatal("SimpleSAMLphp is not installed; on Debian: apt-get install simplesamlphp php-cli php-xml php-mbstring php-curl php-sqlite3")
	}
	settings, err := filepath.Abs("testdata/simplesamlphp")
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + freePort(t)
	p := provider{origin: "http://" + address, folder: newFolder(t)}
	writeKey(t, p.folder, "idp")
	start(t, p.folder, environment("SIMPLESAMLPHP_CONFIG_DIR="+settings, "E2E_FOLDER="+p.folder, "E2E_ORIGIN="+p.origin), "php", "-S", address, "-t", root)
	eventually(t, "SimpleSAMLphp shows its metadata", func() bool { return answers(t.Context(), p.metadata()) })
	return p
}

// metadata is the address of the SAML provider's metadata.
func (p provider) metadata() string { return p.origin + "/saml2/idp/metadata.php" }

// trust gives the SAML provider a service provider's metadata; encrypted makes it encrypt its assertions for it.
func (p provider) trust(t *testing.T, name string, metadata []byte, encrypted bool) {
	t.Helper()
	if encrypted {
		name += ".encrypted"
	}
	write(t, filepath.Join(p.folder, "sp", name+".xml"), metadata)
}

// startOIDCProvider starts npm's oidc-provider, whose packages are installed beside its script once.
func startOIDCProvider(t *testing.T) provider {
	t.Helper()
	p := provider{folder: newFolder(t), secret: rand.Text() + rand.Text()}
	p.allow(t)
	p.process = p.runOIDC(t, "0")
	eventually(t, "oidc-provider prints its issuer", func() bool {
		for line := range strings.Lines(p.process.log.String()) {
			if strings.HasPrefix(line, "http://127.0.0.1:") && strings.HasSuffix(line, "\n") {
				p.origin = strings.TrimSpace(line)
			}
		}
		return p.origin != ""
	})
	return p
}

// runOIDC starts the provider's program on a port; 0 is any.
func (p provider) runOIDC(t *testing.T, port string) *process {
	t.Helper()
	script, err := filepath.Abs("testdata/oidc-provider")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(script, "node_modules")); err != nil {
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		npm.Dir = script
		if out, err := npm.CombinedOutput(); err != nil {
			t.Fatalf("oidc-provider cannot be installed (node and npm are needed; on Debian: apt-get install nodejs npm): %v\n%s", err, out)
		}
	}
	return start(t, script, environment("E2E_FOLDER="+p.folder, "E2E_CLIENT_SECRET="+p.secret, "E2E_PORT="+port), "node", "server.mjs")
}

// restart starts the OpenID provider anew at the same issuer, with what its folder says now; its sessions are gone.
func (p provider) restart(t *testing.T) provider {
	t.Helper()
	p.process.kill()
	_, port, _ := strings.Cut(strings.TrimPrefix(p.origin, "http://"), ":")
	p.process = p.runOIDC(t, port)
	eventually(t, "oidc-provider answers again", func() bool { return answers(t.Context(), p.origin+"/.well-known/openid-configuration") })
	return p
}

// register adds to what the OpenID provider knows of the client.
func (p provider) register(t *testing.T, more map[string]any) provider {
	t.Helper()
	write(t, filepath.Join(p.folder, "client.json"), asJSON(t, more))
	return p.restart(t)
}

// newKey makes the OpenID provider sign with another key, which alone is published.
func (p provider) newKey(t *testing.T) provider {
	t.Helper()
	if err := os.Remove(filepath.Join(p.folder, "keys.json")); err != nil {
		t.Fatal(err)
	}
	return p.restart(t)
}

// allow sets the exact redirect URIs of the OIDC client.
func (p provider) allow(t *testing.T, redirects ...string) {
	t.Helper()
	write(t, filepath.Join(p.folder, "redirects.json"), asJSON(t, redirects))
}

// writeKey makes a key and certificate of the SAML provider: NAME.key and NAME.crt.
func writeKey(t *testing.T, folder, name string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SimpleSAMLphp"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	write(t, filepath.Join(folder, name+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
}

// choose sets what the SAML provider reads from settings.json, from its next request on.
func (p provider) choose(t *testing.T, settings map[string]any) {
	t.Helper()
	write(t, filepath.Join(p.folder, "settings.json"), asJSON(t, settings))
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
