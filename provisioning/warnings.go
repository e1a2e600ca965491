package provisioning

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// warnDays are how many days before an end it is warned of, the soonest first.
var warnDays = []int{1, 7, 30, 60}

// tokenInUse is how lately a directory's token must have been used for its end to matter beside a newer token.
const tokenInUse = 30 * 24 * time.Hour

// pageOfAll is how many rows are read at once where all are wanted.
const pageOfAll = 200

// ConnectionWarnings returns what ends within 60 days or has ended, as far as the actor may read the audit, the soonest first: the certificates and client
// secrets of enabled connections, and the tokens of enabled directories. Of several certificates of one provider only the one that ends last counts.
func (s *Service) ConnectionWarnings(ctx context.Context, by identity.Actor) ([]identity.Warning, error) {
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return nil, err
	}
	var out []identity.Warning
	err = s.db.View(ctx, func(tx *store.Tx) error {
		out, err = warningsIn(ctx, tx, scope)
		return err
	})
	return out, err
}

// warningsIn gathers the warnings of a scope.
func warningsIn(ctx context.Context, tx *store.Tx, scope store.Scope) ([]identity.Warning, error) {
	connections, err := allOf(func(q identity.Query) (identity.Page[identity.Connection], error) {
		return tx.Connections(ctx, scope, q)
	},
		func(c identity.Connection) string { return string(c.ID) })
	if err != nil {
		return nil, err
	}
	var out []identity.Warning
	for _, c := range connections {
		if c.Enabled {
			out = append(out, connectionWarnings(c, tx.Now())...)
		}
	}
	tokens, err := tokenWarnings(ctx, tx, scope)
	out = append(out, tokens...)
	slices.SortStableFunc(out, func(a, b identity.Warning) int { return a.Ends.Compare(b.Ends) })
	return out, err
}

// allOf reads every page of a list.
func allOf[T any](list func(identity.Query) (identity.Page[T], error), id func(T) string) ([]T, error) {
	var all []T
	q := identity.Query{Limit: pageOfAll}
	for {
		page, err := list(q)
		all = append(all, page.Items...)
		if err != nil || !page.More || len(page.Items) == 0 {
			return all, err
		}
		q.After = id(page.Items[len(page.Items)-1])
	}
}

// connectionWarnings are those of one connection at a time.
func connectionWarnings(c identity.Connection, now time.Time) []identity.Warning {
	about := identity.Warning{ConnectionID: c.ID, TenantID: c.TenantID, Name: c.Name}
	var out []identity.Warning
	add := func(kind identity.WarningKind, ends time.Time) {
		w := about
		w.Kind, w.Ends = kind, ends
		if complete(&w, now) {
			out = append(out, w)
		}
	}
	if c.Kind == identity.OIDC {
		if c.OIDC.SecretExpiresAt != nil {
			add(identity.WarnClientSecret, *c.OIDC.SecretExpiresAt)
		}
		return out
	}
	if ends := lastEnd(c.SAML.Certificates); !ends.IsZero() {
		add(identity.WarnProviderCertificate, ends)
	}
	if ends := lastEnd([][]byte{c.SAML.Certificate}); !ends.IsZero() {
		add(identity.WarnOwnCertificate, ends)
	}
	return out
}

// lastEnd is when the last of some certificates expires; the zero time when none can be read.
func lastEnd(certificates [][]byte) time.Time {
	var last time.Time
	for _, der := range certificates {
		if cert, err := x509.ParseCertificate(der); err == nil && cert.NotAfter.After(last) {
			last = cert.NotAfter.UTC()
		}
	}
	return last
}

// tokenWarnings are those of directories: of the token that ends last, and of each that is in use.
func tokenWarnings(ctx context.Context, tx *store.Tx, scope store.Scope) ([]identity.Warning, error) {
	directories, err := allOf(func(q identity.Query) (identity.Page[identity.Directory], error) {
		return tx.Directories(ctx, scope, q)
	},
		func(d identity.Directory) string { return string(d.ID) })
	if err != nil || len(directories) == 0 {
		return nil, err
	}
	ids := make([]identity.DirectoryID, len(directories))
	for i, d := range directories {
		ids[i] = d.ID
	}
	tokens, err := tx.Tokens(ctx, ids)
	var out []identity.Warning
	for _, d := range directories {
		for _, ends := range tokenEnds(d, tokens[d.ID], tx.Now()) {
			w := identity.Warning{DirectoryID: d.ID, TenantID: d.TenantID, Name: d.Name, Kind: identity.WarnDirectoryToken, Ends: ends}
			if complete(&w, tx.Now()) {
				out = append(out, w)
			}
		}
	}
	return out, err
}

