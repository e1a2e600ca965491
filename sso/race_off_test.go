//go:build !race

package sso

// slowdown is how much longer than usual everything may take.
const slowdown = 1
