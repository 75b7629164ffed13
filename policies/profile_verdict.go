package policies

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of the rules for verdicts, risks and lock-in.
const (
	profileMostLines = 32 // lines of a verdict rule, steps of the radius
	profileRadius    = 1_000_000
)

func profileRoles() []string { return []string{"platform", "building-block"} }

func profileMitigations() []string {
	return []string{audit.MitigationAlternative, audit.MitigationFoundation, audit.MitigationSupport, audit.MitigationOwnMaintainers}
}

func profileClasses() []string { return []string{audit.ClassLow, audit.ClassMedium, audit.ClassHigh} }

// profileVerdicts reads the rules for the word of the verdict. Each role has them, a knock-out of any kind is looked at, and
// only the last line, which applies if nothing before it does, may say that a project passed. The word undetermined cannot
// be given: it is what remains as long as more than one line may still apply.
func (r *reader) profileVerdicts(n *yaml.Node, p audit.Profile) map[string][]audit.VerdictRule {
	if n == nil {
		return nil
	}
	out := map[string][]audit.VerdictRule{}
	roles := r.mapping(n, profileRoles()...)
	for _, role := range profileRoles() {
		at := roles[role]
		if roles != nil && at == nil {
			r.problem(n, "there is no verdict for the role %s", role)
			continue
		}
		entries := r.entries(at)
		if len(entries) > profileMostLines {
			r.problem(at, "%d lines; at most %d are read", len(entries), profileMostLines)
			continue
		}
		for i, e := range entries {
			out[role] = append(out[role], r.profileVerdict(e, p, i == len(entries)-1))
		}
		if at != nil && !slices.ContainsFunc(out[role], func(v audit.VerdictRule) bool {
			return v.When == audit.WhenKnockOut && len(v.Indicators) == 0
		}) {
			r.problem(at, "no line of the role %s looks at every knock-out; add {when: knock-out, says: showstopper, source: ...}", role)
		}
	}
	return out
}

func (r *reader) profileVerdict(n *yaml.Node, p audit.Profile, last bool) audit.VerdictRule {
	m := r.mapping(n, "when", "indicators", "levels", "aspects", "says", "source")
	if m == nil {
		return audit.VerdictRule{}
	}
	v := audit.VerdictRule{
		When:       r.oneOf(n, m, "when", audit.WhenKnockOut, audit.WhenMissedGate, audit.WhenOtherwise),
		Indicators: r.profileSome(m["indicators"], "knock-out", profileKnockOuts(p)),
		Levels:     r.profileSome(m["levels"], "level with gates", sortedKeys(p.Gates)),
		Aspects:    r.profileSome(m["aspects"], "aspect", profileAspects()),
		Says:       r.oneOf(n, m, "says", "passed", "almost", "showstopper"),
		Source:     r.profileText(n, m, "source"),
	}
	switch {
	case (v.When == audit.WhenOtherwise) != last:
		r.problem(n, "the last line, and no other, is when: otherwise")
	case v.Says == "passed" && v.When != audit.WhenOtherwise:
		r.problem(m["says"], "a %s cannot say passed", v.When)
	case m["indicators"] != nil && v.When != audit.WhenKnockOut:
		r.problem(m["indicators"], "indicators belong to when: knock-out")
	case (m["levels"] != nil || m["aspects"] != nil) && v.When != audit.WhenMissedGate:
		r.problem(orNode(m["levels"], m["aspects"]), "levels and aspects belong to when: missed-gate")
	}
	return v
}

func profileKnockOuts(p audit.Profile) (ids []string) {
	for _, id := range sortedKeys(p.Indicators) {
		if p.Indicators[id].KnockOut {
			ids = append(ids, id)
		}
	}
	return ids
}

// profileSome reads a list of names that must be known ones; a list that is there must not be empty.
func (r *reader) profileSome(n *yaml.Node, what string, known []string) []string {
	if n == nil {
		return nil
	}
	names := r.texts(n)
	if len(names) == 0 {
		r.problem(n, "the list names no %s", what)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			r.problem(n, "%q is no %s%s", clean(name), what, didYouMean(name, known))
		}
	}
	return names
}

