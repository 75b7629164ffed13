package policies

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// variantLocked lists what a variant may not touch beside the whole aspect security: how fast a project answers. Somebody
// who depends on finished software waits for the same answers.
func variantLocked(id string) (why string, locked bool) {
	switch {
	case strings.HasPrefix(id, "SE-"):
		return "security", true
	case slices.Contains([]string{"OV-06", "MA-09", "MA-10"}, id):
		return "how fast a project answers", true
	}
	return "", false
}

// variant reads a profile that extends base. It may only state thresholds, windows and further numbers of indicators, each
// other than that of base and with its source; gates, weights, knock-outs, lifetimes and licences are those of base. What
// concerns security, response and knock-outs cannot be relaxed.
func (r *reader) variant(n *yaml.Node, base audit.Profile) audit.Profile {
	m := r.mapping(n, "schema", "id", "extends", "version", "status", "title", "indicators")
	if m == nil {
		return audit.Profile{}
	}
	p := base
	p.Schema = r.oneOf(n, m, "schema", ProfileSchema)
	p.ID = r.identifier(n, m, "id")
	p.Extends = base.ID
	p.Version = r.profileText(n, m, "version")
	p.Status = r.oneOf(n, m, "status", "proposal", "decided")
	p.Title = r.profileText(n, m, "title")
	p.Indicators = maps.Clone(base.Indicators)
	if m["indicators"] == nil {
		r.problem(n, `"indicators" is missing: what differs from profile %q`, base.ID)
		return p
	}
	rules := r.mapping(m["indicators"], profileIndicators()...)
	if rules != nil && len(rules) == 0 {
		r.problem(m["indicators"], "the profile differs in nothing from %q; leave it out", base.ID)
	}
	for _, id := range profileIndicators() {
		if rules[id] != nil {
			p.Indicators[id] = r.variantRule(id, rules[id], base.Indicators[id])
		}
	}
	return p
}

func (r *reader) variantRule(id string, n *yaml.Node, base audit.IndicatorRule) audit.IndicatorRule {
	m := r.mapping(n, "fail", "pass", "window_days", "numbers", "source")
	if m == nil {
		return base
	}
	if why, locked := variantLocked(id); locked {
		r.problem(n, "%s: a variant never changes what is asked about %s", id, why)
		return base
	}
	rule := base
	rule.Source = r.profileText(n, m, "source")
	if v := r.profileNumber(m["fail"]); v != nil {
		rule.Fail = v
	}
	if v := r.profileNumber(m["pass"]); v != nil {
		rule.Pass = v
	}
	if m["window_days"] != nil {
		rule.Window = r.integer(m["window_days"], 1, profileWindow)
	}
	if further := r.profileNumbers(m["numbers"]); further != nil {
		rule.Numbers = maps.Clone(base.Numbers)
		for _, name := range slices.Sorted(maps.Keys(further)) {
			if _, known := base.Numbers[name]; !known {
				names := slices.Sorted(maps.Keys(base.Numbers))
				r.problem(m["numbers"], "%s has no number %q in profile it extends%s", id, name, didYouMean(name, names))
				continue
			}
			rule.Numbers[name] = further[name]
		}
	}
	r.variantDiffers(id, n, m, rule, base)
	if base.KnockOut {
		r.variantKnockOut(id, n, m, rule, base)
	}
	r.profileAgrees(id, n, map[string]*yaml.Node{"aspect": n, "weight": n, "fail": orNode(m["fail"], n), "pass": orNode(m["pass"], n), "window_days": m["window_days"]}, rule)
	return rule
}

// variantDiffers refuses what is stated without need, so that a variant shows exactly its differences, and what the profile
// it extends does not ask for.
func (r *reader) variantDiffers(id string, n *yaml.Node, m map[string]*yaml.Node, rule, base audit.IndicatorRule) {
	stated := 0
	for _, key := range []string{"fail", "pass", "window_days", "numbers"} {
		if m[key] == nil {
			continue
		}
		stated++
		before, now := ruleValue(base, key), ruleValue(rule, key)
		switch {
		case before == "":
			r.problem(m[key], "%s has no %s in the profile it extends", id, key)
		case before == now:
			r.problem(m[key], "%s of %s is %s in the profile it extends already; state only what differs", key, id, now)
		}
	}
	if stated == 0 {
		r.problem(n, "%s states no number; leave it out", id)
	}
}

// ruleValue writes one part of a rule; "" if it is not set.
func ruleValue(rule audit.IndicatorRule, key string) string {
	switch {
	case key == "fail" && rule.Fail != nil:
		return fmt.Sprint(*rule.Fail)
	case key == "pass" && rule.Pass != nil:
		return fmt.Sprint(*rule.Pass)
	case key == "window_days" && rule.Window != 0:
		return fmt.Sprint(rule.Window)
	case key == "numbers" && len(rule.Numbers) > 0:
		return fmt.Sprint(rule.Numbers)
	}
	return ""
}

// variantKnockOut keeps what knocks out as it is: the failing threshold and the further numbers; a longer window sees more
// harm and is allowed.
func (r *reader) variantKnockOut(id string, n *yaml.Node, m map[string]*yaml.Node, rule, base audit.IndicatorRule) {
	for _, key := range []string{"fail", "numbers"} {
		if m[key] != nil && ruleValue(rule, key) != ruleValue(base, key) {
			r.problem(m[key], "%s of %s decides about a knock-out; a variant never changes what knocks out", key, id)
		}
	}
	if rule.Window < base.Window {
		r.problem(orNode(m["window_days"], n), "window_days of %s is shorter than %d; a variant never relaxes a knock-out", id, base.Window)
	}
}
