package scim

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Limits are how much a directory may ask for at once. A field that is 0 has its default, Rate apart: there 0 is no limit.
type Limits struct {
	Body        int64 // bytes of a request's body; more is 413
	Bulk        int   // operations of one bulk request; more are 413 (RFC 7644 section 3.7.4)
	Patch       int   // operations of one PATCH; more are 400 tooMany
	Depth       int   // how deep the JSON of a body may be nested; a PATCH of an extension's complex attribute needs six; deeper is 400 invalidSyntax
	Filter      int   // bytes of a filter or path; more are 400 invalidFilter, or invalidPath
	FilterTerms int   // comparisons of a filter; more are 400 tooMany
	FilterDepth int   // brackets in brackets of a filter; deeper is 400 invalidFilter
	Page        int   // resources of one page at most: who asks for more gets that many
	PageDefault int   // resources of one page when the client does not say
	Rate        int   // requests a second that one token may send; 0: as many as it likes. More are 429 with Retry-After
	Burst       int   // requests that may come at once before Rate counts
}

// DefaultLimits returns what holds where nothing is set. Rate is off: a directory is a customer's own authenticated source, its first
// sync brings everybody it has, and to slow it down helps only installations that share one machine among customers who do not know
// each other. Those set it.
func DefaultLimits() Limits {
	return Limits{
		Body: 1 << 20, Bulk: 1000, Patch: 2000, Depth: 32, Filter: 16 << 10, FilterTerms: 500, FilterDepth: 40, Page: 1000, PageDefault: 100,
		Burst: 1000,
	}
}

// filled returns the limits with defaults in the place of zeros.
func (l Limits) filled() Limits {
	d := DefaultLimits()
	l.Body = cmp.Or(max(l.Body, 0), d.Body)
	for _, field := range []struct {
		value     *int
		otherwise int
	}{
		{&l.Bulk, d.Bulk},
		{&l.Patch, d.Patch},
		{&l.Depth, d.Depth},
		{&l.Filter, d.Filter},
		{&l.FilterTerms, d.FilterTerms},
		{&l.FilterDepth, d.FilterDepth},
		{&l.Page, d.Page},
		{&l.PageDefault, d.PageDefault},
		{&l.Burst, d.Burst},
	} {
		*field.value = cmp.Or(max(*field.value, 0), field.otherwise)
	}
	l.PageDefault = min(l.PageDefault, l.Page)
	return l
}

// operationsOf counts the Operations of a PATCH or a bulk request.
func operationsOf(body object) int {
	v, _ := member(body, "Operations")
	list, _ := v.([]any)
	return len(list)
}

// readPatch reads the body of a PATCH that has no more operations than one may have.
func (c *call) readPatch(body object) ([]operation, error) {
	if operationsOf(body) > c.limits.Patch {
		return nil, bad(tooMany, "Operations has more than %d operations. Send several requests.", c.limits.Patch)
	}
	return readPatch(body)
}

// readBulk reads the body of a bulk request that has no more operations than one may have.
func (c *call) readBulk(body object) (*bulk, error) {
	if operationsOf(body) > c.limits.Bulk {
		return nil, identity.Errorf(identity.TooLarge, "The number of operations exceeds maxOperations (%d). Send several requests.", c.limits.Bulk)
	}
	return readBulk(body)
}

// checkDepth refuses a body that is nested too deep, before anything is made of it. What is in strings does not count; what is no JSON
// is left to the reader.
func (l Limits) checkDepth(body []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > l.Depth {
				return bad(invalidSyntax, "The body is nested more than %d levels deep.", l.Depth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// spend takes one request off what a token may send now. A refusal says in whole seconds when the next one is welcome. It stays out of
// the request journal, so that a flood costs no writes; the log has it.
func (c *call) spend(token string) error {
	wait := c.rates.take(token, time.Since(c.opened))
	if wait <= 0 {
		return nil
	}
	seconds := strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10)
	f := fail(http.StatusTooManyRequests, "This token may send %d requests a second. Wait %s s, then go on.", c.limits.Rate, seconds)
	f.cause.Kind = identity.TooMany
	f.header.Set("Retry-After", seconds)
	return f
}
