package sbom_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

func packagesOf(components ...sbom.Component) sbom.Packages {
	return sbom.Packages{Schema: sbom.PackagesSchema, Components: audit.Known(components)}
}

func TestTheLicenceTableCountsEachPackageOnceWithItsWorstClass(t *testing.T) {
	named := func(c sbom.Component, name string) sbom.Component { c.Name = name; return c }
	bare := named(deb("libs"), "liba1")
	full := named(deb("libs", weighed("main", "MIT", ""), weighed("shipped", "LicenseRef-debian-own", "a.c"), fromDebian), "liba1")
	closed := named(deb("non-free/libs", weighed("main", "LicenseRef-debian-EULA", "")), "libb1")
	all := []sbom.Packages{
		packagesOf(full, closed, python(said(sbom.FromMetadata, "MIT"))),
		packagesOf(bare, named(deb("net", weighed("main", "ISC", "")), "c")),
		{Components: audit.Failed[[]sbom.Component]("no image")},
	}
	want := []sbom.LicenceRow{
		{
			Type: "deb", Packages: 3, Classes: map[licence.Class]int{"osi": 1, "free-not-osi": 0, "docs-data": 0, "unknown": 1, "restricted": 1}, Known: 2,
			Expression: 2, Listed: 1, DeclaredListed: 1, Main: 2, MainListed: 1,
			Provenances: map[string]int{"": 1, sbom.FromCopyright: 1, sbom.FromArchiveArea: 1}, Restricted: map[string]int{"non-free": 1},
		},
		{
			Type: "python", Packages: 1, Classes: map[licence.Class]int{"osi": 1, "free-not-osi": 0, "docs-data": 0, "unknown": 0, "restricted": 0}, Known: 1,
			Expression: 1, Listed: 1, DeclaredListed: 1, Main: 1, MainListed: 1, Provenances: map[string]int{sbom.FromMetadata: 1}, Restricted: map[string]int{},
		},
		{
			Packages: 4, Classes: map[licence.Class]int{"osi": 2, "free-not-osi": 0, "docs-data": 0, "unknown": 1, "restricted": 1}, Known: 3,
			Expression: 3, Listed: 2, DeclaredListed: 2, Main: 3, MainListed: 2,
			Provenances: map[string]int{"": 1, sbom.FromCopyright: 1, sbom.FromArchiveArea: 1, sbom.FromMetadata: 1}, Restricted: map[string]int{"non-free": 1},
		},
	}
	if d := cmp.Diff(want, sbom.LicenceTable(all, sbom.Judge{})); d != "" {
		t.Errorf("table (-want +got):\n%s", d)
	}
	slices.Reverse(all)
	if d := cmp.Diff(want, sbom.LicenceTable(all, sbom.Judge{})); d != "" {
		t.Errorf("table of the other order (-want +got):\n%s", d)
	}
}
