package conformance

import (
	"context"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// listSCS is the list of tests that scs-0128 requires. It stands in the main branch: the standard is a draft and has no copy of
// its own per version.
const listSCS = "https://raw.githubusercontent.com/SovereignCloudStack/standards/main/Tests/iaas/scs_0128_e2e_testing/tempest-tests-non-admin.lst"

// TempestRun is what results of tempest say about a list of required tests. It holds facts only; JudgeTempest decides.
type TempestRun struct {
	Format string    `json:"format"`          // junit, refstack, stestr, subunit
	RanAt  time.Time `json:"ran_at,omitzero"` // where the results say so
	// PassedOnly says that the format names only tests that passed: a test that is not there may have failed.
	PassedOnly bool `json:"passed_only,omitempty"`
	Ran        int  `json:"ran"`     // everything that the results name
	Failed     int  `json:"failed"`  // of everything
	Skipped    int  `json:"skipped"` // of everything

	List      string     `json:"list"`                // what the tests were compared with
	Guideline *Guideline `json:"guideline,omitempty"` // if that is a guideline of the OpenInfra Foundation
	Required  Tally      `json:"required"`
	// OtherFailed are examples of tests that failed and that the list does not name.
	OtherFailed []string `json:"other_failed,omitempty"`
}

// Tally counts required tests by result, with examples of those that did not pass.
type Tally struct {
	All          int      `json:"all"`
	Passed       int      `json:"passed"`
	Failed       int      `json:"failed"`
	Skipped      int      `json:"skipped"`
	Missing      int      `json:"missing"` // the results do not name them
	FailedTests  []string `json:"failed_tests,omitempty"`
	SkippedTests []string `json:"skipped_tests,omitempty"`
	MissingTests []string `json:"missing_tests,omitempty"`
	Flagged      int      `json:"flagged,omitempty"` // tests of a guideline that do not count
}

// collectTempest reads results of tempest and the list of tests that they are compared with.
func collectTempest(ctx context.Context, t Target, w World) Entry {
	e := Entry{Target: t}
	a := asking{ctx, w, &e}
	at := t.place()
	if at == "" {
		e.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody named results of tempest",
			Settle: "name them or hand them over: stestr last --subunit, subunit2junitxml, what stestr last prints, or a result of RefStack"}
		return e
	}
	answer, ok := a.look(audit.Request{URL: raw(at), Limit: mostResults, Redact: redactResults,
		Accept: "application/json, application/xml, text/xml, text/plain, application/octet-stream"})
	if !ok {
		e.Trouble = answer.Trouble
		return e
	}
	results, err := readResults(answer.Body)
	if err != nil {
		e.Trouble = a.refuse("reading the results of tempest", err, "hand over what stestr or RefStack wrote, unchanged")
		return e
	}
	list, trouble := a.required(t.Config)
	if trouble != nil {
		e.Trouble = trouble
		return e
	}
	run := compare(results, list)
	if run.Guideline != nil {
		e.Notes = append(e.Notes, noteRetired)
	}
	e.Tempest = &run
	return e
}

// required reads the list or guideline; without a name it is the list of SCS.
func (a asking) required(config string) (requirements, *audit.Trouble) {
	if config == "" {
		config = listSCS
	}
	answer, ok := a.look(audit.Request{URL: raw(placeOf(config)), Limit: mostSmall,
		Accept: "application/json, text/plain, application/octet-stream"})
	if !ok {
		t := *answer.Trouble
		t.Text = "the list of required tests cannot be read: " + t.Text
		t.Settle = "hand over tempest-tests-non-admin.lst of SCS, or a guideline of OpenInfra"
		return requirements{}, &t
	}
	list, err := readRequirements(answer.Body)
	if err != nil {
		return list, a.refuse("reading the list of required tests", err, "hand over tempest-tests-non-admin.lst of SCS, or a guideline of OpenInfra")
	}
	return list, nil
}

// compare looks up every required test among the results.
func compare(results results, list requirements) TempestRun {
	run := TempestRun{Format: results.format, RanAt: results.at, PassedOnly: results.passedOnly, Ran: len(results.tests),
		List: list.name, Guideline: list.guideline}
	seen := index(results)
	counted := map[int]bool{}
	for _, test := range list.tests {
		outcome, i := seen.of(test)
		if i >= 0 {
			counted[i] = true
		}
		run.Required.add(test.name, outcome)
	}
	run.Required.Flagged = list.flagged
	for i, test := range results.tests {
		switch test.result {
		case failed:
			run.Failed++
			if !counted[i] && len(run.OtherFailed) < mostExamples {
				run.OtherFailed = append(run.OtherFailed, oneLine(test.name))
			}
		case skipped:
			run.Skipped++
		}
	}
	return run
}

func (t *Tally) add(name string, r result) {
	t.All++
	switch r {
	case passed:
		t.Passed++
	case failed:
		t.Failed++
		t.FailedTests = example(t.FailedTests, name)
	case skipped:
		t.Skipped++
		t.SkippedTests = example(t.SkippedTests, name)
	default:
		t.Missing++
		t.MissingTests = example(t.MissingTests, name)
	}
}
