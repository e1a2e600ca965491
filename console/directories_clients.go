package console

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// directoryFormPage is a form about one directory.
type directoryFormPage struct {
	Directory identity.Directory
	Form      form
}

func (d *Door) formOfDirectory(w http.ResponseWriter, r *http.Request, v visit, page, title string, f form) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	if f.Values == nil {
		f = blank("networks", strings.Join(identity.NetworkTexts(dir.Networks), ", "))
	}
	s := screen{Title: title + " " + dir.Name, Nav: "directories", Body: directoryFormPage{dir, f}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, page, s)
}

func (d *Door) editNetworks(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.formOfDirectory(w, r, v, "directory_networks", "Networks of", form{})
}

// setNetworks replaces the networks from which a directory may be used.
func (d *Door) setNetworks(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.DirectoryID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "networks")
	if err != nil {
		return err
	}
	networks, err := identity.ParseNetworks(words(f.Value("networks")))
	if err == nil {
		_, err = d.prov.UpdateDirectory(r.Context(), v.Actor, id, func(dir *identity.Directory) error {
			dir.Networks = networks
			return nil
		})
	}
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/directories/"+string(id)+"?done=networks-set", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.formOfDirectory(w, r, v, "directory_networks", "Networks of", f)
	}
	return err
}

func (d *Door) newClient(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.formOfDirectory(w, r, v, "directory_client_new", "New client for", form{})
}

// clientBody is what the page of a new client shows; the secret is shown there and nowhere else.
type clientBody struct {
	Directory identity.Directory
	Client    identity.Client
	Secret    string // empty: the client has keys
	TokenURL  string
	BaseURL   string
	Scope     string
}

// createClient makes an OAuth client and answers with the page that shows its secret for the only time.
func (d *Door) createClient(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "jwks")
	if err != nil {
		return err
	}
	c, secret, err := d.prov.CreateClient(r.Context(), v.Actor, dir.ID, json.RawMessage(f.Value("jwks")))
	switch {
	case err == nil:
		body := clientBody{dir, c, secret, d.url + "/oauth/token", d.url + "/scim/v2", identity.ScopeSCIM}
		return d.show(w, r, v, "directory_client", screen{Title: "Client of " + dir.Name, Nav: "directories", Body: body})
	case f.refused(err):
		return d.formOfDirectory(w, r, v, "directory_client_new", "New client for", f)
	}
	return err
}

func (d *Door) confirmRevokeClient(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	back := "/console/directories/" + string(dir.ID)
	for _, c := range dir.Clients {
		if string(c.ID) != strings.ToLower(r.PathValue("client")) {
			continue
		}
		return d.confirm(w, r, v, "directories", confirmBody{
			Title: "Revoke the client " + string(c.ID) + "?", Who: dir.Name, Button: "Revoke the client", Danger: true,
			Action: back + "/clients/" + string(c.ID) + "/revoke", Back: back,
			Facts: []string{"It gets no more access tokens, and those that it has are refused from this moment on. It cannot be brought back."},
		})
	}
	return identity.Errorf(identity.NotFound, "This directory has no such client.")
}

func (d *Door) revokeClient(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.DirectoryID](r, "id")
	if err != nil {
		return err
	}
	client, err := pathID[identity.ClientID](r, "client")
	if err != nil {
		return err
	}
	if err := d.prov.RevokeClient(r.Context(), v.Actor, id, client); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/directories/"+string(id)+"?done=client-revoked", http.StatusSeeOther)
	return nil
}
