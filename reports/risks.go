package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// How much of the risk register is shown; the JSON report has all.
const (
	maxRiskLines = 4   // on a terminal
	maxRiskRows  = 500 // on the page
)

// riskOf is one risk of the register that is there, with the project that bears it.
type riskOf struct {
	Project Project
	Risk    Risk
}

// register lists the risks that are there: those that nothing accepted lessens first, then those that would hit the most,
// then by name. unknown counts the lines of which nobody knows.
func register(r Report) (rows []riskOf, unknown int) {
	for _, p := range r.Projects {
		for _, risk := range p.Risks {
			if risk.Outcome.Decided() {
				rows = append(rows, riskOf{p, risk})
			} else {
				unknown++
			}
		}
	}
	radius := func(x riskOf) int {
		if x.Risk.Radius == nil {
			return 0
		}
		return *x.Risk.Radius
	}
	slices.SortStableFunc(rows, func(a, b riskOf) int {
		return cmp.Or(rankOf(a.Risk.Accepted)-rankOf(b.Risk.Accepted), radius(b)-radius(a),
			cmp.Compare(a.Project.Name, b.Project.Name), cmp.Compare(a.Risk.Indicator, b.Risk.Indicator))
	})
	return rows, unknown
}

// riskSign marks a risk: one that an accepted mitigation lessens is a point to know, not one to act on.
func riskSign(r Risk) sign {
	switch {
	case r.Accepted:
		return sign{"~", "lessened", unsure}
	case r.Outcome == audit.PART:
		return sign{"~", "partly there", unsure}
	}
	return sign{"✗", "there", bad}
}

// lockInSign marks a lock-in risk.
func lockInSign(l LockIn) sign {
	switch {
	case l.Risk == audit.ClassHigh && l.Accepted:
		return sign{"~", "high, lessened", unsure}
	case l.Risk == audit.ClassHigh:
		return sign{"✗", "high", bad}
	case l.Risk == audit.ClassMedium:
		return sign{"~", "medium", unsure}
	case l.Risk == audit.ClassLow:
		return sign{"✓", "low", good}
	}
	return sign{"?", "undetermined", unsure}
}

// axisText is one axis in words: "high (70 to 84)".
func axisText(a Axis) string {
	if text := points(a.Low, a.High); text != "not known" {
		return a.Class + " (" + text + ")"
	}
	return "not known"
}

// radiusText says what the end of a project would hit.
func radiusText(radius *int) string {
	if radius == nil {
		return "not known"
	}
	return plural(*radius, "component", "components")
}

// mitigationText lists what lessens a risk, accepted things first, and says what only the operator says.
func mitigationText(ms []Mitigation) string {
	var out []string
	for _, wanted := range []bool{true, false} {
		for _, m := range ms {
			if m.Accepted != wanted {
				continue
			}
			text := m.Text
			switch {
			case m.AcceptedBy != "":
				text += " (said by the operator, accepted by " + m.AcceptedBy + ")"
			case m.Declared:
				text += " (said by the operator, not accepted)"
			}
			out = append(out, text)
		}
	}
	return strings.Join(out, "; ")
}

