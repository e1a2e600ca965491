package config_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/config"
)

// world is what Load reads besides the flags.
type world struct {
	flags map[string]string
	env   map[string]string
	files map[string]string
}

func (w world) load() (config.Settings, error) {
	return config.Load(w.flags, func(name string) string { return w.env[name] }, func(path string) ([]byte, error) {
		content, ok := w.files[path]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return []byte(content), nil
	})
}

func (w world) mustLoad(t *testing.T) config.Settings {
	t.Helper()
	s, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var secret = bytes.Repeat([]byte{0xfb}, config.KeySize) // has + and / in base64

func TestNothingConfiguredIsEnough(t *testing.T) {
	s := world{}.mustLoad(t)
	if s.URL != "http://127.0.0.1:8080" || s.Listen != "127.0.0.1:8080" || s.Database != "sqlite:drawbridge.db" ||
		s.AccessModel != "etlworks" || s.LogLevel != slog.LevelInfo || s.LogFormat != "text" || s.AllowPrivateProviders ||
		s.TrustedProxies != nil || s.SecretKey != nil || s.Secure() {
		t.Errorf("the defaults are %v", s)
	}
}

func TestTheTableTellsTheTruthAboutDefaults(t *testing.T) {
	for i, e := range (world{}).mustLoad(t).Redacted() {
		row := config.Table()[i]
		if e.Value != row.Default || e.Name != row.Name || e.Key != row.Key {
			t.Errorf("the table says %s is %q, in force is %s %q", row.Name, row.Default, e.Name, e.Value)
		}
		if row.Description == "" || row.Want == "" || strings.HasSuffix(row.Want, ".") {
			t.Errorf("%s is not described", row.Name)
		}
	}
}

func TestEverySettingHasARowAndEveryRowASetting(t *testing.T) {
	rows := map[string]bool{}
	for _, row := range config.Table() {
		rows[row.Name] = true
		if want := "DRAWBRIDGE_" + strings.ToUpper(row.Key); row.Name != want {
			t.Errorf("key %s and variable %s differ", row.Key, row.Name)
		}
	}
	for field := range reflect.TypeFor[config.Settings]().Fields() {
		name := field.Tag.Get("env")
		if field.IsExported() && !rows[name] {
			t.Errorf("field %s has no row", field.Name)
		}
		delete(rows, name)
	}
	if len(rows) > 0 {
		t.Errorf("rows without a field: %v", rows)
	}
}

func TestEachSourceGoesOverTheOneBefore(t *testing.T) {
	w := world{
		files: map[string]string{"d.yaml": "listen: 127.0.0.1:1001\nlog_format: json\nlog_level: warn\n"},
		env:   map[string]string{"DRAWBRIDGE_CONFIG": "d.yaml", "DRAWBRIDGE_LISTEN": "127.0.0.1:1002", "DRAWBRIDGE_LOG_FORMAT": "text"},
		flags: map[string]string{"listen": "127.0.0.1:1003"},
	}
	s := w.mustLoad(t)
	if s.Listen != "127.0.0.1:1003" || s.LogFormat != "text" || s.LogLevel != slog.LevelWarn || s.AccessModel != "etlworks" {
		t.Errorf("in force: %v", s)
	}
	want := map[string]string{
		"DRAWBRIDGE_LISTEN": "a flag", "DRAWBRIDGE_LOG_FORMAT": "the environment", "DRAWBRIDGE_LOG_LEVEL": "d.yaml",
		"DRAWBRIDGE_ACCESS_MODEL": "the default", "DRAWBRIDGE_URL": "the default", "DRAWBRIDGE_SECRET_KEY": "",
	}
	for _, e := range s.Redacted() {
		if source, listed := want[e.Name]; listed && e.Source != source {
			t.Errorf("%s comes from %q, not %q", e.Name, e.Source, source)
		}
	}
}

func TestAFlagNamesTheFileOverTheEnvironment(t *testing.T) {
	w := world{
		files: map[string]string{"right.yaml": "access_model: fintechos"},
		env:   map[string]string{"DRAWBRIDGE_CONFIG": "wrong.yaml"},
		flags: map[string]string{"config": "right.yaml"},
	}
	if s := w.mustLoad(t); s.AccessModel != "fintechos" {
		t.Errorf("the access model is %q", s.AccessModel)
	}
}

func TestTheFileTakesValuesAsPeopleWriteThem(t *testing.T) {
	w := world{flags: map[string]string{"config": "d.yaml"}, files: map[string]string{"d.yaml": `
# a comment
allow_private_providers: true
log_level: ~
trusted_proxies:
  - 10.1.2.3/8
  - 192.168.1.7
`}}
	s := w.mustLoad(t)
	want := config.Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.7/32")}
	if !s.AllowPrivateProviders || s.LogLevel != slog.LevelInfo || !reflect.DeepEqual(s.TrustedProxies, want) {
		t.Errorf("in force: %v", s)
	}
	empty := world{flags: map[string]string{"config": "d.yaml"}, files: map[string]string{"d.yaml": "# nothing yet\n"}}
	empty.mustLoad(t)
}

func TestThePublicOriginFollowsTheListenAddress(t *testing.T) {
	for listen, want := range map[string]string{
		":9000": "http://127.0.0.1:9000", "0.0.0.0:9000": "http://127.0.0.1:9000", "[::]:9000": "http://127.0.0.1:9000",
		"[::1]:9000": "http://[::1]:9000", "box.example.com:80": "http://box.example.com:80",
	} {
		if s := (world{flags: map[string]string{"listen": listen}}).mustLoad(t); s.URL != want {
			t.Errorf("listening on %s the origin is %s", listen, s.URL)
		}
	}
	s := world{env: map[string]string{"DRAWBRIDGE_URL": "https://ID.Example.com/"}}.mustLoad(t)
	if s.URL != "https://id.example.com" || !s.Secure() {
		t.Errorf("the origin is %s", s.URL)
	}
}

func TestASecretComesFromAFileOnEveryWay(t *testing.T) {
	const path = "/run/secrets/key"
	files := map[string]string{path: base64.StdEncoding.EncodeToString(secret) + "\n", "d.yaml": "secret_key_file: " + path}
	for name, w := range map[string]world{
		"environment": {env: map[string]string{"DRAWBRIDGE_SECRET_KEY_FILE": path}},
		"flag":        {flags: map[string]string{"secret_key_file": path}},
		"file":        {flags: map[string]string{"config": "d.yaml"}},
	} {
		w.files = files
		if s := w.mustLoad(t); !bytes.Equal(s.SecretKey, secret) {
			t.Errorf("%s: the key was not read", name)
		}
	}
}

func TestASecretFileGoesOverAPlainSecretOfALowerSource(t *testing.T) {
	w := world{
		files: map[string]string{"d.yaml": "database: postgres://db/old", "url": "postgres://u:p@db/new"},
		env: map[string]string{
			"DRAWBRIDGE_CONFIG": "d.yaml", "DRAWBRIDGE_DATABASE_FILE": "url", "DRAWBRIDGE_SECRET_KEY": hex.EncodeToString(secret),
		},
	}
	if s := w.mustLoad(t); s.Database != "postgres://u:p@db/new" {
		t.Errorf("the database is %v", s)
	}
}

func TestTheKeyIsReadInEveryCommonSpelling(t *testing.T) {
	for _, spelling := range []string{
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), base64.StdEncoding.EncodeToString(secret),
		base64.RawStdEncoding.EncodeToString(secret), base64.URLEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
	} {
		if s := (world{env: map[string]string{"DRAWBRIDGE_SECRET_KEY": spelling}}).mustLoad(t); !bytes.Equal(s.SecretKey, secret) {
			t.Errorf("%s is not read", spelling)
		}
	}
}

