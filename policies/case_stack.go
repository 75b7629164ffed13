package policies

import (
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// stackCase is a whole stack and the verdicts that it shall get. Facts that a case does not give are facts that nobody looked
// at, so that nothing passes unsaid.
type stackCase struct {
	spot     Problem
	name     string
	switches map[string]bool
	at       time.Time
	release  bool
	steps    []stackStep // the stack as it is, then what changes, one after the other
}

// stackStep is one state of a stack: all of its subjects, and what is expected of it.
type stackStep struct {
	spot     Problem
	name     string
	subjects []sheet
	verdicts []wantedVerdict
	findings []wantedFinding
}

// sheet is one subject of a stack.
type sheet struct {
	ref      audit.SubjectRef
	area     string
	observed time.Time
	facts    factSheet
}

type wantedVerdict struct {
	spot       Problem
	scope      string
	outcome    string
	limiting   []string // in order; nil: any
	tentative  bool     // nothing but the operator's unaccepted word is in the way
	validUntil time.Time
	ends       string // requirement whose evidence ends first; empty: any
}

type wantedFinding struct {
	spot     Problem
	id       string
	outcome  audit.Outcome
	declared bool
	reason   string // after the name of the subject; empty: any
	names    []string
	sayNames bool
}

// base reads subjects that stacks can rest on.
func (l *caseLoader) base(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "base", "about", "subjects")
	r.oneOf(root, m, "schema", CaseSchema)
	id := r.identifier(root, m, "base")
	r.text(m["about"])
	if _, twice := l.bases[id]; twice {
		r.problem(m["base"], "base %q is in another file too", id)
	}
	l.bases[id] = l.merge(r, nil, m["subjects"])
}

// stack reads a stack with its steps.
func (l *caseLoader) stack(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "stack", "about", "on", "switches", "at", "release", "without", "subjects", "expect", "findings", "then")
	r.oneOf(root, m, "schema", CaseSchema)
	if m == nil {
		return
	}
	c := stackCase{
		spot: Problem{File: r.file, Line: root.Line, Column: root.Column}, name: r.identifier(root, m, "stack"), at: r.day(m["at"]),
		release: r.boolean(m["release"]), switches: l.switches(r, m["switches"]),
	}
	r.needed(root, m, "about")
	if c.at.IsZero() {
		c.at = caseDay()
	}
	var subjects []sheet
	if m["on"] != nil {
		id := r.text(m["on"])
		base, ok := l.bases[id]
		if !ok {
			r.problem(m["on"], "no base %q in tests/bases%s", clean(id), didYouMean(id, sortedKeys(l.bases)))
		}
		subjects = base
	}
	c.steps = append(c.steps, l.step(r, root, m, subjects))
	for _, n := range r.entries(m["then"]) {
		s := r.mapping(n, "name", "without", "subjects", "expect", "findings")
		step := l.step(r, n, s, c.steps[len(c.steps)-1].subjects)
		step.name = r.needed(n, s, "name")
		c.steps = append(c.steps, step)
	}
	if slices.ContainsFunc(l.out.stacks, func(s stackCase) bool { return s.name == c.name }) {
		r.problem(m["stack"], "stack %q is in another file too", c.name)
	}
	l.out.stacks = append(l.out.stacks, c)
}

func (l *caseLoader) step(r *reader, n *yaml.Node, m map[string]*yaml.Node, before []sheet) stackStep {
	s := stackStep{spot: Problem{File: r.file, Line: n.Line, Column: n.Column}}
	kept := slices.Clone(before)
	for i, id := range r.texts(m["without"]) {
		at := slices.IndexFunc(kept, func(s sheet) bool { return s.ref.ID == id })
		if at < 0 {
			r.problem(m["without"].Content[min(i, len(m["without"].Content)-1)], "no subject %q to leave out", clean(id))
			continue
		}
		kept = slices.Delete(kept, at, at+1)
	}
	s.subjects = l.merge(r, kept, m["subjects"])
	for _, e := range r.entries(m["expect"]) {
		s.verdicts = append(s.verdicts, l.wanted(r, e))
	}
	for _, e := range r.entries(m["findings"]) {
		s.findings = append(s.findings, r.wantedFinding(e))
	}
	if m != nil && len(s.verdicts) == 0 {
		r.problem(n, `"expect" is missing: which verdict each scope gets`)
	}
	return s
}

