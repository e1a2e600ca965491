//go:build race

package authn_test

// raced reports whether the race detector watches: it costs several times the memory.
const raced = true
