package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso"
)

// connection returns the commands about identity providers.
func (p *program) connection() *cobra.Command {
	cmd := &cobra.Command{Use: "connection", Short: "Connections, the identity providers that people sign in with: create, list, show, update, enable, disable, delete, key, test, setup-link, refresh, approve, reject"}
	cmd.AddCommand(
		p.connectionSAML(), p.connectionOIDC(), p.connectionList(), p.connectionShow(), p.connectionUpdate(),
		p.connectionSwitch("enable", "Switch a connection on", true), p.connectionSwitch("disable", "Switch a connection off: nobody can sign in through it", false),
		p.connectionDelete(), p.connectionKey(), p.connectionTest(), p.connectionSetupLink(),
		p.connectionRefresh(), p.connectionApprove(), p.connectionReject(),
	)
	return p.group(cmd)
}

// newConnection is what the flags say that both protocols have.
type newConnection struct {
	name, tenant, unknown, role, directory string
	domains                                []string
	skew                                   time.Duration
}

func (n *newConnection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&n.tenant, "tenant", "", "the tenant whose provider it is, by name or id (default: the whole installation)")
	f.StringSliceVar(&n.domains, "domain", nil, `an e-mail domain that it is trusted for; repeatable; "*" trusts it for all: only for your own provider`)
	f.StringVar(&n.unknown, "unknown", string(identity.UnknownLanding), "what happens to a person whom nobody knows: landing, tenant (needs --role) or refuse")
	f.StringVar(&n.role, "role", "", "with --unknown tenant: the role that they get there")
	f.StringVar(&n.directory, "directory", "", "the directory whose externalId is this provider's subject, by name or id")
	f.DurationVar(&n.skew, "skew", provisioning.DefaultSkew, "how far the provider's clock may be off, 5m at most")
	require(cmd, "domain")
}

// check refuses flags that contradict each other, before anything is opened.
func (n *newConnection) check(command string) error {
	known := []identity.UnknownPolicy{identity.UnknownLanding, identity.UnknownTenant, identity.UnknownRefuse}
	policy := identity.UnknownPolicy(n.unknown)
	switch {
	case !slices.Contains(known, policy):
		return usage(command, "--unknown is %q; use landing, tenant or refuse", n.unknown)
	case policy == identity.UnknownTenant && (n.tenant == "" || n.role == ""):
		return usage(command, "--unknown tenant needs --tenant and --role: where unknown people go, and as what")
	case policy != identity.UnknownTenant && n.role != "":
		return usage(command, "--role is only for --unknown tenant")
	}
	return nil
}

// resolve turns the words into a connection without its protocol's settings.
func (n *newConnection) resolve(ctx context.Context, b *bridge, kind identity.ConnectionKind) (identity.Connection, string, error) {
	c := identity.Connection{Name: n.name, Kind: kind, Enabled: true, Domains: n.domains, Skew: n.skew, Unknown: identity.UnknownPolicy(n.unknown)}
	tenant, err := b.findTenant(ctx, n.tenant)
	if err != nil {
		return c, "", err
	}
	d, err := b.findDirectory(ctx, n.directory)
	if err != nil {
		return c, "", err
	}
	if n.role != "" {
		role, err := b.findRole(n.role)
		if err != nil {
			return c, "", err
		}
		c.UnknownRole = role.ID
	}
	c.TenantID, c.DirectoryID = tenant.ID, d.ID
	return c, tenant.Name, nil
}

func (p *program) connectionSAML() *cobra.Command {
	var n newConnection
	var metadata, signer string
	var extra identity.SAMLSettings
	cmd := &cobra.Command{
		Use:   "create-saml NAME --metadata FILE-or-URL --domain DOMAIN",
		Short: "Connect a SAML identity provider and print what it needs to know of us",
		Example: `  drawbridge connection create-saml "Acme Okta" --tenant Acme --metadata https://acme.okta.com/app/abc/sso/saml/metadata --domain acme.example
  drawbridge connection create-saml Ours --metadata idp.xml --domain "*" --json`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			n.name = args[0]
			if err := n.check("connection create-saml"); err != nil {
				return err
			}
			if err := p.readSigner(&extra, signer); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.createSAML(ctx, b, n, extra, metadata) })
		}),
	}
	n.flags(cmd)
	cmd.Flags().StringVar(&metadata, "metadata", "", "the provider's metadata: an https URL, a file, or - for standard input")
	cmd.Flags().StringVar(&extra.EmailClaim, "email-attribute", "", "the attribute that carries the e-mail address (default: the well-known names, then the NameID)")
	cmd.Flags().BoolVar(&extra.AllowSHA1, "allow-sha1", false, "accept signatures with SHA-1, which can be forged: only for a provider that can do nothing else")
	metadataFlags(cmd, &extra, &signer)
	require(cmd, "metadata")
	return cmd
}

