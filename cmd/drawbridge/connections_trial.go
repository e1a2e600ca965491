package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// trialEvery is how often a waiting test looks for its result.
const trialEvery = time.Second

func (p *program) connectionTest() *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "Print an address that tries a connection once, without consequences, and wait for the result",
		Long: `Prints an address to open in a browser within an hour. It goes the whole way to the provider and back, and shows every check and what would have come of
it; nobody is created, linked or signed in. It works while the connection is switched off. The program that serves DRAWBRIDGE_URL must be running.
With --wait the command prints the result as soon as it is there; its exit code is then 1 when the person would have been refused.`,
		Example: `  drawbridge connection test "Acme Okta" --wait`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error { return p.tryConnection(ctx, b, c, wait) })
		}),
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the test is done and print its result")
	return cmd
}

func (p *program) tryConnection(ctx context.Context, b *bridge, c identity.Connection, wait bool) error {
	t, key, err := b.people.BeginTrial(ctx, identity.Operator(), c.ID)
	if err != nil {
		return err
	}
	address := b.settings.URL + "/sso/" + string(c.ID) + "/test?key=" + key
	if !wait {
		return p.show(map[string]any{"id": t.ID, "url": address, "expires_at": t.ExpiresAt}, func(w io.Writer) { fmt.Fprintln(w, address) })
	}
	fmt.Fprintf(p.stderr, "Open this address in a browser, and sign in at the provider:\n%s\n", address)
	trace, err := b.trialResult(ctx, t)
	if err != nil {
		return err
	}
	if err := p.show(viewTrace(trace), func(w io.Writer) { printTrial(w, trace) }); err != nil {
		return err
	}
	if !trace.OK {
		return identity.Errorf(identity.Forbidden, "The person would have been refused: %s", trace.Message).WithCode(trace.Code)
	}
	return nil
}

// trialResult waits for the end of a trial.
func (b *bridge) trialResult(ctx context.Context, t identity.Trial) (identity.Trace, error) {
	tick := time.NewTicker(trialEvery)
	defer tick.Stop()
	for {
		now, trace, err := b.people.TrialResult(ctx, identity.Operator(), t.ID, "")
		if err != nil || now.FinishedAt != nil {
			return trace, err
		}
		if time.Now().After(t.ExpiresAt) {
			return trace, identity.Errorf(identity.Precondition, "Nobody finished the test within an hour. Begin again.")
		}
		select {
		case <-ctx.Done():
			return trace, ctx.Err()
		case <-tick.C:
		}
	}
}

func printTrial(w io.Writer, t identity.Trace) {
	fmt.Fprintln(w, clean(t.Message))
	for _, c := range t.Checks {
		fmt.Fprintf(w, "  %-7s  %s", c.Result, clean(c.Name))
		if c.Got != "" {
			fmt.Fprintf(w, ": %s", clean(c.Got))
		}
		if c.Result == identity.Failed && c.Expected != "" {
			fmt.Fprintf(w, " (expected %s)", clean(c.Expected))
		}
		fmt.Fprintln(w)
		if c.Result == identity.Failed && c.Fix != "" {
			fmt.Fprintf(w, "           %s\n", clean(c.Fix))
		}
	}
	for _, f := range t.Facts {
		fmt.Fprintf(w, "  said     %s: %s\n", clean(f.Name), clean(f.Value))
	}
}
