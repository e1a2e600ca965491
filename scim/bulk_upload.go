package scim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// HR systems send whom they have as Microsoft Entra's API-driven inbound provisioning takes it: a bulk request whose operations all say "this person is so". It is kept
// and answered at once; what became of each operation is read in a log later. The same is found below the paths that published scripts call.

// scriptVersions are the first parts of the paths that scripts for Microsoft Graph call.
var scriptVersions = []string{"v1.0", "beta"}

// uploadMethods are the handlers of uploads below Path: of all, and of one. They are made late, since upload leads back to routes.
func uploadMethods() (all, one methods) {
	return methods{"POST": (*call).upload, "GET": (*call).listUploads}, methods{"GET": (*call).showUpload}
}

// routeUpload finds the handler of an upload's path below Path.
func (c *call) routeUpload(rest []string) (handler, error) {
	all, one := uploadMethods()
	switch len(rest) {
	case 0:
		return c.method(all)
	case 1:
		return c.resource(one, rest[0])
	}
	return nil, notFound()
}

// routeScript finds the handler of a path that a script for Microsoft Graph calls. What stands for the application and for its job is not looked at: the token says
// whose they are.
func (c *call) routeScript(parts []string) (handler, error) {
	const principals, audit = "servicePrincipals", "auditLogs"
	if len(parts) < 2 || !slices.Contains(scriptVersions, parts[0]) {
		return nil, notFound()
	}
	c.version = parts[0]
	rest := parts[1:]
	switch {
	case len(rest) == 2 && rest[0] == audit && rest[1] == "provisioning":
		return c.method(methods{"GET": (*call).provisioningLog})
	case rest[0] != principals:
		return nil, notFound()
	case len(rest) == 1:
		return c.method(methods{"GET": (*call).listPrincipals})
	case len(rest) == 2:
		return c.method(methods{"GET": (*call).showPrincipal})
	case len(rest) < 4 || rest[2] != "synchronization" || rest[3] != "jobs":
		return nil, notFound()
	case len(rest) == 4:
		return c.method(methods{"GET": (*call).listJobs})
	case len(rest) == 5:
		c.job = rest[4]
		return c.method(methods{"GET": (*call).showJob})
	case len(rest) == 6 && rest[5] == "bulkUpload":
		c.job = rest[4]
		return c.method(methods{"POST": (*call).upload})
	}
	return nil, notFound()
}

// upload keeps what an HR system sends.
func (c *call) upload() (answer, error) {
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	n, err := c.countUpload(body)
	if err != nil {
		return answer{}, err
	}
	u, err := c.people.ReceiveUpload(c.ctx, c.asker(http.StatusAccepted), c.job, n, c.raw)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, location: c.uploadLocation(u)}, nil
}

// countUpload refuses what is no bulk request, or too long a one, and returns how many operations it has. What is wrong with a single operation is said in the log.
func (c *call) countUpload(body object) (int, error) {
	n := operationsOf(body)
	if n > c.limits.Bulk {
		return 0, identity.Errorf(identity.TooLarge, "The number of operations exceeds maxOperations (%d). Send several requests.", c.limits.Bulk)
	}
	schemas, _ := member(body, "schemas")
	if list, ok := schemas.([]any); !ok || !holds(list, bulkRequestURN) {
		return 0, bad(invalidValue, "schemas must hold %q.", bulkRequestURN)
	}
	if n == 0 {
		return 0, bad(invalidSyntax, "Operations must be a list with at least one operation.")
	}
	v, _ := member(body, "Operations")
	list, _ := v.([]any)
	for _, o := range list {
		if _, ok := o.(object); !ok {
			return 0, bad(invalidSyntax, "Each of Operations must be an object.")
		}
	}
	return n, nil
}

// uploadLocation is where to read what becomes of an upload: the log of scripts for those who came by their path.
func (c *call) uploadLocation(u identity.Upload) string {
	if c.version == "" {
		return c.base + "/bulkUpload/" + string(u.ID)
	}
	filter := "jobId eq '" + strings.ReplaceAll(u.Job, "'", "''") + "' and cycleId eq '" + string(u.ID) + "'"
	return c.origin + "/" + c.version + "/auditLogs/provisioning?$filter=" + url.PathEscape(filter)
}

// showUpload says how far an upload is, with a page of its log.
func (c *call) showUpload() (answer, error) {
	q, err := c.pageOfLog("count", "after")
	if err != nil {
		return answer{}, err
	}
	u, err := c.people.Upload(c.ctx, c.by, identity.UploadID(c.id))
	if err != nil {
		return answer{}, err
	}
	q.Upload = u.ID
	log, err := c.people.UploadLog(c.ctx, c.by, q)
	if err != nil {
		return answer{}, err
	}
	out := uploadObject(u)
	entries := make([]object, len(log.Items))
	for i, e := range log.Items {
		entries[i] = c.logObject(e)
	}
	out["entries"] = entries
	if log.More {
		out["next"] = c.base + "/bulkUpload/" + string(u.ID) + "?count=" + strconv.Itoa(q.Limit) + "&after=" + log.Items[len(log.Items)-1].ID
	}
	return answer{status: http.StatusOK, body: encode(out)}, nil
}

// listUploads lists what the directory sent, the newest first.
func (c *call) listUploads() (answer, error) {
	q, err := c.pageOfLog("count", "after")
	if err != nil {
		return answer{}, err
	}
	page, err := c.people.Uploads(c.ctx, c.by, provisioning.UploadQuery{After: identity.UploadID(q.After), Limit: q.Limit})
	if err != nil {
		return answer{}, err
	}
	list := make([]object, len(page.Items))
	for i, u := range page.Items {
		list[i] = uploadObject(provisioning.UploadDetail{Upload: u})
		list[i]["location"] = c.base + "/bulkUpload/" + string(u.ID)
	}
	out := object{"uploads": list}
	if page.More {
		out["next"] = c.base + "/bulkUpload?count=" + strconv.Itoa(q.Limit) + "&after=" + string(page.Items[len(page.Items)-1].ID)
	}
	return answer{status: http.StatusOK, body: encode(out)}, nil
}

func uploadObject(u provisioning.UploadDetail) object {
	out := object{"id": u.ID, "jobId": u.Job, "state": u.State, "operations": u.Operations, "created": timestamp(u.CreatedAt)}
	if u.FinishedAt != nil {
		out["finished"] = timestamp(*u.FinishedAt)
	}
	if u.Failure != "" {
		out["failure"] = u.Failure
	}
	if p := u.Plan; p != nil {
		out["plan"] = object{
			"id": p.ID, "state": p.State, "create": p.Summary.Create, "update": p.Summary.Update, "deactivate": p.Summary.Deactivate, "restore": p.Summary.Restore,
			"skip": p.Summary.Skip, "conflict": p.Summary.Conflict, "errors": p.Summary.Errors, "done": p.Summary.Done, "holds": append([]string{}, p.Summary.Holds...),
		}
	}
	return out
}
