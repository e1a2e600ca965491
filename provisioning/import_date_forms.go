package provisioning

import (
	"strconv"
	"strings"
	"time"
)

// dayForm is how a date leaves a transform, and how every field that is a date takes it.
const dayForm = "2006-01-02"

// dateLayouts are the ways in which one form of dates is read, the strictest first.
type dateLayouts struct {
	layouts []string
	serial  bool // the number of days that a spreadsheet keeps
}

// read returns a date as dayForm has it.
func (d dateLayouts) read(text string) (string, bool) {
	if d.serial {
		return serialDay(text)
	}
	for _, layout := range d.layouts {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 0 {
			return at.Format(dayForm), true
		}
	}
	return "", false
}

// dateForm reads how dates are written: as Go writes it ("02.01.2006"), as people do ("DD.MM.YYYY", "m/d/yy"), "iso" or "excel".
func dateForm(form string) (dateLayouts, bool) {
	form = strings.TrimSpace(form)
	switch strings.ToLower(form) {
	case "excel":
		return dateLayouts{serial: true}, true
	case "iso":
		return dateLayouts{layouts: []string{dayForm, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "20060102"}}, true
	}
	layout := form
	if !strings.Contains(form, "06") || !isDateLayout(form) {
		layout = peoplesLayout(form)
	}
	return dateLayouts{layouts: []string{layout}}, isDateLayout(layout)
}

// isDateLayout reports whether a layout of Go tells the year, the month and the day: a date that is written by it is read back the same, and not another one.
func isDateLayout(layout string) bool {
	for _, day := range []time.Time{time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC), time.Date(1999, time.February, 7, 0, 0, 0, 0, time.UTC)} {
		back, err := time.Parse(layout, day.Format(layout))
		if err != nil || back.Format(dayForm) != day.Format(dayForm) {
			return false
		}
	}
	return true
}

// datePart is what a run of one letter means: alone between other characters, where leading zeros may be missing, or among others.
type datePart struct{ loose, strict string }

// dateParts are the runs of letters by which people write a form, in upper case. MM is the month, unless hours stand before it.
var dateParts = map[string]datePart{
	"YYYY": {"2006", "2006"},
	"YY":   {"06", "06"},
	"MMMM": {"January", "January"},
	"MMM":  {"Jan", "Jan"},
	"MM":   {"1", "01"},
	"M":    {"1", "1"},
	"DD":   {"2", "02"},
	"D":    {"2", "2"},
	"HH":   {"15", "15"},
	"H":    {"15", "15"},
	"SS":   {"5", "05"},
	"JJJJ": {"2006", "2006"}, // as German spreadsheets have it, with TT for the day
	"JJ":   {"06", "06"},
	"TT":   {"2", "02"},
}

// peoplesLayout turns a form as people write it into a layout of Go; a form that is none stays what it is.
func peoplesLayout(form string) string {
	upper := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A' // no other letter, so that each stays where it is
		}
		return r
	}, form)
	var out strings.Builder
	hours := false
	for i := 0; i < len(upper); {
		run := 1
		for i+run < len(upper) && upper[i+run] == upper[i] {
			run++
		}
		word := upper[i : i+run]
		part, known := dateParts[word]
		switch {
		case !known:
			out.WriteString(form[i : i+run])
		case word == "MM" && hours:
			out.WriteString("04")
		case isLetter(upper, i-1) || isLetter(upper, i+run):
			out.WriteString(part.strict)
		default:
			out.WriteString(part.loose)
		}
		hours = hours || word[0] == 'H'
		i += run
	}
	return out.String()
}

func isLetter(s string, at int) bool {
	return at >= 0 && at < len(s) && s[at] >= 'A' && s[at] <= 'Z'
}

// serialDay reads the number of days by which a spreadsheet keeps a date: 1 is 1 January 1900, and 60 a day that never was.
func serialDay(text string) (string, bool) {
	whole, part, _ := strings.Cut(text, ".")
	n, err := strconv.Atoi(whole)
	if _, bad := strconv.ParseUint("0"+part, 10, 64); err != nil || bad != nil || n < 1 || n == 60 || n > 2_958_465 {
		return "", false
	}
	if n < 60 {
		n++
	}
	return time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(dayForm), true
}
