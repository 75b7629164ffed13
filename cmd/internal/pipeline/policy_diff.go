package pipeline

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// mostSettings bounds what is tried one by one; all settings of a profile are fewer.
const mostSettings = 2000

// PolicyDiff compares two sets of rules on the evidence of a bundle: whose verdict changes, from what to what, and by which
// settings. A and b are policy directories, the word built-in, ids of built-in profiles or profile files. The bundle is that
// of an audit or a recording of projects. Each setting is tried alone; where none is enough, a smallest set is.
func PolicyDiff(a, b, dir string) (reports.PolicyDiff, error) {
	before, err := readRuleset(a)
	if err != nil {
		return reports.PolicyDiff{}, err
	}
	after, err := readRuleset(b)
	if err != nil {
		return reports.PolicyDiff{}, err
	}
	c, err := readCases(dir)
	if err != nil {
		return reports.PolicyDiff{}, err
	}
	return compareRules(c, before, after)
}

func compareRules(c *cases, before, after ruleset) (reports.PolicyDiff, error) {
	out := reports.PolicyDiff{
		Schema: reports.PolicyDiffSchema, From: before.describe(), To: after.describe(), Evidence: string(c.identity), Projects: len(c.projects),
		Settings: []reports.PolicyChange{}, Verdicts: []reports.VerdictMove{}, Gates: []reports.VerdictMove{}, Idle: []int{},
	}
	if (before.policy == nil) != (after.policy == nil) {
		out.Note = "One side is a profile alone, so only profiles are compared; both decide by the requirements of the bundle."
		before.policy, after.policy = nil, nil
	}
	if c.dossier != nil {
		out.Scopes = len(c.scopes)
	}
	t := &trial{cases: c, before: before, after: after}
	if err := t.differences(); err != nil {
		return out, err
	}
	for _, d := range t.changes {
		out.Settings = append(out.Settings, d.shown)
	}
	moves, idle, err := t.moves()
	if err != nil {
		return out, err
	}
	for _, m := range moves {
		out.Combined = out.Combined || len(m.Together) > 0
		if m.Kind == "gate" {
			out.Gates = append(out.Gates, m)
		} else {
			out.Verdicts = append(out.Verdicts, m)
		}
	}
	out.Idle = append(out.Idle, idle...)
	out.Rules = ruleChanges(before.policy, after.policy)
	if c.dossier == nil {
		return out, nil
	}
	was, err := c.evaluated(before)
	if err != nil {
		return out, err
	}
	is, err := c.evaluated(after)
	if err != nil {
		return out, err
	}
	out.Findings, out.More = findingMoves(was, is, out.Rules)
	return out, nil
}

// trial applies differences between two sets of rules to the first of them.
type trial struct {
	cases         *cases
	before, after ruleset
	choices       []string // profiles that catalogue entries can name: "" is the main one
	changes       []difference
}

// difference is one setting, or one file of requirements, that differs.
type difference struct {
	shown   reports.PolicyChange
	choices []string // in the profiles of these choices; nil: a file of the policy
}

// differences lists what differs: settings of profiles by path, then files of requirements by name.
func (t *trial) differences() error {
	names := map[string]bool{}
	for _, r := range []ruleset{t.before, t.after} {
		for _, id := range r.profiles.IDs()[1:] {
			names[id] = true
		}
	}
	t.choices = append([]string{""}, slices.Sorted(maps.Keys(names))...)
	at := map[policies.Change]int{}
	for _, choice := range t.choices {
		changes, err := policies.Changes(t.before.profiles.For(choice), t.after.profiles.For(choice))
		if err != nil {
			return err
		}
		for _, c := range changes {
			i, known := at[c]
			if !known {
				i = len(t.changes)
				at[c] = i
				t.changes = append(t.changes, difference{shown: reports.PolicyChange{Path: c.Path, From: c.From, To: c.To}})
			}
			t.changes[i].choices = append(t.changes[i].choices, choice)
		}
	}
	for i, d := range t.changes {
		if len(d.choices) == len(t.choices) {
			continue
		}
		for _, choice := range d.choices {
			t.changes[i].shown.Profiles = append(t.changes[i].shown.Profiles, cmp.Or(choice, t.before.profiles.Main().ID))
		}
	}
	slices.SortStableFunc(t.changes, func(a, b difference) int { return strings.Compare(a.shown.Path, b.shown.Path) })
	t.fileDifferences()
	if len(t.changes) > mostSettings {
		return usagef("compare rules that have more in common", "comparing rules: %d settings differ, at most %d can be tried one by one", len(t.changes), mostSettings)
	}
	return nil
}

