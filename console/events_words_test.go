package console

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestEveryTypeOfEventHasItsWordsAndItsPlaceInTheFilter(t *testing.T) {
	for kind := range identity.EventTypes {
		if eventNames[kind] == "" {
			t.Errorf("%s is shown as it is written", kind)
		}
		if before, _, _ := strings.Cut(string(kind), "."); eventKinds[before] == "" {
			t.Errorf("%s is in no group of the filter", kind)
		}
	}
	for kind := range eventKinds {
		if len(typesOf(kind)) == 0 {
			t.Errorf("the group %s is empty", kind)
		}
	}
}
