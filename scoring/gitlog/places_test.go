package gitlog

import (
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// besides builds mirrors of the sample project and of repositories beside it, by name, and collects the sample.
func besides(t *testing.T, o Options, places []string, readme string, beside map[string]*repo) scoring.Evidence {
	t.Helper()
	dir := filesRepo(map[string]string{"README.md": readme, "a.go": "package a"}).mirror(t)
	for name, r := range beside {
		r.build(t, filepath.Join(dir, "sample+"+name, "repo"))
	}
	o.Mirrors, o.Offline = []string{dir}, true
	e, err := newCollector(t, o).Collect(context.Background(), scoring.Project{ID: "sample", Repo: sampleURL, Places: places}, scoring.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func community(days int) *repo {
	r := newRepo()
	r.commit(testCommit{when: at(days), files: map[string]string{
		"GOVERNANCE.md": "Rules", "proposals/one.md": "A", "proposals/two.md": "B", "CHANGELOG.md": "x", "LICENSE": "MIT", "main.go": "package main",
		"MAINTAINERS.md": "# Maintainers\n| Name | GitHub ID | Affiliation |\n| --- | --- | --- |\n" +
			"| Ann | [ann](https://github.com/ann) | [First Example Ltd](https://example.org) |\n| Ben | [ben](https://github.com/ben) | Second Example |\n" +
			"| Cid | [cid](https://github.com/cid) | first example |\n| Dee | [dee](https://github.com/dee) | |\n\n" +
			"# SIG Docs\n| Name | GitHub ID | Affiliation |\n|---|---|---|\n| Ann | [Ann](https://github.com/Ann) | First Example |\n\n" +
			"# Emeritus\n| Name | GitHub ID | Affiliation |\n|---|---|---|\n| Eve | [eve](https://github.com/eve) | Third Example |\n",
	}})
	return r
}

func TestARepositoryOfRulesThatTheReadmeNamesIsRead(t *testing.T) {
	e := besides(t, Options{}, nil, "See https://git.example.org/sample/community/blob/main/x and https://git.example.org/sample/website.",
		map[string]*repo{"community": community(20), "website": community(20)})
	if len(e.Places) != 1 || e.Places[0].Repo != "https://git.example.org/sample/community" || e.Places[0].Named != "readme" || e.Places[0].Revision == "" {
		t.Fatalf("places: %+v", e.Places)
	}
	tree, ok := e.Places[0].Tree.Get()
	if !ok || e.Places[0].Tree.Grade != audit.GradeRecord {
		t.Fatalf("tree of the place: %+v", e.Places[0].Tree)
	}
	if len(tree.Documents["governance"]) != 1 || len(tree.Tools["proposals"]) != 1 || len(tree.Documents["maintainers"]) != 1 {
		t.Errorf("documents %v, tools %v", tree.Documents, tree.Tools)
	}
	if len(tree.Documents["changelog"]) != 0 || len(tree.LicenceFiles) != 0 || tree.SourceFiles != 0 {
		t.Errorf("a place speaks for its own code: %+v", tree)
	}
	if n, ok := tree.ProposalsChanged12m.Get(); !ok || n != 2 {
		t.Errorf("proposals changed: %d, %v, want 2", n, ok)
	}
}

func TestTheTeamOfAListOfMaintainersIsCountedWithoutNames(t *testing.T) {
	e := besides(t, Options{}, []string{"https://git.example.org/sample/community"}, "x", map[string]*repo{"community": community(20)})
	team, ok := e.Team.Get()
	if !ok || team.Source != scoring.MaintainersFile || e.Team.Grade != audit.GradeDeclared {
		t.Fatalf("team: %+v", e.Team)
	}
	members, _ := team.Members.Get()
	orgs, _ := team.Organisations.Get()
	top, _ := team.TopOrgBP.Get()
	if want := [2]int{2, 3}; members != 4 || orgs != want {
		t.Errorf("%d members of %v organisations, want 4 of %v: Eve is not one any more, Ann stands twice, Dee's is not known", members, orgs, want)
	}
	if want := [2]int{5000, 7500}; top != want {
		t.Errorf("largest organisation: %v, want %v", top, want)
	}
	for _, name := range []string{"Ann", "ann", "Eve", "Example Ltd", "Second"} {
		if text := asJSON(t, e); strings.Contains(text, `"`+name) || strings.Contains(text, name+`"`) {
			t.Errorf("%q of the list is in the evidence", name)
		}
	}
	if without := e.Without("git"); without.Team.Unknown() != audit.MISS {
		t.Error("a team that git read stays without git")
	}
	if without := e.Without("forge"); without.Team.Unknown() != audit.PASS {
		t.Error("a team that git read goes with the forge")
	}
}

func TestAListOfMaintainersOfAPartIsNotThatOfTheProject(t *testing.T) {
	list := "Ann Example <ann@example.org> (@ann)\n"
	for path, want := range map[string]audit.Outcome{"MAINTAINERS": audit.PASS, ".github/MAINTAINERS.md": audit.PASS, "docs/maintainers.md": audit.PASS, "build/MAINTAINERS": audit.MISS, "docs/a/b/MAINTAINERS": audit.MISS} {
		if e := collect(t, filesRepo(map[string]string{path: list, "a.go": "package a"})); e.Team.Unknown() != want {
			t.Errorf("%s: %s, want %s", path, e.Team.Unknown(), want)
		}
	}
}

func TestAPlaceThatCannotBeReadIsNamed(t *testing.T) {
	e := besides(t, Options{}, []string{"https://git.example.org/sample/gone"}, "x", nil)
	if len(e.Places) != 1 || e.Places[0].Tree.Unknown() != audit.MISS || !strings.Contains(e.Places[0].Tree.Settle, "sample/gone") {
		t.Errorf("places: %+v", e.Places)
	}
	if !slices.ContainsFunc(e.States(), func(s scoring.State) bool {
		return s.Fact == "place https://git.example.org/sample/gone" && s.Outcome == audit.MISS
	}) {
		t.Error("the state of the place is not listed")
	}
}

func TestAStaleCloneOfAPlaceSaysNothingOfTheYear(t *testing.T) {
	e := besides(t, Options{}, []string{"https://git.example.org/sample/community"}, "x", map[string]*repo{"community": community(300)})
	tree, _ := e.Places[0].Tree.Get()
	if len(tree.Documents["governance"]) != 1 {
		t.Error("the document is not there")
	}
	if tree.ProposalsChanged12m.Unknown() != audit.DNF || !strings.Contains(tree.ProposalsChanged12m.Failure, "not seen") {
		t.Errorf("proposals: %+v, want unknown: nobody saw the last 300 days", tree.ProposalsChanged12m)
	}
}

func TestAPlaceIsReadAsOfTheDayOfItsProject(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(400), files: map[string]string{"GOVERNANCE.md": "1"}})
	r.commit(testCommit{when: at(5), files: map[string]string{"GOVERNANCE.md": "2", "SECURITY.md": "Report vulnerabilities to security@example.org"}})
	dir := filesRepo(map[string]string{"a.go": "package a"})
	mirror := dir.mirror(t)
	r.build(t, filepath.Join(mirror, "sample+community", "repo"))
	for _, o := range []Options{{At: now.AddDate(0, 0, -8)}, {AtHead: true}} { // the project's newest commit is ten days old
		o.Mirrors, o.Offline = []string{mirror}, true
		e, err := newCollector(t, o).Collect(context.Background(), scoring.Project{ID: "sample", Repo: sampleURL, Places: []string{"https://git.example.org/sample/community"}}, scoring.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Places[0].RevisionAt; !got.Equal(time.Unix(at(400), 0)) {
			t.Errorf("revision of %s, want that of before the day", got)
		}
	}
}

func TestOnlyRepositoriesOfTheOwnerWhoseNameSaysSoAreRead(t *testing.T) {
	for link, want := range map[string]string{
		"https://git.example.org/sample/community":                   "https://git.example.org/sample/community",
		"https://git.example.org/Sample/community.git":               "https://git.example.org/sample/community",
		"https://git.example.org/sample/sample/issues":               "",
		"https://git.example.org/other/community":                    "",
		"https://evil.example.net/sample/community":                  "",
		"http://git.example.org/sample/community":                    "",
		"https://git.example.org:8443/sample/community":              "",
		"https://git.example.org/sample/..%2f..%2fetc":               "",
		"https://git.example.org/sample":                             "",
		"https://git.example.org/sample/" + strings.Repeat("x", 200): "",
	} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		if got := sister(sampleURL, u); got != want {
			t.Errorf("%s: got %q, want %q", link, got, want)
		}
	}
	var many []string
	for _, name := range []string{"a-specs", "b-specs", "c-specs", "d-specs", "e-specs", "code"} {
		many = append(many, "https://git.example.org/sample/"+name)
	}
	tree := audit.Known(scoring.Tree{ReadmeRepos: many})
	if got := placesOf(scoring.Project{}, scoring.Evidence{Repo: sampleURL, Tree: tree}); len(got) != maxPlaces {
		t.Errorf("%d places, want at most %d", len(got), maxPlaces)
	}
}

// oneCompany lists one company by address.
type oneCompany struct{}

func (oneCompany) Of(address string, _ time.Time) (string, bool) {
	return "Example Corp", strings.HasSuffix(address, "@corp.example.org")
}
func (oneCompany) OfLogin(login string, _ time.Time) (string, bool) {
	return "Login Ltd", login == "lou"
}
func (oneCompany) Group(o string, _ time.Time) string {
	if o == "Sub" {
		return "Example Corp"
	}
	return o
}

func TestListsOfMaintainersAreReadInTheShapesThatProjectsUse(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"lines with addresses": {"* Ann (<ann@corp.example.org> / @ann)\n* Ben (<ben@mail.example.net> / @ben)\n", []string{"members:2", "unaffiliated:1", "organisations:1", "largest:1"}},
		"table without organisation": {"| Name | Email | GitHub |\n|--|--|--|\n| Ann | ann@corp.example.org | [@ann](https://github.com/ann) |\n| Lou | lou@mail.example.net | [@lou](https://github.com/lou) |\n",
			[]string{"members:2", "unaffiliated:0", "organisations:2", "largest:1"}},
		"groups fold":         {"| Name | Company |\n|--|--|\n| Ann | Sub |\n| Ben | Example Corp. |\n", []string{"members:2", "unaffiliated:0", "organisations:1", "largest:2"}},
		"nobody's employee":   {"| Name | Organization |\n|--|--|\n| Ann | Independent |\n| Ben | - |\n", []string{"members:2", "unaffiliated:2", "organisations:0", "largest:0"}},
		"former in bold":      {"**Emeritus**\n\n* Ann <ann@corp.example.org>\n", nil},
		"lists are nobody":    {"Write to sample-maintainers+subscribe@lists.example.org\nand sample@groups.example.org, security@example.org\n", nil},
		"a role with a login": {"* Ann <maintainers@corp.example.org> @ann\n", []string{"members:1", "unaffiliated:0", "organisations:1", "largest:1"}},
		"names alone":         {"approvers:\n- ann\n- ben\n", nil},
		"back after former":   {"## Former\n| N | Company |\n|--|--|\n| A | X |\n## Active\n| N | Company |\n|--|--|\n| B | Y |\n", []string{"members:1", "unaffiliated:0", "organisations:1", "largest:1"}},
		"below former":        {"# Emeritus\n## Docs\n| N | Company |\n|--|--|\n| A | X |\n", nil},
		"a broken table row":  {"| N | Company |\n|--|--|\n| A\n||||\n", nil},
	} {
		if diff := cmp.Diff(tt.want, readRoster([]byte(tt.text), now, oneCompany{}).marks()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAListOfOnePartIsNotTheTeam(t *testing.T) {
	list := "| Name | Company |\n|--|--|\n| Ann | A |\n"
	for name, want := range map[string]bool{
		"MAINTAINERS": true, ".github/MAINTAINERS": true, "docs/MAINTAINERS.md": true, "docs/community/maintainers.md": true,
		"builder/MAINTAINERS": false, "website/content/community/maintainers.md": false, "docs/a/b/maintainers.md": false,
	} {
		r := newRepo()
		r.commit(testCommit{when: at(300), files: map[string]string{name: list}})
		e := collect(t, r)
		if _, ok := teamOf(e).Get(); ok != want {
			t.Errorf("%s is the team: %t, want %t", name, ok, want)
		}
	}
}

func TestCopiesOfStandardsAreNoProposals(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(300), files: map[string]string{"doc/rfc/draft-sample-web-01.txt": "x", "doc/rfc/proxy-protocol.txt": "x", "rfcs/0001-cache.md": "x"}})
	tree, _ := collect(t, r).Tree.Get()
	if got := tree.Tools["proposals"]; len(got) != 1 || got[0].Path != "rfcs" {
		t.Errorf("proposals in %+v, want rfcs alone", got)
	}
}

func TestAdoptersAreCountedByThePagesThatTheyBring(t *testing.T) {
	list := "* [A](https://a.example.org) runs it\n<a href=\"https://www.b.example.net/x\"><img src=\"https://raw.githubusercontent.com/b.png\"></a>\n| C | [link](https://c.example.com) |\n"
	if diff := cmp.Diff([]string{"organisations:3"}, adopterMarks([]byte(list+"Again https://a.example.org/blog, by https://github.com/sample"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := adopterMarks([]byte("See https://a.example.org and the wiki of https://b.example.org.")); got != nil {
		t.Errorf("two links: got %v, want nothing: such a file may name adopters in other words", got)
	}
}
