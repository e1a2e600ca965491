package console

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// maxBulk is how many people one form may name.
const maxBulk = 1000

// What can be done to ticked people beside the bulk acts of provisioning.
const (
	bulkInvite = "invite"
	bulkExport = "export"
)

// bulkBody is the question before something happens to many people, and what came of it where no plan says so.
type bulkBody struct {
	Form    form
	Act     string
	People  []identity.User
	Found   *foundPeople // whom a filter finds, in place of ticked ones
	Roles   roleOptions
	Tenants []identity.Tenant
	Title   string
	Button  string
	Facts   []string
	Danger  bool
	Reason  bool // one has to be given
	Resend  string
	Back    string
	Results []bulkResult
}

type bulkResult struct {
	User    identity.User
	Refused string // empty: done
}

// bulkUsers asks before something happens to the people who are ticked, or whom the list finds, then does it: as a plan that has a page of its own, or at once for mails and files.
func (d *Door) bulkUsers(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "role", "tenant", "reason")
	if err != nil {
		return err
	}
	b := bulkBody{Form: f, Act: f.Value("act"), Back: backTo(f, "")}
	if f.Value("all") != "" {
		err = d.findAll(r, v, &b)
	} else {
		b.People, err = d.tickedUsers(r, v, f)
	}
	if err != nil {
		return err
	}
	if b.Act == bulkExport {
		return d.exportBulk(w, r, v, b)
	}
	if err := d.askBulk(r, v, &b); err != nil {
		return err
	}
	if f.Value("sure") == "" {
		return d.showBulk(w, r, v, b)
	}
	if b.Act == bulkInvite {
		return d.inviteTicked(w, r, v, b)
	}
	plan, err := d.startBulk(r, v, b)
	if err == nil {
		http.Redirect(w, r, plansPath+string(plan.ID), http.StatusSeeOther)
		return nil
	}
	if !b.Form.refused(err) {
		return err
	}
	return d.showBulk(w, r, v, b)
}

func (d *Door) showBulk(w http.ResponseWriter, r *http.Request, v visit, b bulkBody) error {
	s := screen{Title: b.Title, Nav: "users", Body: b}
	if b.Form.Problem != nil {
		s.Status = web.Status(b.Form.Problem)
	}
	return d.show(w, r, v, "users_bulk", s)
}

