package pipeline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

// knob is one number of a profile that can be turned.
type knob struct {
	path      string
	indicator string // whose rule it is part of; empty: a gate
	source    string
	low, high int // values that are tried lie between, both included
	get       func(audit.Profile) (int, bool)
	set       func(*audit.Profile, int) // of a profile that may be changed
}

// sensitivities finds for each number of the main profile the nearest smaller and larger value that decides anything
// otherwise. A variant is changed along where it has the same number.
func sensitivities(judged []judgedCase, profiles policies.Profiles) []reports.Sensitivity {
	out := []reports.Sensitivity{}
	main := profiles.Main()
	before := make([]map[string]string, len(judged))
	list := make([][]standing, len(judged))
	for i, j := range judged {
		list[i] = standingsOf(j.score, j.profile)
		before[i] = verdictsByKey(list[i])
	}
	for _, k := range knobs(main) {
		value, _ := k.get(main)
		turn := turning{knob: k, value: value, judged: judged, list: list, before: before}
		out = append(out, reports.Sensitivity{
			Path: k.path, Value: value, Source: k.source, Down: turn.nearest(-1, value-k.low), Up: turn.nearest(1, k.high-value),
		})
	}
	return out
}

// turning is one number while it is turned.
type turning struct {
	knob
	value  int
	judged []judgedCase
	list   [][]standing
	before []map[string]string
}

// nearest finds the smallest step in one direction that changes something: it doubles the step until something changes, then
// halves the distance. It holds that a larger step changes what a smaller one did, which is so for thresholds and gates; the
// largest step is tried first, and nil returned where even that changes nothing.
func (t turning) nearest(sign, most int) *reports.Flip {
	if most <= 0 || len(t.moves(t.value+sign*most)) == 0 {
		return nil
	}
	still, changed := 0, 1 // nothing changes at still; something does at changed
	for changed < most && len(t.moves(t.value+sign*changed)) == 0 {
		still, changed = changed, min(2*changed, most)
	}
	for changed-still > 1 {
		middle := still + (changed-still)/2
		if len(t.moves(t.value+sign*middle)) > 0 {
			changed = middle
		} else {
			still = middle
		}
	}
	value := t.value + sign*changed
	return &reports.Flip{Value: value, Moves: t.moves(value)}
}

// moves lists what another value of the number changes.
func (t turning) moves(value int) (out []string) {
	profiles := map[string]audit.Profile{}
	for i, j := range t.judged {
		if own, ok := t.get(j.profile); !ok || own != t.value {
			continue
		}
		profile, ok := profiles[j.profile.ID]
		if !ok {
			profile = j.profile
			t.set(&profile, value)
			profiles[j.profile.ID] = profile
		}
		score, same := t.rescore(j, profile)
		if same {
			continue
		}
		after := standingsOf(score, profile)
		for n, s := range after {
			if was, known := t.before[i][s.key()]; known && was != s.verdict {
				out = append(out, moveText(t.list[i][n], s.verdict))
			}
		}
	}
	return out
}

// rescore measures only what the number can change; same says that it changes nothing that counts.
func (t turning) rescore(j judgedCase, profile audit.Profile) (score scoring.ProjectScore, same bool) {
	if t.indicator == "" {
		return j.score, false
	}
	one := audit.Profile{Indicators: map[string]audit.IndicatorRule{t.indicator: profile.Indicators[t.indicator]}}
	same = true
	ms := j.score.Measurements
	for _, m := range indicator.Measure(j.evidence, j.project, one) {
		i := slices.IndexFunc(ms, func(old scoring.Measurement) bool { return old.Indicator == m.Indicator })
		if i < 0 || m.Outcome == ms[i].Outcome && m.Interval == ms[i].Interval && m.Weight == ms[i].Weight {
			continue
		}
		if same {
			ms, same = slices.Clone(ms), false
		}
		ms[i] = m
	}
	if same {
		return j.score, true
	}
	return scoring.Score(j.project, ms, profile), false
}

// knobs lists the numbers of a profile: gates first, then the rules of indicators.
func knobs(main audit.Profile) []knob {
	var out []knob
	for _, level := range sortedKeys(main.Gates) {
		for _, role := range sortedKeys(main.Gates[level]) {
			for _, aspect := range scoring.Aspects {
				if gate, ok := main.Gates[level][role][aspect]; ok {
					out = append(out, gateKnobs(level, role, aspect, gate)...)
				}
			}
		}
	}
	for _, id := range sortedKeys(main.Indicators) {
		out = append(out, ruleKnobs(id, main.Indicators[id])...)
	}
	return out
}

