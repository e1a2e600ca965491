package main

import (
	"context"
	"fmt"
	"net/http"
)

// fakeEntra pushes the way Microsoft Entra's provisioning service does: lookups by userName, operations with capital letters, value paths and
// URN paths, booleans as text, and groups that are created empty and then get their members one PATCH at a time.
type fakeEntra struct {
	pusher
	people []*person
}

// push runs one cycle of provisioning.
func (e *fakeEntra) push(ctx context.Context) error {
	for _, who := range e.people {
		if err := e.assign(ctx, who); err != nil {
			return err
		}
	}
	if err := e.update(ctx, e.people[0]); err != nil {
		return err
	}
	return e.pushGroup(ctx, "Flight Research")
}

func (e *fakeEntra) assign(ctx context.Context, who *person) (err error) {
	if err = e.lookup(ctx, "Users", "userName", who.email, "", "Nobody has this user name yet."); err != nil {
		return err
	}
	who.id, err = e.create(ctx, "Users", object{
		"schemas": list{coreUser, enterprise}, "userName": who.email, "externalId": who.key, "active": true, "displayName": who.name(),
		"meta": object{"resourceType": "User"}, "title": who.title,
		"name":     object{"formatted": who.name(), "givenName": who.given, "familyName": who.family},
		"emails":   list{object{"primary": true, "type": "work", "value": who.email}},
		enterprise: object{"department": "Computing"},
	}, who.name()+" is a user of Globex now.")
	return err
}

// update sends the forms of PATCH that only Entra writes.
func (e *fakeEntra) update(ctx context.Context, who *person) error {
	return e.patch(ctx, "/Users/"+who.id, http.StatusOK, "Department, telephone and state in one PATCH, spelled as only Entra does.",
		object{"op": "Replace", "path": enterprise + ":department", "value": "Trajectories"},
		object{"op": "Add", "path": `phoneNumbers[type eq "work"].value`, "value": "+1 555 0100"},
		object{"op": "Replace", "path": "active", "value": "True"})
}

func (e *fakeEntra) pushGroup(ctx context.Context, name string) error {
	if err := e.lookup(ctx, "Groups", "displayName", name, "&excludedAttributes=members", "No such group yet."); err != nil {
		return err
	}
	id, err := e.create(ctx, "Groups", object{
		"schemas": list{coreGroup}, "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159", "displayName": name, "meta": object{"resourceType": "Group"},
	}, fmt.Sprintf("The group %s is there, still empty.", name))
	if err != nil {
		return err
	}
	for _, who := range e.people {
		add := object{"op": "Add", "path": "members", "value": list{object{"$ref": nil, "value": who.id}}}
		if err := e.patch(ctx, "/Groups/"+id, http.StatusNoContent, who.given+" joined; the answer is empty, whatever the group's size.", add); err != nil {
			return err
		}
	}
	return nil
}
