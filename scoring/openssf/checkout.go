package openssf

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ossf/scorecard/v5/checker"
	"github.com/ossf/scorecard/v5/finding"
)

// untrustedCheckout is the probe that looks for workflows that run the code of a pull request with the rights of the project.
const untrustedCheckout = "hasDangerousWorkflowUntrustedCheckout"

// ofProject matches a ref that is nothing but the branch that a pull request wants to change, which is the project's own
// (GitHub's payload of pull_request_target).
var ofProject = regexp.MustCompile(`^\s*\$\{\{\s*github\.event\.pull_request\.base\.(?:ref|sha)\s*\}\}\s*$`)

// ownCode reports whether what a workflow checks out is the project's own, in spite of the finding: the library takes every
// ref of a pull request for code of strangers.
func ownCode(f *finding.Finding) bool {
	return f.Probe == untrustedCheckout && f.Outcome == finding.OutcomeTrue && f.Location != nil && f.Location.Snippet != nil &&
		ofProject.MatchString(*f.Location.Snippet)
}

// withoutOwnCode takes the findings out of a result that call the project's own code untrusted. If nothing dangerous is left,
// the low score rests on them alone: reason says so, and there is no score.
func withoutOwnCode(result *checker.CheckResult) (reason string) {
	var kept []finding.Finding
	var first *finding.Finding
	danger := false
	for i := range result.Findings {
		f := &result.Findings[i]
		if ownCode(f) {
			if first == nil {
				first = f
			}
			continue
		}
		danger = danger || f.Outcome == finding.OutcomeTrue && strings.HasPrefix(f.Probe, "hasDangerousWorkflow")
		kept = append(kept, *f)
	}
	if first == nil {
		return ""
	}
	result.Findings = kept
	if danger {
		return ""
	}
	at := first.Location.Path
	if first.Location.LineStart != nil {
		at += fmt.Sprintf(":%d", *first.Location.LineStart)
	}
	return fmt.Sprintf("scored %d only because %s checks out the branch that a pull request wants to change, which is the project's own code", result.Score, at)
}
