package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// makeGroup makes the group that all clients change at the same time.
func (s *soak) makeGroup(ctx context.Context) error {
	w := newSoaker(s, soakClients)
	defer w.http.CloseIdleConnections()
	answer, err := w.ask(ctx, http.MethodPost, "/Groups", groupDocument("everybody"), http.StatusCreated)
	s.group = idOf(answer)
	return err
}

func groupDocument(name string, members ...string) string {
	values := make([]string, len(members))
	for i, id := range members {
		values[i] = fmt.Sprintf(`{"value":%q}`, id)
	}
	return fmt.Sprintf(`{"schemas":[%q],"displayName":%q,"members":[%s]}`, coreGroup, name, strings.Join(values, ","))
}

func (w *soaker) member(ctx context.Context) error {
	p, err := w.person(ctx)
	if err != nil {
		return err
	}
	for _, op := range []string{
		fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, p.id),
		fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, p.id),
	} {
		if _, err := w.ask(ctx, http.MethodPatch, "/Groups/"+w.group, operations(op), http.StatusOK, http.StatusNoContent); err != nil {
			return err
		}
	}
	return nil
}

func (w *soaker) groupLife(ctx context.Context) error {
	p, err := w.person(ctx)
	if err != nil {
		return err
	}
	answer, err := w.ask(ctx, http.MethodPost, "/Groups", groupDocument("group of "+w.newName(), p.id), http.StatusCreated)
	if err != nil {
		return err
	}
	group := "/Groups/" + idOf(answer)
	if answer, err = w.ask(ctx, http.MethodGet, group, "", http.StatusOK); err != nil {
		return err
	}
	if members, _ := answer["members"].(list); len(members) != 1 {
		return fmt.Errorf("the group has the members %v", answer["members"])
	}
	_, err = w.ask(ctx, http.MethodDelete, group, "", http.StatusNoContent)
	return err
}

func (w *soaker) byCursor(ctx context.Context) error {
	cursor := ""
	for range 3 {
		answer, err := w.ask(ctx, http.MethodGet, "/Users?count=20&cursor="+url.QueryEscape(cursor), "", http.StatusOK)
		if err != nil {
			return err
		}
		if cursor, _ = answer["nextCursor"].(string); cursor == "" {
			return nil
		}
	}
	return nil
}

func (w *soaker) sortedPage(ctx context.Context) error {
	_, err := w.ask(ctx, http.MethodGet, "/Users?startIndex=11&count=20&sortBy=userName&sortOrder=descending", "", http.StatusOK)
	return err
}

func (w *soaker) search(ctx context.Context) error {
	const body = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"displayName pr","count":5,"attributes":["displayName"]}`
	_, err := w.ask(ctx, http.MethodPost, "/.search", body, http.StatusOK)
	return err
}

// bulk makes some people and a group of them in one request, and deletes all in another.
func (w *soaker) bulk(ctx context.Context) error {
	const request = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[%s]}`
	var ops, members []string
	for i := range 10 {
		ops = append(ops, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"u%d","data":%s}`, i, w.document(w.newName())))
		members = append(members, fmt.Sprintf("bulkId:u%d", i))
	}
	ops = append(ops, fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":"g","data":%s}`, groupDocument("bulk of "+w.newName(), members...)))
	answer, err := w.ask(ctx, http.MethodPost, "/Bulk", fmt.Sprintf(request, strings.Join(ops, ",")), http.StatusOK)
	if err != nil {
		return err
	}
	results, _ := answer["Operations"].(list)
	ops = nil
	for _, r := range results {
		result, _ := r.(object)
		location, _ := result["location"].(string)
		_, path, found := strings.Cut(location, "/scim/v2")
		if result["status"] != "201" || !found {
			return fmt.Errorf("one of the results is %v", result)
		}
		ops = append(ops, fmt.Sprintf(`{"method":"DELETE","path":%q}`, path))
	}
	answer, err = w.ask(ctx, http.MethodPost, "/Bulk", fmt.Sprintf(request, strings.Join(ops, ",")), http.StatusOK)
	if raw, _ := json.Marshal(answer); err == nil && bytes.Count(raw, []byte(`"204"`)) != 11 {
		err = fmt.Errorf("not everything was deleted: %.500s", raw)
	}
	return err
}
