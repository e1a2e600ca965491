package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAServerWorksOffWhatAnHRSystemSends(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		var d struct{ Token string }
		sh.json(&d, "directory", "create", "HR", "--tenant", "Acme")
		r := sh.serve()
		t.Run("MIS-10 an HR system calls one endpoint, and finds in the log that the people are there", func(t *testing.T) {
			body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","bulkId":"1","path":"/Users","data":{"userName":"ada@acme.test","active":true}}]}`
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.origin+"/scim/v2/bulkUpload", bytes.NewBufferString(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+d.Token)
			req.Header.Set("Content-Type", "application/scim+json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			said, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusAccepted || len(said) > 0 {
				t.Fatalf("%d %s %v", res.StatusCode, said, err)
			}
			at := strings.TrimPrefix(res.Header.Get("Location"), "https://id.example.com")
			var log struct {
				State   string
				Entries []struct{ ProvisioningAction string }
			}
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for log.State != "done" {
				select {
				case <-ctx.Done():
					t.Fatalf("the upload is %s", log.State)
				case <-tick.C:
				}
				status, body := r.get(t, at, d.Token)
				if err := json.Unmarshal([]byte(body), &log); err != nil || status != http.StatusOK {
					t.Fatalf("%d %s", status, body)
				}
			}
			if len(log.Entries) != 1 || log.Entries[0].ProvisioningAction != "create" {
				t.Errorf("%+v", log)
			}
			sh.must("user", "show", "ada@acme.test")
		})
	})
}
