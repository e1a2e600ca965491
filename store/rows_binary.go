package store

import (
	"encoding/binary"
	"encoding/hex"
)

// binaryArrays are the kinds of columns whose arrays PostgreSQL gets in its own format, with the number of the element's type (pg_type.oid, which never changes): neither
// side then writes or reads quotation marks and digits.
var binaryArrays = map[string]uint32{"text": 25, "json": 25, "jsonb": 25, "uuid": 2950, "bytea": 17}

// arrayOf is a column of rows of n values as an argument.
func arrayOf(kind string, args []any, column, n int) any {
	if element := binaryArrays[kind]; element != 0 {
		if b, ok := binaryArray(element, args, column, n); ok {
			return b
		}
	}
	return array(args, column, n)
}

// binaryArray is the array in PostgreSQL's format (array_send); false where a value is none of a kind that is known here.
func binaryArray(element uint32, args []any, column, n int) ([]byte, bool) {
	size, rows, nulls := 20, 0, uint32(0)
	for at := column; at < len(args); at += n {
		rows++
		switch v := args[at].(type) {
		case nil:
			nulls = 1
		case string:
			size += len(v)
		case []byte:
			size += len(v)
		default:
			return nil, false
		}
	}
	b := arrayHead(size+4*rows, element, nulls, rows)
	for at := column; at < len(args); at += n {
		var ok bool
		switch v := args[at].(type) {
		case nil:
			b = binary.BigEndian.AppendUint32(b, 0xffffffff)
		case string:
			if b, ok = appendBinary(b, element, v); !ok {
				return nil, false
			}
		case []byte:
			if element != binaryArrays["bytea"] {
				return nil, false
			}
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
		}
	}
	return b, true
}

// arrayHead begins an array with one dimension, that counts from 1.
func arrayHead(size int, element, nulls uint32, rows int) []byte {
	b := make([]byte, 0, size)
	for _, v := range []uint32{1, nulls, element, uint32(rows), 1} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// appendBinary appends a text, or the 16 bytes of a UUID.
func appendBinary(b []byte, element uint32, s string) ([]byte, bool) {
	switch element {
	case binaryArrays["text"]:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...), true
	case binaryArrays["uuid"]:
		if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return nil, false
		}
		var digits [32]byte
		copy(digits[:8], s)
		copy(digits[8:], s[9:13])
		copy(digits[12:], s[14:18])
		copy(digits[16:], s[19:23])
		copy(digits[20:], s[24:])
		b, err := hex.AppendDecode(binary.BigEndian.AppendUint32(b, 16), digits[:])
		return b, err == nil
	}
	return nil, false
}

// textArray is an array of texts as an argument.
func textArray[T ~string](list []T) any {
	if len(list) == 0 {
		return "{}"
	}
	size := 20 + 4*len(list)
	for _, s := range list {
		size += len(s)
	}
	b := arrayHead(size, binaryArrays["text"], 0, len(list))
	for _, s := range list {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	return b
}
