package reports

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit"
)

func textOf(t testing.TB, r Report, opt Options) string {
	t.Helper()
	data, err := Text(r, opt)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// flow joins wrapped lines.
func flow(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestTheFirstSentenceIsTheDecisionWithItsLimitingFindings(t *testing.T) {
	mixed := releaseSample(24, 4)
	mixed.Verdicts[0].Outcome = "undetermined"
	odd := releaseSample(24, 4)
	odd.Verdicts = odd.Verdicts[:1]
	odd.Verdicts[0].Outcome = "excellent"
	none := releaseSample(24, 4)
	none.Verdicts[0].Requested, none.Verdicts[1].Requested = false, false
	for _, c := range []struct {
		name   string
		report Report
		want   string
	}{
		{"not eligible", releaseSample(24, 4), "✗ OSISM 9.0.0 is not eligible for SCS-open IaaS and SCS-sovereign IaaS, because 3 requirements fail: " +
			"“Every product has an OSI-approved licence at the deployed version” (redis 7.4.2 and vault 1.19.0), “No product is a vendor's closed edition” (nexus 3.79.1) and " +
			"“Every artifact is pinned to one version” (tempest)."},
		{"one fails and one is open: the failure first", mixed, "✗ OSISM 9.0.0 is not eligible for SCS-sovereign IaaS, because 3 requirements fail: "},
		{"undetermined", undeterminedSample(), "? Whether OSISM 9.0.0 without known failures is eligible for SCS-open IaaS cannot be decided yet, because 2 requirements are open: " +
			"“Every artifact has an SBOM” (cinder-api, glance-api, neutron-metadata-agent and 4 more) and “Every artifact was seen running”"},
		{"eligible", eligibleSample(), "✓ small-cloud is eligible for SCS-open IaaS, because every requirement holds."},
		{"an outcome nobody knows is undetermined", odd, "? Whether OSISM 9.0.0 is eligible for SCS-open IaaS cannot be decided yet"},
		{"nothing was asked", none, "? OSISM 9.0.0 was not judged: no level was asked for."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := flow(textOf(t, c.report, Options{})); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %.400s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEveryTextSaysWhatItIsAndWhatItIsNot(t *testing.T) {
	for _, s := range samples() {
		got := flow(textOf(t, s.report, Options{}))
		for _, want := range []string{notCertificate, "The criteria are a proposal, pegel-default 0.1.0", "as of 2026-11-23", "What was seen, and what was not"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing", s.name, want)
			}
		}
	}
	for name, want := range map[string]string{
		"release":  "Self-assessed: whoever ran this audit says so; nobody has signed it. Holds until 2026-12-23; what ends first: history of keystone.",
		"eligible": "Reviewed by an auditor; signed by Example Audit e.V. Holds until 2027-02-23;",
		"empty":    "No date is set until which this holds: no evidence that ends was used.",
	} {
		for _, s := range samples() {
			if got := flow(textOf(t, s.report, Options{})); s.name == name && !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing in %s", name, want, got)
			}
		}
	}
}

func TestManyAlikeAnswersBecomeOneLineWithACount(t *testing.T) {
	got := textOf(t, releaseSample(170, 90), Options{})
	if want := "Every artifact has an SBOM: not looked at for 105 artifacts (cinder-api, cinder-api-1, cinder-api-2 and 102 more)."; !strings.Contains(flow(got), want) {
		t.Errorf("%q is missing in\n%s", want, got)
	}
	if n := strings.Count(got, "\n"); n > 69 {
		t.Errorf("got %d lines for a stack of 170 artifacts and two levels, want at most 69", n)
	}
}

func TestWhatALowerLevelListsIsNotRepeated(t *testing.T) {
	steps := distance(releaseSample(24, 4))
	if len(steps) != 2 || steps[0].Verdict.Level != 3 || steps[1].Above != "SCS-open IaaS" {
		t.Fatalf("got %d steps, want SCS-open, then SCS-sovereign above it", len(steps))
	}
	seen := map[string]bool{}
	for _, s := range steps {
		for _, a := range s.Acts {
			for _, g := range a.Groups {
				for _, l := range g.Lines {
					key := g.Key + l.Name
					if seen[key] {
						t.Errorf("%s stands in both levels", key)
					}
					seen[key] = true
				}
			}
		}
	}
	if len(seen) == 0 {
		t.Error("nothing is missing at all: the sample proves nothing")
	}
}

func TestWhoCanActOnAFailureComesFirst(t *testing.T) {
	r := emptySample()
	r.Verdicts = []Verdict{{Scope: "s", Title: "S", Level: 3, Layer: "iaas", Outcome: "not-eligible", Requested: true}}
	for i, f := range []struct {
		owner, severity string
		outcome         audit.Outcome
	}{{"operator", "must", audit.MISS}, {"assessor", "must", audit.DNF}, {"upstream", "should", audit.FAIL}, {"distribution", "must", audit.FAIL}, {"distribution", "should", audit.FAIL}, {"", "must", audit.PASS}} {
		r.Findings = append(r.Findings, Finding{ID: fmt.Sprint(i), Requirement: fmt.Sprint("q", i), Title: "T", Owner: f.owner, Severity: f.severity, Outcome: f.outcome, Scopes: []string{"s"}})
	}
	var got []string
	for _, a := range distance(r)[0].Acts {
		got = append(got, a.Owner)
	}
	if want := "distribution operator upstream assessor"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

var colour = regexp.MustCompile("\x1b\\[[0-9]+m")

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	for _, s := range samples() {
		for _, width := range []int{0, 40, 60, 80, 100, 140} {
			for _, text := range []string{textOf(t, s.report, Options{Width: width, Color: true}), ScoreText(s.report.Projects, Options{Width: width, Color: true})} {
				want := width
				if width == 0 {
					want = defaultWidth
				}
				for _, l := range strings.Split(colour.ReplaceAllString(text, ""), "\n") {
					if n := utf8.RuneCountInString(l); n > want {
						t.Errorf("%s at %d: a line of %d: %s", s.name, width, n, l)
					}
				}
			}
		}
	}
}

func TestColourAddsNothingButColour(t *testing.T) {
	for _, s := range samples() {
		plain, painted := textOf(t, s.report, Options{}), textOf(t, s.report, Options{Color: true})
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s: an escape sequence without colour", s.name)
		}
		if plain == painted {
			t.Errorf("%s: no colour at all", s.name)
		}
		if got := colour.ReplaceAllString(painted, ""); got != plain {
			t.Errorf("%s: without its colours the text differs", s.name)
		}
	}
}

func TestNothingInTextSteersTheTerminal(t *testing.T) {
	r := hostileSample()
	for _, text := range []string{textOf(t, r, Options{}), ScoreText(r.Projects, Options{}), PlanText([]audit.Contact{{Host: "\x1b[2J", Address: "a\nb", Purpose: "\u202e"}})} {
		for _, c := range text {
			if c != '\n' && (unicode.Is(unicode.C, c) || unicode.Is(unicode.Zl, c) || unicode.Is(unicode.Zp, c)) {
				t.Fatalf("hidden %U is in\n%s", c, text)
			}
		}
		for _, l := range strings.Split(text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(l), "EVERYTHING IS ELIGIBLE") {
				t.Errorf("a name began a line of its own: %s", l)
			}
		}
	}
}

func FuzzTextKeepsItsLines(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J", "a\nb", strings.Repeat("w", 300), "\u202e", "\xff"} {
		f.Add(s, 80)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		r := emptySample()
		r.Subject.Name = s
		r.NotSeen = []Unseen{{What: s, Reason: s, Names: []string{s}}}
		text := textOf(t, r, Options{Width: width})
		want := max(minWidth, min(maxWidth, width))
		if width <= 0 {
			want = defaultWidth
		}
		for _, l := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(l); n > want {
				t.Fatalf("a line of %d characters, want at most %d: %q", n, want, l)
			}
			for _, c := range l {
				if unicode.Is(unicode.C, c) {
					t.Fatalf("hidden %U in %q", c, l)
				}
			}
		}
	})
}

