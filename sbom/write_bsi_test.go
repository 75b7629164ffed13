package sbom_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// bsiDocument is what these tests read of a document: the fields of the table of BSI TR-03183-2 v2.1.0.
type bsiDocument struct {
	SerialNumber string `json:"serialNumber"`
	Metadata     struct {
		Timestamp    string       `json:"timestamp"`
		Manufacturer bsiEntity    `json:"manufacturer"`
		Component    bsiComponent `json:"component"`
		Properties   []bsiProperty
	} `json:"metadata"`
	Components   []bsiComponent  `json:"components"`
	Compositions json.RawMessage `json:"compositions"`
}

type bsiEntity struct {
	Name string   `json:"name"`
	URL  []string `json:"url"`
}

type bsiProperty struct{ Name, Value string }

type bsiComponent struct {
	Ref          string    `json:"bom-ref"`
	Type         string    `json:"type"`
	Name         string    `json:"name"`
	Group        string    `json:"group"`
	Version      string    `json:"version"`
	PURL         string    `json:"purl"`
	Manufacturer bsiEntity `json:"manufacturer"`
	Supplier     bsiEntity `json:"supplier"`
	Licenses     []struct {
		Expression      string `json:"expression"`
		Acknowledgement string `json:"acknowledgement"`
	} `json:"licenses"`
	ExternalReferences []struct {
		Type   string                          `json:"type"`
		URL    string                          `json:"url"`
		Hashes []struct{ Alg, Content string } `json:"hashes"`
	} `json:"externalReferences"`
	Properties []bsiProperty  `json:"properties"`
	Components []bsiComponent `json:"components"`
}

func (c bsiComponent) property(name string) string {
	var found []string
	for _, p := range c.Properties {
		if p.Name == name {
			found = append(found, p.Value)
		}
	}
	return strings.Join(found, " AND ")
}

func (c bsiComponent) references() map[string]string {
	out := map[string]string{}
	for _, r := range c.ExternalReferences {
		out[r.Type] = r.URL
		for _, h := range r.Hashes {
			out[r.Type] += " " + h.Alg + " " + h.Content[:4]
		}
	}
	return out
}

// imageAddress is where the registry serves keystone.
const imageAddress = "https://registry.osism.tech/v2/kolla/release/keystone/manifests/" + someDigest

// withFiles is an image with a program and an archive of packages, a program of nobody, and a Python package in a deb.
func withFiles() sbom.Packages {
	p := keystonePackages()
	list := *p.Components.Value
	list[0].Dependencies = sbom.DependenciesComplete
	list[1].Dependencies = sbom.DependenciesIncomplete
	list[3].OwnedBy = list[1].Ref
	p.Depth = sbom.DepthEntries
	modified := time.Date(2023, 4, 23, 21, 23, 0, 0, time.UTC)
	p.Files = []sbom.File{
		{Path: "/usr/bin/bash", Owner: list[0].Ref, Size: 1265648, Modified: modified, SHA256: strings.Repeat("12", 32), SHA512: strings.Repeat("34", 64),
			Kind: "elf", Executable: true, Layer: otherDigest},
		{Path: "/usr/share/java/a b.jar", Owner: list[1].Ref, Size: 9, Modified: modified, SHA256: strings.Repeat("56", 32), SHA512: strings.Repeat("78", 64),
			Kind: "archive", Executable: true, Archive: true, Structured: true},
		{Path: "/usr/local/bin/start", Size: 7, Modified: modified, SHA256: strings.Repeat("9a", 32), SHA512: strings.Repeat("bc", 64), Kind: "script", Executable: true},
	}
	return p
}

