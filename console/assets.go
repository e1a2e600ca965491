package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/drawbridge-id/drawbridge/identity"
)

//go:embed assets
var assetFiles embed.FS

type assetFile struct {
	body []byte
	kind string
	hash string

	small func() []byte // body by gzip, packed when somebody asks first
}

var assetKinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// drawingPolicy lets a drawing style itself for light and dark; it can load and run nothing.
const drawingPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

var assets = readAssets()

func readAssets() map[string]assetFile {
	out := map[string]assetFile{}
	names, _ := fs.Glob(assetFiles, "assets/*") // the pattern is a constant and valid
	for _, name := range names {
		body, err := assetFiles.ReadFile(name)
		if err != nil {
			continue
		}
		sum := sha256.Sum256(body)
		out[path.Base(name)] = assetFile{body: body, kind: assetKinds[path.Ext(name)], hash: hex.EncodeToString(sum[:6]), small: sync.OnceValue(func() []byte { return packed(body) })}
	}
	return out
}

// packers are kept, for each has tables of some 800 KB.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// packed returns the bytes by gzip.
func packed(body []byte) []byte {
	var out bytes.Buffer
	z, ok := packers.Get().(*gzip.Writer)
	if !ok {
		return body
	}
	z.Reset(&out)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	packers.Put(z)
	return out.Bytes()
}

// assetURL returns the address of an asset with its hash, so that a browser may keep it for ever and still sees the next version.
func assetURL(name string) string { return "/assets/" + name + "?v=" + assets[name].hash }

func (d *Door) asset(w http.ResponseWriter, r *http.Request, _ visit) error {
	a, ok := assets[r.PathValue("name")]
	if !ok {
		return identity.Errorf(identity.NotFound, "There is no such file.")
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=300")
	if r.FormValue("v") == a.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("ETag", `"`+a.hash+`"`)
	if r.Header.Get("If-None-Match") == `"`+a.hash+`"` {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if a.kind == assetKinds[".svg"] {
		h.Set("Content-Security-Policy", drawingPolicy)
	}
	h.Set("Content-Type", a.kind)
	h.Set("Vary", "Accept-Encoding")
	body := a.body
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.small()
	}
	_, _ = w.Write(body) // a browser that left needs no answer
	return nil
}

// favicon answers the address that browsers ask for by themselves.
func (d *Door) favicon(w http.ResponseWriter, r *http.Request, v visit) error {
	r.SetPathValue("name", "drawbridge.svg")
	return d.asset(w, r, v)
}
