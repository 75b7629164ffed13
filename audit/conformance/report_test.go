package conformance

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// reportText is a test report as create_report of Tests/scs-compliance-check.py writes it (standards, commit 077174d9).
func reportText(subject, scope, checked string, results map[string]int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `---
spec:
  uuid: %s
  name: SCS-compatible IaaS
  url: https://example.org/scopes/iaas.yaml
checked_at: %s
reference_date: %s
subject: %s
run:
  uuid: 0b1f7a1e-5c1e-4a53-9b55-%012x
  argv: [-s, x]
  assignment: {os_cloud: x}
  sections: null
  forced_version: null
  forced_tests: null
  invocations:
    7b8f2f1c-3a7f-4a0f-8df0-58cb6e4a3c11:
      id: 7b8f2f1c-3a7f-4a0f-8df0-58cb6e4a3c11
      cmd: ./alpha.py -c x
      results:
`, scope, checked, checked[:10], subject, len(results)+len(checked)*100)
	for _, id := range slices.Sorted(maps.Keys(results)) {
		fmt.Fprintf(&b, "        %s: %d\n", id, results[id])
	}
	b.WriteString("      rc: 0\n      stdout: ['x: PASS']\n      stderr: []\n      info: 0\n")
	return b.String()
}

var allPass = map[string]int{"scs-9001-alpha": 1, "scs-9002-daily": 1, "scs-9003-yearly": 1}

