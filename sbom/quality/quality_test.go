package quality

import (
	"reflect"
	"strings"
	"testing"
)

func TestADocumentThatStatesEverythingFulfilsEveryProfile(t *testing.T) {
	for _, id := range ProfileIDs() {
		r := checked(t, perfect(), id, Options{})
		if got := unsettled(r); !r.Fulfilled || got != "" {
			t.Errorf("%s: got fulfilled %v, open rows %q; want true and none", id, r.Fulfilled, got)
		}
		if r.Complete != 5 {
			t.Errorf("%s: got %d complete components, want 5", id, r.Complete)
		}
	}
}

func TestStrictDemandsTheFieldsOfFilesOfLogicalComponents(t *testing.T) {
	r := checked(t, perfect(), "bsi", Options{Strict: true})
	if want := "filename deployable-hash executable archive structured"; r.Fulfilled || unsettled(r) != want {
		t.Errorf("got %v, %q; want false, %q", r.Fulfilled, unsettled(r), want)
	}
	row := rowOf(t, r, "filename")
	if row.Applies != 2 || row.Fulfilled != 2 || row.StrictApplies != 3 || row.StrictFulfilled != 2 || r.StrictComplete != 4 {
		t.Errorf("got %+v, strictly complete %d; want 2 of 2, strictly 2 of 3, and 4", row, r.StrictComplete)
	}
}

