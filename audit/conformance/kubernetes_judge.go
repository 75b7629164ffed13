package conformance

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// clockSkew is how far clocks may differ.
const clockSkew = 5 * time.Minute

// JudgeKubernetes says whether the conformance tests of Kubernetes pass, by one folder of results. Only a test that was seen to
// fail, and that no exception names, is a FAIL; whatever makes the run worth nothing as a proof is DNF. It is one test case of
// SCS-compatible KaaS (cncf-k8s-conformance, lifetime one year), never the whole.
func JudgeKubernetes(e Entry, at time.Time) Answer {
	a := answerOf(e)
	r := e.Kubernetes
	if r == nil {
		return a
	}
	a.Outcome, a.Reason, a.Settle = r.judge(at)
	a.ValidUntil, _ = audit.Year.End(r.Results.RanAt)
	if !a.ValidUntil.IsZero() && at.After(a.ValidUntil) && a.Outcome != audit.FAIL {
		a.Outcome, a.Reason = audit.MISS, "the run of "+r.Results.RanAt.Format(time.DateOnly)+" counted until "+a.ValidUntil.Format(time.DateOnly)
		a.Settle = []string{"run the conformance tests again; SCS asks for it once a year (scs-compatible-kaas.yaml, lifetime of cncf-k8s-conformance)"}
	}
	return a
}

// answerOf is the answer of an entry without facts: what could not be read says nothing about the tests.
func answerOf(e Entry) Answer {
	a := Answer{}
	for _, s := range e.Seen {
		if s.Trouble == nil || len(e.Seen) == 1 {
			a.Origins = append(a.Origins, s.Origin(e.Kind))
		}
		if s.At.After(a.Observed) {
			a.Observed = s.At
		}
	}
	if e.Trouble == nil {
		a.Reason = "nobody looked"
		return a
	}
	a.Reason, a.Settle = e.Trouble.Text, []string{e.Trouble.Settle}
	if e.Trouble.Settle == "" {
		a.Settle = []string{"give an address that a program can read without login, or hand the files over"}
	}
	if e.Trouble.Outcome() != audit.MISS {
		a.Outcome = audit.DNF
	}
	return a
}

func (r KubernetesRun) judge(at time.Time) (audit.Outcome, string, []string) {
	again := []string{"run the tests again with sonobuoy run --mode=certified-conformance, and hand the whole folder over"}
	if x := r.Results; x.Failures > 0 && !x.DryRun && r.Mismatch == "" {
		return audit.FAIL, fmt.Sprintf("%s failed: %s", tests(x.Failures, "conformance test"), named(x.Failed, x.Failures)),
			[]string{"mend what these tests show, or name the file of SCS with the tests that may fail"}
	}
	if why := r.worthNothing(at); why != "" {
		return audit.DNF, why, again
	}
	return audit.PASS, r.passed(), nil
}

// worthNothing says why the folder proves nothing, in the order in which one would ask.
func (r KubernetesRun) worthNothing(at time.Time) string {
	x := r.Results
	required, known := r.Required()
	switch {
	case r.Mismatch != "":
		return fmt.Sprintf("the folder is of %q by %q, not of %q", r.Product.Name, r.Product.Vendor, r.Mismatch)
	case r.Product.Name == "" || r.Product.Vendor == "":
		return fileProduct + " does not say which product of whom was tested"
	case !x.Properties:
		return fileResults + " is too old: it does not say how the tests were chosen, as it does since Kubernetes v1.25"
	case x.DryRun:
		return "the tests were only listed (DryRun), none was run"
	case x.Focus != `\[Conformance\]`:
		return fmt.Sprintf("the tests were chosen by %s, not by \\[Conformance\\]", quoted(x.Focus))
	case x.Skip != "":
		return fmt.Sprintf("tests were left out by %s; a valid run leaves out none", quoted(x.Skip))
	case len(x.Narrowed) > 0:
		return "tests were left out by " + strings.Join(x.Narrowed, "; ")
	case x.Conformance == 0:
		return "no test marked [Conformance] was run"
	case x.LeftOut > 0:
		return tests(x.LeftOut, "conformance test") + " was left out of the run"
	case x.Declared.Tests != x.Cases || x.Declared.Failures+x.Declared.Errors != x.Exceptions+x.OtherFailed ||
		x.Declared.Skipped >= 0 && x.Declared.Skipped != x.Skipped:
		return fmt.Sprintf("the header of %s counts %d tests, %d skipped and %d failed, its body %d, %d and %d", fileResults,
			x.Declared.Tests, x.Declared.Skipped, x.Declared.Failures+x.Declared.Errors, x.Cases, x.Skipped, x.Exceptions+x.OtherFailed)
	case x.OtherFailed > 0:
		return tests(x.OtherFailed, "step") + " of the suite failed that is no conformance test"
	case x.Succeeded != "true" && x.Exceptions == 0:
		return strings.TrimSpace("the suite says that it did not succeed, though no test failed " + x.Reason)
	case known && x.Conformance < required:
		return fmt.Sprintf("%d conformance tests were run; Kubernetes %s has at least %d", x.Conformance, r.Version, required)
	case x.RanAt.After(at.Add(clockSkew)):
		return "the run is dated " + x.RanAt.Format(time.RFC3339) + ", which is in the future"
	}
	return r.contradicted()
}

// contradicted compares the results with the log and the folder.
func (r KubernetesRun) contradicted() string {
	if r.Version == "" {
		return "nothing says which version of Kubernetes was tested"
	}
	if r.Log == nil {
		return ""
	}
	for _, v := range r.Log.Versions {
		if minor(v) != r.Version {
			return fmt.Sprintf("%s speaks of Kubernetes %s, the folder of %s", fileLog, v, r.Version)
		}
	}
	if x := r.Results; r.Log.Failed > 0 && x.Exceptions == 0 || r.Log.Ended != "" && r.Log.Passed+r.Log.Failed != x.Conformance+x.Others {
		return fmt.Sprintf("%s counts %d passed and %d failed tests, %s %d and %d", fileLog, r.Log.Passed, r.Log.Failed, fileResults,
			x.Conformance+x.Others-x.Exceptions, x.Exceptions)
	}
	return ""
}

func (r KubernetesRun) passed() string {
	x := r.Results
	s := fmt.Sprintf("%d conformance tests of Kubernetes %s were run with %s by %s, none failed", x.Conformance, r.Version, r.Product.Name, r.Product.Vendor)
	if x.Exceptions > 0 {
		first := x.Excepted[0]
		s = strings.TrimSuffix(s, "none failed") + fmt.Sprintf("%s failed and may: %s (%s)", tests(x.Exceptions, "test"), first.Test, first.Reason)
	}
	if _, known := r.Required(); !known {
		s += "; how many this version has is not known here"
	}
	return s
}

func tests(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Certification says in words what the folder is worth as a certification of the CNCF, which SCS does not ask for.
func (r KubernetesRun) Certification(at time.Time) string {
	if !r.Listed {
		return "not seen in the repository of the CNCF: results of one's own, no certification"
	}
	end, known := r.Lapses()
	switch {
	case !known:
		return "accepted by the CNCF for " + r.Version + "; until when is not known here"
	case at.Before(end):
		return "accepted by the CNCF for " + r.Version + "; on its own until " + end.Format(time.DateOnly)
	}
	return "accepted by the CNCF for " + r.Version + "; lapsed on " + end.Format(time.DateOnly) + " unless each later version was certified too"
}

// quoted puts a pattern between quotation marks without changing its backslashes.
func quoted(s string) string { return `"` + s + `"` }
