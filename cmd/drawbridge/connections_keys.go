package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// connectionRotateKey returns the command that changes our own key of a SAML connection.
func (p *program) connectionRotateKey() *cobra.Command {
	var add, use, drop bool
	cmd := &cobra.Command{
		Use:   "rotate-key CONNECTION --add|--use|--drop",
		Short: "Change our own key of a SAML connection in three steps, without a failed sign-in",
		Long: `Changes the key that Drawbridge signs with, and that the provider encrypts for, one step at a time:

  --add   make a new key beside the one in use; our metadata shows both, and what is encrypted for either can be read.
          Then let the provider read our metadata again, and wait until it has.
  --use   sign with the new key. The former one can still be read with.
  --drop  forget every key but the one in use. What is encrypted for another is refused from now on.`,
		Example: `  drawbridge connection rotate-key "Acme Okta" --add`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			steps := map[provisioning.KeyStep]bool{provisioning.AddKey: add, provisioning.UseKey: use, provisioning.DropKey: drop}
			var chosen provisioning.KeyStep
			for step, wanted := range steps {
				if wanted {
					chosen = step
				}
			}
			return p.with(ctx, func(b *bridge) error { return p.rotateKey(ctx, b, args[0], chosen) })
		}),
	}
	cmd.Flags().BoolVar(&add, "add", false, "make a new key beside the one in use")
	cmd.Flags().BoolVar(&use, "use", false, "sign with the newest key")
	cmd.Flags().BoolVar(&drop, "drop", false, "forget every key but the one in use")
	cmd.MarkFlagsMutuallyExclusive("add", "use", "drop")
	cmd.MarkFlagsOneRequired("add", "use", "drop")
	return cmd
}

func (p *program) rotateKey(ctx context.Context, b *bridge, word string, step provisioning.KeyStep) error {
	c, err := b.findConnection(ctx, word)
	if err != nil {
		return err
	}
	if c, err = b.people.RotateConnectionKey(ctx, identity.Operator(), c.ID, step); err != nil {
		return err
	}
	v := viewKeys(c, b.settings.URL)
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "The keys of %s:\n", clean(c.Name))
		t := table{heading: []string{"SHA-256", "ENDS", ""}}
		for _, k := range v.Keys {
			state := "reads only"
			if k.InUse {
				state = "in use"
			}
			t.add(k.SHA256, k.NotAfter.Format(time.DateOnly), state)
		}
		t.write(w)
		fmt.Fprintln(w, map[provisioning.KeyStep]string{
			provisioning.AddKey:  "Let the provider read our metadata at " + v.MetadataURL + " again. When it has, run this command with --use.",
			provisioning.UseKey:  "The new key signs. When the provider encrypts for it too (or encrypts nothing), run this command with --drop.",
			provisioning.DropKey: "The other keys are gone.",
		}[step])
	})
}

type keysView struct {
	ID          identity.ConnectionID `json:"id"`
	Name        string                `json:"name"`
	MetadataURL string                `json:"metadata_url"`
	Keys        []keyView             `json:"keys"`
}

type keyView struct {
	SHA256   string    `json:"sha256"` // of the certificate
	NotAfter time.Time `json:"not_after"`
	InUse    bool      `json:"in_use"`
}

func viewKeys(c identity.Connection, url string) keysView {
	v := keysView{ID: c.ID, Name: c.Name, MetadataURL: url + "/sso/" + string(c.ID) + "/metadata"}
	for i, pair := range c.SAML.Own() {
		sum := sha256.Sum256(pair.Certificate)
		k := keyView{SHA256: hex.EncodeToString(sum[:]), InUse: i == 0}
		if cert, err := x509.ParseCertificate(pair.Certificate); err == nil {
			k.NotAfter = cert.NotAfter
		}
		v.Keys = append(v.Keys, k)
	}
	return v
}
