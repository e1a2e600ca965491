package identity

import "time"

// Request is the journal entry of what a directory sent. Writes and failed reads are kept; plain successful reads are counted.
type Request struct {
	ID          RequestID // what the answer's X-Request-Id says
	At          time.Time
	DirectoryID DirectoryID
	TenantID    TenantID
	Method      string
	Path        string // with the query
	Body        string // redacted and cut
	Status      int
	Code        string // the scimType of the answer, such as "uniqueness"
	Detail      string // the answer's explanation when something failed, else empty
	Operations  []RequestOperation
	Duration    time.Duration
	Kept        bool // it is in the journal already
}

// RequestOperation is one operation of a bulk request with what became of it.
type RequestOperation struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	BulkID string `json:"bulk_id,omitempty"`
	ID     string `json:"id,omitempty"` // of the resource, where there is one
	Status int    `json:"status"`       // 0: not begun
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Failed reports whether the request, or a part of it, was refused.
func (r *Request) Failed() bool { return r.Status >= 400 || r.Detail != "" }

// adviceByCode says what to do about a refusal that has a scimType.
var adviceByCode = map[string]string{
	"uniqueness":    "Somebody or something here has that name already. Look for it in the list of users: rename one of the two at the source, or, when they are one person, let an administrator link them.",
	"invalidFilter": "The source asks with a filter that is not valid or names an unknown attribute. Correct the attribute that it matches people by.",
	"invalidPath":   "The source changes an attribute that does not exist here. Correct or remove that attribute mapping at the source.",
	"invalidValue":  "A value is missing or of the wrong type. Correct the attribute mapping, or the person's record, at the source.",
	"invalidSyntax": "The body is no valid SCIM. Look at what was sent; when the source is a program of your own, correct it.",
	"noTarget":      "The source replaces a value that the person does not have. Set the directory's dialect to that of the source, or let it add the value.",
	"mutability":    "The source changes something that is read-only or required. Remove that attribute mapping at the source.",
	"tooMany":       "The source asks for too much at once. Let it ask in several requests.",
	"invalidCursor": "The source goes on with a cursor of another list. It has to start again at the first page; it usually does so by itself.",
	"expiredCursor": "The source waited too long before it asked for the next page. It has to start again at the first page.",
	"invalidCount":  "The source asks for a number of results that is none. Correct its page size.",
}

// adviceByStatus says what to do about the other refusals.
var adviceByStatus = map[int]string{
	401: "The token was wrong or has ended. Make a new one on the directory's page and put it in at the source.",
	403: "The directory may not do this: the account is a privileged one, or belongs to somebody else. An administrator must do it here.",
	404: "The source speaks of somebody or something that is not here, was deleted, or belongs to another directory. Let it synchronise the person again.",
	405: "The source uses a method that this address does not have. Check the base URL that was typed in at the source.",
	412: "It was changed in the meantime. The source has to read it again; it usually does so by itself.",
	413: "The source sends too much at once. Let it send fewer operations, or raise the limit in the settings.",
	415: "The source does not send JSON. Check which kind of connector is configured there.",
	429: "The source sends faster than the setting allows. It waits and goes on by itself; raise the rate if that happens all the time.",
	501: "The source asks for something that Drawbridge does not have. Turn that feature off at the source.",
}

// Advice returns what an administrator can do about a request that was refused, as one or two sentences, or "" when it was not.
func (r *Request) Advice() string {
	switch {
	case !r.Failed():
		return ""
	case r.Status < 400:
		return "Some of its operations failed: each says below what was wrong with it. The others were done."
	case adviceByCode[r.Code] != "":
		return adviceByCode[r.Code]
	case r.Status >= 500:
		return "Something went wrong here. The program's log has the cause under this request's id."
	case adviceByStatus[r.Status] != "":
		return adviceByStatus[r.Status]
	}
	return "The answer's explanation says what was wrong."
}
