package identity

import (
	"encoding/json"
	"time"
)

// ClientID is the id of a directory's OAuth client; it is the client_id of RFC 6749.
type ClientID string

// ClientMethod is how an OAuth client proves who it is at the token endpoint.
type ClientMethod string

// The methods. A secret may be sent as Basic or in the body; a key signs a JWT (RFC 7523).
const (
	ClientSecret ClientMethod = "client_secret"
	ClientKey    ClientMethod = "private_key_jwt"
)

// ClientSecretPrefix starts every secret of a client, and AccessTokenPrefix every access token, so that scanners for leaked secrets can
// find them.
const (
	ClientSecretPrefix = "dbc_"
	AccessTokenPrefix  = "dba_"
)

// MaxClients is how many live clients a directory may have.
const MaxClients = 10

// ScopeSCIM is the one scope of access tokens.
const ScopeSCIM = "scim"

// Client is what a directory's source gets short-lived access tokens with (RFC 6749 section 4.4). Of its secret only the hash is kept.
type Client struct {
	ID          ClientID
	DirectoryID DirectoryID
	Method      ClientMethod
	Hint        string          // the last four characters of the secret; empty for keys
	Keys        json.RawMessage // the public keys as a JWK set (RFC 7517); nil for a secret
	CreatedAt   time.Time
	LastUsedAt  *time.Time
	RevokedAt   *time.Time
}

// AccessToken is what the token endpoint gives (RFC 6749 section 5.1).
type AccessToken struct {
	Token   string
	Expires time.Duration // from now
	Scope   string
}
