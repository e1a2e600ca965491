//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
)

// alone puts a command into a process group of its own: an interrupt at the terminal reaches this program alone, which then stops what
// it has started in the right order.
func alone(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// asPostgres makes a command run as the user postgres where the caller is root, since PostgreSQL refuses to run as root.
func asPostgres(cmd *exec.Cmd) error {
	alone(cmd)
	cmd.Dir = "/" // the caller's folder may be closed to that user
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := postgresAccount()
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// giveToPostgres hands a folder to the user postgres where the caller is root.
func giveToPostgres(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := postgresAccount()
	if err != nil {
		return err
	}
	return os.Chown(dir, int(uid), int(gid))
}

func postgresAccount() (uid, gid uint64, err error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, errors.New("PostgreSQL does not run as root and there is no user postgres to step down to. Install postgresql, or run as another user")
	}
	if uid, err = strconv.ParseUint(account.Uid, 10, 32); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.ParseUint(account.Gid, 10, 32)
	return uid, gid, err
}

// peakMiB returns the most memory that a process that has ended had at once.
func peakMiB(p *os.ProcessState) float64 {
	used, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	kib := float64(used.Maxrss)
	if runtime.GOOS == "darwin" { // which counts bytes
		kib /= 1024
	}
	return kib / 1024
}
