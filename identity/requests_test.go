package identity_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestARefusedRequestComesWithAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		r    identity.Request
		want string
	}{
		"a success needs none":           {identity.Request{Status: 201}, ""},
		"the keyword decides":            {identity.Request{Status: 409, Code: "uniqueness", Detail: "x"}, "that name already"},
		"then the status":                {identity.Request{Status: 412, Detail: "x"}, "read it again"},
		"an unknown keyword":             {identity.Request{Status: 404, Code: "new", Detail: "x"}, "not here"},
		"a fault of ours is in the log":  {identity.Request{Status: 503, Detail: "x"}, "log"},
		"a bulk request failed in parts": {identity.Request{Status: 200, Detail: "1 of 2 operations failed."}, "Some of its operations"},
		"anything else":                  {identity.Request{Status: 418, Detail: "x"}, "explanation"},
	} {
		if got := c.r.Advice(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
