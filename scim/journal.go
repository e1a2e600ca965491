package scim

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// How much of a body, and of a path with its query, is kept, in bytes. More is cut, with a note behind it.
const (
	maxJournal = 16 << 10
	maxPath    = 4 << 10
)

// masked is what stands in the journal for a secret.
const masked = "***"

// journal keeps a write or a failed read. It runs when the answer is known and before it is sent, so that whoever reads the journal
// after an answer finds it there. A client that went away does not stop it.
func (c *call) journal(a answer, err error) {
	switch {
	case c.by.ID == "":
		return
	case err == nil && c.reads():
		c.people.CountRead(c.directory.ID)
		return
	}
	if c.entry != nil && c.entry.Kept {
		return // with the change itself
	}
	entry := c.journalEntry(a.status)
	entry.Detail, entry.Operations = a.note, a.operations
	if err != nil {
		e := describe(err)
		entry.Status, entry.Code, entry.Detail = e.Status, cmp.Or(string(e.ScimType), ownCode(err)), tidy(e.Detail)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 10*time.Second)
	defer cancel()
	if err := c.people.RecordRequest(ctx, entry); err != nil {
		c.log.ErrorContext(ctx, "a request could not be kept in the journal", "request_id", string(entry.ID), "error", err)
	}
}

// ownCode is the code of what no keyword of SCIM stands for and administrators look for.
func ownCode(err error) string {
	if code := identity.CodeOf(err); code == provisioning.DepartureHeld || code == provisioning.DepartureRejected {
		return code
	}
	return ""
}

// journalEntry is the request as the journal keeps it.
func (c *call) journalEntry(status int) identity.Request {
	entry := identity.Request{
		ID: c.by.RequestID, At: c.began.UTC(), DirectoryID: c.directory.ID, TenantID: c.directory.TenantID, Method: c.r.Method,
		Path: shortened(journalPath(c.r), maxPath), Body: c.journalBody(), Status: status, Duration: time.Since(c.began),
	}
	if entry.ID == "" {
		entry.ID = identity.NewID[identity.RequestID]()
	}
	return entry
}

// asker is the actor of a change that is answered with status when it succeeds: its journal entry is written in the transaction of the
// change. A bulk request has one entry of its own, at its end.
func (c *call) asker(status int) identity.Actor {
	by := c.by
	if !c.part {
		entry := c.journalEntry(status)
		c.entry, by.Request = &entry, &entry
	}
	return by
}

// reads reports whether the request only asks.
func (c *call) reads() bool {
	switch c.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return strings.HasSuffix(strings.TrimSuffix(c.r.URL.Path, "/"), "/.search")
}

// journalPath is the path with its query, unless the query speaks of a secret.
func journalPath(r *http.Request) string {
	path, query := r.URL.EscapedPath(), r.URL.RawQuery
	if query == "" {
		return tidy(path)
	}
	if plain, err := url.QueryUnescape(query); err != nil || speaksOfSecrets(query) || speaksOfSecrets(plain) {
		query = masked
	}
	return tidy(path + "?" + query)
}

// tidy makes a text of a client one that every database keeps: valid UTF-8 without NUL.
func tidy(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// shortened cuts a text and says by how much.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	kept := cut(s, most)
	return kept + " … (" + strconv.Itoa(len(s)-len(kept)) + " more bytes are not kept)"
}

// journalBody is the body without secrets. What is no valid JSON cannot be searched for secrets, so only its length is kept.
func (c *call) journalBody() string {
	switch {
	case len(c.raw) == 0:
		return ""
	case c.parsed == nil:
		return "(" + strconv.Itoa(len(c.raw)) + " bytes that are no valid JSON object)"
	case !speaksOfSecrets(string(c.raw)) && !c.namesHidden(string(c.raw)) && !strings.Contains(string(c.raw), `\u`):
		return shortened(string(c.raw), maxJournal)
	}
	b, err := json.Marshal(redact(c.veiled(c.parsed)))
	if err != nil {
		return ""
	}
	return shortened(string(b), maxJournal)
}

var secretWords = []string{"password", "passwd", "secret", "token", "credential", "private"}

func speaksOfSecrets(s string) bool {
	s = strings.ToLower(s)
	for _, w := range secretWords {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// redact returns a copy of a value without secrets: under names that speak of one, and in operations whose path does.
func redact(v any) any {
	switch t := v.(type) {
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = redact(e)
		}
		return out
	case object:
		out := make(object, len(t))
		path, _ := member(t, "path")
		hidden := speaksOfSecrets(textOf(path))
		for name, e := range t {
			if speaksOfSecrets(name) || hidden && strings.EqualFold(name, "value") {
				out[name] = masked
				continue
			}
			out[name] = redact(e)
		}
		return out
	}
	return v
}
