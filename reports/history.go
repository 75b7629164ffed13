package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// HistoryText writes the quarters of each project that has some: one line of low and one of high ends for each aspect, with
// the trend in words, and how the verdict changed.
func HistoryText(projects []Project, opt Options) string {
	t := newTerminal(opt)
	for _, p := range shown(projects) {
		t.history(p)
	}
	return t.b.String()
}

// history writes the section about past quarters; nothing for a project without.
func (t *terminal) history(p Project) {
	if len(p.Quarters) > 0 {
		first, last := p.Quarters[0], p.Quarters[len(p.Quarters)-1]
		t.heading(fmt.Sprintf("%s: %d quarters from %s to %s", p.Name, len(p.Quarters), day(first.End), day(last.End)))
		t.para("  ", "Each column is the end of a quarter. The first line is what is certain at least, the second what is possible at most.")
		for _, a := range p.Aspects {
			low, high := t.sparks(p, a.Aspect)
			text := pad(aspectTitle(a.Aspect), 22) + " " + low + "  " + quarterEnds(p, a.Aspect, false) + "  " + trendText(a.Trend)
			t.columns("  ", strings.TrimRight(text, " "))
			t.columns("  ", pad("", 22)+" "+high+"  "+quarterEnds(p, a.Aspect, true))
		}
		t.para("  ", "Verdicts: "+verdictsText(p)+".")
		for _, reason := range unjudged(p) {
			t.para("  ", reason)
		}
	}
	if len(p.Quarters) > 0 && len(unjudged(p)) > 0 {
		t.years(p)
	}
}

// sparks draws the ends of one aspect, one cell for each quarter; a quarter without evidence is a space.
func (t *terminal) sparks(p Project, aspect string) (low, high string) {
	var l, h strings.Builder
	for _, q := range p.Quarters {
		a, ok := quarterAspect(q, aspect)
		if !ok || q.Failure != "" {
			l.WriteByte(' ')
			h.WriteByte(' ')
			continue
		}
		l.WriteString(t.spark(a.Low))
		h.WriteString(t.spark(a.High))
	}
	return l.String(), h.String()
}

// spark is one value as a block of eight heights.
func (t *terminal) spark(value int) string {
	blocks := []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
	return blocks[max(0, min(len(blocks)-1, value*len(blocks)/audit.Full))]
}

func quarterAspect(q Quarter, aspect string) (Aspect, bool) {
	for _, a := range q.Aspects {
		if a.Aspect == aspect {
			return a, true
		}
	}
	return Aspect{}, false
}

// quarterEnds writes the first and the last value of one end of an aspect: "41 to 55".
func quarterEnds(p Project, aspect string, high bool) string {
	var values []int
	for _, q := range p.Quarters {
		a, ok := quarterAspect(q, aspect)
		switch {
		case !ok || q.Failure != "":
		case high:
			values = append(values, a.High)
		default:
			values = append(values, a.Low)
		}
	}
	if len(values) == 0 {
		return "not known"
	}
	first, last := values[0], values[len(values)-1]
	if high { // rounded outward, as everywhere
		return fmt.Sprintf("%3d to %3d", (first+99)/100, (last+99)/100)
	}
	return fmt.Sprintf("%3d to %3d", first/100, last/100)
}

// trendText says in words how an aspect changes.
func trendText(tr *Trend) string {
	switch {
	case tr == nil:
		return "too few quarters for a trend"
	case tr.Word == "rises" || tr.Word == "falls":
		slow, fast := tr.Low, tr.High
		if slow < 0 {
			slow, fast = -slow, -fast
		}
		slow, fast = min(slow, fast)/100, max(slow, fast)/100
		if slow == fast {
			return fmt.Sprintf("%s by %s a year", tr.Word, plural(slow, "point", "points"))
		}
		return fmt.Sprintf("%s by %d to %s a year", tr.Word, slow, plural(fast, "point", "points"))
	case tr.Word == "steady":
		return "steady"
	}
	return fmt.Sprintf("unclear: %+d and %+d a year", tr.Low/100, tr.High/100)
}

// verdictsText writes the verdicts of the quarters as runs: "undetermined until 2025-03-31, then passed (on probation since
// 2026-03-31)".
func verdictsText(p Project) string {
	var parts []string
	for i := 0; i < len(p.Quarters); {
		q := p.Quarters[i]
		j := i
		for j < len(p.Quarters) && heldOf(p.Quarters[j]) == heldOf(q) && p.Quarters[j].Probation == q.Probation {
			j++
		}
		text := heldOf(q)
		if q.Probation {
			text += " on probation (" + q.Verdict + " by the quarter alone)"
		}
		switch {
		case i == 0 && j == len(p.Quarters):
			text += " throughout"
		case j < len(p.Quarters):
			text += " until " + day(p.Quarters[j-1].End)
		}
		parts = append(parts, text)
		i = j
	}
	return strings.Join(parts, ", then ")
}

// heldOf is the verdict of a quarter that counts.
func heldOf(q Quarter) string {
	switch {
	case q.Failure != "":
		return "no evidence"
	case q.Held != "":
		return q.Held
	}
	return q.Verdict
}

// unjudged says why quarters have no evidence, each reason once.
func unjudged(p Project) []string {
	var out []string
	seen := map[string]bool{}
	for _, q := range p.Quarters {
		if q.Failure != "" && !seen[q.Failure] {
			seen[q.Failure] = true
			out = append(out, "No evidence at "+day(q.End)+": "+sentence(q.Failure))
		}
	}
	return out
}

// years writes what recorded evidence alone says of the past.
func (t *terminal) years(p Project) {
	if len(p.Years) == 0 {
		return
	}
	t.heading(p.Name + ": 12 months at the end of each quarter, from recorded evidence")
	rows := []struct {
		name  string
		value func(Year) (int, bool)
	}{
		{"commits by people", func(y Year) (int, bool) { return y.HumanCommits, true }},
		{"authors", func(y Year) (int, bool) { return y.Authors, true }},
		{"newcomers", func(y Year) (int, bool) { return y.Newcomers, true }},
		{"bus factor", func(y Year) (int, bool) { return y.BusFactor50, true }},
		{"releases", func(y Year) (int, bool) {
			if y.Releases == nil {
				return 0, false
			}
			return *y.Releases, true
		}},
	}
	for _, r := range rows {
		var line strings.Builder
		most := 0
		for _, y := range p.Years {
			if v, ok := r.value(y); ok {
				most = max(most, v)
			}
		}
		var known []int
		for _, y := range p.Years {
			v, ok := r.value(y)
			if !ok {
				line.WriteByte(' ')
				continue
			}
			known = append(known, v)
			line.WriteString(t.spark(v * (audit.Full - 1) / max(1, most)))
		}
		if len(known) > 0 {
			t.columns("  ", fmt.Sprintf("%s %s  %s to %s", pad(r.name, 22), line.String(), thousands(known[0]), thousands(known[len(known)-1])))
		}
	}
	t.para("  ", "Scores of past quarters need more than was recorded: they take a clone of the repository.")
}