// Each case breaks the perfect document in one way; want are the rows of the profile that find it.
func TestWhatIsMissingOrWrongIsFoundInItsRow(t *testing.T) {
	program := func(d object) object { return at(d, "components", 0, "components", 0) }
	property := func(d object, name, value string) {
		for _, p := range program(d)["properties"].(list) {
			if p.(object)["name"] == name {
				p.(object)["value"] = value
			}
		}
	}
	reference := func(d object, place int) object { return at(program(d), "externalReferences", place) }
	for _, c := range []struct {
		name    string
		profile string
		change  func(d object)
		want    string
		why     string
	}{
		{"CycloneDX 1.5 is too old", "bsi", func(d object) { d["specVersion"] = "1.5"; oneExpression(d) }, "format", "CycloneDX 1.5 is too old; write CycloneDX 1.6 or SPDX 3.0.1 at least"},
		{"no creator", "bsi", func(d object) { delete(at(d, "metadata"), "manufacturer") }, "sbom-creator", "no e-mail address or URL of its creator"},
		{"a creator by name only", "bsi", func(d object) { at(d, "metadata")["manufacturer"] = object{"name": "Example"} }, "sbom-creator", ""},
		{"a mail address that is none", "bsi", func(d object) {
			at(d, "metadata")["manufacturer"] = object{"contact": list{object{"email": "sbom at example"}}}
		}, "sbom-creator", ""},
		{"authors are no creator of the guideline", "bsi", func(d object) {
			delete(at(d, "metadata"), "manufacturer")
			at(d, "metadata")["authors"] = list{object{"email": "sbom@example.org"}}
		}, "sbom-creator", ""},
		{"authors are authors", "ntia", func(d object) {
			delete(at(d, "metadata"), "manufacturer")
			at(d, "metadata")["authors"] = list{object{"email": "sbom@example.org"}}
		}, "", ""},
		{"no author", "ntia", func(d object) { delete(at(d, "metadata"), "manufacturer") }, "author", ""},
		{"no timestamp", "bsi", func(d object) { delete(at(d, "metadata"), "timestamp") }, "timestamp", "no timestamp"},
		{"a timestamp in local time", "bsi", func(d object) { at(d, "metadata")["timestamp"] = "2026-11-24T10:00:00+01:00" }, "timestamp", "not in UTC"},
		{"local time is enough for NTIA", "ntia", func(d object) { at(d, "metadata")["timestamp"] = "2026-11-24T10:00:00+01:00" }, "", ""},
		{"a day is no timestamp", "cisa", func(d object) { at(d, "metadata")["timestamp"] = "2026-11-24" }, "timestamp", ""},
		{"a serial number that is none", "bsi", func(d object) { d["serialNumber"] = "urn:uuid:1" }, "sbom-uri", ""},
		{"no serial number", "bsi", func(d object) { delete(d, "serialNumber") }, "", ""},
		{"vulnerabilities", "bsi", func(d object) { d["vulnerabilities"] = list{object{"id": "CVE-2026-1"}} }, "no-vulnerabilities", "holds 1 vulnerability records; publish them apart, e.g. as CSAF"},
		{"an empty list of vulnerabilities", "bsi", func(d object) { d["vulnerabilities"] = list{} }, "", ""},
		{"no edges of the root", "bsi", func(d object) { at(d, "dependencies", 0)["dependsOn"] = list{} }, "root-dependencies reachable", ""},
		{"an edge to nothing", "bsi", func(d object) { at(d, "dependencies", 1)["dependsOn"] = list{"outside", "nowhere"} }, "references", "nowhere"},
		{"an entry of nothing", "bsi", func(d object) { d["dependencies"] = append(d["dependencies"].(list), object{"ref": "nobody"}) }, "references", "nobody"},
		{"an edge into another document", "bsi", func(d object) {
			at(d, "dependencies", 1)["dependsOn"] = list{"outside", "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#x"}
		}, "", ""},
		{"a BOM-Link that is none", "bsi", func(d object) { at(d, "dependencies", 1)["dependsOn"] = list{"outside", "urn:cdx:1"} }, "references", ""},
		{"a double edge", "bsi", func(d object) { at(d, "dependencies", 1)["dependsOn"] = list{"outside", "outside"} }, "unique", "edge stands twice: package -> outside"},
		{"a double entry", "bsi", func(d object) { d["dependencies"] = append(d["dependencies"].(list), object{"ref": "root"}) }, "unique", "two entries for: root"},
		{"a double bom-ref", "bsi", func(d object) { at(d, "components", 2)["bom-ref"] = "outside" }, "references unique", ""},
		{"null for a list", "bsi", func(d object) { program(d)["hashes"] = nil }, "unique", "no list, or null: hashes"},
		{"no file below a logical component", "bsi", func(d object) { moveUp(d) }, "files-listed", ""},
		{"another document below a logical component", "bsi", func(d object) {
			moveUp(d)
			at(d, "dependencies", 1)["dependsOn"] = list{"outside", "other"}
		}, "", ""},
		{"a supplier is no creator", "bsi", func(d object) {
			program(d)["supplier"] = program(d)["manufacturer"]
			delete(program(d), "manufacturer")
		}, "creator", "stands in supplier, author or publisher, not in manufacturer"},
		{"a manufacturer without address", "bsi", func(d object) { program(d)["manufacturer"] = object{"name": "Example"} }, "creator", "no valid e-mail address or URL"},
		{"a name that says nothing", "bsi", func(d object) { program(d)["name"] = "unknown" }, "name", ""},
		{"no version", "bsi", func(d object) { delete(program(d), "version") }, "version", "not stated"},
		{"a version that says nothing", "ntia", func(d object) { program(d)["version"] = "UNKNOWN" }, "version", ""},
		{"a file without version has its time", "bsi", func(d object) {
			program(d)["version"] = "2026-01-02T03:04:05Z"
			delete(program(d), "purl")
		}, "", ""},
		{"a version that is half a time", "bsi", func(d object) { program(d)["version"] = "2026-01-02 03:04:05" }, "version", "looks like a time and is no RFC 3339 date-time"},
		{"a file whose version is a word", "bsi", func(d object) {
			program(d)["version"] = "abc"
			delete(program(d), "purl")
		}, "version", ""},
		{"no filename", "bsi", func(d object) { property(d, propertyFilename, "") }, "filename", "the value is empty"},
		{"a path for a filename", "bsi", func(d object) { property(d, propertyFilename, "/bin/thing") }, "filename", "a path, not a name"},
		{"a property twice", "bsi", func(d object) {
			program(d)["properties"] = append(program(d)["properties"].(list), object{"name": propertyExecutable, "value": "executable"})
		}, "executable", "stands more than once"},
		{"maybe is no answer", "bsi", func(d object) { property(d, propertyExecutable, "maybe") }, "executable", ""},
		{"no-archive is written with a space", "bsi", func(d object) { property(d, propertyArchive, "no-archive") }, "archive", ""},
		{"structured is no yes", "bsi", func(d object) { property(d, propertyStructured, "true") }, "structured", ""},
		{"no entry of a leaf", "bsi", func(d object) { d["dependencies"] = d["dependencies"].(list)[:2] }, "dependencies", ""},
		{"no compositions", "bsi", func(d object) { delete(d, "compositions") }, "completeness", ""},
		{"no compositions are no known unknowns", "cisa", func(d object) { delete(d, "compositions") }, "unknowns", ""},
		{"an aggregate that says nothing", "bsi", func(d object) { at(d, "compositions", 0)["aggregate"] = "not_specified" }, "completeness", ""},
		{"a component apart from the tree", "bsi", func(d object) { at(d, "dependencies", 0)["dependsOn"] = list{"package"} }, "reachable", "not reached from the root"},
		{"a licence of which nobody says what it is", "bsi", func(d object) { delete(at(program(d), "licenses", 0), "acknowledgement") }, "distribution-licences", "not said whether concluded or declared"},
		{"a licence by name", "bsi", func(d object) {
			program(d)["licenses"] = list{object{"license": object{"name": "The MIT License", "acknowledgement": "concluded"}}}
		}, "distribution-licences", "no SPDX expression"},
		{"a licence by id", "bsi", func(d object) {
			program(d)["licenses"] = list{object{"license": object{"id": "MIT", "acknowledgement": "concluded"}}}
		}, "", ""},
		{"an expression that does not parse", "bsi", func(d object) { at(program(d), "licenses", 0)["expression"] = "MIT AND" }, "distribution-licences", ""},
		{"NOASSERTION is no licence", "bsi", func(d object) { at(program(d), "licenses", 0)["expression"] = "NOASSERTION" }, "distribution-licences", "NONE or NOASSERTION"},
		{"a LicenseRef of nobody's list", "bsi", func(d object) { at(program(d), "licenses", 0)["expression"] = "LicenseRef-mine" }, "distribution-licences", "LicenseRef that does not name its list"},
		{"a declared licence that does not parse", "bsi", func(d object) { at(program(d), "licenses", 1)["expression"] = "as is" }, "original-licences", ""},
		{"a licence by name is no id for CISA", "cisa", func(d object) {
			program(d)["licenses"] = list{object{"license": object{"name": "The MIT License"}}}
		}, "licence", ""},
		{"two expressions in 1.6", "bsi", func(d object) { d["specVersion"] = "1.6" }, "licence-form", "more than one expression, or expressions beside licences"},
		{"one expression in 1.6", "bsi", func(d object) { d["specVersion"] = "1.6"; oneExpression(d) }, "", ""},
		{"no hash of the deployable", "bsi", func(d object) { delete(reference(d, 0), "hashes") }, "deployable-hash", "only in hashes, not at the reference of type distribution"},
		{"a hash that is cut", "bsi", func(d object) {
			reference(d, 0)["hashes"] = list{object{"alg": "SHA-512", "content": sha512Hex[:64]}}
		}, "deployable-hash", "not 128 hexadecimal digits"},
		{"only SHA-256 of the deployable", "bsi", func(d object) {
			reference(d, 0)["hashes"] = list{object{"alg": "SHA-256", "content": sha512Hex[:64]}}
		}, "deployable-hash", "no SHA-512 among the hashes"},
		{"a hash of no hexadecimal digits", "cisa", func(d object) {
			delete(reference(d, 0), "hashes")
			program(d)["hashes"] = list{object{"alg": "SHA-256", "content": strings.Repeat("xy", 32)}}
		}, "hash", "length or digits do not fit the algorithm"},
		{"a word is no source URL", "bsi", func(d object) { reference(d, 1)["url"] = "debian" }, "source-uri", "no URL"},
		{"a word is no place", "bsi", func(d object) { reference(d, 0)["url"] = "bash.deb" }, "deployable-uri", "no URI"},
		{"a purl that carries the hash", "bsi", func(d object) { reference(d, 0)["url"] = "pkg:deb/debian/bash@5" }, "", ""},
		{"a purl that cannot be read", "bsi", func(d object) { program(d)["purl"] = "deb:bash" }, "identifiers", "purl cannot be read"},
		{"a CPE that cannot be read", "ntia", func(d object) { program(d)["cpe"] = "cpe:2.3:a:b" }, "identifiers", "CPE cannot be read"},
		{"a CPE", "ntia", func(d object) {
			delete(program(d), "purl")
			program(d)["cpe"] = `cpe:2.3:a:ex\:ample:thing:1.2.3:*:*:*:*:*:*:*`
		}, "", ""},
		{"a publisher is no supplier", "ntia", func(d object) {
			program(d)["publisher"] = "Example"
			delete(program(d), "manufacturer")
		}, "supplier", "only an author or publisher is named"},
		{"a supplier without name", "cisa", func(d object) {
			program(d)["supplier"] = object{"name": ""}
			delete(program(d), "manufacturer")
		}, "producer", "the name is empty"},
		{"no identifier", "cisa", func(d object) { delete(program(d), "purl") }, "identifiers", ""},
		{"no identifier, for which there need not be one", "bsi", func(d object) { delete(program(d), "purl") }, "", ""},
		{"optional fields are never demanded", "bsi", func(d object) { reference(d, 2)["url"] = "none" }, "", ""},
		{"a BOM-Link without version", "bsi", func(d object) {
			at(d, "components", 2, "externalReferences", 0)["url"] = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79"
		}, "bom-reference", ""},
		{"no tool", "cisa", func(d object) { delete(at(d, "metadata"), "tools") }, "tool", ""},
		{"no context", "cisa", func(d object) { delete(at(d, "metadata"), "lifecycles") }, "context", ""},
		{"no root", "ntia", func(d object) { delete(at(d, "metadata"), "component") }, "relationship", ""},
		{"no root, for the guideline", "bsi", func(d object) { delete(at(d, "metadata"), "component") }, "root root-dependencies references reachable", ""},
		{"a package that does not say that it is no file", "bsi", func(d object) { delete(at(d, "components", 0), "properties") },
			"filename deployable-hash executable archive structured", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := perfect()
			c.change(d)
			r := checked(t, d, c.profile, Options{})
			if got := unsettled(r); got != c.want || r.Fulfilled != (c.want == "") {
				t.Fatalf("got rows %q, fulfilled %v; want %q", got, r.Fulfilled, c.want)
			}
			if c.why != "" {
				if row := rowOf(t, r, strings.Fields(c.want)[0]); row.Missing[0].Why != c.why {
					t.Errorf("got reason %q, want %q", row.Missing[0].Why, c.why)
				}
			}
		})
	}
}

