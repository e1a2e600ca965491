package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// The URNs that a SCIM client writes (RFC 7643 8.7, RFC 7644 3.5.2).
const (
	coreUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	coreGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchOp    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// object and list are JSON as a client writes it.
type (
	object = map[string]any
	list   = []any
)

// person is somebody in a fake directory.
type person struct {
	given, family, email, title string
	key                         string // the directory's own id, its externalId
	id                          string // the id that Drawbridge answered
	note                        string // for those who want to sign in as this person
}

func (p *person) name() string { return p.given + " " + p.family }

// pusher is what a fake directory pushes with: it speaks SCIM over HTTP, with its bearer token, and tells the guide.
type pusher struct {
	base, token, agent string
	guide              *guide
}

// send makes one request and tells of it. An answer with another status than want ends the tour.
func (c *pusher) send(ctx context.Context, method, path string, body any, want int, what string) (object, error) {
	var in io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/scim+json")
	req.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	req.Header.Set("User-Agent", c.agent)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxInput))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != want {
		c.guide.step(method, "/scim/v2"+path, res.StatusCode, "This is not what the tour expects.")
		return nil, fmt.Errorf("the tour ends: %s %s was answered %d instead of %d: %s", method, path, res.StatusCode, want, cut(string(raw), 400))
	}
	c.guide.step(method, "/scim/v2"+path, res.StatusCode, what)
	answer := object{}
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &answer)
	}
	return answer, err
}

// lookup asks whether something is there before it is created; both providers do it.
func (c *pusher) lookup(ctx context.Context, resource, attribute, value, rest, what string) error {
	filter := fmt.Sprintf("%s eq %q", attribute, value)
	answer, err := c.send(ctx, http.MethodGet, "/"+resource+"?filter="+url.QueryEscape(filter)+rest, nil, http.StatusOK, what)
	if err != nil {
		return err
	}
	if n, _ := answer["totalResults"].(float64); n != 0 {
		return fmt.Errorf("the tour ends: %s is there already", value)
	}
	return nil
}

// create posts a resource and returns its id.
func (c *pusher) create(ctx context.Context, resource string, body object, what string) (string, error) {
	answer, err := c.send(ctx, http.MethodPost, "/"+resource, body, http.StatusCreated, what)
	if err != nil {
		return "", err
	}
	id, _ := answer["id"].(string)
	if id == "" {
		return "", fmt.Errorf("the tour ends: POST /%s was answered without an id", resource)
	}
	return id, nil
}

// patch sends operations.
func (c *pusher) patch(ctx context.Context, path string, want int, what string, operations ...any) error {
	_, err := c.send(ctx, http.MethodPatch, path, object{"schemas": list{patchOp}, "Operations": operations}, want, what)
	return err
}
