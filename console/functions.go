package console

import (
	"fmt"
	"html/template"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// functions is the one function map of all templates. say translates a text that comes from Go.
var functions = template.FuncMap{
	"say":       func(s any) string { return fmt.Sprint(s) },
	"asset":     assetURL,
	"icon":      icon,
	"when":      when,
	"status":    func(u identity.User) identity.Status { return u.Status() },
	"label":     func(u identity.User) string { return u.Label() },
	"email":     func(u identity.User) string { return u.Email() },
	"given":     func(u identity.User) string { return u.Name().GivenName },
	"family":    func(u identity.User) string { return u.Name().FamilyName },
	"locale":    func(u identity.User) string { return u.Locale() },
	"lower":     func(s any) string { return strings.ToLower(fmt.Sprint(s)) },
	"titles":    roleTitles,
	"count":     count,
	"number":    group,
	"value":     changeValue,
	"field":     fieldName,
	"known":     func(v any) bool { return changeValue(v) != "–" },
	"plain":     plainChanges,
	"whole":     wholeValue,
	"eventName": eventName,
	"eventTone": eventTone,
	"source":    sourceText,
	"device":    device,
	"join":      strings.Join,
	"pair":      func(first, second any) pair { return pair{first, second} },
	"networks":  func(d directoryRow) string { return strings.Join(identity.NetworkTexts(d.Networks), ", ") },
	"ms":        func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + " ms" },

	"providerIcon": providerIcon,

	"actions": actionList,
	"actor":   actorName,
	"reason":  func(s string) string { return s },

	"span":       span,
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

	"attributes": attributesOf,
	"days":       func(d time.Duration) int { return int(d.Hours() / 24) },
	"minus":      func(a, b int) int { return a - b },
	"numberIn":   func(list any) int { return reflect.ValueOf(list).Len() },
	"refusal":    refusal,

	"reviewTitle":  reviewTitle,
	"reviewAdvice": reviewAdvice,
}

// span writes a time in the largest unit that it is a whole number of: "90 days", "1 hour", "15 minutes".
func span(d time.Duration) string {
	switch n, unit := inUnits(d); unit {
	case "days":
		return count(n, "day", "days")
	case "hours":
		return count(n, "hour", "hours")
	default:
		return count(n, "minute", "minutes")
	}
}
