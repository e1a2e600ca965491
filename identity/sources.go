package identity

import (
	"slices"
	"time"
)

// Source is where files or an HR system's people come from, with what holds for all that it sends. Its name is unique within its tenant.
type Source struct {
	TenantID  TenantID // whose people it may touch; empty: the whole installation's
	Name      string
	Settings  SourceSettings
	CreatedAt time.Time
	UpdatedAt time.Time
}

// SourceSettings are what holds for each plan of a source, unless whoever makes the plan says otherwise.
type SourceSettings struct {
	PlanOptions
	Folder    string `json:"folder,omitempty"`     // where files of the source are dropped
	Pattern   string `json:"pattern,omitempty"`    // which of them, such as "people-*.csv"; empty: every CSV and XLSX file
	AutoApply bool   `json:"auto_apply,omitempty"` // plans that no guard holds are carried out without being asked for
}

// FileForm says how a file is written, where it cannot be told from the file itself.
type FileForm struct {
	Separator string `json:"separator,omitempty"` // of a CSV file, one character; empty: guessed
	Encoding  string `json:"encoding,omitempty"`  // of a CSV file, such as "windows-1252"; empty: told by the mark in front and the bytes
	Sheet     string `json:"sheet,omitempty"`     // of a workbook, by its name; empty: the first that is not hidden
}

// Guards are the limits beyond which a plan of a source is held until somebody approves it. A zero is the default of that guard, a negative number turns it off.
type Guards struct {
	Most       int     `json:"most,omitempty"`         // people deactivated; default 10
	Percent    float64 `json:"percent,omitempty"`      // of the people whom the plan may touch, deactivated; default 10
	Renames    float64 `json:"renames,omitempty"`      // per cent of the rows that change the e-mail address or the user name; default 20, and never below 5 people
	Fewer      float64 `json:"fewer,omitempty"`        // per cent of rows fewer than the last whole list had; default 20
	NoGroups   bool    `json:"no_groups,omitempty"`    // a group or a role may be left without anybody
	Errors     float64 `json:"errors,omitempty"`       // per cent of rows that cannot be used, of a whole list; default 5
	EndSession bool    `json:"end_sessions,omitempty"` // sessions of the people whom a held plan would keep out end at once
}

// Transform changes a value on its way from a column to a field. Several for one field are carried out in their order.
type Transform struct {
	Field string        `json:"field"`
	Kind  TransformKind `json:"kind"`
	Args  []string      `json:"args,omitempty"`
}

// Equal reports whether two transforms do the same.
func (t Transform) Equal(other Transform) bool {
	return t.Field == other.Field && t.Kind == other.Kind && slices.Equal(t.Args, other.Args)
}

// TransformKind says what a transform does.
type TransformKind string

// The kinds of transform, with their arguments.
const (
	TransformTrim     TransformKind = "trim" // takes blanks away, and the characters of the argument if there is one
	TransformUpper    TransformKind = "upper"
	TransformLower    TransformKind = "lower"
	TransformTitle    TransformKind = "title"
	TransformConstant TransformKind = "constant" // the argument, whatever the column says; the field needs no column
	TransformDefault  TransformKind = "default"  // the argument, where the column says nothing
	TransformJoin     TransformKind = "join"     // a separator, then headings or fields whose values it joins; empty ones are left out
	TransformDate     TransformKind = "date"     // the form in which dates are written, such as "02.01.2006"; becomes 2006-01-02
	TransformMap      TransformKind = "map"      // pairs FROM=TO; what no pair has stays
	TransformReplace  TransformKind = "replace"  // a text and what stands in its place
)

// SourceRule says where people of a source belong by what it says about them. All rules whose conditions hold count; what an earlier one said, a later one does not change.
type SourceRule struct {
	When   []SourceCondition `json:"when"` // all of them; none: everybody
	Tenant TenantID          `json:"tenant,omitempty"`
	Unit   string            `json:"unit,omitempty"` // as a file names it
	Type   string            `json:"type,omitempty"`
	Roles  []RoleID          `json:"roles,omitempty"` // all that hold are given
}

// SourceCondition compares a field with texts, whatever their case.
type SourceCondition struct {
	Field  string   `json:"field"`
	Is     []string `json:"is"` // one of them; one with * at its end matches what begins so
	Except bool     `json:"except,omitempty"`
}

// FieldPolicy says whose word counts for a field of a person.
type FieldPolicy struct {
	Authority string       `json:"authority,omitempty"` // the source that alone writes the field once it has said something; empty: each
	Manual    ManualPolicy `json:"manual,omitempty"`    // what happens when somebody changed by hand what the source had said
}

// ManualPolicy says what becomes of a value that somebody changed by hand after a source had said it.
type ManualPolicy string

// The policies.
const (
	ManualOverwrite ManualPolicy = "overwrite" // the source's word counts; the default
	ManualKeep      ManualPolicy = "keep"      // the hand's word counts, until the source says something new
	ManualFlag      ManualPolicy = "flag"      // neither: the row is a conflict
)
