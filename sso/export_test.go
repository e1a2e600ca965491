package sso

import "time"

// FetchTimeout is how long a provider has for an answer.
const FetchTimeout = fetchTimeout

// Hurry gives providers less time than FetchTimeout, so that a test need not wait for it.
func Hurry(d *Door, timeout time.Duration) { d.fetch.client.Timeout = timeout }

// Slowdown is how much longer than usual everything may take.
const Slowdown = slowdown
