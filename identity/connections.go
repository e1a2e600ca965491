package identity

import (
	"slices"
	"time"
)

// ConnectionKind is the protocol of a connection.
type ConnectionKind string

// The kinds of connection.
const (
	SAML ConnectionKind = "saml"
	OIDC ConnectionKind = "oidc"
)

// UnknownPolicy says what happens to a person whom nobody knows yet.
type UnknownPolicy string

// The policies. UnknownTenant needs a connection with a tenant and a role.
const (
	UnknownLanding UnknownPolicy = "landing"
	UnknownTenant  UnknownPolicy = "tenant"
	UnknownRefuse  UnknownPolicy = "refuse"
)

// AnyDomain trusts a connection for every domain: the installation's own provider.
const AnyDomain = "*"

// Connection is one upstream identity provider. Without a tenant it belongs to the whole installation.
type Connection struct {
	ID          ConnectionID
	TenantID    TenantID
	Name        string
	Kind        ConnectionKind
	Enabled     bool
	Domains     []string // e-mail domains that this provider is trusted for, as DomainKey makes them, or AnyDomain
	Unknown     UnknownPolicy
	UnknownRole RoleID      // with UnknownTenant
	DirectoryID DirectoryID // the directory whose externalId is this provider's subject; may be empty
	Skew        time.Duration
	SAML        SAMLSettings
	OIDC        OIDCSettings
	Options     ConnectionOptions
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ConnectionOptions is what an administrator may choose of a connection, whatever its protocol. The zero value is the safest choice.
type ConnectionOptions struct {
	ForceAuthn       bool `json:"force_authn,omitempty"`       // the provider asks the person again each time
	AllowUnsolicited bool `json:"allow_unsolicited,omitempty"` // SAML: a sign-in that the provider begins is sent once more through a request of ours
	Artifact         bool `json:"artifact,omitempty"`          // SAML: ask for answers by HTTP-Artifact
	// Provider is the product at the other end, such as "okta-saml", by which the console shows where its settings are. It changes nothing else.
	Provider string `json:"provider,omitempty"`

	// Whom the provider's people are, and what they may do by its word.
	LinkProof    LinkProof `json:"link_proof,omitempty"`
	DirectoryKey string    `json:"directory_key,omitempty"`  // the claim that is compared with the directory's externalId, such as oid; empty: the subject
	Rules        []Rule    `json:"rules,omitempty"`          // what of the provider's groups and attributes gives which role
	Ceiling      []RoleID  `json:"ceiling,omitempty"`        // the roles that rules may give; without one they give nothing
	DeletedAsNew bool      `json:"deleted_as_new,omitempty"` // who comes back to a deleted account is treated as unknown, else refused
}

// ConnectionHealth says how it went when a provider's metadata or keys were read last.
type ConnectionHealth struct {
	ConnectionID ConnectionID
	CheckedAt    time.Time
	SucceededAt  *time.Time // nil: never yet
	Failure      string     // what to do about it; empty: it went well
}

// SAMLSettings is what a SAML connection knows of its provider and of its own key.
type SAMLSettings struct {
	EntityID     string   `json:"entity_id"`    // the provider's
	SSOURL       string   `json:"sso_url"`      // HTTP-Redirect endpoint; query strings are kept
	Certificates [][]byte `json:"certificates"` // DER; each is trusted, KeyInfo never is
	AllowSHA1    bool     `json:"allow_sha1,omitempty"`
	EmailClaim   string   `json:"email_claim,omitempty"` // attribute that carries the address; empty: the well-known names, then NameID
	Certificate  []byte   `json:"certificate"`           // ours, DER; the one whose key signs
	Key          []byte   `json:"-"`                     // ours, PKCS #8; sealed in the store

	// Standby are our other key pairs: our metadata shows them, and what is encrypted for them can be read. The newest is last.
	Standby []KeyPair `json:"standby,omitempty"`

	SLOURL         string         `json:"slo_url,omitempty"`          // single log-out: where requests go
	SLOResponseURL string         `json:"slo_response_url,omitempty"` // where answers go; empty: SLOURL
	SLOBinding     SAMLBinding    `json:"slo_binding,omitempty"`      // empty: HTTP-Redirect
	ArtifactURLs   map[int]string `json:"artifact_urls,omitempty"`    // artifact resolution services by their index

	MetadataURL     string               `json:"metadata_url,omitempty"`     // where the provider's metadata is read again from time to time; empty: never
	MetadataSigner  []byte               `json:"metadata_signer,omitempty"`  // DER; the metadata must be signed with its key. Empty: https is enough
	PinCertificates bool                 `json:"pin_certificates,omitempty"` // new certificates and hosts of the metadata wait for a Super Admin
	RefuseExpired   bool                 `json:"refuse_expired,omitempty"`   // a certificate that has expired is not trusted any more
	Retiring        map[string]time.Time `json:"retiring,omitempty"`         // certificates that the metadata names no more, by SHA-256 in hex: when each goes
}

// KeyPair is a key of ours with its certificate.
type KeyPair struct {
	Certificate []byte `json:"certificate"` // DER
	Key         []byte `json:"-"`           // PKCS #8; sealed in the store
}

// Own returns all our key pairs, the one that signs first.
func (s *SAMLSettings) Own() []KeyPair {
	return append([]KeyPair{{s.Certificate, s.Key}}, s.Standby...)
}

// SAMLBinding is how a SAML message travels.
type SAMLBinding string

// The bindings of single log-out.
const (
	BindingRedirect SAMLBinding = "redirect"
	BindingPost     SAMLBinding = "post"
)

// OIDCSettings is what an OIDC connection knows of its provider.
type OIDCSettings struct {
	Issuer       string   `json:"issuer"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"-"` // sealed in the store
	Scopes       []string `json:"scopes,omitempty"`
	Algorithms   []string `json:"algorithms,omitempty"` // accepted ID token algorithms; empty: RS256, ES256, PS256 and EdDSA
	TenantIDs    []string `json:"tenant_ids,omitempty"` // Entra: directories that a multi-tenant issuer is trusted for

	ClientAuth       ClientAuth `json:"client_auth,omitempty"`
	IssuerAsAudience bool       `json:"issuer_as_audience,omitempty"` // private_key_jwt: the assertion is addressed to the issuer, not to the token endpoint
	Keys             []KeyPair  `json:"keys,omitempty"`               // ours, for private_key_jwt: the first one signs, all are published
	SecretExpiresAt  *time.Time `json:"secret_expires_at,omitempty"`  // when the provider ends the client secret, for the warnings; nil: not known
}

// ClientAuth is how we prove at a provider's token endpoint that we are the client (OpenID Connect core 9).
type ClientAuth string

// The ways. The zero value is basic, or post where the provider publishes that it takes no basic.
const (
	ClientAuthBasic      ClientAuth = "basic"
	ClientAuthPost       ClientAuth = "post"
	ClientAuthPrivateKey ClientAuth = "private_key_jwt" // an assertion that a key of ours signed, RFC 7523
)

// Trusts reports whether the connection is trusted for an e-mail domain. All are the exact domain: a sub-domain is another organisation.
func (c *Connection) Trusts(domain string) bool {
	return slices.Contains(c.Domains, AnyDomain) || slices.Contains(c.Domains, domain)
}

// Claims is what a provider asserted about a person, after every check of the protocol was passed.
type Claims struct {
	Issuer        string
	Subject       string // NameID or sub: stable, opaque
	Email         string // as asserted
	EmailVerified *bool  // nil: the provider did not say
	GivenName     string
	FamilyName    string
	DisplayName   string
	Groups        []string
	SessionIndex  string
	SessionEnds   *time.Time // the provider's own limit

	// NameID is the NameID as received, when Subject is another name: a transient one changes with every sign-in.
	NameID string
	// SAML core 2.2.2, beside the NameID.
	NameIDFormat, NameQualifier, SPNameQualifier string

	// Attributes are the claims as they came, by name, for rules and for the trace: texts and lists of texts only.
	Attributes map[string][]string
	// GroupsElsewhere is set when the provider has more groups than it puts into a token (Entra: _claim_names, hasgroups): Groups is then not all.
	GroupsElsewhere bool
	// Token is the ID token as received, for a later log-out at the provider (id_token_hint). It is never logged.
	Token    string
	AuthTime *time.Time
	ACR      string
	AMR      []string
}
