package main

import (
	"strings"
	"testing"
)

func TestTheOrganisationIsBuiltAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.env["DRAWBRIDGE_ACCESS_MODEL"] = "fentu-fsm"
		sh.must("unit", "create", "East")
		sh.must("unit", "create", "Night", "--team", "--below", "East")
		sh.must("unit", "create", "West")
		sh.must("user", "create", "--user-name", "ada", "--role", "dispatcher", "--unit", "East", "--team", "East/Night", "--level", "branch", "--type", "Dispatcher", "--reason", "joined")
		var d userDetailView
		sh.json(&d, "user", "show", "ada")
		if d.Tenant != "Main" || d.Position.Unit != "East" || d.Position.Team != "Night" || d.Position.Level != "branch" || d.Position.TypeTitle != "Dispatcher" || d.Origin != "manual" || d.Email != "" {
			t.Errorf("%+v", d)
		}
		sh.must("user", "position", "ada", "--unit", "West", "--reason", "moved")
		d = userDetailView{}
		sh.json(&d, "user", "show", "ada")
		if d.Position.Unit != "West" || d.Position.Team != "" {
			t.Errorf("%+v", d.Position)
		}
		if text := sh.must("user", "show", "ada"); !strings.Contains(text, "Sees as far as  branch") {
			t.Error(text)
		}
		var found listView[userView]
		sh.json(&found, "user", "list", "--unit", "West", "--type", "dispatcher")
		if len(found.Items) != 1 {
			t.Errorf("%+v", found)
		}
		sh.refused(1, []string{"West still has 1 people", "name another unit"}, "unit", "delete", "West", "--yes")
		sh.must("unit", "move", "Night", "West")
		sh.must("unit", "rename", "Night", "Early")
		sh.must("unit", "delete", "West", "--heir", "East", "--yes", "--reason", "closed")
		var units listView[unitView]
		sh.json(&units, "unit", "list")
		if len(units.Items) != 3 || units.Items[2].Name != "Early" || units.Items[2].Depth != 2 || units.Items[1].Users != 1 {
			t.Errorf("%+v", units.Items)
		}
		sh.refused(1, []string{"This installation has one tenant, Main"}, "tenant", "create", "Acme")
		sh.refused(1, []string{"has no admin flag"}, "user", "position", "ada", "--admin")
		sh.refused(1, []string{"what its file says"}, "user-type", "create", "Another")
		sh.refused(2, []string{"yes or no"}, "user", "list", "--external", "maybe")
	})
}

func TestTechniciansAndTypesAtTheCommandLine(t *testing.T) {
	sh := newShell(t)
	sh.env["DRAWBRIDGE_ACCESS_MODEL"] = "fentu-fsm"
	sh.must("user", "create", "--user-name", "tom", "--role", "technician", "--reason", "joined")
	sh.must("record", "put", "technician", "T-1", "--display", "Tom Smith")
	sh.must("record", "link", "technician", "T-1", "tom")
	var d userDetailView
	sh.json(&d, "user", "show", "tom")
	if len(d.Records) != 1 || d.Records[0].ForeignID != "T-1" || d.Records[0].Display != "Tom Smith" {
		t.Errorf("%+v", d.Records)
	}
	sh.must("record", "put", "technician", "T-1", "--active=false")
	sh.must("record", "unlink", "technician", "T-1")
	var free listView[recordView]
	sh.json(&free, "record", "list", "technician", "--unlinked")
	if len(free.Items) != 1 || free.Items[0].Active || free.Items[0].UserID != "" {
		t.Errorf("%+v", free.Items)
	}
	sh.refused(1, []string{"vehicle"}, "record", "put", "vehicle", "V-1")

	sh = newShell(t)
	sh.env["DRAWBRIDGE_ACCESS_MODEL"] = "fintechos"
	sh.must("user-type", "create", "Branch partner")
	sh.must("user", "create", "--user-name", "boss", "--role", "portal_viewer", "--admin", "--external", "--type", "branch partner")
	var types listView[userTypeView]
	sh.json(&types, "user-type", "list")
	if len(types.Items) != 4 || types.Items[3].ID != "branch_partner" || types.Items[3].Users != 1 {
		t.Errorf("%+v", types.Items)
	}
	sh.json(&d, "user", "show", "boss")
	if !d.Position.Admin || !d.Position.External {
		t.Errorf("%+v", d.Position)
	}
	sh.refused(1, []string{"1 users have the type"}, "user-type", "delete", "branch_partner", "--yes")
	sh.must("user", "position", "boss", "--type", "", "--external=false")
	sh.must("user-type", "rename", "branch_partner", "Partner")
	sh.must("user-type", "delete", "branch_partner", "--yes")
}
