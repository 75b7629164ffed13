package scoring

import (
	"github.com/pegel-audit/pegel/audit"
)

// Standing is how a project stood at one of several evaluations in a row.
type Standing struct {
	Verdict string // by itself, as Verdict gives it
	Below   bool   // nothing but score gates that are certainly not reached keeps it from passing; see Below
}

// Held is the verdict that counts, given those before it.
type Held struct {
	Verdict   string
	Probation bool // it has passed before, lies below a score gate now, and still counts as passed
}

// Below reports whether nothing but score gates keeps a project from passing, and enough is known to say so: no knock-out
// fails or may still fail, some gate is not reached, and each of these has the coverage that it asks for. Missing evidence is
// not "below": what is not known never passes, hysteresis or not.
func Below(s ProjectScore, prof audit.Profile, levels ...string) bool {
	if len(s.Aspects) == 0 {
		return false
	}
	for _, a := range s.Aspects {
		if len(a.KnockOuts) > 0 || len(a.Open) > 0 {
			return false
		}
	}
	if len(levels) == 0 {
		for level := range prof.Gates {
			levels = append(levels, level)
		}
	}
	below := false
	for _, level := range levels {
		for aspect, g := range gatesOf(prof.Gates[level], s.Project.Role) {
			a, ok := s.Aspect(aspect)
			switch {
			case !ok, a.Coverage < g.Coverage:
				return false
			case a.Meets(g) != audit.PASS:
				below = true
			}
		}
	}
	return below
}

// Hold applies the hysteresis of design section 9 to evaluations in a row, oldest first: a project that has passed keeps that
// while it lies below a score gate, until it did so in as many evaluations one after the other as the profile says. A
// knock-out, and evidence that is missing, count at once. With audits below 2 nothing is held.
func Hold(row []Standing, audits int) []Held {
	out := make([]Held, len(row))
	passed, below := false, 0
	for i, s := range row {
		out[i].Verdict = s.Verdict
		switch {
		case s.Verdict == Passed:
			passed, below = true, 0
		case passed && s.Below && below+1 < audits:
			below++
			out[i] = Held{Verdict: Passed, Probation: true}
		default:
			passed, below = false, 0
		}
	}
	return out
}
