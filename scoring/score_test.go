package scoring_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// rules makes a profile of indicators of one aspect; each is named by its letter and has the weight that follows.
func rules(aspect string, weights map[string]int, knockOuts ...string) audit.Profile {
	p := audit.Profile{Indicators: map[string]audit.IndicatorRule{}}
	for id, w := range weights {
		p.Indicators[id] = audit.IndicatorRule{Aspect: aspect, Weight: w, KnockOut: slices.Contains(knockOuts, id)}
	}
	return p
}

func pass(id string) scoring.Measurement {
	return scoring.Measurement{Indicator: id, Outcome: audit.PASS, Interval: audit.Exactly(10000)}
}

func part(id string) scoring.Measurement {
	return scoring.Measurement{Indicator: id, Outcome: audit.PART, Interval: audit.Exactly(5000)}
}

func fail(id string) scoring.Measurement {
	return scoring.Measurement{Indicator: id, Outcome: audit.FAIL, Interval: audit.Exactly(0)}
}

func miss(id string) scoring.Measurement { return scoring.Measurement{Indicator: id} }

func na(id string) scoring.Measurement {
	return scoring.Measurement{Indicator: id, Outcome: audit.NA}
}

func dnf(id string, low, high int) scoring.Measurement {
	return scoring.Measurement{Indicator: id, Outcome: audit.DNF, Interval: audit.Between(low, high)}
}

