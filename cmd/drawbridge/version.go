package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is set by the linker in a released build: -ldflags "-X main.release=v1.2.3".
var release string

type buildView struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// build tells which program this is, from the linker or else from what the Go tool recorded.
func build() buildView {
	v := buildView{Version: release, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Commit = s.Value
			}
		}
		if v.Version == "" {
			v.Version = info.Main.Version
		}
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "development"
	}
	return v
}

// version returns the command that says which program this is.
func (p *program) version() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  drawbridge version --json",
		Args:    cobra.NoArgs,
		RunE: p.do(func(context.Context, []string) error {
			v := build()
			return p.show(v, func(w io.Writer) { fmt.Fprintf(w, "drawbridge %s (%s)\n", v.Version, v.Go) })
		}),
	}
}
