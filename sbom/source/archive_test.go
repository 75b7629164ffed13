package source_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// savedImages writes images as docker save does, in the form of go-containerregistry: layers packed with gzip if they are.
func savedImages(t testing.TB, images map[string]v1.Image) []byte {
	t.Helper()
	refs := map[name.Reference]v1.Image{}
	for text, img := range images {
		ref, err := name.ParseReference(text)
		refs[must(t, ref, err)] = img
	}
	var out bytes.Buffer
	if err := tarball.MultiRefWrite(refs, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// entry is one entry of a tar archive made by hand.
type entry struct {
	name, text, link string
	kind             byte
}

func tape(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(e.text)), Linkname: e.link}
		if e.kind != 0 {
			h.Typeflag = e.kind
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// configFor returns a configuration of layers with the contents given.
func configFor(layers ...string) string {
	var ids []string
	for _, l := range layers {
		ids = append(ids, `"`+string(audit.DigestOf([]byte(l)))+`"`)
	}
	return `{"os": "linux", "architecture": "amd64", "config": {"Env": ["TOKEN=canary"], "Labels": {"name": "box"}}, "rootfs": {"type": "layers", "diff_ids": [` + strings.Join(ids, ",") + `]}}`
}

func TestAnArchiveOfDockerSaveListsItsImages(t *testing.T) {
	one, two := container(t, "one", map[string]string{"name": "keystone"}), container(t, "two", nil)
	packed := mutateLayers(t, two)
	data := savedImages(t, map[string]v1.Image{"quay.io/a/keystone:26.0.1.20250408": one, "quay.io/a/keystone:latest": one, "docker.io/library/redis:7.4.2-alpine": packed})
	for name, data := range map[string][]byte{"all.tar": data, "all.tar.gz": zip(t, data)} {
		t.Run(name, func(t *testing.T) {
			base := write(t, map[string]string{name: string(data)})
			var kept []audit.Blob
			opt := source.Options{At: assessedAt, TempDir: t.TempDir(), Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
				kept = append(kept, b)
				return audit.DigestOf(b.Data), nil
			}}
			s, err := decode(t, "image: {ref: 'docker-archive:"+name+"', tier: functional}", base, opt)
			must(t, s, err)
			inv, err := s.Inventory(t.Context())
			must(t, inv, err)
			if len(kept) != 1 || bytes.Contains(kept[0].Data, []byte("diff_ids")) {
				t.Fatalf("kept %+v, want manifest.json alone", kept)
			}
			where := "docker-archive:" + name
			sighting := func(ref string) []sbom.Sighting {
				return []sbom.Sighting{{Source: "image", Where: where, State: sbom.StatePresent, Reference: ref, Origin: audit.Origin{Source: "image", Path: where, Digest: audit.DigestOf(kept[0].Data), At: assessedAt}}}
			}
			tier, rule := []string{"functional"}, "stack file: tier of the source"
			want := []sbom.Artifact{
				{Kind: sbom.KindImage, Name: "redis", Version: "7.4.2", Config: config(t, packed), Platform: "linux/amd64", TierHint: tier, HintRule: rule},
				{Kind: sbom.KindImage, Name: "keystone", Version: "26.0.1", Config: config(t, one), Platform: "linux/amd64", Labels: map[string]string{"name": "keystone"},
					Aliases: []string{"quay.io/a/keystone:latest"}, TierHint: tier, HintRule: rule},
			}
			for i, ref := range []string{"docker.io/library/redis:7.4.2-alpine", "quay.io/a/keystone:26.0.1.20250408"} {
				want[i].ID, want[i].Reference, want[i].Sightings = "image:"+ref, ref, sighting(ref)
			}
			if diff := cmp.Diff(sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: want}, inv); diff != "" {
				t.Errorf("inventory (-want +got):\n%s", diff)
			}
			for _, a := range inv.Artifacts {
				target, err := s.Open(t.Context(), a)
				must(t, target, err)
				again, err := read(t, "image: {ref: 'oci:"+target.Path+"'}", "/")
				if err != nil || again.Failures != nil || len(again.Artifacts) != 1 || again.Artifacts[0].Digest != target.Artifact.Digest || target.Form != "oci-dir" {
					t.Errorf("target %+v holds %+v, %v", target, again, err)
				}
				if err := target.Done(); err != nil {
					t.Error(err)
				}
			}
			if left := files(t, opt.TempDir); left != nil {
				t.Errorf("%v is left", left)
			}
			if _, err := s.Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Config: keystoneDigest}); !errors.Is(err, sbom.ErrNoContents) {
				t.Errorf("an image that is not there: %v", err)
			}
		})
	}
}

