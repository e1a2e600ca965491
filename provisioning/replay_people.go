package provisioning

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// noAttributes are the fields that an event about a user names beside those of the person.
var noAttributes = []string{
	"tenant", "role", "source", "sessions", "api keys", "password", "directory", "avatar", "joined", "joined with", fieldOpenWork, "kept out by",
	"user type", "unit", "team", "data level", "external", "administrator",
}

// create writes a new user as the event tells.
func (t *told) create(ctx context.Context, tx *store.Tx) error {
	u := identity.User{
		ID: t.UserID, TenantID: t.tenant, Version: 1, CreatedAt: t.At, UpdatedAt: t.At, Attributes: []byte("{}"),
	}
	if t.nameless {
		u.UserName, u.DisplayName = string(u.ID), string(u.ID)
	}
	if err := t.set(&u); err != nil {
		return err
	}
	if err := normalise(&u); err != nil {
		return err
	}
	if err := tx.InsertUser(ctx, u); err != nil {
		return err
	}
	if t.directory != "" && !t.nameless {
		link := identity.DirectoryLink{DirectoryID: t.directory, UserID: u.ID, ExternalID: u.ExternalID, Active: u.Enabled}
		if err := tx.PutDirectoryLink(ctx, link); err != nil {
			return err
		}
	}
	for _, title := range texts(t.Changes, "role") {
		if err := t.give(ctx, tx, u.ID, title, t.bornWith()); err != nil {
			return err
		}
	}
	return nil
}

// bornWith is where the first role of a new user came from, which the event does not say.
func (t *told) bornWith() identity.SourceKind {
	switch {
	case t.Door == "import":
		return identity.SourceImport
	case t.ActorKind == identity.ActorDirectory, t.ActorKind == identity.ActorConnection:
		return identity.SourceDefault
	}
	return identity.SourceManual
}

// now returns the user as they are there, deleted or not.
func (t *told) now(ctx context.Context, tx *store.Tx) (identity.User, error) {
	id := identity.UserID(t.r.ids[string(t.UserID)])
	u, err := tx.UserForUpdate(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		u, err = tx.DeletedUserForUpdate(ctx, store.Everything(), id)
	}
	return u, err
}

// write writes a user who is there already.
func (t *told) write(ctx context.Context, tx *store.Tx, before, after identity.User) error {
	after.Version, after.UpdatedAt = before.Version+1, t.At
	return tx.UpdateUser(ctx, before, after)
}

// change gives a user the values of the event, and the directory that wrote it its word.
func (t *told) change(ctx context.Context, tx *store.Tx) error {
	before, err := t.now(ctx, tx)
	if err != nil {
		return err
	}
	after := before
	if t.Type == identity.UserRestored {
		after.DeletedAt = nil
	}
	if err := t.set(&after); err != nil {
		return err
	}
	if err := t.links(ctx, tx, before, after); err != nil {
		return err
	}
	return t.write(ctx, tx, before, after)
}

// links keeps what directories say of a user.
func (t *told) links(ctx context.Context, tx *store.Tx, before, after identity.User) error {
	if t.nameless {
		return nil
	}
	links, err := tx.DirectoryLinks(ctx, before.ID)
	if err != nil {
		return err
	}
	for _, c := range t.Changes {
		name, _ := c.Before.(string)
		if i := slices.IndexFunc(links, func(l identity.DirectoryLink) bool { return l.DirectoryName == name }); c.Field == "directory" && i >= 0 { // released
			if err := tx.DeleteDirectoryLink(ctx, links[i].DirectoryID, before.ID); err != nil {
				return err
			}
		}
	}
	if t.directory == "" {
		return nil
	}
	own := identity.DirectoryLink{DirectoryID: t.directory, UserID: before.ID, Active: true}
	for _, l := range links {
		if l.DirectoryID == t.directory {
			own = l
		}
	}
	for _, c := range t.Changes {
		switch {
		case c.Field == "externalId":
			own.ExternalID, _ = c.After.(string)
		case c.Field == "active" || strings.HasPrefix(c.Field, "active at "):
			own.Active, _ = c.After.(bool)
		}
	}
	return tx.PutDirectoryLink(ctx, own)
}

// set gives a user the fields of the event.
func (t *told) set(u *identity.User) error {
	attributes := object(u.Attributes)
	if attributes == nil {
		attributes = map[string]any{}
	}
	for _, c := range t.Changes {
		var err error
		switch {
		case c.Field == "active":
			u.Enabled, _ = c.After.(bool)
		case c.Field == "held":
			u.Held, _ = c.After.(bool)
		case t.nameless:
		case c.Field == "userName":
			err = into(c.After, &u.UserName)
		case c.Field == "displayName":
			u.DisplayName, _ = c.After.(string)
		case c.Field == "externalId":
			u.ExternalID, _ = c.After.(string)
		case c.Field == "emails":
			err = setEmails(u, c.After)
		case slices.Contains(noAttributes, c.Field) || strings.HasPrefix(c.Field, "active at "):
		case c.After == nil:
			delete(attributes, c.Field)
		default:
			attributes[c.Field] = c.After
		}
		if err != nil {
			return err
		}
	}
	raw, err := json.Marshal(attributes)
	u.Attributes = raw
	return err
}

