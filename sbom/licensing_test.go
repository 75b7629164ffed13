package sbom_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

func said(provenance, value string) sbom.LicenceClaim {
	return sbom.LicenceClaim{Value: value, Provenance: provenance}
}

func weighed(weight, value, files string) sbom.LicenceClaim {
	return sbom.LicenceClaim{Value: value, Provenance: sbom.FromCopyright, Weight: weight, Files: files}
}

var fromDebian = said(sbom.FromArchiveArea, sbom.DebianArchive)

func deb(section string, claims ...sbom.LicenceClaim) sbom.Component {
	return sbom.Component{
		Ref: "pkg:deb/debian/a@1", Type: "deb", Name: "liba1", Source: "a", Version: "1.2-3+deb12u1", PURL: "pkg:deb/debian/liba1@1.2-3%2Bdeb12u1",
		Section: section, Licences: claims,
	}
}

func python(claims ...sbom.LicenceClaim) sbom.Component {
	return sbom.Component{Ref: "pkg:pypi/a@1", Type: "python", Name: "a", Version: "1", PURL: "pkg:pypi/a@1", Licences: claims}
}

func pkg(kind string, claims ...sbom.LicenceClaim) sbom.Component {
	return sbom.Component{Ref: "a", Type: kind, Name: "a", Version: "1", Licences: claims}
}

