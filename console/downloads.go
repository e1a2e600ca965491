package console

import (
	"io"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// contentTypes are the forms in which tables leave.
var contentTypes = map[provisioning.FileFormat]string{
	"csv":   "text/csv; charset=utf-8",
	"xlsx":  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"jsonl": "application/x-ndjson",
}

// fileFormat reads a format of an address.
func fileFormat(s string) (provisioning.FileFormat, error) {
	f := provisioning.FileFormat(s)
	if contentTypes[f] == "" {
		return "", identity.Errorf(identity.NotFound, "There is no such file here. Files are csv, xlsx or jsonl.")
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
func (d *Door) download(w http.ResponseWriter, name string, write func(io.Writer) error) error {
	kind := "application/octet-stream"
	for format, t := range contentTypes {
		if suffix := "." + string(format); len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix {
			kind = t
		}
	}
	return write(&attachment{ResponseWriter: w, name: name, kind: kind})
}
