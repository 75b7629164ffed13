package reports

import (
	"fmt"
	"strings"
)

// why writes for each point that a project lacks what was read, by which number it was judged, and what would raise it.
func (t *terminal) why(p Project, only []string) {
	t.signed("", projectSign(p.Verdict), projectSentence(p))
	t.para("  ", evaluated(p))
	t.failure(p)
	lost := losses(p, only)
	for _, a := range lost {
		t.heading(a.head())
		for _, l := range a.Lost {
			t.loss(l)
		}
	}
	if len(lost) == 0 {
		t.para("  ", nothingLost(p, only))
	}
}

func nothingLost(p Project, only []string) string {
	switch {
	case len(p.Indicators) == 0:
		return "Nothing was measured."
	case len(only) > 0:
		return "No point is missing at " + list(only) + "."
	}
	return "No point is missing."
}

// head is the title of an aspect with its score.
func (a aspectLosses) head() string {
	text := fmt.Sprintf("%s: %s of 100", a.Title, points(a.Aspect.Low, a.Aspect.High))
	if a.Aspect.Low <= 0 && a.Aspect.High >= 10000 {
		text = a.Title + ": not known"
	}
	if len(a.Aspect.KnockOuts) > 0 {
		text += ", knocked out by " + list(a.Aspect.KnockOuts)
	}
	return text
}

func (t *terminal) loss(l loss) {
	t.signed("  ", l.Sign, fmt.Sprintf("%s: %s", l.Sign.Word, indicatorText(l.Indicator)))
	t.para("      ", sentence(l.Cost))
	if l.Indicator.Value != "" {
		t.para("      ", "Value: "+strings.TrimSpace(l.Indicator.Value+" "+l.Indicator.Unit))
	}
	for _, r := range l.Reads {
		t.read(r)
	}
	if l.Grade != "" {
		t.para("      ", "Evidence: "+l.Grade)
	}
	if l.Threshold != "" {
		t.para("      ", "Threshold: "+l.Threshold)
	}
	if l.Raise != "" {
		t.para("      ", "To raise it: "+l.Raise)
	}
	if len(l.Settle) > 0 {
		t.para("      ", "Would settle it: "+strings.Join(l.Settle, "; "))
	}
	if len(l.Indicator.Clauses) > 0 {
		t.para("      ", "Serves scs-0008 "+strings.Join(l.Indicator.Clauses, ", "))
	}
	if l.Contested != "" {
		t.para("      ", l.Contested)
	}
}

// read names a place. Its address stands on a line of its own and is never broken, so that terminals can open it.
func (t *terminal) read(r read) {
	words := r.Text
	if r.Note != "" {
		words += " (" + r.Note + ")"
	}
	t.para("      ", "Read: "+words)
	if r.Link != "" {
		t.b.WriteString("        " + r.Link + "\n")
	}
}
