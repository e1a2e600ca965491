package config

import (
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Settings is everything that an operator can set, checked. Load makes it.
type Settings struct {
	Config                string     `env:"DRAWBRIDGE_CONFIG"`
	URL                   string     `env:"DRAWBRIDGE_URL"` // the public origin, without a slash at the end
	Listen                string     `env:"DRAWBRIDGE_LISTEN"`
	Database              string     `env:"DRAWBRIDGE_DATABASE"`   // may hold a password: print it by Redacted only
	SecretKey             Key        `env:"DRAWBRIDGE_SECRET_KEY"` // nil with SQLite when it was not set: EnsureSecretKey fills it
	AccessModel           string     `env:"DRAWBRIDGE_ACCESS_MODEL"`
	LogLevel              slog.Level `env:"DRAWBRIDGE_LOG_LEVEL"`
	LogFormat             string     `env:"DRAWBRIDGE_LOG_FORMAT"` // "text" or "json"
	TrustedProxies        Networks   `env:"DRAWBRIDGE_TRUSTED_PROXIES"`
	SCIMSchemas           string     `env:"DRAWBRIDGE_SCIM_SCHEMAS"` // a path; empty: the standard's schemas alone
	AllowPrivateProviders bool       `env:"DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS"`
	APIKeyInQuery         bool       `env:"DRAWBRIDGE_API_KEY_IN_QUERY"`
	DNSResolver           string     `env:"DRAWBRIDGE_DNS_RESOLVER"` // host:port; empty: the system's
	JournalDays           int        `env:"DRAWBRIDGE_JOURNAL_DAYS"` // 0: entries are kept for ever
	SigninDays            int        `env:"DRAWBRIDGE_SIGNIN_DAYS"`
	TombstoneDays         int        `env:"DRAWBRIDGE_TOMBSTONE_DAYS"` // 0: deleted people can come back for ever

	// How long a session may be unused, and how old it may become; 0: as the access model says.
	SessionIdle time.Duration `env:"DRAWBRIDGE_SESSION_IDLE"`
	SessionAge  time.Duration `env:"DRAWBRIDGE_SESSION_AGE"`

	MetadataRefresh time.Duration `env:"DRAWBRIDGE_METADATA_REFRESH"` // how often each provider's metadata is read; 0: never by itself
	SMTP            SMTP          `env:"DRAWBRIDGE_SMTP_URL"`         // the zero value: mails are kept and not sent
	SMTPFrom        Address       `env:"DRAWBRIDGE_SMTP_FROM"`
	Registration    bool          `env:"DRAWBRIDGE_REGISTRATION"` // strangers may found a tenant, where the access model lets them

	// The limits of the SCIM door.
	SCIMMaxBody        int `env:"DRAWBRIDGE_SCIM_MAX_BODY"` // bytes
	SCIMMaxBulk        int `env:"DRAWBRIDGE_SCIM_MAX_BULK"`
	SCIMMaxPatch       int `env:"DRAWBRIDGE_SCIM_MAX_PATCH"`
	SCIMMaxDepth       int `env:"DRAWBRIDGE_SCIM_MAX_DEPTH"`
	SCIMMaxFilter      int `env:"DRAWBRIDGE_SCIM_MAX_FILTER"` // bytes
	SCIMMaxFilterTerms int `env:"DRAWBRIDGE_SCIM_MAX_FILTER_TERMS"`
	SCIMMaxFilterDepth int `env:"DRAWBRIDGE_SCIM_MAX_FILTER_DEPTH"`
	SCIMMaxPage        int `env:"DRAWBRIDGE_SCIM_MAX_PAGE"`
	SCIMPage           int `env:"DRAWBRIDGE_SCIM_PAGE"`
	SCIMRate           int `env:"DRAWBRIDGE_SCIM_RATE"` // requests a second and token; 0: no limit
	SCIMBurst          int `env:"DRAWBRIDGE_SCIM_BURST"`

	sources map[string]string // environment variable -> where its value came from
}

// Secure reports whether the public origin is https: cookies get the Secure attribute then.
func (s Settings) Secure() bool { return strings.HasPrefix(s.URL, "https://") }

// maxMetadataRefresh is a week: a provider's new certificate would be seen too late.
const maxMetadataRefresh = 7 * 24 * time.Hour

// maxJournalDays is a hundred years.
const maxJournalDays = 36_500

// JournalAge returns how long an entry of the request journal is kept; 0 is for ever.
func (s Settings) JournalAge() time.Duration { return time.Duration(s.JournalDays) * 24 * time.Hour }

// maxSigninDays is how long the traces of sign-ins are kept at most: they are about people and grow with every sign-in.
const maxSigninDays = 400

// SigninAge returns how long the trace of a sign-in is kept.
func (s Settings) SigninAge() time.Duration { return time.Duration(s.SigninDays) * 24 * time.Hour }

// TombstoneAge returns how long somebody who was deleted can come back before they are erased; 0 is for ever.
func (s Settings) TombstoneAge() time.Duration {
	return time.Duration(s.TombstoneDays) * 24 * time.Hour
}

// SQLiteFile returns the path of the SQLite file, or "" with PostgreSQL.
func (s Settings) SQLiteFile() string {
	path, isSQLite := strings.CutPrefix(s.Database, "sqlite:")
	if !isSQLite {
		return ""
	}
	path, _, _ = strings.Cut(path, "?")
	return path
}

// KeyFile returns where the secret key of a SQLite database is kept, or "" with PostgreSQL.
func (s Settings) KeyFile() string {
	file := s.SQLiteFile()
	if file == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(file), "drawbridge.key")
}

