package scim

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// How many entries of a log are one page, and how many are looked at for it at most.
const (
	logPage    = 100
	logMost    = 1000
	logScanned = 4000
)

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// pageOfLog reads how many entries are wanted and behind which, by the names that the path has for it.
func (c *call) pageOfLog(count, after string) (provisioning.LogQuery, error) {
	q := provisioning.LogQuery{Limit: logPage}
	v, err := c.query()
	if err != nil {
		return q, err
	}
	if s := v.Get(count); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return q, bad(invalidCount, "%s must be a number above 0.", count)
		}
		q.Limit = min(n, logMost)
	}
	q.After = v.Get(after)
	return q, nil
}

// provisioningLog answers a script that asks what became of what it sent, in the form of Microsoft Graph's provisioning log.
func (c *call) provisioningLog() (answer, error) {
	q, err := c.pageOfLog("$top", "$skiptoken")
	if err != nil {
		return answer{}, err
	}
	filter, err := parseLogFilter(c.params.Get("$filter"))
	if err != nil {
		return answer{}, err
	}
	if order := strings.TrimSpace(c.params.Get("$orderby")); order != "" && !strings.EqualFold(order, "activityDateTime desc") {
		return answer{}, bad(invalidValue, "The log has one order, activityDateTime desc.")
	}
	list, next, err := c.entries(q, filter)
	if err != nil {
		return answer{}, err
	}
	out := object{"@odata.context": c.origin + "/" + c.version + "/$metadata#auditLogs/provisioning", "value": list}
	if next != "" {
		v := url.Values{"$top": {strconv.Itoa(q.Limit)}, "$skiptoken": {next}}
		if f := c.params.Get("$filter"); f != "" {
			v.Set("$filter", f)
		}
		out["@odata.nextLink"] = c.origin + "/" + c.version + "/auditLogs/provisioning?" + v.Encode()
	}
	return jsonAnswer(out), nil
}

// entries collects a page of entries that a filter lets pass, and says behind which the next one begins; empty: there is none.
func (c *call) entries(q provisioning.LogQuery, f logFilter) (list []object, next string, err error) {
	list = []object{}
	ask := q
	ask.Job, ask.Upload = f.job, f.upload
	if f.nothing {
		return list, "", nil
	}
	for scanned := 0; scanned < logScanned; scanned += ask.Limit {
		page, err := c.people.UploadLog(c.ctx, c.by, ask)
		if identity.KindOf(err) == identity.NotFound {
			return list, "", nil // a filter that names nothing finds nothing
		}
		if err != nil {
			return nil, "", err
		}
		for i, e := range page.Items {
			o := c.logObject(e)
			if !f.passes(o) {
				continue
			}
			list = append(list, o)
			if len(list) == q.Limit {
				if i+1 < len(page.Items) || page.More {
					next = e.ID
				}
				return list, next, nil
			}
		}
		if !page.More {
			return list, "", nil
		}
		ask.After = page.Items[len(page.Items)-1].ID
	}
	return list, ask.After, nil
}

// logActions are the words of the log for what was done.
var logActions = map[identity.PlanAction]string{
	identity.StepCreate: "create", identity.StepUpdate: "update", identity.StepMove: "update", identity.StepRestore: "update", identity.StepDeactivate: "disable",
}

// logObject renders an entry. The names are those of Microsoft Graph, of both of its versions.
func (c *call) logObject(e provisioning.LogEntry) object {
	action := logActions[e.Action]
	switch {
	case e.Outside:
		action = "disable"
	case action == "":
		action = "other"
	}
	status := object{"status": e.Status, "errorInformation": nil}
	if e.Status != provisioning.LogSuccess {
		code := e.Code
		if code == "" {
			code = string(e.Action)
		}
		status["errorInformation"] = object{"errorCode": code, "reason": e.Reason, "additionalDetails": "", "errorCategory": "nonServiceFailure", "recommendedAction": ""}
	}
	me := object{"id": c.directory.ID, "displayName": c.directory.Name}
	out := object{
		"id": e.ID, "activityDateTime": timestamp(e.At), "tenantId": c.directory.TenantID, "jobId": e.Upload.Job, "cycleId": e.Upload.ID, "changeId": e.BulkID, "action": action,
		"provisioningAction": action, "durationInMilliseconds": e.At.Sub(e.Upload.CreatedAt).Milliseconds(), "statusInfo": status, "provisioningStatusInfo": status,
		"initiatedBy":      object{"id": c.directory.ID, "displayName": c.directory.Name, "initiatorType": "application"},
		"servicePrincipal": me, "sourceSystem": me, "targetSystem": object{"id": "drawbridge", "displayName": "Drawbridge"},
		"sourceIdentity": logIdentity(e.Source, e.Who), "targetIdentity": logIdentity(string(e.UserID), e.Who),
		"modifiedProperties": logChanges(e.Changes), "provisioningSteps": []object{},
	}
	if len(e.Ignored) > 0 {
		out["provisioningSteps"] = []object{{
			"name": "AttributesIgnored", "provisioningStepType": "processing", "status": "skipped", "description": "These attributes are not kept: " + strings.Join(e.Ignored, ", ") + ".",
		}}
	}
	return out
}

func logIdentity(id, name string) object {
	return object{"id": id, "displayName": name, "identityType": "User", "details": object{}}
}

func logChanges(changes []identity.Change) []object {
	out := make([]object, len(changes))
	for i, ch := range changes {
		out[i] = object{"displayName": ch.Field, "oldValue": logValue(ch.Before), "newValue": logValue(ch.After)}
	}
	return out
}

func logValue(v any) any {
	if v == nil {
		return nil
	}
	return fmt.Sprint(v)
}

func jsonAnswer(v any) answer {
	return answer{status: http.StatusOK, body: encode(v), mediaType: "application/json"}
}

// The application and the job that scripts ask for are the directory whose token they have.

func (c *call) listPrincipals() (answer, error) {
	return jsonAnswer(object{"value": []object{c.principal()}}), nil
}

func (c *call) showPrincipal() (answer, error) { return jsonAnswer(c.principal()), nil }

func (c *call) principal() object {
	return object{"id": c.directory.ID, "appId": c.directory.ID, "displayName": c.directory.Name}
}

func (c *call) listJobs() (answer, error) {
	return jsonAnswer(object{"value": []object{c.jobObject("")}}), nil
}

func (c *call) showJob() (answer, error) { return jsonAnswer(c.jobObject(c.job)), nil }

func (c *call) jobObject(id string) object {
	if id == "" {
		id = string(c.directory.ID)
	}
	return object{"id": id, "templateId": "API2AAD", "schedule": object{"state": "Active"}, "status": object{"code": "Active"}}
}
