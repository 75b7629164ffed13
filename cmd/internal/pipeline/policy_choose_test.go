package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// The stack case osism-reference says what is known of the reference stack; the example beside it finds the same by itself.
func TestTheReferenceStackOfTheCasesIsWhatTheExampleYields(t *testing.T) {
	policy := must(policies.Default())(t)
	cases, problems := policy.ParseCases(must(policies.DefaultCases())(t))
	if problems != nil {
		t.Fatal(problems)
	}
	stack := must(ReadStack("../../../examples/scs-reference-10/stack.yaml"))(t)
	r, _, err := Audit(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: filepath.Join(t.TempDir(), "b")})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]audit.Outcome{}
	for _, f := range r.Findings {
		got[f.ID] = f.Outcome
	}
	compared := 0
	for _, s := range cases.Stacks() {
		if s.Name != "osism-reference" || s.Step != "" {
			continue // later steps are about what the release files do not hold
		}
		for id, want := range s.Findings {
			compared++
			if outcome, there := got[id]; !there || outcome != want {
				t.Errorf("%s: the case says %s, the example %s (found: %t)", id, want, outcome, there)
			}
		}
		for _, v := range r.Verdicts {
			if want := s.Verdicts[v.Scope]; want != v.Outcome {
				t.Errorf("%s: the case says %s, the example %s", v.Scope, want, v.Outcome)
			}
		}
	}
	if compared < 6 {
		t.Errorf("only %d findings were compared", compared)
	}
}

func TestAPolicyIsChosenOnlyAsWhoeverJudgesSays(t *testing.T) {
	builtin := must(policies.Default())(t)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS("../../../policies/data")); err != nil {
		t.Fatal(err)
	}
	bent := filepath.Join(t.TempDir(), "bent")
	if err := os.CopyFS(bent, os.DirFS("../../../policies/data")); err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(bent, "policy.yaml"), "cost_budget: 100000", "cost_budget: 100001")
	own := must(policies.Load(os.DirFS(bent)))(t)
	zero := "sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		choice  PolicyChoice
		carried []policies.File
		want    audit.Digest // "": refused
		origin  string
		says    string
	}{
		"nothing asked, no bundle":         {PolicyChoice{}, nil, builtin.Digest(), "", ""},
		"nothing asked, the built-in":      {PolicyChoice{}, builtin.Files(), builtin.Digest(), "", ""},
		"nothing asked, rules of its own":  {PolicyChoice{}, own.Files(), "", "", "rules of its own"},
		"nothing asked, no rules":          {PolicyChoice{}, []policies.File{}, "", "", "no such file"},
		"by path, the same bytes":          {PolicyChoice{Asked: copied}, nil, builtin.Digest(), "", ""},
		"by path":                          {PolicyChoice{Asked: bent}, builtin.Files(), own.Digest(), PolicyGiven, ""},
		"by its policy.yaml":               {PolicyChoice{Asked: filepath.Join(bent, "policy.yaml")}, nil, own.Digest(), PolicyGiven, ""},
		"by id":                            {PolicyChoice{Asked: builtin.ID()}, own.Files(), builtin.Digest(), "", ""},
		"by the word":                      {PolicyChoice{Asked: BuiltIn}, own.Files(), builtin.Digest(), "", ""},
		"pinned in the bundle":             {PolicyChoice{Asked: own.ID() + "@" + string(own.Digest())}, own.Files(), own.Digest(), PolicyGiven, ""},
		"pinned, the bundle has another":   {PolicyChoice{Asked: builtin.ID() + "@" + string(builtin.Digest())}, own.Files(), builtin.Digest(), "", ""},
		"pinned, nobody has it":            {PolicyChoice{Asked: builtin.ID() + "@" + zero}, own.Files(), "", "", "none has the digest"},
		"pinned with another id":           {PolicyChoice{Asked: "other@" + string(builtin.Digest())}, nil, "", "", "not of other"},
		"a configured one without a key":   {PolicyChoice{Asked: "other", Dirs: []string{filepath.Dir(bent)}}, nil, "", "", `there is no policy "other"`},
		"configured under the built-in id": {PolicyChoice{Asked: own.ID(), Dirs: []string{bent}}, nil, builtin.Digest(), "", ""},
		"pinned in a configured directory": {PolicyChoice{Asked: string(own.Digest()), Dirs: []string{bent}}, nil, own.Digest(), PolicyGiven, ""},
		"no directory":                     {PolicyChoice{Asked: "./nothing"}, nil, "", "", "is no directory"},
		"a directory without a policy":     {PolicyChoice{Asked: t.TempDir()}, nil, "", "", "loading policy"},
	} {
		got, err := c.choice.choose(c.carried)
		var usage *UsageError
		switch {
		case c.want == "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: want wrong usage with %q, got %v", name, c.says, err)
		case c.want != "" && (err != nil || got.Digest() != c.want || got.origin != c.origin):
			t.Errorf("%s: want %s from %q, got %v %q", name, c.want, c.origin, err, got.origin)
		}
	}
}

func TestAComparisonSaysWhoseAnswerChangesAndWhy(t *testing.T) {
	moves, more := findingMoves(
		policies.Result{Findings: []audit.Finding{
			{ID: "a/x", Requirement: "a", Outcome: audit.PASS, Subject: audit.SubjectRef{Name: "x"}, Reason: "x: fine"},
			{ID: "gone/x", Requirement: "gone", Outcome: audit.FAIL, Subject: audit.SubjectRef{Name: "x"}, Reason: "x: bad"},
			{ID: "same/x", Requirement: "same", Outcome: audit.PASS, Subject: audit.SubjectRef{Name: "x"}},
			{ID: "gate/x", Requirement: "gate", Outcome: audit.PASS, Subject: audit.SubjectRef{Name: "x"}},
		}},
		policies.Result{Findings: []audit.Finding{
			{ID: "a/x", Requirement: "a", Outcome: audit.FAIL, Subject: audit.SubjectRef{Name: "x"}, Reason: "x: not any more"},
			{ID: "new/x", Requirement: "new", Outcome: audit.MISS, Subject: audit.SubjectRef{Name: "x"}, Reason: "x: nobody looked"},
			{ID: "same/x", Requirement: "same", Outcome: audit.PASS, Subject: audit.SubjectRef{Name: "x"}},
			{ID: "gate/x", Requirement: "gate", Outcome: audit.FAIL, Subject: audit.SubjectRef{Name: "x"}},
		}},
		[]reports.RuleChange{
			{Kind: "requirement", ID: "a", Change: "changed", Fields: []reports.FieldMove{{Field: "pass", From: "b", To: "c"}}},
			{Kind: "requirement", ID: "gone", Change: "removed"}, {Kind: "requirement", ID: "new", Change: "added"},
		})
	got := map[string]string{}
	for _, m := range moves {
		got[m.ID] = m.From + ">" + m.To + ": " + m.Why
	}
	want := map[string]string{
		"a/x": "PASS>FAIL: pass was b, is c", "gone/x": "FAIL>none: the requirement is gone", "new/x": "none>MISS: the requirement is new",
		"gate/x": "PASS>FAIL: the requirement is the same; thresholds changed",
	}
	if more != 0 || len(got) != len(want) || moves[0].To != "FAIL" {
		t.Errorf("got %v and %d more", got, more)
	}
	for id, text := range want {
		if got[id] != text {
			t.Errorf("%s: want %q, got %q", id, text, got[id])
		}
	}
}
