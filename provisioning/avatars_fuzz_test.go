package provisioning

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func FuzzAvatar(f *testing.F) {
	small := image.NewRGBA(image.Rect(0, 0, 3, 2))
	var a, b bytes.Buffer
	if err := png.Encode(&a, small); err != nil {
		f.Fatal(err)
	}
	if err := jpeg.Encode(&b, small, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(a.Bytes())
	f.Add(b.Bytes())
	f.Add(append([]byte("\xff\xd8\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"), b.Bytes()[2:]...))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		out, err := squareAvatar(context.Background(), content)
		if err != nil {
			if kind := identity.KindOf(err); kind != identity.Invalid && kind != identity.TooLarge {
				t.Fatalf("an error that nobody would understand: %v", err)
			}
			return
		}
		m, _, err := image.Decode(bytes.NewReader(out))
		if err != nil || m.Bounds().Dx() != identity.AvatarSide || m.Bounds().Dy() != identity.AvatarSide {
			t.Fatalf("what is kept is no square: %v", err)
		}
	})
}
