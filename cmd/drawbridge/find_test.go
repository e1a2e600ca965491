package main

import (
	"fmt"
	"testing"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
)

func TestAConnectionIsFoundAmongMoreThanAPageOfNamesLikeIt(t *testing.T) {
	sh := newShell(t)
	s, err := config.Load(nil, func(name string) string { return sh.env[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer b.db.Close()
	create := func(name string) identity.ConnectionID {
		t.Helper()
		c, err := b.people.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: name, Kind: identity.OIDC, Domains: []string{"acme.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c.ID
	}
	for i := range pageSize {
		create(fmt.Sprintf("Acme %d", i))
	}
	want := create("Acme")
	if c, err := b.findConnection(t.Context(), "acme"); err != nil || c.ID != want {
		t.Errorf("found %q, %v", c.Name, err)
	}
}

func TestAnEmptyWordNamesNoConnection(t *testing.T) {
	sh := newShell(t)
	sh.must("connection", "create-oidc", "Ours", "--issuer", "https://idp.example", "--client-id", "bridge", "--client-secret-file", passwordFile(t, "s3cret"), "--domain", "*")
	sh.must("user", "create", "--email", "ada@example.com", "--role", "superadmin")
	for _, args := range [][]string{
		{"connection", "show", ""},
		{"connection", "update", ""},
		{"connection", "disable", ""},
		{"connection", "delete", ""},
		{"connection", "key", "", "add"},
		{"connection", "test", ""},
		{"connection", "refresh", ""},
		{"connection", "approve", ""},
		{"user", "link", "ada@example.com", "--connection", "", "--subject", "s"},
		{"user", "unlink", "ada@example.com", "--connection", ""},
	} {
		sh.refused(1, []string{`There is no connection ""`}, args...)
	}
	sh.must("signins", "--connection", "")
	sh.must("review", "list", "--connection", "")
}
