package source_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

const (
	addonChart = `apiVersion: v2
name: monitoring
version: 3.2.1
appVersion: "1.10"
maintainers:
  - name: Some Person
    email: person@example.org
dependencies:
  - name: loki
    version: ^6.2
    repository: https://charts.example.org
  - name: prometheus
    version: 27.1.0
    repository: https://charts.example.org
`
	addonLock = `dependencies:
- name: loki
  repository: https://charts.example.org
  version: 6.24.1
- name: prometheus
  repository: https://charts.example.org
  version: 27.1.0
digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
generated: "2026-01-01T00:00:00Z"
`
)

// packedFile is one member of an archive that a test packs.
type packedFile struct {
	name, text string
	kind       byte
}

// pack writes a packed chart.
func pack(t *testing.T, entries ...packedFile) string {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	w := tar.NewWriter(gz)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg}
		if e.kind != 0 {
			h.Typeflag, h.Linkname, h.Size = e.kind, "/etc/passwd", 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(e.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestAChartOffersItselfAndWhatItsLockFileFixes(t *testing.T) {
	want := []string{
		"software:loki@6.24.1  | offered  x0 ns= in ",
		"software:monitoring@3.2.1 1.10 | offered  x0 ns= in ",
		"software:prometheus@27.1.0  | offered  x0 ns= in ",
	}
	dir := write(t, map[string]string{"m/Chart.yaml": addonChart, "m/Chart.lock": addonLock, "m/templates/x.yaml": "{{", "m/.git/Chart.yaml": "broken: [",
		"m.tgz": pack(t, packedFile{name: "monitoring/Chart.yaml", text: addonChart}, packedFile{name: "monitoring/Chart.lock", text: addonLock}, packedFile{name: "monitoring/values.yaml", text: "a: b"})})
	for _, path := range []string{"m", "m.tgz"} {
		inv, err := read(t, "chart: {path: "+path+"}", dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, seen(inv)); diff != "" || len(inv.Failures) > 0 {
			t.Errorf("%s: failures %q (-want +got):\n%s", path, reasons(inv), diff)
		}
		for _, a := range inv.Artifacts {
			if a.Unpinned != "" || !a.Sightings[0].Declared || a.Reference != "helm:"+strings.TrimPrefix(a.ID, "software:") {
				t.Errorf("%s: artifact %+v, want a pinned one that is offered", path, a)
			}
		}
	}
}

func TestADependencyThatNothingFixesIsUnpinned(t *testing.T) {
	inv, err := read(t, "chart: {path: m}", write(t, map[string]string{"m/Chart.yaml": addonChart}))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"software:loki@^6.2": "^6.2 is a range of versions and nothing fixes one", "software:prometheus@27.1.0": ""} {
		if a := find(t, inv, id); a.Unpinned != want {
			t.Errorf("%s: unpinned %q, want %q", id, a.Unpinned, want)
		}
	}
	packed := map[string]string{"m/Chart.yaml": addonChart, "m/charts/loki-6.24.1.tgz": pack(t, packedFile{name: "loki/Chart.yaml", text: "name: loki\nversion: 6.24.1\nappVersion: 3.3.2\n"})}
	if inv, err = read(t, "chart: {path: m}", write(t, packed)); err != nil {
		t.Fatal(err)
	}
	if a := find(t, inv, "software:loki@6.24.1"); a.Version != "3.3.2" || len(inv.Artifacts) != 3 {
		t.Errorf("artifacts %v, want loki in the version that is packed inside", seen(inv))
	}
	old := map[string]string{"m/Chart.yaml": "name: old\nversion: 1.0.0\n", "m/requirements.yaml": "dependencies: [{name: a, version: 1.x}]", "m/requirements.lock": "dependencies: [{name: a, version: 1.2.3}]"}
	if inv, err = read(t, "chart: {path: m}", write(t, old)); err != nil || len(inv.Artifacts) != 2 || inv.Artifacts[0].ID != "software:a@1.2.3" {
		t.Errorf("error %v, artifacts %v, want what requirements.lock fixes", err, seen(inv))
	}
}

func find(t *testing.T, inv sbom.Inventory, id string) sbom.Artifact {
	t.Helper()
	for _, a := range inv.Artifacts {
		if a.ID == id {
			return a
		}
	}
	t.Fatalf("no artifact %s in %v", id, seen(inv))
	return sbom.Artifact{}
}

func TestALockFileThatDoesNotFitIsNamed(t *testing.T) {
	for lock, want := range map[string]string{
		"dependencies:\n- {name: prometheus, version: 27.1.0}\n":                                  "Chart.lock does not name loki: it is older than the list of dependencies",
		"dependencies:\n- {name: prometheus, version: 26.0.0}\n- {name: loki, version: 6.24.1}\n": "Chart.lock says prometheus 26.0.0, the list of dependencies 27.1.0; that one counts",
		"dependencies: 7\n": "Chart.lock: line 1: dependencies is no list",
		"a: 1\na: 2\n":      `Chart.lock: line 2: key "a" stands twice`,
		"dependencies: [\n": "Chart.lock: line",
	} {
		inv, err := read(t, "chart: {path: m}", write(t, map[string]string{"m/Chart.yaml": addonChart, "m/Chart.lock": lock}))
		if err != nil || !contains(reasons(inv), want) {
			t.Errorf("%q: error %v, failures %q, want one with %q", lock, err, reasons(inv), want)
			continue
		}
		find(t, inv, "software:prometheus@27.1.0")
	}
}

func TestPackedChartsThatWouldHarmAreRefused(t *testing.T) {
	good := packedFile{name: "m/Chart.yaml", text: addonChart}
	nested := pack(t, good)
	for range 4 {
		nested = pack(t, good, packedFile{name: "m/charts/x.tgz", text: nested})
	}
	whole := pack(t, good, packedFile{name: "m/metadata.yaml", text: strings.Repeat("0123456789abcdef\n", 5000)})
	tests := []struct{ name, data, want string }{
		{"a name that leads out", pack(t, good, packedFile{name: "../../evil/Chart.yaml", text: "name: evil"}), `entry "../../evil/Chart.yaml" is no path inside the archive`},
		{"an absolute name", pack(t, good, packedFile{name: "/Chart.yaml", text: "name: evil"}), "is no path inside the archive"},
		{"a name with a backslash", pack(t, good, packedFile{name: `m\Chart.yaml`, text: "name: evil"}), "is no path inside the archive"},
		{"a link", pack(t, good, packedFile{name: "m/values.yaml", kind: tar.TypeSymlink}), `entry "m/values.yaml" is a link or device`},
		{"an entry twice", pack(t, good, good), `entry "m/Chart.yaml" occurs twice`},
		{"a bomb", pack(t, packedFile{name: "m/x.bin", text: strings.Repeat("\x00", 64<<20)}), "unpacks to more than 200 times its size"},
		{"too many entries", pack(t, many(50_001)...), "more than 50000 entries"},
		{"no archive", "plain", "it is not compressed with gzip"},
		{"half an archive", whole[:len(whole)/2], "the archive is cut off or damaged"},
		{"no chart", pack(t, packedFile{name: "m/x", text: "y"}), "no Chart.yaml is there; name the directory that holds it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, map[string]string{"m.tgz": tt.data})
			if _, err := read(t, "chart: {path: m.tgz}", dir); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), dir) {
				t.Errorf("error = %v\nwant one with %q", err, tt.want)
			}
		})
	}
	inv, err := read(t, "chart: {path: m.tgz}", write(t, map[string]string{"m.tgz": nested}))
	if err != nil || !contains(reasons(inv), "packed charts are packed more than 3 deep") {
		t.Errorf("error %v, failures %q", err, reasons(inv))
	}
	large := pack(t, good, packedFile{name: "m/Chart.lock", text: strings.Repeat("#", 1<<20+1)})
	if inv, err = read(t, "chart: {path: m.tgz}", write(t, map[string]string{"m.tgz": large})); err != nil || !contains(reasons(inv), "Chart.lock: it is larger than 1048576 bytes") {
		t.Errorf("error %v, failures %q", err, reasons(inv))
	}
}

