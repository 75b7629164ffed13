package indicator_test

import (
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

func TestEveryOpenQuestionNamesThePlaceThatCouldTell(t *testing.T) {
	prof := profile(t)
	for name, e := range map[string]scoring.Evidence{"nothing known": {}, "everything of git": sampleWith().e} {
		for _, m := range indicator.Measure(e, scoring.Project{}, prof) {
			open := m.Outcome == audit.MISS || m.Outcome == audit.DNF
			if open != slices.Contains(scoring.Sources(), m.From) {
				t.Errorf("%s: %s is %v and names the place %q", name, m.Indicator, m.Outcome, m.From)
			}
		}
	}
}

func TestThePlaceThatCouldTellIsTheCheapestThatNobodyRead(t *testing.T) {
	s := sampleWith()
	s.e.Tree = audit.Fact[scoring.Tree]{}
	s.e.Home, s.e.Changes = audit.Fact[scoring.Home]{}, audit.Fact[scoring.Changes]{}
	want := map[string]string{"OV-04": scoring.FromGit, "OV-05": scoring.FromForge, "AC-07": scoring.FromDeclaration}
	got := measure(t, s, profile(t))
	for id, from := range want {
		if got[id].From != from {
			t.Errorf("%s: got %q, want %q (%s)", id, got[id].From, from, got[id].Reason)
		}
	}
}
