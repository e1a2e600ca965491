//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// directory is a SCIM source as the command line hands it to an administrator.
type directory struct {
	ID      string `json:"id"`
	BaseURL string `json:"base_url"`
	Token   string `json:"token"`
}

// resource is what the tests read of a SCIM answer.
type resource struct {
	ID           string `json:"id"`
	UserName     string `json:"userName"`
	Active       bool   `json:"active"`
	TotalResults int    `json:"totalResults"`
	Detail       string `json:"detail"`
	ScimType     string `json:"scimType"`
}

// call sends one SCIM request; a failure of the connection is an error, an answer with any status is not.
func (d directory) call(ctx context.Context, method, path string, body any) (int, resource, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, resource{}, err
	}
	if body == nil {
		content = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, d.BaseURL+path, bytes.NewReader(content))
	if err != nil {
		return 0, resource{}, err
	}
	req.Header.Set("Authorization", "Bearer "+d.Token)
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, resource{}, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || len(answer) == 0 {
		return res.StatusCode, resource{}, err
	}
	var r resource
	err = json.Unmarshal(answer, &r)
	return res.StatusCode, r, err
}

// push creates a person as Okta does and returns the id.
func (d directory) push(t *testing.T, who person) string {
	t.Helper()
	status, created, err := d.call(t.Context(), http.MethodPost, "/Users", userBody(who.Email, who))
	if err != nil || status != http.StatusCreated || created.ID == "" {
		t.Fatalf("pushing %s: %d %s %v", who.Login, status, created.Detail, err)
	}
	return created.ID
}

// userBody is Okta's body for a person with a user name.
func userBody(userName string, who person) map[string]any {
	return map[string]any{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": userName, "externalId": who.Subject, "active": true,
		"displayName": who.GivenName + " " + who.FamilyName,
		"name":        map[string]string{"givenName": who.GivenName, "familyName": who.FamilyName},
		"emails":      []map[string]any{{"primary": true, "type": "work", "value": userName}},
	}
}

// deactivate switches a person off as Okta does.
func (d directory) deactivate(t *testing.T, id string) {
	t.Helper()
	status, changed, err := d.call(t.Context(), http.MethodPatch, "/Users/"+id, map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []map[string]any{{"op": "replace", "value": map[string]any{"active": false}}},
	})
	if err != nil || status != http.StatusOK || changed.Active {
		t.Fatalf("deactivating: %d %s %v", status, changed.Detail, err)
	}
}

// byUserName asks how many people have a user name.
func (d directory) byUserName(ctx context.Context, userName string) (int, error) {
	status, list, err := d.call(ctx, http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "`+userName+`"`), nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%d %s", status, list.Detail)
	}
	return list.TotalResults, err
}
