package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/scim"
)

func TestConfigShowsWhatIsInForceAndNoSecret(t *testing.T) {
	key := strings.Repeat("c0ffee00", 8)
	sh := shell{t: t, env: map[string]string{
		"DRAWBRIDGE_DATABASE": "postgres://bridge:hunter2@db.example/people", "DRAWBRIDGE_SECRET_KEY": key, "DRAWBRIDGE_LISTEN": "127.0.0.1:9000",
	}}
	for _, args := range [][]string{{"config", "--url", "https://id.example.com"}, {"config", "--url", "https://id.example.com", "--json"}} {
		out := sh.must(args...)
		for _, want := range []string{"https://id.example.com", "a flag", "127.0.0.1:9000", "the environment", "etlworks", "the default", "db.example"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v does not show %q:\n%s", args, want, out)
			}
		}
		if strings.Contains(out, "hunter2") || strings.Contains(out, key) {
			t.Errorf("%v shows a secret:\n%s", args, out)
		}
	}
}

func TestAllMistakesInTheSettingsAreReportedAtOnce(t *testing.T) {
	sh := shell{t: t, env: map[string]string{
		"DRAWBRIDGE_DATABASE": "mysql://db", "DRAWBRIDGE_LISTEN": "8080", "DRAWBRIDGE_LOG_LEVEL": "loud", "DRAWBRIDGE_URL": "id.example.com/x",
	}}
	for _, command := range []string{"config", "serve", "migrate", "events", "healthcheck"} {
		sh.refused(1, []string{"4 settings are wrong", "DRAWBRIDGE_DATABASE", "DRAWBRIDGE_LISTEN", "DRAWBRIDGE_LOG_LEVEL", "DRAWBRIDGE_URL"}, command)
	}
}

func TestDeclaredSchemasAreCheckedBeforeAnythingIsServed(t *testing.T) {
	sh := newShell(t)
	file := filepath.Join(t.TempDir(), "schemas.json")
	sh.refused(1, []string{"DRAWBRIDGE_SCIM_SCHEMAS", "no such file", "readable JSON file"}, "migrate", "--scim-schemas", file)
	wrong := `{"schemas":[{"id":"urn:x:thing","attributes":[{"name":"a","type":"text"}]}],"resourceTypes":[{"name":"Thing","endpoint":"/Users","schema":"urn:x:thing"}]}`
	if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	sh.refused(1, []string{"DRAWBRIDGE_SCIM_SCHEMAS", file, "schemas[0].attributes[0].type", "/Users is taken"}, "serve", "--scim-schemas", file)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(strings.ReplaceAll(wrong, "text", "string"), "/Users", "/Things")), 0o600); err != nil {
		t.Fatal(err)
	}
	sh.must("migrate", "--scim-schemas", file)
}

func TestEverySettingIsAFlagAndNoSecretIsAnArgument(t *testing.T) {
	flags := (&program{}).root().PersistentFlags()
	for _, row := range config.Table() {
		name := strings.ReplaceAll(row.Key, "_", "-")
		if row.Secret && flags.Lookup(name+"-file") == nil {
			t.Errorf("%s has no --%s-file", row.Name, name)
		}
		if !row.Secret && flags.Lookup(name) == nil {
			t.Errorf("%s has no --%s", row.Name, name)
		}
	}
	if flags.Lookup("secret-key") != nil {
		t.Error("the secret key is an argument, which every process can see")
	}
}

func TestTheLimitsOfTheSCIMDoorAreSettings(t *testing.T) {
	read := func(flags map[string]string) scim.Limits {
		t.Helper()
		s, err := config.Load(flags, func(string) string { return "" }, nil)
		if err != nil {
			t.Fatal(err)
		}
		return limits(s)
	}
	if got := read(nil); got != scim.DefaultLimits() {
		t.Errorf("without settings the limits are %+v, the door's own are %+v", got, scim.DefaultLimits())
	}
	got := read(map[string]string{
		"scim_max_body": "2000", "scim_max_bulk": "2", "scim_max_patch": "3", "scim_max_depth": "7", "scim_max_filter": "80", "scim_max_filter_terms": "5",
		"scim_max_filter_depth": "6", "scim_max_page": "9", "scim_page": "8", "scim_rate": "10", "scim_burst": "11",
	})
	want := scim.Limits{
		Body: 2000, Bulk: 2, Patch: 3, Depth: 7, Filter: 80, FilterTerms: 5, FilterDepth: 6, Page: 9, PageDefault: 8, Rate: 10, Burst: 11,
	}
	if got != want {
		t.Errorf("the limits are %+v, set were %+v", got, want)
	}
}
