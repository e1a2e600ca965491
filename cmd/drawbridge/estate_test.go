package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

// estate is an installation with an access model and every door open: the command line on its database, SCIM and single sign-on over HTTP, and the floor below them.
type estate struct {
	t       testing.TB
	sh      shell
	b       *bridge
	model   *access.Model
	op      identity.Actor
	tenants []identity.Tenant // those in which people work: two, or the one of an organisation
	tokens  []string          // of a directory of each
	sources []identity.Directory
	idp     *ssotest.OIDC
	via     identity.Connection
	said    *estateLog // what the program logged as its own failures
}

// estateLog keeps the failures that a program logs: the browser is never told.
type estateLog struct {
	mu    sync.Mutex
	lines []byte
}

// Write implements io.Writer.
func (l *estateLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line...)
	return len(line), nil
}

// String returns all lines.
func (l *estateLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.lines)
}

// newEstate opens an empty installation at a database's URL.
func newEstate(t testing.TB, sh shell, preset string) *estate {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	sh.env["DRAWBRIDGE_ACCESS_MODEL"], sh.env["DRAWBRIDGE_URL"] = preset, "http://"+server.Listener.Addr().String()
	sh.env["DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS"], sh.env["DRAWBRIDGE_SCIM_RATE"] = "true", "100000"
	p := &program{getenv: func(name string) string { return sh.env[name] }, stdout: io.Discard, stderr: io.Discard}
	settings, err := p.settings()
	if err != nil {
		t.Fatal(err)
	}
	b, err := open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	said := &estateLog{}
	log := slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelError}))
	server.Config.Handler = web.New(web.Options{Log: log, URL: settings.URL}).Handler(b.routes(log))
	server.Start()
	t.Cleanup(func() { server.Close(); _ = b.db.Close() })
	e := &estate{t: t, sh: sh, b: b, model: b.model, op: identity.Operator(), said: said}
	e.settle()
	return e
}

// settle makes the tenants with a directory each.
func (e *estate) settle() {
	ctx := e.t.Context()
	if e.model.Single() {
		e.tenants = []identity.Tenant{made[identity.Tenant](e.t)(e.b.people.MainTenant(ctx))}
	} else {
		for _, name := range []string{"Acme", "Globex"} {
			e.tenants = append(e.tenants, made[identity.Tenant](e.t)(e.b.people.CreateTenant(ctx, e.op, name)))
		}
	}
	for _, t := range e.tenants {
		d, token, err := e.b.people.CreateDirectory(ctx, e.op, identity.Directory{TenantID: t.ID, Name: t.Name + " directory", Dialect: identity.DialectStandard, Enabled: true})
		if err != nil {
			e.t.Fatal(err)
		}
		e.tokens, e.sources = append(e.tokens, token), append(e.sources, d)
	}
}

// connect opens a provider of the whole installation whose groups named like roles give them.
func (e *estate) connect(roles ...identity.RoleID) {
	mux := http.NewServeMux()
	idp := httptest.NewServer(mux)
	e.t.Cleanup(idp.Close)
	var err error
	if e.idp, err = ssotest.NewOIDC(idp.URL + "/oidc"); err != nil {
		e.t.Fatal(err)
	}
	mux.Handle("/oidc/", e.idp)
	c := identity.Connection{
		Name: "IdP", Kind: identity.OIDC, Enabled: true, Domains: []string{"example.com"}, Unknown: identity.UnknownLanding,
		OIDC: identity.OIDCSettings{Issuer: e.idp.Issuer(), ClientID: "drawbridge", ClientSecret: "s3cret"},
	}
	c.Options.Ceiling = roles
	for _, r := range roles {
		c.Options.Rules = append(c.Options.Rules, identity.Rule{Attribute: identity.RuleGroups, Value: string(r), Role: r, Tenant: e.tenants[0].ID}, identity.Rule{Attribute: identity.RuleGroups, Value: string(r), Role: r})
	}
	e.via = made[identity.Connection](e.t)(e.b.people.CreateConnection(e.t.Context(), e.op, c))
	e.idp.Register(ssotest.OIDCClient{ID: "drawbridge", Secret: "s3cret", RedirectURI: viewConnection(e.via, "", e.b.settings.URL).RedirectURI})
}

