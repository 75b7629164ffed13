package scoring_test

import (
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func riskProfile(kinds ...string) audit.Profile {
	p := rules("lock-in", map[string]int{"A": 1, "B": 1, "C": 1})
	p.Risks = map[string]audit.RiskRule{
		"A": {Title: "hangs on one person", Outcomes: []audit.Outcome{audit.FAIL, audit.PART}, Mitigations: kinds},
		"B": {Title: "code drops", Outcomes: []audit.Outcome{audit.FAIL}, Mitigations: kinds},
	}
	return p
}

func TestTheRegisterListsRisksThatAreThereAndThoseThatNobodyKnows(t *testing.T) {
	prof := riskProfile(audit.MitigationSupport)
	for name, test := range map[string]struct {
		ms   []scoring.Measurement
		want map[string]bool // known or not
	}{
		"nothing measured":            {nil, map[string]bool{"A": false, "B": false}},
		"there":                       {[]scoring.Measurement{fail("A"), fail("B")}, map[string]bool{"A": true, "B": true}},
		"half an answer, where named": {[]scoring.Measurement{part("A"), part("B")}, map[string]bool{"A": true}},
		"not there":                   {[]scoring.Measurement{pass("A"), na("B")}, map[string]bool{}},
		"no risk by the profile":      {[]scoring.Measurement{pass("A"), pass("B"), fail("C")}, map[string]bool{}},
	} {
		got := map[string]bool{}
		for _, r := range scoring.Risks(scoring.Score(wide(4), test.ms, prof), audit.Fact[scoring.Governance]{}, prof) {
			got[r.Measurement.Indicator] = r.Known()
			if n, known := r.Radius.Get(); !known || n != 4 {
				t.Errorf("%s: radius %d, %v; want 4", name, n, known)
			}
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
		for id, known := range test.want {
			if is, ok := got[id]; !ok || is != known {
				t.Errorf("%s: %s got %v, %v; want %v", name, id, is, ok, known)
			}
		}
	}
}

func TestWhatLessensARisk(t *testing.T) {
	all := []string{audit.MitigationAlternative, audit.MitigationFoundation, audit.MitigationSupport, audit.MitigationOwnMaintainers}
	declared := func(kind, by string) scoring.Mitigation {
		return scoring.Mitigation{Kind: kind, Text: "a contract", AcceptedBy: by}
	}
	records := func(g scoring.Governance) audit.Fact[scoring.Governance] {
		g.Foundation = "Example Foundation"
		return audit.Known(g, audit.Origin{Source: "foundation", URL: "https://example.org/projects"})
	}
	tests := map[string]struct {
		p        scoring.Project
		g        audit.Fact[scoring.Governance]
		kinds    []string
		want     []string
		accepted bool
	}{
		"nothing":                              {kinds: all},
		"an alternative of the catalogue":      {p: scoring.Project{Alternatives: audit.Known([]scoring.Alternative{{Name: "other", Standards: []string{"s3"}}})}, kinds: all, want: []string{"alternative"}, accepted: true},
		"none was found":                       {p: scoring.Project{Alternatives: audit.Known([]scoring.Alternative{})}, kinds: all},
		"the catalogue names a foundation":     {p: scoring.Project{Foundation: "Example Foundation"}, kinds: all, want: []string{"foundation"}, accepted: true},
		"the catalogue knows that it has none": {p: scoring.Project{Foundation: "none"}, kinds: all},
		"a foundation's own records":           {g: records(scoring.Governance{}), kinds: all, want: []string{"foundation"}, accepted: true},
		"a foundation that does not list it":   {p: scoring.Project{Foundation: "Example Foundation"}, g: records(scoring.Governance{Listed: audit.Known(false)}), kinds: all},
		"a foundation that marks it inactive":  {p: scoring.Project{Foundation: "Example Foundation"}, g: records(scoring.Governance{Inactive: audit.Known(true)}), kinds: all},
		"a foundation that archived it":        {g: records(scoring.Governance{Level: audit.Known("archived")}), kinds: all},
		"a contract that nobody accepted":      {p: scoring.Project{Mitigations: []scoring.Mitigation{declared("support", "")}}, kinds: all, want: []string{"support"}},
		"a contract that somebody accepted":    {p: scoring.Project{Mitigations: []scoring.Mitigation{declared("support", "Example Audit")}}, kinds: all, want: []string{"support"}, accepted: true},
		"a contract does not help here":        {p: scoring.Project{Mitigations: []scoring.Mitigation{declared("support", "Example Audit")}}, kinds: []string{"alternative"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			prof := riskProfile(test.kinds...)
			rs := scoring.Risks(scoring.Score(test.p, []scoring.Measurement{fail("A"), pass("B")}, prof), test.g, prof)
			if len(rs) != 1 {
				t.Fatalf("got %d risks, want one", len(rs))
			}
			var got []string
			for _, m := range rs[0].Mitigations {
				got = append(got, m.Kind)
				if m.Declared != (m.Kind == "support") || m.Text == "" {
					t.Errorf("mitigation %+v", m)
				}
			}
			if !slices.Equal(got, test.want) || rs[0].Accepted() != test.accepted {
				t.Errorf("got %v, accepted %v; want %v, %v", got, rs[0].Accepted(), test.want, test.accepted)
			}
		})
	}
}
