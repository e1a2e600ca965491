package authn

import (
	"crypto/sha256"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	passAge   = 2 * time.Second // how long what was read of a token is believed
	renewAge  = time.Second     // from when on one request of many reads it anew
	maxPasses = 4096            // tokens that are remembered
)

// pass is what the database said of a token at one moment. It is never changed.
type pass struct {
	directory identity.Directory
	actor     identity.Actor
	key       string
	token     identity.Token    // of a directory's own token
	client    identity.ClientID // of an access token
	ends      *time.Time
	used      *time.Time
	read      time.Time
	version   uint64 // of the database, before it was read
}

// known is a token that opened the door before.
type known struct {
	pass     atomic.Pointer[pass] // nil: it opens no door
	used     atomic.Int64         // when its use was last written down, in microseconds since 1970; 0: never
	renewing atomic.Bool
}

// fresh reports whether what was read may still be believed.
func (k *known) fresh(now time.Time, version uint64) bool {
	p := k.pass.Load()
	return p != nil && p.version == version && now.Sub(p.read) < passAge && (p.ends == nil || now.Before(*p.ends))
}

// aging reports whether it is time to read anew.
func (k *known) aging(now time.Time) bool {
	p := k.pass.Load()
	return p == nil || now.Sub(p.read) >= renewAge
}

// due reports whether this use is to be written down. Of many at once one is.
func (k *known) due(now time.Time) bool {
	last := k.used.Load()
	return now.UnixMicro()-last >= touchEvery.Microseconds() && k.used.CompareAndSwap(last, now.UnixMicro())
}

// passes remember tokens that opened the door, by their hash. Readers take no lock and allocate nothing: the map is never changed but
// replaced, which happens only when a token comes that is not in it. Tokens that open nothing are not remembered, so that strangers fill
// no memory.
type passes struct {
	mu  sync.Mutex // of those who replace the map
	all atomic.Pointer[map[[sha256.Size]byte]*known]
}

// find returns what is known of a token, or nil.
func (ps *passes) find(hash [sha256.Size]byte) *known {
	if all := ps.all.Load(); all != nil {
		return (*all)[hash]
	}
	return nil
}

// keep remembers a pass. When there is no room for one more, it is returned and not remembered.
func (ps *passes) keep(hash [sha256.Size]byte, p *pass) *known {
	k := ps.find(hash)
	if k == nil {
		k = ps.add(hash, p)
	}
	if p.used != nil {
		if at := p.used.UnixMicro(); at > k.used.Load() {
			k.used.Store(at)
		}
	}
	k.pass.Store(p)
	return k
}

func (ps *passes) add(hash [sha256.Size]byte, p *pass) *known {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	all := map[[sha256.Size]byte]*known{}
	if old := ps.all.Load(); old != nil {
		if k := (*old)[hash]; k != nil {
			return k
		}
		all = maps.Clone(*old)
	}
	if len(all) >= maxPasses {
		maps.DeleteFunc(all, func(_ [sha256.Size]byte, k *known) bool { return !k.fresh(p.read, p.version) })
	}
	k := &known{}
	k.pass.Store(p)
	if len(all) < maxPasses {
		all[hash] = k
		ps.all.Store(&all)
	}
	return k
}
