package authn_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// measuring tells the second process of a test to do the work.
const measuring = "DRAWBRIDGE_TEST_MEASURE"

func TestFiftySignInsAtOnceTakeLittleMemory(t *testing.T) {
	if os.Getenv(measuring) != "" {
		signInAtOnce(t, 50)
		fmt.Printf("peak %d KiB\n", peak(t))
		return
	}
	if raced {
		t.Skip("the race detector takes several times the memory; the ordinary run measures it")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestFiftySignInsAtOnceTakeLittleMemory$", "-test.v") // nothing but this test, so that no other one's memory counts
	cmd.Env = append(os.Environ(), measuring+"=1")
	out, err := cmd.CombinedOutput()
	found := regexp.MustCompile(`peak (\d+) KiB`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("%v\n%s", err, bytes.TrimSpace(out))
	}
	kib, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("50 sign-ins at once, %d hashes computed at a time: the whole process never took more than %d MiB", authn.MostHashes, kib>>10)
	if kib > 200<<10 {
		t.Errorf("it took %d MiB; 200 are allowed", kib>>10)
	}
}

// signInAtOnce lets as many people in at the same moment, on a service as on a machine with many processors.
func signInAtOnce(t *testing.T, n int) {
	t.Helper()
	h := build(t, storetest.SQLite(t))
	h.Hashes(authn.MostHashes)
	ada := h.person(h.acme, "ada", "editor")
	h.password(ada)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, _, err := h.CheckPassword(t.Context(), "ada", right, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// peak is the most memory that this process ever had, in KiB.
func peak(t *testing.T) int {
	t.Helper()
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		if found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status); found != nil {
			kib, err := strconv.Atoi(string(found[1]))
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	var m runtime.MemStats // elsewhere: what the runtime has from the system, which it seldom gives back
	runtime.ReadMemStats(&m)
	return int(m.Sys >> 10)
}

func TestAWrongPasswordTakesAsLongAsAStranger(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	times := map[string][]time.Duration{}
	for i := range 9 { // one after the other in turns, so that what else the machine does falls on both
		name := fmt.Sprintf("user%d", i)
		h.password(h.person(h.acme, name, "editor"))
		for _, who := range []string{name, "nobody"} {
			began := time.Now()
			_, _, err := h.CheckPassword(t.Context(), who, "wrong horse battery", "")
			wantKind(t, err, identity.Unauthenticated)
			kind := "a wrong password"
			if who == "nobody" {
				kind = "a stranger"
			}
			times[kind] = append(times[kind], time.Since(began))
		}
	}
	known, stranger := median(times["a wrong password"]), median(times["a stranger"])
	t.Logf("median of 9: a wrong password is refused in %v, a stranger in %v", known, stranger)
	if (known - stranger).Abs() > 150*time.Millisecond { // they are answered on a grid of 100 ms; one step may lie between them on a busy machine
		t.Errorf("the time tells who exists: %v and %v", known, stranger)
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func BenchmarkPassword(b *testing.B) {
	h := build(b, storetest.SQLite(b))
	h.password(h.person(h.acme, "ada", "editor"))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := h.CheckPassword(b.Context(), "ada", right, ""); err != nil {
			b.Fatal(err)
		}
	}
}
