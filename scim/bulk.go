package scim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	bulkRequestURN  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// bulkTime is how long after its start a bulk request begins operations. The server cuts a connection soon after that, and then nobody
// would learn what was done.
const bulkTime = 90 * time.Second

// bulk is one bulk request in progress (RFC 7644 section 3.7). Each operation is a request of its own with its own transaction; what
// was done stays done when a later one fails.
type bulk struct {
	c          *call
	operations []*bulkOperation
	byID       map[string]*bulkOperation // the POSTs by bulkId
	unfinished []*bulkOperation          // created, but without the references that made a circle
	most       int                       // failOnErrors; 0: go on whatever fails
	failed     int
}

// bulkState is how far an operation came. One that still waits at the end was not begun and is not in the answer.
type bulkState int

const (
	bulkWaiting bulkState = iota
	bulkRunning
	bulkDone
	bulkFailed
)

// bulkOperation is one operation of a bulk request with its result.
type bulkOperation struct {
	index   int // in the request
	method  string
	path    string
	bulkID  string
	version string
	data    object
	fault   error            // what is wrong with it as it was sent; nil: nothing
	needs   []*bulkOperation // the POSTs that it refers to
	later   object           // attributes of a created resource that wait for references

	state    bulkState
	id       string // of the resource that was created
	status   int
	location string
	etag     string
	response json.RawMessage // the error
}

// bulk answers POST /Bulk.
func (c *call) bulk() (answer, error) {
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	b, err := c.readBulk(body)
	if err != nil {
		return answer{}, err
	}
	b.c = c
	for at := 0; at < len(b.operations); {
		if people := b.newPeople(at); len(people) > 1 {
			b.createPeople(people)
			at += len(people)
			continue
		}
		b.run(b.operations[at])
		at++
	}
	for _, o := range b.unfinished {
		b.fail(o, circle(o, "the request was stopped before"))
	}
	return b.answer()
}

// run does one operation after those that it refers to, wherever in the request they are. An operation that is reached a second time
// while it runs is part of a circle.
func (b *bulk) run(o *bulkOperation) {
	if o.state != bulkWaiting || b.stopped() {
		return
	}
	o.state = bulkRunning
	for _, need := range o.needs {
		b.run(need)
	}
	if b.stopped() {
		o.state = bulkWaiting
		return
	}
	a, err := b.perform(o)
	b.settle(o, a, err)
	b.finish()
}

// stopped reports whether as many operations failed as the client accepts, or the client went away.
func (b *bulk) stopped() bool {
	return b.most > 0 && b.failed >= b.most || b.c.ctx.Err() != nil
}

// perform does one operation. Attributes with references that are part of a circle are left for finish.
func (b *bulk) perform(o *bulkOperation) (answer, error) {
	if o.fault != nil {
		if o.method != http.MethodPost {
			_, _ = b.target(o) // for the location, which only a failed POST lacks; what is wrong with the operation is said already
		}
		return answer{}, o.fault
	}
	if time.Since(b.c.began) > bulkTime {
		return answer{}, fail(http.StatusServiceUnavailable, "The request took too long, so this operation was not begun. Send it again.")
	}
	if err := failedNeed(o); err != nil {
		return answer{}, err
	}
	parts, err := b.target(o)
	if err != nil {
		return answer{}, err
	}
	var now object
	now, o.later = b.split(o)
	return b.send(o.method, parts, o.version, now)
}

// send does one operation with the handler of the single request. Only the id is asked for, since nobody reads the rest of the answer.
func (b *bulk) send(method string, parts []string, version string, data object) (answer, error) {
	r := &http.Request{Method: method, URL: &url.URL{}, Header: http.Header{}}
	if version != "" && method != http.MethodPost {
		r.Header.Set("If-Match", version)
	}
	c := &call{
		Door: b.c.Door, w: b.c.w, r: r, ctx: b.c.ctx, began: b.c.began, by: b.c.by, directory: b.c.directory, dialect: b.c.dialect,
		part: true, given: data, params: url.Values{"attributes": {"id"}},
	}
	h, err := c.route(parts)
	if err != nil {
		return answer{}, err
	}
	return h(c)
}