// tickedUsers are the people whom the form names, in its order; whom the visitor may not see is NotFound.
func (d *Door) tickedUsers(r *http.Request, v visit, f form) ([]identity.User, error) {
	ids := f.Values["user"]
	if len(ids) == 0 {
		return nil, identity.Errorf(identity.Invalid, "Nobody is ticked. Go back and tick at least one person.")
	}
	if len(ids) > maxBulk {
		return nil, identity.Errorf(identity.TooLarge, "At most %d people can be ticked at once.", maxBulk)
	}
	var out []identity.User
	seen := map[string]bool{}
	for _, text := range ids {
		id, ok := identity.ParseID[identity.UserID](text)
		if !ok || seen[text] {
			continue
		}
		seen[text] = true
		u, err := d.prov.User(r.Context(), v.Actor, id)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	if len(out) == 0 {
		return nil, identity.Errorf(identity.NotFound, "None of the ticked people is there any more.")
	}
	return out, nil
}

// askBulk fills in the question: what will happen, and what has to be chosen for it.
func (d *Door) askBulk(r *http.Request, v visit, b *bulkBody) (err error) {
	m := v.prov.Model()
	people := count(b.Count(), "person", "people")
	b.Reason, b.Resend = m.ReasonRequired(), m.Onboarding().ResendLabel
	switch provisioning.BulkKind(b.Act) {
	case provisioning.BulkDeactivate:
		b.Title, b.Button, b.Danger = fmt.Sprintf("Deactivate %s?", people), fmt.Sprintf("Deactivate %s", people), true
		b.Facts = []string{"They cannot sign in any more, by password or through any provider, and their sessions end at once.", "No directory can undo it. You can activate them again at any time."}
	case provisioning.BulkActivate:
		b.Title, b.Button = fmt.Sprintf("Activate %s?", people), fmt.Sprintf("Activate %s", people)
		b.Facts = []string{"They may sign in again, with the tenant and roles from before.", "Whom a directory keeps out stays out."}
	case provisioning.BulkSetRole:
		b.Title, b.Button = fmt.Sprintf("Set the role of %s?", people), fmt.Sprintf("Set the role of %s", people)
		b.Facts = []string{"The roles that administrators gave them are taken away, and this one is given.", "What a directory or a provider gives stays. It counts from their next click."}
		b.Roles, err = d.roleOptions(r.Context(), v)
	case provisioning.BulkMove:
		b.Title, b.Button, b.Danger = fmt.Sprintf("Move %s to another tenant?", people), fmt.Sprintf("Move %s", people), true
		b.Facts = []string{"They leave their tenant with all that they have there, and have one role in the new one.", "Whom a directory of their tenant holds stays there."}
		if b.Roles, err = d.roleOptions(r.Context(), v); err == nil {
			b.Tenants, err = d.tenantOptions(r.Context(), v)
		}
	default:
		if b.Act != bulkInvite {
			return identity.Errorf(identity.Invalid, "Choose what is to happen to the people who are ticked.").WithField("act")
		}
		b.Reason = false
		b.Title, b.Button = fmt.Sprintf("Send new invites to %s?", people), fmt.Sprintf("Send new invites to %s", people)
		b.Facts = []string{"Each gets a mail with a new link and a new end. The links that they have open nothing any more.", "Who has joined already is left alone."}
	}
	if b.Found != nil {
		b.Button, b.Danger = "Make the plan", false
	}
	return err
}

// startBulk makes the plan and has it carried out, unless a guard holds it: then its page says why, and somebody decides there.
func (d *Door) startBulk(r *http.Request, v visit, b bulkBody) (identity.Plan, error) {
	act := provisioning.BulkAct{Act: provisioning.BulkKind(b.Act), Role: identity.RoleID(b.Form.Value("role")), Reason: b.Form.Value("reason")}
	if act.Act == provisioning.BulkMove {
		act.Tenant = chosenTenant(b.Form)
	}
	if b.Found != nil {
		return d.planFound(r, v, act, b.Found)
	}
	for _, u := range b.People {
		act.Users = append(act.Users, u.ID)
	}
	plan, err := d.prov.PlanBulk(r.Context(), v.Actor, act)
	if err != nil || plan.State != identity.PlanReady || planned(plan) == 0 {
		return plan, err
	}
	_, err = d.prov.StartPlan(r.Context(), v.Actor, plan.ID, provisioning.ApplyOptions{})
	return plan, err
}

// inviteTicked sends new invites and shows what became of each.
func (d *Door) inviteTicked(w http.ResponseWriter, r *http.Request, v visit, b bulkBody) error {
	for _, u := range b.People {
		result := bulkResult{User: u}
		if _, err := d.prov.ResendInvitation(r.Context(), v.Actor, u.ID); err != nil {
			var f form
			if !f.refused(err) {
				return err
			}
			result.Refused = f.Problem.Message
		}
		b.Results = append(b.Results, result)
	}
	b.Title = "New invites"
	return d.showBulk(w, r, v, b)
}

// exportBulk answers with a file of the ticked people. Everybody whom the list finds has a page of its own for that.
func (d *Door) exportBulk(w http.ResponseWriter, r *http.Request, v visit, b bulkBody) error {
	if b.Found != nil {
		http.Redirect(w, r, "/console/exports/users?"+b.Found.Filter, http.StatusSeeOther)
		return nil
	}
	some := &identity.Filter{Op: identity.OpOr}
	for _, u := range b.People {
		some.Children = append(some.Children, &identity.Filter{Op: identity.OpEq, Attr: identity.Attribute{Name: "id", Type: identity.TypeString, CaseExact: true}, Value: string(u.ID)})
	}
	q := provisioning.ExportQuery{Query: identity.Query{Filter: some}}
	return d.download(w, exportUsers.Key, "csv", func(out io.Writer) error {
		_, err := d.prov.ExportUsers(r.Context(), v.Actor, q, "csv", out)
		return err
	})
}

// Named are the people by their names, the first of them: a page that names many is read by nobody.
func (b bulkBody) Named() []identity.User {
	people := slices.Clone(b.People)
	slices.SortStableFunc(people, func(a, b identity.User) int {
		return cmp.Compare(strings.ToLower(a.Label()), strings.ToLower(b.Label()))
	})
	return people[:min(len(people), maxNamed)]
}

// Count is to how many people it would happen.
func (b bulkBody) Count() int64 {
	if b.Found != nil {
		return b.Found.Total
	}
	return int64(len(b.People))
}

// More is how many are not named.
func (b bulkBody) More() int64 { return b.Count() - int64(min(len(b.People), maxNamed)) }

// maxNamed is how many people a question names.
const maxNamed = 50
