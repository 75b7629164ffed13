package transparency

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// operationsJudged is the moment of the tests about operations.
var operationsJudged = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// operationsRules are the numbers of the tests about operations; the profile has its own.
func operationsRules() audit.TransparencyRules {
	return audit.TransparencyRules{Indicators: map[string]audit.TransparencyRule{
		"RB-01": {}, "RB-02": {Numbers: map[string]int{"topics": 5}}, "RB-03": {Numbers: map[string]int{"last_age_days": 365}}, "RB-04": {},
		"CF-01": {Numbers: map[string]int{"places": 1}}, "CF-02": {},
		"OO-01": {}, "OO-02": {Numbers: map[string]int{"commits": 1}}, "OO-03": {Numbers: map[string]int{"commits": 1}},
		"OO-04": {Numbers: map[string]int{"links": 1, "age_days": 365}},
	}}
}

// runbookPlace is a place that answers every question well.
func runbookPlace() Place {
	p := Place{
		URL: "https://git.example.org/ops", Commit: strings.Repeat("a", 40), SeenUntil: operationsJudged, Public: audit.Known(true), Licence: audit.Known("Apache-2.0"), Open: audit.Known(true),
		LastHuman: audit.Known(operationsJudged.AddDate(0, 0, -365)), Documents: 7, SecretsSeen: audit.Known(0), Inventory: true, Versions: true,
	}
	for _, topic := range runbookTopics {
		p.Topics = append(p.Topics, Topic{Topic: topic, Path: topic + ".md", Line: 1})
	}
	return p
}

func judgedOperations(artifacts ...Artifact) map[string]Result {
	out := map[string]Result{}
	for _, r := range Judge(Evidence{AssessedAt: operationsJudged, Exposure: "public", Artifacts: artifacts}, Context{}, operationsRules()) {
		out[r.Indicator.ID] = r
	}
	return out
}

func runbooksOf(places ...Place) Artifact {
	return Artifact{Target: Target{Kind: KindRunbooks}, Seen: []audit.Seen{{URL: "https://git.example.org/ops", At: operationsJudged}}, Runbooks: &Runbooks{Places: places}}
}

func configurationOf(places ...Place) Artifact {
	return Artifact{Target: Target{Kind: KindConfiguration}, Configuration: &Configuration{Places: places}}
}

func changed(edit func(*Place)) Place {
	p := runbookPlace()
	edit(&p)
	return p
}

var noPlace = Place{URL: "https://git.example.org/gone", Trouble: &audit.Trouble{Kind: audit.TroubleTimeout, Text: "the server is too slow"}}

