package policies

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// CaseSchema names the form of the files of cases beside a policy.
const CaseSchema = "pegel/policy-test/v1"

// Bounds of cases: they are written by hand, so that more is a mistake.
const (
	mostCases    = 5000
	mostSubjects = 200 // of one stack
)

// Cases are what a policy is tried on: facts about single subjects with the outcome that a requirement shall give, and whole
// stacks with the verdicts that they shall get. They are no part of the policy and of its digest.
type Cases struct {
	rules      []ruleCase
	stacks     []stackCase
	exceptions map[string]map[audit.Outcome]string // by requirement: why there is no case of an outcome
}

// ruleCase is what is known about one subject, and what a requirement answers.
type ruleCase struct {
	spot        Problem // place in the file
	requirement string
	name        string
	switches    map[string]bool
	facts       factSheet
	observed    time.Time
	expect      audit.Outcome
	names       []string // facts that the finding names as not known
	reason      string   // after the name of the subject; empty: any
	because     []string // sub-expressions that decide; empty: any
}

// caseFolders are the folders of cases in a policy directory.
func caseFolders() []string { return []string{"tests", "tests/bases", "tests/stacks"} }

// ReadCases reads the files of cases in a policy directory: *.yaml in tests, tests/bases and tests/stacks, sorted by name.
// A policy without cases has none.
func ReadCases(fsys fs.FS) ([]File, error) {
	var out []File
	for _, folder := range caseFolders() {
		entries, err := fs.ReadDir(fsys, folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading cases: %w", err)
		}
		for _, e := range entries {
			name := path.Join(folder, e.Name())
			if path.Ext(name) != ".yaml" || e.IsDir() {
				continue
			}
			if len(out) == mostFiles {
				return nil, fmt.Errorf("reading cases: more than %d files", mostFiles)
			}
			data, err := readFile(fsys, name)
			if err != nil {
				return nil, fmt.Errorf("reading cases: %w", err)
			}
			out = append(out, File{Name: name, Data: data})
		}
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// DefaultCases are the files of cases of the policy that is built in.
func DefaultCases() ([]File, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, fmt.Errorf("reading the built-in cases: %w", err)
	}
	return ReadCases(data)
}

// ParseCases reads files of cases for a policy, as strictly as the policy itself: unknown keys, facts that no subject has and
// requirements that do not exist are problems with their place. Files may come in any order.
func (p *Policy) ParseCases(files []File) (Cases, []Problem) {
	l := &caseLoader{policy: p, bases: map[string][]sheet{}, out: Cases{exceptions: map[string]map[audit.Outcome]string{}}}
	files = slices.Clone(files)
	// bases first: stacks rest on them
	slices.SortStableFunc(files, func(a, b File) int {
		return cmp.Or(one(inBases(b))-one(inBases(a)), strings.Compare(a.Name, b.Name))
	})
	for _, f := range files {
		r := &reader{file: clean(f.Name)}
		if root := r.root(f.Data); root != nil {
			l.file(r, root)
		}
		for _, problem := range r.problems {
			if len(l.problems) < mostProblems {
				l.problems = append(l.problems, problem)
			}
		}
	}
	sortProblems(l.problems)
	return l.out, l.problems
}

// inBases says by its place whether a file is a base of stacks.
func inBases(f File) bool { return path.Base(path.Dir(f.Name)) == "bases" }

// caseLoader gathers cases and every problem on the way.
type caseLoader struct {
	policy   *Policy
	bases    map[string][]sheet
	out      Cases
	problems []Problem
}

// file tells the three forms apart: cases of a module, a base of stacks, a stack.
func (l *caseLoader) file(r *reader, root *yaml.Node) {
	switch {
	case hasKey(root, "stack"):
		l.stack(r, root)
	case hasKey(root, "base"):
		l.base(r, root)
	default:
		l.module(r, root)
	}
}

func hasKey(n *yaml.Node, key string) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

func (l *caseLoader) module(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "module", "requirements")
	r.oneOf(root, m, "schema", CaseSchema)
	module := r.identifier(root, m, "module")
	for _, n := range r.entries(m["requirements"]) {
		b := r.mapping(n, "id", "exceptions", "cases")
		id := r.identifier(n, b, "id")
		if id == "" {
			continue
		}
		q, ok := l.policy.Requirement(id)
		if !ok || q.Module != module {
			var known []string
			for _, q := range l.policy.requirements {
				if q.Module == module {
					known = append(known, q.ID)
				}
			}
			r.problem(b["id"], "module %q has no requirement %q%s", module, id, didYouMean(id, known))
			continue
		}
		l.exceptionsOf(r, b["exceptions"], id)
		for _, c := range r.entries(b["cases"]) {
			l.one(r, c, q)
		}
	}
}

