package sbom_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

func imageSPDX(t *testing.T, a sbom.Artifact, p sbom.Packages, opt sbom.BOMOptions) ([]byte, sbom.BOMRef) {
	t.Helper()
	var out bytes.Buffer
	written, err := sbom.WriteImageSPDX(&out, a, p, opt)
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, out.Bytes())
	return out.Bytes(), written.BOMRef
}

// fullPackages has a value in every field of the model that a scan can fill.
func fullPackages() sbom.Packages {
	p := keystonePackages()
	p.Depth, p.Artifact = sbom.DepthEntries, ""
	list := slices.Clone(*p.Components.Value)
	for i := range list {
		if list[i].Ref == "pkg:deb/debian/bash@5.2.15-2?arch=amd64" {
			c := &list[i]
			c.Dependencies = sbom.DependenciesComplete
			c.Licences = []sbom.LicenceClaim{
				{Value: "GPL-3+", Provenance: sbom.FromHidden, Path: "/usr/share/doc/bash/copyright", Weight: "main", Files: "*"},
				{Value: "GPL-3+", Provenance: sbom.FromHidden, Path: "/usr/share/doc/bash/copyright", Weight: "side", Files: "doc/* tests/*",
					Origin: audit.Origin{Source: "copyright-service", URL: "https://sources.example.org/bash", Line: 3, At: assessedAt}},
			}
		}
	}
	list = append(list, sbom.Component{Ref: "pkg:pypi/readline@1.0#x y", Type: "python", Name: "readline", Version: "1.0", PURL: "pkg:pypi/readline@1.0",
		OwnedBy: "pkg:deb/debian/bash@5.2.15-2?arch=amd64", Dependencies: sbom.DependenciesIncomplete, Locations: []string{"/a", "/b"}})
	slices.SortFunc(list, func(x, y sbom.Component) int { return strings.Compare(x.Ref, y.Ref) })
	p.Components = audit.Known(list)
	p.Files = []sbom.File{
		{Path: "/opt/a b%#?.jar", Size: 3, Modified: assessedAt.Add(123456789), SHA256: strings.Repeat("1a", 32), SHA512: strings.Repeat("2b", 64), Kind: "archive", Archive: true,
			Structured: true, Executable: true, Layer: otherDigest},
		{Path: "/usr/bin/bash", Owner: "pkg:deb/debian/bash@5.2.15-2?arch=amd64", Size: 1234567, Modified: assessedAt, SHA256: strings.Repeat("3c", 32), SHA512: strings.Repeat("4d", 64),
			Kind: "elf", Executable: true},
	}
	return p
}

