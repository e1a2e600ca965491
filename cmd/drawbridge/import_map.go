package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// mapFile is a file that says how another one is to be read.
type mapFile struct {
	Mapping    identity.Mapping     `json:"mapping"`
	Transforms []identity.Transform `json:"transforms"`
	Form       identity.FileForm    `json:"form"`
}

// readMap reads what --map says: HEADING=FIELD, or a file.
func (p *program) readMap(word string, o *identity.PlanOptions) error {
	if _, err := os.Stat(word); err != nil && strings.Contains(word, "=") {
		return readPair(word, o)
	}
	raw, err := p.readAtMost("--map", word, maxInput)
	if err != nil {
		return err
	}
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff")))
	if bytes.HasPrefix(raw, []byte("{")) {
		return readMapJSON(word, raw, o)
	}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := readPair(line, o); err != nil {
			return err
		}
	}
	return nil
}

// readPair reads HEADING=FIELD. A heading may have the sign itself, a field has none.
func readPair(pair string, o *identity.PlanOptions) error {
	at := strings.LastIndexByte(pair, '=')
	if at < 1 {
		return usage("import", "--map is %q; write HEADING=FIELD, or name a file", pair)
	}
	o.Mapping[strings.TrimSpace(pair[:at])] = strings.TrimSpace(pair[at+1:])
	return nil
}

// readMapJSON reads a mapping alone, {"Heading": "field"}, or one with transforms.
func readMapJSON(name string, raw []byte, o *identity.PlanOptions) error {
	plain := identity.Mapping{}
	if json.Unmarshal(raw, &plain) == nil {
		for heading, field := range plain {
			o.Mapping[heading] = field
		}
		return nil
	}
	var m mapFile
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return identity.Errorf(identity.Invalid, `--map: %s: %v. Write {"mapping": {"HEADING": "FIELD"}, "transforms": [{"field": "FIELD", "kind": "trim"}]}.`, name, err)
	}
	for heading, field := range m.Mapping {
		o.Mapping[heading] = field
	}
	if m.Transforms != nil {
		o.Transforms = m.Transforms
	}
	if o.Form == (identity.FileForm{}) {
		o.Form = m.Form
	}
	return nil
}
