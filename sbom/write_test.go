package sbom_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

var assessedAt = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

// cyclonedxSchemas compiles the schemas of CycloneDX that the module cyclonedx-go carries, by version. The module lacks
// cryptography-defs.schema.json; nothing here writes cryptography, so a schema that accepts no value stands in.
var cyclonedxSchemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		return nil, fmt.Errorf("asking go for the folder of cyclonedx-go: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const base = "http://cyclonedx.org/schema/"
	for name, file := range map[string]string{
		"bom-1.7.schema.json": "bom-1.7.schema.json", "bom-1.6.schema.json": "bom-1.6.schema.json",
		"spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", file))
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if err := c.AddResource(base+name, doc); err != nil {
			return nil, err
		}
	}
	nothing := map[string]any{"definitions": map[string]any{"algorithmFamiliesEnum": false, "ellipticCurvesEnum": false}}
	if err := c.AddResource(base+"cryptography-defs.schema.json", nothing); err != nil {
		return nil, err
	}
	out := map[string]*jsonschema.Schema{}
	for _, version := range []string{sbom.CycloneDX16, sbom.CycloneDX17} {
		if out[version], err = c.Compile(base + "bom-" + version + ".schema.json"); err != nil {
			return nil, err
		}
	}
	return out, nil
})

// validate checks a document against the schema of the version that it names, and for what schemas do not say.
func validate(t *testing.T, data []byte) {
	t.Helper()
	schemas, err := cyclonedxSchemas()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the schema of CycloneDX is not at hand: ", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	version, _ := doc.(map[string]any)["specVersion"].(string)
	schema := schemas[version]
	if schema == nil {
		t.Fatalf("there is no schema for version %q", version)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("the document breaks the schema of CycloneDX %s: %v\n%s", version, err, data)
	}
	if holdsNull(doc) {
		t.Errorf("the document holds a null:\n%s", data)
	}
}

func holdsNull(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(v, holdsNull)
	case map[string]any:
		for _, below := range v {
			if holdsNull(below) {
				return true
			}
		}
	}
	return false
}

func judge(c sbom.Component) sbom.Licensing {
	if len(c.Licences) == 0 {
		return sbom.Licensing{Class: "unknown"}
	}
	return sbom.Licensing{Declared: "GPL-2.0-or-later", Concluded: "GPL-2.0-or-later WITH Classpath-exception-2.0", Class: "osi"}
}

func options() sbom.BOMOptions {
	return sbom.BOMOptions{At: assessedAt, ToolVersion: "0.1.0", Creator: "Example GmbH", CreatorURL: "https://example.org", Licences: judge}
}

func keystone() sbom.Artifact {
	return sbom.Artifact{
		ID: "image:" + someDigest, Kind: sbom.KindImage, Name: "keystone", Version: "26.0.1", Digest: someDigest,
		Reference: "registry.osism.tech/kolla/release/keystone:26.0.1.20250408", Platform: "linux/amd64",
		Tiers: []string{"functional", "iam"}, Area: "iaas", Service: "keystone", Placed: "catalogue image rule",
		Sightings: []sbom.Sighting{{Source: "image", Where: "oci:./images/keystone"}},
	}
}

func keystonePackages() sbom.Packages {
	return sbom.Packages{
		Schema: sbom.PackagesSchema, Artifact: "image:" + someDigest, OS: "debian 12", Tool: "syft 1.40.0", SHA512: strings.Repeat("ab", 64),
		Labels: map[string]string{"org.opencontainers.image.licenses": "ASL 2.0", "name": "keystone"},
		Components: audit.Known([]sbom.Component{
			{Ref: "pkg:deb/debian/bash@5.2.15-2?arch=amd64", Type: "deb", Name: "bash", Version: "5.2.15-2",
				PURL: "pkg:deb/debian/bash@5.2.15-2?arch=amd64", CPE: "cpe:2.3:a:gnu:bash:5.2.15:*:*:*:*:*:*:*", Arch: "amd64", Source: "bash",
				Supplier: "Debian", Homepage: "https://www.gnu.org/software/bash/", Section: "shells",
				Licences:  []sbom.LicenceClaim{{Value: "GPL-3+", Provenance: "copyright-file", Path: "/usr/share/doc/bash/copyright"}},
				DependsOn: []string{"pkg:deb/debian/libc6@2.36-9?arch=amd64"}, Locations: []string{"/var/lib/dpkg/status"},
				Layer: otherDigest},
			{Ref: "pkg:deb/debian/libc6@2.36-9?arch=amd64", Type: "deb", Name: "libc6", Version: "2.36-9",
				PURL: "pkg:deb/debian/libc6@2.36-9?arch=amd64", Arch: "amd64", Source: "glibc", SourceVersion: "2.36-9",
				DependsOn: []string{"pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64"}},
			{Ref: "pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64", Type: "deb", Name: "libgcc-s1", Version: "12.2.0-14",
				PURL:      "pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64",
				DependsOn: []string{"pkg:deb/debian/libc6@2.36-9?arch=amd64"}}, // a circle, as in Debian
			{Ref: "pkg:pypi/keystone@26.0.1", Type: "python", Name: "keystone", Version: "26.0.1", PURL: "pkg:pypi/keystone@26.0.1",
				Licences: []sbom.LicenceClaim{{Value: "Apache Software License", Provenance: "metadata"}, {Value: "Apache-2.0", Provenance: "metadata", Path: "/x"}}},
			{Ref: "file:/usr/bin/x", Type: "file", Name: "x"},
		}),
	}
}