// exceptionsOf reads why there is no case of an outcome.
func (l *caseLoader) exceptionsOf(r *reader, n *yaml.Node, id string) {
	if n == nil {
		return
	}
	if l.out.exceptions[id] == nil {
		l.out.exceptions[id] = map[audit.Outcome]string{}
	}
	for word, why := range r.mapping(n, outcomeWords()...) {
		text := r.text(why)
		if text == "" {
			r.problem(why, "an exception says why there is no case with outcome %s", word)
		}
		var o audit.Outcome
		if err := o.UnmarshalText([]byte(word)); err == nil {
			l.out.exceptions[id][o] = text
		}
	}
}

func outcomeWords() []string {
	var out []string
	for _, o := range []audit.Outcome{audit.PASS, audit.FAIL, audit.MISS, audit.DNF, audit.NA} {
		out = append(out, o.String())
	}
	return out
}

func (r *reader) outcome(parent *yaml.Node, m map[string]*yaml.Node, key string) audit.Outcome {
	var o audit.Outcome
	if err := o.UnmarshalText([]byte(r.oneOf(parent, m, key, outcomeWords()...))); err != nil {
		return audit.MISS
	}
	return o
}

// one reads one case of a requirement.
func (l *caseLoader) one(r *reader, n *yaml.Node, q Requirement) {
	m := r.mapping(n, append(sheetKeys(), "name", "switches", "observed", "expect", "names", "reason", "because")...)
	if m == nil {
		return
	}
	c := ruleCase{
		spot: Problem{File: r.file, Line: n.Line, Column: n.Column}, requirement: q.ID, name: r.needed(n, m, "name"),
		switches: l.switches(r, m["switches"]), facts: r.sheet(m, q.ForEach), observed: r.day(m["observed"]),
		expect: r.outcome(n, m, "expect"), names: r.texts(m["names"]), reason: r.text(m["reason"]), because: r.textOrTexts(m["because"]),
	}
	for _, i := range q.rule.reads {
		f := q.rule.schema[i]
		if _, said := c.facts.fields[f.name]; !said && f.enum == nil && f.typ != intervalType {
			r.problem(n, "the case says nothing about %s, which the rule reads; give it, or list it under missing or failed", f.name)
		}
	}
	for _, text := range c.because {
		if !q.rule.hasPart(text) {
			r.problem(m["because"], "%q is no part of the rule of %q", clean(text), q.ID)
		}
	}
	if len(l.out.rules) == mostCases {
		r.problem(n, "more than %d cases", mostCases)
		return
	}
	l.out.rules = append(l.out.rules, c)
}

// switches reads switches that a case turns another way than the policy does.
func (l *caseLoader) switches(r *reader, n *yaml.Node) map[string]bool {
	if n == nil {
		return nil
	}
	var known []string
	for _, s := range l.policy.switches {
		known = append(known, s.Name)
	}
	out := map[string]bool{}
	for name, value := range r.mapping(n, known...) {
		out[name] = r.boolean(value)
	}
	return out
}

func (r *reader) textOrTexts(n *yaml.Node) []string {
	if n != nil && n.Kind == yaml.ScalarNode {
		return nonEmpty(r.text(n))
	}
	return r.texts(n)
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
