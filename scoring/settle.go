package scoring

import (
	"cmp"
	"maps"
	"slices"

	"github.com/pegel-audit/pegel/audit"
)

// Places that can answer a question, in the words of the collectors where one asks there.
const (
	FromGit         = "git"         // a clone of the repository, and the checks that run on it
	FromFoundation  = "foundation"  // the records of the hosting foundation
	FromLifecycle   = "lifecycle"   // dated lists of release cycles
	FromStack       = "stack"       // the deployed stack: its SBOMs, and the histories of its projects read together
	FromForge       = "forge"       // forge, review system, CI and tracker of the project
	FromThirdParty  = "thirdparty"  // indexes of others
	FromDeclaration = "declaration" // nothing but somebody's word
)

// Sources lists the places that can answer, the cheapest first: what lies in git repositories needs no account and one clone
// answers many questions; a forge needs a token; third parties must be allowed one by one; a declaration takes a person.
func Sources() []string {
	return []string{FromGit, FromFoundation, FromLifecycle, FromStack, FromForge, FromThirdParty, FromDeclaration}
}

// cost is the place of a source in that order; one that is not known is the most expensive.
func cost(source string) int {
	if i := slices.Index(Sources(), source); i >= 0 {
		return i
	}
	return len(Sources())
}

// Settlement is a smallest set of measurements that would settle an undetermined gate in one direction.
type Settlement struct {
	// Outcome is what the gate would become: PASS if all of them turn out as well as they still can, FAIL if as badly.
	Outcome audit.Outcome
	// Measurements in order: knock-outs that are open first, then by what they add, by cost of the source, by id.
	Measurements []Measurement
	Asks         []Ask // the same by the place that would answer, the cheapest first
}

// Ask is what one place would answer.
type Ask struct {
	Source     string   // one of Sources; empty: nobody knows a place
	Indicators []string // sorted
}

// Settlements returns the value of information of an undetermined gate: a smallest set of facts that would make it pass and
// a smallest that would make it fail, each left out if no answer could. Of all sets of the smallest size each is one of
// the cheapest by the sum of the places of its sources in Sources. A decided gate has none.
//
// They assume that what is known stays, that every unknown applies, and that an answer may fall anywhere into its interval.
func Settlements(s ProjectScore, aspect string, g audit.Gate) []Settlement {
	a, ok := s.Aspect(aspect)
	if !ok || a.Meets(g) != audit.DNF {
		return nil
	}
	var out []Settlement
	for _, set := range []Settlement{
		{Outcome: audit.PASS, Measurements: toPass(s, a, g)},
		{Outcome: audit.FAIL, Measurements: toFail(s, a, g)},
	} {
		if len(set.Measurements) > 0 {
			set.Asks = Asks(set.Measurements)
			out = append(out, set)
		}
	}
	return out
}

// Settle returns the measurements of the settlement that would let an undetermined gate pass; none if it is decided, and if
// no answer could let it pass.
func Settle(s ProjectScore, aspect string, g audit.Gate) []Measurement {
	a, ok := s.Aspect(aspect)
	if !ok || a.Meets(g) != audit.DNF {
		return nil
	}
	return toPass(s, a, g)
}

// Asks groups measurements by the place that would answer, the cheapest first.
func Asks(ms []Measurement) []Ask {
	by := map[string][]string{}
	for _, m := range ms {
		by[m.From] = append(by[m.From], m.Indicator)
	}
	var out []Ask
	for _, source := range slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Or(cost(a)-cost(b), cmp.Compare(a, b)) }) {
		slices.Sort(by[source])
		out = append(out, Ask{Source: source, Indicators: slices.Compact(by[source])})
	}
	return out
}

// toPass needs every open knock-out, and of the rest the fewest that lift low end and coverage to the gate.
func toPass(s ProjectScore, a AspectScore, g audit.Gate) []Measurement {
	var total sum
	var open, rest []candidate
	for _, m := range s.Measurements {
		if m.Aspect != a.Aspect {
			continue
		}
		total.add(m, false)
		if c := (candidate{m, gain(m)}); slices.Contains(a.Open, m.Indicator) {
			open = append(open, c)
		} else if c.gain > 0 {
			rest = append(rest, c)
		}
	}
	if total.weight == 0 {
		return nil
	}
	needed := max(g.Low*total.weight-total.low, g.Coverage*total.weight-total.known)
	for _, c := range open {
		needed -= c.gain
	}
	chosen, ok := fewest(rest, needed)
	if !ok {
		return nil
	}
	slices.SortFunc(open, byGain)
	return measurements(append(open, chosen...))
}

