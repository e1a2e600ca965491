package authn

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestWhatCountsAsOneSource(t *testing.T) {
	now := time.Now()
	full := func(ip string) *attempts {
		a := &attempts{sources: map[netip.Prefix]*source{}}
		for range maxAttempts {
			if err := a.take(ip, now); err != nil {
				t.Fatal(ip, err)
			}
		}
		return a
	}
	for _, tt := range []struct {
		name, first, then string
		refused           bool
	}{
		{"the same address", "203.0.113.9", "203.0.113.9", true},
		{"the same address written for IPv6", "203.0.113.9", "::ffff:203.0.113.9", true},
		{"the neighbour", "203.0.113.9", "203.0.113.10", false},
		{"the same household", "2001:db8::1", "2001:db8::ffff", true},
		{"the next household", "2001:db8::1", "2001:db8:0:1::1", false},
		{"a private address, perhaps a proxy with everybody behind it", "192.168.0.7", "192.168.0.7", false},
		{"this machine", "::1", "::1", false},
		{"no address", "", "", false},
	} {
		if err := full(tt.first).take(tt.then, now); (err != nil) != tt.refused {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestAttemptsEndWithTheirTimeOrTheRightPassword(t *testing.T) {
	a := &attempts{sources: map[netip.Prefix]*source{}}
	now := time.Now()
	for range 2 * maxAttempts {
		if err := a.take("203.0.113.9", now); err != nil {
			t.Fatal("right passwords were too many:", err)
		}
		a.done("203.0.113.9")
	}
	for range maxAttempts {
		_ = a.take("203.0.113.9", now)
	}
	if a.take("203.0.113.9", now.Add(attemptWindow-1)) == nil {
		t.Error("the wait ended early")
	}
	if err := a.take("203.0.113.9", now.Add(attemptWindow)); err != nil {
		t.Error("the wait does not end:", err)
	}
}

func TestSourcesDoNotFillTheMemory(t *testing.T) {
	a := &attempts{sources: map[netip.Prefix]*source{}}
	for i := range maxSources + 500 {
		_ = a.take(fmt.Sprintf("203.%d.%d.%d", i>>16&255, i>>8&255, i&255), time.Now())
	}
	if len(a.sources) > maxSources {
		t.Errorf("%d addresses are remembered", len(a.sources))
	}
}
