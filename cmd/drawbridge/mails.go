package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// mails returns the command that shows what was sent by mail.
func (p *program) mails() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "mails",
		Short: "Show the last mails and what became of them, newest first; 'mails resend' sends one again",
		Long: `Shows the last mails and what became of them: waiting, sending, sent, failed, or uncertain. An uncertain one was handed to the mail server without an
answer that was written down, so it may have arrived; it is not sent again by itself. The texts are not shown.`,
		Example: `  drawbridge mails --limit 20
  drawbridge mails resend 0197a000-0000-7000-8000-000000000001`,
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("mails", limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listMails(ctx, b, limit) })
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many, 1000 at most")
	cmd.AddCommand(p.mailsResend())
	return cmd
}

type mailView struct {
	ID        identity.MailID    `json:"id"`
	CreatedAt time.Time          `json:"created_at"`
	To        string             `json:"to"`
	Subject   string             `json:"subject"`
	Kind      string             `json:"kind"`
	State     identity.MailState `json:"state"`
	Tries     int                `json:"tries"`
	SentAt    *time.Time         `json:"sent_at,omitempty"`
	NextTryAt *time.Time         `json:"next_try_at,omitempty"` // of one that waits
	Failure   string             `json:"failure,omitempty"`
}

func viewMail(m identity.Mail) mailView {
	v := mailView{
		ID: m.ID, CreatedAt: m.CreatedAt, To: m.To, Subject: m.Subject, Kind: m.Kind, State: m.State(), Tries: m.Tries, SentAt: m.SentAt, Failure: m.Failure,
	}
	if v.State == identity.MailWaiting {
		v.NextTryAt = &m.NextTryAt
	}
	return v
}

func (p *program) listMails(ctx context.Context, b *bridge, limit int) error {
	found, err := b.people.Mails(ctx, identity.Operator(), limit)
	if err != nil {
		return err
	}
	list := views(identity.Page[identity.Mail]{Items: found}, viewMail, nil)
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "WRITTEN", "STATE", "TRIES", "TO", "SUBJECT", "LAST FAILURE"}, none: "No mails."}
		for _, v := range list.Items {
			t.add(string(v.ID), when(&v.CreatedAt), string(v.State), fmt.Sprint(v.Tries), v.To, v.Subject, v.Failure)
		}
		t.write(w)
		if b.settings.SMTP.Host == "" && len(list.Items) > 0 {
			fmt.Fprintln(w, "There is no mail server: set DRAWBRIDGE_SMTP_URL and DRAWBRIDGE_SMTP_FROM.")
		}
	})
}

func (p *program) mailsResend() *cobra.Command {
	return &cobra.Command{
		Use:     "resend ID",
		Short:   "Send a mail again that was given up; one that is uncertain may then arrive twice",
		Example: "  drawbridge mails resend 0197a000-0000-7000-8000-000000000001",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				if err := b.people.ResendMail(ctx, identity.Operator(), identity.MailID(args[0])); err != nil {
					return err
				}
				v := struct {
					ID identity.MailID `json:"id"`
				}{identity.MailID(args[0])}
				return p.show(v, func(w io.Writer) { fmt.Fprintln(w, "It will be sent by 'drawbridge serve'.") })
			})
		}),
	}
}