func TestWhatIsWrittenAsSPDXIsReadBackEqual(t *testing.T) {
	want := fullPackages()
	data, ref := imageSPDX(t, keystone(), want, options())
	got, meta, err := sbom.ReadDocument(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if meta.Format != sbom.FormatSPDX || meta.SpecVersion != "3.0.1" || meta.SerialNumber != ref.SerialNumber || !meta.Timestamp.Equal(assessedAt) || meta.Kind != sbom.KindImage ||
		meta.Name != "keystone" || meta.Version != "26.0.1" || meta.Digest != someDigest || meta.Reference != keystone().Reference || meta.Notes != nil {
		t.Errorf("meta = %+v", meta)
	}
}

// nasty is what strangers write into names.
const nasty = "aZ09 -._~#%?&=/:@+<>\"\\'\n\t{}|^`äß€😀"

func TestRandomPackagesAreReadBackEqual(t *testing.T) {
	for seed := range uint64(40) {
		r := random{rand.New(rand.NewPCG(seed, 4))}
		want := r.packages()
		data, _ := imageSPDX(t, keystone(), want, options())
		got, meta, err := sbom.ReadSPDX(data)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(want, got); diff != "" || meta.Notes != nil {
			t.Fatalf("seed %d: notes %q, packages (-want +got):\n%s\n%s", seed, meta.Notes, diff, data)
		}
	}
}

type random struct{ *rand.Rand }

func (r random) text(least int) string {
	letters, out := []rune(nasty), ""
	for range least + r.IntN(8) {
		out += string(letters[r.IntN(len(letters))])
	}
	return out
}

func (r random) hex(n int) string {
	out := ""
	for range n {
		out += string("0123456789abcdef"[r.IntN(16)])
	}
	return out
}

func (r random) maybe(s string) string {
	if r.IntN(2) == 0 {
		return ""
	}
	return s
}

func (r random) digest() audit.Digest { return audit.Digest(r.maybe("sha256:" + r.hex(64))) }

func (r random) packages() sbom.Packages {
	p := sbom.Packages{Schema: sbom.PackagesSchema, OS: r.maybe("debian 12"), Tool: r.maybe("syft 1.40.0"), SHA512: r.maybe(r.hex(128)), Declared: r.IntN(2) == 0,
		Depth: []string{"", sbom.DepthEntries, sbom.DepthAll}[r.IntN(3)]}
	for range r.IntN(3) {
		if p.Labels == nil {
			p.Labels = map[string]string{}
		}
		p.Labels["k"+r.text(1)] = r.text(1)
	}
	components := []sbom.Component{}
	for i := range r.IntN(12) {
		components = append(components, r.component(fmt.Sprintf("%s-%d", r.text(1), i)))
	}
	slices.SortFunc(components, func(x, y sbom.Component) int { return strings.Compare(x.Ref, y.Ref) })
	for i := range components {
		for j := range components {
			if r.IntN(4) == 0 {
				components[i].DependsOn = append(components[i].DependsOn, components[j].Ref)
			}
		}
		if j := r.IntN(len(components)); j < i && r.IntN(3) == 0 {
			components[i].OwnedBy = components[j].Ref
		}
	}
	p.Components = audit.Known(components)
	for i := range r.IntN(6) {
		f := sbom.File{Path: fmt.Sprintf("/%d%s", i, r.text(0)), Size: r.Int64N(1 << 40), Modified: time.Unix(r.Int64N(1<<32), r.Int64N(1e9)).UTC(), SHA256: r.hex(64), SHA512: r.hex(128),
			Kind: r.maybe("elf"), Executable: r.IntN(2) == 0, Archive: r.IntN(2) == 0, Structured: r.IntN(2) == 0, Layer: r.digest()}
		if len(components) > 0 && r.IntN(2) == 0 {
			f.Owner = components[r.IntN(len(components))].Ref
		}
		p.Files = append(p.Files, f)
	}
	return p
}

func (r random) component(ref string) sbom.Component {
	c := sbom.Component{Ref: ref, Type: r.text(1), Name: r.text(1), Version: r.text(0), CPE: r.maybe("cpe:2.3:a:" + r.text(0)), Arch: r.text(0), Source: r.text(0),
		SourceVersion: r.text(0), Supplier: strings.ReplaceAll(r.text(0), "@", ""), Homepage: r.maybe("https://example.org/" + r.hex(4)), Section: r.text(0), Layer: r.digest(),
		Dependencies: []string{"", sbom.DependenciesComplete, sbom.DependenciesIncomplete}[r.IntN(3)], PURL: r.maybe("pkg:deb/debian/" + r.hex(4) + "@" + r.hex(2) + "?arch=amd64")}
	for i := range r.IntN(4) {
		c.Locations = append(c.Locations, fmt.Sprintf("%d%s", i, r.text(0)))
	}
	for i := range r.IntN(4) {
		claim := sbom.LicenceClaim{Value: fmt.Sprintf("%d%s", i, r.text(0)), Provenance: r.text(1), Path: r.text(0), Weight: r.maybe("side"), Files: r.text(0)}
		if r.IntN(3) == 0 {
			claim.Origin = audit.Origin{Source: "s", URL: r.text(0), Line: r.IntN(9), Digest: r.digest(), At: assessedAt}
		}
		c.Licences = append(c.Licences, claim)
	}
	return c
}

func TestWhatSPDXDocumentsLoseIsListed(t *testing.T) {
	base := func() sbom.Component {
		return sbom.Component{Ref: "pkg:deb/debian/a@1", Type: "deb", Name: "a", Version: "1", PURL: "pkg:deb/debian/a@1"}
	}
	with := func(change func(*sbom.Component)) sbom.Component {
		c := base()
		change(&c)
		return c
	}
	tests := []struct {
		lost      string
		in, want  sbom.Component
		wantNotes int
	}{
		{"a purl that is none", with(func(c *sbom.Component) { c.PURL = "no purl" }), with(func(c *sbom.Component) { c.PURL = "" }), 0},
		{"a purl that looks like one and cannot be read", with(func(c *sbom.Component) { c.PURL = "pkg:x" }), with(func(c *sbom.Component) { c.PURL = "" }), 1},
		{"a homepage that is no web address", with(func(c *sbom.Component) { c.Homepage = "ftp://example.org" }), base(), 0},
		{"a supplier with an address in it, for it may be a person", with(func(c *sbom.Component) { c.Supplier = "A <a@example.org>" }), base(), 0},
		{"an empty name, for SPDX demands one", with(func(c *sbom.Component) { c.Name = "" }), with(func(c *sbom.Component) { c.Name = c.Ref }), 0},
		{"a missing type, which is then taken from the purl", with(func(c *sbom.Component) { c.Type = "" }), base(), 0},
		{"a claim that says nothing", with(func(c *sbom.Component) { c.Licences = []sbom.LicenceClaim{{Provenance: sbom.FromText}} }), base(), 0},
		{"a layer that is no digest", with(func(c *sbom.Component) { c.Layer = "x" }), base(), 0},
		{"locations beyond five and their order", with(func(c *sbom.Component) { c.Locations = []string{"6", "5", "4", "3", "2", "1"} }),
			with(func(c *sbom.Component) { c.Locations = []string{"1", "2", "3", "4", "5"} }), 0},
		{"versions beyond 1,024 bytes", with(func(c *sbom.Component) { c.Version = strings.Repeat("1", 1025) }), with(func(c *sbom.Component) { c.Version = strings.Repeat("1", 1024) }), 0},
		{"bytes that are no text", with(func(c *sbom.Component) { c.Version = "1\xff" }), with(func(c *sbom.Component) { c.Version = "1\uFFFD" }), 0},
	}
	for _, tt := range tests {
		t.Run(tt.lost, func(t *testing.T) {
			data, _ := imageSPDX(t, keystone(), sbom.Packages{Components: audit.Known([]sbom.Component{tt.in})}, sbom.BOMOptions{At: assessedAt})
			got, meta, err := sbom.ReadSPDX(data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]sbom.Component{tt.want}, *got.Components.Value); diff != "" || len(meta.Notes) != tt.wantNotes {
				t.Errorf("notes %q, components (-want +got):\n%s", meta.Notes, diff)
			}
		})
	}
	t.Run("where the packages were read, and the artifact, which the caller knows", func(t *testing.T) {
		p := sbom.Packages{Schema: sbom.PackagesSchema, Artifact: "image:x", Labels: map[string]string{"empty": ""},
			Files: []sbom.File{{Path: "/a", Size: -1, SHA256: "x", SHA512: "y", Modified: assessedAt.In(time.FixedZone("", 3600))}}}
		p.Components = audit.Known([]sbom.Component{}, audit.Origin{Source: "image"})
		data, _ := imageSPDX(t, keystone(), p, sbom.BOMOptions{At: assessedAt})
		got, _, err := sbom.ReadSPDX(data)
		if err != nil {
			t.Fatal(err)
		}
		want := sbom.Packages{Schema: sbom.PackagesSchema, Components: audit.Known([]sbom.Component{}), Files: []sbom.File{{Path: "/a", Modified: assessedAt}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("packages (-want +got):\n%s", diff)
		}
	})
	t.Run("what was judged, for it can be judged again from the claims", func(t *testing.T) {
		opt := sbom.BOMOptions{At: assessedAt, Licences: func(sbom.Component) sbom.Licensing {
			return sbom.Licensing{Declared: "MIT", Concluded: "MIT", Class: "osi"}
		}}
		data, _ := imageSPDX(t, keystone(), sbom.Packages{Components: audit.Known([]sbom.Component{base()})}, opt)
		got, _, err := sbom.ReadSPDX(data)
		if err != nil || (*got.Components.Value)[0].Licences != nil {
			t.Errorf("licences = %+v, error %v, want none: nobody claimed anything", (*got.Components.Value)[0].Licences, err)
		}
	})
}

func TestPackagesThatAreNotKnownStayUnknownInSPDX(t *testing.T) {
	failed := audit.Failed[[]sbom.Component]("layer 3 is missing")
	failed.Settle = "give the layer"
	for name, fact := range map[string]audit.Fact[[]sbom.Component]{"failed": failed, "nobody looked": {}} {
		p := sbom.Packages{Schema: sbom.PackagesSchema, Components: fact}
		data, _ := imageSPDX(t, keystone(), p, options())
		got, _, err := sbom.ReadSPDX(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("%s: packages (-want +got):\n%s", name, diff)
		}
		if got := checkGraph(t, data).find("contains:root")["completeness"]; got != "noAssertion" {
			t.Errorf("%s: the contents are called %v, want noAssertion", name, got)
		}
	}
	opt := options()
	opt.Counts = true
	data, _ := imageSPDX(t, keystone(), fullPackages(), opt)
	if g := checkGraph(t, data); g.find("contains:root")["completeness"] != "noAssertion" || bytes.Contains(data, []byte("bash")) || !bytes.Contains(data, []byte("pegel:packages:count:deb")) {
		t.Error("a form with numbers of packages lists packages, or lacks the numbers, or says that it knows all")
	}
}

func TestEqualContentsGiveEqualSPDXWhateverTheirOrder(t *testing.T) {
	p := fullPackages()
	want, ref := imageSPDX(t, keystone(), p, options())
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 1))
		components, files := slices.Clone(*p.Components.Value), slices.Clone(p.Files)
		r.Shuffle(len(components), func(i, j int) { components[i], components[j] = components[j], components[i] })
		r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for i := range components {
			components[i].Licences = slices.Clone(components[i].Licences)
			slices.Reverse(components[i].Licences)
			components[i].DependsOn = slices.Clone(components[i].DependsOn)
			slices.Reverse(components[i].DependsOn)
		}
		shuffled := p
		shuffled.Components, shuffled.Files = audit.Known(components), files
		if got, _ := imageSPDX(t, keystone(), shuffled, options()); string(got) != string(want) {
			t.Fatalf("seed %d: other bytes:\n%s", seed, cmp.Diff(string(want), string(got)))
		}
	}
	later := options()
	later.At = assessedAt.Add(time.Hour)
	if _, other := imageSPDX(t, keystone(), p, later); other.SerialNumber != ref.SerialNumber || other.SHA256 == ref.SHA256 {
		t.Errorf("an hour later: name %s and hash %s, want the same name and another hash", other.SerialNumber, other.SHA256)
	}
	(*p.Components.Value)[0].Version += "x"
	if _, other := imageSPDX(t, keystone(), p, options()); other.SerialNumber == ref.SerialNumber {
		t.Error("other contents have the same name")
	}
}

