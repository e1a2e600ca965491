// Package web is the HTTP plumbing that all doors share: limits, request ids, one log line a request, headers, cookies, a calm end.
// It knows no door and no rule, and it never logs a query, a body, a cookie or a token.
package web
