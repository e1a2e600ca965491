package scim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// asks sends a token request. headers are names and values by turns.
func (c *client) asks(body string, headers ...string) reply {
	c.t.Helper()
	at := *c
	at.base, at.token = strings.TrimSuffix(c.base, Path), ""
	r, err := at.send("POST", TokenPath, []byte(body), append([]string{"Authorization", "", "Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func basic(id, secret string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return r.Header.Get("Authorization")
}

const grant = "grant_type=client_credentials"

func TestAClientGetsATokenWithEachWayToSendItsSecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		c := b.client(t, "oauth", identity.DialectStandard)
		made, secret, err := b.people.CreateClient(t.Context(), identity.Operator(), c.directory.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		id := string(made.ID)
		for name, r := range map[string]reply{
			"Basic":                      c.asks(grant, "Authorization", basic(id, secret)),
			"Basic with the scope":       c.asks(grant+"&scope=scim", "Authorization", basic(id, secret)),
			"Basic and its own id":       c.asks(grant+"&client_id="+id, "Authorization", basic(id, secret)),
			"the body":                   c.asks(grant + "&client_id=" + id + "&client_secret=" + secret),
			"what nobody knows is there": c.asks(grant+"&colour=blue&scope=", "Authorization", basic(id, secret), "Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
		} {
			if r.status != 200 || r.object["token_type"] != "Bearer" || r.object["expires_in"] != 600.0 || r.object["scope"] != "scim" {
				t.Fatalf("%s: %d %s", name, r.status, r.raw)
			}
			if r.header.Get("Cache-Control") != "no-store" || r.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: the headers are %v", name, r.header)
			}
			with := *c
			with.token = textOf(r.object["access_token"])
			with.must(201, "POST", "/Users", userBody(strings.ReplaceAll(name, " ", "-")))
		}
		if n := len(listOf(c.must(200, "GET", "/Users", "").object["Resources"])); n != 5 {
			t.Errorf("the directory's own token sees %d of the five people whom its client made", n)
		}
	})
}

func TestARevokedClientsTokenIsRefusedAtOnce(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "oauth", identity.DialectStandard)
	made, secret, err := b.people.CreateClient(t.Context(), identity.Operator(), c.directory.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	with := *c
	with.token = textOf(c.asks(grant, "Authorization", basic(string(made.ID), secret)).object["access_token"])
	with.must(200, "GET", "/Users", "")
	if err := b.people.RevokeClient(t.Context(), identity.Operator(), c.directory.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	r := with.must(401, "GET", "/Users", "")
	if got := r.header.Get("WWW-Authenticate"); got != `Bearer realm="scim", error="invalid_token"` || !strings.Contains(string(r.raw), "token endpoint") {
		t.Errorf("the answer is %s with %q", r.raw, got)
	}
}

func TestTokenRequestsAreRefusedAsTheStandardSays(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "oauth", identity.DialectStandard)
	made, secret, err := b.people.CreateClient(t.Context(), identity.Operator(), c.directory.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := string(made.ID)
	right := basic(id, secret)
	jwt := "&client_assertion=x.y.z&client_assertion_type=" + url.QueryEscape(assertionType)
	for _, r := range []struct {
		name, body string
		headers    []string
		status     int
		code       string
	}{
		{"no grant", "scope=scim", []string{"Authorization", right}, 400, invalidRequest},
		{"an empty grant", "grant_type=", []string{"Authorization", right}, 400, invalidRequest},
		{"another grant", "grant_type=password", []string{"Authorization", right}, 400, unsupportedGrant},
		{"another scope", grant + "&scope=scim+admin", []string{"Authorization", right}, 400, invalidScope},
		{"a parameter twice", grant + "&" + grant, []string{"Authorization", right}, 400, invalidRequest},
		{"JSON", `{"grant_type":"client_credentials"}`, []string{"Authorization", right, "Content-Type", "application/json"}, 400, invalidRequest},
		{"a broken form", grant + "&x=%zz", []string{"Authorization", right}, 400, invalidRequest},
		{"a long form", grant + "&x=" + strings.Repeat("x", maxTokenRequest), []string{"Authorization", right}, 413, invalidRequest},
		{"two ways at once", grant + "&client_secret=" + secret, []string{"Authorization", right}, 400, invalidRequest},
		{"two other ways", grant + jwt + "&client_secret=" + secret, nil, 400, invalidRequest},
		{"another client_id", grant + "&client_id=x", []string{"Authorization", right}, 400, invalidRequest},
		{"a JWT of another type", grant + "&client_assertion=x.y.z&client_assertion_type=saml", nil, 400, invalidRequest},
		{"a JWT without a type", grant + "&client_assertion=x.y.z", nil, 400, invalidRequest},
		{"nobody", grant, nil, 401, invalidClient},
		{"an id alone", grant + "&client_id=" + id, nil, 401, invalidClient},
		{"a secret alone", grant + "&client_secret=" + secret, nil, 401, invalidClient},
		{"a wrong secret", grant, []string{"Authorization", basic(id, "x")}, 401, invalidClient},
		{"no Basic", grant, []string{"Authorization", "Bearer " + secret}, 401, invalidClient},
		{"Basic that is none", grant, []string{"Authorization", "Basic !"}, 401, invalidClient},
		{"a type without a JWT", grant + "&client_assertion_type=" + url.QueryEscape(assertionType), nil, 401, invalidClient},
		{"a JWT that is none", grant + jwt, nil, 401, invalidClient},
	} {
		got := c.asks(r.body, r.headers...)
		if got.status != r.status || got.object["error"] != r.code || textOf(got.object["error_description"]) == "" {
			t.Errorf("%s: %d %s, want %d %s", r.name, got.status, got.raw, r.status, r.code)
		}
		if (got.header.Get("WWW-Authenticate") != "") != (r.status == 401) || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the headers are %v", r.name, got.header)
		}
		if strings.ContainsAny(textOf(got.object["error_description"]), "\"\\é…") {
			t.Errorf("%s: the description has characters that it must not have: %s", r.name, got.raw)
		}
	}
	at := *c
	at.base = strings.TrimSuffix(c.base, Path)
	if r, err := at.send("POST", TokenPath+"?"+grant, nil, "Authorization", right); err != nil || r.status != 400 {
		t.Errorf("with parameters in the address: %d %s %v", r.status, r.raw, err)
	}
	for _, method := range []string{"GET", "PUT"} {
		if r, err := at.send(method, TokenPath, nil, "Authorization", right); err != nil || r.status != 405 || r.header.Get("Allow") != "POST" || r.object["error"] != invalidRequest {
			t.Errorf("%s: %d %s %v", method, r.status, r.raw, err)
		}
	}
	if got := c.asks(grant, "Authorization", right, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); got.status != 403 {
		t.Errorf("from a page of another site: %d %s", got.status, got.raw)
	}
}

func TestTheMetadataSaysWhatWorks(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "oauth", identity.DialectStandard)
	at := *c
	at.base = b.url
	doc := at.must(200, "GET", metadataPath, "", "Authorization", "").object
	if doc["issuer"] != b.url || doc["token_endpoint"] != b.url+TokenPath || doc["grant_types_supported"].([]any)[0] != grantClient {
		t.Errorf("the metadata is %v", doc)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := b.people.CreateClient(t.Context(), identity.Operator(), c.directory.ID, publicSet(t, private))
	if err != nil {
		t.Fatal(err)
	}
	for _, audience := range []string{textOf(doc["issuer"]), textOf(doc["token_endpoint"])} {
		claims := object{"iss": made.ID, "sub": made.ID, "aud": audience, "exp": time.Now().Add(time.Minute).Unix(), "jti": identity.NewSecret("")}
		signed := signES256(t, private, claims)
		form := grant + "&client_assertion=" + signed + "&client_assertion_type=" + url.QueryEscape(assertionType)
		r := c.asks(form)
		if r.status != 200 {
			t.Fatalf("for %s: %d %s", audience, r.status, r.raw)
		}
		with := *c
		with.token = textOf(r.object["access_token"])
		with.must(200, "GET", "/Users", "")
		if again := c.asks(form); again.status != 401 || again.object["error"] != invalidClient {
			t.Errorf("the same JWT again: %d %s", again.status, again.raw)
		}
	}
}

func TestARequestFromAStrangeNetworkIsForbiddenAndKeptInTheJournal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		c := b.client(t, "networks", identity.DialectStandard)
		allow := func(networks ...string) {
			t.Helper()
			_, err := b.people.UpdateDirectory(t.Context(), identity.Operator(), c.directory.ID, func(d *identity.Directory) (err error) {
				d.Networks, err = identity.ParseNetworks(networks)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		allow("203.0.113.0/24")
		r := c.must(403, "POST", "/Users", userBody("ada"), "X-Forwarded-For", "203.0.113.1")
		if !strings.Contains(textOf(r.object["detail"]), "127.0.0.1") {
			t.Errorf("the answer does not say from where: %s", r.raw)
		}
		page, err := b.people.Requests(t.Context(), identity.Operator(), provisioning.RequestQuery{DirectoryID: c.directory.ID, Limit: 10})
		if err != nil || len(page.Items) != 1 || page.Items[0].Status != 403 || !strings.Contains(page.Items[0].Detail, "127.0.0.1") {
			t.Errorf("the journal has %+v, %v", page.Items, err)
		}
		made, secret, err := b.people.CreateClient(t.Context(), identity.Operator(), c.directory.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.asks(grant, "Authorization", basic(string(made.ID), secret)); got.status != 403 || got.object["error"] != unauthorized {
			t.Errorf("a client from there: %d %s", got.status, got.raw)
		}
		allow("203.0.113.0/24", "127.0.0.0/8")
		c.must(201, "POST", "/Users", userBody("ada"))
		allow()
		c.must(201, "POST", "/Users", userBody("grace"))
	})
}

func publicSet(t *testing.T, key *ecdsa.PrivateKey) json.RawMessage {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return encode(object{"keys": []object{{"kty": "EC", "crv": "P-256", "x": base64URL(point[1:33]), "y": base64URL(point[33:])}}})
}

// signES256 signs claims by hand, since this package owns no library for it.
func signES256(t *testing.T, key *ecdsa.PrivateKey, claims object) string {
	t.Helper()
	text := base64URL([]byte(`{"alg":"ES256"}`)) + "." + base64URL(encode(claims))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + base64URL(signature[:])
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
