package policies

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// profileExposures are the exposures of a subject, the most public first.
func profileExposures() []string { return []string{"public", "community", "private"} }

// profileOperatorID reports whether an id is one of an indicator about an operator: two capitals, a dash, two digits.
func profileOperatorID(id string) bool {
	prefix, number, ok := strings.Cut(id, "-")
	return ok && len(prefix) == 2 && len(number) == 2 &&
		strings.Trim(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && strings.Trim(number, "0123456789") == ""
}

// profileTransparency reads what is asked about an operator's artifacts. A profile without it asks nothing: every indicator
// then stays MISS.
func (r *reader) profileTransparency(n *yaml.Node) audit.TransparencyRules {
	if n == nil {
		return audit.TransparencyRules{}
	}
	m := r.mapping(n, "public", "source", "indicators")
	if m == nil {
		return audit.TransparencyRules{}
	}
	rules := audit.TransparencyRules{Source: r.profileText(n, m, "source"), Public: map[string][]string{}, Indicators: map[string]audit.TransparencyRule{}}
	exposures := r.mapping(orNode(m["public"], n), profileExposures()...)
	for _, exposure := range profileExposures() {
		if exposures[exposure] == nil {
			r.problem(orNode(m["public"], n), "public says nothing about a cloud that is %s; write [] if nothing of it must be public", exposure)
			continue
		}
		rules.Public[exposure] = r.texts(exposures[exposure])
	}
	r.exposuresAgree(m["public"], rules.Public)
	ids, values := r.profileNames(orNode(m["indicators"], n), profileOperatorID)
	for _, id := range ids {
		rules.Indicators[id] = r.profileOperatorRule(values[id])
	}
	return rules
}

// exposuresAgree refuses that a cloud which shows itself to fewer people has to publish more.
func (r *reader) exposuresAgree(n *yaml.Node, public map[string][]string) {
	order := profileExposures()
	for i := 1; i < len(order); i++ {
		for _, kind := range public[order[i]] {
			if !slices.Contains(public[order[i-1]], kind) {
				r.problem(n, "%q must be public for a cloud that is %s and need not for one that is %s", clean(kind), order[i], order[i-1])
			}
		}
	}
}

func (r *reader) profileOperatorRule(n *yaml.Node) audit.TransparencyRule {
	m := r.mapping(n, "title", "numbers", "source")
	if m == nil {
		return audit.TransparencyRule{}
	}
	return audit.TransparencyRule{Title: r.profileText(n, m, "title"), Numbers: r.profileNumbers(m["numbers"]), Source: r.profileText(n, m, "source")}
}