// merge adds subjects to those that are there. One that is there already gets other facts; those not named stay.
func (l *caseLoader) merge(r *reader, before []sheet, list *yaml.Node) []sheet {
	out := slices.Clone(before)
	for _, n := range r.entries(list) {
		m := r.mapping(n, append(sheetKeys(), "kind", "id", "name", "tiers", "area", "observed", "rest")...)
		kind := r.oneOf(n, m, "kind", Kinds()...)
		id := r.needed(n, m, "id")
		if schemaOf(kind) == nil || id == "" {
			continue
		}
		at := slices.IndexFunc(out, func(s sheet) bool { return s.ref.Kind == kind && s.ref.ID == id })
		if at < 0 {
			if len(out) == mostSubjects {
				r.problem(n, "more than %d subjects", mostSubjects)
				return out
			}
			at = len(out)
			out = append(out, sheet{ref: audit.SubjectRef{Kind: kind, ID: id, Name: id}, facts: factSheet{fields: map[string]given{}}})
		}
		out[at] = r.changed(out[at], n, m)
	}
	return out
}

// changed is a subject with what a file says of it put over what was known before.
func (r *reader) changed(s sheet, n *yaml.Node, m map[string]*yaml.Node) sheet {
	facts := r.sheet(m, s.ref.Kind)
	fields := maps.Clone(s.facts.fields)
	if m["rest"] != nil && r.boolean(m["rest"]) {
		for _, f := range schemaOf(s.ref.Kind) {
			if yes := recordOf(s.ref.Kind).Field(f.index); yes.CanSet() && isBool(f) {
				yes.SetBool(true)
				fields[f.name] = given{value: yes}
			}
		}
	}
	maps.Copy(fields, facts.fields)
	s.facts = factSheet{fields: fields, intent: facts.intent || s.facts.intent && m["intent"] == nil}
	if name := r.text(m["name"]); name != "" {
		s.ref.Name = name
	}
	if m["tiers"] != nil {
		s.ref.Tiers = r.texts(m["tiers"])
	}
	if area := r.text(m["area"]); area != "" {
		s.area = area
	}
	if day := r.day(m["observed"]); !day.IsZero() {
		s.observed = day
	}
	return s
}

func (l *caseLoader) wanted(r *reader, n *yaml.Node) wantedVerdict {
	m := r.mapping(n, "scope", "outcome", "limiting", "tentative", "valid_until", "ends")
	v := wantedVerdict{
		spot: Problem{File: r.file, Line: n.Line, Column: n.Column}, scope: r.needed(n, m, "scope"), outcome: r.oneOf(n, m, "outcome", Eligible, NotEligible, Undetermined),
		tentative: r.boolean(m["tentative"]), validUntil: r.day(m["valid_until"]), ends: r.text(m["ends"]),
	}
	if m["limiting"] != nil {
		v.limiting = append([]string{}, r.texts(m["limiting"])...)
	}
	if _, ok := l.policy.Scope(v.scope); !ok && v.scope != "" {
		r.problem(m["scope"], "no scope %q%s", clean(v.scope), didYouMean(v.scope, l.policy.ScopeIDs()))
	}
	return v
}

func (r *reader) wantedFinding(n *yaml.Node) wantedFinding {
	m := r.mapping(n, "id", "outcome", "declared", "reason", "names")
	return wantedFinding{
		spot: Problem{File: r.file, Line: n.Line, Column: n.Column}, id: r.needed(n, m, "id"), outcome: r.outcome(n, m, "outcome"),
		declared: r.boolean(m["declared"]), reason: r.text(m["reason"]), names: r.texts(m["names"]), sayNames: m["names"] != nil,
	}
}
