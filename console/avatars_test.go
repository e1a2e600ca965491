package console_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestThePictureOfAPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := start(t, db)
		path := "/users/" + string(s.vera.ID) + "/avatar"
		ada, vera := s.signedIn("ada@acme.example"), s.signedIn("vera@acme.example")
		t.Run("FC-15 without a picture the initials are drawn", func(t *testing.T) {
			r := vera.get(path).is(http.StatusOK)
			if !strings.Contains(r.body, ">VV<") || r.header.Get("Content-Type") != "image/svg+xml" {
				t.Errorf("drawn: %s", r.body)
			}
		})
		t.Run("FC-15 a picture is answered as what it is, once", func(t *testing.T) {
			var b bytes.Buffer
			if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 9, 9))); err != nil {
				t.Fatal(err)
			}
			must(s.prov.SetAvatar(t.Context(), identity.Operator(), s.vera.ID, b.Bytes()))(t)
			r := ada.get(path).is(http.StatusOK)
			if r.header.Get("Content-Type") != "image/png" || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("ETag") == "" || !strings.HasPrefix(r.body, "\x89PNG") {
				t.Errorf("answered with %v", r.header)
			}
			again := must(http.NewRequest(http.MethodGet, s.url+path, nil))(t)
			again.Header.Set("If-None-Match", r.header.Get("ETag"))
			ada.do(again).is(http.StatusNotModified)
		})
		t.Run("FC-15 who may not see the person does not see the picture", func(t *testing.T) {
			if r := s.browser().get(path); strings.HasPrefix(r.body, "\x89PNG") {
				t.Error("a stranger sees it")
			}
			vera.get("/users/" + string(s.ada.ID) + "/avatar").is(http.StatusForbidden)
		})
	})
}
