package sbom_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

func TestWhatIsWrittenIsReadBackEqual(t *testing.T) {
	want := keystonePackages()
	doc, err := sbom.ImageBOM(keystone(), want, options())
	if err != nil {
		t.Fatal(err)
	}
	got, meta, err := sbom.ReadCycloneDX(doc.Data)
	if err != nil {
		t.Fatal(err)
	}
	got.Artifact = want.Artifact
	again, err := sbom.ImageBOM(keystone(), got, options())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(doc.Data), string(again.Data)); diff != "" {
		t.Errorf("written, read and written again (-first +second):\n%s", diff)
	}
	sortByRef(*want.Components.Value)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	wantMeta := sbom.BOMMeta{Format: sbom.FormatCycloneDX, SpecVersion: "1.7", SerialNumber: doc.SerialNumber, Timestamp: assessedAt, Kind: sbom.KindImage, Name: "keystone",
		Version: "26.0.1", Reference: keystone().Reference, Digest: someDigest, Public: true}
	if diff := cmp.Diff(wantMeta, meta); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
}

func foreign(rest string) string {
	return `{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1` + rest + `}`
}

func TestADocumentOfAnotherToolIsReadForWhatItSays(t *testing.T) {
	data := foreign(`,
		"serialNumber": "urn:uuid:11111111-1111-4111-8111-111111111111",
		"metadata": {
			"timestamp": "2026-01-02T03:04:05+01:00",
			"tools": {"components": [{"type": "application", "name": "scanner", "version": "1.2"}]},
			"component": {"bom-ref": "root", "type": "container", "name": "registry.example/vendor/box:v2.1.0-alpine", "version": "` + someDigest + `"}
		},
		"components": [
			{"bom-ref": "b", "type": "library", "name": "openssl", "version": "3.0.1-1", "purl": "pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&upstream=openssl%403.0.1",
			 "supplier": {"name": "A Person <a.person@example.org>"}, "author": "A Person", "publisher": "A Person",
			 "licenses": [{"license": {"id": "Apache-2.0"}}, {"license": {"name": "Some Text"}}],
			 "externalReferences": [{"type": "website", "url": "javascript:alert(1)"}, {"type": "website", "url": "https://example.org/"}]},
			{"bom-ref": "a", "type": "library", "name": "click", "version": "8.0", "purl": "pkg:pypi/click@8.0", "licenses": [{"expression": "BSD-3-Clause"}],
			 "properties": [{"name": "syft:location:0:path", "value": "/usr/lib/click/METADATA"}],
			 "components": [{"type": "file", "name": "inner"}]},
			{"bom-ref": "os", "type": "operating-system", "name": "alpine", "version": "3.20"}
		],
		"dependencies": [{"ref": "root", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["b", "os", "nowhere"]}, {"ref": "b", "dependsOn": ["a"]}]`)
	got, meta, err := sbom.ReadCycloneDX([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	want := sbom.Packages{Schema: sbom.PackagesSchema, OS: "alpine 3.20", Tool: "scanner 1.2", Components: audit.Known([]sbom.Component{
		{Ref: "a", Type: "python", Name: "click", Version: "8.0", PURL: "pkg:pypi/click@8.0", DependsOn: []string{"b"},
			Licences: []sbom.LicenceClaim{{Value: "BSD-3-Clause", Provenance: "sbom"}}, Locations: []string{"/usr/lib/click/METADATA"}},
		{Ref: "b", Type: "deb", Name: "openssl", Version: "3.0.1-1", PURL: "pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&upstream=openssl%403.0.1",
			Arch: "amd64", Source: "openssl", SourceVersion: "3.0.1", Homepage: "https://example.org/", DependsOn: []string{"a"},
			Licences: []sbom.LicenceClaim{{Value: "Apache-2.0", Provenance: "sbom"}, {Value: "Some Text", Provenance: "sbom"}}},
		{Ref: "inner@", Type: "file", Name: "inner"},
	})}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if strings.Contains(fmt.Sprintf("%+v", got), "Person") {
		t.Error("the name of a person was taken over")
	}
	if meta.Kind != sbom.KindImage || meta.Digest != someDigest || meta.Name != "box" || meta.Version != "2.1.0" ||
		meta.Reference != "registry.example/vendor/box:v2.1.0-alpine" || meta.Timestamp.Format("15:04Z07:00") != "02:04Z" {
		t.Errorf("meta = %+v", meta)
	}
	if diff := cmp.Diff([]string{`"a" depends on "nowhere", which is not listed`}, meta.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestDoubleBomRefsAreBothKept(t *testing.T) {
	data := foreign(`, "components": [
		{"bom-ref": "x", "type": "library", "name": "one"}, {"bom-ref": "x", "type": "library", "name": "two"},
		{"bom-ref": "y", "type": "library", "name": "three"}, {"type": "library", "name": "four"}, {"type": "library", "name": "four"}],
		"dependencies": [{"ref": "y", "dependsOn": ["x"]}]`)
	got, meta, err := sbom.ReadCycloneDX([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, c := range *got.Components.Value {
		refs = append(refs, c.Name+" "+c.Ref+" "+strings.Join(c.DependsOn, ","))
	}
	want := []string{"four four@ ", "four four@#2 ", "one x ", "two x#2 ", "three y x,x#2"}
	if diff := cmp.Diff(want, refs); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`bom-ref "x" occurs more than once`}, meta.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestABrokenDocumentIsRefusedWithPlaceAndReason(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", "empty"},
		{"XML", `<?xml version="1.0"?>`, "XML"},
		{"SPDX 2", `{"spdxVersion": "SPDX-2.3"}`, "SPDX-2.3"},
		{"SPDX 3", `{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}`, "SPDX 3"},
		{"another object", `{"a": 1}`, `bomFormat is ""`},
		{"an old version", `{"bomFormat": "CycloneDX", "specVersion": "1.3"}`, `specVersion is "1.3"`},
		{"a future version", `{"bomFormat": "CycloneDX", "specVersion": "2.0"}`, `specVersion is "2.0"`},
		{"a list", `[]`, "no JSON object"},
		{"not UTF-8", "{\"a\": \"\xff\"}", "not UTF-8"},
		{"an end too early", foreign(`, "components": [{"type": "library"`)[:90], "ends too early"},
		{"a comma too many", "{\n\"a\": 1,\n}", "line 3"},
		{"two documents", foreign("") + "{}", "follows"},
		{"a key twice", "{\"bomFormat\": \"CycloneDX\",\n\"components\": [],\n\"components\": []}", `line 3: key "components" stands twice`},
		{"a key twice in another case", foreign(`, "components": [{"name": "a", "Name": "b"}]`), `key "Name" stands twice`},
		{"a wrong type", foreign(`, "components": {"name": "a"}`), "line 1: components"},
		{"deep nesting", foreign(`, "x": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), "nested more than 256 deep"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := sbom.ReadCycloneDX([]byte(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func FuzzACycloneDXDocumentReadAndWrittenReadsTheSame(f *testing.F) {
	doc, err := sbom.ImageBOM(keystone(), keystonePackages(), options())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc.Data)
	for i := range uint64(4) {
		doc, err := sbom.ImageBOM(keystone(), randomPackages(rand.New(rand.NewPCG(i, i))), options())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc.Data)
	}
	f.Add([]byte(foreign(`, "components": [{"bom-ref": "a", "type": "library", "name": "a", "properties": [{"name": "pegel:owned-by", "value": "b"}]},
		{"bom-ref": "b", "type": "library", "name": "b", "purl": "no purl <>", "properties": [{"name": "pegel:owned-by", "value": "a"}],
		 "components": [{"type": "file", "name": "f", "properties": [{"name": "pegel:file:path", "value": "f f"}]},
			{"type": "file", "name": "f", "properties": [{"name": "pegel:file:path", "value": "/<f f"}, {"name": "pegel:file:size", "value": "-1"}]}]}]`)))
	f.Add([]byte(foreign(`, "components": [{"bom-ref": "x", "type": "library", "name": "one", "purl": "pkg:pypi/one@1"}, {"bom-ref": "x", "type": "file", "name": ""}]`)))
	f.Add([]byte(foreign(`, "components": [{"type": "operating-system", "name": "a"}, {"type": "operating-system", "name": "a"}], "dependencies": [{"ref": "a", "dependsOn": ["a"]}]`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, _, err := sbom.ReadCycloneDX(data)
		if err != nil {
			return
		}
		root := sbom.Artifact{ID: "bom:root", Kind: sbom.KindBOM, Name: "r"}
		written, err := sbom.ImageBOM(root, first, sbom.BOMOptions{At: assessedAt})
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		validate(t, written.Data)
		second, _, err := sbom.ReadCycloneDX(written.Data)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, written.Data)
		}
		mine, _ := first.Components.Get()
		theirs, _ := second.Components.Get()
		if len(mine) != len(theirs) || len(first.Files) != len(second.Files) {
			t.Fatalf("%d components and %d files were written, %d and %d read", len(mine), len(first.Files), len(theirs), len(second.Files))
		}
		again, err := sbom.ImageBOM(root, second, sbom.BOMOptions{At: assessedAt})
		if err != nil || string(again.Data) != string(written.Data) {
			t.Fatalf("written again: %v (-first +second)\n%s", err, cmp.Diff(string(written.Data), string(again.Data)))
		}
	})
}

func BenchmarkReadCycloneDX(b *testing.B) {
	doc, err := sbom.ImageBOM(keystone(), manyPackages(3000), options())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := sbom.ReadCycloneDX(doc.Data); err != nil {
			b.Fatal(err)
		}
	}
}

func sortByRef(list []sbom.Component) {
	slices.SortFunc(list, func(x, y sbom.Component) int { return strings.Compare(x.Ref, y.Ref) })
}