func many(n int) []packedFile {
	out := make([]packedFile, n)
	for i := range out {
		out[i].name = "m/" + strings.Repeat("x", 1+i%7)
	}
	return out
}

func TestAChartIsNotReadThroughLinksThatLeadOut(t *testing.T) {
	dir := write(t, map[string]string{"m/Chart.yaml": addonChart, "outside/Chart.yaml": "name: outside\nversion: 1.0.0\n"})
	if err := os.Symlink(filepath.Join(dir, "outside", "Chart.yaml"), filepath.Join(dir, "m", "metadata.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "m", "charts", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../../outside/Chart.yaml", filepath.Join(dir, "m", "charts", "x", "Chart.yaml")); err != nil {
		t.Fatal(err)
	}
	inv, err := read(t, "chart: {path: m}", dir)
	if err != nil || len(inv.Failures) != 2 || len(inv.Artifacts) != 3 {
		t.Errorf("error %v, failures %q, artifacts %v, want two failures and nothing of outside", err, reasons(inv), seen(inv))
	}
}

func TestTheEvidenceOfAChartNamesNobody(t *testing.T) {
	dir := write(t, map[string]string{"m/Chart.yaml": addonChart, "m/Chart.lock": addonLock})
	var kept string
	s, err := decode(t, "chart: {path: m}", dir, source.Options{At: assessedAt, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		kept += b.Name + string(b.Data) + "\n"
		return audit.DigestOf(b.Data), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Inventory(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `Chart.yaml{"appVersion":"1.10","dependencies":[{"name":"loki","version":"^6.2"},{"name":"prometheus","version":"27.1.0"}],"name":"monitoring","version":"3.2.1"}
Chart.lock{"dependencies":[{"name":"loki","version":"6.24.1"},{"name":"prometheus","version":"27.1.0"}]}
`
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzAChartKeepsTheLawsOfAnInventory(f *testing.F) {
	f.Add([]byte(addonChart), []byte(addonLock))
	f.Fuzz(func(t *testing.T, chart, lock []byte) {
		dir := write(t, map[string]string{"m/Chart.yaml": string(chart), "m/Chart.lock": string(lock)})
		inv, err := read(t, "chart: {path: m}", dir)
		if err != nil {
			return
		}
		for _, a := range inv.Artifacts {
			if len(a.Sightings) == 0 || a.Seen() || a.Name == "" || strings.ContainsAny(a.ID, "\n\x00") {
				t.Errorf("artifact %+v, want one that is only offered", a)
			}
		}
	})
}

func FuzzAPackedChartNeverLeadsOut(f *testing.F) {
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	w := tar.NewWriter(gz)
	w.WriteHeader(&tar.Header{Name: "m/Chart.yaml", Size: int64(len(addonChart)), Mode: 0o644})
	w.Write([]byte(addonChart))
	w.Close()
	gz.Close()
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := read(t, "chart: {path: m.tgz}", write(t, map[string]string{"m.tgz": string(data)}))
		if err != nil {
			return
		}
		for _, a := range inv.Artifacts {
			if !strings.HasPrefix(a.Sightings[0].Where, "m.tgz/") || strings.Contains(a.Sightings[0].Where, "..") {
				t.Errorf("seen at %q, want a place inside the archive", a.Sightings[0].Where)
			}
		}
	})
}
