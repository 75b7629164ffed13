package reports

import (
	"cmp"
	"fmt"

	"github.com/pegel-audit/pegel/audit"
)

// comparison holds two projects against each other.
type comparison struct {
	A, B    Project
	Aspects []versus
	Certain []versus // indicators of which one is certainly better
	Open    []versus // indicators that differ and cannot be told apart: their intervals overlap
	Same    int      // indicators with equal answers
	Apart   string   // warns of the days they were judged on; "": these are near to each other
}

// versus is one aspect or indicator of both.
type versus struct {
	Title, ID    string
	A, B         string // score, or reason of the answer
	SignA, SignB sign   // of indicators
	Word         string // who is certainly better, or that nobody can tell
}

// comparedTo says what two intervals allow to say. Intervals that touch or overlap allow nothing, unless both are the same
// point.
func comparedTo(nameA, nameB string, lowA, highA, lowB, highB int) string {
	switch {
	case lowA > highB:
		return nameA + " is higher, by " + pointsApart(lowA-highB)
	case lowB > highA:
		return nameB + " is higher, by " + pointsApart(lowB-highA)
	case lowA == highA && lowB == highB:
		return "equal"
	case lowA <= 0 && highA >= audit.Full || lowB <= 0 && highB >= audit.Full:
		return "not comparable: one of them is not known"
	}
	return "not comparable: the intervals overlap"
}

// pointsApart rounds a difference down, so that no more is claimed than is there.
func pointsApart(bp int) string {
	if bp < 100 {
		return "less than 1 point"
	}
	return "at least " + plural(bp/100, "point", "points")
}

func compareProjects(a, b Project) comparison {
	c := comparison{A: a, B: b, Apart: apartText(a, b)}
	for _, id := range aspectOrder {
		x, okX := aspectOf(a, id)
		y, okY := aspectOf(b, id)
		if !okX && !okY {
			continue
		}
		c.Aspects = append(c.Aspects, versus{Title: aspectTitle(id), ID: id, A: aspectCell(x, okX), B: aspectCell(y, okY),
			Word: c.word(id, x.Low, x.High, y.Low, y.High)})
	}
	others := map[string]Indicator{}
	for _, i := range b.Indicators {
		others[i.ID] = i
	}
	for _, x := range a.Indicators {
		y, ok := others[x.ID]
		switch {
		case !ok:
			continue
		case x.Outcome == y.Outcome && x.Low == y.Low && x.High == y.High:
			c.Same++
			continue
		}
		v := versus{Title: cmp.Or(x.Title, x.ID), ID: x.ID, A: x.Reason, B: y.Reason, SignA: outcomeSign(x.Outcome), SignB: outcomeSign(y.Outcome)}
		switch {
		case x.Outcome == audit.NA || y.Outcome == audit.NA:
			v.Word = "not comparable: it does not apply to one of them"
			c.Open = append(c.Open, v)
		case x.Low > y.High || y.Low > x.High:
			v.Word = c.word(x.Aspect, x.Low, x.High, y.Low, y.High)
			c.Certain = append(c.Certain, v)
		default:
			v.Word = comparedTo(a.Name, b.Name, x.Low, x.High, y.Low, y.High)
			c.Open = append(c.Open, v)
		}
	}
	return c
}

// word says what the intervals of an aspect, or of an indicator of it, allow to say.
func (c comparison) word(aspect string, lowA, highA, lowB, highB int) string {
	text := comparedTo(c.A.Name, c.B.Name, lowA, highA, lowB, highB)
	if aspect == "activity" && c.Apart != "" && (lowA > highB || lowB > highA) {
		text += ", each on its own day (" + day(c.A.At) + ", " + day(c.B.At) + ")"
	}
	return text
}

// aspectOf returns an aspect of a project; one that is not there is not known.
func aspectOf(p Project, id string) (Aspect, bool) {
	for _, a := range p.Aspects {
		if a.Aspect == id {
			return a, true
		}
	}
	return Aspect{Aspect: id, High: audit.Full}, false
}

func aspectCell(a Aspect, ok bool) string {
	switch {
	case !ok:
		return "not known"
	case len(a.KnockOuts) > 0:
		return "0, knocked out by " + list(a.KnockOuts)
	}
	return points(a.Low, a.High)
}

func (t *terminal) compare(a, b Project) {
	c := compareProjects(a, b)
	for _, p := range []Project{a, b} {
		t.signed("", projectSign(p.Verdict), projectSentence(p))
		t.para("  ", evaluated(p))
		t.failure(p)
	}
	t.para("", c.Apart)
	t.heading("Aspects, points of 100")
	for _, v := range c.Aspects {
		t.para("  ", v.Title+":")
		t.para("    ", fmt.Sprintf("%s %s; %s %s", a.Name, v.A, b.Name, v.B))
		t.para("    ", sentence(v.Word))
	}
	t.differences("Certain differences", c, c.Certain)
	t.differences("Differences that cannot be told: not comparable", c, c.Open)
	t.heading("How to read this")
	t.para("  ", plural(c.Same, "answer is", "answers are")+" the same. A difference is certain only where the lowest score that one can have lies above the highest of the other. "+scoreProposal(a))
}

func (t *terminal) differences(title string, c comparison, list []versus) {
	if len(list) == 0 {
		return
	}
	t.heading(title)
	for _, v := range list {
		t.para("  ", fmt.Sprintf("%s (%s): %s.", v.Title, v.ID, v.Word))
		t.signed("    ", v.SignA, sentence(c.A.Name+" "+v.SignA.Word+": "+v.A))
		t.signed("    ", v.SignB, sentence(c.B.Name+" "+v.SignB.Word+": "+v.B))
	}
}