// check adds what no single value shows: rules between settings, and rules of text that has no type of its own.
func (s *Settings) check(m *Mistakes) {
	s.checkListen(m)
	s.checkURL(m)
	s.checkDatabase(m)
	s.checkNumbers(m)
	s.checkMail(m)
	if s.MetadataRefresh != 0 && (s.MetadataRefresh < time.Minute || s.MetadataRefresh > maxMetadataRefresh) {
		s.reject(m, "DRAWBRIDGE_METADATA_REFRESH", "%v is too often or too seldom", s.MetadataRefresh)
	}
	s.checkResolver(m)
	if s.LogFormat != "text" && s.LogFormat != "json" {
		s.reject(m, "DRAWBRIDGE_LOG_FORMAT", "%q is no form of a log line", s.LogFormat)
	}
	s.checkDays(m)
}

func (s *Settings) checkDays(m *Mistakes) {
	if s.JournalDays < 0 || s.JournalDays > maxJournalDays {
		s.reject(m, "DRAWBRIDGE_JOURNAL_DAYS", "%d is no such number of days", s.JournalDays)
	}
	if s.SigninDays < 1 || s.SigninDays > maxSigninDays {
		s.reject(m, "DRAWBRIDGE_SIGNIN_DAYS", "%d is no such number of days", s.SigninDays)
	}
	if s.TombstoneDays < 0 || s.TombstoneDays > maxJournalDays {
		s.reject(m, "DRAWBRIDGE_TOMBSTONE_DAYS", "%d is no such number of days", s.TombstoneDays)
	}
	s.checkSessions(m)
}

// The ends of what a session's limits may be: shorter ones would end it while a page is read, longer ones are none.
const (
	leastSession = 5 * time.Minute
	mostSession  = 90 * 24 * time.Hour
)

func (s *Settings) checkSessions(m *Mistakes) {
	for name, limit := range map[string]time.Duration{"DRAWBRIDGE_SESSION_IDLE": s.SessionIdle, "DRAWBRIDGE_SESSION_AGE": s.SessionAge} {
		if limit != 0 && (limit < leastSession || limit > mostSession) {
			s.reject(m, name, "%s is too short or too long", limit)
		}
	}
	if s.SessionIdle > 0 && s.SessionAge > 0 && s.SessionIdle > s.SessionAge {
		s.reject(m, "DRAWBRIDGE_SESSION_IDLE", "%s is longer than DRAWBRIDGE_SESSION_AGE (%s)", s.SessionIdle, s.SessionAge)
	}
}

// limitText is a limit of sessions as it is written, or nothing when the access model says it.
func limitText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (s *Settings) checkListen(m *Mistakes) {
	_, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		s.reject(m, "DRAWBRIDGE_LISTEN", "%q is no address with a port", s.Listen)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		s.reject(m, "DRAWBRIDGE_LISTEN", "%q is no port", port)
	}
}

func (s *Settings) checkResolver(m *Mistakes) {
	if s.DNSResolver == "" {
		return
	}
	host, port, err := net.SplitHostPort(s.DNSResolver)
	if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || host == "" || wrong != nil || n == 0 {
		s.reject(m, "DRAWBRIDGE_DNS_RESOLVER", "%q is no address of a name server with its port", s.DNSResolver)
	}
}

// checkURL derives the public origin from the listen address when it is absent, and takes one slash at its end away.
func (s *Settings) checkURL(m *Mistakes) {
	const name = "DRAWBRIDGE_URL"
	if s.URL == "" {
		s.URL = originOf(s.Listen)
		return
	}
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		s.reject(m, name, "it is no http or https address")
	case u.User != nil:
		s.reject(m, name, "it has a user name or a password in it")
	case strings.TrimSuffix(u.Path, "/") != "" || strings.ContainsAny(s.URL, "?#"):
		s.reject(m, name, "%q has more than a scheme, a host and a port", s.URL)
	default:
		s.URL = u.Scheme + "://" + strings.ToLower(u.Host)
	}
}

// originOf returns the origin under which this machine reaches a listen address.
func originOf(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "" // checkListen has said so
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func (s *Settings) checkDatabase(m *Mistakes) {
	const name = "DRAWBRIDGE_DATABASE"
	scheme, rest, _ := strings.Cut(s.Database, ":")
	switch scheme {
	case "sqlite":
		if rest == "" || rest == ":memory:" || strings.HasPrefix(rest, "//") {
			s.reject(m, name, "SQLite needs the path of a file right after the colon")
		}
	case "postgres", "postgresql":
		if u, err := url.Parse(s.Database); err != nil || strings.Trim(u.Path, "/") == "" {
			s.reject(m, name, "it is no address of a PostgreSQL database; mind that special characters in the password are written as %%XX")
		}
		if len(s.SecretKey) == 0 {
			s.reject(m, "DRAWBRIDGE_SECRET_KEY", "it is required with PostgreSQL, because every replica needs the same one")
		}
	default:
		s.reject(m, name, "it starts neither with sqlite: nor with postgres://")
	}
}

// reject adds a mistake about a value, and says what to write instead. A value that was already found wrong is not reported twice.
func (s *Settings) reject(m *Mistakes, name, format string, args ...any) {
	for _, one := range *m {
		if one.Setting == name {
			return
		}
	}
	row, _ := rowByName(name)
	m.add(name, s.sources[name], format+". Write "+escape(row.Want)+".", args...)
}

// escape keeps a percent sign in a text that becomes part of a format.
func escape(text string) string { return strings.ReplaceAll(text, "%", "%%") }
