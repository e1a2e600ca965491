package provisioning

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxReplayed is how many events of one request are paired with those of its replay.
const maxReplayed = 200_000

// again sends the request that an event came from once more. It returns false when the journal does not have it, or not whole: then its events are applied as they tell.
func (r *replaying) again(ctx context.Context, e identity.Event) (bool, error) {
	was, found, err := requestOf(ctx, r.from, e.RequestID)
	if err != nil {
		return false, err
	}
	token, err := r.directory(ctx, e.ActorID)
	if err != nil {
		return false, err
	}
	body, ok := r.bodyAgain(was)
	if !found || !ok || token == "" || r.o.Send == nil || !sendable(was) {
		return false, nil
	}
	if _, err := r.tenant(ctx, e.TenantID); err != nil {
		return false, err
	}
	path, _, _ := strings.Cut(was.Path, "?") // what the answer is to show changes nothing
	answer, err := r.o.Send(ctx, ReplayedRequest{Token: token, Method: was.Method, Path: r.there(path), Body: r.there(body)})
	if err != nil {
		return false, err
	}
	r.report.Requests++
	if answer.Status >= 400 {
		r.differ(ReplayDifference{
			Kind: "answer", Who: was.Method + " " + was.Path, Field: "status", Here: strconv.Itoa(was.Status), There: strconv.Itoa(answer.Status) + " " + answer.Detail, Request: was.ID, Event: e.ID,
		})
		return false, nil
	}
	r.sent[was.ID] = true
	return true, r.pair(ctx, was, answer)
}

// sendable reports whether a request was answered by doing what it says at once: others were held, or worked later.
func sendable(r identity.Request) bool {
	if r.Status != 200 && r.Status != 201 && r.Status != 204 || strings.Contains(r.Path, "more bytes are not kept") {
		return false
	}
	path, err := url.PathUnescape(r.Path)
	return err == nil && (strings.Contains(path, "/Users") || strings.Contains(path, "/Groups") || strings.HasSuffix(path, "/Bulk"))
}

func requestOf(ctx context.Context, s *Service, id identity.RequestID) (identity.Request, bool, error) {
	var out identity.Request
	found := false
	err := s.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.Requests(ctx, store.Everything(), RequestQuery{ID: id, Limit: 1})
		if found = len(page.Items) > 0; found {
			out = page.Items[0]
		}
		return err
	})
	return out, found, err
}

// bodyAgain returns a body as it can be sent again: without the values that the journal does not keep. False when it was cut or erased.
func (r *replaying) bodyAgain(was identity.Request) (string, bool) {
	if was.Body == "" {
		return "", was.Method == "DELETE"
	}
	var v any
	if json.Unmarshal([]byte(was.Body), &v) != nil {
		return "", false
	}
	if !strings.Contains(was.Body, `"`+hiddenValue+`"`) {
		return was.Body, true
	}
	v, _ = r.unmask(v, "")
	raw, err := json.Marshal(v)
	return string(raw), err == nil
}

// hiddenValue is what stands in the journal for a value that is not kept.
const hiddenValue = "***"

// unmask leaves out what was masked: members, and operations whose value was. The second result is false when nothing of the value is left.
func (r *replaying) unmask(v any, name string) (any, bool) {
	switch t := v.(type) {
	case string:
		if t != hiddenValue {
			return v, true
		}
		r.unkept[name] = true
		return nil, false
	case []any:
		out := make([]any, 0, len(t))
		for _, e := range t {
			if kept, ok := r.unmask(e, name); ok {
				out = append(out, kept)
			}
		}
		return out, len(out) > 0 || len(t) == 0
	case map[string]any:
		path, isOperation := t["path"].(string)
		for key, e := range t {
			inner := key
			if isOperation && strings.EqualFold(key, "value") {
				inner = path
			}
			kept, ok := r.unmask(e, inner)
			if !ok && isOperation && strings.EqualFold(key, "value") {
				return nil, false
			}
			if t[key] = kept; !ok {
				delete(t, key)
			}
		}
	}
	return v, true
}

// pair finds which people and groups of the scratch installation are those of here: by the events that a request and its replay made.
func (r *replaying) pair(ctx context.Context, was identity.Request, answer ReplayAnswer) error {
	here, err := eventsOf(ctx, r.from, was)
	if err != nil {
		return err
	}
	again, found, err := requestOf(ctx, r.into, answer.Request)
	if err != nil {
		return err
	}
	var there []identity.Event
	if found {
		if there, err = eventsOf(ctx, r.into, again); err != nil {
			return err
		}
	}
	byType := map[identity.EventType][]identity.Event{}
	for _, e := range there {
		byType[e.Type] = append(byType[e.Type], e)
	}
	for _, e := range here {
		r.noteUnkept(e)
		others := byType[e.Type]
		if len(others) == 0 {
			r.differ(ReplayDifference{Kind: "answer", Who: was.Method + " " + was.Path, Field: string(e.Type), Here: e.ObjectLabel, There: "did not happen", Request: was.ID, Event: e.ID})
			continue
		}
		if i := slices.IndexFunc(others, func(o identity.Event) bool { return o.ObjectLabel == e.ObjectLabel }); i > 0 { // a bulk request may come to the same people in another order
			others[0], others[i] = others[i], others[0]
		}
		r.ids[e.ObjectID] = others[0].ObjectID
		r.groups[e.ObjectID] = e.ObjectKind == "group"
		byType[e.Type] = others[1:]
	}
	return nil
}

func eventsOf(ctx context.Context, s *Service, of identity.Request) ([]identity.Event, error) {
	var out []identity.Event
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.EventsOfRequest(ctx, of, maxReplayed)
		return err
	})
	return out, err
}

// noteUnkept notes the fields whose values an event does not keep.
func (r *replaying) noteUnkept(e identity.Event) {
	for _, c := range e.Changes {
		if raw, err := json.Marshal(c); err == nil && strings.Contains(string(raw), `"`+hiddenValue+`"`) {
			r.unkept[c.Field] = true
		}
	}
}
