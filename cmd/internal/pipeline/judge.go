package pipeline

import (
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

// judge scores one project on its evidence by a profile: that which policies.Profiles.For(p.Profile) returns. Every command
// that scores comes through here.
func judge(p scoring.Project, e scoring.Evidence, profile audit.Profile) scoring.ProjectScore {
	return scoring.Score(p, indicator.Measure(e, p, profile), profile)
}

// projectRow is one project as reports and pegel score show it.
func projectRow(s scoring.ProjectScore, e scoring.Evidence, profile audit.Profile, at time.Time) reports.Project {
	row := reports.Project{
		ID: s.Project.ID, Name: s.Project.Name, Repo: orText(s.Project.Repo, e.Repo), Head: e.Revision, HeadAt: e.RevisionAt, At: judgedAt(e, at),
		Role: s.Project.Role, Profile: profile.ID, ProfileVersion: profile.Version, Verdict: scoring.Verdict(s, profile), Tiers: orEmpty(s.Project.Tiers), Area: s.Project.Area,
		Versions: s.Project.Versions, Facts: historyFacts(e), Failure: e.Failure, Settle: e.Settle,
		Aspects: []reports.Aspect{}, Indicators: []reports.Indicator{}, Join: joinOf(e), Recordings: recordingsOf(e), Years: yearsOf(e), Gates: gateRows(s, profile),
		LockIn: lockInRow(s, e, profile), Risks: riskRows(s, e, profile), Asks: askRows(s, profile),
	}
	if s.Project.Profile == profile.ID {
		row.ProfileReason = s.Project.ProfileReason
	}
	row.Gates = withSettlements(row.Gates, s)
	for _, a := range s.Aspects {
		row.Aspects = append(row.Aspects, reports.Aspect{
			Aspect: a.Aspect, Low: a.Interval.Low(), High: a.Interval.High(), Coverage: a.Coverage,
			Confidence: a.Confidence, KnockOuts: orEmpty(a.KnockOuts),
		})
	}
	for _, m := range s.Measurements {
		rule := profile.Indicators[m.Indicator]
		contested, said := statedOf(e, m.Indicator, profile, row.At)
		row.Indicators = append(row.Indicators, reports.Indicator{
			ID: m.Indicator, Aspect: m.Aspect, Title: rule.Title, Clauses: rule.Clauses, Outcome: m.Outcome, Value: m.Value, Unit: m.Unit,
			Low: m.Interval.Low(), High: m.Interval.High(), Weight: m.Weight, KnockOut: rule.KnockOut, Grade: m.Grade, Reason: m.Reason,
			Settle: m.Settle, Source: rule.Source, Origins: m.Origins, Rule: ruleOf(m.Indicator, rule),
			Contested: contested, Stated: said,
		})
	}
	return row
}

// ruleOf are the thresholds of a profile's rule about an indicator, and which way they point.
func ruleOf(id string, rule audit.IndicatorRule) *reports.Rule {
	return &reports.Rule{Scale: rule.Scale, Unit: rule.Unit, Fail: rule.Fail, Pass: rule.Pass, Less: indicator.LessIsBetter(id), Window: rule.Window, Numbers: rule.Numbers}
}

// judgedAt is the day that the windows of the evidence count back from.
func judgedAt(e scoring.Evidence, otherwise time.Time) time.Time {
	if e.AssessedAt.IsZero() {
		return otherwise
	}
	return e.AssessedAt
}

// recordingsOf are the identities of the recordings that the facts of a project were taken from, sorted.
func recordingsOf(e scoring.Evidence) []audit.Digest {
	var out []audit.Digest
	for _, t := range e.Taken {
		out = append(out, t.Bundle)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// historyFacts are the facts of the history by the names of the published schema (design section 5).
func historyFacts(e scoring.Evidence) map[string]any {
	h, known := e.History.Get()
	if !known {
		return nil
	}
	facts := map[string]any{
		"authors_ever": h.AuthorsEver, "newcomers_12m": h.Newcomers12m, "retained_authors": h.Retained,
		"first_commit": h.FirstCommit.Format(time.RFC3339),
	}
	if !h.LastHumanCommit.IsZero() {
		facts["last_human_commit"] = h.LastHumanCommit.Format(time.RFC3339)
	}
	if w, ok := h.Window(12); ok {
		facts["commits_12m"] = w.Commits
		facts["human_commits_12m"] = w.HumanCommits
		facts["authors_12m"] = w.Authors
		facts["bus_factor_50"] = w.BusFactor50
		facts["elephant_factor_50"] = map[string]int{"low": w.ElephantLow, "high": w.ElephantHigh}
		facts["top_org_share"] = map[string]int{"low": w.TopOrgLowBP, "high": w.TopOrgHighBP}
		facts["reverts_12m"] = w.Reverts
	}
	if r, known := e.Releases.Get(); known {
		facts["releases_24m"] = r.Releases24m
	}
	return facts
}
