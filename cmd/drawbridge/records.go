package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// record returns the commands about the records of applications that people are tied to.
func (p *program) record() *cobra.Command {
	cmd := &cobra.Command{Use: "record", Short: "Records of applications that people are tied to, such as technicians: put, list, link, unlink"}
	cmd.AddCommand(p.recordPut(), p.recordList(), p.recordLink(), p.recordUnlink())
	return p.group(cmd)
}

type recordView struct {
	Type      string            `json:"type"`
	ForeignID string            `json:"id"`
	Display   string            `json:"display,omitempty"`
	Active    bool              `json:"active"`
	TenantID  identity.TenantID `json:"tenant_id"`
	UserID    identity.UserID   `json:"user_id,omitempty"` // none: tied to nobody
}

func viewRecord(r identity.Record) recordView {
	return recordView{r.Type, r.ForeignID, r.Display, r.Active, r.TenantID, r.UserID}
}

// recordKey is the record that the arguments TYPE ID name, in the tenant of the flag.
func recordKey(ctx context.Context, b *bridge, tenant string, args []string) (provisioning.RecordKey, error) {
	t, err := b.findTenant(ctx, tenant)
	return provisioning.RecordKey{Tenant: t.ID, Type: args[0], ForeignID: args[1]}, err
}

func recordTenant(cmd *cobra.Command, tenant *string) {
	cmd.Flags().StringVar(tenant, "tenant", "", "whose record, by name or id; not needed where there is one tenant")
}

func (p *program) showRecord(r identity.Record, err error) error {
	if err != nil {
		return err
	}
	return p.show(viewRecord(r), func(w io.Writer) {
		state, who := "active", "nobody"
		if !r.Active {
			state = "inactive"
		}
		if r.UserID != "" {
			who = "the user " + string(r.UserID)
		}
		fmt.Fprintf(w, "The %s %s (%s) is %s and tied to %s.\n", r.Type, clean(r.ForeignID), clean(orDash(r.Display)), state, who)
	})
}

func (p *program) recordPut() *cobra.Command {
	var tenant, display, user, reason string
	var active bool
	cmd := &cobra.Command{
		Use: "put TYPE ID", Short: "Say how a record is: it is created when nobody knew it, and changed as far as the flags say",
		Example: "  drawbridge record put technician T-4711 --display \"Tom Smith\" --user tom@example.com\n  drawbridge record put technician T-4711 --active=false", Args: cobra.ExactArgs(2),
	}
	cmd.RunE = p.do(func(ctx context.Context, args []string) error {
		return p.with(ctx, func(b *bridge) error {
			key, err := recordKey(ctx, b, tenant, args)
			if err != nil {
				return err
			}
			c := provisioning.RecordChange{Reason: reason}
			if cmd.Flags().Changed("display") {
				c.Display = &display
			}
			if cmd.Flags().Changed("active") {
				c.Active = &active
			}
			if user != "" {
				u, err := b.findUser(ctx, user)
				if err != nil {
					return err
				}
				c.User = &u.ID
			}
			r, err := b.people.PutRecord(ctx, identity.Operator(), key, c)
			return p.showRecord(r, err)
		})
	})
	recordTenant(cmd, &tenant)
	f := cmd.Flags()
	f.StringVar(&display, "display", "", "its name for people")
	f.BoolVar(&active, "active", true, "whether it counts")
	f.StringVar(&user, "user", "", "whom it is tied to")
	f.StringVar(&reason, "reason", "", "why; kept with the events")
	return cmd
}

func (p *program) recordLink() *cobra.Command {
	var tenant, reason string
	cmd := &cobra.Command{
		Use: "link TYPE ID USER", Short: "Tie a record to a person", Example: "  drawbridge record link technician T-4711 tom@example.com", Args: cobra.ExactArgs(3),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				key, err := recordKey(ctx, b, tenant, args)
				if err != nil {
					return err
				}
				u, err := b.findUser(ctx, args[2])
				if err != nil {
					return err
				}
				r, err := b.people.LinkRecord(ctx, identity.Operator(), key, u.ID, reason)
				return p.showRecord(r, err)
			})
		}),
	}
	recordTenant(cmd, &tenant)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) recordUnlink() *cobra.Command {
	var tenant, reason string
	cmd := &cobra.Command{
		Use: "unlink TYPE ID", Short: "Untie a record from its person; both stay", Example: "  drawbridge record unlink technician T-4711", Args: cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				key, err := recordKey(ctx, b, tenant, args)
				if err != nil {
					return err
				}
				r, err := b.people.UnlinkRecord(ctx, identity.Operator(), key, reason)
				return p.showRecord(r, err)
			})
		}),
	}
	recordTenant(cmd, &tenant)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept with the event")
	return cmd
}

func (p *program) recordList() *cobra.Command {
	var q provisioning.RecordQuery
	var tenant string
	cmd := &cobra.Command{
		Use: "list TYPE", Short: "List the records of a kind, with --unlinked those tied to nobody", Example: "  drawbridge record list technician --unlinked", Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if err := checkLimit("record list", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, tenant)
				if err != nil {
					return err
				}
				q.Tenant, q.Type = t.ID, args[0]
				return p.listRecords(ctx, b, q)
			})
		}),
	}
	recordTenant(cmd, &tenant)
	f := cmd.Flags()
	f.BoolVar(&q.Unlinked, "unlinked", false, "only those tied to nobody")
	f.BoolVar(&q.Active, "active", false, "only those that count")
	f.StringVar(&q.Search, "search", "", "words in the name or the id")
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listRecords(ctx context.Context, b *bridge, q provisioning.RecordQuery) error {
	page, err := b.people.Records(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewRecord, func(r identity.Record) string { return r.ForeignID })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "NAME", "ACTIVE", "USER"}, none: "No records."}
		for _, r := range page.Items {
			t.add(r.ForeignID, orDash(r.Display), orDash(yes(r.Active)), orDash(string(r.UserID)))
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}