func TestTheScoreOfAnAspect(t *testing.T) {
	equal := map[string]int{"A": 1, "B": 1, "C": 1, "D": 1}
	tests := map[string]struct {
		profile audit.Profile
		ms      []scoring.Measurement
		want    scoring.AspectScore
	}{
		"the example of the reference: pass, half, unknown and one that does not apply": {
			rules("maturity", equal), []scoring.Measurement{pass("A"), part("B"), miss("C"), na("D")},
			scoring.AspectScore{Interval: audit.Between(5000, 8334), Coverage: 6666}},
		"nothing measured is the unknown": {
			rules("maturity", equal), nil, scoring.AspectScore{}},
		"what was not measured counts as unknown": {
			rules("maturity", equal), []scoring.Measurement{pass("A"), pass("B")},
			scoring.AspectScore{Interval: audit.Between(5000, 10000), Coverage: 5000}},
		"weights count": {
			rules("maturity", map[string]int{"A": 3, "B": 1}), []scoring.Measurement{pass("A"), fail("B")},
			scoring.AspectScore{Interval: audit.Exactly(7500), Coverage: 10000}},
		"information does not count": {
			rules("maturity", map[string]int{"A": 1, "B": 0}), []scoring.Measurement{pass("A"), fail("B")},
			scoring.AspectScore{Interval: audit.Exactly(10000), Coverage: 10000}},
		"a partial interval covers by the share that it excludes": {
			rules("maturity", map[string]int{"A": 1}), []scoring.Measurement{dnf("A", 5000, 10000)},
			scoring.AspectScore{Interval: audit.Between(5000, 10000), Coverage: 5000}},
		"an aspect to which nothing applies is the unknown": {
			rules("maturity", map[string]int{"A": 1}), []scoring.Measurement{na("A")}, scoring.AspectScore{}},
		"a knock-out leaves nothing": {
			rules("maturity", map[string]int{"A": 3, "B": 1}, "A"), []scoring.Measurement{fail("A"), pass("B")},
			scoring.AspectScore{Interval: audit.Exactly(0), Coverage: 10000, KnockOuts: []string{"A"}}},
		"an unknown knock-out may still fail": {
			rules("maturity", map[string]int{"A": 3, "B": 1}, "A"), []scoring.Measurement{miss("A"), pass("B")},
			scoring.AspectScore{Interval: audit.Between(0, 10000), Coverage: 2500, Open: []string{"A"}}},
		"a knock-out that can no longer fail is not open": {
			rules("maturity", map[string]int{"A": 3, "B": 1}, "A"), []scoring.Measurement{dnf("A", 5000, 10000), pass("B")},
			scoring.AspectScore{Interval: audit.Between(6250, 10000), Coverage: 6250}},
		"a knock-out that does not apply is not open": {
			rules("maturity", map[string]int{"A": 3, "B": 1}, "A"), []scoring.Measurement{na("A"), pass("B")},
			scoring.AspectScore{Interval: audit.Exactly(10000), Coverage: 10000}},
		"of two answers to one question the worse counts": {
			rules("maturity", map[string]int{"A": 1}), []scoring.Measurement{pass("A"), fail("A"), na("A")},
			scoring.AspectScore{Interval: audit.Exactly(0), Coverage: 10000}},
		"an answer that the profile does not know is left out": {
			rules("maturity", map[string]int{"A": 1}), []scoring.Measurement{pass("A"), fail("Z")},
			scoring.AspectScore{Interval: audit.Exactly(10000), Coverage: 10000}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := scoring.Score(scoring.Project{}, test.ms, test.profile)
			if len(s.Aspects) != len(scoring.Aspects) || len(s.Measurements) != len(test.profile.Indicators) {
				t.Fatalf("got %d aspects and %d measurements, want all of both", len(s.Aspects), len(s.Measurements))
			}
			test.want.Aspect = "maturity"
			if got, _ := s.Aspect("maturity"); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestAGateComparesIntervals(t *testing.T) {
	tests := map[string]struct {
		low, high, coverage int
		want                audit.Outcome
	}{
		"reached by the low end with enough known":    {6000, 8000, 6000, audit.PASS},
		"reached, but too little known":               {6000, 8000, 5999, audit.DNF},
		"missed by the high end":                      {1000, 5999, 9000, audit.FAIL},
		"missed whatever the coverage":                {0, 0, 0, audit.FAIL},
		"spanned":                                     {5999, 6000, 9000, audit.DNF},
		"unknown":                                     {0, 10000, 0, audit.DNF},
		"certain but one point below is still a miss": {5999, 5999, 10000, audit.FAIL},
	}
	for name, test := range tests {
		a := scoring.AspectScore{Interval: audit.Between(test.low, test.high), Coverage: test.coverage}
		if got := a.Meets(audit.Gate{Low: 6000, Coverage: 6000}); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func ids(ms []scoring.Measurement) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Indicator)
	}
	return out
}

func TestTheFewestFactsThatSettleAGate(t *testing.T) {
	weights := map[string]int{"A": 3, "B": 2, "C": 1, "D": 1}
	tests := map[string]struct {
		knockOuts []string
		ms        []scoring.Measurement
		gate      audit.Gate
		want      []string
	}{
		"the heaviest first, no more than needed":                    {nil, []scoring.Measurement{pass("C")}, audit.Gate{Low: 5000}, []string{"A"}},
		"two if one is not enough":                                   {nil, nil, audit.Gate{Low: 7000}, []string{"A", "B"}},
		"equal ones by their id":                                     {nil, []scoring.Measurement{pass("A"), fail("B")}, audit.Gate{Low: 5000}, []string{"C"}},
		"an open knock-out comes first even if it is enough without": {[]string{"D"}, []scoring.Measurement{pass("A"), pass("B")}, audit.Gate{Low: 6000}, []string{"D"}},
		"coverage asks for facts too":                                {nil, []scoring.Measurement{pass("A"), dnf("B", 5000, 10000)}, audit.Gate{Low: 5000, Coverage: 8000}, []string{"B", "C"}},
		"a gate that holds needs nothing":                            {nil, []scoring.Measurement{pass("A"), pass("B")}, audit.Gate{Low: 5000}, nil},
		"a gate that is missed cannot be settled":                    {nil, []scoring.Measurement{fail("A"), fail("B"), pass("C")}, audit.Gate{Low: 5000}, nil},
		"what does not apply settles nothing":                        {nil, []scoring.Measurement{na("A"), pass("B"), na("C")}, audit.Gate{Low: 9000}, []string{"D"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			prof := rules("activity", weights, test.knockOuts...)
			s := scoring.Score(scoring.Project{}, test.ms, prof)
			got := scoring.Settle(s, "activity", test.gate)
			if !slices.Equal(ids(got), test.want) {
				t.Fatalf("got %v, want %v", ids(got), test.want)
			}
			if len(got) == 0 {
				return
			}
			ms := slices.Clone(test.ms)
			for _, m := range got {
				ms = slices.DeleteFunc(ms, func(old scoring.Measurement) bool { return old.Indicator == m.Indicator })
				ms = append(ms, pass(m.Indicator))
			}
			a, _ := scoring.Score(scoring.Project{}, ms, prof).Aspect("activity")
			if outcome := a.Meets(test.gate); outcome != audit.PASS {
				t.Errorf("with these facts the gate is %v, want PASS", outcome)
			}
		})
	}
	if got := scoring.Settle(scoring.ProjectScore{}, "activity", audit.Gate{Low: 1}); got != nil {
		t.Errorf("a score without aspects: got %v, want nothing", ids(got))
	}
}

func TestTheVerdictInTheWordsOfScs0218(t *testing.T) {
	prof := rules("activity", map[string]int{"A": 3, "B": 1}, "A")
	prof.Indicators["S"] = audit.IndicatorRule{Aspect: "security", Weight: 1}
	prof.Gates = map[string]map[string]map[string]audit.Gate{
		"scs-open":      {"platform": {"activity": {Low: 8000, Coverage: 6000}}, "building-block": {}},
		"scs-sovereign": {"platform": {"activity": {Low: 8000, Coverage: 6000}, "security": {Low: 6000, Coverage: 8000}}, "building-block": {}},
	}
	tests := map[string]struct {
		role   string
		ms     []scoring.Measurement
		levels []string
		want   string
	}{
		"everything holds": {"platform", []scoring.Measurement{pass("A"), pass("B"), pass("S")}, nil, scoring.Passed},
		"a knock-out stops the show whatever else holds":        {"platform", []scoring.Measurement{fail("A"), pass("B"), pass("S")}, nil, scoring.Showstopper},
		"a knock-out stops a building block too":                {"building-block", []scoring.Measurement{fail("A")}, nil, scoring.Showstopper},
		"an unknown knock-out leaves it undetermined":           {"building-block", []scoring.Measurement{pass("B")}, nil, scoring.Undetermined},
		"an unknown knock-out is not outweighed by a miss":      {"platform", []scoring.Measurement{fail("B"), fail("S")}, nil, scoring.Undetermined},
		"a missed score gate is almost":                         {"platform", []scoring.Measurement{pass("A"), fail("B"), pass("S")}, nil, scoring.Almost},
		"a miss beside an unknown is almost: it can never pass": {"platform", []scoring.Measurement{pass("A"), fail("B")}, nil, scoring.Almost},
		"an undetermined score gate leaves it undetermined":     {"platform", []scoring.Measurement{pass("A"), pass("B")}, nil, scoring.Undetermined},
		"a lower level asks less":                               {"platform", []scoring.Measurement{pass("A"), pass("B")}, []string{"scs-open"}, scoring.Passed},
		"a level without gates says nothing":                    {"platform", []scoring.Measurement{pass("A"), pass("B"), pass("S")}, []string{"scs-other"}, scoring.Undetermined},
		"a building block needs no score":                       {"building-block", []scoring.Measurement{pass("A")}, nil, scoring.Passed},
		"no role counts as platform":                            {"", []scoring.Measurement{pass("A"), fail("B"), pass("S")}, nil, scoring.Almost},
		"an unknown role counts as platform":                    {"ornament", []scoring.Measurement{pass("A"), fail("B"), pass("S")}, nil, scoring.Almost},
		"nothing measured is undetermined":                      {"platform", nil, nil, scoring.Undetermined},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := scoring.Score(scoring.Project{Role: test.role}, test.ms, prof)
			if got := scoring.Verdict(s, prof, test.levels...); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if got := scoring.Verdict(scoring.ProjectScore{}, prof); got != scoring.Undetermined {
		t.Errorf("a score without aspects: got %s, want %s", got, scoring.Undetermined)
	}
}

// TestMoreKnowledgeOnlyNarrows replaces unknown measurements by known ones, in random profiles.
func TestMoreKnowledgeOnlyNarrows(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	letters := []string{"A", "B", "C", "D", "E", "F"}
	for range 3000 {
		weights := map[string]int{}
		for _, id := range letters[:1+r.IntN(len(letters))] {
			weights[id] = r.IntN(4)
		}
		var knockOuts []string
		if r.IntN(2) == 0 {
			knockOuts = []string{"A"}
		}
		prof := rules("security", weights, knockOuts...)
		prof.Gates = map[string]map[string]map[string]audit.Gate{"x": {"platform": {"security": {Low: 1 + r.IntN(10000), Coverage: r.IntN(10001)}}}}
		var ms []scoring.Measurement
		before := scoring.Score(scoring.Project{}, nil, prof)
		order := slices.Clone(letters)
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, id := range order {
			low := r.IntN(10000)
			ms = append(ms, []scoring.Measurement{pass(id), part(id), fail(id), na(id), dnf(id, low, low+1+r.IntN(10000-low))}[r.IntN(5)])
			after := scoring.Score(scoring.Project{}, ms, prof)
			b, _ := before.Aspect("security")
			a, _ := after.Aspect("security")
			nothing := !slices.ContainsFunc(after.Measurements, func(m scoring.Measurement) bool { return m.Outcome != audit.NA && m.Weight > 0 })
			if !a.Interval.Within(b.Interval) && !nothing {
				t.Fatalf("weights %v, knock-outs %v, %+v: [%v] became [%v]", weights, knockOuts, ms, b.Interval, a.Interval)
			}
			gate := prof.Gates["x"]["platform"]["security"]
			if b.Meets(gate) == audit.FAIL && a.Meets(gate) == audit.PASS {
				t.Fatalf("a gate that was missed is met with more knowledge: [%v] became [%v]", b.Interval, a.Interval)
			}
			before = after
		}
	}
}
