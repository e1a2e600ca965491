package scim

import (
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// noVersion is a version that no resource has.
const noVersion = -1

// etag returns the weak entity tag of a version (RFC 7644 section 3.14).
func etag(version int64) string {
	return `W/"` + strconv.FormatInt(version, 10) + `"`
}

// versions reads If-Match or If-None-Match: the versions that it lists, or star for "*". A tag that we never gave out is noVersion.
func versions(header []string) (list []int64, star bool) {
	for _, tag := range strings.Split(strings.Join(header, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return nil, true
		}
		if tag == "" {
			continue
		}
		n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64)
		if err != nil || n < 1 {
			n = noVersion
		}
		list = append(list, n)
	}
	return list, false
}

// matchVersion returns the version that a write must find: 0 for any. Of several tags it is the one that is current now, as current tells. A version
// that If-None-Match names must not be there (RFC 9110 section 13.1.2).
func (c *call) matchVersion(current func() (int64, error)) (int64, error) {
	if len(c.r.Header.Values("If-None-Match")) > 0 {
		now, err := current()
		if err != nil {
			return 0, err
		}
		if c.unchanged(now) {
			return 0, identity.Errorf(identity.Precondition, "The resource is there in a version that If-None-Match rules out, so nothing was done.")
		}
	}
	list, star := versions(c.r.Header.Values("If-Match"))
	switch {
	case star || len(list) == 0:
		return 0, nil
	case len(list) == 1:
		return list[0], nil
	}
	now, err := current()
	if err != nil {
		return 0, err
	}
	if slices.Contains(list, now) {
		return now, nil
	}
	return noVersion, nil
}

// unchanged reports whether the client has the version already.
func (c *call) unchanged(version int64) bool {
	list, star := versions(c.r.Header.Values("If-None-Match"))
	return star || slices.Contains(list, version)
}
