package console

import (
	"context"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
)

// noticeAge is how long before its end something is noticed.
const noticeAge = 60 * 24 * time.Hour

// notice is something that an administrator should do, on the pages of what it is about.
type notice struct {
	Tone string // "warn" or "bad"
	Text string
	URL  string
	Act  string
}

// connectionNotices are what is wrong with one connection, or soon will be.
func (d *Door) connectionNotices(ctx context.Context, v visit, c identity.Connection) ([]notice, error) {
	return d.noticesOf(ctx, v, []identity.Connection{c}, false)
}

// noticesOf are the notices of some connections; with names where several are on one page.
func (d *Door) noticesOf(ctx context.Context, v visit, connections []identity.Connection, named bool) ([]notice, error) {
	ids := make([]identity.ConnectionID, len(connections))
	for i, c := range connections {
		ids[i] = c.ID
	}
	health, err := d.prov.ConnectionHealth(ctx, v.Actor, ids...)
	if err != nil {
		return nil, err
	}
	var out []notice
	for _, c := range connections {
		found := append(endings(c, time.Now()), states(c, health[c.ID])...)
		for i := range found {
			found[i].URL, found[i].Act = "/console/connections/"+string(c.ID), "Open it"
			if named {
				found[i].Text = c.Name + ": " + found[i].Text
			} else {
				found[i].URL, found[i].Text = "", capital(found[i].Text)
			}
		}
		out = append(out, found...)
	}
	return out, nil
}

// capital begins a sentence.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// states are what is wrong now.
func states(c identity.Connection, h identity.ConnectionHealth) []notice {
	var out []notice
	if h.Failure != "" && c.Enabled {
		out = append(out, notice{Tone: "bad", Text: "the provider could not be read the last time. " + h.Failure})
	}
	if c.Kind == identity.SAML && c.SAML.AllowSHA1 {
		out = append(out, notice{Tone: "warn", Text: "signatures with SHA-1 are accepted, and such signatures can be forged. Let the provider sign with SHA-256, then take the permission back under Settings."})
	}
	return out
}

// endings are what ends soon or has ended.
func endings(c identity.Connection, now time.Time) []notice {
	var out []notice
	add := func(what string, at time.Time) {
		switch left := at.Sub(now); {
		case at.IsZero() || left > noticeAge:
		case left < 0:
			out = append(out, notice{Tone: "bad", Text: fmt.Sprintf("%s ended on %s.", what, at.UTC().Format(time.DateOnly))})
		default:
			out = append(out, notice{Tone: "warn", Text: fmt.Sprintf("%s ends on %s, in %s.", what, at.UTC().Format(time.DateOnly), count(int(left.Hours()/24), "day", "days"))})
		}
	}
	for _, row := range certificateRows(c) {
		add("the provider’s certificate "+row.Short()+"…", row.NotAfter)
	}
	for _, row := range keyRows(c) {
		add("our own certificate "+row.Short()+"…", row.NotAfter)
	}
	if c.OIDC.SecretExpiresAt != nil {
		add("the client secret", *c.OIDC.SecretExpiresAt)
	}
	return out
}
