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

// holding returns the commands about what people own or have to do in applications.
func (p *program) holding() *cobra.Command {
	cmd := &cobra.Command{Use: "holding", Short: "What people own or have to do, as applications say: list, set, remove, transfer, open, ack"}
	cmd.AddCommand(p.holdingList(), p.holdingSet(), p.holdingRemove(), p.holdingTransfer(), p.holdingOpen(), p.holdingAck())
	return p.group(cmd)
}

// holdingView is a holding for programs.
type holdingView struct {
	Key         string               `json:"key"`
	Application string               `json:"application"`
	Kind        identity.HoldingKind `json:"kind"`
	ID          string               `json:"id"`
	Name        string               `json:"name,omitempty"`
	UserID      identity.UserID      `json:"user_id"`
	Transfer    *transferView        `json:"transfer,omitempty"`
	Token       string               `json:"token,omitempty"` // the signed notice of an open transfer
}

type transferView struct {
	ID          identity.TransferID `json:"id"`
	To          identity.UserID     `json:"to"`
	RequestedAt time.Time           `json:"requested_at"`
	RequestedBy string              `json:"requested_by"`
	Reason      string              `json:"reason,omitempty"`
}

func viewHolding(h identity.Holding) holdingView {
	v := holdingView{Key: h.String(), Application: h.Application, Kind: h.Kind, ID: h.ForeignID, Name: h.Display, UserID: h.UserID}
	if t := h.Transfer; t != nil {
		v.Transfer = &transferView{t.ID, t.Successor, t.RequestedAt, t.RequestedBy, t.Reason}
	}
	return v
}

// readHolding reads application/kind/id.
func readHolding(command, word string) (identity.HoldingKey, error) {
	k, ok := identity.ParseHoldingKey(word)
	if !ok {
		return k, usage(command, "%q is none: write application/ownership/id or application/assignment/id", word)
	}
	return k, nil
}

func (p *program) holdingList() *cobra.Command {
	var user, tenant, after string
	var q provisioning.HoldingQuery
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List what people own or have to do",
		Example: "  drawbridge holding list --user ada@example.com",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("holding list", q.Limit); err != nil {
				return err
			}
			if after != "" {
				k, err := readHolding("holding list", after)
				if err != nil {
					return err
				}
				q.After = k
			}
			return p.with(ctx, func(b *bridge) error { return p.listHoldings(ctx, b, q, user, tenant) })
		}),
	}
	cmd.Flags().StringVar(&user, "user", "", "only of this person: id, e-mail address or user name")
	cmd.Flags().StringVar(&tenant, "tenant", "", "only of this tenant, by name or id")
	cmd.Flags().StringVar(&q.Application, "application", "", "only of this application")
	paging(cmd, &q.Limit, &after)
	return cmd
}

func (p *program) listHoldings(ctx context.Context, b *bridge, q provisioning.HoldingQuery, user, tenant string) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	q.TenantID = t.ID
	if user != "" {
		u, err := b.findUser(ctx, user)
		if err != nil {
			return err
		}
		q.UserID = u.ID
	}
	page, err := b.people.Holdings(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	return p.showHoldings(views(page, viewHolding, func(h identity.Holding) string { return h.String() }))
}

func (p *program) showHoldings(list listView[holdingView]) error {
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"WHAT", "NAME", "WHO", "GOES TO", "TRANSFER"}, none: "Nothing."}
		for _, v := range list.Items {
			to, id := "-", "-"
			if v.Transfer != nil {
				to, id = string(v.Transfer.To), string(v.Transfer.ID)
			}
			t.add(v.Key, orDash(v.Name), string(v.UserID), to, id)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func (p *program) holdingSet() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:     "set USER APPLICATION/KIND/ID",
		Short:   "Say that a person owns something (ownership) or has to do it (assignment)",
		Example: `  drawbridge holding set ada@example.com sync/ownership/17 --name "SAP to CRM"`,
		Args:    cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			k, err := readHolding("holding set", args[1])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				u, err := b.findUser(ctx, args[0])
				if err != nil {
					return err
				}
				h, err := b.people.PutHolding(ctx, identity.Operator(), identity.Holding{HoldingKey: k, Display: name, UserID: u.ID})
				if err != nil {
					return err
				}
				return p.show(viewHolding(h), func(w io.Writer) { fmt.Fprintf(w, "%s has %s.\n", clean(u.Label()), clean(k.String())) })
			})
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "what people call it")
	return cmd
}

