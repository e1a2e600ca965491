//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

// alone does nothing: there are no process groups.
func alone(*exec.Cmd) {}

// asPostgres refuses: the server is started on Unix systems only.
func asPostgres(*exec.Cmd) error {
	return errors.New("PostgreSQL is only started on Unix systems. Use -store sqlite")
}

// giveToPostgres does nothing: there is no such user.
func giveToPostgres(string) error { return nil }

// peakMiB returns 0: it is not known.
func peakMiB(*os.ProcessState) float64 { return 0 }
