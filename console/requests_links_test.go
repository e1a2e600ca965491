package console

import (
	"testing"
	"time"
)

func TestAnEntryLeadsToItsRequestWhileTheJournalHasIt(t *testing.T) {
	const kept = 30 * 24 * time.Hour
	for _, c := range []struct {
		kept time.Duration
		age  time.Duration
		want bool
	}{
		{kept, time.Hour, false},
		{kept, kept - time.Minute, false},
		{kept, kept + time.Minute, true},
		{0, 10 * kept, false},
	} {
		if got := (visit{journal: c.kept}).swept(time.Now().Add(-c.age)); got != c.want {
			t.Errorf("after %s of %s it is swept: %t", c.age, c.kept, got)
		}
	}
}
