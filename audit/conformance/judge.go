package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Judge says what is known of level 2 in one layer at a moment. It is pure. Only sources of that layer count: a result on
// Kubernetes says nothing about infrastructure, and the reverse.
func Judge(e Evidence, layer string, at time.Time) Standing {
	s := Standing{Layer: layer}
	var entries []Entry
	for _, entry := range e.Entries {
		if entry.Layer == layer && layer != "" {
			entries = append(entries, entry)
		}
	}
	s.Tests = judgeTests(entries, e.Declarations, layer, at)
	s.Certificate = judgeCertificates(entries, at)
	return s
}

// Words says what a standing means on the ladder.
func (s Standing) Words() string {
	tests, certificate := s.Tests.Outcome, s.Certificate.Outcome
	switch {
	case tests == audit.PASS && certificate == audit.PASS && s.Certificate.Declared:
		return "technically met, certified by the operator's word"
	case tests == audit.PASS && certificate == audit.PASS:
		return "certified"
	case tests == audit.PASS:
		return "technically met, not certified"
	case tests == audit.FAIL && certificate == audit.PASS:
		return "certified, but tests fail" // scs-0004, rule 8: a later failure does not revoke
	case tests == audit.FAIL:
		return "not met"
	case certificate == audit.PASS && s.Certificate.Declared:
		return "certified by the operator's word, tests not shown"
	case certificate == audit.PASS:
		return "certified, tests not shown"
	}
	return "not shown"
}

// judgeTests puts together what the sources say about each subject, and then all subjects: every one of them has to pass.
func judgeTests(entries []Entry, declared []Result, layer string, at time.Time) Answer {
	uuid, alias := scopeOf(layer)
	if uuid == "" {
		return Answer{Reason: fmt.Sprintf("there is no SCS-compatible scope for layer %q", layer), Settle: []string{"ask for layer iaas or kaas"}}
	}
	var subjects []string
	sources := map[string][]Answer{}
	add := func(subject string, a Answer) {
		if _, has := sources[subject]; !has {
			subjects = append(subjects, subject)
		}
		sources[subject] = append(sources[subject], a)
	}
	for _, e := range entries {
		switch {
		case e.Kind != KindStatus && e.Kind != KindReport:
		case e.Trouble != nil:
			add(e.Subject, troubled(e))
		case e.Status != nil && e.Status.Scope == uuid:
			add(e.Subject, judgeStatus(e, declared, at))
		}
	}
	for _, group := range reportsOf(entries, uuid) {
		add(group[0].Report.Subject, judgeReports(group, declared, at))
	}
	out := Answer{
		Reason: "nobody showed results of the conformance tests",
		Settle: []string{"name the subject in the SCS compliance monitor, or hand over a signed test report of scope " + alias},
	}
	if len(subjects) > 0 {
		var answers []Answer
		for _, subject := range subjects {
			answers = append(answers, agree(sources[subject]))
		}
		out = all(answers)
	}
	return beside(out, entries, at)
}

// parts names who judges the kinds of sources that show some of the tests of a scope, never all of them.
func parts() map[string]func(Entry, time.Time) Answer {
	return map[string]func(Entry, time.Time) Answer{KindKubernetes: JudgeKubernetes, KindTempest: JudgeTempest}
}

// beside adds what sources show that have some of the tests: a failed one counts against the whole as long as a result counts,
// a passed one is named and proves nothing about the others.
func beside(whole Answer, entries []Entry, at time.Time) Answer {
	judges := parts()
	for _, e := range entries {
		judge := judges[e.Kind]
		if judge == nil {
			continue
		}
		part := judge(e, at)
		if part.Outcome == audit.FAIL && (part.ValidUntil.IsZero() || at.Before(part.ValidUntil)) {
			whole = agree([]Answer{whole, part})
			continue
		}
		whole.Reason += "; beside it, as one of several tests: " + part.Reason
		whole.Origins = append(slices.Clone(whole.Origins), part.Origins...)
	}
	return whole
}

