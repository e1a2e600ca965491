package provisioning

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noAvatar() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no picture; show the initials.")
}

// format is a kind of picture that is taken.
type format struct {
	starts, inside string // inside stands at the ninth byte
	config         func(*bytes.Reader) (image.Config, error)
	decode         func(*bytes.Reader) (image.Image, error)
}

// formats are the kinds that are taken, by what they begin with: nothing is left to a registry that an import could widen.
var formats = []format{
	{"\x89PNG\r\n\x1a\n", "", func(r *bytes.Reader) (image.Config, error) { return png.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }},
	{"\xff\xd8\xff", "", func(r *bytes.Reader) (image.Config, error) { return jpeg.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) }},
	{"RIFF", "WEBP", func(r *bytes.Reader) (image.Config, error) { return webp.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) }},
}

// decoding holds the place of the picture that is decoded at this moment: the largest take 200 MiB, so there is one at a time.
var decoding = make(chan struct{}, 1)

func badAvatar(why string) *identity.Error {
	return identity.Errorf(identity.Invalid, "%s", why).WithField("avatar")
}

// squareAvatar turns a PNG, JPEG or WebP picture into the square that is kept, turned as the camera said and with nothing else in it than pixels. Size and pixels are
// checked before anything is decoded.
func squareAvatar(ctx context.Context, content []byte) ([]byte, error) {
	if len(content) > identity.MaxAvatar {
		return nil, identity.Errorf(identity.TooLarge, "A picture has at most %d MiB.", identity.MaxAvatar>>20).WithField("avatar")
	}
	f, ok := formatOf(content)
	if !ok {
		return nil, badAvatar("A picture is a PNG, JPEG or WebP file.")
	}
	c, err := f.config(bytes.NewReader(content))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return nil, badAvatar("This picture is damaged; export it again.").WithCause(err)
	}
	if c.Width > identity.MaxAvatarSide || c.Height > identity.MaxAvatarSide {
		return nil, identity.Errorf(identity.TooLarge, "A picture has at most %d by %d pixels; this one has %d by %d.", identity.MaxAvatarSide, identity.MaxAvatarSide, c.Width, c.Height).WithField("avatar")
	}
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	picture, err := f.decode(bytes.NewReader(content))
	if err != nil {
		return nil, badAvatar("This picture is damaged; export it again.").WithCause(err)
	}
	return encodeSquare(picture, orientation(content))
}

func formatOf(content []byte) (format, bool) {
	const at = 8 // a RIFF file names its form behind the length
	for _, f := range formats {
		if bytes.HasPrefix(content, []byte(f.starts)) && (f.inside == "" || len(content) > at && bytes.HasPrefix(content[at:], []byte(f.inside))) {
			return f, true
		}
	}
	return format{}, false
}

// encodeSquare cuts the middle out of a picture, scales it, turns it, and writes it anew: as PNG where something shines through, else as JPEG.
func encodeSquare(picture image.Image, turned int) ([]byte, error) {
	b := picture.Bounds()
	side := min(b.Dx(), b.Dy())
	middle := image.Rect(0, 0, side, side).Add(b.Min).Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	if first := identity.AvatarSide * 4; side > 2*first { // a large picture is thinned out before it is scaled well, which takes long
		thin := image.NewRGBA(image.Rect(0, 0, first, first))
		draw.ApproxBiLinear.Scale(thin, thin.Bounds(), picture, middle, draw.Src, nil)
		picture, middle = thin, thin.Bounds()
	}
	small := image.NewRGBA(image.Rect(0, 0, identity.AvatarSide, identity.AvatarSide))
	draw.CatmullRom.Scale(small, small.Bounds(), picture, middle, draw.Src, nil)
	out := turn(small, turned)
	var buf bytes.Buffer
	if !out.Opaque() {
		err := png.Encode(&buf, out)
		return buf.Bytes(), err
	}
	err := jpeg.Encode(&buf, out, &jpeg.Options{Quality: 88})
	return buf.Bytes(), err
}

// SetAvatar sets a user's picture: one's own, or anybody's with the right to change people. It returns what is kept, without the content.
func (s *Service) SetAvatar(ctx context.Context, by identity.Actor, id identity.UserID, content []byte) (identity.Avatar, error) {
	a := identity.Avatar{UserID: id}
	scope, err := s.avatarScope(by, id, usersWrite)
	if err != nil {
		return a, err
	}
	if id == "" || !validIDs(&id) {
		return a, noUser()
	}
	if a.Content, err = squareAvatar(ctx, content); err != nil {
		return a, err
	}
	sum := sha256.Sum256(a.Content)
	a.Hash = hex.EncodeToString(sum[:16])
	err = s.changeAvatar(ctx, by, scope, id, func(tx *store.Tx) (string, error) {
		a.UserID, a.UpdatedAt = id, tx.Now()
		return a.Hash, tx.PutAvatar(ctx, a)
	})
	a.Content = nil
	return a, err
}

// DeleteAvatar takes a user's picture away, or returns NotFound: one's own, or anybody's with the right to change people.
func (s *Service) DeleteAvatar(ctx context.Context, by identity.Actor, id identity.UserID) error {
	scope, err := s.avatarScope(by, id, usersWrite)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noUser()
	}
	return s.changeAvatar(ctx, by, scope, id, func(tx *store.Tx) (string, error) { return "", sharpen(tx.DeleteAvatar(ctx, id), noAvatar) })
}

func (s *Service) changeAvatar(ctx context.Context, by identity.Actor, scope store.Scope, id identity.UserID, change func(*store.Tx) (string, error)) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.UserForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		before, err := tx.AvatarHash(ctx, id)
		if err != nil {
			return err
		}
		after, err := change(tx)
		if err != nil || before == after {
			return err
		}
		e := about(by, identity.UserUpdated, u)
		e.Changes = []identity.Change{{Field: "avatar", Before: orNil(before), After: orNil(after)}}
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, noUser)
}

// Avatar returns a user's picture, or NotFound: then the initials stand in for it.
func (s *Service) Avatar(ctx context.Context, by identity.Actor, id identity.UserID) (identity.Avatar, error) {
	scope, err := s.avatarScope(by, id, usersRead)
	if err != nil {
		return identity.Avatar{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.Avatar{}, noUser()
	}
	var a identity.Avatar
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.User(ctx, scope, id); err != nil {
			return sharpen(err, noUser)
		}
		a, err = tx.Avatar(ctx, id)
		return sharpen(err, noAvatar)
	})
	return a, err
}

// avatarScope is the scope of a capability, or everybody for one's own.
func (s *Service) avatarScope(by identity.Actor, id identity.UserID, capability string) (store.Scope, error) {
	if by.UserID() != "" && by.UserID() == id {
		return store.Everything(), nil
	}
	return s.scopeFor(by, capability)
}