// mutateLayers returns the image with one more layer that is packed with gzip.
func mutateLayers(t *testing.T, img v1.Image) v1.Image {
	t.Helper()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("more")), nil })
	must(t, layer, err)
	img, err = mutate.AppendLayers(img, layer)
	return must(t, img, err)
}

func TestOldAndNewFormsOfDockerSaveAreRead(t *testing.T) {
	layer, other := "layer one", "layer two"
	config := configFor(layer, other, layer)
	hex := audit.DigestOf([]byte(config)).Hex()
	manifest := func(config string, layers ...string) string {
		data, err := json.Marshal([]map[string]any{{"Config": config, "RepoTags": nil, "Layers": layers}})
		return string(must(t, data, err))
	}
	tests := map[string][]byte{
		"links between layers": tape(t, entry{name: hex + ".json", text: config}, entry{name: "a/", kind: tar.TypeDir}, entry{name: "a/layer.tar", text: layer},
			entry{name: "b/layer.tar", text: other}, entry{name: "c/layer.tar", link: "../a/layer.tar", kind: tar.TypeSymlink}, entry{name: "a/json", text: "{}"},
			entry{name: "manifest.json", text: manifest(hex+".json", "a/layer.tar", "b/layer.tar", "c/layer.tar")}, entry{name: "repositories", text: "{}"}),
		"hard links": tape(t, entry{name: hex + ".json", text: config}, entry{name: "a/layer.tar", text: layer}, entry{name: "b/layer.tar", text: other},
			entry{name: "c/layer.tar", link: "a/layer.tar", kind: tar.TypeLink}, entry{name: "manifest.json", text: manifest(hex+".json", "a/layer.tar", "b/layer.tar", "c/layer.tar")}),
		"a layout of blobs": tape(t, entry{name: "blobs/sha256/" + hex, text: config}, entry{name: "blobs/sha256/1", text: layer}, entry{name: "blobs/sha256/2", text: other},
			entry{name: "oci-layout", text: "{}"}, entry{name: "index.json", text: "{}"},
			entry{name: "manifest.json", text: manifest("blobs/sha256/"+hex, "blobs/sha256/1", "blobs/sha256/2", "blobs/sha256/1")}),
		"packed layers": tape(t, entry{name: hex + ".json", text: config}, entry{name: "1.tar.gz", text: string(zip(t, []byte(layer)))}, entry{name: "2.tar", text: other},
			entry{name: "manifest.json", text: manifest(hex+".json", "1.tar.gz", "2.tar", "1.tar.gz")}),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			base := write(t, map[string]string{"Box.tar": string(data)})
			opt := source.Options{At: assessedAt, TempDir: t.TempDir()}
			s, err := decode(t, "image: {ref: 'docker-archive:Box.tar'}", base, opt)
			must(t, s, err)
			inv, err := s.Inventory(t.Context())
			must(t, inv, err)
			a := inv.Artifacts[0]
			if a.ID != "image:sha256:"+hex || a.Config != audit.Digest("sha256:"+hex) || a.Name != "box" || a.Reference != "" || inv.Failures != nil || strings.Contains(fmt.Sprintf("%+v", inv), "canary") {
				t.Errorf("inventory %+v, want the untagged image by its configuration", inv)
			}
			target, err := s.Open(t.Context(), a)
			must(t, target, err)
			defer target.Done()
			again, err := read(t, "image: {ref: 'oci:"+target.Path+"'}", "/")
			if err != nil || again.Failures != nil || len(again.Artifacts) != 1 {
				t.Errorf("the layout holds %+v, %v", again, err)
			}
		})
	}
}

