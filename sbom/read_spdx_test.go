package sbom_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

func spdx(rest string) string {
	return `{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "dataLicense": "CC0-1.0", "name": "x"` + rest + `}`
}

const spdxCreation = `, "creationInfo": {"created": "2026-01-02T03:04:05Z", "creators": ["Tool: scanner-1.2", "Person: A Person (a.person@example.org)", "Organization: ACME"]}`

// The same stack of three packages in the three forms of SPDX.
func spdxForms() map[string]string {
	return map[string]string{
		"2.3 as JSON": spdx(spdxCreation + `,
	"documentDescribes": ["SPDXRef-Image"],
	"hasExtractedLicensingInfos": [{"licenseId": "LicenseRef-1", "name": "ACME Terms", "extractedText": "..."}],
	"packages": [
		{"SPDXID": "SPDXRef-Image", "name": "registry.example/vendor/box:v2.1.0-alpine", "versionInfo": "` + someDigest + `", "primaryPackagePurpose": "CONTAINER", "downloadLocation": "NOASSERTION"},
		{"SPDXID": "SPDXRef-os", "name": "alpine", "versionInfo": "3.20", "primaryPackagePurpose": "OPERATING-SYSTEM"},
		{"SPDXID": "SPDXRef-b", "name": "libssl3", "versionInfo": "3.0.1-1", "supplier": "Organization: Debian (debian@example.org)", "licenseDeclared": "Apache-2.0", "licenseConcluded": "LicenseRef-1",
		 "homepage": "https://example.org/", "externalRefs": [
			{"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*"},
			{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&upstream=openssl%403.0.1"}]},
		{"SPDXID": "SPDXRef-a", "name": "click", "versionInfo": "8.0", "supplier": "Person: A Person (a.person@example.org)", "licenseDeclared": "BSD-3-Clause", "licenseConcluded": "NOASSERTION",
		 "homepage": "NOASSERTION", "externalRefs": [{"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "pkg:pypi/click@8.0"}]}],
	"files": [{"SPDXID": "SPDXRef-File", "fileName": "./x"}],
	"relationships": [
		{"spdxElementId": "SPDXRef-Image", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "CONTAINS"},
		{"spdxElementId": "SPDXRef-a", "relatedSpdxElement": "SPDXRef-b", "relationshipType": "DEPENDS_ON"},
		{"spdxElementId": "SPDXRef-b", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "TEST_DEPENDENCY_OF"},
		{"spdxElementId": "SPDXRef-a", "relatedSpdxElement": "SPDXRef-File", "relationshipType": "CONTAINS"}]`),
		"2.3 as tags": `# made by hand
SPDXVersion: SPDX-2.3
SPDXID: SPDXRef-DOCUMENT
Creator: Tool: scanner-1.2
Creator: Person: A Person (a.person@example.org)
Created: 2026-01-02T03:04:05Z
DocumentComment: <text>several
lines: of text
</text>
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-Image

PackageName: registry.example/vendor/box:v2.1.0-alpine
SPDXID: SPDXRef-Image
PackageVersion: ` + someDigest + `
PrimaryPackagePurpose: CONTAINER

PackageName: alpine
SPDXID: SPDXRef-os
PackageVersion: 3.20
PrimaryPackagePurpose: OPERATING-SYSTEM

PackageName: libssl3
SPDXID: SPDXRef-b
PackageVersion: 3.0.1-1
PackageSupplier: Organization: Debian (debian@example.org)
PackageHomePage: https://example.org/
PackageLicenseDeclared: Apache-2.0
PackageLicenseConcluded: LicenseRef-1
ExternalRef: SECURITY cpe23Type cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*
ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&upstream=openssl%403.0.1

PackageName: click
SPDXID: SPDXRef-a
PackageVersion: 8.0
PackageSupplier: Person: A Person (a.person@example.org)
PackageLicenseDeclared: BSD-3-Clause
PackageLicenseConcluded: NOASSERTION
ExternalRef: PACKAGE-MANAGER purl pkg:pypi/click@8.0
Relationship: SPDXRef-b DEPENDENCY_OF SPDXRef-a

FileName: ./x
SPDXID: SPDXRef-File
LicenseConcluded: MIT

LicenseID: LicenseRef-1
LicenseName: ACME Terms
`,
		"3.0 as a graph": `{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
	{"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2026-01-02T03:04:05Z", "createdBy": ["urn:p"], "createdUsing": ["urn:t"]},
	{"type": "Person", "spdxId": "urn:p", "name": "A Person"}, {"type": "Tool", "spdxId": "urn:t", "name": "scanner-1.2"}, {"type": "Organization", "spdxId": "urn:o", "name": "Debian"},
	{"type": "SpdxDocument", "spdxId": "urn:d", "rootElement": ["urn:s"]}, {"type": "software_Sbom", "spdxId": "urn:s", "rootElement": ["SPDXRef-Image"]},
	{"type": "software_Package", "spdxId": "SPDXRef-Image", "name": "registry.example/vendor/box:v2.1.0-alpine", "software_packageVersion": "` + someDigest + `", "software_primaryPurpose": "container"},
	{"type": "software_Package", "spdxId": "SPDXRef-os", "name": "alpine", "software_packageVersion": "3.20", "software_primaryPurpose": "operatingSystem"},
	{"type": "software_Package", "spdxId": "SPDXRef-b", "name": "libssl3", "software_packageVersion": "3.0.1-1", "suppliedBy": "urn:o", "software_homePage": "https://example.org/",
	 "software_packageUrl": "pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&upstream=openssl%403.0.1",
	 "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "cpe23", "identifier": "cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*"}]},
	{"type": "software_Package", "spdxId": "SPDXRef-a", "name": "click", "software_packageVersion": "8.0", "suppliedBy": ["urn:p"],
	 "externalIdentifier": [{"externalIdentifierType": "packageUrl", "identifier": "pkg:pypi/click@8.0"}]},
	{"type": "simplelicensing_LicenseExpression", "spdxId": "urn:l", "simplelicensing_licenseExpression": "BSD-3-Clause"},
	{"type": "expandedlicensing_CustomLicense", "spdxId": "urn:acme", "name": "ACME Terms"},
	{"type": "Relationship", "spdxId": "urn:r1", "from": "SPDXRef-a", "to": ["urn:l"], "relationshipType": "hasDeclaredLicense"},
	{"type": "Relationship", "spdxId": "urn:r2", "from": "SPDXRef-b", "to": "https://spdx.org/licenses/Apache-2.0", "relationshipType": "hasDeclaredLicense"},
	{"type": "Relationship", "spdxId": "urn:r3", "from": "SPDXRef-b", "to": ["urn:acme"], "relationshipType": "hasConcludedLicense"},
	{"type": "Relationship", "spdxId": "urn:r4", "from": "SPDXRef-a", "to": ["https://spdx.org/rdf/3.0.1/terms/Licensing/NoAssertionLicense"], "relationshipType": "hasConcludedLicense"},
	{"type": "LifecycleScopedRelationship", "spdxId": "urn:r5", "from": "SPDXRef-a", "to": ["SPDXRef-b"], "relationshipType": "dependsOn", "scope": "runtime"}]}`,
	}
}

