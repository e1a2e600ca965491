package scim

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxRates is how many tokens are counted at most. Only tokens that opened the door are, so there are as many as directories have.
const maxRates = 10000

// rates are the rates of tokens: each may send a burst at once, and after it as many as the rate allows. It is the generic cell rate
// algorithm: of each token only the moment is kept at which everything that it sent would have been due. It is a brake and no rule:
// each replica counts for itself, and a restart forgets.
type rates struct {
	every time.Duration // between two requests; 0: no limit
	burst time.Duration // how far ahead of the due moment a token may be
	due   sync.Map      // token -> *atomic.Int64, nanoseconds since the door was opened
	known atomic.Int64
}

func newRates(l Limits) *rates {
	if l.Rate <= 0 {
		return &rates{}
	}
	every := max(time.Second/time.Duration(l.Rate), 1)
	return &rates{every: every, burst: every * time.Duration(l.Burst-1)}
}

// take counts one request of a token at a moment since the door was opened, or says how long it has to wait. A request that has to wait
// is not counted.
func (r *rates) take(token string, now time.Duration) time.Duration {
	if r.every == 0 {
		return 0
	}
	due := r.of(token, now)
	for {
		at := due.Load()
		ahead := max(time.Duration(at)-now, 0)
		if ahead > r.burst {
			return ahead - r.burst
		}
		if due.CompareAndSwap(at, int64(now+ahead+r.every)) {
			return 0
		}
	}
}

// of returns the due moment of a token.
func (r *rates) of(token string, now time.Duration) *atomic.Int64 {
	if found, ok := r.due.Load(token); ok {
		return found.(*atomic.Int64)
	}
	if r.known.Load() >= maxRates {
		r.forget(now)
	}
	made, there := r.due.LoadOrStore(token, new(atomic.Int64))
	if !there {
		r.known.Add(1)
	}
	return made.(*atomic.Int64)
}

// forget makes room: tokens that may send a whole burst again are as good as new, and the others go too when that is not enough.
func (r *rates) forget(now time.Duration) {
	for _, all := range []bool{false, true} {
		r.due.Range(func(token, due any) bool {
			if all || time.Duration(due.(*atomic.Int64).Load()) <= now {
				if _, there := r.due.LoadAndDelete(token); there {
					r.known.Add(-1)
				}
			}
			return true
		})
		if r.known.Load() < maxRates {
			return
		}
	}
}
