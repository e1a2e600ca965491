package access

import (
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What a model says beside roles: rules about people that the floors above enforce. Each answer comes from the state in force; whoever needs two
// answers that belong together asks once for a struct.

func (m *Model) document() *document { return &m.now.Load().doc }

// Single reports whether everybody belongs to one tenant (MainTenant), and tenants are no subject of the pages.
func (m *Model) Single() bool { return m.document().Tenancy.Mode == "single" }

// MainTenant returns the name of the installation's own account: the one tenant where the model is single. "Main" when the model names none.
func (m *Model) MainTenant() string {
	if name := m.document().Tenancy.MainAccount; name != "" {
		return name
	}
	return "Main"
}

// SelfRegistration reports whether strangers may found a tenant of their own.
func (m *Model) SelfRegistration() bool { return m.document().Tenancy.SelfRegistration }

// MovedByPlatform reports whether only the platform moves people from one tenant to another.
func (m *Model) MovedByPlatform() bool { return m.document().Tenancy.MoveUsers == "platform" }

// Holding reports whether unknown people wait in a holding state until somebody places them, and how far they see meanwhile ("" where the model
// has no data levels).
func (m *Model) Holding() (level string, ok bool) {
	l := m.document().Tenancy.Landing
	return l.DataAccess, l.Holding
}

// Units is what a model says about the tree of business units.
type Units struct {
	Label      string // what one is called: "Branch"
	Required   bool   // every person belongs to one
	Teams      bool   // units have teams
	Root       string // name of the root unit of a tenant; "Main" where the model gives none
	Visibility string // whose records a person of a unit sees: "subtree" (the unit and all below it), "own" or "all"
}

// Units returns what the model says about business units; false when it has none.
func (m *Model) Units() (Units, bool) {
	b := m.document().BusinessUnits
	if b == nil {
		return Units{}, false
	}
	u := Units{Label: b.Label, Required: b.Required, Teams: b.Teams, Root: b.Root, Visibility: b.Visibility}
	if u.Root == "" {
		u.Root = "Main"
	}
	if u.Visibility == "" {
		u.Visibility = "own"
	}
	return u, true
}

// RootUnit returns the name of the root of every tenant's tree of business units; false when the model has none.
func (m *Model) RootUnit() (name string, ok bool) {
	u, ok := m.Units()
	return u.Root, ok
}

// Where a person's data level comes from.
const (
	LevelOfUser  = "user"  // the person's own level
	LevelOfGrant = "grant" // the widest of the roles that grant, capped by the person's
)

// DataLevels returns the levels of data access from the narrowest to the widest, where they come from (LevelOfUser, LevelOfGrant), and the level of
// whom nobody gave one. Without levels all three are empty.
func (m *Model) DataLevels() (levels []string, where, def string) {
	a := m.document().DataAccess
	if a == nil {
		return nil, "", ""
	}
	return slices.Clone(a.Levels), a.Where, a.Default
}

// AdminFlag returns what the flag that makes a person an administrator is called; false when the model has none.
func (m *Model) AdminFlag() (label string, ok bool) {
	if f := m.document().AdminFlag; f != nil {
		return f.Label, true
	}
	return "", false
}

// EnabledLabel returns the model's word for a person who may come in; "Enabled" when it has none.
func (m *Model) EnabledLabel() string {
	if l := m.document().EnabledFlag; l != nil && l.Label != "" {
		return l.Label
	}
	return "Enabled"
}

// UserTypes returns the types that came with the model, in its order. MaxUsers has the invariant unique_user_type folded in. Those that were added
// later are in the database.
func (m *Model) UserTypes() []identity.UserType {
	d := m.document()
	if d.UserTypes == nil {
		return nil
	}
	out := make([]identity.UserType, len(d.UserTypes.Items))
	for i, t := range d.UserTypes.Items {
		out[i] = identity.UserType{
			ID: identity.UserTypeID(t.ID), Application: identity.DefaultApplication, Title: t.Title, DefaultRole: t.DefaultRole,
			MaxUsers: d.mostUsers(t), Shipped: true, Position: i,
		}
	}
	return out
}

func (d *document) mostUsers(t userType) int {
	most := t.MaxUsers
	for _, i := range d.Invariants {
		if i.Kind == "unique_user_type" && i.Type == t.ID && (most == 0 || i.Count < most) {
			most = max(i.Count, 1)
		}
	}
	return most
}

// DefaultUserType returns the type of whom nobody gave one; "" when the model has no types or no default.
func (m *Model) DefaultUserType() identity.UserTypeID {
	if t := m.document().UserTypes; t != nil {
		return identity.UserTypeID(t.Default)
	}
	return ""
}

// UserTypesExtensible reports whether administrators may add types to those of the model.
func (m *Model) UserTypesExtensible() bool {
	t := m.document().UserTypes
	return t != nil && t.Extensible
}

// LinkType is a kind of record of the application that a person may be tied to.
type LinkType struct {
	Type   string // "technician"
	Title  string
	Unique bool // a record has one person and a person one record
}

// LinkTypes returns the kinds of records that people may be tied to.
func (m *Model) LinkTypes() []LinkType {
	links := m.document().Links
	out := make([]LinkType, len(links))
	for i, l := range links {
		out[i] = LinkType(l)
	}
	return out
}

// RequiresLink returns the kind of record without which nobody may use the resource; "" when it needs none.
func (m *Model) RequiresLink(resource string) string {
	if r := m.now.Load().resources[resource]; r != nil {
		return r.RequiresLink
	}
	return ""
}

// ReasonRequired reports whether whoever changes a person's roles has to say why.
func (m *Model) ReasonRequired() bool { return m.document().Assignment.ReasonRequired }

// The ways in which a new person gets in for the first time.
const (
	OnboardInvite   = "invite"   // by a link that went to the mailbox
	OnboardPassword = "password" // with a password that the administrator typed or had made
	OnboardNone     = "none"     // through a provider only
)

// Onboarding is how a new person gets in for the first time.
type Onboarding struct {
	Default            string        // OnboardInvite, OnboardPassword or OnboardNone
	InviteTTL          time.Duration // how long an invitation is valid; never 0
	AcceptFields       []string      // what the page of an invitation asks: "password", "first_name", "last_name"
	AcceptButton       string
	MailButton         string
	ResendLabel        string
	SetsPassword       bool // whoever accepts chooses a password
	MustChangePassword bool // a password that an administrator typed has to be changed
	ConfirmPassword    bool // an administrator types it twice
	WelcomeMail        bool
}

// Onboarding returns how a new person gets in. What the model does not say has a plain default; without any word people are invited.
func (m *Model) Onboarding() Onboarding {
	o := m.document().Onboarding
	out := Onboarding{
		Default: or(o.Default, OnboardInvite), InviteTTL: o.InviteTTL, AcceptFields: slices.Clone(o.AcceptFields),
		AcceptButton: or(o.AcceptButton, "Accept"), MailButton: or(o.MailButton, "Join"), ResendLabel: or(o.ResendLabel, "Send new invite"),
		SetsPassword: o.SetsPassword, MustChangePassword: o.MustChangePassword, ConfirmPassword: o.ConfirmPassword, WelcomeMail: o.WelcomeMail,
	}
	if out.InviteTTL == 0 {
		out.InviteTTL = 72 * time.Hour
	}
	return out
}

// DeleteMode says what deleting a person means.
type DeleteMode string

// The modes. A directory's DELETE leaves a tombstone at first in every mode.
const (
	DeleteHidden    DeleteMode = "hidden"             // deleting is not offered: people are deactivated
	DeletePermanent DeleteMode = "permanent"          // the person is erased
	DeleteRemove    DeleteMode = "remove_from_tenant" // the person leaves the tenant
)

// DeleteMode returns what deleting a person means; DeleteHidden when the model does not say.
func (m *Model) DeleteMode() DeleteMode {
	return DeleteMode(or(m.document().Lifecycle.Delete, string(DeleteHidden)))
}

// Deactivates reports whether administrators may deactivate people.
func (m *Model) Deactivates() bool { return m.document().Lifecycle.Deactivate }

// APIKeys is what a model says about keys of programs.
type APIKeys struct {
	JWT                    bool              // else opaque
	Lifetime               time.Duration     // 0: they do not expire
	Roles                  []identity.RoleID // who may have one; nil: every role
	RevealOnce             bool              // else its person may see it again
	SurvivesPasswordChange bool
	RevokedOnDeactivate    bool // else it only rests while the person is inactive
}

// APIKeys returns what the model says about keys of programs; false when it has none.
func (m *Model) APIKeys() (APIKeys, bool) {
	k := m.document().APIKeys
	if k == nil || !k.Enabled {
		return APIKeys{}, false
	}
	out := APIKeys{
		JWT: k.Format == "jwt", Lifetime: k.Expires.Duration, RevealOnce: k.Reveal == "once",
		SurvivesPasswordChange: k.SurvivesPasswordChange, RevokedOnDeactivate: k.OnDeactivate == "revoke",
	}
	if k.AllowedRoles.list != nil {
		out.Roles = ids(k.AllowedRoles.list)
	}
	return out, true
}

// UserNameMutableBy reports whether somebody ("admin" or "self") may change a user name once it was given.
func (m *Model) UserNameMutableBy(who string) bool {
	return slices.Contains(m.document().Login.UsernameMutableBy, who)
}

// What people type to sign in.
const (
	IdentifierEmail    = "email"
	IdentifierUserName = "username"
	IdentifierEither   = "username_or_email"
)

// Identifier returns what people type to sign in.
func (m *Model) Identifier() string { return m.document().Login.Identifier }

// Methods returns the ways to come in: "password", "saml", "oidc", or one provider such as "oidc:google".
func (m *Model) Methods() []string { return slices.Clone(m.document().Login.Methods) }

// ExternalFlag reports whether people who do not belong to the organisation are marked.
func (m *Model) ExternalFlag() bool {
	f := m.document().Fields
	return f != nil && f.External
}

// EmailRequired reports whether a person who comes this way ("local", "invite", "sso", "scim") needs an e-mail address: always where it is what
// people sign in with, and for an invitation; otherwise where the model lists the way.
func (m *Model) EmailRequired(way string) bool {
	d := m.document()
	switch {
	case way == "invite":
		return true
	case way == "local":
		return d.Login.Identifier == IdentifierEmail
	}
	return d.Fields != nil && slices.Contains(d.Fields.Email.RequiredFor, way)
}

// SignIn returns how people who come through a provider are found ("identity", "external_id", "verified_email"; nil: as the connection says), and what
// happens to those whom nobody knows: "landing", "tenant" or "refuse" ("" as the connection says).
func (m *Model) SignIn() (match []string, unknown string) {
	if s := m.document().SSO; s != nil {
		return slices.Clone(s.Match), s.JIT
	}
	return nil, ""
}

// RolesEditable reports whether roles are created, changed and deleted in the pages; otherwise they are what the model's file says.
func (m *Model) RolesEditable() bool { return m.document().RolesEditable }

// RoleFields returns what is kept about a role beside its rights: "name", "description", "intended_for", "provides", "last_reviewed".
func (m *Model) RoleFields() []string { return slices.Clone(m.document().RoleFields) }

// SelfServiceEmail returns what happens when people change their own e-mail address: "verify" (the new mailbox has to prove itself; the default),
// "free" or "off".
func (m *Model) SelfServiceEmail() string {
	return or(m.document().Policies.SelfService.Email, "verify")
}

// EnforceSecondFactor reports whether somebody with these roles must have a second factor.
func (m *Model) EnforceSecondFactor(roles []identity.RoleID) bool {
	return slices.ContainsFunc(m.document().Policies.TwoFactor.EnforceRoles, func(id identity.RoleID) bool { return slices.Contains(roles, id) })
}

// ReviewAdminsEvery returns how often somebody looks whether administrators are still right; 0 when the model does not ask for it.
func (m *Model) ReviewAdminsEvery() time.Duration {
	if r := m.document().Reviews; r != nil {
		return r.AdminsEvery
	}
	return 0
}

// Caption returns the model's word for something on the pages, or the given one: users_page, roles_page, settings_page, import_page, records_page, add, invite, menu.
func (m *Model) Caption(key, otherwise string) string {
	return or(m.document().Console[key].word, otherwise)
}

// Captions returns the model's words where there are several, such as the two buttons of save; nil when it has none.
func (m *Model) Captions(key string) []string {
	c := m.document().Console[key]
	if c.list == nil && c.word != "" {
		return []string{c.word}
	}
	return slices.Clone(c.list)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func ids(names []string) []identity.RoleID {
	out := make([]identity.RoleID, len(names))
	for i, n := range names {
		out[i] = identity.RoleID(n)
	}
	return out
}
