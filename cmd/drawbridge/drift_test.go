package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestDriftIsReadAtTheCommandLine(t *testing.T) {
	onEmptyDatabases(t, func(t *testing.T, empty func() string) {
		h := newReplayHouse(t, "etlworks", empty)
		h.end("held", h.find("ada@"+acmeDomain))
		var v driftView
		h.sh.json(&v, "drift", "--directory", "acme okta")
		if len(v.Items) != 1 || v.Items[0].Who != "ada@"+acmeDomain || v.Items[0].Field != "active" || v.Items[0].ChangedBy != "operator" || v.Items[0].At == nil || v.Checked != 3 {
			t.Errorf("it says %+v", v)
		}
		if out := h.sh.must("drift", "--directory", "Acme Okta"); !strings.Contains(out, "Acme Okta SAID") || !strings.Contains(out, "operator") {
			t.Errorf("it says\n%s", out)
		}
		if out := h.sh.must("drift", "--directory", "Globex Entra"); !strings.Contains(out, "Everything is as Globex Entra said it last.") {
			t.Errorf("it says\n%s", out)
		}
		err := h.s.okta.patch(t.Context(), "/Users/"+h.s.okta.people[0].id, http.StatusOK, "", object{"op": "replace", "value": object{"active": true}})
		if err != nil {
			t.Fatal(err)
		}
		if h.sh.json(&v, "drift", "--directory", "acme okta"); len(v.Items) != 1 { // a directory lets nobody in whom an administrator keeps out
			t.Errorf("it says %+v", v)
		}
		h.sh.refused(1, []string{"directory"}, "drift", "--directory", "None")
		h.sh.refused(2, nil, "drift")
	})
}