func TestRowsOfTheGuidelineStandInSPDX(t *testing.T) {
	p, opt := fullPackages(), options()
	p.Labels["org.opencontainers.image.source"] = "https://git.example.org/keystone"
	opt.Licences = func(c sbom.Component) sbom.Licensing {
		l := judge(c)
		if c.Name == "bash" {
			l.Effective = "GPL-3.0-or-later"
		}
		return l
	}
	data, _ := imageSPDX(t, keystone(), p, opt)
	g := checkGraph(t, data)
	bash, file := "package:pkg:deb/debian/bash@5.2.15-2?arch=amd64", "file:/usr/bin/bash"
	for _, tt := range []struct{ row, id, property, want string }{
		{"creator of the document", "organisation:Example%20GmbH%20https://example.org", "externalIdentifier", "https://example.org"},
		{"kind of SBOM", "sbom", "software_sbomType", "analyzed"},
		{"component", bash, "software_packageVersion", "5.2.15-2"},
		{"component creator", bash, "originatedBy", "#organisation:Debian%20https://tracker.debian.org/pkg/bash"},
		{"its address", "organisation:Debian%20https://tracker.debian.org/pkg/bash", "externalIdentifier", "urlScheme"},
		{"supplier", bash, "suppliedBy", "#organisation:Debian"},
		{"uri of the deployable", bash, "software_downloadLocation", "https://snapshot.debian.org/package/bash/5.2.15-2/"},
		{"homepage", bash, "software_homePage", "https://www.gnu.org/software/bash/"},
		{"other identifier", bash, "externalIdentifier", "cpe:2.3:a:gnu:bash"},
		{"filename", file, "name", "bash"},
		{"hash", file, "verifiedUsing", strings.Repeat("4d", 64)},
		{"executable and structured", file, "software_additionalPurpose", "[executable firmware]"},
		{"comment on the purposes", file, "comment", "TR-03183-2"},
		{"file of a component", "hasDistributionArtifact:executable:/usr/bin/bash", "to", file},
		{"version of a file", "executable:/usr/bin/bash", "software_packageVersion", "5.2.15-2"},
		{"version of a file of nobody", "executable:/opt/a%20b%25%23?.jar", "software_packageVersion", "2026-11-24T06:00:00Z"},
		{"purl of a file", "executable:/usr/bin/bash", "software_packageUrl", "#usr/bin/bash"},
		{"dependencies", "dependsOn:" + bash, "completeness", "complete"},
		{"contents of the root", "contains:root", "completeness", "incomplete"},
		{"contents of a package", "contains:" + bash, "to", "executable:/usr/bin/bash"},
		{"distribution licence", "hasConcludedLicense:" + bash, "to", "#licence:"},
		{"original licence", "hasDeclaredLicense:" + bash, "to", "#licence:"},
		{"effective licence", "other:" + bash, "comment", "hasEffectiveLicense"},
		{"effective licence of a file", "other:executable:/usr/bin/bash", "to", "#licence:"},
		{"licence of a file", "hasConcludedLicense:executable:/usr/bin/bash", "to", "#licence:"},
		{"licence that nobody could tell", "hasConcludedLicense:package:pkg:pypi/readline@1.0%23x%20y", "to", "NoAssertionLicense"},
		{"source", "source:pkg:deb/debian/glibc@2.36-9?arch=source", "software_primaryPurpose", "source"},
		{"what was built from it", "generates:source:pkg:deb/debian/glibc@2.36-9?arch=source", "to", "package:pkg:deb/debian/libc6"},
		{"source of the image", "root", "externalRef", "https://git.example.org/keystone"},
		{"source uri", "source:pkg:deb/debian/bash@5.2.15-2?arch=source%20https://snapshot.debian.org/package/bash/5.2.15-2/", "externalRef", "sourceArtifact"},
		{"maker of the image", "root", "originatedBy", "#organisation:"},
		{"deployable", "deployable", "verifiedUsing", strings.Repeat("ab", 64)},
	} {
		if got := fmt.Sprint(g.find(tt.id)[tt.property]); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s of %s = %s, want %s", tt.row, tt.property, tt.id, got, tt.want)
		}
	}
}

