package policies

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Setting is one value of a profile that decides: a threshold, a weight, a gate, a lifetime, a word of a rule. Path names it
// as in the file, for example "AC-01.pass" or "gates.scs-open.platform.open-source.low".
type Setting struct {
	Path  string
	Value string // as it is written; empty: not set
}

// spoken are the keys of a profile that explain and do not decide.
func spoken() []string {
	return []string{"schema", "id", "version", "status", "title", "extends", "only", "clauses", "unit", "source", "text", "words"}
}

// Settings lists what decides in a profile, sorted by path.
func Settings(p audit.Profile) ([]Setting, error) {
	root, err := settingsTree(p)
	if err != nil {
		return nil, err
	}
	var out []Setting
	walkSettings(root, "", func(path string, n *yaml.Node) { out = append(out, Setting{path, settingValue(n)}) })
	slices.SortFunc(out, func(a, b Setting) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// Change is a setting that has another value in a second profile.
type Change struct {
	Path     string
	From, To string // empty: not set
}

// Changes lists the settings in which two profiles differ, sorted by path.
func Changes(a, b audit.Profile) ([]Change, error) {
	before, err := Settings(a)
	if err != nil {
		return nil, err
	}
	after, err := Settings(b)
	if err != nil {
		return nil, err
	}
	var out []Change
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].Path < after[0].Path:
			out = append(out, Change{Path: before[0].Path, From: before[0].Value})
			before = before[1:]
		case len(before) == 0 || after[0].Path < before[0].Path:
			out = append(out, Change{Path: after[0].Path, To: after[0].Value})
			after = after[1:]
		default:
			if before[0].Value != after[0].Value {
				out = append(out, Change{Path: before[0].Path, From: before[0].Value, To: after[0].Value})
			}
			before, after = before[1:], after[1:]
		}
	}
	return out, nil
}

// Take returns profile a with the settings of the given paths as they are in b. It may be one that no file could hold; it
// judges all the same.
func Take(a, b audit.Profile, paths []string) (audit.Profile, error) {
	if len(paths) == 0 {
		return a, nil
	}
	from, err := settingsTree(b)
	if err != nil {
		return audit.Profile{}, err
	}
	wanted := map[string]*yaml.Node{}
	walkSettings(from, "", func(path string, n *yaml.Node) { wanted[path] = n })
	into, err := settingsTree(a)
	if err != nil {
		return audit.Profile{}, err
	}
	for _, path := range paths {
		putSetting(into, path, wanted[path])
	}
	var out audit.Profile
	if err := into.Decode(&out); err != nil {
		return audit.Profile{}, fmt.Errorf("changing profile %q: %w", a.ID, err)
	}
	return out, nil
}

func settingsTree(p audit.Profile) (*yaml.Node, error) {
	var root yaml.Node
	if err := root.Encode(p); err != nil {
		return nil, fmt.Errorf("reading profile %q: %w", p.ID, err)
	}
	return &root, nil
}

// walkSettings visits the leaves that decide. The key "indicators" is left out of paths: ids of indicators speak for
// themselves.
func walkSettings(n *yaml.Node, path string, visit func(string, *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		visit(path, n)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if slices.Contains(spoken(), key) {
			continue
		}
		switch {
		case path == "" && key == "indicators":
			walkSettings(n.Content[i+1], "", visit)
		case path == "":
			walkSettings(n.Content[i+1], key, visit)
		default:
			walkSettings(n.Content[i+1], path+"."+key, visit)
		}
	}
}

func settingValue(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		parts := make([]string, len(n.Content))
		for i, c := range n.Content {
			parts[i] = settingValue(c)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if n.Kind == yaml.MappingNode {
		var parts []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, n.Content[i].Value+": "+settingValue(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return n.Value
}

// putSetting sets a leaf, making the mappings above it; nil removes it, with the mappings that it leaves without settings.
func putSetting(root *yaml.Node, path string, v *yaml.Node) {
	keys := strings.Split(path, ".")
	if profileAspectOf(keys[0]) != "" {
		keys = append([]string{"indicators"}, keys...)
	}
	putBelow(root, keys, v)
}

func putBelow(n *yaml.Node, keys []string, v *yaml.Node) {
	at := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == keys[0] {
			at = i
		}
	}
	if at < 0 {
		if v == nil {
			return
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: keys[0]}, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
		at = len(n.Content) - 2
	}
	if len(keys) > 1 {
		putBelow(n.Content[at+1], keys[1:], v)
	} else if v != nil {
		n.Content[at+1] = v
	}
	if v == nil && (len(keys) == 1 || !decides(n.Content[at+1])) {
		n.Content = slices.Delete(n.Content, at, at+2)
	}
}

// decides reports whether a mapping holds any setting.
func decides(n *yaml.Node) (found bool) {
	walkSettings(n, "below", func(string, *yaml.Node) { found = true })
	return found
}