func TestASignedReportIsJudgedByTheRulesOfItsScope(t *testing.T) {
	raw, err := os.ReadFile("testdata/scope-iaas.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scope := string(raw)
	key, other := signer(t, 1), signer(t, 2)
	good := reportText("green", ScopeIaaS, "2026-06-10 06:12:44.103992", allPass)
	joined := func(message string) string { return sign(t, key, Namespace, message) + "&" + message }
	heavy := reportText("green", ScopeIaaS, "2026-01-10 06:00:00", map[string]int{"scs-9003-yearly": 1, "scs-9001-alpha": -1})
	light := reportText("green", ScopeIaaS, "2026-06-10 07:00:00", map[string]int{"scs-9001-alpha": 1, "scs-9002-daily": 1})
	oldStyle := strings.Replace(good, "run:\n", "versions:\n  v3:\n    scs-9001-alpha: {result: 1, invocation: x}\n    scs-9002-daily: {result: -1, invocation: x}\n  v2:\n    scs-9002-daily: {result: 1, invocation: y}\n    scs-9003-yearly: {result: 1}\nrun:\n", 1)
	inJSON := `{"spec":{"uuid":"` + ScopeIaaS + `","name":"x"},"checked_at":"2026-06-10T06:12:44.103992","reference_date":"2026-06-10","subject":"green","run":{"uuid":"1","invocations":{"a":{"results":{"scs-9001-alpha":1,"scs-9002-daily":1,"scs-9003-yearly":1}}}}}`
	for name, c := range map[string]struct {
		files map[string]string
		want  audit.Outcome
		says  string
	}{
		"all pass":             {map[string]string{"report.yaml": joined(good)}, audit.PASS, "report of 2026-06-10 on \"green\", signed with key SHA256:"},
		"signature beside":     {map[string]string{"report.yaml": good, "report.yaml.sig": sign(t, key, Namespace, good)}, audit.PASS, "3 of 3"},
		"JSON":                 {map[string]string{"report.yaml": joined(inJSON)}, audit.PASS, "3 of 3"},
		"several documents":    {map[string]string{"report.yaml": joined(light + heavy)}, audit.PASS, "3 of 3"},
		"the other order":      {map[string]string{"report.yaml": joined(heavy + light)}, audit.PASS, "3 of 3"},
		"results by version":   {map[string]string{"report.yaml": joined(oldStyle)}, audit.FAIL, "failed: scs-9002-daily"},
		"one failed":           {map[string]string{"report.yaml": joined(strings.Replace(good, "alpha: 1", "alpha: -1", 1))}, audit.FAIL, "failed: scs-9001-alpha"},
		"one aborted":          {map[string]string{"report.yaml": joined(strings.Replace(good, "alpha: 1", "alpha: 0", 1))}, audit.DNF, "not finished or not clear: scs-9001-alpha"},
		"one missing":          {map[string]string{"report.yaml": joined(light)}, audit.MISS, "1 not tested"},
		"too old":              {map[string]string{"report.yaml": joined(strings.ReplaceAll(good, "2026-06-10", "2026-05-20"))}, audit.MISS, "too old: scs-9001-alpha of 2026-05-20, which counted for a week"},
		"of the future":        {map[string]string{"report.yaml": joined(strings.ReplaceAll(good, "2026-06-10", "2026-06-12"))}, audit.DNF, "of the future: 2026-06-12"},
		"an hour ahead":        {map[string]string{"report.yaml": joined(strings.ReplaceAll(good, "06:12:44", "13:12:44"))}, audit.PASS, "3 of 3"},
		"an hour ahead by UTC": {map[string]string{"report.yaml": joined(strings.ReplaceAll(good, "06:12:44.103992", "13:12:44Z"))}, audit.DNF, "of the future"},
		"unsigned":             {map[string]string{"report.yaml": good}, audit.DNF, "the report is not signed"},
		"changed":              {map[string]string{"report.yaml": strings.Replace(joined(good), "daily: 1", "daily: 0", 1)}, audit.DNF, "changed after it was signed"},
		"signature of another": {map[string]string{"report.yaml": good, "report.yaml.sig": sign(t, key, Namespace, light)}, audit.DNF, "or the signature is of another report"},
		"stranger's key":       {map[string]string{"report.yaml": sign(t, other, Namespace, good) + "&" + good}, audit.DNF, "stands in no line of the list"},
		"other purpose":        {map[string]string{"report.yaml": sign(t, key, "file", good) + "&" + good}, audit.DNF, `namespace "file", not "report"`},
		"key that ran out":     {map[string]string{"report.yaml": joined(good), "allowed": allowedLine(key, `valid-before="20260101" `)}, audit.DNF, "was valid until 2026-01-01"},
		"broken signature":     {map[string]string{"report.yaml": good, "report.yaml.sig": "hello"}, audit.DNF, "cannot be checked"},
		"list of nonsense":     {map[string]string{"report.yaml": joined(good), "allowed": "x"}, audit.DNF, "allowed signers: line 1"},
		"other subject":        {map[string]string{"report.yaml": joined(strings.Replace(good, "subject: green", "subject: blue", 1))}, audit.DNF, `is about subject "blue", not "green"`},
		"other scope":          {map[string]string{"report.yaml": joined(strings.Replace(good, ScopeIaaS, ScopeKaaS, 1))}, audit.DNF, "is about scope SCS-compatible IaaS (" + ScopeKaaS + ")"},
		"scope of other layer": {map[string]string{"report.yaml": joined(good), "scope.yaml": strings.Replace(scope, ScopeIaaS, ScopeKaaS, 1)}, audit.DNF, "not SCS-compatible on layer iaas"},
		"scope broken":         {map[string]string{"report.yaml": joined(good), "scope.yaml": scope + "color: red\n"}, audit.DNF, "field color not found"},
		"no report":            {map[string]string{"report.yaml": joined("hello: world\n")}, audit.DNF, "it is no test report"},
		"broken YAML":          {map[string]string{"report.yaml": joined("{a: [")}, audit.DNF, "cannot be read"},
		"unknown result":       {map[string]string{"report.yaml": joined(strings.Replace(good, "daily: 1", "daily: 7", 1))}, audit.DNF, "unknown result 7"},
		"not handed over":      {nil, audit.MISS, "not among the files"},
	} {
		files := map[string]string{"scope.yaml": scope, "allowed": "# ours\n" + allowedLine(key, "")}
		maps.Copy(files, c.files)
		target := Target{Kind: KindReport, Layer: "iaas", File: "report.yaml", Subject: "green", Scope: "scope.yaml", Signers: "allowed"}
		e := Look(t.Context(), target, World{Ask: askOf(t, files), At: now})
		got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now)
		if got.Tests.Outcome != c.want || !strings.Contains(got.Tests.Reason, c.says) {
			t.Errorf("%s: got %s %q, want %s %q", name, got.Tests.Outcome, got.Tests.Reason, c.want, c.says)
		}
		if c.want == audit.PASS && (!got.Tests.Handed || got.Tests.ValidUntil.IsZero() || got.Words() != "technically met, not certified") {
			t.Errorf("%s: got %+v, %q", name, got.Tests, got.Words())
		}
		if c.want == audit.DNF && e.Trouble != nil && e.Trouble.Settle == "" {
			t.Errorf("%s: nothing says what would settle it", name)
		}
	}
}

