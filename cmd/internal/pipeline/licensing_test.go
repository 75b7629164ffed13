package pipeline

import (
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/sbom"
)

func TestRulesSeeTheLicenceOfAPackageAndWhyNobodyKnowsIt(t *testing.T) {
	judge, err := sbom.CuratedJudge(truthNow)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(provenance, value string) sbom.LicenceClaim {
		return sbom.LicenceClaim{Value: value, Provenance: provenance, Path: "/usr/share/doc/a/copyright", Line: 9}
	}
	own := claim(sbom.FromCopyright, "LicenseRef-debian-own")
	for name, tc := range map[string]struct {
		in     sbom.Component
		class  string
		reason string // part of why the class is not known; empty: it is known
	}{
		"a name that nobody knows": {sbom.Component{Type: "deb", Name: "a", Section: "libs", PURL: "pkg:deb/debian/a@1", Licences: []sbom.LicenceClaim{own}},
			"unknown", "nobody knows LicenseRef-debian-own in /usr/share/doc/a/copyright line 9"},
		"the same in Debian main": {sbom.Component{Type: "deb", Name: "a", Section: "libs", PURL: "pkg:deb/debian/a@1",
			Licences: []sbom.LicenceClaim{own, claim(sbom.FromArchiveArea, sbom.DebianArchive)}}, "free-not-osi", ""},
		"the same in non-free": {sbom.Component{Type: "deb", Name: "a", Section: "non-free/libs", PURL: "pkg:deb/debian/a@1", Licences: []sbom.LicenceClaim{own}}, "restricted", ""},
		"a product that left its licence": {sbom.Component{Type: "deb", Name: "vault", Version: "1.18.0-1", PURL: "pkg:deb/debian/vault@1.18.0-1",
			Licences: []sbom.LicenceClaim{claim(sbom.FromMetadata, "MPL-2.0")}}, "restricted", ""},
		"nothing": {sbom.Component{Type: "go-module", Name: "a", PURL: "pkg:golang/a@v1"}, "unknown", "no licence was found"},
	} {
		t.Run(name, func(t *testing.T) {
			p := sbom.Packages{Artifact: "image:a", Components: audit.Known([]sbom.Component{tc.in})}
			got := packageSubjects(p, sbom.Artifact{ID: "image:a", Kind: sbom.KindImage}, judge)
			if len(got) != 1 || got[0].Record.(policies.Package).LicenceClass != tc.class {
				t.Fatalf("got %+v, want class %s", got, tc.class)
			}
			reason := ""
			for _, u := range got[0].Unknown {
				if u.Field == "licenceClass" {
					reason = u.Reason
				}
			}
			if (reason == "") != (tc.reason == "") || !strings.Contains(reason, tc.reason) {
				t.Errorf("reason: got %q, want %q", reason, tc.reason)
			}
		})
	}
}
