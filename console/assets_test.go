package console

import (
	"strings"
	"testing"
)

func TestEverySectionOfTheSheetIsClosed(t *testing.T) {
	sheet := string(assets["drawbridge.css"].body)
	depth := 0
	for n, line := range strings.Split(sheet, "\n") {
		if strings.HasPrefix(line, "/*") && depth != 0 {
			t.Fatalf("line %d of drawbridge.css begins a section inside of an open one: %s", n+1, line)
		}
		depth += strings.Count(line, "{") - strings.Count(line, "}")
	}
	if depth != 0 {
		t.Errorf("drawbridge.css ends with %d open", depth)
	}
}