func TestRunbooksAreJudged(t *testing.T) {
	for _, c := range []struct {
		name, id string
		places   []Place
		want     audit.Outcome
		reason   string
	}{
		{"open", "RB-01", []Place{runbookPlace()}, audit.PASS, "open under Apache-2.0"},
		{"one of two is open", "RB-01", []Place{changed(func(p *Place) { p.Open = audit.Known(false) }), runbookPlace()}, audit.PASS, ""},
		{"non-commercial", "RB-01", []Place{changed(func(p *Place) { p.Open, p.Licence = audit.Known(false), audit.Known("CC-BY-NC-4.0") })}, audit.FAIL, "CC-BY-NC-4.0 is not an open one"},
		{"no licence", "RB-01", []Place{changed(func(p *Place) {
			p.Open, p.Licence = audit.Known(false), audit.Failed[string]("there is no licence file at its root")
		})}, audit.FAIL, "no licence file"},
		{"licence not known", "RB-01", []Place{changed(func(p *Place) { p.Open = audit.Failed[bool]("nobody has judged it") })}, audit.DNF, "nobody has judged it"},
		{"nobody saw that it is public", "RB-01", []Place{changed(func(p *Place) { p.Public = audit.Fact[bool]{} })}, audit.DNF, "nobody saw that it is public"},
		{"private", "RB-01", []Place{changed(func(p *Place) { p.Public = audit.Known(false) })}, audit.FAIL, "nobody without rights"},
		{"empty", "RB-01", []Place{changed(func(p *Place) { p.Documents = 0 })}, audit.FAIL, "no documents"},
		{"empty, another not read", "RB-01", []Place{changed(func(p *Place) { p.Documents = 0 }), noPlace}, audit.DNF, "too slow"},

		{"all topics", "RB-02", []Place{runbookPlace()}, audit.PASS, "5 topics"},
		{"topics in two places", "RB-02", []Place{changed(func(p *Place) { p.Topics = p.Topics[:2] }), changed(func(p *Place) { p.Topics = p.Topics[2:] })}, audit.PASS, ""},
		{"two are missing", "RB-02", []Place{changed(func(p *Place) { p.Topics = p.Topics[:3] })}, audit.FAIL, "not found: incident, access"},
		{"two are missing, not all read", "RB-02", []Place{changed(func(p *Place) { p.Topics = p.Topics[:3] }), noPlace}, audit.DNF, "too slow"},

		{"a year old to the day", "RB-03", []Place{runbookPlace()}, audit.PASS, "365 days before"},
		{"a day more", "RB-03", []Place{changed(func(p *Place) { p.LastHuman = audit.Known(operationsJudged.AddDate(0, 0, -366)) })}, audit.FAIL, "366 days before"},
		{"old, from an old clone", "RB-03", []Place{changed(func(p *Place) {
			p.LastHuman, p.SeenUntil = audit.Known(operationsJudged.AddDate(-3, 0, 0)), operationsJudged.AddDate(-3, 0, 0)
		})}, audit.DNF, "reaches only until"},
		{"a day to come", "RB-03", []Place{changed(func(p *Place) { p.LastHuman = audit.Known(operationsJudged.AddDate(0, 0, 1)) })}, audit.DNF, "after the day"},
		{"not known", "RB-03", []Place{changed(func(p *Place) { p.LastHuman = audit.Failed[time.Time]("the site does not say") })}, audit.DNF, "the site does not say"},
		{"one old, one not read", "RB-03", []Place{changed(func(p *Place) { p.LastHuman = audit.Known(operationsJudged.AddDate(-2, 0, 0)) }), noPlace}, audit.DNF, "too slow"},
		{"what is fresh has no runbooks", "RB-03", []Place{
			changed(func(p *Place) { p.LastHuman = audit.Known(operationsJudged.AddDate(-2, 0, 0)) }), changed(func(p *Place) { p.Topics = nil }),
		}, audit.FAIL, ""},

		{"no secret", "RB-04", []Place{runbookPlace()}, audit.PASS, "no secret"},
		{"a secret", "RB-04", []Place{runbookPlace(), changed(func(p *Place) {
			p.Secrets, p.SecretsSeen = []Secret{{Kind: "private-key", Path: "a.pem", Line: 3}}, audit.Known(1)
		})}, audit.FAIL, "private-key in a.pem line 3"},
		{"a secret, not all read", "RB-04", []Place{noPlace, changed(func(p *Place) {
			p.Secrets, p.SecretsSeen = []Secret{{Kind: "token", Path: "a.md"}}, audit.Failed[int]("x")
		})}, audit.FAIL, "token in a.md"},
		{"not all read", "RB-04", []Place{changed(func(p *Place) { p.SecretsSeen = audit.Failed[int]("3 files could not be read") })}, audit.DNF, "3 files"},
		{"nobody looked", "RB-04", []Place{changed(func(p *Place) { p.SecretsSeen = audit.Fact[int]{} })}, audit.DNF, "nobody looked"},
	} {
		r := judgedOperations(runbooksOf(c.places...))[c.id]
		if r.Outcome != c.want || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s %s: got %v, %q; want %v, %q", c.id, c.name, r.Outcome, r.Reason, c.want, c.reason)
		}
		if c.want != audit.PASS && len(r.Settle) == 0 {
			t.Errorf("%s %s: nothing would settle it", c.id, c.name)
		}
	}
}

func TestARepositoryThatCannotBeReadMayHoldSecrets(t *testing.T) {
	for kind, want := range map[string]audit.Outcome{audit.TroubleTimeout: audit.DNF, audit.TroubleNotFound: audit.PASS} {
		other := Artifact{Target: Target{Kind: KindRunbooks, URL: "https://git.example.org/other"}, Trouble: &audit.Trouble{Kind: kind, Text: "it is not there"}}
		if r := judgedOperations(runbooksOf(runbookPlace()), other)["RB-04"]; r.Outcome != want {
			t.Errorf("%s: got %v, %q; want %v", kind, r.Outcome, r.Reason, want)
		}
	}
}

