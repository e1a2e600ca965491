package scim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// hrUser is a person as CSV2SCIM makes one of a line of a file: with the whole line in an extension of its own.
func hrUser(n int, more string) string {
	const extension = "urn:ietf:params:scim:schemas:extension:csv:1.0:User"
	manager := `,"manager":{"value":"1"}`
	if n == 1 {
		manager = ""
	}
	return fmt.Sprintf(`{"schemas":["%s","%s","%s"],%s"externalId":"%d","userName":"hr%02d@example.com","displayName":"Person %d","name":{"givenName":"Person","familyName":"Number %d"},
		"title":"Clerk","nickName":null,"emails":[{"type":"work","value":"hr%02d@example.com","primary":true}],"phoneNumbers":[{"type":"work","value":"+49 %d"}],
		"addresses":[{"type":"work","locality":"Vienna","country":"AT"}],
		"%s":{"employeeNumber":"%d","department":"Sales","costCenter":"cc","division":"d","organization":"o"%s},
		"%s":{"WorkerID":"%d","WorkerStatus":"Active","HireDate":"2026-01-01","TerminationDate":""}}`,
		urnCore, enterpriseURN, extension, more, 1000+n, n, n, n, n, n, enterpriseURN, n, manager, extension, n)
}

func hrOperations(many int, change func(n int) string) []string {
	var out []string
	for n := 1; n <= many; n++ {
		out = append(out, fmt.Sprintf(`{"method":"POST","bulkId":"b%d","path":"/Users","data":%s}`, n, hrUser(n, change(n))))
	}
	return out
}

func hrActive(int) string { return `"active":true,` }

// hrClient is a client whose paths begin at the origin, as those of scripts do.
func hrClient(b *bridge, c *client) *client {
	at := *c
	at.base = b.url
	return &at
}

