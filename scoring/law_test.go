package scoring_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// The laws of the arithmetic, held against random profiles and answers. Each seed is fixed, so that a failure can be repeated.

// lawRounds is how many random projects each law is held against.
const lawRounds = 2000

// anyProfile makes a profile of up to nine indicators in three aspects, with gates, verdicts, risks and a matrix.
func anyProfile(r *rand.Rand) audit.Profile {
	aspects := []string{"security", "activity", "lock-in"}
	p := audit.Profile{Indicators: map[string]audit.IndicatorRule{}, Gates: map[string]map[string]map[string]audit.Gate{}, Risks: map[string]audit.RiskRule{}}
	for i := range 1 + r.IntN(9) {
		id := fmt.Sprintf("X-%02d", i)
		p.Indicators[id] = audit.IndicatorRule{Aspect: aspects[r.IntN(3)], Weight: r.IntN(4), KnockOut: r.IntN(5) == 0}
		if r.IntN(3) == 0 {
			p.Risks[id] = audit.RiskRule{Title: id, Outcomes: []audit.Outcome{audit.FAIL}, Mitigations: []string{"alternative"}}
		}
		axis := &p.LockIn.Probability
		if r.IntN(2) == 0 {
			axis = &p.LockIn.Effect
		}
		*axis = append(*axis, id)
	}
	for _, level := range []string{"one", "two"} {
		gates := map[string]audit.Gate{}
		for _, aspect := range aspects {
			if r.IntN(2) == 0 {
				gates[aspect] = audit.Gate{Low: 1 + r.IntN(10000), Coverage: r.IntN(10001)}
			}
		}
		p.Gates[level] = map[string]map[string]audit.Gate{"platform": gates, "building-block": {}}
	}
	p.LockIn.Low = 1 + r.IntN(5000)
	p.LockIn.High = p.LockIn.Low + r.IntN(5000)
	p.LockIn.Radius = []audit.RadiusStep{{From: 1, Factor: r.IntN(5000)}, {From: 5, Factor: 5000 + r.IntN(5001)}}
	p.LockIn.Risks = map[string]map[string]string{
		"low": {"low": "low", "medium": "low", "high": "medium"}, "medium": {"low": "low", "medium": "medium", "high": "high"},
		"high": {"low": "medium", "medium": "high", "high": "high"},
	}
	if r.IntN(2) == 0 {
		p.Verdicts = map[string][]audit.VerdictRule{"platform": {
			{When: audit.WhenKnockOut, Indicators: []string{"X-00", "X-01"}, Says: scoring.Almost},
			{When: audit.WhenMissedGate, Levels: []string{"one"}, Says: scoring.Showstopper},
			{When: audit.WhenKnockOut, Says: scoring.Showstopper},
			{When: audit.WhenMissedGate, Says: scoring.Almost},
			{When: audit.WhenOtherwise, Says: scoring.Passed},
		}}
	}
	return p
}

// anyAnswer is an answer of any kind, known or not; NA only if asked for, because it changes what is asked.
func anyAnswer(r *rand.Rand, id string, na bool) scoring.Measurement {
	m := scoring.Measurement{Indicator: id, From: scoring.Sources()[r.IntN(len(scoring.Sources()))], Grade: []audit.Grade{"", "A", "B", "C", "D", "E"}[r.IntN(6)]}
	low := r.IntN(10001)
	switch r.IntN(7) {
	case 0:
		m.Outcome, m.Interval = audit.PASS, audit.Exactly(10000)
	case 1:
		m.Outcome, m.Interval = audit.FAIL, audit.Exactly(0)
	case 2:
		m.Outcome, m.Interval = audit.PART, audit.Between(low, min(10000, low+1))
	case 3:
		m.Outcome, m.Interval = audit.DNF, audit.Between(low, low+r.IntN(10001-low))
	case 4:
		m.Outcome = audit.DNF
	case 5:
		if na {
			m.Outcome = audit.NA
		}
	}
	return m
}

func anyAnswers(r *rand.Rand, prof audit.Profile, na bool) (ms []scoring.Measurement) {
	for i := range len(prof.Indicators) {
		ms = append(ms, anyAnswer(r, fmt.Sprintf("X-%02d", i), na))
	}
	return ms
}

func anyProject(r *rand.Rand) scoring.Project {
	p := scoring.Project{ID: "x", Role: []string{"platform", "building-block", ""}[r.IntN(3)]}
	if r.IntN(2) == 0 {
		p.Deployed = audit.Known(scoring.Deployed{Radius: 1 + r.IntN(20)})
	}
	return p
}

// learnt is the answer after somebody looked: certain, and anywhere in the interval that was left.
func learnt(r *rand.Rand, m scoring.Measurement) scoring.Measurement {
	if m.Outcome == audit.NA || m.Outcome.Decided() {
		return m
	}
	at := m.Interval.Low() + r.IntN(m.Interval.Width()+1)
	m.Interval = audit.Exactly(at)
	switch at {
	case 0:
		m.Outcome = audit.FAIL
	case audit.Full:
		m.Outcome = audit.PASS
	default:
		m.Outcome = audit.PART
	}
	return m
}

