package quality

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

type object = map[string]any
type list = []any

const (
	sha512Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	serial    = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"
)

// fileComponent is a component that states everything the guideline asks of a file.
func fileComponent(ref, name string) object {
	return object{
		"type": "file", "bom-ref": ref, "name": name, "version": "1.2.3", "purl": "pkg:generic/" + name + "@1.2.3",
		"manufacturer": object{"name": "Example", "url": list{"https://example.org/"}},
		"licenses": list{
			object{"expression": "MIT", "acknowledgement": "concluded"},
			object{"expression": "MIT OR LicenseRef-scancode-public-domain", "acknowledgement": "declared"},
		},
		"hashes": list{object{"alg": "SHA-512", "content": sha512Hex}},
		"externalReferences": list{
			object{"type": "distribution", "url": "https://example.org/" + name, "hashes": list{object{"alg": "SHA-512", "content": sha512Hex}}},
			object{"type": "source-distribution", "url": "https://example.org/src.tar.gz", "hashes": list{object{"alg": "SHA-256", "content": sha512Hex[:64]}}},
			object{"type": "rfc-9116", "url": "https://example.org/.well-known/security.txt"},
		},
		"properties": list{
			object{"name": propertyFilename, "value": name}, object{"name": propertyExecutable, "value": "executable"},
			object{"name": propertyArchive, "value": "no archive"}, object{"name": propertyStructured, "value": "unstructured"},
			object{"name": propertyEffective, "value": "MIT"},
		},
	}
}

// logicalComponent is a package that is no file; it states what is asked of such a component.
func logicalComponent(ref, name string) object {
	c := fileComponent(ref, name)
	c["type"] = "library"
	c["properties"] = list{object{"name": propertyKind, "value": "logical"}}
	delete(c, "externalReferences")
	delete(c, "hashes")
	return c
}

// perfect is a document that fulfils every profile: a root, a logical component with a file below it, one that is only
// identified and one that another document describes.
func perfect() object {
	return object{
		"bomFormat": "CycloneDX", "specVersion": "1.7", "serialNumber": serial, "version": 1,
		"metadata": object{
			"timestamp":    "2026-11-24T10:00:00Z",
			"lifecycles":   list{object{"phase": "post-build"}},
			"tools":        object{"components": list{object{"type": "application", "name": "maker", "version": "1"}}},
			"manufacturer": object{"name": "Example", "contact": list{object{"email": "sbom@example.org"}}},
			"component":    fileComponent("root", "product"),
		},
		"components": list{
			func() object {
				c := logicalComponent("package", "thing")
				c["components"] = list{fileComponent("program", "thing.bin")}
				return c
			}(),
			object{"type": "library", "bom-ref": "outside", "name": "libc", "version": "2.36", "isExternal": true, "purl": "pkg:deb/debian/libc6@2.36",
				"manufacturer": object{"name": "Example", "url": list{"https://example.org/"}}},
			object{"type": "application", "bom-ref": "other", "name": "other", "version": "1", "purl": "pkg:generic/other@1",
				"manufacturer":       object{"name": "Example", "url": list{"https://example.org/"}},
				"externalReferences": list{object{"type": "bom", "url": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1"}}},
		},
		"dependencies": list{
			object{"ref": "root", "dependsOn": list{"package", "other"}}, object{"ref": "package", "dependsOn": list{"outside"}}, object{"ref": "program"},
		},
		"compositions": list{
			object{"aggregate": "complete", "dependencies": list{"root", "package"}, "assemblies": list{"root"}},
			object{"aggregate": "unknown", "dependencies": list{"program", "outside", "other"}},
		},
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checked checks a document and returns the report of one profile.
func checked(t testing.TB, doc any, profile string, opt Options) Report {
	t.Helper()
	opt.Profiles = []string{profile}
	_, reports, err := Check(bytes.NewReader(marshal(t, doc)), opt)
	if err != nil {
		t.Fatal(err)
	}
	return reports[0]
}

// unsettled returns the ids of rows that find something, joined by spaces.
func unsettled(r Report) string {
	var ids []string
	for _, row := range r.Open() {
		ids = append(ids, row.ID)
	}
	return strings.Join(ids, " ")
}

func rowOf(t testing.TB, r Report, id string) Row {
	t.Helper()
	for _, row := range r.Rows {
		if row.ID == id {
			return row
		}
	}
	t.Fatalf("no row %q", id)
	return Row{}
}

// at walks to a part of a document: keys of objects and places in lists.
func at(v any, path ...any) object {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			v = v.(object)[key]
		case int:
			v = v.(list)[key]
		}
	}
	return v.(object)
}
