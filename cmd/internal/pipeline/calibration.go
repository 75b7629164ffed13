package pipeline

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// Calibrate shows what a profile does with the projects of a bundle: counts and names per gate, knock-out and indicator, and
// the smallest change of each number that decides anything otherwise. Profile is as for Profiles; the bundle is that of an
// audit or a recording of projects.
func Calibrate(dir, profile string) (reports.Calibration, error) {
	profiles, err := Profiles(profile)
	if err != nil {
		return reports.Calibration{}, err
	}
	c, err := readCases(dir)
	if err != nil {
		return reports.Calibration{}, err
	}
	return calibrate(c, profiles), nil
}

func calibrate(c *cases, profiles policies.Profiles) reports.Calibration {
	main := profiles.Main()
	out := reports.Calibration{
		Schema: reports.CalibrationSchema, Profile: main.ID + " " + main.Version, Evidence: string(c.identity), Projects: len(c.projects),
		Profiles: map[string][]string{},
	}
	judged := make([]judgedCase, 0, len(c.projects))
	for _, p := range c.projects {
		profile := profiles.For(p.project.Profile)
		judged = append(judged, judgedCase{caseOf: p, profile: profile, score: judge(p.project, p.evidence, profile)})
		if profile.ID != main.ID {
			out.Profiles[profile.ID] = append(out.Profiles[profile.ID], p.project.ID)
		}
		if roleOf(p.project) == scoring.RolePlatform {
			out.Platforms++
		}
	}
	out.Verdicts = verdictCounts(judged, main)
	out.Gates = gateCounts(judged, main)
	out.KnockOuts = knockOutCounts(judged, main)
	out.Indicators = indicatorCounts(judged, main)
	out.Margins = margins(judged, out.Gates)
	out.Settings = sensitivities(judged, profiles)
	return out
}

// judgedCase is one project with its score.
type judgedCase struct {
	caseOf
	profile audit.Profile
	score   scoring.ProjectScore
}

func roleOf(p scoring.Project) string { return cmp.Or(p.Role, scoring.RolePlatform) }

func verdictCounts(judged []judgedCase, main audit.Profile) (out []reports.CalibrationVerdict) {
	for _, level := range append(sortedKeys(main.Gates), "") {
		var levels []string
		if level != "" {
			levels = []string{level}
		}
		for _, role := range []string{scoring.RolePlatform, "building-block"} {
			for _, verdict := range []string{scoring.Passed, scoring.Almost, scoring.Showstopper, scoring.Undetermined} {
				row := reports.CalibrationVerdict{Level: level, Role: role, Verdict: verdict, Projects: []string{}}
				for _, j := range judged {
					if roleOf(j.project) == role && scoring.Verdict(j.score, j.profile, levels...) == verdict {
						row.Projects = append(row.Projects, j.project.ID)
					}
				}
				out = append(out, row)
			}
		}
	}
	return out
}

// gateCounts lists the gates of the main profile; levels that have the same gate for an aspect share a row.
func gateCounts(judged []judgedCase, main audit.Profile) []reports.CalibrationGate {
	out := []reports.CalibrationGate{}
	for _, role := range []string{scoring.RolePlatform, "building-block"} {
		for _, aspect := range scoring.Aspects {
			for _, level := range sortedKeys(main.Gates) {
				gate, ok := main.Gates[level][role][aspect]
				if !ok {
					continue
				}
				same := slices.IndexFunc(out, func(g reports.CalibrationGate) bool {
					return g.Role == role && g.Aspect == aspect && g.Low == gate.Low && g.Coverage == gate.Coverage
				})
				if same >= 0 {
					out[same].Levels = append(out[same].Levels, level)
					continue
				}
				row := reports.CalibrationGate{
					Levels: []string{level}, Role: role, Aspect: aspect, Low: gate.Low, Coverage: gate.Coverage, Source: gate.Source,
					Passed: []string{}, Failed: []string{}, Undetermined: []string{},
				}
				countGate(&row, judged, gate)
				out = append(out, row)
			}
		}
	}
	return out
}

