package store

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
)

// KnownToDirectory returns what a directory says of its next people behind one, deleted ones too, in the order of ids, at most limit.
func (tx *Tx) KnownToDirectory(ctx context.Context, directory identity.DirectoryID, after identity.UserID, limit int) ([]identity.DirectoryLink, error) {
	b := builder{tx: tx}
	b.add("l.directory_id = ?", string(directory))
	if after != "" {
		b.add("l.user_id > ?", string(after))
	}
	var out []identity.DirectoryLink
	err := tx.each(ctx, tx.rebound(`SELECT l.user_id, l.external_id, l.active FROM directory_users l`+b.where()+` ORDER BY l.user_id LIMIT `+strconv.Itoa(limit)), b.args, func(rows *sql.Rows) error {
		l := identity.DirectoryLink{DirectoryID: directory}
		var user, external text
		err := rows.Scan(&user, &external, &l.Active)
		l.UserID, l.ExternalID = identity.UserID(user), string(external)
		out = append(out, l)
		return err
	})
	return out, err
}

// EachEventOf calls see with the events of some types about some people, or of some objects that are no people, oldest first.
func (tx *Tx) EachEventOf(ctx context.Context, people []identity.UserID, objects []string, kinds []identity.EventType, see func(identity.Event) error) error {
	b := builder{tx: tx}
	if len(people) > 0 {
		in, args := idList(tx, "e.user_id", people)
		b.add(in, args...)
	} else {
		in, arg := tx.textList("e.object_id", objects)
		b.add("e.object_kind <> 'user' AND "+in, arg)
	}
	in, list := tx.textList("e.type", asTexts(kinds))
	b.add(in, list)
	var rows []eventRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+eventColumns+` FROM events e`+b.where()+` ORDER BY e.id`, b.args...); err != nil {
		return err
	}
	for i := range rows {
		e, err := rows[i].event()
		if err == nil {
			err = see(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// KnownToSource returns what a source other than a directory said of its next people behind one, in the order of ids, at most limit. Whom its last whole list no longer had is left out.
func (tx *Tx) KnownToSource(ctx context.Context, tenant identity.TenantID, source string, after identity.UserID, limit int) ([]SourceUser, error) {
	b := builder{tx: tx}
	b.add("COALESCE(k.tenant_id, "+nobody+") = COALESCE("+tx.cast()+", "+nobody+")", null(tenant))
	b.add("k.source = ? AND k.away <> ?", source, AwayMissing)
	if after != "" {
		b.add("k.user_id > ?", string(after))
	}
	var out []SourceUser
	err := tx.each(ctx, tx.rebound(`SELECT k.user_id, k.external_id, k.said FROM source_users k`+b.where()+` ORDER BY k.user_id LIMIT `+strconv.Itoa(limit)), b.args, func(rows *sql.Rows) error {
		s := SourceUser{TenantID: tenant, Source: source}
		var user, said text
		if err := rows.Scan(&user, &s.ExternalID, &said); err != nil {
			return err
		}
		s.UserID = identity.UserID(user)
		err := fromJSON(said, &s.Said)
		out = append(out, s)
		return err
	})
	return out, err
}
