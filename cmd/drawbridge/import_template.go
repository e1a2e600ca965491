package main

import (
	"context"
	"io"
	"slices"
	"strings"

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

// parse checks the format; it follows the name of the file where none is given.
func (o outFile) parse(command string, known []sheets.Format) (sheets.Format, error) {
	name := o.format
	if dot := strings.LastIndexByte(o.out, '.'); name == "" && dot >= 0 {
		name = strings.TrimSuffix(strings.ToLower(o.out[dot+1:]), "l") // .jsonl
	}
	if name == "" || !slices.Contains(known, sheets.Format(name)) && o.format == "" {
		name = string(sheets.CSV)
	}
	if !slices.Contains(known, sheets.Format(name)) {
		return "", usage(command, "--format is %q; use one of %v", name, known)
	}
	return sheets.Format(name), nil
}
