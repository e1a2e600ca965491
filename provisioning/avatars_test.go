package provisioning_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// halves is a picture of which the left half is red and the right half is blue.
func halves(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.RGBA{B: 255, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// photographed is a JPEG file as a camera makes one that was held in an orientation, with the place in it.
func photographed(t *testing.T, m image.Image, orientation byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation, 0, 0, 0, 0, 0, 0)
	exif = append(exif, "GPS 52.5200 13.4050"...)
	app1 := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return slices.Concat(b.Bytes()[:2], app1, exif, b.Bytes()[2:])
}

// hugePNG is a small file that says that it has very many pixels.
func hugePNG(t *testing.T, side uint32) []byte {
	t.Helper()
	out := asPNG(t, halves(2, 2))
	binary.BigEndian.PutUint32(out[16:], side)
	binary.BigEndian.PutUint32(out[20:], side)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

func fromBase64(t *testing.T, s string) []byte {
	t.Helper()
	return must[[]byte](t)(base64.StdEncoding.DecodeString(s))
}

func TestPictures(t *testing.T) {
	eachWith(t, "fentu-connect", func(t *testing.T, h *house) {
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
		ada, asAda := h.staff(home.ID, "ada@acme.test", "viewer")
		_, bob := h.staff(home.ID, "bob@acme.test", "viewer")
		kept := func(content []byte) image.Image {
			t.Helper()
			must[identity.Avatar](t)(h.SetAvatar(h.ctx, asAda, ada.ID, content))
			a := must[identity.Avatar](t)(h.Avatar(h.ctx, boss, ada.ID))
			m, kind, err := image.Decode(bytes.NewReader(a.Content))
			if err != nil || "image/"+kind != a.ContentType() || m.Bounds().Dx() != 256 || m.Bounds().Dy() != 256 || a.Hash == "" {
				t.Fatalf("kept: %s %s %v %v", kind, a.ContentType(), a.Hash, err)
			}
			if bytes.Contains(a.Content, []byte("GPS")) || bytes.Contains(a.Content, []byte("Exif")) {
				t.Error("the place where the picture was taken is still in it")
			}
			return m
		}
		t.Run("FC-15 PNG, JPEG and WebP are taken and written anew as a square without anything but pixels", func(t *testing.T) {
			if m := kept(asPNG(t, halves(300, 200))); !red(m.At(20, 128)) || red(m.At(230, 128)) {
				t.Error("the PNG is another picture")
			}
			if m := kept(photographed(t, halves(400, 400), 1)); !red(m.At(20, 128)) {
				t.Error("the JPEG is another picture")
			}
			if m := kept(photographed(t, halves(400, 400), 6)); !red(m.At(128, 20)) || red(m.At(128, 230)) {
				t.Error("a photograph that was taken with the camera on its side is not turned")
			}
			if m := kept(photographed(t, halves(400, 400), 3)); red(m.At(20, 128)) {
				t.Error("a photograph that was taken upside down is not turned")
			}
			kept(fromBase64(t, "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"))
			kept(fromBase64(t, "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="))
			events := h.events(ada.ID)
			if events[len(events)-1] != identity.UserUpdated {
				t.Errorf("events %v", events)
			}
		})
		t.Run("FC-15 what is too large, or no picture, is refused before it is decoded", func(t *testing.T) {
			for name, bad := range map[string]struct {
				content []byte
				kind    identity.Kind
			}{
				"text": {[]byte("hello"), identity.Invalid}, "SVG": {[]byte("<svg/>"), identity.Invalid}, "GIF": {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), identity.Invalid},
				"nothing": {nil, identity.Invalid}, "cut off": {asPNG(t, halves(64, 64))[:60], identity.Invalid},
				"many pixels": {hugePNG(t, 4097), identity.TooLarge}, "billions of pixels": {hugePNG(t, 100_000), identity.TooLarge}, "many bytes": {make([]byte, identity.MaxAvatar+1), identity.TooLarge},
			} {
				_, err := h.SetAvatar(h.ctx, asAda, ada.ID, bad.content)
				if identity.KindOf(err) != bad.kind {
					t.Errorf("%s: %v", name, err)
				}
				wantField(t, err, bad.kind, "avatar")
			}
		})
		t.Run("FC-15 it is optional, and one's own or an administrator's to set", func(t *testing.T) {
			_, err := h.SetAvatar(h.ctx, bob, ada.ID, asPNG(t, halves(8, 8)))
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.Avatar(h.ctx, bob, ada.ID)
			wantKind(t, err, identity.Forbidden, "")
			must[identity.Avatar](t)(h.SetAvatar(h.ctx, boss, ada.ID, asPNG(t, halves(8, 8))))
			h.ok(h.DeleteAvatar(h.ctx, asAda, ada.ID))
			_, err = h.Avatar(h.ctx, asAda, ada.ID)
			wantKind(t, err, identity.NotFound, "")
			wantKind(t, h.DeleteAvatar(h.ctx, asAda, ada.ID), identity.NotFound, "")
			for name, want := range map[string]string{"Ada Lovelace": "AL", "ada": "A", "Ada King (Countess) of Lovelace": "AL", "1st Level Support": "1S", "": ""} {
				if got := (&identity.User{DisplayName: name}).Initials(); got != want {
					t.Errorf("the initials of %q are %q", name, got)
				}
			}
		})
	})
}

func red(c color.Color) bool {
	r, _, b, _ := c.RGBA()
	return r > b
}
