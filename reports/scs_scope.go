package reports

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// SCSScopeYAML writes a scope as the file that SCS's tooling loads (scs-0003-v1; standards: Tests/scs_cert_lib.py, load_spec, and
// compliance-monitor/monitor.py, import_cert_yaml). The same scope gives the same bytes.
func SCSScopeYAML(s SCSScope) ([]byte, error) {
	if len(s.Timeline) == 0 {
		return nil, fmt.Errorf("writing scope %q: the policy has no timeline; add it to policy.yaml, such as timeline: [{date: 2026-11-26, state: draft}]", s.ID)
	}
	if len(s.Tests) == 0 {
		return nil, fmt.Errorf("writing scope %q: it includes no requirement", s.ID)
	}
	versions := scsVersions(s)
	for _, v := range versions {
		if !v.decides() {
			return nil, fmt.Errorf("writing scope %q: version %s has no requirement that decides (severity must, effective); the compliance monitor would pass everybody", s.ID, oneLine(v.name))
		}
	}
	root := mapping(
		"uuid", word(SCSScopeUUID(s.Policy.ID, s.ID)),
		"name", word(SCSScopeName(s.Title)),
		"url", word(scsURL(s.ID)),
	)
	if s.Requires.Name != "" {
		add(root, "prerequisite", mapping("name", word(s.Requires.Name), "url", word(s.Requires.URL)))
	}
	add(root, "variables", sequence(word("stack"), mapping("policy", word(string(s.Policy.Digest)))))
	add(root, "scripts", scsScripts(s))
	add(root, "modules", scsModules(versions))
	add(root, "timeline", scsTimeline(s, versions))
	add(root, "versions", scsVersionNodes(s, versions))
	root.HeadComment = fmt.Sprintf("# %s: a proposal, not adopted by SCS. Nothing is certified by it.\n# Written by pegel policy scope from %s %s (%s).\n"+
		"# stack: the stack file or the bundle of the subject; policy: the rules that have to decide.",
		SCSScopeName(s.Title), oneLine(s.Policy.ID), oneLine(s.Policy.Version), s.Policy.Digest)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}}); err != nil {
		return nil, fmt.Errorf("writing scope %q: %w", s.ID, err)
	}
	return b.Bytes(), nil
}

// scsScripts are the automated test cases, which pegel check decides in one run, and the manual ones: a script without an
// executable (scs-compliance-check.py leaves them out; their results come from an assessor).
func scsScripts(s SCSScope) *yaml.Node {
	var automated, manual []*yaml.Node
	for _, t := range s.Tests {
		n := mapping("id", word(SCSTestCase(t.Requirement)))
		if t.Lifetime != "" {
			add(n, "lifetime", word(t.Lifetime))
		}
		add(n, "section", word(t.Module))
		description := t.Title
		if t.Manual {
			description = "Manual check: " + description
		}
		add(n, "description", word(description))
		add(n, "url", word(scsURL(t.Requirement)))
		if t.Manual {
			manual = append(manual, n)
		} else {
			automated = append(automated, n)
		}
	}
	out := sequence()
	if len(automated) > 0 {
		out.Content = append(out.Content, mapping("executable", word("./pegel"),
			"args", word("check {stack} --scope "+s.ID+" --policy {policy} -t {testcases}"), "testcases", sequence(automated...)))
	}
	if len(manual) > 0 {
		out.Content = append(out.Content, mapping("testcases", sequence(manual...)))
	}
	return out
}

// scsVersion is the policy's version during a time in which the same requirements count.
type scsVersion struct {
	name    string
	from    time.Time // zero: the first
	modules []scsModule
}

// scsModule is a group of test cases in the form in which a version includes it.
type scsModule struct {
	id, name, url string
	targets       []scsTarget
}

type scsTarget struct {
	name  string
	cases []string
}

// scsVersions lists the versions, newest first, as the monitor expects them. A requirement that counts from a later day on stands
// under "preview" until then; as the meaning of a version may not change, a version of its own begins on that day.
func scsVersions(s SCSScope) []scsVersion {
	first := s.Timeline[len(s.Timeline)-1].From
	days := []time.Time{{}}
	for _, t := range s.Tests {
		if t.From.After(first) && !slices.ContainsFunc(days, t.From.Equal) {
			days = append(days, t.From)
		}
	}
	slices.SortFunc(days, func(a, b time.Time) int { return b.Compare(a) })
	var out []scsVersion
	for _, day := range days {
		v := scsVersion{name: s.Policy.Version, from: day}
		if !day.IsZero() {
			v.name += "-from-" + day.Format(time.DateOnly)
		}
		for _, t := range s.Tests {
			later := t.From.After(first)
			v.add(t, later, later && t.From.After(day))
		}
		out = append(out, v)
	}
	return out
}