// toFail needs the fewest that pull the high end below the gate; one open knock-out does it alone.
func toFail(s ProjectScore, a AspectScore, g audit.Gate) []Measurement {
	var total sum
	var all []candidate
	for _, m := range s.Measurements {
		if m.Aspect == a.Aspect {
			total.add(m, false)
			all = append(all, candidate{m, gain(m)})
		}
	}
	// The high end is rounded up: it lies below the gate if the exact mean is at least one basis point below it.
	needed := total.high - (g.Low-1)*total.weight
	for i, c := range all {
		if slices.Contains(a.Open, c.Indicator) && g.Low > 0 {
			all[i].gain = max(c.gain, needed, 1)
		}
	}
	all = slices.DeleteFunc(all, func(c candidate) bool { return c.gain == 0 })
	chosen, _ := fewest(all, max(needed, 1))
	return measurements(chosen)
}

// candidate is a measurement and how far its answer can move the end of the score that is to reach the gate.
type candidate struct {
	Measurement
	gain int
}

func measurements(cs []candidate) []Measurement {
	var out []Measurement
	for _, c := range cs {
		out = append(out, c.Measurement)
	}
	return out
}

// gain is what a measurement adds to the low end, and to the coverage, if it turns out well; and what it takes from the high
// end if it turns out badly.
func gain(m Measurement) int {
	if m.Outcome == audit.NA {
		return 0
	}
	return m.Weight * m.Interval.Width()
}

func byGain(x, y candidate) int {
	return cmp.Or(cmp.Compare(y.gain, x.gain), cost(x.From)-cost(y.From), cmp.Compare(x.Indicator, y.Indicator))
}

// fewest returns a smallest set whose gains reach what is needed, of those a cheapest, of those the first in the order of
// gain, cost and id. ok is false if all together do not reach it.
func fewest(ms []candidate, needed int) (chosen []candidate, ok bool) {
	if needed <= 0 {
		return nil, true
	}
	slices.SortFunc(ms, byGain)
	total, size := 0, 0
	for ; size < len(ms) && total < needed; size++ {
		total += ms[size].gain
	}
	if total < needed {
		return nil, false
	}
	c := choice{ms: ms, size: size, cheapest: -1, budget: mostSteps}
	c.extend(0, needed, 0, nil)
	return c.best, true
}

// mostSteps bounds the search for the cheapest among the smallest sets. An aspect has at most 15 indicators, so that there are
// at most 6435 sets of one size, and the search ends by itself; a profile of others still gets a smallest set.
const mostSteps = 100_000

// choice searches all sets of one size, the largest gains first, so that the first set found is a smallest one.
type choice struct {
	ms       []candidate
	size     int
	best     []candidate
	cheapest int // cost of best; -1 if none was found
	budget   int
}

// extend adds to the chosen set one of the measurements from at on, while needed is missing.
func (c *choice) extend(at, needed, spent int, chosen []candidate) {
	left := c.size - len(chosen)
	if left == 0 {
		if needed <= 0 && (c.cheapest < 0 || spent < c.cheapest) {
			c.best, c.cheapest = slices.Clone(chosen), spent
		}
		return
	}
	for i := at; i+left <= len(c.ms) && c.budget > 0; i++ {
		c.budget--
		reach := 0
		for _, m := range c.ms[i : i+left] {
			reach += m.gain
		}
		if reach < needed {
			return // later ones gain no more
		}
		if now := spent + cost(c.ms[i].From); c.cheapest < 0 || now < c.cheapest {
			c.extend(i+1, needed-c.ms[i].gain, now, append(chosen, c.ms[i]))
		}
	}
}

// OpenAsks says what would settle the verdict about a project, as far as it can still pass: the knock-outs that are open, and
// the settlements of the gates of its role that are undetermined, by the place that would answer. Without a level the gates
// of all levels count. It asks nothing where a knock-out or a missed gate has decided.
func OpenAsks(s ProjectScore, prof audit.Profile, levels ...string) []Ask {
	if s.knockOut(nil) == audit.FAIL {
		return nil
	}
	wanted := map[string]bool{}
	for _, a := range s.Aspects {
		for _, id := range a.Open {
			wanted[id] = true
		}
	}
	for level, roles := range prof.Gates {
		if !named(levels, level) {
			continue
		}
		for aspect, gate := range gatesOf(roles, s.Project.Role) {
			for _, m := range Settle(s, aspect, gate) {
				wanted[m.Indicator] = true
			}
		}
	}
	return Asks(slices.DeleteFunc(slices.Clone(s.Measurements), func(m Measurement) bool { return !wanted[m.Indicator] }))
}
