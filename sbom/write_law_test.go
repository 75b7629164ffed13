package sbom_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// randomPackages fills every field of the model: names with quotes and signs, packages in the files of others, files with
// and without owner, claims with origins.
func randomPackages(r *rand.Rand) sbom.Packages {
	word := func(prefix string) string {
		odd := []string{"", "", "", "-ü", " \"q\"", "<b>", "+1", "%2F"}
		return fmt.Sprintf("%s%d%s", prefix, r.IntN(1000), odd[r.IntN(len(odd))])
	}
	maybe := func(s string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return s
	}
	oneOf := func(list ...string) string { return list[r.IntN(len(list))] }
	digest := func() audit.Digest { return audit.DigestOf([]byte(word("d"))) }
	hex := func(n int) string { return strings.Repeat(fmt.Sprintf("%02x", r.IntN(256)), n/2) }
	at := time.Date(2025, 1, 1+r.IntN(300), 1, 2, 3, r.IntN(2)*5000, time.UTC)

	n := 1 + r.IntN(8)
	list := make([]sbom.Component, n)
	for i := range list {
		kind := oneOf("deb", "python", "npm", "go-module", "java-archive", "file", "rpm")
		list[i] = sbom.Component{
			Ref: fmt.Sprintf("ref-%d %s", i, word("")), Type: kind, Name: word("name"), Version: maybe(word("1.")), Arch: maybe("amd64"),
			Source: maybe(word("src")), SourceVersion: maybe(word("2.")), Supplier: maybe(oneOf("Debian Team", "Example GmbH")),
			Homepage: maybe("https://example.org/" + fmt.Sprint(r.IntN(9))), Section: maybe("non-free/libs"), Layer: audit.Digest(maybe(string(digest()))),
			PURL: maybe(fmt.Sprintf("pkg:%s/n%d@1?arch=amd64", oneOf("deb/debian", "pypi", "npm/%40scope", "golang/example.org/x", "maven/org.example"), r.IntN(99))),
			CPE:  maybe("cpe:2.3:a:x:y:1:*:*:*:*:*:*:*"), Dependencies: oneOf("", sbom.DependenciesComplete, sbom.DependenciesIncomplete),
		}
		for range r.IntN(4) {
			list[i].Licences = append(list[i].Licences, sbom.LicenceClaim{
				Value: word("MIT"), Provenance: oneOf(sbom.FromCopyright, sbom.FromMetadata, sbom.FromService), Path: maybe("/usr/share/doc/x"),
				Line: r.IntN(3), Weight: maybe("side"), Files: maybe("* debian/*"),
			})
			if r.IntN(3) == 0 {
				list[i].Licences[len(list[i].Licences)-1].Origin = audit.Origin{
					Source: "debsources", URL: maybe("https://example.org/c"), Commit: maybe("abc"), Path: maybe("p"), Line: r.IntN(3), Digest: digest(), At: at}
			}
		}
		for range r.IntN(3) {
			list[i].Locations = append(list[i].Locations, "/usr/lib/"+word("l"))
		}
	}
	for i := range list {
		for range r.IntN(4) {
			if to := r.IntN(n); to != i { // nothing depends on itself
				list[i].DependsOn = append(list[i].DependsOn, list[to].Ref)
			}
		}
		if i > 0 && r.IntN(3) == 0 {
			list[i].OwnedBy = list[r.IntN(i)].Ref // of an earlier one, so that there is no circle
		}
	}
	p := sbom.Packages{
		Schema: sbom.PackagesSchema, OS: maybe("debian 12"), Tool: maybe("scanner 1"), SHA512: maybe(hex(128)), Declared: r.IntN(4) == 0,
		Depth: oneOf("", sbom.DepthEntries, sbom.DepthAll), Components: audit.Known(list),
	}
	if r.IntN(2) == 0 {
		p.Labels = map[string]string{"org.opencontainers.image.source": "https://example.org/s", "name": word("n")}
	}
	for i := range r.IntN(6) {
		f := sbom.File{
			Path: fmt.Sprintf("/usr/bin/%d %s", i, word("f")), Size: int64(r.IntN(1 << 30)), SHA256: hex(64), SHA512: hex(128), Modified: at,
			Kind: oneOf("elf", "script", "archive"), Executable: r.IntN(2) == 0, Archive: r.IntN(2) == 0, Structured: r.IntN(2) == 0,
		}
		if r.IntN(3) > 0 {
			f.Owner, f.Layer = list[r.IntN(n)].Ref, digest()
		}
		p.Files = append(p.Files, f)
	}
	return p
}

