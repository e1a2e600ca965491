package access

import (
	"embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// MaxSize is the largest file that Load reads, in bytes.
const MaxSize = 1 << 20

//go:embed presets/*.yaml
var presets embed.FS

// Presets returns the names of the built-in models, sorted.
func Presets() []string {
	files, _ := fs.Glob(presets, "presets/*.yaml") // fails only on a malformed pattern
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Load reads a preset by its name, or else a file by its path. The error is Invalid and lists every mistake of the file, one a line;
// TooLarge when the file has more than MaxSize bytes; NotFound when the name is neither a preset nor a file.
func Load(nameOrFile string) (*Model, error) {
	if slices.Contains(Presets(), nameOrFile) {
		data, err := presets.ReadFile("presets/" + nameOrFile + ".yaml")
		if err != nil {
			return nil, &identity.Error{Message: "A built-in access model cannot be read.", Cause: err}
		}
		return Parse(nameOrFile, data)
	}
	data, err := readFile(nameOrFile)
	if err != nil {
		return nil, err
	}
	return Parse(nameOrFile, data)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, identity.Errorf(identity.NotFound, "There is no access model %q: it is not a file, and the presets are %s.", name, strings.Join(Presets(), ", ")).WithCause(err)
	}
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "The access model %q cannot be opened.", name).WithCause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "The access model %q cannot be read.", name).WithCause(err)
	}
	if len(data) > MaxSize {
		return nil, identity.Errorf(identity.TooLarge, "The access model %q has more than %d bytes.", name, MaxSize)
	}
	return data, nil
}
