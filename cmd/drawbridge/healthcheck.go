package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
)

// healthcheck returns the command that asks a running Drawbridge on this machine how it is; containers call it.
func (p *program) healthcheck() *cobra.Command {
	return &cobra.Command{
		Use:     "healthcheck",
		Short:   "Ask the Drawbridge on this machine whether it answers: exit status 0 or 1",
		Example: "  drawbridge healthcheck --listen :8080",
		Args:    cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			s, err := p.settings()
			if err != nil {
				return err
			}
			address := "http://" + reachable(s.Listen) + "/healthz"
			if err := healthy(ctx, address); err != nil {
				return err
			}
			return p.show(map[string]any{"ok": true, "url": address}, func(w io.Writer) { fmt.Fprintln(w, "ok") })
		}),
	}
}

// reachable returns the host and port under which this machine reaches a listen address.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func healthy(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	res, err := client.Do(req)
	if err != nil {
		return identity.Errorf(identity.NotFound, "Nothing answers at %s. Is 'drawbridge serve' running, on the address of --listen?", address).WithCause(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return identity.Errorf(identity.Precondition, "%s answered %s. The log of 'drawbridge serve' says why.", address, res.Status)
	}
	return nil
}
