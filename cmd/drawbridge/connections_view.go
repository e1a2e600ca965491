package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// connectionDetail is a connection with every setting as --json shows it. Secrets are not in it.
type connectionDetail struct {
	connectionView
	SkewSeconds  int               `json:"skew_seconds"`
	Provider     string            `json:"provider,omitempty"`
	ForceAuthn   bool              `json:"force_authn"`
	LinkProof    string            `json:"link_proof"` // second-factor, always or never
	DirectoryKey string            `json:"directory_key,omitempty"`
	DeletedAsNew bool              `json:"deleted_as_new"`
	Rules        []identity.Rule   `json:"rules,omitempty"`
	Ceiling      []identity.RoleID `json:"ceiling,omitempty"`
	SAML         *samlView         `json:"saml,omitempty"`
	OIDC         *oidcView         `json:"oidc,omitempty"`
	CheckedAt    *time.Time        `json:"checked_at,omitempty"` // when the provider was read last
	Failure      string            `json:"failure,omitempty"`
}

type samlView struct {
	EntityID         string            `json:"entity_id"` // the provider's
	SSOURL           string            `json:"sso_url"`
	SLOURL           string            `json:"slo_url,omitempty"`
	MetadataURL      string            `json:"metadata_url,omitempty"`
	EmailAttribute   string            `json:"email_attribute,omitempty"`
	AllowSHA1        bool              `json:"allow_sha1"`
	AllowUnsolicited bool              `json:"allow_unsolicited"`
	Artifact         bool              `json:"artifact"`
	PinCertificates  bool              `json:"pin_certificates"`
	RefuseExpired    bool              `json:"refuse_expired"`
	Certificates     []certificateView `json:"certificates"`
	OwnCertificates  []certificateView `json:"own_certificates"` // the one that signs first
}

type oidcView struct {
	Issuer           string            `json:"issuer"`
	ClientID         string            `json:"client_id"`
	ClientAuth       string            `json:"client_auth,omitempty"`
	IssuerAsAudience bool              `json:"issuer_as_audience"`
	SecretEnds       *time.Time        `json:"client_secret_ends,omitempty"`
	Scopes           []string          `json:"scopes,omitempty"`
	Algorithms       []string          `json:"algorithms,omitempty"`
	TenantIDs        []string          `json:"tenant_ids,omitempty"`
	OwnCertificates  []certificateView `json:"own_certificates,omitempty"`
}

func viewConnectionFully(c identity.Connection, tenant, url string, h identity.ConnectionHealth) connectionDetail {
	v := connectionDetail{
		connectionView: viewConnection(c, tenant, url), SkewSeconds: int(c.Skew / time.Second), Provider: c.Options.Provider, ForceAuthn: c.Options.ForceAuthn, Failure: h.Failure,
	}
	o := c.Options
	v.LinkProof, v.DirectoryKey, v.DeletedAsNew, v.Rules, v.Ceiling = string(o.LinkProof), o.DirectoryKey, o.DeletedAsNew, o.Rules, o.Ceiling
	if o.LinkProof == identity.LinkProofSecondFactor {
		v.LinkProof = "second-factor"
	}
	if !h.CheckedAt.IsZero() {
		v.CheckedAt = &h.CheckedAt
	}
	if c.Kind == identity.OIDC {
		o := c.OIDC
		v.OIDC = &oidcView{
			Issuer: o.Issuer, ClientID: o.ClientID, ClientAuth: string(o.ClientAuth), IssuerAsAudience: o.IssuerAsAudience, SecretEnds: o.SecretExpiresAt,
			Scopes: o.Scopes, Algorithms: o.Algorithms, TenantIDs: o.TenantIDs, OwnCertificates: viewKeys(o.Keys),
		}
		return v
	}
	s := c.SAML
	v.SAML = &samlView{
		EntityID: s.EntityID, SSOURL: s.SSOURL, SLOURL: s.SLOURL, MetadataURL: s.MetadataURL, EmailAttribute: s.EmailClaim, AllowSHA1: s.AllowSHA1,
		AllowUnsolicited: c.Options.AllowUnsolicited, Artifact: c.Options.Artifact, PinCertificates: s.PinCertificates, RefuseExpired: s.RefuseExpired,
		Certificates: []certificateView{}, OwnCertificates: viewKeys(s.Own()),
	}
	for _, der := range s.Certificates {
		v.SAML.Certificates = append(v.SAML.Certificates, viewCertificate(der))
	}
	return v
}

func viewKeys(pairs []identity.KeyPair) []certificateView {
	var out []certificateView
	for _, pair := range pairs {
		out = append(out, viewCertificate(pair.Certificate))
	}
	return out
}

// provider prints what is known of the provider.
func (v *connectionDetail) provider(w io.Writer) {
	if o := v.OIDC; o != nil {
		ends := ""
		if o.SecretEnds != nil {
			ends = o.SecretEnds.UTC().Format(time.DateOnly)
		}
		fields(w, "issuer", o.Issuer, "client id", o.ClientID, "client authentication", o.ClientAuth, "addressed to the issuer", yes(o.IssuerAsAudience), "client secret ends", ends,
			"scopes", strings.Join(o.Scopes, " "), "algorithms", strings.Join(o.Algorithms, " "), "tenant ids", strings.Join(o.TenantIDs, " "))
		printCertificates(w, "our key", o.OwnCertificates)
		return
	}
	s := v.SAML
	fields(w, "its entity id", s.EntityID, "its sign-in address", s.SSOURL, "its sign-out address", s.SLOURL, "its metadata", s.MetadataURL, "e-mail attribute", s.EmailAttribute,
		"accepts SHA-1", yes(s.AllowSHA1), "the provider may begin", yes(s.AllowUnsolicited), "artifacts", yes(s.Artifact), "pins certificates", yes(s.PinCertificates), "refuses expired ones", yes(s.RefuseExpired))
	printCertificates(w, "its certificate", s.Certificates)
	printCertificates(w, "our certificate", s.OwnCertificates)
}

func printCertificates(w io.Writer, what string, all []certificateView) {
	for _, c := range all {
		ends := "cannot be read"
		if c.Ends != nil {
			ends = "until " + c.Ends.UTC().Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s  %s  %s  %s\n", what, c.SHA256, ends, clean(c.Subject))
	}
}
