package sso

import (
	"cmp"
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// explanation is one message that is looked at without consequences. It has the checks of an attempt and none of its doings.
type explanation struct {
	attempt
	by      identity.Actor
	pasted  identity.Pasted
	message found
	known   []identity.Connection // what the actor may read, without secrets
	now     time.Time
	at      time.Time // the time to judge at
}

// Explain makes the checks of a sign-in with a message that somebody pasted, and signs nobody in: nothing is stored, no request is answered, no assertion
// is used up. The connection is the one named, or the one of the message's issuer and audience among those whose sign-ins the actor may look at; its
// keys open encrypted assertions. Without a connection the message is still decoded. A message that cannot be found in the input is Invalid.
func (d *Door) Explain(ctx context.Context, by identity.Actor, p identity.Pasted) (identity.Trace, error) {
	x := explanation{attempt: attempt{door: d}, by: by, pasted: p, now: time.Now().UTC()}
	x.trace.At = x.now
	if err := x.readAt(); err != nil {
		return x.trace, err
	}
	var err error
	if x.known, err = d.readable(ctx, by); err != nil {
		return x.trace, err
	}
	if _, err := x.named(); err != nil {
		return x.trace, err
	}
	if x.message, err = readPasted(p.Input); err != nil {
		return x.trace, err
	}
	look := x.saml
	if x.message.token != "" {
		look = x.oidc
	}
	err = look(ctx)
	if identity.CodeOf(err) == "" && err != nil {
		return x.trace, err // no refusal: the database or the context
	}
	return x.concluded(err), nil
}

// readAt understands the time to judge at; the zero time means when the message was issued.
func (x *explanation) readAt() error {
	switch x.pasted.At {
	case "", "issued":
		return nil
	case "now":
		x.at = x.now
		return nil
	}
	at, err := time.Parse(time.RFC3339, x.pasted.At)
	if err != nil {
		return identity.Errorf(identity.Invalid, "The time is %q; write issued, now, or a time such as 2026-01-31T09:00:00Z.", shown(x.pasted.At)).WithField("at").WithCause(err)
	}
	x.at = at.UTC()
	return nil
}

// judgedAt sets the time of the checks: the one asked for, else when the message was issued, else now. A message from the future is judged now.
func (x *explanation) judgedAt(issued time.Time, known bool) {
	switch {
	case !x.at.IsZero():
	case known && issued.Before(x.now):
		x.at = issued.Add(time.Second).UTC()
	default:
		x.at = x.now
	}
}

// readable returns the connections whose sign-ins the actor may look at.
func (d *Door) readable(ctx context.Context, by identity.Actor) ([]identity.Connection, error) {
	const page = 500
	var all []identity.Connection
	q := identity.Query{Limit: page}
	for {
		found, err := d.provisioning.SignInConnections(ctx, by, q)
		if err != nil {
			return nil, err
		}
		all = append(all, found.Items...)
		if !found.More || len(found.Items) == 0 {
			return all, nil
		}
		q.After = string(found.Items[len(found.Items)-1].ID)
	}
}

// named returns the connection that was asked for, nil for none, or NotFound: one that the actor may not read is not there.
func (x *explanation) named() (*identity.Connection, error) {
	if x.pasted.ConnectionID == "" {
		return nil, nil
	}
	for i := range x.known {
		if x.known[i].ID == x.pasted.ConnectionID {
			return &x.known[i], nil
		}
	}
	return nil, notFound()
}

// use reads the connection with its secrets, after named or a search among those that the actor may read. kind is the message's.
func (x *explanation) use(ctx context.Context, c *identity.Connection, kind identity.ConnectionKind) error {
	by := identity.System()
	by.Door = "sso"
	full, err := x.door.provisioning.Connection(ctx, by, c.ID)
	if err != nil {
		return err
	}
	x.connection = full
	x.trace.ConnectionID, x.trace.TenantID = full.ID, full.TenantID
	if err := x.trail.require(check{
		name: "connection", ok: full.Kind == kind, code: "explain.other_protocol", got: full.Name + " (" + string(full.Kind) + ")", want: "a connection by " + string(kind),
		fix: "This message is not of the connection's protocol: name another connection, or none.",
	}); err != nil {
		return err
	}
	if !full.Enabled {
		x.trail.note("connection", full.Name+" is switched off", "Nobody can sign in through this connection before it is switched on.")
	}
	return nil
}

// unknown records that no connection fits. issuer is what the message says about itself.
func (x *explanation) unknown(issuer, want string, several int) error {
	c := check{
		name: "connection", code: "explain.no_connection", kind: identity.NotFound, got: cmp.Or(issuer, "no issuer"), want: want,
		fix: "No connection here has this provider and is addressed by this message: compare the issuer and the audience with the connection that you mean, or name it.",
	}
	if several > 1 {
		c.code, c.fix = "explain.several_connections", "Several connections have this provider and none is addressed by this message: name the one that you mean."
	}
	return x.trail.require(c)
}

// wouldFail records checks on what nobody has proven: they explain, and decide nothing.
func (x *explanation) wouldFail(checks ...check) {
	for _, c := range checks {
		if c.ok {
			x.trail.checks = append(x.trail.checks, identity.Check{Name: c.name, Result: identity.Skipped, Got: shown(c.got), Expected: shown(c.want)})
			continue
		}
		x.trail.checks = append(x.trail.checks, identity.Check{
			Name: c.name, Result: identity.Skipped, Got: shown(c.got), Expected: shown(c.want), Fix: "This would be refused too (" + c.code + "): " + c.fix,
		})
	}
}

// overNow notes which checks held when the message was judged and do not hold now.
func (x *explanation) overNow(then, now []check) {
	for i := range now {
		if i < len(then) && then[i].ok && !now[i].ok {
			x.trail.note("now: "+now[i].name, now[i].got,
				"Presented now it would be refused ("+now[i].code+"). It was right at "+stamp(x.at, true)+": messages are valid for minutes only, so this alone is no fault.")
		}
	}
}

// concluded ends the list with what was not looked at, and says how the sign-in would have ended.
func (x *explanation) concluded(err error) identity.Trace {
	for _, c := range [][2]string{
		{"replay", "Whether this message was used before is not looked at: explaining uses nothing up."},
		{"request", "Whether it answers a request of ours is not looked at."},
		{"browser", "Whether it came back in the browser that began is not looked at."},
	} {
		x.trace.Checks = append(x.trace.Checks, identity.Check{Name: c[0], Result: identity.Skipped, Fix: c[1]})
	}
	x.trace.OK = err == nil
	if err != nil {
		x.trace.Code, x.trace.Message = identity.CodeOf(err), messageOf(err)
	}
	return x.trace
}

// preview adds who would have been signed in, when the connection and the person are such that anybody would.
func (x *explanation) preview(ctx context.Context, claims identity.Claims) error {
	x.trace.Issuer, x.trace.Subject, x.trace.Email = shown(claims.Issuer), shown(claims.Subject), shown(claims.Email)
	x.trace.Checks = x.trail.checks
	return x.door.provisioning.PreviewSignIn(ctx, x.connection, claims, &x.trace)
}
