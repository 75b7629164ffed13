package reports

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// SCSReport writes the test report that SCS's compliance monitor stores (standards: Tests/scs-compliance-check.py, create_report;
// compliance-monitor/monitor.py, post_report): one document for each scope that was asked for. Result 1 is PASS, -1 FAIL, 0 DNF;
// what nobody looked at, what does not apply and what only the operator says is left out. It is public: no hosts, no paths, no
// command line of the user. The run has an id made of what it says, so that a replay gives the same bytes and the monitor takes
// it once.
func SCSReport(r Report, opt Options) ([]byte, error) {
	r = Redact(r)
	if opt.Subject != "" {
		r.Subject.Name = opt.Subject
	}
	var b bytes.Buffer
	for _, v := range r.Verdicts {
		if !v.Requested {
			continue
		}
		doc, err := yaml.Marshal(scsDocument(r, v))
		if err != nil {
			return nil, err
		}
		b.WriteString("---\n")
		b.Write(doc)
	}
	if b.Len() == 0 {
		b.WriteString("# no scope was asked for, so that there is nothing to report; name one with --scope\n")
	}
	return b.Bytes(), nil
}

func scsDocument(r Report, v Verdict) *yaml.Node {
	results, lines, messages := mapping(), []string{}, []string{scsProposal(r)}
	var cases, said []string
	for _, res := range scsResults(r, []string{v.Scope}) {
		cases = append(cases, res.testCase)
		messages = append(messages, res.messages()...)
		code, present := res.code()
		if !present {
			continue
		}
		add(results, res.testCase, number(code))
		lines = append(lines, res.testCase+": "+res.verdict())
		said = append(said, fmt.Sprintf("%s=%d", res.testCase, code))
	}
	at := r.AssessedAt.UTC()
	run := audit.UUID("scs-run", string(r.Evidence.Digest), string(r.Policy.Digest), v.Scope, r.Subject.Name, at.Format(time.RFC3339), strings.Join(said, " "))
	invocation := audit.UUID("scs-invocation", run)
	return mapping(
		"spec", mapping("uuid", word(SCSScopeUUID(r.Policy.ID, v.Scope)), "name", word(SCSScopeName(v.Title)), "url", word(scsURL(v.Scope))),
		"checked_at", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: at.Format("2006-01-02 15:04:05")}, // without a zone, as SCS compares it
		"reference_date", date(at),
		"subject", word(r.Subject.Name),
		"run", mapping(
			"uuid", word(run),
			"argv", words([]string{"report", "BUNDLE", "--scope", v.Scope, "-o", "scs-report=-"}),
			"assignment", mapping("policy", word(string(r.Policy.Digest))),
			"sections", null(),
			"forced_version", null(),
			"forced_tests", null(),
			"invocations", mapping(invocation, mapping(
				"id", word(invocation),
				"cmd", word("pegel check BUNDLE --scope "+v.Scope+" -t "+strings.Join(cases, " ")),
				"results", results,
				"rc", number(min(127, count(lines, ": FAIL"))),
				"stdout", words(lines),
				"stderr", words(messages),
				"info", number(level(messages, "info")),
				"warning", number(level(messages, "warning")),
				"error", number(level(messages, "error")),
				"critical", number(level(messages, "critical")),
			)),
		),
	)
}

// level counts the messages of a level as SCS does: lines that begin with the word.
func level(lines []string, word string) (n int) {
	for _, l := range lines {
		if strings.HasPrefix(strings.ToLower(l), word) {
			n++
		}
	}
	return n
}

func count(lines []string, suffix string) (n int) {
	for _, l := range lines {
		if strings.HasSuffix(l, suffix) {
			n++
		}
	}
	return n
}

func number(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(n)}
}

func null() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"} }
