package indicator_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// checks gives the three checks of SE-09 these scores; below zero one is skipped.
func checks(pinned, tokens, danger int) change {
	return func(s *sample) {
		c := scoring.Checks{Version: "v5.5.0", Commit: revision, Skipped: map[string]string{}}
		for _, r := range []scoring.Check{
			{Name: "Dangerous-Workflow", Score: danger}, {Name: "Pinned-Dependencies", Score: pinned}, {Name: "Token-Permissions", Score: tokens},
		} {
			if r.Score < 0 {
				c.Skipped[r.Name] = "a file is too large"
				continue
			}
			bad, good := "False", "True"
			if r.Name == "Dangerous-Workflow" {
				bad, good = good, bad
			}
			for line := 7; line < 17; line++ {
				r.Findings = append(r.Findings, scoring.Finding{Probe: "probe", Outcome: bad, Path: ".github/workflows/" + r.Name + ".yml", Line: line})
			}
			r.Findings = append(r.Findings, scoring.Finding{Probe: "probe", Outcome: good, Path: ".github/workflows/good.yml", Line: 1})
			c.Results = append(c.Results, r)
		}
		s.e.Checks = audit.Known(c, audit.Origin{Source: "openssf"})
	}
}

// scored adds one result of Scorecard.
func scored(name string, score int) change {
	return func(s *sample) {
		s.e.Checks = audit.Known(scoring.Checks{Results: []scoring.Check{{Name: name, Score: score, Reason: "seen"}}}, audit.Origin{Source: "openssf"})
	}
}

// notApplying says of the checks that they have nothing to look at.
func notApplying(names ...string) change {
	return func(s *sample) {
		c, _ := s.e.Checks.Get()
		c.Skipped = map[string]string{}
		for _, name := range names {
			c.Results = slices.DeleteFunc(slices.Clone(c.Results), func(r scoring.Check) bool { return r.Name == name })
			c.Skipped[name] = scoring.DoesNotApply + "no GitHub workflows"
		}
		s.e.Checks.Value = &c
	}
}

func checkCases(add func(id, name string, want audit.Outcome, interval audit.Interval, reason string, changes ...change)) {
	add("SE-09", "all three at their thresholds pass", audit.PASS, fullScore, "Dangerous-Workflow 10", checks(7, 7, 10))
	add("SE-09", "too few pinned dependencies fail", audit.FAIL, zeroScore, "Pinned-Dependencies 6, 7 needed", checks(6, 10, 10))
	add("SE-09", "too many rights fail", audit.FAIL, zeroScore, "Token-Permissions 0, 7 needed", checks(10, 0, 10))
	add("SE-09", "a dangerous workflow fails", audit.FAIL, zeroScore, "Dangerous-Workflow 9, 10 needed", checks(10, 10, 9))
	add("SE-09", "one that fails decides whatever is open", audit.FAIL, zeroScore, "", checks(-1, 0, -1))
	add("SE-09", "one that is open leaves it open", audit.DNF, open, "a file is too large", checks(-1, 10, 10))
	add("SE-09", "nothing to pin is no miss", audit.PASS, fullScore, "Token-Permissions 9", checks(0, 9, 10), notApplying("Pinned-Dependencies"))
	add("SE-09", "without GitHub workflows it does not apply", audit.NA, open, "no GitHub workflows", checks(0, 0, 0), notApplying("Token-Permissions", "Dangerous-Workflow"))
	add("SE-09", "nobody ran the checks", audit.MISS, open, "nobody looked at the checks of OpenSSF Scorecard")
	add("SE-09", "the checks could not be run", audit.DNF, open, "the clone is broken", func(s *sample) {
		s.e.Checks = audit.Failed[scoring.Checks]("the clone is broken")
	})
	add("SE-09", "declared checks are no measurement", audit.DNF, open, "only declared", checks(10, 10, 10), func(s *sample) { s.e.Checks.Declared = true })
	add("SE-09", "a score that cannot be is open", audit.DNF, open, "not run", checks(10, 10, 99))
	for id, check := range map[string]string{"SE-07": "SAST", "SE-08": "Dependency-Update-Tool", "SE-10": "Fuzzing"} {
		add(id, "Scorecard answers what is open", audit.PASS, fullScore, "Scorecard "+check, noTree, scored(check, 10))
		add(id, "a low score answers nothing", audit.MISS, open, "nobody looked", noTree, scored(check, 9))
	}
}

func TestACheckLessOnlyWidensAndABetterOneNeverWorsens(t *testing.T) {
	prof := profile(t)
	r := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		scores := [3]int{r.IntN(12) - 1, r.IntN(12) - 1, r.IntN(12) - 1}
		before := measure(t, sampleWith(checks(scores[0], scores[1], scores[2])), prof)["SE-09"]
		i := r.IntN(3)
		less, better := scores, scores
		less[i] = -1
		m := measure(t, sampleWith(checks(less[0], less[1], less[2])), prof)["SE-09"]
		if !before.Interval.Within(m.Interval) || m.Outcome == audit.PASS && before.Outcome != audit.PASS {
			t.Fatalf("%v: %v [%v] became %v [%v] with %v", scores, before.Outcome, before.Interval, m.Outcome, m.Interval, less)
		}
		if scores[i] < 0 {
			continue
		}
		better[i] = 10
		m = measure(t, sampleWith(checks(better[0], better[1], better[2])), prof)["SE-09"]
		if m.Interval.Low() < before.Interval.Low() || m.Interval.High() < before.Interval.High() {
			t.Fatalf("%v: %v became %v with %v", scores, before.Outcome, m.Outcome, better)
		}
	}
}

func TestEachFailingCheckShowsALineTheDangerousWorkflowFirst(t *testing.T) {
	m := measure(t, sampleWith(checks(3, 0, 0)), profile(t))["SE-09"]
	var seen []string
	for _, o := range m.Origins {
		if o.Commit != revision {
			t.Errorf("origin %+v", o)
		}
		seen = append(seen, fmt.Sprintf("%s:%d", strings.TrimPrefix(o.Path, ".github/workflows/"), o.Line))
	}
	want := "Dangerous-Workflow.yml:7 Pinned-Dependencies.yml:7 Token-Permissions.yml:7 Dangerous-Workflow.yml:8 Pinned-Dependencies.yml:8"
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, need := range []string{"Dangerous-Workflow 10", "Pinned-Dependencies at least 7", "Token-Permissions at least 7"} {
		if got := strings.Join(m.Settle, "; "); !strings.Contains(got, need) {
			t.Errorf("the remedy %q does not name %q", got, need)
		}
	}
}

func TestAGoodFindingIsNoProofOfAFailure(t *testing.T) {
	s := sampleWith(checks(10, 3, 10), func(s *sample) {
		c, _ := s.e.Checks.Get()
		for i := range c.Results {
			c.Results[i].Findings = c.Results[i].Findings[9:]
		}
		s.e.Checks.Value = &c
	})
	for _, o := range measure(t, s, profile(t))["SE-09"].Origins {
		if o.Path == ".github/workflows/good.yml" {
			t.Errorf("what is in order is shown as the reason: %+v", o)
		}
	}
}
