package gitlog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Both files have the shape of ossf/security-insights-spec (tags v1.0.0 and v2.1.0), made by us, with everything that the
// reader knows and with people that it must not see.
const insightsFirst = `header:
  schema-version: 1.0.0
  expiration-date: '2031-01-01T01:00:00.000Z'
  last-reviewed: '2019-01-02'
  changelog: https://example.org/CHANGELOG.md
project-lifecycle:
  status: active
  bug-fixes-only: true
  roadmap: https://example.org/roadmap
  core-maintainers: ['https://example.org/people/ana-ito']
contribution-policy:
  contributing-policy: https://example.org/contributing
  code-of-conduct: https://example.org/conduct
security-contacts: [{type: email, value: ana.ito@example.org}]
security-testing:
- {tool-type: sca, tool-name: Dependabot, integration: {ci: true}}
- {tool-type: sast, tool-name: Scanner by Ana Ito, integration: {ci: true}}
- {tool-type: fuzzer, tool-name: Fuzz}
security-assessments:
- {auditor-name: Ana Ito, auditor-report: 'https://example.org/report.pdf', report-year: 2018, comment: by Ana Ito}
vulnerability-reporting:
  accepts-vulnerability-reports: true
  email-contact: ana.ito@example.org
  security-policy: https://example.org/security
dependencies:
  sbom: [{sbom-file: 'https://example.org/sbom.json', sbom-format: SPDX}]
`

const insightsSecond = `header:
  schema-version: 2.1.0
  last-updated: '2019-03-01'
  last-reviewed: '2019-03-04'
  url: https://example.org
project:
  roadmap: https://example.org/roadmap
  funding: https://example.org/fund
  steward: {uri: 'https://example.org/foundation', comment: by Ana Ito}
  administrators: [{name: Ana Ito, email: ana.ito@example.org, primary: true}]
  documentation:
    code-of-conduct: https://example.org/conduct
    support-policy: https://example.org/support
    signature-verification: https://example.org/verify
  vulnerability-reporting:
    reports-accepted: true
    contact: {name: Ana Ito, email: ana.ito@example.org, primary: true}
    security-policy: https://ana.ito@example.org/security
repository:
  status: unsupported
  core-team: [{name: Ana Ito, primary: true}]
  documentation:
    contributing-guide: https://example.org/contributing
    governance: https://example.org/governance
    security-policy: https://example.org/security
  release:
    changelog: https://example.org/changes
    attestations:
    - {name: SBOM, predicate-uri: 'https://spdx.dev/Document', location: 'https://example.org/sbom'}
    - {name: VEX, predicate-uri: 'https://openvex.dev/ns', location: 'https://example.org/vex'}
  security:
    assessments:
      self: {comment: x, date: '2019-01-01'}
      third-party:
      - {comment: by Ana Ito, evidence: 'https://example.org/audit.pdf', date: '2018-09-01'}
      - {comment: without a day}
    tools:
    - {name: Renovate, type: SCA, integration: {ci: true}}
    - {name: x, type: SAST, integration: {ci: false}}
    - {name: y, type: fuzzing}
`

func stated(list []scoring.Statement) []string {
	var out []string
	for _, s := range list {
		out = append(out, strings.TrimSpace(s.Indicator+" "+s.Value))
	}
	return out
}

func TestSecurityInsightsOfBothFormsBecomeStatements(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		said       string
	}{
		{"1.0.0", insightsFirst, []string{"AC-01", "AC-01", "OD-04", "OV-04 true", "OC-09 true", "MA-12 true", "SE-01 true", "SE-02", "SE-08 true", "SE-07 true", "SE-10 true", "SE-06 true", "SE-14 2018-01-01"}, "2019-01-02"},
		{"2.1.0", insightsSecond, []string{"AC-01", "OD-04", "LR-10", "OC-07", "OC-09 true", "MA-03 true", "MA-15", "SE-01 true", "OV-04 true", "OC-06 true", "SE-02", "MA-12 true", "SE-06 true", "SE-08 true", "SE-10 true", "SE-14 2018-09-01"}, "2019-03-04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readInsights([]byte(c.text), audit.Origin{Source: "git", URL: "https://example.org/x", Path: "security-insights.yml"}, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
			if !slices.Equal(stated(got), c.want) {
				t.Errorf("got  %q\nwant %q", stated(got), c.want)
			}
			for _, s := range got {
				if s.By != scoring.ByProject || s.Contests || s.Words == "" || s.Origin.Line == 0 || s.Origin.Path == "" || s.At.Format(time.DateOnly) != c.said {
					t.Errorf("%s: %+v", s.Indicator, s)
				}
			}
			data, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Ana", "ana.", "Ito", "@"} {
				if strings.Contains(string(data), name) {
					t.Errorf("the statements name a person: %q in %s", name, data)
				}
			}
		})
	}
}