func gateKnobs(level, role, aspect string, gate audit.Gate) []knob {
	path := fmt.Sprintf("gates.%s.%s.%s.", level, role, aspect)
	change := func(p *audit.Profile, f func(*audit.Gate)) {
		p.Gates = maps.Clone(p.Gates)
		p.Gates[level] = maps.Clone(p.Gates[level])
		p.Gates[level][role] = maps.Clone(p.Gates[level][role])
		g := p.Gates[level][role][aspect]
		f(&g)
		p.Gates[level][role][aspect] = g
	}
	read := func(p audit.Profile) (audit.Gate, bool) {
		g, ok := p.Gates[level][role][aspect]
		return g, ok
	}
	return []knob{
		{
			path: path + "low", source: gate.Source, low: 1, high: audit.Full,
			get: func(p audit.Profile) (int, bool) { g, ok := read(p); return g.Low, ok },
			set: func(p *audit.Profile, v int) { change(p, func(g *audit.Gate) { g.Low = v }) },
		},
		{
			path: path + "coverage", source: gate.Source, low: 0, high: audit.Full,
			get: func(p audit.Profile) (int, bool) { g, ok := read(p); return g.Coverage, ok },
			set: func(p *audit.Profile, v int) { change(p, func(g *audit.Gate) { g.Coverage = v }) },
		},
	}
}

// ruleKnobs lists fail, pass, further numbers and the weight of a rule. Windows are not turned: facts are recorded for four of
// them only.
func ruleKnobs(id string, rule audit.IndicatorRule) []knob {
	part := func(name string, low, high int, get func(audit.IndicatorRule) (int, bool), set func(*audit.IndicatorRule, int)) knob {
		return knob{
			path: id + "." + name, indicator: id, source: rule.Source, low: low, high: high,
			get: func(p audit.Profile) (int, bool) { r, ok := p.Indicators[id]; v, is := get(r); return v, ok && is },
			set: func(p *audit.Profile, v int) {
				r := p.Indicators[id]
				set(&r, v)
				p.Indicators = maps.Clone(p.Indicators)
				p.Indicators[id] = r
			},
		}
	}
	var out []knob
	if rule.Fail != nil {
		low, high := coverable(*rule.Fail, rule.Unit, rule.Pass)
		out = append(out, part("fail", low, high, func(r audit.IndicatorRule) (int, bool) { return deref(r.Fail) }, func(r *audit.IndicatorRule, v int) { r.Fail = &v }))
	}
	if rule.Pass != nil {
		low, high := coverable(*rule.Pass, rule.Unit, rule.Fail)
		out = append(out, part("pass", low, high, func(r audit.IndicatorRule) (int, bool) { return deref(r.Pass) }, func(r *audit.IndicatorRule, v int) { r.Pass = &v }))
	}
	for _, name := range sortedKeys(rule.Numbers) {
		low, high := coverable(rule.Numbers[name], "", nil)
		out = append(out, part("numbers."+name, max(0, low), high, func(r audit.IndicatorRule) (int, bool) { v, ok := r.Numbers[name]; return v, ok },
			func(r *audit.IndicatorRule, v int) { r.Numbers = maps.Clone(r.Numbers); r.Numbers[name] = v }))
	}
	if rule.Weight > 0 && !rule.KnockOut {
		out = append(out, part("weight", 1, 2, func(r audit.IndicatorRule) (int, bool) { return r.Weight, true }, func(r *audit.IndicatorRule, v int) { r.Weight = v }))
	}
	return out
}

// coverable is how far a threshold is turned: shares from 0 to 10000, else four times its size and sixteen; never onto or
// beyond the other threshold, where the rule would mean nothing.
func coverable(value int, unit string, other *int) (low, high int) {
	size := 4*max(value, -value) + 16
	low, high = value-size, value+size
	if unit == "basis-points" {
		low, high = 0, audit.Full
	}
	if other != nil && *other > value {
		high = min(high, *other-1)
	}
	if other != nil && *other < value {
		low = max(low, *other+1)
	}
	return min(low, value), max(high, value)
}

func deref(n *int) (int, bool) {
	if n == nil {
		return 0, false
	}
	return *n, true
}