func TestAnImageDocumentIsValidAndItsRootReachesEverything(t *testing.T) {
	host := sbom.Artifact{ID: "host:a", Kind: sbom.KindHost, Name: "a"}
	unread := sbom.Packages{Schema: sbom.PackagesSchema, Artifact: host.ID, Components: audit.Failed[[]sbom.Component]("the layer is corrupt")}
	hostile := keystonePackages()
	(*hostile.Components.Value)[0].Name = "\"><script>\x1b]8;;\u202e"
	(*hostile.Components.Value)[0].Version = strings.Repeat("9", 5000)
	(*hostile.Components.Value)[0].Homepage = "javascript:alert(1)"
	(*hostile.Components.Value)[0].CPE = "\n"
	circle := sbom.Packages{Components: audit.Known([]sbom.Component{
		{Ref: "a", Name: "a", DependsOn: []string{"b"}}, {Ref: "b", Name: "b", DependsOn: []string{"a"}}, {Ref: "c", Name: "c", DependsOn: []string{"c"}}})}
	tests := []struct {
		name string
		a    sbom.Artifact
		p    sbom.Packages
		want int
	}{
		{"an image with packages", keystone(), keystonePackages(), 6},
		{"a host that could not be read", host, unread, 0},
		{"an image that nobody looked into", keystone(), sbom.Packages{}, 0},
		{"an image without packages", keystone(), sbom.Packages{Components: audit.Known([]sbom.Component{})}, 0},
		{"circles and a package that depends on itself", keystone(), circle, 3},
		{"hostile names", keystone(), hostile, 6},
		{"a package that takes the refs of image and system", keystone(), sbom.Packages{OS: "debian 12", Components: audit.Known([]sbom.Component{
			{Ref: "image:" + someDigest, Name: "a"}, {Ref: "os:debian 12", Name: "b", DependsOn: []string{"image:" + someDigest}}})}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := sbom.ImageBOM(tt.a, tt.p, options())
			if err != nil {
				t.Fatal(err)
			}
			validate(t, doc.Data)
			if doc.Components != tt.want {
				t.Errorf("%d components, want %d", doc.Components, tt.want)
			}
			if got := unreachable(t, doc.Data); len(got) > 0 {
				t.Errorf("not reachable from the root: %v", got)
			}
		})
	}
}

// bomShape is what the tests read of a document, without the library that wrote it.
type bomShape struct {
	SerialNumber string `json:"serialNumber"`
	Metadata     struct {
		Timestamp string       `json:"timestamp"`
		Component bomComponent `json:"component"`
	} `json:"metadata"`
	Components   []bomComponent `json:"components"`
	Dependencies []struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	} `json:"dependencies"`
	Compositions []struct {
		Aggregate  string   `json:"aggregate"`
		Assemblies []string `json:"assemblies"`
	} `json:"compositions"`
}

type bomComponent struct {
	Ref                string         `json:"bom-ref"`
	Name               string         `json:"name"`
	Scope              string         `json:"scope"`
	PURL               string         `json:"purl"`
	Components         []bomComponent `json:"components"`
	ExternalReferences []struct {
		Type   string `json:"type"`
		URL    string `json:"url"`
		Hashes []struct {
			Alg string `json:"alg"`
		} `json:"hashes"`
	} `json:"externalReferences"`
}

