package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (d *Door) statisticRoutes() []route {
	return []route{{"GET /console/statistics", auditRead, d.statistics}}
}

// mostShares is how many rows of a chart of parts are shown; the rest is one row.
const mostShares = 12

type statisticsBody struct {
	Days     int
	Ranges   []int
	People   int64
	Deleted  int64
	SignIns  dayChart
	Pushes   dayChart
	Statuses []share
	Roles    []share
	Tenants  []share // none where there is one only
	MoreOf   int     // tenants beyond those that are shown
}

// statistics is the page of numbers: of the own tenant, or of all.
func (d *Door) statistics(w http.ResponseWriter, r *http.Request, v visit) error {
	asked, _ := strconv.Atoi(r.URL.Query().Get("days"))
	if !slices.Contains(provisioning.StatisticDays, asked) {
		asked = provisioning.StatisticDays[1]
	}
	st, err := d.prov.Statistics(r.Context(), v.Actor, asked)
	if err != nil {
		return err
	}
	b := statisticsBody{Days: asked, Ranges: provisioning.StatisticDays, Deleted: st.Deleted}
	var came, sent []countOfDay
	for _, day := range st.Days {
		came = append(came, countOfDay{day.Day, day.SignIns, day.Refused})
		sent = append(sent, countOfDay{day.Day, day.Pushes - day.Failed, day.Failed})
	}
	b.SignIns, b.Pushes = chartOf("came", came), chartOf("sent", sent)
	for _, status := range userStatuses {
		b.People += st.Statuses[status]
		b.Statuses = append(b.Statuses, share{Name: string(status), Key: string(status), Count: st.Statuses[status], URL: v.listURL("status", string(status))})
	}
	for _, role := range st.Roles {
		b.Roles = append(b.Roles, share{Name: role.Role.Title, Count: role.Users, URL: v.listURL("role", string(role.Role.ID))})
	}
	slices.SortStableFunc(b.Roles, bySize)
	b.Tenants, b.MoreOf = tenantShares(v, st.Tenants)
	b.Statuses, b.Roles, b.Tenants = sharesOf(b.Statuses), sharesOf(b.Roles), sharesOf(b.Tenants)
	return d.show(w, r, v, "statistics", screen{Title: "Statistics", Nav: "statistics", Body: b})
}

// tenantShares are the largest tenants, and how many more there are; none where there is only one.
func tenantShares(v visit, tenants []identity.Tenant) (out []share, more int) {
	if len(tenants) < 2 {
		return nil, 0
	}
	for _, t := range tenants {
		out = append(out, share{Name: t.Name, Count: t.Users, URL: v.listURL("tenant", string(t.ID))})
	}
	slices.SortStableFunc(out, bySize)
	if len(out) > mostShares {
		return out[:mostShares], len(out) - mostShares
	}
	return out, 0
}

func bySize(a, b share) int { return int(b.Count - a.Count) }

// listURL is the list of those whom a number counts, as far as the visitor may see users.
func (v visit) listURL(filter, value string) string {
	if !v.Can(usersRead) {
		return ""
	}
	return "/console/users?" + url.Values{filter: {value}}.Encode()
}