func TestAWrongSettingIsRefusedWithWhatToDo(t *testing.T) {
	key := hex.EncodeToString(secret)
	for name, c := range map[string]struct {
		world world
		want  []string
	}{
		"an unknown flag":            {world{flags: map[string]string{"lissten": ":1"}}, []string{"lissten (a flag)", "no such setting", "listen"}},
		"an unknown key in the file": {world{flags: map[string]string{"config": "f"}, files: map[string]string{"f": "lissten: x"}}, []string{"lissten (f)", "no such setting"}},
		"a key that is no secret":    {world{flags: map[string]string{"listen_file": "x"}}, []string{"listen_file", "no such setting"}},
		"a file in the file":         {world{flags: map[string]string{"config": "f"}, files: map[string]string{"f": "config: g"}}, []string{"cannot name another"}},
		"a missing file":             {world{flags: map[string]string{"config": "nowhere"}}, []string{"nowhere cannot be read", "path of a readable YAML"}},
		"no YAML":                    {world{flags: map[string]string{"config": "f"}, files: map[string]string{"f": "a: b: c"}}, []string{"f:", "one setting a line"}},
		"two documents":              {world{flags: map[string]string{"config": "f"}, files: map[string]string{"f": "listen: :1\n---\nlisten: :2"}}, []string{"more than one document"}},
		"a key twice":                {world{flags: map[string]string{"config": "f"}, files: map[string]string{"f": "listen: :1\nlisten: :2"}}, []string{"already defined"}},
		"two wrong shapes":           {world{flags: map[string]string{"config": "f"}, files: map[string]string{"f": "listen: {a: b}\nurl: [[1]]"}}, []string{"line 1", "line 2"}},
		"a port that is none":        {world{env: map[string]string{"DRAWBRIDGE_LISTEN": "127.0.0.1:http"}}, []string{"DRAWBRIDGE_LISTEN (the environment)", "no port", "127.0.0.1:8080"}},
		"no port":                    {world{env: map[string]string{"DRAWBRIDGE_LISTEN": "127.0.0.1"}}, []string{"no address with a port"}},
		"a port too high":            {world{env: map[string]string{"DRAWBRIDGE_LISTEN": ":65536"}}, []string{"no port"}},
		"an origin with a path":      {world{env: map[string]string{"DRAWBRIDGE_URL": "https://a.example/sso"}}, []string{"more than a scheme", "without a path"}},
		"an origin with a query":     {world{env: map[string]string{"DRAWBRIDGE_URL": "https://a.example/?"}}, []string{"more than a scheme"}},
		"an origin with a user":      {world{env: map[string]string{"DRAWBRIDGE_URL": "https://u:pw@a.example"}}, []string{"user name"}},
		"an origin of another kind":  {world{env: map[string]string{"DRAWBRIDGE_URL": "ftp://a.example"}}, []string{"http or https"}},
		"a database of no kind":      {world{env: map[string]string{"DRAWBRIDGE_DATABASE": "mysql://db/x"}}, []string{"neither with sqlite:", "postgres://user"}},
		"a database in memory":       {world{env: map[string]string{"DRAWBRIDGE_DATABASE": "sqlite::memory:"}}, []string{"path of a file"}},
		"SQLite with slashes":        {world{env: map[string]string{"DRAWBRIDGE_DATABASE": "sqlite:///x.db"}}, []string{"path of a file"}},
		"PostgreSQL without a name":  {world{env: map[string]string{"DRAWBRIDGE_DATABASE": "postgres://db", "DRAWBRIDGE_SECRET_KEY": key}}, []string{"no address of a PostgreSQL"}},
		"PostgreSQL without a key":   {world{env: map[string]string{"DRAWBRIDGE_DATABASE": "postgres://db/x"}}, []string{"DRAWBRIDGE_SECRET_KEY", "required with PostgreSQL", "openssl rand"}},
		"a short key":                {world{env: map[string]string{"DRAWBRIDGE_SECRET_KEY": "c2hvcnQ="}}, []string{"5 bytes instead of 32", "openssl rand"}},
		"a key that is no base64":    {world{env: map[string]string{"DRAWBRIDGE_SECRET_KEY": "!"}}, []string{"neither base64 nor hex"}},
		"a key twice over":           {world{env: map[string]string{"DRAWBRIDGE_SECRET_KEY": key, "DRAWBRIDGE_SECRET_KEY_FILE": "f"}}, []string{"only one of the two"}},
		"a missing key file":         {world{env: map[string]string{"DRAWBRIDGE_SECRET_KEY_FILE": "nowhere"}}, []string{"DRAWBRIDGE_SECRET_KEY_FILE", "nowhere cannot be read"}},
		"an empty key file":          {world{env: map[string]string{"DRAWBRIDGE_SECRET_KEY_FILE": "f"}, files: map[string]string{"f": "\n"}}, []string{"is empty"}},
		"a level that is none":       {world{env: map[string]string{"DRAWBRIDGE_LOG_LEVEL": "loud"}}, []string{`"loud" is not understood`, "debug, info"}},
		"a format that is none":      {world{env: map[string]string{"DRAWBRIDGE_LOG_FORMAT": "xml"}}, []string{`"xml"`, "text or json"}},
		"a network that is none":     {world{env: map[string]string{"DRAWBRIDGE_TRUSTED_PROXIES": "10.0.0.0/8,home"}}, []string{"DRAWBRIDGE_TRUSTED_PROXIES", "networks separated by commas"}},
		"a number that is none":      {world{env: map[string]string{"DRAWBRIDGE_SCIM_MAX_BULK": "many"}}, []string{`"many" is not understood`, "a whole number"}},
		"a limit that is too small":  {world{env: map[string]string{"DRAWBRIDGE_SCIM_MAX_BODY": "1"}}, []string{"DRAWBRIDGE_SCIM_MAX_BODY", "1 bytes is not between 1024"}},
		"a limit that is too large":  {world{flags: map[string]string{"scim_max_filter_terms": "5001"}}, []string{"5001 comparisons is not between 1 and 5000"}},
		"a negative rate":            {world{env: map[string]string{"DRAWBRIDGE_SCIM_RATE": "-1"}}, []string{"DRAWBRIDGE_SCIM_RATE", "from 0"}},
		"a page above the longest":   {world{env: map[string]string{"DRAWBRIDGE_SCIM_MAX_PAGE": "50"}}, []string{"DRAWBRIDGE_SCIM_PAGE", "longer than DRAWBRIDGE_SCIM_MAX_PAGE (50)"}},
		"metadata too often":         {world{env: map[string]string{"DRAWBRIDGE_METADATA_REFRESH": "1s"}}, []string{"DRAWBRIDGE_METADATA_REFRESH", "too often", "1m to 168h"}},
		"a time that is none":        {world{env: map[string]string{"DRAWBRIDGE_METADATA_REFRESH": "hourly"}}, []string{`"hourly" is not understood`}},
		"a mail server of no kind":   {world{env: map[string]string{"DRAWBRIDGE_SMTP_URL": "mail.example:25"}}, []string{"DRAWBRIDGE_SMTP_URL", "no smtp or smtps address", "smtp://user"}},
		"a mail server without from": {world{env: map[string]string{"DRAWBRIDGE_SMTP_URL": "smtp://mail.example"}}, []string{"DRAWBRIDGE_SMTP_FROM", "required with DRAWBRIDGE_SMTP_URL"}},
		"a password in the clear":    {world{env: map[string]string{"DRAWBRIDGE_SMTP_URL": "smtp://u:hunter2@mail.example?tls=none"}}, []string{"never sent without TLS"}},
		"a user without a password":  {world{env: map[string]string{"DRAWBRIDGE_SMTP_URL": "smtps://u@mail.example"}}, []string{"come together"}},
		"a sender that is none":      {world{env: map[string]string{"DRAWBRIDGE_SMTP_FROM": "nobody"}}, []string{"DRAWBRIDGE_SMTP_FROM", "not understood"}},
		"a truth that is none":       {world{env: map[string]string{"DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS": "maybe"}}, []string{`"maybe"`, "true or false"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.world.load()
			var wrong config.Mistakes
			if !errors.As(err, &wrong) {
				t.Fatalf("the error is %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
		})
	}
}

func TestAllMistakesAreReportedAtOnceAndEachOnce(t *testing.T) {
	w := world{
		flags: map[string]string{"config": "f", "listen": "nowhere"},
		env:   map[string]string{"DRAWBRIDGE_LOG_LEVEL": "loud", "DRAWBRIDGE_DATABASE": "postgres://db/x", "DRAWBRIDGE_SECRET_KEY": "short"},
		files: map[string]string{"f": "colour: blue\nallow_private_providers: maybe\nurl: ftp://x"},
	}
	_, err := w.load()
	var wrong config.Mistakes
	if !errors.As(err, &wrong) || len(wrong) != 6 {
		t.Fatalf("want 6 mistakes: %v", err)
	}
	if !strings.HasPrefix(err.Error(), "6 settings are wrong:\n") {
		t.Errorf("the error starts otherwise: %v", err)
	}
}

func TestNoSecretIsEverPrinted(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString(secret)
	w := world{env: map[string]string{
		"DRAWBRIDGE_SECRET_KEY": encoded,
		"DRAWBRIDGE_DATABASE":   "postgres://user:hunter2@db.example/x?password=hunter2&sslmode=require&sslpassword=hunter2",
		"DRAWBRIDGE_SMTP_URL":   "smtp://bridge:hunter2@mail.example", "DRAWBRIDGE_SMTP_FROM": "Drawbridge <a@b.example>",
	}}
	s := w.mustLoad(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "settings", s, "key", s.SecretKey)
	asJSON, err := json.Marshal(s.Redacted())
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %s %s %v %#v %v %#v", s, s, s, s.String(), log.String(), asJSON, s.SecretKey, s.SecretKey, s.SMTP, s.SMTP)
	for _, leak := range []string{"hunter2", encoded, fmt.Sprint(secret[0]) + " " + fmt.Sprint(secret[0])} {
		if strings.Contains(printed, leak) {
			t.Errorf("%q is printed in %s", leak, printed)
		}
	}
	for _, wanted := range []string{"user:***@db.example/x", "sslmode=require", "smtp://bridge:***@mail.example:587"} {
		if !strings.Contains(printed, wanted) {
			t.Errorf("%q is not printed in %s", wanted, printed)
		}
	}
	if got := config.RedactDatabase("postgres://u:p%zz@h/x"); got != "***" {
		t.Errorf("an unreadable address is shown: %s", got)
	}
}

func TestAMistakeNeverRepeatsASecret(t *testing.T) {
	_, err := world{env: map[string]string{
		"DRAWBRIDGE_SECRET_KEY": "hunter2hunter2", "DRAWBRIDGE_DATABASE": "postgres://u:hunter2%zz@h/x", "DRAWBRIDGE_URL": "https://u:hunter2@h", "DRAWBRIDGE_SMTP_URL": "smtp://u:hunter2@h:%zz",
	}}.load()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error is %v", err)
	}
}

func TestNetworksHoldAddresses(t *testing.T) {
	n := world{env: map[string]string{"DRAWBRIDGE_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"}}.mustLoad(t).TrustedProxies
	for address, want := range map[string]bool{"10.2.3.4": true, "::ffff:10.2.3.4": true, "fd00::1": true, "11.0.0.1": false, "::1": false} {
		if got := n.Contains(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestAMailServerIsReadWithItsPortAndItsSecurity(t *testing.T) {
	for text, want := range map[string]config.SMTP{
		"smtp://mail.example":                   {Host: "mail.example", Port: 587},
		"smtp://u:p%40ss@mail.example:2525":     {Host: "mail.example", Port: 2525, User: "u", Password: "p@ss"},
		"smtps://u:p@mail.example":              {Host: "mail.example", Port: 465, User: "u", Password: "p", Implicit: true},
		"smtp://[2001:db8::1]:25/?tls=none":     {Host: "2001:db8::1", Port: 25, Plain: true},
		"smtp://u%40x.example:p@mail.example:1": {Host: "mail.example", Port: 1, User: "u@x.example", Password: "p"},
	} {
		w := world{env: map[string]string{"DRAWBRIDGE_SMTP_URL": text, "DRAWBRIDGE_SMTP_FROM": "a@b.example"}}
		if s := w.mustLoad(t); s.SMTP != want {
			t.Errorf("%s is read as %s", text, s.SMTP)
		}
	}
}