func countGate(row *reports.CalibrationGate, judged []judgedCase, gate audit.Gate) {
	for _, j := range judged {
		if roleOf(j.project) != row.Role {
			continue
		}
		a, _ := j.score.Aspect(row.Aspect)
		switch a.Meets(gate) {
		case audit.PASS:
			row.Passed = append(row.Passed, j.project.ID)
		case audit.FAIL:
			row.Failed = append(row.Failed, j.project.ID)
		default:
			row.Undetermined = append(row.Undetermined, j.project.ID)
		}
	}
	row.Remark = gateRemark(len(row.Passed), len(row.Failed), len(row.Undetermined))
}

// gateRemark says in words where a gate tells nobody apart: a gate that nobody can pass, or that everybody passes, is a
// wrong gate (design section 9).
func gateRemark(passed, failed, undetermined int) string {
	switch all := passed + failed + undetermined; {
	case all == 0:
		return "No project has this gate."
	case passed == all:
		return "Everybody passes: the gate tells nobody apart."
	case failed == all:
		return "Nobody passes and everybody fails: the gate tells nobody apart."
	case undetermined == all:
		return "Nobody is decided: too little is known for this gate."
	case passed == 0 && failed == 0:
		return ""
	case passed == 0:
		return "Nobody passes: those who do not fail are undetermined."
	case failed == 0:
		return "Nobody fails: those who do not pass are undetermined."
	}
	return ""
}

func knockOutCounts(judged []judgedCase, main audit.Profile) []reports.CalibrationKnockOut {
	out := []reports.CalibrationKnockOut{}
	for _, id := range sortedKeys(main.Indicators) {
		rule := main.Indicators[id]
		if !rule.KnockOut {
			continue
		}
		row := reports.CalibrationKnockOut{Indicator: id, Title: rule.Title, Out: []string{}, Open: []string{}}
		for _, j := range judged {
			a, _ := j.score.Aspect(rule.Aspect)
			switch {
			case slices.Contains(a.KnockOuts, id):
				row.Out = append(row.Out, j.project.ID)
			case slices.Contains(a.Open, id):
				row.Open = append(row.Open, j.project.ID)
			default:
				row.Clear++
			}
		}
		switch {
		case len(row.Open) == len(judged):
			row.Remark = "Nobody is decided: what it asks for is not in this evidence."
		case len(row.Out) == 0 && len(row.Open) == 0:
			row.Remark = "Nobody is knocked out."
		case len(row.Out) == 0:
			row.Remark = "Nobody is knocked out, as far as is known."
		}
		out = append(out, row)
	}
	return out
}

func indicatorCounts(judged []judgedCase, main audit.Profile) []reports.CalibrationIndicator {
	var out []reports.CalibrationIndicator
	at := map[string]int{}
	for i, id := range sortedKeys(main.Indicators) {
		rule := main.Indicators[id]
		at[id] = i
		out = append(out, reports.CalibrationIndicator{ID: id, Aspect: rule.Aspect, Title: rule.Title})
	}
	for _, j := range judged {
		for _, m := range j.score.Measurements {
			row := &out[at[m.Indicator]]
			switch m.Outcome {
			case audit.PASS:
				row.Pass++
			case audit.PART:
				row.Part++
			case audit.FAIL:
				row.Fail++
			case audit.DNF:
				row.DNF++
			case audit.NA:
				row.NA++
			default:
				row.Miss++
			}
		}
	}
	return out
}

func margins(judged []judgedCase, gates []reports.CalibrationGate) []reports.CalibrationMargin {
	out := []reports.CalibrationMargin{}
	for _, j := range judged {
		row := reports.CalibrationMargin{Project: j.project.ID}
		for _, g := range gates {
			if g.Role != roleOf(j.project) {
				continue
			}
			gate := audit.Gate{Low: g.Low, Coverage: g.Coverage}
			a, _ := j.score.Aspect(g.Aspect)
			row.Gates = append(row.Gates, reports.GateMargin{Outcome: gateWord(a.Meets(gate)), Margin: margin(a, gate)})
		}
		if len(row.Gates) > 0 {
			out = append(out, row)
		}
	}
	return out
}

// moveText says what changed, for people.
func moveText(s standing, to string) string {
	what := s.id
	if s.what != "" {
		what += ", " + s.what
	}
	return fmt.Sprintf("%s: %s → %s", what, s.verdict, to)
}