// normal puts lists into the order in which the model keeps them.
func normal(p sbom.Packages) sbom.Packages {
	list := *p.Components.Value
	sortByRef(list)
	for i := range list {
		c := &list[i]
		for _, paths := range []*[]string{&c.DependsOn, &c.Locations} {
			slices.Sort(*paths)
			*paths = slices.Compact(*paths)
		}
		slices.SortFunc(c.Licences, func(x, y sbom.LicenceClaim) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		c.Licences = slices.Compact(c.Licences)
	}
	slices.SortFunc(p.Files, func(x, y sbom.File) int { return strings.Compare(x.Path, y.Path) })
	return p
}

func TestWhateverTheModelHoldsIsWrittenValidAndReadBackEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 60 {
		want := randomPackages(r)
		for _, version := range []string{sbom.CycloneDX17, sbom.CycloneDX16} {
			opt := options()
			opt.SpecVersion = version
			doc, err := sbom.ImageBOM(keystone(), want, opt)
			if err != nil {
				t.Fatal(err)
			}
			validate(t, doc.Data)
			if got := unreachable(t, doc.Data); len(got) > 0 {
				t.Errorf("not reachable from the root: %v", got)
			}
			got, meta, err := sbom.ReadCycloneDX(doc.Data)
			if err != nil {
				t.Fatal(err)
			}
			if len(meta.Notes) > 0 || meta.SpecVersion != version {
				t.Errorf("version %s, notes %v, want %s and none", meta.SpecVersion, meta.Notes, version)
			}
			if diff := cmp.Diff(normal(want), normal(got)); diff != "" {
				t.Fatalf("sample %d in %s (-want +got):\n%s\n%s", i, version, diff, doc.Data)
			}
		}
	}
}

func TestAnyOrderOfFilesAndPackagesGivesTheSameBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 30 {
		p := randomPackages(r)
		want, err := sbom.ImageBOM(keystone(), p, options())
		if err != nil {
			t.Fatal(err)
		}
		list := *p.Components.Value
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		r.Shuffle(len(p.Files), func(i, j int) { p.Files[i], p.Files[j] = p.Files[j], p.Files[i] })
		for i := range list {
			slices.Reverse(list[i].Licences)
			slices.Reverse(list[i].DependsOn)
			slices.Reverse(list[i].Locations)
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

func TestWhyNothingWasReadIsReadBack(t *testing.T) {
	failed := audit.Failed[[]sbom.Component]("the layer is corrupt")
	failed.Settle = "pull it again"
	for _, want := range []audit.Fact[[]sbom.Component]{failed, {}, audit.Known([]sbom.Component{})} {
		doc, err := sbom.ImageBOM(keystone(), sbom.Packages{Components: want}, options())
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := sbom.ReadCycloneDX(doc.Data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Components); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestTheStreamAndTheDocumentInMemoryAreTheSame(t *testing.T) {
	doc, err := sbom.ImageBOM(keystone(), keystonePackages(), options())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	written, err := sbom.WriteImageBOM(&out, keystone(), keystonePackages(), options())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), doc.Data) || written.BOMRef != doc.Ref() || written.Components != doc.Components {
		t.Errorf("written = %+v, want %+v and %d components", written, doc.Ref(), doc.Components)
	}
}

type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		return 0, fmt.Errorf("no space left on device")
	}
	d.left -= len(p)
	return len(p), nil
}

func TestAStreamThatCannotBeWrittenIsAnError(t *testing.T) {
	if _, err := sbom.WriteImageBOM(&fullDisk{100}, keystone(), keystonePackages(), options()); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error = %v, want that of the disk", err)
	}
}