// made returns what somebody else's constructor made, or ends the test.
func made[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// person creates somebody by the operator's word.
func (e *estate) person(tenant identity.TenantID, name string, role identity.RoleID) identity.User {
	e.t.Helper()
	return made[identity.User](e.t)(e.b.people.CreateUser(e.t.Context(), e.op, provisioning.NewUser{User: personOf(tenant, name), Role: role, Reason: "a test"}))
}

func personOf(tenant identity.TenantID, name string) identity.User {
	return identity.User{
		TenantID: tenant, UserName: name, DisplayName: strings.ToUpper(name[:1]) + name[1:], Enabled: true,
		Emails: []identity.Email{{Value: name + "@example.com", Type: "work", Primary: true}},
	}
}

// scim sends a request as the directory of a tenant and returns what it answered: an error of the kind that its status stands for.
func (e *estate) scim(ctx context.Context, tenant int, method, path string, body any) (object, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, e.b.settings.URL+"/scim/v2"+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+e.tokens[tenant])
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer := object{}
	if raw, err = io.ReadAll(res.Body); err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil || res.StatusCode < 300 {
		return answer, err
	}
	detail, _ := answer["detail"].(string)
	code, _ := answer["scimType"].(string)
	kind, known := scimKinds[res.StatusCode]
	if !known {
		return answer, fmt.Errorf("%s %s was answered %d: %s; the log says\n%s", method, path, res.StatusCode, raw, e.said)
	}
	return answer, identity.Errorf(kind, "%s", detail).WithCode(code)
}

// scimKinds are the kinds that a status of SCIM stands for.
var scimKinds = map[int]identity.Kind{
	400: identity.Invalid, 403: identity.Forbidden, 404: identity.NotFound, 409: identity.Conflict, 412: identity.Precondition, 429: identity.TooMany,
}

// push creates somebody by a tenant's directory.
func (e *estate) push(tenant int, name string) identity.User {
	e.t.Helper()
	answer, err := e.scim(e.t.Context(), tenant, http.MethodPost, "/Users", scimUser(name))
	if err != nil {
		e.t.Fatal(err)
	}
	id, _ := answer["id"].(string)
	return made[identity.User](e.t)(e.b.people.User(e.t.Context(), e.op, identity.UserID(id)))
}

func scimUser(name string) object {
	return object{
		"schemas": list{coreUser}, "userName": name, "externalId": "x-" + name, "active": true, "displayName": strings.ToUpper(name[:1]) + name[1:],
		"emails": list{object{"value": name + "@example.com", "type": "work", "primary": true}},
	}
}

// patch is one operation of a PATCH.
func patch(op, path string, value any) object {
	step := object{"op": op, "path": path}
	if value != nil {
		step["value"] = value
	}
	return object{"schemas": list{patchOp}, "Operations": list{step}}
}

// command runs the program and returns its refusal as the error that it printed.
func (e *estate) command(ctx context.Context, args ...string) error {
	var out, errs bytes.Buffer
	err := run(ctx, append(args, "--json"), func(name string) string { return e.sh.env[name] }, strings.NewReader(""), &out, &errs)
	if err == nil {
		return nil
	}
	var said struct {
		Error struct{ Kind, Code, Message string }
	}
	if json.Unmarshal(errs.Bytes(), &said) != nil || said.Error.Kind == "usage" {
		return fmt.Errorf("drawbridge %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return identity.Errorf(identity.KindOf(err), "%s", said.Error.Message).WithCode(said.Error.Code)
}

// signIn goes to the provider and comes back as the person with that address and groups; a refusal is Forbidden.
func (e *estate) signIn(ctx context.Context, email string) error {
	b, err := newBrowser(e.b.settings.URL, &guide{quiet: true})
	if err != nil {
		return err
	}
	p, err := b.get(ctx, "/sso/"+string(e.via.ID)+"/login", "")
	if err == nil && p.next != "" {
		p, err = b.get(ctx, p.next+"&"+ssotest.LoginParameter+"="+email, "")
	}
	if err == nil && p.next != "" {
		p, err = b.get(ctx, p.next, "")
	}
	switch {
	case err != nil:
		return err
	case p.status >= 500:
		return fmt.Errorf("the sign-in was answered %d; the log says\n%s", p.status, e.said)
	case p.next == "":
		return identity.Errorf(identity.Forbidden, "refused")
	}
	return nil
}

// presets runs a test on each built-in access model.
func presets(t *testing.T, test func(t *testing.T, preset string)) {
	for _, preset := range access.Presets() {
		t.Run(preset, func(t *testing.T) { test(t, preset) })
	}
}

// eachEstate runs a test on an installation with that access model, on each database.
func eachEstate(t *testing.T, preset string, test func(t *testing.T, e *estate)) {
	storetest.EachURL(t, func(t *testing.T, url string) { test(t, newEstate(t, shellOn(t, url), preset)) })
}
