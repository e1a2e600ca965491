package console

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// sourceRows is how many lines of files about somebody the page shows.
const sourceRows = 3

// fillSources reads whence somebody comes beside what UserDetail has: what each directory sent last, and which lines of which files spoke of the person.
func (d *Door) fillSources(ctx context.Context, v visit, b *userBody) error {
	if v.Can(usersWrite) {
		rows, _, err := d.timelineOf(ctx, v, b, provisioning.TimelineQuery{Kind: provisioning.EntryPlan, Limit: sourceRows})
		if err != nil {
			return err
		}
		b.Files = rows
	}
	b.Sent = map[identity.DirectoryID]identity.Request{}
	if !v.Can(tenantsWrite) || v.User.TenantID != "" {
		return nil
	}
	for _, l := range b.Directories {
		found, err := d.prov.Requests(ctx, v.Actor, provisioning.RequestQuery{DirectoryID: l.DirectoryID, About: []string{string(b.User.ID)}, Limit: 1})
		if err != nil {
			return err
		}
		if len(found.Items) > 0 {
			b.Sent[l.DirectoryID] = found.Items[0]
		}
	}
	return nil
}
