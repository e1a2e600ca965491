package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/config"
)

// globalFlags are the settings that were given as flags, by key. A secret has no flag of its own, since every process on the machine
// sees another's arguments: it has one that names its file. The database's address is both.
type globalFlags map[string]*string

func (g *globalFlags) register(cmd *cobra.Command) {
	*g = globalFlags{}
	for _, row := range config.Table() {
		if !row.Secret || row.Key == "database" {
			g.add(cmd, row.Key, short(row.Description))
		}
		if row.Secret {
			g.add(cmd, row.Key+"_file", "a file that holds "+row.Name)
		}
	}
}

// shown are the flags that every help text lists. The others work as well, and "drawbridge config --help" names them.
var shown = []string{"config", "url", "listen", "database", "secret_key_file", "access_model"}

func (g globalFlags) add(cmd *cobra.Command, key, usage string) {
	fs, name := cmd.PersistentFlags(), strings.ReplaceAll(key, "_", "-")
	g[key] = fs.String(name, "", usage)
	fs.Lookup(name).Hidden = !slices.Contains(shown, key)
}

// names lists every flag of a setting.
func (g globalFlags) names() string {
	var all []string
	for key := range g {
		all = append(all, "--"+strings.ReplaceAll(key, "_", "-"))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// overrides returns the flags that were given.
func (g globalFlags) overrides() map[string]string {
	given := map[string]string{}
	for key, value := range g {
		if *value != "" {
			given[key] = *value
		}
	}
	return given
}

// short makes a flag's help of a setting's description: its first clause, without the full stop.
func short(description string) string {
	clause, _, _ := strings.Cut(strings.TrimSuffix(description, "."), ";")
	if clause == "" {
		return ""
	}
	return strings.ToLower(clause[:1]) + clause[1:]
}

// settings reads the settings in force. The error lists every mistake.
func (p *program) settings() (config.Settings, error) {
	return config.Load(p.flags.overrides(), p.getenv, os.ReadFile)
}

// config returns the command that shows the settings.
func (p *program) config() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Show the settings in force and where each came from, without secrets",
		Long: `Shows the settings in force and where each came from, without secrets: defaults, then the YAML file of --config, then the
environment, then flags. Each setting is also a flag: ` + p.flags.names() + `.
A variable that holds a secret may end in _FILE: then it names the file that holds it.`,
		Example: `  drawbridge config
  DRAWBRIDGE_LISTEN=:9000 drawbridge config --json`,
		Args: cobra.NoArgs,
		RunE: p.do(func(context.Context, []string) error {
			s, err := p.settings()
			if err != nil {
				return err
			}
			return p.showSettings(s.Redacted())
		}),
	}
}

func (p *program) showSettings(all []config.Effective) error {
	return p.show(all, func(w io.Writer) {
		t := table{heading: []string{"SETTING", "VALUE", "FROM"}}
		for _, e := range all {
			from := e.Source
			if from == "" {
				from = "not set"
			}
			t.add(e.Name, orDash(e.Value), from)
		}
		t.write(w)
	})
}
