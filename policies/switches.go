package policies

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

// Switch is a question that nobody has answered yet, with the answer that the policy takes. Rules read it as switch.NAME.
type Switch struct {
	Name    string
	On      bool
	Title   Text
	Sources []Clause // what its answer rests on

	sources []string // their ids
}

// Switches lists the switches of the policy, sorted by name.
func (p *Policy) Switches() []Switch { return slices.Clone(p.switches) }

// mostSwitches bounds the switches of a policy.
const mostSwitches = 32

// switchesOf reads the mapping of switches, by name.
func (r *reader) switchesOf(n *yaml.Node) []Switch {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.problem(n, "a mapping from switches to their answers is needed here")
		return nil
	}
	var out []Switch
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !validName(key.Value):
			r.problem(key, "%q is no name of a switch; write it like technicallyMetSuffices", clean(key.Value))
			continue
		case slices.ContainsFunc(out, func(s Switch) bool { return s.Name == key.Value }):
			r.problem(key, "the switch %s stands here twice", key.Value)
			continue
		case len(out) == mostSwitches:
			r.problem(key, "more than %d switches", mostSwitches)
			return out
		}
		m := r.mapping(n.Content[i+1], "on", "title", "sources")
		if m == nil {
			continue
		}
		if m["on"] == nil {
			r.problem(n.Content[i+1], `"on" is missing: true or false`)
		}
		out = append(out, Switch{
			Name: key.Value, On: r.boolean(m["on"]), Title: r.translated(n.Content[i+1], m, "title"), sources: r.sources(n.Content[i+1], m),
		})
	}
	slices.SortFunc(out, func(a, b Switch) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

// validName reports whether a text is a name as rules write them: letters and digits, a small letter first.
func validName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}

// switches are those of the manifest. It is read after the modules, so they are looked up here; what is wrong with them is
// said when the manifest itself is read.
func (l *loader) switches() []Switch {
	for _, f := range l.policy.files {
		if f.Name != manifest {
			continue
		}
		quiet := &reader{file: f.Name}
		if root := quiet.root(f.Data); root != nil && root.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(root.Content); i += 2 {
				if root.Content[i].Value == "switches" {
					return l.turn(quiet.switchesOf(root.Content[i+1]))
				}
			}
		}
	}
	return nil
}

// turn gives switches the answers that were asked for instead of those of the file.
func (l *loader) turn(switches []Switch) []Switch {
	for i, s := range switches {
		if on, other := l.turned[s.Name]; other {
			switches[i].On = on
		}
	}
	return switches
}

// Turned is the policy with some switches turned, by name: what would be decided if an open question were answered otherwise.
// It keeps the digest of its files.
func (p *Policy) Turned(switches map[string]bool) (*Policy, error) {
	for name := range switches {
		if !slices.ContainsFunc(p.switches, func(s Switch) bool { return s.Name == name }) {
			return nil, fmt.Errorf("policy %s has no switch %q", p.id, clean(name))
		}
	}
	out, problems := loadTurned(p.files, switches)
	if len(problems) > 0 {
		return nil, &LoadError{Problems: problems}
	}
	return out, nil
}

// switchOptions make the switches known to rules.
func switchOptions(switches []Switch) (options []cel.EnvOption) {
	for _, s := range switches {
		options = append(options, cel.Constant("switch."+s.Name, cel.BoolType, types.Bool(s.On)))
	}
	return options
}
