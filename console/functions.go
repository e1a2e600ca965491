package console

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// functions is the one function map of all templates.
var functions = template.FuncMap{
	"asset":     assetURL,
	"icon":      icon,
	"when":      when,
	"status":    func(u identity.User) identity.Status { return u.Status() },
	"label":     func(u identity.User) string { return u.Label() },
	"email":     func(u identity.User) string { return u.Email() },
	"lower":     func(s any) string { return strings.ToLower(fmt.Sprint(s)) },
	"titles":    roleTitles,
	"count":     count,
	"number":    group,
	"value":     changeValue,
	"field":     fieldName,
	"known":     func(v any) bool { return changeValue(v) != "–" },
	"eventName": eventName,
	"eventTone": eventTone,
	"source":    sourceText,
	"device":    device,
	"join":      strings.Join,
	"pair":      func(first, second any) pair { return pair{first, second} },
	"networks":  func(d directoryRow) string { return strings.Join(identity.NetworkTexts(d.Networks), ", ") },
	"ms":        func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + " ms" },

	"list":       func(words ...string) []string { return words },
	"list4":      func(a, b, c, d any) []any { return []any{a, b, c, d} },
	"saveWord":   saveWord,
	"lifetime":   lifetime,
	"inc":        func(n int) int { return n + 1 },
	"numberOf":   func(n int) string { return group(int64(n)) },
	"megabytes":  megabytes,
	"planTitle":  planTitle,
	"planCounts": planCounts,
	"planKind":   planKind,
	"planState":  planState,
	"planAction": planAction,
	"stepState":  planStepState,

	"offState": offState,

	"reviewTitle":  reviewTitle,
	"reviewAdvice": reviewAdvice,
}
