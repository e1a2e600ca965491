package provisioning

import (
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The fields of a person in a table, by the names that a template and an export give them.
const (
	fieldID             = "id"
	fieldUserName       = "userName"
	fieldEmail          = "email"
	fieldDisplayName    = "displayName"
	fieldGivenName      = "givenName"
	fieldFamilyName     = "familyName"
	fieldRole           = "role"
	fieldTenant         = "tenant"
	fieldType           = "type"
	fieldUnit           = "unit"
	fieldTeam           = "team"
	fieldLevel          = "level"
	fieldExternal       = "external"
	fieldEmployeeNumber = "employeeNumber"
	fieldExternalID     = "externalId"
	fieldPhone          = "phone"
	fieldTitle          = "title"
	fieldActive         = "active"
	fieldInactive       = "inactive" // the opposite of active, as Entra asks: "Block sign in"
	fieldPassword       = "password"
	fieldPasswordHash   = "passwordHash"

	fieldDepartment   = "department"
	fieldDivision     = "division"
	fieldCostCenter   = "costCenter"
	fieldOrganization = "organization"
	fieldLocation     = "location"
	fieldManager      = "manager"
	fieldStartDate    = "startDate"
	fieldEndDate      = "endDate"
)

// ImportField is something about a person that a column of a file can say.
type ImportField struct {
	Name    string
	About   string
	Example string // for the template; empty: the template leaves the column out
	Kept    bool   // an export has it too

	headings []string // what other systems call it, as PlainKey makes them, the surest first
}

// allFields are the fields of every model, in the order of a template. The headings are those of exports of Okta, Entra ID, Workday and SuccessFactors, and what people write.
var allFields = []ImportField{
	{Name: fieldID, About: "the id that Drawbridge gave", Kept: true, headings: keys("id", "drawbridge id", "drawbridgeId")},
	{Name: fieldUserName, About: "the user name; the e-mail address when it is empty", Example: "ada@example.com", Kept: true, headings: keys(
		"user name", "userName", "login", "user.login", "User name [userPrincipalName] Required", "userPrincipalName", "user principal name", "upn", "username", "login name", "login id", "account name", "sAMAccountName",
		"Benutzername", "Anmeldename", "Anmeldekennung", "Benutzerkennung", "Benutzer", "Kennung")},
	{Name: fieldEmail, About: "the e-mail address", Example: "ada@example.com", Kept: true, headings: keys(
		"email", "e-mail", "mail", "email address", "e-mail address", "user.email", "primary email", "work email", "primary work email", "email - work", "email - primary work", "business email", "business email address",
		"email work", "E-Mail-Adresse", "Mailadresse", "Mail-Adresse", "E-Mail geschäftlich", "Geschäftliche E-Mail", "Emailadresse")},
	{Name: fieldDisplayName, About: "the name to show", Example: "Ada Lovelace", Kept: true, headings: keys(
		"display name", "displayName", "Name [displayName] Required", "full name", "formatted name", "worker", "employee name", "preferred name", "Anzeigename", "vollständiger Name", "name")},
	{Name: fieldGivenName, About: "the first name", Example: "Ada", Kept: true, headings: keys(
		"given name", "givenName", "first name", "First name [givenName]", "user.firstName", "preferred first name", "legal first name", "legal name - first name", "preferred name - first name", "forename", "Vorname", "Rufname")},
	{Name: fieldFamilyName, About: "the family name", Example: "Lovelace", Kept: true, headings: keys(
		"family name", "familyName", "last name", "Last name [surname]", "user.lastName", "surname", "preferred last name", "legal last name", "legal name - last name", "preferred name - last name", "Nachname", "Familienname", "Zuname")},
	{Name: fieldRole, About: "the role, by its id or its title; several with commas between them", Example: "viewer", Kept: true, headings: keys("role", "roles", "profile", "role name", "Rolle", "Rollen", "Profil", "Berechtigungsprofil")},
	{Name: fieldTenant, About: "the tenant, by its name or its id", Example: "Acme", Kept: true, headings: keys("tenant", "account", "company", "organization", "Mandant", "Firma", "Kunde", "Organisation", "Gesellschaft")},
	{Name: fieldType, About: "the user type, by its id or its title", Kept: true, headings: keys("type", "user type", "userType", "worker type", "employee type", "Benutzertyp", "Benutzerart", "Typ", "Mitarbeitertyp")},
	{Name: fieldUnit, About: "the business unit, by its name, its path with slashes, or its id", Kept: true, headings: keys(
		"unit", "business unit", "branch", "department", "division", "location", "supervisory organization", "Niederlassung", "Filiale", "Standort", "Geschäftseinheit", "Einheit", "Abteilung", "Bereich")},
	{Name: fieldTeam, About: "the team within the unit, by its name or its id", Kept: true, headings: keys("team", "team name", "group", "Gruppe", "Arbeitsgruppe")},
	{Name: fieldLevel, About: "how far the person sees at most", Kept: true, headings: keys("level", "data level", "dataLevel", "data access", "data access level", "access level", "Datenebene", "Datenzugriff", "Zugriffsebene")},
	{Name: fieldExternal, About: "yes for people who do not belong to the organisation", Kept: true, headings: keys("external", "is external", "external user", "contractor", "contingent", "Extern", "Externer", "Externer Benutzer")},
	{Name: fieldEmployeeNumber, About: "the personnel number", Example: "1815", Kept: true, headings: keys(
		"employee number", "employeeNumber", "employee id", "employeeId", "emp id", "empid", "employee no", "personnel number", "person id", "staff number", "user.employeeNumber", "Personalnummer", "Mitarbeiternummer", "Personalnr", "Pers.-Nr.",
		"Personal-Nr.", "Mitarbeiter-ID")},
	{Name: fieldExternalID, About: "the id that the source of the file gave", Kept: true, headings: keys(
		"external id", "externalId", "object id", "objectId", "wid", "workday id", "okta id", "okta user id", "user.id", "userid", "user id", "user/employee id", "guid", "uuid", "externe ID", "Fremdschlüssel")},
	{Name: fieldPhone, About: "the telephone number", Example: "+44 20 7946 0000", Kept: true, headings: keys(
		"phone", "phone number", "primary phone", "primaryPhone", "work phone", "telephone", "telephone number", "telephoneNumber", "Office phone [telephoneNumber]", "business phone", "biz_phone", "user.primaryPhone", "mobile phone", "mobilePhone",
		"Mobile phone [mobile]", "mobile", "Telefon", "Telefonnummer", "Rufnummer", "Mobiltelefon", "Mobil", "Handy", "Handynummer")},
	{Name: fieldTitle, About: "the job title", Example: "Analyst", Kept: true, headings: keys(
		"title", "job title", "jobTitle", "Job title [jobTitle]", "business title", "position", "user.title", "job", "position title", "Stelle", "Stellenbezeichnung", "Funktion", "Berufsbezeichnung", "Tätigkeit", "Position")},
	{Name: fieldDepartment, About: "the department, as a word about the person; a unit is where they stand", Kept: true, headings: keys(
		"department", "user.department", "Department [department]", "dept", "department name", "org unit", "Abteilung", "Abteilungsname")},
	{Name: fieldDivision, About: "the division", Kept: true, headings: keys("division", "user.division", "division name", "company division", "sub-department", "Bereich", "Sparte", "Geschäftsbereich", "Unternehmensbereich")},
	{Name: fieldCostCenter, About: "the cost centre", Kept: true, headings: keys(
		"cost center", "costCenter", "cost centre", "user.costCenter", "cost center id", "cost center - id", "cost center code", "Kostenstelle", "Kostenstellennummer", "Kst")},
	{Name: fieldOrganization, About: "the organisation to which the person belongs", Kept: true, headings: keys(
		"organization", "organisation", "user.organization", "organization name", "company name", "Company name [companyName]", "companyName", "legal entity", "legal company", "legal employer", "subcompany", "company", "Organisation", "Firma",
		"Firmenname", "Gesellschaft", "Unternehmen")},
	{Name: fieldLocation, About: "the place of work: the locality of the work address", Kept: true, headings: keys(
		"location", "work location", "location name", "user.city", "City [city]", "city", "office", "office location", "Office [physicalDeliveryOfficeName]", "physicalDeliveryOfficeName", "officeLocation", "work city", "Standort", "Arbeitsort",
		"Dienstort", "Büro", "Ort", "Stadt")},
	{Name: fieldManager, About: "who leads the person: an employee number, an e-mail address, a user name, an external id or an id", Kept: true, headings: keys(
		"manager", "manager id", "managerId", "user.managerId", "manager employee id", "manager's employee id", "manager employee number", "manager user id", "manager user sys id", "manager email", "manager's email", "manager e-mail",
		"user.manager", "reports to", "reporting to", "supervisor", "supervisor id", "supervisor eid", "supervisor email", "line manager", "Vorgesetzter", "Vorgesetzte", "Vorgesetzte Person", "Vorgesetzter (Personalnummer)",
		"Personalnummer des Vorgesetzten", "Vorgesetzten-ID", "Führungskraft", "Teamleiter")},
	{Name: fieldStartDate, About: "the first day, or the moment from which the person may come in", Kept: true, headings: keys(
		"start date", "startDate", "hire date", "hireDate", "employeeHireDate", "date of hire", "original hire date", "employment start date", "contract start date", "date of joining", "joining date", "first day of work", "Eintrittsdatum",
		"Eintritt", "Einstellungsdatum", "Startdatum", "Vertragsbeginn", "Beginn", "gültig ab")},
	{Name: fieldEndDate, About: "the last day, or the moment from which the person may no longer come in", Kept: true, headings: keys(
		"end date", "endDate", "termination date", "terminationDate", "employeeLeaveDateTime", "last day of work", "last day", "last working day", "contract end date", "employment end date", "leaving date", "leave date", "Austrittsdatum",
		"Austritt", "Enddatum", "Vertragsende", "Befristet bis", "letzter Arbeitstag", "Ende", "gültig bis")},
	{Name: fieldActive, About: "yes for people who may come in", Example: "yes", Kept: true, headings: keys(
		"active", "enabled", "status", "user status", "accountEnabled", "account enabled", "active status", "employee status", "worker status", "Aktiv", "Aktiviert", "Status des Benutzers")},
	{Name: fieldInactive, About: "yes for people who may not come in", headings: keys("Block sign in (Yes/No) [accountEnabled] Required", "block sign in", "blocked", "inactive", "disabled", "suspended", "Gesperrt", "Inaktiv", "Deaktiviert")},
	{Name: fieldPassword, About: "a password for the first sign-in; it is never kept", headings: keys("password", "Initial password [passwordProfile] Required", "initial password", "Passwort", "Kennwort", "Initialpasswort", "Initialkennwort")},
	{Name: fieldPasswordHash, About: "the hash of a password from another system: PHC, bcrypt, PBKDF2 or scrypt", headings: keys("password hash", "passwordHash", "hash", "Passwort-Hash")},
}

func keys(headings ...string) []string {
	out := make([]string, len(headings))
	for i, h := range headings {
		out[i] = identity.PlainKey(h)
	}
	return out
}

// ImportFields returns the fields that a person can have under the access model in force, in the order of a template.
func (s *Service) ImportFields() []ImportField {
	var out []ImportField
	for _, f := range allFields {
		if s.hasField(f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// hasField reports whether the access model in force knows a field.
func (s *Service) hasField(name string) bool {
	units, hasUnits := s.model.Units()
	levels, _, _ := s.model.DataLevels()
	switch name {
	case fieldTenant:
		return !s.model.Single()
	case fieldType:
		return len(s.model.UserTypes()) > 0 || s.model.UserTypesExtensible()
	case fieldUnit:
		return hasUnits
	case fieldTeam:
		return hasUnits && units.Teams
	case fieldLevel:
		return len(levels) > 0
	case fieldExternal:
		return s.model.ExternalFlag()
	}
	return slices.ContainsFunc(allFields, func(f ImportField) bool { return f.Name == name })
}

// MappedColumn is a column of a file and the field that it is taken for; empty: it is passed over.
type MappedColumn struct {
	Heading string
	Field   string
	Saved   bool // as the mapping that was last used for the source says
}

// SuggestMapping says which columns of a file are which fields: as the saved mapping has it, else by what systems and people usually call them. Each field is
// filled by one column, the one whose heading is the surest.
func (s *Service) SuggestMapping(header []string, saved identity.Mapping) []MappedColumn {
	out := make([]MappedColumn, len(header))
	taken := map[string]bool{}
	for i, h := range header {
		out[i].Heading = h
		if field, ok := savedField(saved, h); ok && (field == "" || s.hasField(field)) && !taken[field] {
			out[i].Field, out[i].Saved = field, true
			taken[field] = field != ""
		}
	}
	for _, f := range s.ImportFields() {
		if taken[f.Name] {
			continue
		}
		best, column := len(f.headings), -1
		for i, h := range header {
			if rank := slices.Index(f.headings, identity.PlainKey(h)); !out[i].Saved && out[i].Field == "" && rank >= 0 && rank < best {
				best, column = rank, i
			}
		}
		if column >= 0 {
			out[column].Field = f.Name
		}
	}
	return out
}

// savedField returns what a mapping says about a heading, whatever its case and marks; an empty field is a column that is passed over on purpose.
func savedField(m identity.Mapping, heading string) (string, bool) {
	if field, ok := m[heading]; ok {
		return field, true
	}
	for _, h := range slices.Sorted(maps.Keys(m)) {
		if identity.PlainKey(h) == identity.PlainKey(heading) {
			return m[h], true
		}
	}
	return "", false
}

// checkMapping refuses a mapping that names fields that are not there or fills one twice, or that could not tell who anybody is.
func (s *Service) checkMapping(m identity.Mapping) error {
	if err := s.checkColumns(m); err != nil {
		return err
	}
	for _, field := range m {
		if slices.Contains(matchFields, field) {
			return nil
		}
	}
	return identity.Errorf(identity.Invalid, "No column says who somebody is. Say which one is userName, email, employeeNumber, externalId or id.").WithField("mapping")
}

// checkColumns refuses fields that are not there, or that are filled twice.
func (s *Service) checkColumns(m identity.Mapping) error {
	by := map[string]string{}
	for _, heading := range slices.Sorted(maps.Keys(m)) {
		field := m[heading]
		if field == "" {
			continue
		}
		if !s.hasField(field) {
			return s.noField(field, heading)
		}
		if other, ok := by[field]; ok {
			return identity.Errorf(identity.Invalid, "Two columns, %q and %q, fill the field %s. Leave one out.", other, heading, field).WithField("mapping")
		}
		by[field] = heading
	}
	return nil
}

func (s *Service) noField(field, heading string) *identity.Error {
	return identity.Errorf(identity.Invalid, "There is no field %q to fill from the column %q. Use one of: %s.", field, heading, s.fieldNames()).WithField("mapping")
}

func (s *Service) fieldNames() string {
	var names []string
	for _, f := range s.ImportFields() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
