package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/config"
)

// migrate returns the command that brings a database up to date and does nothing else.
func (p *program) migrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database up to date; every other command does it by itself",
		Long: `Brings the tables of the database up to this version of the program, and makes sure that the landing tenant and the roles of the
access model exist. It is safe when several programs do it at once, and serve does it by itself: use it where a deployment wants it as a step.`,
		Example: "  drawbridge migrate --database postgres://drawbridge@db/drawbridge --secret-key-file key",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error {
				v := struct {
					Database string `json:"database"`
					Model    string `json:"access_model"`
				}{config.RedactDatabase(b.settings.Database), b.model.Name()}
				return p.show(v, func(w io.Writer) {
					fmt.Fprintf(w, "The database %s is up to date, with the roles of the access model %s.\n", v.Database, v.Model)
				})
			})
		}),
	}
}
