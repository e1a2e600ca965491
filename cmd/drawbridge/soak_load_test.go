package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// soakAdministrator signs in at the console while directories push.
const soakAdministrator = "soak@bridge.example"

// soakPeople is how many people each client keeps: it deletes when it has more, so that the directory has the same size all the time.
const soakPeople = 60

// soakKinds is what a client does, and how often.
var soakKinds = []struct {
	name   string
	weight int
	do     func(*soaker, context.Context) error
}{
	{"create a user", 12, (*soaker).create},
	{"create a user twice", 2, (*soaker).createAgain},
	{"read a user", 20, (*soaker).read},
	{"look a user up", 14, (*soaker).lookUp},
	{"find by several filters", 3, (*soaker).find},
	{"change active", 10, (*soaker).patch},
	{"replace a user", 5, (*soaker).put},
	{"member in and out", 8, (*soaker).member},
	{"a group's life", 2, (*soaker).groupLife},
	{"pages by cursor", 2, (*soaker).byCursor},
	{"a sorted page", 2, (*soaker).sortedPage},
	{"search", 2, (*soaker).search},
	{"bulk", 1, (*soaker).bulk},
	{"delete a user", 8, (*soaker).remove},
	{"discovery", 2, (*soaker).discover},
	{"bad requests", 4, (*soaker).mistake},
	{"a wrong token", 3, (*soaker).wrongToken},
	{"sign in, look, sign out", 1, (*soaker).signIn},
	{"a wrong password", 1, (*soaker).wrongPassword},
	{"pages of strangers", 2, (*soaker).stranger},
}

// soaker is one client. Its people are its own, so it knows exactly what each answer must be.
type soaker struct {
	*soak
	number int
	made   int
	people []soakPerson
	http   *http.Client
}

type soakPerson struct{ id, name string }

