package foundation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// shop serves files that we wrote in the form of the named registries.
type shop struct {
	files map[string]string // by repository + " " + path
	at    time.Time         // of its newest commit
	reads atomic.Int64
}

func (s *shop) read(ctx context.Context, repo, path string) ([]byte, audit.Origin, error) {
	s.reads.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, audit.Origin{}, err
	}
	text, ok := s.files[repo+" "+path]
	if !ok {
		return nil, audit.Origin{}, fmt.Errorf("no such file: %w", fs.ErrNotExist)
	}
	if text == "cannot be read" {
		return nil, audit.Origin{}, errors.New("the clone is broken")
	}
	return []byte(text), audit.Origin{Source: "git", URL: repo, Commit: strings.Repeat("a", 40), Path: path, Digest: audit.DigestOf([]byte(text)), At: s.at}, nil
}

func date(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

var assessed = date("2026-11-01")

// In the form of openstack/governance c7e4f290 and openstack/releases 02df7c9a, of cncf/landscape 153d699b, and of
// apache/comdev-projects; the content is invented.
func fixtures() map[string]string {
	return map[string]string{
		openStackGovernance + " " + teamsFile: `---
alpha:
  leadership_type: ptl
  ptl:
    name: Ann Example
    irc: annex
    email: ann@example.org
    appointed: [zed, '2027.1', victoria, 2023.1]
  liaisons:
    security:
    - {name: Ben Example, irc: benex, email: ben@example.org}
  deliverables:
    alpha:
      repos: [openstack/alpha]
    alpha-specs:
      release-management: none
      repos: [openstack/alpha-specs]
    old-alpha:
      deprecated: caracal
      repos: [openstack/old-alpha]
beta:
  leadership_type: ptl
  ptl: {name: Cid Example, irc: cidex, email: cid@example.org, appointed: ['2026.1']}
  deliverables:
    beta: {repos: [openstack/beta, openstack/python-betaclient]}
gamma:
  leadership_type: distributed
  deliverables:
    gamma: {repos: [openstack/gamma]}
delta:
  leadership_type: monarchy
  deliverables:
    delta: {repos: [openstack/delta]}
`,
		openStackGovernance + " " + legacyFile: `---
omega:
  ptl: {name: Dot Example, irc: dotex, email: dot@example.org}
  retired-on: 2025-03-04
  deliverables:
    omega: {repos: [openstack/omega]}
alpha:
  deliverables: {}
alpha:
  partial: yes
  deliverables:
    alpha-ui: {retired-on: 2027-01-01, repos: [openstack/alpha-ui]}
`,
		openStackGovernance + " " + sigsFile: "---\nSome Group:\n- repo: openstack/some-tool\n",
		openStackGovernance + " " + inactiveFile: `Title
=====

Current Emerging Technology Projects
------------------------------------

No emerging projects at this moment

Current Inactive Projects
-------------------------

* Gamma

  * Inactive since 2026.1 cycle
`,
		openStackReleases + " " + seriesFile: `---
- {name: third, release-id: 2027.1, status: development, initial-release: 2027-03-24}
- {name: second, release-id: 2026.2, status: maintained, initial-release: 2026-09-30}
- {name: first, release-id: 2026.1, status: maintained, initial-release: 2026-04-01}
`,
		landscapeRepo + " " + landscapeFile: `landscape:
- category:
  name: Provisioning
  subcategories:
  - subcategory:
    name: Automation
    items:
    - item:
      name: Harbinger
      repo_url: https://github.com/harbinger/harbinger
      project: graduated
      additional_repos:
      - repo_url: https://github.com/harbinger/harbinger-ui
      extra:
        accepted: '2018-05-01'
        incubating: '2019-06-02'
        graduated: '2021-07-03'
        audits:
        - {date: '2020-01-02', type: security, url: https://example.org/a.pdf, vendor: X}
        - {date: '2024-01-02', type: security, url: https://example.org/b.pdf, vendor: X}
        - {date: '2025-01-02', type: fuzzing, url: https://example.org/c.pdf, vendor: X}
    - item:
      name: Sandcastle
      repo_url: https://github.com/sandcastle/sandcastle
      project: sandbox
      project_org: https://github.com/sandcastle
      extra: {accepted: '2025-01-15'}
    - item:
      name: Bygone
      repo_url: https://github.com/bygone/bygone
      project: archived
      extra: {accepted: '2020-01-15', archived: '2026-02-03'}
    - {item: ~, name: Direct, repo_url: https://github.com/direct/direct, project: incubating}
    - {item: ~, name: A product, repo_url: https://github.com/vendor/product}
- category:
  name: empty
  subcategories:
`,
		apacheRepo + " " + committeesFile: `[{"id":"keeper","name":"Apache Keeper","established":"2010-11","chair":"annex",
 "roster":{"annex":{"date":"2010-11-17","name":"Ann Example"}}}]`,
		apacheRepo + " " + retiredFile:    `[{"id":"gone","name":"Apache Gone","established":"2006-04","retired":"2016-05","roster":{"benex":{"name":"Ben Example"}}}]`,
		apacheRepo + " " + podlingsFile:   `{"sprout":{"name":"Apache Sprout (Incubating)","pmc":"incubator","podling":true,"started":"2025-02"}}`,
		apacheRepo + " " + apacheProjects: `{"keeper":{"pmc":"keeper","maintainer":[{"mbox":"mailto:ann@example.org","name":"Ann Example"}],"repository":[{"browse":"https://example.org"},"https://gitbox.apache.org/repos/asf/watchman.git"]}}`,
	}
}

func collect(t *testing.T, s *shop, p scoring.Project) audit.Fact[scoring.Governance] {
	t.Helper()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Collect(t.Context(), p, scoring.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Governance
}

func newShop() *shop { return &shop{files: fixtures(), at: date("2026-10-20")} }

func project(repo, foundation string) scoring.Project {
	return scoring.Project{ID: "x", Name: "X", Repo: repo, Foundation: foundation}
}

func must[T any](t *testing.T, what string, f audit.Fact[T]) T {
	t.Helper()
	v, ok := f.Get()
	if !ok {
		t.Fatalf("%s is not known: %q", what, f.Failure)
	}
	return v
}

func steps(g scoring.Governance) string {
	var out []string
	for _, s := range g.Steps {
		out = append(out, s.What+" "+s.Name)
	}
	return strings.Join(out, " -> ")
}

func TestAnOpenStackProjectInheritsFromItsTeamAndItsFoundation(t *testing.T) {
	fact := collect(t, newShop(), project("https://opendev.org/openstack/alpha", "OpenInfra"))
	g := must(t, "governance", fact)
	if want := "project X -> deliverable alpha -> team alpha -> foundation OpenInfra Foundation (OpenStack)"; steps(g) != want {
		t.Errorf("steps %s, want %s", steps(g), want)
	}
	for _, s := range g.Steps[1:3] {
		if s.Origin.Commit == "" || s.Origin.Path != teamsFile || s.Origin.Line == 0 {
			t.Errorf("step %s comes from %+v, want commit, path and line", s.What, s.Origin)
		}
	}
	if got := must(t, "vacancies", g.Vacancies); strings.Join(got, " ") != "victoria zed 2023.1 2027.1" {
		t.Errorf("vacancies %v, want the newest last", got)
	}
	if got := must(t, "leadership", g.Leadership); got != "appointed" {
		t.Errorf("leadership %s, want appointed: nobody stood for 2027.1, the series in development", got)
	}
	if got := must(t, "term", g.TermSince); !got.Equal(date("2026-09-30")) {
		t.Errorf("term since %s, want 2026-09-30", got)
	}
	if !must(t, "security team", g.SecurityTeam) || must(t, "inactive", g.Inactive) || !must(t, "listed", g.Listed) {
		t.Errorf("security team, inactive, listed: %v %v %v, want true false true", *g.SecurityTeam.Value, *g.Inactive.Value, *g.Listed.Value)
	}
	if must(t, "level", g.Level) != "official" || must(t, "deliverable", g.Deliverable) != "alpha" {
		t.Errorf("level %s, deliverable %s, want official, alpha", *g.Level.Value, *g.Deliverable.Value)
	}
	if fact.Grade != audit.GradeRecord || fact.Lifetime != audit.Year || !fact.ObservedAt.Equal(date("2026-10-20")) {
		t.Errorf("grade %s, %s from %s, want A, a year from the commit", fact.Grade, fact.Lifetime, fact.ObservedAt)
	}
	if got := g.CodeOfConduct; got.Grade != audit.GradeDeclared || !strings.HasPrefix(must(t, "code of conduct", got), "https://") || got.Origins[0].URL == "" {
		t.Errorf("code of conduct %+v, want an address of grade D with its source", got)
	}
}

func TestATeamThatElectedItsLeadForThePresentSeriesIsElected(t *testing.T) {
	g := must(t, "governance", collect(t, newShop(), project("https://github.com/openstack/python-betaclient.git", "")))
	if got := must(t, "leadership", g.Leadership); got != "elected" || g.Team != "beta" {
		t.Errorf("team %s is %s, want beta, elected: only 2026.1 had no candidate", g.Team, got)
	}
	if !must(t, "security team", g.SecurityTeam) {
		t.Error("the lead of a team is its liaison for security if none is named")
	}
}

func TestATeamWithoutALeadAndAnInactiveOneAreToldApart(t *testing.T) {
	g := must(t, "governance", collect(t, newShop(), project("https://opendev.org/openstack/gamma", "OpenInfra")))
	if must(t, "leadership", g.Leadership) != "distributed" || len(must(t, "vacancies", g.Vacancies)) != 0 || !must(t, "inactive", g.Inactive) {
		t.Errorf("leadership %v, inactive %v, want distributed and inactive", g.Leadership, g.Inactive)
	}
	if _, ok := g.SecurityTeam.Get(); ok || g.SecurityTeam.Failure == "" || g.SecurityTeam.Settle == "" {
		t.Errorf("security team %+v, want unknown with reason", g.SecurityTeam)
	}
	g = must(t, "governance", collect(t, newShop(), project("https://opendev.org/openstack/delta", "OpenInfra")))
	if _, ok := g.Leadership.Get(); ok || !strings.Contains(g.Leadership.Failure, "monarchy") {
		t.Errorf("leadership %+v, want unknown that names the type", g.Leadership)
	}
}

func TestWhatOpenStackNoLongerKeepsIsRetiredAndInheritsNothing(t *testing.T) {
	g := must(t, "governance", collect(t, newShop(), project("https://opendev.org/openstack/omega", "OpenInfra")))
	if must(t, "level", g.Level) != "retired" || !must(t, "since", g.LevelSince).Equal(date("2025-03-04")) || !must(t, "inactive", g.Inactive) {
		t.Errorf("level %v since %v, want retired since 2025-03-04", g.Level, g.LevelSince)
	}
	if g.CodeOfConduct.Unknown() != audit.MISS {
		t.Errorf("code of conduct %+v, want nothing", g.CodeOfConduct)
	}
	for repo, level := range map[string]string{"old-alpha": "deprecated", "some-tool": "official"} {
		if g := must(t, repo, collect(t, newShop(), project("https://opendev.org/openstack/"+repo, "OpenInfra"))); must(t, "level", g.Level) != level {
			t.Errorf("%s is %s, want %s", repo, *g.Level.Value, level)
		}
	}
}

func TestNotListedIsKnownOnlyWhereTheListClaimsToBeComplete(t *testing.T) {
	for _, tt := range []struct{ repo, foundation, want, failure string }{
		{"https://opendev.org/openstack/stranger", "OpenInfra", "OpenInfra Foundation (OpenStack)", ""},
		{"https://opendev.org/openstack/alpha-ui", "OpenInfra", "OpenInfra Foundation (OpenStack)", ""}, // retires later
		{"https://github.com/apart/from-asf", "ASF", "Apache Software Foundation", ""},
		{"https://github.com/harbinger/tool", "CNCF", "", "do not claim to list every repository"}, // projects are listed, not all they own
		{"https://github.com/vendor/product", "none", "none", ""},
		{"https://opendev.org/zuul/zuul", "OpenInfra", "", "do not claim to list every repository"},
		{"https://github.com/vendor/product", "", "", "none of the foundations whose records were read lists it"},
		{"https://github.com/vendor/product", "Club of Friends", "", "nothing is known about the foundation Club of Friends"},
	} {
		fact := collect(t, newShop(), project(tt.repo, tt.foundation))
		if tt.failure != "" {
			if !strings.Contains(fact.Failure, tt.failure) || fact.Settle == "" {
				t.Errorf("%s of %q: %+v, want the reason %q", tt.repo, tt.foundation, fact, tt.failure)
			}
			continue
		}
		g := must(t, tt.repo, fact)
		if must(t, "listed", g.Listed) || g.Foundation != tt.want || g.CodeOfConduct.Unknown() != audit.MISS {
			t.Errorf("%s of %q: %+v, want not listed, and nothing inherited", tt.repo, tt.foundation, g)
		}
	}
}

func TestAFoundationWithoutRecordsIsTakenFromTheCatalogueAtALowGrade(t *testing.T) {
	fact := collect(t, newShop(), project("https://github.com/valkey-io/valkey", "Linux Foundation"))
	g := must(t, "governance", fact)
	if g.Foundation != "Linux Foundation" || fact.Grade != audit.GradeDeclared || g.Listed.Unknown() != audit.MISS || g.CodeOfConduct.Unknown() != audit.MISS {
		t.Errorf("%+v of grade %s, want the foundation alone, of grade D", g, fact.Grade)
	}
}

func TestARegistryThatCannotBeReadMakesNothingKnown(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"broken clone", openStackGovernance + " " + teamsFile, "cannot be read", "the clone is broken"},
		{"garbage", openStackGovernance + " " + teamsFile, "{[", "no YAML"},
		{"empty", openStackGovernance + " " + teamsFile, "", "the file is empty"},
		{"another shape", openStackGovernance + " " + teamsFile, "alpha: 1\n", "has no deliverables"},
		{"a key twice", openStackGovernance + " " + teamsFile, "alpha: {deliverables: {}}\nalpha: {deliverables: {}}\n", "a key stands twice"},
		{"aliases", openStackGovernance + " " + teamsFile, "a: &a {deliverables: {}}\nb: *a\n", "aliases are not read"},
		{"huge", openStackGovernance + " " + teamsFile, "a: " + strings.Repeat("x", scoring.MostYAML), "bytes of YAML"},
	} {
		s := newShop()
		s.files[tt.file] = tt.text
		fact := collect(t, s, project("https://opendev.org/openstack/alpha", "OpenInfra"))
		if _, ok := fact.Get(); ok || !strings.Contains(fact.Failure, tt.want) || fact.Settle == "" {
			t.Errorf("%s: %+v, want a reason with %q and what settles it", tt.name, fact, tt.want)
		}
	}
	s := newShop()
	s.files[landscapeRepo+" "+landscapeFile] = "landscape:\n- subcategories:\n  - items:\n    - {name: X, project: sandbox, extra: {accepted: soon}}\n"
	if fact := collect(t, s, project("https://github.com/x/x", "CNCF")); !strings.Contains(fact.Failure, "line 4: accepted is no day") {
		t.Errorf("%q, want the line of the date", fact.Failure)
	}
	s = newShop()
	s.files[apacheRepo+" "+committeesFile] = `{"x": 1}`
	if fact := collect(t, s, project("https://github.com/apache/keeper", "ASF")); !strings.Contains(fact.Failure, "not the JSON that is known") {
		t.Errorf("%q, want that the JSON is not known", fact.Failure)
	}
}