// find returns the element with the name in this document.
func (g graph) find(name string) map[string]any {
	g.Helper()
	for _, e := range g.elements {
		if id, _ := e["spdxId"].(string); strings.HasSuffix(id, "#"+name) {
			return e
		}
	}
	g.Errorf("there is no element %q", name)
	return nil
}

func TestLicencesThatAreOnNoListAreExplained(t *testing.T) {
	opt := options()
	opt.Licences = func(sbom.Component) sbom.Licensing {
		return sbom.Licensing{Concluded: "(MIT OR LicenseRef-scancode-public-domain) AND GPL-2.0-only WITH AdditionRef-x", Declared: "LicenseRef-debian-foo.1"}
	}
	data, _ := imageSPDX(t, keystone(), keystonePackages(), opt)
	g := checkGraph(t, data)
	if got := fmt.Sprint(g.find("licence-text:LicenseRef-scancode-public-domain")["externalRef"]); !strings.Contains(got, "/public-domain") {
		t.Errorf("externalRef = %s, want the entry of the public list", got)
	}
	for _, name := range []string{"AdditionRef-x", "LicenseRef-debian-foo.1"} {
		if g.find("licence-text:" + name)["name"] != name {
			t.Errorf("%s has no element", name)
		}
	}
}

func TestPackagesThatContradictThemselvesAreNotWrittenAsSPDX(t *testing.T) {
	c := sbom.Component{Ref: "a", Type: "deb", Name: "a"}
	known := func(list ...sbom.Component) sbom.Packages { return sbom.Packages{Components: audit.Known(list)} }
	files := func(list ...sbom.File) sbom.Packages {
		return sbom.Packages{Files: list, Components: audit.Known([]sbom.Component{c})}
	}
	for want, p := range map[string]sbom.Packages{
		`ref "a" occurs twice`:                        known(c, c),
		`has no ref`:                                  known(sbom.Component{Name: "x"}),
		`depends on "b", which is not listed`:         known(sbom.Component{Ref: "a", DependsOn: []string{"b"}}),
		`"a" is owned by "b", which is not listed`:    known(sbom.Component{Ref: "a", OwnedBy: "b"}),
		`"/x" belongs to "b", which is not listed`:    files(sbom.File{Path: "/x", Owner: "b"}),
		`"/x" occurs twice`:                           files(sbom.File{Path: "/x"}, sbom.File{Path: "/x"}),
		`"" occurs twice, or its path does not begin`: files(sbom.File{}),
	} {
		var out bytes.Buffer
		if _, err := sbom.WriteImageSPDX(&out, keystone(), p, options()); err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("error = %v after %d bytes, want %q after none", err, out.Len(), want)
		}
	}
	if _, err := sbom.WriteImageSPDX(&bytes.Buffer{}, keystone(), known(c), sbom.BOMOptions{}); err == nil || !strings.Contains(err.Error(), "needs the time") {
		t.Errorf("without a time: error = %v", err)
	}
	if _, err := sbom.WriteImageSPDX(full{}, keystone(), known(c), options()); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("on a full disk: error = %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func stackSPDX(t *testing.T, inv sbom.Inventory, boms map[string]sbom.BOMRef, opt sbom.StackOptions) (graph, []byte, sbom.BOMRef) {
	t.Helper()
	var out bytes.Buffer
	written, err := sbom.WriteStackSPDX(&out, inv, boms, opt)
	if err != nil {
		t.Fatal(err)
	}
	return checkGraph(t, out.Bytes()), out.Bytes(), written.BOMRef
}

