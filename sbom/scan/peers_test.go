package scan

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/anchore/syft/syft"
	syftsbom "github.com/anchore/syft/syft/sbom"
	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/sbom"
)

// syftAlone is what the syft library finds in a layout by its own image source and in its default configuration.
func syftAlone(t testing.TB, layout string) *syftsbom.SBOM {
	t.Helper()
	ctx := context.Background()
	src, err := syft.GetSource(ctx, layout, syft.DefaultGetSourceConfig().WithSources("oci-dir"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	found, err := syft.CreateSBOM(ctx, src, syft.DefaultCreateSBOMConfig())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// identity is a purl without what may be written in several ways: the epoch may stand in the version or beside it, and
// distribution, source package and the like are no part of what a package is.
func identity(t testing.TB, purl string) string {
	t.Helper()
	p, err := packageurl.FromString(purl)
	if err != nil {
		t.Fatalf("purl %q: %v", purl, err)
	}
	qualifiers := p.Qualifiers.Map()
	version := p.Version
	if epoch := qualifiers["epoch"]; epoch != "" && !strings.HasPrefix(version, epoch+":") {
		version = epoch + ":" + version
	}
	version = strings.TrimPrefix(version, "0:")
	return strings.Join([]string{p.Type, p.Namespace, p.Name, version, qualifiers["arch"], p.Subpath}, " ")
}

// difference is a package that only one of both finds, with the reason why that is right.
type difference struct {
	match  string // part of the identity
	reason string
}

// versionOfLink: Debian ships foo-2.18.0.jar as a link to foo.jar. Syft takes the version of a jar without a manifest entry
// from the name that it opens; its own source opens the file, ours the name that carries a version.
const versionOfLink = "the version stands in the name of the link, which syft's own source does not open"

// onlySyft are packages that syft's own source finds and we do not; onlyOurs the reverse. Each needs a reason, and each
// reason must still be needed by one of the images of the large testbed.
var (
	onlySyft = []difference{
		{"maven com.google.errorprone.annotations error-prone-annotations   ", versionOfLink},
		{"maven error-prone-annotation error-prone-annotation   ", versionOfLink},
		{"maven error-prone-type-annotations error-prone-type-annotations   ", versionOfLink},
	}
	onlyOurs = []difference{
		{"maven com.google.errorprone.annotations error-prone-annotations 2.", versionOfLink},
		{"maven error-prone-annotation error-prone-annotation 2.", versionOfLink},
		{"maven error-prone-type-annotations error-prone-type-annotations 2.", versionOfLink},
	}
)

// comparedImages are those of the small testbed that differ in kind: debs that own their Python packages, debs alone in a
// plain gzip layer, Python owned by no deb in a Zstandard layer, Go modules in a plain layer.
var comparedImages = []string{"keystone", "haproxy", "client", "tool"}

func TestEveryPackageThatSyftFindsOnItsOwnIsFoundAndNoOther(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, image := range comparedImages {
		t.Run(image, func(t *testing.T) {
			comparePackages(t, testbedImage(t, image), scannedImage(t, image), map[string]bool{})
		})
	}
}

// TestEveryPackageOfTheLargeTestbedIsFound takes minutes and runs before measuring: PEGEL_LARGE_TESTBED=true.
func TestEveryPackageOfTheLargeTestbedIsFound(t *testing.T) {
	if os.Getenv("PEGEL_LARGE_TESTBED") != "true" {
		t.Skip("it takes minutes: set PEGEL_LARGE_TESTBED=true and run make testbed-large before")
	}
	t.Setenv("TMPDIR", t.TempDir())
	layouts, err := filepath.Glob(filepath.Join(testbed, "large", "images", "*"))
	if err != nil || len(layouts) == 0 {
		t.Fatal("the large testbed is missing: run make testbed-large")
	}
	s, _ := newScanner(t, Limits{})
	used := map[string]bool{}
	for _, dir := range layouts {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			found, _ := scanned(t, s, target(FormOCIDir, dir)).Components.Get()
			comparePackages(t, dir, found, used)
			if filepath.Base(dir) == "java" {
				checkUsed(t, used)
			}
		})
	}
}

// checkUsed finds explanations of differences that are there no more; all known ones are of jars.
func checkUsed(t *testing.T, used map[string]bool) {
	t.Helper()
	for _, d := range slices.Concat(onlySyft, onlyOurs) {
		if !used[d.match] {
			t.Errorf("the difference %q (%s) is not needed any more", d.match, d.reason)
		}
	}
}

func comparePackages(t *testing.T, layout string, components []sbom.Component, used map[string]bool) {
	t.Helper()
	theirs, ours := map[string]bool{}, map[string]bool{}
	for _, p := range syftAlone(t, layout).Artifacts.Packages.Sorted() {
		if p.PURL == "" {
			t.Logf("syft gives %s %s no purl", p.Name, p.Version)
			continue
		}
		theirs[identity(t, p.PURL)] = true
	}
	for _, c := range components {
		if c.PURL != "" {
			ours[identity(t, c.PURL)] = true
		}
	}
	if len(theirs) < 40 {
		t.Fatalf("syft alone finds %d packages, that is no whole system", len(theirs))
	}
	for _, id := range missing(theirs, ours) {
		if !explained(id, onlySyft, used) {
			t.Errorf("only syft's own source finds %q", id)
		}
	}
	for _, id := range missing(ours, theirs) {
		if !explained(id, onlyOurs, used) {
			t.Errorf("only we find %q", id)
		}
	}
}

// missing returns what is in all and not in found, sorted.
func missing(all, found map[string]bool) []string {
	var out []string
	for id := range all {
		if !found[id] {
			out = append(out, id)
		}
	}
	sort.Strings(out)
	return out
}

func explained(id string, table []difference, used map[string]bool) bool {
	for _, d := range table {
		if strings.Contains(id, d.match) {
			used[d.match] = true
			return true
		}
	}
	return false
}

func TestPythonInAVirtualEnvironmentBelongsToNoDebAndThatOfDebsDoes(t *testing.T) {
	for image, owned := range map[string]bool{"client": false, "keystone": true} {
		python := 0
		for _, c := range scannedImage(t, image) {
			if c.Type != "python" {
				continue
			}
			python++
			if (c.OwnedBy != "") != owned {
				t.Errorf("%s: %s has the owner %q", image, c.Ref, c.OwnedBy)
			}
		}
		if python < 50 {
			t.Errorf("%s: only %d Python packages were found", image, python)
		}
	}
}

func TestTheModulesOfAGoProgramAreFound(t *testing.T) {
	found := map[string]bool{}
	for _, c := range scannedImage(t, "tool") {
		found[c.Type+" "+c.Name] = true
	}
	for _, name := range []string{"github.com/klauspost/compress", "go.yaml.in/yaml/v3", "golang.org/x/sync", "stdlib"} {
		if !found["go-module "+name] {
			t.Errorf("the module %s was not found", name)
		}
	}
}

// BenchmarkSyftOnItsOwnImageSource reads every image once in one process. Command measure runs it on its images.
func BenchmarkSyftOnItsOwnImageSource(b *testing.B) {
	layouts := filepath.SplitList(os.Getenv("PEGEL_MEASURE_IMAGES"))
	if len(layouts) == 0 {
		for _, image := range comparedImages {
			layouts = append(layouts, testbedImage(b, image))
		}
	}
	b.Setenv("TMPDIR", b.TempDir())
	for b.Loop() {
		for _, dir := range layouts {
			if syftAlone(b, dir).Artifacts.Packages.PackageCount() == 0 {
				b.Fatalf("no package was found in %q", filepath.Base(dir))
			}
		}
	}
}
