package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

func TestPackagesThatLeadNowhereAreCountedByEcosystem(t *testing.T) {
	got := unresolved(upstream.Survey{
		Unresolved: []upstream.Unit{{Ecosystem: "deb", Name: "exampled"}, {Ecosystem: "golang", Name: "git.example.org/own"}},
		Shares:     []upstream.Share{{Ecosystem: "deb", Units: 10, Resolved: 9}, {Ecosystem: "golang", Units: 3, Resolved: 2}, {Ecosystem: "image", Units: 2}, {Ecosystem: "npm", Units: 4, Resolved: 4}},
	})
	const settle = "projects.json in the bundle lists them, each with its reason; add a row to scoring/upstream/repositories.yaml"
	want := []reports.Unseen{
		{What: "repositories of packages of the type deb", Reason: "neither the packages nor the tables of Pegel say where 1 of 10 come from", Settle: settle, Count: 1, Names: []string{"exampled"}},
		{What: "repositories of packages of the type golang", Reason: "neither the packages nor the tables of Pegel say where 1 of 3 come from", Settle: settle, Count: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatAPackageSaysReachesTheRulesWithTheFileThatSaysIt(t *testing.T) {
	a := sbom.Artifact{ID: "image:1", Digest: "sha256:" + "ab"}
	c := sbom.Component{PURL: "pkg:npm/exampled@1", Homepage: "https://example.org/", Locations: []string{"/a/package.json"},
		Upstream: []sbom.UpstreamClaim{{Kind: sbom.UpstreamRepository, URL: "https://github.com/example/mono", Folder: "packages/a", Path: "/a/package.json"}}}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	link, ok := catalogue.Locate(upstream.Part{Subject: c.PURL, Kind: upstream.PartPURL, Name: c.PURL, Claims: claimsOf(a, c)})
	if !ok || link.Repo != "https://github.com/example/mono" || link.Path != "packages/a" || link.Origin.Path != "/a/package.json" || link.Origin.Digest != a.Digest {
		t.Errorf("got %+v", link)
	}
	for ours, theirs := range map[string]string{sbom.UpstreamRepository: upstream.ClaimRepository, sbom.UpstreamHomepage: upstream.ClaimHomepage, sbom.UpstreamCopyright: upstream.ClaimCopyright} {
		if ours != theirs {
			t.Errorf("the kind %q of a package is not the kind %q of the rules", ours, theirs)
		}
	}
}

func TestTheLabelOfAnImageIsAHintOnly(t *testing.T) {
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	g := &gatherer{catalogue: catalogue}
	a := sbom.Artifact{ID: "image:1", Kind: sbom.KindImage, Name: "own", Reference: "registry.example.org/own/thing:1", Labels: map[string]string{labelSource: "https://github.com/example/build"}}
	s := catalogue.Survey(g.sourceParts(a))
	if len(s.Repositories) != 1 || s.Repositories[0].Units[0].Link.Confidence != upstream.Low || s.Repositories[0].Units[0].Link.Rule != upstream.RuleLabel {
		t.Errorf("got %+v", s)
	}
}

// BenchmarkRepositoriesOfTheTestbed reports which share of each ecosystem of the large testbed leads to a repository.
func BenchmarkRepositoriesOfTheTestbed(b *testing.B) {
	dirs, err := filepath.Glob(filepath.Join("..", "..", "..", ".testbed", "large", "images", "*"))
	if err != nil || len(dirs) == 0 {
		if os.Getenv("CI") == "true" {
			b.Fatal("the large testbed is missing; make testbed-large builds it")
		}
		b.Skip("the large testbed is missing; make testbed-large builds it")
	}
	contents, err := ReadContents(b.Context(), dirs, Options{Version: "test", Now: truthNow, TempDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		b.Fatal(err)
	}
	parts := packageParts(contents.inventory, contents.packages)
	var s upstream.Survey
	for b.Loop() {
		s = catalogue.Survey(parts)
	}
	for _, share := range s.Shares {
		b.ReportMetric(100*float64(share.Resolved)/float64(share.Units), "%"+share.Ecosystem)
		b.Logf("%s: %d units, %d resolved (%d high, %d medium, %d low), %d conflicts", share.Ecosystem, share.Units, share.Resolved, share.High, share.Medium, share.Low, share.Conflicts)
	}
	var open []string
	for _, u := range s.Unresolved {
		open = append(open, u.Ecosystem+"/"+u.Name)
	}
	b.Logf("unresolved: %s", strings.Join(open, " "))
	b.ReportMetric(float64(len(parts)), "packages")
}
