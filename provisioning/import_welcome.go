package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// MakePassword makes up a password for somebody, with its hash and what holds for it; authn.TemporaryPassword does.
type MakePassword func(ctx context.Context, u identity.User, lasts time.Duration) (phc string, terms identity.PasswordTerms, password string, err error)

// welcome tells somebody new of the account, as the plan says; the mail leaves with the transaction, or not at all. Who brings a password needs no mail, and who may not come
// in yet gets none.
func (p *planner) welcome(ctx context.Context, tx *store.Tx, r importRow, u identity.User) (identity.MailID, error) {
	later := p.startsLater(r, tx.Now())
	if !later && !p.tells(r, u) || later && (p.plan.Options.Welcome == identity.WelcomeNone || r.hash != "") {
		return "", nil
	}
	if u.Email() == "" {
		return "", identity.Errorf(identity.Invalid, "%s has no e-mail address to which the mail could go. Add one, or import without mails.", u.Label()).WithField(fieldEmail)
	}
	if later {
		return "", nil // the mail goes when they start
	}
	if p.plan.Options.Welcome == identity.WelcomeInvite {
		link, err := p.s.invite(ctx, tx, p.by, u, "")
		return link.MailID, err
	}
	if r.made == "" {
		return "", nil // it is only being computed
	}
	return p.mailPassword(ctx, tx, r, u)
}

// tells reports whether somebody new gets a mail.
func (p *planner) tells(r importRow, u identity.User) bool {
	return p.plan.Options.Welcome != identity.WelcomeNone && u.Enabled && (r.hash == "" || r.made != "")
}

// startsLater reports whether somebody new starts after a moment.
func (p *planner) startsLater(r importRow, now time.Time) bool {
	starts := p.termsOf(r, identity.Terms{}).StartsAt
	return starts != nil && starts.After(now)
}

// mailPassword sends the password that was made up for somebody.
func (p *planner) mailPassword(ctx context.Context, tx *store.Tx, r importRow, u identity.User) (identity.MailID, error) {
	words, err := letterTo(ctx, tx, p.by, u)
	if err != nil {
		return "", err
	}
	words.Password, words.Button, words.Link = r.made, "Sign in", p.s.origin+"/signin"
	if r.terms.ExpiresAt != nil {
		words.Until = untilText(*r.terms.ExpiresAt)
	}
	id := identity.NewID[identity.MailID]()
	if err := p.s.post(ctx, tx, identity.Mail{ID: id, UserID: u.ID, TenantID: u.TenantID}, identity.MailPassword, words); err != nil {
		return "", err
	}
	e := about(p.by, identity.WelcomeSent, u)
	e.Changes = []identity.Change{{Field: "email", After: u.Email()}, {Field: "password", After: "temporary"}}
	return id, tx.InsertEvent(ctx, e)
}

// makePasswords makes up passwords for the people whom the next steps create. It is done before the transaction of the steps, since a hash takes its time.
func (a *applying) makePasswords(ctx context.Context, after int) error {
	a.made = map[int]importRow{}
	if a.plan.Options.Welcome != identity.WelcomePassword {
		return nil
	}
	if a.temporary == nil {
		return identity.Errorf(identity.Invalid, "This plan makes up passwords, which cannot be done here. Carry it out at the command line.").WithField("welcome")
	}
	var steps []identity.PlanStep
	err := a.s.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.PlanSteps(ctx, a.plan.ID, StepQuery{States: todo, After: after, Limit: a.most()})
		steps = page.Items
		return err
	})
	for _, step := range steps {
		if err == nil {
			err = a.makePassword(ctx, step)
		}
	}
	return err
}

func (a *applying) makePassword(ctx context.Context, step identity.PlanStep) error {
	d, err := readStep(step)
	r := d.row(step.Line)
	u := identity.User{TenantID: r.tenant, Enabled: true}
	if err == nil {
		err = r.applyTo(&u, false)
	}
	if err != nil || step.UserID != "" || !a.tells(r, u) || a.startsLater(r, time.Now()) {
		return err
	}
	r.hash, r.terms, r.made, err = a.temporary(ctx, u, 0)
	a.made[step.Line] = r
	return err
}