func TestABrokenArchiveOfDockerSaveGivesAClearReason(t *testing.T) {
	layer := "layer"
	config := configFor(layer)
	hex := audit.DigestOf([]byte(config)).Hex()
	conf := entry{name: hex + ".json", text: config}
	one := entry{name: "1.tar", text: layer}
	manifest := func(text string) entry { return entry{name: "manifest.json", text: text} }
	good := manifest(`[{"Config": "` + hex + `.json", "RepoTags": ["a/box:1.0.0"], "Layers": ["1.tar"]}]`)
	whole := tape(t, conf, one, good)
	loop := []entry{{name: "1.tar", link: "2.tar", kind: tar.TypeSymlink}, {name: "2.tar", link: "1.tar", kind: tar.TypeSymlink}}
	for _, tt := range []struct {
		name   string
		data   []byte
		want   string
		listed bool // as an artifact beside the failure
	}{
		{"nothing", nil, "it holds no manifest.json", false},
		{"cut off", whole[:600], "cut off or damaged", false},
		{"a layout", tape(t, entry{name: "oci-layout", text: "{}"}), "it is an archive of an OCI image layout; write oci-archive:FILE", false},
		{"half a manifest", tape(t, manifest(`[{"Config"`)), "manifest.json: unexpected end of JSON input", false},
		{"another manifest", tape(t, manifest(`{"Config": "x"}`)), "manifest.json: cannot unmarshal object", false},
		{"an empty manifest", tape(t, manifest(`[]`)), "manifest.json lists no image", false},
		{"too many images", tape(t, manifest(`[`+strings.Repeat(`{},`, 1000)+`{}]`)), "manifest.json lists more than 1000 images", false},
		{"no configuration", tape(t, one, good), `configuration "` + hex + `.json"`, true},
		{"another configuration", tape(t, entry{name: hex + ".json", text: configFor("x")}, one, good), "its contents do not match its digest", true},
		{"a configuration that is no JSON", tape(t, entry{name: hex + ".json", text: "text"}, one, good), "it is no JSON object", true},
		{"no layer", tape(t, conf, good), "layer 1 of 1: it is not there", true},
		{"another layer", tape(t, conf, entry{name: "1.tar", text: "other"}, good), "layer 1 of 1: its contents do not match the diff_id", true},
		{"a damaged packed layer", tape(t, conf, entry{name: "1.tar", text: "\x1f\x8bxxxx"}, good), "do not match the diff_id", true},
		{"fewer layers", tape(t, conf, one, manifest(`[{"Config": "`+hex+`.json", "RepoTags": ["a/box:1.0.0"], "Layers": []}]`)), "manifest.json lists 0 layers, the configuration 1", true},
		{"links in a circle", tape(t, append(loop, conf, good)...), "it is a link that leads more than 8 steps", true},
		{"a link to itself", tape(t, conf, good, entry{name: "1.tar", link: "1.tar", kind: tar.TypeSymlink}), "leads more than 8 steps", true},
		{"a link that leads out", tape(t, conf, good, entry{name: "1.tar", link: "../../etc/passwd", kind: tar.TypeSymlink}), `entry "1.tar" is a link that leads out of the archive`, false},
		{"an absolute link", tape(t, conf, good, entry{name: "1.tar", link: "/etc/passwd", kind: tar.TypeSymlink}), "leads out of the archive", false},
		{"a name that leads out", tape(t, conf, good, entry{name: "../1.tar", text: "x"}), "is no path inside the archive", false},
		{"a device", tape(t, conf, good, entry{name: "1.tar", kind: tar.TypeChar}), "is a link or device", false},
		{"an entry twice", tape(t, conf, one, one, good), `entry "1.tar" occurs twice`, false},
		{"a tag that is none", tape(t, conf, one, manifest(`[{"Config": "`+hex+`.json", "RepoTags": ["A\u001b b"], "Layers": ["1.tar"]}]`)), "tag: image reference", true},
		{"a tag twice", tape(t, conf, one, manifest(strings.Replace(good.text, "]}]", "]},"+good.text[1:], 1))), `"image:a/box:1.0.0" occurs twice`, true},
		{"a bomb in a layer", tape(t, conf, entry{name: "1.tar", text: string(zip(t, make([]byte, 80<<20)))}, good), "it unpacks to more than 100 times its size", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := write(t, map[string]string{"x.tar": string(tt.data)})
			inv, err := read(t, "image: {ref: 'docker-archive:x.tar'}", base)
			got := fmt.Sprint(err, reasons(inv))
			if !strings.Contains(got, tt.want) || (len(inv.Artifacts) > 0) != tt.listed || (err == nil) != tt.listed {
				t.Errorf("got %s, %d artifacts\nwant %s, listed %v", got, len(inv.Artifacts), tt.want, tt.listed)
			}
			if err != nil && !strings.Contains(err.Error(), `"docker-archive:x.tar"`) {
				t.Errorf("error %v does not name the file", err)
			}
		})
	}
}

