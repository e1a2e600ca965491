package access

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

func (d *document) checkTenancy(bad *mistakes) {
	t := d.Tenancy
	checkWord(bad, "tenancy: mode", t.Mode, "multi", "single")
	checkOptional(bad, "tenancy: move_users", t.MoveUsers, "platform")
	if t.Landing.Holding && t.Landing.Tenant != "" {
		bad.add("tenancy: landing", "tenancy: landing is a tenant or a holding state, not both")
	}
	if t.Landing.DataAccess != "" {
		d.checkDataLevel(bad, "tenancy: landing: data_access", t.Landing.DataAccess)
	}
	r, ok := d.role(t.Landing.Role)
	switch {
	case !ok:
		bad.add("tenancy: landing", "tenancy: landing names the role %q, which roles does not list", t.Landing.Role)
	case r.Scope == identity.ScopePlatform:
		bad.add("tenancy: landing", "tenancy: landing: %s is a platform role; whom nobody knows gets a role of a tenant", r.ID)
	case d.grants(r, manages...):
		bad.add("tenancy: landing", "tenancy: landing: %s may manage people; whom nobody knows cannot", r.ID)
	}
}

func (d *document) checkPeople(bad *mistakes) {
	checkOptional(bad, "onboarding: default", d.Onboarding.Default, "invite", "password", "none")
	checkAge(bad, "onboarding: invite_ttl", d.Onboarding.InviteTTL)
	checkWords(bad, "onboarding: accept_fields", d.Onboarding.AcceptFields, "password", "first_name", "last_name")
	checkOptional(bad, "lifecycle: delete", d.Lifecycle.Delete, "hidden", "permanent", "remove_from_tenant")
	checkWord(bad, "login: identifier", d.Login.Identifier, "email", "username", "username_or_email")
	checkWords(bad, "login: username_mutable_by", d.Login.UsernameMutableBy, "admin", "self")
	if len(d.Login.Methods) == 0 {
		bad.add("login: methods", "login: methods is empty: nobody could come in")
	}
	for _, method := range d.Login.Methods {
		kind, provider, named := strings.Cut(method, ":")
		checkWord(bad, "login: methods", kind, "password", "saml", "oidc")
		if named {
			checkID(bad, "login: methods "+method, provider)
		}
	}
	if d.Fields != nil {
		checkWords(bad, "fields: email: required_for", d.Fields.Email.RequiredFor, "sso", "invite", "scim")
	}
	if d.SSO != nil {
		checkWords(bad, "sso: match", d.SSO.Match, "identity", "external_id", "verified_email")
		checkOptional(bad, "sso: jit", d.SSO.JIT, "landing", "tenant", "refuse")
	}
	if u := d.UserTypes; u != nil {
		u.check(bad, d)
	}
}

func (u *userTypes) check(bad *mistakes, d *document) {
	seen := map[string]bool{}
	for _, t := range u.Items {
		checkID(bad, "user_types "+t.ID, t.ID)
		checkOnce(bad, "user_types", t.ID, seen)
		checkText(bad, "user_types "+t.ID+": title", t.Title)
		checkCount(bad, "user_types "+t.ID+": max_users", t.MaxUsers)
		if t.DefaultRole != "" {
			d.checkRole(bad, "user_types "+t.ID+": default_role", t.DefaultRole)
		}
	}
	if u.Default != "" && !seen[u.Default] {
		bad.add("user_types: default", "user_types: default names %q, which items does not list", u.Default)
	}
}

func (d *document) checkAccess(bad *mistakes) {
	checkCount(bad, "assignment: min", d.Assignment.Min)
	checkCount(bad, "assignment: max", d.Assignment.Max)
	if d.Assignment.Max > 0 && d.Assignment.Max < d.Assignment.Min {
		bad.add("assignment: max", "assignment: max is smaller than min; 0 means any number")
	}
	if d.DataAccess != nil {
		d.checkDataAccess(bad)
	}
	if b := d.BusinessUnits; b != nil {
		checkText(bad, "business_units: label", b.Label)
		checkOptional(bad, "business_units: visibility", b.Visibility, "subtree", "own", "all")
	}
	if k := d.APIKeys; k != nil {
		k.check(bad, d)
	}
	p := d.Policies
	checkCount(bad, "policies: password: min_length", p.Password.MinLength)
	checkCount(bad, "policies: password: history", p.Password.History)
	if p.Password.Classes < 0 || p.Password.Classes > 4 {
		bad.add("policies: password: classes", "policies: password: classes is %d; there are 4: small letters, capitals, digits, others", p.Password.Classes)
	}
	checkAge(bad, "policies: password: max_age", p.Password.MaxAge)
	checkCount(bad, "policies: lockout: max_retries", p.Lockout.MaxRetries)
	checkAge(bad, "policies: lockout: window", p.Lockout.Window)
	checkAge(bad, "policies: session: idle", p.Session.Idle)
	checkAge(bad, "policies: session: absolute", p.Session.Absolute)
	for _, role := range p.TwoFactor.EnforceRoles {
		d.checkRole(bad, "policies: two_factor: enforce_roles", role)
	}
	checkOptional(bad, "policies: self_service: email", p.SelfService.Email, "verify", "free", "off")
	if d.Reviews != nil {
		checkAge(bad, "reviews: admins_every", d.Reviews.AdminsEvery)
	}
	checkWords(bad, "role_fields", d.RoleFields, "name", "description", "intended_for", "provides", "last_reviewed")
	for _, key := range slices.Sorted(maps.Keys(d.Console)) {
		checkWord(bad, "console: "+key, key, captions...)
	}
}