func (p *program) createSAML(ctx context.Context, b *bridge, n newConnection, extra identity.SAMLSettings, metadata string) error {
	c, tenant, err := n.resolve(ctx, b, identity.SAML)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(metadata, "https://") && !strings.HasPrefix(metadata, "http://") {
		raw, err := p.read("--metadata", metadata)
		if err != nil {
			return err
		}
		metadata = string(raw)
	}
	if c.SAML, err = sso.ReadMetadata(ctx, metadata, extra, b.settings.AllowPrivateProviders); err != nil {
		return err
	}
	c.SAML.EmailClaim, c.SAML.AllowSHA1 = extra.EmailClaim, extra.AllowSHA1
	c.SAML.PinCertificates, c.SAML.RefuseExpired = extra.PinCertificates, extra.RefuseExpired
	if c, err = b.people.CreateConnection(ctx, identity.Operator(), c); err != nil {
		return err
	}
	return p.showConnection(viewConnection(c, tenant, b.settings.URL))
}

// samlSettings reads a provider's metadata, given as XML or as a URL; known may say which of several providers. Our own key is made with the connection.
func (b *bridge) samlSettings(ctx context.Context, source string, known identity.SAMLSettings) (identity.SAMLSettings, error) {
	return sso.ReadMetadata(ctx, source, known, b.settings.AllowPrivateProviders)
}

func (p *program) connectionOIDC() *cobra.Command {
	var n newConnection
	var o identity.OIDCSettings
	var secretFile string
	cmd := &cobra.Command{
		Use:   "create-oidc NAME --issuer URL --client-id ID [--client-secret-file FILE] --domain DOMAIN",
		Short: "Connect an OpenID Connect provider and print the redirect URI that it must allow",
		Example: `  drawbridge connection create-oidc "Acme Entra" --tenant Acme --issuer https://login.microsoftonline.com/TENANT/v2.0 \
    --client-id ID --client-secret-file secret.txt --domain acme.example`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			n.name = args[0]
			if err := n.check("connection create-oidc"); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.createOIDC(ctx, b, n, o, secretFile) })
		}),
	}
	n.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Issuer, "issuer", "", "the provider's issuer, exactly as its discovery document spells it")
	f.StringVar(&o.ClientID, "client-id", "", "the client id that the provider gave us")
	f.StringVar(&secretFile, "client-secret-file", "", "a file whose first line is the client secret; - reads standard input")
	f.StringVar((*string)(&o.ClientAuth), "client-auth", "", "how we prove that we are the client: basic, post or private_key_jwt, which needs no secret (default: what the provider takes)")
	f.BoolVar(&o.IssuerAsAudience, "issuer-as-audience", false, "with private_key_jwt: address what we sign to the issuer, not to the token endpoint")
	f.StringSliceVar(&o.TenantIDs, "tenant-id", nil, "Entra with an issuer for many organisations: a directory id that it is trusted for; repeatable")
	f.StringSliceVar(&o.Scopes, "scope", nil, "a scope to ask for; repeatable (default: openid, email, profile)")
	f.StringSliceVar(&o.Algorithms, "algorithm", nil, "an algorithm that ID tokens may be signed with; repeatable (default: RS256, PS256, ES256, EdDSA)")
	require(cmd, "issuer", "client-id")
	return cmd
}

func (p *program) createOIDC(ctx context.Context, b *bridge, n newConnection, o identity.OIDCSettings, secretFile string) error {
	c, tenant, err := n.resolve(ctx, b, identity.OIDC)
	if err != nil {
		return err
	}
	if secretFile != "" || o.ClientAuth != identity.ClientAuthPrivateKey {
		if o.ClientSecret, err = p.secret("--client-secret-file", secretFile); err != nil {
			return err
		}
	}
	c.OIDC = o
	if c, err = b.people.CreateConnection(ctx, identity.Operator(), c); err != nil {
		return err
	}
	return p.showConnection(viewConnection(c, tenant, b.settings.URL))
}

