package identity

import "time"

// Position is where a person stands in the organisation. What is empty is as the access model says.
type Position struct {
	UserID    UserID
	Type      UserTypeID
	UnitID    UnitID // a business unit of the person's tenant
	TeamID    UnitID // a team below that unit
	DataLevel string // how far the person sees at most: global, branch, team or personal
	External  bool   // does not belong to the organisation
	Admin     bool   // the admin flag, where the access model has one
	UpdatedAt time.Time
}

// UnitKind says what a business unit is.
type UnitKind string

// The kinds: a team is a leaf below a unit.
const (
	KindUnit UnitKind = "unit"
	KindTeam UnitKind = "team"
)

// Unit is a business unit of a tenant, or a team. The root has no parent.
type Unit struct {
	ID        UnitID
	TenantID  TenantID
	ParentID  UnitID
	Kind      UnitKind
	Name      string
	CreatedAt time.Time
	Users     int // filled where a list shows it
}

// UserType groups people. It grants nothing by itself.
type UserType struct {
	ID          UserTypeID
	Application string
	Title       string
	DefaultRole RoleID // proposed when somebody of this type is created
	MaxUsers    int    // 0: any number
	Shipped     bool   // came with the access model
	Position    int    // in lists
	CreatedAt   time.Time
	Users       int // filled where a list shows it
}

// Record is something of an application that a person may be tied to, such as a technician. It may exist without a person.
type Record struct {
	Application string
	Type        string
	ForeignID   string
	Display     string
	Active      bool
	TenantID    TenantID
	UserID      UserID
	CreatedAt   time.Time
	UpdatedAt   time.Time
}