func newSoaker(s *soak, number int) *soaker {
	return &soaker{soak: s, number: number, http: &http.Client{
		Timeout: soakHangs, Transport: &http.Transport{MaxIdleConnsPerHost: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// work does one thing after another until the time is over or too much went wrong.
func (w *soaker) work(ctx context.Context) {
	defer w.http.CloseIdleConnections()
	var deck []int
	for i, kind := range soakKinds {
		deck = append(deck, slices.Repeat([]int{i}, kind.weight)...)
	}
	for turn, failed := 0, 0; ctx.Err() == nil && failed < 10; turn++ {
		kind := soakKinds[deck[rand.IntN(len(deck))]]
		if next := w.number + turn*soakClients; next < len(soakKinds) {
			kind = soakKinds[next] // the first turns of all clients do everything once
		}
		began := time.Now()
		if err := kind.do(w, ctx); err != nil && ctx.Err() == nil {
			w.fail(ctx, fmt.Errorf("%s: %w", kind.name, err))
			failed++
		}
		w.count(kind.name, time.Since(began))
	}
}

func (s *soak) count(name string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts[name] == nil {
		s.counts[name] = &soakCount{}
	}
	c := s.counts[name]
	c.done++
	c.slowest = max(c.slowest, took)
}

// ask sends a SCIM request with the newest token; the status must be one of those that are wanted.
func (w *soaker) ask(ctx context.Context, method, path, body string, want ...int) (object, error) {
	w.mu.Lock()
	token := w.token
	w.mu.Unlock()
	return w.askAs(ctx, token, method, path, body, want...)
}

func (w *soaker) askAs(ctx context.Context, token, method, path, body string, want ...int) (object, error) {
	header := http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/scim+json"}}
	_, raw, err := w.send(ctx, method, "/scim/v2"+path, header, body, want...)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	var answer object
	return answer, json.Unmarshal(raw, &answer)
}

func (w *soaker) send(ctx context.Context, method, path string, header http.Header, body string, want ...int) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.running.origin+path, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = header
	res, err := w.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && !slices.Contains(want, res.StatusCode) {
		err = fmt.Errorf("%s %s is answered %d instead of %d: %.300s", method, path, res.StatusCode, want, raw)
	}
	return res.Header, raw, err
}

func (w *soaker) document(name string) string {
	return fmt.Sprintf(`{"schemas":[%q],"userName":%q,"externalId":"x-%s","name":{"givenName":"Soak","familyName":"Client %d"},"displayName":"Soak %d","active":true,`+
		`"emails":[{"value":%q,"type":"work","primary":true}]}`, coreUser, name, name, w.number, rand.IntN(1e6), name)
}

func (w *soaker) newName() string {
	w.made++
	return fmt.Sprintf("client%d-%d@soak.example", w.number, w.made)
}

func idOf(answer object) string {
	id, _ := answer["id"].(string)
	return id
}

// person returns one of the client's people, and makes one when there is none.
func (w *soaker) person(ctx context.Context) (soakPerson, error) {
	if len(w.people) == 0 {
		if err := w.create(ctx); err != nil {
			return soakPerson{}, err
		}
	}
	return w.people[rand.IntN(len(w.people))], nil
}

func (w *soaker) create(ctx context.Context) error {
	name := w.newName()
	answer, err := w.ask(ctx, http.MethodPost, "/Users", w.document(name), http.StatusCreated)
	if err != nil {
		return err
	}
	w.people = append(w.people, soakPerson{idOf(answer), name})
	if len(w.people) > soakPeople {
		return w.remove(ctx)
	}
	return nil
}

func (w *soaker) createAgain(ctx context.Context) error {
	p, err := w.person(ctx)
	if err != nil {
		return err
	}
	_, err = w.ask(ctx, http.MethodPost, "/Users", w.document(p.name), http.StatusConflict)
	return err
}

func (w *soaker) read(ctx context.Context) error {
	p, err := w.person(ctx)
	if err != nil {
		return err
	}
	answer, err := w.ask(ctx, http.MethodGet, "/Users/"+p.id, "", http.StatusOK)
	if err == nil && answer["userName"] != p.name {
		err = fmt.Errorf("it is %v and not %s", answer["userName"], p.name)
	}
	return err
}

func (w *soaker) lookUp(ctx context.Context) error {
	p, err := w.person(ctx)
	if err != nil {
		return err
	}
	answer, err := w.ask(ctx, http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "`+p.name+`"`), "", http.StatusOK)
	if err == nil && answer["totalResults"] != 1.0 {
		err = fmt.Errorf("%v people are %s", answer["totalResults"], p.name)
	}
	return err
}

func (w *soaker) find(ctx context.Context) error {
	filters := []string{
		`emails[type eq "work" and value co "soak"] and active eq true`, `userName sw "client1" or name.familyName eq "Client 2"`,
		`not (active eq true)`, `meta.lastModified gt "2020-01-01T00:00:00Z" and externalId pr`,
	}
	_, err := w.ask(ctx, http.MethodGet, "/Users?count=10&filter="+url.QueryEscape(filters[rand.IntN(len(filters))]), "", http.StatusOK)
	return err
}

func (w *soaker) patch(ctx context.Context) error {
	p, err := w.person(ctx)
	if err != nil {
		return err
	}
	_, err = w.ask(ctx, http.MethodPatch, "/Users/"+p.id, operations(fmt.Sprintf(`{"op":"replace","path":"active","value":%t}`, rand.IntN(3) > 0)), http.StatusOK)
	return err
}

func operations(list ...string) string {
	return fmt.Sprintf(`{"schemas":[%q],"Operations":[%s]}`, patchOp, strings.Join(list, ","))
}

func (w *soaker) put(ctx context.Context) error {
	p, err := w.person(ctx)
	if err != nil {
		return err
	}
	_, err = w.ask(ctx, http.MethodPut, "/Users/"+p.id, w.document(p.name), http.StatusOK)
	return err
}

func (w *soaker) remove(ctx context.Context) error {
	if len(w.people) < soakPeople/2 {
		return w.create(ctx)
	}
	at := rand.IntN(len(w.people))
	p := w.people[at]
	w.people = slices.Delete(w.people, at, at+1)
	if _, err := w.ask(ctx, http.MethodDelete, "/Users/"+p.id, "", http.StatusNoContent); err != nil {
		return err
	}
	_, err := w.ask(ctx, http.MethodGet, "/Users/"+p.id, "", http.StatusNotFound)
	return err
}

func (w *soaker) discover(ctx context.Context) error {
	var all error
	for _, path := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes"} {
		_, err := w.ask(ctx, http.MethodGet, path, "", http.StatusOK)
		all = errors.Join(all, err)
	}
	return all
}

// mistake sends something that no good client sends.
func (w *soaker) mistake(ctx context.Context) error {
	mistakes := []struct {
		method, path, body string
		want               int
	}{
		{http.MethodPost, "/Users", `{"userName":`, http.StatusBadRequest},
		{http.MethodPost, "/Users", strings.Repeat("[", 10_000), http.StatusBadRequest},
		{http.MethodPost, "/Users", "{\"schemas\":[\"" + coreUser + "\"],\"userName\":\"a\\u0000b\"}", http.StatusBadRequest},
		{http.MethodGet, "/Users?filter=" + url.QueryEscape(`userName eq`), "", http.StatusBadRequest},
		{http.MethodGet, "/Users?cursor=nonsense", "", http.StatusBadRequest},
		{http.MethodGet, "/Users/00000000-0000-7000-8000-000000000000", "", http.StatusNotFound},
		{http.MethodGet, "/Nothing", "", http.StatusNotFound},
		{http.MethodPatch, "/Groups/" + w.group, operations(`{"op":"explode"}`), http.StatusBadRequest},
		{http.MethodPost, "/Bulk", `{"Operations":7}`, http.StatusBadRequest},
	}
	m := mistakes[rand.IntN(len(mistakes))]
	_, err := w.ask(ctx, m.method, m.path, m.body, m.want)
	return err
}

func (w *soaker) wrongToken(ctx context.Context) error {
	_, err := w.askAs(ctx, fmt.Sprintf("dbs_wrong%d", rand.Int()), http.MethodGet, "/Users", "", http.StatusUnauthorized)
	return err
}

// form posts the sign-in form from some address, as a proxy would pass it on.
func (w *soaker) form(ctx context.Context, fields url.Values, want ...int) (http.Header, error) {
	from := fmt.Sprintf("10.%d.%d.%d", rand.IntN(256), rand.IntN(256), rand.IntN(256))
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {from}}
	answer, _, err := w.send(ctx, http.MethodPost, "/signin", header, fields.Encode(), want...)
	return answer, err
}

func (w *soaker) signIn(ctx context.Context) error {
	answer, err := w.form(ctx, url.Values{"email": {soakAdministrator}, "password": {goodPassword}}, http.StatusSeeOther, http.StatusTooManyRequests)
	if err != nil || answer.Get("Set-Cookie") == "" {
		return err
	}
	cookie, _, _ := strings.Cut(answer.Get("Set-Cookie"), ";")
	for _, path := range []string{"/console/users", "/console/events", "/console/requests", "/account"} {
		if _, _, err := w.send(ctx, http.MethodGet, path, http.Header{"Cookie": {cookie}}, "", http.StatusOK); err != nil {
			return err
		}
	}
	_, _, err = w.send(ctx, http.MethodPost, "/signout", http.Header{"Cookie": {cookie}, "Content-Type": {"application/x-www-form-urlencoded"}}, "", http.StatusSeeOther)
	return err
}

func (w *soaker) wrongPassword(ctx context.Context) error {
	_, err := w.form(ctx, url.Values{"email": {"nobody@bridge.example"}, "password": {"not the right one"}}, http.StatusBadRequest, http.StatusTooManyRequests)
	return err
}

func (w *soaker) stranger(ctx context.Context) error {
	for path, want := range map[string]int{
		"/signin": http.StatusOK, "/healthz": http.StatusOK, "/readyz": http.StatusOK, "/console": http.StatusSeeOther, "/sso/none/login": http.StatusNotFound,
		"/nowhere": http.StatusNotFound,
	} {
		if _, _, err := w.send(ctx, http.MethodGet, path, http.Header{}, "", want); err != nil {
			return err
		}
	}
	return nil
}