func (p *program) showConnection(v connectionView) error {
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "Created the connection %s for %s. Tell the provider:\n", clean(v.Name), place(v.Tenant))
		fields(w, "  assertion consumer service (ACS)", v.ACSURL, "  single logout service (SLO)", v.SLOURL, "  our entity id", v.EntityID, "  our metadata", v.MetadataURL, "  redirect URI", v.RedirectURI,
			"  post-logout redirect URI", v.PostLogoutURI, "  back-channel logout URI", v.BackchannelURI, "  our keys (JWKS)", v.KeysURL)
		fmt.Fprintf(w, "Then people sign in at %s, or start at once at %s\n", v.console, v.LoginURL)
	})
}

func (p *program) connectionList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List connections",
		Example: "  drawbridge connection list --json",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error { return p.listConnections(ctx, b) })
		}),
	}
}

func (p *program) listConnections(ctx context.Context, b *bridge) error {
	all, err := b.allConnections(ctx, "")
	if err != nil {
		return err
	}
	names, err := b.tenantNames(ctx)
	if err != nil {
		return err
	}
	list := views(identity.Page[identity.Connection]{Items: all}, func(c identity.Connection) connectionView {
		return viewConnection(c, names[c.TenantID], b.settings.URL)
	}, nil)
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "TENANT", "PROTOCOL", "TRUSTED FOR", "UNKNOWN PEOPLE", ""}, none: "No connections. Make one with 'drawbridge connection create-saml' or 'create-oidc'."}
		for _, v := range list.Items {
			state := ""
			if !v.Enabled {
				state = "switched off"
			}
			t.add(string(v.ID), v.Name, place(v.Tenant), string(v.Kind), strings.Join(v.Domains, " "), string(v.Unknown), state)
		}
		t.write(w)
	})
}

type connectionView struct {
	ID          identity.ConnectionID   `json:"id"`
	Name        string                  `json:"name"`
	Kind        identity.ConnectionKind `json:"kind"`
	TenantID    identity.TenantID       `json:"tenant_id,omitempty"`
	Tenant      string                  `json:"tenant,omitempty"`
	Enabled     bool                    `json:"enabled"`
	Domains     []string                `json:"domains"`
	Unknown     identity.UnknownPolicy  `json:"unknown"`
	UnknownRole identity.RoleID         `json:"unknown_role,omitempty"`
	DirectoryID identity.DirectoryID    `json:"directory_id,omitempty"`
	LoginURL    string                  `json:"login_url"`
	ACSURL      string                  `json:"acs_url,omitempty"`
	SLOURL      string                  `json:"slo_url,omitempty"`
	EntityID    string                  `json:"entity_id,omitempty"` // ours, for the provider
	MetadataURL string                  `json:"metadata_url,omitempty"`
	RedirectURI string                  `json:"redirect_uri,omitempty"`

	PostLogoutURI  string `json:"post_logout_redirect_uri,omitempty"`
	BackchannelURI string `json:"backchannel_logout_uri,omitempty"`
	KeysURL        string `json:"jwks_uri,omitempty"` // ours, of a connection that has keys

	console string
}

func viewConnection(c identity.Connection, tenant, url string) connectionView {
	own := url + "/sso/" + string(c.ID)
	v := connectionView{
		ID: c.ID, Name: c.Name, Kind: c.Kind, TenantID: c.TenantID, Tenant: tenant, Enabled: c.Enabled, Domains: c.Domains,
		Unknown: c.Unknown, UnknownRole: c.UnknownRole, DirectoryID: c.DirectoryID, LoginURL: own + "/login", console: url + "/signin",
	}
	if c.Kind == identity.SAML {
		v.ACSURL, v.SLOURL, v.EntityID, v.MetadataURL = own+"/acs", own+"/slo", own+"/metadata", own+"/metadata"
	} else {
		v.RedirectURI, v.PostLogoutURI, v.BackchannelURI = own+"/callback", own+"/logged-out", own+"/backchannel-logout"
		if len(c.OIDC.Keys) > 0 {
			v.KeysURL = own + "/jwks.json"
		}
	}
	return v
}
