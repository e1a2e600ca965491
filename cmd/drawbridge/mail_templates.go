package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// mailTemplate returns the commands about the words of mails.
func (p *program) mailTemplate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mail-template",
		Short: "Words of mails: list, show, set, reset, preview",
		Long: `Every mail to people has words that came with the program. They can be changed for everybody, or with --tenant for one tenant's people.
A template has fields such as {{.Link}}, {{.Name}} and {{.Tenant}}, and conditions: {{if .Name}} … {{else}} … {{end}}.`,
	}
	cmd.AddCommand(p.templateList(), p.templateShow(), p.templateSet(), p.templateReset(), p.templatePreview())
	return p.group(cmd)
}

type mailTemplateView struct {
	Kind      identity.MailTemplateKind   `json:"kind"`
	Source    identity.MailTemplateSource `json:"source"`
	Subject   string                      `json:"subject"`
	Text      string                      `json:"text"`
	HTML      string                      `json:"html"`
	UpdatedBy string                      `json:"updated_by,omitempty"`
	UpdatedAt *time.Time                  `json:"updated_at,omitempty"`
}

func viewMailTemplate(m identity.MailTemplate) mailTemplateView {
	v := mailTemplateView{Kind: m.Kind, Source: m.Source, Subject: m.Subject, Text: m.Text, HTML: m.HTML, UpdatedBy: m.UpdatedBy}
	if !m.UpdatedAt.IsZero() {
		v.UpdatedAt = &m.UpdatedAt
	}
	return v
}

// onTemplate runs a command about the words of a tenant's mails, or of everybody's.
func (p *program) onTemplate(ctx context.Context, tenant string, work func(b *bridge, tenant identity.TenantID) error) error {
	return p.with(ctx, func(b *bridge) error {
		t, err := b.findTenant(ctx, tenant)
		if err != nil {
			return err
		}
		return work(b, t.ID)
	})
}

func ofTenant(cmd *cobra.Command, tenant *string) *cobra.Command {
	cmd.Flags().StringVar(tenant, "tenant", "", "of one tenant's people, by name or id (default: of everybody)")
	return cmd
}

func (p *program) templateList() *cobra.Command {
	var tenant string
	return ofTenant(&cobra.Command{
		Use: "list", Short: "List the mails and whose words they have", Example: "  drawbridge mail-template list --tenant Acme", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.onTemplate(ctx, tenant, func(b *bridge, id identity.TenantID) error {
				all, err := b.people.MailTemplates(ctx, identity.Operator(), id)
				if err != nil {
					return err
				}
				list := views(identity.Page[identity.MailTemplate]{Items: all}, viewMailTemplate, nil)
				return p.show(list, func(w io.Writer) {
					t := table{heading: []string{"MAIL", "WORDS OF", "SUBJECT", "WHAT IT IS"}, none: "No mails."}
					for i, v := range list.Items {
						t.add(string(v.Kind), string(v.Source), v.Subject, identity.MailTemplateKinds[i].About)
					}
					t.write(w)
				})
			})
		}),
	}, &tenant)
}

func (p *program) templateShow() *cobra.Command {
	var tenant string
	return ofTenant(&cobra.Command{
		Use: "show MAIL", Short: "Show the words of a mail as they are written, to be changed and set again", Example: "  drawbridge mail-template show invitation > invitation.txt", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.onTemplate(ctx, tenant, func(b *bridge, id identity.TenantID) error {
				m, err := b.people.MailTemplate(ctx, identity.Operator(), id, identity.MailTemplateKind(args[0]))
				if err != nil {
					return err
				}
				return p.show(viewMailTemplate(m), func(w io.Writer) { writeTemplate(w, m.Subject, m.Text, m.HTML) })
			})
		}),
	}, &tenant)
}

// htmlMark parts the text of a template's file from its HTML.
const htmlMark = "\n--- html ---\n"

