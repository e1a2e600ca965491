package scim

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

const listURN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// listing is what a list is asked for, by the URL or by the body of a search.
type listing struct {
	filter     string
	sortBy     string
	descending bool
	start      int // from 1
	count      int
	cursor     *string // nil: pages by index; empty: the first page
	only       []string
	without    []string
	among      []*resourceType // the types that are asked, when there are several
}

// page is one page of rendered resources.
type page struct {
	total int64
	items int
	more  bool
	last  place
	body  []byte // the resources, joined by commas
}

// items reads a page of the type.
func (c *call) items(t *resourceType, q identity.Query, p projection) (page, error) {
	items := c.userItems
	switch t {
	case c.types.group:
		items = c.groupItems
	case c.types.user:
	default:
		items = c.resourceItems(t)
	}
	out, err := items(q, p)
	out.last.Kind = t.name
	return out, err
}

// list answers GET of a collection.
func (c *call) list(t *resourceType) (answer, error) {
	l, err := c.listing()
	if err != nil {
		return answer{}, err
	}
	return c.listed(t, l)
}

// listing reads the parameters of the URL.
func (c *call) listing() (listing, error) {
	q, err := c.query()
	if err != nil {
		return listing{}, err
	}
	l := listing{
		filter: q.Get("filter"), sortBy: q.Get("sortBy"), start: 1, count: c.limits.PageDefault,
		only: names(q["attributes"]), without: names(q["excludedAttributes"]),
	}
	if q.Has("filter") && strings.TrimSpace(l.filter) == "" {
		return l, bad(invalidFilter, "The filter is empty; leave the parameter out to ask for everything.")
	}
	if err := exclusive(l.only, l.without); err != nil {
		return l, err
	}
	if l.descending, err = descending(q.Get("sortOrder")); err != nil {
		return l, err
	}
	if q.Has("cursor") {
		cursor := q.Get("cursor")
		l.cursor = &cursor
	}
	if l.start, err = wholeNumber(q.Get("startIndex"), "startIndex", 1); err != nil {
		return l, err
	}
	if l.count, err = wholeNumber(q.Get("count"), "count", c.limits.PageDefault); err != nil {
		return l, l.wrongCount(err)
	}
	if err := l.paging(q.Has("startIndex")); err != nil {
		return l, err
	}
	return l.bounded(c.limits), nil
}

// wrongCount gives the error of a count that is no number the keyword that pages by cursor have for it.
func (l listing) wrongCount(err error) error {
	if l.cursor != nil {
		return bad(invalidCount, "%s", message(err))
	}
	return err
}

// bounded brings the numbers into the limits that the standard and the server have: a startIndex below 1 is 1, a negative count is 0.
func (l listing) bounded(most Limits) listing {
	l.start = max(l.start, 1)
	l.count = min(max(l.count, 0), most.Page)
	return l
}

func descending(order string) (bool, error) {
	switch strings.ToLower(order) {
	case "", "ascending":
		return false, nil
	case "descending":
		return true, nil
	}
	return false, bad(invalidValue, "sortOrder must be ascending or descending.")
}

func wholeNumber(s, name string, otherwise int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	switch {
	case errors.Is(err, strconv.ErrRange) && strings.HasPrefix(s, "-"):
		return 0, nil
	case errors.Is(err, strconv.ErrRange) || n > math.MaxInt32:
		return math.MaxInt32, nil
	case err != nil:
		return 0, bad(invalidValue, "%s must be a whole number.", name)
	}
	return n, nil
}

// query turns the listing into what provisioning is asked for.
func (l listing) query(t *resourceType, d dialect) (identity.Query, error) {
	q := identity.Query{Limit: l.count, Offset: l.start - 1, Total: true}
	var err error
	if l.filter != "" {
		if q.Filter, err = t.filterAmong(l.among, l.filter, d); err != nil {
			return q, err
		}
	}
	q.Sort, err = l.sort(t, d)
	return q, err
}

// sort resolves sortBy: a complex attribute is sorted by its value, if it has one (RFC 7644 section 3.4.2.3).
func (l listing) sort(t *resourceType, d dialect) (*identity.Sort, error) {
	if l.sortBy == "" {
		return nil, nil
	}
	r, ok := t.resolve(l.sortBy, d.bareNames)
	if !ok && (resolver{t: t, d: d, among: l.among}).elsewhere(l.sortBy) {
		return nil, nil
	}
	if !ok || r.attr == nil {
		return nil, bad(invalidValue, "sortBy: a %s has no attribute %s.", t.name, clip(l.sortBy))
	}
	if r.attr.hidden() || r.leaf().hidden() {
		return nil, bad(invalidValue, "sortBy: %s is never shown, so nothing can be sorted by it.", clip(l.sortBy))
	}
	if r.leaf().kind == kindComplex {
		if r.sub = r.leaf().value(); r.sub == nil || r.sub.hidden() {
			return nil, bad(invalidValue, "sortBy: %s is complex; name one of its sub-attributes.", clip(l.sortBy))
		}
	}
	if r.attr.name == "schemas" || r.attr.name == "meta" && r.leaf().kind != kindDateTime {
		return nil, nil // the same for all resources of a type, or made of the id
	}
	return &identity.Sort{Attr: r.attribute(), Descending: l.descending}, nil
}

// listed answers with one page of a type.
func (c *call) listed(t *resourceType, l listing) (answer, error) {
	q, err := l.query(t, c.dialect)
	if err != nil {
		return answer{}, err
	}
	question := c.question(l, t.name)
	from, err := c.start(l, question)
	if err != nil {
		return answer{}, err
	}
	q.After, q.AfterKey = from.ID, from.Key
	found, err := c.items(t, q, t.projection(l.only, l.without, c.dialect))
	if err != nil {
		return answer{}, err
	}
	next, err := c.next(l, question, found)
	return answer{status: http.StatusOK, body: l.render(found, next)}, err
}

// render writes a ListResponse (RFC 7644 section 3.4.2). A page by cursor has no startIndex (RFC 9865 section 2.1).
func (l listing) render(p page, next string) []byte {
	b := make([]byte, 0, len(p.body)+256)
	b = append(b, `{"schemas":["`+listURN+`"],"totalResults":`...)
	b = strconv.AppendInt(b, p.total, 10)
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(p.items), 10)
	if l.cursor == nil {
		b = append(b, `,"startIndex":`...)
		b = strconv.AppendInt(b, int64(l.start), 10)
	}
	if next != "" {
		b = appendField(b, "nextCursor", next)
	}
	b = append(b, `,"Resources":[`...)
	b = append(b, p.body...)
	return append(b, ']', '}')
}