func TestJudgements(t *testing.T) {
	for name, tc := range map[string]struct {
		in   sbom.Component
		want sbom.Licensing // Note: a part of it; empty: no note at all
	}{
		// provenance
		"nothing at all": {python(), sbom.Licensing{Class: "unknown", Note: "no licence was found"}},
		"the copyright file comes before an SBOM": {
			deb("libs", said(sbom.FromSBOM, "SSPL-1.0"), said(sbom.FromCopyright, "MIT")),
			sbom.Licensing{Declared: "MIT", Concluded: "MIT", Class: "osi", Provenance: sbom.FromCopyright}},
		"a hidden file comes before a service": {
			deb("libs", said(sbom.FromService, "ISC"), said(sbom.FromHidden, "MIT")),
			sbom.Licensing{Declared: "MIT", Concluded: "MIT", Class: "osi", Provenance: sbom.FromHidden}},
		"what says nothing is passed over": {
			python(said(sbom.FromMetadata, "UNKNOWN"), said(sbom.FromSBOM, "MIT")),
			sbom.Licensing{Declared: "MIT", Concluded: "MIT", Class: "osi", Provenance: sbom.FromSBOM}},
		"what cannot be read is not": {
			python(said(sbom.FromMetadata, "MIT and"), said(sbom.FromSBOM, "MIT")),
			sbom.Licensing{Declared: "LicenseRef-NOASSERTION", Concluded: "LicenseRef-NOASSERTION", Class: "unknown", Provenance: sbom.FromMetadata, Note: "nobody knows"}},
		"a label alone is not trusted": {
			python(said(sbom.FromLabel, "ASL 2.0")), sbom.Licensing{Declared: "Apache-2.0", Class: "unknown", Note: "label"}},
		"metadata and text hold together": {
			python(said(sbom.FromMetadata, "License :: OSI Approved :: MIT License"), said(sbom.FromText, "Apache-2.0")),
			sbom.Licensing{Declared: "Apache-2.0 AND MIT", Concluded: "Apache-2.0 AND MIT", Class: "osi", Provenance: sbom.FromMetadata, Note: "the metadata says MIT, a text is of Apache-2.0"}},
		"the texts of both branches of a choice are no demand": {
			python(said(sbom.FromMetadata, "MIT OR SSPL-1.0"), said(sbom.FromText, "MIT"), said(sbom.FromText, "SSPL-1.0")),
			sbom.Licensing{Declared: "MIT OR SSPL-1.0", Concluded: "MIT", Effective: "MIT", Class: "osi", Provenance: sbom.FromMetadata, Note: "chosen among"}},
		"a text of the GPL does not take back or later": {
			python(said(sbom.FromMetadata, "GPLv2+"), said(sbom.FromText, "GPL-2.0-only")),
			sbom.Licensing{Declared: "GPL-2.0-or-later", Concluded: "GPL-2.0-or-later", Class: "osi", Provenance: sbom.FromMetadata}},
		"a restricted text beside free metadata is restricted": {
			pkg("npm", said(sbom.FromMetadata, "MIT"), said(sbom.FromText, "BUSL-1.1")),
			sbom.Licensing{Declared: "BUSL-1.1 AND MIT", Concluded: "BUSL-1.1 AND MIT", Class: "restricted", Provenance: sbom.FromMetadata, Note: "a text is of BUSL-1.1"}},
		"a text says what a vague name means": {
			python(said(sbom.FromMetadata, "BSD"), said(sbom.FromText, "BSD-3-Clause")),
			sbom.Licensing{Declared: "BSD-3-Clause", Concluded: "BSD-3-Clause", Class: "osi", Provenance: sbom.FromMetadata}},
		"a pointer to a file leaves the word to the text": {
			pkg("npm", said(sbom.FromMetadata, "SEE LICENSE IN LICENSE.md"), said(sbom.FromText, "ISC")),
			sbom.Licensing{Declared: "ISC", Concluded: "ISC", Class: "osi", Provenance: sbom.FromText}},
		"a pointer alone is unknown":  {pkg("npm", said(sbom.FromMetadata, "SEE LICENSE IN LICENSE.md")), sbom.Licensing{Class: "unknown", Note: "no licence was found"}},
		"npm UNLICENSED is no grant":  {pkg("npm", said(sbom.FromMetadata, "UNLICENSED")), sbom.Licensing{Declared: "LicenseRef-npm-UNLICENSED", Concluded: "LicenseRef-npm-UNLICENSED", Class: "restricted", Provenance: sbom.FromMetadata}},
		"npm Unlicense is a licence":  {pkg("npm", said(sbom.FromMetadata, "Unlicense")), sbom.Licensing{Declared: "Unlicense", Concluded: "Unlicense", Class: "osi", Provenance: sbom.FromMetadata}},
		"old names of Fedora":         {pkg("rpm", said(sbom.FromMetadata, "GPLv2+ with exceptions and BSD")), sbom.Licensing{Declared: "GPL-2.0-or-later WITH AdditionRef-rpm-exceptions AND LicenseRef-fedora-BSD", Concluded: "GPL-2.0-or-later WITH AdditionRef-rpm-exceptions AND LicenseRef-fedora-BSD", Class: "free-not-osi", Provenance: sbom.FromMetadata}},
		"a list of words from Alpine": {pkg("apk", said(sbom.FromMetadata, "GPL2+ MIT")), sbom.Licensing{Declared: "GPL-2.0-or-later AND MIT", Concluded: "GPL-2.0-or-later AND MIT", Class: "osi", Provenance: sbom.FromMetadata}},
		// stanzas
		"shipped parts count, side parts are declared only": {
			deb("libs", weighed("main", "MIT", ""), weighed("shipped", "BSD-4-Clause", "a.c"), weighed("side", "SSPL-1.0", "tests/*")),
			sbom.Licensing{Declared: "BSD-4-Clause AND MIT AND SSPL-1.0", Concluded: "BSD-4-Clause AND MIT", Class: "free-not-osi", Provenance: sbom.FromCopyright}},
		"a package of documentation alone": {
			deb("doc", weighed("side", "GFDL-1.3-only", "doc/*")),
			sbom.Licensing{Declared: "GFDL-1.3-only", Concluded: "GFDL-1.3-only", Class: "docs-data", Provenance: sbom.FromCopyright}},
		"the choice of an OR is the effective licence": {
			deb("net", said(sbom.FromCopyright, "LicenseRef-RSALv2 OR SSPL-1.0 OR AGPL-3.0-only")),
			sbom.Licensing{Declared: "AGPL-3.0-only OR LicenseRef-RSALv2 OR SSPL-1.0", Concluded: "AGPL-3.0-only", Effective: "AGPL-3.0-only", Class: "osi", Provenance: sbom.FromCopyright, Note: "chosen among"}},
		"a licence for documents is none for code": {
			python(said(sbom.FromMetadata, "CC-BY-4.0")), sbom.Licensing{Declared: "CC-BY-4.0", Concluded: "CC-BY-4.0", Class: "unknown", Provenance: sbom.FromMetadata, Note: "for documents"}},
		"nor for single source files": {
			deb("libs", weighed("main", "MIT", ""), weighed("shipped", "CC-BY-SA-3.0", "src/a.c")),
			sbom.Licensing{Declared: "CC-BY-SA-3.0 AND MIT", Concluded: "CC-BY-SA-3.0 AND MIT", Class: "unknown", Provenance: sbom.FromCopyright, Note: "stands on code"}},
		// archive areas
		"Debian main vouches for names that nobody knows": {
			deb("libs", fromDebian, weighed("main", "LicenseRef-debian-own", "")),
			sbom.Licensing{Declared: "LicenseRef-debian-own", Concluded: "LicenseRef-debian-own", Class: "free-not-osi", Provenance: sbom.FromArchiveArea, Note: "into main"}},
		"a vendor's package gets nothing from that": {
			deb("libs", weighed("main", "LicenseRef-debian-own", "")),
			sbom.Licensing{Declared: "LicenseRef-debian-own", Concluded: "LicenseRef-debian-own", Class: "unknown", Provenance: sbom.FromCopyright, Note: "nobody knows LicenseRef-debian-own"}},
		"Debian main does not make a restricted licence free": {
			deb("libs", fromDebian, weighed("main", "SSPL-1.0", "")),
			sbom.Licensing{Declared: "SSPL-1.0", Concluded: "SSPL-1.0", Class: "restricted", Provenance: sbom.FromCopyright}},
		"Debian main without a copyright file": {
			deb("libs", fromDebian),
			sbom.Licensing{Concluded: "LicenseRef-debian-copyright-of-a", Class: "free-not-osi", Provenance: sbom.FromArchiveArea, Note: "no copyright file"}},
		"file and line of what nobody knows": {
			deb("libs", weighed("main", "MIT", ""), sbom.LicenceClaim{Value: "LicenseRef-debian-own", Provenance: sbom.FromCopyright, Path: "/usr/share/doc/a/copyright", Line: 7}),
			sbom.Licensing{Declared: "LicenseRef-debian-own AND MIT", Concluded: "LicenseRef-debian-own AND MIT", Class: "unknown", Provenance: sbom.FromCopyright,
				Note: "nobody knows LicenseRef-debian-own in /usr/share/doc/a/copyright line 7"}},
		"a copyright file that nobody can read, in main": {
			deb("libs", fromDebian, weighed("main", sbom.UnreadableCopyright, "")),
			sbom.Licensing{Declared: "LicenseRef-debian-copyright-of-a", Concluded: "LicenseRef-debian-copyright-of-a", Class: "free-not-osi", Provenance: sbom.FromArchiveArea, Note: "into main"}},
		"contrib complies with the DFSG too": {
			deb("contrib/net", fromDebian, weighed("main", "LicenseRef-debian-own", "")),
			sbom.Licensing{Declared: "LicenseRef-debian-own", Concluded: "LicenseRef-debian-own", Class: "free-not-osi", Provenance: sbom.FromArchiveArea, Note: "into contrib"}},
		"non-free without a text is restricted": {
			deb("non-free-firmware/kernel", fromDebian),
			sbom.Licensing{Concluded: "LicenseRef-debian-copyright-of-a", Class: "restricted", Provenance: sbom.FromArchiveArea, Note: "keeps the package in non-free-firmware"}},
		"multiverse with an unknown name is restricted": {
			deb("multiverse/net", weighed("main", "LicenseRef-debian-own", "")),
			sbom.Licensing{Declared: "LicenseRef-debian-own", Concluded: "LicenseRef-debian-own", Class: "restricted", Provenance: sbom.FromArchiveArea, Note: "multiverse"}},
		"non-free with a free text is an open question": {
			deb("non-free/libs", fromDebian, weighed("main", "MIT", "")),
			sbom.Licensing{Declared: "MIT", Concluded: "MIT", Class: "unknown", Provenance: sbom.FromCopyright, Note: "although it names MIT"}},
		"manuals in non-free are documents": {
			deb("non-free/doc", fromDebian, weighed("main", "GFDL-1.3-invariants-only", "")),
			sbom.Licensing{Declared: "GFDL-1.3-invariants-only", Concluded: "GFDL-1.3-invariants-only", Class: "docs-data", Provenance: sbom.FromCopyright}},
		"universe vouches for nothing": {
			deb("universe/net", fromDebian), sbom.Licensing{Class: "unknown", Note: "no licence was found"}},
		"an own section is no section of Debian": {
			deb("default", fromDebian), sbom.Licensing{Class: "unknown", Note: "no licence was found"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := sbom.Judge{}.Of(tc.in)
			if !strings.Contains(got.Note, tc.want.Note) || tc.want.Note == "" && got.Note != "" {
				t.Errorf("note: got %q, want %q", got.Note, tc.want.Note)
			}
			got.Note, tc.want.Note = "", ""
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("judgement (-want +got):\n%s", d)
			}
		})
	}
}

