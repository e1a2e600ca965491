package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/scim"
	"github.com/drawbridge-id/drawbridge/web"
)

// scratchDoor is the door of SCIM of a scratch installation, which listens to this machine alone.
type scratchDoor struct {
	url    string
	stop   context.CancelFunc
	served chan error
}

// openScratchDoor opens the door; the caller closes it.
func openScratchDoor(ctx context.Context, b *bridge) (*scratchDoor, error) {
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	d := &scratchDoor{url: "http://" + l.Addr().String(), served: make(chan error, 1)}
	mux := http.NewServeMux()
	scim.New(scim.Options{Provisioning: b.people, Authn: b.authn, URL: d.url, Limits: limits(b.settings), Schemas: b.schemas, Log: log}).Routes(mux)
	server := web.New(web.Options{Log: log, URL: d.url, MaxBody: max(web.DefaultMaxBody, int64(b.settings.SCIMMaxBody))})
	ctx, d.stop = context.WithCancel(ctx)
	go func() { d.served <- server.Serve(ctx, l, server.Handler(mux)) }()
	return d, nil
}

func (d *scratchDoor) close() error {
	d.stop()
	return <-d.served
}

// maxReplayAnswer is how much of an answer is read for its explanation, in bytes.
const maxReplayAnswer = 64 << 10

// send sends one request of the journal again.
func (d *scratchDoor) send(ctx context.Context, r provisioning.ReplayedRequest) (provisioning.ReplayAnswer, error) {
	var out provisioning.ReplayAnswer
	req, err := http.NewRequestWithContext(ctx, r.Method, d.url+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return out, err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReplayAnswer))
	if err != nil {
		return out, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	var said struct {
		Detail string `json:"detail"`
	}
	if res.StatusCode >= 400 && json.Unmarshal(body, &said) != nil {
		said.Detail = "an answer that is no JSON"
	}
	out.Status, out.Detail = res.StatusCode, said.Detail
	out.Request, _ = identity.ParseID[identity.RequestID](res.Header.Get("X-Request-Id"))
	return out, err
}
