package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Measures of the ladder drawing, in units of its viewBox (360 wide, so that text stays legible on a narrow screen).
const (
	rungHeight = 48
	rungGap    = 10
	ladderTop  = 8
	ticks      = 5 // between two levels, as on a water gauge
)

// ladderView is the ladder of one layer as a drawing and as a table: a water gauge, filled up to the highest level that
// is reached. All coordinates are worked out here; the template only writes them.
type ladderView struct {
	ID, Layer, Description string
	Height, Staff          int
	Water, WaterY          int
	Ticks                  []tick
	Steps                  []rungView
}

type tick struct{ Y, Width int }

type rungView struct {
	Level        int
	Title, Short string
	Reason       string
	Sign         sign
	Y            int
	NameY, WordY int
	Shape, Glyph string // paths of the mark: the shape says the state as well as the colour
}

func ladderViews(r Report) []ladderView {
	var out []ladderView
	for i, rungs := range layers(r) {
		out = append(out, ladderOf(fmt.Sprintf("ladder%d", i), rungs))
	}
	return out
}

func ladderOf(id string, rungs []Rung) ladderView {
	bottom := ladderTop + len(rungs)*(rungHeight+rungGap) - rungGap
	v := ladderView{ID: id, Layer: layerTitle(rungs[0].Layer), Height: bottom + ladderTop, Staff: bottom - ladderTop}
	var words []string
	top := bottom
	for i, rung := range rungs {
		y := ladderTop + i*(rungHeight+rungGap)
		s := rungSign(rung.State)
		step := rungView{Level: rung.Level, Title: rung.Title, Short: cut(rung.Title, 24), Reason: rung.Reason, Sign: s, Y: y, NameY: y + 20, WordY: y + 38}
		step.Shape, step.Glyph = markPaths(s.Tone, 71, y+rungHeight/2)
		v.Steps = append(v.Steps, step)
		words = append(words, fmt.Sprintf("Level %d, %s: %s", rung.Level, rung.Title, s.Word))
		if rung.State == "reached" {
			top = min(top, y)
		}
	}
	for y, n := bottom, 0; y > ladderTop; y, n = y-(rungHeight+rungGap)/ticks, n+1 {
		width := 8
		if n%ticks == 0 {
			width = 14
		}
		v.Ticks = append(v.Ticks, tick{y, width})
	}
	v.Water, v.WaterY = bottom-top, top
	v.Description = strings.Join(words, "; ") + "."
	return v
}

// markPaths draws a sign: a ring with a check, a square with a cross, a diamond with a question mark, a dashed ring with a bar.
func markPaths(t tone, x, y int) (shape, glyph string) {
	ring := fmt.Sprintf("M%d %da12 12 0 1 0 24 0a12 12 0 1 0 -24 0z", x-12, y)
	switch t {
	case good:
		return ring, fmt.Sprintf("M%d %dl4 4l7 -8", x-5, y+1)
	case bad:
		return fmt.Sprintf("M%d %dh22v22h-22z", x-11, y-11), fmt.Sprintf("M%d %dl10 10m0 -10l-10 10", x-5, y-5)
	case unsure:
		return fmt.Sprintf("M%d %dl14 14l-14 14l-14 -14z", x, y-14), fmt.Sprintf("M%d %dc0 -5 7 -5 7 0c0 3 -4 2 -4 5m0 4v.1", x-3, y-3)
	}
	return ring, fmt.Sprintf("M%d %dh10", x-5, y)
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// barView is an interval as a bar of 100 units with its text.
type barView struct {
	Title     string
	X, Width  int
	Known     bool
	Text      string
	Coverage  string
	KnockOuts string
}

func barOf(p Project, a Aspect) barView {
	b := barView{Title: aspectTitle(a.Aspect), Text: points(a.Low, a.High), Coverage: percent(a.Coverage, audit.Full), KnockOuts: list(titled(p, a.KnockOuts))}
	from, to := max(0, min(audit.Full, a.Low))/100, (max(0, min(audit.Full, a.High))+99)/100
	b.Known = from > 0 || to < 100
	b.X, b.Width = from, to-from
	if b.Width < 2 { // an exact score is still seen
		b.X, b.Width = min(b.X, 98), 2
	}
	if len(a.KnockOuts) > 0 {
		b.Text += " ✗ knocked out"
	}
	return b
}