func TestOnlyDebianItselfCountsAsDebian(t *testing.T) {
	c := deb("libs", fromDebian)
	for version, want := range map[string]string{
		"1.2-3+deb12u1": "free-not-osi", "1:20.1-1+b2": "free-not-osi", "1.2-1~bpo12+1": "free-not-osi", "20.2-1nodesource1": "unknown", "15.2-1.pgdg120+1": "unknown",
		"1.2-3ubuntu1": "unknown", "1.2-0ubuntu1~cloud0": "unknown", "8.2.1+0~20231201.1+debian12~1": "unknown", "1.2-3+rpt1": "unknown",
	} {
		c.Version = version
		if got := (sbom.Judge{}).Of(c).Class; got != want {
			t.Errorf("version %s: got %s, want %s", version, got, want)
		}
	}
	c = deb("libs", fromDebian)
	for purl, want := range map[string]string{"pkg:deb/ubuntu/liba1@1": "free-not-osi", "pkg:deb/other/liba1@1": "unknown", "": "unknown"} {
		c.PURL = purl
		if got := (sbom.Judge{}).Of(c).Class; got != want {
			t.Errorf("purl %q: got %s, want %s", purl, got, want)
		}
	}
	c = deb("libs")
	c.Supplier = "Debian Python Team"
	if got := (sbom.Judge{}).Of(c).Class; got != "free-not-osi" {
		t.Errorf("a team of Debian: got %s, want free-not-osi", got)
	}
	for maintainer, want := range map[string]bool{
		"Debian GCC Maintainers <debian-gcc@lists.debian.org>": true, "Erika Mustermann <erika@debian.org>": true, "X <x@alioth-lists.debian.net>": true,
		"Erika Mustermann <erika@example.org>": false, "Debian <debian.org@example.org>": false, "erika@debian.org": false, "X <x@notdebian.org>": false, "": false,
		"X <x@debian.org": false,
	} {
		if got := sbom.DebianMaintainer(maintainer); got != want {
			t.Errorf("DebianMaintainer(%q): got %v, want %v", maintainer, got, want)
		}
	}
}

