package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// caseDay is the day on which cases are judged that name none: any will do, because they bring the age of their evidence along.
func caseDay() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }

// TestResult is what a policy answered to its cases.
type TestResult struct {
	Cases        int // about single subjects
	Stacks       int // whole stacks, each step counted
	Requirements int // that have a case
	Parts        int // sub-expressions with a yes or no, of all rules
	Failures     []CaseFailure
	Uncovered    []Uncovered // sub-expressions that were never true or never false
}

// CaseFailure is one answer that is another than its case says.
type CaseFailure struct {
	Place Problem // file, line and column of the case, without a text
	Case  string  // requirement and name of the case, or name of the stack
	What  string  // what differs: outcome, reason, ...
	Want  string
	Got   string
	Tree  string // how the rules came to their answer; empty where no rule was asked
}

// String writes a failure on one line, without the tree.
func (f CaseFailure) String() string {
	p := f.Place
	p.Text = fmt.Sprintf("%s: %s: want %s, got %s", f.Case, f.What, f.Want, f.Got)
	return p.String()
}

// Uncovered is a sub-expression that no case made true, or none made false: nobody showed what it is for.
type Uncovered struct {
	Place       Problem // of the requirement
	Requirement string
	Rule        string // applies or pass
	Text        string
	Never       []string // "true", "false" or both
}

// String writes it on one line.
func (u Uncovered) String() string {
	p := u.Place
	p.Text = fmt.Sprintf("%s: in %s no case makes %s %s", u.Requirement, u.Rule, u.Text, strings.Join(u.Never, " and none makes it "))
	return p.String()
}

// Test applies the policy to its cases. An error means that the policy cannot be judged by them at all.
func (p *Policy) Test(c Cases) (TestResult, error) {
	t := &caseRun{policy: p, turned: map[string]*Policy{}, seen: map[string]map[string]bool{}}
	tried := map[string]bool{}
	for _, one := range c.rules {
		if err := t.rule(one); err != nil {
			return TestResult{}, err
		}
		tried[one.requirement] = true
	}
	t.out.Requirements = len(tried)
	for _, s := range c.stacks {
		if err := t.stack(s); err != nil {
			return TestResult{}, err
		}
	}
	t.coverage()
	return t.out, nil
}

type caseRun struct {
	policy *Policy
	turned map[string]*Policy // with switches turned, by which
	seen   map[string]map[string]bool
	out    TestResult
}

// with is the policy with switches turned.
func (t *caseRun) with(switches map[string]bool) (*Policy, error) {
	if len(switches) == 0 {
		return t.policy, nil
	}
	key := ""
	for _, name := range sortedKeys(switches) {
		key += fmt.Sprintf("%s=%t ", name, switches[name])
	}
	if t.turned[key] == nil {
		p, err := t.policy.Turned(switches)
		if err != nil {
			return nil, err
		}
		t.turned[key] = p
	}
	return t.turned[key], nil
}

// rule tries one case of a requirement, in the lowest scope that asks for it.
func (t *caseRun) rule(c ruleCase) error {
	t.out.Cases++
	p, err := t.with(c.switches)
	if err != nil {
		return err
	}
	q, _ := p.Requirement(c.requirement)
	scope, asked := p.asking(q.ID)
	if !asked {
		t.fail(c, "scope", "one that asks for it", "none", "")
		return nil
	}
	in := p.caseInput(scope, c.subject(q, scope))
	result, err := p.Evaluate(in)
	if err != nil {
		return fmt.Errorf("judging case %q of %s: %w", c.name, c.requirement, err)
	}
	at := slices.IndexFunc(result.Findings, func(f audit.Finding) bool {
		return f.Requirement == q.ID && (f.ID == q.ID+"/"+in.Subjects[0].Ref.ID || f.Count > 0)
	})
	if at < 0 {
		t.fail(c, "answer", "one", "none", "")
		return nil
	}
	return t.compare(c, p, q, scope, in, result.Findings[at])
}

// asking is the lowest scope that includes a requirement.
func (p *Policy) asking(id string) (Scope, bool) {
	at := slices.IndexFunc(p.scopes, func(s Scope) bool { return slices.Contains(s.Include, id) })
	if at < 0 {
		return Scope{}, false
	}
	return p.scopes[at], true
}

func (c ruleCase) subject(q Requirement, scope Scope) Subject {
	ref := audit.SubjectRef{Kind: q.ForEach, ID: "sample", Name: "Sample"}
	if q.ForEach == KindPrerequisite {
		ref.ID = scope.Requires
	}
	return c.facts.subject(ref, false, c.observed)
}

