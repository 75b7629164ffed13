package scan

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// tarEntry is one tarEntry of a layer: a file, or with link a symbolic link, or what typ says.
type tarEntry struct {
	name, text, link string
	typ              byte
}

const osRelease = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n"

const status = `Package: libalpha1
Status: install ok installed
Maintainer: Debian Alpha Maintainers <alpha@lists.example.org>
Architecture: amd64
Multi-Arch: same
Source: alpha (1.2-3)
Version: 1.2-3+b1
Section: non-free/libs
Homepage: https://alpha.example.org/
Description: first library
 with a second line

Package: beta-tool
Status: install ok installed
Maintainer: Erika Mustermann <erika@example.org>
Architecture: all
Depends: libalpha1 (>= 1.0)
Version: 2:0.9
Section: utils
Description: a tool

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 3
Description: removed, only its configuration is left

`

const copyrightFile = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: alpha

Files: *
Copyright: 2020 Erika Mustermann <erika@example.org>
License: Expat
`

const metadata = `Metadata-Version: 2.1
Name: gamma
Version: 4.5
Author-email: Erika Mustermann <erika@example.org>
License: UNKNOWN
Classifier: License :: OSI Approved :: MIT License
Classifier: Programming Language :: Python
`

func debianLayer() []tarEntry {
	return []tarEntry{
		{name: "etc/os-release", text: osRelease},
		{name: "var/lib/dpkg/status", text: status},
		{name: "var/lib/dpkg/info/libalpha1:amd64.list", text: "/.\n/usr\n"},
		{name: "usr/share/doc/libalpha1/copyright", text: copyrightFile},
		{name: "usr/share/doc/beta-tool", link: "libalpha1"},
		{name: "usr/lib/python3/dist-packages/gamma-4.5.dist-info/METADATA", text: metadata},
		{name: "usr/lib/python3/dist-packages/gamma-4.5.dist-info/RECORD", text: "gamma/__init__.py,,\n"},
	}
}

func tarOf(t *testing.T, entries []tarEntry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg, Linkname: e.link}
		switch {
		case e.typ != 0:
			h.Typeflag = e.typ
		case e.link != "":
			h.Typeflag = tar.TypeSymlink
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func layerOfTar(t *testing.T, raw []byte) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func makeImage(t *testing.T, layers ...v1.Layer) v1.Image {
	t.Helper()
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	config.Config.Labels = map[string]string{
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.source":   "https://git.example.org/alpha",
		"org.opencontainers.image.authors":  "Erika Mustermann <erika@example.org>",
		"org.opencontainers.image.version":  "mail erika@example.org",
		"maintainer":                        "Erika Mustermann",
		"kolla_version":                     "20.1.0",
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

func imageOf(t *testing.T, layers ...[]tarEntry) v1.Image {
	t.Helper()
	var all []v1.Layer
	for _, entries := range layers {
		all = append(all, layerOfTar(t, tarOf(t, entries)))
	}
	return makeImage(t, all...)
}

// writeLayout writes the images as one OCI layout directory.
func writeLayout(t *testing.T, images ...v1.Image) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	l, err := ocilayout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for _, img := range images {
		if err := l.AppendImage(img); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archiveOf packs a layout directory into a tar file.
func archiveOf(t *testing.T, dir string) string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// classifier is built once for all tests, as a process does.
var classifier = sync.OnceValues(func() (context.Context, error) {
	return syft.SetContextLicenseScanner(context.Background(), cataloging.DefaultLicenseConfig())
})

func newScanner(t *testing.T, limits Limits) (*Scanner, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := newWith(Options{TempDir: dir, Limits: limits}, classifier)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left := filesBelow(t, dir); len(left) > 0 {
			t.Errorf("after Close the temporary directory has %q, want nothing", left)
		}
	})
	return s, dir
}

// filesBelow lists what a scan left behind: everything but the directory, the lock and the store of an open scanner.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, p); len(strings.Split(rel, "/")) > 1 && stillLocked(filepath.Join(dir, strings.Split(rel, "/")[0])) {
			if part := strings.Split(rel, "/")[1]; part == "layers" || part == "results" || part == "images" {
				return err
			}
		}
		if err == nil && p != dir && !(filepath.Dir(p) == dir && strings.HasPrefix(filepath.Base(p), prefix) && stillLocked(p)) {
			found = append(found, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// stillLocked reports whether the lock that belongs to the path is held.
func stillLocked(p string) bool {
	f, err := os.OpenFile(strings.TrimSuffix(p, lockSuffix)+lockSuffix, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return !tryLock(f)
}

func target(form, path string) sbom.Target {
	return sbom.Target{Form: form, Path: path, Artifact: sbom.Artifact{ID: "image:alpha", Name: "alpha"}}
}

func scanned(t *testing.T, s *Scanner, tgt sbom.Target) sbom.Packages {
	t.Helper()
	p, err := s.Scan(context.Background(), tgt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func componentsOf(t *testing.T, p sbom.Packages) []sbom.Component {
	t.Helper()
	all, known := p.Components.Get()
	if !known {
		t.Fatalf("components are not known: %q", p.Components.Failure)
	}
	return all
}

func names(all []sbom.Component) []string {
	var out []string
	for _, c := range all {
		out = append(out, c.Type+" "+c.Name+" "+c.Version)
	}
	slices.Sort(out)
	return out
}

func diffIDs(t *testing.T, img v1.Image) []audit.Digest {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	var out []audit.Digest
	for _, d := range config.RootFS.DiffIDs {
		out = append(out, audit.Digest(d.String()))
	}
	return out
}

func TestScanReadsEverythingThatIsKnownOfAPackage(t *testing.T) {
	img := imageOf(t, debianLayer())
	s, _ := newScanner(t, Limits{})
	got := scanned(t, s, target(FormOCIDir, writeLayout(t, img)))
	layer := diffIDs(t, img)[0]
	alpha := "pkg:deb/debian/libalpha1@1.2-3%2Bb1?arch=amd64&distro=debian-12&upstream=alpha%401.2-3"
	copyrightPath := "/usr/share/doc/libalpha1/copyright"
	expat := []sbom.LicenceClaim{{Value: "MIT", Provenance: "copyright-file", Path: copyrightPath, Line: 6, Weight: "main"}}
	want := []sbom.Component{
		{
			Ref: "pkg:deb/debian/beta-tool@2%3A0.9?arch=all&distro=debian-12", PURL: "pkg:deb/debian/beta-tool@2%3A0.9?arch=all&distro=debian-12",
			Type: "deb", Name: "beta-tool", Version: "2:0.9", Arch: "all", Source: "beta-tool", SourceVersion: "2:0.9", Section: "utils",
			DependsOn: []string{alpha}, Dependencies: sbom.DependenciesComplete, Layer: layer, Licences: expat,
			Locations: []string{copyrightPath, "/var/lib/dpkg/status"},
		},
		{
			Ref: alpha, PURL: alpha, Type: "deb", Name: "libalpha1", Version: "1.2-3+b1", Arch: "amd64", Source: "alpha", SourceVersion: "1.2-3",
			Supplier: "Debian Alpha Maintainers", Homepage: "https://alpha.example.org/", Section: "non-free/libs", Layer: layer, Licences: expat,
			Dependencies: sbom.DependenciesComplete,
			Locations:    []string{copyrightPath, "/var/lib/dpkg/info/libalpha1:amd64.list", "/var/lib/dpkg/status"},
		},
		{
			Ref: "pkg:pypi/gamma@4.5", PURL: "pkg:pypi/gamma@4.5", Type: "python", Name: "gamma", Version: "4.5", Layer: layer,
			Dependencies: sbom.DependenciesComplete,
			Locations: []string{
				"/usr/lib/python3/dist-packages/gamma-4.5.dist-info/METADATA",
				"/usr/lib/python3/dist-packages/gamma-4.5.dist-info/RECORD",
			},
			Licences: []sbom.LicenceClaim{{
				Value: "License :: OSI Approved :: MIT License", Provenance: "metadata",
				Path: "/usr/lib/python3/dist-packages/gamma-4.5.dist-info/METADATA",
			}},
		},
	}
	if d := cmp.Diff(want, componentsOf(t, got)); d != "" {
		t.Errorf("components (-want +got):\n%s", d)
	}
	wantLabels := map[string]string{
		"org.opencontainers.image.licenses": "Apache-2.0", "org.opencontainers.image.source": "https://git.example.org/alpha", "kolla_version": "20.1.0",
	}
	if d := cmp.Diff(wantLabels, got.Labels); d != "" {
		t.Errorf("labels (-want +got):\n%s", d)
	}
	if got.OS != "debian 12" || got.Tool != Tool || got.Schema != sbom.PackagesSchema || got.Artifact != "image:alpha" || len(got.SHA512) != 128 {
		t.Errorf("got OS %q, tool %q, schema %q, artifact %q, SHA-512 %q", got.OS, got.Tool, got.Schema, got.Artifact, got.SHA512)
	}
}

func TestScanNamesNobody(t *testing.T) {
	s, _ := newScanner(t, Limits{})
	raw, err := json.Marshal(scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer())))))
	if err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{"Erika", "Mustermann", "erika", "lists.example.org"} {
		if bytes.Contains(raw, []byte(canary)) {
			t.Errorf("the result contains %q: %s", canary, raw)
		}
	}
}

func TestScanGivesTheSameValueForDirectoryAndArchiveAndEveryTime(t *testing.T) {
	s, _ := newScanner(t, Limits{})
	dir := writeLayout(t, imageOf(t, debianLayer()))
	first := scanned(t, s, target(FormOCIDir, dir))
	for range 3 {
		if d := cmp.Diff(first, scanned(t, s, target(FormOCIDir, dir))); d != "" {
			t.Fatalf("the second scan differs (-first +second):\n%s", d)
		}
	}
	if d := cmp.Diff(first, scanned(t, s, target(FormOCIArchive, archiveOf(t, dir)))); d != "" {
		t.Errorf("the archive differs (-directory +archive):\n%s", d)
	}
}

func TestScanSeesWhatTheLastLayerLeavesVisible(t *testing.T) {
	onlyBeta := strings.SplitN(status, "\n\n", 2)[1]
	for name, c := range map[string]struct {
		top      []tarEntry
		want     []string
		licensed int // debs with a claim
	}{
		"a layer that adds nothing changes nothing": {
			[]tarEntry{{name: "etc/motd", text: "hello"}},
			[]string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1", "python gamma 4.5"}, 2,
		},
		"a package that a later layer removed is gone": {
			[]tarEntry{{name: "var/lib/dpkg/status", text: onlyBeta}},
			[]string{"deb beta-tool 2:0.9", "python gamma 4.5"}, 1,
		},
		"copyright files that the layer removes still count, because dpkg listed the same version then": {
			[]tarEntry{{name: "usr/share/doc/.wh.libalpha1"}, {name: "usr/share/doc/.wh.beta-tool"}},
			[]string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1", "python gamma 4.5"}, 2,
		},
		"an opaque directory hides what lies below": {
			[]tarEntry{{name: "usr/lib/python3/dist-packages/.wh..wh..opq"}},
			[]string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1"}, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newScanner(t, Limits{})
			got := componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer(), c.top)))))
			if d := cmp.Diff(c.want, names(got)); d != "" {
				t.Errorf("components (-want +got):\n%s", d)
			}
			licensed := 0
			for _, comp := range got {
				if comp.Type == "deb" && len(comp.Licences) > 0 {
					licensed++
				}
			}
			if licensed != c.licensed {
				t.Errorf("%d debs have a licence claim, want %d", licensed, c.licensed)
			}
		})
	}
}

func TestScanTellsPackagesOfOneNameAndVersionApartByPath(t *testing.T) {
	s, _ := newScanner(t, Limits{})
	got := componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer(), []tarEntry{
		{name: "opt/venv/lib/python3.11/site-packages/gamma-4.5.dist-info/METADATA", text: metadata},
	})))))
	var refs []string
	for _, c := range got {
		if c.Name == "gamma" {
			refs = append(refs, c.Ref)
		}
	}
	want := []string{
		"pkg:pypi/gamma@4.5#/opt/venv/lib/python3.11/site-packages/gamma-4.5.dist-info/METADATA",
		"pkg:pypi/gamma@4.5#/usr/lib/python3/dist-packages/gamma-4.5.dist-info/METADATA",
	}
	if d := cmp.Diff(want, refs); d != "" {
		t.Errorf("refs (-want +got):\n%s", d)
	}
}

func TestScanOfAnImageWithoutPackagesIsKnownToBeEmpty(t *testing.T) {
	s, _ := newScanner(t, Limits{})
	got := componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{{name: "hello", text: "world"}})))))
	if got == nil || len(got) != 0 {
		t.Errorf("got %#v, want an empty list that is not nil", got)
	}
}

func TestScanReadsLayersOfEveryCompression(t *testing.T) {
	raw := tarOf(t, debianLayer())
	plain := static.NewLayer(raw, types.OCIUncompressedLayer)
	zst := zstdLayer(t, raw)
	s, _ := newScanner(t, Limits{})
	want := names(componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer()))))))
	for name, layer := range map[string]v1.Layer{"plain": plain, "zstd": zst} {
		t.Run(name, func(t *testing.T) {
			got := componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, makeImage(t, layer)))))
			if d := cmp.Diff(want, names(got)); d != "" {
				t.Errorf("components (-want +got):\n%s", d)
			}
		})
	}
}

func TestScanTakesTheImageThatTheDigestNames(t *testing.T) {
	one, two := imageOf(t, debianLayer()), imageOf(t, []tarEntry{{name: "hello", text: "world"}})
	dir := writeLayout(t, one, two)
	s, _ := newScanner(t, Limits{})
	for i, img := range []v1.Image{one, two} {
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		tgt := target(FormOCIDir, dir)
		tgt.Artifact.Digest = audit.Digest(digest.String())
		got := len(componentsOf(t, scanned(t, s, tgt)))
		if want := []int{3, 0}[i]; got != want {
			t.Errorf("image %d has %d components, want %d", i, got, want)
		}
	}
}

func TestScanTakesLinuxAmd64OfAMultiPlatformIndex(t *testing.T) {
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: imageOf(t, []tarEntry{{name: "hello", text: "arm"}}), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
		mutate.IndexAddendum{Add: imageOf(t, debianLayer()), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: imageOf(t, []tarEntry{{name: "hello", text: "x"}}), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}},
	)
	dir := filepath.Join(t.TempDir(), "layout")
	l, err := ocilayout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.AppendIndex(index); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	s, _ := newScanner(t, Limits{})
	for _, want := range []audit.Digest{"", audit.Digest(digest.String())} {
		tgt := target(FormOCIDir, dir)
		tgt.Artifact.Digest = want
		if got := len(componentsOf(t, scanned(t, s, tgt))); got != 3 {
			t.Errorf("digest %q: got %d components, want the 3 of linux/amd64", want, got)
		}
	}
}

// blobFile returns the file of a blob in a layout directory.
func blobFile(dir string, h v1.Hash) string { return filepath.Join(dir, "blobs", h.Algorithm, h.Hex) }

func firstLayer(t *testing.T, img v1.Image) v1.Hash {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	return m.Layers[0].Digest
}

func flip(t *testing.T, file string, at int) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[(at+len(raw))%len(raw)] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, file string, part int64) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()*part/100); err != nil {
		t.Fatal(err)
	}
}

// wrongDiffID writes an image whose configuration lies about the contents of its layer; all digests above it are right.
func wrongDiffID(t *testing.T) string {
	t.Helper()
	img := imageOf(t, debianLayer())
	dir := writeLayout(t, img)
	replace := func(file, from, to string) v1.Hash {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.ReplaceAll(string(raw), from, to)
		h, err := sha([]byte(changed))
		if err != nil {
			t.Fatal(err)
		}
		out := blobFile(dir, h)
		if filepath.Base(file) == "index.json" {
			out = file
		}
		if err := os.WriteFile(out, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		return h
	}
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	newConfig := replace(blobFile(dir, config), diffIDs(t, img)[0].Hex(), strings.Repeat("0", 64))
	newManifest := replace(blobFile(dir, manifest), config.Hex, newConfig.Hex)
	replace(filepath.Join(dir, "index.json"), manifest.Hex, newManifest.Hex)
	return dir
}

func TestScanSaysWhatIsWrongWhereAndWhatHelps(t *testing.T) {
	whole := func(t *testing.T) (v1.Image, string) {
		img := imageOf(t, debianLayer())
		return img, writeLayout(t, img)
	}
	for name, c := range map[string]struct {
		target func(t *testing.T) sbom.Target
		want   []string
	}{
		"a changed byte in a layer": {func(t *testing.T) sbom.Target {
			img, dir := whole(t)
			flip(t, blobFile(dir, firstLayer(t, img)), -20)
			return target(FormOCIDir, dir)
		}, []string{`scanning "alpha in layout"`, "layer 1 of 1", "copy it again"}},
		"a layer that is cut off": {func(t *testing.T) sbom.Target {
			img, dir := whole(t)
			truncate(t, blobFile(dir, firstLayer(t, img)), 50)
			return target(FormOCIDir, dir)
		}, []string{"layer 1 of 1", "bytes, the manifest says", "copy it again"}},
		"a layer that is missing": {func(t *testing.T) sbom.Target {
			img, dir := whole(t)
			if err := os.Remove(blobFile(dir, firstLayer(t, img))); err != nil {
				t.Fatal(err)
			}
			return target(FormOCIDir, dir)
		}, []string{"layer 1 of 1", "blobs/sha256/", "no such file"}},
		"a changed byte in the configuration": {func(t *testing.T) sbom.Target {
			img, dir := whole(t)
			h, err := img.ConfigName()
			if err != nil {
				t.Fatal(err)
			}
			flip(t, blobFile(dir, h), 10)
			return target(FormOCIDir, dir)
		}, []string{"reading configuration sha256:", "do not match the digest", "copy it again"}},
		"a changed byte in the manifest": {func(t *testing.T) sbom.Target {
			img, dir := whole(t)
			h, err := img.Digest()
			if err != nil {
				t.Fatal(err)
			}
			flip(t, blobFile(dir, h), 10)
			return target(FormOCIDir, dir)
		}, []string{"reading manifest sha256:", "do not match the digest"}},
		"an index that is no JSON": {func(t *testing.T) sbom.Target {
			_, dir := whole(t)
			truncate(t, filepath.Join(dir, "index.json"), 50)
			return target(FormOCIDir, dir)
		}, []string{"reading index.json"}},
		"a directory that is no layout": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, t.TempDir())
		}, []string{"no OCI image layout", "oci-layout", "no such file"}},
		"a directory that is not there": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, filepath.Join(t.TempDir(), "nowhere"))
		}, []string{`scanning "alpha in nowhere"`, "no such file"}},
		"a digest that the layout does not have": {func(t *testing.T) sbom.Target {
			_, dir := whole(t)
			tgt := target(FormOCIDir, dir)
			tgt.Artifact.Digest = audit.DigestOf([]byte("other"))
			return tgt
		}, []string{"has no image sha256:"}},
		"several images and no digest": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer()), imageOf(t, []tarEntry{{name: "a", text: "b"}})))
		}, []string{"2 images", "name one by its digest", "sha256:"}},
		"a layout without an image": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, writeLayout(t))
		}, []string{"has no image"}},
		"a configuration that lies about a layer": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, wrongDiffID(t))
		}, []string{"layer 1 of 1", "the configuration says sha256:000"}},
		"a layer that is no tar file": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, writeLayout(t, makeImage(t, static.NewLayer(bytes.Repeat([]byte("no tar "), 200), types.OCIUncompressedLayer))))
		}, []string{"layer 1 of 1", "no readable tar file"}},
		"an encrypted layer": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, writeLayout(t, makeImage(t, static.NewLayer([]byte("secret"), types.OCILayer+"+encrypted"))))
		}, []string{"encrypted", "decrypted"}},
		"an archive that is cut off": {func(t *testing.T) sbom.Target {
			_, dir := whole(t)
			name := archiveOf(t, dir)
			truncate(t, name, 40)
			return target(FormOCIArchive, name)
		}, []string{`scanning "alpha in image.tar"`, "reading the archive", "copy it again"}},
		"an archive that is no tar file": {func(t *testing.T) sbom.Target {
			name := filepath.Join(t.TempDir(), "image.tar")
			if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 4000), 0o600); err != nil {
				t.Fatal(err)
			}
			return target(FormOCIArchive, name)
		}, []string{"no tar file"}},
		"an archive that is empty": {func(t *testing.T) sbom.Target {
			name := filepath.Join(t.TempDir(), "image.tar")
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return target(FormOCIArchive, name)
		}, []string{"the archive is empty"}},
		"an archive that is compressed": {func(t *testing.T) sbom.Target {
			name := filepath.Join(t.TempDir(), "image.tar.gz")
			if err := os.WriteFile(name, []byte{0x1f, 0x8b, 8, 0}, 0o600); err != nil {
				t.Fatal(err)
			}
			return target(FormOCIArchive, name)
		}, []string{"gzip", "gunzip"}},
		"a docker archive": {func(*testing.T) sbom.Target {
			return target("docker-archive", "image.tar")
		}, []string{"skopeo copy"}},
		"a form that does not exist": {func(*testing.T) sbom.Target {
			return target("floppy", "a")
		}, []string{`unknown form "floppy"`, "want oci-dir"}},
		"a dpkg database that cannot be understood": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
				{name: "etc/os-release", text: osRelease},
				{name: "var/lib/dpkg/status", text: "Package: a\nStatus: install ok installed\nVersion: 1\n\nnot a field\n"},
			})))
		}, []string{"/var/lib/dpkg/status", "line 5"}},
		"a package database that syft cannot read": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
				{name: "etc/os-release", text: "ID=fedora\nVERSION_ID=41\n"},
				{name: "usr/lib/sysimage/rpm/rpmdb.sqlite", text: strings.Repeat("rubbish ", 500)},
			})))
		}, []string{"package database /usr/lib/sysimage/rpm/rpmdb.sqlite"}},
		"a name that is as long as a book": {func(t *testing.T) sbom.Target {
			return target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
				{name: "usr/lib/python3/dist-packages/x.dist-info/METADATA", text: "Metadata-Version: 2.1\nName: " + strings.Repeat("x", 5000) + "\nVersion: 1\n\n"},
			})))
		}, []string{"x.dist-info/METADATA", "the limit is 2048"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newScanner(t, Limits{})
			_, err := s.Scan(context.Background(), c.target(t))
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), os.TempDir()) {
				t.Errorf("error %q names a directory of this machine", err)
			}
			if left := filesBelow(t, dir); len(left) > 0 {
				t.Errorf("after the error the temporary directory has %q", left)
			}
		})
	}
}

// countdown is a context that is cancelled after it was asked n times.
type countdown struct {
	context.Context
	left *int
}

func (c countdown) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestScanThatIsCancelledLeavesNothing(t *testing.T) {
	dir := writeLayout(t, imageOf(t, debianLayer()))
	for _, n := range []int{0, 1, 2, 5, 8} {
		t.Run(fmt.Sprintf("after %d questions", n), func(t *testing.T) {
			s, temp := newScanner(t, Limits{})
			left := n
			_, err := s.Scan(countdown{context.Background(), &left}, target(FormOCIDir, dir))
			if err == nil || !strings.Contains(err.Error(), "context canceled") {
				t.Fatalf("got error %v, want context canceled", err)
			}
			if files := filesBelow(t, temp); len(files) > 0 {
				t.Errorf("the temporary directory has %q", files)
			}
		})
	}
}

// cancelling is cancelled when it is asked for a value, which only syft does, when it begins to catalogue.
type cancelling struct {
	context.Context
	cancel context.CancelFunc
	asked  *atomic.Bool
}

func (c cancelling) Value(key any) any {
	c.asked.Store(true)
	c.cancel()
	return c.Context.Value(key)
}

func TestScanThatIsCancelledWhileSyftRunsLeavesNothing(t *testing.T) {
	s, temp := newScanner(t, Limits{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	asked := new(atomic.Bool)
	_, err := s.Scan(cancelling{ctx, cancel, asked}, target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer()))))
	if !asked.Load() {
		t.Fatal("syft asked for no value")
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context canceled", err)
	}
	if files := filesBelow(t, temp); len(files) > 0 {
		t.Errorf("the temporary directory has %q", files)
	}
}

func TestScanKeepsToItsLimits(t *testing.T) {
	big := []tarEntry{{name: "zeros", text: strings.Repeat("\x00", ratioFloor+1)}}
	deep := strings.Repeat("d/", 40) + "file"
	for name, c := range map[string]struct {
		limits Limits
		layers [][]tarEntry
		want   string
	}{
		"bytes of all layers together": {Limits{Bytes: 1 << 20}, [][]tarEntry{
			{{name: "a", text: strings.Repeat("a", 600<<10)}}, {{name: "b", text: strings.Repeat("b", 600<<10)}},
		}, "the layers unpack to more than 1048576 bytes"},
		"ratio of a layer":      {Limits{Ratio: 10}, [][]tarEntry{big}, "more than 10 times its size"},
		"layers":                {Limits{Layers: 1}, [][]tarEntry{debianLayer(), {{name: "a"}}}, "2 layers, the limit is 1"},
		"entries":               {Limits{Entries: 3}, [][]tarEntry{debianLayer()}, "more than 3 entries"},
		"length of a path":      {Limits{PathLength: 50}, [][]tarEntry{{{name: strings.Repeat("n", 51)}}}, "longer than 50 bytes"},
		"depth of a path":       {Limits{PathDepth: 20}, [][]tarEntry{{{name: deep}}}, "deeper than 20 directories"},
		"size of a status file": {Limits{EvidenceFile: 100}, [][]tarEntry{debianLayer()}, "the limit for such a file is 100"},
		"length of a link":      {Limits{PathLength: 50}, [][]tarEntry{{{name: "a", link: strings.Repeat("n", 51)}}}, "longer than 50 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s, temp := newScanner(t, c.limits)
			_, err := s.Scan(context.Background(), target(FormOCIDir, writeLayout(t, imageOf(t, c.layers...))))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
			if files := filesBelow(t, temp); len(files) > 0 {
				t.Errorf("the temporary directory has %q", files)
			}
		})
	}
}

func TestScanOfHostileNamesAndLinksStaysInsideTheImage(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "canary")
	if err := os.WriteFile(outside, []byte("License: canary-licence\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, temp := newScanner(t, Limits{})
	got := componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
		{name: "etc/os-release", text: osRelease},
		{name: "var/lib/dpkg/status", text: status},
		{name: "../../../../../../../../" + outside + "-written", text: "x"},
		{name: "/absolute", text: "x"},
		{name: "usr/share/doc/libalpha1/copyright", link: outside},
		{name: "usr/share/doc/beta-tool", link: "../doc/loop"},
		{name: "usr/share/doc/loop", link: "beta-tool"},
		{name: "hard", typ: tar.TypeLink, link: "../../../../etc/passwd"},
		{name: "pipe", typ: tar.TypeFifo},
		{name: "usr/lib/python3/dist-packages", link: "/usr/lib/python3/dist-packages"},
	})))))
	if want := []string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1"}; !slices.Equal(names(got), want) {
		t.Errorf("got %q, want %q", names(got), want)
	}
	for _, c := range got {
		if len(c.Licences) != 0 {
			t.Errorf("%s has claims %v, want none: its copyright file lies outside the image or in a loop", c.Name, c.Licences)
		}
	}
	if _, err := os.Stat(outside + "-written"); err == nil {
		t.Error("a name from the image became a path of this machine")
	}
	if files := filesBelow(t, temp); len(files) > 0 {
		t.Errorf("the temporary directory has %q", files)
	}
}

func TestALayoutWhoseBlobsAreLinksOutOfItIsRefused(t *testing.T) {
	img := imageOf(t, debianLayer())
	dir := writeLayout(t, img)
	blob := blobFile(dir, firstLayer(t, img))
	elsewhere := filepath.Join(t.TempDir(), "blob")
	if err := os.Rename(blob, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, blob); err != nil {
		t.Fatal(err)
	}
	s, _ := newScanner(t, Limits{})
	if _, err := s.Scan(context.Background(), target(FormOCIDir, dir)); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("got error %v, want that the path escapes", err)
	}
}

func TestScanAsksForSpaceFirst(t *testing.T) {
	s, temp := newScanner(t, Limits{})
	s.freeSpace = func(string) (uint64, error) { return 10, nil }
	_, err := s.Scan(context.Background(), target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer()))))
	if err == nil || !strings.Contains(err.Error(), "0 MB free") || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("got error %v, want how much is free and what helps", err)
	}
	if files := filesBelow(t, temp); len(files) > 0 {
		t.Errorf("the temporary directory has %q", files)
	}
}