// settle keeps the result of an operation.
func (b *bulk) settle(o *bulkOperation, a answer, err error) {
	if err != nil {
		b.fail(o, err)
		return
	}
	o.state, o.status, o.etag = bulkDone, a.status, a.etag
	if a.location != "" {
		o.location = a.location
	}
	if o.method == http.MethodPost {
		o.id = o.location[strings.LastIndexByte(o.location, '/')+1:]
	}
	if len(o.later) > 0 {
		b.unfinished = append(b.unfinished, o)
	}
}

// fail keeps an error as the result of an operation. An internal one is logged here, since the answer as a whole is no error.
func (b *bulk) fail(o *bulkOperation, err error) {
	b.failed++
	e := describe(err)
	if e.Status == http.StatusInternalServerError {
		b.c.log.ErrorContext(b.c.ctx, "an operation of a bulk request failed", "request_id", string(b.c.by.RequestID),
			"method", o.method, "path", clip(o.path), "error", err)
	}
	o.state, o.status, o.response = bulkFailed, e.Status, encode(e)
}

// finish gives created resources the references that made a circle, as soon as all of them are known. What cannot be done is 409, as
// RFC 7644 section 3.7.1 wants it; the resource stays and the answer says where.
func (b *bulk) finish() {
	for i := 0; i < len(b.unfinished); i++ {
		o := b.unfinished[i]
		if slices.ContainsFunc(o.needs, func(n *bulkOperation) bool { return n.state == bulkWaiting || n.state == bulkRunning }) {
			continue
		}
		b.unfinished = slices.Delete(b.unfinished, i, i+1)
		i--
		if err := b.complete(o); err != nil {
			b.fail(o, err)
		}
	}
}

func (b *bulk) complete(o *bulkOperation) error {
	if err := failedNeed(o); err != nil {
		return circle(o, message(err))
	}
	value := object{}
	for name, v := range o.later {
		value[name] = b.fill(name, v)
	}
	parts := []string{b.c.endpoint(pathParts(o.path)[0]), o.id}
	a, err := b.send(http.MethodPatch, parts, "", object{
		"schemas":    []any{patchURN},
		"Operations": []any{object{"op": opAdd, "value": value}},
	})
	if err != nil {
		return circle(o, message(err))
	}
	o.etag = a.etag
	return nil
}

// circle is the error of a resource that was created without the references that it should have.
func circle(o *bulkOperation, why string) error {
	f := fail(http.StatusConflict, "The resource was created at %s, but its references could not be set: %s", o.location, why)
	f.cause = f.cause.WithCode(invalidValue)
	return f
}

// failedNeed is the error of an operation that refers to a resource which does not exist. One that exists without all of its own
// references is there to be referred to.
func failedNeed(o *bulkOperation) error {
	for _, need := range o.needs {
		if need.state == bulkFailed && need.id == "" {
			return identity.Errorf(identity.Conflict, "The operation with the bulkId %q failed, so nothing can refer to it.",
				clip(need.bulkID)).WithCode(invalidValue)
		}
	}
	return nil
}

// answer renders the results in the order of the request. A success has no response: its location says where to read it.
func (b *bulk) answer() (answer, error) {
	if err := b.c.ctx.Err(); err != nil {
		return answer{}, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	results := []object{}
	for _, o := range b.operations {
		if o.state != bulkWaiting {
			results = append(results, o.result())
		}
	}
	a := answer{status: http.StatusOK, body: encode(object{"schemas": []string{bulkResponseURN}, "Operations": results}), operations: b.journal()}
	if left := len(b.operations) - len(results); b.failed > 0 {
		a.note = strconv.Itoa(b.failed) + " of " + strconv.Itoa(len(b.operations)) + " operations failed, " + strconv.Itoa(left) + " were not begun."
	}
	return a, nil
}

func (o *bulkOperation) result() object {
	r := object{"method": o.method, "status": strconv.Itoa(o.status)}
	for name, v := range map[string]string{"bulkId": o.bulkID, "location": o.location, "version": o.etag} {
		if v != "" {
			r[name] = v
		}
	}
	if o.response != nil {
		r["response"] = o.response
	}
	return r
}
