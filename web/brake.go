package web

import (
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// maxBraked is how many keys a brake remembers.
const maxBraked = 10000

// Brake slows down whoever tries something too often. It is a brake and no rule: each replica counts for itself, and a restart forgets.
type Brake struct {
	mu     sync.Mutex
	tries  map[string]*tries
	most   int
	window time.Duration
}

type tries struct {
	began time.Time
	n     int
}

// NewBrake returns a brake that lets each key through at most so many times in a window, which begins with its first try.
func NewBrake(most int, window time.Duration) *Brake {
	return &Brake{tries: map[string]*tries{}, most: most, window: window}
}

// Take counts one try of a key, such as an address; TooMany when there were too many.
func (b *Brake) Take(key string) error {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tries[key]
	if t == nil || now.Sub(t.began) >= b.window {
		b.makeRoom(now)
		t = &tries{began: now}
		b.tries[key] = t
	}
	if t.n >= b.most {
		return identity.Errorf(identity.TooMany, "Too many tries came from here. Wait some minutes, then try again.").WithCode("too_many")
	}
	t.n++
	return nil
}

// makeRoom forgets those whose window is over, and any other when that is not enough.
func (b *Brake) makeRoom(now time.Time) {
	if len(b.tries) < maxBraked {
		return
	}
	for key, t := range b.tries {
		if now.Sub(t.began) >= b.window {
			delete(b.tries, key)
		}
	}
	for key := range b.tries {
		if len(b.tries) < maxBraked {
			return
		}
		delete(b.tries, key)
	}
}
