package pipeline

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

const calibrationPage = "../../../docs/calibration.md"

const calibrationHead = `# Calibration of the profile

This page is generated: ` + "`go test ./cmd/internal/pipeline -run TestTheCalibrationPage -update`" + `. The same for another bundle or profile:
` + "`pegel policy sensitivity BUNDLE --profile FILE -o markdown=FILE`" + `. What the words mean stands in [profiles.md](profiles.md).

`

// docs/calibration.md is what the built-in profiles make of the corpus, and nothing else.
func TestTheCalibrationPageIsWhatTheProfilesMakeOfTheCorpus(t *testing.T) {
	c, err := Calibrate(corpusDir, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Projects < 80 || len(c.Gates) == 0 || len(c.Indicators) != 89 {
		t.Fatalf("%d projects, %d gates, %d indicators", c.Projects, len(c.Gates), len(c.Indicators))
	}
	text, err := reports.RenderCalibration("markdown", c, reports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := calibrationHead + strings.TrimRight(string(text), "\n") + "\n"
	if *update {
		if err := os.WriteFile(calibrationPage, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(calibrationPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(now, "\n")); diff != "" {
		t.Errorf("docs/calibration.md (-there +now); run go test ./cmd/internal/pipeline -run TestTheCalibrationPage -update\n%s", diff)
	}
}

// Each project stands at each gate of its role exactly once, and each indicator once.
func TestACalibrationCountsEveryProjectOnce(t *testing.T) {
	c := someCases(t, "keystone", "ovn", "harbor", "memcached", "redis", "cgit")
	got := calibrate(c, defaultProfiles(t))
	for _, g := range got.Gates {
		if n := len(g.Passed) + len(g.Failed) + len(g.Undetermined); n != got.Platforms {
			t.Errorf("%s: %d projects, want all %d platforms", g.Aspect, n, got.Platforms)
		}
	}
	for _, i := range got.Indicators {
		if n := i.Pass + i.Part + i.Fail + i.DNF + i.Miss + i.NA; n != len(c.projects) {
			t.Errorf("%s: %d outcomes, want %d", i.ID, n, len(c.projects))
		}
	}
	if diff := cmp.Diff(map[string][]string{"feature-complete": {"cgit"}}, got.Profiles); diff != "" && len(evidenceIn(t, corpusDir)["cgit"].Project) > 0 {
		t.Errorf("projects judged by another profile (-want +got):\n%s", diff)
	}
}

func TestAGateThatTellsNobodyApartIsNamedInWords(t *testing.T) {
	for _, test := range []struct {
		pass, fail, open int
		want             string
	}{
		{0, 0, 0, "No project has this gate."},
		{3, 0, 0, "Everybody passes"},
		{0, 3, 0, "Nobody passes and everybody fails"},
		{0, 0, 3, "Nobody is decided"},
		{0, 1, 2, "Nobody passes"},
		{1, 0, 2, "Nobody fails"},
		{1, 1, 2, ""},
	} {
		got := gateRemark(test.pass, test.fail, test.open)
		if !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%d pass, %d fail, %d undetermined: got %q, want %q", test.pass, test.fail, test.open, got, test.want)
		}
	}
}

// The law of the table: at the value it names something changes, and at the value one step nearer nothing does.
func TestTheSmallestChangeOfANumberIsTheSmallest(t *testing.T) {
	c := someCases(t, "keystone", "ovn", "harbor", "tacker", "redis", "cluster-api", "quay")
	profiles := defaultProfiles(t)
	got := calibrate(c, profiles)
	flips := 0
	for _, s := range got.Settings {
		i := slices.IndexFunc(knobs(profiles.Main()), func(k knob) bool { return k.path == s.Path })
		k := knobs(profiles.Main())[i]
		for step, flip := range map[int]*reports.Flip{1: s.Up, -1: s.Down} {
			if flip == nil {
				continue
			}
			flips++
			if !turned(c, profiles, k, flip.Value) {
				t.Errorf("%s: nothing changes at %d", s.Path, flip.Value)
			}
			if flip.Value-step != s.Value && turned(c, profiles, k, flip.Value-step) {
				t.Errorf("%s: something changes at %d already, not only at %d", s.Path, flip.Value-step, flip.Value)
			}
		}
	}
	if flips < 10 {
		t.Errorf("%d numbers change something, want at least 10 for the law to mean something", flips)
	}
}

// turned reports whether another value of a number changes any standing, by the long way: the whole profile anew.
func turned(c *cases, profiles policies.Profiles, k knob, value int) bool {
	main := profiles.Main()
	was, _ := k.get(main)
	variants := map[string]audit.Profile{}
	for _, id := range profiles.IDs() {
		p := profiles.For(id)
		if own, ok := k.get(p); ok && own == was {
			k.set(&p, value)
		}
		variants[id] = p
	}
	k.set(&main, value)
	changed := policies.ProfilesOf(main, variants)
	for _, p := range c.projects {
		if !cmp.Equal(verdictsByKey(p.standings(profiles)), verdictsByKey(p.standings(changed))) {
			return true
		}
	}
	return false
}

func defaultProfiles(t testing.TB) policies.Profiles {
	t.Helper()
	p, err := policies.DefaultProfiles()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// someCases are the named projects of the corpus that are there.
func someCases(t testing.TB, ids ...string) *cases {
	t.Helper()
	c, err := readCases(corpusDir)
	if err != nil {
		t.Fatal(err)
	}
	c.projects = slices.DeleteFunc(c.projects, func(p caseOf) bool { return !slices.Contains(ids, p.project.ID) })
	if len(c.projects) < 3 {
		t.Fatalf("the corpus has %d of %v", len(c.projects), ids)
	}
	return c
}

func TestAMarginSaysHowFarAGateIsFromAnotherOutcome(t *testing.T) {
	gate := audit.Gate{Low: 6000, Coverage: 5000}
	for _, test := range []struct {
		name                string
		low, high, coverage int
		outcome             audit.Outcome
		margin              int
	}{
		{"the low end is nearer", 6100, 9000, 8000, audit.PASS, 100},
		{"coverage is nearer", 7000, 9000, 5050, audit.PASS, 50},
		{"failed by the high end", 0, 5500, 9000, audit.FAIL, 500},
		{"knocked out", 0, 0, 9000, audit.FAIL, 6000},
		{"nearer to a pass", 5900, 9900, 9000, audit.DNF, 100},
		{"nearer to a fail", 1000, 6000, 9000, audit.DNF, 1},
		{"coverage is what is missing", 6500, 9000, 4000, audit.DNF, 1000},
	} {
		a := scoring.AspectScore{Interval: audit.Between(test.low, test.high), Coverage: test.coverage}
		if got := a.Meets(gate); got != test.outcome {
			t.Errorf("%s: outcome %s, want %s", test.name, got, test.outcome)
		}
		if got := margin(a, gate); got != test.margin {
			t.Errorf("%s: margin %d, want %d", test.name, got, test.margin)
		}
	}
}

func TestARowShowsEachGateOfTheRoleWithItsSourceAndWhatWouldSettleIt(t *testing.T) {
	c := someCases(t, "keystone", "memcached", "harbor", "ovn")
	profiles := defaultProfiles(t)
	for _, p := range c.projects {
		profile := profiles.For(p.project.Profile)
		row := projectRow(judge(p.project, p.evidence, profile), p.evidence, profile, p.evidence.AssessedAt)
		if p.project.Role != "platform" {
			if len(row.Gates) != 0 {
				t.Errorf("%s: a building block has gates %v", p.project.ID, row.Gates)
			}
			continue
		}
		if len(row.Gates) != 10 {
			t.Errorf("%s: %d gates, want 4 of SCS-open and 6 of SCS-sovereign", p.project.ID, len(row.Gates))
		}
		for _, g := range row.Gates {
			if g.Source == "" || g.Low == 0 || g.Margin < 0 {
				t.Errorf("%s: gate %+v", p.project.ID, g)
			}
			if g.Outcome != audit.DNF && len(g.Settle) > 0 {
				t.Errorf("%s: %s %s is decided and asks for %v", p.project.ID, g.Level, g.Aspect, g.Settle)
			}
		}
	}
}

func TestCatalogueEntriesChooseProfilesThatAreBuiltIn(t *testing.T) {
	profiles := defaultProfiles(t)
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	chosen := map[string]int{}
	for _, k := range catalogue.Components() {
		if k.Profile != "" && profiles.For(k.Profile).ID != k.Profile {
			t.Errorf("%s: no profile %q is built in", k.ID, k.Profile)
		}
		p := catalogueProject(catalogue, k.ID)
		if p.Profile != k.Profile || p.ProfileReason != k.ProfileReason {
			t.Errorf("%s: the project has profile %q because %q, its entry %q because %q", k.ID, p.Profile, p.ProfileReason, k.Profile, k.ProfileReason)
		}
		chosen[k.Profile]++
	}
	if chosen["library"] < 3 || chosen["feature-complete"] < 3 {
		t.Errorf("profiles chosen: %v, want some of each", chosen)
	}
}

func TestAProjectIsJudgedByTheProfileOfItsEntryAndTheReportSaysSo(t *testing.T) {
	profiles := defaultProfiles(t)
	for _, p := range someCases(t, "lldpd", "galera", "keystone", "memcached").projects {
		profile := profiles.For(p.project.Profile)
		row := projectRow(judge(p.project, p.evidence, profile), p.evidence, profile, p.evidence.AssessedAt)
		want := map[string]string{"lldpd": "feature-complete", "galera": "library", "keystone": "service", "memcached": "service"}[p.project.ID]
		if row.Profile != want || (want != "service") != (row.ProfileReason != "") {
			t.Errorf("%s: judged by %q because %q, want %q", p.project.ID, row.Profile, row.ProfileReason, want)
		}
		only, err := profiles.Only("service")
		if err != nil {
			t.Fatal(err)
		}
		strict := projectRow(judge(p.project, p.evidence, only.For(p.project.Profile)), p.evidence, only.Main(), p.evidence.AssessedAt)
		if strict.Profile != "service" || strict.ProfileReason != "" {
			t.Errorf("%s: judged by service alone, the report says %q because %q", p.project.ID, strict.Profile, strict.ProfileReason)
		}
	}
}
