package sbom_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

// graphOf returns a document of SPDX 3 with the elements, one a line.
func graphOf(elements ...string) []byte {
	creation := `{"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2026-01-02T03:04:05Z", "createdBy": ["urn:x#p"], "createdUsing": ["urn:x#t"]}`
	return []byte("{\"@context\": \"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\", \"@graph\": [\n" + strings.Join(append([]string{creation}, elements...), ",\n") + "\n]}")
}

func TestEverythingThatIsReadOfAnSPDXGraphByOthers(t *testing.T) {
	in := graphOf(
		`{"type": "SpdxDocument", "spdxId": "urn:x#doc", "creationInfo": "_:c", "rootElement": ["urn:x#sbom"]}`,
		`{"type": "software_Sbom", "spdxId": "urn:x#sbom", "creationInfo": "_:c", "rootElement": ["urn:x#image"], "element": ["urn:x#a"]}`,
		`{"type": "Relationship", "spdxId": "urn:x#r1", "from": "urn:x#image", "to": ["urn:x#a", "urn:x#b"], "relationshipType": "contains", "completeness": "complete"}`,
		`{"type": "Relationship", "spdxId": "urn:x#r2", "from": "urn:x#a", "to": ["urn:x#b"], "relationshipType": "dependsOn", "completeness": "complete"}`,
		`{"type": "LifecycleScopedRelationship", "spdxId": "urn:x#r3", "from": "urn:x#a", "to": ["urn:x#c"], "relationshipType": "dependsOn", "completeness": "incomplete", "scope": "runtime"}`,
		`{"type": "Relationship", "spdxId": "urn:x#r4", "from": "urn:x#b", "to": ["https://spdx.org/rdf/3.0.1/terms/Core/NoneElement"], "relationshipType": "dependsOn", "completeness": "complete"}`,
		`{"type": "Relationship", "spdxId": "urn:x#r5", "from": "urn:x#c", "to": ["urn:x#a"], "relationshipType": "dependsOn"}`,
		`{"type": "Relationship", "spdxId": "urn:x#r6", "from": "urn:x#c", "to": ["urn:x#b"], "relationshipType": "dependsOn", "completeness": "complete"}`,
		`{"type": "Relationship", "spdxId": "urn:x#r7", "from": "urn:x#a", "to": ["urn:x#elf", "urn:x#readme"], "relationshipType": "contains"}`,
		`{"type": "Relationship", "spdxId": "urn:x#r8", "from": "urn:x#image", "to": ["urn:x#tar"], "relationshipType": "hasDistributionArtifact"}`,
		`{"type": "Relationship", "spdxId": "urn:x#r9", "from": "urn:x#src", "to": ["urn:x#a"], "relationshipType": "generates"}`,
		`{"type": "Relationship", "spdxId": "urn:x#l1", "from": "urn:x#a", "to": ["urn:x#set"], "relationshipType": "hasDeclaredLicense"}`,
		`{"type": "Relationship", "spdxId": "urn:x#l2", "from": "urn:x#b", "to": ["expandedlicensing_NoAssertionLicense"], "relationshipType": "hasConcludedLicense"}`,
		`{"type": "Relationship", "spdxId": "urn:x#l3", "from": "urn:x#c", "to": ["https://spdx.org/licenses/ISC"], "relationshipType": "hasConcludedLicense"}`,
		`{"type": "expandedlicensing_ConjunctiveLicenseSet", "spdxId": "urn:x#set", "expandedlicensing_member": ["urn:x#or", "urn:x#with", "urn:x#later"]}`,
		`{"type": "expandedlicensing_DisjunctiveLicenseSet", "spdxId": "urn:x#or", "expandedlicensing_member": ["https://spdx.org/licenses/MIT", "urn:x#custom"]}`,
		`{"type": "expandedlicensing_WithAdditionOperator", "spdxId": "urn:x#with", "expandedlicensing_subjectExtendableLicense": "https://spdx.org/licenses/GPL-2.0-only", "expandedlicensing_subjectAddition": "https://spdx.org/licenses/Classpath-exception-2.0"}`,
		`{"type": "expandedlicensing_OrLaterOperator", "spdxId": "urn:x#later", "expandedlicensing_subjectLicense": "https://spdx.org/licenses/MPL-1.1"}`,
		`{"type": "expandedlicensing_CustomLicense", "spdxId": "urn:x#custom", "name": "ACME"}`,
		`{"type": "software_Package", "spdxId": "urn:x#image", "name": "box", "software_primaryPurpose": "container", "software_packageVersion": "1.0"}`,
		`{"type": "software_Package", "spdxId": "urn:x#a", "name": "a", "software_packageVersion": "1", "software_packageUrl": "pkg:deb/debian/a@1?arch=amd64", "originatedBy": ["urn:x#p", "urn:x#org"], "verifiedUsing": [{"type": "PackageVerificationCode", "algorithm": "sha1", "hashValue": "x"}]}`,
		`{"type": "software_Package", "spdxId": "urn:x#b", "name": "b", "suppliedBy": "urn:x#p"}`,
		`{"type": "ai_AIPackage", "spdxId": "urn:x#c", "name": "c"}`,
		`{"type": "software_Package", "spdxId": "urn:x#src", "name": "aa", "software_packageVersion": "1-1", "software_primaryPurpose": "source"}`,
		`{"type": "software_File", "spdxId": "urn:x#elf", "name": "./usr/bin/a", "software_primaryPurpose": "executable", "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "`+strings.Repeat("AB", 32)+`"}, {"type": "Hash", "algorithm": "sha512", "hashValue": "short"}]}`,
		`{"type": "software_File", "spdxId": "urn:x#readme", "name": "./README", "software_primaryPurpose": "documentation"}`,
		`{"type": "software_File", "spdxId": "urn:x#tar", "name": "box.tar", "software_primaryPurpose": "archive", "verifiedUsing": [{"type": "Hash", "algorithm": "sha512", "hashValue": "`+strings.Repeat("cd", 64)+`"}]}`,
		`{"type": "Person", "spdxId": "urn:x#p", "name": "A Person"}`, `{"type": "Organization", "spdxId": "urn:x#org", "name": "ACME (Europe)"}`, `{"type": "Tool", "spdxId": "urn:x#t", "name": "scanner 1.2"}`,
		`{"type": "security_Vulnerability", "spdxId": "urn:x#v", "name": "not for an SBOM"}`,
	)
	got, meta, err := sbom.ReadSPDX(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []sbom.Component{
		{Ref: "urn:x#a", Type: "deb", Name: "a", Version: "1", PURL: "pkg:deb/debian/a@1?arch=amd64", Arch: "amd64", Source: "aa", SourceVersion: "1-1", Supplier: "ACME (Europe)",
			Licences:  []sbom.LicenceClaim{{Value: "(MIT OR ACME) AND (GPL-2.0-only WITH Classpath-exception-2.0) AND MPL-1.1+", Provenance: "sbom"}},
			DependsOn: []string{"urn:x#b", "urn:x#c"}, Dependencies: sbom.DependenciesIncomplete},
		{Ref: "urn:x#b", Type: "library", Name: "b", Dependencies: sbom.DependenciesComplete},
		{Ref: "urn:x#c", Type: "library", Name: "c", DependsOn: []string{"urn:x#a", "urn:x#b"}, Licences: []sbom.LicenceClaim{{Value: "ISC", Provenance: "sbom"}}},
		{Ref: "urn:x#src", Type: "library", Name: "aa", Version: "1-1"},
	}
	if diff := cmp.Diff(want, *got.Components.Value); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	files := []sbom.File{{Path: "/usr/bin/a", Owner: "urn:x#a", SHA256: strings.Repeat("ab", 32), Executable: true}}
	if diff := cmp.Diff(files, got.Files); diff != "" || got.SHA512 != strings.Repeat("cd", 64) || got.Tool != "scanner 1.2" || got.Depth != "" {
		t.Errorf("hash of the whole %q, tool %q, depth %q, files (-want +got):\n%s", got.SHA512, got.Tool, got.Depth, diff)
	}
	if meta.Name != "box" || meta.Kind != sbom.KindImage || meta.Notes != nil || meta.SerialNumber != "" {
		t.Errorf("meta = %+v", meta)
	}
}

func TestFaultsOfAnSPDXGraphAreNotedOrRefused(t *testing.T) {
	own := `"extension": [{"type": "extension_CdxPropertiesExtension", "extension_cdxProperty": [{"type": "extension_CdxPropertyEntry", "extension_cdxPropName": "pegel:package:type", "extension_cdxPropValue": "deb"},
		{"type": "extension_CdxPropertyEntry", "extension_cdxPropName": "pegel:owned-by", "extension_cdxPropValue": "gone"}, {"extension_cdxPropName": "pegel:licence:claim", "extension_cdxPropValue": "{"}, "urn:elsewhere"]}, "urn:elsewhere"]`
	got, meta, err := sbom.ReadSPDX(graphOf(
		`{"type": "software_Package", "spdxId": "urn:cdx:1", "name": "a", `+own+`}`,
		`{"type": "software_Package", "spdxId": "urn:x#b", "name": "b"}`, `{"type": "software_Package", "spdxId": "urn:x#b", "name": "b2"}`,
		`{"type": "software_File", "spdxId": "urn:x#f", "name": "x", "software_additionalPurpose": "archive"}`, `{"type": "software_File", "spdxId": "urn:x#g", "name": "/x", "software_primaryPurpose": "archive"}`))
	if err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, c := range *got.Components.Value {
		refs = append(refs, c.Ref+" "+c.OwnedBy)
	}
	if diff := cmp.Diff([]string{"a@ ", "urn:x#b ", "urn:x#b#2 "}, refs); diff != "" || len(got.Files) != 1 {
		t.Errorf("%d files, want one; components (-want +got):\n%s", len(got.Files), diff)
	}
	want := []string{`component "a@" is owned by "gone", which is not listed`, `file "/x" stands twice`, `identifier "urn:x#b" occurs more than once`}
	if diff := cmp.Diff(want, meta.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	for in, want := range map[string]string{
		`{"@context": "x", "@graph": {"type": "CreationInfo"}}`:                       "@graph is no list of elements",
		string(graphOf(`{"type": "software_Package", "spdxId": "urn:a", "name": 3}`)): "line 3: @graph.name holds a number",
		string(graphOf(`"urn:a"`)): "line 3: ",
		`{"@context": "x", "@graph": [{"type": "CreationInfo", "specVersion": "2.9"}]}`:                         `specVersion is "2.9"`,
		`{"@context": "x", "@graph": [{"type": "Tool", "creationInfo": {"specVersion": "3.0.0"}}, {"type": 1}]`: "ends too early",
	} {
		if _, _, err := sbom.ReadSPDX([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want one with %q", in, err, want)
		}
	}
	if _, meta, err := sbom.ReadSPDX([]byte(`{"@context": "x", "@graph": [{"type": "Tool", "creationInfo": {"type": "CreationInfo", "specVersion": "3.0.0", "created": "2026-01-02T03:04:05Z"}}]}`)); err != nil ||
		meta.SpecVersion != "3.0.0" || meta.Timestamp.IsZero() {
		t.Errorf("creation written in place: meta %+v, error %v", meta, err)
	}
}

func TestLicencesThatHoldEachOtherCostLittle(t *testing.T) {
	elements := []string{`{"type": "software_Package", "spdxId": "urn:p", "name": "p"}`,
		`{"type": "Relationship", "spdxId": "urn:r", "from": "urn:p", "to": ["urn:l0", "urn:circle"], "relationshipType": "hasDeclaredLicense"}`,
		`{"type": "expandedlicensing_ConjunctiveLicenseSet", "spdxId": "urn:circle", "expandedlicensing_member": ["urn:circle", "urn:circle"]}`}
	for i := range 64 { // each holds the next one twice: two to the power of 64 leaves
		elements = append(elements, fmt.Sprintf(`{"type": "expandedlicensing_ConjunctiveLicenseSet", "spdxId": "urn:l%d", "expandedlicensing_member": ["urn:l%d", "urn:l%d"]}`, i, i+1, i+1))
	}
	for i := range 2000 { // and many packages ask for it
		elements = append(elements, fmt.Sprintf(`{"type": "software_Package", "spdxId": "urn:p%d", "name": "p"}`, i),
			fmt.Sprintf(`{"type": "Relationship", "spdxId": "urn:r%d", "from": "urn:p%d", "to": ["urn:l30"], "relationshipType": "hasDeclaredLicense"}`, i, i))
	}
	start := time.Now()
	got, meta, err := sbom.ReadSPDX(graphOf(elements...))
	if err != nil || (*got.Components.Value)[0].Licences != nil || !strings.Contains(fmt.Sprint(meta.Notes), "licences hold each other") {
		t.Errorf("error %v, notes %q, licences %+v, want none and a note", err, meta.Notes, (*got.Components.Value)[0].Licences)
	}
	if spent := time.Since(start); spent > time.Minute {
		t.Errorf("reading took %s", spent)
	}
}