// work does what serve does beside the answering of requests.
func (b *bridge) work(t *testing.T) {
	t.Helper()
	if _, err := b.people.RunUploads(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// hrStatuses counts the entries of a log by action and status.
func hrStatuses(list []any) string {
	count := map[string]int{}
	for _, v := range list {
		e := v.(object)
		count[textOf(e["provisioningAction"])+" "+textOf(e["provisioningStatusInfo"].(object)["status"])]++
	}
	return fmt.Sprint(count)
}

func TestAnHRScriptFindsWhatMicrosoftsEndpointsAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		c := b.client(t, "hr", identity.DialectStandard)
		script := hrClient(b, c)
		ask := func(t *testing.T, filter string) []any {
			t.Helper()
			return listOf(script.must(200, "GET", "/v1.0/auditLogs/provisioning?$filter="+url.QueryEscape(filter), "").object["value"])
		}
		var sp, job string
		t.Run("MIS-10 the script finds its application and its job", func(t *testing.T) {
			sp = textOf(listOf(script.must(200, "GET", "/beta/servicePrincipals?$filter=x", "").object["value"])[0].(object)["id"])
			job = textOf(listOf(script.must(200, "GET", "/beta/servicePrincipals/"+sp+"/synchronization/jobs", "").object["value"])[0].(object)["id"])
			if sp != string(c.directory.ID) || job != sp {
				t.Errorf("%s, %s", sp, job)
			}
		})
		send := func(t *testing.T, operations ...string) string {
			t.Helper()
			r := script.must(http.StatusAccepted, "POST", "/beta/servicePrincipals/"+sp+"/synchronization/jobs/API2AAD.1/bulkUpload", bulkBody(`"failOnErrors":null,`, operations...))
			at, err := url.QueryUnescape(r.header.Get("Location"))
			if err != nil || len(r.raw) > 0 || !strings.HasPrefix(at, b.url+"/beta/auditLogs/provisioning?$filter=jobId eq 'API2AAD.1' and cycleId eq '") {
				t.Fatalf("%s: %q", at, r.raw)
			}
			return strings.TrimPrefix(r.header.Get("Location"), b.url)
		}
		t.Run("MIS-10 50 people are taken at once, worked later, and the log says of each what came of it", func(t *testing.T) {
			operations := hrOperations(50, hrActive)
			operations[20] = `{"method":"POST","bulkId":"wrong","path":"/Users","data":{"schemas":["` + urnCore + `"],"displayName":"Nobody knows who"}}`
			operations[21] = `{"method":"DELETE","bulkId":"gone","path":"/Users/22"}`
			at := send(t, operations...)
			if list := listOf(script.must(200, "GET", at, "").object["value"]); len(list) != 0 {
				t.Errorf("%d entries before anything was done", len(list))
			}
			b.work(t)
			r := script.must(200, "GET", at, "")
			list := listOf(r.object["value"])
			if got := hrStatuses(list); got != "map[create success:48 other failure:2]" || r.header.Get("Content-Type") != "application/json" {
				t.Fatalf("%s %s", got, r.header)
			}
			first := list[0].(object)
			if textOf(first["changeId"]) != "b1" || textOf(first["jobId"]) != "API2AAD.1" || textOf(first["sourceIdentity"].(object)["id"]) != "1001" || textOf(first["targetIdentity"].(object)["id"]) == "" ||
				len(listOf(first["modifiedProperties"])) < 5 || !strings.Contains(fmt.Sprint(first["provisioningSteps"]), "nickName") {
				t.Errorf("%v", first)
			}
			if reason := fmt.Sprint(list[20].(object)["statusInfo"]); !strings.Contains(reason, "user name") && !strings.Contains(reason, "userName") {
				t.Errorf("%s", reason)
			}
		})
		t.Run("MIS-10 a leaver is disabled, who is the same is skipped, and whose manager came later has one by now", func(t *testing.T) {
			at := send(t, hrOperations(3, func(n int) string { return fmt.Sprintf(`"active":%v,`, n != 2) })...)
			b.work(t)
			if got := hrStatuses(listOf(script.must(200, "GET", at, "").object["value"])); got != "map[disable success:1 other skipped:2]" {
				t.Error(got)
			}
			r := c.must(200, "GET", address(`/Users?filter=externalId eq "1002"`), "")
			two := listOf(r.object["Resources"])[0].(object)
			if two["active"] != false || textOf(two[enterpriseURN].(object)["employeeNumber"]) != "2" {
				t.Errorf("%v", two)
			}
		})
		t.Run("FSM-53 the log is asked by filters, in pages, and refuses what it cannot read", func(t *testing.T) {
			for filter, want := range map[string]int{
				"jobid eq 'API2AAD.1'": 53, "jobId eq 'another'": 0, "jobId eq 'API2AAD.1' and provisioningAction eq 'create'": 48, "statusInfo/status eq 'Failure'": 2, "changeId eq 'wrong'": 1,
				"activityDateTime gt 2020-01-01T00:00:00Z and activityDateTime lt 2021-01-01T00:00:00Z": 0, "cycleId eq 'no id'": 0, "changeId eq 'it''s'": 0,
			} {
				if list := ask(t, filter); len(list) != want {
					t.Errorf("%s: %d entries, want %d", filter, len(list), want)
				}
			}
			newest := textOf(ask(t, "jobId eq 'API2AAD.1'")[0].(object)["cycleId"])
			if older := ask(t, "jobId eq 'API2AAD.1' and cycleId ne '"+newest+"'"); len(older) != 50 {
				t.Errorf("%d entries before the newest upload", len(older))
			}
			seen := map[string]bool{}
			for next := "/v1.0/auditLogs/provisioning?$top=7&$filter=" + url.QueryEscape("provisioningAction eq 'create'"); next != ""; {
				r := script.must(200, "GET", next, "")
				for _, e := range listOf(r.object["value"]) {
					seen[textOf(e.(object)["id"])] = true
				}
				next = strings.TrimPrefix(textOf(r.object["@odata.nextLink"]), b.url)
			}
			if len(seen) != 48 {
				t.Errorf("%d entries on all pages", len(seen))
			}
			for _, wrong := range []string{"jobId", "jobId eq", "jobId eq 'a", "jobId like 'a'", "shoe eq 'a'", "jobId eq 'a' or jobId eq 'b'", "jobId eq 'a' and", "jobId eq a", "contains(jobId,'a')"} {
				script.must(400, "GET", "/v1.0/auditLogs/provisioning?$filter="+url.QueryEscape(wrong), "")
			}
			script.must(400, "GET", "/v1.0/auditLogs/provisioning?$top=0", "")
			script.must(400, "GET", "/v1.0/auditLogs/provisioning?$orderby=id", "")
		})
	})
}

func TestAnUploadBelowTheDoorIsAnsweredAtOnceAndAskedForLater(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		c, other := b.client(t, "hr", identity.DialectStandard), b.client(t, "other", identity.DialectStandard)
		r := c.must(http.StatusAccepted, "POST", "/bulkUpload", bulkBody("", hrOperations(3, hrActive)...), "Content-Type", "application/json")
		at := strings.TrimPrefix(r.header.Get("Location"), c.base)
		if !strings.HasPrefix(at, "/bulkUpload/") || len(r.raw) > 0 {
			t.Fatalf("%s %q", at, r.raw)
		}
		if got := c.must(200, "GET", at, "").object; got["state"] != "waiting" || len(listOf(got["entries"])) > 0 {
			t.Errorf("%v", got)
		}
		b.work(t)
		got := c.must(200, "GET", at+"?count=2", "").object
		if got["state"] != "done" || got["plan"].(object)["state"] != "applied" || len(listOf(got["entries"])) != 2 {
			t.Errorf("%v", got)
		}
		if last := c.must(200, "GET", strings.TrimPrefix(textOf(got["next"]), c.base), "").object; len(listOf(last["entries"])) != 1 || last["next"] != nil {
			t.Errorf("%v", last)
		}
		if list := c.must(200, "GET", "/bulkUpload", "").object; len(listOf(list["uploads"])) != 1 {
			t.Errorf("%v", list)
		}
		t.Run("MIS-10 the journal has the upload as any other request", func(t *testing.T) {
			page, err := b.people.Requests(t.Context(), identity.Operator(), provisioning.RequestQuery{DirectoryID: c.directory.ID, Limit: 10})
			if err != nil || len(page.Items) != 1 || page.Items[0].Status != 202 || !strings.Contains(page.Items[0].Body, "hr01@example.com") {
				t.Errorf("%+v %v", page.Items, err)
			}
		})
		t.Run("MIS-10 another directory finds none of it, and whoever has no token nothing at all", func(t *testing.T) {
			other.must(404, "GET", at, "")
			if list := other.must(200, "GET", "/bulkUpload", "").object; len(listOf(list["uploads"])) != 0 {
				t.Errorf("%v", list)
			}
			id := strings.TrimPrefix(at, "/bulkUpload/")
			for _, filter := range []string{"", "cycleId eq '" + id + "'", "jobId eq '" + string(c.directory.ID) + "'"} {
				if list := hrClient(b, other).must(200, "GET", "/v1.0/auditLogs/provisioning?$filter="+url.QueryEscape(filter), "").object; len(listOf(list["value"])) != 0 {
					t.Errorf("%s: %v", filter, list)
				}
			}
			for _, path := range []string{"/scim/v2/bulkUpload", "/v1.0/auditLogs/provisioning", "/beta/servicePrincipals", "/v1.0/nothing"} {
				hrClient(b, c).must(401, "GET", path, "", "Authorization", "")
			}
		})
	})
}