func TestTheStackInSPDXNestsTierServiceAndImage(t *testing.T) {
	inv, _ := exampleStack(t)
	_, image := imageSPDX(t, keystone(), fullPackages(), options())
	g, data, ref := stackSPDX(t, inv, map[string]sbom.BOMRef{keystone().ID: image}, sbom.StackOptions{BOMOptions: options(), Name: "example-cloud", Operator: "Example GmbH"})
	keystoneID := "part:image:" + someDigest
	for _, tt := range []struct{ row, id, property, want string }{
		{"root", "part:stack", "name", "example-cloud at Example GmbH"},
		{"kind", "sbom", "software_sbomType", "deployed"},
		{"tiers", "contains:part:stack", "to", "#part:layer:base " + ref.SerialNumber + "#part:layer:functional"},
		{"completeness of the list", "contains:part:stack", "completeness", "incomplete"},
		{"service", "contains:part:service:functional/keystone", "to", keystoneID},
		{"the second tier", "contains:part:service:iam/keystone", "to", keystoneID},
		{"version of the service", "part:service:functional/keystone", "software_packageVersion", "26.0.1"},
		{"no service", "contains:part:layer:base", "to", "part:host:host-1"},
		{"image without a document", "contains:part:image:library/redis:7.4.2-alpine", "completeness", "noAssertion"},
		{"excluded", "part:image:gone:1", "extension", "pegel:artifact:excluded"},
		{"failure", "part:unseen:1", "description", "ceph-reef.yml: line 3: not a mapping"},
		{"reference", "bom:image:" + someDigest, "externalRef", image.SerialNumber + "#document"},
		{"what is referred to", "bom:image:" + someDigest, "rootElement", image.SerialNumber + "#root"},
		{"hash of the other document", "bom:image:" + someDigest, "verifiedUsing", image.SHA512},
		{"what it describes", "describes:bom:image:" + someDigest, "to", keystoneID},
		{"import", "document", "import", image.SerialNumber + "#root"},
		{"hash of the import", "document", "import", image.SHA256},
	} {
		if got := fmt.Sprint(g.find(tt.id)[tt.property]); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s of %s = %s, want %s", tt.row, tt.property, tt.id, got, tt.want)
		}
	}
	later := image
	later.SHA256, later.SHA512 = strings.Repeat("0", 64), strings.Repeat("0", 128)
	slices.Reverse(inv.Artifacts)
	if _, other, otherRef := stackSPDX(t, inv, map[string]sbom.BOMRef{keystone().ID: later}, sbom.StackOptions{BOMOptions: options(), Name: "example-cloud", Operator: "Example GmbH"}); otherRef.SerialNumber != ref.SerialNumber || bytes.Equal(other, data) {
		t.Error("the same contents in another order, made at another time, have another name, or the hash of the image's document is not written")
	}
	_, meta, err := sbom.ReadSPDX(data)
	if err != nil || meta.Name != "example-cloud at Example GmbH" || meta.Notes != nil {
		t.Errorf("read back: %+v, error %v, want the stack as root", meta, err)
	}
}

