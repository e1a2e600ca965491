package access

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// choice is one word ("all", "none", a level's name, "*") or a list of words.
type choice struct {
	word string
	list []string
	line int
}

// UnmarshalYAML reads a word or a list of words.
func (c *choice) UnmarshalYAML(n *yaml.Node) error {
	c.line = n.Line
	switch n.Kind {
	case yaml.ScalarNode:
		c.word = n.Value
		return nil
	case yaml.SequenceNode:
		c.list = make([]string, 0, len(n.Content))
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return wrong(item, "write a word here")
			}
			c.list = append(c.list, item.Value)
		}
		return nil
	}
	return wrong(n, "write a word or a list of words")
}

// span is a duration, or "never".
type span struct {
	never bool
	time.Duration
}

// UnmarshalYAML reads a duration such as 72h, or the word never.
func (s *span) UnmarshalYAML(n *yaml.Node) error {
	if n.Value == "never" {
		s.never = true
		return nil
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil || d <= 0 {
		return wrong(n, "write a duration such as 72h, or never")
	}
	s.Duration = d
	return nil
}

// wrong returns the one error type that the decoder collects instead of stopping at it.
func wrong(n *yaml.Node, what string) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", n.Line, what)}}
}
