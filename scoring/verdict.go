package scoring

import (
	"cmp"
	"slices"

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

// Verdict returns the health verdict about one project at the levels named, e.g. "scs-open"; without a level the gates of
// all levels of the profile count. The lines of the profile for the project's role are read in order, and the first that
// applies decides. A line applies, does not, or may still apply, because a knock-out or a gate is not known; of lines that
// may, the reading goes on. If all lines that apply or may apply say one word, that is the verdict; else it is
// undetermined. So nothing unknown passes, and no later knowledge turns a decided verdict into another.
//
// A score without aspects is undetermined: nothing was looked at.
func Verdict(s ProjectScore, prof audit.Profile, levels ...string) string {
	if len(s.Aspects) == 0 {
		return Undetermined
	}
	word := ""
	for _, rule := range verdictRules(s.Project.Role, prof) {
		applies := s.applies(rule, prof, levels)
		if applies == audit.PASS {
			continue
		}
		if word != "" && word != rule.Says {
			return Undetermined
		}
		word = rule.Says
		if applies == audit.FAIL {
			return word
		}
	}
	return Undetermined
}

// verdictRules returns the lines of a role. A profile without any is read as the built-in one.
func verdictRules(role string, prof audit.Profile) []audit.VerdictRule {
	if rules, ok := prof.Verdicts[cmp.Or(role, RolePlatform)]; ok {
		return rules
	}
	if rules, ok := prof.Verdicts[RolePlatform]; ok {
		return rules
	}
	return []audit.VerdictRule{
		{When: audit.WhenKnockOut, Says: Showstopper}, {When: audit.WhenMissedGate, Says: Almost}, {When: audit.WhenOtherwise, Says: Passed},
	}
}

// applies returns FAIL if what the line looks for is there, PASS if it is not, else DNF. A line that nobody knows may apply.
func (s ProjectScore) applies(rule audit.VerdictRule, prof audit.Profile, levels []string) audit.Outcome {
	switch rule.When {
	case audit.WhenKnockOut:
		return s.knockOut(rule.Indicators)
	case audit.WhenMissedGate:
		return s.worstGate(prof, rule, levels)
	case audit.WhenOtherwise:
		return audit.FAIL
	}
	return audit.DNF
}

// knockOut returns FAIL if one of the indicators (none named: any) knocks out, DNF if one may still, else PASS.
func (s ProjectScore) knockOut(indicators []string) audit.Outcome {
	counts := func(id string) bool { return len(indicators) == 0 || slices.Contains(indicators, id) }
	worst := audit.PASS
	for _, a := range s.Aspects {
		if slices.ContainsFunc(a.KnockOuts, counts) {
			return audit.FAIL
		}
		if slices.ContainsFunc(a.Open, counts) {
			worst = audit.DNF
		}
	}
	return worst
}

// worstGate returns FAIL if any gate that the line looks at is missed, else DNF if any is undetermined, else PASS.
func (s ProjectScore) worstGate(prof audit.Profile, rule audit.VerdictRule, levels []string) audit.Outcome {
	worst := audit.PASS
	for level, roles := range prof.Gates {
		if !named(levels, level) || !named(rule.Levels, level) {
			continue
		}
		for aspect, gate := range gatesOf(roles, s.Project.Role) {
			if !named(rule.Aspects, aspect) {
				continue
			}
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

// named reports whether a list names a word; an empty list stands for all.
func named(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }

// gatesOf returns the gates of a role at one level; a role that is not known is treated as platform.
func gatesOf(roles map[string]map[string]audit.Gate, role string) map[string]audit.Gate {
	if gates, known := roles[cmp.Or(role, RolePlatform)]; known {
		return gates
	}
	return roles[RolePlatform]
}
