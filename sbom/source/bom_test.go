package source_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

func document(rest string) string {
	return `{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1` + rest + `}`
}

func TestAForeignSBOMIsAStatementAboutOneThing(t *testing.T) {
	serial := `, "serialNumber": "urn:uuid:11111111-1111-4111-8111-111111111111"`
	one := `, "components": [{"type": "library", "name": "a"}]`
	application := document(serial + `, "metadata": {"component": {"type": "application", "name": "tool", "version": "v1.2.3"}}` + one)
	tests := []struct {
		name, in string
		want     sbom.Artifact
	}{
		{"an image with its digest", document(serial + `, "metadata": {"component": {"type": "container", "name": "box", "version": "2.1.0", "purl": "pkg:oci/box@sha256%3A` +
			keystoneDigest[7:] + `?repository_url=registry.example/vendor/box&tag=2.1.0"}}` + one),
			sbom.Artifact{ID: "image:" + keystoneDigest, Kind: sbom.KindImage, Name: "box", Version: "2.1.0", Digest: keystoneDigest, Reference: "registry.example/vendor/box:2.1.0"}},
		{"an image by its tag", document(`, "metadata": {"component": {"type": "container", "name": "registry.example/vendor/box:latest"}}` + one),
			sbom.Artifact{ID: "image:registry.example/vendor/box:latest", Kind: sbom.KindImage, Name: "box", Reference: "registry.example/vendor/box:latest",
				Unpinned: "latest names whatever is newest"}},
		{"an application", application,
			sbom.Artifact{ID: "bom:" + string(audit.DigestOf([]byte(application))), Kind: sbom.KindBOM, Name: "tool", Version: "1.2.3"}},
		{"nothing about itself", document(one), sbom.Artifact{ID: "bom:" + string(audit.DigestOf([]byte(document(one)))), Kind: sbom.KindBOM, Name: "v.json"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := write(t, map[string]string{"v.json": tt.in})
			inv, err := read(t, "sbom: {file: v.json, tier: ops}", base)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			want.TierHint, want.HintRule = []string{"ops"}, "stack file: tier of the source"
			want.Sightings = []sbom.Sighting{{Source: "sbom", Where: "v.json, CycloneDX 1.6 with 1 components", Declared: true, State: sbom.StatePresent,
				Origin: audit.Origin{Source: "sbom", Path: "v.json", Digest: audit.DigestOf([]byte(tt.in)), At: assessedAt}}}
			if diff := cmp.Diff([]sbom.Artifact{want}, inv.Artifacts); diff != "" {
				t.Errorf("artifacts (-want +got):\n%s", diff)
			}
			s, err := decode(t, "sbom: {file: v.json}", base, source.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if target, err := s.Open(t.Context(), want); err != nil || target.Form != "sbom" || target.Path != filepath.Join(base, "v.json") {
				t.Errorf("target = %+v, %v", target, err)
			}
		})
	}
}

func TestAForeignSBOMInSPDXIsReadAsWell(t *testing.T) {
	for name, tt := range map[string]struct{ in, where, mediaType string }{
		"v.spdx.json": {`{"spdxVersion": "SPDX-2.3", "packages": [{"SPDXID": "a", "name": "a"}]}`, "v.spdx.json, SPDX 2.3 with 1 components", "application/spdx+json"},
		"v.spdx":      {"SPDXVersion: SPDX-2.2\nPackageName: a\nSPDXID: a\n", "v.spdx, SPDX 2.2 with 1 components", "text/spdx"},
		"v.json": {`{"@context": "x", "@graph": [{"type": "CreationInfo", "specVersion": "3.0.1"}, {"type": "software_Package", "spdxId": "a", "name": "a"}]}`,
			"v.json, SPDX 3.0.1 with 1 components", "application/spdx+json"},
	} {
		base := write(t, map[string]string{name: tt.in})
		opt := source.Options{At: assessedAt, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
			if b.MediaType != tt.mediaType {
				t.Errorf("%s: kept as %q, want %q", name, b.MediaType, tt.mediaType)
			}
			return audit.DigestOf(b.Data), nil
		}}
		s, err := decode(t, "sbom: {file: "+name+"}", base, opt)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := s.Inventory(t.Context())
		if err != nil || len(inv.Artifacts) != 1 || inv.Artifacts[0].Sightings[0].Where != tt.where {
			t.Errorf("inventory %+v, %v, want %s", inv, err, tt.where)
		}
	}
}

func TestFaultsOfAForeignSBOMAreListed(t *testing.T) {
	base := write(t, map[string]string{"v.json": document(`, "components": [{"bom-ref": "x", "type": "library", "name": "a"}, {"bom-ref": "x", "type": "library", "name": "b"}]`)})
	inv, err := read(t, "sbom: {file: v.json}", base)
	if err != nil {
		t.Fatal(err)
	}
	if got := reasons(inv); len(got) != 1 || !strings.Contains(got[0], `bom-ref "x" occurs more than once`) || inv.Failures[0].Settle == "" {
		t.Errorf("failures = %+v, want the double bom-ref with a remedy", inv.Failures)
	}
}

func TestTwoDocumentsWithOneSerialNumberAreTwoThings(t *testing.T) {
	serial := `, "serialNumber": "urn:uuid:11111111-1111-4111-8111-111111111111"`
	about := func(name string) string {
		return document(serial + `, "metadata": {"component": {"type": "application", "name": "` + name + `", "version": "1"}}, "components": [{"type": "library", "name": "a"}]`)
	}
	base := write(t, map[string]string{"a.json": about("prod-a"), "b.json": about("prod-b")})
	a, err := read(t, "sbom: {file: a.json}", base)
	if err != nil {
		t.Fatal(err)
	}
	b, err := read(t, "sbom: {file: b.json}", base)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(sbom.Merge(a, b).Artifacts); got != 2 {
		t.Errorf("got %d artifacts, want 2", got)
	}
}

func TestNoPathOfThisMachineIsShown(t *testing.T) {
	for _, entry := range []string{
		"osism: {release: /home/alice/rel}", "image: {ref: 'oci:/home/alice/img'}", "image: {ref: 'oci-archive:/home/alice/img.tar'}",
		"host: {root: /home/alice/root}", "sbom: {file: /home/alice/v.json}",
	} {
		s, err := decode(t, entry, "/", source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		inv, err := s.Inventory(t.Context())
		if err == nil {
			t.Errorf("%s: the path is there on this machine; the test needs one that is not", entry)
			continue
		}
		for _, text := range []string{s.Name(), err.Error(), fmt.Sprint(inv)} {
			if strings.Contains(text, "/home/alice") {
				t.Errorf("%s: %q shows the path", entry, text)
			}
		}
	}
}
