package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// metadataFlags are the flags about which metadata is believed.
func metadataFlags(cmd *cobra.Command, s *identity.SAMLSettings, signer *string) {
	f := cmd.Flags()
	f.StringVar(&s.EntityID, "entity-id", "", "which provider is meant, where the metadata describes several")
	f.StringVar(signer, "metadata-signer", "", "a file with the certificate (PEM or DER) whose key must have signed the metadata, now and whenever it is read again")
	f.BoolVar(&s.PinCertificates, "pin-certificates", false, "let new certificates and hosts of the metadata wait for 'connection approve'")
	f.BoolVar(&s.RefuseExpired, "refuse-expired", false, "do not believe a certificate of the provider that has expired")
}

// readSigner reads the file of --metadata-signer; an empty path is no signer.
func (p *program) readSigner(s *identity.SAMLSettings, file string) error {
	if file == "" {
		return nil
	}
	raw, err := p.read("--metadata-signer", file)
	if err != nil {
		return err
	}
	if block, _ := pem.Decode(raw); block != nil {
		raw = block.Bytes
	}
	s.MetadataSigner = raw
	return nil
}

// connectionRefresh returns the command that reads a provider's metadata now.
func (p *program) connectionRefresh() *cobra.Command {
	return &cobra.Command{
		Use:   "refresh CONNECTION",
		Short: "Read the metadata of a SAML provider again, now",
		Long: `Reads the metadata of a connection's provider from its address and takes over what it says: new certificates are trusted beside the old ones, and a
certificate that it names no more goes after seven days. Where the connection pins its certificates, the change waits for 'drawbridge connection approve'.
'drawbridge serve' does the same by itself, as often as DRAWBRIDGE_METADATA_REFRESH says.`,
		Example: `  drawbridge connection refresh "Acme Okta"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error { return p.refreshConnection(ctx, b, c) })
		}),
	}
}

func (p *program) refreshConnection(ctx context.Context, b *bridge, c identity.Connection) error {
	out, err := b.ssoDoor(slog.Default()).Refresh(ctx, identity.Operator(), c.ID)
	if err != nil {
		return err
	}
	v := viewMetadata(c, out)
	return p.show(v, func(w io.Writer) {
		switch {
		case out.Rejected:
			fmt.Fprintf(w, "The metadata of %s still says what was rejected. Nothing was changed.\n", clean(c.Name))
		case out.Held != nil:
			fmt.Fprintf(w, "The metadata of %s has changed, and the change waits. Ask the provider, then: drawbridge connection approve %s --change %s\n", clean(c.Name), c.ID, out.Held.Digest)
		case len(out.Changes) == 0:
			fmt.Fprintf(w, "The metadata of %s says nothing new.\n", clean(c.Name))
		default:
			fmt.Fprintf(w, "The metadata of %s has changed, and Drawbridge goes by it now.\n", clean(c.Name))
		}
		writeChanges(w, v.Changes)
	})
}

// metadataView is how a refresh or a decision ended, as --json prints it.
type metadataView struct {
	ConnectionID identity.ConnectionID `json:"connection_id"`
	State        string                `json:"state"` // "unchanged", "changed", "held", "rejected" or "approved"
	Change       string                `json:"change,omitempty"`
	SeenAt       *time.Time            `json:"seen_at,omitempty"`
	Changes      []identity.Change     `json:"changes,omitempty"`
}

func viewMetadata(c identity.Connection, out identity.MetadataRefresh) metadataView {
	v := metadataView{ConnectionID: c.ID, State: "changed", Changes: out.Changes}
	switch {
	case out.Rejected:
		v.State = "rejected"
	case out.Held != nil:
		v.State, v.Change, v.SeenAt, v.Changes = "held", out.Held.Digest, &out.Held.SeenAt, out.Held.Changes
	case len(out.Changes) == 0:
		v.State = "unchanged"
	}
	return v
}

// writeChanges prints what differs, a field a paragraph.
func writeChanges(w io.Writer, changes []identity.Change) {
	for _, c := range changes {
		fmt.Fprintf(w, "  %s\n", clean(c.Field))
		fields(w, "    before", changeText(c.Before), "    after", changeText(c.After))
	}
}

func changeText(v any) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprint(v)
}

// connectionApprove returns the command that lets a change of metadata in.
func (p *program) connectionApprove() *cobra.Command {
	return p.decideMetadata("approve", "Let a change of a provider's metadata into force that waits", "approved",
		func(b *bridge) decision { return b.people.ApproveMetadata })
}

// connectionReject returns the command that refuses a change of metadata.
func (p *program) connectionReject() *cobra.Command {
	return p.decideMetadata("reject", "Refuse a change of a provider's metadata that waits; what was trusted before stays", "rejected",
		func(b *bridge) decision { return b.people.RejectMetadata })
}

// decision is what provisioning does with a change that waits.
type decision func(ctx context.Context, by identity.Actor, id identity.ConnectionID, digest string) error

func (p *program) decideMetadata(verb, short, state string, decide func(*bridge) decision) *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use:   verb + " CONNECTION",
		Short: short,
		Long: short + `.
Compare the fingerprints with what the provider tells you by another way than its metadata. --change names exactly the change that you looked at; without
it, the one that waits now is meant, and printed.`,
		Example: `  drawbridge connection refresh "Acme Okta"
  drawbridge connection ` + verb + ` "Acme Okta" --change 4f0c6f0a2d1b9e77`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.withConnection(ctx, args[0], func(b *bridge, c identity.Connection) error {
				return p.settleMetadata(ctx, b, c, digest, state, decide(b))
			})
		}),
	}
	cmd.Flags().StringVar(&digest, "change", "", "the change, as 'connection refresh' names it (default: the one that waits now)")
	return cmd
}

func (p *program) settleMetadata(ctx context.Context, b *bridge, c identity.Connection, digest, state string, decide decision) error {
	held, err := b.people.PendingMetadata(ctx, identity.Operator(), c.ID)
	if err != nil {
		return err
	}
	if digest == "" {
		digest = held.Digest
	}
	if err := decide(ctx, identity.Operator(), c.ID, digest); err != nil {
		return err
	}
	v := metadataView{ConnectionID: c.ID, State: state, Change: held.Digest, SeenAt: &held.SeenAt, Changes: held.Changes}
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "The change %s of %s was %s:\n", held.Digest, clean(c.Name), state)
		writeChanges(w, held.Changes)
	})
}