// add puts a test case into the module and target where it stands in this version; later says that it does not count from the
// beginning, open that it does not count yet.
func (v *scsVersion) add(t SCSTest, later, open bool) {
	m := scsModule{id: "pegel-" + t.Module, name: t.ModuleTitle, url: scsURL(t.Module)}
	if t.Manual {
		m.id, m.name = m.id+"-manual", m.name+" (manual)"
	}
	if later {
		day := t.From.Format(time.DateOnly)
		m.id, m.name = m.id+"-from-"+day, m.name+" (from "+day+" on)"
	}
	target := "main"
	switch {
	case open:
		m.id, m.name, target = m.id+"-preview", m.name+" (preview)", "preview"
	case !t.Must:
		target = "recommended"
	}
	at := slices.IndexFunc(v.modules, func(o scsModule) bool { return o.id == m.id })
	if at < 0 {
		at = len(v.modules)
		v.modules = append(v.modules, m)
	}
	targets := &v.modules[at].targets
	in := slices.IndexFunc(*targets, func(o scsTarget) bool { return o.name == target })
	if in < 0 {
		in = len(*targets)
		*targets = append(*targets, scsTarget{name: target})
	}
	(*targets)[in].cases = append((*targets)[in].cases, SCSTestCase(t.Requirement))
}

// decides reports whether the target main, which alone decides, has a test case.
func (v scsVersion) decides() bool {
	return slices.ContainsFunc(v.modules, func(m scsModule) bool {
		return slices.ContainsFunc(m.targets, func(t scsTarget) bool { return t.name == "main" })
	})
}

func scsModules(versions []scsVersion) *yaml.Node {
	out := sequence()
	var known []string
	for _, v := range versions {
		for _, m := range v.modules {
			if slices.Contains(known, m.id) {
				continue
			}
			known = append(known, m.id)
			targets := mapping()
			for _, t := range m.targets {
				add(targets, t.name, words(t.cases))
			}
			out.Content = append(out.Content, mapping("id", word(m.id), "name", word(m.name), "url", word(m.url), "targets", targets))
		}
	}
	return out
}

// scsTimeline says from each day on which version has which state; what is not listed is deprecated to SCS, and listed as such here.
func scsTimeline(s SCSScope, versions []scsVersion) *yaml.Node {
	var days []time.Time
	for _, state := range s.Timeline {
		days = append(days, state.From)
	}
	for _, v := range versions {
		if !v.from.IsZero() && !slices.ContainsFunc(days, v.from.Equal) {
			days = append(days, v.from)
		}
	}
	slices.SortFunc(days, func(a, b time.Time) int { return b.Compare(a) })
	out := sequence()
	for _, day := range days {
		state := s.Timeline[slices.IndexFunc(s.Timeline, func(o SCSState) bool { return !o.From.After(day) })].State
		listed, current := mapping(), true
		for _, v := range versions {
			switch {
			case v.from.After(day): // it has not begun
			case current:
				add(listed, v.name, word(state))
				current = false
			default:
				add(listed, v.name, word("deprecated"))
			}
		}
		out.Content = append(out.Content, mapping("date", date(day), "versions", listed))
	}
	return out
}

func scsVersionNodes(s SCSScope, versions []scsVersion) *yaml.Node {
	out := sequence()
	for _, v := range versions {
		n := mapping("version", word(v.name))
		if !s.Stabilized.IsZero() {
			add(n, "stabilized_at", date(s.Stabilized))
		}
		var include []string
		for _, m := range v.modules {
			include = append(include, m.id)
		}
		add(n, "include", words(include))
		out.Content = append(out.Content, n)
	}
	return out
}

// mapping makes a YAML mapping of keys and nodes.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(pairs); i += 2 {
		add(n, pairs[i].(string), pairs[i+1].(*yaml.Node))
	}
	return n
}

func add(n *yaml.Node, key string, value *yaml.Node) {
	n.Content = append(n.Content, word(key), value)
}

func sequence(nodes ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: nodes}
}

func words(texts []string) *yaml.Node {
	n := sequence()
	for _, t := range texts {
		n.Content = append(n.Content, word(t))
	}
	return n
}

// word is a string, whatever it looks like: YAML readers of every version read it back as the same one.
func word(s string) *yaml.Node {
	n := new(yaml.Node)
	if err := n.Encode(oneLine(s)); err != nil { // quotes what YAML 1.1 takes for a truth value or a number
		n.SetString("")
	}
	return n
}

// date is a day that YAML readers take for one: SCS compares it with others.
func date(t time.Time) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: t.UTC().Format(time.DateOnly)}
}

// oneLine makes a text fit for one line of a file that programs read: nothing in it is invisible or moves a cursor.
func oneLine(s string) string {
	fields := strings.Fields(s)
	for i, f := range fields {
		fields[i] = printable(f)
	}
	return strings.Join(fields, " ")
}
