package source_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

const titleLabel, versionLabel = "org.opencontainers.image.title", "org.opencontainers.image.version"

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// container makes an image of one layer.
func container(t testing.TB, contents string, labels map[string]string) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	config := &v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: v1.Config{Labels: labels}}
	config.RootFS.Type = "layers"
	img, err := mutate.ConfigFile(img, config)
	must(t, img, err)
	img, err = mutate.AppendLayers(img, static.NewLayer([]byte(contents), types.OCIUncompressedLayer))
	return must(t, img, err)
}

// layoutOf writes images, each with the annotation given, as an OCI layout in base/name.
func layoutOf(t testing.TB, base, name string, images map[string]v1.Image) string {
	t.Helper()
	dir := filepath.Join(base, name)
	p, err := layout.Write(dir, empty.Index)
	must(t, p, err)
	for annotation, img := range images {
		var opts []layout.Option
		if annotation != "" {
			opts = append(opts, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": annotation}))
		}
		if err := p.AppendImage(img, opts...); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archive packs a directory as tar, with change to each header, and returns the bytes.
func archive(t testing.TB, dir string, change func(*tar.Header)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(data))}
		if change != nil {
			change(h)
		}
		if h.Typeflag != tar.TypeReg {
			data = nil
			h.Size = 0
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zip(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDirectoryArchiveAndPackedArchiveTellTheSame(t *testing.T) {
	base := t.TempDir()
	img := container(t, "layer", map[string]string{"name": "keystone", "org.opencontainers.image.licenses": "ASL 2.0", "maintainer": "A Person <a@example.org>",
		"org.opencontainers.image.vendor": "a@example.org", "org.opencontainers.image.source": "https://user:secret@example.org/x", "other": "y"})
	dir := layoutOf(t, base, "keystone", map[string]v1.Image{"registry.osism.tech/kolla/release/keystone:26.0.1.20250408": img})
	packed := archive(t, dir, nil)
	for name, data := range map[string][]byte{"keystone.tar": packed, "keystone.tar.gz": zip(t, packed), "dotted.tar": archive(t, dir, func(h *tar.Header) { h.Name = "./" + h.Name })} {
		if err := os.WriteFile(filepath.Join(base, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	digest, err := img.Digest()
	must(t, digest, err)
	for _, ref := range []string{"oci:./keystone", "oci-archive:keystone.tar", "oci-archive:keystone.tar.gz", "oci-archive:dotted.tar"} {
		t.Run(ref, func(t *testing.T) {
			inv, err := read(t, "image: {ref: '"+ref+"', tier: functional}", base)
			if err != nil {
				t.Fatal(err)
			}
			want := sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: []sbom.Artifact{{
				ID: "image:" + digest.String(), Kind: sbom.KindImage, Name: "keystone", Version: "26.0.1", Digest: audit.Digest(digest.String()),
				Reference: "registry.osism.tech/kolla/release/keystone:26.0.1.20250408", Platform: "linux/amd64",
				Labels:   map[string]string{"name": "keystone", "org.opencontainers.image.licenses": "ASL 2.0"},
				TierHint: []string{"functional"}, HintRule: "stack file: tier of the source",
				Sightings: []sbom.Sighting{{Source: "image", Where: ref, State: sbom.StatePresent, Digest: audit.Digest(digest.String()), Origin: audit.Origin{
					Source: "image", Path: ref, Digest: audit.Digest(digest.String()), At: assessedAt}}},
			}}}
			if diff := cmp.Diff(want, inv); diff != "" {
				t.Errorf("inventory (-want +got):\n%s", diff)
			}
			s, err := decode(t, "image: {ref: '"+ref+"'}", base, source.Options{})
			must(t, s, err)
			target, err := s.Open(t.Context(), inv.Artifacts[0])
			must(t, target, err)
			form, path, _ := strings.Cut(ref, ":")
			if form == "oci" {
				form = "oci-dir"
			}
			if target.Form != form || target.Path != filepath.Join(base, path) || target.Artifact.Digest != inv.Artifacts[0].Digest {
				t.Errorf("target = %+v, want the same layout and digest", target)
			}
		})
	}
}

func TestAnImageIsNamedByAnnotationThenByItsPlace(t *testing.T) {
	tests := []struct {
		name, annotation string
		labels           map[string]string
		wantName         string
		wantReference    string
		wantVersion      string
	}{
		{"a full reference", "quay.io/a/glance-api:30.0.0", nil, "glance-api", "quay.io/a/glance-api:30.0.0", "30.0.0"},
		{"a tag alone", "29.1.1.20250408", nil, "box", "box:29.1.1.20250408", "29.1.1"},
		{"nothing", "", nil, "box", "box", ""},
		{"text that is neither", "not a tag", nil, "box", "box", ""},
		{"a version label of the same title counts", "", map[string]string{titleLabel: "Box", versionLabel: "v3.1.4"}, "box", "box", "3.1.4"},
		{"a version label that may be inherited does not", "", map[string]string{versionLabel: "24.04"}, "box", "box", ""},
		{"a version label of another title does not", "", map[string]string{titleLabel: "ubuntu", versionLabel: "24.04"}, "box", "box", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := t.TempDir()
			layoutOf(t, base, "Box", map[string]v1.Image{tt.annotation: container(t, "x", tt.labels)})
			inv, err := read(t, "image: {ref: 'oci:Box'}", base)
			if err != nil {
				t.Fatal(err)
			}
			a := inv.Artifacts[0]
			if a.Name != tt.wantName || a.Reference != tt.wantReference || a.Version != tt.wantVersion || a.Unpinned != "" {
				t.Errorf("name %q, reference %q, version %q, unpinned %q\nwant %q, %q, %q, pinned by digest", a.Name, a.Reference, a.Version, a.Unpinned, tt.wantName, tt.wantReference, tt.wantVersion)
			}
		})
	}
}

func TestEveryImageOfALayoutIsListed(t *testing.T) {
	base := t.TempDir()
	layoutOf(t, base, "all", map[string]v1.Image{
		"":       container(t, "one", map[string]string{"name": "Nova-API"}),
		"b/c:2":  container(t, "two", nil),
		"2.0.0":  container(t, "three", map[string]string{"name": "heat-api"}),
		"b/d:v1": container(t, "four", nil),
	})
	inv, err := read(t, "image: {ref: 'oci:all'}", base)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, a := range inv.Artifacts {
		got[a.Reference] = true
	}
	want := map[string]bool{"nova-api": true, "b/c:2": true, "heat-api:2.0.0": true, "b/d:v1": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestOfSeveralPlatformsLinuxOnAMD64IsTaken(t *testing.T) {
	amd, arm := container(t, "amd", nil), container(t, "arm", nil)
	note := container(t, "attestation", nil)
	entry := func(img v1.Image, os, arch string) mutate.IndexAddendum {
		return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: arch}}}
	}
	write := func(entries ...mutate.IndexAddendum) string {
		base := t.TempDir()
		p, err := layout.Write(filepath.Join(base, "multi"), empty.Index)
		must(t, p, err)
		inner := mutate.IndexMediaType(mutate.AppendManifests(empty.Index, entries...), types.OCIImageIndex)
		if err := p.AppendIndex(inner, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "a/multi:1.0.0"})); err != nil {
			t.Fatal(err)
		}
		return base
	}
	inv, err := read(t, "image: {ref: 'oci:multi'}", write(entry(arm, "linux", "arm64"), entry(amd, "linux", "amd64"), entry(note, "unknown", "unknown")))
	if err != nil {
		t.Fatal(err)
	}
	want, err := amd.Digest()
	must(t, want, err)
	if len(inv.Artifacts) != 1 || string(inv.Artifacts[0].Digest) != want.String() || inv.Artifacts[0].Reference != "a/multi:1.0.0" {
		t.Errorf("artifacts = %+v, want the one for linux/amd64 under the name of the index", inv.Artifacts)
	}
	_, err = read(t, "image: {ref: 'oci:multi'}", write(entry(arm, "linux", "arm64")))
	if err == nil || !strings.Contains(err.Error(), "offers no image for linux/amd64, only linux/arm64") {
		t.Errorf("error = %v, want one that names the platforms", err)
	}
}

func TestABlobThatWasAlteredIsAFailureOfThatImageOnly(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		alter      func(name string) error
	}{
		{"one byte changed", "its contents do not match its digest", func(name string) error { return os.WriteFile(name, []byte("LAYER"), 0o644) }},
		{"cut off", "it has 2 bytes, the manifest says 5", func(name string) error { return os.Truncate(name, 2) }},
		{"missing", "no such file or directory", os.Remove},
		{"a link to a file outside", "escapes", func(name string) error {
			if err := os.Remove(name); err != nil {
				return err
			}
			return os.Symlink("/etc/hostname", name)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := t.TempDir()
			img := container(t, "layer", nil)
			dir := layoutOf(t, base, "x", map[string]v1.Image{"a:1.0.0": img, "b:1.0.0": container(t, "other", nil)})
			layers, err := img.Layers()
			must(t, layers, err)
			h, err := layers[0].Digest()
			must(t, h, err)
			if err := tt.alter(filepath.Join(dir, "blobs", "sha256", h.Hex)); err != nil {
				t.Fatal(err)
			}
			inv, err := read(t, "image: {ref: 'oci:x'}", base)
			if err != nil {
				t.Fatal(err)
			}
			if len(inv.Artifacts) != 2 || len(inv.Failures) != 1 || !strings.Contains(inv.Failures[0].Reason, h.Hex) || !strings.Contains(inv.Failures[0].Reason, tt.want) {
				t.Errorf("%d artifacts, failures %+v\nwant 2 and one failure with the layer and %q", len(inv.Artifacts), inv.Failures, tt.want)
			}
		})
	}
}

func TestABrokenArchiveGivesAClearErrorWithARemedy(t *testing.T) {
	base := t.TempDir()
	dir := layoutOf(t, base, "x", map[string]v1.Image{"a:1.0.0": container(t, strings.Repeat("layer", 1000), nil)})
	whole := archive(t, dir, nil)
	packed := zip(t, whole)
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-6] ^= 1 // in the checksum
	rename := func(from, to string) []byte {
		return archive(t, dir, func(h *tar.Header) {
			if strings.HasPrefix(h.Name, from) {
				h.Name = to
			}
		})
	}
	retype := func(kind byte) []byte {
		return archive(t, dir, func(h *tar.Header) {
			if strings.HasPrefix(h.Name, "blobs/") {
				h.Typeflag, h.Linkname = kind, "../../etc/passwd"
			}
		})
	}
	bomb := func() []byte {
		var out bytes.Buffer
		z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
		must(t, z, err)
		w := tar.NewWriter(z)
		if err := w.WriteHeader(&tar.Header{Name: "blobs/sha256/0", Typeflag: tar.TypeReg, Size: 72 << 20, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, 1<<20)
		for range 72 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"cut off", whole[:len(whole)/2], "cut off or damaged (unexpected EOF); copy the image again"},
		{"packed and cut off", packed[:len(packed)/2], "cut off or damaged"},
		{"packed with a wrong checksum", damaged, "cut off or damaged"},
		{"text", []byte(strings.Repeat("text", 500)), "cut off or damaged"},
		{"nothing", nil, "no oci-layout"},
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0}, "compressed with zstd or xz; unpack it first"},
		{"a way out", rename("index.json", "../../index.json"), `entry "../../index.json" is no path inside the archive`},
		{"an absolute path", rename("index.json", "/index.json"), `entry "/index.json" is no path inside the archive`},
		{"a backslash", rename("index.json", `a\..\index.json`), "is no path inside the archive"},
		{"a symbolic link", retype(tar.TypeSymlink), "is a link or device"},
		{"a hard link", retype(tar.TypeLink), "is a link or device"},
		{"a pipe", retype(tar.TypeFifo), "is a link or device"},
		{"a device", retype(tar.TypeChar), "is a link or device"},
		{"a name twice", rename("index.json", "oci-layout"), `entry "oci-layout" occurs twice`},
		{"no index", rename("index.json", "index.old"), "index.json: it is not there"},
		{"a form of docker save", rename("oci-layout", "manifest.json"), "an archive of docker save; write docker-archive:FILE"},
		{"a bomb", bomb(), "it unpacks to more than 100 times its size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(base, "broken.tar"), tt.data, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := read(t, "image: {ref: 'oci-archive:broken.tar'}", base)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `"oci-archive:broken.tar"`) {
				t.Errorf("error = %v\nwant one that names the file and says %s", err, tt.want)
			}
		})
	}
}

