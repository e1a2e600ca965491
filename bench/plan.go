package main

import (
	"regexp"
	"strconv"
)

// The stores on which both are measured.
const (
	storePostgres = "pg"
	storeSQLite   = "sqlite"
)

// row is one line of the table: the same load on both, and the ratio of rates that is asked for.
type row struct {
	key      string  // for -only
	title    string  // as it is printed
	asked    float64 // the product's rate by the floor's; 0 asks nothing
	scenario string  // of scimload
	flags    []string
	members  int  // of the group that it needs, 0 for none
	cursor   bool // the product is read by cursor, the floor by index: it has no cursors
}

// plan returns the rows in the order in which they are run: what grows the tables comes last.
func plan(users int, only *regexp.Regexp) []row {
	middle := []string{"-count", "100", "-start-index", strconv.Itoa(users/2 + 1)}
	all := []row{
		{key: "get", title: "GET /Users/{id}", asked: 0.70, scenario: "get"},
		{key: "filter", title: "GET /Users?filter=userName eq", asked: 0.70, scenario: "filter"},
		{key: "miss", title: "the same, nobody there", scenario: "miss"},
		{key: "page", title: "GET page of 100 at the middle, by index", asked: 4, scenario: "page", flags: middle},
		{key: "cursor", title: "GET page of 100 at the middle, by cursor", asked: 6, scenario: "page", flags: middle, cursor: true},
		{key: "patch", title: "PATCH active", asked: 0.60, scenario: "patch-user"},
		patchMember(users),
		patchMember(min(100, users)),
		{key: "get-group", title: "GET a group of " + grouped(users), asked: 0.80, scenario: "get-group", members: users},
		{key: "post", title: "POST /Users", asked: 0.60, scenario: "create"},
		{key: "bulk", title: "Bulk of 1,000 creations, one client", asked: 0.60, scenario: "bulk", flags: []string{"-c", "1"}},
	}
	var chosen []row
	for _, r := range all {
		if only.MatchString(r.key) {
			chosen = append(chosen, r)
		}
	}
	return chosen
}

// patchMember adds one member and removes it again, so that the group keeps its size.
func patchMember(members int) row {
	return row{
		key: "patch-group-" + strconv.Itoa(members), title: "PATCH a group of " + grouped(members) + ", one member", asked: 0.60,
		scenario: "patch-group", flags: []string{"-toggle", "-members", strconv.Itoa(members)}, members: members,
	}
}

// grouped writes a number with a comma at every thousand.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
