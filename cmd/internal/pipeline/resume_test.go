package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// patient is a collector whose service asks for patience at first.
type patient struct{ asked int }

func (*patient) Name() string { return "forge" }

func (p *patient) Collect(_ context.Context, project scoring.Project, _ scoring.Evidence) (scoring.Evidence, error) {
	p.asked++
	e := scoring.Evidence{Schema: scoring.EvidenceSchema, Project: project.ID, Rules: audit.Known(scoring.Rules{})}
	if p.asked == 1 {
		e.Rules = audit.Failed[scoring.Rules]("rate limit")
		e.Rules.Settle = "run again after that, or give more tokens"
	}
	return e, nil
}

func TestARunThatGoesOnAsksAgainWhoAskedForPatience(t *testing.T) {
	opt := collectOptions(t)
	service := &patient{}
	for i, known := range []bool{false, true, true} {
		g := &gatherer{opt: opt, at: judged}
		g.resume()
		c := &collecting{g: g, chain: []scoring.Collector{service}, journal: g.journal}
		if e := c.project(t.Context(), scoring.Project{ID: "a"}, func(string) {}); e.Has("forge") != known {
			t.Errorf("run %d: known %v, want %v", i+1, e.Has("forge"), known)
		}
	}
	if service.asked != 2 {
		t.Errorf("asked %d times, want 2: what was known at last is noted", service.asked)
	}
}

func TestARunDoesNotGoOnWithWhatOtherAffiliationsSaid(t *testing.T) {
	opt, dir := collectOptions(t), t.TempDir()
	stack := Stack{Dir: dir}
	stack.Collect.Affiliations = []StackAffiliations{{File: "people.txt"}}
	service := &patient{asked: 1}
	for _, text := range []string{"one", "one", "two"} {
		if err := os.WriteFile(filepath.Join(dir, "people.txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		g := &gatherer{stack: stack, opt: opt, at: judged}
		g.resume()
		c := &collecting{g: g, chain: []scoring.Collector{service}, journal: g.journal}
		c.project(t.Context(), scoring.Project{ID: "a"}, func(string) {})
	}
	if service.asked != 3 { // it began with 1
		t.Errorf("asked %d times, want 2: the second run goes on, the third has another file", service.asked-1)
	}
}