func replaced(ms []scoring.Measurement, at int, m scoring.Measurement) []scoring.Measurement {
	out := slices.Clone(ms)
	out[at] = m
	return out
}

func TestAFactMoreNarrowsEveryNumberAndTurnsNoDecision(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	words := map[string]int{}
	for range lawRounds {
		prof, p := anyProfile(r), anyProject(r)
		ms := anyAnswers(r, prof, true)
		before := scoring.Score(p, ms, prof)
		at := r.IntN(len(ms))
		after := scoring.Score(p, replaced(ms, at, learnt(r, ms[at])), prof)
		for i, a := range after.Aspects {
			b := before.Aspects[i]
			if !a.Interval.Within(b.Interval) || a.Coverage < b.Coverage || len(a.Open) > len(b.Open) {
				t.Fatalf("%+v learnt: %+v became %+v", ms[at], b, a)
			}
			for _, gate := range prof.Gates["one"]["platform"] {
				if was := b.Meets(gate); was != audit.DNF && was != a.Meets(gate) {
					t.Fatalf("%+v learnt: a gate that was %v is %v", ms[at], was, a.Meets(gate))
				}
			}
		}
		was, is := scoring.Verdict(before, prof), scoring.Verdict(after, prof)
		if words[is]++; was != scoring.Undetermined && was != is {
			t.Fatalf("%+v learnt: the verdict %s became %s", ms[at], was, is)
		}
		none := audit.Fact[scoring.Governance]{}
		narrows(t, scoring.Matrix(before, none, prof), scoring.Matrix(after, none, prof))
		with := before
		with.Project.Deployed = audit.Known(scoring.Deployed{Radius: 1 + r.IntN(20)})
		if _, known := before.Project.Deployed.Get(); !known {
			narrows(t, scoring.Matrix(before, none, prof), scoring.Matrix(with, none, prof))
		}
	}
	for _, word := range []string{scoring.Passed, scoring.Almost, scoring.Showstopper, scoring.Undetermined} {
		if words[word] < 20 {
			t.Errorf("only %d projects were %s: the law was hardly asked", words[word], word)
		}
	}
}

func narrows(t *testing.T, before, after scoring.LockIn) {
	t.Helper()
	for _, axis := range [][2]scoring.Axis{{before.Probability, after.Probability}, {before.Effect, after.Effect}} {
		b, a := axis[0], axis[1]
		if !a.Interval.Within(b.Interval) || a.Coverage < b.Coverage || b.Class != scoring.Undetermined && a.Class != b.Class {
			t.Fatalf("an axis %+v became %+v", b, a)
		}
	}
	if before.Risk != scoring.Undetermined && after.Risk != before.Risk {
		t.Fatalf("the risk %s became %s", before.Risk, after.Risk)
	}
}

func TestABetterAnswerNeverWorsens(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	rank := []string{scoring.Showstopper, scoring.Almost, scoring.Passed}
	risks := []string{"high", "medium", "low"}
	for range lawRounds {
		prof, p := anyProfile(r), anyProject(r)
		prof.Verdicts = nil // the words of a profile may stand in any order
		ms := anyAnswers(r, prof, false)
		at := r.IntN(len(ms))
		better := ms[at]
		better.Interval = audit.Between(better.Interval.Low()+r.IntN(audit.Full-better.Interval.Low()+1), better.Interval.High()+r.IntN(audit.Full-better.Interval.High()+1))
		switch {
		case better.Interval.Low() == audit.Full:
			better.Outcome = audit.PASS
		case better.Interval.High() > 0 && better.Outcome == audit.FAIL:
			better.Outcome = audit.DNF
		}
		before, after := scoring.Score(p, ms, prof), scoring.Score(p, replaced(ms, at, better), prof)
		for i, a := range after.Aspects {
			b := before.Aspects[i]
			if a.Interval.Low() < b.Interval.Low() || a.Interval.High() < b.Interval.High() || len(a.KnockOuts) > len(b.KnockOuts) {
				t.Fatalf("[%v] became [%v]: %+v became %+v", ms[at].Interval, better.Interval, b, a)
			}
		}
		was, is := slices.Index(rank, scoring.Verdict(before, prof)), slices.Index(rank, scoring.Verdict(after, prof))
		if was >= 0 && is >= 0 && is < was {
			t.Fatalf("[%v] became [%v]: %s became %s", ms[at].Interval, better.Interval, rank[was], rank[is])
		}
		none := audit.Fact[scoring.Governance]{}
		b, a := scoring.Matrix(before, none, prof), scoring.Matrix(after, none, prof)
		wasRisk, isRisk := slices.Index(risks, b.Risk), slices.Index(risks, a.Risk)
		if wasRisk >= 0 && isRisk >= 0 && isRisk < wasRisk || a.Probability.Interval.High() > b.Probability.Interval.High() ||
			a.Effect.Interval.Low() > b.Effect.Interval.Low() {
			t.Fatalf("[%v] became [%v]: %+v became %+v", ms[at].Interval, better.Interval, b, a)
		}
	}
}

