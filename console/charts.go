package console

import (
	"math"
	"strconv"
)

// A chart of days is drawn in a box of 100 units height and 10 units a day, and stretched to its place by the browser; its words stand around it.
const (
	chartHeight = 100.0
	chartDay    = 10.0
	chartBar    = 7.0
)

// dayChart is what happened on some days, as bars of two parts: what went well below, what did not on top of it.
type dayChart struct {
	ID    string // on the page
	Bars  []dayBar
	Width float64
	Most  int64 // the top of the scale
	Half  int64
	Good  int64 // of all days
	Bad   int64
	First string
	Last  string
}

// Empty reports whether nothing happened.
func (c dayChart) Empty() bool { return c.Good+c.Bad == 0 }

// Frame is the box of the drawing.
func (c dayChart) Frame() string { return "0 0 " + decimal(c.Width) + " " + decimal(chartHeight) }

// dayBar is one day, with where its parts are drawn.
type dayBar struct {
	Day       string // 2006-01-02
	Good, Bad int64
	Left      string // of the whole day, which answers to the pointer
	X         string // of the bar
	GoodY     string
	GoodH     string
	BadY      string
	BadH      string
}

// DayWide and BarWide are how wide a day and its bar are.
func (dayBar) DayWide() string { return decimal(chartDay) }

// BarWide is how wide a bar is.
func (dayBar) BarWide() string { return decimal(chartBar) }

// Height is how high a day is.
func (dayBar) Height() string { return decimal(chartHeight) }

// countOfDay is a day as a chart takes it.
type countOfDay struct {
	Day       string
	Good, Bad int64
}

// chartOf draws days.
func chartOf(id string, days []countOfDay) dayChart {
	c := dayChart{ID: id, Width: chartDay * float64(len(days)), Most: 1}
	if len(days) == 0 {
		return c
	}
	c.First, c.Last = days[0].Day, days[len(days)-1].Day
	var top int64
	for _, d := range days {
		c.Good, c.Bad, top = c.Good+d.Good, c.Bad+d.Bad, max(top, d.Good+d.Bad)
	}
	c.Most = roundUp(top)
	c.Half = c.Most / 2
	for i, d := range days {
		left := chartDay * float64(i)
		good, bad := barHeight(d.Good, c.Most), barHeight(d.Bad, c.Most)
		c.Bars = append(c.Bars, dayBar{
			Day: d.Day, Good: d.Good, Bad: d.Bad, Left: decimal(left), X: decimal(left + (chartDay-chartBar)/2),
			GoodY: decimal(chartHeight - good), GoodH: decimal(good), BadY: decimal(chartHeight - good - bad), BadH: decimal(bad),
		})
	}
	return c
}

// barHeight is how high a number is drawn: what is not nothing can be seen.
func barHeight(n, most int64) float64 {
	if n == 0 {
		return 0
	}
	return math.Max(1.5, math.Min(chartHeight, chartHeight*float64(n)/float64(most)))
}

// roundUp returns the next round number above, such as 2, 4, 10, 30, 50 or 800, of which the half is a whole number too.
func roundUp(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, step := range []int64{2, 3, 4, 5, 6, 8, 10} {
			if n <= unit*step && unit*step%2 == 0 {
				return unit * step
			}
		}
	}
}

// decimal writes a length for a drawing.
func decimal(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }

// share is one row of a chart of parts: a name, a number, and how long its bar is, of 100.
type share struct {
	Name, Key string
	URL       string
	Count     int64
	Long      string
}

// sharesOf measures rows by the largest.
func sharesOf(rows []share) []share {
	var top int64 = 1
	for _, r := range rows {
		top = max(top, r.Count)
	}
	for i := range rows {
		rows[i].Long = decimal(100 * float64(rows[i].Count) / float64(top))
		if rows[i].Count > 0 && rows[i].Count*100 < top {
			rows[i].Long = "1"
		}
	}
	return rows
}