func TestWithoutTheListOfFormerTeamsOnlyAnOfficialProjectIsKnown(t *testing.T) {
	s := newShop()
	s.files[openStackGovernance+" "+legacyFile] = "cannot be read"
	must(t, "governance", collect(t, s, project("https://opendev.org/openstack/alpha", "OpenInfra")))
	if fact := collect(t, s, project("https://opendev.org/openstack/omega", "OpenInfra")); !strings.Contains(fact.Failure, "the clone is broken") {
		t.Errorf("%+v, want unknown: it may be listed there", fact)
	}
}

func TestALessImportantFileThatCannotBeReadLeavesItsFactsUnknown(t *testing.T) {
	s := newShop()
	s.files[openStackReleases+" "+seriesFile] = "cannot be read"
	s.files[openStackGovernance+" "+inactiveFile] = "Current Inactive Projects\n------\n\nsomething else\n"
	g := must(t, "governance", collect(t, s, project("https://opendev.org/openstack/alpha", "OpenInfra")))
	for name, f := range map[string]audit.Fact[bool]{"inactive": g.Inactive} {
		if _, ok := f.Get(); ok || f.Failure == "" || f.Settle == "" {
			t.Errorf("%s: %+v, want unknown", name, f)
		}
	}
	if _, ok := g.Leadership.Get(); ok || g.Leadership.Failure == "" {
		t.Errorf("leadership %+v, want unknown: the present series is not known", g.Leadership)
	}
}

