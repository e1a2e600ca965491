package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

var evidenceColumns = sheets.Columns("review", "scope", "began", "begun by", "due", "closed", "closed by", "person", "user name", "e-mail", "tenant", "status", "last sign-in",
	"role", "source", "reason", "granted by", "since", "sensitive", "decision", "decided by", "decided at", "why", "still held")

// WriteAccessReview writes a review with everything that was held, decided or left undecided as CSV, and returns the file's SHA-256 in hex. The event of it keeps the
// hash, so that a file can be shown to be the one that was written.
func (s *Service) WriteAccessReview(ctx context.Context, by identity.Actor, id identity.AccessReviewID, out io.Writer) (string, error) {
	d, err := s.AccessReview(ctx, by, id, false, identity.Query{Limit: pageOfAll})
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	w, err := sheets.NewWriter(io.MultiWriter(out, sum), sheets.CSV, evidenceColumns)
	if err != nil {
		return "", err
	}
	for {
		for _, item := range d.Items.Items {
			if err := w.Write(s.evidence(d.Review, item)); err != nil {
				return "", err
			}
		}
		if !d.Items.More || len(d.Items.Items) == 0 {
			break
		}
		after := string(d.Items.Items[len(d.Items.Items)-1].ID)
		if d, err = s.AccessReview(ctx, by, id, false, identity.Query{Limit: pageOfAll, After: after}); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	hash := hex.EncodeToString(sum.Sum(nil))
	e := aboutAccessReview(by, identity.AccessReviewCopied, d.Review)
	e.Changes = []identity.Change{{Field: "sha256", After: hash}, {Field: "items", After: d.Review.Items}, {Field: "undecided", After: d.Review.Undecided}}
	return hash, s.update(ctx, by, func(tx *store.Tx) error { return tx.InsertEvent(ctx, e) })
}

// evidence is the row of one item.
func (s *Service) evidence(r identity.AccessReview, i identity.AccessReviewItem) []string {
	u := i.User
	decision := string(i.Decision)
	if decision == "" {
		decision = "undecided"
	}
	return []string{
		r.Name, r.Scope.String(), at(&r.CreatedAt), r.CreatedBy, at(&r.DueAt), at(r.ClosedAt), r.ClosedBy, u.Label(), u.UserName, u.Email(), u.TenantName, string(u.Status()), at(u.LastLoginAt),
		s.heldTitle(i), string(i.Source), i.GrantedReason, i.GrantedBy, at(i.GrantedAt), strings.Join(i.Sensitive, "; "), decision, i.DecidedBy, at(i.DecidedAt), i.Reason, yesNo(i.Held),
	}
}

func at(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
