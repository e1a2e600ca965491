package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fileLayer reads the YAML file: one flat mapping of keys to values; a list is the same as its items separated by commas.
func fileLayer(path string, readFile ReadFile, wrong *Mistakes) layer {
	empty := layer{source: path}
	content, err := readFile(path)
	if err != nil {
		wrong.add("DRAWBRIDGE_CONFIG", "", "%s cannot be read: %s. Write the path of a readable YAML file.", path, reason(err))
		return empty
	}
	byKey, err := decode(content)
	if err != nil {
		for _, problem := range problems(err) {
			wrong.add(path, "", "%s. Write one setting a line, such as: listen: 127.0.0.1:8080", problem)
		}
		return empty
	}
	if _, inFile := byKey["config"]; inFile {
		wrong.add("config", path, "a settings file cannot name another one. Remove the line.")
		delete(byKey, "config")
	}
	return layerOf(path, byKey, wrong)
}

// problems returns what is wrong with a file, one entry a place.
func problems(err error) []string {
	var all *yaml.TypeError
	if errors.As(err, &all) {
		return all.Errors
	}
	return []string{strings.TrimPrefix(err.Error(), "yaml: ")}
}

func decode(content []byte) (map[string]string, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var values map[string]text
	if err := decoder.Decode(&values); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document in it")
	}
	byKey := make(map[string]string, len(values))
	for key, value := range values {
		byKey[key] = string(value)
	}
	return byKey, nil
}

// text is a value of the file as it is written, whatever YAML takes it for.
type text string

// UnmarshalYAML accepts a scalar or a list of scalars. Its errors name the line and never repeat the value, which may be a secret.
func (t *text) UnmarshalYAML(node *yaml.Node) error {
	switch node.Kind {
	case yaml.AliasNode:
		return t.UnmarshalYAML(node.Alias)
	case yaml.ScalarNode:
		if node.Tag != "!!null" {
			*t = text(node.Value)
		}
		return nil
	case yaml.SequenceNode:
		items := make([]string, len(node.Content))
		for i, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return wrongShape(item)
			}
			items[i] = item.Value
		}
		*t = text(strings.Join(items, ","))
		return nil
	}
	return wrongShape(node)
}

func wrongShape(node *yaml.Node) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: a setting is a plain value or a list of plain values", node.Line)}}
}

// variableOf returns the environment variable of a field of Settings.
func variableOf(field string) string {
	f, _ := reflect.TypeFor[Settings]().FieldByName(field)
	return f.Tag.Get("env")
}
