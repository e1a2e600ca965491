package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// print is what a lineSet knows a key by: so many bits that no two keys of a table have the same.
type print struct {
	a uint64
	b uint32
}

// printOf is the print of a text.
func printOf(parts ...string) print {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return print{binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint32(sum[8:])}
}

// printOfID is the print of an id: its random half, and what of its time changes.
func printOfID[T ~string](id T) print {
	var b [16]byte
	if n, err := hex.Decode(b[:], []byte(strings.ReplaceAll(string(id), "-", ""))); err != nil || n != len(b) {
		return printOf(string(id))
	}
	return print{binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[4:])}
}

// lineSet remembers lines by keys, in about 20 bytes each. The zero value is ready.
type lineSet struct{ shards [256][]lineSlot }

// lineSlot is 16 bytes; a line of 0 is an empty one. The number of those that are taken stands in the last slot of a shard.
type lineSlot struct {
	print
	line int32
}

// get returns the line of a key, or 0.
func (s *lineSet) get(key print) int {
	shard := s.shards[byte(key.a>>56)]
	if len(shard) == 0 {
		return 0
	}
	return int(shard[slotOf(shard, key)].line)
}

// put notes a line, which is not 0, for a key.
func (s *lineSet) put(key print, line int) {
	shard := &s.shards[byte(key.a>>56)]
	if n := len(*shard); n == 0 || int((*shard)[n-1].line) >= (n-1)*7/8 {
		*shard = grown(*shard)
	}
	slot := &(*shard)[slotOf(*shard, key)]
	if slot.line == 0 {
		(*shard)[len(*shard)-1].line++
	}
	*slot = lineSlot{key, int32(line)}
}

// slotOf returns where a key is in a shard, or the empty slot where it would be.
func slotOf(shard []lineSlot, key print) int {
	n := len(shard) - 1
	for at := int(key.a % uint64(n)); ; at = (at + 1) % n {
		if shard[at].line == 0 || shard[at].print == key {
			return at
		}
	}
}

// grown returns a shard with room for more: not twice as much, since what is empty is memory too.
func grown(old []lineSlot) []lineSlot {
	shard := make([]lineSlot, len(old)*4/3+8)
	if len(old) == 0 {
		return shard
	}
	for _, slot := range old[:len(old)-1] {
		if slot.line != 0 {
			shard[slotOf(shard, slot.print)] = slot
		}
	}
	shard[len(shard)-1].line = old[len(old)-1].line
	return shard
}

// keyFilter tells keys that may have come before from those that did not (B. H. Bloom, 1970). It has the same size for every file.
type keyFilter struct{ bits []uint64 }

const filterBits = 1 << 26

// add notes a key, and reports whether it may have been noted before.
func (f *keyFilter) add(key print) bool {
	if f.bits == nil {
		f.bits = make([]uint64, filterBits/64)
	}
	seen := true
	step := uint64(key.b)<<1 | 1
	for i := range uint64(4) {
		at := (key.a + i*step) % filterBits
		mask := uint64(1) << (at % 64)
		seen = seen && f.bits[at/64]&mask != 0
		f.bits[at/64] |= mask
	}
	return seen
}

// largeTable is from how many bytes on a file is read twice: first for the keys that more than one row may have, so that only those are remembered.
const (
	largeTable  = 32 << 20
	largeZipped = 8 << 20
)

// repeats returns the keys that more than one row of a large file may have; nil for a small one, of which all keys are remembered.
func repeats(ctx context.Context, file Upload, shape *shaper) (*lineSet, error) {
	if file.Size < largeZipped {
		return nil, nil
	}
	table, err := sheets.Open(file.Content, file.Size, sheets.DefaultLimits())
	if err != nil {
		return nil, err
	}
	defer table.Close()
	if file.Size < largeTable && strings.HasPrefix(table.Form, "CSV") {
		return nil, nil
	}
	next := rowsOf(table, shape)
	var filter keyFilter
	found := &lineSet{}
	for {
		row, err := next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		for _, field := range matchFields {
			if key := row.key(field); key != "" && filter.add(printOf(field, key)) {
				found.put(printOf(field, key), 1)
			}
		}
	}
}

// repeated refuses a row that has a key of an earlier one.
func (m *matcher) repeated(r importRow) *identity.Error {
	var refused *identity.Error
	for _, field := range matchFields {
		key := r.key(field)
		if key == "" || m.repeats != nil && m.repeats.get(printOf(field, key)) == 0 {
			continue
		}
		at := printOf(field, string(r.tenant), key)
		if line := m.lines.get(at); line == 0 {
			m.lines.put(at, r.line)
		} else if refused == nil {
			refused = identity.Errorf(identity.Conflict, "The same %s is in line %d. Leave one of the two out.", field, line).WithField(field).WithCode("repeated")
		}
	}
	return refused
}

// claim notes that a row is about somebody; two rows about one person are refused.
func (m *matcher) claim(id identity.UserID, line int) *identity.Error {
	key := printOfID(id)
	if first := m.people.get(key); first > 0 && first != line {
		return identity.Errorf(identity.Conflict, "Line %d is about the same person. Leave one of the two out.", first).WithCode("repeated")
	}
	m.people.put(key, line)
	return nil
}

// mayMean notes that a row may be about somebody, who is then not missing from the file.
func (m *matcher) mayMean(id identity.UserID, line int) {
	if key := printOfID(id); m.people.get(key) == 0 {
		m.people.put(key, -line)
	}
}

// met reports whether a row is about somebody, or may be.
func (m *matcher) met(id identity.UserID) bool { return m.people.get(printOfID(id)) != 0 }
