package sbom_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

func TestACopyrightFileSpeaksForItsWholeSourceAndForWhatLiesInTheFilesOfItsDebs(t *testing.T) {
	built := func(name, source, version string, claims ...sbom.LicenceClaim) sbom.Component {
		return sbom.Component{Ref: name, Type: "deb", Name: name, Source: source, SourceVersion: version, Section: "libs", PURL: "pkg:deb/debian/" + name + "@1", Licences: claims}
	}
	inside := func(name, owner string, claims ...sbom.LicenceClaim) sbom.Component {
		return sbom.Component{Ref: name, Type: "java-archive", Name: name, OwnedBy: owner, Licences: claims}
	}
	mit := sbom.LicenceClaim{Value: "MIT", Provenance: sbom.FromCopyright, Path: "/usr/share/doc/liba1/copyright", Weight: "main"}
	isc := sbom.LicenceClaim{Value: "ISC", Provenance: sbom.FromHidden, Path: "/usr/share/doc/a-tools/copyright", Weight: "main"}
	all := []sbom.Component{
		built("a-doc", "a", "1", fromDebian), built("a-tools", "a", "1", isc), built("liba1", "a", "1", mit), built("a-old", "a", "0"),
		built("b", "b", "1", said(sbom.FromCopyright, sbom.UnreadableCopyright)), built("c", "", ""), built("d", "", ""),
		inside("a.jar", "liba1"), inside("a-doc.jar", "a-doc"), inside("b.jar", "b"), inside("own.jar", "liba1", said(sbom.FromMetadata, "Zlib")),
		inside("pointer.jar", "liba1", said(sbom.FromMetadata, "SEE LICENSE IN x")), inside("lost.jar", "nothing"), inside("c.jar", "c"),
	}
	want := map[string]string{
		"a-doc": "MIT", "a-tools": "ISC", "liba1": "MIT", "a-old": "", "b": "LicenseRef-debian-copyright-of-b", "c": "", "d": "", "a.jar": "MIT", "a-doc.jar": "MIT",
		"b.jar": "LicenseRef-debian-copyright-of-b", "own.jar": "Zlib", "pointer.jar": "MIT", "lost.jar": "", "c.jar": "",
	}
	before := slices.Clone(all)
	for range 2 {
		got := map[string]string{}
		for _, c := range sbom.InheritLicences(all) {
			got[c.Ref] = sbom.Judge{}.Of(c).Concluded
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("licences (-want +got):\n%s", d)
		}
		slices.Reverse(all)
	}
	if d := cmp.Diff(before, all); d != "" {
		t.Errorf("the components given were changed (-want +got):\n%s", d)
	}
}
