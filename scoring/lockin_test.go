package scoring_test

import (
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// matrix is a profile with one indicator for each axis, and the borders of the design.
func matrix() audit.Profile {
	p := rules("lock-in", map[string]int{"P": 1, "E": 1})
	p.LockIn = audit.LockInRule{
		Low: 3300, High: 6600, Probability: []string{"P"}, Effect: []string{"E"},
		Radius: []audit.RadiusStep{{From: 1, Factor: 5000}, {From: 3, Factor: 7500}, {From: 10, Factor: 10000}},
		Risks: map[string]map[string]string{
			"low": {"low": "low", "medium": "low", "high": "medium"}, "medium": {"low": "low", "medium": "medium", "high": "high"},
			"high": {"low": "medium", "medium": "high", "high": "high"},
		},
		Mitigations: []string{audit.MitigationAlternative, audit.MitigationFoundation, audit.MitigationSupport, audit.MitigationOwnMaintainers},
	}
	return p
}

// wide is a project that everything depends on, so that the whole effect counts.
func wide(radius int) scoring.Project {
	return scoring.Project{ID: "x", Deployed: audit.Known(scoring.Deployed{Radius: radius})}
}

func TestTheLockInMatrix(t *testing.T) {
	// What an indicator lacks to 10000 is the risk.
	risk := func(id string, low, high int) scoring.Measurement { return dnf(id, audit.Full-high, audit.Full-low) }
	none := audit.Fact[scoring.Governance]{}
	tests := map[string]struct {
		p                        [2]int
		e                        [2]int
		radius                   int
		probability, effect, out string
	}{
		"both low":                         {[2]int{0, 0}, [2]int{3299, 3299}, 10, "low", "low", "low"},
		"both just medium":                 {[2]int{3300, 3300}, [2]int{6600, 6600}, 10, "medium", "medium", "medium"},
		"high and at least medium is high": {[2]int{6601, 6601}, [2]int{3300, 3300}, 10, "high", "medium", "high"},
		"in either order":                  {[2]int{3300, 3300}, [2]int{6601, 6601}, 10, "medium", "high", "high"},
		"high and low is medium":           {[2]int{9000, 10000}, [2]int{0, 3299}, 10, "high", "low", "medium"},
		"an interval that spans a border is undetermined":    {[2]int{3299, 3300}, [2]int{5000, 5000}, 10, "undetermined", "medium", "undetermined"},
		"unless every cell says the same":                    {[2]int{3300, 10000}, [2]int{7000, 9000}, 10, "undetermined", "high", "high"},
		"nothing known":                                      {[2]int{0, 10000}, [2]int{0, 10000}, 0, "undetermined", "undetermined", "undetermined"},
		"a project that nothing depends on hurts half":       {[2]int{9000, 9000}, [2]int{6598, 6598}, 1, "high", "low", "medium"},
		"a few dependants, three quarters":                   {[2]int{9000, 9000}, [2]int{6599, 6599}, 3, "high", "medium", "high"},
		"an unknown radius leaves what any radius would say": {[2]int{9000, 9000}, [2]int{7000, 7000}, 0, "high", "undetermined", "high"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := scoring.Project{}
			if test.radius > 0 {
				p = wide(test.radius)
			}
			s := scoring.Score(p, []scoring.Measurement{risk("P", test.p[0], test.p[1]), risk("E", test.e[0], test.e[1])}, matrix())
			l := scoring.Matrix(s, none, matrix())
			if l.Probability.Class != test.probability || l.Effect.Class != test.effect || l.Risk != test.out {
				t.Errorf("got %s and %s, together %s; want %s and %s, together %s (%+v)", l.Probability.Class, l.Effect.Class, l.Risk, test.probability, test.effect, test.out, l)
			}
		})
	}
}

func TestAKnockOutOnAnAxisIsTheFullRisk(t *testing.T) {
	prof := matrix()
	prof.Indicators["K"] = audit.IndicatorRule{Aspect: "activity", Weight: 3, KnockOut: true}
	prof.LockIn.Probability = append(prof.LockIn.Probability, "K")
	none := audit.Fact[scoring.Governance]{}
	l := scoring.Matrix(scoring.Score(wide(10), []scoring.Measurement{fail("K"), pass("P"), part("E")}, prof), none, prof)
	if l.Probability.Interval != audit.Exactly(audit.Full) || l.Risk != "high" {
		t.Errorf("abandoned: got probability [%v], risk %s; want 10000, high", l.Probability.Interval, l.Risk)
	}
	l = scoring.Matrix(scoring.Score(wide(10), []scoring.Measurement{miss("K"), pass("P"), part("E")}, prof), none, prof)
	if l.Probability.Interval.High() != audit.Full || l.Risk != scoring.Undetermined || l.Worst != "high" {
		t.Errorf("perhaps abandoned: got %+v; want up to 10000, undetermined", l)
	}
}

func TestAProfileWithoutMatrixLeavesTheRiskUndetermined(t *testing.T) {
	prof := rules("lock-in", map[string]int{"P": 1})
	l := scoring.Matrix(scoring.Score(wide(1), []scoring.Measurement{pass("P")}, prof), audit.Fact[scoring.Governance]{}, prof)
	if l.Risk != scoring.Undetermined || l.Probability.Class != scoring.Undetermined || l.Effect.Class != scoring.Undetermined || l.Worst != "" {
		t.Errorf("got %+v, want undetermined", l)
	}
}

// What an unknown radius may still change is no knowledge: both ends hold, and so much less of the axis is known. Ends are
// rounded outward.
func TestTheRadiusScalesEndsAndCoverageOfTheEffect(t *testing.T) {
	effect := func(p scoring.Project) scoring.Axis {
		known := dnf("E", audit.Full-6001, audit.Full-6001)
		known.Outcome = audit.PART
		return scoring.Matrix(scoring.Score(p, []scoring.Measurement{known}, matrix()), audit.Fact[scoring.Governance]{}, matrix()).Effect
	}
	if a := effect(wide(3)); a.Interval != audit.Between(4500, 4501) || a.Coverage != audit.Full {
		t.Errorf("radius 3: got %v, %d known", a.Interval, a.Coverage)
	}
	if a := effect(scoring.Project{}); a.Interval != audit.Between(3000, 6001) || a.Coverage != audit.Full/2 {
		t.Errorf("unknown radius: got %v, %d known", a.Interval, a.Coverage)
	}
}
