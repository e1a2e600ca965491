package provisioning

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// What a list of transforms may have at most.
const (
	maxTransforms    = 200
	maxTransformArgs = 2000
	maxTransformArg  = 500 // bytes
)

// transformArgs is how many arguments each kind takes, at least and at most.
var transformArgs = map[identity.TransformKind]struct {
	least, most int
	says        string
}{
	identity.TransformTrim:     {0, 1, "the characters to take away besides blanks, or nothing"},
	identity.TransformUpper:    {0, 0, "nothing"},
	identity.TransformLower:    {0, 0, "nothing"},
	identity.TransformTitle:    {0, 0, "nothing"},
	identity.TransformConstant: {1, 1, "one text"},
	identity.TransformDefault:  {1, 1, "one text"},
	identity.TransformJoin:     {2, maxTransformArgs, "a separator, then the headings or fields to join"},
	identity.TransformDate:     {1, 10, `the forms of the dates, such as "DD.MM.YYYY"`},
	identity.TransformMap:      {1, maxTransformArgs, "pairs written FROM=TO"},
	identity.TransformReplace:  {2, 2, "a text, and what stands in its place"},
}

// checkTransforms refuses transforms that cannot be carried out on any file: kinds and fields that are not there, and arguments that do not fit.
func checkTransforms(list []identity.Transform, fields []ImportField) error {
	if len(list) > maxTransforms {
		return wrongTransform("There are %d transforms; at most %d are carried out.", len(list), maxTransforms)
	}
	for _, t := range list {
		if !slices.ContainsFunc(fields, func(f ImportField) bool { return f.Name == t.Field }) {
			return wrongTransform("A transform is for the field %q, which is not there.", t.Field)
		}
		if t.Field == fieldPassword || t.Field == fieldPasswordHash {
			return wrongTransform("A password is taken as it stands in the file. Take the transform of %s out.", t.Field)
		}
		if err := checkTransformArgs(t); err != nil {
			return err
		}
	}
	return nil
}

func checkTransformArgs(t identity.Transform) error {
	takes, ok := transformArgs[t.Kind]
	if !ok {
		return wrongTransform("There is no transform %q. Use trim, upper, lower, title, constant, default, join, date, map or replace.", t.Kind)
	}
	if len(t.Args) < takes.least || len(t.Args) > takes.most {
		return wrongTransform("The transform %s of %s takes %s.", t.Kind, t.Field, takes.says)
	}
	for _, arg := range t.Args {
		if len(arg) > maxTransformArg || strings.ContainsFunc(arg, unicode.IsControl) {
			return wrongTransform("An argument of the transform %s of %s has more than %d bytes, or characters that nobody sees.", t.Kind, t.Field, maxTransformArg)
		}
		if t.Kind == identity.TransformMap && !strings.Contains(arg, "=") {
			return wrongTransform("The transform map of %s has %q. Write FROM=TO.", t.Field, arg)
		}
		if _, ok := dateForm(arg); t.Kind == identity.TransformDate && !ok {
			return wrongTransform("The transform date of %s has %q, which is no form of a date. Write DD.MM.YYYY, MM/DD/YYYY, 02.01.2006 or excel.", t.Field, arg)
		}
	}
	if t.Kind == identity.TransformReplace && t.Args[0] == "" {
		return wrongTransform("The transform replace of %s replaces an empty text. Say which one.", t.Field)
	}
	return nil
}

func wrongTransform(format string, args ...any) *identity.Error {
	return identity.Errorf(identity.Invalid, format, args...).WithField("transforms")
}

// shaper makes the rows of one table into rows of fields: it takes the cells by their columns and carries the transforms out.
type shaper struct {
	header  []string
	columns []string // the field of each column, and behind them fields that only transforms fill
	own     int      // how many of them are columns of the table
	list    []transform
	serial  bool // dates may be the numbers that spreadsheets keep
	dates   []int
}

// transform is one that was looked up in a table.
type transform struct {
	identity.Transform
	column  int   // that it changes
	from    []int // the columns that a join takes
	forms   []dateLayouts
	replace map[string]string // by PlainKey, of a map
}

// newShaper looks transforms up in a table whose columns are the fields named. A join of what the table does not have is Invalid.
func newShaper(table *sheets.Reader, columns []string, list []identity.Transform) (*shaper, error) {
	s := &shaper{header: table.Header, columns: slices.Clone(columns), own: len(columns), serial: table.Numbers}
	for _, t := range list {
		if !slices.Contains(s.columns, t.Field) {
			s.columns = append(s.columns, t.Field)
		}
	}
	for _, t := range list {
		ready := transform{Transform: t, column: slices.Index(s.columns, t.Field)}
		var err error
		switch t.Kind {
		case identity.TransformJoin:
			ready.from, err = s.joined(t)
		case identity.TransformDate:
			for _, arg := range t.Args {
				form, _ := dateForm(arg)
				ready.forms = append(ready.forms, form)
			}
		case identity.TransformMap:
			ready.replace = map[string]string{}
			for _, arg := range t.Args {
				from, to, _ := strings.Cut(arg, "=")
				ready.replace[mapKey(from)] = to
			}
		}
		if err != nil {
			return nil, err
		}
		s.list = append(s.list, ready)
	}
	for i, field := range s.columns {
		if s.serial && (field == fieldStartDate || field == fieldEndDate) {
			s.dates = append(s.dates, i)
		}
	}
	return s, nil
}

