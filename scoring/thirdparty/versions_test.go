package thirdparty

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func span(events ...osvEvent) osvRange { return osvRange{Type: "ECOSYSTEM", Events: events} }
func in(v string) osvEvent             { return osvEvent{Introduced: v} }
func out(v string) osvEvent            { return osvEvent{Fixed: v} }
func last(v string) osvEvent           { return osvEvent{LastAffected: v} }

func TestWhetherARangeHoldsAVersion(t *testing.T) {
	branches := span(in("0"), out("1.2.3"), in("2.0"), out("2.1.5"), in("3.0"))
	for _, c := range []struct {
		ecosystem, version string
		r                  osvRange
		inside, ok         bool
	}{
		{"PyPI", "1.2.2", branches, true, true},
		{"PyPI", "1.2.3", branches, false, true},
		{"PyPI", "1.10", branches, false, true},
		{"PyPI", "2.0", branches, true, true},
		{"PyPI", "2.1.5", branches, false, true},
		{"PyPI", "9", branches, true, true},
		{"PyPI", "1.2.3rc1", branches, true, true}, // before 1.2.3, by PEP 440
		{"PyPI", "1.2.3.dev7", branches, true, true},
		{"PyPI", "1.2.3.post1", branches, false, true},
		{"npm", "1.2.3-rc.1", branches, true, true},
		{"Go", "v2.1.4", branches, true, true},
		{"Go", "2.1.10", branches, false, true},
		{"Maven", "2.1.5-SNAPSHOT", branches, true, true},
		{"PyPI", "1.5", span(in("1.0"), last("1.5")), true, true},
		{"PyPI", "1.5.1", span(in("1.0"), last("1.5")), false, true},
		{"PyPI", "1.0", span(in("1.0"), last("1.0")), true, true},
		{"PyPI", "1.1", span(in("1.0"), last("1.0")), false, true},
		{"PyPI", "0.9", span(in("1.0"), last("1.0")), false, true},
		{"PyPI", "1.0", span(in("1.0"), out("1.0")), false, false}, // contradicts itself
		{"PyPI", "1.0", span(), false, true},
		{"PyPI", "main", branches, false, false},
		{"PyPI", "", branches, false, false},
		{"PyPI", "1.0", span(in("0"), out("next")), false, false},
		{"Debian", "1.0", branches, false, false}, // versions of a distribution are not those of the project
		{"Unheard", "1.0", branches, false, false},
		{"npm", "1.0.0", osvRange{Type: "SEMVER", Events: []osvEvent{in("0")}}, true, true},
	} {
		if inside, ok := c.r.holds(c.ecosystem, c.version); inside != c.inside || ok != c.ok {
			t.Errorf("%s %s in %v: got %v %v, want %v %v", c.ecosystem, c.version, c.r.Events, inside, ok, c.inside, c.ok)
		}
	}
}

func TestTheOrderOfEventsDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	events := []osvEvent{in("0"), out("1.2.3"), in("2.0"), last("2.1.5"), in("3.0"), {Limit: "5"}}
	for _, version := range []string{"0.1", "1.2.3", "1.9", "2.0", "2.1.5", "2.1.6", "3.0", "77"} {
		want, ok := span(events...).holds("PyPI", version)
		if !ok {
			t.Fatal(version)
		}
		for range 50 {
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			if got, ok := span(events...).holds("PyPI", version); got != want || !ok {
				t.Fatalf("%s in %v: got %v, want %v as in order", version, events, got, want)
			}
		}
	}
}

func TestWhetherAnEntryAffectsAVersion(t *testing.T) {
	git := osvRange{Type: "GIT", Repo: "https://git.example.org/a/b", Events: []osvEvent{in("0"), out("abc")}}
	entry := func(ecosystem string, versions []string, ranges ...osvRange) affected {
		a := affected{Versions: versions, Ranges: ranges}
		a.Package.Ecosystem = ecosystem
		return a
	}
	for name, c := range map[string]struct {
		a       affected
		version string
		want    verdict
	}{
		"a listed version":                           {entry("PyPI", []string{"1.0"}, span(in("5"))), "1.0", hit},
		"a listed tag":                               {entry("", []string{"v1.0"}, git), "1.0", hit},
		"a list without ranges is whole":             {entry("PyPI", []string{"1.0"}), "1.1", spared},
		"a list beside commits is not":               {entry("", []string{"v1.0"}, git), "1.1", unclear},
		"commits only":                               {entry("", nil, git), "1.1", unclear},
		"a range of versions counts beside commits":  {entry("PyPI", nil, git, span(in("0"), out("2"))), "3", spared},
		"one of two ranges":                          {entry("PyPI", nil, span(in("0"), out("2")), span(in("5"))), "6", hit},
		"one that cannot be compared leaves it open": {entry("PyPI", nil, span(in("0"), out("2")), span(in("x"))), "3", unclear},
		"but not if another holds it":                {entry("PyPI", nil, span(in("x")), span(in("0"))), "3", hit},
		"nothing at all":                             {entry("PyPI", nil), "3", unclear},
		"a version without a number":                 {entry("PyPI", []string{"1.0"}), "main", unclear},
		"text that nobody understands":               {entry("PyPI", nil, osvRange{Type: "TEXT"}), "1", unclear},
		"semantic versions without an ecosystem":     {entry("", nil, osvRange{Type: "SEMVER", Events: []osvEvent{in("1.0.0"), out("1.2.0")}}), "1.1.0", hit},
	} {
		if got, why := c.a.judge(c.version); got != c.want || got == unclear && why == "" {
			t.Errorf("%s: got %v (%s), want %v", name, got, why, c.want)
		}
	}
}

