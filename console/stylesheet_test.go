package console

import (
	"os"
	"strings"
	"testing"
)

func TestEverySectionOfTheStyleSheetStandsOnItsOwn(t *testing.T) {
	sheet, err := os.ReadFile("assets/drawbridge.css")
	if err != nil {
		t.Fatal(err)
	}
	depth := 0
	for i, line := range strings.Split(string(sheet), "\n") {
		if strings.HasPrefix(line, "/*") && depth != 0 {
			t.Errorf("line %d begins a section while %d rules are open, so that it holds nowhere or only on narrow screens: %s", i+1, depth, line)
			depth = 0
		}
		depth += strings.Count(line, "{") - strings.Count(line, "}")
	}
	if depth != 0 {
		t.Errorf("the sheet ends with %d rules open", depth)
	}
}
