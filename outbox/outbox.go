package outbox

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/mail"
	"sync/atomic"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

const (
	// look is how often a replica looks whether mails are due.
	look = 5 * time.Second
	// lease is how long whoever claimed mails has for them. It is longer than all of them together can take.
	lease = 10 * time.Minute
	// batch is how many mails one claim takes.
	batch = 10
	// keepTrying is how long after its writing a mail is tried again; stale is how old one may be that was never tried, because there was no mail server.
	keepTrying, stale = 24 * time.Hour, 7 * 24 * time.Hour
	// keep is how long a mail stays in the list after its end.
	keep = 90 * 24 * time.Hour
	// settleTime bounds the writing of how a try ended, also when the program is about to stop.
	settleTime = 10 * time.Second
)

// Options are what the outbox needs. TLS may be nil for the system's authorities; its ServerName is set to the server's host.
type Options struct {
	DB     *store.DB
	Server Server       // without a host, mails are kept and not sent
	From   mail.Address // the sender of every mail
	URL    string       // the public origin, for the last line of a text
	TLS    *tls.Config
	Log    *slog.Logger
}

// Outbox sends the mails of one database. Any number of replicas may do it.
type Outbox struct {
	db     *store.DB
	server Server
	from   mail.Address
	url    string
	tls    *tls.Config
	log    *slog.Logger
	said   atomic.Bool // that there is no mail server
}

// New returns an outbox. Nothing is sent before Run or Deliver.
func New(o Options) *Outbox {
	out := &Outbox{db: o.DB, server: o.Server, from: o.From, url: o.URL, tls: o.TLS, log: o.Log}
	if out.log == nil {
		out.log = slog.Default()
	}
	return out
}