func TestNothingUnknownPasses(t *testing.T) {
	r := rand.New(rand.NewPCG(35, 36))
	for range lawRounds {
		prof, p := anyProfile(r), anyProject(r)
		s := scoring.Score(p, nil, prof)
		for _, a := range s.Aspects {
			if a.Interval.Known() || a.Coverage != 0 || a.Confidence != 0 {
				t.Fatalf("nothing measured: %+v", a)
			}
			if a.Meets(audit.Gate{Low: 1}) != audit.DNF {
				t.Fatalf("nothing measured, and a gate is decided: %+v", a)
			}
		}
		var word string
		if gated := len(prof.Gates["one"]["platform"])+len(prof.Gates["two"]["platform"]) > 0 && p.Role != "building-block"; gated {
			word = scoring.Verdict(s, prof)
		}
		if word != "" && word != scoring.Undetermined {
			t.Fatalf("nothing measured, and the verdict is %s", word)
		}
		// A single answer lost from any set of answers makes nothing pass.
		ms := anyAnswers(r, prof, false)
		full := scoring.Verdict(scoring.Score(p, ms, prof), prof)
		lost := scoring.Verdict(scoring.Score(p, slices.Delete(slices.Clone(ms), 0, 1), prof), prof)
		if lost == scoring.Passed && full != scoring.Passed {
			t.Fatalf("without %+v the verdict %s became passed", ms[0], full)
		}
	}
}

func TestTheOrderOfAnswersNeverMatters(t *testing.T) {
	r := rand.New(rand.NewPCG(37, 38))
	none := audit.Fact[scoring.Governance]{}
	for range lawRounds {
		prof, p := anyProfile(r), anyProject(r)
		ms := append(anyAnswers(r, prof, true), anyAnswers(r, prof, true)...) // two answers to one question are allowed
		other := slices.Clone(ms)
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		a, b := scoring.Score(p, ms, prof), scoring.Score(p, other, prof)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("another order: %+v became %+v", a, b)
		}
		if scoring.Verdict(a, prof) != scoring.Verdict(b, prof) || !reflect.DeepEqual(scoring.Matrix(a, none, prof), scoring.Matrix(b, none, prof)) ||
			!reflect.DeepEqual(scoring.Risks(a, none, prof), scoring.Risks(b, none, prof)) {
			t.Fatal("another order of answers changes verdict, matrix or risks")
		}
	}
}

func TestScoresAreRoundedOutwardAndStayInRange(t *testing.T) {
	r := rand.New(rand.NewPCG(39, 40))
	for range lawRounds {
		prof, p := anyProfile(r), anyProject(r)
		s := scoring.Score(p, anyAnswers(r, prof, true), prof)
		for _, a := range s.Aspects {
			var weight, low, high int
			for _, m := range s.Measurements {
				if m.Aspect == a.Aspect && m.Outcome != audit.NA {
					weight, low, high = weight+m.Weight, low+m.Weight*m.Interval.Low(), high+m.Weight*m.Interval.High()
				}
			}
			if a.Coverage < 0 || a.Coverage > audit.Full || a.Confidence < 0 || a.Confidence > a.Coverage {
				t.Fatalf("coverage and confidence out of range: %+v", a)
			}
			if len(a.KnockOuts) > 0 && a.Interval != audit.Exactly(0) {
				t.Fatalf("a knock-out leaves something: %+v", a)
			}
			if weight == 0 || len(a.KnockOuts) > 0 {
				continue
			}
			// Outward: low*weight <= exact < (low+1)*weight, and the same for the other end, mirrored.
			if l := a.Interval.Low() * weight; len(a.Open) == 0 && (l > low || l+weight <= low) || len(a.Open) > 0 && a.Interval.Low() != 0 {
				t.Fatalf("low end %d of %d/%d: %+v", a.Interval.Low(), low, weight, a)
			}
			if h := a.Interval.High() * weight; h < high || h-weight >= high {
				t.Fatalf("high end %d of %d/%d: %+v", a.Interval.High(), high, weight, a)
			}
		}
		l := scoring.Matrix(s, audit.Fact[scoring.Governance]{}, prof)
		for _, axis := range []scoring.Axis{l.Probability, l.Effect} {
			if axis.Coverage < 0 || axis.Coverage > audit.Full {
				t.Fatalf("coverage out of range: %+v", axis)
			}
		}
	}
}

func TestConfidenceCountsWhatIsKnownFromRecordsAndForges(t *testing.T) {
	prof := rules("security", map[string]int{"A": 1, "B": 1, "C": 1, "D": 1})
	graded := func(m scoring.Measurement, g audit.Grade) scoring.Measurement {
		m.Grade = g
		return m
	}
	s := scoring.Score(scoring.Project{}, []scoring.Measurement{
		graded(pass("A"), audit.GradeRecord), graded(dnf("B", 5000, 10000), audit.GradeForge), graded(fail("C"), audit.GradeThirdParty), pass("D"),
	}, prof)
	a, _ := s.Aspect("security")
	if a.Coverage != 8750 || a.Confidence != 3750 {
		t.Errorf("got coverage %d, confidence %d, want 8750 and 3750: a record, and half an answer of a forge", a.Coverage, a.Confidence)
	}
}
