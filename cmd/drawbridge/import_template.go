package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

func (p *program) importTemplate() *cobra.Command {
	var o outFile
	cmd := &cobra.Command{
		Use:     "template",
		Short:   "Write an empty file with the columns that an import knows",
		Example: "  drawbridge import template --format xlsx --out template.xlsx",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			f, err := o.parse("import template", []sheets.Format{sheets.CSV, sheets.XLSX})
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				return p.writeFile(o.out, func(out io.Writer) error { return b.people.WriteTemplate(ctx, identity.Operator(), f, out) })
			})
		}),
	}
	o.flags(cmd)
	return cmd
}
