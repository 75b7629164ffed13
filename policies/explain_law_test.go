package policies

import (
	"math/rand/v2"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"

	"github.com/pegel-audit/pegel/audit"
)

// explainedIn evaluates with explanations.
func explainedIn(t testing.TB, p *Policy, subjects []Subject, scopes ...string) Result {
	t.Helper()
	if len(scopes) == 0 {
		scopes = p.ScopeIDs()
	}
	r, err := p.Evaluate(Input{Subjects: subjects, Scopes: scopes, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24"), Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contradictions says where the explanation of a finding tells something else than its outcome.
func contradictions(p *Policy, r Result, f audit.Finding) []string {
	if f.Tree == 0 {
		if f.Outcome == audit.PASS || f.Outcome == audit.FAIL || f.Outcome == audit.NA {
			return []string{"no tree explains " + f.Outcome.String()}
		}
		return nil
	}
	q, _ := p.Requirement(f.Requirement)
	rule := r.Trees[f.Tree-1].Outcome(q.Applies != "")
	var out []string
	switch {
	case f.Overruled != "" && f.Overruled != rule.String():
		out = append(out, "the rule alone says "+f.Overruled+", its tree "+rule.String())
	case f.Overruled == "" && f.Outcome == audit.MISS && rule != audit.DNF:
		out = append(out, "not looked at, its tree says "+rule.String())
	case f.Overruled == "" && f.Outcome != audit.MISS && rule != f.Outcome:
		out = append(out, f.Outcome.String()+", its tree says "+rule.String())
	}
	if (f.Outcome == audit.MISS || f.Outcome == audit.DNF) && len(f.Settle) == 0 {
		out = append(out, "nothing says what would settle it")
	}
	return append(out, groundless(q, r.Trees[f.Tree-1], f)...)
}

// groundless says which facts a tree reads and no ground shows, and where both tell different values.
func groundless(q Requirement, tree audit.Tree, f audit.Finding) (out []string) {
	values := map[string]audit.Ground{}
	for _, g := range f.Grounds {
		values[g.Fact] = g
		for _, at := range g.Origins {
			if at < 0 || at >= len(f.Origins) {
				out = append(out, g.Fact+" names an origin that is not there")
			}
		}
	}
	for _, missing := range f.Missing {
		// A score that is known in part can be missing and known.
		if g := values[missing]; g.Known && !strings.Contains(g.Value, "..") && !strings.Contains(g.Value, "of 100") {
			out = append(out, missing+" is missing and known as "+g.Value)
		}
	}
	var visit func(audit.Explanation)
	visit = func(x audit.Explanation) {
		if x.Fact != "" {
			g, there := values[x.Fact]
			if !there {
				out = append(out, "no ground shows "+x.Fact)
			} else if x.Text == x.Fact && g.Known && g.Value != x.Value {
				out = append(out, x.Fact+" is "+g.Value+" and "+x.Value)
			} else if x.Text == x.Fact && !g.Known && x.Value != "not known" {
				out = append(out, x.Fact+" is not known and "+x.Value)
			}
		}
		for _, part := range x.Parts {
			visit(part)
		}
	}
	for _, rule := range tree {
		visit(rule)
	}
	return out
}

func TestAnExplanationNeverContradictsTheOutcome(t *testing.T) {
	p := builtIn(t)
	intended, declared := full(), full()
	for i := range intended {
		intended[i].Intent = true
		declared[i].Declared = map[string]bool{}
		for _, field := range FieldsOf(declared[i].Ref.Kind) {
			declared[i].Declared[field] = true
		}
	}
	samples := map[string][]Subject{"everything holds": full(), "only declared to run": intended, "only the operator's word": declared}
	for seed := range uint64(10) {
		samples["mixed "+string(rune('0'+seed))] = mixed(rand.New(rand.NewPCG(seed, 5)), 150)
	}
	overruled, trees := 0, 0
	for name, subjects := range samples {
		r := explainedIn(t, p, subjects)
		trees += len(r.Trees)
		for _, f := range r.Findings {
			for _, wrong := range contradictions(p, r, f) {
				t.Errorf("%s: %s: %s", name, f.ID, wrong)
			}
			overruled += one(f.Overruled != "")
		}
	}
	if overruled == 0 || trees == 0 {
		t.Errorf("%d trees, %d answers that do not count: nothing was tried", trees, overruled)
	}
	files, err := DefaultCases()
	if err != nil {
		t.Fatal(err)
	}
	cases, problems := p.ParseCases(files)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, c := range cases.rules {
		q, _ := p.Requirement(c.requirement)
		r := explainedIn(t, p, withSubject(q, c.facts.subject(audit.SubjectRef{Kind: q.ForEach, ID: "sample", Name: "Sample"}, false, c.observed)))
		for _, f := range r.Findings {
			for _, wrong := range contradictions(p, r, f) {
				t.Errorf("%s, %q: %s: %s", q.ID, c.name, f.ID, wrong)
			}
		}
	}
}

// withSubject returns the full sample with one more subject; of the kinds of which there is only one, instead of that.
func withSubject(q Requirement, s Subject) []Subject {
	out := full()
	if q.ForEach == KindPrerequisite {
		return out // case subjects are of scopes that are judged here
	}
	if q.ForEach == KindStack || q.ForEach == KindOperator {
		out = without(out, q.ForEach)
	}
	return append(out, s)
}

func TestTheLawOfContradictionsCanFail(t *testing.T) {
	p := builtIn(t)
	r := explainedIn(t, p, full())
	for name, spoil := range map[string]func(*audit.Finding){
		"another outcome":        func(f *audit.Finding) { f.Outcome = audit.FAIL },
		"no tree":                func(f *audit.Finding) { f.Tree = 0 },
		"a ground left out":      func(f *audit.Finding) { f.Grounds = f.Grounds[1:] },
		"another value":          func(f *audit.Finding) { f.Grounds[0].Value = "restricted" },
		"an unknown that counts": func(f *audit.Finding) { f.Grounds[0].Known = false },
		"a wrong origin":         func(f *audit.Finding) { f.Grounds[0].Origins = []int{7} },
		"overruled":              func(f *audit.Finding) { f.Overruled = "FAIL" },
	} {
		f := findingOf(t, r, "product-licence-osi/keystone@26.0.1")
		f.Grounds = append([]audit.Ground(nil), f.Grounds...)
		spoil(&f)
		if len(contradictions(p, r, f)) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}

func TestExplainingChangesNoAnswer(t *testing.T) {
	p := builtIn(t)
	for seed := range uint64(5) {
		subjects := mixed(rand.New(rand.NewPCG(seed, 6)), 150)
		plain, told := evaluate(t, p, subjects), explainedIn(t, p, subjects)
		if len(plain.Findings) != len(told.Findings) || len(plain.Trees) != 0 {
			t.Fatalf("%d findings without, %d with explanations; %d trees nobody asked for", len(plain.Findings), len(told.Findings), len(plain.Trees))
		}
		for i, f := range plain.Findings {
			if g := told.Findings[i]; f.ID != g.ID || f.Outcome != g.Outcome || f.Reason != g.Reason || f.Overruled != g.Overruled {
				t.Errorf("%s is %s, explained %s is %s", f.ID, f.Outcome, g.ID, g.Outcome)
			}
		}
	}
}

// Subjects whose facts look the same share a tree, so that a hundred thousand packages need a handful.
func TestEqualFactsShareATree(t *testing.T) {
	subjects := full()
	for i := range 3000 {
		s := full()[3]
		s.Ref.ID += string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		record := s.Record.(Package)
		record.Licence = s.Ref.ID // shown, but read by no rule
		s.Record = record
		subjects = append(subjects, s)
	}
	few, many := explainedIn(t, builtIn(t), full()), explainedIn(t, builtIn(t), subjects)
	if len(few.Trees) != len(many.Trees) {
		t.Errorf("%d trees for one package, %d for 3001 that look the same", len(few.Trees), len(many.Trees))
	}
}

// A requirement that counts from a later day says so in its finding, and its tree tells what it will decide.
func TestAFindingSaysFromWhenItsRequirementCounts(t *testing.T) {
	files := builtIn(t).Files()
	for i, f := range files {
		if f.Name == "modules/licences.yaml" {
			files[i].Data = []byte(strings.Replace(string(f.Data), "- id: product-licence-osi\n  severity: must", "- id: product-licence-osi\n  severity: must\n  effective_on: 2027-01-01", 1))
		}
	}
	p, err := FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	r := explainedIn(t, p, with(KindProduct, func(s *Subject) {
		record := s.Record.(Product)
		record.LicenceClass = "restricted"
		s.Record = record
	}))
	f := findingOf(t, r, "product-licence-osi/keystone@26.0.1")
	if f.Outcome != audit.FAIL || !f.EffectiveOn.Equal(day(t, "2027-01-01")) {
		t.Errorf("want FAIL that counts from 2027-01-01, got %s from %s", f.Outcome, f.EffectiveOn)
	}
	if v := verdictOf(t, r, "scs-open-iaas"); v.Outcome != Eligible {
		t.Errorf("a warning blocks: %s because of %q", v.Outcome, v.Limiting)
	}
	if other := findingOf(t, r, "product-not-open-core/keystone@26.0.1"); !other.EffectiveOn.IsZero() {
		t.Errorf("what counts already counts from %s", other.EffectiveOn)
	}
}

// A rule that runs into its limit, or into an error, decides nothing: DNF, and its tree says so.
func TestARuleErrorDecidesNothing(t *testing.T) {
	files := builtIn(t).Files()
	for i, f := range files {
		if f.Name == "modules/inventory.yaml" {
			files[i].Data = []byte(strings.Replace(string(f.Data), "pass: stack.sourcesFailed == 0", "pass: 1 / stack.sourcesFailed == 0", 1))
		}
	}
	p, err := FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	r := explainedIn(t, p, full())
	f := findingOf(t, r, "sources-read/stack")
	if f.Outcome != audit.DNF || !strings.HasPrefix(f.Reason, "Example: rule error: ") {
		t.Errorf("want DNF because of a rule error, got %s: %s", f.Outcome, f.Reason)
	}
	if tree := r.Trees[f.Tree-1]; tree[0].Truth != audit.Broken {
		t.Errorf("the tree says %q: %s", tree[0].Truth, tree[0])
	}
	if v := verdictOf(t, r, "scs-open-iaas"); v.Outcome != Undetermined {
		t.Errorf("want undetermined, got %s", v.Outcome)
	}
}

// The estimate at load keeps every rule below its budget; should one reach it all the same, it decides nothing.
func TestARuleThatReachesItsLimitDecidesNothing(t *testing.T) {
	p := builtIn(t)
	q, _ := p.Requirement("four-opens-source")
	c, err := newCompiler(q.ForEach, 100_000, p.Switches())
	if err != nil {
		t.Fatal(err)
	}
	limited, pass := *q.rule, *q.rule.pass
	if pass.program, err = c.env.Program(pass.checked, cel.EvalOptions(cel.OptPartialEval, cel.OptExhaustiveEval, cel.OptTrackState, cel.OptTrackCost), cel.CostLimit(1)); err != nil {
		t.Fatal(err)
	}
	limited.pass = &pass
	subject := full()[4]
	values, err := facts(&subject, schemaOf(q.ForEach))
	if err != nil {
		t.Fatal(err)
	}
	gates := p.Profile().Gates["scs-open"][rolePlatform]
	if d, _ := q.rule.decide(values, gates); d.outcome != audit.PASS {
		t.Fatalf("within its limit: want PASS, got %s", d.outcome)
	}
	if d, _ := limited.decide(values, gates); d.outcome != audit.DNF || !strings.Contains(d.fault, "rule error: ") || !strings.Contains(d.fault, "cost limit") {
		t.Errorf("want DNF because of the limit, got %s: %s", d.outcome, d.fault)
	}
}
