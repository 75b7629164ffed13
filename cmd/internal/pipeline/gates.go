package pipeline

import (
	"cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// gateRows says how the aspects of a project stand to the gates of its role, by level and then in the order of aspects. A
// role without score gates has no rows.
func gateRows(s scoring.ProjectScore, profile audit.Profile) []reports.Gate {
	var out []reports.Gate
	for _, level := range sortedKeys(profile.Gates) {
		gates := gatesOf(profile, level, s.Project.Role)
		for _, aspect := range scoring.Aspects {
			gate, ok := gates[aspect]
			if !ok {
				continue
			}
			a, _ := s.Aspect(aspect)
			row := reports.Gate{
				Level: level, Aspect: aspect, Low: gate.Low, Coverage: gate.Coverage, Outcome: a.Meets(gate), Margin: margin(a, gate), Source: gate.Source,
			}
			for _, m := range scoring.Settle(s, aspect, gate) {
				row.Settle = append(row.Settle, m.Indicator)
			}
			out = append(out, row)
		}
	}
	return out
}

// gatesOf returns the gates of a role at a level; a role that is not known is gated as a platform, the stricter treatment.
func gatesOf(profile audit.Profile, level, role string) map[string]audit.Gate {
	if gates, ok := profile.Gates[level][cmp.Or(role, scoring.RolePlatform)]; ok {
		return gates
	}
	return profile.Gates[level][scoring.RolePlatform]
}

// margin is how far the score of an aspect is from another outcome at the gate, in basis points. PASS: how far low end or
// coverage may fall, whichever is nearer. FAIL: how far the high end is below the gate. Undetermined: the shorter way, to
// pass (by low end and coverage) or to fail (by the high end).
func margin(a scoring.AspectScore, g audit.Gate) int {
	switch a.Meets(g) {
	case audit.PASS:
		return min(a.Interval.Low()-g.Low, a.Coverage-g.Coverage)
	case audit.FAIL:
		return g.Low - a.Interval.High()
	}
	pass := max(g.Low-a.Interval.Low(), g.Coverage-a.Coverage)
	return min(pass, a.Interval.High()-g.Low+1)
}
