package quality

import (
	"strings"
	"testing"
)

const namespace = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79#"

// graph is a document of SPDX 3.0.1 that fulfils every profile: a logical package and a program below it.
func graph() object {
	kind := func(value string) list {
		return list{object{"type": "extension_CdxPropertiesExtension", "extension_cdxProperty": list{
			object{"type": "extension_CdxPropertyEntry", "extension_cdxPropName": propertyKind, "extension_cdxPropValue": value}}}}
	}
	hash := list{object{"type": "Hash", "algorithm": "sha512", "hashValue": sha512Hex}}
	pack := func(id, name string, more object) object {
		p := object{"type": "software_Package", "spdxId": namespace + id, "creationInfo": "_:c", "name": name, "software_packageVersion": "1.2.3",
			"software_packageUrl": "pkg:generic/" + name + "@1.2.3", "originatedBy": list{namespace + "maker"}}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	file := func(id, name string) object {
		return object{"type": "software_File", "spdxId": namespace + id, "creationInfo": "_:c", "name": name, "verifiedUsing": hash, "comment": "BSI TR-03183-2",
			"software_primaryPurpose": "file", "software_additionalPurpose": list{"executable", "firmware"}}
	}
	relate := func(from, kind, completeness string, to ...any) object {
		r := object{"type": "Relationship", "spdxId": namespace + "r/" + from + kind, "creationInfo": "_:c", "from": namespace + from, "relationshipType": kind, "to": to}
		if completeness != "" {
			r["completeness"] = completeness
		}
		return r
	}
	elements := list{
		object{"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2026-11-24T10:00:00Z", "createdBy": list{namespace + "maker"}, "createdUsing": list{namespace + "tool"}},
		object{"type": "Organization", "spdxId": namespace + "maker", "creationInfo": "_:c", "name": "Example",
			"externalIdentifier": list{object{"type": "ExternalIdentifier", "externalIdentifierType": "email", "identifier": "sbom@example.org"}}},
		object{"type": "Tool", "spdxId": namespace + "tool", "creationInfo": "_:c", "name": "maker"},
		object{"type": "SpdxDocument", "spdxId": namespace + "document", "creationInfo": "_:c", "rootElement": list{namespace + "sbom"}},
		object{"type": "software_Sbom", "spdxId": namespace + "sbom", "creationInfo": "_:c", "rootElement": list{namespace + "root"}, "software_sbomType": list{"analyzed"}},
		object{"type": "simplelicensing_LicenseExpression", "spdxId": namespace + "mit", "creationInfo": "_:c", "simplelicensing_licenseExpression": "MIT"},
		pack("root", "product", nil), file("root-file", "product.img"),
		pack("package", "thing", object{"extension": kind("logical")}),
		pack("program", "thing.bin", object{"extension": kind("file")}), file("program-file", "thing.bin"),
		pack("source", "thing-src", object{"software_primaryPurpose": "source"}),
		relate("root", "hasDistributionArtifact", "complete", namespace+"root-file"),
		relate("program", "hasDistributionArtifact", "complete", namespace+"program-file"),
		relate("root", "contains", "incomplete", namespace+"package"),
		relate("package", "contains", "incomplete", namespace+"program"),
		relate("package", "dependsOn", "complete", "https://spdx.org/rdf/3.0.1/terms/Core/NoneElement"),
		relate("program", "dependsOn", "noAssertion", "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"),
		relate("source", "generates", "noAssertion", namespace+"package", namespace+"program"),
	}
	for _, id := range []string{"root", "package", "program"} {
		elements = append(elements, relate(id, "hasConcludedLicense", "", namespace+"mit"), relate(id, "hasDeclaredLicense", "", "https://spdx.org/licenses/MIT"))
	}
	return object{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": elements}
}

// element finds an element of a graph.
func element(d object, id string) object {
	for _, e := range d["@graph"].(list) {
		if e.(object)["spdxId"] == namespace+id || e.(object)["@id"] == id {
			return e.(object)
		}
	}
	return nil
}

func TestAGraphThatStatesEverythingFulfilsEveryProfile(t *testing.T) {
	for _, id := range ProfileIDs() {
		r := checked(t, graph(), id, Options{})
		if got := unsettled(r); !r.Fulfilled || r.Complete != 3 {
			t.Errorf("%s: got fulfilled %v, open rows %q, %d complete; want true, none, 3", id, r.Fulfilled, got, r.Complete)
		}
	}
}

func TestWhatIsMissingInAGraphIsFoundInItsRow(t *testing.T) {
	for _, c := range []struct {
		name    string
		profile string
		change  func(d object)
		want    string
	}{
		{"SPDX 3.0.0 is too old", "bsi", func(d object) { element(d, "_:c")["specVersion"] = "3.0.0" }, "format"},
		{"a creator without address", "bsi", func(d object) { delete(element(d, "maker"), "externalIdentifier") }, "sbom-creator creator"},
		{"a creator by web address", "bsi", func(d object) {
			at(element(d, "maker"), "externalIdentifier", 0)["externalIdentifierType"] = "urlScheme"
			at(element(d, "maker"), "externalIdentifier", 0)["identifier"] = "https://example.org/"
		}, ""},
		{"who made it is not said", "bsi", func(d object) { delete(element(d, "program"), "originatedBy") }, "creator"},
		{"a supplier is no creator, and is one for NTIA", "ntia", func(d object) {
			element(d, "program")["suppliedBy"] = namespace + "maker"
			delete(element(d, "program"), "originatedBy")
		}, ""},
		{"no comment that explains the purposes", "bsi", func(d object) { delete(element(d, "program-file"), "comment") }, "archive"},
		{"neither container nor firmware", "bsi", func(d object) { element(d, "program-file")["software_additionalPurpose"] = list{"executable"} }, "structured"},
		{"container and firmware", "bsi", func(d object) {
			element(d, "program-file")["software_additionalPurpose"] = list{"executable", "container", "firmware"}
		}, "structured"},
		{"no SHA-512", "bsi", func(d object) {
			element(d, "program-file")["verifiedUsing"] = list{object{"type": "Hash", "algorithm": "sha256", "hashValue": sha512Hex[:64]}}
		}, "deployable-hash"},
		{"no file of a program", "bsi", func(d object) {
			element(d, "r/programhasDistributionArtifact")["relationshipType"] = "other"
		}, "creator version filename dependencies completeness reachable distribution-licences deployable-hash executable archive structured"},
		{"an expression that does not parse", "bsi", func(d object) { element(d, "mit")["simplelicensing_licenseExpression"] = "the MIT one" }, "distribution-licences"},
		{"no licence is said to be known", "bsi", func(d object) {
			element(d, "r/programhasConcludedLicense")["to"] = list{"https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"}
		}, "distribution-licences"},
		{"no completeness", "bsi", func(d object) {
			delete(element(d, "r/packagecontains"), "completeness")
			delete(element(d, "r/packagedependsOn"), "completeness")
		}, "completeness"},
		{"an edge to nothing", "bsi", func(d object) {
			element(d, "r/packagecontains")["to"] = list{namespace + "program", namespace + "nobody"}
		}, "references"},
		{"vulnerabilities", "bsi", func(d object) {
			d["@graph"] = append(d["@graph"].(list), object{"type": "security_Vulnerability", "spdxId": namespace + "cve"})
		}, "no-vulnerabilities"},
		{"no context", "cisa", func(d object) { delete(element(d, "sbom"), "software_sbomType") }, "context"},
		{"no tool", "cisa", func(d object) { delete(element(d, "_:c"), "createdUsing") }, "tool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := graph()
			c.change(d)
			got := unsettled(checked(t, d, c.profile, Options{}))
			if got != c.want {
				t.Errorf("got rows %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheOrderOfElementsDoesNotMatter(t *testing.T) {
	d := graph()
	want := checked(t, d, "bsi", Options{})
	elements := d["@graph"].(list)
	for i, j := 0, len(elements)-1; i < j; i, j = i+1, j-1 {
		elements[i], elements[j] = elements[j], elements[i]
	}
	if got := checked(t, d, "bsi", Options{}); unsettled(got) != unsettled(want) || got.Complete != want.Complete {
		t.Errorf("got %q, %d; want %q, %d", unsettled(got), got.Complete, unsettled(want), want.Complete)
	}
}

// older is a document of SPDX 2.3 as good as that version allows.
func older() object {
	pack := func(id, name string) object {
		return object{"SPDXID": "SPDXRef-" + id, "name": name, "versionInfo": "1.2.3", "supplier": "Organization: Example (sbom@example.org)", "packageFileName": name,
			"downloadLocation": "https://example.org/" + name, "licenseConcluded": "MIT", "licenseDeclared": "NOASSERTION",
			"checksums":    list{object{"algorithm": "SHA512", "checksumValue": sha512Hex}},
			"externalRefs": list{object{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:generic/" + name + "@1.2.3"}}}
	}
	return object{
		"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x", "documentNamespace": "https://example.org/x",
		"creationInfo":      object{"created": "2026-11-24T10:00:00Z", "creators": list{"Tool: maker-1", "Organization: Example (sbom@example.org)"}},
		"documentDescribes": list{"SPDXRef-root"},
		"packages":          list{pack("root", "product"), pack("thing", "thing")},
		"files":             list{object{"SPDXID": "SPDXRef-file", "fileName": "./a"}},
		"relationships": list{
			object{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-root"},
			object{"spdxElementId": "SPDXRef-thing", "relationshipType": "DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-root"},
			object{"spdxElementId": "SPDXRef-thing", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-file"},
			object{"spdxElementId": "SPDXRef-root", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "NOASSERTION"},
			object{"spdxElementId": "SPDXRef-thing", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "NONE"},
		},
	}
}

func TestSPDX2FulfilsNTIAAndLacksForTheGuidelineWhatItHasNoFieldFor(t *testing.T) {
	if r := checked(t, older(), "ntia", Options{}); !r.Fulfilled {
		t.Errorf("ntia: got open rows %q, want none", unsettled(r))
	}
	r := checked(t, older(), "bsi", Options{})
	if want := "format executable archive structured"; unsettled(r) != want {
		t.Errorf("bsi: got %q, want %q", unsettled(r), want)
	}
	for name, change := range map[string]func(d object){
		"supplier":     func(d object) { at(d, "packages", 1)["supplier"] = "NOASSERTION" },
		"identifiers":  func(d object) { delete(at(d, "packages", 1), "externalRefs") },
		"relationship": func(d object) { d["relationships"] = d["relationships"].(list)[:1] },
		"author":       func(d object) { at(d, "creationInfo")["creators"] = list{"Tool: maker-1"} },
		"version":      func(d object) { at(d, "packages", 1)["versionInfo"] = "NOASSERTION" },
	} {
		d := older()
		change(d)
		if got := unsettled(checked(t, d, "ntia", Options{})); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

func TestNamesOfPeopleAreNotKept(t *testing.T) {
	d := older()
	at(d, "creationInfo")["creators"] = list{"Person: Jane Canary (jane.canary@example.org)"}
	at(d, "packages", 1)["supplier"] = "Person: Jane Canary (jane.canary@example.org)"
	d2 := perfect()
	at(d2, "metadata")["authors"] = list{object{"name": "Jane Canary", "email": "jane.canary@example.org"}}
	at(d2, "components", 0)["authors"] = list{object{"name": "Jane Canary", "email": "jane.canary@example.org"}}
	at(d2, "components", 0)["author"] = "Jane Canary"
	for _, doc := range []object{d, d2} {
		document, reports, err := Check(strings.NewReader(string(marshal(t, doc))), Options{Names: -1, Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		r := Result{Schema: Schema, Files: []Checked{{File: "x", Document: document, Reports: reports}}}
		for _, text := range []string{Text(r, -1), string(marshal(t, r))} {
			if strings.Contains(strings.ToLower(text), "canary") {
				t.Errorf("got the name of a person in:\n%s", text)
			}
		}
	}
}