// tokenEnds returns the ends of a directory's live tokens that matter.
func tokenEnds(d identity.Directory, tokens []identity.Token, now time.Time) []time.Time {
	if !d.Enabled {
		return nil
	}
	var ends []time.Time
	var last *identity.Token
	for i, t := range tokens {
		if !t.Live(now) {
			continue
		}
		if last == nil || last.ExpiresAt != nil && (t.ExpiresAt == nil || t.ExpiresAt.After(*last.ExpiresAt)) {
			last = &tokens[i]
		}
		if t.ExpiresAt != nil && t.LastUsedAt != nil && now.Sub(*t.LastUsedAt) < tokenInUse {
			ends = append(ends, *t.ExpiresAt)
		}
	}
	if last != nil && last.ExpiresAt != nil && !slices.Contains(ends, *last.ExpiresAt) {
		ends = append(ends, *last.ExpiresAt)
	}
	return ends
}

// complete fills in the days and the text; false when it is not yet time to warn.
func complete(w *identity.Warning, now time.Time) bool {
	left := w.Ends.Sub(now)
	w.Days = int(left.Hours() / 24)
	if left < 0 {
		w.Days = -1 - int(-left.Hours()/24)
	}
	if w.Days >= warnDays[len(warnDays)-1] {
		return false
	}
	w.Text = warningText(*w)
	return true
}

// warningText says what ends, when, and what to do.
func warningText(w identity.Warning) string {
	what := map[identity.WarningKind]string{
		identity.WarnProviderCertificate: "The signing certificate of the identity provider",
		identity.WarnOwnCertificate:      "Drawbridge's own certificate",
		identity.WarnClientSecret:        "The client secret",
		identity.WarnDirectoryToken:      "A bearer token",
	}[w.Kind]
	do := map[identity.WarningKind]string{
		identity.WarnProviderCertificate: "Ask the provider for its new metadata, or give the address of its metadata, which is read again by itself.",
		identity.WarnOwnCertificate:      "Make a new key for the connection and tell the provider before the old one ends.",
		identity.WarnClientSecret:        "Make a new secret at the provider and enter it at the connection.",
		identity.WarnDirectoryToken:      "Issue a new token and enter it at the directory's source.",
	}[w.Kind]
	return fmt.Sprintf("%s of %s %s. %s", what, w.Name, endText(w), do)
}

func endText(w identity.Warning) string {
	day := w.Ends.UTC().Format("2 January 2006")
	switch {
	case w.Days < 0:
		return "ended on " + day
	case w.Days == 0:
		return "ends within a day, on " + day
	case w.Days == 1:
		return "ends in one day, on " + day
	}
	return fmt.Sprintf("ends in %d days, on %s", w.Days, day)
}

// WarnOfEnds writes to the administrators of whatever ends within 60, 30, 7 or 1 days: once for each of these, whichever replica is first. It returns how
// many warnings were new.
func (s *Service) WarnOfEnds(ctx context.Context, by identity.Actor) (int, error) {
	all, err := s.ConnectionWarnings(ctx, by)
	if err != nil {
		return 0, err
	}
	if err := s.platform(by); err != nil {
		return 0, err
	}
	told := 0
	for _, w := range all {
		fresh, err := s.warn(ctx, by, w)
		if err != nil {
			return told, err
		}
		if fresh {
			told++
		}
	}
	return told, s.db.Update(ctx, func(tx *store.Tx) error { return tx.SweepWarnings(ctx) })
}

// warn writes the mails of one warning, unless that was done for as few days.
func (s *Service) warn(ctx context.Context, by identity.Actor, w identity.Warning) (bool, error) {
	days := thresholdOf(w)
	if days == 0 {
		return false, nil
	}
	fresh := false
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if fresh, err = tx.PutWarning(ctx, subjectOf(w), days, w.Ends); err != nil || !fresh {
			return err
		}
		if w.ConnectionID != "" {
			e := event(by, identity.ConnectionEnding)
			e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = w.TenantID, "connection", string(w.ConnectionID), w.Name
			e.Reason = w.Text
			if err := tx.InsertEvent(ctx, e); err != nil {
				return err
			}
		}
		return s.tell(ctx, tx, w.TenantID, mailEnding(w))
	})
	return fresh && err == nil, err
}

// thresholdOf returns the least of warnDays that has been reached, or 0 for what has ended: that was said before.
func thresholdOf(w identity.Warning) int {
	for _, days := range warnDays {
		if w.Days >= 0 && w.Days < days {
			return days
		}
	}
	return 0
}

// subjectOf names what ends: something that was renewed has another end.
func subjectOf(w identity.Warning) string {
	return strings.Join([]string{string(w.Kind), string(w.ConnectionID) + string(w.DirectoryID), w.Ends.UTC().Format(time.RFC3339)}, "/")
}

func mailEnding(w identity.Warning) note {
	what := string(w.Kind)
	return note{"expiry", fmt.Sprintf("%s of %s %s", strings.ToUpper(what[:1])+what[1:], w.Name, endText(w)), w.Text + "\n"}
}
