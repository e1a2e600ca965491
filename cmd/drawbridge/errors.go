package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// usageError is a command line that cannot be understood. Nothing was done.
type usageError struct {
	command string
	err     error
}

// Error returns what is wrong and where the help is.
func (e *usageError) Error() string {
	return fmt.Sprintf("%s\nSee '%s --help'.", e.err, e.command)
}

// Unwrap returns what is wrong.
func (e *usageError) Unwrap() error { return e.err }

// usage returns a mistake in how command was called, found after its flags were read.
func usage(command, format string, args ...any) error {
	return &usageError{command: "drawbridge " + command, err: fmt.Errorf(format, args...)}
}

// unknownCommand names the word that is no command, and those that look like it.
func unknownCommand(cmd *cobra.Command, word string) error {
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return fmt.Errorf("%q is no command of '%s'; did you mean %s?", word, cmd.CommandPath(), strings.Join(near, " or "))
	}
	return fmt.Errorf("%q is no command of '%s'", word, cmd.CommandPath())
}

// heldStatus is the exit status where a guard held what was to be done.
const heldStatus = 3

// status returns the exit status of an error: 0 for none, 2 for a mistake of usage, 3 for a plan that waits for an approval, 1 for everything else.
func status(err error) int {
	var u *usageError
	var e *identity.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &u):
		return 2
	case errors.As(err, &e) && e.Code == planHeld:
		return heldStatus
	}
	return 1
}

// planHeld is the code of a plan that a guard holds.
const planHeld = "plan_held"

// complain writes an error to stderr, once.
func (p *program) complain(err error) {
	if p.json {
		p.writeJSON(p.stderr, map[string]any{"error": describe(err)})
		return
	}
	fmt.Fprintln(p.stderr, "drawbridge: "+clean(explain(err), '\n'))
}

// explain returns an error in words for whoever has the database in hand: the message, and the cause where the message alone would hide it.
func explain(err error) string {
	var e *identity.Error
	if !errors.As(err, &e) || e.Message == "" || e.Kind == identity.Internal {
		return err.Error()
	}
	if e.Field != "" && !strings.Contains(e.Message, e.Field) && !strings.Contains(strings.ToLower(e.Message), spoken(e.Field)) {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// spoken is a field as a sentence has it: userName is "user name".
func spoken(field string) string {
	var b strings.Builder
	for _, r := range field {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// describe returns an error as an object for programs.
func describe(err error) map[string]string {
	out := map[string]string{"kind": identity.KindOf(err).String(), "message": explain(err)}
	var u *usageError
	if errors.As(err, &u) {
		out["kind"] = "usage"
	}
	var e *identity.Error
	if errors.As(err, &e) {
		if e.Code != "" {
			out["code"] = e.Code
		}
		if e.Field != "" {
			out["field"] = e.Field
		}
	}
	return out
}
