package identity

import (
	"bytes"
	"strings"
	"time"
	"unicode"
)

// The most that is read of a picture.
const (
	MaxAvatar     = 5 << 20 // bytes
	MaxAvatarSide = 4096    // pixels
	AvatarSide    = 256     // pixels of what is kept
)

// Avatar is the picture of a user: a square PNG or JPEG without anything but pixels.
type Avatar struct {
	UserID    UserID
	Hash      string // of Content, for caches
	Content   []byte
	UpdatedAt time.Time
}

// ContentType returns the media type of the picture.
func (a Avatar) ContentType() string {
	if bytes.HasPrefix(a.Content, []byte("\x89PNG")) {
		return "image/png"
	}
	return "image/jpeg"
}

// Initials returns what stands in for a picture: the first letters of the first and the last word of what the user is called.
func (u *User) Initials() string {
	var out []rune
	for word := range strings.FieldsSeq(u.Label()) {
		for _, r := range word {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				out = append(out, unicode.ToUpper(r))
				break
			}
		}
	}
	if len(out) > 1 {
		out = []rune{out[0], out[len(out)-1]}
	}
	return string(out)
}
