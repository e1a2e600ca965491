package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// userAct is one act on the page of a user that is asked for first and has a reason.
type userAct struct {
	ask  func(u provisioning.UserDetail) confirmBody
	act  func(ctx context.Context, v visit, id identity.UserID, reason string) error
	done string
}

// asks shows the question.
func (d *Door) asks(act userAct) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error { return d.userConfirm(w, r, v, act.ask) }
}

// acts does it, or shows beside the question why not.
func (d *Door) acts(act userAct) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		id, err := pathID[identity.UserID](r, "id")
		if err != nil {
			return err
		}
		f, err := readForm(w, r, "reason")
		if err != nil {
			return err
		}
		if err = act.act(r.Context(), v, id, f.Value("reason")); err == nil {
			http.Redirect(w, r, "/console/users/"+string(id)+"?done="+act.done, http.StatusSeeOther)
			return nil
		}
		detail, again := d.prov.UserDetail(r.Context(), v.Actor, id)
		if again != nil || !f.refused(err) {
			return errors.Join(err, again)
		}
		body := act.ask(detail)
		body.Form = f
		return d.confirm(w, r, v, "users", body)
	}
}

// askAbout is the frame of a question about a user.
func askAbout(u provisioning.UserDetail, verb string) confirmBody {
	at := "/console/users/" + string(u.User.ID)
	return confirmBody{Who: u.User.Email(), Reason: true, Action: at + "/" + verb, Back: at}
}

func (d *Door) resetFactor() userAct {
	return userAct{
		ask: func(u provisioning.UserDetail) confirmBody {
			c := askAbout(u, "reset-second-factor")
			c.Title, c.Button, c.Danger = "Take away the second factor of "+u.User.Label()+"?", "Take it away", true
			c.Facts = []string{
				"Make sure that it is really " + u.User.Label() + " who asks for it: from then on the password alone opens the account.",
				"Every session ends, and the recovery codes are worth nothing any more.",
			}
			return c
		},
		act: func(ctx context.Context, v visit, id identity.UserID, reason string) error {
			return d.authn.ResetSecondFactor(ctx, v.Actor, id, reason)
		},
		done: "factor-reset",
	}
}

func (d *Door) grantEmergency() userAct {
	return userAct{
		ask: func(u provisioning.UserDetail) confirmBody {
			c := askAbout(u, "break-glass")
			c.Title, c.Button = "Make "+u.User.Label()+" an account for emergencies?", "Make it one"
			c.Facts = []string{
				"It may sign in with its password and second factor even when its tenant requires the identity provider, so that somebody can come in when the provider is down.",
				"Each of its sign-ins is marked in the audit.",
				"Keep password and recovery codes where you find them without the provider, such as in a safe.",
			}
			return c
		},
		act: func(ctx context.Context, v visit, id identity.UserID, reason string) error {
			return d.prov.SetBreakGlass(ctx, v.Actor, id, true, reason)
		},
		done: "emergency-on",
	}
}

func (d *Door) revokeEmergency() userAct {
	return userAct{
		ask: func(u provisioning.UserDetail) confirmBody {
			c := askAbout(u, "break-glass/end")
			c.Title, c.Button, c.Danger = "Make "+u.User.Label()+" an ordinary account again?", "Make it ordinary", true
			c.Facts = []string{"Where its tenant requires the identity provider, its password opens nothing any more, and sessions that began with it end."}
			return c
		},
		act: func(ctx context.Context, v visit, id identity.UserID, reason string) error {
			return d.prov.SetBreakGlass(ctx, v.Actor, id, false, reason)
		},
		done: "emergency-off",
	}
}