// captions are the words of the pages that a model may choose.
var captions = []string{"add", "import_page", "invite", "menu", "records_page", "roles_page", "save", "settings_page", "users_page"}

// checkDataAccess wants the levels from the narrowest to the widest, as the pages and the decisions do.
func (d *document) checkDataAccess(bad *mistakes) {
	a := d.DataAccess
	checkWord(bad, "data_access: where", a.Where, LevelOfUser, LevelOfGrant)
	d.checkDataLevel(bad, "data_access: default", a.Default)
	known := []string{LevelPersonal, LevelTeam, LevelBranch, LevelGlobal}
	checkWords(bad, "data_access: levels", a.Levels, known...)
	if len(a.Levels) == 0 {
		bad.add("data_access", "data_access: levels is empty")
	}
	if !slices.IsSortedFunc(a.Levels, func(x, y string) int { return slices.Index(known, x) - slices.Index(known, y) }) {
		bad.add("data_access: levels", "data_access: levels stand in another order than %s", strings.Join(known, ", "))
	}
	if d.BusinessUnits == nil && (slices.Contains(a.Levels, LevelTeam) || slices.Contains(a.Levels, LevelBranch)) {
		bad.add("data_access: levels", "data_access: the levels team and branch need business_units")
	}
}

func (k *apiKeys) check(bad *mistakes, d *document) {
	checkOptional(bad, "api_keys: format", k.Format, "jwt", "opaque")
	checkOptional(bad, "api_keys: reveal", k.Reveal, "always", "once")
	checkOptional(bad, "api_keys: on_deactivate", k.OnDeactivate, "block", "revoke")
	if k.AllowedRoles.word != "" && k.AllowedRoles.word != "*" {
		bad.add("api_keys: allowed_roles", `api_keys: allowed_roles is %q; write "*" or a list of roles`, k.AllowedRoles.word)
	}
	for _, role := range k.AllowedRoles.list {
		d.checkRole(bad, "api_keys: allowed_roles", identity.RoleID(role))
	}
}

func (d *document) checkInvariants(bad *mistakes) {
	for _, i := range d.Invariants {
		at := "invariants: " + i.Kind
		checkWord(bad, "invariants: kind", i.Kind, "tenant_xor_platform_role", "last_admin", "tenant_owner", "role_in_use", "open_assignments", "unique_user_type")
		checkCount(bad, at+": count", i.Count)
		checkOptional(bad, at+": mode", i.Mode, "reassign", "refuse")
		checkOptional(bad, at+": on_person", i.OnPerson, "block", "warn")
		checkOptional(bad, at+": on_scim", i.OnSCIM, "refuse", "suspend", "proceed_and_flag")
		checkWords(bad, at+": deny", i.Deny, "edit", "delete", "deactivate", "role_change")
		if i.Role != "" {
			d.checkRole(bad, at, i.Role)
		}
		if i.Kind == "last_admin" && (i.Role == "") == !i.Flag {
			bad.add(at, "%s: name a role, or flag: true with an admin_flag", at)
		}
		if i.Kind == "tenant_owner" && i.Role == "" {
			bad.add(at, "%s: name the role that an owner has", at)
		}
		if i.Kind == "unique_user_type" && i.Type == "" {
			bad.add(at, "%s: name the type", at)
		}
		if i.Flag && d.AdminFlag == nil {
			bad.add(at, "%s: flag needs an admin_flag", at)
		}
		if i.Type != "" && (d.UserTypes == nil || !slices.ContainsFunc(d.UserTypes.Items, func(t userType) bool { return t.ID == i.Type })) {
			bad.add(at, "%s names the user type %q, which user_types does not list", at, i.Type)
		}
	}
}

func (d *document) checkDataLevel(bad *mistakes, at, level string) {
	if d.DataAccess == nil {
		bad.add(at, "%s needs data_access with its levels", at)
		return
	}
	checkWord(bad, at, level, d.DataAccess.Levels...)
}

func checkAge(bad *mistakes, at string, d time.Duration) {
	if d < 0 {
		bad.add(at, "%s is negative", at)
	}
}
