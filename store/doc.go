// Package store keeps the records of package identity in SQLite or PostgreSQL.
// It knows SQL and nothing about rules: who may do what is decided above.
package store
