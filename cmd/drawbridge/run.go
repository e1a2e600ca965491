package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

// program is one run of the command line: what it was given and what its global flags say.
type program struct {
	getenv  func(string) string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	flags   globalFlags
	json    bool
	started bool // a command's own code was reached: what fails from here on is no mistake of usage
}

// run is the program: it reads args as the shell gave them (without the program's name), and returns when the command is done or ctx ends.
// An error was already written to stderr, as words or with --json as an object; status turns it into the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	p := &program{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	root := p.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !p.started {
		err = &usageError{command: cmd.CommandPath(), err: err}
	}
	if err != nil {
		p.complain(err)
	}
	return err
}

// root returns the tree of commands.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "drawbridge",
		Short: "People are pushed to it and come in through it; applications ask it who somebody is",
		Long: `Drawbridge takes people from Okta, Entra and other SCIM sources, signs them in by SAML and OpenID Connect,
lets somebody unknown land in "SSO Landing" as a Viewer, and lets an administrator place them.

Settings come from defaults, then the YAML file of --config, then DRAWBRIDGE_... variables, then flags.
"drawbridge config" shows what is in force.`,
		Example: `  drawbridge demo                                     see it work; nothing to configure, nothing is kept
  drawbridge user create --email you@example.com --role superadmin --password-file -
  drawbridge serve                                    the real thing, on http://127.0.0.1:8080`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	p.flags.register(root)
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON for programs")
	p.group(root)
	root.AddCommand(
		p.demo(),
		p.serve(),
		p.migrate(),
		p.config(),
		p.user(),
		p.unit(),
		p.userType(),
		p.role(),
		p.access(),
		p.record(),
		p.holding(),
		p.offboarding(),
		p.tenant(),
		p.domain(),
		p.directory(),
		p.connection(),
		p.model(),
		p.apiKey(),
		p.events(),
		p.requests(),
		p.replay(),
		p.drift(),
		p.signins(),
		p.signin(),
		p.review(),
		p.mails(),
		p.mailTemplate(),
		p.invite(),
		p.invitation(),
		p.healthcheck(),
		p.version(),
		p.importPeople(),
		p.syncFolder(),
		p.plans(),
		p.sources(),
		p.exportCommand(),
	)
	return root
}

// group makes a command that only has subcommands: alone it shows its help, with a word that is none of them it says so.
func (p *program) group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return unknownCommand(cmd, args[0])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// action is the body of a command.
type action func(ctx context.Context, args []string) error

// do joins a body to cobra and remembers that it was reached.
func (p *program) do(body action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		p.started = true
		return body(cmd.Context(), args)
	}
}
