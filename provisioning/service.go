package provisioning

import (
	"sync/atomic"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Service answers the doors. It has no state that another replica would need: any number of replicas may run on one database.
type Service struct {
	db    *store.DB
	model *access.Model

	traceAge time.Duration
	origin   string // the public origin that mails lead to
	register bool   // strangers may found a tenant, where the access model lets them

	large   memory                            // groups that had many members a moment ago
	landing atomic.Pointer[identity.TenantID] // a fact that never changes, once it is known
	main    atomic.Pointer[identity.TenantID] // likewise
	known   atomic.Int64                      // the second in which a directory last pushed somebody who was there already
	bursts  bursts                            // how many people directories may keep out before the database is asked
	reads   reads                             // a statistic on its way to the database
	days    dayCounts                         // what happened on days that are over
	dns     *Resolver

	temporary MakePassword  // for plans that mail passwords; nil: they cannot be carried out without one
	waiting   chan struct{} // a hint that a plan waits
}

// New returns a service on a database whose migrations are done.
func New(db *store.DB, model *access.Model) *Service {
	return &Service{db: db, model: model, traceAge: DefaultTraceAge, origin: defaultOrigin, dns: NewResolver(""), waiting: make(chan struct{}, 1)}
}

// Resolve makes the service ask this resolver for the records of domains. It is called before the service is used.
func (s *Service) Resolve(r *Resolver) { s.dns = r }

// defaultOrigin is where the program listens when nothing else is said.
const defaultOrigin = "http://127.0.0.1:8080"

// LeadTo sets the public origin, without a slash at the end, that the links of mails lead to. It is called before the service is used.
func (s *Service) LeadTo(origin string) { s.origin = origin }

// Model returns the access model in force.
func (s *Service) Model() *access.Model { return s.model }