func TestARecordOfALaterDayIsNotUsed(t *testing.T) {
	s := newShop()
	s.at = date("2026-12-01")
	if fact := collect(t, s, project("https://opendev.org/openstack/alpha", "OpenInfra")); !strings.Contains(fact.Failure, "after the day of assessment") {
		t.Errorf("%+v, want that the file is too new", fact)
	}
	// A record that is older than the term of the present leads says nothing of them.
	s.at = date("2026-08-08")
	g := must(t, "governance", collect(t, s, project("https://opendev.org/openstack/alpha", "OpenInfra")))
	if _, ok := g.Leadership.Get(); ok || !strings.Contains(g.Leadership.Failure, "before the term for 2027.1 began") {
		t.Errorf("leadership %+v, want unknown: the list is older than the term", g.Leadership)
	}
}

func TestTheLevelInTheLandscapeIsThatOfTheDayOfAssessment(t *testing.T) {
	for _, tt := range []struct {
		repo, at, level, since, audit string
		levels                        int
	}{
		{"harbinger/harbinger", "2026-11-01", "graduated", "2021-07-03", "2024-01-02", 3},
		{"harbinger/harbinger-ui", "2020-06-01", "incubating", "2019-06-02", "2020-01-02", 2},
		{"harbinger/harbinger", "2018-06-01", "sandbox", "2018-05-01", "", 1},
		{"harbinger/harbinger", "2018-04-01", "", "", "", 0},
		{"sandcastle/other", "2026-11-01", "sandbox", "2025-01-15", "", 1},
		{"bygone/bygone", "2026-11-01", "archived", "2026-02-03", "", 2},
		{"bygone/bygone", "2026-01-01", "accepted", "2020-01-15", "", 1},
	} {
		s := newShop()
		c, err := New(Options{Read: s.read, At: date(tt.at)})
		if err != nil {
			t.Fatal(err)
		}
		e, err := c.Collect(t.Context(), project("https://github.com/"+tt.repo, "CNCF"), scoring.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		g := must(t, tt.repo, e.Governance)
		if tt.level == "" {
			if must(t, "listed", g.Listed) {
				t.Errorf("%s on %s is listed, before it was accepted", tt.repo, tt.at)
			}
			continue
		}
		if got := must(t, "level", g.Level); got != tt.level || must(t, "since", g.LevelSince).Format(time.DateOnly) != tt.since || len(must(t, "levels", g.Levels)) != tt.levels {
			t.Errorf("%s on %s: %s since %v, levels %v; want %s since %s, %d levels", tt.repo, tt.at, got, *g.LevelSince.Value, *g.Levels.Value, tt.level, tt.since, tt.levels)
		}
		if last, ok := g.LastAudit.Get(); ok != (tt.audit != "") || ok && last.Format(time.DateOnly) != tt.audit {
			t.Errorf("%s on %s: last audit %v, want %q", tt.repo, tt.at, g.LastAudit, tt.audit)
		}
		if must(t, "inactive", g.Inactive) != (tt.level == "archived") || (g.CodeOfConduct.Unknown() == audit.PASS) == (tt.level == "archived") {
			t.Errorf("%s on %s: inactive %v, code of conduct %v", tt.repo, tt.at, g.Inactive, g.CodeOfConduct)
		}
	}
	p := project("https://github.com/elsewhere/part", "CNCF")
	p.Registry = "harbinger"
	if g := must(t, "by name", collect(t, newShop(), p)); g.Team != "Harbinger" {
		t.Errorf("team %q, want Harbinger by the name of the catalogue", g.Team)
	}
	g := must(t, "undated", collect(t, newShop(), project("https://github.com/direct/direct", "CNCF")))
	if must(t, "level", g.Level) != "incubating" || g.LevelSince.Failure == "" {
		t.Errorf("level %v since %v, want incubating, since nobody says when", g.Level, g.LevelSince)
	}
}

func TestProjectsOfTheASFAreFoundByTheirRepositories(t *testing.T) {
	for _, tt := range []struct{ repo, team, level, since, leadership string }{
		{"https://github.com/apache/keeper", "Apache Keeper", "top-level", "2010-11-01", "committee"},
		{"https://github.com/apache/keeper-sub-tool", "Apache Keeper", "top-level", "2010-11-01", "committee"},
		{"https://github.com/apache/watchman", "Apache Keeper", "top-level", "2010-11-01", "committee"},
		{"https://gitbox.apache.org/repos/asf/gone.git", "Apache Gone", "retired", "2016-05-01", ""},
		{"https://github.com/apache/incubator-sprout", "Apache Sprout (Incubating)", "incubating", "2025-02-01", "committee"},
	} {
		g := must(t, tt.repo, collect(t, newShop(), project(tt.repo, "ASF")))
		how, _ := g.Leadership.Get()
		if g.Team != tt.team || must(t, "level", g.Level) != tt.level || must(t, "since", g.LevelSince).Format(time.DateOnly) != tt.since || how != tt.leadership {
			t.Errorf("%s: %s is %s since %v, led by %q; want %+v", tt.repo, g.Team, *g.Level.Value, *g.LevelSince.Value, how, tt)
		}
		if (g.SecurityTeam.Unknown() == audit.PASS) == (tt.level == "retired") {
			t.Errorf("%s: security team %+v", tt.repo, g.SecurityTeam)
		}
	}
	if fact := collect(t, newShop(), project("https://github.com/apache/unheard-of", "ASF")); fact.Failure == "" {
		t.Errorf("%+v, want unknown: a repository of the ASF whose committee is not found", fact)
	}
}

func TestEachRegistryIsReadOnceForAllProjectsAndNamesNobody(t *testing.T) {
	s := newShop()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	repos := []string{"https://opendev.org/openstack/alpha", "https://opendev.org/openstack/omega", "https://opendev.org/openstack/beta", "https://github.com/apache/keeper", "https://github.com/apache/gone", "https://github.com/none/none"}
	for range 20 {
		for _, repo := range repos {
			e, err := c.Collect(t.Context(), project(repo, ""), scoring.Evidence{})
			if err != nil {
				t.Fatal(err)
			}
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			seen.Write(data)
		}
	}
	if got := s.reads.Load(); got != 11 {
		t.Errorf("%d reads for 120 questions, want 11: six files of OpenStack, one of the CNCF, four of the ASF", got)
	}
	for _, person := range []string{"Example", "example.org", "annex", "benex", "cidex", "dotex"} {
		if strings.Contains(seen.String(), person) {
			t.Errorf("the facts name %q", person)
		}
	}
}

func TestManyProjectsAreAskedForAtOnce(t *testing.T) {
	s := newShop()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			repo := []string{"https://opendev.org/openstack/alpha", "https://github.com/apache/keeper", "https://github.com/harbinger/harbinger"}[i%3]
			if e, err := c.Collect(t.Context(), project(repo, ""), scoring.Evidence{}); err != nil || e.Governance.Value == nil {
				t.Errorf("%s: %v, %q", repo, err, e.Governance.Failure)
			}
		})
	}
	wait.Wait()
	if got := s.reads.Load(); got != 11 {
		t.Errorf("%d reads, want 11", got)
	}
}