// claims and components for the laws below: something of every class, provenance and weight.
var (
	lawValues = []string{
		"MIT", "GPL-2.0-or-later", "X11", "LicenseRef-scancode-public-domain", "CC-BY-4.0", "GFDL-1.3-only", "LicenseRef-debian-own", "own words", "SSPL-1.0", "MIT OR SSPL-1.0",
		"MIT and", "UNKNOWN", "", "BSD", "SEE LICENSE IN x", sbom.UnreadableCopyright, sbom.DebianArchive,
	}
	lawProvenances = []string{
		sbom.FromCurated, sbom.FromCopyright, sbom.FromHidden, sbom.FromOtherImage, sbom.FromMirror, sbom.FromService, sbom.FromMetadata, sbom.FromText, sbom.FromSBOM,
		sbom.FromCatalogue, sbom.FromArchiveArea, sbom.FromLabel, "other",
	}
	lawComponents = []sbom.Component{
		deb("libs"), deb("doc"), deb("non-free/libs"), deb("non-free/doc"), deb("contrib/net"), python(), pkg("npm"), pkg("rpm"), pkg("apk"), pkg("go-module"),
	}
)

func lawClaim(r *rand.Rand) sbom.LicenceClaim {
	return sbom.LicenceClaim{
		Value: lawValues[r.IntN(len(lawValues))], Provenance: lawProvenances[r.IntN(len(lawProvenances))],
		Weight: []string{"", "main", "shipped", "side"}[r.IntN(4)], Files: []string{"", "a.c", "doc/*"}[r.IntN(3)],
	}
}

func worse(a, b string) bool {
	return a != b && licence.Worst(licence.Class(a), licence.Class(b)) == licence.Class(a)
}

