package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// recheckEvery is how often it is looked for domains whose record was not read for a day.
const recheckEvery = time.Hour

// recheckDomains looks for the records of verified domains again and again until ctx ends, and warns of those that are gone.
func (b *bridge) recheckDomains(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		gone, err := b.people.RecheckDomains(ctx)
		for _, d := range gone {
			log.Warn("the DNS record of a verified domain is gone; nothing was taken away", "domain", d.Domain, "tenant", d.TenantID, "record", d.RecordName())
		}
		if err != nil && ctx.Err() == nil {
			log.Error("looking for the records of domains failed; it will be tried again", "in", recheckEvery, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// domain returns the commands about e-mail domains.
func (p *program) domain() *cobra.Command {
	cmd := &cobra.Command{Use: "domain", Short: "E-mail domains that tenants prove by DNS: add, verify, list, remove, override"}
	cmd.AddCommand(p.domainAdd(), p.domainVerify(), p.domainList(), p.domainRemove(), p.domainOverride())
	return p.group(cmd)
}

const tenantOfDomain = "the tenant whose domain it is, by name or id (default: the whole installation)"

func (p *program) domainAdd() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:     "add DOMAIN",
		Short:   "Claim a domain and print the DNS record that proves it",
		Example: "  drawbridge domain add acme.com --tenant Acme",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, tenant)
				if err != nil {
					return err
				}
				d, err := b.people.AddDomain(ctx, identity.Operator(), t.ID, args[0])
				if err != nil {
					return err
				}
				return p.show(viewDomain(d), func(w io.Writer) {
					fmt.Fprintf(w, "Claimed %s for %s. Add this DNS record, then run 'drawbridge domain verify %s':\n", d.Domain, place(d.TenantName), d.Domain)
					fields(w, "  name", d.RecordName(), "  type", "TXT", "  value", d.RecordValue())
				})
			})
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", tenantOfDomain)
	return cmd
}

func (p *program) domainVerify() *cobra.Command {
	return p.onDomain("verify", "Look for a domain's DNS record now", func(ctx context.Context, b *bridge, d identity.Domain) error {
		d, err := b.people.VerifyDomain(ctx, identity.Operator(), d.ID)
		if err != nil {
			return err
		}
		return p.show(viewDomain(d), func(w io.Writer) {
			fmt.Fprintf(w, "%s is verified for %s.\n", d.Domain, place(d.TenantName))
		})
	})
}

func (p *program) domainRemove() *cobra.Command {
	return p.onDomain("remove", "Remove a claim; no connection of its tenant may be trusted for the domain any more", func(ctx context.Context, b *bridge, d identity.Domain) error {
		if err := b.people.RemoveDomain(ctx, identity.Operator(), d.ID); err != nil {
			return err
		}
		return p.show(viewDomain(d), func(w io.Writer) {
			fmt.Fprintf(w, "%s is no longer claimed for %s.\n", d.Domain, place(d.TenantName))
		})
	})
}

// onDomain returns a command that does something to one claim: the only one of the domain, or that of the tenant.
func (p *program) onDomain(verb, short string, act func(ctx context.Context, b *bridge, d identity.Domain) error) *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:     verb + " DOMAIN",
		Short:   short,
		Example: "  drawbridge domain " + verb + " acme.com",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				d, err := b.findDomain(ctx, args[0], tenant)
				if err != nil {
					return err
				}
				return act(ctx, b, d)
			})
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant that claimed it, where several did, by name or id")
	return cmd
}

// findDomain returns the claim of a domain: by id, or the only one of that name, or the one of the tenant.
func (b *bridge) findDomain(ctx context.Context, word, tenant string) (identity.Domain, error) {
	if id, ok := identity.ParseID[identity.DomainID](word); ok {
		return b.people.Domain(ctx, identity.Operator(), id)
	}
	key, err := identity.DomainKey(word)
	if err != nil {
		return identity.Domain{}, err
	}
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return identity.Domain{}, err
	}
	all, err := b.allDomains(ctx, identity.Query{Search: key, Tenant: t.ID})
	var found []identity.Domain
	for _, d := range all {
		if d.Domain == key {
			found = append(found, d)
		}
	}
	switch {
	case err != nil:
		return identity.Domain{}, err
	case len(found) == 0:
		return identity.Domain{}, identity.Errorf(identity.NotFound, "Nobody has claimed %s here. See 'drawbridge domain list'.", key)
	case len(found) > 1:
		return identity.Domain{}, identity.Errorf(identity.Conflict, "Several have claimed %s. Say whose claim you mean with --tenant, or give its id: see 'drawbridge domain list'.", key)
	}
	return found[0], nil
}

