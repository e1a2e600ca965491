package config

import "slices"

// Setting is one row of the table of settings, for help texts and for the README.
type Setting struct {
	Name        string // the environment variable
	Key         string // the key in the YAML file; the flag is the same with - for _
	Default     string // as text; empty: none
	Description string // one sentence
	Secret      bool   // never shown; also read from the file that Name_FILE (Key_file, --Key-file) names
	Want        string // what a right value looks like, as the end of "Write ..."

	derived bool // the default is made from other settings
}

// fileSuffix turns the name of a secret into the name of the setting that says which file it is in.
const fileSuffix = "_FILE"

// keySuffix is fileSuffix as it is written in keys.
const keySuffix = "_file"

var table = []Setting{
	{
		Name: "DRAWBRIDGE_CONFIG", Key: "config",
		Description: "The YAML file with settings.",
		Want:        "the path of a readable YAML file",
	},
	{
		Name: "DRAWBRIDGE_URL", Key: "url", Default: "http://127.0.0.1:8080", derived: true,
		Description: "The public origin that browsers, directories and identity providers use; made from the listen address when absent.",
		Want:        "an origin without a path, such as https://id.example.com",
	},
	{
		Name: "DRAWBRIDGE_LISTEN", Key: "listen", Default: "127.0.0.1:8080",
		Description: "The address and port to listen on.",
		Want:        "host:port, such as 127.0.0.1:8080, or :8080 for every address",
	},
	{
		Name: "DRAWBRIDGE_DATABASE", Key: "database", Default: "sqlite:drawbridge.db", Secret: true,
		Description: "The database: a SQLite file or a PostgreSQL server.",
		Want:        "sqlite:drawbridge.db or postgres://user:password@host/name",
	},
	{
		Name: "DRAWBRIDGE_SECRET_KEY", Key: "secret_key", Secret: true,
		Description: "The 32 bytes that seal secrets in the database, in base64 or hex; made beside the SQLite file as drawbridge.key when absent, required with PostgreSQL.",
		Want:        "32 bytes in base64 or hex; make them with: openssl rand -base64 32",
	},
	{
		Name: "DRAWBRIDGE_ACCESS_MODEL", Key: "access_model", Default: "etlworks",
		Description: "The access model: the name of a preset or the path of a YAML file.",
		Want:        "the name of a preset, such as etlworks, or the path of a YAML file",
	},
	{
		Name: "DRAWBRIDGE_LOG_LEVEL", Key: "log_level", Default: "info",
		Description: "The least level that is logged: debug, info, warn or error.",
		Want:        "debug, info, warn or error",
	},
	{
		Name: "DRAWBRIDGE_LOG_FORMAT", Key: "log_format", Default: "text",
		Description: "The form of a log line: text or json.",
		Want:        "text or json",
	},
	{
		Name: "DRAWBRIDGE_TRUSTED_PROXIES", Key: "trusted_proxies",
		Description: "The networks of the proxies in front, whose X-Forwarded-For is believed; separated by commas.",
		Want:        "networks separated by commas, such as 10.0.0.0/8, 192.168.1.7",
	},
	{
		Name: "DRAWBRIDGE_SCIM_SCHEMAS", Key: "scim_schemas",
		Description: "The JSON file that declares SCIM extensions and resource types beside the standard; docs/decisions/0014 shows its form.",
		Want:        "the path of a readable JSON file",
	},
	{
		Name: "DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS", Key: "allow_private_providers", Default: "false",
		Description: "Fetch the metadata of identity providers from private and loopback addresses too; for development, or for a provider inside the house.",
		Want:        "true or false",
	},
	{
		Name: "DRAWBRIDGE_API_KEY_IN_QUERY", Key: "api_key_in_query", Default: "false",
		Description: "Take an API key from the query too, as api_key=KEY, for webhooks that cannot set a header; addresses end up in logs of proxies, so leave it off where you can.",
		Want:        "true or false",
	},
	{
		Name: "DRAWBRIDGE_DNS_RESOLVER", Key: "dns_resolver",
		Description: "The name server, host:port, that is asked for the records of e-mail domains; the system's when absent.",
		Want:        "host:port of a name server, such as 192.0.2.53:53, or nothing",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_BODY", Key: "scim_max_body", Default: "1048576",
		Description: "The longest body of a SCIM request, in bytes; a bulk request too. More is 413.",
		Want:        "a whole number of bytes from 1024 to 268435456",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_BULK", Key: "scim_max_bulk", Default: "1000",
		Description: "The most operations of one SCIM bulk request; more is 413.",
		Want:        "a whole number from 1 to 100000",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_PATCH", Key: "scim_max_patch", Default: "2000",
		Description: "The most operations of one SCIM PATCH; more is 400 tooMany.",
		Want:        "a whole number from 1 to 100000",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_DEPTH", Key: "scim_max_depth", Default: "32",
		Description: "How deep the JSON of a SCIM request may be nested; deeper is 400 invalidSyntax.",
		Want:        "a whole number from 6 to 900",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_FILTER", Key: "scim_max_filter", Default: "16384",
		Description: "The longest SCIM filter, in bytes; more is 400 invalidFilter.",
		Want:        "a whole number of bytes from 64 to 1048576",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_FILTER_TERMS", Key: "scim_max_filter_terms", Default: "500",
		Description: "The most comparisons of one SCIM filter; more is 400 tooMany.",
		Want:        "a whole number from 1 to 5000",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_FILTER_DEPTH", Key: "scim_max_filter_depth", Default: "40",
		Description: "How many brackets a SCIM filter may have inside each other; more is 400 invalidFilter.",
		Want:        "a whole number from 1 to 200",
	},
	{
		Name: "DRAWBRIDGE_SCIM_MAX_PAGE", Key: "scim_max_page", Default: "1000",
		Description: "The most resources of one page of a SCIM list; who asks for more gets that many.",
		Want:        "a whole number from 1 to 10000",
	},
	{
		Name: "DRAWBRIDGE_SCIM_PAGE", Key: "scim_page", Default: "100",
		Description: "The resources of one page of a SCIM list when the client does not say.",
		Want:        "a whole number from 1 to DRAWBRIDGE_SCIM_MAX_PAGE",
	},
	{
		Name: "DRAWBRIDGE_SCIM_RATE", Key: "scim_rate", Default: "0",
		Description: "How many SCIM requests a second one token may send to one replica; 0 is as many as it likes. More is 429 with Retry-After.",
		Want:        "a whole number from 0 to 1000000",
	},
	{
		Name: "DRAWBRIDGE_SCIM_BURST", Key: "scim_burst", Default: "1000",
		Description: "How many SCIM requests one token may send at once before DRAWBRIDGE_SCIM_RATE slows it.",
		Want:        "a whole number from 1 to 1000000",
	},
	{
		Name: "DRAWBRIDGE_JOURNAL_DAYS", Key: "journal_days", Default: "90",
		Description: "How many days the journal keeps what directories sent; 0 keeps it for ever.",
		Want:        "a number of days from 0 to 36500",
	},
	{
		Name: "DRAWBRIDGE_TOMBSTONE_DAYS", Key: "tombstone_days", Default: "30",
		Description: "How many days somebody who was deleted can come back to the same account; then they are erased. 0 keeps them for ever.",
		Want:        "a number of days from 0 to 36500",
	},
	{
		Name: "DRAWBRIDGE_METADATA_REFRESH", Key: "metadata_refresh", Default: "1h",
		Description: "How often the metadata of each SAML provider is read again; 0 is never by itself.",
		Want:        "a time from 1m to 168h, such as 1h, or 0",
	},
	{
		Name: "DRAWBRIDGE_SMTP_URL", Key: "smtp_url", Secret: true,
		Description: "The mail server: smtp:// asks for STARTTLS, smtps:// is TLS at once; without it mails are kept and not sent.",
		Want:        "smtp://user:password@host:587 or smtps://user:password@host:465; special characters in the password as %XX, and ?tls=none only without a password",
	},
	{
		Name: "DRAWBRIDGE_SMTP_FROM", Key: "smtp_from",
		Description: "The sender of every mail; required with DRAWBRIDGE_SMTP_URL.",
		Want:        "an address such as Drawbridge <no-reply@example.com>",
	},
	{
		Name: "DRAWBRIDGE_REGISTRATION", Key: "registration", Default: "false",
		Description: "Let strangers register a tenant of their own, where the access model knows self-registration.",
		Want:        "true or false",
	},
	{
		Name: "DRAWBRIDGE_SIGNIN_DAYS", Key: "signin_days", Default: "30",
		Description: "How many days the trace of a sign-in is kept.",
		Want:        "a number of days from 1 to 400",
	},
	{
		Name: "DRAWBRIDGE_SESSION_IDLE", Key: "session_idle",
		Description: "How long a session may be unused before it ends; when absent, what the access model says, else 8h.",
		Want:        "a time from 5m to 2160h, such as 30m",
	},
	{
		Name: "DRAWBRIDGE_SESSION_AGE", Key: "session_age",
		Description: "How long a session lasts at most; when absent, what the access model says, else 24h. An earlier end that the provider sets always counts.",
		Want:        "a time from 5m to 2160h, such as 12h",
	},
}

// Table returns every setting with its default and description, in the order in which people read them.
func Table() []Setting { return slices.Clone(table) }

// rowByKey returns the row of a key of the YAML file.
func rowByKey(key string) (Setting, bool) {
	i := slices.IndexFunc(table, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return table[i], true
}

// rowByName returns the row of an environment variable.
func rowByName(name string) (Setting, bool) {
	i := slices.IndexFunc(table, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return table[i], true
}
