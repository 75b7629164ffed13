package pipeline

import (
	"github.com/pegel-audit/pegel/audit"
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
