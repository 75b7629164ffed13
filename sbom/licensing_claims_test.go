package sbom_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

const formatLine = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"

func stanza(files, licence string) string {
	return "Files: " + files + "\nCopyright: Erika Mustermann\nLicense: " + licence + "\n\n"
}

func TestCopyrightClaimsKeepWeightAndFiles(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string // value, weight and files
	}{
		"names become SPDX":        {formatLine + stanza("*", "GPL-2+"), []string{"GPL-2.0-or-later main"}},
		"a choice stays one claim": {formatLine + stanza("*", "GPL-1+ or Artistic"), []string{"Artistic-1.0-Perl OR GPL-1.0-or-later main"}},
		"packaging does not count, tests are apart": {
			formatLine + stanza("*", "Expat") + stanza("debian/*", "GPL-3+") + stanza("tests/*", "GPL-2"), []string{"GPL-2.0-only side tests/*", "MIT main"}},
		"single files are apart from the whole": {
			formatLine + stanza("*", "Expat") + stanza("src/a.c", "ISC") + stanza("src/b.c", "ISC"), []string{"ISC shipped src/a.c src/b.c", "MIT main"}},
		"pictures and manuals are no code": {
			formatLine + stanza("*", "Expat") + stanza("icons/*.png man/a.1", "CC-BY-SA-4.0"), []string{"CC-BY-SA-4.0 side icons/*.png man/a.1", "MIT main"}},
		"the last stanza that matches speaks": {
			formatLine + stanza("src/a.c", "SSPL-1.0") + stanza("*", "GPL-2+") + stanza("*", "Expat") + stanza("lib/*", "ISC") + stanza("lib/x/*", "Zlib"),
			[]string{"ISC shipped lib/*", "MIT main", "Zlib shipped lib/x/*"}},
		"a local name stays a reference":     {formatLine + stanza("*", "own-words"), []string{"LicenseRef-debian-own-words main"}},
		"prose without any licence":          {"This is free. Ask Erika Mustermann.\n", []string{"LicenseRef-debian-unreadable main"}},
		"a stanza that nobody can read":      {formatLine + stanza("*", "Expat") + stanza("a.c", "MIT and"), []string{"LicenseRef-debian-unreadable shipped a.c", "MIT main"}},
		"a name with an address is not kept": {formatLine + stanza("*", "Expat") + stanza("a.c", "custom by Erika <erika@example.org>"), []string{"LicenseRef-debian-unreadable shipped a.c", "MIT main"}},
		"patterns with addresses are cut":    {formatLine + stanza("*", "Expat") + stanza("erika@example.org b.c", "ISC"), []string{"ISC shipped b.c", "MIT main"}},
		"many patterns are cut": {
			formatLine + stanza("*", "Expat") + stanza(strings.Repeat("a/long/path.c ", 40), "ISC"), []string{"ISC shipped " + strings.TrimSpace(strings.Repeat("a/long/path.c ", 14)), "MIT main"}},
		"beyond the limits of the reader": {formatLine + stanza("*", "Expat") + strings.Repeat(" x\n", 3<<20), []string{"LicenseRef-debian-unreadable main"}},
		"an empty file":                   {" \n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, claim := range sbom.CopyrightClaims([]byte(c.in), "/usr/share/doc/a/copyright", sbom.FromHidden) {
				if claim.Provenance != sbom.FromHidden || claim.Path != "/usr/share/doc/a/copyright" {
					t.Errorf("claim %+v has not the provenance or path of the file", claim)
				}
				got = append(got, strings.TrimSpace(claim.Value+" "+claim.Weight+" "+claim.Files))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("claims (-want +got):\n%s", d)
			}
		})
	}
}

func TestOfVeryManyClaimsTheWorstAreKept(t *testing.T) {
	var b strings.Builder
	b.WriteString(formatLine + stanza("*", "Expat"))
	for i := range 2000 {
		b.WriteString(stanza(fmt.Sprintf("f%d.c", i), fmt.Sprintf("own-%d", i)))
	}
	b.WriteString(stanza("z.c", "SSPL-1.0"))
	claims := sbom.CopyrightClaims([]byte(b.String()), "/c", sbom.FromCopyright)
	restricted := slices.ContainsFunc(claims, func(c sbom.LicenceClaim) bool { return c.Value == "SSPL-1.0" })
	unreadable := slices.ContainsFunc(claims, func(c sbom.LicenceClaim) bool { return c.Value == sbom.UnreadableCopyright && c.Weight == "main" })
	if len(claims) != 500 || !restricted || !unreadable {
		t.Errorf("got %d claims, restricted %v, a mark for the rest %v; want 500 with both", len(claims), restricted, unreadable)
	}
}

func TestATextIsAClaimOnlyIfItIsRecognised(t *testing.T) {
	tagged := []byte("SPDX-License-Identifier: GPL-2.0-only\n")
	want := sbom.LicenceClaim{Value: "GPL-2.0-only", Provenance: sbom.FromText, Path: "/x/LICENSE"}
	if got, ok := sbom.TextClaim(tagged, "/x/LICENSE"); !ok || got != want {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
	for _, text := range []string{"", "Ask Erika Mustermann.", "SPDX-License-Identifier: LicenseRef-own"} {
		if got, ok := sbom.TextClaim([]byte(text), "/x/LICENSE"); ok || got != (sbom.LicenceClaim{}) {
			t.Errorf("%q: got %+v, %v, want nothing", text, got, ok)
		}
	}
}

func FuzzCopyrightClaims(f *testing.F) {
	f.Add([]byte(formatLine + stanza("*", "Expat") + stanza("debian/*", "GPL-3+") + stanza("tests/* \x00", "GPL-2 or x")))
	f.Add([]byte("see /usr/share/common-licenses/GPL-2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		claims := sbom.CopyrightClaims(data, "/c", sbom.FromCopyright)
		for _, c := range claims {
			if len(c.Files) > 200 || c.Value == "" || strings.Contains(c.Value+c.Files, "@") && strings.Contains(c.Files, ".org") {
				t.Fatalf("claim %+v", c)
			}
			if _, err := licence.ParseFrom(licence.Debian, c.Value); err != nil {
				t.Fatalf("claim %+v cannot be read: %v", c, err)
			}
		}
		l := sbom.Judge{}.Of(sbom.Component{Type: "deb", Name: "a", Version: "1", Section: "libs", PURL: "pkg:deb/example/a@1", Licences: claims})
		if l.Class == "" || len(claims) > 0 && l.Concluded == "" {
			t.Fatalf("%d claims were judged %+v", len(claims), l)
		}
	})
}

func distinctNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("own-%d", i)
	}
	return strings.Join(names, " and ")
}
