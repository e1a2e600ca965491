package provisioning

import (
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// How long and of how many groups it is remembered that they are large. Whoever relies on it only chooses between two right answers.
const (
	largeFor  = time.Minute
	mostLarge = 10000
)

// sized is a group that an actor found to have more members than so many.
type sized struct {
	actor string
	group identity.GroupID
	most  int
}

// memory remembers large groups, so that a change of one member need not look at the others. The zero value is ready.
type memory struct {
	mu   sync.RWMutex
	seen map[sized]time.Time
}

func (m *memory) has(s sized) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	at, ok := m.seen[s]
	return ok && time.Since(at) < largeFor
}

func (m *memory) add(s sized) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil || len(m.seen) >= mostLarge {
		m.seen = map[sized]time.Time{}
	}
	m.seen[s] = time.Now()
}
