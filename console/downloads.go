package console

import (
	"io"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// fileKind is a form in which tables leave.
type fileKind struct{ ending, contentType string }

var fileKinds = map[provisioning.FileFormat]fileKind{
	"csv":  {".csv", "text/csv; charset=utf-8"},
	"xlsx": {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	"json": {".jsonl", "application/x-ndjson"},
}

// fileFormat reads a format of an address.
func fileFormat(s string) (provisioning.FileFormat, error) {
	f := provisioning.FileFormat(s)
	if fileKinds[f].ending == "" {
		return "", identity.Errorf(identity.NotFound, "There is no such file here. Files are csv, xlsx or json.")
	}
	return f, nil
}

// attachment is an answer that a browser saves as a file. It becomes one with its first byte; until then it can still become an error page.
type attachment struct {
	http.ResponseWriter
	name  string
	kind  string
	began bool
}

func (a *attachment) Write(b []byte) (int, error) {
	if !a.began {
		a.began = true
		h := a.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Content-Disposition", `attachment; filename="`+a.name+`"`)
	}
	return a.ResponseWriter.Write(b)
}

// download answers with a file, whose name is ours and plain.
func (d *Door) download(w http.ResponseWriter, name string, format provisioning.FileFormat, write func(io.Writer) error) error {
	kind := fileKinds[format]
	return write(&attachment{ResponseWriter: w, name: name + kind.ending, kind: kind.contentType})
}
