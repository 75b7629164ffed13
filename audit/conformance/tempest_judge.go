package conformance

import (
	"fmt"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// retired is when the programme OpenStack Powered ended at the earliest: the month alone is known.
func retired() time.Time { return dayOf(2025, time.September, 1) }

// JudgeTempest says whether the required tests of tempest pass. "Tempest MUST NOT report any failed test cases" (scs-0128): a
// required test that failed is a FAIL. A test that was skipped was not shown to work, so it is DNF; one that the results do not
// name is MISS. Tests beside the list are named and decide nothing.
func JudgeTempest(e Entry, at time.Time) Answer {
	a := answerOf(e)
	r := e.Tempest
	if r == nil {
		return a
	}
	a.Outcome, a.Reason, a.Settle = r.judge(at)
	if a.ValidUntil, _ = audit.Week.End(r.RanAt); !a.ValidUntil.IsZero() && at.After(a.ValidUntil) && a.Outcome != audit.FAIL {
		a.Outcome, a.Reason = audit.MISS, "the run of "+r.RanAt.Format(time.DateOnly)+" counted until "+a.ValidUntil.Format(time.DateOnly)
		a.Settle = []string{"run the tests again; a result counts for a week where SCS says nothing else (scs-0003, lifetime)"}
	}
	return a
}

func (r TempestRun) judge(at time.Time) (audit.Outcome, string, []string) {
	t := r.Required
	outcome, reason := audit.PASS, fmt.Sprintf("all %d tests of the %s passed", t.All, r.List)
	var settle []string
	switch {
	case t.Failed > 0:
		outcome, reason = audit.FAIL, fmt.Sprintf("%d of %d tests of the %s failed: %s", t.Failed, t.All, r.List, named(t.FailedTests, t.Failed))
		settle = []string{"mend what these tests show, and run them again"}
		if r.Guideline != nil && !at.Before(retired()) {
			// Nobody asks for a retired guideline, so a failure of it is none of what SCS asks for.
			outcome, settle = audit.DNF, []string{"compare the results with the list of SCS (scs-0128)"}
		}
	case r.RanAt.After(at.Add(clockSkew)):
		outcome, reason = audit.DNF, "the run is dated "+r.RanAt.Format(time.RFC3339)+", which is in the future"
		settle = []string{"set the clock of the machine that runs the tests"}
	case t.Missing > 0:
		outcome, reason = audit.MISS, fmt.Sprintf("%d of %d tests of the %s are not among the results: %s", t.Missing, t.All, r.List, named(t.MissingTests, t.Missing))
		settle = []string{"run the whole list: tempest run --load-list LIST"}
		if r.PassedOnly {
			reason += "; a result of RefStack names tests that passed only, so nobody can tell whether they failed"
			settle = []string{"hand over the stream of the run instead: stestr last --subunit"}
		}
	case t.Skipped > 0:
		outcome, reason = audit.DNF, fmt.Sprintf("%d of %d tests of the %s were skipped, so nobody saw them work: %s", t.Skipped, t.All, r.List, named(t.SkippedTests, t.Skipped))
		settle = []string{"enable in tempest.conf what these tests need, and run them again"}
	case t.All == 0 || t.Passed != t.All:
		outcome, reason = audit.MISS, fmt.Sprintf("%d of %d required tests are known to have passed", t.Passed, t.All)
		settle = []string{"name the list of tests and the results"}
	}
	if n := r.Failed - t.Failed; n > 0 && len(r.OtherFailed) > 0 {
		reason += fmt.Sprintf("; of the tests that nobody requires failed: %s", named(r.OtherFailed, len(r.OtherFailed)))
	}
	if r.Guideline != nil {
		reason += "; the programme of this guideline was retired in September 2025"
	}
	return outcome, reason, settle
}