func TestACloneShowsNobodyThatRunbooksArePublic(t *testing.T) {
	unseen := changed(func(p *Place) { p.Public = audit.Fact[bool]{} })
	rules := operationsRules()
	rules.Public = map[string][]string{"community": {KindRunbooks}}
	for exposure, want := range map[string]audit.Outcome{"community": audit.DNF, "private": audit.PASS} {
		for _, r := range Judge(Evidence{AssessedAt: operationsJudged, Exposure: exposure, Artifacts: []Artifact{runbooksOf(unseen)}}, Context{}, rules) {
			if r.Indicator.ID == "RB-01" && r.Outcome != want {
				t.Errorf("%s: got %v, %q; want %v", exposure, r.Outcome, r.Reason, want)
			}
		}
	}
}

func TestAListOrANameThatOnlyTheOperatorNamesIsItsWord(t *testing.T) {
	given := &OpenOperations{Signed: audit.Known("founding", audit.Origin{At: operationsJudged})}
	for _, c := range []struct {
		target   Target
		declared bool
		says     string
	}{
		{Target{}, false, "as founding"},
		{Target{URL: ManifestoRepository + ".git"}, false, "as founding"},
		{Target{URL: "https://git.example.org/our-list"}, true, "https://git.example.org/our-list is the list"},
		{Target{Name: "Somebody Else GmbH"}, true, "called Somebody Else GmbH"},
	} {
		c.target.Kind = KindOpenOperations
		r := judgedOperations(Artifact{Target: c.target, OpenOperations: given})["OO-01"]
		if r.Outcome != audit.PASS || r.Declared != c.declared || !strings.Contains(r.Reason, c.says) {
			t.Errorf("%+v: got %v, declared %v, %q", c.target, r.Outcome, r.Declared, r.Reason)
		}
	}
}

func TestConfigurationIsJudged(t *testing.T) {
	versions := changed(func(p *Place) { p.Inventory, p.Rules = false, 12 })
	nothing := changed(func(p *Place) { p.Inventory, p.Versions = false, false })
	for _, c := range []struct {
		name   string
		places []Place
		want   audit.Outcome
		reason string
	}{
		{"both", []Place{nothing, runbookPlace()}, audit.PASS, "inventory and versions are shown"},
		{"versions alone", []Place{versions}, audit.PART, "12 monitoring rules"},
		{"neither", []Place{nothing}, audit.FAIL, "neither"},
		{"neither, not all read", []Place{nothing, noPlace}, audit.DNF, "too slow"},
	} {
		if r := judgedOperations(configurationOf(c.places...))["CF-01"]; r.Outcome != c.want || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: got %v, %q", c.name, r.Outcome, r.Reason)
		}
	}
	results := judgedOperations(configurationOf(changed(func(p *Place) {
		p.Secrets, p.SecretsSeen = []Secret{{Kind: "password", Path: "s.yml", Line: 2}}, audit.Known(4711)
	})))
	if r := results["CF-02"]; r.Outcome != audit.FAIL || !strings.Contains(r.Reason, "4711 secrets") || r.Origins[0].Path != "s.yml" || r.Origins[0].Line != 2 {
		t.Errorf("secrets: %+v", r)
	}
	if r := results["RB-04"]; r.Outcome != audit.MISS {
		t.Errorf("what was not named is not judged: %+v", r)
	}
}

// operations is evidence that answers every question about Open Operations well.
func operations() OpenOperations {
	count := audit.Known(Contributions{Commits: 3, People: 2, Few: true, Human: 10, Unknown: 4})
	return OpenOperations{
		Signed: audit.Known("supporting", audit.Origin{At: operationsJudged}), Domains: []string{"example.org"}, AskedUpstreams: true,
		Repositories: []Contributed{{URL: "https://git.example.org/tools", Count: count, SeenUntil: operationsJudged}},
		Upstreams:    []Contributed{{URL: "https://git.example.org/nova", Count: count, SeenUntil: operationsJudged}},
		Links:        []CheckedLink{{Link: Link{Kind: "talk", URL: "https://talks.example.org/1", Date: operationsJudged.AddDate(0, 0, -365)}, Names: true}},
	}
}

