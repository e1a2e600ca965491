package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"sync"
	"sync/atomic"
)

// seeders is how many clients send Bulk at once, bulkSize how many creations one request has, stateSize how many ids a load picks from.
const (
	seeders   = 2
	bulkSize  = 1000
	stateSize = 20_000
)

// people are the users of a server that the load knows, in the shape that scimload keeps them.
type people struct {
	Next  int      `json:"next"` // the number of the next user to make
	IDs   []string `json:"ids"`
	Names []string `json:"names"`
}

// sample returns so many of them, or all, chosen at random: a load that knows only the newest would meet warm pages.
func (p people) sample(n int) people {
	chosen := people{Next: p.Next}
	for _, i := range rand.Perm(len(p.IDs))[:min(n, len(p.IDs))] {
		chosen.IDs, chosen.Names = append(chosen.IDs, p.IDs[i]), append(chosen.Names, p.Names[i])
	}
	return chosen
}

// save writes them as a state of scimload.
func (p people) save(file string) error {
	content, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}

// seedByBulk creates users through the front door, as any client would: their events, roles and indexes are all there.
func (g *growing) seedByBulk(ctx context.Context, c *contender, users int) (people, error) {
	g.say("  seeding %s users into the %s", grouped(users), c.name)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	made := people{Next: users, IDs: make([]string, users), Names: make([]string, users)}
	var next atomic.Int64
	var workers sync.WaitGroup
	failures := make([]error, seeders)
	for w := range seeders {
		workers.Go(func() {
			own := newConnection(c)
			defer own.close()
			for ctx.Err() == nil {
				first := int(next.Add(bulkSize)) - bulkSize
				if first >= users {
					return
				}
				if failures[w] = made.create(ctx, own, first, min(first+bulkSize, users)); failures[w] != nil {
					cancel()
					return
				}
				if done := first + bulkSize; done%100_000 == 0 && done < users {
					g.say("    %s", grouped(done))
				}
			}
		})
	}
	workers.Wait()
	return made, errors.Join(failures...)
}

// create makes the users with the numbers from first to before last in one request, and keeps their ids.
func (p people) create(ctx context.Context, own *connection, first, last int) error {
	var body bytes.Buffer
	body.WriteString(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`)
	for n := first; n < last; n++ {
		if n > first {
			body.WriteByte(',')
		}
		p.Names[n] = fmt.Sprintf("user%07d@example.com", n)
		fmt.Fprintf(&body, `{"method":"POST","path":"/Users","bulkId":"b%d","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,`+
			`"externalId":"ext-%d","name":{"givenName":"Given%d","familyName":"Family%d"},"displayName":"Given%d Family%d","active":true,`+
			`"emails":[{"value":%q,"type":"work","primary":true}]}}`, n, p.Names[n], n, n, n, n, n, p.Names[n])
	}
	body.WriteString(`]}`)
	answer, err := own.do(ctx, http.MethodPost, "/Bulk", body.Bytes())
	if err != nil {
		return err
	}
	var result struct {
		Operations []struct {
			Location string          `json:"location"`
			Status   json.RawMessage `json:"status"`
			Response json.RawMessage `json:"response"`
		}
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return err
	}
	if len(result.Operations) != last-first {
		return fmt.Errorf("POST /Bulk: %d results for %d operations", len(result.Operations), last-first)
	}
	for i, o := range result.Operations {
		if !bytes.Contains(o.Status, []byte("201")) {
			return fmt.Errorf("POST /Bulk: an operation is answered %s: %.300s", o.Status, o.Response)
		}
		p.IDs[first+i] = path.Base(o.Location)
	}
	return nil
}
