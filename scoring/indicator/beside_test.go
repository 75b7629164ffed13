package indicator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

const beside = "https://git.example.org/sample/community"

// withPlace is the evidence of a repository of code alone, with a place that holds the documents.
func withPlace(t *testing.T, tree audit.Fact[scoring.Tree]) []scoring.Measurement {
	t.Helper()
	s := sampleWith()
	own, _ := s.e.Tree.Get()
	own.Documents, own.Tools = map[string][]scoring.Document{}, map[string][]scoring.Document{}
	own.ProposalsChanged12m, own.RoadmapChanged = audit.Failed[int]("none"), audit.Failed[time.Time]("none")
	s.e.Tree.Value = &own
	noRuns(&s) // results of CI would show that there is CI
	s.e.Places = []scoring.Place{{Repo: beside, Named: "catalogue", Revision: strings.Repeat("c", 40), Tree: tree}}
	return indicator.Measure(s.e, s.p, profile(t))
}

func TestWhatStandsInARepositoryBesideCountsAndIsShownThere(t *testing.T) {
	ms := withPlace(t, audit.Known(scoring.Tree{
		Documents: map[string][]scoring.Document{
			"governance": {{Path: "GOVERNANCE.md"}}, "code-of-conduct": {{Path: "CODE_OF_CONDUCT.md"}}, "changelog": {{Path: "CHANGELOG.md"}},
		},
		Tools:               map[string][]scoring.Document{"proposals": {{Path: "proposals"}}, "ci": {{Path: ".gitlab-ci.yml"}}},
		ProposalsChanged12m: audit.Known(4),
	}))
	for id, want := range map[string]audit.Outcome{"OC-06": audit.PASS, "OC-09": audit.PASS, "OD-01": audit.PASS, "OD-02": audit.PASS} {
		m := measured(t, ms, id)
		if m.Outcome != want || !slices.ContainsFunc(m.Origins, func(o audit.Origin) bool { return o.URL == beside && o.Commit == strings.Repeat("c", 40) }) {
			t.Errorf("%s: %s %q, origins %+v; want %s from the place", id, m.Outcome, m.Reason, m.Origins, want)
		}
	}
	for _, id := range []string{"MA-12", "OV-08"} {
		if m := measured(t, ms, id); m.Outcome == audit.PASS {
			t.Errorf("%s: passes by files of another repository's code: %q", id, m.Reason)
		}
	}
}

func TestAPlaceThatWasNotReadKeepsTheAnswerOpen(t *testing.T) {
	for _, tree := range []audit.Fact[scoring.Tree]{{}, audit.Failed[scoring.Tree]("the server did not answer")} {
		m := measured(t, withPlace(t, tree), "OC-06")
		if m.Outcome != audit.DNF || !strings.Contains(m.Reason, beside) {
			t.Errorf("%s %q, want DNF that names %s", m.Outcome, m.Reason, beside)
		}
	}
}

func TestFewProposalsBesideFailOnlyWhenTheyWereCounted(t *testing.T) {
	few := scoring.Tree{Tools: map[string][]scoring.Document{"proposals": {{Path: "specs"}}}, ProposalsChanged12m: audit.Known(0)}
	if m := measured(t, withPlace(t, audit.Known(few)), "OD-02"); m.Outcome != audit.FAIL {
		t.Errorf("%s %q, want FAIL", m.Outcome, m.Reason)
	}
	few.ProposalsChanged12m = audit.Failed[int]("the clone reaches only until 2025")
	if m := measured(t, withPlace(t, audit.Known(few)), "OD-02"); m.Outcome != audit.DNF {
		t.Errorf("%s %q, want DNF", m.Outcome, m.Reason)
	}
}

func measured(t *testing.T, ms []scoring.Measurement, id string) scoring.Measurement {
	t.Helper()
	i := slices.IndexFunc(ms, func(m scoring.Measurement) bool { return m.Indicator == id })
	if i < 0 {
		t.Fatalf("%s was not measured", id)
	}
	return ms[i]
}
