package web

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestABrakeSlowsOneKeyDownAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBrake(3, time.Minute)
		for range 3 {
			if err := b.Take("203.0.113.1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Take("203.0.113.1"); identity.KindOf(err) != identity.TooMany {
			t.Errorf("a fourth try is %v", err)
		}
		if err := b.Take("203.0.113.2"); err != nil {
			t.Errorf("somebody else is slowed down: %v", err)
		}
		synctest.Wait()
		timer := time.NewTimer(time.Minute)
		<-timer.C
		if err := b.Take("203.0.113.1"); err != nil {
			t.Errorf("after a minute: %v", err)
		}
	})
}

func TestABrakeForgetsRatherThanGrowing(t *testing.T) {
	b := NewBrake(1, time.Hour)
	for i := range maxBraked + 100 {
		if err := b.Take(strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.tries) > maxBraked {
		t.Errorf("%d keys are remembered", len(b.tries))
	}
}
