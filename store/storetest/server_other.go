//go:build !unix

package storetest

// startServer finds no server: stepping down from root and the reaper need a Unix system.
func startServer() (*server, error) {
	return nil, missing("PostgreSQL is only started on Unix systems")
}
