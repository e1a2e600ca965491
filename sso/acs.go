package sso

import (
	"errors"
	"mime"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// maxBody is the largest form in bytes that a provider may post.
const maxBody = 512 << 10

// acs answers POST /sso/{connection}/acs, the assertion consumer service (SAML bindings 3.5). RelayState is not read: where to go next was saved here.
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
	raw, err := responseOf(w, r)
	if err != nil {
		return a.refused(r, err)
	}
	claims, st, err := a.answeredSAML(r, raw)
	return a.finish(w, r, claims, st, err)
}

func withStatus(err error, status int) error {
	var why *refusal
	if errors.As(err, &why) {
		why.status = status
	}
	return err
}

// responseOf returns the decoded SAMLResponse of the posted form; one in the query string does not count.
func responseOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := readPost(w, r); err != nil {
		return nil, err
	}
	if len(r.PostForm["SAMLResponse"]) != 1 {
		return nil, malformed("the posted form has not exactly one SAMLResponse")
	}
	raw, err := decodeBase64(r.PostForm.Get("SAMLResponse"))
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
	v, err := verify(raw, &a.connection, a.door.expectation(a.connection.ID), &a.trail)
	if err != nil {
		return v.claims, st, err
	}
	if err := a.once(r, v); err != nil {
		return v.claims, st, err
	}
	if st, err = a.recall(r, v.inResponseTo, "saml", identity.Forbidden); err == nil {
		err = a.trail.require(purposeCheck(st.Purpose != identity.PurposeLogout))
	}
	return v.claims, st, err
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