// joined finds the columns of a join: by their headings, else by their fields.
func (s *shaper) joined(t identity.Transform) ([]int, error) {
	var out []int
	for _, name := range t.Args[1:] {
		at := slices.IndexFunc(s.header, func(h string) bool { return identity.PlainKey(h) == identity.PlainKey(name) })
		if at < 0 || at >= s.own {
			at = slices.Index(s.columns, name)
		}
		if at < 0 {
			return nil, wrongTransform("The transform join of %s takes %q, which is neither a column nor a field of this file. It has: %s.", t.Field, name, strings.Join(s.header, ", "))
		}
		if s.columns[at] == fieldPassword || s.columns[at] == fieldPasswordHash {
			return nil, wrongTransform("The transform join of %s takes a password, which would be shown. Take it out.", t.Field)
		}
		out = append(out, at)
	}
	return out, nil
}

// read takes a line of the table. The dates of a workbook are numbers, and become dates where a field is one.
func (s *shaper) read(row sheets.Row) importRow {
	if row.Formula > 0 {
		out := importRow{line: row.Line, fields: personFields{}}
		field := ""
		if row.Formula <= s.own {
			field = s.columns[row.Formula-1]
		}
		out.refuse(field, "The cell in column %d is a formula whose value was not saved, or one that failed. Open the file in a spreadsheet and save it again, or write the value.", row.Formula)
		return out
	}
	if len(s.list)+len(s.dates) == 0 || row.Beyond(s.own) {
		return readRow(row, s.columns[:s.own])
	}
	cells := make([]string, len(s.columns))
	copy(cells, row.Cells[:min(len(row.Cells), s.own)])
	var wrong *identity.Error
	for _, t := range s.list {
		value, err := t.change(cells, s.serial)
		if err != nil && wrong == nil {
			wrong = err
		}
		cells[t.column] = value
	}
	for _, at := range s.dates {
		if day, ok := serialDay(cells[at]); ok {
			cells[at] = day
		}
	}
	out := readRow(sheets.Row{Line: row.Line, Cells: cells}, s.columns)
	if wrong != nil {
		out.wrong = wrong
	}
	return out
}

// change returns the value of the transform's column after it.
func (t transform) change(cells []string, serial bool) (string, *identity.Error) {
	value := cells[t.column]
	switch t.Kind {
	case identity.TransformTrim:
		value = strings.TrimSpace(value)
		if len(t.Args) > 0 {
			value = strings.TrimSpace(strings.Trim(value, t.Args[0]))
		}
	case identity.TransformUpper:
		value = strings.ToUpper(value)
	case identity.TransformLower:
		value = strings.ToLower(value)
	case identity.TransformTitle:
		value = titled(value)
	case identity.TransformConstant:
		value = t.Args[0]
	case identity.TransformDefault:
		if strings.TrimSpace(value) == "" {
			value = t.Args[0]
		}
	case identity.TransformJoin:
		value = t.join(cells)
	case identity.TransformDate:
		return t.date(value, serial)
	case identity.TransformMap:
		if to, ok := t.replace[mapKey(value)]; ok {
			value = to
		}
	case identity.TransformReplace:
		value = strings.ReplaceAll(value, t.Args[0], t.Args[1])
	}
	return value, nil
}

func (t transform) join(cells []string) string {
	var parts []string
	for _, at := range t.from {
		if part := strings.TrimSpace(cells[at]); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, t.Args[0])
}

// mapKey is what a value has to be to be mapped: the same text, whatever its case and the blanks around it.
func mapKey(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// titled writes each word with a capital and small letters behind it. A word begins at the start, behind a blank or a hyphen, and behind an apostrophe that a
// name goes on after, as in O'Neill.
func titled(s string) string {
	letters := []rune(s)
	start := true
	for i, r := range letters {
		if start {
			letters[i] = unicode.ToTitle(r)
		} else {
			letters[i] = unicode.ToLower(r)
		}
		name := i+2 < len(letters) && unicode.IsLetter(letters[i+1]) && unicode.IsLetter(letters[i+2])
		start = !unicode.In(r, unicode.L, unicode.M, unicode.N) && (r != '\'' && r != '’' || name)
	}
	return string(letters)
}

// date writes a date as every field of a date takes it.
func (t transform) date(value string, serial bool) (string, *identity.Error) {
	text := strings.TrimSpace(value)
	if text == "" {
		return "", nil
	}
	for _, form := range t.forms {
		if day, ok := form.read(text); ok {
			return day, nil
		}
	}
	if day, ok := serialDay(text); ok && serial {
		return day, nil
	}
	return "", identity.Errorf(identity.Invalid, "%s is %q, which is no date written as %s.", t.Field, clippedText(text), strings.Join(t.Args, " or ")).WithField(t.Field)
}

// clippedText is the beginning of a text, for a sentence.
func clippedText(s string) string {
	const most = 60
	if letters := []rune(s); len(letters) > most {
		return fmt.Sprintf("%s…", string(letters[:most]))
	}
	return s
}
