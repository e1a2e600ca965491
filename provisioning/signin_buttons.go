package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// SignInButton is one provider that the page of the sign-in names.
type SignInButton struct {
	ConnectionID identity.ConnectionID
	Title        string
	Provider     string // by which the access model names it: microsoft, google
}

// providerNames are the words by which an access model names a provider, and those by which a connection keeps what it was made for.
var providerNames = map[string]string{"microsoft": "entra", "azure": "entra", "office365": "entra", "gmail": "google"}

// mostButtons is how many providers the page of the sign-in names at most.
const mostButtons = 10

// SignInButtons returns the providers that everybody may sign in with whom the access model names (login: methods: [oidc:microsoft, oidc:google]): enabled connections of the installation, in the
// model's order. Connections of tenants are never among them: a stranger would learn who our customers are.
func (s *Service) SignInButtons(ctx context.Context) ([]SignInButton, error) {
	var named []string
	for _, method := range s.model.Methods() {
		if strings.Contains(method, ":") {
			named = append(named, method)
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	var page identity.Page[identity.Connection]
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		page, err = tx.Connections(ctx, store.Everything(), identity.Query{Limit: 200})
		return err
	})
	var out []SignInButton
	for _, method := range named {
		for _, c := range page.Items {
			taken := slices.ContainsFunc(out, func(b SignInButton) bool { return b.ConnectionID == c.ID })
			if c.TenantID == "" && c.Enabled && !taken && madeFor(c, method) && len(out) < mostButtons {
				_, name, _ := strings.Cut(method, ":")
				out = append(out, SignInButton{c.ID, c.Name, name})
			}
		}
	}
	return out, err
}

// madeFor reports whether a connection is to the provider that a method such as oidc:google names.
func madeFor(c identity.Connection, method string) bool {
	kind, name, _ := strings.Cut(method, ":")
	if other, ok := providerNames[name]; ok {
		name = other
	}
	made, _, _ := strings.Cut(c.Options.Provider, "-")
	return strings.EqualFold(string(c.Kind), kind) && made == name
}
