package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Measures of the drawings of a site, in units of their viewBox.
const (
	historyWidth  = 240
	historyHeight = 60
	maxQuarters   = 40 // ten years; older ones are left out
)

// siteHistory are the scores of past quarter ends: a band from the low to the high end for each aspect, and a table.
type siteHistory struct {
	Aspects []siteBand
	Columns []string
	Rows    []siteQuarter
}

type siteBand struct {
	ID, Title, Description, Band string
	Width, Height                int
}

type siteQuarter struct {
	End   string
	Sign  sign
	Known bool // the verdict of that quarter is known
	Cells []string
}

func historyOf(p Project) *siteHistory {
	quarters := p.Quarters
	if len(quarters) == 0 {
		return nil
	}
	quarters = quarters[max(0, len(quarters)-maxQuarters):]
	h := &siteHistory{}
	for n, id := range aspectsOfQuarters(quarters) {
		h.Columns = append(h.Columns, aspectTitle(id))
		h.Aspects = append(h.Aspects, bandOf(fmt.Sprintf("h%d", n+1), id, quarters))
	}
	for i := len(quarters) - 1; i >= 0; i-- {
		q := quarters[i]
		row := siteQuarter{End: day(q.End), Sign: projectSign(q.Verdict), Known: q.Verdict != ""}
		for _, id := range aspectsOfQuarters(quarters) {
			a := aspectIn(q, id)
			row.Cells = append(row.Cells, points(a.Low, a.High))
		}
		h.Rows = append(h.Rows, row)
	}
	return h
}

// aspectIn returns an aspect of a quarter; what it does not tell is not known.
func aspectIn(q Quarter, id string) Aspect {
	for _, a := range q.Aspects {
		if a.Aspect == id {
			return a
		}
	}
	return Aspect{Aspect: id, High: audit.Full}
}

// bandOf draws the interval of one aspect over the quarters as a closed line: along the high ends, back along the low ones.
func bandOf(id, aspect string, quarters []Quarter) siteBand {
	v := siteBand{ID: id, Title: aspectTitle(aspect), Width: historyWidth, Height: historyHeight}
	x := func(i int) int {
		if len(quarters) == 1 {
			return historyWidth / 2
		}
		return i * historyWidth / (len(quarters) - 1)
	}
	y := func(bp int) int { return historyHeight - max(0, min(audit.Full, bp))*historyHeight/audit.Full }
	var there, back []string
	for i, q := range quarters {
		a := aspectIn(q, aspect)
		there = append(there, fmt.Sprintf("%d %d", x(i), max(0, y(a.High)-1)))
		back = append([]string{fmt.Sprintf("%d %d", x(i), min(historyHeight, y(a.Low)+1))}, back...)
	}
	v.Band = "M" + strings.Join(append(there, back...), "L") + "Z"
	first, last := aspectIn(quarters[0], aspect), aspectIn(quarters[len(quarters)-1], aspect)
	v.Description = fmt.Sprintf("%s: %s on %s, %s on %s", v.Title, points(first.Low, first.High), day(quarters[0].End),
		points(last.Low, last.High), day(quarters[len(quarters)-1].End))
	return v
}

// siteLockIn is the lock-in matrix: a box from the low to the high end of both axes in a field of 100 x 100.
type siteLockIn struct {
	Sign                    sign
	X, Y, Width, Height     int
	Probability, Effect     string
	ProbabilityOf, EffectOf sign
	ProbabilityKnown        string
	EffectKnown             string
}

func lockInOf(l *LockIn) *siteLockIn {
	if l == nil {
		return nil
	}
	from := func(bp int) int { return max(0, min(audit.Full, bp)) / 100 }
	v := &siteLockIn{
		Sign: classSign(l.Risk), ProbabilityOf: classSign(l.Probability.Class), EffectOf: classSign(l.Effect.Class),
		Probability: points(l.Probability.Low, l.Probability.High), Effect: points(l.Effect.Low, l.Effect.High),
		ProbabilityKnown: percent(l.Probability.Coverage, audit.Full), EffectKnown: percent(l.Effect.Coverage, audit.Full),
	}
	v.X, v.Width = from(l.Effect.Low), max(2, from(l.Effect.High)-from(l.Effect.Low))
	v.Y, v.Height = 100-from(l.Probability.High), max(2, from(l.Probability.High)-from(l.Probability.Low))
	v.X, v.Y = min(98, v.X), min(98, v.Y)
	return v
}
