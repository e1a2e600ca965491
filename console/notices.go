package console

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// notice is something that an administrator should do, on the pages of what it is about.
type notice struct {
	Tone string // "warn" or "bad"
	Name string // of the connection, where the text does not have it; empty on its own page
	Text string
	URL  string
	Act  string
}

// connectionNotices are what is wrong with one connection, or soon will be.
func (d *Door) connectionNotices(ctx context.Context, v visit, c identity.Connection) ([]notice, error) {
	out, err := d.noticesOf(ctx, v, []identity.Connection{c})
	out = slices.DeleteFunc(out, func(n notice) bool { return n.URL != connectionURL(c.ID) })
	for i := range out {
		out[i].Name, out[i].URL = "", ""
	}
	return out, err
}

func connectionURL(id identity.ConnectionID) string { return "/console/connections/" + string(id) }

// noticesOf are what ends soon, whatever it belongs to, and what is wrong with some connections now.
func (d *Door) noticesOf(ctx context.Context, v visit, connections []identity.Connection) ([]notice, error) {
	warnings, err := d.prov.ConnectionWarnings(ctx, v.Actor)
	if err != nil {
		return nil, err
	}
	var out []notice
	for _, w := range warnings {
		n := notice{Tone: "warn", Text: w.Text, URL: connectionURL(w.ConnectionID), Act: "Open it"}
		if w.ConnectionID == "" {
			n.URL = "/console/directories/" + string(w.DirectoryID)
		}
		if w.Days < 0 {
			n.Tone = "bad"
		}
		out = append(out, n)
	}
	states, err := d.statesOf(ctx, v, connections)
	return append(out, states...), err
}

// statesOf are what is wrong with connections now.
func (d *Door) statesOf(ctx context.Context, v visit, connections []identity.Connection) ([]notice, error) {
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
		add := func(tone, text string) {
			out = append(out, notice{Tone: tone, Name: c.Name, Text: text, URL: connectionURL(c.ID), Act: "Open it"})
		}
		if h := health[c.ID]; h.Failure != "" && c.Enabled {
			add("bad", "The provider could not be read the last time. "+h.Failure)
		}
		if c.Kind == identity.SAML && c.SAML.AllowSHA1 {
			add("warn", "Signatures with SHA-1 are accepted, and such signatures can be forged. Let the provider sign with SHA-256, then take the permission back in the settings.")
		}
		if !c.SAML.PinCertificates {
			continue
		}
		switch _, err := d.prov.PendingMetadata(ctx, v.Actor, c.ID); {
		case err == nil:
			add("warn", "The provider’s metadata changed, and waits for a Super Admin.")
		case identity.KindOf(err) != identity.NotFound:
			return nil, err
		}
	}
	return out, nil
}
