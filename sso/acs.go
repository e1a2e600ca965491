package sso

import (
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// maxBody is the largest form in bytes that a provider may post.
const maxBody = 512 << 10

// acs answers POST /sso/{connection}/acs, the assertion consumer service (SAML bindings 3.5 and 3.6). RelayState is not read from an answer to our request:
// where to go next was saved here.
func (d *Door) acs(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, identity.SAML)
	if err != nil {
		return err
	}
	a := d.answer(r, c)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		err := a.refused(r, identity.Errorf(identity.Invalid, "A SAML response is posted as a form.").WithCode("saml.bad_form"))
		return withStatus(err, http.StatusUnsupportedMediaType)
	}
	if err := readPost(w, r); err != nil {
		return a.refused(r, err)
	}
	raw, err := a.responseOf(r)
	if err != nil {
		return a.refused(r, err)
	}
	return a.consume(w, r, raw, r.PostForm.Get("RelayState"))
}

// acsByGet answers GET /sso/{connection}/acs, where an artifact may come. A response in an address is refused: it would stay in logs and histories.
func (d *Door) acsByGet(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if !q.Has(samlArtifact) || q.Has(samlResponse) {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "A SAML response is posted.", http.StatusMethodNotAllowed)
		return nil
	}
	c, err := d.connection(r, identity.SAML)
	if err != nil {
		return err
	}
	a := d.answer(r, c)
	raw, err := a.byArtifact(r, q[samlArtifact])
	if err != nil {
		return a.refused(r, err)
	}
	return a.consume(w, r, raw, q.Get("RelayState"))
}

// consume ends an attempt with a response, however it came.
func (a *attempt) consume(w http.ResponseWriter, r *http.Request, raw []byte, relay string) error {
	claims, st, err := a.answeredSAML(r, raw)
	if errors.Is(err, errUnsolicited) {
		return a.bounce(w, r, relay)
	}
	return a.finish(w, r, claims, st, err)
}

func withStatus(err error, status int) error {
	var why *refusal
	if errors.As(err, &why) {
		why.status = status
	}
	return err
}

// responseOf returns the decoded SAMLResponse of the posted form, or what its artifact stands for; one in the query string does not count.
func (a *attempt) responseOf(r *http.Request) ([]byte, error) {
	responses, artifacts := r.PostForm[samlResponse], r.PostForm[samlArtifact]
	if len(responses) == 0 && len(artifacts) > 0 {
		return a.byArtifact(r, artifacts)
	}
	if len(responses) != 1 || len(artifacts) > 0 {
		return nil, malformed("the posted form has not exactly one SAMLResponse")
	}
	raw, err := decodeBase64(responses[0])
	if err != nil {
		return nil, malformed("SAMLResponse is not base64").WithCause(err)
	}
	return raw, nil
}

// answeredSAML checks a response: by itself, then whether it was used before, then against the request that it answers.
func (a *attempt) answeredSAML(r *http.Request, raw []byte) (identity.Claims, identity.SignInState, error) {
	var st identity.SignInState
	if err := a.enabled(); err != nil {
		return identity.Claims{}, st, err
	}
	want := a.door.expectation(a.connection.ID)
	want.unsolicited = a.connection.Options.AllowUnsolicited
	v, err := verify(raw, &a.connection, want, &a.trail)
	a.trace.Facts = v.facts
	if err != nil {
		return v.claims, st, err
	}
	if err := a.once(r, v); err != nil {
		return v.claims, st, err
	}
	if v.inResponseTo == "" {
		return v.claims, st, errUnsolicited // verify lets it pass only where the connection allows it
	}
	if st, err = a.recall(r, v.inResponseTo, "saml", identity.Forbidden); err == nil {
		err = a.trail.require(a.freshness(v.claims, st))
	}
	return v.claims, st, err
}

// freshness: where the provider was to ask the person again, a sign-in there that is older than our request is not what we asked for (SAML core 3.4.1).
func (a *attempt) freshness(claims identity.Claims, st identity.SignInState) check {
	c := check{name: "fresh authentication", ok: true, code: "saml.stale_authentication"}
	if !st.Force && !a.connection.Options.ForceAuthn {
		return c
	}
	c.want = "after " + st.CreatedAt.UTC().Format(time.RFC3339)
	c.fix = "The provider was told to ask the person again (ForceAuthn) and did not: let it honour that for us, or do not demand it of this connection."
	if c.ok = claims.AuthTime != nil && !claims.AuthTime.Add(skewOf(&a.connection)).Before(st.CreatedAt); claims.AuthTime != nil {
		c.got = claims.AuthTime.UTC().Format(time.RFC3339)
	}
	return c
}

// once refuses an assertion that was presented before, at whichever replica.
func (a *attempt) once(r *http.Request, v verdict) error {
	err := a.door.authn.Remember(r.Context(), a.connection.ID, v.assertionID, v.replayUntil)
	if err != nil && identity.KindOf(err) != identity.Conflict {
		return err
	}
	return a.trail.require(check{
		name: "replay", ok: err == nil, code: "saml.replay", got: v.assertionID, want: "an assertion that was not used yet",
		fix: "This response was used before: somebody reloaded the page, or presents a copy. Start again at the sign-in page.",
	})
}
