package scoring

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Score turns the measurements of one project into aspect scores. The rules of the profile decide aspect, weight and
// knock-out of each indicator. The result may share ms. An indicator of the profile that was not measured counts as MISS; a measurement that the
// profile does not know is left out; of several for one indicator the worst counts. The order of ms does not matter.
//
// The score of an aspect is the interval from the weighted mean of the low ends to that of the high ends over all
// indicators that apply (NA does not count), rounded outward to basis points. A knock-out that fails makes it [0, 0]; one
// that is not known makes the low end 0, because it may still turn out to fail, unless what is known of it (a low end above
// 0) already excludes that. An aspect to which nothing applies is the unknown. More knowledge can only narrow the interval.
func Score(p Project, ms []Measurement, prof audit.Profile) ProjectScore {
	s := ProjectScore{Project: p, Measurements: complete(ms, prof)}
	sums := make([]sum, len(Aspects))
	for i := range s.Measurements {
		m := &s.Measurements[i]
		if at := slices.Index(Aspects, m.Aspect); at >= 0 {
			sums[at].add(*m, prof.Indicators[m.Indicator].KnockOut)
		}
	}
	s.Aspects = make([]AspectScore, len(Aspects))
	for i, name := range Aspects {
		s.Aspects[i] = sums[i].score(name)
	}
	return s
}

// complete returns one measurement for each indicator of the profile, sorted by indicator.
func complete(ms []Measurement, prof audit.Profile) []Measurement {
	byID := func(a, b Measurement) int { return strings.Compare(a.Indicator, b.Indicator) }
	if !slices.IsSortedFunc(ms, byID) {
		ms = slices.SortedStableFunc(slices.Values(ms), byID)
	}
	if out, ok := whole(ms, prof); ok {
		return out
	}
	out := make([]Measurement, 0, len(prof.Indicators))
	for _, id := range slices.Sorted(maps.Keys(prof.Indicators)) {
		rule := prof.Indicators[id]
		for len(ms) > 0 && ms[0].Indicator < id {
			ms = ms[1:]
		}
		m := Measurement{Indicator: id, Unit: rule.Unit, Reason: "nobody measured it"}
		for found := false; len(ms) > 0 && ms[0].Indicator == id; ms = ms[1:] {
			if !found || worse(ms[0], m) {
				m, found = ms[0], true
			}
		}
		m.Aspect, m.Weight = rule.Aspect, rule.Weight
		m.KnockOut = rule.KnockOut && m.Outcome == audit.FAIL
		out = append(out, m)
	}
	return out
}

// whole is complete for the usual case: sorted measurements that are exactly those of the profile, one each, as Measure made
// them by the same rules. It returns them as they are.
func whole(ms []Measurement, prof audit.Profile) ([]Measurement, bool) {
	if len(ms) != len(prof.Indicators) {
		return nil, false
	}
	for i := range ms {
		m := &ms[i]
		rule, known := prof.Indicators[m.Indicator]
		if !known || i > 0 && ms[i-1].Indicator == m.Indicator || m.Aspect != rule.Aspect || m.Weight != rule.Weight ||
			m.KnockOut != (rule.KnockOut && m.Outcome == audit.FAIL) {
			return nil, false
		}
	}
	return ms, true
}

// worse orders two answers to one question: by outcome, then by the low end, then by the high end; of equal ones the less
// sure is the worse.
func worse(a, b Measurement) bool {
	if a.Outcome != b.Outcome {
		return audit.Worst(a.Outcome, b.Outcome) == a.Outcome
	}
	return cmp.Or(cmp.Compare(a.Interval.Low(), b.Interval.Low()), cmp.Compare(a.Interval.High(), b.Interval.High()),
		cmp.Compare(doubt(b.Grade), doubt(a.Grade)), cmp.Compare(b.Reason, a.Reason), cmp.Compare(b.From, a.From)) < 0
}

// doubt orders grades, the surest first; what is not graded is the least sure.
func doubt(g audit.Grade) string { return cmp.Or(string(g), "Z") }

// sum adds up one aspect. All numbers but weight are weight times basis points.
type sum struct {
	weight, low, high, known, sure int
	knockOuts, open                []string
}

func (s *sum) add(m Measurement, knockOut bool) {
	if m.Outcome == audit.NA {
		return
	}
	switch {
	case m.KnockOut:
		s.knockOuts = append(s.knockOuts, m.Indicator)
	case knockOut && !m.Outcome.Decided() && m.Interval.Low() == 0:
		s.open = append(s.open, m.Indicator)
	}
	s.weight += m.Weight
	s.low += m.Weight * m.Interval.Low()
	s.high += m.Weight * m.Interval.High()
	known := m.Weight * (audit.Full - m.Interval.Width())
	s.known += known
	if m.Grade == audit.GradeRecord || m.Grade == audit.GradeForge {
		s.sure += known
	}
}

func (s *sum) score(aspect string) AspectScore {
	a := AspectScore{Aspect: aspect, KnockOuts: s.knockOuts, Open: s.open}
	if s.weight > 0 {
		a.Interval = audit.Between(s.low/s.weight, (s.high+s.weight-1)/s.weight)
		a.Coverage = s.known / s.weight
		a.Confidence = s.sure / s.weight
	}
	switch {
	case len(s.knockOuts) > 0:
		a.Interval = audit.Exactly(0)
	case len(s.open) > 0:
		a.Interval = audit.Between(0, a.Interval.High())
	}
	return a
}

// Meets compares an aspect with a gate. It returns PASS if the low end and the coverage reach the gate, FAIL if the high
// end does not, whatever the coverage, because more knowledge only narrows the interval; else DNF: undetermined.
func (a AspectScore) Meets(g audit.Gate) audit.Outcome {
	holds, decided := a.Interval.AtLeast(g.Low)
	switch {
	case decided && !holds:
		return audit.FAIL
	case decided && a.Coverage >= g.Coverage:
		return audit.PASS
	}
	return audit.DNF
}

// Aspect returns the score of one aspect; ok is false if there is none of that name.
func (s ProjectScore) Aspect(name string) (a AspectScore, ok bool) {
	i := slices.IndexFunc(s.Aspects, func(a AspectScore) bool { return a.Aspect == name })
	if i < 0 {
		return AspectScore{Aspect: name}, false
	}
	return s.Aspects[i], true
}
