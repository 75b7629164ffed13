package policies

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// selection reads a profile that asks only some of the questions of base: `only` lists them. The others are still measured and
// shown, but weigh nothing and knock nothing out, and an aspect of which nothing is asked has no gate. It reproduces checks that
// looked at less, such as the one of scs-0218. Since it relaxes everything that it leaves out, it is never part of a policy: no
// level can be reached by it.
func (r *reader) selection(n *yaml.Node, base audit.Profile) audit.Profile {
	m := r.mapping(n, "schema", "id", "extends", "version", "status", "title", "only", "source")
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
	why := r.profileText(n, m, "source")
	p.Only = r.selected(m["only"])
	p.Indicators = maps.Clone(base.Indicators)
	asked := map[string]bool{}
	for id, rule := range p.Indicators {
		if slices.Contains(p.Only, id) {
			asked[rule.Aspect] = true
			continue
		}
		rule.Weight, rule.KnockOut = 0, false
		rule.Source = "not asked: " + why
		p.Indicators[id] = rule
	}
	p.Gates = map[string]map[string]map[string]audit.Gate{}
	for level, roles := range base.Gates {
		p.Gates[level] = map[string]map[string]audit.Gate{}
		for role, gates := range roles {
			kept := maps.Clone(gates)
			maps.DeleteFunc(kept, func(aspect string, _ audit.Gate) bool { return !asked[aspect] })
			p.Gates[level][role] = kept
		}
	}
	return p
}

// selected reads the list of questions, each once.
func (r *reader) selected(n *yaml.Node) (ids []string) {
	if n == nil || n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		if n != nil {
			r.problem(n, `"only" wants a list of indicators, such as [OS-01, AC-01]`)
		}
		return nil
	}
	for _, item := range n.Content {
		switch {
		case item.Kind != yaml.ScalarNode || !slices.Contains(profileIndicators(), item.Value):
			r.problem(item, "there is no indicator %q%s", clean(item.Value), didYouMean(item.Value, profileIndicators()))
		case slices.Contains(ids, item.Value):
			r.problem(item, "%s stands twice", item.Value)
		default:
			ids = append(ids, item.Value)
		}
	}
	slices.Sort(ids)
	return ids
}
