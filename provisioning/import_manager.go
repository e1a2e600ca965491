package provisioning

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// leading is who leads somebody, as SCIM has it (RFC 7643 4.3).
type leading struct {
	ID   string
	Name string
}

// manager reads who leads the person, also as directories write it that send the id alone.
func (a tableAttributes) manager() leading {
	var full struct {
		Value       loose `json:"value"`
		DisplayName loose `json:"displayName"`
	}
	var id loose
	if json.Unmarshal(a.Enterprise.Manager, &full) == nil {
		return leading{string(full.Value), string(full.DisplayName)}
	}
	_ = json.Unmarshal(a.Enterprise.Manager, &id) // what is of another type is nobody
	return leading{ID: string(id)}
}

// leadersOf fills in by which user names the managers of some people are known, as far as they are people of the same tenant; what else a directory wrote stands as it is.
func leadersOf(ctx context.Context, tx *store.Tx, people []standing) error {
	var ids []identity.UserID
	for i := range people {
		people[i].read = &readOnce{raw: people[i].user.Attributes, is: readAttributes(people[i].user.Attributes)}
		people[i].leader = people[i].read.is.manager().ID
		if id, ok := identity.ParseID[identity.UserID](people[i].leader); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	names, err := tx.NamesOfUsers(ctx, ids)
	for i := range people {
		if n, ok := names[identity.UserID(people[i].leader)]; ok && n.TenantID == people[i].user.TenantID {
			people[i].leader = n.UserName
		}
	}
	return err
}

// leaders remembers whom the words of a file for managers mean.
type leaders map[string][]store.Known // best first; nobody is there with an empty list

// lookUp finds whom the words of some rows mean, among everybody of the plan as they are before it is carried out.
func (p *planner) lookUp(ctx context.Context, tx *store.Tx, rows []importRow) error {
	var words []string
	for _, r := range rows {
		word := r.fields[fieldManager]
		if _, ok := p.leaders[word]; word != "" && !ok {
			words = append(words, word)
			p.leaders[word] = nil
		}
	}
	if len(words) == 0 {
		return nil
	}
	found, err := p.findLeaders(ctx, tx, words)
	for word, list := range found {
		p.leaders[word] = list
	}
	return err
}

// findLeaders returns whom words mean.
func (p *planner) findLeaders(ctx context.Context, tx *store.Tx, words []string) (leaders, error) {
	rows := make([]importRow, len(words))
	for i, word := range words {
		rows[i] = importRow{fields: personFields{fieldExternalID: word, fieldEmployeeNumber: word, fieldUserName: word, fieldEmail: word}}
		if _, ok := identity.ParseID[identity.UserID](word); ok {
			rows[i].fields[fieldID] = word
		}
	}
	known, err := p.match.look(ctx, tx, rows)
	out := leaders{}
	for i, word := range words {
		for _, field := range []string{fieldID, fieldEmployeeNumber, fieldUserName, fieldEmail, fieldExternalID} {
			if key := matchKey(field, rows[i].fields[field]); key != "" {
				out[word] = append(out[word], ranked(known[field][key])...)
			}
		}
	}
	return out, err
}

// ranked keeps who is named by one key, and nobody where several are: a guess would make a stranger somebody's manager.
func ranked(list []store.Known) []store.Known {
	tenants := map[identity.TenantID]int{}
	for _, k := range list {
		tenants[k.TenantID]++
	}
	var out []store.Known
	for _, k := range list {
		if tenants[k.TenantID] == 1 {
			out = append(out, k)
		}
	}
	return out
}

// among returns whom a word means among the people of a tenant, or "".
func (l leaders) among(word string, tenant identity.TenantID) identity.UserID {
	for _, k := range l[word] {
		if k.TenantID == tenant {
			return k.UserID
		}
	}
	return ""
}

// led returns a row with who leads the person. While a plan is computed the row's word is looked up; when it is carried out, it is who was found then: somebody who came with the
// same file is nobody yet, and becomes the manager when the plan is done.
func (p *planner) led(ctx context.Context, tx *store.Tx, r importRow, u identity.User, now personFields, out *effect) (importRow, error) {
	word := r.fields[fieldManager]
	if word == "" || word == now[fieldManager] {
		r.manager = ""
		return r, nil
	}
	if p.plan.State == identity.PlanComputing {
		r.manager = p.leaders.among(word, u.TenantID)
	}
	if r.manager != "" && r.manager == u.ID || r.names(word) {
		r.manager = "" // whoever stands above all others is written so by some HR systems
		out.note("nobody is their own manager, so that was left out")
		return r, nil
	}
	if r.manager != "" {
		names, err := tx.NamesOfUsers(ctx, []identity.UserID{r.manager})
		if err != nil {
			return r, err
		}
		if n, ok := names[r.manager]; ok && n.TenantID == u.TenantID && !n.Deleted {
			r.leader, out.manager = n.Label, r.manager
			return r, nil
		}
	}
	r.manager, r.open, out.open = "", word, word
	out.note(managerOpen)
	return r, nil
}

// managerOpen is said of a step where nobody is found for the manager. Who is meant may be a name, which is sealed with the rest.
const managerOpen = "the manager is not known yet"

// withManager puts who is meant into the detail of a step.
func withManager(detail, word string) string {
	if word == "" {
		return detail
	}
	return strings.Replace(detail, managerOpen, "manager "+word+" is not known yet", 1)
}

// leadsAlready reports whether a word means who leads somebody now.
func (p *planner) leadsAlready(word string, u identity.User) bool {
	id := p.leaders.among(word, u.TenantID)
	return id != "" && id != u.ID && string(id) == readAttributes(u.Attributes).manager().ID
}

// names reports whether a word stands for the person of the row.
func (r importRow) names(word string) bool {
	for _, field := range matchFields {
		if key := matchKey(field, r.fields[field]); key != "" && key == matchKey(field, word) {
			return true
		}
	}
	return false
}
