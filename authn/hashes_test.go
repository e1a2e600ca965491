package authn_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// elsewhere are hashes of the strong password as other programs made them: PHP, Perl's crypt and Python's hashlib.
var elsewhere = map[string]string{
	"argon2id":                "$argon2id$v=19$m=8192,t=2,p=1$ZXpYZWxtb2lzM1NTWVlrTw$Kg/WNWFxtMZoUFl8UbSZb1qjgq7rjKFwIwREXPoHJKg",
	"argon2i":                 "$argon2i$v=19$m=8192,t=2,p=1$VDlpZUJWYzJTSjV5YXRhVQ$XSWL/KPDZ+k/sIlc0cEl4EQAVhyTS7Djv+Wm4j04NuY",
	"bcrypt $2a$":             "$2a$06$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC",
	"bcrypt $2b$":             "$2b$06$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC",
	"bcrypt $2y$":             "$2y$06$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC",
	"PBKDF2 SHA-1, PHC":       "$pbkdf2-sha1$i=20000,l=20$c2FsdHNhbHRzYWx0c2FsdA$ktqvIpCs5SvaOnkg0QSrJ3NwqyE",
	"PBKDF2 SHA-1, passlib":   "$pbkdf2$20000$c2FsdHNhbHRzYWx0c2FsdA$ktqvIpCs5SvaOnkg0QSrJ3NwqyE",
	"PBKDF2 SHA-1, Django":    "pbkdf2_sha1$20000$saltsaltsaltsalt$ktqvIpCs5SvaOnkg0QSrJ3NwqyE=",
	"PBKDF2 SHA-256, PHC":     "$pbkdf2-sha256$i=20000,l=32$c2FsdHNhbHRzYWx0c2FsdA$OaOkFZJ/PCF1tG17J2nacdTDTrRj3BqO4vfhR+roMyk",
	"PBKDF2 SHA-256, passlib": "$pbkdf2-sha256$20000$c2FsdHNhbHRzYWx0c2FsdA$OaOkFZJ/PCF1tG17J2nacdTDTrRj3BqO4vfhR.roMyk",
	"PBKDF2 SHA-256, Django":  "pbkdf2_sha256$20000$saltsaltsaltsalt$OaOkFZJ/PCF1tG17J2nacdTDTrRj3BqO4vfhR+roMyk=",
	"PBKDF2 SHA-512, PHC":     "$pbkdf2-sha512$i=20000,l=64$c2FsdHNhbHRzYWx0c2FsdA$asEEdTQNF/E7SQ85zv88DicegVDkB0yTOH3zj/3GTrtuCqqzdy3dxml7mBIFKVsXAruZvQUtht6tewZ+VHY/PQ",
	"PBKDF2 SHA-512, Django":  "pbkdf2_sha512$20000$saltsaltsaltsalt$asEEdTQNF/E7SQ85zv88DicegVDkB0yTOH3zj/3GTrtuCqqzdy3dxml7mBIFKVsXAruZvQUtht6tewZ+VHY/PQ==",
	"scrypt, PHC":             "$scrypt$ln=14,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$/YZ6q9BAlQTkv3tEqbJbOkpnhJgjM9nzQanWwYrRKZA",
}

// stored is the hash that is kept of somebody.
func (h *house) stored(u identity.User) store.Credential {
	h.t.Helper()
	var c store.Credential
	h.update(func(tx *store.Tx) (err error) {
		c, err = tx.Credential(h.t.Context(), u.ID)
		return err
	})
	return c
}

// bring gives somebody a hash that was made elsewhere.
func (h *house) bring(u identity.User, hash string) {
	h.t.Helper()
	if err := h.SetPassword(h.t.Context(), identity.Operator(), u.ID, hash); err != nil {
		h.t.Fatal(err)
	}
	if !h.stored(u).Imported {
		h.t.Fatal("the hash does not count as imported")
	}
}

func TestAPasswordThatWasHashedElsewhereBecomesOneOfOurs(t *testing.T) {
	on(t, "fentu-fsm", func(t *testing.T, h *house) {
		for name, hash := range elsewhere {
			t.Run(name, func(t *testing.T) {
				terms, err := authn.ImportPasswordHash(hash)
				if err != nil || !terms.Imported || terms.MustChange {
					t.Fatalf("%+v, %v", terms, err)
				}
				ada := h.person(h.acme, "user "+name, "dispatcher")
				h.bring(ada, hash)
				if v, _ := h.in(ada, strong); v.Must != "" {
					t.Errorf("to do first: %q", v.Must)
				}
				if c := h.stored(ada); c.Imported || !strings.HasPrefix(c.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
					t.Errorf("after the first sign-in it is %s", c.PasswordHash)
				}
				h.in(ada, strong)
			})
		}
	})
}

