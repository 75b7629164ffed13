package reports

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// answer makes a finding of a scope.
func scsAnswer(requirement, subject string, o audit.Outcome, declared bool, scopes ...string) Finding {
	return Finding{ID: requirement + "/" + subject, Requirement: requirement, Subject: audit.SubjectRef{Kind: "artifact", ID: subject, Name: subject},
		Outcome: o, Declared: declared, Scopes: scopes, Severity: "must", Title: "T", Reason: "because of " + subject}
}

func checked(asked []string, findings ...Finding) SCSChecked {
	return SCSCheck(Report{Findings: findings}, []string{"s"}, asked)
}

func TestTheWorstOfAllSubjectsAnswersATestCase(t *testing.T) {
	// From the worst to the best; each must win over all that follow.
	order := []struct {
		name     string
		o        audit.Outcome
		declared bool
		word     string
	}{
		{"FAIL", audit.FAIL, false, "FAIL"}, {"MISS", audit.MISS, false, "ABORT"}, {"DNF", audit.DNF, false, "ABORT"},
		{"declared", audit.PASS, true, "ABORT"}, {"PASS", audit.PASS, false, "PASS"}, {"NA", audit.NA, false, ""},
	}
	for i, worse := range order {
		for _, better := range order[i:] {
			for _, pair := range [][]Finding{
				{scsAnswer("r", "a", worse.o, worse.declared, "s"), scsAnswer("r", "b", better.o, better.declared, "s")},
				{scsAnswer("r", "a", better.o, better.declared, "s"), scsAnswer("r", "b", worse.o, worse.declared, "s")},
			} {
				want := []string{"pegel-r: " + worse.word}
				if worse.word == "" {
					want = nil
				}
				if got := checked([]string{"pegel-r"}, pair...); !slices.Equal(got.Lines, want) {
					t.Errorf("%s with %s: got %q, want %q", worse.name, better.name, got.Lines, want)
				}
			}
		}
	}
}

func TestOnlyWhatWasAskedIsAnsweredInThatOrderAndOnce(t *testing.T) {
	got := checked([]string{"pegel-b", "pegel-x", "pegel-a", "pegel-b"},
		scsAnswer("a", "1", audit.FAIL, false, "s"), scsAnswer("b", "1", audit.PASS, false, "s"), scsAnswer("c", "1", audit.FAIL, false, "s"), scsAnswer("a", "2", audit.FAIL, false, "other"))
	if want := []string{"pegel-b: PASS", "pegel-x: ABORT", "pegel-a: FAIL"}; !slices.Equal(got.Lines, want) || got.Failures != 1 {
		t.Errorf("got %q with %d failures, want %q with 1", got.Lines, got.Failures, want)
	}
	// Of a requirement without findings nobody knows here whether the policy has it: nothing claims that it has not.
	if !slices.ContainsFunc(got.Messages, func(m string) bool {
		return strings.HasPrefix(m, "ERROR: pegel-x: no finding answers it") && strings.Contains(m, "or nothing was found that it asks about")
	}) {
		t.Errorf("no reason for pegel-x in %q", got.Messages)
	}
	all := checked(nil, scsAnswer("b", "1", audit.PASS, false, "s"), scsAnswer("a", "1", audit.FAIL, false, "s"))
	if want := []string{"pegel-a: FAIL", "pegel-b: PASS"}; !slices.Equal(all.Lines, want) {
		t.Errorf("nothing asked: got %q, want all: %q", all.Lines, want)
	}
}

