package identity_test

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestMixedScripts(t *testing.T) {
	for address, want := range map[string]bool{
		"ada@example.com":                              false,
		"a.b+1@example.com":                            false,
		"zo\u00e9@example.com":                         false,
		"\u0430da@example.com":                         true,  // Cyrillic a
		"p\u03bfrter@example.com":                      true,  // Greek omicron
		"\u0430\u0434\u0430@example.com":               false, // all Cyrillic, at a Latin domain: people write so
		"ada@ex\u0430mple.com":                         true,
		"ada@xn--exmple-4nf.com":                       true, // the same as an A-label
		"ada@b\u00fccher.example":                      false,
		"\u5c71\u7530taro@example.jp":                  false, // Han and Latin
		"\u5c71\u3060\u30bf@example.jp":                false, // Han, Hiragana and Katakana
		"\u5c71\ud55c@example.kr":                      false, // Han and Hangul
		"\u3060\ud55c@example.com":                     true,  // Hiragana and Hangul: no language
		"\u0645\u0430@example.com":                     true,  // Arabic and Cyrillic
		"ada@\u043f\u0440\u0438\u043c\u0435\u0440.com": false, // one script a label
		"": false,
	} {
		if got := identity.MixedScripts(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