// helpText says what would lessen a risk.
func helpText(kinds []string) string {
	words := map[string]string{
		audit.MitigationAlternative: "an open alternative", audit.MitigationFoundation: "a foundation", audit.MitigationSupport: "a support contract",
		audit.MitigationOwnMaintainers: "own maintainers",
	}
	var out []string
	for _, k := range kinds {
		out = append(out, cmp.Or(words[k], k))
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " or " + out[len(out)-1]
}

// lockedIn are the projects whose lock-in risk is known, and how many of them are of each class.
func lockedIn(r Report) (high, open []string, total int) {
	for _, p := range r.Projects {
		if p.LockIn == nil {
			continue
		}
		total++
		switch {
		case p.LockIn.Risk == audit.ClassHigh && !p.LockIn.Accepted:
			high = append(high, p.Name)
		case p.LockIn.Risk == "undetermined":
			open = append(open, p.Name)
		}
	}
	return high, open, total
}

// risks writes the register for a terminal: the lock-in risk in one line, then what nothing lessens.
func (t *terminal) risks(r Report) {
	rows, unknown := register(r)
	high, open, total := lockedIn(r)
	if len(rows)+unknown+total == 0 {
		return
	}
	t.heading("Risks")
	if total > 0 {
		s := sign{"✓", "", good}
		text := "Lock-in: no project has a high risk that nothing lessens"
		switch {
		case len(high) > 0:
			s, text = sign{"✗", "", bad}, "Lock-in: high and nothing lessens it for "+some(high, 3, 0)
		case len(open) > 0:
			s, text = sign{"?", "", unsure}, text+" for certain"
		}
		if len(open) > 0 {
			text += "; " + thousands(len(open)) + " of " + plural(total, "project is", "projects are") + " undetermined"
		}
		t.signed("  ", s, stop(text))
	}
	for i, row := range rows {
		if i == maxRiskLines {
			t.para("  ", "… and "+plural(len(rows)-i, "more risk", "more risks")+"; the HTML report has the register.")
			break
		}
		t.signed("  ", riskSign(row.Risk), row.sentence())
	}
	if unknown > 0 {
		t.signed("  ", sign{"?", "", unsure}, plural(unknown, "line of the risk register is", "lines of the risk register are")+" not known.")
	}
}

// sentence is one risk in a line.
func (x riskOf) sentence() string {
	text := x.Project.Name + ": " + x.Risk.Title
	if x.Risk.Radius != nil {
		text += fmt.Sprintf(", its end would hit %s", radiusText(x.Risk.Radius))
	}
	if m := mitigationText(x.Risk.Mitigations); m != "" {
		return stop(text) + " Lessens it: " + stop(m)
	}
	return stop(text) + " Would help: " + stop(helpText(x.Risk.Helps))
}

// riskView is one line of the register on the page.
type riskView struct {
	Anchor, Project, ID, Title, Reason, Radius, Lessens, Helps string
	Sign                                                       sign
	Refs                                                       []int
}

// lockInView is both axes of one project on the page.
type lockInView struct {
	Anchor, Project, Probability, Effect, Radius, Lessens string
	Sign                                                  sign
	rank                                                  int
}

// registerView is the section of the page.
type registerView struct {
	Risks         []riskView
	LockIn        []lockInView
	Unknown, More string
	Source        string // of the matrix
}

func registerOf(r Report, a anchors, index *originIndex) *registerView {
	rows, unknown := register(r)
	v := &registerView{}
	if unknown > 0 {
		v.Unknown = plural(unknown, "further line of the register is", "further lines of the register are") + " not known: nobody can tell whether the risk is there."
	}
	if rest := len(rows) - maxRiskRows; rest > 0 {
		v.More = "… and " + plural(rest, "more risk", "more risks") + "; the JSON report has all."
		rows = rows[:maxRiskRows]
	}
	for _, x := range rows {
		v.Risks = append(v.Risks, riskView{
			Anchor: a.projects[x.Project.ID], Project: x.Project.Name, ID: x.Risk.Indicator, Title: x.Risk.Title, Reason: stop(x.Risk.Reason),
			Radius: radiusText(x.Risk.Radius), Lessens: mitigationText(x.Risk.Mitigations), Helps: helpText(x.Risk.Helps),
			Sign: riskSign(x.Risk), Refs: index.refs(x.Risk.Origins),
		})
	}
	v.LockIn, v.Source = lockInViews(r, a)
	if len(v.Risks)+len(v.LockIn) == 0 && unknown == 0 {
		return nil
	}
	return v
}

// lockInViews lists the projects with both axes, the highest risk first. Of projects without evidence nothing is known.
func lockInViews(r Report, a anchors) (out []lockInView, source string) {
	for _, p := range r.Projects {
		if p.LockIn == nil || p.Head == "" {
			continue
		}
		source = p.LockIn.Source
		out = append(out, lockInView{
			Anchor: a.projects[p.ID], Project: p.Name, Probability: axisText(p.LockIn.Probability), Effect: axisText(p.LockIn.Effect),
			Radius: radiusText(p.LockIn.Radius), Lessens: mitigationText(p.LockIn.Mitigations), Sign: lockInSign(*p.LockIn),
			rank: slices.Index([]string{audit.ClassHigh, "undetermined", audit.ClassMedium, audit.ClassLow}, p.LockIn.Risk),
		})
	}
	slices.SortStableFunc(out, func(x, y lockInView) int { return x.rank - y.rank })
	return out[:min(len(out), maxRiskRows)], source
}
