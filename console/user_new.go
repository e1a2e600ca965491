package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// maxPersonForm is the largest form of a person in bytes: a picture and the fields around it.
const maxPersonForm = identity.MaxAvatar + maxForm

// maxRecordOptions is how many records a select offers.
const maxRecordOptions = 500

// personFormFields are the inputs of the forms of a person that can show an error of their own.
var personFormFields = []string{
	"email", "username", "displayname", "tenant", "role", "password", "confirm_password", "type", "newtype", "unit", "level", "external", "admin", "record", "avatar", "reason", "message", "start",
}

// How somebody new gets in.
const (
	startPassword = "password"
	startInvite   = "invitation"
	startNone     = "none"
)

// recordPicker offers the records of one kind that nobody is tied to.
type recordPicker struct {
	Type, Title string
	Records     []identity.Record
	More        bool // there are more than are offered
}

// unitWords is what the model says of business units.
type unitWords struct {
	Label    string
	Required bool
}

// userFormBody is the form of a person, with what the access model has.
type userFormBody struct {
	Form     form
	Tenants  []identity.Tenant
	Roles    roleOptions
	User     identity.User // when one is edited
	Now      identity.User // what it says now, when somebody was faster
	NowAt    provisioning.Standing
	Units    []unitOption
	Unit     unitWords
	Types    []identity.UserType
	AddType  bool
	Levels   []string
	External bool
	Admin    string // what the admin flag is called, where the visitor may give it
	Records  []recordPicker
	Reason   bool // one is needed
	Starts   []string
	Repeat   bool
	Rules    []authn.PasswordRule
	Warnings []identity.UserWarning
	Saves    []string // the model's buttons
	Lost     bool     // a picture was chosen that has to be chosen again
	MaxFile  int64
	Fixed    string // why the user name stays
	Owner    string // the directory that says name and address
	SignIn   string // what people sign in with
	NeedMail bool
	RoleWord string // what a role is called
	Stood    string
	Card     rolesCard // of somebody who is edited
}

func (d *Door) newUser(w http.ResponseWriter, r *http.Request, v visit) error {
	tenant, err := d.homeOr(r.Context(), r.FormValue("tenant"))
	if err != nil {
		return err
	}
	m := v.prov.Model()
	f := blank("tenant", tenant, "start", map[bool]string{true: startInvite, false: startPassword}[m.Onboarding().Default == onboardInvite])
	f.Values.Set("type", string(m.DefaultUserType()))
	if m.Onboarding().MustChangePassword {
		f.Values.Set("mustchange", "yes")
	}
	return d.userForm(w, r, v, f, nil)
}

