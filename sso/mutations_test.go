package sso

import (
	"context"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// mutations is how many broken messages of each kind are tried; DRAWBRIDGE_MUTATIONS=1000000 tries more.
func mutations(t *testing.T) int {
	t.Helper()
	set := os.Getenv("DRAWBRIDGE_MUTATIONS")
	if set == "" {
		return 2000
	}
	n, err := strconv.Atoi(set)
	if err != nil {
		t.Fatalf("DRAWBRIDGE_MUTATIONS is %q, which is no number", set)
	}
	return n
}

// try gives each mutation to read, which fails the test when it believes one that it should not. None may cost more than the budget.
func try(t *testing.T, seed uint64, mutant func(*rand.Rand) []byte, read func(raw []byte)) {
	t.Helper()
	random, most, n := rand.New(rand.NewPCG(seed, 7)), time.Duration(0), mutations(t)
	for range n {
		raw := mutant(random)
		began := time.Now()
		read(raw)
		took := time.Since(began)
		if took > budget { // the machine may have been busy: CPU time is what counts
			took = cost(4, func() { read(raw) })
		}
		most = max(most, took)
		if took > slowdown*budget {
			t.Fatalf("%d bytes took %v\n%s", len(raw), took, raw)
		}
	}
	t.Logf("%d mutations, the dearest took %v", n, most)
}

func TestMutatedMessagesAreNeitherBelievedNorDear(t *testing.T) {
	t.Run("SAML responses", func(t *testing.T) {
		t.Parallel()
		s, seeds := signedSeeds(t)
		try(t, 1, func(random *rand.Rand) []byte { return mutate(random, seeds[random.IntN(len(seeds))]) }, func(raw []byte) {
			if v, _, err := s.verifyRaw(raw); err == nil && (v.claims.Subject != ada.Subject || v.claims.Email != ada.Email) {
				t.Fatalf("believed %q with %q\n%s", v.claims.Subject, v.claims.Email, raw)
			}
		})
	})
	t.Run("metadata", func(t *testing.T) {
		t.Parallel()
		good := testProvider().Metadata()
		try(t, 2, func(random *rand.Rand) []byte { return mutate(random, good) }, func(raw []byte) {
			if m, err := parseMetadata(raw, identity.SAMLSettings{}, true); err == nil && (m.EntityID == "" || len(m.Certificates) == 0) {
				t.Fatalf("took settings that lack something: %+v\n%s", m, raw)
			}
		})
	})
	t.Run("SAML log-outs", func(t *testing.T) {
		t.Parallel()
		s, client, signed := logoutCase(t)
		request := posted(signed(testProvider().LogoutRequest(client, ada.Subject, "_1")))
		response := posted(signed(testProvider().LogoutResponse(client, requestID)))
		try(t, 3, func(random *rand.Rand) []byte {
			return mutate(random, [][]byte{request, response}[random.IntN(2)])
		}, func(raw []byte) {
			s.refusesForeign(t, message{request: true, raw: raw})
			s.refusesForeign(t, message{raw: raw})
		})
	})
	t.Run("ID tokens", func(t *testing.T) {
		t.Parallel()
		o := newOIDCCase(t)
		good, err := o.token.Compact()
		must(err)
		keys := o.fetched(t)
		try(t, 4, func(random *rand.Rand) []byte { return mutateToken(random, good) }, func(raw []byte) {
			var tr trail
			_, err := verifyIDToken(context.Background(), string(raw), keys, &o.connection, o.discovery, testNonce, o.now, &tr)
			if err == nil && signingInput(string(raw)) != signingInput(good) {
				t.Fatalf("believed a token that the provider did not sign: %s", raw)
			}
		})
	})
}

// mutateToken changes a compact JWT, or what one of its parts says.
func mutateToken(random *rand.Rand, good string) []byte {
	parts := strings.Split(good, ".")
	which := random.IntN(len(parts) + 1)
	if which == len(parts) {
		return mutate(random, []byte(good))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[which])
	must(err)
	parts[which] = base64.RawURLEncoding.EncodeToString(mutate(random, raw))
	return []byte(strings.Join(parts, "."))
}

func TestATokenInAnotherSpellingIsRefused(t *testing.T) {
	o := newOIDCCase(t)
	good, err := o.token.Compact()
	must(err)
	keys := o.fetched(t)
	if _, err := keys.VerifySignature(t.Context(), good); err != nil {
		t.Fatalf("the token as it was written: %v", err)
	}
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for name, raw := range map[string]string{
		"a line break in the header": head[:9] + "\n" + head[9:] + "." + rest, "one in the payload": head + "." + payload[:9] + "\r\n" + payload[9:] + "." + signature,
		"one at the end": good + "\n", "a spare bit": good[:len(good)-1] + string(good[len(good)-1]+1), "padding": good + "==",
	} {
		if _, err := keys.VerifySignature(t.Context(), raw); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
