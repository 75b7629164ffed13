package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

const scsData = `---
images:
  # IaaS
  - digest: ` + keystoneDigest + `
    name: kolla/release/keystone
    registry: osism.harbor.regio.digital
    tag: 25.0.1.20240909
`

func TestAReleaseOfSCSOffersImagesByDigest(t *testing.T) {
	inv, err := read(t, "scs-release: {file: ./data.yaml}", write(t, map[string]string{"data.yaml": scsData}))
	if err != nil {
		t.Fatal(err)
	}
	const ref = "osism.harbor.regio.digital/kolla/release/keystone:25.0.1.20240909"
	want := sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: []sbom.Artifact{{ID: "image:" + keystoneDigest, Kind: sbom.KindImage, Name: "keystone", Reference: ref,
		Version: "25.0.1", Digest: keystoneDigest, Sightings: []sbom.Sighting{{Source: "scs-release", Where: "./data.yaml: images.keystone", Declared: true,
			State: sbom.StateOffered, Reference: ref, Digest: keystoneDigest,
			Origin: audit.Origin{Source: "scs-release", Path: "./data.yaml", Line: 4, Digest: audit.DigestOf([]byte(scsData)), At: assessedAt}}}}}}
	if diff := cmp.Diff(want, inv); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
}

func TestABrokenEntryOfAReleaseOfSCSCostsThatEntryOnly(t *testing.T) {
	for name, tt := range map[string]struct{ entry, reason, id string }{
		"no name":               {"{registry: r.example, tag: 1.0.0}", "line 8: an image is a mapping with registry, name, tag and digest", ""},
		"a text":                {"box", "line 8: an image is a mapping", ""},
		"a digest that is none": {"{name: box, registry: r.example, tag: 1.0.0, digest: sha256:1}", "line 8: digest of box is not sha256:", "image:r.example/box:1.0.0"},
		"no tag and no digest":  {"{name: box, registry: r.example}", "", "image:r.example/box"},
		"no registry":           {"{name: a/box, tag: 1.0.0}", "", "image:a/box:1.0.0"},
		"an odd name":           {"{name: BOX, tag: 1.0.0}", "line 8: image reference", "image:BOX:1.0.0"},
		"a name that is a list": {"{name: [a], tag: 1.0.0}", "line 8: an image is a mapping", ""},
	} {
		t.Run(name, func(t *testing.T) {
			inv, err := read(t, "scs-release: {file: data.yaml}", write(t, map[string]string{"data.yaml": scsData + "  - " + tt.entry + "\n"}))
			if err != nil {
				t.Fatal(err)
			}
			ids := map[string]bool{"": true}
			for _, a := range inv.Artifacts {
				ids[a.ID] = true
			}
			if !ids["image:"+keystoneDigest] || !ids[tt.id] {
				t.Errorf("artifacts = %v, want keystone and %q", ids, tt.id)
			}
			if tt.reason == "" && len(inv.Failures) > 0 || !contains(append(reasons(inv), ""), tt.reason) {
				t.Errorf("failures = %q, want one with %q", reasons(inv), tt.reason)
			}
		})
	}
}

func TestAFileThatIsNoReleaseOfSCSSaysWhy(t *testing.T) {
	for text, want := range map[string]string{
		"a: b\n":             "there is no list named images",
		"images: {}\n":       "line 1: images is no list",
		"images: [1\n":       "line",
		"":                   "the file is empty",
		"- a\n":              "no mapping",
		"images: [a]\n---\n": "something follows",
	} {
		_, err := read(t, "scs-release: {file: data.yaml}", write(t, map[string]string{"data.yaml": text}))
		if err == nil || !strings.Contains(err.Error(), `reading SCS release "data.yaml": `) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error = %v, want one with %s", text, err, want)
		}
	}
}

func FuzzAReleaseOfSCSOffersEachImageOnceInAnyOrder(f *testing.F) {
	f.Add("name: a\n    tag: 1.0.0", "digest: "+keystoneDigest+"\n    name: b")
	f.Add("x", "name: [a]")
	f.Fuzz(func(t *testing.T, a, b string) {
		dir := write(t, map[string]string{"1": "images:\n  - " + a + "\n  - " + b + "\n", "2": "images:\n  - " + b + "\n  - " + a + "\n"})
		one, first := read(t, "scs-release: {file: '1'}", dir)
		two, second := read(t, "scs-release: {file: '2'}", dir)
		if first != nil || second != nil {
			return
		}
		checkDeclared(t, one)
		checkDeclared(t, two)
		if strings.ContainsAny(a+b, "\n&*#|>") {
			return // what is one entry here may be another there
		}
		ids := func(inv sbom.Inventory) (out []string) {
			for _, a := range inv.Artifacts {
				out = append(out, a.ID)
			}
			return out
		}
		if diff := cmp.Diff(ids(one), ids(two)); diff != "" {
			t.Fatalf("the order matters:\n%s", diff)
		}
	})
}