// userForm shows the form of somebody new, with what was typed and what is wrong about it.
func (d *Door) userForm(w http.ResponseWriter, r *http.Request, v visit, f form, warnings []identity.UserWarning) error {
	b := userFormBody{Form: f, Warnings: warnings, Lost: f.Problem != nil && r.MultipartForm != nil && len(r.MultipartForm.File["avatar"]) > 0 || warnings != nil && hasFile(r)}
	if err := d.personForm(r.Context(), v, &b, identity.TenantID("")); err != nil {
		return err
	}
	m := v.prov.Model()
	b.Starts = []string{startPassword, startInvite}
	if m.Onboarding().Default != onboardPassword {
		b.Starts = append(b.Starts, startNone)
	}
	b.Repeat, b.NeedMail = m.Onboarding().ConfirmPassword, m.EmailRequired("local")
	var err error
	if b.Rules, err = d.authn.PasswordRules(r.Context(), identity.User{}, ""); err != nil {
		return err
	}
	if b.Records, err = d.recordPickers(r.Context(), v, f); err != nil {
		return err
	}
	for _, field := range []string{"password", "confirm_password"} {
		b.Form.Values.Del(field)
	}
	s := screen{Title: "New user", Nav: "users", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_new", s)
}

func hasFile(r *http.Request) bool {
	return r.MultipartForm != nil && len(r.MultipartForm.File["avatar"]) > 0
}

// personForm fills in what both forms of a person offer.
func (d *Door) personForm(ctx context.Context, v visit, b *userFormBody, tenant identity.TenantID) (err error) {
	m := v.prov.Model()
	if b.Tenants, err = d.tenantOptions(ctx, v); err != nil {
		return err
	}
	if b.Roles, err = d.roleOptions(ctx, v); err != nil {
		return err
	}
	if rule, ok := m.Units(); ok {
		b.Unit = unitWords{rule.Label, rule.Required}
	}
	if tenant == "" {
		tenant = chosenTenant(b.Form)
	}
	if b.Units, err = d.unitOptions(ctx, v, tenant, true); err != nil {
		return err
	}
	if len(b.Units) == 1 && !b.Form.Values.Has("unit") {
		b.Form.Values.Set("unit", string(b.Units[0].ID)) // there is nothing to choose
	}
	if len(m.UserTypes()) > 0 || m.UserTypesExtensible() {
		if b.Types, err = d.prov.UserTypeChoices(ctx, v.Actor); err != nil {
			return err
		}
		b.AddType = m.UserTypesExtensible()
	}
	if levels, where, _ := m.DataLevels(); where == levelOfUser {
		b.Levels = levels
	}
	if label, ok := m.AdminFlag(); ok && (v.Actor.Admin || v.Actor.TenantID == "") {
		b.Admin = label
	}
	b.RoleWord = v.roleWord()
	b.External, b.Reason, b.Saves, b.MaxFile, b.SignIn = m.ExternalFlag(), m.ReasonRequired(), m.Captions("save"), identity.MaxAvatar, m.Identifier()
	return nil
}

// recordPickers offer what somebody new can be tied to. They are of one tenant: the visitor's own, or the chosen one.
func (d *Door) recordPickers(ctx context.Context, v visit, f form) (out []recordPicker, err error) {
	tenant := chosenTenant(f)
	for _, kind := range v.prov.Model().LinkTypes() {
		if tenant == "" && v.Actor.TenantID == "" && !v.prov.Model().Single() {
			continue
		}
		page, err := d.prov.Records(ctx, v.Actor, provisioning.RecordQuery{Tenant: tenant, Type: kind.Type, Unlinked: true, Active: true, Limit: maxRecordOptions})
		if err != nil && identity.KindOf(err) != identity.NotFound {
			return nil, err
		}
		out = append(out, recordPicker{Type: kind.Type, Title: kind.Title, Records: page.Items, More: page.More})
	}
	return out, nil
}

// createUser creates somebody from the form, with a password or an invitation. What one had better look at is said once, and saved when it is sent again.
func (d *Door) createUser(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readFormUpTo(w, r, maxPersonForm, personFormFields...)
	if err != nil {
		return err
	}
	n, err := d.readUser(r, v, f)
	if err == nil {
		warnings, werr := d.heeded(r.Context(), v, f, n.User)
		if werr != nil {
			return werr
		}
		if len(warnings) > 0 {
			f.Values.Set("despite", f.Value("email"))
			return d.userForm(w, r, v, f, warnings)
		}
		var u identity.User
		if u, err = d.makeUser(r.Context(), v, f, n); err == nil {
			done := map[bool]string{true: "user-invited", false: "user-created"}[f.Value("start") == startInvite]
			http.Redirect(w, r, afterSave(f, u.ID, done), http.StatusSeeOther)
			return nil
		}
	}
	if f.refused(err) {
		return d.userForm(w, r, v, f, nil)
	}
	return err
}

// afterSave is where a form leads once it is saved: as its button says, else to the person's page.
func afterSave(f form, id identity.UserID, done string) string {
	switch f.Value("then") {
	case "reload":
		return usersPath + "/" + string(id) + "/edit?done=" + done
	case "close":
		return usersPath + "?done=" + done
	}
	return usersPath + "/" + string(id) + "?done=" + done
}

// heeded are the warnings about an address that were not shown yet.
func (d *Door) heeded(ctx context.Context, v visit, f form, u identity.User) ([]identity.UserWarning, error) {
	if f.Value("email") == "" || f.Value("despite") == f.Value("email") {
		return nil, nil
	}
	all, err := d.prov.UserWarnings(ctx, v.Actor, u)
	if v.prov.Model().Identifier() == "email" { // then nobody else may have it: that is refused
		all = slices.DeleteFunc(all, func(w identity.UserWarning) bool { return w.Kind == identity.WarnSameEmail })
	}
	return all, err
}

// makeUser creates somebody with a password, or invites them.
func (d *Door) makeUser(ctx context.Context, v visit, f form, n provisioning.NewUser) (identity.User, error) {
	if f.Value("start") != startInvite {
		return d.prov.CreateUser(ctx, v.Actor, n)
	}
	invitation, err := d.prov.Invite(ctx, v.Actor, provisioning.NewInvitation{
		Email: f.Value("email"), UserName: f.Value("username"), DisplayName: n.User.DisplayName, Tenant: n.User.TenantID, Role: n.Role, Message: f.Value("message"),
		Reason: n.Reason, Position: n.Position, Furnishing: n.Furnishing,
	})
	return invitation.User, err
}

// newPasswordRules says which rules the password of somebody new keeps while it is typed.
func (d *Door) newPasswordRules(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	rules, err := d.authn.PasswordRules(r.Context(), identity.User{TenantID: v.Actor.TenantID}, f.Values.Get("password"))
	if err != nil {
		return err
	}
	holds := map[string]bool{}
	for _, rule := range rules {
		if !rule.Later {
			holds[rule.Code] = rule.Holds
		}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(holds)
}

// addUserType adds a user type from within the form of a person, and shows that form again with the type chosen and nothing lost.
func (d *Door) addUserType(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readFormUpTo(w, r, maxPersonForm, personFormFields...)
	if err != nil {
		return err
	}
	t, err := d.prov.CreateUserType(r.Context(), v.Actor, identity.UserType{Title: f.Value("newtype")})
	if err == nil {
		f.Values.Set("type", string(t.ID))
		f.Values.Del("newtype")
	} else if !f.refused(err) {
		return err
	} else if f.Problem.Field == "title" || f.Problem.Field == "" {
		f.Problem = f.Problem.WithField("newtype")
	}
	if id, ok := identity.ParseID[identity.UserID](f.Value("user")); ok {
		return d.editForm(w, r, v, id, f)
	}
	return d.userForm(w, r, v, f, nil)
}

// HasStart reports whether the form offers a way to get in.
func (b userFormBody) HasStart(start string) bool { return slices.Contains(b.Starts, start) }

// Team reports whether an option is a team.
func (u unitOption) Team() bool { return u.Kind == identity.KindTeam }

// LevelTitle is a level of data access for people.
func (b userFormBody) LevelTitle(level string) string {
	if level == "" {
		return ""
	}
	return strings.ToUpper(level[:1]) + level[1:]
}

// saveWord is the button of a form that warned.
func saveWord(warnings []identity.UserWarning) string {
	if len(warnings) > 0 {
		return "Save anyway"
	}
	return "Save"
}

// roleWord is what the access model calls one role: the page of the roles says it, where that is one word.
func (v visit) roleWord() string {
	if page := v.Caption("roles_page", "Roles"); !strings.Contains(page, " ") {
		return strings.TrimSuffix(page, "s")
	}
	return "Role"
}
