package console

import (
	"context"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type installationBody struct {
	Tabs    settingsTabs
	Model   provisioning.ModelInForce
	Named   string // what DRAWBRIDGE_ACCESS_MODEL names; empty: not known
	Differs bool   // and it is another than the one in force
	Keys    []string
	Traces  time.Duration
	Journal time.Duration // 0: for ever
	Mails   time.Duration
}

// installation shows what holds for the whole installation: the access model in force, the keys that seal secrets, and how long things are kept.
func (d *Door) installation(w http.ResponseWriter, r *http.Request, v visit) error {
	b := installationBody{Tabs: v.tabs("installation"), Named: d.installed.NamedModel, Traces: d.prov.TraceAge(), Journal: d.installed.JournalAge, Mails: provisioning.MailsKept}
	var err error
	if b.Model, err = d.prov.ModelInForce(r.Context(), v.Actor); err != nil {
		return err
	}
	if b.Keys, err = d.prov.SecretKeys(r.Context(), v.Actor); err != nil {
		return err
	}
	b.Differs = len(d.installed.NamedSource) > 0 && d.prov.ModelDiffers(d.installed.NamedSource)
	return d.showSettings(w, r, v, "settings_installation", "Installation", form{}, b)
}

// modelSource is the document of the access model in force, as a file.
func (d *Door) modelSource(w http.ResponseWriter, r *http.Request, v visit) error {
	m, err := d.prov.ModelInForce(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/yaml; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="access-model.yaml"`)
	_, _ = w.Write(m.Source) // a browser that left needs no answer
	return nil
}

// tenantsByID are the names of tenants, as far as the visitor chooses among several.
func (d *Door) tenantsByID(ctx context.Context, v visit) (list []identity.Tenant, names map[identity.TenantID]string, err error) {
	list, err = d.tenantOptions(ctx, v)
	names = make(map[identity.TenantID]string, len(list))
	for _, t := range list {
		names[t.ID] = t.Name
	}
	return list, names, err
}
