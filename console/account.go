package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// ability is one thing of the console that a visitor may do or not, with the access model's reason.
type ability struct {
	Title   string
	Allowed bool
	Reason  string
}

type accountBody struct {
	User        identity.User
	Tenant      string
	Owner       string // the directory that says who this is; empty: the person
	Picture     bool
	Assignments []assignmentRow
	Abilities   []ability
	May         []mayRow
	MayWhy      string // why, where it is the same everywhere
	MayNot      []mayRow
	Sessions    []identity.Session
	Current     identity.SessionID
	Password    authn.PasswordState
	Factor      authn.SecondFactor
	Links       []identity.Link
	Connectable []identity.Connection
	Pending     int // links that wait to be confirmed in this browser
	Keys        ownKeys
	History     []identity.Event
	Form        form // of the picture or of a key, with what was wrong
}

// historySize is how much of what happened My Account shows.
const historySize = 12

// account is My Account: who am I, what may I do and why, where am I signed in. Everybody who is signed in may open it.
func (d *Door) account(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.accountPage(w, r, v, accountBody{Form: blank()})
}

// accountPage shows it, with what a form of it came to.
func (d *Door) accountPage(w http.ResponseWriter, r *http.Request, v visit, b accountBody) error {
	for _, fill := range []func(*http.Request, visit, *accountBody) error{d.ownRecord, d.ownWaysIn, d.ownRights, d.fillKeys} {
		if err := fill(r, v, &b); err != nil {
			return err
		}
	}
	s := screen{Title: "My account", Nav: "account", Body: b}
	if b.Form.Problem != nil {
		s.Status = web.Status(b.Form.Problem)
	}
	return d.show(w, r, v, "account", s)
}

// ownRecord fills in who the visitor is and what happened lately.
func (d *Door) ownRecord(r *http.Request, v visit, b *accountBody) error {
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	b.User, b.Tenant, b.Assignments, b.Links = detail.User, detail.Tenant.Name, v.assignments(detail), detail.Links
	if len(detail.Directories) > 0 {
		b.Owner = detail.Directories[0].DirectoryName
	}
	_, err = d.prov.Avatar(r.Context(), v.Actor, v.User.ID)
	if b.Picture = err == nil; err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	if b.History, err = d.prov.OwnHistory(r.Context(), v.Actor, historySize); err != nil {
		return err
	}
	if err := d.nameIDs(r.Context(), v, b.History); err != nil {
		return err
	}
	for i := range b.History {
		b.History[i].Changes = slices.DeleteFunc(b.History[i].Changes, forPrograms)
	}
	return nil
}

// forPrograms reports whether a change tells its person nothing: it is an id that the person may not have named, or an address that stands beside the time anyway.
func forPrograms(c identity.Change) bool {
	isID := func(v any) bool {
		_, ok := identity.ParseID[string](changeValue(v))
		return ok
	}
	return c.Field == "ip" || c.Field == "externalId" || isID(c.Before) || isID(c.After)
}

// ownWaysIn fills in how the visitor comes in, and where they are.
func (d *Door) ownWaysIn(r *http.Request, v visit, b *accountBody) error {
	var err error
	if b.Sessions, err = d.authn.Sessions(r.Context(), v.Actor, v.User.ID); err != nil {
		return err
	}
	if b.Factor, err = d.authn.SecondFactor(r.Context(), v.Actor, v.User.ID); err != nil {
		return err
	}
	if b.Password, err = d.authn.PasswordState(r.Context(), v.Actor, v.User.ID); err != nil {
		return err
	}
	b.Current = v.Session.ID
	b.Connectable, b.Pending, err = d.ownLinks(r, v)
	return err
}

// mayRow is one resource of the access model with what somebody may do there.
type mayRow struct {
	Title   string
	Actions []string
	Level   string // how far the records go; empty where that is no question
	Reason  string
}

// ownRights fills in what the visitor may do, resource by resource, and what not.
func (d *Door) ownRights(r *http.Request, v visit, b *accountBody) error {
	all, err := d.prov.Permissions(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	b.Abilities = v.abilities()
	add := func(list []mayRow, a provisioning.Answer) []mayRow {
		if n := len(list); n > 0 && list[n-1].Title == a.Resource.Title && list[n-1].Level == a.Level {
			list[n-1].Actions = append(list[n-1].Actions, a.Action)
			return list
		}
		reason, _, _ := strings.Cut(titled(a.Reason, a.Resource.ID, a.Resource.Title), reasonLevel) // which stands in words of its own
		return append(list, mayRow{a.Resource.Title, []string{a.Action}, a.Level, reason})
	}
	for _, a := range all.Answers {
		if a.Allowed {
			b.May = add(b.May, a)
		} else {
			b.MayNot = add(b.MayNot, a)
		}
	}
	if len(b.May) > 1 && !slices.ContainsFunc(b.May, func(m mayRow) bool { return m.Reason != b.May[0].Reason }) {
		b.MayWhy = b.May[0].Reason
	}
	return nil
}

func (v visit) abilities() []ability {
	var out []ability
	for _, a := range []struct{ title, capability string }{
		{"See users", usersRead},
		{"Create, change and deactivate users", usersWrite},
		{"Tenants, directories, connections and placement", tenantsWrite},
		{"Read the audit trail", auditRead},
	} {
		decision := v.prov.May(v.Actor, a.capability)
		out = append(out, ability{a.title, decision.Allowed, v.worded(decision.Reason)})
	}
	return out
}

// accountRoutes are what people do with their own account, without any role. Its other routes are with their pages.
func (d *Door) accountRoutes() []route {
	return []route{
		{"GET /account", signedIn, d.account},
		{"GET /account/edit", signedIn, d.ownDataForm},
		{"POST /account/edit", signedIn, d.ownData},
		{"POST /account/picture", signedIn, d.ownPicture},
		{"POST /account/picture/remove", signedIn, d.removePicture},
		{"POST /account/keys", signedIn, d.makeOwnKey},
		{"POST /account/keys/{key}/show", signedIn, d.showOwnKey},
		{"GET /account/keys/{key}/replace", signedIn, d.asksOwnKey(replacingKey)},
		{"POST /account/keys/{key}/replace", signedIn, d.replaceOwnKey},
		{"GET /account/keys/{key}/revoke", signedIn, d.asksOwnKey(revokingKey)},
		{"POST /account/keys/{key}/revoke", signedIn, d.revokeOwnKey},
	}
}

func (d *Door) endOwnSession(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.SessionID](r, "session")
	if err != nil {
		return err
	}
	if id == v.Session.ID {
		return d.signout(w, r, v)
	}
	mine, err := d.hasSession(r, v, v.User.ID, id)
	if err != nil || !mine {
		return orNotFound(err)
	}
	if err := d.authn.EndSession(r.Context(), v.Actor, id); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=session-ended", http.StatusSeeOther)
	return nil
}

// hasSession reports whether a session belongs to a user.
func (d *Door) hasSession(r *http.Request, v visit, user identity.UserID, id identity.SessionID) (bool, error) {
	sessions, err := d.authn.Sessions(r.Context(), v.Actor, user)
	for _, s := range sessions {
		if s.ID == id {
			return true, err
		}
	}
	return false, err
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return identity.Errorf(identity.NotFound, "This session has already ended.")
}

func (d *Door) endOtherSessions(w http.ResponseWriter, r *http.Request, v visit) error {
	if _, err := d.authn.EndSessions(r.Context(), v.Actor, v.User.ID, v.Session.ID); err != nil {
		return err
	}
	http.Redirect(w, r, "/account?done=sessions-ended", http.StatusSeeOther)
	return nil
}