// troubled is the answer of a source that could not be read. That nobody can see test results is no failed test.
func troubled(e Entry) Answer {
	a := Answer{Outcome: e.Trouble.Outcome(), Reason: e.Trouble.Text, Origins: origins(e), Observed: observed(e), Handed: e.Handed}
	if a.Outcome == audit.FAIL {
		a.Outcome = audit.DNF
	}
	if e.Trouble.Settle != "" {
		a.Settle = []string{e.Trouble.Settle}
	}
	return a
}

// agree puts together what several sources say about one subject. A source that could not tell says nothing against one that
// could; of two that could tell the worse one counts, and both are named. None of them is better by its kind: the monitor of
// SCS holds reports that the operator sends, and may not have had the newest one yet.
func agree(answers []Answer) Answer {
	var decided []Answer
	for _, a := range answers {
		if a.Outcome.Decided() {
			decided = append(decided, a)
		}
	}
	if len(decided) == 0 {
		return all(answers)
	}
	out := decided[0]
	for _, a := range decided[1:] {
		if audit.Worst(a.Outcome, out.Outcome) == a.Outcome && a.Outcome != out.Outcome {
			out = a
		}
	}
	if slices.ContainsFunc(decided, func(a Answer) bool { return a.Outcome != out.Outcome }) {
		out.Reason = "the sources contradict each other, and the worse one counts: " + reasons(decided)
		out.Origins = allOrigins(decided)
		out.Settle = append(slices.Clone(out.Settle), "bring the sources to agree, e.g. by sending the newest report to the compliance monitor")
		return out
	}
	out.Reason, out.Origins = reasons(decided), allOrigins(decided)
	for _, a := range decided {
		out.Declared, out.Handed = out.Declared && a.Declared, out.Handed && a.Handed
		if a.ValidUntil.After(out.ValidUntil) {
			out.ValidUntil = a.ValidUntil // the source that counts longest
		}
		if a.Observed.After(out.Observed) {
			out.Observed = a.Observed
		}
	}
	return out
}

// all is the answer of a whole: the worst of its parts, and until the first of them ends.
func all(parts []Answer) Answer {
	if len(parts) == 1 {
		return parts[0]
	}
	var outcomes []audit.Outcome
	for _, p := range parts {
		outcomes = append(outcomes, p.Outcome)
	}
	out := Answer{Outcome: audit.Worst(outcomes...), Reason: reasons(parts), Origins: allOrigins(parts)}
	for _, p := range parts {
		out.Declared, out.Handed = out.Declared || p.Declared, out.Handed || p.Handed
		out.Settle = append(out.Settle, p.Settle...)
		if p.Observed.After(out.Observed) {
			out.Observed = p.Observed
		}
		if out.Outcome == audit.PASS && !p.ValidUntil.IsZero() && (out.ValidUntil.IsZero() || p.ValidUntil.Before(out.ValidUntil)) {
			out.ValidUntil = p.ValidUntil
		}
	}
	slices.Sort(out.Settle)
	out.Settle = slices.Compact(out.Settle)
	return out
}

func reasons(answers []Answer) string {
	var out []string
	for _, a := range answers {
		if a.Reason != "" && !slices.Contains(out, a.Reason) {
			out = append(out, a.Reason)
		}
	}
	return strings.Join(out, "; ")
}

func allOrigins(answers []Answer) []audit.Origin {
	var out []audit.Origin
	for _, a := range answers {
		out = append(out, a.Origins...)
	}
	return out
}

// origins says where the facts of an entry were read: the looks without trouble, or all if there is none without.
func origins(e Entry) []audit.Origin {
	var out, every []audit.Origin
	for _, s := range e.Seen {
		every = append(every, s.Origin(e.Kind))
		if s.Trouble == nil {
			out = append(out, s.Origin(e.Kind))
		}
	}
	if out == nil {
		return every
	}
	return out
}

func observed(e Entry) time.Time {
	var at time.Time
	for _, s := range e.Seen {
		if s.At.After(at) {
			at = s.At
		}
	}
	return at
}
