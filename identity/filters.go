package identity

// FilterOp is an operator of a filter (RFC 7644 3.4.2.2).
type FilterOp string

// The operators. Exists joins Path (a multi-valued attribute) with one child that must hold for one and the same element.
const (
	OpEq     FilterOp = "eq"
	OpNe     FilterOp = "ne"
	OpCo     FilterOp = "co"
	OpSw     FilterOp = "sw"
	OpEw     FilterOp = "ew"
	OpGt     FilterOp = "gt"
	OpGe     FilterOp = "ge"
	OpLt     FilterOp = "lt"
	OpLe     FilterOp = "le"
	OpPr     FilterOp = "pr"
	OpAnd    FilterOp = "and"
	OpOr     FilterOp = "or"
	OpNot    FilterOp = "not"
	OpExists FilterOp = "exists"
	OpNone   FilterOp = "none" // matches nothing: what a comparison of two types that cannot be equal becomes
)

// AttributeType is the type of an attribute in a filter.
type AttributeType string

// The types.
const (
	TypeString   AttributeType = "string"
	TypeBoolean  AttributeType = "boolean"
	TypeInteger  AttributeType = "integer"
	TypeDecimal  AttributeType = "decimal"
	TypeDateTime AttributeType = "dateTime"
	TypeComplex  AttributeType = "complex"
)

// Attribute is an attribute after the schema was asked: everything that a query needs to know about it.
type Attribute struct {
	Schema      string // the extension's URN; empty for the core schema
	Name        string // canonical spelling
	Sub         string // sub-attribute; empty when the attribute is simple
	Type        AttributeType
	CaseExact   bool
	MultiValued bool // the attribute (not the sub-attribute) is a list
}

// Filter is a filter as a tree, resolved against the schema. A door parses it; the store compiles it to SQL.
// Inside Exists the children's attributes have only Sub set.
type Filter struct {
	Op       FilterOp
	Attr     Attribute
	Value    any // string, bool, int64, float64, time.Time or nil
	Children []*Filter
}

// Sort is an order of a list.
type Sort struct {
	Attr       Attribute
	Descending bool
}

// UserOrder is an order of people that is quick however many there are. Whoever has no such value comes last, in both directions.
type UserOrder string

// The orders. People who share a value are in the order of their ids.
const (
	OrderName  UserOrder = "name"  // the display name
	OrderEmail UserOrder = "email" // the primary address
	OrderSeen  UserOrder = "seen"  // the last sign-in
)

// Query is what a list is asked for.
type Query struct {
	Filter *Filter
	Search string   // words for people's search boxes: matched in names, user names and addresses
	Tenant TenantID // only this tenant
	Status Status   // only this status

	Type     UserTypeID // only people of this type
	Unit     UnitID     // only people of this business unit or team, or of one below it
	External *bool      // only people who belong to the organisation, or only those who do not

	Role      RoleID      // only people who hold this role
	Directory DirectoryID // only groups of this directory, or people whom it knows
	Deleted   bool        // people who were deleted and may be restored, in place of all others

	// What Type and Unit come to; provisioning fills it in.
	TypeIsDefault bool     // people of whom nothing was said have the type too
	Units         []UnitID // the unit and everything below it
	UnitRootOf    TenantID // one of the units is this tenant's root: people of whom nothing was said are in it

	Sort   *Sort  // nil: by id
	After  string // keyset: what comes after the item with this id
	Newest bool   // ids descending

	Order      UserOrder // of people; "": by id
	Descending bool      // with Order

	AfterKey *string // with Sort or Order, and After: the LastKey of the page before
	Offset   int
	Limit    int  // 0: no rows, only the total
	Total    bool // count all matches too
	Lean     bool // for a directory's answer: what it does not show stays empty, addresses stay JSON, groups come along; for a select of tenants: nobody is counted
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Total int64 // only when asked for
	More  bool

	LastKey *string // of a sorted list: the value by which the last item was sorted, for Query.AfterKey; nil: it has none
}
