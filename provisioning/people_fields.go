package provisioning

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// standing is everything about a person that a table shows.
type standing struct {
	user     identity.User
	roles    []identity.Assignment
	position identity.Position
	sources  []store.SourceUser
	links    []identity.DirectoryLink
	terms    identity.Terms
	leader   string    // the manager's user name
	read     *readOnce // may be missing
}

// readOnce are attributes that were read already, with the text that they were read from.
type readOnce struct {
	raw json.RawMessage
	is  tableAttributes
	all map[string]any // of somebody new
}

// of reports whether these are the attributes that were read.
func (r *readOnce) of(raw json.RawMessage) bool {
	return r != nil && len(raw) > 0 && len(raw) == len(r.raw) && &raw[0] == &r.raw[0]
}

// attributes reads the attributes of the user, unless that was done before and they are still the same ones.
func (p standing) attributes() tableAttributes {
	if p.read.of(p.user.Attributes) {
		return p.read.is
	}
	return readAttributes(p.user.Attributes)
}

// peopleOf reads what a table shows of some people, who keep their order.
func peopleOf(ctx context.Context, tx *store.Tx, scope store.Scope, users []identity.User) ([]standing, error) {
	if len(users) == 0 {
		return nil, nil
	}
	ids := make([]identity.UserID, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	roles, err := tx.AssignmentsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	positions, err := tx.PositionsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	sources, err := tx.SourcesOf(ctx, scope, ids)
	if err != nil {
		return nil, err
	}
	links, err := tx.DirectoryLinksOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	terms, err := tx.TermsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]standing, len(users))
	for i, u := range users {
		out[i] = standing{user: u, roles: roles[u.ID], position: positions[u.ID], sources: sources[u.ID], links: links[u.ID], terms: terms[u.ID]}
	}
	return out, leadersOf(ctx, tx, out)
}

// externalIDs returns the ids that a source, then other sources and directories, gave a person. What another tenant's directory says is left out.
func (p standing) externalIDs(tenant identity.TenantID, source string) []string {
	var own, others []string
	for _, s := range p.sources {
		switch {
		case s.ExternalID == "":
		case s.Source == source && s.TenantID == tenant:
			own = append(own, s.ExternalID)
		default:
			others = append(others, s.ExternalID)
		}
	}
	for _, l := range p.links {
		if l.ExternalID != "" && (l.TenantID == "" || l.TenantID == p.user.TenantID) {
			others = append(others, l.ExternalID)
		}
	}
	return append(own, others...)
}

// personFields are the fields of a person by name, as a table has them; what nobody said is "".
type personFields map[string]string

// fields writes a person as a table has it. The source is whose externalId is shown before others.
func (n *names) fields(ctx context.Context, tx *store.Tx, p standing, plan identity.TenantID, source string) (personFields, error) {
	rest := p.attributes()
	name := rest.Name
	f := personFields{
		fieldID: string(p.user.ID), fieldUserName: p.user.UserName, fieldEmail: p.user.Email(), fieldDisplayName: p.user.DisplayName,
		fieldGivenName: name.GivenName, fieldFamilyName: name.FamilyName, fieldRole: roleCell(p.roles), fieldActive: yesNo(p.user.Enabled),
		fieldPhone: rest.phone(), fieldTitle: string(rest.Title), fieldLocation: rest.location(), fieldManager: p.leader,
		fieldStartDate: startCell(p.terms.StartsAt), fieldEndDate: endCell(p.terms.EndsAt),
	}
	for _, e := range rest.Enterprise.fields() {
		f[e.field] = e.value
	}
	if ids := p.externalIDs(plan, source); len(ids) > 0 {
		f[fieldExternalID] = ids[0]
	}
	var err error
	if f[fieldTenant], err = n.tenantName(ctx, tx, p.user.TenantID); err != nil || !n.s.organised() {
		return f, err
	}
	return f, n.stands(ctx, tx, p, f)
}

// stands writes where somebody stands, with the access model's defaults where nobody said anything.
func (n *names) stands(ctx context.Context, tx *store.Tx, p standing, f personFields) error {
	at := p.position
	if n.s.hasField(fieldType) {
		f[fieldType] = string(cmp.Or(at.Type, n.s.model.DefaultUserType()))
	}
	if n.s.hasField(fieldExternal) {
		f[fieldExternal] = yesNo(at.External)
	}
	if err := n.s.fillLevel(ctx, tx, p.user, &at); err != nil {
		return err
	}
	f[fieldLevel] = at.DataLevel
	if !n.s.hasField(fieldUnit) || p.user.TenantID == "" {
		return nil
	}
	units, err := n.unitsOf(ctx, tx, p.user.TenantID)
	if err != nil {
		return err
	}
	f[fieldUnit], f[fieldTeam] = units.name[cmp.Or(at.UnitID, units.root)], units.name[at.TeamID]
	return nil
}

// roleCell writes roles for a cell: distinct ids in the order of their names, so that the same roles are always the same text.
func roleCell(held []identity.Assignment) string {
	return joinRoles(heldRoles(held))
}

