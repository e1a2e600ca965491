package console

import "testing"

func TestAChartOfDaysFitsItsBox(t *testing.T) {
	c := chartOf("x", []countOfDay{{"2026-01-01", 10, 0}, {"2026-01-02", 0, 0}, {"2026-01-03", 15, 5}, {"2026-01-04", 20000, 1}})
	if c.Most != 30000 || c.Half != 15000 || c.Good != 20025 || c.Bad != 6 || c.Empty() || c.Frame() != "0 0 40 100" || c.First != "2026-01-01" || c.Last != "2026-01-04" {
		t.Errorf("the chart is %+v", c)
	}
	if b := c.Bars[0]; b.GoodH != "1.5" || b.GoodY != "98.5" || b.BadH != "0" {
		t.Errorf("a day with few is drawn as %+v", b)
	}
	if b := c.Bars[1]; b.GoodH != "0" || b.BadH != "0" {
		t.Errorf("a day with nothing is drawn as %+v", b)
	}
	if b := c.Bars[3]; b.GoodH != "66.67" || b.GoodY != "33.33" || b.BadY != "31.83" {
		t.Errorf("the largest day is drawn as %+v", b)
	}
	if empty := chartOf("y", nil); !empty.Empty() || len(empty.Bars) != 0 {
		t.Errorf("no days are %+v", empty)
	}
}

func TestTheTopOfAScaleIsRound(t *testing.T) {
	for n, want := range map[int64]int64{0: 2, 1: 2, 2: 2, 3: 4, 5: 6, 7: 8, 9: 10, 11: 20, 25: 30, 41: 50, 99: 100, 101: 200, 20001: 30000} {
		if got := roundUp(n); got != want {
			t.Errorf("above %d is %d, not %d", n, got, want)
		}
	}
}

func TestThePartsOfAChartAreMeasuredByTheLargest(t *testing.T) {
	rows := sharesOf([]share{{Count: 200}, {Count: 50}, {Count: 1}, {}})
	for i, want := range []string{"100", "25", "1", "0"} {
		if rows[i].Long != want {
			t.Errorf("row %d is %s long, not %s", i, rows[i].Long, want)
		}
	}
}
