package scoring

import (
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Axis is one axis of the lock-in matrix: from 0, no risk, to 10000.
type Axis struct {
	Interval audit.Interval
	Coverage int    // basis points of its weight that are known, counted like that of an aspect
	Class    string // low, medium, high, undetermined: the interval spans a border
}

// LockIn is the risk of being locked in to a project: how probable it is that it fails its users, and what that would do.
type LockIn struct {
	Probability, Effect Axis
	Radius              audit.Fact[int] // deployed components that would be hit, itself included; scales the effect
	Risk                string          // low, medium, high, undetermined
	Worst               string          // the highest risk that the two axes leave possible; empty: the profile has no matrix
	Mitigations         []Mitigation    // what makes a high risk bearable
}

// Accepted reports whether an accepted mitigation is among them.
func (l LockIn) Accepted() bool { return accepted(l.Mitigations) }

// Matrix returns the lock-in risk by the matrix of the profile. What is not known widens an axis; the risk is decided if
// every cell that the two axes leave possible says the same. A profile without matrix leaves it undetermined.
//
// An axis is what the weighted mean of its indicators lacks to 10000, by the weights of their rules; NA does not count. A
// knock-out among them that fails makes the axis 10000, one that may still fail its high end: a project that nobody
// maintains has failed its users already. The effect is multiplied by the factor that the profile gives for the blast
// radius; without a deployed stack the radius is not known and anything between the smallest and the largest factor.
func Matrix(s ProjectScore, g audit.Fact[Governance], prof audit.Profile) LockIn {
	rule := prof.LockIn
	l := LockIn{Radius: radius(s.Project), Risk: Undetermined, Mitigations: mitigations(s.Project, g, rule.Mitigations)}
	l.Probability = axis(s, rule.Probability, prof)
	l.Effect = axis(s, rule.Effect, prof).scaled(l.Radius, rule.Radius)
	if len(rule.Risks) == 0 {
		l.Probability.Class, l.Effect.Class = Undetermined, Undetermined
		return l
	}
	var risks []string
	probabilities, effects := l.Probability.classes(rule), l.Effect.classes(rule)
	for _, p := range probabilities {
		for _, e := range effects {
			risks = append(risks, rule.Risks[p][e])
		}
	}
	l.Probability.Class, l.Effect.Class, l.Risk = agreed(probabilities), agreed(effects), agreed(risks)
	for _, class := range []string{audit.ClassLow, audit.ClassMedium, audit.ClassHigh} {
		if slices.Contains(risks, class) {
			l.Worst = class
		}
	}
	return l
}

func axis(s ProjectScore, indicators []string, prof audit.Profile) Axis {
	var total sum
	for _, id := range indicators {
		at, found := slices.BinarySearchFunc(s.Measurements, id, func(m Measurement, id string) int { return strings.Compare(m.Indicator, id) })
		if found {
			total.add(s.Measurements[at], prof.Indicators[id].KnockOut)
		}
	}
	a := total.score("")
	return Axis{Interval: audit.Between(audit.Full-a.Interval.High(), audit.Full-a.Interval.Low()), Coverage: a.Coverage}
}

// scaled multiplies the axis by the factor of the radius, rounded outward.
func (a Axis) scaled(radius audit.Fact[int], steps []audit.RadiusStep) Axis {
	if len(steps) == 0 {
		return a
	}
	low, high := steps[0].Factor, steps[len(steps)-1].Factor
	if n, known := radius.Get(); known {
		for _, step := range steps {
			if step.From <= n {
				low = step.Factor
			}
		}
		high = low
	}
	return Axis{
		Interval: audit.Between(a.Interval.Low()*low/audit.Full, (a.Interval.High()*high+audit.Full-1)/audit.Full),
		Coverage: a.Coverage * (audit.Full - (high - low)) / audit.Full,
	}
}

// classes lists the classes that the axis may still belong to.
func (a Axis) classes(rule audit.LockInRule) (out []string) {
	low, high := a.Interval.Low(), a.Interval.High()
	if low < rule.Low {
		out = append(out, audit.ClassLow)
	}
	if low <= rule.High && high >= rule.Low {
		out = append(out, audit.ClassMedium)
	}
	if high > rule.High {
		out = append(out, audit.ClassHigh)
	}
	return out
}

// agreed returns the word that all say, else undetermined.
func agreed(words []string) string {
	if len(words) == 0 || words[0] == "" || slices.ContainsFunc(words, func(w string) bool { return w != words[0] }) {
		return Undetermined
	}
	return words[0]
}

// radius is the number of deployed components that the end of the project would hit.
func radius(p Project) audit.Fact[int] {
	d, known := p.Deployed.Get()
	switch {
	case !known:
		return audit.Fact[int]{Failure: p.Deployed.Failure, Settle: p.Deployed.Settle, Origins: p.Deployed.Origins}
	case d.Radius < 1: // it is a component of the stack itself
		return audit.Failed[int]("the recorded blast radius is smaller than one component")
	}
	return audit.Known(d.Radius, p.Deployed.Origins...)
}
