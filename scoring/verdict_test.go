package scoring_test

import (
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// TestTheProfileDecidesWhichWordAVerdictIs gives other words than the built-in profile.
func TestTheProfileDecidesWhichWordAVerdictIs(t *testing.T) {
	prof := rules("activity", map[string]int{"A": 3, "B": 1}, "A")
	prof.Indicators["K"] = audit.IndicatorRule{Aspect: "security", Weight: 3, KnockOut: true}
	prof.Gates = map[string]map[string]map[string]audit.Gate{
		"strict": {"platform": {"activity": {Low: 9000}}, "building-block": {}},
		"lax":    {"platform": {"activity": {Low: 5000}}, "building-block": {}},
	}
	prof.Verdicts = map[string][]audit.VerdictRule{
		"platform": {
			{When: audit.WhenKnockOut, Indicators: []string{"A"}, Says: scoring.Showstopper},
			{When: audit.WhenMissedGate, Levels: []string{"lax"}, Says: scoring.Showstopper},
			{When: audit.WhenKnockOut, Says: scoring.Almost},
			{When: audit.WhenMissedGate, Aspects: []string{"activity"}, Says: scoring.Almost},
			{When: audit.WhenOtherwise, Says: scoring.Passed},
		},
		"building-block": {{When: audit.WhenKnockOut, Says: scoring.Showstopper}, {When: audit.WhenOtherwise, Says: scoring.Passed}},
	}
	half := dnf("A", 5000, 5000)
	tests := map[string]struct {
		role string
		ms   []scoring.Measurement
		want string
	}{
		"the knock-out that is named stops the show":                 {"platform", []scoring.Measurement{fail("A"), pass("B"), pass("K")}, scoring.Showstopper},
		"another is a point":                                         {"platform", []scoring.Measurement{pass("A"), pass("B"), fail("K")}, scoring.Almost},
		"a missed gate of the lax level stops the show":              {"platform", []scoring.Measurement{half, fail("B"), pass("K")}, scoring.Showstopper},
		"one of the strict level is a point":                         {"platform", []scoring.Measurement{pass("A"), fail("B"), pass("K")}, scoring.Almost},
		"a point either way, though nobody knows which":              {"platform", []scoring.Measurement{pass("A"), fail("B")}, scoring.Almost},
		"an open knock-out that may be a point or nothing":           {"platform", []scoring.Measurement{pass("A"), pass("B")}, scoring.Undetermined},
		"an open knock-out before a certain point":                   {"platform", []scoring.Measurement{fail("B"), fail("K")}, scoring.Undetermined},
		"everything holds":                                           {"platform", []scoring.Measurement{pass("A"), pass("B"), pass("K")}, scoring.Passed},
		"another role is read by its own lines":                      {"building-block", []scoring.Measurement{pass("A"), fail("B"), fail("K")}, scoring.Showstopper},
		"a role that the profile does not name counts as a platform": {"ornament", []scoring.Measurement{pass("A"), pass("B"), fail("K")}, scoring.Almost},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := scoring.Score(scoring.Project{Role: test.role}, test.ms, prof)
			if got := scoring.Verdict(s, prof); got != test.want {
				t.Errorf("got %s, want %s (%+v)", got, test.want, s.Aspects)
			}
		})
	}
}
