package scim

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// call is one request with everything that was found out about it.
type call struct {
	*Door
	w     http.ResponseWriter
	r     *http.Request
	ctx   context.Context
	began time.Time

	by        identity.Actor // zero before authenticate
	directory identity.Directory
	dialect   dialect

	id      string        // of the path, canonical
	kind    *resourceType // that the path names; nil: none
	doc     string        // the name of a discovery document
	version string        // the first part of a path that scripts call; empty: the path is below Path
	job     string        // what such a path calls the job of an upload
	raw     []byte        // the body as it came
	parsed  object        // nil when there was none, or it could not be read
	params  url.Values
	part    bool   // an operation of a bulk request
	given   object // the body of such an operation; there is no other then

	entry *identity.Request // what a change keeps of the request in the journal; nil before
}

// authenticate finds the directory whose token was sent (RFC 6750 section 2.1).
func (c *call) authenticate() error {
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return identity.Errorf(identity.Unauthenticated, "Send the directory's token in the header Authorization: Bearer dbs_….")
	}
	v, err := c.authn.DirectoryByToken(c.ctx, token, web.ClientIP(c.r))
	if v.Key == "" {
		return err
	}
	if err := c.spend(v.Key); err != nil {
		return err
	}
	if v.Ending != nil {
		c.log.WarnContext(c.ctx, "a directory's token ends soon; make a new one and give it to the source", "directory", v.Directory.Name, "token", v.Key, "ends", v.Ending)
	}
	c.directory, c.by, c.dialect = v.Directory, v.Actor, dialectOf(v.Directory.Dialect)
	c.by.Door, c.by.RequestID, c.by.IP, c.by.Hidden = "scim", web.RequestID(c.ctx), web.ClientIP(c.r), c.types.hidden
	c.dialect.limits, c.dialect.types = c.limits, c.types
	return err // of a request from a strange network, which the journal keeps since it is known whose token it has
}

// body reads the body once and returns it as an object.
func (c *call) body() (object, error) {
	if c.given != nil {
		return c.given, nil
	}
	if err := c.checkType(); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, c.limits.Body))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, identity.Errorf(identity.TooLarge, "The body is longer than %d bytes. Send less at once.", big.Limit)
	case err != nil:
		return nil, bad(invalidSyntax, "The body could not be read to its end.").WithCause(err)
	}
	c.raw = raw
	if err := c.limits.checkDepth(raw); err != nil {
		return nil, err
	}
	c.parsed, err = readObject(raw)
	return c.parsed, err
}

// checkType accepts JSON in UTF-8 under both of its names (RFC 7644 section 3.8); a body without a type is taken for JSON.
func (c *call) checkType() error {
	refuse := func() error {
		return fail(http.StatusUnsupportedMediaType, "Send the body as %s or application/json in UTF-8, not compressed.", contentType)
	}
	if e := c.r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refuse()
	}
	header := c.r.Header.Get("Content-Type")
	if header == "" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(header)
	if err != nil || kind != contentType && kind != "application/json" {
		return refuse()
	}
	if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
		return refuse()
	}
	return nil
}

// query returns the parameters of the URL. What cannot be read is refused: to ignore a filter would answer with everybody.
func (c *call) query() (url.Values, error) {
	if c.params != nil {
		return c.params, nil
	}
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, bad(invalidValue, "The query of the URL is not valid; encode the values of its parameters.").WithCause(err)
	}
	for _, name := range []string{"filter", "startIndex", "count", "cursor", "sortBy", "sortOrder"} {
		if len(q[name]) > 1 {
			return nil, bad(invalidValue, "The parameter %s was sent twice.", name)
		}
	}
	c.params = q
	return q, nil
}

// projection returns what the parameters attributes and excludedAttributes ask for.
func (c *call) projection(t *resourceType) (projection, error) {
	q, err := c.query()
	if err != nil {
		return projection{}, err
	}
	only, without := names(q["attributes"]), names(q["excludedAttributes"])
	if err := exclusive(only, without); err != nil {
		return projection{}, err
	}
	return t.projection(only, without, c.dialect), nil
}

// names splits lists of names at their commas.
func names(values []string) []string {
	var out []string
	for _, v := range values {
		for _, name := range strings.Split(v, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, name)
			}
		}
	}
	return out
}
