package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drawbridge-id/drawbridge/identity"
)

// connectionSettings are the flags that change a connection; only those that are given count.
type connectionSettings struct {
	name, unknown, role, directory      string
	domains                             []string
	skew                                time.Duration
	emailAttribute, metadata, entityID  string
	addCertificates, removeCertificates []string
	allowSHA1, force, unsolicited       bool
	artifact, pin, refuseExpired        bool
	issuer, clientID, secretFile        string
	secretEnds, clientAuth              string
	issuerAudience                      bool
	scopes, algorithms, tenantIDs       []string
	provider                            string
	signer                              string
	linkProof, directoryKey             string
	deletedAsNew                        bool
	ruleTexts, ceiling                  []string
	set                                 func(flag string) bool
	read                                func(flag, file string) ([]byte, error)
	secret                              func(flag, file string) (string, error)
}

func (n *connectionSettings) flags(f *pflag.FlagSet) {
	f.StringVar(&n.name, "name", "", "another name")
	f.StringSliceVar(&n.domains, "domain", nil, `the e-mail domains that it is trusted for, in place of those that it has; repeatable; "*" trusts it for all`)
	f.StringVar(&n.unknown, "unknown", "", "what happens to a person whom nobody knows: landing, tenant (needs --role) or refuse")
	f.StringVar(&n.role, "role", "", "with --unknown tenant: the role that they get there")
	f.StringVar(&n.directory, "directory", "", `the directory whose externalId is this provider's subject, by name or id; "" for none`)
	f.DurationVar(&n.skew, "skew", 0, "how far the provider's clock may be off, 5m at most")
	f.StringVar(&n.provider, "provider", "", "the product at the other end, by which the console shows where its settings are, such as okta-saml")
	f.BoolVar(&n.force, "force-authn", false, "the provider asks the person again each time")

	f.StringVar(&n.linkProof, "link-proof", "", "when the password is asked for before an account is linked by its address: second-factor (where there is one), always or never")
	f.StringVar(&n.directoryKey, "directory-key", "", `the claim that is the directory's id of a person, such as oid; "" for the subject`)
	f.BoolVar(&n.deletedAsNew, "deleted-as-new", false, "who comes back to a deleted account is treated as unknown, else refused")
	f.StringArrayVar(&n.ruleTexts, "rule", nil, `the rules, in place of those that it has: ATTRIBUTE=VALUE=>ROLE or ATTRIBUTE=VALUE=>ROLE@TENANT, where groups is the provider's groups; repeatable; "" for none`)
	f.StringSliceVar(&n.ceiling, "ceiling", nil, `the roles that rules may give; repeatable; "" for none`)

	f.StringVar(&n.metadata, "metadata", "", "SAML: read the provider's metadata anew: an https URL (which is read again from time to time), a file, or - for standard input")
	f.StringVar(&n.entityID, "entity-id", "", "SAML, with --metadata of several providers: which of them")
	f.StringVar(&n.signer, "metadata-signer", "", `SAML: a file with the certificate (PEM or DER) whose key must sign the metadata; "" for none: https is enough`)
	f.StringVar(&n.emailAttribute, "email-attribute", "", `SAML: the attribute that carries the e-mail address; "" for the well-known names, then the NameID`)
	f.StringSliceVar(&n.addCertificates, "add-certificate", nil, "SAML: a file with a certificate (PEM) of the provider to trust too; repeatable")
	f.StringSliceVar(&n.removeCertificates, "remove-certificate", nil, "SAML: the SHA-256 of a certificate that is trusted no more, in hex; repeatable")
	f.BoolVar(&n.allowSHA1, "allow-sha1", false, "SAML: accept signatures with SHA-1, which can be forged: only for a provider that can do nothing else")
	f.BoolVar(&n.unsolicited, "allow-unsolicited", false, "SAML: the provider may begin a sign-in, which is sent once more through a request of ours")
	f.BoolVar(&n.artifact, "artifact", false, "SAML: ask for answers by HTTP-Artifact")
	f.BoolVar(&n.pin, "pin-certificates", false, "SAML: new certificates and hosts of the metadata wait for a Super Admin")
	f.BoolVar(&n.refuseExpired, "refuse-expired", false, "SAML: a certificate that has expired is not trusted any more")

	f.StringVar(&n.issuer, "issuer", "", "OIDC: the provider's issuer")
	f.StringVar(&n.clientID, "client-id", "", "OIDC: our client id there")
	f.StringVar(&n.secretFile, "client-secret-file", "", "OIDC: a file whose first line is the new client secret; - reads standard input")
	f.StringVar(&n.secretEnds, "client-secret-ends", "", `OIDC: the day on which the provider ends the secret, as 2027-01-31, for the warnings; "" for not known`)
	f.StringVar(&n.clientAuth, "client-auth", "", `OIDC: how we prove that we are the client: basic, post, private_key_jwt, or "" for what the provider publishes`)
	f.BoolVar(&n.issuerAudience, "issuer-as-audience", false, "OIDC, private_key_jwt: address what our key signs to the issuer instead of the token endpoint")
	f.StringSliceVar(&n.scopes, "scope", nil, `OIDC: the scopes to ask for; repeatable; "" for openid, email and profile`)
	f.StringSliceVar(&n.algorithms, "algorithm", nil, `OIDC: the algorithms that ID tokens may be signed with; repeatable; "" for the usual ones`)
	f.StringSliceVar(&n.tenantIDs, "tenant-id", nil, "OIDC, Entra with an issuer for many organisations: the directory ids that it is trusted for; repeatable")
}

