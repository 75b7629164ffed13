package upstream

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// testbedParts are the source packages of the testbed, as a scan of its images shows them.
func testbedParts(t testing.TB) []Part {
	t.Helper()
	f, err := os.Open("testdata/testbed-sources.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var parts []Part
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := append(strings.Split(lines.Text(), "\t"), "", "")
		purl := "pkg:deb/debian/" + strings.ReplaceAll(fields[0], "+", "%2B") + "@1-1"
		parts = append(parts, Part{Subject: purl, Kind: PartPURL, Name: purl, Source: fields[0], Claims: []Claim{
			{Kind: ClaimHomepage, Value: fields[1]}, {Kind: ClaimCopyright, Value: fields[2]},
		}})
	}
	return parts
}

// resolvedAtLeast is the share that issue 5 asks for, in percent.
const resolvedAtLeast = 90

func TestNineOfTenDebianSourcePackagesOfTheTestbedLeadToARepository(t *testing.T) {
	s := load(t).Survey(testbedParts(t))
	deb := s.Shares[0]
	if len(s.Shares) != 1 || deb.Ecosystem != "deb" || deb.Units < 470 {
		t.Fatalf("got %+v, want the debs of the testbed alone", s.Shares)
	}
	if deb.Resolved*100 < deb.Units*resolvedAtLeast {
		t.Errorf("%d of %d source packages lead to a repository, want %d %%", deb.Resolved, deb.Units, resolvedAtLeast)
	}
	if deb.High+deb.Medium+deb.Low != deb.Resolved || len(s.Unresolved) != deb.Units-deb.Resolved {
		t.Errorf("the counts do not add up: %+v, %d unresolved", deb, len(s.Unresolved))
	}
	for _, u := range s.Unresolved {
		if u.Reason == "" {
			t.Errorf("%s is unresolved without a reason", u.Name)
		}
	}
	for _, r := range s.Repositories {
		for _, u := range r.Units {
			if l := u.Link; l.Rule == "" || l.Confidence == "" || l.Subject == "" || l.Origin.Source == "" && l.Rule != RuleHomepage && l.Rule != RuleCopyright && l.Rule != RuleSite {
				t.Errorf("%s: link without rule, confidence, subject or origin: %+v", u.Name, l)
			}
		}
	}
}

// BenchmarkSurveyOfTheTestbed reports which share of the source packages of the testbed leads to a repository, with the table
// of repositories and by the metadata of the packages alone.
func BenchmarkSurveyOfTheTestbed(b *testing.B) {
	c := load(b)
	bare := *c
	bare.table = &table{forges: c.table.forges}
	parts := testbedParts(b)
	var with, without Share
	for b.Loop() {
		with = c.Survey(parts).Shares[0]
	}
	without = bare.Survey(parts).Shares[0]
	b.ReportMetric(100*float64(with.Resolved)/float64(with.Units), "%resolved")
	b.ReportMetric(100*float64(with.High)/float64(with.Units), "%high")
	b.ReportMetric(100*float64(without.Resolved)/float64(without.Units), "%without-table")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(with.Units), "us/package")
}

