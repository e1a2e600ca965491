package main

import (
	"context"
	"fmt"
	"net/http"
)

// fakeOkta pushes the way Okta's provisioning and its Push Groups do: it looks a person up by userName, posts, updates a profile with PUT,
// deactivates with a PATCH without a path, and pushes a group by its name and then its members.
type fakeOkta struct {
	pusher
	people []*person
}

// push assigns everybody to the application, then pushes a group.
func (o *fakeOkta) push(ctx context.Context) error {
	for _, who := range o.people {
		if err := o.assign(ctx, who); err != nil {
			return err
		}
	}
	if err := o.update(ctx, o.people[0], "Countess of Computing"); err != nil {
		return err
	}
	return o.pushGroup(ctx, "Engineering")
}

func (o *fakeOkta) assign(ctx context.Context, who *person) (err error) {
	err = o.lookup(ctx, "Users", "userName", who.email, "&startIndex=1&count=100", "Nobody has this user name yet, so Okta goes on to create her.")
	if err != nil {
		return err
	}
	who.id, err = o.create(ctx, "Users", o.profile(who), who.name()+" is a user of Acme now.")
	return err
}

// profile is a user as Okta writes it.
func (o *fakeOkta) profile(who *person) object {
	return object{
		"schemas": list{coreUser}, "userName": who.email, "externalId": who.key, "active": true, "displayName": who.name(), "locale": "en-US",
		"title": who.title, "name": object{"givenName": who.given, "familyName": who.family},
		"emails": list{object{"primary": true, "value": who.email, "type": "work"}}, "groups": list{},
	}
}

// update changes a profile: Okta reads the whole user and writes it back.
func (o *fakeOkta) update(ctx context.Context, who *person, title string) error {
	if _, err := o.send(ctx, http.MethodGet, "/Users/"+who.id, nil, http.StatusOK, "Okta reads "+who.given+" before it writes."); err != nil {
		return err
	}
	who.title = title
	body := o.profile(who)
	body["id"] = who.id
	_, err := o.send(ctx, http.MethodPut, "/Users/"+who.id, body, http.StatusOK, fmt.Sprintf("The title is %q now; an event keeps before and after.", title))
	return err
}

func (o *fakeOkta) pushGroup(ctx context.Context, name string) error {
	if err := o.lookup(ctx, "Groups", "displayName", name, "&startIndex=1&count=100", "No such group yet."); err != nil {
		return err
	}
	first := o.people[0]
	id, err := o.create(ctx, "Groups", object{
		"schemas": list{coreGroup}, "displayName": name, "members": list{member(first)},
	}, fmt.Sprintf("The group %s is there, with %s.", name, first.given))
	if err != nil {
		return err
	}
	for _, who := range o.people[1:] {
		add := object{"op": "add", "path": "members", "value": list{member(who)}}
		if err := o.patch(ctx, "/Groups/"+id, http.StatusOK, who.given+" joined the group; nobody else was touched.", add); err != nil {
			return err
		}
	}
	return nil
}

func member(who *person) object { return object{"value": who.id, "display": who.email} }

// deactivate is what Okta sends when somebody loses the application.
func (o *fakeOkta) deactivate(ctx context.Context, who *person) error {
	return o.patch(ctx, "/Users/"+who.id, http.StatusOK, who.given+" may no longer come in; every session of hers ended with it.",
		object{"op": "replace", "value": object{"active": false}})
}
