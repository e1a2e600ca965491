package identity

import (
	"strconv"
	"strings"
	"time"
)

// AccessReviewKind says what a review of access looks at.
type AccessReviewKind string

// The kinds.
const (
	ReviewAdministrators AccessReviewKind = "administrators" // who may manage people
	ReviewRole           AccessReviewKind = "role"           // who holds one role
	ReviewSensitive      AccessReviewKind = "sensitive"      // who holds what the access model calls sensitive
	ReviewEverybody      AccessReviewKind = "everybody"
	ReviewDormant        AccessReviewKind = "dormant" // who was not seen for some days, may not come in, or was given up by every directory
)

// AccessReviewScope is what a review of access looks at.
type AccessReviewScope struct {
	Kind AccessReviewKind
	Role RoleID // of ReviewRole
	Days int    // of ReviewDormant
}

// String writes a scope as it is kept: "administrators", "role:viewer", "dormant:90".
func (s AccessReviewScope) String() string {
	switch s.Kind {
	case ReviewRole:
		return string(s.Kind) + ":" + string(s.Role)
	case ReviewDormant:
		return string(s.Kind) + ":" + strconv.Itoa(s.Days)
	}
	return string(s.Kind)
}

// ParseAccessReviewScope reads what String wrote, or Invalid. Dormant without a number is 90 days.
func ParseAccessReviewScope(text string) (AccessReviewScope, error) {
	kind, rest, _ := strings.Cut(text, ":")
	s := AccessReviewScope{Kind: AccessReviewKind(kind)}
	ok := rest == ""
	switch s.Kind {
	case ReviewAdministrators, ReviewSensitive, ReviewEverybody:
	case ReviewRole:
		s.Role, ok = RoleID(rest), rest != ""
	case ReviewDormant:
		s.Days = 90
		if rest != "" {
			days, err := strconv.Atoi(rest)
			s.Days, ok = days, err == nil && days > 0 && days <= 3650
		}
	default:
		ok = false
	}
	if !ok {
		return s, Errorf(Invalid, "A review looks at administrators, role:ROLE, sensitive, everybody or dormant:DAYS; %q is none of these.", text).WithField("scope")
	}
	return s, nil
}

// AccessReview is a look at who holds what, by people, until a day.
type AccessReview struct {
	ID         AccessReviewID
	TenantID   TenantID // empty: the whole installation
	TenantName string   // filled where a list shows it
	Name       string
	Scope      AccessReviewScope
	CreatedBy  string
	CreatedAt  time.Time
	DueAt      time.Time
	ClosedAt   *time.Time
	ClosedBy   string
	Items      int // how much is looked at
	Undecided  int
}

// AccessDecision is what a reviewer says about something that somebody holds.
type AccessDecision string

// The decisions. An item without one is empty.
const (
	AccessKeep       AccessDecision = "keep"
	AccessRevoke     AccessDecision = "revoke"     // the role is taken away; where everybody needs one, the least takes its place
	AccessChange     AccessDecision = "change"     // another role takes its place
	AccessDeactivate AccessDecision = "deactivate" // the person may not come in any more
)

// AccessReviewItem is one role of one person, as it was held when the review began, and what was decided. An item without a role is the admin flag.
type AccessReviewItem struct {
	ReviewID      AccessReviewID
	ID            AssignmentID // of a flag: the person's id
	UserID        UserID
	RoleID        RoleID
	Source        SourceKind
	GrantedBy     string
	GrantedReason string
	GrantedAt     *time.Time
	Decision      AccessDecision
	DecidedBy     string
	DecidedAt     *time.Time
	Reason        string

	User      User            // filled where a list shows it, with the tenant's name
	Held      bool            // it is still held
	Sensitive []string        // titles of what the role grants and the model calls sensitive
	Known     []DirectoryLink // what the directories say of the person
}