// oneExpression leaves each component the concluded licence only, as formats before 1.7 demand.
func oneExpression(v any) {
	switch v := v.(type) {
	case object:
		for key, value := range v {
			if l, ok := value.(list); ok && key == "licenses" {
				v[key] = l[:1]
			} else {
				oneExpression(value)
			}
		}
	case list:
		for _, value := range v {
			oneExpression(value)
		}
	}
}

// moveUp puts the file beside the logical component, below the root.
func moveUp(d object) {
	parent := at(d, "components", 0)
	d["components"] = append(d["components"].(list), parent["components"].(list)...)
	delete(parent, "components")
	root := at(d, "dependencies", 0)
	root["dependsOn"] = append(root["dependsOn"].(list), "program")
}

func TestAPurlIsNoPlaceWhereSomethingCanBeHad(t *testing.T) {
	for address, want := range map[string]int{"https://example.org/x": 2, "oci://registry.example.org/x": 2, "pkg:deb/debian/bash@5": 1, "file:///bin/bash": 1} {
		d := perfect()
		at(d, "components", 0, "components", 0, "externalReferences", 0)["url"] = address
		if row := rowOf(t, checked(t, d, "bsi", Options{}), "deployable-uri"); row.Fulfilled != want || row.Wrong != 0 {
			t.Errorf("%s: got %d fulfilled, %d wrong; want %d, 0", address, row.Fulfilled, row.Wrong, want)
		}
	}
}

