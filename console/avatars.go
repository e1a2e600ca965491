package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// initialsDrawing is a grey square with up to two letters.
const initialsDrawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#6b7280"/>` +
	`<text x="32" y="33" fill="#fff" font-family="sans-serif" font-size="26" text-anchor="middle" dominant-baseline="central">%s</text></svg>`

// avatar answers a user's picture, or a drawing of the initials where there is none. A browser asks each time whether it is still the same.
func (d *Door) avatar(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	a, err := d.prov.Avatar(r.Context(), v.Actor, id)
	kind, hash, body := a.ContentType(), a.Hash, a.Content
	if identity.KindOf(err) == identity.NotFound {
		var u identity.User
		if u, err = d.prov.User(r.Context(), v.Actor, id); err == nil {
			body = fmt.Appendf(nil, initialsDrawing, html.EscapeString(u.Initials()))
			sum := sha256.Sum256(body)
			kind, hash = assetKinds[".svg"], hex.EncodeToString(sum[:16])
		}
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+hash+`"`)
	if r.Header.Get("If-None-Match") == `"`+hash+`"` {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", drawingPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // a browser that left needs no answer
	return nil
}
