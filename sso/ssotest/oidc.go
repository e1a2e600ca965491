package ssotest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// codeAge is how long a code can be traded.
const codeAge = time.Minute

// OIDCClient is a relying party that the provider knows.
type OIDCClient struct {
	ID          string
	Secret      string // empty: a public client
	RedirectURI string

	Auth string // token_endpoint_auth_method; empty: client_secret_basic or client_secret_post
	Keys string // jwks_uri, for private_key_jwt
	// PostLogout is where a browser may be sent after a log-out, and BackchannelLogout where the end of a session is told.
	PostLogout        string
	BackchannelLogout string
}

// OIDC is an OpenID provider with the code flow and PKCE. Its issuer is its base URL.
type OIDC struct {
	base   string
	people []Person

	mu      sync.Mutex
	keys    []signingKey // the last one signs
	clients map[string]OIDCClient
	codes   map[string]grant
	tokens  map[string]grant
	change  func(*IDToken)
	fetches int
	publish map[string]any

	assertions map[string]bool // the ids of clients' assertions that were used
	info       func(map[string]any)
}

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// grant is what a code or an access token stands for.
type grant struct {
	client    OIDCClient
	person    Person
	nonce     string
	challenge string
	redirect  string
	session   string // sid
	made      time.Time
}

// NewOIDC returns a provider that will be served under base, an absolute URL without a trailing slash, with a new key.
func NewOIDC(base string, people ...Person) (*OIDC, error) {
	o := &OIDC{base: base, people: people, clients: map[string]OIDCClient{}, codes: map[string]grant{}, tokens: map[string]grant{}, publish: map[string]any{}, assertions: map[string]bool{}}
	return o, o.RotateKey()
}

// Issuer returns the issuer.
func (o *OIDC) Issuer() string { return o.base }

// Register makes a relying party known; the same id again replaces it.
func (o *OIDC) Register(c OIDCClient) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clients[c.ID] = c
}

// Change sets what is done to every ID token before it is signed; nil behaves well again.
func (o *OIDC) Change(f func(*IDToken)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.change = f
}

// ChangeUserInfo sets what is done to every userinfo answer.
func (o *OIDC) ChangeUserInfo(f func(map[string]any)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.info = f
}

// Publish sets one value of the discovery document, overriding the true one.
func (o *OIDC) Publish(name string, value any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.publish[name] = value
}

// RotateKey makes a new key, which signs from now on and is the only one published.
func (o *OIDC) RotateKey() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys = []signingKey{{id: newID(), key: key}}
	return nil
}

// Fetches returns how often the keys were asked for.
func (o *OIDC) Fetches() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fetches
}

// ServeHTTP serves the provider under any prefix: only the last part of the path counts.
func (o *OIDC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	routes := map[string]http.HandlerFunc{
		"/.well-known/openid-configuration": o.discovery, "/authorize": o.authorize, "/token": o.token, "/keys": o.jwks, "/userinfo": o.userInfo,
		"/logout": o.endSession,
	}
	for path, handle := range routes {
		if strings.HasSuffix(r.URL.Path, path) {
			handle(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the only error is a client that went away
}

func (o *OIDC) discovery(w http.ResponseWriter, _ *http.Request) {
	d := map[string]any{
		"issuer": o.base, "authorization_endpoint": o.base + "/authorize", "token_endpoint": o.base + "/token", "jwks_uri": o.base + "/keys",
		"userinfo_endpoint": o.base + "/userinfo", "end_session_endpoint": o.base + "/logout", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	o.mu.Lock()
	for name, value := range o.publish {
		d[name] = value
	}
	o.mu.Unlock()
	answer(w, http.StatusOK, d)
}

func (o *OIDC) jwks(w http.ResponseWriter, _ *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fetches++
	var keys []map[string]any
	for _, k := range o.keys {
		keys = append(keys, map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id,
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()), "e": "AQAB",
		})
	}
	answer(w, http.StatusOK, map[string]any{"keys": keys})
}

func (o *OIDC) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o.mu.Lock()
	client, ok := o.clients[q.Get("client_id")]
	o.mu.Unlock()
	if !ok || q.Get("redirect_uri") != client.RedirectURI {
		http.Error(w, "unknown client or redirect URI", http.StatusBadRequest)
		return
	}
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || !strings.Contains(" "+q.Get("scope")+" ", " openid ") {
		o.back(w, r, client, url.Values{"error": {"invalid_request"}, "error_description": {"code flow with PKCE S256 and scope openid, please"}})
		return
	}
	email := chosen(r)
	if email == "" {
		ask(w, r, "Sign in at the OpenID test provider", o.people)
		return
	}
	code := newID()
	o.mu.Lock()
	o.codes[code] = grant{client, find(o.people, email), q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri"), newID(), time.Now()}
	o.mu.Unlock()
	o.back(w, r, client, url.Values{"code": {code}})
}

// back sends the browser to the client, with the state and our issuer (RFC 9207).
func (o *OIDC) back(w http.ResponseWriter, r *http.Request, client OIDCClient, values url.Values) {
	values.Set("state", r.URL.Query().Get("state"))
	values.Set("iss", o.base)
	http.Redirect(w, r, client.RedirectURI+"?"+values.Encode(), http.StatusFound)
}

func (o *OIDC) token(w http.ResponseWriter, r *http.Request) {
	id, proven := o.authenticate(r)
	o.mu.Lock()
	g, found := o.codes[r.PostFormValue("code")]
	delete(o.codes, r.PostFormValue("code"))
	o.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case !proven || found && id != g.client.ID:
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !found || time.Since(g.made) > codeAge || r.PostFormValue("redirect_uri") != g.redirect || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge:
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		o.grant(w, g)
	}
}

func (o *OIDC) grant(w http.ResponseWriter, g grant) {
	access := newID()
	o.mu.Lock()
	o.tokens[access] = g
	key, change := o.keys[len(o.keys)-1], o.change
	o.mu.Unlock()
	t := newIDToken(o.base, g, access, key)
	if change != nil {
		change(t)
	}
	raw, err := t.Compact()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	body := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": raw}
	if t.Omit {
		delete(body, "id_token")
	}
	answer(w, http.StatusOK, body)
}

func (o *OIDC) userInfo(w http.ResponseWriter, r *http.Request) {
	access, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	o.mu.Lock()
	g, ok := o.tokens[access]
	change := o.info
	o.mu.Unlock()
	if !ok {
		w.Header().Set("WWW-Authenticate", "Bearer")
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	claims := personClaims(g.person)
	if change != nil {
		change(claims)
	}
	answer(w, http.StatusOK, claims)
}
