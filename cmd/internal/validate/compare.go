package main

import (
	"cmp"
	"slices"

	"github.com/pegel-audit/pegel/cmd/internal/validate/separation"
)

// A measure is a number that shall tell projects apart, by case.
type measure struct {
	name string
	of   func(judged) int
}

// The four numbers of an aspect. The low end decides gates; the others say what it hides.
func low(aspect string) measure {
	return measure{aspect, func(j judged) int { return j.Aspects[aspect].Low }}
}

func measured(aspect string) measure {
	return measure{aspect, func(j judged) int { return j.Aspects[aspect].Measured }}
}

func high(aspect string) measure {
	return measure{aspect, func(j judged) int { return j.Aspects[aspect].High }}
}

func middle(aspect string) measure {
	return measure{aspect, func(j judged) int { return j.Aspects[aspect].Low + j.Aspects[aspect].High }}
}

func baseline(name string) measure {
	return measure{name, func(j judged) int { return j.Baselines[name] }}
}

// groups are the cases of one comparison that were read, in the order of the outcomes.
type groups struct{ bad, good []judged }

// groupsOf picks the cases of a comparison some months before the events, of one half (empty: of both). Of a matched
// comparison a case counts only if the other one of its pair was read too, whatever its half.
func groupsOf(c comparison, o outcomes, s split, r results, months int, half string) groups {
	was := map[string]judged{}
	for _, j := range r.Cases {
		if j.Months == months && j.State == read {
			was[j.ID] = j
		}
	}
	partner := map[string]string{}
	for _, x := range o.Outcomes {
		if x.Outcome == c.Good && x.Matches != "" {
			other := c.Bad + "/" + x.Matches
			partner[x.id()], partner[other] = other, x.id()
		}
	}
	var g groups
	for _, x := range o.Outcomes {
		j, ok := was[x.id()]
		if !ok || half != "" && s.half(x) != half {
			continue
		}
		if _, paired := was[partner[x.id()]]; c.Matched && !paired {
			continue
		}
		switch x.Outcome {
		case c.Bad:
			g.bad = append(g.bad, j)
		case c.Good:
			g.good = append(g.good, j)
		}
	}
	return g
}

func values(js []judged, m measure) []int {
	out := make([]int, len(js))
	for i, j := range js {
		out[i] = m.of(j)
	}
	return out
}

func (g groups) separation(m measure) separation.Estimate {
	return separation.Of(values(g.bad, m), values(g.good, m))
}

// gap compares two measures on the same cases.
func (g groups) gap(a, b measure) separation.Gap {
	pairs := func(js []judged) [][2]int {
		out := make([][2]int, len(js))
		for i, j := range js {
			out[i] = [2]int{a.of(j), b.of(j)}
		}
		return out
	}
	return separation.Between(pairs(g.bad), pairs(g.good))
}

// mistake is a case on the wrong side: a bad project that scores at least the median of the good ones, or a good one that
// scores at most the median of the bad ones.
type mistake struct {
	judged
	bad bool
	by  []string // indicators that put it there, those that weigh most first
}

// mostReasons is how many indicators a mistake names.
const mostReasons = 5

// mistakes lists the cases that an aspect gets wrong. indicators are those of the aspect.
func (g groups) mistakes(aspect string, indicators func(string) bool) []mistake {
	m := low(aspect)
	medianBad, okBad := separation.Median(values(g.bad, m))
	medianGood, okGood := separation.Median(values(g.good, m))
	if !okBad || !okGood {
		return nil
	}
	var out []mistake
	for _, j := range g.bad {
		if m.of(j) >= medianGood {
			out = append(out, mistake{j, true, reasons(j, indicators, true)})
		}
	}
	for _, j := range g.good {
		if m.of(j) <= medianBad {
			out = append(out, mistake{j, false, reasons(j, indicators, false)})
		}
	}
	return out
}

// reasons are the indicators of a case that answer well, or badly, by what they add to or take from the score.
func reasons(j judged, indicators func(string) bool, well bool) []string {
	type reason struct {
		id     string
		weight int
	}
	var found []reason
	for id, v := range j.Indicators {
		weight := v[2] * v[0]
		if !well {
			weight = v[2] * (10000 - v[1])
		}
		if indicators(id) && weight > 0 {
			found = append(found, reason{id, weight})
		}
	}
	slices.SortFunc(found, func(a, b reason) int { return cmp.Or(b.weight-a.weight, cmp.Compare(a.id, b.id)) })
	var out []string
	for _, r := range found[:min(len(found), mostReasons)] {
		out = append(out, r.id)
	}
	return out
}

// question is how one indicator tells the groups apart, among the cases where its answer is decided.
type question struct {
	id        string
	bad, good int // cases where it is decided
	area      int
}

// fewestDecided is how many decided cases of each group an indicator needs to be shown: fewer say nothing.
const fewestDecided = 5

func (g groups) questions() []question {
	decided := func(js []judged, id string) (out []int) {
		for _, j := range js {
			if v, ok := j.Indicators[id]; ok && v[0] == v[1] {
				out = append(out, v[0])
			}
		}
		return out
	}
	ids := map[string]bool{}
	for _, j := range g.bad {
		for id := range j.Indicators {
			ids[id] = true
		}
	}
	var out []question
	for id := range ids {
		bad, good := decided(g.bad, id), decided(g.good, id)
		if len(bad) >= fewestDecided && len(good) >= fewestDecided {
			out = append(out, question{id, len(bad), len(good), separation.Area(bad, good)})
		}
	}
	slices.SortFunc(out, func(a, b question) int { return cmp.Or(b.area-a.area, cmp.Compare(a.id, b.id)) })
	return out
}