func TestLawsOfJudging(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 17))
	for range 5000 {
		c := lawComponents[r.IntN(len(lawComponents))]
		c.Licences = nil
		for range r.IntN(5) {
			c.Licences = append(c.Licences, lawClaim(r))
		}
		before := sbom.Judge{}.Of(c)

		shuffled := c
		shuffled.Licences = slices.Clone(c.Licences)
		r.Shuffle(len(shuffled.Licences), func(i, j int) {
			shuffled.Licences[i], shuffled.Licences[j] = shuffled.Licences[j], shuffled.Licences[i]
		})
		if d := cmp.Diff(before, sbom.Judge{}.Of(shuffled)); d != "" {
			t.Fatalf("%+v: the order of claims matters (-want +got):\n%s", c, d)
		}

		alone, more := c, c
		extra := lawClaim(r)
		alone.Licences, more.Licences = []sbom.LicenceClaim{extra}, append(slices.Clone(c.Licences), extra)
		for _, claim := range c.Licences {
			if claim.Provenance == sbom.FromArchiveArea {
				alone.Licences = append(alone.Licences, claim) // the same archive vouches
			}
		}
		if extra.Provenance == sbom.FromArchiveArea {
			continue // who made the package is no licence
		}
		after, single := sbom.Judge{}.Of(more), sbom.Judge{}.Of(alone)
		if worse(single.Class, before.Class) && worse(before.Class, after.Class) && extra.Weight != "side" {
			t.Fatalf("%+v was %s; a claim %+v of class %s made it better: %s", c.Licences, before.Class, extra, single.Class, after.Class)
		}
		if e, err := licence.Parse(before.Concluded); licence.Class(before.Class) == licence.OSI && (err != nil || e.Class() != licence.OSI) {
			t.Fatalf("%+v is osi with the expression %q", c.Licences, before.Concluded)
		}
		if licence.Class(before.Class).Free() && before.Provenance == "" {
			t.Fatalf("%+v passes as %s and nothing decided it", c.Licences, before.Class)
		}
	}
}

func TestLongListsOfClaimsAreJudgedInLinearWork(t *testing.T) {
	work := func(n int) float64 {
		c := deb("libs")
		for i := range n {
			c.Licences = append(c.Licences, weighed("shipped", fmt.Sprintf("GPL-2+ or LicenseRef-debian-%d", i), "a.c"))
		}
		return testing.AllocsPerRun(1, func() { sbom.Judge{}.Of(c) })
	}
	few, many := work(200), work(2000)
	if many > 25*few {
		t.Errorf("2000 claims cost %.0f allocations, 200 cost %.0f: more than 25 times", many, few)
	}
}

