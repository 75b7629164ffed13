package scan

import (
	"strings"
	"testing"

	"github.com/anchore/syft/syft/pkg"
	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

func TestWhatSyftCallsALicenceIsAClaimOnlyIfItIsAName(t *testing.T) {
	for value, want := range map[string]string{
		"MIT":                               "MIT",
		" Apache 2.0 ":                      "Apache 2.0",
		"UNKNOWN":                           "",
		"":                                  "",
		"sha256:" + strings.Repeat("a", 64): "",
		"Copyright Erika\nMustermann":       "",
		"MIT, ask erika@example.org":        "",
		strings.Repeat("long ", 100):        "",
	} {
		var wanted []sbom.LicenceClaim
		if want != "" {
			wanted = []sbom.LicenceClaim{{Value: want, Provenance: "metadata"}}
		}
		if d := cmp.Diff(wanted, claimsOf(pkg.License{Value: value})); d != "" {
			t.Errorf("%.30q (-want +got):\n%s", value, d)
		}
	}
}
