package sso

import (
	"context"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	// providersLook is how often a replica looks whether what it knows of a provider is still fresh: one that was away is tried again this often.
	providersLook = time.Minute
	// providersAtOnce is how many are asked at the same time, so that one that hangs holds up nobody else.
	providersAtOnce = 8
	connectionsPage = 100
)

// KeepProviders keeps what OpenID providers publish fresh until ctx ends, so that nobody who signs in waits for it, a key that a provider removed is
// forgotten, and administrators see which provider cannot be read before anybody tries. Each replica does it for itself: a provider that is away at the start
// is tried again and again, and keeps nobody else outside.
func (d *Door) KeepProviders(ctx context.Context) {
	tick := time.NewTicker(providersLook)
	defer tick.Stop()
	for {
		if err := d.RefreshProviders(ctx); err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "looking after the OpenID providers failed; it will be tried again", "in", providersLook, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// RefreshProviders reads anew what has aged of every OpenID provider whose connection is switched on. How that went is in the connection's health; the error
// is about our own database.
func (d *Door) RefreshProviders(ctx context.Context) error {
	by := identity.System()
	by.Door = "sso"
	places := make(chan struct{}, providersAtOnce)
	var all sync.WaitGroup
	defer all.Wait()
	for q := (identity.Query{Limit: connectionsPage}); ; {
		page, err := d.provisioning.Connections(ctx, by, q)
		if err != nil {
			return err
		}
		for _, c := range page.Items {
			if c.Kind != identity.OIDC || !c.Enabled {
				continue
			}
			p := d.providers.of(&c)
			places <- struct{}{}
			all.Go(func() {
				defer func() { <-places }()
				p.refresh(ctx)
			})
		}
		if !page.More || len(page.Items) == 0 {
			return nil
		}
		q.After = string(page.Items[len(page.Items)-1].ID)
	}
}

// refresh reads what has aged. A failure is reported where it happens, and everybody who signs in meanwhile gets it too.
func (p *provider) refresh(ctx context.Context) {
	if _, err := p.discover(ctx); err != nil {
		return
	}
	_, _, _ = p.keySet(ctx, false) // the failure was reported
}