func corrections(t *testing.T, rows string) []sbom.Correction {
	t.Helper()
	list, err := sbom.ReadCorrections([]byte("schema: pegel/curated-licences/v1\ncorrections:\n" + rows))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const moved = `  - packages: [deb/moved, golang/github.com/example/moved, npm/@example/moved]
    versions: ">=2.1.0, <3.0.0"
    licence: SSPL-1.0 OR LicenseRef-RSALv2
    reason: It left its free licence with version 2.
    source: https://example.org/moved/LICENSE
    reviewed: "2026-06-01"
    reviewer: maintainer
`

func TestCorrectionsDecideByVersionUntilTheyExpire(t *testing.T) {
	day := func(s string) time.Time { at, _ := time.Parse(time.DateOnly, s); return at }
	list := corrections(t, moved)
	for name, tc := range map[string]struct {
		purl, kind, version, at string
		class, provenance, note string
	}{
		"inside the range":                         {"pkg:deb/debian/moved@2.1-1", "deb", "2.1.0-1", "2026-11-25", "restricted", sbom.FromCurated, "left its free licence"},
		"the revision of a distribution":           {"pkg:deb/x/moved", "deb", "5:2.9.9-1~deb12u1", "2026-11-25", "restricted", sbom.FromCurated, "example.org"},
		"before it":                                {"pkg:deb/debian/moved@1.9.9-1", "deb", "1.9.9-7", "2026-11-25", "osi", sbom.FromMetadata, ""},
		"after it":                                 {"pkg:deb/debian/moved@3.0.0-1", "deb", "3.0.0-1", "2026-11-25", "osi", sbom.FromMetadata, ""},
		"a Go module":                              {"pkg:golang/github.com/example/moved@v2.4.0", "go-module", "v2.4.0", "2026-11-25", "restricted", sbom.FromCurated, ""},
		"a Go module at a revision":                {"pkg:golang/github.com/example/moved@v0.0.0", "go-module", "v0.0.0-20240101000000-0123456789ab", "2026-11-25", "unknown", sbom.FromMetadata, "does not tell"},
		"another module below it":                  {"pkg:golang/github.com/example/moved/api@v2.4.0", "go-module", "v2.4.0", "2026-11-25", "osi", sbom.FromMetadata, ""},
		"a scope of npm":                           {"pkg:npm/%40example/moved@2.1.1", "npm", "2.1.1", "2026-11-25", "restricted", sbom.FromCurated, ""},
		"no version":                               {"pkg:deb/debian/moved", "deb", "", "2026-11-25", "unknown", sbom.FromMetadata, "does not tell"},
		"a series":                                 {"pkg:deb/debian/moved", "deb", "2", "2026-11-25", "unknown", sbom.FromMetadata, "does not tell"},
		"on the last day":                          {"pkg:deb/debian/moved", "deb", "2.1.0-1", "2027-05-31", "restricted", sbom.FromCurated, ""},
		"a year after the review nobody knows":     {"pkg:deb/debian/moved", "deb", "2.1.0-1", "2027-06-01", "unknown", sbom.FromMetadata, "has expired"},
		"and what it does not bear on stays as is": {"pkg:deb/debian/moved", "deb", "1.1.0-1", "2027-06-01", "osi", sbom.FromMetadata, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := sbom.Component{Type: tc.kind, Name: "moved", Version: tc.version, PURL: tc.purl, Licences: []sbom.LicenceClaim{said(sbom.FromMetadata, "MIT")}}
			got := sbom.NewJudge(list, day(tc.at)).Of(c)
			if got.Class != tc.class || got.Provenance != tc.provenance || !strings.Contains(got.Note, tc.note) || tc.note == "" && tc.provenance != sbom.FromCurated && got.Note != "" {
				t.Errorf("got %+v, want %s by %s with %q", got, tc.class, tc.provenance, tc.note)
			}
			if got.Declared != "MIT" {
				t.Errorf("declared: got %q, want what was found, MIT", got.Declared)
			}
		})
	}
}