func (b *bridge) allDomains(ctx context.Context, narrow identity.Query) ([]identity.Domain, error) {
	return everything(func(q identity.Query) (identity.Page[identity.Domain], error) {
		q.Search, q.Tenant = narrow.Search, narrow.Tenant
		return b.people.Domains(ctx, identity.Operator(), q)
	}, func(d identity.Domain) string { return string(d.ID) })
}

func (p *program) domainOverride() *cobra.Command {
	var tenant, reason string
	cmd := &cobra.Command{
		Use:     "override DOMAIN --reason WHY",
		Short:   "Give a domain to a tenant without its DNS record, also one that another tenant verified",
		Example: `  drawbridge domain override acme.com --tenant Acme --reason "sold to Acme in May, ticket 4711"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, tenant)
				if err != nil {
					return err
				}
				d, err := b.people.OverrideDomain(ctx, identity.Operator(), t.ID, args[0], reason)
				if err != nil {
					return err
				}
				return p.show(viewDomain(d), func(w io.Writer) {
					fmt.Fprintf(w, "%s belongs to %s by your word; no record proves it.\n", d.Domain, place(d.TenantName))
				})
			})
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", tenantOfDomain)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the audit")
	require(cmd, "reason")
	return cmd
}

func (p *program) domainList() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the domains that tenants claim, and whether their records prove them",
		Example: "  drawbridge domain list --tenant Acme",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			return p.with(ctx, func(b *bridge) error { return p.listDomains(ctx, b, tenant) })
		}),
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant, by name or id")
	return cmd
}

func (p *program) listDomains(ctx context.Context, b *bridge, tenant string) error {
	t, err := b.findTenant(ctx, tenant)
	if err != nil {
		return err
	}
	all, err := b.allDomains(ctx, identity.Query{Tenant: t.ID})
	if err != nil {
		return err
	}
	list := views(identity.Page[identity.Domain]{Items: all}, viewDomain, nil)
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "DOMAIN", "TENANT", "STATE", "SINCE", ""}, none: "No domains. Claim one with 'drawbridge domain add'."}
		for _, v := range list.Items {
			note := v.Failure
			if v.State == identity.DomainByWord {
				note = "not verified, by the word of " + v.OverrideBy + ": " + v.OverrideReason
			}
			t.add(string(v.ID), v.Domain, place(v.Tenant), string(v.State), when(v.VerifiedAt), note)
		}
		t.write(w)
	})
}

type domainView struct {
	ID             identity.DomainID    `json:"id"`
	Domain         string               `json:"domain"`
	TenantID       identity.TenantID    `json:"tenant_id,omitempty"`
	Tenant         string               `json:"tenant,omitempty"`
	State          identity.DomainState `json:"state"`
	RecordName     string               `json:"record_name"`
	RecordValue    string               `json:"record_value"`
	CreatedAt      time.Time            `json:"created_at"`
	VerifiedAt     *time.Time           `json:"verified_at,omitempty"`
	CheckedAt      *time.Time           `json:"checked_at,omitempty"`
	FailingSince   *time.Time           `json:"failing_since,omitempty"`
	Failure        string               `json:"failure,omitempty"`
	OverrideBy     string               `json:"override_by,omitempty"`
	OverrideReason string               `json:"override_reason,omitempty"`
}

func viewDomain(d identity.Domain) domainView {
	return domainView{
		d.ID, d.Domain, d.TenantID, d.TenantName, d.State(), d.RecordName(), d.RecordValue(), d.CreatedAt, d.VerifiedAt, d.CheckedAt, d.FailingSince, d.Failure, d.OverrideBy, d.OverrideReason,
	}
}