func TestWhatIsImportedIsJudgedLikeEverythingElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const hash = "$2y$06$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC"
		ada, weak := h.person(h.acme, "ada", "editor"), h.person(h.acme, "battery", "editor")
		h.bring(ada, hash)
		began := time.Now()
		_, _, err := h.try(ada, wrong)
		wantCode(t, err, identity.Unauthenticated, "signin.refused")
		one := time.Since(began)
		began = time.Now()
		_, _, err = h.CheckPassword(t.Context(), "nobody", wrong, "")
		wantCode(t, err, identity.Unauthenticated, "signin.refused")
		if other := time.Since(began); (one-other).Abs() > time.Second || min(one, other) < time.Second { // a hash from elsewhere may take a second, so both wait that long
			t.Errorf("an account with an imported password is told by the time: %v, a stranger %v", one, other)
		}
		if h.stored(ada).PasswordHash != hash {
			t.Error("a wrong password changed the hash")
		}
		h.bring(weak, hash) // the user name is in the password
		if v, _ := h.in(weak, strong); v.Must != authn.MustChangePassword {
			t.Errorf("a password that the policy refuses: %q", v.Must)
		}
		if e := h.events(ada, identity.PasswordSet); len(e) != 1 || e[0].Changes[0].Field != "hashed elsewhere" {
			t.Errorf("the events are %+v", e)
		} else {
			noSecret(t, e[0], hash)
		}
	})
}

func TestHashesThatAskTooMuchOrAreNoneAreRefused(t *testing.T) {
	const sum = "OaOkFZJ/PCF1tG17J2nacdTDTrRj3BqO4vfhR+roMyk"
	for name, hash := range map[string]string{
		"nothing":                        "",
		"a password":                     strong,
		"a bare digest":                  "5f4dcc3b5aa765d61d8327deb882cf99",
		"an unknown kind":                "$1$abcdefgh$abcdefghijklmnopqrstuv",
		"argon2d":                        "$argon2d$v=19$m=8192,t=2,p=1$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 of an old version":       "$argon2id$v=16$m=8192,t=2,p=1$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 with 129 MiB":            "$argon2id$v=19$m=132096,t=1,p=1$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 with many passes":        "$argon2id$v=19$m=131072,t=6,p=1$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 with nine lanes":         "$argon2id$v=19$m=8192,t=2,p=9$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 without a pass":          "$argon2id$v=19$m=8192,t=0,p=1$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 in another order":        "$argon2id$v=19$t=2,m=8192,p=1$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 with a leading zero":     "$argon2id$v=19$m=08192,t=2,p=1$c2FsdHNhbHRzYWx0$" + sum,
		"argon2 with a short salt":       "$argon2id$v=19$m=8192,t=2,p=1$c2Fs$" + sum,
		"argon2 with a short sum":        "$argon2id$v=19$m=8192,t=2,p=1$c2FsdHNhbHRzYWx0$OaOk",
		"bcrypt of cost 15":              "$2b$15$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC",
		"bcrypt of cost 3":               "$2b$03$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC",
		"the broken bcrypt $2x$":         "$2x$06$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvWmlC",
		"a cut bcrypt":                   "$2b$06$abcdefghijklmnopqrstuuKZe2ce/HvobmI0VX4ZHsOKNE.vvW",
		"scrypt with 256 MiB":            "$scrypt$ln=18,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"scrypt with many lanes":         "$scrypt$ln=17,r=8,p=8$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"scrypt of 2^63":                 "$scrypt$ln=63,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"PBKDF2 with too many rounds":    "$pbkdf2-sha256$i=2000001$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"PBKDF2 with hardly any":         "$pbkdf2-sha256$i=999$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"PBKDF2 with a sum for two":      "$pbkdf2-sha1$i=20000$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"PBKDF2 with MD5":                "$pbkdf2-md5$i=20000$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"PBKDF2 that lies on its length": "$pbkdf2-sha256$i=20000,l=31$c2FsdHNhbHRzYWx0c2FsdA$" + sum,
		"Django without a salt":          "pbkdf2_sha256$20000$$" + sum + "=",
		"an endless one":                 "$argon2id$v=19$m=8192,t=2,p=1$" + strings.Repeat("c2FsdHNhbHRzYWx0", 1000) + "$" + sum,
	} {
		_, err := authn.ImportPasswordHash(hash)
		var e *identity.Error
		if identity.KindOf(err) != identity.Invalid || !asError(err, &e) || e.Field != "password_hash" || hash != "" && strings.Contains(err.Error(), hash) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzImportPasswordHash(f *testing.F) {
	for _, hash := range elsewhere {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		terms, err := authn.ImportPasswordHash(hash)
		if err != nil && identity.KindOf(err) != identity.Invalid || err == nil && len(hash) > 1024 || terms.MustChange {
			t.Fatalf("%q: %+v, %v", hash, terms, err)
		}
	})
}
