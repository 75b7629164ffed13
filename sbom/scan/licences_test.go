package scan

import (
	"strings"
	"testing"

	"github.com/anchore/syft/syft/pkg"
	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

const formatLine = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"

func TestCopyrightClaimsAreThoseOfTheProgram(t *testing.T) {
	stanza := func(files, licence string) string {
		return "Files: " + files + "\nCopyright: Erika Mustermann\nLicense: " + licence + "\n\n"
	}
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"names become SPDX": {formatLine + stanza("*", "GPL-2+"), []string{"GPL-2.0-or-later"}},
		"a choice stays one claim": {
			formatLine + stanza("*", "GPL-1+ or Artistic"), []string{"Artistic-1.0-Perl OR GPL-1.0-or-later"}},
		"packaging and tests do not count": {
			formatLine + stanza("*", "Expat") + stanza("debian/*", "GPL-3+") + stanza("tests/*", "GPL-2"), []string{"MIT"}},
		"other shipped code counts, once": {
			formatLine + stanza("*", "Expat") + stanza("src/a.c", "ISC") + stanza("src/b.c", "ISC"), []string{"ISC", "MIT"}},
		"a local name stays a reference": {formatLine + stanza("*", "own-words"), []string{"LicenseRef-debian-own-words"}},
		"prose without any licence":      {"This is free. Ask Erika Mustermann.\n", nil},
		"an empty file":                  {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, claim := range copyrightClaims([]byte(c.in), "/usr/share/doc/a/copyright") {
				if claim.Provenance != "copyright-file" || claim.Path != "/usr/share/doc/a/copyright" {
					t.Errorf("claim %+v has not the provenance or path of the file", claim)
				}
				got = append(got, claim.Value)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("claims (-want +got):\n%s", d)
			}
		})
	}
}

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
