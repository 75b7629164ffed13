package quality

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Documents that Pegel writes have no fault in their references, name all that they know, and hold no vulnerabilities.
// What they cannot know, such as the creator where the operator names none, stays open.
func TestDocumentsOfPegelAreSoundByTheirOwnCheck(t *testing.T) {
	var components []sbom.Component
	for i := range 20 {
		c := sbom.Component{Ref: fmt.Sprintf("pkg:deb/debian/p%d@1", i), Type: "deb", Name: fmt.Sprintf("p%d", i), Version: "1", PURL: fmt.Sprintf("pkg:deb/debian/p%d@1", i),
			Licences: []sbom.LicenceClaim{{Value: "MIT", Provenance: sbom.FromCopyright}}, Dependencies: sbom.DependenciesComplete}
		if i > 0 {
			c.DependsOn = []string{fmt.Sprintf("pkg:deb/debian/p%d@1", i-1)}
		}
		components = append(components, c)
	}
	a := sbom.Artifact{ID: "image:sha256:" + sha512Hex[:64], Kind: sbom.KindImage, Name: "keystone", Version: "26.0.1", Digest: audit.Digest("sha256:" + sha512Hex[:64]),
		Reference: "registry.example.org/keystone:26.0.1"}
	document, err := sbom.ImageBOM(a, sbom.Packages{Schema: sbom.PackagesSchema, Artifact: a.ID, OS: "debian 12", Components: audit.Known(components)}, sbom.BOMOptions{
		At: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), Creator: "Example GmbH", CreatorURL: "https://example.org/",
		Licences: func(sbom.Component) sbom.Licensing { return sbom.Licensing{Declared: "MIT", Concluded: "MIT"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	_, reports, err := Check(bytes.NewReader(document.Data), Options{Profiles: []string{"bsi"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"format", "sbom-creator", "timestamp", "sbom-uri", "no-vulnerabilities", "root", "root-dependencies", "references", "unique", "name", "dependencies", "reachable"} {
		if row := rowOf(t, reports[0], id); !row.settled(false) {
			t.Errorf("%s: got %d of %d, missing %+v; want all", id, row.Fulfilled, row.Applies, row.Missing)
		}
	}
	row := rowOf(t, reports[0], "distribution-licences")
	if named := slices.IndexFunc(row.Missing, func(m Missing) bool { return m.Component == "p3@1" }); named >= 0 || row.Fulfilled < 20 {
		t.Errorf("distribution-licences: got %d, missing %+v; want every package", row.Fulfilled, row.Missing)
	}
}