func TestSecurityInsightsThatSayNothingAreNotBelieved(t *testing.T) {
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, text := range map[string]string{
		"over by its own date":   strings.Replace(insightsFirst, "2031-01-01", "2019-12-31", 1),
		"without an end":         strings.Replace(insightsFirst, "  expiration-date: '2031-01-01T01:00:00.000Z'\n", "", 1),
		"from the future":        strings.Replace(insightsSecond, "2019-03-04", "2020-01-02", 1),
		"without a day":          strings.ReplaceAll(insightsSecond, "last-", "first-"),
		"of a form of tomorrow":  strings.Replace(insightsSecond, "2.1.0", "3.0.0", 1),
		"no YAML":                "header: [",
		"with anchors":           strings.Replace(insightsSecond, "project:", "project: &p", 1),
		"too large":              insightsSecond + "#" + strings.Repeat("x", maxInsights),
		"a list":                 "- a\n",
		"empty":                  "",
		"keys that are no text":  "? [a]\n: b\n",
		"deeper than anybody is": "header: " + strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		if got := readInsights([]byte(text), audit.Origin{}, at); len(got) != 0 {
			t.Errorf("%s: got %q, want nothing", name, stated(got))
		}
	}
}

func TestAFloodOfToolsAndAuditsIsCutOff(t *testing.T) {
	var b strings.Builder
	b.WriteString("header: {schema-version: 2.0.0, last-reviewed: '2019-01-01'}\nrepository:\n  security:\n    assessments:\n      third-party:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "      - {date: '2018-01-01', evidence: 'https://example.org/%d'}\n", i)
	}
	if got := readInsights([]byte(b.String()), audit.Origin{}, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)); len(got) != maxStatements {
		t.Errorf("got %d statements, want at most %d", len(got), maxStatements)
	}
}

func TestARepositoryIsAskedForItsSecurityInsights(t *testing.T) {
	for _, path := range []string{"SECURITY-INSIGHTS.yml", ".github/security-insights.yml", "SECURITY-INSIGHTS.yaml"} {
		e := collect(t, filesRepo(map[string]string{path: insightsSecond, "vendor/x/SECURITY-INSIGHTS.yml": insightsFirst}))
		if got := stated(e.Statements); len(got) == 0 || got[len(got)-1] != "SE-14 2018-09-01" {
			t.Errorf("%s: got %q", path, got)
		}
		for _, s := range e.Statements {
			if s.Origin.Path != path || s.Origin.Commit == "" || s.Origin.Digest == "" {
				t.Fatalf("%s: origin %+v", path, s.Origin)
			}
		}
	}
	if e := collect(t, filesRepo(map[string]string{"vendor/x/SECURITY-INSIGHTS.yml": insightsFirst, "docs/security-insights.yml": insightsFirst})); len(e.Statements) != 0 {
		t.Errorf("what others say was taken for the project's words: %q", stated(e.Statements))
	}
}

func TestWhatTheProjectSaysNowTakesThePlaceOfWhatItSaid(t *testing.T) {
	all := []scoring.Statement{{Indicator: "SE-01", By: scoring.ByProject}, {Indicator: "SE-02", By: scoring.ByCatalogue}}
	got := ownStatements(all, []scoring.Statement{{Indicator: "SE-14", By: scoring.ByProject}})
	if want := []string{"SE-02", "SE-14"}; !slices.Equal(stated(got), want) || len(all) != 2 || all[0].Indicator != "SE-01" {
		t.Errorf("got %q, want %q", stated(got), want)
	}
}

// FuzzSecurityInsights: whatever the file holds, every statement has an indicator, words of ours and a safe address.
func FuzzSecurityInsights(f *testing.F) {
	f.Add(insightsFirst)
	f.Add(insightsSecond)
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range readInsights([]byte(text), audit.Origin{}, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) {
			if s.Indicator == "" || s.Words == "" || s.At.IsZero() || s.Source != "" && plainLink(s.Source) == "" || len(s.Value) > len("2018-09-01") {
				t.Errorf("%+v", s)
			}
		}
	})
}
