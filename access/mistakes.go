package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"go.yaml.in/yaml/v3"
)

// Mistake is something that is wrong in a model's file.
type Mistake struct {
	Line int // 0: of the file as a whole
	Text string
}

// Mistakes is everything that is wrong in a model's file, by line. It is the cause of the error that Load and Parse return.
type Mistakes []Mistake

// Error writes one mistake a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, x := range m {
		lines[i] = x.Text
		if x.Line > 0 {
			lines[i] = fmt.Sprintf("line %d: %s", x.Line, x.Text)
		}
	}
	return strings.Join(lines, "\n")
}

func (m Mistakes) count() string {
	if len(m) == 1 {
		return "one mistake"
	}
	return fmt.Sprintf("%d mistakes", len(m))
}

// mistakes collects what is wrong, so that all of it can be said at once.
type mistakes struct {
	root *yaml.Node // of the file, to find lines in
	list Mistakes
}

// add says what is wrong somewhere: a path such as "role reader: title".
func (m *mistakes) add(at, format string, args ...any) {
	m.list = append(m.list, Mistake{Line: line(m.root, at), Text: fmt.Sprintf(format, args...)})
}

// said adds what the decoder says; it knows the line.
func (m *mistakes) said(text string) {
	x := Mistake{Text: text}
	if found := numbered.FindStringSubmatch(text); found != nil {
		x.Line, _ = strconv.Atoi(found[1]) // digits
		x.Text = found[2]
	}
	m.list = append(m.list, x)
}

var numbered = regexp.MustCompile(`(?s)^line (\d+): (.*)$`)

// line returns where a path stands in the file: the line of the deepest part that is there.
func line(root *yaml.Node, path string) int {
	if root == nil {
		return 0
	}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	at, found := root, root.Line
	for _, step := range strings.Split(path, ": ") {
		words := []string{step}
		if child(at, step) == nil {
			words = strings.SplitN(step, " ", 2)
		}
		for _, word := range words {
			next := child(at, word)
			if next == nil {
				return found
			}
			at, found = next, next.Line
		}
	}
	return found
}

// child returns the value of a key, or the item of a list that has the name.
func child(n *yaml.Node, name string) *yaml.Node {
	if name == "role" {
		name = "roles"
	}
	var items *yaml.Node
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			switch n.Content[i].Value {
			case name:
				value := *n.Content[i+1]
				value.Line = n.Content[i].Line
				return &value
			case "items":
				items = n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		items = n
	}
	if items == nil {
		return nil
	}
	for _, item := range slices.Backward(items.Content) { // of two with one name the second is the mistake
		if item.Value == name || named(item, name) {
			return item
		}
	}
	return nil
}

func named(item *yaml.Node, name string) bool {
	if item.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(item.Content); i += 2 {
		if key := item.Content[i].Value; (key == "id" || key == "kind" || key == "type") && item.Content[i+1].Value == name {
			return true
		}
	}
	return false
}

// plain turns the decoder's messages, which speak of Go types, into words about the file.
var plain = []struct {
	find *regexp.Regexp
	say  string
}{
	{regexp.MustCompile(`field (\S+) not found in type \S+`), "unknown key $1"},
	{regexp.MustCompile(`field (\S+) already set in type \S+`), "the key $1 stands twice"},
	{regexp.MustCompile("cannot unmarshal !!\\w+ (`[^`]*`) into bool"), "$1 is not true or false"},
	{regexp.MustCompile("cannot unmarshal !!\\w+ (`[^`]*`) into int"), "$1 is no whole number"},
	{regexp.MustCompile("cannot unmarshal !!\\w+ (`[^`]*`) into time.Duration"), "$1 is no duration such as 72h"},
	{regexp.MustCompile("cannot unmarshal !!(\\w+)( `[^`]*`)? into \\S+"), "a $1$2 cannot stand here"},
}

// decode reads exactly one document; unknown and repeated keys are mistakes. What could be read is returned with the mistakes.
func decode(data []byte) (document, *mistakes) {
	var d document
	bad := &mistakes{root: new(yaml.Node)}
	if yaml.Unmarshal(data, bad.root) != nil {
		bad.root = nil // the decoder below says why
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(&d)
	var types *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		bad.said("the file is empty")
	case errors.As(err, &types):
		for _, text := range types.Errors {
			for _, p := range plain {
				text = p.find.ReplaceAllString(text, p.say)
			}
			bad.said(text)
		}
	case err != nil:
		bad.said(strings.TrimPrefix(err.Error(), "yaml: "))
		return d, bad
	}
	if err := dec.Decode(new(yaml.Node)); err == nil {
		bad.said("the file has a second document; one file is one model")
	}
	return d, bad
}

// parse reads a file, or lists every mistake of it.
func parse(name string, data []byte) (document, error) {
	d, bad := decode(data)
	if d.APIVersion != "" || len(bad.list) == 0 {
		d.check(bad)
	}
	if len(bad.list) == 0 {
		return d, nil
	}
	list := bad.list
	slices.SortStableFunc(list, func(a, b Mistake) int { return a.Line - b.Line })
	return d, identity.Errorf(identity.Invalid, "The access model %q has %s:\n%s", name, list.count(), list).WithCause(list)
}

// Parse makes a model of a file's text, or lists every mistake of it as Load does; name is for the message.
func Parse(name string, data []byte) (*Model, error) {
	d, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	m.now.Store(compile(data, d, 0, nil))
	return m, nil
}