func TestPackagesOfDistributionsAreLogicalWithoutSayingSo(t *testing.T) {
	for purl, want := range map[string]int{
		"pkg:deb/debian/bash@5": 0, "pkg:rpm/fedora/bash@5": 0, "pkg:apk/alpine/bash@5": 0, "pkg:pypi/bash@5": 1, "pkg:maven/a/bash@5": 1, "": 1,
	} {
		d := object{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list{object{"type": "library", "name": "bash", "purl": purl}}}
		if got := rowOf(t, checked(t, d, "bsi", Options{}), "filename").Applies; got != want {
			t.Errorf("purl %q: the filename is asked of %d components, want %d", purl, got, want)
		}
	}
}

func TestAFileIsNeverExcusedAsLogical(t *testing.T) {
	c := object{"type": "library", "name": "bash", "purl": "pkg:deb/debian/bash@5", "properties": list{object{"name": propertyFilename, "value": "bash.deb"}}}
	d := object{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list{c}}
	if got := rowOf(t, checked(t, d, "bsi", Options{}), "executable").Applies; got != 1 {
		t.Errorf("got %d components that need the property, want 1", got)
	}
}

func TestADocumentWithoutAnythingFulfilsNothing(t *testing.T) {
	for _, id := range ProfileIDs() {
		r := checked(t, object{"bomFormat": "CycloneDX", "specVersion": "1.7"}, id, Options{})
		if r.Fulfilled || r.Complete != 0 {
			t.Errorf("%s: got fulfilled %v, complete %d; want false, 0", id, r.Fulfilled, r.Complete)
		}
	}
}

