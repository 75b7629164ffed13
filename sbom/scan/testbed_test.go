package scan

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

// testbed is where "make testbed" puts its images; testbed/build.sh says what is in them.
const testbed = "../../.testbed"

// testbedImage returns the layout of an image of the testbed. Without the testbed the test is skipped, under CI it fails.
func testbedImage(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(testbed, "images", name)
	if _, err := os.Stat(filepath.Join(dir, "index.json")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the image %q is missing: run make testbed", name)
		}
		t.Skipf("the image %q is missing: run make testbed", name)
	}
	return dir
}

// results keeps what the scan of each image gave, so that several tests look at one scan.
var results sync.Map

// scannedImage returns the components of an image of the testbed. The caller does not change them.
func scannedImage(t *testing.T, name string) []sbom.Component {
	t.Helper()
	dir := testbedImage(t, name)
	once, _ := results.LoadOrStore(name, sync.OnceValues(func() ([]sbom.Component, error) {
		temp, err := os.MkdirTemp("", "pegel-testbed-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temp)
		s, err := newWith(Options{TempDir: temp}, classifier)
		if err != nil {
			return nil, err
		}
		p, err := s.Scan(context.Background(), target(FormOCIDir, dir))
		all, _ := p.Components.Get()
		return all, errors.Join(err, s.Close())
	}))
	all, err := once.(func() ([]sbom.Component, error))()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// expected returns "name version architecture" of what dpkg-query says is installed in the image.
func expected(t *testing.T, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testbed, "expect", name+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(raw)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 4 {
			t.Fatalf("line %q has %d fields, want 4", line, len(fields))
		}
		if fields[3] == "installed" {
			out = append(out, strings.Join(fields[:3], " "))
		}
	}
	slices.Sort(out)
	return out
}

func TestEveryPackageThatDpkgKnowsIsFoundAndNoOther(t *testing.T) {
	for _, image := range []string{"base", "haproxy", "keystone", "keystone-nodocs", "client", "tool"} {
		t.Run(image, func(t *testing.T) {
			var debs []string
			for _, c := range scannedImage(t, image) {
				if c.Type == "deb" {
					debs = append(debs, c.Name+" "+c.Version+" "+c.Arch)
				}
				if c.Layer == "" {
					t.Errorf("%s has no layer", c.Ref)
				}
			}
			slices.Sort(debs)
			want := expected(t, image)
			if len(want) < 40 {
				t.Fatalf("dpkg-query lists %d packages, that is no whole system", len(want))
			}
			if d := cmp.Diff(want, debs); d != "" {
				t.Errorf("packages (-dpkg +scan):\n%s", d)
			}
		})
	}
}

func TestLicencesAreClaimedFromCopyrightFilesAlsoFromThoseThatALaterLayerRemoved(t *testing.T) {
	for image, want := range map[string]struct{ low, high int }{ // percent of debs with a claim
		"base":            {90, 100},
		"haproxy":         {95, 100},
		"keystone":        {95, 100},
		"keystone-nodocs": {95, 100}, // from the files that the last layer removed
	} {
		t.Run(image, func(t *testing.T) {
			debs, licensed, python, pythonLicensed := 0, 0, 0, 0
			for _, c := range scannedImage(t, image) {
				switch {
				case c.Type == "deb":
					debs++
					if slices.ContainsFunc(c.Licences, func(l sbom.LicenceClaim) bool { return l.Provenance != sbom.FromArchiveArea }) {
						licensed++
					}
				case c.Type == "python":
					python++
					pythonLicensed += min(len(c.Licences), 1)
				}
			}
			t.Logf("%d of %d debs and %d of %d Python packages have a licence claim", licensed, debs, pythonLicensed, python)
			if share := 100 * licensed / debs; share < want.low || share > want.high {
				t.Errorf("%d %% of %d debs have a licence claim, want %d to %d %%", share, debs, want.low, want.high)
			}
			if strings.HasPrefix(image, "keystone") && 100*pythonLicensed < 95*python {
				t.Errorf("%d of %d Python packages have a licence claim, want at least 95 %%", pythonLicensed, python)
			}
		})
	}
}

func TestTheServiceOfAnImageIsAmongItsComponents(t *testing.T) {
	for image, want := range map[string][]string{
		"keystone": {"deb keystone", "deb python3-keystone", "python keystone"},
		"haproxy":  {"deb haproxy", "deb keepalived"},
	} {
		t.Run(image, func(t *testing.T) {
			found := map[string]bool{}
			for _, c := range scannedImage(t, image) {
				found[c.Type+" "+c.Name] = true
				for _, ref := range c.DependsOn {
					if ref == c.Ref {
						t.Errorf("%s depends on itself", ref)
					}
				}
			}
			for _, name := range want {
				if !found[name] {
					t.Errorf("%s was not found", name)
				}
			}
		})
	}
}

func TestTwoScannersGiveTheSameBytesForARealImage(t *testing.T) {
	dir := testbedImage(t, "keystone")
	var first []byte
	for _, form := range []string{FormOCIDir, FormOCIArchive, FormOCIDir} {
		path := dir
		if form == FormOCIArchive {
			path = archiveOf(t, dir)
		}
		s, temp := newScanner(t, Limits{})
		raw, err := json.Marshal(scanned(t, s, target(form, path)))
		if err != nil {
			t.Fatal(err)
		}
		if s.store.reread > 0 {
			t.Errorf("%d layers were read a second time, because contents that somebody asked for had not been kept", s.store.reread)
		}
		if left := filesBelow(t, temp); len(left) > 0 {
			t.Errorf("after form %s the temporary directory has %q", form, left)
		}
		if first == nil {
			first = raw
		}
		if string(raw) != string(first) {
			t.Errorf("form %s gives other bytes than the first scan", form)
		}
	}
}

func TestNoAddressOfAPersonLeavesARealImage(t *testing.T) {
	for _, c := range scannedImage(t, "keystone") {
		c.PURL, c.Ref, c.OwnedBy, c.DependsOn = "", "", "", nil // an @ stands before each version there
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if hasAddress(string(raw)) {
			t.Errorf("%s holds an address: %s", c.Name, raw)
		}
	}
}

func TestARealImageWithADamagedLayerIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keystone")
	if err := os.CopyFS(dir, os.DirFS(testbedImage(t, "keystone"))); err != nil {
		t.Fatal(err)
	}
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil {
		t.Fatal(err)
	}
	largest, size := "", int64(0)
	for _, b := range blobs {
		if info, err := os.Stat(b); err == nil && info.Size() > size {
			largest, size = b, info.Size()
		}
	}
	if err := os.Chmod(largest, 0o600); err != nil {
		t.Fatal(err)
	}
	flip(t, largest, int(size/2))
	s, temp := newScanner(t, Limits{})
	_, err = s.Scan(context.Background(), target(FormOCIDir, dir))
	if err == nil || !strings.Contains(err.Error(), filepath.Base(largest)) {
		t.Errorf("got error %v, want one that names the layer %s", err, filepath.Base(largest))
	}
	if left := filesBelow(t, temp); len(left) > 0 {
		t.Errorf("the temporary directory has %q", left)
	}
}

func TestTheVersionOfSyftIsTheOneInGoMod(t *testing.T) {
	raw, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s*github\.com/anchore/syft (\S+)`).FindSubmatch(raw)
	if m == nil || string(m[1]) != syftVersion {
		t.Errorf("go.mod has %q, this package says %s", m, syftVersion)
	}
}

func BenchmarkScan(b *testing.B) {
	for _, image := range []string{"haproxy", "keystone"} {
		b.Run(image, func(b *testing.B) {
			dir := testbedImage(b, image)
			s, err := New(Options{TempDir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for b.Loop() {
				if _, err := s.Scan(context.Background(), target(FormOCIDir, dir)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