func TestOpenOperationsAreJudged(t *testing.T) {
	zero := func(c Contributions) func(*OpenOperations) {
		return func(o *OpenOperations) { o.Repositories[0].Count = audit.Known(c) }
	}
	link := func(edit func(*CheckedLink)) func(*OpenOperations) {
		return func(o *OpenOperations) { edit(&o.Links[0]) }
	}
	for _, c := range []struct {
		name, id string
		edit     func(*OpenOperations)
		want     audit.Outcome
		reason   string
	}{
		{"signed", "OO-01", func(*OpenOperations) {}, audit.PASS, "as supporting"},
		{"not signed", "OO-01", func(o *OpenOperations) { o.Signed = audit.Known("", audit.Origin{At: operationsJudged}) }, audit.FAIL, "neither"},
		{"not in an old clone", "OO-01", func(o *OpenOperations) {
			o.Signed = audit.Known("", audit.Origin{At: operationsJudged.AddDate(0, -3, 0)})
		}, audit.DNF, "may be old"},
		{"not readable", "OO-01", func(o *OpenOperations) { o.Signed = audit.Failed[string]("broken") }, audit.DNF, "broken"},
		{"not asked", "OO-01", func(o *OpenOperations) { o.Signed = audit.Fact[string]{} }, audit.MISS, "nobody looked"},

		{"contributed", "OO-02", func(*OpenOperations) {}, audit.PASS, "3 commits in 1 of 1"},
		{"none, and everybody is known", "OO-02", zero(Contributions{Human: 10}), audit.FAIL, "0 commits"},
		{"none, some are not known", "OO-02", zero(Contributions{Human: 10, Unknown: 1}), audit.DNF, "of 10 commits by people 1 are of unknown origin"},
		{"none, and the clone is cut", "OO-02", zero(Contributions{Human: 10, Cut: true}), audit.DNF, "cut or may be old"},
		{"none, and the clone is old", "OO-02", func(o *OpenOperations) {
			o.Repositories[0].Count, o.Repositories[0].SeenUntil = audit.Known(Contributions{}), operationsJudged.AddDate(0, -2, 0)
		}, audit.DNF, "may be old"},
		{"none, and one was not read", "OO-02", func(o *OpenOperations) {
			o.Repositories = append(o.Repositories, Contributed{Count: audit.Failed[Contributions]("gone")})
			o.Repositories[0].Count = audit.Known(Contributions{})
		}, audit.DNF, "1 repositories could not be read"},
		{"some, and one was not read", "OO-02", func(o *OpenOperations) { o.Repositories = append(o.Repositories, Contributed{}) }, audit.PASS, ""},
		{"offline", "OO-02", func(o *OpenOperations) {
			o.Repositories = []Contributed{{Count: audit.Fact[Contributions]{Settle: "give a clone"}}}
		}, audit.MISS, "could be read"},
		{"no domains", "OO-02", func(o *OpenOperations) { o.Domains = nil }, audit.MISS, "mail domains"},

		{"upstream", "OO-03", func(*OpenOperations) {}, audit.PASS, ""},
		{"nobody asked upstream", "OO-03", func(o *OpenOperations) { o.Upstreams = nil }, audit.MISS, "nobody asked"},

		{"a talk", "OO-04", func(*OpenOperations) {}, audit.PASS, "declares"},
		{"too old", "OO-04", link(func(l *CheckedLink) { l.Date = operationsJudged.AddDate(0, 0, -366) }), audit.FAIL, "more than 365 days"},
		{"no date", "OO-04", link(func(l *CheckedLink) { l.Date = time.Time{} }), audit.DNF, "no date"},
		{"to come", "OO-04", link(func(l *CheckedLink) { l.Date = operationsJudged.AddDate(0, 0, 1) }), audit.DNF, "day to come"},
		{"names somebody else", "OO-04", link(func(l *CheckedLink) { l.Names = false }), audit.DNF, "does not name"},
		{"gone", "OO-04", link(func(l *CheckedLink) {
			l.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "there is nothing"}
		}), audit.FAIL, "there is nothing"},
		{"offline", "OO-04", link(func(l *CheckedLink) { l.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "offline"} }), audit.MISS, "offline"},
		{"none declared", "OO-04", func(o *OpenOperations) { o.Links = nil }, audit.MISS, "named no talk"},
		{"one gone, one slow", "OO-04", func(o *OpenOperations) {
			o.Links[0].Trouble = &audit.Trouble{Kind: audit.TroubleNotFound}
			o.Links = append(o.Links, CheckedLink{Link: o.Links[0].Link, Trouble: &audit.Trouble{Kind: audit.TroubleTimeout}})
		}, audit.DNF, ""},
	} {
		o := operations()
		c.edit(&o)
		r := judgedOperations(Artifact{Target: Target{Kind: KindOpenOperations}, OpenOperations: &o})[c.id]
		if r.Outcome != c.want || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s %s: got %v, %q; want %v, %q", c.id, c.name, r.Outcome, r.Reason, c.want, c.reason)
		}
		if c.want != audit.PASS && len(r.Settle) == 0 {
			t.Errorf("%s %s: nothing would settle it", c.id, c.name)
		}
		if c.id == "OO-04" && c.want == audit.PASS && !r.Declared {
			t.Error("OO-04 rests on a declaration")
		}
	}
}

