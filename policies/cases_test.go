package policies

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
)

func day(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var loadedOnce = sync.OnceValues(Default)

func builtIn(t testing.TB) *Policy {
	t.Helper()
	p, err := loadedOnce() // a policy never changes
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// builtInCases are the cases beside the built-in policy.
func builtInCases(t testing.TB, p *Policy) Cases {
	t.Helper()
	files, err := DefaultCases()
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases beside the policy: %v", err)
	}
	c, problems := p.ParseCases(files)
	for _, problem := range problems {
		t.Errorf("reading cases: %s", problem)
	}
	return c
}

// judge applies one requirement to one subject, in the lowest scope that asks for it.
func judge(t testing.TB, p *Policy, q Requirement, s Subject) audit.Finding {
	t.Helper()
	for _, scope := range p.Scopes() {
		if !slices.Contains(scope.Include, q.ID) {
			continue
		}
		if q.ForEach == KindPrerequisite {
			s.Ref.ID = scope.Requires
		}
		r, err := p.Evaluate(Input{Subjects: []Subject{s}, Scopes: []string{scope.ID}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			if f.Requirement == q.ID && (f.ID == q.ID+"/"+s.Ref.ID || f.Count > 0) {
				return f
			}
		}
	}
	t.Fatalf("nothing asks for %s", q.ID)
	return audit.Finding{}
}

func TestEveryRequirementAnswersItsCases(t *testing.T) {
	p := builtIn(t)
	r, err := p.Test(builtInCases(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if r.Cases < 150 || r.Requirements != len(p.Requirements()) {
		t.Errorf("%d cases of %d requirements were tried; the policy has %d requirements", r.Cases, r.Requirements, len(p.Requirements()))
	}
	for _, f := range r.Failures {
		t.Errorf("%s\n%s", f, f.Tree)
	}
}

func TestEverySubExpressionOfTheBuiltInPolicyWasTrueOnceAndFalseOnce(t *testing.T) {
	p := builtIn(t)
	r, err := p.Test(builtInCases(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if r.Parts < len(p.Requirements()) {
		t.Errorf("only %d sub-expressions were looked at", r.Parts)
	}
	for _, u := range r.Uncovered {
		t.Error(u)
	}
}

func TestEveryRequirementHasCasesOfEveryOutcome(t *testing.T) {
	p := builtIn(t)
	c := builtInCases(t, p)
	seen := map[string]map[audit.Outcome]bool{}
	for _, one := range c.rules {
		if seen[one.requirement] == nil {
			seen[one.requirement] = map[audit.Outcome]bool{}
		}
		seen[one.requirement][one.expect] = true
	}
	for _, q := range p.Requirements() {
		want := []audit.Outcome{audit.PASS, audit.FAIL, audit.MISS, audit.DNF}
		if q.Applies != "" {
			want = append(want, audit.NA)
		}
		for _, o := range want {
			if !seen[q.ID][o] && c.exceptions[q.ID][o] == "" {
				t.Errorf("requirement %s has no case with outcome %s", q.ID, o)
			}
		}
	}
}

func TestEveryScopeHasAtLeastTenRequirementsWithSourceAndWords(t *testing.T) {
	p := builtIn(t)
	if got, want := strings.Join(p.ScopeIDs(), " "), "scs-open-iaas scs-open-kaas scs-sovereign-iaas scs-sovereign-kaas"; got != want {
		t.Errorf("scopes: want %s, got %s", want, got)
	}
	included := map[string]bool{}
	for _, s := range p.Scopes() {
		musts := 0
		for _, id := range s.Include {
			q, _ := p.Requirement(id)
			musts += one(q.Severity == Must)
			included[id] = true
		}
		if musts < 10 {
			t.Errorf("scope %s demands %d things; at least 10 are wanted", s.ID, musts)
		}
	}
	for _, q := range p.Requirements() {
		if !included[q.ID] {
			t.Errorf("requirement %s belongs to no scope", q.ID)
		}
		for _, text := range []string{q.Title["en"], q.Rationale["en"], q.Remedy["en"], q.SourceText()} {
			if text == "" {
				t.Errorf("requirement %s lacks a text: %+v", q.ID, q)
			}
		}
	}
	if p.Status() != "proposal" {
		t.Errorf("status: want proposal, got %s: SCS has adopted no text for these levels", p.Status())
	}
}

func TestEveryFieldOfASubjectHasAName(t *testing.T) {
	for _, kind := range Kinds() {
		for _, f := range schemaOf(kind) {
			if f.name == "" || f.typ == nil {
				t.Errorf("%s: a field has no name or no type in rules: %+v", kind, f)
			}
			if f.name == "licenceClass" {
				var want []string
				for _, c := range licence.Classes() {
					want = append(want, string(c))
				}
				got := slices.Clone(f.enum)
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(want, got) {
					t.Errorf("%s.licenceClass: want the classes of audit/licence %q, got %q", kind, want, got)
				}
			}
		}
	}
	if got := FieldsOf("nothing"); got != nil {
		t.Errorf("fields of an unknown kind: %q", got)
	}
}
