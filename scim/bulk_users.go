package scim

import (
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/provisioning"
)

// maxPeople is how many operations in a row are made together.
const maxPeople = 1000

// newPeople returns the operations from one on, without a gap, that create users and refer to nothing: they can be made together and it looks as
// if one came after the other. A client that wants to stop at an error gets each by itself.
func (b *bulk) newPeople(at int) []*bulkOperation {
	end := at
	for ; b.most == 0 && end < len(b.operations) && end-at < maxPeople; end++ {
		o := b.operations[end]
		if o.state != bulkWaiting || o.fault != nil || o.method != http.MethodPost || len(o.needs) > 0 {
			break
		}
		if parts, err := b.target(o); err != nil || parts[0] != "Users" {
			break
		}
	}
	return b.operations[at:end]
}

// createPeople creates users together. What is wrong with one of them is the fault of that one alone.
func (b *bulk) createPeople(list []*bulkOperation) {
	if b.stopped() || time.Since(b.c.began) > bulkTime {
		for _, o := range list {
			b.run(o) // which says so
		}
		return
	}
	c := *b.c
	c.part = true
	var users []provisioning.NewUser
	var sound []*bulkOperation
	for _, o := range list {
		o.state = bulkRunning
		u, err := newUser(o.data, c.dialect)
		if err != nil {
			b.settle(o, answer{}, err)
			continue
		}
		users, sound = append(users, provisioning.NewUser{User: u}), append(sound, o)
	}
	for i, made := range c.people.CreateUsers(c.ctx, c.asker(http.StatusCreated), users) {
		a := answer{status: http.StatusCreated, location: c.location(userType, string(made.User.ID)), etag: etag(made.User.Version)}
		b.settle(sound[i], a, made.Err)
	}
	b.finish()
}
