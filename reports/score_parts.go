package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// The parts of a score card that beside the aspects belong to it: gates, lock-in, risks and past quarters. The words are
// the same in every format.

// gateLine says how an aspect stands to the gate of a level.
func gateLine(g Gate) (sign, string) {
	s := gateSign(g.Outcome)
	text := fmt.Sprintf("%s, %s; the gate is %s with %s known", g.Level, aspectTitle(g.Aspect), share(g.Low), share(g.Coverage)+" %")
	if g.Margin > 0 {
		text += fmt.Sprintf(", %s points away from it", share(g.Margin))
	}
	if len(g.Settle) > 0 {
		text += "; would settle it: " + strings.Join(g.Settle, ", ")
	}
	if g.Source != "" {
		text += "; source of the gate: " + g.Source
	}
	return s, text
}

func gateSign(o audit.Outcome) sign {
	switch o {
	case audit.PASS:
		return sign{"✓", "met", good}
	case audit.FAIL:
		return sign{"✗", "missed", bad}
	}
	return sign{"?", "undetermined", unsure}
}

func (t *terminal) gates(p Project) {
	if len(p.Gates) == 0 {
		return
	}
	t.heading("Gates of the levels (proposals)")
	for _, g := range p.Gates {
		s, text := gateLine(g)
		t.signed("  ", s, s.Word+": "+stop(text))
	}
}

// classSign is a class of risk as people see it; low risk is good.
func classSign(class string) sign {
	switch class {
	case "low":
		return sign{"✓", "low", good}
	case "medium":
		return sign{"~", "medium", unsure}
	case "high":
		return sign{"✗", "high", bad}
	}
	return sign{"?", "undetermined", unsure}
}

// axisSentence writes one axis of the lock-in matrix; 0 is no risk.
func axisSentence(a Axis) string {
	score := "not known"
	if a.Low > 0 || a.High < audit.Full {
		score = points(a.Low, a.High) + " of 100 (0 is no risk)"
	}
	return fmt.Sprintf("%s, %s, %s known", classSign(a.Class).Word, score, percent(a.Coverage, audit.Full))
}

func (t *terminal) lockIn(p Project) {
	if p.LockIn == nil {
		return
	}
	s := classSign(p.LockIn.Risk)
	t.heading("Risk of being locked in")
	t.signed("  ", s, "Risk "+s.Word+".")
	t.para("    ", "That it fails its users: "+axisSentence(p.LockIn.Probability)+".")
	t.para("    ", "What that would do: "+axisSentence(p.LockIn.Effect)+".")
}

// riskText is one line of the risk register.
func riskText(r Risk) string {
	text := sentence(fmt.Sprintf("%s (%s): %s", r.Title, r.Indicator, r.Reason))
	if r.Radius != nil {
		text += " It would hit " + plural(*r.Radius, "deployed component", "deployed components") + "."
	}
	if m := mitigationText(r.Mitigations); m != "" {
		text += " Lessens it: " + stop(m)
	}
	if r.Accepted {
		text += " A mitigation is accepted."
	}
	return text
}

func (t *terminal) register(p Project) {
	if len(p.Risks) == 0 {
		return
	}
	t.heading("Risk register: weaknesses that do not knock out")
	for _, r := range p.Risks {
		t.signed("  ", outcomeSign(r.Outcome), riskText(r))
	}
}

// quarterCells are the scores of a past quarter end, one an aspect.
func quarterCells(q Quarter) []string {
	var out []string
	for _, id := range aspectOrder {
		text := "–"
		for _, a := range q.Aspects {
			if a.Aspect == id {
				text = inShort(a)
			}
		}
		out = append(out, text)
	}
	return out
}
