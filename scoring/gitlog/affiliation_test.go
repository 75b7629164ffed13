package gitlog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Fixtures of the forms of cncf/gitdm: developers_affiliations1.txt, gitdm: sample-config/domain-map,
// cncf/gitdm: src/cncf-config/email-map and stackalytics: etc/default_data.json, with invented people.
const (
	gitdmPeople = `# a comment
ana-i: ana!gmail.com, ana!users.noreply.github.com
	Red Hat Inc. until 2026-01-01
	SUSE LLC from 2026-01-01
ben: ben!qq.com
	Independent until 2020-05-01
	Widgets GmbH from 2020-05-01 until 2025-12-01
	Independent from 2025-12-01
cleo: cleo!suse.com
	NotFound
dup: dup!gmail.com
	Intel Corporation
	Google LLC
` + "mark: mark!gmail.com\n\tMade from Scratch until further notice\n"
	gitdmMap = `# domain employer [< yyyy-mm-dd]
ansolabs.example	Rackspace < 2012-07-20
ansolabs.example	Nebula
gmail.com	Mail Company
dina!gmail.com Huawei Technologies Co. Ltd
dina!gmail.com Independent < 2015-10-01
dina!gmail.com Intel < 2020-08-01
`
	stackalytics = `{
  "users": [
    {"launchpad_id": "eve", "user_name": "Eve One", "emails": ["Eve@Gmail.com", "eve@widgets.example"],
     "companies": [{"company_name": "*independent", "end_date": "2016-Jan-01"}, {"company_name": "HP", "end_date": "2015-Oct-31"}, {"company_name": "IBM", "end_date": null}]}
  ],
  "releases": [{"release_name": "x", "deep": [[{"a": []}]]}],
  "companies": [{"company_name": "*independent", "domains": [""]}, {"company_name": "Tetrate", "domains": ["tetrate.example"], "aliases": ["x"]}]
}
`
	operatorText = `schema: pegel/affiliations/v1
people:
  - addresses: [ana@gmail.com]
    organisations:
      - {organisation: Canonical, from: 2026-03-01}
  - addresses: [alone@gmail.com]
    organisations: [{independent: true}]
domains:
  - {domain: lab.example, organisation: SAP, until: 2026-02-01}
groups:
  - {name: Widgets, part_of: SAP, since: 2024-01-01, source: "press release of Widgets, 2024-01-01"}
`
)

func affFile(name, text string) AffiliationFile {
	return AffiliationFile{Name: name, Data: strings.NewReader(text)}
}