func TestAStackThatNobodySawIsADesign(t *testing.T) {
	g, _, _ := stackSPDX(t, sbom.Inventory{}, nil, sbom.StackOptions{BOMOptions: sbom.BOMOptions{At: assessedAt, Internal: true}, Complete: true})
	if got := fmt.Sprint(g.find("sbom")["software_sbomType"], g.find("document")["comment"], g.find("agent:pegel")["name"]); got != "[design]TLP:AMBERpegel" {
		t.Errorf("kind, distribution and creator = %s", got)
	}
	if _, err := sbom.WriteStackSPDX(&bytes.Buffer{}, inventory(keystone(), keystone()), nil, sbom.StackOptions{BOMOptions: options()}); err == nil || !strings.Contains(err.Error(), "occurs twice") {
		t.Errorf("an artifact twice: error = %v", err)
	}
}

func TestNoPersonStandsInSPDX(t *testing.T) {
	p := fullPackages()
	(*p.Components.Value)[1].Supplier = "A Person <a.person@example.org>"
	data, _ := imageSPDX(t, keystone(), p, options())
	if bytes.Contains(data, []byte("Person")) || bytes.Contains(data, []byte("example.org>")) {
		t.Error("the document names a person")
	}
}

// BenchmarkWriteImageSPDX writes 100,000 components; peak-MB is the largest heap that was seen while writing, without what
// the packages themselves take.
func BenchmarkWriteImageSPDX(b *testing.B) {
	a, p := keystone(), manyPackages(100_000)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	for b.Loop() {
		w := &peakWriter{}
		if _, err := sbom.WriteImageSPDX(w, a, p, options()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(w.peak-min(w.peak, before.HeapAlloc))/1e6, "peak-MB")
		b.ReportMetric(float64(w.bytes)/1e6, "document-MB")
	}
}

