package config

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// mask stands where a secret was.
const mask = "***"

// Effective is one setting as it is in force, safe to print.
type Effective struct {
	Name   string `json:"name"`   // the environment variable
	Key    string `json:"key"`    // the key in the YAML file
	Value  string `json:"value"`  // secrets are masked
	Source string `json:"source"` // "the default", a file's path, "the environment" or "a flag"; empty: not set
}

// Redacted returns every setting as it is in force, in the order of Table, without secrets: a key is masked, and so is the
// password of the database.
func (s Settings) Redacted() []Effective {
	values := s.texts()
	all := make([]Effective, len(table))
	for i, row := range table {
		source := s.sources[row.Name]
		if source == "" && row.derived {
			source = "the default"
		}
		all[i] = Effective{Name: row.Name, Key: row.Key, Value: values[row.Name], Source: source}
	}
	return all
}

// String returns the settings in one line without secrets, so that no log can leak them.
func (s Settings) String() string {
	var parts []string
	for _, e := range s.Redacted() {
		parts = append(parts, e.Key+"="+strconv.Quote(e.Value))
	}
	return strings.Join(parts, " ")
}

// GoString returns the same as String, for %#v.
func (s Settings) GoString() string { return s.String() }

// MarshalJSON returns the settings as Redacted does.
func (s Settings) MarshalJSON() ([]byte, error) { return json.Marshal(s.Redacted()) }

func (s Settings) texts() map[string]string {
	return s.numberTexts(map[string]string{
		"DRAWBRIDGE_CONFIG":                  s.Config,
		"DRAWBRIDGE_URL":                     s.URL,
		"DRAWBRIDGE_LISTEN":                  s.Listen,
		"DRAWBRIDGE_DATABASE":                RedactDatabase(s.Database),
		"DRAWBRIDGE_SECRET_KEY":              s.SecretKey.String(),
		"DRAWBRIDGE_ACCESS_MODEL":            s.AccessModel,
		"DRAWBRIDGE_LOG_LEVEL":               strings.ToLower(s.LogLevel.String()),
		"DRAWBRIDGE_LOG_FORMAT":              s.LogFormat,
		"DRAWBRIDGE_TRUSTED_PROXIES":         s.TrustedProxies.String(),
		"DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS": strconv.FormatBool(s.AllowPrivateProviders),
		"DRAWBRIDGE_API_KEY_IN_QUERY":        strconv.FormatBool(s.APIKeyInQuery),
		"DRAWBRIDGE_DNS_RESOLVER":            s.DNSResolver,
		"DRAWBRIDGE_JOURNAL_DAYS":            strconv.Itoa(s.JournalDays),
		"DRAWBRIDGE_TOMBSTONE_DAYS":          strconv.Itoa(s.TombstoneDays),
		"DRAWBRIDGE_METADATA_REFRESH":        durationText(s.MetadataRefresh),
		"DRAWBRIDGE_SMTP_URL":                s.SMTP.String(),
		"DRAWBRIDGE_SMTP_FROM":               s.SMTPFrom.String(),
		"DRAWBRIDGE_REGISTRATION":            strconv.FormatBool(s.Registration),
		"DRAWBRIDGE_SIGNIN_DAYS":             strconv.Itoa(s.SigninDays),
		"DRAWBRIDGE_SESSION_IDLE":            limitText(s.SessionIdle),
		"DRAWBRIDGE_SESSION_AGE":             limitText(s.SessionAge),
	})
}

// durationText writes a duration as people do: 1h instead of 1h0m0s.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// RedactDatabase returns the address of a database without its password, wherever in the address it is. An address that cannot be
// read is masked as a whole.
func RedactDatabase(address string) string {
	if strings.HasPrefix(address, "sqlite:") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" {
		return mask
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), mask)
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, mask)
		}
	}
	u.RawQuery = query.Encode()
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", mask)
}
