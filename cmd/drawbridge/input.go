package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	// maxInput is the largest file that a command reads, in bytes: metadata of a provider, a secret.
	maxInput = 1 << 20
	// maxList is the longest page that a list command shows.
	maxList = 1000
)

// require marks flags without which a command cannot be understood.
func require(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			cmd.Long += "\n" + err.Error() // a name that is no flag of cmd: the test of the help finds it
		}
	}
}

// paging adds the flags of a list.
func paging(cmd *cobra.Command, limit *int, after *string) {
	cmd.Flags().IntVar(limit, "limit", 50, "how many to show, at most 1000")
	cmd.Flags().StringVar(after, "after", "", "continue after this id, as the last page said")
}

// checkLimit refuses a page that is empty or too long.
func checkLimit(command string, limit int) error {
	if limit < 1 || limit > maxList {
		return usage(command, "--limit is %d; give a number from 1 to %d", limit, maxList)
	}
	return nil
}

// secret returns the first line of a file, or of standard input when file is "-". Secrets never come as arguments: those are seen by every process.
func (p *program) secret(flag, file string) (string, error) {
	raw, err := p.read(flag, file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", identity.Errorf(identity.Invalid, "%s: the first line of %s is empty; write the secret there.", flag, source(file))
	}
	return line, nil
}

// read returns the content of a file, or of standard input when file is "-".
func (p *program) read(flag, file string) ([]byte, error) {
	return p.readAtMost(flag, file, maxInput)
}

// readAtMost is read with another limit, in bytes.
func (p *program) readAtMost(flag, file string, most int64) ([]byte, error) {
	in := p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, identity.Errorf(identity.Invalid, "%s: %v.", flag, err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "%s: %s cannot be read: %v.", flag, source(file), err)
	}
	if int64(len(raw)) > most {
		return nil, identity.Errorf(identity.TooLarge, "%s: %s is larger than %d MiB.", flag, source(file), most>>20)
	}
	return raw, nil
}

func source(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

// asks reports whether somebody is there to answer: not where input comes from a file, a pipe or nowhere.
func (p *program) asks() bool {
	file, ok := p.stdin.(*os.File)
	if !ok {
		return p.stdin != nil
	}
	in, err := file.Stat()
	if err != nil || in.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nowhere, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(in, nowhere)
}

// confirm asks a question on stderr and reports whether the answer on stdin is yes. No answer is no.
func (p *program) confirm(question string) bool {
	fmt.Fprintf(p.stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(io.LimitReader(p.stdin, 64)).ReadString('\n')
	if err != nil && line == "" {
		fmt.Fprintln(p.stderr)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true
	}
	return false
}
