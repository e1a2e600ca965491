package scim

import (
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// maxLogTerms is how many comparisons a filter of the log has at most.
const maxLogTerms = 20

// logFilter is what a filter of the log in OData asks for: comparisons that must all hold.
type logFilter struct {
	job     string
	upload  identity.UploadID
	nothing bool // it can let nothing pass
	terms   []logTerm
}

// logTerm compares a property with a text.
type logTerm struct{ name, op, value string }

// logProperties are what a filter may name, as the log has it.
var logProperties = map[string]func(object) string{
	"id":                            func(o object) string { return textOf(o["id"]) },
	"jobid":                         func(o object) string { return textOf(o["jobId"]) },
	"cycleid":                       func(o object) string { id, _ := o["cycleId"].(identity.UploadID); return string(id) },
	"changeid":                      func(o object) string { return textOf(o["changeId"]) },
	"action":                        func(o object) string { return textOf(o["action"]) },
	"provisioningaction":            func(o object) string { return textOf(o["action"]) },
	"activitydatetime":              func(o object) string { return textOf(o["activityDateTime"]) },
	"statusinfo/status":             logStatus,
	"provisioningstatusinfo/status": logStatus,
}

func logStatus(o object) string {
	status, _ := o["statusInfo"].(object)
	s, _ := status["status"].(provisioning.LogStatus)
	return string(s)
}

// parseLogFilter reads a filter. What it cannot read is refused, since to ignore it would answer with more than was asked for.
func parseLogFilter(s string) (logFilter, error) {
	var f logFilter
	rest := strings.TrimSpace(s)
	for rest != "" {
		term, more, err := parseLogTerm(rest)
		if err != nil {
			return f, err
		}
		if len(f.terms) == maxLogTerms {
			return f, bad(invalidFilter, "The filter has more than %d comparisons.", maxLogTerms)
		}
		f.terms = append(f.terms, term)
		f.narrow(term)
		if rest = strings.TrimSpace(more); rest == "" {
			break
		}
		word, after, _ := strings.Cut(rest, " ")
		if !strings.EqualFold(word, "and") || strings.TrimSpace(after) == "" {
			return f, badLogFilter()
		}
		rest = strings.TrimSpace(after)
	}
	return f, nil
}

func badLogFilter() error {
	return bad(invalidFilter, "The filter cannot be read here. Write jobId, cycleId, changeId, id, provisioningAction, provisioningStatusInfo/status or activityDateTime with eq, ne, gt, ge, lt or le and a text, several with and.")
}

// parseLogTerm reads one comparison from the beginning of a filter.
func parseLogTerm(s string) (t logTerm, rest string, err error) {
	name, after, ok := strings.Cut(s, " ")
	op, value, ok2 := strings.Cut(strings.TrimSpace(after), " ")
	t.name, t.op = strings.ToLower(name), strings.ToLower(op)
	if !ok || !ok2 || logProperties[t.name] == nil || !strings.Contains(" eq ne gt ge lt le ", " "+t.op+" ") {
		return t, "", badLogFilter()
	}
	value = strings.TrimSpace(value)
	if !strings.HasPrefix(value, "'") { // a time is written without quotes
		t.value, rest, _ = strings.Cut(value, " ")
		if t.name != "activitydatetime" || t.value == "" {
			return t, "", badLogFilter()
		}
		return t, rest, nil
	}
	for i := 1; i < len(value); i++ {
		switch {
		case value[i] != '\'':
			t.value += value[i : i+1]
		case i+1 < len(value) && value[i+1] == '\'':
			t.value += "'"
			i++
		default:
			return t, value[i+1:], nil
		}
	}
	return t, "", badLogFilter()
}

// narrow has the database look for what it can.
func (f *logFilter) narrow(t logTerm) {
	if t.op != "eq" {
		return
	}
	switch t.name {
	case "jobid":
		f.nothing = f.nothing || f.job != "" && f.job != t.value || t.value == ""
		f.job = t.value
	case "cycleid":
		id, ok := identity.ParseID[identity.UploadID](t.value)
		f.nothing = f.nothing || !ok || f.upload != "" && f.upload != id
		f.upload = id
	}
}

// passes reports whether all comparisons hold for an entry.
func (f *logFilter) passes(o object) bool {
	for _, t := range f.terms {
		is, want := logProperties[t.name](o), t.value
		if t.name != "jobid" {
			is, want = strings.ToLower(is), strings.ToLower(want)
		}
		var ok bool
		switch t.op {
		case "eq":
			ok = is == want
		case "ne":
			ok = is != want
		case "gt":
			ok = is > want
		case "ge":
			ok = is >= want
		case "lt":
			ok = is < want
		case "le":
			ok = is <= want
		}
		if !ok {
			return false
		}
	}
	return true
}
