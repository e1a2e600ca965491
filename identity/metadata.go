package identity

import "time"

// MetadataChange is what a provider's metadata says differently from its connection, and what waits for a Super Admin's word.
type MetadataChange struct {
	ConnectionID ConnectionID
	Digest       string       // names exactly this change, so that nobody approves another one than they saw
	SeenAt       time.Time    // when it was first read
	Provider     SAMLSettings // what the metadata says: entity id, addresses, certificates
	Changes      []Change     // what approval changes, field by field; certificates by SHA-256 in hex
}

// MetadataRefresh is how the reading of a provider's metadata ended.
type MetadataRefresh struct {
	Changes []Change        // what is in force now and was not before; none: the metadata says what is known
	Held    *MetadataChange // what waits for a Super Admin instead; nil: nothing does

	Rejected bool // the metadata still says what a Super Admin rejected, so it is not followed
}

// WarningKind says what it is that ends.
type WarningKind string

// The kinds of warning.
const (
	WarnProviderCertificate WarningKind = "provider certificate"
	WarnOwnCertificate      WarningKind = "own certificate"
	WarnClientSecret        WarningKind = "client secret"
	WarnDirectoryToken      WarningKind = "directory token"
)

// Warning is something of a connection or a directory that ends soon or has ended.
type Warning struct {
	ConnectionID ConnectionID // empty for a directory's token
	DirectoryID  DirectoryID  // empty for what is a connection's
	TenantID     TenantID
	Name         string // of the connection or directory
	Kind         WarningKind
	Ends         time.Time
	Days         int    // whole days that are left; below zero: it has ended
	Text         string // what ends, when, and what to do
}

// WithProvider returns the settings with what a provider says of itself: its entity id, addresses and certificates, and where its metadata is. Our own keys
// and what an administrator chose stay.
func (s SAMLSettings) WithProvider(p SAMLSettings) SAMLSettings {
	s.EntityID, s.SSOURL, s.Certificates, s.Retiring = p.EntityID, p.SSOURL, p.Certificates, nil
	s.SLOURL, s.SLOResponseURL, s.SLOBinding, s.ArtifactURLs = p.SLOURL, p.SLOResponseURL, p.SLOBinding, p.ArtifactURLs
	s.MetadataURL = p.MetadataURL
	return s
}

// WithProvider returns the settings with what a provider says of itself and of us: its issuer, our id and secret there, how we prove who we are, and what it is
// asked for. An empty secret leaves the one that is known. Our own keys and what else an administrator chose stay.
func (o OIDCSettings) WithProvider(p OIDCSettings) OIDCSettings {
	o.Issuer, o.ClientID, o.ClientAuth, o.SecretExpiresAt = p.Issuer, p.ClientID, p.ClientAuth, p.SecretExpiresAt
	o.Scopes, o.TenantIDs = p.Scopes, p.TenantIDs
	if p.ClientSecret != "" {
		o.ClientSecret = p.ClientSecret
	}
	return o
}