// bound reads whether a flag was given.
func (n *connectionSettings) bound(cmd *cobra.Command, p *program) {
	n.set, n.read, n.secret = cmd.Flags().Changed, p.read, p.secret
}

// change returns what the flags do to a connection of a kind. What needs files, the network or other records is read before.
func (n *connectionSettings) change(ctx context.Context, b *bridge, c identity.Connection) (func(*identity.Connection) error, error) {
	if err := n.fits(c.Kind); err != nil {
		return nil, err
	}
	var steps []func(*identity.Connection) error
	for _, prepare := range []func(context.Context, *bridge) (func(*identity.Connection) error, error){n.rules, n.matching, n.saml, n.oidc} {
		step, err := prepare(ctx, b)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return func(c *identity.Connection) error {
		for _, step := range steps {
			if err := step(c); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// onlySAML and onlyOIDC are the flags of one protocol.
var (
	onlySAML = []string{
		"metadata", "entity-id", "metadata-signer", "email-attribute", "add-certificate", "remove-certificate", "allow-sha1", "allow-unsolicited", "artifact", "pin-certificates", "refuse-expired",
	}
	onlyOIDC = []string{
		"issuer", "client-id", "client-secret-file", "client-secret-ends", "client-auth", "issuer-as-audience", "scope", "algorithm", "tenant-id",
	}
)

func (n *connectionSettings) fits(kind identity.ConnectionKind) error {
	foreign := onlySAML
	if kind == identity.SAML {
		foreign = onlyOIDC
	}
	for _, flag := range foreign {
		if n.set(flag) {
			return usage("connection update", "--%s is not for a %s connection", flag, kind)
		}
	}
	return nil
}

func (n *connectionSettings) rules(ctx context.Context, b *bridge) (func(*identity.Connection) error, error) {
	d, err := b.findDirectory(ctx, n.directory)
	if err != nil {
		return nil, err
	}
	var role identity.Role
	if n.role != "" {
		if role, err = b.findRole(n.role); err != nil {
			return nil, err
		}
	}
	return func(c *identity.Connection) error {
		give(n.set("name"), &c.Name, n.name)
		give(n.set("domain"), &c.Domains, listed(n.domains))
		give(n.set("skew"), &c.Skew, n.skew)
		give(n.set("directory"), &c.DirectoryID, d.ID)
		give(n.set("provider"), &c.Options.Provider, n.provider)
		give(n.set("force-authn"), &c.Options.ForceAuthn, n.force)
		if n.set("unknown") {
			c.Unknown, c.UnknownRole = identity.UnknownPolicy(n.unknown), ""
		}
		give(n.set("role"), &c.UnknownRole, role.ID)
		return nil
	}, nil
}

// give sets a value when its flag was given.
func give[T any](given bool, to *T, value T) {
	if given {
		*to = value
	}
}

// listed is a list from a flag; one empty word is none.
func listed(words []string) []string {
	if len(words) == 1 && strings.TrimSpace(words[0]) == "" {
		return nil
	}
	return words
}

func (n *connectionSettings) oidc(context.Context, *bridge) (func(*identity.Connection) error, error) {
	var secret string
	var ends *time.Time
	if n.set("client-secret-file") {
		var err error
		if secret, err = n.secret("--client-secret-file", n.secretFile); err != nil {
			return nil, err
		}
	}
	if n.secretEnds != "" {
		day, err := time.Parse(time.DateOnly, n.secretEnds)
		if err != nil {
			return nil, usage("connection update", "--client-secret-ends is %q; write the day as 2027-01-31", n.secretEnds)
		}
		ends = &day
	}
	return func(c *identity.Connection) error {
		o := &c.OIDC
		give(n.set("issuer"), &o.Issuer, n.issuer)
		give(n.set("client-id"), &o.ClientID, n.clientID)
		give(n.set("client-secret-file"), &o.ClientSecret, secret)
		give(n.set("client-secret-ends"), &o.SecretExpiresAt, ends)
		give(n.set("client-auth"), &o.ClientAuth, identity.ClientAuth(n.clientAuth))
		give(n.set("issuer-as-audience"), &o.IssuerAsAudience, n.issuerAudience)
		give(n.set("scope"), &o.Scopes, listed(n.scopes))
		give(n.set("algorithm"), &o.Algorithms, listed(n.algorithms))
		give(n.set("tenant-id"), &o.TenantIDs, listed(n.tenantIDs))
		return nil
	}, nil
}

func (n *connectionSettings) saml(ctx context.Context, b *bridge) (func(*identity.Connection) error, error) {
	var added [][]byte
	for _, file := range n.addCertificates {
		raw, err := n.read("--add-certificate", file)
		if err != nil {
			return nil, err
		}
		found, err := certificatesIn(raw)
		if err != nil {
			return nil, identity.Errorf(identity.Invalid, "--add-certificate %s: %v", source(file), err)
		}
		added = append(added, found...)
	}
	fresh, err := n.freshMetadata(ctx, b)
	if err != nil {
		return nil, err
	}
	signer, err := n.signedBy()
	if err != nil {
		return nil, err
	}
	return func(c *identity.Connection) error {
		s := &c.SAML
		if n.set("metadata") {
			*s = s.WithProvider(fresh)
		}
		give(n.set("metadata-signer"), &s.MetadataSigner, signer)
		give(n.set("email-attribute"), &s.EmailClaim, n.emailAttribute)
		give(n.set("allow-sha1"), &s.AllowSHA1, n.allowSHA1)
		give(n.set("allow-unsolicited"), &c.Options.AllowUnsolicited, n.unsolicited)
		give(n.set("artifact"), &c.Options.Artifact, n.artifact)
		give(n.set("pin-certificates"), &s.PinCertificates, n.pin)
		give(n.set("refuse-expired"), &s.RefuseExpired, n.refuseExpired)
		var err error
		s.Certificates, err = changedCertificates(s.Certificates, added, n.removeCertificates)
		return err
	}, nil
}

// signedBy is the certificate of whoever must sign the metadata; nil for none.
func (n *connectionSettings) signedBy() ([]byte, error) {
	if n.signer == "" {
		return nil, nil
	}
	raw, err := n.read("--metadata-signer", n.signer)
	if err != nil {
		return nil, err
	}
	found, err := certificatesIn(raw)
	if err != nil || len(found) != 1 {
		return nil, identity.Errorf(identity.Invalid, "--metadata-signer: %s is not one certificate in PEM or DER.", source(n.signer))
	}
	return found[0], nil
}

func (n *connectionSettings) freshMetadata(ctx context.Context, b *bridge) (identity.SAMLSettings, error) {
	if !n.set("metadata") {
		return identity.SAMLSettings{}, nil
	}
	text := n.metadata
	if !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://") {
		raw, err := n.read("--metadata", text)
		if err != nil {
			return identity.SAMLSettings{}, err
		}
		text = string(raw)
	}
	s, err := b.samlSettings(ctx, text, identity.SAMLSettings{EntityID: n.entityID})
	if err != nil {
		return s, fmt.Errorf("--metadata: %w", err)
	}
	return s, nil
}
