package pipeline

import (
	"fmt"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// riskRows is the risk register of one project.
func riskRows(s scoring.ProjectScore, e scoring.Evidence, profile audit.Profile) []reports.Risk {
	var out []reports.Risk
	for _, r := range scoring.Risks(s, e.Governance, profile) {
		out = append(out, reports.Risk{
			Indicator: r.Measurement.Indicator, Title: r.Title, Outcome: r.Measurement.Outcome, Reason: r.Measurement.Reason,
			Origins: r.Measurement.Origins, Radius: r.Radius.Value, Mitigations: mitigationRows(r.Mitigations), Accepted: r.Accepted(),
			Helps: r.Helps, Settle: r.Measurement.Settle, Source: r.Source,
		})
	}
	return out
}

func mitigationRows(ms []scoring.Mitigation) []reports.Mitigation {
	var out []reports.Mitigation
	for _, m := range ms {
		out = append(out, reports.Mitigation{
			Kind: m.Kind, Text: m.Text, Declared: m.Declared, Accepted: m.Accepted(), AcceptedBy: m.AcceptedBy, Source: m.Source, Origin: m.Origin,
		})
	}
	return out
}

// lockInRow is the lock-in risk of one project; nil if the profile has no matrix.
func lockInRow(s scoring.ProjectScore, e scoring.Evidence, profile audit.Profile) *reports.LockIn {
	if len(profile.LockIn.Risks) == 0 {
		return nil
	}
	l := scoring.Matrix(s, e.Governance, profile)
	axis := func(a scoring.Axis) reports.Axis {
		return reports.Axis{Low: a.Interval.Low(), High: a.Interval.High(), Coverage: a.Coverage, Class: a.Class}
	}
	return &reports.LockIn{
		Probability: axis(l.Probability), Effect: axis(l.Effect), Risk: l.Risk, Radius: l.Radius.Value,
		Mitigations: mitigationRows(l.Mitigations), Accepted: l.Accepted(), Source: profile.LockIn.Source,
	}
}

// askRows says which places would settle the gates of a project that are undetermined, the cheapest first.
func askRows(s scoring.ProjectScore, profile audit.Profile) []reports.Ask {
	var out []reports.Ask
	for _, a := range scoring.OpenAsks(s, profile) {
		out = append(out, reports.Ask{Source: a.Source, Indicators: a.Indicators})
	}
	return out
}

// withSettlements returns the gates with the smallest sets of facts that would settle those that are undetermined.
func withSettlements(gates []reports.Gate, s scoring.ProjectScore) []reports.Gate {
	out := slices.Clone(gates)
	for i := range out {
		g := &out[i]
		for _, set := range scoring.Settlements(s, g.Aspect, audit.Gate{Low: g.Low, Coverage: g.Coverage}) {
			var ids []string
			for _, m := range set.Measurements {
				ids = append(ids, m.Indicator)
			}
			if set.Outcome == audit.FAIL {
				g.Doubt = ids
				continue
			}
			g.Settle, g.Asks = ids, nil
			for _, a := range set.Asks {
				g.Asks = append(g.Asks, reports.Ask{Source: a.Source, Indicators: a.Indicators})
			}
		}
	}
	return out
}

// riskMitigated is the lock-in risk of a project, in rules, that is not certainly low or medium and has an accepted way out.
const riskMitigated = "mitigated"

// lockIn opens the lock-in risk of a project for rules. A high one is a fact only if it is known that nothing lessens it.
func (d *dossier) lockIn(s scoring.ProjectScore, e scoring.Evidence, r *policies.Project, sub *policies.Subject) {
	l := scoring.Matrix(s, e.Governance, d.profiles.For(s.Project.Profile))
	unknown := func(looked bool, reason string, settle ...string) {
		sub.Unknown = append(sub.Unknown, policies.UnknownField{Field: "lockInRisk", Looked: looked, Reason: reason, Settle: settle})
	}
	switch {
	case l.Worst == audit.ClassLow, l.Worst == audit.ClassMedium: // low or medium, if not known which
		r.LockInRisk = l.Worst
	case l.Accepted():
		r.LockInRisk = riskMitigated
		if !slices.ContainsFunc(l.Mitigations, func(m scoring.Mitigation) bool { return !m.Declared }) {
			sub.Declared = map[string]bool{"lockInRisk": true}
		}
	case len(l.Mitigations) > 0:
		unknown(true, "the lock-in risk may be high, and only the operator says what lessens it: "+l.Mitigations[0].Text,
			"an auditor accepts the entry under mitigations: in the stack file")
	case l.Risk == audit.ClassHigh && wayOut(s.Project) != "":
		unknown(true, "the lock-in risk is high, and "+wayOut(s.Project), "name alternatives in the catalogue, or mitigations: in the stack file")
	case l.Risk == audit.ClassHigh:
		r.LockInRisk = l.Risk
	default:
		looked := l.Probability.Coverage > 0 || l.Effect.Coverage > 0
		unknown(looked, fmt.Sprintf("probability %s of 100, effect %s of 100", outOf100(l.Probability.Interval), outOf100(l.Effect.Interval)), d.settleLockIn(s)...)
	}
}

// wayOut says why nobody can tell that there is no way out; empty if it was looked for and there is none.
func wayOut(p scoring.Project) string {
	_, looked := p.Alternatives.Get()
	switch {
	case !looked:
		return "the catalogue does not say what could take its place"
	case p.Foundation == "":
		return "its foundation is not known"
	}
	return ""
}

// settleLockIn says which facts would narrow the two axes, the cheapest first.
func (d *dossier) settleLockIn(s scoring.ProjectScore) []string {
	rule := d.profiles.For(s.Project.Profile).LockIn
	open := slices.DeleteFunc(slices.Clone(s.Measurements), func(m scoring.Measurement) bool {
		return m.Weight == 0 || m.Interval.Width() == 0 || !slices.Contains(rule.Probability, m.Indicator) && !slices.Contains(rule.Effect, m.Indicator)
	})
	var out []string
	for _, a := range scoring.Asks(open) {
		out = append(out, d.settleOf(s, a.Indicators)...)
	}
	return out[:min(len(out), mostSettling)]
}

// outOf100 writes an interval as rules show it, rounded outward.
func outOf100(i audit.Interval) string {
	return fmt.Sprintf("%d..%d", i.Low()/100, (i.High()+99)/100)
}
