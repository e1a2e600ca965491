package console

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// guardField is a limit of a source on a page. An empty value is the default, a negative one turns the guard off.
type guardField struct {
	Name, Title, Unit, Default, Value string
}

// Says is the limit in words.
func (g guardField) Says() string {
	switch {
	case g.Value == "":
		return g.Default + " " + g.Unit
	case strings.HasPrefix(g.Value, "-"):
		return "off"
	}
	return g.Value + " " + g.Unit
}

func guardFields(g identity.Guards) []guardField {
	text := func(n float64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return []guardField{
		{"most", "People kept out, at most", "people", "10", text(float64(g.Most))},
		{"percent", "People kept out, at most", "% of all", "10", text(g.Percent)},
		{"renames", "Addresses and user names that change", "% of the rows", "20", text(g.Renames)},
		{"fewer", "Rows fewer than in the last whole list", "%", "20", text(g.Fewer)},
		{"errors", "Rows that cannot be used, of a whole list", "%", "5", text(g.Errors)},
	}
}

func guardNames() []string {
	var out []string
	for _, g := range guardFields(identity.Guards{}) {
		out = append(out, g.Name)
	}
	return out
}

// formNumber reads a number of a form; nothing is 0, which is the default.
func formNumber(f form, name string) (float64, error) {
	text := strings.ReplaceAll(f.Value(name), ",", ".")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.Abs(n) > 1e9 {
		return 0, identity.Errorf(identity.Invalid, "%q is no number. Write one, leave it empty for the default, or write -1 to turn the guard off.", clip(f.Value(name), 20)).WithField(name)
	}
	return n, nil
}

func readGuards(f form) (identity.Guards, error) {
	var numbers [5]float64
	for i, name := range guardNames() {
		var err error
		if numbers[i], err = formNumber(f, name); err != nil {
			return identity.Guards{}, err
		}
	}
	return identity.Guards{
		Most: int(numbers[0]), Percent: numbers[1], Renames: numbers[2], Fewer: numbers[3], Errors: numbers[4], NoGroups: f.Value("nogroups") != "", EndSession: f.Value("endsessions") != "",
	}, nil
}

// policyRow is a field, and whose word counts for it.
type policyRow struct {
	Field, About string
	Mine         bool   // the source alone writes it
	Other        string // another source does
	Manual       identity.ManualPolicy
}

func policyRows(fields []provisioning.ImportField, s identity.Source) []policyRow {
	var out []policyRow
	for _, f := range fields {
		if !f.Kept || f.Name == "id" {
			continue
		}
		p := s.Settings.Fields[f.Name]
		row := policyRow{Field: f.Name, About: f.About, Mine: p.Authority == s.Name, Manual: p.Manual}
		if !row.Mine {
			row.Other = p.Authority
		}
		out = append(out, row)
	}
	return out
}

func readPolicies(f form, fields []provisioning.ImportField) map[string]identity.FieldPolicy {
	out := map[string]identity.FieldPolicy{}
	for _, field := range fields {
		p := identity.FieldPolicy{Authority: f.Value("authority-" + field.Name), Manual: identity.ManualPolicy(f.Value("manual-" + field.Name))}
		if p != (identity.FieldPolicy{}) {
			out[field.Name] = p
		}
	}
	return out
}

// ruleRow is a rule on a page. Its conditions end with an empty one, for another.
type ruleRow struct {
	Number     int
	Conditions []conditionRow
	Tenant     identity.TenantID
	Unit, Type string
	Roles      string
	New        bool
}

type conditionRow struct {
	Field  string
	Is     string
	Except bool
}

// valueSeparator stands between the values of a condition on a page.
const valueSeparator = ";"

func ruleRows(rules []identity.SourceRule) []ruleRow {
	var out []ruleRow
	for i, rule := range append(slices.Clone(rules), make([]identity.SourceRule, moreRows)...) {
		row := ruleRow{Number: i, Tenant: rule.Tenant, Unit: rule.Unit, Type: rule.Type, New: i >= len(rules)}
		for _, c := range rule.When {
			row.Conditions = append(row.Conditions, conditionRow{c.Field, strings.Join(c.Is, valueSeparator+" "), c.Except})
		}
		row.Conditions = append(row.Conditions, conditionRow{})
		var roles []string
		for _, id := range rule.Roles {
			roles = append(roles, string(id))
		}
		row.Roles = strings.Join(roles, ", ")
		out = append(out, row)
	}
	return out
}

// typedRules are the rules of a form as they were typed.
func typedRules(f form) []ruleRow {
	var out []ruleRow
	for i := 0; f.Values.Has("rule-" + strconv.Itoa(i) + "-unit"); i++ {
		n := "rule-" + strconv.Itoa(i) + "-"
		row := ruleRow{Number: i, Tenant: identity.TenantID(f.Value(n + "tenant")), Unit: f.Value(n + "unit"), Type: f.Value(n + "type"), Roles: f.Value(n + "roles")}
		is, how := f.Values[n+"is"], f.Values[n+"how"]
		for j, field := range f.Values[n+"field"] {
			if j < len(is) && j < len(how) {
				row.Conditions = append(row.Conditions, conditionRow{field, is[j], how[j] == "not"})
			}
		}
		out = append(out, row)
	}
	return out
}

// readRules decodes the rules of a form; a row that says nothing is none.
func (d *Door) readRules(ctx context.Context, v visit, f form) ([]identity.SourceRule, error) {
	var out []identity.SourceRule
	for i, row := range typedRules(f) {
		rule := identity.SourceRule{Tenant: row.Tenant, Unit: row.Unit, Type: row.Type}
		var err error
		if rule.Roles, err = d.rolesNamed(ctx, v, row.Roles); err != nil {
			return out, err
		}
		for _, c := range row.Conditions {
			if c.Field != "" {
				rule.When = append(rule.When, identity.SourceCondition{Field: c.Field, Is: splitValues(c.Is), Except: c.Except})
			}
		}
		switch {
		case rule.Tenant != "" || rule.Unit != "" || rule.Type != "" || len(rule.Roles) > 0:
			out = append(out, rule)
		case len(rule.When) > 0:
			return out, identity.Errorf(identity.Invalid, "Rule %d says when, and not what then. Give it a place, a type or a role, or empty its condition.", i+1).WithField("rules")
		}
	}
	return out, nil
}

func splitValues(text string) []string {
	var out []string
	for _, value := range strings.Split(text, valueSeparator) {
		if value = strings.TrimSpace(value); value != "" {
			out = append(out, value)
		}
	}
	return out
}

// rolesNamed finds roles by id or title.
func (d *Door) rolesNamed(ctx context.Context, v visit, text string) ([]identity.RoleID, error) {
	if text == "" {
		return nil, nil
	}
	all, err := d.prov.Roles(ctx, v.Actor)
	if err != nil {
		return nil, err
	}
	var out []identity.RoleID
	for _, word := range strings.Split(text, ",") {
		word = strings.TrimSpace(word)
		i := slices.IndexFunc(all, func(r identity.Role) bool {
			return strings.EqualFold(string(r.ID), word) || strings.EqualFold(r.Title, word)
		})
		switch {
		case word == "":
		case i < 0:
			return out, identity.Errorf(identity.Invalid, "There is no role %q. Write its id or its title.", clip(word, 60)).WithField("rules")
		default:
			out = append(out, all[i].ID)
		}
	}
	return out, nil
}