func TestReportsOfSeveralSourcesArePutTogether(t *testing.T) {
	scope := fixtureScope(t)
	entry := func(checked string, results map[string]int) Entry {
		docs, err := parseReports([]byte(reportText("green", ScopeIaaS, checked, results)))
		if err != nil {
			t.Fatal(err)
		}
		return Entry{
			Target: Target{Kind: KindReport, Layer: "iaas", Subject: "green"},
			Report: &Report{Scope: scope, Subject: "green", Signer: "SHA256:x", Documents: []RunReport{docs[0].run}, Results: docs[0].results},
		}
	}
	light := entry("2026-06-10 07:00:00", map[string]int{"scs-9001-alpha": 1, "scs-9002-daily": 1})
	heavy := entry("2026-01-10 07:00:00", map[string]int{"scs-9001-alpha": -1, "scs-9003-yearly": 1})
	for _, entries := range [][]Entry{{light, heavy}, {heavy, light}} {
		if got := Judge(Evidence{Entries: entries}, "iaas", now).Tests; got.Outcome != audit.PASS || !strings.Contains(got.Reason, "2026-01-10") {
			t.Errorf("got %s %q", got.Outcome, got.Reason)
		}
	}
}

func TestAManualCheckIsDeclared(t *testing.T) {
	scope := fixtureScope(t)
	at := now.AddDate(0, 4, 0) // version next is effective, and asks for documentation
	var results []Result
	for _, id := range []string{"scs-9001-alpha", "scs-9001-beta", "scs-9002-daily"} {
		results = append(results, Result{ID: id, Outcome: audit.PASS, CheckedAt: at.AddDate(0, 0, -1)})
	}
	manual := Result{ID: "scs-9005-docs-check", Outcome: audit.PASS, CheckedAt: at.AddDate(0, 0, -1)}
	old, other := manual, manual
	old.CheckedAt, other.ID = at.AddDate(0, -7, 0), "scs-9001-alpha"
	entry := func(results ...Result) []Entry {
		return []Entry{{Target: Target{Kind: KindReport, Layer: "iaas", Subject: "green"}, Report: &Report{Scope: scope, Subject: "green", Results: results}}}
	}
	for name, c := range map[string]struct {
		evidence Evidence
		want     audit.Outcome
	}{
		"in the report":               {Evidence{Entries: entry(append(results, manual)...)}, audit.PASS},
		"in a declaration":            {Evidence{Entries: entry(results...), Declarations: []Result{manual}}, audit.PASS},
		"in one of two quarters ago":  {Evidence{Entries: entry(results...), Declarations: []Result{old}}, audit.MISS},
		"nowhere":                     {Evidence{Entries: entry(results...)}, audit.MISS},
		"for what a program can test": {Evidence{Entries: entry(append(results[1:], manual)...), Declarations: []Result{other}}, audit.MISS},
	} {
		got := Judge(c.evidence, "iaas", at).Tests
		if got.Outcome != c.want || got.Declared != (c.want == audit.PASS) {
			t.Errorf("%s: got %+v", name, got)
		}
		if c.want == audit.PASS && !strings.Contains(got.Reason, "declared by the operator: scs-9005-docs-check") {
			t.Errorf("%s: got %q", name, got.Reason)
		}
	}
}

// FuzzParseReports holds that what was read can be counted on: every result has an id, a known outcome and a moment.
func FuzzParseReports(f *testing.F) {
	f.Add([]byte(reportText("green", ScopeIaaS, "2026-06-10 06:12:44.103992", allPass)))
	f.Add([]byte("versions: {v1: {a: {result: 1}}}\nspec: {uuid: x}\nsubject: y\nrun: {uuid: z}\nchecked_at: 2026-01-01\n"))
	f.Add([]byte(`{"a": &x [*x]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := parseReports(data)
		if err != nil {
			return
		}
		for _, d := range docs {
			if d.subject == "" || d.run.ID == "" && d.scope == "" || len(d.results) != d.run.Results {
				t.Fatalf("got %+v", d)
			}
			for _, r := range d.results {
				if r.CheckedAt != d.run.CheckedAt || r.Outcome == audit.MISS || r.ID != plain(r.ID) {
					t.Fatalf("got %+v", r)
				}
			}
		}
	})
}

func BenchmarkParseReportOf1e5Lines(b *testing.B) {
	lines := "      stdout:\n" + strings.Repeat("      - 'some-test-case: PASS and a line of a log'\n", 100_000)
	data := []byte(strings.Replace(reportText("green", ScopeIaaS, "2026-06-10 06:12:44", allPass), "      stdout: ['x: PASS']\n", lines, 1))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseReports(data); err != nil {
			b.Fatal(err)
		}
	}
}