func TestCorrectionsThatAreWrongAreErrors(t *testing.T) {
	for name, tc := range map[string]struct{ from, to, want string }{
		"an unknown key":        {"reason:", "raeson:", "raeson"},
		"an unknown licence":    {"SSPL-1.0 OR LicenseRef-RSALv2", "LicenseRef-own", "class unknown"},
		"a broken licence":      {"SSPL-1.0 OR", "SSPL-1.0 OR OR", "OR"},
		"a version of a word":   {">=2.1.0", ">=two", "no bounds"},
		"a short version":       {">=2.1.0", ">=2.1", "no bounds"},
		"an address by http":    {"https://", "http://", "https"},
		"a date of another":     {"2026-06-01", "1 June 2026", "no date"},
		"no reviewer":           {"reviewer: maintainer", "reviewer: ''", "reviewer"},
		"a name without a type": {"deb/moved,", "moved,", "<purl type>/<name>"},
		"no package":            {"[deb/moved, golang/github.com/example/moved, npm/@example/moved]", "[]", "no package"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "schema: pegel/curated-licences/v1\ncorrections:\n" + strings.Replace(moved, tc.from, tc.to, 1)
			if _, err := sbom.ReadCorrections([]byte(text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
	for name, text := range map[string]string{
		"another schema": "schema: x\ncorrections: []\n", "two documents": "schema: pegel/curated-licences/v1\n---\nschema: x\n", "nothing": "",
		"two rows for one version": "schema: pegel/curated-licences/v1\ncorrections:\n" + moved + strings.Replace(moved, ">=2.1.0, <3.0.0", ">=2.5.0", 1),
	} {
		if _, err := sbom.ReadCorrections([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTheShippedCorrectionsAreRight(t *testing.T) {
	list, err := sbom.Curated()
	if err != nil || len(list) == 0 {
		t.Fatalf("%d corrections, %v", len(list), err)
	}
	for _, c := range list {
		if e, err := licence.Parse(c.Licence); err != nil || e.String() != c.Licence {
			t.Errorf("%v: %q is written %q in SPDX form, %v", c.Packages, c.Licence, e, err)
		}
		if !slices.IsSorted(c.Packages) {
			t.Errorf("%v: the packages are not sorted", c.Packages)
		}
	}
}

func TestTheShippedCorrectionsKnowTheProductsThatMoved(t *testing.T) {
	judge, err := sbom.CuratedJudge(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ purl, kind, version, class, concluded string }{
		{"pkg:deb/debian/redis-server@5:7.0.15-1~deb12u5", "deb", "5:7.0.15-1~deb12u5", "osi", "MIT"},
		{"pkg:deb/debian/redis-server@6:7.4.2-1rl1~bookworm1", "deb", "6:7.4.2-1rl1~bookworm1", "restricted", "LicenseRef-RSALv2 OR SSPL-1.0"},
		{"pkg:generic/redis@7.4.0", "binary", "7.4.0", "restricted", "LicenseRef-RSALv2 OR SSPL-1.0"},
		{"pkg:generic/redis@8.2.1", "binary", "8.2.1", "osi", "AGPL-3.0-only"},
		{"pkg:golang/github.com/hashicorp/vault@v1.14.8", "go-module", "v1.14.8", "osi", "MIT"},
		{"pkg:golang/github.com/hashicorp/vault@1.18.3", "go-module", "1.18.3", "restricted", "BUSL-1.1"},
		{"pkg:golang/github.com/hashicorp/vault/api@v1.15.0", "go-module", "v1.15.0", "osi", "MIT"},
		{"pkg:deb/debian/vault@1.13.13-1", "deb", "1.13.13-1", "restricted", "BUSL-1.1"},
		{"pkg:deb/debian/consul@1.16.3-1", "deb", "1.16.3-1", "osi", "MIT"},
		{"pkg:rpm/redhat/terraform@1.9.8-1", "rpm", "1.9.8-1", "restricted", "BUSL-1.1"},
		{"pkg:deb/debian/elasticsearch@7.10.2", "deb", "7.10.2", "restricted", "LicenseRef-Elastic-1.0"},
		{"pkg:deb/debian/elasticsearch-oss@7.10.2", "deb", "7.10.2", "osi", "MIT"},
		{"pkg:deb/debian/kibana@8.17.0", "deb", "8.17.0", "restricted", "Elastic-2.0"},
		{"pkg:maven/org.elasticsearch/elasticsearch@7.17.9", "java-archive", "7.17.9", "restricted", "Elastic-2.0 OR SSPL-1.0"},
		{"pkg:deb/debian/mongodb-org-server@7.0.14", "deb", "7.0.14", "restricted", "SSPL-1.0"},
		{"pkg:deb/debian/grafana@11.2.0", "deb", "11.2.0", "osi", "AGPL-3.0-only"},
		{"pkg:deb/debian/grafana@7.5.17", "deb", "7.5.17", "osi", "MIT"},
		{"pkg:maven/com.typesafe.akka/akka-actor_2.13@2.10.5", "java-archive", "2.10.5", "restricted", "BUSL-1.1"},
		{"pkg:maven/com.typesafe.akka/akka-actor_2.13@2.6.20", "java-archive", "2.6.20", "osi", "MIT"},
	} {
		got := judge.Of(sbom.Component{Type: tc.kind, Version: tc.version, PURL: tc.purl, Licences: []sbom.LicenceClaim{said(sbom.FromMetadata, "MIT")}})
		if got.Class != tc.class || got.Concluded != tc.concluded {
			t.Errorf("%s: got %s %q (%s), want %s %q", tc.purl, got.Class, got.Concluded, got.Note, tc.class, tc.concluded)
		}
	}
}

// FuzzCorrections has the law that a file that is read makes a judge which never panics and never makes an unknown name osi.
func FuzzCorrections(f *testing.F) {
	f.Add([]byte("schema: pegel/curated-licences/v1\ncorrections:\n"+moved), "2.4.0")
	f.Add([]byte("schema: pegel/curated-licences/v1\ncorrections: []\n"), "1:2.3-4")
	f.Fuzz(func(t *testing.T, data []byte, version string) {
		list, err := sbom.ReadCorrections(data)
		if err != nil {
			return
		}
		c := sbom.Component{Type: "deb", Name: "moved", Version: version, PURL: "pkg:deb/debian/moved@1", Licences: []sbom.LicenceClaim{said(sbom.FromMetadata, "SSPL-1.0")}}
		got := sbom.NewJudge(list, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)).Of(c)
		if got.Class != "restricted" && got.Provenance != sbom.FromCurated {
			t.Fatalf("%+v turned a restricted package into %+v", list, got)
		}
	})
}