func TestTheReaderIsAskedForTheListedRepositoriesOnly(t *testing.T) {
	s := newShop()
	for file := range s.files {
		repo, _, _ := strings.Cut(file, " ")
		if !slices.Contains(Repositories(), repo) {
			t.Errorf("%s is read and not listed", repo)
		}
	}
}

func TestAnEndedContextIsTheOnlyErrorAndIsNotRemembered(t *testing.T) {
	s := newShop()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Collect(ended, project("https://opendev.org/openstack/alpha", "OpenInfra"), scoring.Evidence{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	e, err := c.Collect(t.Context(), project("https://opendev.org/openstack/alpha", "OpenInfra"), scoring.Evidence{Project: "x"})
	if err != nil || e.Project != "x" {
		t.Fatalf("%v, %q, want the evidence that was known before", err, e.Project)
	}
	must(t, "governance after a cancelled run", e.Governance)
}

func TestATableOfFoundationsIsRightInFullOrRefused(t *testing.T) {
	const head = "schema: pegel/foundations/v1\nfoundations:\n"
	for _, tt := range []struct{ in, want string }{
		{"", "the file is empty"},
		{"schema: x\n", `schema "x" is not "pegel/foundations/v1"`},
		{head, "it names none"},
		{head + "- {id: a}\n", "line 3: a foundation needs id and name"},
		{head + "- {id: a, name: A}\n- {id: b, name: B, called: [A]}\n", `line 4: "A" stands twice`},
		{head + "- {id: a, name: A, lends: [{what: beer, date: \"2026-01-01\"}]}\n", `nothing is known that is called "beer"`},
		{head + "- {id: a, name: A, lends: [{what: charter, date: soon}]}\n", `date "soon" is no day`},
		{head + "- {id: a, name: A, lends: [{what: charter, date: \"2026-01-01\", address: \"http://a\", source: \"https://a\"}]}\n", "must begin with https://"},
	} {
		if _, err := New(Options{Read: newShop().read, At: assessed, Homes: []byte(tt.in)}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want one with %q", err, tt.want)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a collector without reader was made")
	}
}
