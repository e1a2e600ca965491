package provisioning_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// keptList is a list of people of many parts.
func keptList(rows int, wrong string) string {
	var b strings.Builder
	b.WriteString("email,title\n")
	for i := range rows {
		fmt.Fprintf(&b, "p%d@acme.example,%s\n", i, strings.Repeat("x", 400))
	}
	return b.String() + wrong
}

func TestAKeptFileIsReadAsItCame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		list := keptList(1500, "") // more than two parts
		kept := must[identity.KeptFile](t)(h.KeepFile(h.ctx, h.op, identity.KeptFile{Name: "people.csv", TenantID: acme.ID, Source: "hr"}, strings.NewReader(list)))
		if kept.Size != int64(len(list)) {
			t.Errorf("%d bytes of %d are kept", kept.Size, len(list))
		}
		preview := must[provisioning.ImportPreview](t)(h.PreviewKeptFile(h.ctx, h.op, kept.ID, provisioning.ImportOptions{}))
		if len(preview.Columns) != 2 || preview.Columns[0].Field != "email" || len(preview.Rows) == 0 {
			t.Errorf("the preview is %+v", preview)
		}
		plan := must[identity.Plan](t)(h.ImportKeptFile(h.ctx, h.op, kept.ID, provisioning.ImportOptions{}))
		if plan.Summary.Create != 1500 || plan.Source != "hr" || plan.TenantID != acme.ID {
			t.Errorf("the plan is %+v", plan)
		}
		_, err := h.KeptFile(h.ctx, h.op, kept.ID)
		wantKind(t, err, identity.NotFound, "")
	})
}

func TestAPlanOfAKeptFileGoesOnWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		model, err := access.Load("etlworks")
		if err != nil {
			t.Fatal(err)
		}
		h := &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()}
		acme := h.tenant("Acme")
		bring := func(content string) identity.KeptFile {
			<-time.After(time.Millisecond)
			return must[identity.KeptFile](t)(h.KeepFile(h.ctx, h.op, identity.KeptFile{Name: "people.csv", TenantID: acme.ID}, strings.NewReader(content)))
		}
		good, bad := bring(keptList(300, "")), bring(keptList(300, "p@acme.example"+strings.Repeat(",", 300)+"\n"))
		gone := make(chan struct{}) // no file is read before nobody waits
		options := provisioning.ImportOptions{Made: func(identity.Plan) { <-gone }}
		plan := must[identity.Plan](t)(h.StartKeptFile(h.ctx, h.op, good.ID, options, 0))
		broken := must[identity.Plan](t)(h.StartKeptFile(h.ctx, h.op, bad.ID, options, 0))
		if plan.State != identity.PlanComputing || broken.State != identity.PlanComputing {
			t.Errorf("the plans are %s and %s at once", plan.State, broken.State)
		}
		close(gone)
		synctest.Wait()
		if plan = must[identity.Plan](t)(h.Plan(h.ctx, h.op, plan.ID)); plan.State != identity.PlanReady || plan.Summary.Create != 300 {
			t.Errorf("the plan is %s with %+v", plan.State, plan.Summary)
		}
		if broken = must[identity.Plan](t)(h.Plan(h.ctx, h.op, broken.ID)); broken.State != identity.PlanFailed || !strings.Contains(broken.Summary.Failure, "columns") {
			t.Errorf("the broken plan is %s: %s", broken.State, broken.Summary.Failure)
		}
		if _, err := h.KeptFile(h.ctx, h.op, bad.ID); err != nil {
			t.Errorf("the file that could not be read is gone: %v", err)
		}
	})
}