func TestThreeFormsOfSPDXSayTheSame(t *testing.T) {
	want := sbom.Packages{Schema: sbom.PackagesSchema, OS: "alpine 3.20", Tool: "scanner-1.2", Components: audit.Known([]sbom.Component{
		{Ref: "SPDXRef-a", Type: "python", Name: "click", Version: "8.0", PURL: "pkg:pypi/click@8.0", DependsOn: []string{"SPDXRef-b"},
			Licences: []sbom.LicenceClaim{{Value: "BSD-3-Clause", Provenance: "sbom"}}},
		{Ref: "SPDXRef-b", Type: "deb", Name: "libssl3", Version: "3.0.1-1", PURL: "pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&upstream=openssl%403.0.1",
			Arch: "amd64", Source: "openssl", SourceVersion: "3.0.1", Supplier: "Debian", Homepage: "https://example.org/", CPE: "cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*",
			Licences: []sbom.LicenceClaim{{Value: "ACME Terms", Provenance: "sbom"}, {Value: "Apache-2.0", Provenance: "sbom"}}},
	})}
	for name, in := range spdxForms() {
		t.Run(name, func(t *testing.T) {
			got, meta, err := sbom.ReadDocument([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
			version, _, _ := strings.Cut(name, " ")
			if meta.Format != sbom.FormatSPDX || !strings.HasPrefix(meta.SpecVersion, version) || meta.Kind != sbom.KindImage || meta.Digest != someDigest || meta.Name != "box" ||
				meta.Version != "2.1.0" || meta.Reference != "registry.example/vendor/box:v2.1.0-alpine" || meta.Timestamp.Format("15:04") != "03:04" || meta.Notes != nil {
				t.Errorf("meta = %+v", meta)
			}
			if all := fmt.Sprintf("%+v %+v", got, meta); strings.Contains(all, "Person") || strings.Contains(all, "@example.org") {
				t.Error("the name or address of a person was taken over")
			}
		})
	}
}

func TestFaultsOfAnSPDXDocumentAreNoted(t *testing.T) {
	got, meta, err := sbom.ReadSPDX([]byte(spdx(`, "packages": [{"SPDXID": "x", "name": "one"}, {"SPDXID": "x", "name": "two"}, {"name": "three"}, {"name": "three"},
		{"SPDXID": "y", "name": "four", "externalRefs": [{"referenceType": "purl", "referenceLocator": "no purl"}]}],
		"relationships": [{"spdxElementId": "y", "relatedSpdxElement": "x", "relationshipType": "DEPENDS_ON"},
		{"spdxElementId": "y", "relatedSpdxElement": "SPDXRef-Package-gone", "relationshipType": "DEPENDS_ON"}]`)))
	if err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, c := range *got.Components.Value {
		refs = append(refs, c.Name+" "+c.Ref+" "+strings.Join(c.DependsOn, ","))
	}
	if diff := cmp.Diff([]string{"three three@ ", "three three@#2 ", "one x ", "two x#2 ", "four y x,x#2"}, refs); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	want := []string{`"y" depends on "SPDXRef-Package-gone", which is not listed`, `identifier "x" occurs more than once`, `package "four": purl "no purl" cannot be read`}
	if diff := cmp.Diff(want, meta.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestADocumentThatDescribesSeveralPackagesHasNoRoot(t *testing.T) {
	got, meta, err := sbom.ReadSPDX([]byte(spdx(`, "documentDescribes": ["a", "b"], "packages": [{"SPDXID": "a", "name": "one"}, {"SPDXID": "b", "name": "two"}]`)))
	if err != nil || len(*got.Components.Value) != 2 || meta.Name != "" || meta.Kind != sbom.KindBOM {
		t.Errorf("packages %+v, meta %+v, error %v, want two components and no root", got, meta, err)
	}
}

func TestABrokenSPDXDocumentIsRefusedWithPlaceAndReason(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", "neither SPDX JSON nor SPDX tag-value"},
		{"XML", `<rdf:RDF/>`, "this is XML; convert it to SPDX JSON"},
		{"an old version", `{"spdxVersion": "SPDX-2.1"}`, `spdxVersion is "SPDX-2.1"`},
		{"CycloneDX", `{"bomFormat": "CycloneDX", "specVersion": "1.6"}`, `spdxVersion is ""`},
		{"another graph", `{"@context": "https://schema.org", "@graph": []}`, `specVersion is "", want a version 3`},
		{"not UTF-8", "{\"a\": \"\xff\"}", "not UTF-8"},
		{"tags that are not UTF-8", "SPDXVersion: \xff", "not UTF-8"},
		{"an end too early", spdx(`, "packages": [{"name": "a"`)[:110], "ends too early"},
		{"two documents", spdx("") + "{}", "follows"},
		{"a key twice", spdx(`, "packages": [], "packages": []`), `key "packages" stands twice`},
		{"a wrong type", spdx(`, "packages": {"name": "a"}`), "line 1: packages"},
		{"a wrong type in a graph", `{"@context": "x", "@graph": [{"type": 3}]}`, "line 1: @graph.type"},
		{"deep nesting", spdx(`, "x": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), "nested more than 256 deep"},
		{"a line that is no tag", "SPDXVersion: SPDX-2.3\nhello", "line 2: this is no tag and value"},
		{"a text without an end", "SPDXVersion: SPDX-2.3\nDocumentComment: <text>x\ny", "line 2: a text has no end"},
		{"a relationship of two", "SPDXVersion: SPDX-2.3\nRelationship: a DEPENDS_ON", "line 2: a relationship is"},
		{"a reference of two", "SPDXVersion: SPDX-2.3\nPackageName: a\nExternalRef: a b", "line 3: an external reference is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := sbom.ReadSPDX([]byte(tt.in))
			if err == nil || !strings.Contains(err.Error(), "reading SPDX: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestTheFormatOfADocumentIsFoundByItsKeys(t *testing.T) {
	for in, want := range map[string]string{
		`{"x": {"spdxVersion": [1, {"a": "b"}]}, "bomFormat": "CycloneDX", "specVersion": "1.3"}`: "reading CycloneDX: specVersion",
		`{"x": [{}], "spdxVersion": "SPDX-9"}`:                                                    "reading SPDX: spdxVersion",
		`{"@graph": [], "@context": "x"}`:                                                         "reading SPDX: specVersion",
		`# comment` + "\n\n" + `SPDXVersion: SPDX-9`:                                              "reading SPDX: spdxVersion",
		`text`:                               "reading CycloneDX: this is no JSON object",
		`{"x": ` + strings.Repeat("[", 1000): "reading CycloneDX: line 1: nested",
		`{"x": 1, "spdxVersion": "SPDX-2.3", "packages": [], "y": 1, }`: "reading SPDX: line 1",
	} {
		if _, _, err := sbom.ReadDocument([]byte(in)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60s: error = %v, want one that begins with %s", in, err, want)
		}
	}
}

func FuzzSPDX(f *testing.F) {
	for _, in := range spdxForms() {
		f.Add([]byte(in))
	}
	var own bytes.Buffer
	if _, err := sbom.WriteImageSPDX(&own, keystone(), fullPackages(), options()); err != nil {
		f.Fatal(err)
	}
	f.Add(own.Bytes())
	f.Add([]byte(spdx(`, "packages": [{"SPDXID": "x", "name": "one"}, {"SPDXID": "x", "name": "", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/one@1"}]}]`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, _, err := sbom.ReadSPDX(data)
		if err != nil {
			return
		}
		if _, known := first.Components.Get(); !known {
			return
		}
		refs := map[string]bool{}
		for _, c := range *first.Components.Value {
			if refs[c.Ref] {
				t.Fatalf("ref %q occurs twice", c.Ref)
			}
			refs[c.Ref] = true
		}
		written, err := sbom.ImageBOM(sbom.Artifact{ID: "bom:root", Kind: sbom.KindBOM, Name: "r"}, first, sbom.BOMOptions{At: assessedAt})
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		second, _, err := sbom.ReadCycloneDX(written.Data)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, written.Data)
		}
		if len(*second.Components.Value) != len(*first.Components.Value) {
			t.Fatalf("%d components were written, %d read", len(*first.Components.Value), len(*second.Components.Value))
		}
		once := againSPDX(t, first)
		if diff := cmp.Diff(once, againSPDX(t, once)); diff != "" || len(*once.Components.Value) != len(*first.Components.Value) || len(once.Files) != len(first.Files) {
			t.Fatalf("%d components and %d files were written as SPDX, %d and %d read; a second time they differ:\n%s",
				len(*first.Components.Value), len(first.Files), len(*once.Components.Value), len(once.Files), diff)
		}
	})
}

// againSPDX writes packages as SPDX and reads them back.
func againSPDX(t *testing.T, p sbom.Packages) sbom.Packages {
	t.Helper()
	var out bytes.Buffer
	if _, err := sbom.WriteImageSPDX(&out, sbom.Artifact{ID: "bom:root", Kind: sbom.KindBOM, Name: "r"}, p, sbom.BOMOptions{At: assessedAt}); err != nil {
		t.Fatalf("what was read cannot be written as SPDX: %v", err)
	}
	got, _, err := sbom.ReadSPDX(out.Bytes())
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, out.Bytes())
	}
	return got
}

func BenchmarkReadSPDX(b *testing.B) {
	var packages, relations []string
	for i := range 3000 {
		packages = append(packages, fmt.Sprintf(`{"SPDXID": "SPDXRef-%d", "name": "p%d", "versionInfo": "1.%d", "licenseDeclared": "MIT", "licenseConcluded": "NOASSERTION",
			"externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/p%d@1.%d?arch=amd64"}]}`, i, i, i, i, i))
		relations = append(relations, fmt.Sprintf(`{"spdxElementId": "SPDXRef-%d", "relatedSpdxElement": "SPDXRef-%d", "relationshipType": "DEPENDS_ON"}`, i, (i*7)%3000))
	}
	data := []byte(spdx(`, "packages": [` + strings.Join(packages, ",") + `], "relationships": [` + strings.Join(relations, ",") + `]`))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := sbom.ReadSPDX(data); err != nil {
			b.Fatal(err)
		}
	}
}