func (p *Policy) caseInput(scope Scope, subjects ...Subject) Input {
	return Input{Subjects: subjects, Scopes: []string{scope.ID}, Profile: p.Profile(), AssessedAt: caseDay()}
}

// compare checks a finding against what the case says, and notes which sub-expressions it tried.
func (t *caseRun) compare(c ruleCase, p *Policy, q Requirement, scope Scope, in Input, f audit.Finding) error {
	decided, tree, err := t.try(p, q, scope, in.Subjects[0])
	if err != nil {
		return fmt.Errorf("judging case %q of %s: %w", c.name, c.requirement, err)
	}
	if f.Outcome != c.expect {
		t.fail(c, "outcome", c.expect.String(), f.Outcome.String()+" ("+f.Reason+")", tree)
	}
	if !slices.Equal(f.Missing, c.names) {
		t.fail(c, "facts that are not known", listed(c.names), listed(f.Missing), tree)
	}
	if want := "Sample: " + c.reason; c.reason != "" && f.Reason != want && f.Count == 0 {
		t.fail(c, "reason", c.reason, strings.TrimPrefix(f.Reason, "Sample: "), tree)
	}
	for _, text := range c.because {
		if !containsText(decided, text) {
			t.fail(c, "because", text, listed(decided), tree)
		}
	}
	if f.Outcome != audit.PASS && f.Outcome != audit.NA && (f.Remedy == "" || f.Owner == "") {
		t.fail(c, "remedy", "what can be done, and by whom", "nothing", tree)
	}
	return nil
}

func listed(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// try evaluates the rules of a requirement once more for what is inside: it returns the parts that decide and the tree, and
// remembers for the coverage what each part was. What does not apply is not asked whether it passes.
func (t *caseRun) try(p *Policy, q Requirement, scope Scope, s Subject) (decided []string, tree string, err error) {
	known, err := facts(&s, q.rule.schema)
	if err != nil {
		return nil, "", err
	}
	gates := p.Profile().Gates[scope.Gates][roleOf(&s)]
	in, _, err := q.rule.input(known, gates)
	if err != nil {
		return nil, "", err
	}
	for _, x := range q.rule.expressions() {
		parts, was := x.parts(), x.valuesOf(in)
		t.remember(q.ID, x.name, parts, was)
		decided = was.deciding(parts)
		_, said := q.rule.answer(x.expression, in, known)
		tree += x.name + ":\n" + indent(said.fill(q.ForEach).String())
		if x.name == "applies" && was.truth(parts) != "true" {
			break
		}
	}
	return decided, tree, nil
}

// namedExpression is an expression of a rule with its key in the file.
type namedExpression struct {
	*expression
	name string
}

func (r *rule) expressions() []namedExpression {
	if r.applies == nil {
		return []namedExpression{{r.pass, "pass"}}
	}
	return []namedExpression{{r.applies, "applies"}, {r.pass, "pass"}}
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}

func (t *caseRun) remember(requirement, rule string, parts part, was values) {
	parts.each(func(x part) {
		if truth := was.truth(x); x.boolean && truth != "" {
			key := coverKey(requirement, rule, x)
			if t.seen[key] == nil {
				t.seen[key] = map[string]bool{}
			}
			t.seen[key][truth] = true
		}
	})
}

func coverKey(requirement, rule string, p part) string {
	return fmt.Sprintf("%s %s %d", requirement, rule, p.id)
}

// coverage lists what no case showed.
func (t *caseRun) coverage() {
	for _, q := range t.policy.requirements {
		for _, x := range q.rule.expressions() {
			x.parts().each(func(p part) {
				if !p.boolean {
					return
				}
				t.out.Parts++
				var never []string
				for _, truth := range []string{"true", "false"} {
					if !t.seen[coverKey(q.ID, x.name, p)][truth] {
						never = append(never, truth)
					}
				}
				if never != nil {
					t.out.Uncovered = append(t.out.Uncovered, Uncovered{Place: q.at, Requirement: q.ID, Rule: x.name, Text: p.text, Never: never})
				}
			})
		}
	}
}

func (t *caseRun) fail(c ruleCase, what, want, got, tree string) {
	t.out.Failures = append(t.out.Failures, CaseFailure{Place: c.spot, Case: c.requirement + "/" + c.name, What: what, Want: want, Got: got, Tree: tree})
}
