package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// tokenState is "live", "revoked" or "expired".
func tokenState(t identity.Token, now time.Time) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt != nil && now.After(*t.ExpiresAt):
		return "expired"
	}
	return "live"
}

type tokenBody struct {
	Directory identity.Directory
	Token     string
	BaseURL   string
	New       bool // the directory is new, not only its token
}

// showToken is the only page that ever shows a token; nothing keeps it.
func (d *Door) showToken(w http.ResponseWriter, r *http.Request, v visit, dir identity.Directory, token string, isNew bool) error {
	body := tokenBody{Directory: dir, Token: token, BaseURL: d.url + "/scim/v2", New: isNew}
	return d.show(w, r, v, "directory_token", screen{Title: "Token for " + dir.Name, Nav: "directories", Body: body})
}

func (d *Door) confirmRotate(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	back := "/console/directories/" + string(dir.ID)
	facts := []string{"A new token is made and shown once. The token in use goes on working until you revoke it, so nothing is interrupted."}
	danger := false
	if live := (directoryRow{Directory: dir}).Live(); len(live) >= identity.MaxTokens {
		oldest := live[0]
		for _, t := range live {
			if t.CreatedAt.Before(oldest.CreatedAt) {
				oldest = t
			}
		}
		danger = true
		facts[0] = "A directory has at most two live tokens. A new one is made and shown once, and the older one, which ends in " + oldest.Hint + ", is revoked at once."
	}
	return d.confirm(w, r, v, "directories", confirmBody{
		Title: "New token for " + dir.Name + "?", Button: "Make a new token", Danger: danger, Action: back + "/rotate", Back: back, Facts: facts,
	})
}

func (d *Door) rotateToken(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	token, _, err := d.prov.RotateToken(r.Context(), v.Actor, dir.ID, nil)
	if err != nil {
		return err
	}
	return d.showToken(w, r, v, dir, token, false)
}

func (d *Door) confirmRevoke(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	back := "/console/directories/" + string(dir.ID)
	for _, t := range dir.Tokens {
		if string(t.ID) != strings.ToLower(r.PathValue("token")) {
			continue
		}
		facts := []string{"Requests with the token that ends in " + t.Hint + " are refused from this moment on. It cannot be brought back."}
		if len((directoryRow{Directory: dir}).Live()) == 1 {
			facts = append(facts, "It is the only live token: "+dir.Name+" can send nothing until you make a new one.")
		}
		return d.confirm(w, r, v, "directories", confirmBody{
			Title: "Revoke the token that ends in " + t.Hint + "?", Who: dir.Name, Button: "Revoke the token", Danger: true,
			Action: back + "/tokens/" + string(t.ID) + "/revoke", Back: back, Facts: facts,
		})
	}
	return identity.Errorf(identity.NotFound, "This directory has no such token.")
}

func (d *Door) revokeToken(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.DirectoryID](r, "id")
	if err != nil {
		return err
	}
	token, err := pathID[identity.TokenID](r, "token")
	if err != nil {
		return err
	}
	if err := d.prov.RevokeToken(r.Context(), v.Actor, id, token); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/directories/"+string(id)+"?done=token-revoked", http.StatusSeeOther)
	return nil
}
