package cli

import (
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
)

func TestTheExitCodeIsTheWorstAnswerThatDecides(t *testing.T) {
	answer := func(severity string, o audit.Outcome, declared bool) reports.OperatorAnswer {
		return reports.OperatorAnswer{Severity: severity, Outcome: o, Declared: declared}
	}
	good := answer("must", audit.PASS, false)
	for name, test := range map[string]struct {
		answers []reports.OperatorAnswer
		want    int
	}{
		"all yes or not applicable":     {[]reports.OperatorAnswer{good, answer("must", audit.NA, false)}, exitDone},
		"a no":                          {[]reports.OperatorAnswer{answer("must", audit.MISS, false), answer("must", audit.FAIL, false), good}, exitNotEligible},
		"in part":                       {[]reports.OperatorAnswer{good, answer("must", audit.PART, false)}, exitNotEligible},
		"nobody looked":                 {[]reports.OperatorAnswer{good, answer("must", audit.MISS, false)}, exitUndetermined},
		"nobody could tell":             {[]reports.OperatorAnswer{answer("must", audit.DNF, false), good}, exitUndetermined},
		"the operator's word":           {[]reports.OperatorAnswer{good, answer("must", audit.PASS, true)}, exitUndetermined},
		"a recommendation not followed": {[]reports.OperatorAnswer{good, answer("should", audit.FAIL, false), answer("", audit.FAIL, false)}, exitDone},
	} {
		if got := exitCode(answersCode(test.answers)); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}
