package console

import (
	"io"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// maxMessage is the largest message in bytes that can be explained.
const maxMessage = 512 << 10

type explainBody struct {
	Form        form
	Connections []identity.Connection
	Result      *checklist // nil: nothing was asked yet
	Connection  string     // the name of the one that was used
}

// explainForm asks for a message of a provider.
func (d *Door) explainForm(w http.ResponseWriter, r *http.Request, v visit) error {
	f := blank("at", "issued", "connection", r.URL.Query().Get("connection"))
	return d.explainPage(w, r, v, explainBody{Form: f})
}

func (d *Door) explainPage(w http.ResponseWriter, r *http.Request, v visit, body explainBody) error {
	if d.explain == nil {
		return identity.Errorf(identity.NotFound, "This installation cannot explain messages here. Use the command line: drawbridge signin explain.")
	}
	connections, names, err := d.connectionNames(r.Context(), v)
	if err != nil {
		return err
	}
	body.Connections = connections
	if body.Result != nil && body.Result.ConnectionID != "" {
		body.Connection = names[body.Result.ConnectionID]
	}
	s := screen{Title: "Explain a response", Nav: "signins", Body: body}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	return d.show(w, r, v, "signin_explain", s)
}

// explainMessage shows every check of a pasted or uploaded message. Nothing is stored, and what was pasted is not shown again.
func (d *Door) explainMessage(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "message", "at", "connection")
	if err != nil {
		return err
	}
	input, err := messageOf(r, f)
	f.Values.Del("message")
	body := explainBody{Form: f}
	if err == nil && d.explain != nil {
		id, _ := identity.ParseID[identity.ConnectionID](f.Value("connection"))
		var trace identity.Trace
		if trace, err = d.explain(r.Context(), v.Actor, identity.Pasted{Input: input, ConnectionID: id, At: f.Value("at")}); err == nil {
			result := listOf(trace)
			body.Result = &result
		}
	}
	if err != nil && !body.Form.refused(err) {
		return err
	}
	return d.explainPage(w, r, v, body)
}

// messageOf returns the uploaded file, else what was pasted.
func messageOf(r *http.Request, f form) (string, error) {
	if file, _, err := r.FormFile("file"); err == nil {
		defer file.Close()
		raw, err := io.ReadAll(io.LimitReader(file, maxMessage+1))
		if err != nil || len(raw) > maxMessage {
			return "", identity.Errorf(identity.TooLarge, "The file is larger than 512 KB; no provider sends that much.").WithField("message").WithCause(err)
		}
		if len(raw) > 0 {
			return string(raw), nil
		}
	}
	if f.Value("message") == "" {
		return "", identity.Errorf(identity.Invalid, "Paste a message, or choose a file.").WithField("message")
	}
	return f.Values.Get("message"), nil
}
