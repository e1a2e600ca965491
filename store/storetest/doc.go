// Package storetest gives a test an empty database: SQLite always, PostgreSQL where its server programs are installed.
// It starts at most one PostgreSQL server in a test process, in a temporary folder that is removed when the process ends,
// however it ends. It is for tests only and knows nothing of what is stored.
package storetest
