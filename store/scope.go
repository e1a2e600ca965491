package store

import "github.com/drawbridge-id/drawbridge/identity"

// Scope says which rows a query may see. The zero value sees nothing.
type Scope struct {
	all       bool
	tenant    identity.TenantID
	directory identity.DirectoryID
}

// Everything is the scope of the installation's own people.
func Everything() Scope { return Scope{all: true} }

// OfTenant is the scope of one tenant's people.
func OfTenant(id identity.TenantID) Scope { return Scope{tenant: id} }

// OfDirectory is the scope of a directory: its tenant, or the whole installation but for platform users whom it does not manage.
func OfDirectory(id identity.DirectoryID, tenant identity.TenantID) Scope {
	return Scope{directory: id, tenant: tenant, all: tenant == ""}
}

// Directory returns the directory of the scope, or "".
func (s Scope) Directory() identity.DirectoryID { return s.directory }

// users returns the condition on the tables "users u" and "directory_users du", the asking directory's own row.
func (s Scope) users() (string, []any) {
	switch {
	case s.directory != "" && s.all:
		return "(u.tenant_id IS NOT NULL OR du.user_id IS NOT NULL)", nil
	case s.all:
		return "1 = 1", nil
	case s.tenant != "":
		return "u.tenant_id = ?", []any{string(s.tenant)}
	}
	return "1 = 0", nil
}

// tenants returns the condition on a table's tenant column.
func (s Scope) tenants(column string) (string, []any) {
	switch {
	case s.all:
		return "1 = 1", nil
	case s.tenant != "":
		return column + " = ?", []any{string(s.tenant)}
	}
	return "1 = 0", nil
}
