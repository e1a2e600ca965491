//go:build race

package sso

// slowdown is how much longer than without it everything may take under the race detector.
const slowdown = 10
