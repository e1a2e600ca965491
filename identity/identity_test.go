package identity_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestEmailKey(t *testing.T) {
	for _, c := range []struct{ address, key string }{ // an empty key: refused
		{"ada@example.com", "ada@example.com"},
		{"Ada@EXAMPLE.com", "ada@example.com"},
		{"a.b+x@example.com", "a.b+x@example.com"},
		{"ada@bücher.example", "ada@xn--bcher-kva.example"},
		{"ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"},
		{"\u0430da@example.com", "\u0430da@example.com"}, // a Cyrillic a: somebody else
		{"ada@localhost", "ada@localhost"},
		{"", ""},
		{"ada", ""},
		{"ada@", ""},
		{"@example.com", ""},
		{"ada@@example.com", ""},
		{"ada@eve@example.com", ""},
		{`"ada"@example.com`, ""},
		{`"a d a"@example.com`, ""},
		{"Ada <ada@example.com>", ""},
		{"ada@example.com (Ada)", ""},
		{"ada@example.com,eve@example.com", ""},
		{" ada@example.com", ""},
		{"ada@example.com\n", ""},
		{"ada\u200b@example.com", ""},
		{"ada\u200f@example.com", ""},
		{"ada\uff20example.com", ""},
		{"ａda@example.com", ""},
		{"ada@example.com.", ""},
		{"ada@.example.com", ""},
		{"ada@example..com", ""},
		{"ada@[127.0.0.1]", ""},
		{"ada@" + strings.Repeat("a", 64) + ".com", ""},
		{strings.Repeat("a", 260) + "@example.com", ""},
	} {
		key, err := identity.EmailKey(c.address)
		if key != c.key || (err == nil) != (c.key != "") {
			t.Errorf("%q: %q, %v", c.address, key, err)
		}
		if err != nil && identity.KindOf(err) != identity.Invalid {
			t.Errorf("%q: %v", c.address, identity.KindOf(err))
		}
	}
}

func TestARefusedAddressSaysWhatIsWrongWithIt(t *testing.T) {
	for address, says := range map[string]string{
		"ada lovelace@example.com": "it has blanks",
		" ada@example.com":         "it has blanks",
		"ada\u200b@example.com":    "it has invisible characters",
		"ada\n@example.com":        "it has invisible characters",
		"ada":                      "write it as name@example.com",
	} {
		if _, err := identity.EmailKey(address); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", address, err, says)
		}
	}
}

func FuzzEmailKey(f *testing.F) {
	for _, s := range []string{"ada@example.com", "Ada@BÜCHER.example", `"a"@b`, "a@b@c", "\u0430@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		key, err := identity.EmailKey(address)
		if err != nil {
			return
		}
		again, err := identity.EmailKey(key)
		if err != nil || again != key {
			t.Errorf("%q: the key %q of it has the key %q, %v", address, key, again, err)
		}
		if strings.Count(key, "@") != 1 || identity.EmailDomain(key) == "" {
			t.Errorf("%q: %q", address, key)
		}
	})
}

func TestIDsSortByAgeAndParse(t *testing.T) {
	var ids []string
	for range 1000 {
		ids = append(ids, identity.NewID[string]())
	}
	for i, id := range ids {
		parsed, ok := identity.ParseID[identity.UserID](strings.ToUpper(id))
		if !ok || string(parsed) != id || id[14] != '7' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Fatalf("%q is no UUID of version 7", id)
		}
		if i > 0 && id[:13] < ids[i-1][:13] {
			t.Fatalf("%q is older than %q", id, ids[i-1])
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 1000 {
		t.Error("an id came twice")
	}
	for _, s := range []string{"", "abc", "01a20135-2797-785d-845c-fc6afb85ae7", "01a20135-2797-785d-845c-fc6afb85ae7g", "01a20135x2797-785d-845c-fc6afb85ae75", "{1a20135-2797-785d-845c-fc6afb85ae75", "01a20135-2797-785d-845c-fc6afb85ae75'"} {
		if id, ok := identity.ParseID[string](s); ok {
			t.Errorf("%q was taken for the id %q", s, id)
		}
	}
}

func TestStatusIsDerived(t *testing.T) {
	now := time.Now()
	for want, u := range map[identity.Status]identity.User{
		identity.StatusActive:   {Enabled: true, LastLoginAt: &now},
		identity.StatusPending:  {Enabled: true},
		identity.StatusLocked:   {Enabled: true, LastLoginAt: &now, LockedAt: &now},
		identity.StatusInactive: {LockedAt: &now, LastLoginAt: &now},
	} {
		if u.Status() != want {
			t.Errorf("%v, want %v", u.Status(), want)
		}
	}
}

func TestErrorsKeepTheirKindThroughWrapping(t *testing.T) {
	cause := errors.New("pq: secret detail")
	err := fmt.Errorf("while creating: %w", identity.Errorf(identity.Conflict, "taken").WithField("userName").WithCode("uniqueness").WithCause(cause))
	if identity.KindOf(err) != identity.Conflict || identity.CodeOf(err) != "uniqueness" || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if identity.KindOf(cause) != identity.Internal || identity.KindOf(nil) != identity.Internal {
		t.Error("what nobody classified is not internal")
	}
}

func TestASubDomainIsNotTrusted(t *testing.T) {
	c := identity.Connection{Domains: []string{"example.com"}}
	if !c.Trusts("example.com") || c.Trusts("sub.example.com") || c.Trusts("com") || c.Trusts("") || c.Trusts("*") {
		t.Error("trust does not end at the domain")
	}
}
