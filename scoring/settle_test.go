package scoring_test

import (
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// answered replaces the measurements of a set by the best or the worst that each can still become.
func answered(s scoring.ProjectScore, set []string, outcome audit.Outcome, prof audit.Profile) scoring.ProjectScore {
	ms := slices.Clone(s.Measurements)
	for i, m := range ms {
		if !slices.Contains(set, m.Indicator) {
			continue
		}
		at := m.Interval.High()
		if outcome == audit.FAIL {
			at = m.Interval.Low()
		}
		ms[i].Interval = audit.Exactly(at)
		switch at {
		case 0:
			ms[i].Outcome = audit.FAIL
		case audit.Full:
			ms[i].Outcome = audit.PASS
		default:
			ms[i].Outcome = audit.PART
		}
	}
	return scoring.Score(s.Project, ms, prof)
}

func costOf(ms []scoring.Measurement) (total int) {
	for _, m := range ms {
		total += slices.Index(scoring.Sources(), m.From)
	}
	return total
}

// smallest tries every set of unknown measurements of an aspect: the fewest, and of those the cheapest.
func smallest(s scoring.ProjectScore, aspect string, g audit.Gate, outcome audit.Outcome, prof audit.Profile) (size, cost int, found bool) {
	var open []scoring.Measurement
	for _, m := range s.Measurements {
		if m.Aspect == aspect && m.Outcome != audit.NA && (m.Interval.Width() > 0 || !m.Outcome.Decided()) {
			open = append(open, m)
		}
	}
	for set := range uint(1) << len(open) {
		n := bits.OnesCount(set)
		if found && n > size {
			continue
		}
		var chosen []scoring.Measurement
		for i, m := range open {
			if set>>i&1 == 1 {
				chosen = append(chosen, m)
			}
		}
		if found && n == size && costOf(chosen) >= cost {
			continue
		}
		after, _ := answered(s, ids(chosen), outcome, prof).Aspect(aspect)
		if after.Meets(g) == outcome {
			size, cost, found = n, costOf(chosen), true
		}
	}
	return size, cost, found
}

// TestASettlementIsTheSmallestAndCheapestOfAllSets compares with a search through every set.
func TestASettlementIsTheSmallestAndCheapestOfAllSets(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	seen := map[audit.Outcome]int{}
	for range 1500 {
		prof, p := anyProfile(r), anyProject(r)
		s := scoring.Score(p, anyAnswers(r, prof, true), prof)
		gate := audit.Gate{Low: 1 + r.IntN(10000), Coverage: r.IntN(10001)}
		for _, a := range s.Aspects {
			sets := scoring.Settlements(s, a.Aspect, gate)
			if a.Meets(gate) != audit.DNF {
				if len(sets) > 0 {
					t.Fatalf("a decided gate has settlements: %+v %+v", a, gate)
				}
				continue
			}
			for _, outcome := range []audit.Outcome{audit.PASS, audit.FAIL} {
				size, cost, found := smallest(s, a.Aspect, gate, outcome, prof)
				at := slices.IndexFunc(sets, func(x scoring.Settlement) bool { return x.Outcome == outcome })
				if (at >= 0) != (found && size > 0) {
					t.Fatalf("%v: settlement %v, search through all sets %v: %+v, gate %+v", outcome, at >= 0, found, s.Measurements, gate)
				}
				if at < 0 {
					continue
				}
				seen[outcome]++
				got := sets[at].Measurements
				after, _ := answered(s, ids(got), outcome, prof).Aspect(a.Aspect)
				if after.Meets(gate) != outcome || len(got) != size || costOf(got) != cost {
					t.Fatalf("%v: got %v (cost %d), gate then %v; the smallest has %d (cost %d): %+v, gate %+v", outcome, ids(got), costOf(got), after.Meets(gate), size, cost, s.Measurements, gate)
				}
			}
		}
	}
	if seen[audit.PASS] < 100 || seen[audit.FAIL] < 100 {
		t.Errorf("compared %v: too few of a kind", seen)
	}
}

func TestASettlementGroupsWhatOnePlaceWouldAnswer(t *testing.T) {
	prof := rules("security", map[string]int{"A": 1, "B": 1, "C": 1, "D": 1, "E": 2}, "E")
	from := func(id, source string) scoring.Measurement { return scoring.Measurement{Indicator: id, From: source} }
	s := scoring.Score(scoring.Project{}, []scoring.Measurement{
		from("A", scoring.FromDeclaration), from("B", scoring.FromForge), from("C", scoring.FromForge), from("D", scoring.FromGit), from("E", scoring.FromThirdParty),
	}, prof)
	got := scoring.Settlements(s, "security", audit.Gate{Low: 8000})
	if len(got) != 2 || got[0].Outcome != audit.PASS || got[1].Outcome != audit.FAIL {
		t.Fatalf("got %+v, want one settlement for each direction", got)
	}
	want := []scoring.Ask{{Source: scoring.FromGit, Indicators: []string{"D"}}, {Source: scoring.FromForge, Indicators: []string{"B", "C"}}, {Source: scoring.FromThirdParty, Indicators: []string{"E"}}}
	if !reflect.DeepEqual(got[0].Asks, want) {
		t.Errorf("to pass: got %+v, want %+v", got[0].Asks, want)
	}
	if want := []scoring.Ask{{Source: scoring.FromThirdParty, Indicators: []string{"E"}}}; !reflect.DeepEqual(got[1].Asks, want) {
		t.Errorf("to fail: got %+v, want the open knock-out alone", got[1].Asks)
	}
}