func TestNothingKnownAboutOperationsGivesOnlyMISS(t *testing.T) {
	empty := []Artifact{
		runbooksOf(), configurationOf(), {Target: Target{Kind: KindOpenOperations}, OpenOperations: &OpenOperations{}},
		{Target: Target{Kind: KindRunbooks}, Trouble: &audit.Trouble{Kind: audit.TroubleOffline, Text: "offline"}},
	}
	for id, r := range judgedOperations() {
		if r.Outcome != audit.MISS {
			t.Errorf("%s: %v without any artifact", id, r.Outcome)
		}
	}
	for id, r := range judgedOperations(empty...) {
		if _, ours := operationsRules().Indicators[id]; ours && r.Outcome != audit.MISS && r.Outcome != audit.DNF {
			t.Errorf("%s: %v of empty artifacts: %s", id, r.Outcome, r.Reason)
		}
	}
}

// Knocking out any fact of a full sample turns no answer into PASS that was none, and no rule of the profile is needed to say MISS.
func TestAFactLessNeverTurnsAnAnswerIntoPASS(t *testing.T) {
	for name, edit := range map[string]func(*Place){
		"public": func(p *Place) { p.Public = audit.Fact[bool]{} }, "open": func(p *Place) { p.Open = audit.Fact[bool]{} }, "last": func(p *Place) { p.LastHuman = audit.Fact[time.Time]{} },
		"topics": func(p *Place) { p.Topics = nil }, "secrets": func(p *Place) { p.SecretsSeen = audit.Fact[int]{} }, "documents": func(p *Place) { p.Documents = 0 },
	} {
		bad := changed(func(p *Place) {
			p.Open, p.Licence, p.LastHuman = audit.Known(false), audit.Known("CC-BY-NC-4.0"), audit.Known(operationsJudged.AddDate(-2, 0, 0))
			p.Topics = p.Topics[:1]
			p.SecretsSeen, p.Secrets = audit.Known(1), []Secret{{Kind: "token", Path: "x", Line: 1}}
		})
		edit(&bad)
		for id, r := range judgedOperations(runbooksOf(bad)) {
			if r.Outcome == audit.PASS {
				t.Errorf("%s without %s: PASS, %s", id, name, r.Reason)
			}
		}
	}
	rules := operationsRules()
	for id, rule := range rules.Indicators {
		rule.Numbers = nil
		rules.Indicators[id] = rule
	}
	o := operations()
	all := []Artifact{runbooksOf(runbookPlace()), configurationOf(runbookPlace()), {Target: Target{Kind: KindOpenOperations}, OpenOperations: &o}}
	for _, r := range Judge(Evidence{AssessedAt: operationsJudged, Artifacts: all}, Context{}, rules) {
		if len(operationsRules().Indicators[r.Indicator.ID].Numbers) > 0 && r.Outcome != audit.MISS {
			t.Errorf("%s without numbers: %v", r.Indicator.ID, r.Outcome)
		}
	}
}