func writeTemplate(w io.Writer, subject, text, html string) {
	fmt.Fprintf(w, "Subject: %s\n\n%s", clean(subject), clean(strings.TrimRight(text, "\n"), '\n', '\t'))
	if html != "" {
		fmt.Fprintf(w, "\n%s%s\n", htmlMark[1:], clean(strings.TrimRight(html, "\n"), '\n', '\t'))
		return
	}
	fmt.Fprintln(w)
}

// readTemplate reads what writeTemplate wrote.
func readTemplate(raw []byte) (identity.MailTemplate, error) {
	words := strings.ReplaceAll(string(raw), "\r\n", "\n")
	words, html, _ := strings.Cut(words, htmlMark)
	subject, text, _ := strings.Cut(words, "\n")
	subject, ok := strings.CutPrefix(subject, "Subject: ")
	if !ok {
		return identity.MailTemplate{}, identity.Errorf(identity.Invalid, "The first line of the file is \"Subject: …\", then an empty line and the text; the HTML follows a line --- html ---. See 'drawbridge mail-template show'.")
	}
	return identity.MailTemplate{Subject: strings.TrimSpace(subject), Text: strings.TrimLeft(text, "\n"), HTML: html}, nil
}

func (p *program) templateSet() *cobra.Command {
	var tenant, file string
	cmd := ofTenant(&cobra.Command{
		Use: "set MAIL --file FILE", Short: "Change the words of a mail; they are tried before they are kept", Example: "  drawbridge mail-template set invitation --tenant Acme --file invitation.txt", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			raw, err := p.read("--file", file)
			if err != nil {
				return err
			}
			m, err := readTemplate(raw)
			if err != nil {
				return err
			}
			return p.onTemplate(ctx, tenant, func(b *bridge, id identity.TenantID) error {
				m.TenantID, m.Kind = id, identity.MailTemplateKind(args[0])
				if err := b.people.SetMailTemplate(ctx, identity.Operator(), m); err != nil {
					return err
				}
				return p.show(viewMailTemplate(m), func(w io.Writer) { fmt.Fprintf(w, "The mail %s has new words.\n", m.Kind) })
			})
		}),
	}, &tenant)
	cmd.Flags().StringVar(&file, "file", "", "the file with subject, text and HTML; - reads standard input")
	require(cmd, "file")
	return cmd
}

func (p *program) templateReset() *cobra.Command {
	var tenant string
	return ofTenant(&cobra.Command{
		Use: "reset MAIL", Short: "Take changed words back", Example: "  drawbridge mail-template reset invitation --tenant Acme", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.onTemplate(ctx, tenant, func(b *bridge, id identity.TenantID) error {
				kind := identity.MailTemplateKind(args[0])
				if err := b.people.ResetMailTemplate(ctx, identity.Operator(), id, kind); err != nil {
					return err
				}
				return p.show(map[string]identity.MailTemplateKind{"reset": kind}, func(w io.Writer) { fmt.Fprintf(w, "The mail %s has its former words again.\n", kind) })
			})
		}),
	}, &tenant)
}

func (p *program) templatePreview() *cobra.Command {
	var tenant, file string
	cmd := ofTenant(&cobra.Command{
		Use: "preview MAIL", Short: "Show a mail as it would look, with invented people", Example: "  drawbridge mail-template preview invitation --file invitation.txt", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			var m identity.MailTemplate
			if file != "" {
				raw, err := p.read("--file", file)
				if err != nil {
					return err
				}
				if m, err = readTemplate(raw); err != nil {
					return err
				}
			}
			return p.onTemplate(ctx, tenant, func(b *bridge, id identity.TenantID) error {
				m.TenantID, m.Kind = id, identity.MailTemplateKind(args[0])
				mail, err := b.people.PreviewMailTemplate(ctx, identity.Operator(), m)
				if err != nil {
					return err
				}
				v := mailTemplateView{Kind: m.Kind, Subject: mail.Subject, Text: mail.Text, HTML: mail.HTML}
				return p.show(v, func(w io.Writer) { writeTemplate(w, mail.Subject, mail.Text, mail.HTML) })
			})
		}),
	}, &tenant)
	cmd.Flags().StringVar(&file, "file", "", "try the words of this file; - reads standard input (default: those in force)")
	return cmd
}
