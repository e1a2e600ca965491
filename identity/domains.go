package identity

import "time"

// Domain is a claim of an e-mail domain by a tenant, or without one by the installation. Of all claims of a domain one at most holds it.
type Domain struct {
	ID         DomainID
	Domain     string // as DomainKey makes it; sub-domains are others
	TenantID   TenantID
	TenantName string // filled where a list shows it
	Token      string // what the DNS record must say; each claim has its own
	Holds      bool   // verified, or given by a Super Admin's word: the tenant's connections may be trusted for it
	CreatedAt  time.Time
	VerifiedAt *time.Time // nil: the record was never seen

	OverrideBy     string // who gave it without a record; empty: nobody
	OverrideReason string

	CheckedAt    *time.Time // when the record was looked for last
	FailingSince *time.Time // since when the record of a verified domain is gone
	Failure      string     // what is wrong with the record, and what to do
}

// RecordName is the name of the DNS record of type TXT that proves a domain; the same value at the domain itself does too.
func (d *Domain) RecordName() string { return "_drawbridge." + d.Domain }

// RecordValue is what the record says.
func (d *Domain) RecordValue() string { return "drawbridge-verification=" + d.Token }

// DomainState is what people call the condition of a claim.
type DomainState string

// The states.
const (
	DomainWaits   DomainState = "waiting"  // for its record
	DomainProven  DomainState = "verified" // by its record
	DomainByWord  DomainState = "by word"  // of a Super Admin, without a record
	DomainMissing DomainState = "failing"  // verified, and its record is gone
)

// State derives the condition of the claim.
func (d *Domain) State() DomainState {
	switch {
	case !d.Holds:
		return DomainWaits
	case d.VerifiedAt == nil:
		return DomainByWord
	case d.FailingSince != nil:
		return DomainMissing
	}
	return DomainProven
}
