package authn

import (
	"crypto/sha256"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestWhatIsRememberedIsBelievedForTwoSecondsAndWhileNothingChanges(t *testing.T) {
	read := time.Now()
	end := read.Add(time.Second)
	for _, tt := range []struct {
		name    string
		ends    *time.Time
		after   time.Duration
		version uint64
		want    bool
	}{
		{"at once", nil, 0, 7, true},
		{"just before two seconds", nil, passAge - 1, 7, true},
		{"after two seconds", nil, passAge, 7, false},
		{"after a change", nil, 0, 8, false},
		{"just before the token's end", &end, time.Second - 1, 7, true},
		{"at the token's end", &end, time.Second, 7, false},
	} {
		k := &known{}
		k.pass.Store(&pass{read: read, version: 7, ends: tt.ends})
		if got := k.fresh(read.Add(tt.after), tt.version); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if (&known{}).fresh(read, 7) {
		t.Error("a token that opens nothing is believed")
	}
}

func TestOfManyUsesAtOnceOneIsWrittenDown(t *testing.T) {
	k, now := &known{}, time.Now()
	var mu sync.Mutex
	var wg sync.WaitGroup
	written := 0
	for range 50 {
		wg.Go(func() {
			if k.due(now) {
				mu.Lock()
				defer mu.Unlock()
				written++
			}
		})
	}
	wg.Wait()
	if written != 1 || k.due(now.Add(touchEvery-time.Millisecond)) || !k.due(now.Add(touchEvery+time.Millisecond)) {
		t.Errorf("written down %d times", written)
	}
}

func TestTheMemoryOfTokensIsBounded(t *testing.T) {
	ps, now := &passes{}, time.Now()
	hash := func(i int) [sha256.Size]byte { return sha256.Sum256([]byte(strconv.Itoa(i))) }
	fill := func(from, to int, at time.Time) {
		for i := from; i < to; i++ {
			k := ps.keep(hash(i), &pass{read: at, directory: identity.Directory{Name: strconv.Itoa(i)}})
			if got := k.pass.Load().directory.Name; got != strconv.Itoa(i) {
				t.Fatalf("token %d opens %s", i, got)
			}
		}
	}
	fill(0, maxPasses+100, now)
	if n := len(*ps.all.Load()); n != maxPasses || ps.find(hash(maxPasses+1)) != nil || ps.find(hash(1)) == nil {
		t.Errorf("%d tokens are remembered, want the first %d", n, maxPasses)
	}
	fill(maxPasses, maxPasses+10, now.Add(passAge))
	if n := len(*ps.all.Load()); n != 10 {
		t.Errorf("%d tokens are remembered, want the 10 that are fresh", n)
	}
}