func TestAnArchiveThatChangesWhileItIsReadIsRefused(t *testing.T) {
	layer := "layer"
	config := configFor(layer)
	hex := audit.DigestOf([]byte(config)).Hex()
	manifest := entry{name: "manifest.json", text: `[{"Config": "` + hex + `.json", "RepoTags": ["a/box:1.0.0"], "Layers": ["1.tar"]}]`}
	base := write(t, map[string]string{"x.tar": string(tape(t, entry{name: hex + ".json", text: config}, entry{name: "1.tar", text: layer}, manifest))})
	for name, after := range map[string][]byte{"another layer": tape(t, entry{name: "1.tar", text: "LAYER"}), "no layer": tape(t, manifest)} {
		opt := source.Options{At: assessedAt, TempDir: t.TempDir()}
		s, err := decode(t, "image: {ref: 'docker-archive:x.tar'}", base, opt)
		must(t, s, err)
		before, err := os.ReadFile(filepath.Join(base, "x.tar"))
		must(t, before, err)
		inv, err := s.Inventory(t.Context())
		must(t, inv, err)
		if err := os.WriteFile(filepath.Join(base, "x.tar"), after, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), inv.Artifacts[0]); err == nil || !strings.Contains(err.Error(), "the archive changed while it was read") {
			t.Errorf("%s: error = %v", name, err)
		}
		if left := files(t, opt.TempDir); left != nil {
			t.Errorf("%s: %v is left", name, left)
		}
		if err := os.WriteFile(filepath.Join(base, "x.tar"), before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The laws: each artifact is seen, IDs are unique, a configuration digest is that of bytes in the archive, and the order
// of the entries does not matter.
func FuzzDockerArchiveManifest(f *testing.F) {
	layer := "layer"
	config := configFor(layer)
	hex := audit.DigestOf([]byte(config)).Hex()
	f.Add(`[{"Config": "`+hex+`.json", "RepoTags": ["a/box:1.0.0", "a/box:2"], "Layers": ["1.tar"]}, {"Config": "c", "Layers": ["l"]}]`, config, "1.tar")
	f.Add(`[{"Config": "c", "RepoTags": null, "Layers": []}]`, `{"rootfs": {"diff_ids": []}}`, "c")
	f.Fuzz(func(t *testing.T, manifest, config, link string) {
		if strings.ContainsRune(link, 0) || len(link) > 90 {
			return
		}
		list := []entry{{name: "manifest.json", text: manifest}, {name: hex + ".json", text: config}, {name: "c", text: config}, {name: "1.tar", text: layer}, {name: "l", link: link, kind: tar.TypeSymlink}}
		back := []entry{list[4], list[3], list[2], list[1], list[0]}
		base := write(t, map[string]string{"x.tar": string(tape(t, list...)), "y/x.tar": string(tape(t, back...))})
		inv, err := read(t, "image: {ref: 'docker-archive:x.tar'}", base)
		other, otherErr := read(t, "image: {ref: 'docker-archive:x.tar'}", filepath.Join(base, "y"))
		if fmt.Sprint(err) != fmt.Sprint(otherErr) || !cmp.Equal(inv, other) {
			t.Fatalf("another order of entries gives %v, %v\n%s", err, otherErr, cmp.Diff(inv, other))
		}
		ids := map[string]bool{}
		for _, a := range inv.Artifacts {
			if ids[a.ID] || !a.Seen() || a.Digest != "" || a.Config != "" && a.Config != audit.DigestOf([]byte(config)) {
				t.Fatalf("artifact %+v", a)
			}
			ids[a.ID] = true
		}
	})
}