// Run sends what is due, again and again, until ctx ends. A mail that is on its way then is finished.
func (o *Outbox) Run(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		for {
			n, err := o.Deliver(ctx)
			if err != nil && ctx.Err() == nil {
				o.log.ErrorContext(ctx, "mails could not be looked after; it will be tried again", "in", look, "error", err)
			}
			if n < batch || err != nil || ctx.Err() != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Deliver makes one try for up to ten mails that are due, and returns how many it took. How each ended is in its row; the error is about the database.
func (o *Outbox) Deliver(ctx context.Context) (int, error) {
	todo := 0
	err := o.db.View(ctx, func(tx *store.Tx) (err error) {
		todo, err = tx.CountMailsToDo(ctx, tx.Now().Add(-lease))
		return err
	})
	if err != nil || todo == 0 {
		return 0, err
	}
	if o.server.Host == "" {
		if !o.said.Swap(true) {
			o.log.WarnContext(ctx, "mails wait and there is no mail server: set DRAWBRIDGE_SMTP_URL and DRAWBRIDGE_SMTP_FROM", "mails", todo)
		}
		return 0, nil
	}
	mails, err := o.claim(ctx)
	if err != nil || len(mails) == 0 {
		return 0, err
	}
	return len(mails), o.sendAll(ctx, mails)
}

// claim takes mails that are due. Before that it gives up the ones that nobody can say anything of any more, and the ones that are too old to be news.
func (o *Outbox) claim(ctx context.Context) ([]identity.Mail, error) {
	var mails []identity.Mail
	var lost, old int
	err := o.db.Update(ctx, func(tx *store.Tx) (err error) {
		if lost, err = tx.GiveUpLostMails(ctx, tx.Now().Add(-lease), lostText); err != nil {
			return err
		}
		if old, err = tx.GiveUpOldMails(ctx, tx.Now().Add(-stale), staleText); err != nil {
			return err
		}
		if err := tx.SweepMails(ctx, tx.Now().Add(-keep)); err != nil {
			return err
		}
		mails, err = tx.ClaimMails(ctx, tx.Now().Add(lease), batch)
		return err
	})
	if err == nil && lost+old > 0 {
		o.log.WarnContext(ctx, "mails were given up; 'drawbridge mails' lists them", "uncertain", lost, "stale", old)
	}
	return mails, err
}

const (
	lostText = "Drawbridge stopped while it handed this mail over, so nobody knows whether it arrived. Ask the recipient, or look into the mail server's log for its " +
		"Message-ID, which begins with this mail's id; then send it again if need be."
	staleText = "This mail waited for more than a week for a mail server to be set, and is no news any more."
)

// sendAll sends claimed mails over one connection, or over a new one after a failure. When the server cannot be reached, all that are left wait.
func (o *Outbox) sendAll(ctx context.Context, mails []identity.Mail) error {
	var s *session
	defer func() { s.close() }()
	var trouble error
	for i := range mails {
		if ctx.Err() != nil {
			return errors.Join(trouble, o.release(ctx, mails[i:]))
		}
		if s == nil {
			var err error
			if s, err = o.dial(ctx); err != nil {
				o.log.WarnContext(ctx, "the mail server cannot be used", "server", o.server.String(), "error", err)
				return errors.Join(trouble, o.postpone(ctx, mails[i:], err))
			}
		}
		end, err := o.send(ctx, s, &mails[i])
		trouble = errors.Join(trouble, err)
		if end.broken {
			s.close()
			s = nil
		}
	}
	return trouble
}

// send hands one mail over and writes down how that ended.
func (o *Outbox) send(ctx context.Context, s *session, m *identity.Mail) (outcome, error) {
	msg, err := o.compose(m)
	if err != nil {
		return outcome{}, o.settle(ctx, m, outcome{state: refused, text: err.Error()})
	}
	mine := false
	err = o.db.Update(ctx, func(tx *store.Tx) (err error) {
		mine, err = tx.MarkMailSending(ctx, m.ID, m.Tries)
		return err
	})
	if err != nil || !mine {
		return outcome{}, err // somebody else has it by now
	}
	end := s.send(msg)
	return end, o.settle(ctx, m, end)
}

// settle writes down how a try ended.
func (o *Outbox) settle(ctx context.Context, m *identity.Mail, end outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	pause := pauseAfter(m.Tries)
	if end.state == later && time.Now().Add(pause).After(m.CreatedAt.Add(keepTrying)) {
		end.state, end.text = refused, "It was tried for a day. The last answer: "+end.text
	}
	if end.state == refused || end.state == unknown {
		o.log.WarnContext(ctx, "a mail was given up; 'drawbridge mails' shows why", "mail", m.ID, "kind", m.Kind)
	}
	return o.db.Update(ctx, func(tx *store.Tx) error {
		switch end.state {
		case accepted:
			return tx.MarkMailSent(ctx, m.ID)
		case refused, unknown:
			return tx.GiveMailUp(ctx, m.ID, m.Tries, end.text, end.state == unknown)
		}
		return tx.RetryMail(ctx, m.ID, m.Tries, tx.Now().Add(pause), end.text)
	})
}

// pauseAfter is how long a mail rests after so many tries: a minute, two, four and so on, two hours at most.
func pauseAfter(tries int) time.Duration {
	return min(time.Minute<<min(max(tries-1, 0), 10), 2*time.Hour)
}

// postpone lets mails rest that could not be tried because the server was away.
func (o *Outbox) postpone(ctx context.Context, mails []identity.Mail, why error) error {
	var trouble error
	for i := range mails {
		trouble = errors.Join(trouble, o.settle(ctx, &mails[i], outcome{state: later, text: "The mail server cannot be used: " + oneLine(why.Error())}))
	}
	return trouble
}

// release gives mails back that were claimed and not tried, because the program is about to stop.
func (o *Outbox) release(ctx context.Context, mails []identity.Mail) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return o.db.Update(ctx, func(tx *store.Tx) error {
		for _, m := range mails {
			if err := tx.RetryMail(ctx, m.ID, m.Tries, tx.Now(), m.Failure); err != nil {
				return err
			}
		}
		return nil
	})
}
