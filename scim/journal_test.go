package scim

import (
	"context"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// last returns the newest entry of the journal.
func (c *examiner) last() identity.Request {
	c.t.Helper()
	page, err := c.bridge.people.Requests(context.Background(), identity.Operator(), provisioning.RequestQuery{DirectoryID: c.directory.ID, Limit: 1})
	if err != nil || len(page.Items) != 1 {
		c.t.Fatalf("%d entries, %v", len(page.Items), err)
	}
	return page.Items[0]
}

func TestTheJournalSaysWhatWasAnswered(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"a refusal with its keyword and explanation", func(c *examiner) {
			c.person("ada", "")
			r := c.refused(409, "uniqueness", "POST", "/Users", userBody("ada"))
			e := c.last()
			c.expect(e.Status == 409 && e.Code == "uniqueness" && e.Detail == r.object["detail"] && e.Advice() != "" && e.Failed(), "%+v", e)
			c.expect(string(e.ID) == r.header.Get("X-Request-Id") && e.Method == "POST" && e.Path == Path+"/Users" && e.Body == userBody("ada"), "%+v", e)
		}},
		{"a failed read with its question", func(c *examiner) {
			c.refused(400, "invalidFilter", "GET", `/Users?filter=userName zz "a"`, "")
			e := c.last()
			c.expect(e.Status == 400 && e.Code == "invalidFilter" && strings.Contains(e.Path, "?filter=userName+zz"), "%+v", e)
		}},
		{"a read that succeeds is counted and not kept", func(c *examiner) {
			c.person("ada", "")
			before := c.last().ID
			c.search("/Users")
			c.ok(200, "POST", "/Users/.search", `{"schemas":["`+searchURN+`"]}`)
			c.refused(404, "", "GET", "/Users/"+nobody, "")
			c.expect(c.last().ID != before && c.last().Method == "GET", "the failed read is not the last")
			if err := c.bridge.people.WriteReads(context.Background()); err != nil {
				c.t.Fatal(err)
			}
			counts, err := c.bridge.people.ReadsToday(context.Background(), identity.Operator())
			c.expect(err == nil && counts[c.directory.ID] == 2, "%v, %v", counts, err)
		}},
		{"a long body is cut and says so", func(c *examiner) {
			c.person("ada", `"title":"`+strings.Repeat("x", maxText)+`"`)
			e := c.last()
			c.expect(len(e.Body) > maxJournal && len(e.Body) < maxJournal+100 && strings.HasSuffix(e.Body, "more bytes are not kept)"), "%d bytes: …%s", len(e.Body), e.Body[len(e.Body)-50:])
		}},
		{"each operation of a bulk request", func(c *examiner) {
			made := c.bulk(`"failOnErrors":1,`, bulkUser("a", "ada"), bulkUser("b", "ada"), bulkUser("c", "cyd"))
			e := c.last()
			location := textOf(at(made[0], "location"))
			c.expect(e.Status == 200 && len(e.Operations) == 3 && e.Detail != "", "%+v", e)
			first, second, third := e.Operations[0], e.Operations[1], e.Operations[2]
			c.expect(first.Status == 201 && first.BulkID == "a" && strings.HasSuffix(location, "/"+first.ID) && first.Path == "/Users", "%+v", first)
			c.expect(second.Status == 409 && second.Code == "uniqueness" && second.Detail != "", "%+v", second)
			c.expect(third.Status == 0, "what was not begun has the status %d", third.Status)
		}},
		{"paths that no database keeps are made such", func(c *examiner) {
			for _, path := range []string{"/Users/%00%ff", "/Users?filter=%ff%00", "/%c3%28?a=b"} {
				r, err := c.send("GET", path, nil)
				c.expect(err == nil && r.status >= 400 && string(c.last().ID) == r.header.Get("X-Request-Id"), "%s: %d %v is not kept", path, r.status, err)
			}
		}},
		{"no secret of a query, however it is written", func(c *examiner) {
			for _, query := range []string{"?filter=password+eq+%22hunter2%22", "?filter=pass%77ord+eq+%22hunter2%22", "?Client_Secret=hunter2&filter=x", "?filter=%zzhunter2"} {
				if _, err := c.send("GET", "/Users"+query, nil); err != nil {
					c.t.Fatal(err)
				}
				c.expect(!strings.Contains(c.last().Path, "hunter2") && strings.HasSuffix(c.last().Path, "?***"), "%s", c.last().Path)
			}
		}},
	})
}