func TestExpressionsOfOpenStack(t *testing.T) {
	for expression, versions := range map[string]map[string]verdict{
		"<15.0.1, ==16.0.0":                     {"15.0.0": hit, "15.0.1": spared, "16.0.0": hit, "16.0.1": spared},
		">=8.0.0 <9.0.2, >=10.0.0 <=10.1.0":     {"7.9": spared, "8.0.0": hit, "9.0.2": spared, "10.1.0": hit, "10.1.1": spared},
		"<=22.3.1":                              {"22.3.1": hit, "22.3.2": spared},
		"up to 2014.1.3":                        {"2014.1": unclear},
		"<15.0.1, 2014 and later":               {"14": hit, "16": unclear},
		"":                                      {"1.0": unclear},
		">=1.0 <2.0 <3.0":                       {"1.5": unclear},
		">1.0":                                  {"1.5": unclear},
		">=29.0.0 <30.2.1,>=31.0.0 <31.1.1.dev": {"30.2.0": hit, "31.1.0": hit, "32": spared},
	} {
		a := spans(expression)
		a.Package.Ecosystem = "PyPI"
		for version, want := range versions {
			if got, _ := a.judge(version); got != want {
				t.Errorf("%q at %s: got %v, want %v", expression, version, got, want)
			}
		}
	}
}

func FuzzAVersionIsNeverSparedAndHit(f *testing.F) {
	f.Add("PyPI", "1.0", "0", "2.0", "1.5")
	f.Add("Maven", "1.0-x", "0.1", "", "1.0")
	f.Add("npm", "v1", "1", "1", "1")
	f.Fuzz(func(t *testing.T, ecosystem, version, introduced, fixed, lastAffected string) {
		events := []osvEvent{in(introduced), out(fixed), last(lastAffected)}
		a, aOK := span(events...).holds(ecosystem, version)
		b, bOK := span(events[2], events[1], events[0]).holds(ecosystem, version)
		if aOK && bOK && a != b {
			t.Fatalf("%v of %s: %v, the other way round %v", events, version, a, b)
		}
		if n, ok := compare(ecosystem, version, introduced); ok {
			if back, ok := compare(ecosystem, introduced, version); !ok || back != -n {
				t.Fatalf("%s %q to %q is %d, back %d", ecosystem, version, introduced, n, back)
			}
		}
	})
}

func TestASeriesIsNotItsFirstRelease(t *testing.T) {
	fixedIn := func(version string) affected {
		a := affected{Ranges: []osvRange{span(in("0"), out(version))}}
		a.Package.Ecosystem = "Go"
		return a
	}
	tagged := scoring.Evidence{Releases: audit.Known(scoring.Releases{TagOf: map[string]scoring.Tag{"7.4": {Name: "v7.4"}, "7": {Name: "v7.0.0"}}})}
	for _, row := range []struct {
		version, fixed string
		known          scoring.Evidence
		want           verdict
	}{
		{"7.4.1", "7.4.3", scoring.Evidence{}, hit},
		{"7.4", "7.4.3", scoring.Evidence{}, unclear}, // may be 7.4.9
		{"7", "7.4.3", scoring.Evidence{}, unclear},
		{"7.4", "7.4.3", tagged, hit},
		{"7", "7.4.3", tagged, unclear},
		{"7.4", "7.5.0", scoring.Evidence{}, hit},
		{"7.4", "7.4", scoring.Evidence{}, spared},
		{"7", "6.9.1", scoring.Evidence{}, spared},
	} {
		m := matcher{known: row.known, wanted: []wish{{key: key("Go", "")}}}
		got, why := m.judgeRecord(context.Background(), record{Affected: []affected{fixedIn(row.fixed)}}, row.version)
		if got != row.want {
			t.Errorf("version %s, fixed in %s: got %v (%s), want %v", row.version, row.fixed, got, why, row.want)
		}
	}
}