func TestScoreCardsGiveReasonsMostImportantFirst(t *testing.T) {
	p := Project{Name: "etcd", Verdict: "showstopper", At: assessedAt,
		Aspects: []Aspect{{Aspect: "activity", Low: 0, High: 0, Coverage: 10000, KnockOuts: []string{"AC-01"}}, {Aspect: "maturity", Low: 2533, High: 8301, Coverage: 4999}},
		Indicators: []Indicator{
			{ID: "OD-01", Title: "proposal process", Outcome: audit.PASS, Weight: 2, Reason: "found"},
			{ID: "OC-03", Title: "top-two share", Outcome: audit.MISS, Weight: 1, Reason: "nobody looked", Settle: []string{"the forge's API"}},
			{ID: "SE-04", Title: "no old vulnerability", Outcome: audit.MISS, Weight: 3, Reason: "nobody looked", Settle: []string{"a vulnerability database"}},
			{ID: "OC-02", Title: "top organisation share", Outcome: audit.DNF, Weight: 1, Reason: "0.4 to 0.7", Settle: []string{"employers"}},
			{ID: "MA-01", Title: "release cadence", Outcome: audit.PART, Weight: 1, Reason: "2 releases, 4 needed"},
			{ID: "OV-03", Title: "contribution guide", Outcome: audit.FAIL, Weight: 1, Reason: "not found"},
			{ID: "MA-03", Title: "maintenance policy", Outcome: audit.FAIL, Weight: 2, Reason: "not found"},
			{ID: "AC-01", Title: "maintained", Outcome: audit.FAIL, Weight: 3, Reason: "no human commit in 12 months"},
			{ID: "OS-08", Title: "sign-off coverage", Outcome: audit.NA, Reason: "claims no DCO"},
		}}
	got := flow(ScoreText([]Project{p}, Options{}))
	at := 0
	for _, want := range []string{
		"etcd – showstopper", "25 to 84", "known 49 %", "Knock-out: Maintained (AC-01): no human commit", "Maintenance policy (MA-03)", "Contribution guide (OV-03)",
		"Release cadence (MA-01): 2 releases, 4 needed.", "Could not tell: Top organisation share (OC-02): 0.4 to 0.7. Would settle it: employers.",
		"Not looked at: 1 question (no old vulnerability). Would settle it: a vulnerability database.", "the forge's API.", "1 question holds: proposal process.", "Does not apply: sign-off coverage.",
	} {
		i := strings.Index(strings.ToLower(got[at:]), strings.ToLower(want))
		if i < 0 {
			t.Fatalf("%q is missing after %q", want, got[:at])
		}
		at += i
	}
}