// setEmails gives a user addresses. Events keep no more of them than that: what was known of one before stays, and the first is the main one.
func setEmails(u *identity.User, v any) error {
	var list []string
	if err := into(v, &list); err != nil {
		return err
	}
	known := map[string]identity.Email{}
	for _, e := range u.Emails {
		known[e.Value] = e
	}
	u.Emails = make([]identity.Email, 0, len(list))
	primary := false
	for _, address := range list {
		e, ok := known[address]
		if !ok {
			e = identity.Email{Value: address, Type: "work"}
		}
		primary = primary || e.Primary
		u.Emails = append(u.Emails, e)
	}
	if !primary && len(u.Emails) > 0 {
		u.Emails[0].Primary = true
	}
	return nil
}

// place moves a user to another tenant, out of the groups of the one before.
func (t *told) place(ctx context.Context, tx *store.Tx) error {
	before, err := t.now(ctx, tx)
	if err != nil {
		return err
	}
	after := before
	after.TenantID = t.tenant
	if before.TenantID != "" && before.TenantID != after.TenantID {
		if _, err := leaveGroups(ctx, tx, before); err != nil {
			return err
		}
	}
	return t.write(ctx, tx, before, after)
}

// bury deletes a user.
func (t *told) bury(ctx context.Context, tx *store.Tx) error {
	before, err := t.now(ctx, tx)
	if err != nil {
		return err
	}
	after, at := before, t.At
	after.DeletedAt, after.Enabled, after.Held = &at, false, before.Held || t.directory == ""
	if err := t.links(ctx, tx, before, after); err != nil {
		return err
	}
	if _, err := tx.DeleteMembershipsOf(ctx, before.ID); err != nil {
		return err
	}
	return t.write(ctx, tx, before, after)
}

// assign gives a role as the event tells.
func (t *told) assign(ctx context.Context, tx *store.Tx) error {
	u, err := t.now(ctx, tx)
	if err != nil {
		return err
	}
	for _, title := range texts(t.Changes, "role") {
		source := identity.SourceManual
		if s := texts(t.Changes, "source"); len(s) > 0 {
			source = identity.SourceKind(s[0])
		}
		if err := t.give(ctx, tx, u.ID, title, source); err != nil {
			return err
		}
	}
	return nil
}

func (t *told) give(ctx context.Context, tx *store.Tx, to identity.UserID, title string, source identity.SourceKind) error {
	role, ok := t.role(title)
	if !ok {
		return nil
	}
	a := identity.Assignment{
		ID: identity.NewID[identity.AssignmentID](), UserID: to, RoleID: role, Application: identity.DefaultApplication,
		Source: source, Reason: t.Reason, GrantedBy: t.ActorLabel, CreatedAt: t.At,
	}
	if source == identity.SourceDirectory || source == identity.SourceClaim {
		a.SourceID = t.r.there(t.ActorID)
	}
	return tx.InsertAssignment(ctx, a)
}

// role returns the role of a title. One that is gone is named: whoever held it lost it since.
func (t *told) role(title string) (identity.RoleID, bool) {
	id, known := t.r.roles[title]
	if _, there := t.r.into.model.Role(id); known && there {
		return id, true
	}
	t.r.leave("the role "+title+" is not there any more", string(t.ID))
	return "", false
}

// unassign takes a role away: the one of the source that the event names, or else any of that role.
func (t *told) unassign(ctx context.Context, tx *store.Tx) error {
	held, err := tx.Assignments(ctx, identity.UserID(t.r.ids[string(t.UserID)]))
	if err != nil {
		return err
	}
	sources := texts(t.Changes, "source")
	for _, title := range texts(t.Changes, "role") {
		role, ok := t.role(title)
		if !ok {
			continue
		}
		of := func(a identity.Assignment) bool { return a.RoleID == role }
		exact := func(a identity.Assignment) bool { return of(a) && slices.Contains(sources, string(a.Source)) }
		i := slices.IndexFunc(held, exact)
		if i < 0 {
			i = slices.IndexFunc(held, of)
		}
		if i < 0 {
			return identity.Errorf(identity.NotFound, "The person does not have the role %s there.", title)
		}
		if err := tx.DeleteAssignment(ctx, held[i].ID); err != nil {
			return err
		}
	}
	return nil
}
