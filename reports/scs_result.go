package reports

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pegel-audit/pegel/audit"
)

// scsResult is the answer to one test case: the worst of the findings about all subjects, in the order of scs-0003-v2 (Draft):
// FAIL before MISS before DNF before PASS. What only the operator says is worse than PASS until a reviewer accepts it, and
// what does not apply to any subject says nothing.
type scsResult struct {
	testCase string
	title    string
	outcome  audit.Outcome
	declared bool      // it passes, but only by the operator's word
	because  []Finding // those that made it so, in the order of the report
}

// scsResults returns the results of scopes together by requirement, sorted. A finding counts with all that it was asked for:
// hysteresis, waivers and effective dates are the policy's own, and SCS has its own rules for a later failure (scs-0004, rule 8),
// so that the test case says what was seen.
func scsResults(r Report, scopes []string) []scsResult {
	byID := map[string]*scsResult{}
	for _, f := range r.Findings {
		if f.Requirement == "" || !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(f.Scopes, s) }) {
			continue
		}
		res := byID[f.Requirement]
		if res == nil {
			res = &scsResult{testCase: SCSTestCase(f.Requirement), title: f.Title, outcome: audit.NA}
			byID[f.Requirement] = res
		}
		declared := f.Declared && f.Outcome == audit.PASS
		worse := cmp.Compare(scsRank(f.Outcome, declared), scsRank(res.outcome, res.declared))
		switch {
		case worse < 0:
			res.outcome, res.declared, res.because = f.Outcome, declared, []Finding{f}
		case worse == 0:
			res.because = append(res.because, f)
		}
	}
	out := make([]scsResult, 0, len(byID))
	for _, res := range byID {
		out = append(out, *res)
	}
	slices.SortFunc(out, func(a, b scsResult) int { return cmp.Compare(a.testCase, b.testCase) })
	return out
}

// scsRank orders outcomes, the worst first.
func scsRank(o audit.Outcome, declared bool) int {
	switch {
	case o == audit.FAIL:
		return 0
	case o == audit.MISS:
		return 1
	case o == audit.PASS && declared:
		return 3
	case o == audit.PASS:
		return 4
	case o == audit.NA:
		return 5
	}
	return 2 // DNF, and whatever else is not decided
}

// scsCodes are the numbers of results in test reports (standards: Tests/scs_cert_lib.py, TESTCASE_VERDICTS). What is absent was not
// tested, to SCS: MISS, and here also what does not apply and what only the operator says.
func (s scsResult) code() (code int, present bool) {
	switch {
	case s.outcome == audit.PASS && !s.declared:
		return 1, true
	case s.outcome == audit.FAIL:
		return -1, true
	case s.outcome == audit.DNF:
		return 0, true
	}
	return 0, false
}

// verdict is the word on the line of a check script. A check script that was asked has tried, so that nothing is left of MISS but
// ABORT; so has what only the operator says. What does not apply has no word: PASS would say that something was verified, and
// FAIL or ABORT that something is wrong; SCS's tools take a missing line for a result that is still to come.
func (s scsResult) verdict() string {
	switch {
	case s.outcome == audit.PASS && !s.declared:
		return "PASS"
	case s.outcome == audit.FAIL:
		return "FAIL"
	case s.outcome == audit.NA:
		return ""
	}
	return "ABORT"
}

// mostReasons bounds the messages about one test case; the report has them all.
const mostReasons = 5

// messages say why, each beginning with its level as SCS counts them (scs-compliance-check.py, invoke_check_tool).
func (s scsResult) messages() (out []string) {
	level, why := "WARNING", "not decided"
	switch {
	case s.outcome == audit.PASS && !s.declared:
		return nil
	case s.outcome == audit.PASS:
		why = "only the operator says so, and no reviewer has accepted it"
	case s.outcome == audit.FAIL:
		level, why = "ERROR", "not met"
	case s.outcome == audit.NA:
		level, why = "INFO", "does not apply, so it has no result"
	case s.outcome == audit.MISS:
		why = "nobody looked"
	}
	for _, f := range s.because {
		line := fmt.Sprintf("%s: %s: %s: %s", level, s.testCase, why, f.Reason)
		if level == "WARNING" && len(f.Settle) > 0 {
			line += " (to settle it: " + f.Settle[0] + ")"
		}
		if line = oneLine(line); !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	if more := len(out) - mostReasons; more > 0 {
		out = append(out[:mostReasons], fmt.Sprintf("INFO: %s: and %d more like these; the report of Pegel has them all", s.testCase, more))
	}
	return out
}
