package scoring

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// The verdicts about one project, in the words that scs-0218 used for container registries.
const (
	Passed       = "passed"       // all health checks hold
	Almost       = "almost"       // no showstopper is possible, but some score gate is certainly missed
	Showstopper  = "showstopper"  // a knock-out: open core, relicensed, end of life, abandoned
	Undetermined = "undetermined" // too little is known for any of these
)

// RolePlatform is the role whose projects are gated on their scores. A project without role counts as platform, because
// the stricter treatment is the safe one (design section 9).
const RolePlatform = "platform"

// Score turns the measurements of one project into aspect scores. The rules of the profile decide aspect, weight and
// knock-out of each indicator. An indicator of the profile that was not measured counts as MISS; a measurement that the
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

// worse orders two answers to one question: by outcome, then by the low end, then by the high end.
func worse(a, b Measurement) bool {
	if a.Outcome != b.Outcome {
		return audit.Worst(a.Outcome, b.Outcome) == a.Outcome
	}
	return cmp.Or(cmp.Compare(a.Interval.Low(), b.Interval.Low()), cmp.Compare(a.Interval.High(), b.Interval.High()),
		cmp.Compare(b.Reason, a.Reason)) < 0
}

// sum adds up one aspect. All numbers but weight are weight times basis points.
type sum struct {
	weight, low, high, known int
	knockOuts, open          []string
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
	s.known += m.Weight * (audit.Full - m.Interval.Width())
}

func (s *sum) score(aspect string) AspectScore {
	a := AspectScore{Aspect: aspect, KnockOuts: s.knockOuts, Open: s.open}
	if s.weight > 0 {
		a.Interval = audit.Between(s.low/s.weight, (s.high+s.weight-1)/s.weight)
		a.Coverage = s.known / s.weight
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

// Settle returns the fewest measurements of the aspect that must become known, and turn out well, for an undetermined
// gate to pass: open knock-outs first, then those that can add most, by weight times width. The order is by that, then by
// indicator id. The result is empty if the gate is decided, and if no answer could let it pass.
func Settle(s ProjectScore, aspect string, g audit.Gate) []Measurement {
	a, ok := s.Aspect(aspect)
	if !ok || a.Meets(g) != audit.DNF {
		return nil
	}
	var total sum
	var candidates []Measurement
	for _, m := range s.Measurements {
		if m.Aspect != aspect {
			continue
		}
		total.add(m, false)
		if m.Outcome != audit.NA && (gain(m) > 0 || slices.Contains(a.Open, m.Indicator)) {
			candidates = append(candidates, m)
		}
	}
	slices.SortFunc(candidates, func(x, y Measurement) int {
		return cmp.Or(
			-compareBool(slices.Contains(a.Open, x.Indicator), slices.Contains(a.Open, y.Indicator)),
			cmp.Compare(gain(y), gain(x)),
			cmp.Compare(x.Indicator, y.Indicator))
	})
	for i, m := range candidates {
		if i >= len(a.Open) && total.reaches(g) {
			return candidates[:i]
		}
		total.low += gain(m)
		total.known += gain(m)
	}
	if !total.reaches(g) {
		return nil
	}
	return candidates
}

// gain is what a measurement adds to the low end, and to the coverage, if it turns out well.
func gain(m Measurement) int { return m.Weight * m.Interval.Width() }

func (s *sum) reaches(g audit.Gate) bool {
	return s.weight > 0 && s.low/s.weight >= g.Low && s.known/s.weight >= g.Coverage
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Verdict returns the health verdict about one project at the levels named, e.g. "scs-open"; without a level the gates of
// all levels of the profile count. The first rule that applies decides:
//
//  1. a knock-out in any aspect is a showstopper: scs-0218 rejected candidates for open core and for being abandoned;
//  2. a knock-out that is not known leaves the verdict undetermined, because it may still turn out to be a showstopper;
//  3. a score gate that is certainly missed makes it almost: scs-0218 accepted candidates with such points missing and
//     called them not crucial; nothing that is still unknown can make it passed or a showstopper any more;
//  4. a score gate that is undetermined leaves the verdict undetermined;
//  5. else it is passed.
//
// Score gates come from the profile by the project's role; building blocks have none, so rules 1, 2 and 5 decide. A score
// without aspects is undetermined: nothing was looked at.
func Verdict(s ProjectScore, prof audit.Profile, levels ...string) string {
	if len(s.Aspects) == 0 {
		return Undetermined
	}
	if slices.ContainsFunc(s.Aspects, func(a AspectScore) bool { return len(a.KnockOuts) > 0 }) {
		return Showstopper
	}
	if slices.ContainsFunc(s.Aspects, func(a AspectScore) bool { return len(a.Open) > 0 }) {
		return Undetermined
	}
	switch worstGate(s, prof, levels) {
	case audit.FAIL:
		return Almost
	case audit.PASS:
		return Passed
	}
	return Undetermined
}

// worstGate returns FAIL if any gate is missed, else DNF if any is undetermined, else PASS.
func worstGate(s ProjectScore, prof audit.Profile, levels []string) audit.Outcome {
	role := cmp.Or(s.Project.Role, RolePlatform)
	worst := audit.PASS
	for level, roles := range prof.Gates {
		if len(levels) > 0 && !slices.Contains(levels, level) {
			continue
		}
		gates, known := roles[role]
		if !known {
			gates = roles[RolePlatform]
		}
		for aspect, gate := range gates {
			outcome := audit.DNF
			if a, ok := s.Aspect(aspect); ok {
				outcome = a.Meets(gate)
			}
			worst = audit.Worst(worst, outcome)
		}
	}
	for _, level := range levels {
		if _, ok := prof.Gates[level]; !ok {
			worst = audit.Worst(worst, audit.DNF)
		}
	}
	return worst
}