func TestScoresAreRoundedOutward(t *testing.T) {
	for _, c := range []struct {
		low, high int
		want      string
	}{
		{0, 10000, "not known"}, {0, 0, "0"}, {10000, 10000, "100"}, {2533, 8301, "25 to 84"}, {1, 9999, "0 to 100"}, {5000, 5000, "50"}, {5050, 5050, "50 to 51"}, {-5, 20000, "not known"},
	} {
		if got := points(c.low, c.high); got != c.want {
			t.Errorf("points(%d, %d): got %q, want %q", c.low, c.high, got, c.want)
		}
	}
	if got := percent(9999, 10000); got != "99 %" {
		t.Errorf("percent(9999, 10000): got %q, want 99 %%: nothing is called complete that is not", got)
	}
}

func TestAPlanNamesEachPlaceOnceAndSaysThatNobodyWasContacted(t *testing.T) {
	got := PlanText([]audit.Contact{
		{Host: "opendev.org", Address: "https://opendev.org/openstack/nova", Right: "anonymous read", Purpose: "history of nova"},
		{Host: "local", Address: "./release", Right: "read", Purpose: "release manifests"},
		{Host: "github.com", Address: "https://github.com/etcd-io/etcd", Right: "anonymous read", Purpose: "history of etcd"},
		{Host: "github.com", Address: "https://github.com/etcd-io/etcd", Right: "anonymous read", Purpose: "history of etcd"},
	})
	golden(t, "plan.text", []byte(got))
	if n := strings.Count(got, "etcd-io/etcd"); n != 1 {
		t.Errorf("etcd stands %d times, want once", n)
	}
	if !strings.Contains(got, "nobody was contacted") || !strings.Contains(got, "contact 2 hosts") {
		t.Errorf("got %s", got)
	}
	if got := PlanText(nil); !strings.Contains(got, "A run would contact nobody and read nothing.") {
		t.Errorf("without contacts: got %s", got)
	}
}
