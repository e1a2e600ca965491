package provisioning_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// previewed says in a line what a preview shows.
func previewed(p provisioning.RolePreview) string {
	var out []string
	for _, c := range p.Texts {
		out = append(out, fmt.Sprintf("%s: %v", c.Field, c.After))
	}
	for _, c := range p.Grants {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s +%v -%v %s", c.ID, c.Gained, c.Lost, c.LevelAfter)))
	}
	return strings.Join(out, "; ")
}

func TestAChangeOfARoleIsShownBeforeItIsSaved(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		made := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, draft("Night shift")))
		for i := range 3 {
			h.hire(fmt.Sprintf("p%d@example.com", i), made.ID)
		}
		next := draft("Late shift")
		next.Grants = map[string][]string{"connector": {"edit"}, "connection_config": {"view"}}
		p := must[provisioning.RolePreview](t)(h.PreviewRole(h.ctx, h.op, made.ID, made.Version, next, 2))
		if got, want := previewed(p), "title: Late shift; visible +[] -[on]; connection_config +[view] -[]; connector +[edit] -[view]"; got != want {
			t.Errorf("the preview shows %s, not %s", got, want)
		}
		if p.Missing != "Visible" || len(p.Sensitive) != 1 || p.Sensitive[0].ID != "connection_config" || p.Holders.Total != 3 || len(p.Holders.Items) != 2 || len(p.Holders.Items[0].Roles) != 1 {
			t.Errorf("the preview is %+v", p)
		}
		if now := must[provisioning.RoleDetail](t)(h.Role(h.ctx, h.op, made.ID, identity.Query{})).Role; now.Version != made.Version || now.Title != made.Title {
			t.Errorf("the preview has written %+v", now)
		}
		fresh := must[provisioning.RolePreview](t)(h.PreviewRole(h.ctx, h.op, "", 0, draft("Day shift"), 2))
		if got := previewed(fresh); got != "title: Day shift; visible +[on] -[]; connector +[view] -[]" || fresh.Holders.Total != 0 || fresh.Missing != "" {
			t.Errorf("a new role is shown as %s", got)
		}
	})
}

func TestAPreviewRefusesWhatSavingRefuses(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		boss := h.boss("boss@example.com", "administrator")
		keeper := draft("Keeper")
		keeper.Grants = map[string][]string{"visible": {"on"}, "users": {"view", "edit"}, "profiles": {"view", "edit"}}
		keeper.ConfirmSensitive = []string{"users", "profiles"}
		role := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, keeper))
		small := h.boss("keeper@example.com", role.ID)
		less, more := draft("Administrator"), draft("Viewer too")
		more.Grants["connector"] = []string{"edit"}
		for name, c := range map[string]struct {
			by      identity.Actor
			id      identity.RoleID
			version int64
			draft   provisioning.RoleDraft
		}{
			"somebody was faster":        {boss, role.ID, 77, keeper},
			"a name that is taken":       {boss, role.ID, role.Version, draft("Viewer")},
			"no name":                    {boss, role.ID, role.Version, draft(" ")},
			"more than one holds":        {small, "viewer", 0, more},
			"who may manage stays":       {boss, "administrator", 0, less},
			"what grants everything":     {boss, "superadmin", 0, draft("Super")},
			"a role that is not there":   {boss, "nobody", 0, draft("Nobody")},
			"somebody without the right": {h.boss("v@example.com", "viewer"), role.ID, role.Version, keeper},
		} {
			_, shown := h.PreviewRole(h.ctx, c.by, c.id, c.version, c.draft, 5)
			_, saved := h.UpdateRole(h.ctx, c.by, c.id, c.version, c.draft)
			if shown == nil || saved == nil || shown.Error() != saved.Error() {
				t.Errorf("%s: the preview says %v, saving %v", name, shown, saved)
			}
		}
	})
}

func TestTheLastRoleThatManagesPeopleIsKept(t *testing.T) {
	eachOn(t, "fintechos", func(t *testing.T, h *house) {
		h.hire("manager@example.com", "user_management")
		d := provisioning.RoleDraft{Title: "User Management", Grants: map[string][]string{"users": {"view"}}}
		_, shown := h.PreviewRole(h.ctx, h.op, "user_management", 0, d, 5)
		_, saved := h.UpdateRole(h.ctx, h.op, "user_management", 0, d)
		wantKind(t, shown, identity.Forbidden, "last_administrator")
		wantKind(t, saved, identity.Forbidden, "last_administrator")
	})
}

// affected says in a line for whom of the holders of a role a change comes to what.
func affected(p provisioning.RolePreview) string {
	var out []string
	for _, who := range p.Holders.Items {
		for _, e := range who.Effects {
			out = append(out, fmt.Sprintf("%s: %s +%v -%v %v", who.UserName, e.ID, e.Gained, e.Lost, e.Reached))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func TestAPreviewSaysForWhomAChangeOfARoleReallyIsOne(t *testing.T) {
	eachOn(t, "fintechos", func(t *testing.T, h *house) {
		h.boss("boss@example.com", "user_management")
		h.hire("only@example.com", "officer")
		both := h.hire("both@example.com", "officer")
		must[identity.User](t)(h.AssignRole(h.ctx, h.op, both.ID, "own_records", "also"))
		far := h.hire("far@example.com", "officer")
		must[identity.User](t)(h.AssignRole(h.ctx, h.op, far.ID, "auditor", "also"))
		flagged := h.hire("flagged@example.com", "officer")
		must[identity.Position](t)(h.SetPosition(h.ctx, h.op, flagged.ID, func(at *identity.Position) error { at.Admin = true; return nil }, "flag"))
		d := provisioning.RoleDraft{Title: "Officer", Grants: map[string][]string{"records": {"view", "delete"}}, Levels: map[string]string{"records": "global"}}
		p := must[provisioning.RolePreview](t)(h.PreviewRole(h.ctx, h.op, "officer", 0, d, 20))
		want := "both@example.com: records +[] -[] [{view branch global} {create branch personal} {edit branch personal} {delete personal global}]; far@example.com: records +[delete] -[create edit] []; " +
			"only@example.com: records +[delete] -[create edit] [{view branch global}]"
		if got := affected(p); got != want || p.Holders.Total != 4 {
			t.Errorf("%d people hold the role; the preview says\n%s", p.Holders.Total, strings.ReplaceAll(got, "; ", "\n"))
		}
		d.Grants, d.Levels = map[string][]string{"records": {"view", "create", "edit"}}, map[string]string{"records": "branch"}
		if p = must[provisioning.RolePreview](t)(h.PreviewRole(h.ctx, h.op, "officer", 0, d, 2)); affected(p) != "" || len(p.Holders.Items) != 2 {
			t.Errorf("the same role changes something: %s", affected(p))
		}
	})
}
