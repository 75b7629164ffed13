package conformance

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// judgeStatus answers from what a compliance monitor says: of a group every subject has to pass.
func judgeStatus(e Entry, declared []Result, at time.Time) Answer {
	var parts []Answer
	for _, s := range e.Status.Subjects {
		parts = append(parts, judgeSubject(s, monitorName(e), declared, at))
	}
	a := Answer{
		Reason: fmt.Sprintf("%s knows no subject of %q", monitorName(e), e.Status.Group),
		Settle: []string{"name the group as it stands in the compliance monitor"},
	}
	if len(parts) > 0 {
		a = all(parts)
	}
	a.Origins, a.Observed, a.Handed = origins(e), observed(e), e.Handed
	if a.Handed && a.Outcome == audit.PASS {
		a.Declared = true // nobody signed the file, so it is the word of whoever handed it over
		a.Settle = append(slices.Clone(a.Settle), "name the address of the compliance monitor, or hand over a signed report")
	}
	return a
}

// monitorName says who speaks: anybody can run a compliance monitor, so its host is part of every answer.
func monitorName(e Entry) string {
	if u, err := url.Parse(e.URL); err == nil && u.Host != "" && !e.Handed {
		return "the compliance monitor " + plain(u.Host)
	}
	return "the answer of a compliance monitor that was handed over"
}

func judgeSubject(s SubjectStatus, monitor string, declared []Result, at time.Time) Answer {
	if len(s.Versions) == 0 {
		return Answer{
			Reason: fmt.Sprintf("%s has no result that still counts for subject %q: it is not known there, or the last tests are too long ago", monitor, s.Subject),
			Settle: []string{settleMonitor},
		}
	}
	var versions []versionTests
	for _, v := range s.Versions {
		versions = append(versions, versionTests{version: v.Version, validity: v.Validity, main: v.Main})
	}
	answer, decides := fromScore(fmt.Sprintf("%s on %q", monitor, s.Subject), versions, s.Tests, withDeclared(s.Tests, s.Results, declared), at)
	for _, v := range s.Versions {
		if v.Version == decides && v.Outcome == audit.FAIL && answer.Outcome == audit.PASS {
			answer.Outcome, answer.ValidUntil = audit.DNF, time.Time{}
			answer.Reason += "; but the monitor itself says FAIL"
			answer.Settle = []string{"ask who runs the compliance monitor which of the two holds"}
		}
	}
	return answer
}

// reportsOf groups the entries with reports by subject, in the order of the stack file.
func reportsOf(entries []Entry, uuid string) [][]Entry {
	var out [][]Entry
	index := map[string]int{}
	for _, e := range entries {
		if e.Kind != KindReport || e.Report == nil || e.Report.Scope.UUID != uuid {
			continue
		}
		i, has := index[e.Report.Subject]
		if !has {
			i = len(out)
			index[e.Report.Subject] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

// judgeReports answers from the reports of one subject: of each test case the most recent result counts (scs-0003-v2). The
// scope is that of the first report; if another report has another form of it, the worse answer counts.
func judgeReports(group []Entry, declared []Result, at time.Time) Answer {
	var results []Result
	var documents []string
	for _, e := range group {
		results = append(results, e.Report.Results...)
		for _, d := range e.Report.Documents {
			documents = append(documents, d.CheckedAt.Format(time.DateOnly))
		}
	}
	var out Answer
	seen := map[audit.Digest]bool{}
	for _, e := range group {
		if seen[e.Report.ScopeFile] {
			continue
		}
		seen[e.Report.ScopeFile] = true
		who := fmt.Sprintf("the report of %s on %q, signed with key %s", some(documents), e.Report.Subject, e.Report.Signer)
		a, _ := fromScore(who, e.Report.Scope.on(at), e.Report.Scope.Tests, withDeclared(e.Report.Scope.Tests, results, declared), at)
		if out.Reason == "" || audit.Worst(a.Outcome, out.Outcome) == a.Outcome {
			out = a
		}
	}
	for _, e := range group {
		out.Origins = append(out.Origins, origins(e)...)
		out.Handed = out.Handed || e.Handed
		if o := observed(e); o.After(out.Observed) {
			out.Observed = o
		}
	}
	return out
}

// fromScore puts the best score into words, and names the version that decided.
func fromScore(who string, versions []versionTests, tests []TestCase, results map[string]Result, at time.Time) (Answer, string) {
	s, ok := best(versions, tests, results, at)
	if !ok {
		return Answer{
			Outcome: audit.DNF,
			Reason:  fmt.Sprintf("%s: no version of the scope can be certified against on %s", who, at.Format(time.DateOnly)),
			Settle:  []string{"take the newest form of the scope from the SCS standards repository"},
		}, ""
	}
	if len(s.main) == 0 {
		return Answer{
			Reason: fmt.Sprintf("%s: version %s of the scope has no test case in its main target", who, s.version),
			Settle: []string{"take the scope from the SCS standards repository"},
		}, s.version
	}
	a := Answer{Outcome: s.outcome, Observed: s.checked, Reason: fmt.Sprintf("%s: version %s %s", who, s.version, s.words())}
	switch s.outcome {
	case audit.PASS:
		a.ValidUntil = s.until
		a.Declared = len(s.declared) > 0
	case audit.FAIL:
		a.Settle = []string{"mend " + some(s.failed) + " and test again"}
	case audit.MISS:
		a.Settle = []string{"run " + some(s.missing) + " and send the report"}
	default:
		a.Settle = []string{"run " + some(s.unclear) + " again and send the report"}
	}
	return a, s.version
}

func (s versionScore) words() string {
	total := len(s.main)
	var parts []string
	parts = append(parts, fmt.Sprintf("has %d of %d test cases passed", s.passed, total))
	if len(s.failed) > 0 {
		parts = append(parts, "failed: "+some(s.failed))
	}
	if len(s.old) > 0 {
		parts = append(parts, "too old: "+some(s.old))
	}
	if n := len(s.missing) - len(s.old); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not tested", n))
	}
	if len(s.unclear) > 0 {
		parts = append(parts, "not finished or not clear: "+some(s.unclear))
	}
	if len(s.declared) > 0 {
		parts = append(parts, "declared by the operator: "+some(s.declared))
	}
	if s.validity == ValidWarn {
		parts = append(parts, "this version is about to expire")
	}
	return strings.Join(parts, "; ")
}
