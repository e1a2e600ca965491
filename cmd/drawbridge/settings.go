package main

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drawbridge-id/drawbridge/config"
)

// globalFlags are the settings that were given as flags, by key. A secret has no flag of its own, since every process on the machine
// sees another's arguments: it has one that names its file. The database's address is both.
type globalFlags map[string]*string

func (g *globalFlags) register(fs *pflag.FlagSet) {
	*g = globalFlags{}
	for _, row := range config.Table() {
		if !row.Secret || row.Key == "database" {
			g.add(fs, row.Key, short(row.Description))
		}
		if row.Secret {
			g.add(fs, row.Key+"_file", "a file that holds "+row.Name)
		}
	}
}

func (g globalFlags) add(fs *pflag.FlagSet, key, usage string) {
	g[key] = fs.String(strings.ReplaceAll(key, "_", "-"), "", usage)
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
