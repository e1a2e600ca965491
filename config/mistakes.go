package config

import (
	"fmt"
	"strings"
)

// Mistake is one setting that is wrong.
type Mistake struct {
	Setting string // the environment variable's name, or a file's path when the file itself is wrong
	Source  string // where the value came from: "the environment", "a flag", a file's path
	Problem string // what is wrong and what to do; never a secret
}

// Mistakes is the error of Load: everything that is wrong, so that it can be mended in one go.
type Mistakes []Mistake

// Error lists the mistakes, one a line.
func (m Mistakes) Error() string {
	var b strings.Builder
	if len(m) == 1 {
		b.WriteString("One setting is wrong:")
	} else {
		fmt.Fprintf(&b, "%d settings are wrong:", len(m))
	}
	for _, one := range m {
		b.WriteString("\n  " + one.Setting)
		if one.Source != "" {
			b.WriteString(" (" + one.Source + ")")
		}
		b.WriteString(": " + one.Problem)
	}
	return b.String()
}

func (m *Mistakes) add(setting, source, format string, args ...any) {
	*m = append(*m, Mistake{Setting: setting, Source: source, Problem: fmt.Sprintf(format, args...)})
}