func TestEveryMessageBeginsWithALevelOfSCSAndStaysOnItsLine(t *testing.T) {
	bad := scsAnswer("a", "1", audit.FAIL, false, "s")
	bad.Reason = "x\npegel-a: PASS\r\x1b[2Jy"
	c := checked([]string{"pegel-a", "pegel-b", "pegel-c", "pegel-\nd: PASS"}, bad, scsAnswer("b", "1", audit.MISS, false, "s"), scsAnswer("c", "1", audit.NA, false, "s"))
	c.Messages = append(c.Messages, SCSAbort([]string{"a\nb: PASS"}, errors.New("no\nstack"), "write\none").Messages...)
	for _, m := range c.Messages {
		if !regexp.MustCompile(`^(INFO|WARNING|ERROR|CRITICAL): [^\n\r\x1b]*$`).MatchString(m) {
			t.Errorf("message %q", m)
		}
	}
	for _, l := range c.Lines {
		if strings.Contains(l, "\n") {
			t.Errorf("line %q", l)
		}
	}
	levels := map[string]string{"pegel-a: not met": "ERROR", "pegel-b: nobody looked": "WARNING", "pegel-c: does not apply": "INFO"}
	for text, want := range levels {
		if !slices.ContainsFunc(c.Messages, func(m string) bool { return strings.HasPrefix(m, want+": "+text) }) {
			t.Errorf("no message %q at level %s in %q", text, want, c.Messages)
		}
	}
}

func TestManySubjectsAreNotManyMessages(t *testing.T) {
	var many []Finding
	for i := range 40 {
		many = append(many, scsAnswer("a", fmt.Sprint(i), audit.FAIL, false, "s"))
	}
	if got := checked([]string{"pegel-a"}, many...); len(got.Messages) != 1+mostReasons+1 {
		t.Errorf("got %d messages, want %d and how many more there are", len(got.Messages), mostReasons)
	}
}

func TestAReportOfSCSHoldsNoResultForWhatIsMissingDeclaredOrDoesNotApply(t *testing.T) {
	r := Report{Verdicts: []Verdict{{Scope: "s", Title: "S", Requested: true}, {Scope: "below", Title: "B"}}, Findings: []Finding{
		scsAnswer("pass", "1", audit.PASS, false, "s"), scsAnswer("fail", "1", audit.FAIL, false, "s"), scsAnswer("dnf", "1", audit.DNF, false, "s"),
		scsAnswer("miss", "1", audit.MISS, false, "s"), scsAnswer("declared", "1", audit.PASS, true, "s"), scsAnswer("na", "1", audit.NA, false, "s"),
	}}
	data := scsReport(t, r)
	for _, want := range []string{"pegel-pass: 1\n", "pegel-fail: -1\n", "pegel-dnf: 0\n", "rc: 1\n", "forced_version: null\n", "forced_tests: null\n"} {
		if !strings.Contains(data, want) {
			t.Errorf("%q is not in it:\n%s", want, data)
		}
	}
	results := data[strings.Index(data, "results:"):strings.Index(data, "rc:")]
	if strings.Count(results, "pegel-") != 3 || strings.Count(data, "---\n") != 1 {
		t.Errorf("want three results in one document, got\n%s", data)
	}
}

func TestARunIsNamedByWhatItSays(t *testing.T) {
	id := func(r Report) string {
		return regexp.MustCompile(`run:\n    uuid: (\S+)`).FindStringSubmatch(scsReport(t, r))[1]
	}
	sample := func(o audit.Outcome) Report {
		return Report{AssessedAt: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Evidence: Evidence{Digest: audit.DigestOf([]byte("e"))},
			Verdicts: []Verdict{{Scope: "s", Requested: true}}, Findings: []Finding{scsAnswer("a", "1", o, false, "s")}}
	}
	base := sample(audit.PASS)
	if id(base) != id(sample(audit.PASS)) {
		t.Error("a replay has another id")
	}
	other := sample(audit.PASS)
	other.Evidence.Digest = audit.DigestOf([]byte("f"))
	rules := sample(audit.PASS)
	rules.Policy.Digest = audit.DigestOf([]byte("p"))
	for name, r := range map[string]Report{"another result": sample(audit.FAIL), "other evidence": other, "other rules": rules} {
		if id(r) == id(base) {
			t.Errorf("%s has the same id", name)
		}
	}
}

