package conformance

import (
	"fmt"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Result is what one run of a test case showed.
type Result struct {
	ID        string        `json:"id"`
	Outcome   audit.Outcome `json:"outcome"`
	CheckedAt time.Time     `json:"checked_at"`
	// Naive says that the moment came without a time zone and was read as UTC: SCS writes the local time of the machine that
	// ran the tests. It may be up to a day off.
	Naive  bool   `json:"naive,omitempty"`
	Report string `json:"report,omitempty"` // id of the report
	// Declared says that the operator declared it. It then counts for a quarter, as scs-0004 (rule 3) has it for manual checks.
	Declared bool `json:"declared,omitempty"`
}

// How far a moment may be off before a result counts as one of the future: a day without a time zone (the zones of the
// world reach from -12 to +14 hours), five minutes with one.
const (
	doubt    = 24 * time.Hour
	mostSkew = 5 * time.Minute
)

// versionTests is what one version of a scope asks for on a day.
type versionTests struct {
	version  string
	validity string
	main     []string // test cases of the target that decides
}

// versionScore is how the results stand against one version.
type versionScore struct {
	versionTests
	outcome  audit.Outcome
	failed   []string
	missing  []string // nobody tested, or too long ago
	old      []string // of the missing: those with a result that is too old, with its day
	unclear  []string // did not finish, or nobody can tell whether the result still counts
	declared []string // passed, but no program decides them
	passed   int
	until    time.Time // the first of the results that passed stops to count then
	checked  time.Time // the newest result that counts
}

// score holds results against one version at a moment, by the rules of SCS: a result counts until the end of its lifetime, and
// FAIL > MISS > DNF > PASS (scs-0003-v2).
func score(v versionTests, tests []TestCase, results map[string]Result, at time.Time) versionScore {
	s := versionScore{versionTests: v}
	var parts []audit.Outcome
	for _, id := range v.main {
		t, ok := testCase(tests, id)
		if !ok {
			t = TestCase{ID: id, Lifetime: audit.Week}
		}
		parts = append(parts, s.add(t, results[id], at))
	}
	s.outcome = audit.Worst(parts...)
	return s
}

func (s *versionScore) add(t TestCase, r Result, at time.Time) audit.Outcome {
	if r.Declared {
		t.Lifetime = audit.Quarter
	}
	end, ok := t.Lifetime.End(r.CheckedAt)
	off := mostSkew
	if r.Naive {
		off = doubt
	}
	switch {
	case r.CheckedAt.IsZero() || !ok || r.Outcome == audit.MISS:
		s.missing = append(s.missing, t.ID)
		return audit.MISS
	case r.CheckedAt.After(at.Add(off)):
		s.unclear = append(s.unclear, t.ID+" (of the future: "+r.CheckedAt.Format(time.DateOnly)+")")
		return audit.DNF
	case r.Naive && !at.Before(end) && at.Before(end.Add(doubt)):
		s.unclear = append(s.unclear, t.ID+" (over on "+end.Format(time.DateOnly)+", in a time zone that nobody names)")
		return audit.DNF
	case !at.Before(end):
		s.missing = append(s.missing, t.ID)
		s.old = append(s.old, fmt.Sprintf("%s of %s, which counted for a %s", t.ID, r.CheckedAt.Format(time.DateOnly), t.Lifetime))
		return audit.MISS
	}
	if r.CheckedAt.After(s.checked) {
		s.checked = r.CheckedAt
	}
	switch r.Outcome {
	case audit.PASS:
		s.passed++
		if s.until.IsZero() || end.Before(s.until) {
			s.until = end
		}
		if t.Manual {
			s.declared = append(s.declared, t.ID)
		}
	case audit.FAIL:
		s.failed = append(s.failed, t.ID)
	default:
		s.unclear = append(s.unclear, t.ID)
	}
	return r.Outcome
}

// best returns the version that decides: the newest of those that can be certified against and pass; if none passes, the
// newest effective one, or else the newest that can be certified against. ok is false where none can be.
func best(versions []versionTests, tests []TestCase, results map[string]Result, at time.Time) (out versionScore, ok bool) {
	for _, word := range []string{ValidEffective, ValidWarn} {
		for _, v := range versions {
			if v.validity != word {
				continue
			}
			s := score(v, tests, results, at)
			if s.outcome == audit.PASS {
				return s, true
			}
			if !ok {
				out, ok = s, true
			}
		}
	}
	return out, ok
}

// withDeclared returns the newest results, with what was declared about test cases that no program decides. Of others a
// declaration says nothing, and none replaces a check that failed.
func withDeclared(tests []TestCase, results, declared []Result) map[string]Result {
	measured := newest(results)
	results = slices.Clone(results)
	for _, r := range declared {
		if t, ok := testCase(tests, r.ID); ok && t.Manual && measured[r.ID].Outcome != audit.FAIL {
			r.Declared = true
			results = append(results, r)
		}
	}
	return newest(results)
}

// newest keeps of several results of a test case the most recent one, and the worse one of two of the same moment.
func newest(results []Result) map[string]Result {
	out := map[string]Result{}
	for _, r := range results {
		old, has := out[r.ID]
		switch {
		case !has || r.CheckedAt.After(old.CheckedAt):
			out[r.ID] = r
		case r.CheckedAt.Equal(old.CheckedAt) && audit.Worst(r.Outcome, old.Outcome) == r.Outcome:
			out[r.ID] = r
		}
	}
	return out
}
