package config

import "fmt"

// number is a setting that is a whole number, with what it may be.
type number struct {
	name        string
	value       int
	least, most int
	unit        string
}

// numbers returns the settings that are whole numbers. The upper ends keep a typing error from becoming a way to exhaust the machine or
// the database, which takes no more than 32,766 parameters in one query.
func (s *Settings) numbers() []number {
	return []number{
		{"DRAWBRIDGE_SCIM_MAX_BODY", s.SCIMMaxBody, 1 << 10, 256 << 20, "bytes"},
		{"DRAWBRIDGE_SCIM_MAX_BULK", s.SCIMMaxBulk, 1, 100_000, "operations"},
		{"DRAWBRIDGE_SCIM_MAX_PATCH", s.SCIMMaxPatch, 1, 100_000, "operations"},
		{"DRAWBRIDGE_SCIM_MAX_DEPTH", s.SCIMMaxDepth, 6, 900, "levels"},
		{"DRAWBRIDGE_SCIM_MAX_FILTER", s.SCIMMaxFilter, 64, 1 << 20, "bytes"},
		{"DRAWBRIDGE_SCIM_MAX_FILTER_TERMS", s.SCIMMaxFilterTerms, 1, 5000, "comparisons"},
		{"DRAWBRIDGE_SCIM_MAX_FILTER_DEPTH", s.SCIMMaxFilterDepth, 1, 200, "levels"},
		{"DRAWBRIDGE_SCIM_MAX_PAGE", s.SCIMMaxPage, 1, 10_000, "resources"},
		{"DRAWBRIDGE_SCIM_PAGE", s.SCIMPage, 1, 10_000, "resources"},
		{"DRAWBRIDGE_SCIM_RATE", s.SCIMRate, 0, 1_000_000, "requests a second"},
		{"DRAWBRIDGE_SCIM_BURST", s.SCIMBurst, 1, 1_000_000, "requests"},
	}
}

// checkNumbers makes sure that each number is within its ends, and that a page is no longer than the longest.
func (s *Settings) checkNumbers(m *Mistakes) {
	for _, n := range s.numbers() {
		if n.value < n.least || n.value > n.most {
			s.reject(m, n.name, "%d %s is not between %d and %d", n.value, n.unit, n.least, n.most)
		}
	}
	if s.SCIMPage > s.SCIMMaxPage {
		s.reject(m, "DRAWBRIDGE_SCIM_PAGE", "a page of %d is longer than DRAWBRIDGE_SCIM_MAX_PAGE (%d)", s.SCIMPage, s.SCIMMaxPage)
	}
}

// numberTexts adds the numbers to what Redacted shows.
func (s *Settings) numberTexts(values map[string]string) map[string]string {
	for _, n := range s.numbers() {
		values[n.name] = fmt.Sprint(n.value)
	}
	return values
}
