package scim

import (
	"encoding/json"
	"math"
	"net/http"
)

const searchURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// search answers POST to .search of a type (RFC 7644 section 3.4.3).
func (c *call) search(t *resourceType) (answer, error) {
	l, err := c.searchRequest()
	if err != nil {
		return answer{}, err
	}
	return c.listed(t, l)
}

// searchRequest reads the body of a search. Its names are those of the parameters of a URL.
func (c *call) searchRequest() (listing, error) {
	l := listing{start: 1, count: c.limits.PageDefault}
	body, err := c.body()
	if err != nil {
		return l, err
	}
	v, _ := member(body, "schemas")
	if list, ok := v.([]any); !ok || !holds(list, searchURN) {
		return l, bad(invalidValue, "schemas must hold %q.", searchURN)
	}
	var order, cursor string
	for name, to := range map[string]*string{"filter": &l.filter, "sortBy": &l.sortBy, "sortOrder": &order, "cursor": &cursor} {
		if err := readText(body, name, to); err != nil {
			return l, err
		}
	}
	if v, there := member(body, "cursor"); there && v != nil {
		l.cursor = &cursor
	}
	if l.descending, err = descending(order); err != nil {
		return l, err
	}
	if err := readInt(body, "startIndex", &l.start); err != nil {
		return l, err
	}
	if err := readInt(body, "count", &l.count); err != nil {
		return l, l.wrongCount(err)
	}
	indexed, _ := member(body, "startIndex")
	if err := l.paging(indexed != nil); err != nil {
		return l, err
	}
	if l.only, err = readNames(body, "attributes"); err != nil {
		return l, err
	}
	if l.without, err = readNames(body, "excludedAttributes"); err != nil {
		return l, err
	}
	return l.bounded(c.limits), exclusive(l.only, l.without)
}

func readText(body object, name string, to *string) error {
	v, _ := member(body, name)
	if v == nil {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return bad(invalidValue, "%s must be a string, not %s.", name, jsonType(v))
	}
	*to = s
	return nil
}

func readInt(body object, name string, to *int) error {
	v, _ := member(body, name)
	if v == nil {
		return nil
	}
	n, ok := v.(json.Number)
	if !ok {
		return bad(invalidValue, "%s must be a whole number, not %s.", name, jsonType(v))
	}
	i, err := wholeNumber(n.String(), name, *to)
	*to = i
	return err
}

// readNames reads a list of names; one string with commas, as in a URL, is understood too.
func readNames(body object, name string) ([]string, error) {
	v, _ := member(body, name)
	var list []string
	for _, e := range listOf(v) {
		s, ok := e.(string)
		if !ok {
			return nil, bad(invalidValue, "%s must be a list of names.", name)
		}
		list = append(list, s)
	}
	return names(list), nil
}

// listAll answers GET of the base URL, which asks for resources of every type (RFC 7644 section 3.4.2.1).
func (c *call) listAll() (answer, error) {
	l, err := c.listing()
	if err != nil {
		return answer{}, err
	}
	return c.listedAll(l)
}

// searchAll answers POST to /.search (RFC 7644 section 3.4.3).
func (c *call) searchAll() (answer, error) {
	l, err := c.searchRequest()
	if err != nil {
		return answer{}, err
	}
	return c.listedAll(l)
}

// listedAll answers with one page over all types: first the users, then the groups, then what the installation declared, each sorted by itself. An attribute that only one
// type has is unassigned in the others; one that none has is an error.
func (c *call) listedAll(l listing) (answer, error) {
	question := c.question(l, "")
	from, err := c.start(l, question)
	if err != nil {
		return answer{}, err
	}
	all, err := c.itemsOfAll(l, from)
	if err != nil {
		return answer{}, err
	}
	next, err := c.next(l, question, all)
	return answer{status: http.StatusOK, body: l.render(all, next)}, err
}

// itemsOfAll reads one page over all types. Types in front of the one that a cursor points into are only counted.
func (c *call) itemsOfAll(l listing, from cursor) (page, error) {
	var all page
	skip, room := l.start-1, l.count
	begun := from.ID == ""
	l.among = c.types.all
	for _, t := range l.among {
		q, err := l.query(t, c.dialect)
		if err != nil {
			return page{}, err
		}
		q.Offset, q.Limit = skip, room
		if !begun {
			q.Limit = 0
		}
		if t.name == from.Kind {
			begun, q.Limit, q.After, q.AfterKey = true, room, from.ID, from.Key
		}
		found, err := c.items(t, q, t.projection(l.only, l.without, c.dialect))
		if err != nil {
			return page{}, err
		}
		found.more = found.more || begun && q.Limit == 0 && found.total > 0
		all.join(found)
		room -= found.items
		skip = max(0, skip-int(min(found.total, math.MaxInt32)))
	}
	return all, nil
}

// join adds the page of another type.
func (p *page) join(o page) {
	if len(p.body) > 0 && len(o.body) > 0 {
		p.body = append(p.body, ',')
	}
	p.body = append(p.body, o.body...)
	p.total += o.total
	p.more = p.more || o.more
	if o.items > 0 {
		p.items += o.items
		p.last = o.last
	}
}
