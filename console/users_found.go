package console

import (
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// mostFoundNamed is how many of those whom a list finds a question names: the plan names them all.
const mostFoundNamed = 12

// foundPeople are everybody whom the filters of the list find, on every page of it.
type foundPeople struct {
	Filter  string // as the address of the list has it
	Filters []exportFilter
	Total   int64
	query   identity.Query
}

// address is what narrows the list as its address has it, in one way only: what says the same is the same.
func (f userFilters) address() string {
	q := url.Values{}
	for name, value := range f.byName() {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q.Encode()
}

// byName are the filters by their names in the address.
func (f userFilters) byName() map[string]string {
	return map[string]string{
		"q": f.Search, "status": string(f.Status), "tenant": string(f.Tenant), "role": string(f.Role), "unit": string(f.Unit), "type": string(f.Type), "external": f.External, "directory": string(f.Directory),
	}
}

// foundFilters reads what narrowed a list. A filter that is none any more is refused: leaving it out would find more people than the list showed.
func (d *Door) foundFilters(text string, v visit) (userFilters, error) {
	q, err := url.ParseQuery(text)
	f := d.filtersOf(q.Get, v)
	if err != nil || f.address() != text {
		return f, identity.Errorf(identity.Invalid, "What narrowed the list does not hold any more. Open the list again.")
	}
	return f, nil
}

// findAll fills in whom the filters of the list find, the first of them by name. What becomes no plan takes other ways.
func (d *Door) findAll(r *http.Request, v visit, b *bulkBody) error {
	f, err := d.foundFilters(b.Form.Value("filter"), v)
	if err != nil {
		return err
	}
	b.Found = &foundPeople{Filter: f.address(), query: f.narrow()}
	switch b.Act {
	case bulkExport:
		return nil
	case bulkInvite:
		return identity.Errorf(identity.Invalid, "Mails go to people who are ticked. Go back and tick them, a page at a time.")
	}
	found, err := d.prov.FoundPeople(r.Context(), v.Actor, b.Found.act(provisioning.BulkAct{Act: provisioning.BulkKind(b.Act)}), mostFoundNamed)
	if err != nil {
		return err
	}
	b.People, b.Found.Total = found.Items, found.Total
	b.Found.Filters, err = d.filterWords(r, v, f)
	return err
}

// act makes a bulk act one of those whom the list finds.
func (p *foundPeople) act(act provisioning.BulkAct) provisioning.BulkAct {
	act.Filter, act.Most = &p.query, provisioning.MaxFound
	return act
}

// planFound makes the plan of those whom the list finds. It is not carried out before somebody has seen it: they may be others than those of the question.
func (d *Door) planFound(r *http.Request, v visit, act provisioning.BulkAct, p *foundPeople) (identity.Plan, error) {
	return d.prov.StartBulk(r.Context(), v.Actor, p.act(act), planPatience)
}

// filterWords are the filters of the list in words.
func (d *Door) filterWords(r *http.Request, v visit, f userFilters) ([]exportFilter, error) {
	unit, _ := v.prov.Model().Units()
	values := f.byName()
	var out []exportFilter
	for _, filter := range []exportFilter{
		{Name: "q", Title: "Search"},
		{Name: "status", Title: "Status", Ours: true},
		{Name: "tenant", Title: "Tenant"},
		{Name: "role", Title: "Role"},
		{Name: "unit", Title: unit.Label},
		{Name: "type", Title: "User type"},
		{Name: "external", Title: "External", Ours: true},
		{Name: "directory", Title: "Directory"},
	} {
		if filter.Value = values[filter.Name]; filter.Value == "" {
			continue
		}
		var err error
		if filter.Shown, err = d.shownFilter(r, v, f.Tenant, filter.Name, filter.Value); err != nil {
			return nil, err
		}
		out = append(out, filter)
	}
	return out, nil
}
