package authn

import (
	"cmp"
	"net/netip"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The brake on passwords from one source address. It slows somebody who tries a few passwords on many accounts, which the lock of one account does not notice.
const (
	maxAttempts   = 100 // wrong passwords, or passwords that are being checked, from one address
	attemptWindow = 15 * time.Minute
	maxSources    = 10000 // addresses that are remembered
)

// maxBegun is how many sign-ins at providers one address may begin in a window, all the people of one office behind it: each one is a row for an hour.
const maxBegun = 6000

// maxQuestions is how often one address may ask in a window where an e-mail address leads: an office behind one address asks often, and no answer tells who exists.
const maxQuestions = 1000

// attempts counts the wrong passwords of each source address, or what else is tried. It is a brake and no rule: each replica counts for itself, and a
// restart forgets.
type attempts struct {
	mu      sync.Mutex
	sources map[netip.Prefix]*source
	most    int    // 0: maxAttempts
	refusal string // what to say; empty: about passwords
}

type source struct {
	began time.Time
	wrong int
}

// take counts one attempt of an address before its password is looked at, so that many at once count too; done takes it back. TooMany when there were
// too many in a quarter of an hour. An address that is unknown or private is not counted: behind a proxy that Drawbridge was not told to trust
// everybody has the proxy's address, and one stranger could keep everybody out.
func (a *attempts) take(ip string, now time.Time) error {
	key, ok := sourceOf(ip)
	if !ok {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sources[key]
	if s == nil || now.Sub(s.began) >= attemptWindow {
		a.forget(now)
		s = &source{began: now}
		a.sources[key] = s
	}
	if s.wrong >= cmp.Or(a.most, maxAttempts) {
		const passwords = "Too many wrong passwords came from your network. Wait a quarter of an hour, then try again."
		return identity.Errorf(identity.TooMany, "%s", cmp.Or(a.refusal, passwords)).WithCode("signin.too_many")
	}
	s.wrong++
	return nil
}

// Ask counts one question where an e-mail address leads, of one source address. TooMany after a thousand in a quarter of an hour: nobody lists our customers by their domains.
func (s *Service) Ask(ip string) error { return s.asked.take(ip, time.Now()) }

// done takes back an attempt that was right.
func (a *attempts) done(ip string) {
	key, ok := sourceOf(ip)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sources[key]; s != nil && s.wrong > 0 {
		s.wrong--
	}
}

// TakeGuess counts one try of an address at a secret in a link, before it is looked at; GuessedRight takes back one that was right. TooMany after 100
// wrong ones in a quarter of an hour.
func (s *Service) TakeGuess(ip string) error { return s.guesses.take(ip, time.Now()) }

// GuessedRight takes back what TakeGuess counted.
func (s *Service) GuessedRight(ip string) { s.guesses.done(ip) }

// forget makes room for one more address: those whose time is over go, and any other when that is not enough.
func (a *attempts) forget(now time.Time) {
	if len(a.sources) < maxSources {
		return
	}
	for key, s := range a.sources {
		if now.Sub(s.began) >= attemptWindow {
			delete(a.sources, key)
		}
	}
	for key := range a.sources {
		if len(a.sources) < maxSources {
			return
		}
		delete(a.sources, key)
	}
}

// sourceOf returns what counts as one source: an IPv4 address, or the 64 bits of IPv6 that one household has.
func sourceOf(ip string) (netip.Prefix, bool) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}, false
	}
	addr = addr.Unmap().WithZone("")
	if addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
		return netip.Prefix{}, false
	}
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	key, err := addr.Prefix(bits)
	return key, err == nil
}