func shape(t *testing.T, data []byte) bomShape {
	t.Helper()
	var s bomShape
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// unreachable returns the components, nested ones included, that no path of dependencies leads to, and those without an
// entry of their own.
func unreachable(t *testing.T, data []byte) []string {
	t.Helper()
	s := shape(t, data)
	edges := map[string][]string{}
	for _, d := range s.Dependencies {
		if _, twice := edges[d.Ref]; twice {
			t.Errorf("two dependency entries for %q", d.Ref)
		}
		edges[d.Ref] = d.DependsOn
	}
	reached := map[string]bool{}
	for queue := []string{s.Metadata.Component.Ref}; len(queue) > 0; queue = queue[1:] {
		if !reached[queue[0]] {
			reached[queue[0]] = true
			queue = append(queue, edges[queue[0]]...)
		}
	}
	var missing []string
	seen := map[string]bool{}
	var walk func([]bomComponent)
	walk = func(list []bomComponent) {
		for _, c := range list {
			if seen[c.Ref] {
				t.Errorf("bom-ref %q occurs twice", c.Ref)
			}
			seen[c.Ref] = true
			if _, ok := edges[c.Ref]; !ok || !reached[c.Ref] {
				missing = append(missing, c.Ref)
			}
			walk(c.Components)
		}
	}
	walk(s.Components)
	return missing
}

func TestAnyOrderOfTheSamePackagesGivesTheSameBytes(t *testing.T) {
	want, err := sbom.ImageBOM(keystone(), keystonePackages(), options())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		p := keystonePackages()
		list := *p.Components.Value
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for i := range list {
			slices.Reverse(list[i].Licences)
		}
		got, err := sbom.ImageBOM(keystone(), p, options())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want.Data), string(got.Data)); diff != "" {
			t.Fatalf("another order gives other bytes (-want +got):\n%s", diff)
		}
	}
}

func TestTheSerialNumberFollowsTheContentsAndNotTheClock(t *testing.T) {
	write := func(change func(*sbom.Packages, *sbom.BOMOptions)) sbom.Document {
		p, opt := keystonePackages(), options()
		change(&p, &opt)
		doc, err := sbom.ImageBOM(keystone(), p, opt)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	first := write(func(*sbom.Packages, *sbom.BOMOptions) {})
	later := write(func(_ *sbom.Packages, o *sbom.BOMOptions) { o.At = o.At.AddDate(0, 1, 0) })
	other := write(func(p *sbom.Packages, _ *sbom.BOMOptions) { (*p.Components.Value)[0].Version = "5.2.15-3" })
	if first.SerialNumber != later.SerialNumber {
		t.Errorf("another day gives serial number %s, want %s", later.SerialNumber, first.SerialNumber)
	}
	if bytes.Equal(first.Data, later.Data) || shape(t, later.Data).Metadata.Timestamp != "2026-12-24T06:00:00Z" {
		t.Errorf("the timestamp is %q, want that of the assessment", shape(t, later.Data).Metadata.Timestamp)
	}
	if first.SerialNumber == other.SerialNumber {
		t.Error("another version of a package gives the same serial number")
	}
	if shape(t, first.Data).SerialNumber != first.SerialNumber {
		t.Errorf("the document says %s, the value %s", shape(t, first.Data).SerialNumber, first.SerialNumber)
	}
}

func TestPackagesThatContradictThemselvesAreRefused(t *testing.T) {
	tests := []struct {
		name string
		in   []sbom.Component
		want string
	}{
		{"an empty ref", []sbom.Component{{Name: "a"}}, `component "a" has no ref`},
		{"a ref that occurs twice", []sbom.Component{{Ref: "a"}, {Ref: "a"}}, `ref "a" occurs twice`},
		{"a dependency on nothing", []sbom.Component{{Ref: "a", DependsOn: []string{"b"}}}, `depends on "b", which is not listed`},
		{"a ref like a BOM-Link", []sbom.Component{{Ref: "urn:cdx:x"}}, "BOM-Link"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sbom.ImageBOM(keystone(), sbom.Packages{Components: audit.Known(tt.in)}, options())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestAnImageIsIdentifiedByAPurlWithItsDigest(t *testing.T) {
	doc, err := sbom.ImageBOM(keystone(), keystonePackages(), options())
	if err != nil {
		t.Fatal(err)
	}
	want := "pkg:oci/keystone@sha256%3A0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0" +
		"?repository_url=registry.osism.tech%2Fkolla%2Frelease%2Fkeystone&tag=26.0.1.20250408"
	if got := shape(t, doc.Data).Metadata.Component.PURL; got != want {
		t.Errorf("purl = %q\nwant   %q", got, want)
	}
}

func BenchmarkImageBOM(b *testing.B) {
	a, p := keystone(), manyPackages(3000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sbom.ImageBOM(a, p, options()); err != nil {
			b.Fatal(err)
		}
	}
}

func manyPackages(n int) sbom.Packages {
	list := make([]sbom.Component, n)
	for i := range list {
		ref := fmt.Sprintf("pkg:deb/debian/p%d@1.0?arch=amd64", i)
		list[i] = sbom.Component{Ref: ref, Type: "deb", Name: fmt.Sprintf("p%d", i), Version: "1.0", PURL: ref, Arch: "amd64",
			Licences: []sbom.LicenceClaim{{Value: "GPL-2+", Provenance: "copyright-file"}}, Locations: []string{"/var/lib/dpkg/status"}}
		if i > 0 {
			list[i].DependsOn = []string{list[i/2].Ref}
		}
	}
	return sbom.Packages{Schema: sbom.PackagesSchema, Components: audit.Known(list)}
}
