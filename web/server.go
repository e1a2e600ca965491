package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The limits. A door that needs less puts http.MaxBytesReader with its own limit on top.
const (
	DefaultMaxBody = 16 << 20 // bytes of a request's body
	maxPathLogged  = 256
	readyTimeout   = 2 * time.Second
)

// foreignPosts are the routes that other sites post to by design: an identity provider's answer and its log-out. They are protected by signature, state and
// replay table.
var foreignPosts = []string{"POST /sso/{connection}/acs", "POST /sso/{connection}/slo", "POST /sso/{connection}/backchannel-logout"}

// Options are what a server needs.
type Options struct {
	Log            *slog.Logger                // nil: slog.Default
	Ready          func(context.Context) error // why this process cannot work now; nil: it always can
	URL            string                      // the public origin, such as https://id.example.com; it decides about HSTS and is trusted as a form's origin; may be empty
	TrustedProxies []netip.Prefix              // whose X-Forwarded-For is believed; none: nobody's
	MaxBody        int64                       // bytes; 0: DefaultMaxBody
	Uploads        map[string]int64            // by path: what may be posted there, in bytes, where that is more than MaxBody
}

// Server is the plumbing around a mux.
type Server struct {
	log     *slog.Logger
	ready   func(context.Context) error
	https   bool
	proxies []netip.Prefix
	maxBody int64
	uploads map[string]int64
	origin  *http.CrossOriginProtection
}

// New returns a server. A URL that is no origin trusts nothing beyond the request's own host.
func New(o Options) *Server {
	s := &Server{
		log: o.Log, ready: o.Ready, https: strings.HasPrefix(o.URL, "https://"), proxies: o.TrustedProxies, maxBody: o.MaxBody, uploads: o.Uploads,
		origin: http.NewCrossOriginProtection(),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.maxBody <= 0 {
		s.maxBody = DefaultMaxBody
	}
	for _, pattern := range foreignPosts {
		s.origin.AddInsecureBypassPattern(pattern)
	}
	if o.URL != "" {
		// Behind a proxy that rewrites Host, the browser's Origin is still the public one.
		_ = s.origin.AddTrustedOrigin(o.URL)
	}
	s.origin.SetDenyHandler(Handle(refuseOrigin, renderPlain))
	return s
}

func refuseOrigin(http.ResponseWriter, *http.Request) error {
	return identity.Errorf(identity.Forbidden, "This form was sent from another site. Open the page here and send it again.").WithCode("cross_origin")
}

// renderPlain is the tongue of what belongs to no door.
func renderPlain(w http.ResponseWriter, r *http.Request, err error) {
	message := "Something went wrong here. The log has the reason under " + string(RequestID(r.Context())) + "."
	var e *identity.Error
	if errors.As(err, &e) && e.Kind != identity.Internal {
		message = e.Message
	}
	http.Error(w, message, Status(err))
}

// Handler returns the mux with everything around it, from the outside in: request id and client address, the log line, recovery from a panic,
// headers, /healthz and /readyz, the limit of the body, and the refusal of forms from other sites (all but the identity providers' answers).
func (s *Server) Handler(mux http.Handler) http.Handler {
	guarded := s.origin.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		x := &exchange{id: identity.NewID[identity.RequestID](), began: time.Now(), ip: clientIP(r, s.proxies), rec: rec}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		defer s.logLine(r, x)
		defer s.recoverPanic(r, x)
		s.setHeaders(rec, r, x.id)
		switch r.URL.Path {
		case "/healthz":
			plain(rec, http.StatusOK, "ok")
		case "/readyz":
			s.answerReady(rec, r, x)
		default:
			// The writer under ours: with it net/http also closes the connection of who sends too much.
			r.Body = http.MaxBytesReader(w, r.Body, max(s.maxBody, s.uploads[r.URL.Path]))
			guarded.ServeHTTP(rec, r)
		}
	})
}

func (s *Server) answerReady(w http.ResponseWriter, r *http.Request, x *exchange) {
	if s.ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := s.ready(ctx); err != nil {
			x.err = err
			plain(w, http.StatusServiceUnavailable, "not ready")
			return
		}
	}
	plain(w, http.StatusOK, "ready")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// recoverPanic turns a panic into a logged 500. It must be deferred itself.
func (s *Server) recoverPanic(r *http.Request, x *exchange) {
	p := recover()
	if p == nil {
		return
	}
	x.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	if x.rec.status != 0 {
		x.rec.cut()
		return
	}
	renderPlain(x.rec, r, x.err)
}

// logLine writes the one line of a request. It has the path, without the secrets of links, and never the query, which carries filters, codes and assertions.
func (s *Server) logLine(r *http.Request, x *exchange) {
	status := x.rec.status
	if status == 0 {
		status = http.StatusOK // what net/http answers for a handler that wrote nothing
	}
	path := withoutSecrets(r.URL.Path)
	if len(path) > maxPathLogged {
		path = path[:maxPathLogged] + "…"
	}
	attrs := []slog.Attr{
		slog.String("request", string(x.id)), slog.String("method", r.Method), slog.String("route", r.Pattern), slog.String("path", path),
		slog.Int("status", status), slog.Duration("duration", time.Since(x.began)), slog.Int64("bytes", x.rec.bytes), slog.String("remote", x.ip),
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("kind", identity.KindOf(x.err).String()), slog.String("error", x.err.Error()))
	}
	if code := identity.CodeOf(x.err); code != "" {
		attrs = append(attrs, slog.String("code", code))
	}
	s.log.LogAttrs(r.Context(), level(r, x), "http", attrs...)
}

// level says how loud a request's line is: our own failures are errors, a client that left is none, probes are for the curious.
func level(r *http.Request, x *exchange) slog.Level {
	switch {
	case x.err != nil && identity.KindOf(x.err) == identity.Internal && r.Context().Err() == nil:
		return slog.LevelError
	case x.err == nil && (r.URL.Path == "/healthz" || r.URL.Path == "/readyz"):
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