func heldRoles(held []identity.Assignment) []identity.RoleID {
	var out []identity.RoleID
	for _, a := range held {
		out = append(out, a.RoleID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func joinRoles(ids []identity.RoleID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), ", ")
}

// enterprise is the SCIM extension that has the personnel number (RFC 7643 4.3).
const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// loose is a text that a directory may have pushed as another type.
type loose string

// UnmarshalJSON takes texts and numbers; what is neither is none.
func (l *loose) UnmarshalJSON(raw []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(raw, &s) == nil:
		*l = loose(s)
	case json.Unmarshal(raw, &n) == nil:
		*l = loose(n)
	}
	return nil
}

// tableAttributes are the SCIM attributes that a table shows.
type tableAttributes struct {
	Name      identity.Name   `json:"name"`
	Title     loose           `json:"title"`
	Phones    json.RawMessage `json:"phoneNumbers"`
	Addresses json.RawMessage `json:"addresses"`

	Enterprise enterpriseAttributes `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`

	shown *shownAttributes // what Phones and Addresses say, where that is known
}

type shownAttributes struct{ phone, location string }

// enterpriseAttributes are those of the extension.
type enterpriseAttributes struct {
	EmployeeNumber loose           `json:"employeeNumber"`
	Department     loose           `json:"department"`
	Division       loose           `json:"division"`
	CostCenter     loose           `json:"costCenter"`
	Organization   loose           `json:"organization"`
	Manager        json.RawMessage `json:"manager"`
}

// namedValue is a field with its value.
type namedValue struct{ field, value string }

// fields returns the texts of the extension; SCIM names them as tables do.
func (e enterpriseAttributes) fields() []namedValue {
	return []namedValue{
		{fieldEmployeeNumber, string(e.EmployeeNumber)},
		{fieldDepartment, string(e.Department)},
		{fieldDivision, string(e.Division)},
		{fieldCostCenter, string(e.CostCenter)},
		{fieldOrganization, string(e.Organization)},
	}
}

func readAttributes(raw json.RawMessage) tableAttributes {
	var a tableAttributes
	_ = json.Unmarshal(raw, &a) // the store holds objects; what is of another type in them is shown as nothing
	return a
}

// tableOf is readAttributes of what importRow.attributes wrote for somebody new, without reading it.
func tableOf(all map[string]any) tableAttributes {
	name, _ := all["name"].(map[string]any)
	more, _ := all[enterprise].(map[string]any)
	a := tableAttributes{
		Name: identity.Name{GivenName: textIn(name, "givenName"), FamilyName: textIn(name, "familyName")}, Title: loose(textIn(all, "title")),
		Enterprise: enterpriseAttributes{
			EmployeeNumber: loose(textIn(more, "employeeNumber")), Department: loose(textIn(more, "department")), Division: loose(textIn(more, "division")),
			CostCenter: loose(textIn(more, "costCenter")), Organization: loose(textIn(more, "organization")),
		},
		shown: &shownAttributes{textIn(firstOf(all["phoneNumbers"]), "value"), textIn(firstOf(all["addresses"]), "locality")},
	}
	if leader := more["manager"]; leader != nil {
		a.Enterprise.Manager, _ = json.Marshal(leader) // texts are always written
	}
	return a
}

func textIn(object map[string]any, key string) string {
	s, _ := object[key].(string)
	return s
}

func firstOf(list any) map[string]any {
	if l, _ := list.([]any); len(l) > 0 {
		first, _ := l[0].(map[string]any)
		return first
	}
	return nil
}

type phoneNumber struct {
	Value   string `json:"value"`
	Primary bool   `json:"primary"`
}

// phone returns the number that is primary, else the first.
func (a tableAttributes) phone() string {
	if a.shown != nil {
		return a.shown.phone
	}
	var list []phoneNumber
	_ = json.Unmarshal(a.Phones, &list) // as above
	for _, p := range list {
		if p.Primary {
			return p.Value
		}
	}
	if len(list) > 0 {
		return list[0].Value
	}
	return ""
}

// postal is where somebody is; the table shows the locality of the one of the type work, else of the primary one, else of the first.
type postal struct {
	Type     loose           `json:"type"`
	Locality loose           `json:"locality"`
	Primary  json.RawMessage `json:"primary"`
}

func (a tableAttributes) location() string {
	if a.shown != nil {
		return a.shown.location
	}
	var list []postal
	_ = json.Unmarshal(a.Addresses, &list) // as above
	at := workAddress(len(list), func(i int) (string, bool) { return string(list[i].Type), string(list[i].Primary) == "true" })
	if at < 0 {
		return ""
	}
	return string(list[at].Locality)
}

// workAddress returns which of n addresses counts; -1 when there is none.
func workAddress(n int, read func(i int) (kind string, primary bool)) int {
	best, rank := -1, 0
	for i := range n {
		kind, primary := read(i)
		r := 1
		switch {
		case strings.EqualFold(kind, "work"):
			r = 3
		case primary:
			r = 2
		}
		if r > rank {
			best, rank = i, r
		}
	}
	return best
}
