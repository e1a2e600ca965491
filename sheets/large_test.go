package sheets_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/sheets"
)

// manyRows is a CSV file of rows that nobody stores: each has as many bytes.
type manyRows struct{ rows int64 }

const aRow = "person%07d@acme.test,Given,Family,%07d,\"a title, with a comma\"\n"

func (m manyRows) row(i int64) string { return fmt.Sprintf(aRow, i, i) }

func (m manyRows) size() int64 { return m.rows * int64(len(m.row(0))) }

func (m manyRows) ReadAt(p []byte, off int64) (int, error) {
	width := int64(len(m.row(0)))
	n := 0
	for n < len(p) && off < m.size() {
		i := off / width
		k := copy(p[n:], m.row(i)[off-i*width:])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestAMillionRowsAreReadInConstantMemory(t *testing.T) {
	m := manyRows{rows: 1_000_001} // one is the heading
	if testing.Short() {
		m.rows = 100_001
	}
	began := time.Now()
	r, err := sheets.Open(m, m.size(), sheets.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rows, most := 0, uint64(0)
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if rows++; rows%100_000 == 0 {
			runtime.GC()
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			most = max(most, s.HeapAlloc)
		}
	}
	t.Run("FSM-47 a million people come as one file", func(t *testing.T) {
		if rows != int(m.rows)-1 || most > 16<<20 {
			t.Errorf("%d rows, %d bytes in use", rows, most)
		}
		t.Logf("%d rows of %d MiB in %v, %d KiB in use", rows, m.size()>>20, time.Since(began), most>>10)
	})
}