// fileDifferences adds the files of requirements and scopes that differ, each as one difference with its digests.
func (t *trial) fileDifferences() {
	if t.before.policy == nil || t.after.policy == nil {
		return
	}
	from, to := filesByName(t.before.policy), filesByName(t.after.policy)
	names := map[string]bool{}
	for _, files := range []map[string]policies.File{from, to} {
		for name := range files {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := fileDigest(from, name), fileDigest(to, name)
		manifest := name == "policy.yaml" && slices.EqualFunc(t.before.policy.Switches(), t.after.policy.Switches(), sameSwitch)
		if a != b && !strings.HasPrefix(name, "profiles/") && !manifest {
			t.changes = append(t.changes, difference{shown: reports.PolicyChange{Path: name, From: a, To: b}})
		}
	}
}

func sameSwitch(a, b policies.Switch) bool { return a.Name == b.Name && a.On == b.On }

func filesByName(p *policies.Policy) map[string]policies.File {
	out := map[string]policies.File{}
	for _, f := range p.Files() {
		out[f.Name] = f
	}
	return out
}

func fileDigest(files map[string]policies.File, name string) string {
	f, ok := files[name]
	if !ok {
		return ""
	}
	digest := string(audit.DigestOf(f.Data))
	return digest[:min(len(digest), len("sha256:")+12)]
}

// with returns the first rules with some of the differences applied; ok is false if files do not fit together.
func (t *trial) with(applied []int) (r ruleset, ok bool, err error) {
	paths := map[string][]string{}
	files := map[string]bool{}
	for _, i := range applied {
		d := t.changes[i]
		for _, choice := range d.choices {
			paths[choice] = append(paths[choice], d.shown.Path)
		}
		if d.choices == nil {
			files[d.shown.Path] = true
		}
	}
	r = t.before
	changed := map[string]audit.Profile{}
	for _, choice := range t.choices {
		if changed[choice], err = policies.Take(t.before.profiles.For(choice), t.after.profiles.For(choice), paths[choice]); err != nil {
			return r, false, err
		}
	}
	main := changed[""]
	delete(changed, "")
	r.profiles = policies.ProfilesOf(main, changed)
	if len(files) > 0 {
		if r.policy, ok = t.policyWith(files); !ok {
			return r, false, nil
		}
	}
	return r, true, nil
}

// policyWith exchanges files of the first policy for those of the second; ok is false if the result is no policy.
func (t *trial) policyWith(names map[string]bool) (*policies.Policy, bool) {
	files := filesByName(t.before.policy)
	for name := range names {
		if f, ok := filesByName(t.after.policy)[name]; ok {
			files[name] = f
		} else {
			delete(files, name)
		}
	}
	p, err := policies.FromFiles(slices.Collect(maps.Values(files)))
	return p, err == nil
}

// moves lists what changes, with the settings that cause it, and the settings that cause nothing.
func (t *trial) moves() (moves []reports.VerdictMove, idle []int, err error) {
	from, err := t.cases.all(t.before)
	if err != nil {
		return nil, nil, err
	}
	to, err := t.cases.all(t.after)
	if err != nil {
		return nil, nil, err
	}
	was, is := verdictsByKey(from), verdictsByKey(to)
	alone := map[string][]int{} // by key of a standing: settings that lead to the verdict of the second rules
	busy := map[int]bool{}      // settings that change anything alone
	for i := range t.changes {
		r, ok, err := t.with([]int{i})
		if err != nil || !ok {
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		single, err := t.cases.all(r)
		if err != nil {
			return nil, nil, err
		}
		for key, verdict := range verdictsByKey(single) {
			busy[i] = busy[i] || verdict != was[key]
			if verdict == is[key] && verdict != was[key] {
				alone[key] = append(alone[key], i)
			}
		}
	}
	for _, s := range inBoth(from, to) {
		key := s.key()
		if was[key] == is[key] {
			continue
		}
		m := reports.VerdictMove{Kind: s.kind, ID: s.id, What: s.what, From: cmp.Or(was[key], "none"), To: cmp.Or(is[key], "none"), Alone: alone[key]}
		if len(m.Alone) == 0 {
			if m.Together, err = t.smallest(s, is[key]); err != nil {
				return nil, nil, err
			}
		}
		for _, i := range m.Together {
			busy[i] = true
		}
		moves = append(moves, m)
	}
	for i := range t.changes {
		if !busy[i] {
			idle = append(idle, i)
		}
	}
	return moves, idle, nil
}

// smallest leaves out differences, in ever smaller groups, as long as the verdict stays: what remains is needed to the last.
func (t *trial) smallest(s standing, want string) ([]int, error) {
	need := make([]int, len(t.changes))
	for i := range need {
		need[i] = i
	}
	for size := (len(need) + 1) / 2; size > 0; {
		left := false
		for at := 0; at < len(need); {
			without := slices.Concat(need[:at], need[min(at+size, len(need)):])
			same, err := t.leads(without, s, want)
			if err != nil {
				return nil, err
			}
			if same {
				need, left = without, true
			} else {
				at += size
			}
		}
		if size == 1 && !left {
			break
		}
		size = max(1, size/2)
	}
	return need, nil
}

// leads reports whether the differences applied bring a standing to a verdict.
func (t *trial) leads(applied []int, s standing, want string) (bool, error) {
	r, ok, err := t.with(applied)
	if err != nil || !ok {
		return false, err
	}
	var found []standing
	if s.kind == "scope" {
		if found, err = t.cases.scopeStandings(r); err != nil {
			return false, err
		}
	} else {
		i := slices.IndexFunc(t.cases.projects, func(c caseOf) bool { return c.project.ID == s.id })
		found = t.cases.projects[i].standings(r.profiles)
	}
	return verdictsByKey(found)[s.key()] == want, nil
}

func verdictsByKey(list []standing) map[string]string {
	out := make(map[string]string, len(list))
	for _, s := range list {
		out[s.key()] = s.verdict
	}
	return out
}

// inBoth lists the standings of two lists, each once: those of the first in order, then those that only the second has.
func inBoth(a, b []standing) []standing {
	known := verdictsByKey(a)
	out := slices.Clone(a)
	for _, s := range b {
		if _, ok := known[s.key()]; !ok {
			out = append(out, s)
		}
	}
	return out
}