func TestWhatIsNoUploadIsASCIMError(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "hr", identity.DialectStandard)
	many := make([]string, DefaultLimits().Bulk+1)
	for i := range many {
		many[i] = `{}`
	}
	for _, r := range []struct {
		name, body, kind string
		status           int
	}{
		{"another schema", `{"schemas":["` + patchURN + `"],"Operations":[{}]}`, contentType, 400},
		{"no operations", bulkBody(""), contentType, 400},
		{"operations that are no list", `{"schemas":["` + bulkRequestURN + `"],"Operations":{}}`, contentType, 400},
		{"an operation that is none", bulkBody("", "5"), contentType, 400},
		{"too many", bulkBody("", many...), contentType, 413},
		{"too long", bulkBody(`"x":"`+strings.Repeat("x", int(DefaultLimits().Body))+`",`, `{}`), contentType, 413},
		{"too deep", bulkBody(`"x":`+strings.Repeat("[", DefaultLimits().Depth+1)+strings.Repeat("]", DefaultLimits().Depth+1)+`,`, `{}`), contentType, 400},
		{"no JSON", "name,email", contentType, 400},
		{"a file", "name,email", "text/csv", 415},
		{"no body", "", contentType, 400},
	} {
		t.Run(r.name, func(t *testing.T) {
			c.t = t
			got := c.must(r.status, "POST", "/bulkUpload", r.body, "Content-Type", r.kind)
			if !strings.Contains(fmt.Sprint(got.object["schemas"]), "urn:ietf:params:scim:api:messages:2.0:Error") || textOf(got.object["detail"]) == "" {
				t.Errorf("no SCIM error: %s", got.raw)
			}
		})
	}
	c.t = t
	c.must(405, "PUT", "/bulkUpload", "")
	c.must(404, "GET", "/bulkUpload/1", "")
	hrClient(b, c).must(404, "GET", "/v1.0/users", "")
	hrClient(b, c).must(400, "POST", "/v1.0/servicePrincipals/a/synchronization/jobs/"+strings.Repeat("j", 300)+"/bulkUpload", bulkBody("", hrOperations(1, hrActive)...))
	if page, err := b.people.Uploads(t.Context(), identity.Operator(), provisioning.UploadQuery{Limit: 1}); err != nil || len(page.Items) > 0 {
		t.Errorf("%+v %v", page.Items, err)
	}
}

func TestAnHRSystemThatSpeaksBulkOfTheStandardWorks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		t.Run("MIS-10 people with numbers, and managers who come in the same request", func(t *testing.T) {
			c := newBridge(t, db).client(t, "hr", identity.DialectStandard)
			var operations []string
			for n := 1; n <= 20; n++ {
				person := strings.Replace(hrUser(n, `"active":true,`), `"manager":{"value":"1"}`, fmt.Sprintf(`"manager":{"value":"bulkId:b%d"}`, n/2+1), 1)
				operations = append(operations, fmt.Sprintf(`{"method":"POST","bulkId":"b%d","path":"/Users","data":%s}`, n, person))
			}
			if got := c.bulkResults(bulkBody(`"failOnErrors":null,`, operations...)); got != strings.TrimSpace(strings.Repeat("201 ", 20)) {
				t.Fatalf("statuses %s", got)
			}
			boss := listOf(c.must(200, "GET", address(`/Users?filter=externalId eq "1006"`), "").object["Resources"])[0].(object)
			r := c.must(200, "GET", address(`/Users?filter=`+enterpriseURN+`:manager.value eq "`+textOf(boss["id"])+`"`), "")
			if r.object["totalResults"] != nil && fmt.Sprint(r.object["totalResults"]) != "2" || textOf(boss[enterpriseURN].(object)["employeeNumber"]) != "6" {
				t.Errorf("%s", r.raw)
			}
		})
	})
}
