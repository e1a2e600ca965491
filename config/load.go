package config

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// ReadFile reads a whole file: os.ReadFile, or something else in a test.
type ReadFile func(path string) ([]byte, error)

// layer is the values of one source by environment variable, with the source's name for messages.
type layer struct {
	source string
	values map[string]string
}

// Load reads the settings: defaults < YAML file < environment < overrides. Overrides are the flags that were given, by key
// ("listen", "secret_key_file"). An empty value counts as absent. The error is Mistakes with everything that is wrong.
func Load(overrides map[string]string, getenv func(string) string, readFile ReadFile) (Settings, error) {
	var wrong Mistakes
	flags := layerOf("a flag", overrides, &wrong)
	environment := environmentLayer(getenv)
	layers := []layer{defaults()}
	if path := firstNonEmpty(flags.values["DRAWBRIDGE_CONFIG"], environment.values["DRAWBRIDGE_CONFIG"]); path != "" {
		layers = append(layers, fileLayer(path, readFile, &wrong))
	}
	layers = append(layers, environment, flags)

	s := Settings{sources: map[string]string{}}
	merged := map[string]string{}
	for _, l := range layers {
		readSecrets(&l, readFile, &wrong)
		for name, value := range l.values {
			merged[name], s.sources[name] = value, l.source
		}
	}
	s.parse(merged, &wrong)
	s.check(&wrong)
	if len(wrong) > 0 {
		return Settings{}, wrong
	}
	return s, nil
}

func defaults() layer {
	values := map[string]string{}
	for _, row := range table {
		if row.Default != "" && !row.derived {
			values[row.Name] = row.Default
		}
	}
	return layer{source: "the default", values: values}
}

func environmentLayer(getenv func(string) string) layer {
	values := map[string]string{}
	for _, row := range table {
		for _, name := range row.names() {
			if value := getenv(name); value != "" {
				values[name] = value
			}
		}
	}
	return layer{source: "the environment", values: values}
}

// names returns the variable and, for a secret, the variable that names its file.
func (s Setting) names() []string {
	if s.Secret {
		return []string{s.Name, s.Name + fileSuffix}
	}
	return []string{s.Name}
}

// layerOf translates keys into the names of environment variables and reports keys that do not exist.
func layerOf(source string, byKey map[string]string, wrong *Mistakes) layer {
	values := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		name, known := nameOf(key)
		switch {
		case !known:
			wrong.add(key, source, "there is no such setting. The settings are %s.", strings.Join(keys(), ", "))
		case byKey[key] != "":
			values[name] = byKey[key]
		}
	}
	return layer{source: source, values: values}
}

func nameOf(key string) (string, bool) {
	if row, ok := rowByKey(key); ok {
		return row.Name, true
	}
	secret, isFile := strings.CutSuffix(key, keySuffix)
	row, ok := rowByKey(secret)
	return row.Name + fileSuffix, isFile && ok && row.Secret
}

func keys() []string {
	var all []string
	for _, row := range table {
		all = append(all, row.Key)
		if row.Secret {
			all = append(all, row.Key+keySuffix)
		}
	}
	return all
}

// readSecrets replaces each NAME_FILE of a layer by NAME with what the file holds, without the line ends around it.
func readSecrets(l *layer, readFile ReadFile, wrong *Mistakes) {
	for _, row := range table {
		path, named := l.values[row.Name+fileSuffix]
		if !row.Secret || !named {
			continue
		}
		delete(l.values, row.Name+fileSuffix)
		if _, both := l.values[row.Name]; both {
			wrong.add(row.Name+fileSuffix, l.source, "%s is set as well. Set only one of the two.", row.Name)
			continue
		}
		content, err := readFile(path)
		switch secret := strings.TrimSpace(string(content)); {
		case err != nil:
			wrong.add(row.Name+fileSuffix, l.source, "%s cannot be read: %s. Write the path of a readable file.", path, reason(err))
		case secret == "":
			wrong.add(row.Name+fileSuffix, l.source, "%s is empty. Write %s into it.", path, row.Want)
		default:
			l.values[row.Name] = secret
		}
	}
}

// parse gives the values their types.
func (s *Settings) parse(merged map[string]string, wrong *Mistakes) {
	err := env.ParseWithOptions(s, env.Options{Environment: merged})
	var all env.AggregateError
	if !errors.As(err, &all) {
		return
	}
	for _, one := range all.Errors {
		var field env.ParseError
		if !errors.As(one, &field) {
			wrong.add("settings", "", "%v", one)
			continue
		}
		name := variableOf(field.Name)
		row, _ := rowByName(name)
		if row.Secret {
			s.reject(wrong, name, "%v", field.Err) // our own parser's words, which never repeat the value
			continue
		}
		s.reject(wrong, name, "%q is not understood", merged[name])
	}
}

// reason returns what a failed read is about, without the path that the message has already.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
