package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// signinFlags are the filters of the sign-ins as they were typed.
type signinFlags struct {
	q          provisioning.TraceQuery
	user       string
	connection string
	since      string
	until      string
}

// signins returns the command that reads the traces of sign-ins.
func (p *program) signins() *cobra.Command {
	var f signinFlags
	cmd := &cobra.Command{
		Use:   "signins",
		Short: "Show attempts to sign in, newest first, with why they were refused",
		Long: `Shows the sign-in traces, newest first: every attempt to come in through a connection, and with a password, with why it was refused.
Traces are deleted after DRAWBRIDGE_SIGNIN_DAYS days.`,
		Example: `  drawbridge signins --refused --since 2h
  drawbridge signins --user ada@example.com --json
  drawbridge signins --connection "Acme Okta" --code saml. --search audience
  drawbridge signins show 0190a2b4-7c1e-7000-8000-000000000000`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("signins", f.q.Limit); err != nil {
				return err
			}
			if err := f.times(time.Now()); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listSignins(ctx, b, f) })
		}),
	}
	f.register(cmd)
	cmd.AddCommand(p.showSignin())
	return cmd
}

func (f *signinFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.user, "user", "", "only of this person: an id, e-mail address or user name")
	fs.BoolVar(&f.q.Refused, "refused", false, "only those that were refused")
	fs.StringVar(&f.connection, "connection", "", "only through this connection: its id or name")
	fs.StringVar(&f.q.Word, "search", "", "only with this text in the address, subject, issuer or code, or from this network address")
	fs.StringVar(&f.q.Email, "email", "", "only with this address, whoever it belongs to")
	fs.StringVar(&f.q.Subject, "subject", "", "only with this subject (NameID or sub)")
	fs.StringVar(&f.q.Code, "code", "", "only refused with this reason code, or one that begins so, such as saml.")
	fs.StringVar(&f.since, "since", "", "only from then on: how long ago, such as 90m, 2h or 7d, or a time such as 2026-01-31 or 2026-01-31T08:00:00Z")
	fs.StringVar(&f.until, "until", "", "only before then, written as --since is")
	paging(cmd, &f.q.Limit, &f.q.After)
}

func (f *signinFlags) times(now time.Time) (err error) {
	if f.q.Since, err = readMoment("signins", "since", f.since, now); err != nil {
		return err
	}
	f.q.Until, err = readMoment("signins", "until", f.until, now)
	return err
}

func (p *program) listSignins(ctx context.Context, b *bridge, f signinFlags) error {
	if f.user != "" {
		u, err := b.findUser(ctx, f.user)
		if err != nil {
			return err
		}
		f.q.UserID = u.ID
	}
	var err error
	if f.q.ConnectionID, err = b.optionalConnection(ctx, f.connection); err != nil {
		return err
	}
	page, err := b.people.Traces(ctx, identity.Operator(), f.q)
	if err != nil {
		return err
	}
	list := views(page, viewTrace, func(t identity.Trace) string { return string(t.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"REFERENCE", "WHEN", "WHO", "RESULT", "WHY"}, none: "No attempts to sign in."}
		for _, v := range page.Items {
			t.add(string(v.ID), when(&v.At), orDash(firstOf(v.Email, v.Subject)), traceResult(v), why(v))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func traceResult(t identity.Trace) string {
	switch {
	case !t.OK:
		return "refused"
	case t.Purpose != identity.PurposeSignIn:
		return "went well (" + string(t.Purpose) + ")"
	}
	return "let in"
}

// why explains a refusal in one cell.
func why(t identity.Trace) string {
	if t.OK {
		return ""
	}
	return fmt.Sprintf("%s: %s", t.Code, t.Message)
}

// firstOf returns the first word that is not empty.
func firstOf[T ~string](words ...T) T {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// showSignin returns the command that shows one attempt with all of its checks.
func (p *program) showSignin() *cobra.Command {
	return &cobra.Command{
		Use:     "show REFERENCE",
		Short:   "Show one attempt: why it was refused, what to do, each check, and what the provider said",
		Example: `  drawbridge signins show 0190a2b4-7c1e-7000-8000-000000000000`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			id, ok := identity.ParseID[identity.TraceID](args[0])
			if !ok {
				return usage("signins show", "%q is no reference; the page of a refused sign-in has it, and looks like 0190a2b4-7c1e-7000-8000-000000000000", args[0])
			}
			return p.with(ctx, func(b *bridge) error {
				t, err := b.people.Trace(ctx, identity.Operator(), id)
				if err != nil {
					return err
				}
				return p.show(viewTrace(t), func(w io.Writer) { writeTrace(w, t, traceResult(t)) })
			})
		}),
	}
}

// writeTrace prints one attempt for people: the cause first.
func writeTrace(w io.Writer, t identity.Trace, result string) {
	at := ""
	if t.ID != "" {
		at = when(&t.At)
	}
	fields(w, "Result", result, "Code", t.Code, "Who", orDash(firstOf(t.Email, t.Subject)), "Issuer", t.Issuer, "Subject", t.Subject, "When", at,
		"Connection", string(t.ConnectionID), "User", string(t.UserID), "Session", string(t.SessionID), "From", t.IP, "Reference", string(t.ID))
	if c, failed := t.Failure(); failed {
		fmt.Fprintln(w)
		fields(w, "Failed", c.Name, "Got", c.Got, "Expected", c.Expected, "What to do", firstOf(c.Fix, t.Message))
	} else if t.Message != "" {
		fmt.Fprintf(w, "\n%s\n", clean(t.Message))
	}
	checks := table{heading: []string{"CHECK", "RESULT", "GOT", "EXPECTED", "NOTE"}, none: "The attempt ended before the first check."}
	for _, c := range t.Checks {
		checks.add(c.Name, string(c.Result), orDash(c.Got), orDash(c.Expected), c.Fix)
	}
	fmt.Fprintln(w)
	checks.write(w)
	if len(t.Facts) == 0 {
		return
	}
	facts := table{heading: []string{"THE PROVIDER SAID", ""}}
	for _, f := range t.Facts {
		facts.add(f.Name, f.Value)
	}
	fmt.Fprintln(w)
	facts.write(w)
}
