package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

type tenantSettingsView struct {
	TenantID       identity.TenantID `json:"tenant_id"`
	Tenant         string            `json:"tenant"`
	SessionIdle    string            `json:"session_idle,omitempty"`
	SessionAge     string            `json:"session_age,omitempty"`
	SessionMost    int               `json:"session_most,omitempty"`
	SecondFactor   bool              `json:"second_factor"`
	ProviderFactor string            `json:"provider_factor"`
}

// showSignInRules shows what a tenant asks of its people's sign-ins.
func (p *program) showSignInRules(t identity.Tenant, s identity.TenantSettings) error {
	v := tenantSettingsView{TenantID: t.ID, Tenant: t.Name, SessionMost: s.SessionMost, SecondFactor: s.SecondFactor, ProviderFactor: orTold(s.ProviderFactor)}
	span := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	v.SessionIdle, v.SessionAge = span(s.SessionIdle), span(s.SessionAge)
	return p.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "What %s asks of its people's sign-ins:\n", clean(t.Name))
		most := "as everywhere"
		if s.SessionMost > 0 {
			most = fmt.Sprint(s.SessionMost)
		}
		second := "not required"
		if s.SecondFactor {
			second = "required; a provider counts: " + v.ProviderFactor
		}
		fields(w, "  unused at most", orElse(v.SessionIdle, "as everywhere"), "  old at most", orElse(v.SessionAge, "as everywhere"), "  sessions at once", most, "  second factor", second)
	})
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func orTold(f identity.ProviderFactor) string { return orElse(string(f), "told") }

func (p *program) tenantSessions() *cobra.Command {
	var idle, age optional[time.Duration]
	var most optional[int]
	cmd := &cobra.Command{
		Use:   "sessions TENANT",
		Short: "Say how long and how many sessions of a tenant's people live; without flags show it",
		Long:  "Says how long and how many sessions of a tenant's people live, before what the installation and the access model say; 0 leaves that. It holds for sessions that run too.",
		Example: `  drawbridge tenant sessions Acme --idle 30m --age 12h --most 3
  drawbridge tenant sessions Acme`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, args[0])
				if err != nil {
					return err
				}
				s, err := b.authn.TenantSettings(ctx, identity.Operator(), t.ID)
				if err == nil && (idle.value != nil || age.value != nil || most.value != nil) {
					rules := authn.SessionRules{Idle: idle.or(s.SessionIdle), Age: age.or(s.SessionAge), Most: most.or(s.SessionMost)}
					s, err = b.authn.LimitTenantSessions(ctx, identity.Operator(), t.ID, rules)
				}
				if err != nil {
					return err
				}
				return p.showSignInRules(t, s)
			})
		}),
	}
	cmd.Flags().Var(&idle, "idle", "how long a session may be unused, such as 30m")
	cmd.Flags().Var(&age, "age", "how old a session may become, such as 12h")
	cmd.Flags().Var(&most, "most", "how many sessions one person may have; one more ends the oldest")
	return cmd
}

func (p *program) tenantRequireSecondFactor() *cobra.Command {
	var off bool
	var provider string
	cmd := &cobra.Command{
		Use:   "require-second-factor TENANT",
		Short: "Make all people of a tenant have a second factor, or with --off leave it to their roles",
		Long: `Whoever has none reaches nothing but the page that turns one on. A sign-in through a provider counts as one
when the provider says so (told: amr, acr or the authentication context), always, or never; else the code of the person's app is asked for.`,
		Example: `  drawbridge tenant require-second-factor Acme
  drawbridge tenant require-second-factor Acme --provider always`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				t, err := b.findTenant(ctx, args[0])
				if err != nil {
					return err
				}
				worth := identity.ProviderFactor(provider)
				if provider == "told" {
					worth = identity.FactorAsTold
				}
				s, err := b.authn.RequireSecondFactor(ctx, identity.Operator(), t.ID, !off, worth)
				if err != nil {
					return err
				}
				return p.showSignInRules(t, s)
			})
		}),
	}
	cmd.Flags().BoolVar(&off, "off", false, "leave it to their roles")
	cmd.Flags().StringVar(&provider, "provider", "told", "whether a sign-in through a provider counts: told, always or never")
	return cmd
}