func scsReport(t *testing.T, r Report) string {
	t.Helper()
	data, err := SCSReport(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func scsSample() SCSScope {
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	source := []SCSSource{{"A document", "A document, part 1", "https://example.org/a"}}
	return SCSScope{
		ID: "scs-open-iaas", Title: "SCS-open IaaS", Layer: "IaaS", Policy: Policy{ID: "p", Version: "1.0"},
		Timeline: []SCSState{{day(2026, 11, 26), "draft"}},
		Tests: []SCSTest{
			{Requirement: "now", Module: "m", ModuleTitle: "M", ForEach: "artifact", Rationale: "Why.", Pass: "x", Sources: source, Must: true, Title: "on", Lifetime: "month"},
			{Requirement: "later", Module: "m", ModuleTitle: "M", ForEach: "artifact", Rationale: "Why.", Pass: "x", Sources: source, Must: true, Title: "Later", Lifetime: "day", From: day(2027, 2, 1)},
			{Requirement: "nice", Module: "m", ModuleTitle: "M", ForEach: "artifact", Rationale: "Why.", Pass: "x", Sources: source, Title: "1:30"},
			{Requirement: "by-hand", Module: "m", ModuleTitle: "M", ForEach: "artifact", Rationale: "Why.", Pass: "x", Sources: source, Must: true, Title: "By hand", Manual: true},
		},
	}
}

func TestAScopeSaysWhatCountsFromWhenOnAndWhatAPersonDecides(t *testing.T) {
	data, err := SCSScopeYAML(scsSample())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scope.scs-yaml", data)
	s := scsSample()
	s.Tests = s.Tests[2:3]
	if _, err := SCSScopeYAML(s); err == nil || !strings.Contains(err.Error(), "no requirement that decides") {
		t.Errorf("a scope that demands nothing: got %v", err)
	}
	s = scsSample()
	s.Timeline = nil
	if _, err := SCSScopeYAML(s); err == nil || !strings.Contains(err.Error(), "timeline") {
		t.Errorf("a scope without timeline: got %v", err)
	}
}

func TestADraftStandardFollowsTheLintRulesOfSCSWhateverThePolicySays(t *testing.T) {
	hostile := scsSample()
	hostile.Title = "<b>x</b> -- “y”\n# z: 'q'"
	hostile.Tests[0].Title = "<script>alert(1)</script>  two  blanks\n\n# heading | cell -- dash ‘quote’ "
	hostile.Tests[0].Rationale = "ends here "
	hostile.Tests[0].Pass = "a `b`\nc"
	hostile.Tests[0].Sources = []SCSSource{{"D", "D [x](y) ", "javascript:alert(1)"}, {"E", "E", "https://example.org/a b)(<x>#L3"}}
	hostile.Questions = []SCSQuestion{{Name: "q", Title: "Why?", On: true}}
	hostile.Refused = []SCSRefused{{Source: SCSSource{"D", "D", ""}, Says: "s", Why: "w"}}
	for name, s := range map[string]SCSScope{"plain": scsSample(), "hostile": hostile} {
		data, err := SCSStandard(s)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".scs-standard", data)
		lint(t, name, string(data))
	}
}

// lint are the rules of standards: .markdownlint-cli2.jsonc that generated text can break.
func lint(t *testing.T, name, text string) {
	t.Helper()
	body := text[strings.Index(text, "\n---\n")+5:]
	prose := regexp.MustCompile("`[^`]*`").ReplaceAllString(body, "`x`")
	for rule, bad := range map[string]string{
		"MD033 no HTML": `<[a-zA-Z/]`, "MD012 one blank line at a time": `\n\n\n`, "curly quotes": `[“”‘’]`, "m-dash": ` -- `,
		"trailing spaces": `[ \t]\n`, "double spaces": `[^\s>|]  [^\s|]`, "MD022 blank line before a heading": `[^\n]\n#`,
		"MD022 blank line after a heading": `\n#[^\n]*\n[^\n]`, "MD026 punctuation in a heading": `\n#[^\n]*[.,;:!]\n`,
		"MD032 blank line before a list": `\n[^-\n|][^\n]*\n- `, "relative links": `[^\\]\]\((\.\.|[^h])`, "MD010 tabs": `\t`,
	} {
		if at := regexp.MustCompile(bad).FindStringIndex(prose); at != nil {
			t.Errorf("%s: %s: %q", name, rule, prose[max(0, at[0]-30):min(len(prose), at[1]+30)])
		}
	}
	if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
		t.Errorf("%s: MD047: a file ends with one line break", name)
	}
}