func (p *program) holdingRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "remove APPLICATION/KIND/ID",
		Short:   "Say that nobody owns something any more, or that it is done",
		Example: "  drawbridge holding remove fsm/assignment/wo-17",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			k, err := readHolding("holding remove", args[0])
			if err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				if err := b.people.DeleteHolding(ctx, identity.Operator(), k); err != nil {
					return err
				}
				return p.show(holdingView{Key: k.String(), Application: k.Application, Kind: k.Kind, ID: k.ForeignID}, func(w io.Writer) { fmt.Fprintf(w, "Nobody has %s any more.\n", clean(k.String())) })
			})
		}),
	}
}

func (p *program) holdingTransfer() *cobra.Command {
	var only []string
	var reason string
	cmd := &cobra.Command{
		Use:   "transfer FROM TO --reason WHY",
		Short: "Ask that somebody takes over what a person owns or has to do",
		Long: `Asks that a successor takes over what a person owns or has to do: all of it, or what --only names. Each transfer is open until its application acknowledges it; the
application fetches it with a signed notice. Asking again replaces an open transfer.`,
		Example: `  drawbridge holding transfer ada@example.com bob@example.com --reason "ada leaves"`,
		Args:    cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			var keys []identity.HoldingKey
			for _, word := range only {
				k, err := readHolding("holding transfer", word)
				if err != nil {
					return err
				}
				keys = append(keys, k)
			}
			return p.with(ctx, func(b *bridge) error { return p.transferHoldings(ctx, b, args[0], args[1], keys, reason) })
		}),
	}
	cmd.Flags().StringArrayVar(&only, "only", nil, "only this: application/kind/id; may be repeated")
	cmd.Flags().StringVar(&reason, "reason", "", "why; the application and the successor read it")
	require(cmd, "reason")
	return cmd
}

func (p *program) transferHoldings(ctx context.Context, b *bridge, from, to string, keys []identity.HoldingKey, reason string) error {
	giver, err := b.findUser(ctx, from)
	if err != nil {
		return err
	}
	heir, err := b.findUser(ctx, to)
	if err != nil {
		return err
	}
	asked, err := b.people.TransferHoldings(ctx, identity.Operator(), giver.ID, heir.ID, keys, reason)
	if err != nil {
		return err
	}
	return p.showHoldings(views(identity.Page[identity.Holding]{Items: asked}, viewHolding, func(h identity.Holding) string { return h.String() }))
}

func (p *program) holdingOpen() *cobra.Command {
	var limit int
	var after string
	cmd := &cobra.Command{
		Use:     "open APPLICATION",
		Short:   "List the transfers that wait for an application, with their signed notices in --json",
		Example: "  drawbridge holding open sync --json",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if err := checkLimit("holding open", limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error {
				page, err := b.people.OpenTransfers(ctx, identity.Operator(), args[0], identity.TransferID(after), limit)
				if err != nil {
					return err
				}
				return p.showHoldings(views(page, func(o provisioning.OpenTransfer) holdingView {
					v := viewHolding(o.Holding)
					v.Token = o.Token
					return v
				}, func(o provisioning.OpenTransfer) string { return string(o.Transfer.ID) }))
			})
		}),
	}
	paging(cmd, &limit, &after)
	return cmd
}

func (p *program) holdingAck() *cobra.Command {
	return &cobra.Command{
		Use:     "ack APPLICATION TRANSFER",
		Short:   "Say that the application made the successor the owner",
		Example: "  drawbridge holding ack sync 0190a2b4-7c1e-7000-8000-000000000000",
		Args:    cobra.ExactArgs(2),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				h, err := b.people.AcknowledgeTransfer(ctx, identity.Operator(), args[0], identity.TransferID(args[1]))
				if err != nil {
					return err
				}
				return p.show(viewHolding(h), func(w io.Writer) { fmt.Fprintf(w, "%s has gone over.\n", clean(h.String())) })
			})
		}),
	}
}