func TestTheOrderOfKeysDoesNotMatter(t *testing.T) {
	d := perfect()
	delete(at(d, "components", 0, "components", 0), "licenses")
	keys := []string{"bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies", "compositions"}
	write := func(keys []string) string {
		var parts []string
		for _, k := range keys {
			parts = append(parts, `"`+k+`":`+string(marshal(t, d[k])))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	want := reportsOf(t, write(keys))
	for shift := range keys {
		turned := append(append([]string{}, keys[shift:]...), keys[:shift]...)
		for _, row := range reportsOf(t, write(turned)) {
			if !reflect.DeepEqual(unsettled(row), unsettled(reportOf(want, row.Profile))) || row.Complete != reportOf(want, row.Profile).Complete {
				t.Errorf("keys in order %v: got %q, %d; want %q, %d", turned, unsettled(row), row.Complete, unsettled(reportOf(want, row.Profile)), reportOf(want, row.Profile).Complete)
			}
		}
	}
}

func reportsOf(t testing.TB, text string) []Report {
	t.Helper()
	_, reports, err := Check(strings.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reports
}

func reportOf(reports []Report, profile string) Report {
	for _, r := range reports {
		if r.Profile == profile {
			return r
		}
	}
	return Report{}
}

func TestTheSameDocumentGivesTheSameReport(t *testing.T) {
	text := string(marshal(t, perfect()))
	if one, two := reportsOf(t, text), reportsOf(t, text); !reflect.DeepEqual(withoutRules(one), withoutRules(two)) {
		t.Errorf("got %+v and %+v, want the same", one, two)
	}
}

// withoutRules leaves out functions, which cannot be compared.
func withoutRules(reports []Report) []Report {
	for i := range reports {
		for j := range reports[i].Rows {
			r := &reports[i].Rows[j]
			r.Rule = Rule{ID: r.ID}
		}
	}
	return reports
}

func TestMissingComponentsAreNamedUpToALimitAndAllOnDemand(t *testing.T) {
	var components list
	for range 25 {
		components = append(components, object{"type": "library", "name": "x"})
	}
	d := object{"bomFormat": "CycloneDX", "specVersion": "1.7", "components": components}
	for names, want := range map[int]int{0: 10, 3: 3, -1: 25} {
		row := rowOf(t, checked(t, d, "ntia", Options{Names: names}), "version")
		if len(row.Missing) != want || row.Applies-row.Fulfilled != 25 {
			t.Errorf("names %d: got %d named of %d, want %d of 25", names, len(row.Missing), row.Applies-row.Fulfilled, want)
		}
	}
}

func TestAnUnknownProfileIsAnErrorThatNamesTheKnown(t *testing.T) {
	_, _, err := Check(strings.NewReader("{}"), Options{Profiles: []string{"iso"}})
	if err == nil || !strings.Contains(err.Error(), "bsi-tr-03183-2-v2.1, cisa-2025, ntia-2021") {
		t.Errorf("got %v, want an error with the known profiles", err)
	}
}

func TestEveryRuleNamesItsClauseAndHasAnIDOfItsOwn(t *testing.T) {
	for _, p := range Profiles() {
		seen := map[string]bool{}
		for _, r := range p.Rules {
			if r.Clause == "" || r.Field == "" || r.Want == "" || r.Level == "" || seen[r.ID] {
				t.Errorf("%s: rule %+v lacks something or stands twice", p.ID, r)
			}
			if (r.About == aboutDocument) != (r.document != nil || r.faults != nil) {
				t.Errorf("%s: rule %s does not say how it is measured", p.ID, r.ID)
			}
			seen[r.ID] = true
		}
	}
}

func TestNoStateHasMoreReasonsThanItsBitsHold(t *testing.T) {
	for f, reasons := range wrongs {
		if int(wrong)+len(reasons) > 16 {
			t.Errorf("field %d has %d reasons, want at most %d", f, len(reasons), 16-int(wrong))
		}
	}
}