// peakWriter throws bytes away and looks at the heap now and then.
type peakWriter struct {
	bytes int
	peak  uint64
}

func (w *peakWriter) Write(p []byte) (int, error) {
	if w.bytes>>20 != (w.bytes+len(p))>>20 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.peak = max(w.peak, m.HeapAlloc)
	}
	w.bytes += len(p)
	return len(p), nil
}

func TestThePublicFormInSPDXNamesNothingInternal(t *testing.T) {
	inv, pkgs := internalStack()
	publicInv, publicPkgs := publicForm().Of(inv, pkgs)
	full := options()
	full.Internal = true
	for name, form := range map[string]struct {
		inv  sbom.Inventory
		pkgs []sbom.Packages
		opt  sbom.BOMOptions
	}{"full": {inv, pkgs, full}, "public": {publicInv, publicPkgs, options()}} {
		artifacts, all, boms := map[string]sbom.Artifact{}, "", map[string]sbom.BOMRef{}
		for _, a := range form.inv.Artifacts {
			artifacts[a.ID] = a
		}
		for _, p := range form.pkgs {
			data, ref := imageSPDX(t, artifacts[p.Artifact], p, form.opt)
			all += string(data)
			boms[p.Artifact] = ref
		}
		_, stack, _ := stackSPDX(t, form.inv, boms, sbom.StackOptions{BOMOptions: form.opt})
		all += string(stack)
		for _, word := range []string{"corp.internal", "node-17", "node-18", "shop", "10.0.0.1"} {
			if got, want := strings.Contains(all, word), name == "full"; got != want {
				t.Errorf("the form %q holds %q: %t, want %t", name, word, got, want)
			}
		}
		if !strings.Contains(all, "nova-api") || strings.Contains(all, "TLP:CLEAR") != (name == "public") {
			t.Errorf("the form %q lacks a public name or is marked wrongly", name)
		}
	}
}
