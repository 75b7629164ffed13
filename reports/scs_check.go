package reports

import (
	"fmt"
	"slices"
)

// SCSChecked is what a check script says (standards: Tests/scs-compliance-check.py, compute_results and invoke_check_tool).
type SCSChecked struct {
	Lines    []string // for standard output: "test case: PASS", FAIL or ABORT
	Messages []string // for standard error, each beginning with INFO, WARNING, ERROR or CRITICAL
	Failures int      // lines that say FAIL
}

// SCSCheck answers the test cases that were asked for, in that order and each once; none asked: all of the scopes, in the order of
// their ids. With several scopes the worst result counts. The report is made fit for the public first: SCS publishes the lines,
// and those messages that begin with WARNING or ERROR (compliance-monitor/monitor.py, _redact_report).
func SCSCheck(r Report, scopes, asked []string) SCSChecked {
	r = Redact(r)
	results := scsResults(r, scopes)
	if len(asked) == 0 {
		for _, res := range results {
			asked = append(asked, res.testCase)
		}
	}
	out := SCSChecked{Messages: []string{scsProposal(r)}}
	var done []string
	for _, id := range asked {
		if slices.Contains(done, id) {
			continue
		}
		done = append(done, id)
		at := slices.IndexFunc(results, func(res scsResult) bool { return res.testCase == id })
		if at < 0 {
			out.Lines = append(out.Lines, oneLine(id)+": ABORT")
			out.Messages = append(out.Messages, oneLine(fmt.Sprintf("ERROR: %s: no finding answers it: %v of %s %s has no such test case (take the scope file of this version: pegel policy scope), or nothing was found that it asks about",
				id, scopes, r.Policy.ID, r.Policy.Version)))
			continue
		}
		if word := results[at].verdict(); word != "" {
			out.Lines = append(out.Lines, id+": "+word)
			if word == "FAIL" {
				out.Failures++
			}
		}
		out.Messages = append(out.Messages, results[at].messages()...)
	}
	return out
}

// SCSAbort is what a check script says that could not run: every test case that was asked for is ABORT, as SCS's own scripts do
// (Tests/iaas/openstack_test.py, main).
func SCSAbort(asked []string, err error, hint string) SCSChecked {
	out := SCSChecked{Messages: []string{oneLine("CRITICAL: " + err.Error())}}
	if hint != "" {
		out.Messages = append(out.Messages, oneLine("INFO: hint: "+hint))
	}
	for i, id := range asked {
		if !slices.Contains(asked[:i], id) {
			out.Lines = append(out.Lines, oneLine(id)+": ABORT")
		}
	}
	return out
}

// scsProposal says first what the results are worth.
func scsProposal(r Report) string {
	return oneLine(fmt.Sprintf("INFO: results by a proposal, %s %s (%s), from evidence %s, assessed %s. This is not an SCS certificate.",
		r.Policy.ID, r.Policy.Version, r.Policy.Digest, r.Evidence.Digest, r.AssessedAt.UTC().Format("2006-01-02 15:04:05")))
}
