package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// ruleChanges lists what two policies demand otherwise: requirements, then scopes, then switches, each by id.
func ruleChanges(a, b *policies.Policy) []reports.RuleChange {
	if a == nil || b == nil {
		return nil
	}
	from, to := partsOf(a), partsOf(b)
	var out []reports.RuleChange
	for _, kind := range []string{"requirement", "scope", "switch"} {
		ids := append(sortedKeys(from[kind]), sortedKeys(to[kind])...)
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			if c, differs := ruleChange(from[kind][id], to[kind][id]); differs {
				c.Kind, c.ID = kind, id
				if q, ok := b.Requirement(id); ok && kind == "requirement" {
					c.Digest = q.Digest()
				}
				out = append(out, c)
			}
		}
	}
	return out
}

// partsOf writes what decides of a policy as texts by kind, id and field. Words for readers do not decide.
func partsOf(p *policies.Policy) map[string]map[string]map[string]string {
	out := map[string]map[string]map[string]string{"requirement": {}, "scope": {}, "switch": {}}
	for _, q := range p.Requirements() {
		fields := map[string]string{
			"severity": q.Severity, "for_each": q.ForEach, "applies": q.Applies, "pass": q.Pass, "lifetime": q.Lifetime, "declared_ok": fmt.Sprint(q.DeclaredOK),
		}
		if !q.EffectiveOn.IsZero() {
			fields["effective_on"] = q.EffectiveOn.Format(time.DateOnly)
		}
		out["requirement"][q.ID] = fields
	}
	for _, s := range p.Scopes() {
		fields := map[string]string{"level": fmt.Sprint(s.Number), "layer": s.Layer, "gates": s.Gates, "requires": s.Requires, "select": selectWords(s.Select)}
		for _, id := range s.Include {
			fields["include "+id] = "included"
		}
		out["scope"][s.ID] = fields
	}
	for _, s := range p.Switches() {
		out["switch"][s.Name] = map[string]string{"on": fmt.Sprint(s.On)}
	}
	return out
}

func selectWords(list []policies.Selector) string {
	var parts []string
	for _, s := range list {
		var words []string
		for _, w := range []struct {
			name string
			list []string
		}{{"tiers", s.Tiers}, {"areas", s.Areas}, {"kinds", s.Kinds}} {
			if len(w.list) > 0 {
				words = append(words, w.name+" "+strings.Join(w.list, ", "))
			}
		}
		parts = append(parts, strings.Join(words, " of "))
	}
	return strings.Join(parts, "; ")
}

func ruleChange(from, to map[string]string) (c reports.RuleChange, differs bool) {
	switch {
	case from == nil:
		c.Change = "added"
	case to == nil:
		c.Change = "removed"
	default:
		c.Change = "changed"
	}
	names := append(sortedKeys(from), sortedKeys(to)...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if from[name] != to[name] && (c.Change == "changed" || name == "pass" || name == "severity" || name == "on") {
			c.Fields = append(c.Fields, reports.FieldMove{Field: name, From: from[name], To: to[name]})
		}
	}
	return c, c.Change != "changed" || len(c.Fields) > 0
}

// mostFindingMoves bounds the answers that are listed; the rest is counted.
const mostFindingMoves = 500

// findingMoves lists the answers about single subjects that change, worst new answer first.
func findingMoves(before, after policies.Result, rules []reports.RuleChange) (moves []reports.FindingMove, more int) {
	was := map[string]audit.Finding{}
	for _, f := range before.Findings {
		was[f.ID] = f
	}
	seen := map[string]bool{}
	add := func(f audit.Finding, from, to, wasReason, isReason string) {
		m := reports.FindingMove{
			ID: f.ID, Requirement: f.Requirement, Subject: f.Subject.Name, Severity: f.Severity, Scopes: orEmpty(f.Scopes), From: from, To: to, Was: wasReason, Is: isReason,
		}
		m.Rules, m.Why = why(f.Requirement, from, to, rules)
		moves = append(moves, m)
	}
	for _, f := range after.Findings {
		seen[f.ID] = true
		old, known := was[f.ID]
		switch {
		case !known:
			add(f, "none", f.Outcome.String(), "", f.Reason)
		case old.Outcome != f.Outcome:
			add(f, old.Outcome.String(), f.Outcome.String(), old.Reason, f.Reason)
		}
	}
	for _, f := range before.Findings {
		if !seen[f.ID] {
			add(f, f.Outcome.String(), "none", f.Reason, "")
		}
	}
	slices.SortStableFunc(moves, func(a, b reports.FindingMove) int {
		return cmp.Or(cmp.Compare(moveRank(a.To), moveRank(b.To)), cmp.Compare(a.Requirement, b.Requirement), cmp.Compare(a.ID, b.ID))
	})
	if len(moves) > mostFindingMoves {
		more, moves = len(moves)-mostFindingMoves, moves[:mostFindingMoves]
	}
	return moves, more
}

func moveRank(outcome string) int {
	return slices.Index([]string{audit.FAIL.String(), audit.MISS.String(), audit.DNF.String(), "none", audit.PASS.String(), audit.NA.String()}, outcome)
}

// why says which difference between the rules changes an answer: that of its requirement, else of what surrounds it.
func why(requirement, from, to string, rules []reports.RuleChange) (which []int, words string) {
	var parts []string
	for i, c := range rules {
		if c.Kind != "requirement" || c.ID != requirement {
			continue
		}
		which = append(which, i)
		switch c.Change {
		case "added":
			parts = append(parts, "the requirement is new")
		case "removed":
			parts = append(parts, "the requirement is gone")
		default:
			for _, f := range c.Fields {
				parts = append(parts, fmt.Sprintf("%s was %s, is %s", f.Field, orText(f.From, "nothing"), orText(f.To, "nothing")))
			}
		}
	}
	for i, c := range rules {
		for _, f := range c.Fields {
			if c.Kind == "scope" && f.Field == "include "+requirement {
				which = append(which, i)
				parts = append(parts, fmt.Sprintf("scope %s %s it", c.ID, map[bool]string{true: "now asks for", false: "no longer asks for"}[f.From == ""]))
			}
		}
	}
	if len(parts) > 0 {
		return which, strings.Join(parts, "; ")
	}
	for i, c := range rules {
		if c.Kind != "requirement" {
			which = append(which, i)
			parts = append(parts, c.Kind+" "+c.ID+" "+c.Change)
		}
	}
	if len(parts) > 0 {
		return which, "the requirement is the same; " + strings.Join(parts, ", ") + ", or thresholds changed"
	}
	return nil, "the requirement is the same; thresholds changed"
}