// profileRisks reads the lines of the risk register. A knock-out is no risk: it decides already.
func (r *reader) profileRisks(n *yaml.Node) map[string]audit.RiskRule {
	if n == nil {
		return nil
	}
	out := map[string]audit.RiskRule{}
	m := r.mapping(n, profileIndicators()...)
	for _, id := range sortedKeys(m) {
		at := r.mapping(m[id], "title", "outcomes", "mitigations", "source")
		if at == nil {
			continue
		}
		rule := audit.RiskRule{
			Title: r.profileText(m[id], at, "title"), Source: r.profileText(m[id], at, "source"),
			Mitigations: r.profileSome(at["mitigations"], "kind of mitigation", profileMitigations()),
		}
		words := r.profileSome(at["outcomes"], "outcome of a risk", []string{"FAIL", "PART"})
		for _, word := range words {
			var o audit.Outcome
			if o.UnmarshalText([]byte(word)) == nil {
				rule.Outcomes = append(rule.Outcomes, o)
			}
		}
		if len(words) == 0 {
			r.problem(m[id], `"outcomes" is missing: FAIL, PART or both`)
		}
		out[id] = rule
	}
	return out
}

// profileLockIn reads the matrix of the lock-in risk. It never falls where an axis grows.
func (r *reader) profileLockIn(n *yaml.Node) audit.LockInRule {
	m := r.mapping(n, "low", "high", "probability", "effect", "radius", "risks", "mitigations", "source")
	if m == nil {
		return audit.LockInRule{}
	}
	for _, key := range []string{"low", "high", "probability", "effect", "radius", "risks", "mitigations"} {
		if m[key] == nil {
			r.problem(n, "%q is missing", key)
		}
	}
	rule := audit.LockInRule{
		Low: r.integer(m["low"], 1, audit.Full), High: r.integer(m["high"], 1, audit.Full-1),
		Probability: r.profileSome(m["probability"], "indicator", profileIndicators()),
		Effect:      r.profileSome(m["effect"], "indicator", profileIndicators()),
		Radius:      r.profileRadius(m["radius"]),
		Risks:       r.profileMatrix(m["risks"]),
		Mitigations: r.profileSome(m["mitigations"], "kind of mitigation", profileMitigations()),
		Source:      r.profileText(n, m, "source"),
	}
	if m["low"] != nil && m["high"] != nil && rule.Low > rule.High {
		r.problem(m["low"], "low is %d and high is %d; low is the lower border", rule.Low, rule.High)
	}
	return rule
}

// profileRadius reads the steps of the blast radius: from one component on, each larger than the one before.
func (r *reader) profileRadius(n *yaml.Node) (steps []audit.RadiusStep) {
	entries := r.entries(n)
	if n != nil && (len(entries) == 0 || len(entries) > profileMostLines) {
		r.problem(n, "1 to %d steps are needed here", profileMostLines)
		return nil
	}
	for i, e := range entries {
		m := r.mapping(e, "from", "factor")
		if m == nil {
			continue
		}
		if m["from"] == nil || m["factor"] == nil {
			r.problem(e, `a step needs "from", a number of components, and "factor", in basis points`)
			continue
		}
		s := audit.RadiusStep{From: r.integer(m["from"], 1, profileRadius), Factor: r.integer(m["factor"], 0, audit.Full)}
		switch {
		case i == 0 && s.From != 1:
			r.problem(m["from"], "the first step begins at 1: a project is a component itself")
		case len(steps) > 0 && (s.From <= steps[len(steps)-1].From || s.Factor < steps[len(steps)-1].Factor):
			r.problem(e, "steps rise: from must be larger, factor not smaller than before")
		}
		steps = append(steps, s)
	}
	return steps
}

func (r *reader) profileMatrix(n *yaml.Node) map[string]map[string]string {
	rows := r.mapping(n, profileClasses()...)
	if rows == nil {
		return nil
	}
	out := map[string]map[string]string{}
	rank := func(probability, effect int) int {
		if probability < 0 || effect < 0 {
			return 0
		}
		classes := profileClasses()
		return slices.Index(classes, out[classes[probability]][classes[effect]])
	}
	for i, probability := range profileClasses() {
		if rows[probability] == nil {
			r.problem(n, "the row of probability %s is missing", probability)
			continue
		}
		cells := r.mapping(rows[probability], profileClasses()...)
		out[probability] = map[string]string{}
		for j, effect := range profileClasses() {
			if cells == nil {
				continue
			}
			out[probability][effect] = r.oneOf(rows[probability], cells, effect, profileClasses()...)
			if rank(i, j) < max(rank(i-1, j), rank(i, j-1)) {
				r.problem(rows[probability], "the risk of probability %s and effect %s is lower than that of a smaller one", probability, effect)
			}
		}
	}
	return out
}
