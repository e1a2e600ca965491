package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// The ids are UUIDs of version 7 (RFC 9562) in canonical lower-case text; the empty string means none.
type (
	TenantID       string
	UserID         string
	GroupID        string
	DirectoryID    string
	TokenID        string
	ConnectionID   string
	SessionID      string
	EventID        string
	RequestID      string
	TraceID        string
	ShareID        string
	AssignmentID   string
	ResourceID     string
	DomainID       string
	TrialID        string
	SetupLinkID    string
	MailID         string
	UnitID         string // of a business unit or a team
	MailLinkID     string
	APIKeyID       string
	AccessReviewID string
	PlanID         string
	TransferID     string
	UploadID       string // of what an HR system sent
	BurstID        string // of many departures at once by one directory
	OffboardingID  string
)

// UserTypeID is the id of a user type, such as "back_office".
type UserTypeID string

// RoleID is the id of a role in the access model, such as "viewer".
type RoleID string

// NewID returns a new UUID of version 7 as the id type asked for. Ids made later sort later, to about a quarter of a microsecond.
func NewID[T ~string]() T {
	var b [16]byte
	rand.Read(b[6:]) // never fails since Go 1.24
	now := time.Now()
	ms := uint64(now.UnixMilli())
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], ms)
	copy(b[:6], t[2:])
	sub := uint16((now.Nanosecond() % 1e6) * 4096 / 1e6) // RFC 9562 6.2, method 3
	b[6] = 0x70 | byte(sub>>8)
	b[7] = byte(sub)
	b[8] = 0x80 | b[8]&0x3f
	return T(formatUUID(b))
}

func formatUUID(b [16]byte) string {
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	return string(s[:])
}

// ParseID returns s in canonical form when it is a UUID. The second result is false when it is not; such an id names nothing,
// so a door answers NotFound without asking the database.
func ParseID[T ~string](s string) (T, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", false
	}
	for i, c := range []byte(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return "", false
		}
	}
	return T(strings.ToLower(s)), true
}

// IDBefore returns an id that is less than every id that NewID makes at a time or later.
func IDBefore(at time.Time) string {
	ms := uint64(max(at.UnixMilli(), 0))
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000000", ms>>16&0xffffffff, ms&0xffff)
}

// NewSecret returns the prefix with 256 random bits in URL-safe base64: bearer tokens, session cookies, state values.
func NewSecret(prefix string) string {
	var b [32]byte
	rand.Read(b[:])
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashSecret returns what is stored of a secret that is only checked: its SHA-256. The secret has 256 random bits, so no salt is needed.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