func bsi(t *testing.T, p sbom.Packages, opt sbom.BOMOptions) bsiDocument {
	t.Helper()
	doc, err := sbom.ImageBOM(keystone(), p, opt)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, doc.Data)
	if got := unreachable(t, doc.Data); len(got) > 0 {
		t.Errorf("not reachable from the root: %v", got)
	}
	var out bsiDocument
	if err := json.Unmarshal(doc.Data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func find(t *testing.T, list []bsiComponent, ref string) bsiComponent {
	t.Helper()
	for _, c := range list {
		if c.Ref == ref {
			return c
		}
	}
	t.Fatalf("there is no component %q", ref)
	return bsiComponent{}
}

func TestADocumentSaysWhoMadeItAndWhen(t *testing.T) {
	d := bsi(t, withFiles(), options())
	if d.SerialNumber == "" || d.Metadata.Timestamp != "2026-11-24T06:00:00Z" {
		t.Errorf("serial number %q, timestamp %q", d.SerialNumber, d.Metadata.Timestamp)
	}
	if diff := cmp.Diff(bsiEntity{"Example GmbH", []string{"https://example.org"}}, d.Metadata.Manufacturer); diff != "" {
		t.Errorf("creator (-want +got):\n%s", diff)
	}
}

func TestTheImageIsAnArchiveWithEveryField(t *testing.T) {
	p := withFiles()
	list := *p.Components.Value
	for i := range list {
		list[i].Licences = []sbom.LicenceClaim{{Value: "GPL-3+", Provenance: "copyright-file"}}
	}
	p.Labels["org.opencontainers.image.vendor"] = "OSISM GmbH"
	p.Labels["org.opencontainers.image.source"] = "https://github.com/osism/container-images-kolla"
	root := bsi(t, p, options()).Metadata.Component
	if diff := cmp.Diff(bsiEntity{"OSISM GmbH", []string{"https://github.com/osism/container-images-kolla"}}, root.Manufacturer); diff != "" {
		t.Errorf("creator (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(bsiEntity{"registry.osism.tech/kolla/release", []string{"https://registry.osism.tech/"}}, root.Supplier); diff != "" {
		t.Errorf("supplier (-want +got):\n%s", diff)
	}
	want := map[string]string{
		"distribution":        imageAddress + " SHA-512 abab",
		"source-distribution": "https://github.com/osism/container-images-kolla",
	}
	if diff := cmp.Diff(want, root.references()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"bsi:component:filename": strings.TrimPrefix(someDigest, "sha256:"), "bsi:component:archive": "archive",
		"bsi:component:structured": "structured", "bsi:component:executable": "non-executable", "pegel:bsi:kind": "",
	} {
		if got := root.property(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if root.Version != "26.0.1" || len(root.Licenses) != 2 || root.Licenses[0].Expression != "GPL-2.0-or-later WITH Classpath-exception-2.0" {
		t.Errorf("version %q, licences %+v: want that of all packages, concluded", root.Version, root.Licenses)
	}
}

func TestTheLicenceOfTheOperatingSystemIsThatOfItsPackages(t *testing.T) {
	p := withFiles()
	list := *p.Components.Value
	for i := range list[:3] {
		list[i].Licences = []sbom.LicenceClaim{{Value: "GPL-3+", Provenance: "copyright-file"}}
	}
	system := find(t, bsi(t, p, options()).Components, "os:debian 12")
	if len(system.Licenses) != 1 || system.Licenses[0].Expression != "GPL-2.0-or-later WITH Classpath-exception-2.0" || system.Manufacturer.Name != "Debian Project" {
		t.Errorf("system = %+v", system)
	}
	list[0].Licences = nil
	if got := find(t, bsi(t, p, options()).Components, "os:debian 12").Licenses; got != nil {
		t.Errorf("the licence of the system is %+v although that of a package is not known", got)
	}
}

func TestTheLicenceOfAnImageIsNotKnownWhileOneOfAPackageIsNot(t *testing.T) {
	if got := bsi(t, withFiles(), options()).Metadata.Component.Licenses; slices.ContainsFunc(got, func(l struct {
		Expression      string `json:"expression"`
		Acknowledgement string `json:"acknowledgement"`
	}) bool {
		return l.Acknowledgement == "concluded"
	}) {
		t.Errorf("concluded although packages have no licence: %+v", got)
	}
}

func TestAFileHasEveryFieldAndStandsBelowThePackageThatBringsIt(t *testing.T) {
	d := bsi(t, withFiles(), options())
	owner := find(t, d.Components, "pkg:deb/debian/bash@5.2.15-2?arch=amd64")
	if owner.property("pegel:bsi:kind") != "logical" || owner.property("bsi:component:filename") != "" {
		t.Errorf("a package is a logical component without fields of files, got %+v", owner.Properties)
	}
	f := find(t, owner.Components, "file:/usr/bin/bash")
	if f.Type != "file" || f.Name != "bash" || f.Version != "5.2.15-2" || f.PURL != "pkg:deb/debian/bash@5.2.15-2?arch=amd64#usr/bin/bash" {
		t.Errorf("file = %+v", f)
	}
	if diff := cmp.Diff(owner.Manufacturer, f.Manufacturer); diff != "" || len(f.Manufacturer.URL) != 1 {
		t.Errorf("the creator is that of the package (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(owner.Licenses, f.Licenses); diff != "" || len(f.Licenses) != 2 {
		t.Errorf("the licences are those of the package (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"distribution": imageAddress + "#usr/bin/bash SHA-512 3434"}, f.references()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"bsi:component:filename": "bash", "bsi:component:executable": "executable", "bsi:component:archive": "no archive", "bsi:component:structured": "unstructured",
	} {
		if got := f.property(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	jar := find(t, find(t, d.Components, "pkg:deb/debian/libc6@2.36-9?arch=amd64").Components, "file:/usr/share/java/a b.jar")
	if jar.property("bsi:component:archive") != "archive" || jar.property("bsi:component:structured") != "structured" || !strings.HasSuffix(jar.PURL, "#usr/share/java/a%20b.jar") {
		t.Errorf("archive = %+v", jar)
	}
}

func TestOfAFileWithoutOwnerNothingIsInvented(t *testing.T) {
	f := find(t, bsi(t, withFiles(), options()).Components, "file:/usr/local/bin/start")
	if f.Version != "2023-04-23T21:23:00Z" { // BSI TR-03183-2: else the time of the last change
		t.Errorf("version = %q, want the time of its last change", f.Version)
	}
	if f.property("pegel:file:owner") != "unknown" || f.PURL != "" || len(f.Licenses) > 0 || f.Manufacturer.Name != "" {
		t.Errorf("file = %+v, want no creator, no licence, no identifier", f)
	}
	if diff := cmp.Diff(map[string]string{"distribution": imageAddress + "#usr/local/bin/start SHA-512 bcbc"}, f.references()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestAFileOfWhichNobodyKnowsWhereItCanBeHadIsNamedByItsPackageOrPath(t *testing.T) {
	doc, err := sbom.ImageBOM(sbom.Artifact{ID: "host:a", Kind: sbom.KindHost, Name: "a"}, withFiles(), options())
	if err != nil {
		t.Fatal(err)
	}
	validate(t, doc.Data)
	var d bsiDocument
	if err := json.Unmarshal(doc.Data, &d); err != nil {
		t.Fatal(err)
	}
	bash := find(t, d.Components, "pkg:deb/debian/bash@5.2.15-2?arch=amd64")
	for want, got := range map[string]string{
		"pkg:deb/debian/bash@5.2.15-2?arch=amd64#usr/bin/bash SHA-512 3434": find(t, bash.Components, "file:/usr/bin/bash").references()["distribution"],
		"file:///usr/local/bin/start SHA-512 bcbc":                          find(t, d.Components, "file:/usr/local/bin/start").references()["distribution"],
	} {
		if got != want {
			t.Errorf("reference = %q, want %q", got, want)
		}
	}
}

func TestAPythonPackageInADebStandsBelowIt(t *testing.T) {
	d := bsi(t, withFiles(), options())
	if slices.ContainsFunc(d.Components, func(c bsiComponent) bool { return c.Name == "keystone" }) {
		t.Error("it is listed beside the deb")
	}
	inner := find(t, find(t, d.Components, "pkg:deb/debian/libc6@2.36-9?arch=amd64").Components, "pkg:pypi/keystone@26.0.1")
	if got := inner.property("pegel:owned-by"); got != "pkg:deb/debian/libc6@2.36-9?arch=amd64" {
		t.Errorf("owned by %q", got)
	}
}

func TestCompositionsSayWhatEachReaderKnows(t *testing.T) {
	type composition struct {
		Aggregate    string   `json:"aggregate"`
		Assemblies   []string `json:"assemblies"`
		Dependencies []string `json:"dependencies"`
	}
	read := func(p sbom.Packages) map[string]composition {
		var list []composition
		if err := json.Unmarshal(bsi(t, p, options()).Compositions, &list); err != nil {
			t.Fatal(err)
		}
		out := map[string]composition{}
		for _, c := range list {
			out[c.Aggregate] = c
		}
		return out
	}
	root, bash, libc := "image:"+someDigest, "pkg:deb/debian/bash@5.2.15-2?arch=amd64", "pkg:deb/debian/libc6@2.36-9?arch=amd64"
	want := map[string]composition{
		"complete":   {"complete", nil, []string{bash}},
		"incomplete": {"incomplete", []string{root, bash, libc}, []string{root, libc}},
		"unknown": {"unknown", nil, []string{"file:/usr/bin/bash", "file:/usr/bin/x", "file:/usr/local/bin/start", "file:/usr/share/java/a b.jar", "os:debian 12",
			"pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64", "pkg:pypi/keystone@26.0.1"}},
	}
	if diff := cmp.Diff(want, read(withFiles())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	strict := withFiles()
	strict.Depth = sbom.DepthAll
	if got := read(strict)["complete"].Assemblies; !slices.Equal(got, []string{root, bash, libc}) {
		t.Errorf("with every file the list of parts is complete for %v", got)
	}
	strict.Declared = true
	if got := read(strict)["complete"].Assemblies; got != nil {
		t.Errorf("somebody's statement is called complete for %v", got)
	}
}

func TestWhoMadeAPackageFollowsFromItsEcosystemOrStaysUnknown(t *testing.T) {
	deb := func(change func(*sbom.Component)) sbom.Component {
		c := sbom.Component{Type: "deb", Name: "libx1", Version: "1.0-1", PURL: "pkg:deb/debian/libx1@1.0-1?arch=amd64", Source: "x", SourceVersion: "1.0-1"}
		change(&c)
		return c
	}
	none := func(*sbom.Component) {}
	tests := []struct {
		name               string
		in                 sbom.Component
		maker, address     string
		source, deployable string
	}{
		{"a deb of a team of Debian", deb(func(c *sbom.Component) { c.Supplier = "Debian X Team" }), "Debian X Team", "https://tracker.debian.org/pkg/x",
			"https://snapshot.debian.org/package/x/1.0-1/", "https://snapshot.debian.org/package/x/1.0-1/#libx1_1.0-1"},
		{"a deb of a stable update", deb(func(c *sbom.Component) { c.Version, c.Homepage = "1.0-1+deb12u3", "https://x.example.org/" }), "Debian Project",
			"https://tracker.debian.org/pkg/x", "https://snapshot.debian.org/package/x/1.0-1/", "https://snapshot.debian.org/package/x/1.0-1/#libx1_1.0-1+deb12u3"},
		{"a deb that was rebuilt", deb(func(c *sbom.Component) { c.Version = "1.0-1+b2" }), "Debian Project", "https://tracker.debian.org/pkg/x",
			"https://snapshot.debian.org/package/x/1.0-1/", "https://snapshot.debian.org/package/x/1.0-1/#libx1_1.0-1+b2"},
		{"a deb of a member of Debian", deb(func(c *sbom.Component) {
			c.Licences = []sbom.LicenceClaim{{Value: sbom.DebianArchive, Provenance: sbom.FromArchiveArea}}
		}), "Debian Project", "https://tracker.debian.org/pkg/x", "https://snapshot.debian.org/package/x/1.0-1/", "https://snapshot.debian.org/package/x/1.0-1/#libx1_1.0-1"},
		{"a deb of a team of Debian that a vendor built again", deb(func(c *sbom.Component) { c.Supplier, c.Version = "Debian X Team", "1.0-1~bookworm1" }), "Debian X Team", "", "", ""},
		{"a deb of a vendor", deb(func(c *sbom.Component) {
			c.Version, c.Homepage = "5:27.5.1-1~debian.12~bookworm", "https://vendor.example/"
		}), "libx1", "https://vendor.example/", "", ""},
		{"a deb of nobody knows whom", deb(none), "", "", "", ""},
		{"a deb of a company without address", deb(func(c *sbom.Component) { c.Supplier = "Vendor Inc." }), "Vendor Inc.", "", "", ""},
		{"a deb of Ubuntu", deb(func(c *sbom.Component) { c.PURL, c.Version = "pkg:deb/ubuntu/libx1@1", "1.0-0ubuntu1.15" }), "Ubuntu",
			"https://launchpad.net/ubuntu/+source/x", "https://launchpad.net/ubuntu/+source/x/1.0-1", ""},
		{"a deb of a private archive on Ubuntu", deb(func(c *sbom.Component) { c.PURL, c.Version = "pkg:deb/ubuntu/libx1@1", "1.0-0ubuntu1~ppa1" }), "", "", "", ""},
		{"an rpm", sbom.Component{Type: "rpm", Name: "bash", PURL: "pkg:rpm/fedora/bash@5", Supplier: "Fedora Project", Homepage: "https://www.gnu.org/software/bash"}, "Fedora Project", "https://www.gnu.org/software/bash", "", ""},
		{"a Python package with a home", sbom.Component{Type: "python", Name: "keystone", PURL: "pkg:pypi/keystone@26.0.1", Homepage: "https://docs.openstack.org/keystone/"}, "keystone",
			"https://docs.openstack.org/keystone/", "", "https://pypi.org/project/keystone/26.0.1/"},
		{"a Python package", sbom.Component{Type: "python", Name: "click", PURL: "pkg:pypi/click@8"}, "click", "https://pypi.org/project/click/", "", "https://pypi.org/project/click/8/"},
		{"a Python package in a deb", sbom.Component{Type: "python", Name: "click", PURL: "pkg:pypi/click@8", OwnedBy: "pkg:deb/debian/python3-click@8"}, "click",
			"https://click.example.org/", "", ""},
		{"an npm package of a scope", sbom.Component{Type: "npm", Name: "@vue/core", PURL: "pkg:npm/%40vue/core@3.1.0"}, "@vue",
			"https://www.npmjs.com/package/@vue/core", "", "https://www.npmjs.com/package/@vue/core/v/3.1.0"},
		{"a Go module on a forge", sbom.Component{Type: "go-module", Name: "github.com/prometheus/common", PURL: "pkg:golang/github.com/prometheus/common@v0.1.0#model"},
			"github.com/prometheus", "https://github.com/prometheus/common", "https://pkg.go.dev/github.com/prometheus/common@v0.1.0", ""},
		{"a Go module elsewhere", sbom.Component{Type: "go-module", Name: "golang.org/x/net", PURL: "pkg:golang/golang.org/x/net@v0.1.0"}, "golang.org/x",
			"https://pkg.go.dev/golang.org/x/net", "https://pkg.go.dev/golang.org/x/net@v0.1.0", ""},
		{"the main module of a private build", sbom.Component{Type: "go-module", Name: "main", PURL: "pkg:golang/main@UNKNOWN"}, "", "", "", ""},
		{"a jar", sbom.Component{Type: "java-archive", Name: "commons-io", PURL: "pkg:maven/commons.io/commons-io@2.18.0"}, "commons.io",
			"https://repo1.maven.org/maven2/commons/io/commons-io/", "", "https://repo1.maven.org/maven2/commons/io/commons-io/2.18.0/"},
		{"a jar of an unknown group", sbom.Component{Type: "java-archive", Name: "x", PURL: "pkg:maven/x/x@1"}, "", "", "", ""},
		{"a hostile homepage", deb(func(c *sbom.Component) { c.Homepage = "javascript:alert(1)" }), "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.Ref = "it"
			list := []sbom.Component{tt.in}
			if tt.in.OwnedBy != "" {
				list = append(list, sbom.Component{Ref: tt.in.OwnedBy, Type: "deb", Name: "owner", Homepage: "https://click.example.org/"})
			}
			found := bsi(t, sbom.Packages{Components: audit.Known(list)}, options()).Components
			if tt.in.OwnedBy != "" {
				found = find(t, found, tt.in.OwnedBy).Components
			}
			c := find(t, found, "it")
			if got := strings.Join(c.Manufacturer.URL, " "); c.Manufacturer.Name != tt.maker || got != tt.address {
				t.Errorf("made by %q %q, want %q %q", c.Manufacturer.Name, got, tt.maker, tt.address)
			}
			refs := c.references()
			if refs["source-distribution"] != tt.source || refs["distribution"] != tt.deployable {
				t.Errorf("source %q and deployable %q, want %q and %q", refs["source-distribution"], refs["distribution"], tt.source, tt.deployable)
			}
		})
	}
}

func TestOnlyExpressionsThatSaySomethingAreWritten(t *testing.T) {
	opt := options()
	opt.Licences = func(c sbom.Component) sbom.Licensing {
		if c.Name == "bash" {
			return sbom.Licensing{Concluded: "MIT OR GPL-2.0-only", Declared: "NOASSERTION", Effective: "MIT"}
		}
		return sbom.Licensing{Concluded: "MIT AND LicenseRef-NOASSERTION", Declared: "NONE"}
	}
	d := bsi(t, withFiles(), opt)
	bash := find(t, d.Components, "pkg:deb/debian/bash@5.2.15-2?arch=amd64")
	if len(bash.Licenses) != 1 || bash.Licenses[0].Acknowledgement != "concluded" || bash.property("bsi:component:effectiveLicence") != "MIT" {
		t.Errorf("licences %+v, effective %q", bash.Licenses, bash.property("bsi:component:effectiveLicence"))
	}
	if got := find(t, bash.Components, "file:/usr/bin/bash").property("bsi:component:effectiveLicence"); got != "MIT" {
		t.Errorf("effective licence of the file is %q", got)
	}
	if got := find(t, d.Components, "pkg:deb/debian/libc6@2.36-9?arch=amd64").Licenses; got != nil {
		t.Errorf("what asserts nothing is written: %+v", got)
	}
}

func TestCycloneDX16KeepsOneExpressionAndStatesWhatItLoses(t *testing.T) {
	opt := options()
	opt.SpecVersion, opt.Internal = sbom.CycloneDX16, true
	d := bsi(t, withFiles(), opt)
	bash := find(t, d.Components, "pkg:deb/debian/bash@5.2.15-2?arch=amd64")
	if len(bash.Licenses) != 1 || bash.Licenses[0].Acknowledgement != "concluded" || bash.property("pegel:licence:declared") != "GPL-2.0-or-later" {
		t.Errorf("licences %+v, declared %q", bash.Licenses, bash.property("pegel:licence:declared"))
	}
	var losses, tlp int
	for _, p := range d.Metadata.Properties {
		if p.Name == "pegel:loss" {
			losses++
		}
		if p.Name == "pegel:tlp" && p.Value == "AMBER" {
			tlp++
		}
	}
	if losses != 3 || tlp != 1 {
		t.Errorf("%d losses and %d markings, want 3 and 1: %+v", losses, tlp, d.Metadata.Properties)
	}
	opt.SpecVersion = "1.5"
	if _, err := sbom.ImageBOM(keystone(), withFiles(), opt); err == nil || !strings.Contains(err.Error(), `"1.5"`) {
		t.Errorf("error = %v, want one about 1.5", err)
	}
}

func TestTheStackDocumentIsValidInBothVersions(t *testing.T) {
	inv, boms := exampleStack(t)
	for _, version := range []string{sbom.CycloneDX16, sbom.CycloneDX17} {
		opt := sbom.StackOptions{BOMOptions: options(), Name: "s", Operator: "Example GmbH"}
		opt.SpecVersion = version
		doc, err := sbom.StackBOM(inv, boms, opt)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, doc.Data)
		var d bsiDocument
		if err := json.Unmarshal(doc.Data, &d); err != nil {
			t.Fatal(err)
		}
		image := d.Components[0].Components[0].Components[0]
		for _, c := range []bsiComponent{d.Metadata.Component, d.Components[0], d.Components[0].Components[0], image} {
			if c.Version == "" || len(c.Manufacturer.URL) == 0 {
				t.Errorf("%s has version %q and creator %+v", c.Ref, c.Version, c.Manufacturer)
			}
		}
		if !strings.Contains(image.references()["bom"], "SHA-256") || !strings.Contains(image.references()["bom"], "SHA-512") {
			t.Errorf("references in %s: %v", version, image.references())
		}
	}
}

func TestFilesThatContradictThemselvesAreRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*sbom.Packages)
		want   string
	}{
		{"a file of nobody listed", func(p *sbom.Packages) { p.Files[0].Owner = "gone" }, `belongs to "gone", which is not listed`},
		{"a path twice", func(p *sbom.Packages) { p.Files[0].Path = p.Files[1].Path }, "occurs twice"},
		{"no path", func(p *sbom.Packages) { p.Files[0].Path = "" }, "does not begin with /"},
		{"half a path", func(p *sbom.Packages) { p.Files[0].Path = "<usr" }, "does not begin with /"},
		{"an owner that is not listed", func(p *sbom.Packages) { (*p.Components.Value)[3].OwnedBy = "gone" }, `owned by "gone", which is not listed`},
		{"owners in a circle", func(p *sbom.Packages) { (*p.Components.Value)[1].OwnedBy = (*p.Components.Value)[3].Ref }, "owned by itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := withFiles()
			tt.change(&p)
			if _, err := sbom.ImageBOM(keystone(), p, options()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
}
