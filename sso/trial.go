package sso

import (
	"context"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// test answers GET /sso/{connection}/test?key=: whoever has the key of a trial goes to the provider and back once, and nothing comes of it but a trace.
func (d *Door) test(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, "")
	if err != nil {
		return err
	}
	key := r.URL.Query().Get("key")
	t, err := d.provisioning.OpenTrial(r.Context(), c.ID, key)
	if err != nil {
		return err
	}
	d.setReturning(w, web.TrialCookie, key, stateAge)
	a := d.attempt(r, c)
	a.trial, a.trace.Purpose = t.ID, identity.PurposeTest
	a.errand = errand{purpose: identity.PurposeTest, user: t.UserID, trial: t.ID}
	target, err := a.start(w, r)
	if err != nil {
		return a.refused(r, err)
	}
	w.Header().Set("Referrer-Policy", "no-referrer") // the address of this page has the key
	http.Redirect(w, r, target, http.StatusFound)
	return nil
}

// answer is the attempt that a provider's answer belongs to. A trial that is on its way in this browser explains what is wrong with an answer before it is
// known which request it answers, as with a wrong signature.
func (d *Door) answer(r *http.Request, c identity.Connection) *attempt {
	a := d.attempt(r, c)
	key := d.cookies.Value(r, web.TrialCookie)
	if !bindingShape.MatchString(key) {
		return a
	}
	if t, err := d.provisioning.RunningTrial(r.Context(), c.ID, key); err == nil {
		a.trial, a.trace.Purpose = t.ID, identity.PurposeTest
	}
	return a
}

// completeTest decides what the sign-in would have come to.
func (a *attempt) completeTest(ctx context.Context, claims identity.Claims, st identity.SignInState) (outcome, error) {
	return outcome{to: web.TrialPath + string(st.TrialID)}, a.door.provisioning.PreviewSignIn(ctx, a.connection, claims, &a.trace)
}