func mustAffiliation(t testing.TB, files ...AffiliationFile) *Affiliation {
	t.Helper()
	a, err := NewAffiliation(nil, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// assigned gives each author one commit today and returns their organisations.
func assigned(t testing.TB, files []AffiliationFile, authors []string) (out []string) {
	t.Helper()
	p := newPeople(bots{}, mustAffiliation(t, files...))
	for _, text := range authors {
		name, address, _ := strings.Cut(strings.TrimSuffix(text, ">"), " <")
		id := p.lookup([]byte(address + "\x1f" + name))
		p.all[id.person].ever = true
		p.employ(id.person, now.Unix()).commits[2]++
	}
	names := p.assign(now, p.writersOf())
	for _, a := range p.all {
		if org := a.stints[0].org; org < 0 {
			out = append(out, "")
		} else {
			out = append(out, names[org])
		}
	}
	return out
}

func TestTheSourcesAreAskedInOrderAndTheDayOfTheCommitDecides(t *testing.T) {
	a, err := NewAffiliation(nil, []AffiliationFile{
		affFile("developers_affiliations1.txt", gitdmPeople), affFile("email-map", gitdmMap), affFile("default_data.json", stackalytics), affFile("ours.yaml", operatorText),
	}, map[string]string{"fay@gmail.com": "Intel Corp.", "gil@suse.com": "Intel", "hoa@gmail.com": "Self employed"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ address, day, want, why string }{
		{"ana@gmail.com", "2025-12-31", "IBM", "gitdm: Red Hat, part of IBM"},
		{"ana@gmail.com", "2019-07-08", "Red Hat", "the day before IBM owned it"},
		{"ana@gmail.com", "2019-07-09", "IBM", "the day IBM owned it"},
		{"ANA@gmail.com", "2026-01-01", "SUSE", "until is the first day elsewhere"},
		{"ana@gmail.com", "2026-03-01", "Canonical", "the operator is asked first, though named last"},
		{"ana@users.noreply.github.com", "2026-03-01", "SUSE", "the operator does not know this address"},
		{"1234567+Ana@users.noreply.github.com", "2026-03-01", "SUSE", "GitHub's newer spelling of it"},
		{"x+ana@users.noreply.github.com", "2026-03-01", "", "another login"},
		{"ben@qq.com", "2019-01-01", "", "Independent in a public list is no employer"},
		{"ben@qq.com", "2023-12-31", "Widgets GmbH", "before the group of the operator file"},
		{"ben@qq.com", "2024-01-01", "SAP", "the group of the operator file"},
		{"ben@qq.com", "2026-06-01", "", "after the last employment"},
		{"cleo@suse.com", "2026-06-01", "SUSE", "NotFound says nothing: the domain is asked"},
		{"dup@gmail.com", "2026-06-01", "", "two employers at once are a contradiction"},
		{"mark@gmail.com", "2026-06-01", "Made from Scratch until further notice", "from and until are also words"},
		{"x@ansolabs.example", "2012-07-19", "Rackspace", "domain map, until"},
		{"x@mail.ansolabs.example", "2012-07-20", "Nebula", "domain map, after; a domain stands for those below"},
		{"x@gmail.com", "2026-06-01", "", "a file cannot make free mail a company"},
		{"dina@gmail.com", "2015-09-30", "", "map: independent at first"},
		{"dina@gmail.com", "2015-10-01", "Intel", "map: the lines follow each other in time, not in place"},
		{"dina@gmail.com", "2020-08-01", "Huawei", "map: the line without an end is the last"},
		{"eve@gmail.com", "2015-10-30", "HPE", "Stackalytics: until end_date"},
		{"eve@gmail.com", "2015-12-01", "", "Stackalytics: independent"},
		{"eve@widgets.example", "2016-01-01", "IBM", "Stackalytics: the last has no end"},
		{"x@tetrate.example", "2020-01-01", "Tetrate", "Stackalytics: domains of companies"},
		{"x@lab.example", "2026-01-31", "SAP", "domain of the operator"},
		{"x@lab.example", "2026-02-01", "", "and its end"},
		{"alone@gmail.com", "2026-06-01", "", "works for nobody"},
		{"fay@gmail.com", "2026-06-01", "Intel", "profile"},
		{"gil@suse.com", "2026-06-01", "SUSE", "the domain is asked before the profile"},
		{"hoa@gmail.com", "2026-06-01", "", "a profile that names nobody"},
		{"a@unlisted.example", "2026-06-01", "", "a domain that no table knows says nothing of one address"},
		{"no address", "2026-06-01", "", ""},
		{"", "2026-06-01", "", ""},
	} {
		day, _ := time.Parse(time.DateOnly, row.day)
		got, ok := a.Of(row.address, day.Add(time.Hour))
		if got != row.want || ok != (row.want != "") {
			t.Errorf("%s on %s: got %q, %t; want %q (%s)", row.address, row.day, got, ok, row.want, row.why)
		}
	}
}

func TestPeopleAreKnownByTheirLoginsAtGitHubToo(t *testing.T) {
	a := mustAffiliation(t, affFile("f", gitdmPeople), affFile("default_data.json", strings.Replace(stackalytics, `"user_name"`, `"github_id": "Eve-1", "user_name"`, 1)))
	for login, want := range map[string]string{"ana-i": "SUSE", "ANA-I": "SUSE", "ben": "", "nobody": "", "": "", "a b": "", "x@gmail.com": ""} {
		if got, ok := a.OfLogin(login, now); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t; want %q", login, got, ok, want)
		}
	}
	if got, _ := a.OfLogin("eve-1", time.Date(2016, 6, 1, 0, 0, 0, 0, time.UTC)); got != "IBM" {
		t.Errorf("eve-1 in 2016: got %q, want IBM", got)
	}
}

func TestAnEmploymentWithoutAnEndCountsForAYearAfterTheFile(t *testing.T) {
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	dated := "a: a!gmail.com\n\tIntel until 2020-01-01\n\tIBM from 2020-01-01\n"
	for _, row := range []struct {
		name, text, at, day, want string
	}{
		{"in the year", dated, "2021-04-01", "2022-03-31", "IBM"},
		{"after the year", dated, "2021-04-01", "2022-04-01", ""},
		{"an end that is told stays", dated, "2021-04-01", "2019-12-31", "Intel"},
		{"without a date: the newest day in the file", dated, "", "2020-12-30", "IBM"},
		{"and a year after it", dated, "", "2021-01-01", ""},
		{"the company's domain speaks on", "a: a!suse.com\n\tSUSE\n", "2015-01-01", "2026-01-01", "SUSE"},
		{"operator", strings.Replace(operatorText, "people:", "at: 2026-05-01\npeople:", 1), "", "2027-04-30", "Canonical"},
		{"operator", strings.Replace(operatorText, "people:", "at: 2026-05-01\npeople:", 1), "", "2027-05-01", ""},
		{"a file without any date", "a: a!gmail.com\n\tIBM\n", "", "2026-01-01", "IBM"},
	} {
		f := affFile("f", row.text)
		if row.at != "" {
			f.At = day(row.at)
		}
		address := "a@gmail.com"
		if strings.Contains(row.text, "a!suse.com") {
			address = "a@suse.com"
		}
		if row.name == "operator" {
			address = "ana@gmail.com"
		}
		if got, _ := mustAffiliation(t, f).Of(address, day(row.day)); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestNamesOfOneOrganisationAreOne(t *testing.T) {
	for _, row := range []struct{ a, b string }{
		{"Red Hat", "red hat, Inc."}, {"Red Hat", "RedHat"}, {"IBM", "International Business Machines Corporation"}, {"Google", "Google LLC"},
		{"Amazon", "AWS"}, {"Widgets", "The Widgets Co., Ltd."}, {"Meta", "Facebook Inc."}, {"AMD", "Advanced Micro Devices (AMD)"},
	} {
		a := mustAffiliation(t, affFile("m", "x!gmail.com "+row.a+"\ny!gmail.com "+row.b+"\n"))
		x, _ := a.Of("x@gmail.com", now)
		y, _ := a.Of("y@gmail.com", now)
		if x == "" || x != y {
			t.Errorf("%q and %q: got %q and %q", row.a, row.b, x, y)
		}
	}
}

func TestADomainFollowsWhatFilesSayAboutItsPeople(t *testing.T) {
	authors := []string{"Ana <ana@widgets.io>", "Ben <ben@widgets.io>", "Cleo <cleo@widgets.io>"}
	for _, row := range []struct {
		name, file string
		want       []string
	}{
		{"nobody is in a file", "", []string{"widgets.io", "widgets.io", "widgets.io"}},
		{"one is", "ana!widgets.io Widgets Holding\n", []string{"Widgets Holding", "Widgets Holding", "Widgets Holding"}},
		{"two are and disagree", "ana!widgets.io Widgets\nben!widgets.io Gadgets\n", []string{lonely, lonely, ""}},
		{"a name like the domain's, by somebody else", "x!gmail.com Widgets\n", []string{"", "", ""}},
	} {
		var files []AffiliationFile
		people := authors
		if row.file != "" {
			files = append(files, affFile("map", row.file))
		}
		if strings.HasPrefix(row.file, "x!") {
			people = append([]string{}, append(authors, "Xi <x@gmail.com>")...)
			row.want = append(row.want, lonely)
		}
		if diff := cmp.Diff(row.want, assigned(t, files, people)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestSomebodyWhoWorksForNobodyIsKnownToBeElsewhere(t *testing.T) {
	got := assigned(t, []AffiliationFile{affFile("ours.yaml", operatorText)}, []string{"A <alone@gmail.com>", "B <ben@suse.com>"})
	if diff := cmp.Diff([]string{"independent", "SUSE"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// moved is a history in which Ana changes her employer half a year before the moment of assessment.
func moved() *repo {
	r := newRepo()
	mobile, ed := "Ana Ito <ana@gmail.com>", "Ed Ux <ed@gmail.com>"
	for day := 350; day > 0; day -= 10 {
		author := mobile
		if day%50 == 0 {
			author = ed
		}
		r.commit(testCommit{when: at(day), author: author, files: map[string]string{"a": fmt.Sprint(day)}})
	}
	return r
}

func collectWith(t testing.TB, r *repo, files ...AffiliationFile) scoring.Evidence {
	t.Helper()
	return mustCollect(t, newCollector(t, Options{Mirrors: []string{r.mirror(t)}, Offline: true, Affiliations: files}))
}

func TestEachCommitCountsForTheEmployerOfItsDayInEveryWindow(t *testing.T) {
	e := collectWith(t, moved(), AffiliationFile{Name: "/home/canary/developers_affiliations1.txt", Source: "https://canary:secret@example.org/gitdm", At: now, Data: strings.NewReader(gitdmPeople)})
	h := historyOf(t, e)
	w, _ := h.Window(12)
	w3, _ := h.Window(3)
	// 35 commits, 7 of them Ed's; Ana wrote those before 2026-01-01 (181 days ago) for Red Hat, the later ones for SUSE.
	type shares struct {
		Top                      string
		TopN, Two, Unknown, Rest int
		Authors                  []int
		Low, High                int
	}
	for _, row := range []struct {
		w    scoring.Window
		want shares
	}{
		{w, shares{"SUSE", 15, 28, 7, 0, []int{7}, 1, 1}},
		{w3, shares{"SUSE", 8, 8, 1, 0, []int{1}, 0, 1}},
	} {
		got := shares{row.w.TopOrg, row.w.TopOrgCommits, row.w.TopTwoCommits, row.w.UnknownCommits, row.w.UnknownRest, row.w.UnknownAuthors, row.w.OutsideAuthorsLow, row.w.OutsideAuthorsHigh}
		if row.w.Months == 12 {
			got.Low, got.High = 1, 1
			if row.w.OutsideAuthorsLow != 0 || row.w.OutsideAuthorsHigh != 1 {
				t.Errorf("outside authors: got %d..%d, want 0..1: Ana also wrote for the top organisation", row.w.OutsideAuthorsLow, row.w.OutsideAuthorsHigh)
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%d months (-want +got):\n%s", row.w.Months, diff)
		}
	}
	want := &scoring.Affiliations{
		Months: 12, Table: audit.DigestOf(builtinOrganisations),
		Sources: []scoring.AffiliationSource{
			{Kind: "gitdm", Name: "developers_affiliations1.txt", URL: "https://example.org/gitdm", Digest: audit.DigestOf([]byte(gitdmPeople)), At: now, Grade: audit.GradeThirdParty, Commits: 28, Authors: 1},
			{Kind: "unknown", Commits: 7, Authors: 1},
		},
		Groups: []scoring.Folded{{Name: "Red Hat", Group: "IBM", Since: "2019-07-09", Source: h.Affiliations.Groups[0].Source}},
	}
	if diff := cmp.Diff(want, h.Affiliations); diff != "" {
		t.Errorf("provenance (-want +got):\n%s", diff)
	}
}

func TestEarlierQuartersSeeTheEmployersOfTheirDays(t *testing.T) {
	h := historyOf(t, collectWith(t, moved(), affFile("f", gitdmPeople)))
	w, _ := h.Window(12)
	last, before := h.Past[11], h.Past[9] // the latter ended 182.5 days ago, before Ana moved
	if last.TopOrgLowBP != w.TopOrgLowBP || last.TopOrgHighBP != w.TopOrgHighBP || last.ElephantLow != w.ElephantLow {
		t.Errorf("the last year is %+v, want the window of 12 months: %+v", last, w)
	}
	// 17 commits, 4 of them Ed's.
	if before.TopOrgLowBP != 7647 || before.TopOrgHighBP != 10000 {
		t.Errorf("half a year ago: got [%d, %d], want [7647, 10000]: all known work was for one organisation", before.TopOrgLowBP, before.TopOrgHighBP)
	}
	if diff := cmp.Diff([]string{"IBM"}, h.Quarters[8].Few); diff != "" {
		t.Errorf("an earlier quarter (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"SUSE"}, h.Quarters[11].Few); diff != "" {
		t.Errorf("the last quarter (-want +got):\n%s", diff)
	}
}

func TestACompanySoldWithinAWindowIsOneOrganisation(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(300), author: "Eva <eva@widgets.example>"})
	r.commit(testCommit{when: at(10), author: "Eva <eva@widgets.example>"})
	r.commit(testCommit{when: at(5), author: "Ben <ben@suse.com>"})
	sold := "schema: pegel/affiliations/v1\ndomains: [{domain: widgets.example, organisation: Widgets}]\ngroups: [{name: Widgets, part_of: Gadgets, since: 2026-04-01, source: x}]\n"
	w, _ := historyOf(t, collectWith(t, r, affFile("ours.yaml", sold))).Window(12)
	if w.TopOrgCommits != 2 || w.ElephantHigh != 1 {
		t.Errorf("got %d commits of the top organisation and %d organisations for half, want 2 and 1: one company with a new owner is not two", w.TopOrgCommits, w.ElephantHigh)
	}
}

func TestResolveNamesTheFewestAuthors(t *testing.T) {
	w := scoring.Window{HumanCommits: 100, TopOrgCommits: 30, TopTwoCommits: 50, UnknownCommits: 45, UnknownAuthors: []int{20, 10, 5}, UnknownRest: 10}
	for _, row := range []struct {
		atMost, want int
		ok           bool
	}{
		{10000, 0, true}, {7500, 0, true}, {7499, 1, true}, {5500, 1, true}, {5499, 2, true}, {4500, 2, true}, {4000, 3, true}, {3999, 3, false}, {2000, 3, false},
	} {
		if got, ok := w.Resolve(row.atMost); got != row.want || ok != row.ok {
			t.Errorf("at most %d: got %d, %t; want %d, %t", row.atMost, got, ok, row.want, row.ok)
		}
	}
	if got, ok := w.ResolveTwo(8000); got != 1 || !ok {
		t.Errorf("two largest: got %d, %t; want 1, true", got, ok)
	}
}

func TestTheTwentyLargestUnknownAuthorsAreTold(t *testing.T) {
	r := newRepo()
	for i := range 25 {
		for k := 0; k <= i; k++ {
			r.commit(testCommit{when: at(30 - i), author: fmt.Sprintf("P%d <p%d@gmail.com>", i, i)})
		}
	}
	w, _ := historyOf(t, collect(t, r)).Window(12)
	if len(w.UnknownAuthors) != 20 || w.UnknownAuthors[0] != 25 || w.UnknownAuthors[19] != 6 || w.UnknownRest != 5 || w.UnknownCommits != 325 {
		t.Errorf("got %v, %d more, %d commits; want 25 down to 6, 5 more, 325 commits", w.UnknownAuthors, w.UnknownRest, w.UnknownCommits)
	}
}

func TestBadAffiliationFilesAreErrorsWithFileAndLineAndWithoutTheirText(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"date", "a: canary!canary.example\n\tX until 2026-13-01\n", `"f": line 2: a date is not`},
		{"order of dates", "a: canary!canary.example\n\tX from 2020-01-01 until 2019-01-01\n", "line 2: the end of an employment is before"},
		{"employer first", "# c\n\tX\n", "line 2: an employer before any person"},
		{"no addresses", "a: canary!canary.example\n\tX\ncanary@canary.example\n", "line 3: not a login"},
		{"not an address", "a b: canary.canary.example\n\tX\n", "no person and no domain"},
		{"long line", "a: canary!canary.example\n\tX\n" + strings.Repeat("canary ", 50_000) + "\n", "line 3: longer than"},
		{"map without employer", "canary!canary.example\n", "line 1: not an address or a domain"},
		{"map date", "x.example Y\ncanary!canary.example X < soon canary\n", "line 2: a date is not"},
		{"map domain", "canary_canary Y\n", "line 1: neither an address nor a domain"},
		{"empty", "", "no person and no domain"},
		{"json", "{\n\"users\": [\n{\"emails\": [\"canary@canary.example\"],}\n]}\n", "line 3: not JSON"},
		{"json kind", "{\"users\": [\n\n{\"emails\": \"canary@canary.example\"}]}", "line 3: an entry of another form"},
		{"json date", "{\"users\": [\n{\"emails\": [\"canary@canary.example\"], \"companies\": [{\"company_name\": \"X\", \"end_date\": \"canary\"}]}]}", "line 2: an end_date"},
		{"json end", "{\"users\": [{\"emails\": [\"canary@canary.example\"]}", "line 1: the file ends too early"},
		{"json entry", "{\"users\": [{\"emails\": [\"canary@canary.example\"]},\n{\"emails\": [\"" + strings.Repeat("canary ", 1<<20) + "\"]}]}", "line 1: an entry is larger"},
		{"json type", "{\"users\": 7}", "line 1: users or companies are not an array"},
		{"yaml key", "schema: pegel/affiliations/v1\npeople:\n  - canary@canary.example: 1\n", "line 3: not of schema"},
		{"yaml", "schema: [canary\n", "not of schema"},
		{"schema", "schema: canary@canary.example\n", "line 1: schema is not"},
		{"at", "schema: pegel/affiliations/v1\nat: canary\n", "line 2: at is not"},
		{"person", "schema: pegel/affiliations/v1\npeople:\n  - addresses: [canary@canary.example]\n", "line 3: a person needs"},
		{"both", "schema: pegel/affiliations/v1\npeople:\n  - {addresses: [a@b.c], organisations: [{organisation: A, independent: true}]}\n", "line 3: give either"},
		{"name", "schema: pegel/affiliations/v1\npeople:\n  - {addresses: [a@b.c], organisations: [{organisation: canary@canary.example}]}\n", "line 3: organisation is not the name"},
		{"domain", "schema: pegel/affiliations/v1\ndomains:\n  - {domain: canary@canary.example, organisation: X}\n", "line 3: not a domain"},
		{"group", "schema: pegel/affiliations/v1\ngroups:\n  - {name: A, part_of: B, since: 2020-01-01}\n", "line 3: a group needs"},
		{"group source", "schema: pegel/affiliations/v1\ngroups:\n  - {name: A, part_of: B, since: 2020-01-01, source: mail of canary@canary.example}\n", "line 3: source names an address"},
		{"group day", "schema: pegel/affiliations/v1\ngroups:\n  - {name: A, part_of: B, since: canary, source: x}\n", "line 3: part_of needs"},
	} {
		_, err := New(Options{At: now, Affiliations: []AffiliationFile{affFile("f", row.text)}})
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), `"f"`) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error quotes the file: %v", row.name, err)
		}
	}
	if _, err := NewAffiliation(nil, []AffiliationFile{{Name: "f"}}, nil); err == nil {
		t.Error("a file without data was taken")
	}
}

// TestNoAddressReachesEvidenceErrorsOrLogs puts addresses wherever a stranger can: in all fields of commits, tags and
// files, and as names of employers.
func TestNoAddressReachesEvidenceErrorsOrLogs(t *testing.T) {
	const secret = "canary"
	who := "canary@mail.canary.example <canary@canary.example>"
	r := newRepo()
	r.commit(testCommit{when: at(50), author: who, committer: who, message: "canary@canary.example\n\nSigned-off-by: " + who + "\nReviewed-by: " + who + "\n", files: map[string]string{
		".mailmap": who + " <canary@old.example>\n", "MAINTAINERS": who, "CODEOWNERS": "* canary@canary.example", "SECURITY.md": "mailto:canary@canary.example",
	}})
	r.commit(testCommit{when: at(40), author: "canary <CANARY@gmail.com>"})
	r.commit(testCommit{when: at(30), author: "b <canary.two@gmail.com>"})
	r.commit(testCommit{when: at(20), author: "c <canary.three@canary-vanity.example>"})
	r.commit(testCommit{when: at(10), author: "d <canary.four@gmail.com>"})
	var log bytes.Buffer
	c := newCollector(t, Options{
		Mirrors: []string{r.mirror(t)}, Offline: true, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Affiliations: []AffiliationFile{
			{Name: "/home/canary/canary@canary.example.txt", Source: "https://canary:pw@example.org/x", Data: strings.NewReader("canary: canary!canary.example\n\tcanary!canary.example\ncanary: CANARY!gmail.com\n\tcanary@canary.example Inc.\n")},
			affFile("map", "canary.two!gmail.com <canary@canary.example>\ncanary.four!gmail.com Canary Person\n"),
			affFile("default_data.json", `{"users":[{"emails":["canary.two@gmail.com"],"companies":[{"company_name":"canary@canary.example","end_date":null}]}]}`),
		},
		Profiles: map[string]string{"canary.three@canary-vanity.example": "@canary"},
	})
	text := strings.ToLower(asJSON(t, mustCollect(t, c)))
	if strings.Contains(text, secret) || strings.Contains(text, "@") {
		i := max(strings.Index(text, secret), strings.Index(text, "@"))
		t.Errorf("the evidence contains a person or an address: ...%s...", text[max(0, i-60):min(len(text), i+60)])
	}
	if strings.Contains(strings.ToLower(log.String()), secret) {
		t.Errorf("the log contains a person: %s", log.String())
	}
	_, err := c.Repository(context.Background(), filepath.Join(t.TempDir(), "none"), "canary@canary.example")
	if err != nil && strings.Contains(err.Error(), "canary@") {
		t.Errorf("the error contains an address: %v", err)
	}
}

// trickle gives a long text in small pieces without ever holding it, and counts what was read.
type trickle struct {
	line string
	n    int64
	left int64
}

func (r *trickle) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	k := 0
	for k < len(p) && r.left > 0 {
		c := copy(p[k:], r.line[r.n%int64(len(r.line)):])
		k, r.n, r.left = k+c, r.n+int64(c), r.left-int64(c)
	}
	return k, nil
}

func TestAFileIsReadAsAStreamAndUpToABound(t *testing.T) {
	comment := strings.Repeat("# nothing but a comment, again and again ", 1000) + "\n"
	r := &trickle{line: comment, left: 2 * maxAffiliationFile}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := NewAffiliation([]byte("schema: pegel/organisations/v1\n"), []AffiliationFile{{Name: "endless", Data: r}}, nil)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), `"endless": larger than`) {
		t.Errorf("got %v, want that the file is too large", err)
	}
	if r.n > maxAffiliationFile+1<<20 {
		t.Errorf("%d bytes were read, want no more than the bound", r.n)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2*maxAffiliationFile {
		t.Errorf("%d bytes were allocated for a file of comments", grown)
	}
}