func TestALayoutWithoutImagesIsAnError(t *testing.T) {
	base := t.TempDir()
	layoutOf(t, base, "none", nil)
	helm := mutate.ConfigMediaType(container(t, "chart", nil), "application/vnd.cncf.helm.config.v1+json")
	layoutOf(t, base, "helm", map[string]v1.Image{"": helm})
	deep := write(t, map[string]string{"x/oci-layout": `{"imageLayoutVersion": "9"}`, "x/index.json": "{}"})
	bad := write(t, map[string]string{"x/oci-layout": `{"imageLayoutVersion": "1.0.0"}`, "x/index.json": "["})
	for _, tt := range []struct{ in, base, want string }{
		{"none", base, "index.json lists no image"},
		{"helm", base, `holds "application/vnd.cncf.helm.config.v1+json", which is no container image`},
		{"x", deep, `oci-layout: version "9" is not known, want 1.0.0`},
		{"x", bad, "index.json is no index of images: it ends too early"},
	} {
		if _, err := read(t, "image: {ref: 'oci:"+tt.in+"'}", tt.base); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v\nwant one with %s", tt.in, err, tt.want)
		}
	}
}

func FuzzAnArchiveThatIsReadHasOnlyImagesWithTheirDigest(f *testing.F) {
	base := f.TempDir()
	packed := archive(f, layoutOf(f, base, "x", map[string]v1.Image{"a:1.0.0": container(f, "layer", nil)}), nil)
	f.Add(packed)
	f.Add(zip(f, packed))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		base := t.TempDir()
		if err := os.WriteFile(filepath.Join(base, "a.tar"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		inv, err := read(t, "image: {ref: 'oci-archive:a.tar'}", base)
		if err != nil {
			return
		}
		for _, a := range inv.Artifacts {
			if a.ID != "image:"+string(a.Digest) || !a.Seen() {
				t.Fatalf("artifact %+v, want one that is seen and named by its digest", a)
			}
			if !bytes.Contains(data, []byte(a.Digest.Hex())) && !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
				t.Fatalf("digest %s is not in the archive", a.Digest)
			}
		}
	})
}
