package source_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// listOfImages has the form of images.yml in the image kolla/release/sbom.
const listOfImages = `---
openstack_version: "2025.1"
created: "2026-08-14T00:00:00Z"
images:
  - image: registry.osism.cloud/kolla/release/2025.1/nova-api:31.0.1.20260814
  - image: registry.osism.cloud/kolla/release/2025.1/keystone:27.0.0.20260814
versions:
  nova: "31.0.1.20260814"
  keystone: "27.0.0.20260814"
`

// layer packs files as a layer; the names keep their order.
func layer(t testing.TB, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := 0; i+1 < len(files); i += 2 {
		h := &tar.Header{Name: files[i], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[i+1]))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// newRelease is a directory with a release since 9.1: base.yml alone.
func newRelease(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"10.2.0/base.yml": "manager_version: 10.2.0\ndocker_images:\n  redis: 7.4.10-alpine\n  kolla: 0.20260814.0\n",
		"etc/images.yml": "redis: library/redis\nkolla: kolla/release/sbom\n", "images.yml": listOfImages} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheImagesOfANewReleaseAreReadFromItsListInEveryForm(t *testing.T) {
	dir := newRelease(t)
	plain := layoutOf(t, dir, "plain", map[string]v1.Image{"": container(t, layer(t, "images.yml", listOfImages), nil)})
	layoutOf(t, dir, "packed", map[string]v1.Image{"0.20260814.0": container(t, string(zip(t, []byte(layer(t, "etc/x", "y", "./a/b/images.yml", listOfImages)))), nil)})
	for name, data := range map[string][]byte{"plain.tar": archive(t, plain, nil), "packed.tar.gz": zip(t, archive(t, filepath.Join(dir, "packed"), nil))} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for form, path := range map[string]string{"./images.yml": "./images.yml", "oci:plain": "oci:plain/images.yml", "oci:./packed": "oci:./packed/a/b/images.yml",
		"oci-archive:plain.tar": "oci-archive:plain.tar/images.yml", "oci-archive:packed.tar.gz": "oci-archive:packed.tar.gz/a/b/images.yml"} {
		t.Run(form, func(t *testing.T) {
			inv, err := read(t, "osism: {release: 10.2.0, sbom: '"+form+"'}", dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(inv.Failures) != 0 {
				t.Errorf("failures = %+v, want none", inv.Failures)
			}
			const ref = "registry.osism.cloud/kolla/release/2025.1/keystone:27.0.0.20260814"
			want := sbom.Artifact{ID: "image:" + ref, Kind: sbom.KindImage, Name: "keystone", Reference: ref, Version: "27.0.0",
				Sightings: []sbom.Sighting{{Source: "osism", Where: path + ": images.keystone", Declared: true, State: sbom.StateOffered, Reference: ref,
					Origin: audit.Origin{Source: "osism", Path: path, Line: 6, Digest: audit.DigestOf([]byte(listOfImages)), At: assessedAt}}}}
			for _, a := range inv.Artifacts {
				if a.ID == want.ID {
					if diff := cmp.Diff(want, a); diff != "" {
						t.Errorf("keystone (-want +got):\n%s", diff)
					}
					return
				}
			}
			t.Errorf("keystone is not there: %+v", inv.Artifacts)
		})
	}
}

func TestAListThatIsNoneIsAFailureAndTheReleaseStays(t *testing.T) {
	dir := newRelease(t)
	image := func(name, contents string) {
		layoutOf(t, dir, name, map[string]v1.Image{"": container(t, contents, nil)})
	}
	image("other", layer(t, "etc/os-release", "ID=debian"))
	image("two", layer(t, "images.yml", listOfImages, "a/images.yml", listOfImages))
	image("wild", layer(t, "../images.yml", listOfImages))
	image("broken", layer(t, "images.yml", listOfImages)[:700])
	image("zstd", "\x28\xb5\x2f\xfd....")
	image("large", layer(t, "images.yml", strings.Repeat("#", 3<<20), "more", strings.Repeat("x", 3<<20)))
	image("bomb", string(zip(t, []byte(layer(t, "x", strings.Repeat("\x00", 70<<20), "images.yml", listOfImages)))))
	layoutOf(t, dir, "moved", map[string]v1.Image{"0.20250101.0": container(t, layer(t, "images.yml", listOfImages), nil)})
	layoutOf(t, dir, "several", map[string]v1.Image{"a": container(t, layer(t, "images.yml", listOfImages), nil), "b": container(t, layer(t, "images.yml", "x: y"), nil)})
	half := layoutOf(t, dir, "half", map[string]v1.Image{"": container(t, layer(t, "images.yml", listOfImages), nil)})
	second, err := mutate.AppendLayers(container(t, layer(t, "images.yml", listOfImages), nil), static.NewLayer([]byte(layer(t, "b/images.yml", "x: y")), types.OCIUncompressedLayer))
	must(t, second, err)
	layoutOf(t, dir, "layers", map[string]v1.Image{"": second})
	if err := os.WriteFile(filepath.Join(dir, "half.tar"), archive(t, half, nil)[:3000], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cut.yml"), []byte(strings.Replace(listOfImages, "  - image: registry.osism.cloud/kolla/release/2025.1/nova-api:31.0.1.20260814\n", "", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for form, want := range map[string]string{
		"gone.yml":             "gone.yml: no such file or directory: the OpenStack services are not known",
		"10.2.0":               "10.2.0: it is a directory",
		"10.2.0/base.yml":      "10.2.0/base.yml: there is no list named images",
		"cut.yml":              "cut.yml: line 7: no image has the version 31.0.1.20260814 of nova",
		"oci:gone":             "oci:gone: no such file or directory",
		"oci:10.2.0":           "oci:10.2.0: oci-layout: no such file or directory; this is no OCI image layout",
		"oci:other":            "oci:other: the image holds no images.yml: it is not that of kolla/release/sbom",
		"oci:two":              "the image holds more than one images.yml",
		"oci:layers":           "the image holds more than one images.yml",
		"oci:wild":             `entry "../images.yml" is no path inside the archive`,
		"oci:broken":           "the layer is cut off or damaged",
		"oci:zstd":             "compressed with zstd, which is not read",
		"oci:large":            "that of kolla/release/sbom has some kilobytes",
		"oci:bomb":             "it unpacks to more than 67108864 bytes",
		"oci:moved":            "oci:moved is the list of kolla release 0.20250101.0, base.yml names 0.20260814.0",
		"oci:several":          "it holds 2 images, want the one named kolla/release/sbom",
		"oci-archive:half.tar": "the archive is cut off or damaged",
	} {
		t.Run(form, func(t *testing.T) {
			inv, err := read(t, "osism: {release: 10.2.0, sbom: '"+form+"'}", dir)
			if err != nil {
				t.Fatal(err)
			}
			if !contains(reasons(inv), want) || strings.Contains(fmt.Sprint(reasons(inv)), dir) {
				t.Errorf("failures = %q, want one with %q", reasons(inv), want)
			}
			if !strings.Contains(fmt.Sprint(inv.Artifacts), "image:library/redis:7.4.10-alpine") {
				t.Error("base.yml is lost")
			}
		})
	}
}

func TestAPlanNamesTheListOfImages(t *testing.T) {
	s, err := decode(t, "osism: {release: ./r, sbom: 'oci-archive:./sbom.tar'}", ".", source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Contacts(); len(c) != 2 || c[1].Address != "oci-archive:./sbom.tar" || c[1].Host != "local" || c[1].Right != "read" {
		t.Errorf("contacts = %+v, want the list too", c)
	}
	for _, text := range []string{"oci:", "docker://registry.example/kolla/release/sbom:1"} {
		if _, err := decode(t, "osism: {release: ./r, sbom: '"+text+"'}", ".", source.Options{}); err == nil || !strings.Contains(err.Error(), "is neither a file images.yml, oci:DIRECTORY nor oci-archive:FILE") {
			t.Errorf("%s: error = %v, want one that lists the forms", text, err)
		}
	}
}

func FuzzTheListOfImagesInALayerIsTheOneInAFile(f *testing.F) {
	f.Add(listOfImages, "images.yml")
	f.Add("images: []\nversions: {a: b}\n", "a/b/images.yml")
	f.Add("images:\n- image: a\n- {image: b, digest: c}\n", "../images.yml")
	f.Fuzz(func(t *testing.T, text, name string) {
		if len(name) > 90 || strings.ContainsAny(name, "\x00") || strings.HasSuffix(name, "/") || len(text) > 1<<20 {
			return
		}
		dir := newRelease(t)
		if err := os.WriteFile(filepath.Join(dir, "images.yml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		layoutOf(t, dir, "l", map[string]v1.Image{"": container(t, layer(t, name, text), nil)})
		inFile, err := read(t, "osism: {release: 10.2.0, sbom: images.yml}", dir)
		if err != nil {
			t.Fatal(err)
		}
		inLayer, err := read(t, "osism: {release: 10.2.0, sbom: 'oci:l'}", dir)
		if err != nil {
			t.Fatal(err)
		}
		checkDeclared(t, inFile)
		checkDeclared(t, inLayer)
		if name != "images.yml" {
			return
		}
		ids := func(inv sbom.Inventory) (out []string) {
			for _, a := range inv.Artifacts {
				out = append(out, a.ID)
			}
			return out
		}
		if diff := cmp.Diff(ids(inFile), ids(inLayer)); diff != "" {
			t.Fatalf("the layer tells otherwise:\n%s", diff)
		}
	})
}
