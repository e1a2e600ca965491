package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// hurdle is one thing that keeps somebody out, or soon will, or has to be done first. Its kind says which sentence of the page it is.
type hurdle struct {
	Kind   string
	Tone   string // "warn", "bad", or empty for what is only to be known
	At     *time.Time
	By     string
	Reason string
}

// userActs are the buttons of the page: what the visitor may do with the person and the access model offers.
type userActs struct {
	Edit, Unlock, Reset, Demand, Deactivate, Offboard, Activate, Delete, Merge, Dates, Transfer, Release bool
}

// More reports whether there is anything for the menu of rarer acts.
func (a userActs) More() bool {
	return a.Offboard || a.Delete || a.Merge || a.Dates || a.Transfer || a.Demand || a.Release
}

func (d *Door) userActs(v visit, b *userBody) userActs {
	m := v.prov.Model()
	owner, hasOwners := m.Owner()
	kept := func(what string) bool { return b.Owner && owner.Denies(what) }
	others := b.Write && !b.Self
	platform := v.Can(tenantsWrite) && v.User.TenantID == ""
	mode := string(m.DeleteMode())
	remove := mode == "permanent" && b.Write || mode == "remove_from_tenant" && v.Can(usersInvite)
	return userActs{
		Edit:       b.Write && len(b.Directories) == 0 && (b.Self || !kept("edit")),
		Unlock:     others && b.User.Status() == identity.StatusLocked,
		Reset:      others && b.User.Enabled,
		Demand:     others && b.Password.On && !b.Password.MustChange,
		Deactivate: others && b.User.Enabled && m.Deactivates() && !kept("deactivate"),
		Offboard:   others && b.User.Enabled && b.User.TenantID != "" && !kept("deactivate"),
		Activate:   b.Write && !b.User.Enabled && !b.Terms.Out(),
		Delete:     remove && !b.Self && !kept("delete"),
		Merge:      others && !b.Owner && b.User.TenantID != "",
		Dates:      others && !kept("deactivate"),
		Transfer:   platform && hasOwners && b.User.TenantID != "" && !b.Owner && b.User.Enabled,
		Release:    platform && slices.ContainsFunc(b.Directories, func(l identity.DirectoryLink) bool { return l.TenantID != "" && l.TenantID == b.User.TenantID }),
	}
}

// owns reports whether somebody owns the tenant, where tenants have owners.
func (d *Door) owns(ctx context.Context, v visit, u identity.User) (bool, error) {
	if _, ok := v.prov.Model().Owner(); !ok || u.TenantID == "" {
		return false, nil
	}
	owner, err := d.prov.Owner(ctx, v.Actor, u.TenantID)
	return err == nil && owner.ID == u.ID, err
}

// hurdles says why somebody cannot come in, or what to know about it, the weightiest first.
func (d *Door) hurdles(ctx context.Context, b *userBody) []hurdle {
	var out []hurdle
	now := time.Now()
	if !b.User.Enabled {
		out = append(out, whyOut(b, now))
	}
	if b.User.Status() == identity.StatusLocked {
		out = append(out, whyLocked(b))
	}
	if b.Invited {
		out = append(out, whyInvited(b))
	}
	if h := d.roleHurdle(b); h.Kind != "" {
		out = append(out, h)
	}
	if b.User.Enabled && b.Terms.EndsAt != nil && !b.Terms.Ended {
		out = append(out, hurdle{Kind: "ends", At: b.Terms.EndsAt})
	}
	return append(out, d.passwordHurdles(ctx, b, now)...)
}

// whyOut says who or what keeps somebody out who is not enabled.
func whyOut(b *userBody, now time.Time) hurdle {
	h := hurdle{Tone: "warn"}
	if b.Out != nil {
		h.At, h.By, h.Reason = &b.Out.At, b.Out.ActorLabel, b.Out.Reason
	}
	switch {
	case b.Terms.StartsAt != nil && !b.Terms.Started && now.Before(*b.Terms.StartsAt):
		return hurdle{Kind: "early", Tone: "warn", At: b.Terms.StartsAt}
	case b.Terms.Ended:
		return hurdle{Kind: "over", Tone: "warn", At: b.Terms.EndsAt}
	}
	for _, l := range b.Directories {
		if !l.Active && !b.User.Held {
			h.Kind, h.By = "directory", l.DirectoryName
			return h
		}
	}
	switch {
	case b.Out == nil:
		h.Kind = "off"
	case b.Out.ActorKind == identity.ActorDirectory:
		h.Kind = "directory"
	case b.Out.Door == "import" || strings.Contains(b.Out.Door, "plan"):
		h.Kind = "file"
	case b.Out.ActorKind == identity.ActorSystem:
		h.Kind = "rule"
	default:
		h.Kind = "admin"
	}
	return h
}

func whyLocked(b *userBody) hurdle {
	h := hurdle{Kind: "locked", Tone: "bad", At: b.User.LockedAt}
	if b.User.LockedAt == nil {
		h = hurdle{Kind: "waits", Tone: "warn", At: b.User.LockedUntil}
	}
	if b.Out != nil {
		h.Reason = b.Out.Reason
	}
	return h
}

// whyInvited says what became of the mail with which somebody was invited.
func whyInvited(b *userBody) hurdle {
	h := hurdle{Kind: "invited", Tone: "warn"}
	for _, m := range b.Mails {
		if m.Kind != string(identity.MailInvitation) && m.Kind != string(identity.MailWelcome) {
			continue
		}
		h.At, h.By, h.Reason = &m.CreatedAt, m.To, m.Failure
		switch m.State() {
		case identity.MailSent:
			h.Kind = "invited-sent"
		case identity.MailFailed, identity.MailUncertain:
			h.Kind, h.Tone = "invited-failed", "bad"
		default:
			h.Kind = "invited-waiting"
		}
		return h
	}
	return h
}

// roleHurdle says when what somebody holds does not let anybody sign in.
func (d *Door) roleHurdle(b *userBody) hurdle {
	if b.Standing.Admin {
		return hurdle{}
	}
	if len(b.Assignments) == 0 {
		return hurdle{Kind: "norole", Tone: "warn"}
	}
	for _, a := range b.Assignments {
		if role, ok := d.prov.Model().Role(a.RoleID); ok && role.Interactive {
			return hurdle{}
		}
	}
	return hurdle{Kind: "programs", Tone: "warn"}
}

// passwordHurdles say what stands between somebody and signing in with a password.
func (d *Door) passwordHurdles(ctx context.Context, b *userBody, now time.Time) []hurdle {
	if !b.Password.On {
		if len(b.Links) == 0 && len(b.Directories) == 0 && !b.Invited && b.User.LastLoginAt == nil {
			return []hurdle{{Kind: "nodoor"}}
		}
		return nil
	}
	var out []hurdle
	switch ends := b.Password.ExpiresAt; {
	case b.Password.Temporary && ends != nil && !now.Before(*ends):
		out = append(out, hurdle{Kind: "temporary-over", Tone: "warn", At: ends})
	case b.Password.Temporary:
		out = append(out, hurdle{Kind: "temporary", At: ends})
	case b.Password.MustChange:
		out = append(out, hurdle{Kind: "mustchange"})
	}
	if err := d.authn.MayUseLocal(ctx, b.User.ID); identity.CodeOf(err) == "sso.required" && len(b.Links) == 0 {
		out = append(out, hurdle{Kind: "sso"})
	}
	return out
}
