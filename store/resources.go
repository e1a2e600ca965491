package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// resourcesTable says where the attributes of a resource of a declared type are.
var resourcesTable = &table{
	id: "r.id", json: "r.attributes",
	columns: map[string]column{
		"id":                {name: "r.id", id: true},
		"externalId":        {name: "r.external_id"},
		"meta.created":      {name: "r.created_at"},
		"meta.lastModified": {name: "r.updated_at"},
	},
}

const resourceColumns = `r.id, r.directory_id, r.resource_type, r.external_id, r.attributes, r.version, r.created_at, r.updated_at`

type resourceRow struct {
	ID          text   `db:"id"`
	DirectoryID text   `db:"directory_id"`
	Type        string `db:"resource_type"`
	ExternalID  text   `db:"external_id"`
	Attributes  text   `db:"attributes"`
	Version     int64  `db:"version"`
	CreatedAt   moment `db:"created_at"`
	UpdatedAt   moment `db:"updated_at"`

	SortKey *string `db:"sort_key"` // of a sorted list
}

func (r *resourceRow) resource() identity.Resource {
	return identity.Resource{
		ID: identity.ResourceID(r.ID), DirectoryID: identity.DirectoryID(r.DirectoryID), Type: r.Type, ExternalID: string(r.ExternalID),
		Attributes: []byte(r.Attributes), Version: r.Version, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
}

// Resource returns a resource of a directory by its type and id, or NotFound.
func (tx *Tx) Resource(ctx context.Context, directory identity.DirectoryID, kind string, id identity.ResourceID) (identity.Resource, error) {
	return tx.resource(ctx, directory, kind, id, "")
}

// ResourceForUpdate is Resource with the row locked until the transaction ends.
func (tx *Tx) ResourceForUpdate(ctx context.Context, directory identity.DirectoryID, kind string, id identity.ResourceID) (identity.Resource, error) {
	return tx.resource(ctx, directory, kind, id, tx.lockRows("r"))
}

func (tx *Tx) resource(ctx context.Context, directory identity.DirectoryID, kind string, id identity.ResourceID, lock string) (identity.Resource, error) {
	var r resourceRow
	err := tx.get(ctx, &r, `SELECT `+resourceColumns+` FROM resources r WHERE r.id = ? AND r.directory_id = ? AND r.resource_type = ?`+lock,
		string(id), string(directory), kind)
	return r.resource(), err
}

// Resources returns a page of a directory's resources of one type.
func (tx *Tx) Resources(ctx context.Context, directory identity.DirectoryID, kind string, q identity.Query) (identity.Page[identity.Resource], error) {
	var page identity.Page[identity.Resource]
	b := builder{tx: tx, table: resourcesTable, directory: directory}
	b.add("r.directory_id = ? AND r.resource_type = ?", string(directory), kind)
	if q.Filter != nil {
		b.filter(q.Filter)
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM resources r`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("r.id", q)
	var rows []resourceRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+resourceColumns+b.keyColumn(q)+` FROM resources r`+b.where()+b.order("r.id", q), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Resource, len(rows))
	for i := range rows {
		page.Items[i], page.LastKey = rows[i].resource(), rows[i].SortKey
	}
	return page, nil
}

// InsertResource writes a new resource with its keys. A key that is taken is a Conflict, of this or of the transaction's next step.
func (tx *Tx) InsertResource(ctx context.Context, r identity.Resource, keys []identity.ResourceKey) error {
	err := tx.later(ctx, `INSERT INTO resources (id, directory_id, resource_type, external_id, attributes, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		string(r.ID), string(r.DirectoryID), r.Type, null(r.ExternalID), attributes(r.Attributes), r.Version, r.CreatedAt, r.UpdatedAt)
	if err != nil {
		return err
	}
	return tx.insertResourceKeys(ctx, r, keys)
}

// UpdateResource writes all that may change of a resource, which ResourceForUpdate returned, and its keys. A key that is taken is a Conflict.
func (tx *Tx) UpdateResource(ctx context.Context, r identity.Resource, keys []identity.ResourceKey) error {
	err := tx.exec(ctx, `UPDATE resources SET external_id = ?, attributes = ?, version = ?, updated_at = ? WHERE id = ?`,
		null(r.ExternalID), attributes(r.Attributes), r.Version, r.UpdatedAt, string(r.ID))
	if err != nil {
		return err
	}
	if err := tx.exec(ctx, `DELETE FROM resource_keys WHERE resource_id = ?`, string(r.ID)); err != nil {
		return err
	}
	return tx.insertResourceKeys(ctx, r, keys)
}

func (tx *Tx) insertResourceKeys(ctx context.Context, r identity.Resource, keys []identity.ResourceKey) error {
	if len(keys) == 0 {
		return nil
	}
	args := make([]any, 0, 5*len(keys))
	for _, k := range keys {
		args = append(args, string(r.DirectoryID), r.Type, k.Attribute, keyText(k.Value), string(r.ID))
	}
	values := strings.Repeat(", (?, ?, ?, ?, ?)", len(keys))[2:]
	return tx.later(ctx, `INSERT INTO resource_keys (directory_id, resource_type, attribute, value, resource_id) VALUES `+values, args...)
}

// keyText keeps a key short enough for an index.
func keyText(value string) string {
	const most = 255
	if len(value) <= most {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ResourceWithKey returns the id of the directory's resource of a type that has a key, or NotFound.
func (tx *Tx) ResourceWithKey(ctx context.Context, directory identity.DirectoryID, kind string, k identity.ResourceKey) (identity.ResourceID, error) {
	var id text
	err := tx.get(ctx, &id, `SELECT resource_id FROM resource_keys WHERE directory_id = ? AND resource_type = ? AND attribute = ? AND value = ?`,
		string(directory), kind, k.Attribute, keyText(k.Value))
	return identity.ResourceID(id), err
}

// DeleteResource deletes a resource with its keys.
func (tx *Tx) DeleteResource(ctx context.Context, id identity.ResourceID) error {
	return tx.execOne(ctx, `DELETE FROM resources WHERE id = ?`, string(id))
}