func TestPackagesOfOneRepositoryAreOneProjectWithFolders(t *testing.T) {
	var parts []Part
	for _, name := range []string{"libselinux", "libsepol"} {
		parts = append(parts, Part{Subject: name, Kind: PartPURL, Name: "pkg:deb/debian/" + name + "1@3.4-1", Source: name})
	}
	for _, module := range []string{"k8s.io/client-go", "k8s.io/api", "k8s.io/apimachinery"} {
		parts = append(parts, Part{Subject: module, Kind: PartPURL, Name: "pkg:golang/" + module + "@v0.30.0"})
	}
	parts = append(parts, Part{Subject: "babel", Kind: PartPURL, Name: "pkg:npm/%40example/core@1.0.0", Claims: []Claim{
		{Kind: ClaimRepository, Value: "git+https://github.com/example/mono.git", Path: "packages/core"}}})
	got := map[string][]string{}
	for _, r := range load(t).Survey(parts).Repositories {
		for _, u := range r.Units {
			got[r.Repo] = append(got[r.Repo], u.Name+" in "+u.Link.Path)
		}
	}
	want := map[string][]string{
		"https://github.com/SELinuxProject/selinux": {"libselinux in libselinux", "libsepol in libsepol"},
		"https://github.com/kubernetes/kubernetes": {"k8s.io/api in staging/src/k8s.io/api", "k8s.io/apimachinery in staging/src/k8s.io/apimachinery",
			"k8s.io/client-go in staging/src/k8s.io/client-go"},
		"https://github.com/example/mono": {"@example/core in packages/core"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConflictsShowBothRepositoriesAndTheStrongerWins(t *testing.T) {
	c := load(t)
	part := Part{Subject: "x", Kind: PartPURL, Name: "pkg:deb/debian/exampled@1-1", Source: "exampled", Claims: []Claim{
		{Kind: ClaimCopyright, Value: "https://github.com/example/old", Origin: audit.Origin{Source: "scan", Path: "/usr/share/doc/exampled/copyright"}},
		{Kind: ClaimHomepage, Value: "https://gitlab.com/example/exampled", Origin: audit.Origin{Source: "scan", Path: "/var/lib/dpkg/status"}},
		{Kind: ClaimLookup, Value: "https://github.com/example/third"},
	}}
	link, ok := c.Locate(part)
	if !ok || link.Repo != "https://gitlab.com/example/exampled" || link.Rule != RuleHomepage || link.Origin.Path != "/var/lib/dpkg/status" {
		t.Fatalf("got %+v, want the home page", link)
	}
	var rivals []string
	for _, r := range link.Rivals {
		rivals = append(rivals, r.Repo+" "+r.Rule+" "+r.Confidence)
	}
	if want := []string{"https://github.com/example/old copyright medium", "https://github.com/example/third lookup low"}; !slices.Equal(rivals, want) {
		t.Errorf("rivals: got %q, want %q", rivals, want)
	}
	if share := c.Survey([]Part{part}).Shares[0]; share.Conflicts != 1 {
		t.Errorf("got %d conflicts, want 1", share.Conflicts)
	}
	project := find(t, c.Resolve([]Part{{Subject: "y", Kind: PartPURL, Name: "pkg:deb/debian/redis-server@7", Source: "redis",
		Claims: []Claim{{Kind: ClaimHomepage, Value: "https://github.com/example/redis-fork"}}}}), "redis")
	if r := project.Links[0].Rivals; len(r) != 1 || r[0].Repo != "https://github.com/example/redis-fork" {
		t.Errorf("a project of the catalogue whose package names another repository: got rivals %+v", r)
	}
}

func TestTheOrderOfPartsLeavesNoTraceInASurvey(t *testing.T) {
	c := load(t)
	parts := slices.Concat(testbedParts(t)[:80], parts(), []Part{
		{Subject: "a", Kind: PartPURL, Name: "pkg:pypi/example@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "https://github.com/example/a"}}},
		{Subject: "b", Kind: PartPURL, Name: "pkg:pypi/example@2", Claims: []Claim{{Kind: ClaimHomepage, Value: "https://github.com/example/b"}}},
	})
	want := surveyed(t, c, parts)
	for i := range 7 {
		turned := slices.Concat(parts[i*13:], parts[:i*13], parts[:i])
		slices.Reverse(turned)
		if got := surveyed(t, c, turned); got != want {
			t.Fatalf("turned by %d: %s", i*13, cmp.Diff(want, got))
		}
	}
}

func surveyed(t *testing.T, c *Catalogue, parts []Part) string {
	t.Helper()
	data, err := json.MarshalIndent(c.Survey(parts), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAnswersOfIndexesHaveLowConfidenceAndNeverWin(t *testing.T) {
	c := load(t)
	parts := []Part{
		{Subject: "known", Kind: PartPURL, Name: "pkg:pypi/flask@3.0.0"},
		{Subject: "unknown", Kind: PartPURL, Name: "pkg:pypi/exampletool@1.0.0"},
		{Subject: "image", Kind: PartImage, Name: "registry.example.org/x:1"},
	}
	if got, want := c.Unasked(parts), []string{"pkg:pypi/exampletool"}; !slices.Equal(got, want) {
		t.Errorf("to ask: got %q, want %q", got, want)
	}
	answers := []Lookup{
		{PURL: "pkg:pypi/flask", Repository: "https://github.com/example/other", Origin: audit.Origin{Source: "deps.dev"}},
		{PURL: "pkg:pypi/exampletool@2", Repository: "https://github.com/example/tool", Origin: audit.Origin{Source: "deps.dev"}},
	}
	asked := WithLookups(parts, answers)
	if len(parts[0].Claims) != 0 {
		t.Error("the parts given were changed")
	}
	known, _ := c.Locate(asked[0])
	if known.Repo != "https://github.com/pallets/flask" || len(known.Rivals) != 1 || known.Rivals[0].Rule != RuleLookup {
		t.Errorf("known: got %+v, want the table, with the answer as its rival", known)
	}
	found, ok := c.Locate(asked[1])
	want := scoring.Link{Subject: "unknown", Rule: RuleLookup, Confidence: Low, Repo: "https://github.com/example/tool", Origin: audit.Origin{Source: "deps.dev"}}
	if diff := cmp.Diff(want, found); diff != "" || !ok {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
}

func ExampleCatalogue_Locate() {
	c, err := Load()
	if err != nil {
		panic(err)
	}
	link, _ := c.Locate(Part{Subject: "gcc", Kind: PartPURL, Name: "pkg:deb/debian/libgcc-s1@12.2.0-14?upstream=gcc-12%4012.2.0-14"})
	fmt.Println(link.Repo, link.Rule, link.Confidence)
	// Output: https://gcc.gnu.org/git/gcc.git table high
}
