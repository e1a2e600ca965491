package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/web"
)

// confirmBody is a question before an act that takes something away: what will happen, to whom, and the way back.
type confirmBody struct {
	Title  string
	Who    string
	Facts  []string
	Button string
	Danger bool
	Reason bool // ask for a reason; it is kept in the audit
	Action string
	Back   string
	Form   form
}

// confirm asks. It also shows why an act was refused, beside the same question.
func (d *Door) confirm(w http.ResponseWriter, r *http.Request, v visit, nav string, body confirmBody) error {
	s := screen{Title: body.Title, Nav: nav, Body: body}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	return d.show(w, r, v, "confirm", s)
}
