package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// pageSize is how many rows a list shows.
const pageSize = 50

// pager is the foot of a list. Its links keep the filters of the page.
type pager struct {
	Older, Newer string
	Shown        int
	Lines        bool // rows in the order of their lines: onwards and back to the start
}

// Total is Shown for the function that writes numbers.
func (p pager) Total() int64 { return int64(p.Shown) }

// keyset reads where a list starts: ?after= goes to older rows, ?before= back to newer ones. Newest first is the order of every list.
func keyset(r *http.Request) identity.Query {
	q := identity.Query{Newest: true, Limit: pageSize}
	if before, ok := identity.ParseID[string](r.FormValue("before")); ok {
		q.After, q.Newest = before, false
	} else if after, ok := identity.ParseID[string](r.FormValue("after")); ok {
		q.After = after
	}
	return q
}

// turn puts a page into newest-first order and returns its foot.
func turn[T any](r *http.Request, q identity.Query, p *identity.Page[T], id func(T) string) pager {
	out := pager{Shown: len(p.Items)}
	if len(p.Items) == 0 {
		return out
	}
	older, newer := p.More, q.After != ""
	if !q.Newest {
		slices.Reverse(p.Items)
		older, newer = true, p.More
	}
	if older {
		out.Older = withQuery(r, "after", id(p.Items[len(p.Items)-1]))
	}
	if newer {
		out.Newer = withQuery(r, "before", id(p.Items[0]))
	}
	return out
}

// onward is the foot of a list that can only be read towards older rows; its Newer leads to the first page.
func onward[T any](r *http.Request, p identity.Page[T], id func(T) string) pager {
	out := pager{Shown: len(p.Items)}
	if p.More && len(p.Items) > 0 {
		out.Older = withQuery(r, "after", id(p.Items[len(p.Items)-1]))
	}
	if r.FormValue("after") != "" {
		out.Newer = withQuery(r, "", "")
	}
	return out
}

// withQuery returns this page's address with its filters and another place to start.
func withQuery(r *http.Request, name, value string) string {
	q := url.Values{}
	for key, values := range r.URL.Query() {
		if key != "after" && key != "before" && key != "key" && key != "done" && len(values) > 0 && values[0] != "" {
			q.Set(key, values[0])
		}
	}
	if name != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return r.URL.Path
	}
	return r.URL.Path + "?" + q.Encode()
}
