package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// stack tries a stack, step by step.
func (t *caseRun) stack(c stackCase) error {
	p, err := t.with(c.switches)
	if err != nil {
		return err
	}
	for _, step := range c.steps {
		t.out.Stacks++
		name := c.name
		if step.name != "" {
			name += ", " + step.name
		}
		in := Input{Scopes: step.scopes(), Profile: p.Profile(), AssessedAt: c.at, ReleaseWithoutOperator: c.release}
		for _, s := range step.subjects {
			in.Subjects = append(in.Subjects, s.subject(c.at))
		}
		result, err := p.Evaluate(in)
		if err != nil {
			return fmt.Errorf("judging stack %q: %w", name, err)
		}
		s := stackTrial{t, p, name, in, result}
		for _, want := range step.verdicts {
			s.verdict(want)
		}
		for _, want := range step.findings {
			s.finding(want)
		}
	}
	return nil
}

func (s stackStep) scopes() []string {
	var out []string
	for _, v := range s.verdicts {
		out = appendNew(out, v.scope)
	}
	return out
}

func (s sheet) subject(at time.Time) Subject {
	observed := s.observed
	if observed.IsZero() {
		observed = at
	}
	out := s.facts.subject(s.ref, true, observed)
	out.Area = s.area
	return out
}

// stackTrial compares what was decided about one step.
type stackTrial struct {
	run    *caseRun
	policy *Policy
	name   string
	in     Input
	result Result
}

func (s stackTrial) fail(at Problem, what, want, got, tree string) {
	s.run.out.Failures = append(s.run.out.Failures, CaseFailure{Place: at, Case: s.name, What: what, Want: want, Got: got, Tree: tree})
}

func (s stackTrial) verdict(want wantedVerdict) {
	at := slices.IndexFunc(s.result.Verdicts, func(v Verdict) bool { return v.Scope == want.scope })
	if at < 0 {
		s.fail(want.spot, want.scope, "a verdict", "none", "")
		return
	}
	got := s.result.Verdicts[at]
	if got.Outcome != want.outcome {
		s.fail(want.spot, "verdict of "+want.scope, want.outcome, got.Outcome+" because of "+s.reasons(got.Limiting), s.tree(got.Limiting))
	}
	if want.limiting != nil && !slices.Equal(got.Limiting, want.limiting) {
		s.fail(want.spot, "what limits "+want.scope, listed(want.limiting), listed(got.Limiting), "")
	}
	if tentative := s.tentative(got); tentative != want.tentative {
		s.fail(want.spot, "tentative "+want.scope, fmt.Sprint(want.tentative), fmt.Sprint(tentative), "")
	}
	if !want.validUntil.IsZero() && !got.ValidUntil.Equal(want.validUntil) {
		s.fail(want.spot, "end of "+want.scope, want.validUntil.Format(time.DateOnly), got.ValidUntil.Format(time.DateOnly)+" by "+got.Ends, "")
	}
	if want.ends != "" && !strings.HasSuffix(got.Ends, "("+want.ends+")") {
		s.fail(want.spot, "what ends "+want.scope, want.ends, got.Ends, "")
	}
}

// tentative: the scope is open, and all that is in the way is the word of the operator that nobody accepted.
func (s stackTrial) tentative(v Verdict) bool {
	if v.Outcome != Undetermined || len(v.Limiting) == 0 {
		return false
	}
	for _, id := range v.Limiting {
		if f, _ := s.find(id); f.Outcome != audit.PASS || !f.Declared {
			return false
		}
	}
	return true
}

func (s stackTrial) find(id string) (audit.Finding, bool) {
	at := slices.IndexFunc(s.result.Findings, func(f audit.Finding) bool { return f.ID == id })
	if at < 0 {
		return audit.Finding{}, false
	}
	return s.result.Findings[at], true
}

// reasons writes the first findings that decide.
func (s stackTrial) reasons(ids []string) string {
	const most = 5
	var parts []string
	for _, id := range ids[:min(len(ids), most)] {
		f, _ := s.find(id)
		parts = append(parts, id+" ("+f.Outcome.String()+" "+f.Reason+")")
	}
	if len(ids) > most {
		parts = append(parts, fmt.Sprintf("and %d more", len(ids)-most))
	}
	return listed(parts)
}

func (s stackTrial) tree(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	rules, ok, err := s.policy.Explain(s.in, ids[0])
	if err != nil || !ok {
		return ""
	}
	out := ids[0] + ":\n"
	for _, x := range rules {
		out += indent(x.String())
	}
	return out
}

func (s stackTrial) finding(want wantedFinding) {
	f, ok := s.find(want.id)
	if !ok {
		s.fail(want.spot, "finding", want.id, "no such finding", "")
		return
	}
	if f.Outcome != want.outcome {
		s.fail(want.spot, want.id, want.outcome.String(), f.Outcome.String()+" ("+f.Reason+")", s.tree([]string{want.id}))
	}
	if f.Declared != want.declared {
		s.fail(want.spot, want.id+" declared", fmt.Sprint(want.declared), fmt.Sprint(f.Declared), "")
	}
	if full := f.Subject.Name + ": " + want.reason; want.reason != "" && f.Reason != full {
		s.fail(want.spot, want.id+" reason", want.reason, strings.TrimPrefix(f.Reason, f.Subject.Name+": "), "")
	}
	if want.sayNames && !slices.Equal(f.Missing, want.names) {
		s.fail(want.spot, want.id+" facts that are not known", listed(want.names), listed(f.Missing), "")
	}
}
