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
		Name: "DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS", Key: "allow_private_providers", Default: "false",
		Description: "Fetch the metadata of identity providers from private and loopback addresses too; for development, or for a provider inside the house.",
		Want:        "true or false",
	},
	{
		Name: "DRAWBRIDGE_JOURNAL_DAYS", Key: "journal_days", Default: "90",
		Description: "How many days the journal keeps what directories sent; 0 keeps it for ever.",
		Want:        "a number of days from 0 to 36500",
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
