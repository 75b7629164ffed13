package licence

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

func TestNamesBecomeSPDXExpressions(t *testing.T) {
	for _, tc := range []struct {
		list List
		raw  string
		want string
	}{
		// SPDX itself
		{Any, "Apache-2.0", "Apache-2.0"},
		{Any, "apache-2.0 and mit", "Apache-2.0 AND MIT"},
		{Any, "(MIT OR Apache-2.0) AND (BSD-3-Clause)", "(MIT OR Apache-2.0) AND BSD-3-Clause"},
		{Any, "GPL-2.0", "GPL-2.0-only"},
		{Any, "GPL-2.0+", "GPL-2.0-or-later"},
		{Any, "GPL-3.0-with-GCC-exception", "GPL-3.0-only WITH GCC-exception-3.1"},
		{Any, "EPL-1.0+", "EPL-1.0+"},
		{Any, "LicenseRef-My-Own.1", "LicenseRef-My-Own.1"},
		{Any, "NOASSERTION", "NOASSERTION"},
		{Any, "MIT AND NOASSERTION", "MIT AND LicenseRef-NOASSERTION"},
		{Any, "MIT AND MIT AND (MIT)", "MIT"},
		// Debian
		{Debian, "Expat", "MIT"},
		{Debian, "MIT/X11", "MIT"},
		{Debian, "X11", "X11"},
		{Debian, "GPL-1", "GPL-1.0-only"},
		{Debian, "GPL-2", "GPL-2.0-only"},
		{Debian, "GPL-2+", "GPL-2.0-or-later"},
		{Debian, "GPL-2.0+", "GPL-2.0-or-later"},
		{Debian, "LGPL-2.1+", "LGPL-2.1-or-later"},
		{Debian, "AGPL-3", "AGPL-3.0-only"},
		{Debian, "GPL", "GPL-1.0-or-later"},
		{Debian, "GFDL-1.3+", "GFDL-1.3-or-later"},
		{Debian, "GFDL-NIV-1.3", "GFDL-1.3-no-invariants-only"},
		{Debian, "GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
		{Debian, "BSD-3-clause", "BSD-3-Clause"},
		{Debian, "BSD-3-clauses", "BSD-3-Clause"},
		{Debian, "BSD-4-clause", "BSD-4-Clause"},
		{Debian, "BSD", "LicenseRef-debian-BSD"},
		{Debian, "BSD-style", "LicenseRef-debian-BSD-style"},
		{Debian, "BSD-3-clause-somebody", "LicenseRef-debian-BSD-3-clause-somebody"},
		{Debian, "Apache", "Apache-2.0"},
		{Debian, "Apache-2", "Apache-2.0"},
		{Debian, "ASL-2.0", "Apache-2.0"},
		{Debian, "Artistic", "Artistic-1.0-Perl"},
		{Debian, "Perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"},
		{Debian, "GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"},
		{Debian, "MPL-2", "MPL-2.0"},
		{Debian, "CDDL-1", "CDDL-1.0"},
		{Debian, "CC-BY-SA-4", "CC-BY-SA-4.0"},
		{Debian, "CC0", "CC0-1.0"},
		{Debian, "Boost-1.0", "BSL-1.0"},
		{Debian, "BSL-1", "BSL-1.0"},
		{Debian, "BSL", "LicenseRef-debian-BSL"},
		{Debian, "PSF", "LicenseRef-debian-PSF"},
		{Debian, "Intel", "LicenseRef-debian-Intel"},
		{Debian, "OpenLDAP-2.8", "OLDAP-2.8"},
		{Debian, "Zlib/libpng", "Zlib"},
		{Debian, "public-domain", "LicenseRef-scancode-public-domain"},
		{Debian, "PD", "LicenseRef-scancode-public-domain"},
		{Debian, "g10-permissive", "LicenseRef-debian-g10-permissive"},
		{Debian, "GPL-2+ with Autoconf exception", "GPL-2.0-or-later WITH Autoconf-exception-3.0"},
		{Debian, "GPL-3+-WITH-BISON-EXCEPTION", "GPL-3.0-or-later WITH Bison-exception-2.2"},
		{Debian, "GPL-2+ with Libtool exception", "GPL-2.0-or-later WITH Libtool-exception"},
		{Debian, "GPL-2 with Classpath exception", "GPL-2.0-only WITH Classpath-exception-2.0"},
		{Debian, "GPL-2+ with OpenSSL exception", "GPL-2.0-or-later WITH AdditionRef-debian-OpenSSL-exception"},
		{Debian, "LGPLv3+_or_GPLv2+", "LGPL-3.0-or-later OR GPL-2.0-or-later"},
		// precedence: with, and, or, comma
		{Debian, "GPL-2+ or Artistic-2.0 and BSD-3-clause", "GPL-2.0-or-later OR Artistic-2.0 AND BSD-3-Clause"},
		{Debian, "GPL-2+ or Artistic-2.0, and BSD-3-clause", "(GPL-2.0-or-later OR Artistic-2.0) AND BSD-3-Clause"},
		{Debian, "MIT and ISC, or Zlib and curl", "MIT AND ISC OR Zlib AND curl"},
		{Any, "MIT, BSD-3-Clause", "MIT AND BSD-3-Clause"},
		{Any, "MIT; ISC", "MIT AND ISC"},
		{Any, "MIT and/or ISC", "MIT AND ISC"},
		{Any, "MIT || ISC", "MIT OR ISC"},
		// Python
		{Python, "Apache Software License", "Apache-2.0"},
		{Python, "Apache License, Version 2.0", "Apache-2.0"},
		{Python, "License :: OSI Approved :: MIT License", "MIT"},
		{Python, "OSI Approved :: Apache Software License", "Apache-2.0"},
		{Python, "License :: OSI Approved :: BSD License", "LicenseRef-pegel-OSI-Approved-BSD"},
		{Python, "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"},
		{Python, "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"},
		{Python, "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"},
		{Python, "GNU General Public License v3", "GPL-3.0-only"},
		{Python, "GPL version 2 or later", "GPL-2.0-or-later"},
		{Python, "LGPL-2.1 or any later version", "LGPL-2.1-or-later"},
		{Python, "New BSD License", "BSD-3-Clause"},
		{Python, "BSD 3-Clause", "BSD-3-Clause"},
		{Python, "PSF", "PSF-2.0"},
		{Python, "UNKNOWN", "NOASSERTION"},
		{Python, "Apache-2.0 or BSD-3-Clause", "Apache-2.0 OR BSD-3-Clause"},
		{Python, "https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"},
		{Python, "http://example.org/own", "LicenseRef-python-http-example.org-own"},
		{Python, "LICENSE.txt", "NOASSERTION"},
		{Python, "License :: OSI Approved :: Blue Oak Model License (BlueOak-1.0.0)", "BlueOak-1.0.0"},
		{Python, "License :: Free for non-commercial use", "LicenseRef-pegel-non-commercial"},
		{Python, "3-Clause BSD <https://opensource.org/licenses/BSD-3-Clause>", "BSD-3-Clause"},
		{Python, "MIT/Apache-2.0", "MIT AND Apache-2.0"},
		{Python, "MIT/own", "LicenseRef-python-MIT-own"},
		// poms and manifests of jars
		{Any, "The MIT License (MIT)", "MIT"},
		{Any, "The Apache Software License, Version 2.0", "Apache-2.0"},
		{Any, "Apache-2.0;link=https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"},
		{Any, `"Apache License 2.0";link="http://example.org"`, "Apache-2.0"},
		{Any, "GNU General Public License, version 2 with the GNU Classpath Exception", "GPL-2.0-only WITH Classpath-exception-2.0"},
		{Any, "CDDL + GPLv2 with classpath exception", "CDDL-1.0 AND GPL-2.0-only WITH Classpath-exception-2.0"},
		{Any, "Eclipse Distribution License - v 1.0", "BSD-3-Clause"},
		{Any, "The JSON License", "JSON"},
		// Debian: dedications, remarks, exceptions with a version
		{Debian, "public-domain-md5", "LicenseRef-scancode-public-domain"},
		{Debian, "Plumb-PD", "LicenseRef-scancode-public-domain"},
		{Debian, "probably-PD", "LicenseRef-debian-probably-PD"},
		{Debian, "not-public-domain", "LicenseRef-debian-not-public-domain"},
		{Debian, "LGPL2.1 (see COPYING-LGPL2.1)", "LGPL-2.1-only"},
		{Debian, "GPL-3+ with Bison-2.2 exception", "GPL-3.0-or-later WITH Bison-exception-2.2"},
		{Debian, "GPL-3+ with GCC-Runtime-3.1 exception", "GPL-3.0-or-later WITH GCC-exception-3.1"},
		// rpm, as Fedora wrote before 2022
		{RPM, "GPLv2+", "GPL-2.0-or-later"},
		{RPM, "GPL+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"},
		{RPM, "ASL 2.0", "Apache-2.0"},
		{RPM, "BSD", "LicenseRef-fedora-BSD"},
		{RPM, "BSD with advertising", "BSD-4-Clause"},
		{RPM, "LGPLv2+ with exceptions", "LGPL-2.0-or-later WITH AdditionRef-rpm-exceptions"},
		{RPM, "Public Domain and MIT", "LicenseRef-scancode-public-domain AND MIT"},
		{RPM, "MPLv2.0", "MPL-2.0"},
		{RPM, "(LGPLv3+ or GPLv2+) and GPLv3+", "(LGPL-3.0-or-later OR GPL-2.0-or-later) AND GPL-3.0-or-later"},
		{RPM, "Redistributable, no modification permitted", "LicenseRef-fedora-Redistributable"},
		{RPM, "GPLv2 and Redistributable, no modification permitted", "GPL-2.0-only AND LicenseRef-fedora-Redistributable"},
		{RPM, "SUSE-Firmware", "LicenseRef-SUSE-Firmware"},
		// apk
		{APK, "GPL-2.0-or-later AND MIT", "GPL-2.0-or-later AND MIT"},
		{APK, "MIT BSD GPL2+", "MIT AND LicenseRef-apk-BSD AND GPL-2.0-or-later"},
		{APK, "custom", "NOASSERTION"},
		{APK, "MIT custom", "MIT AND LicenseRef-NOASSERTION"},
		{APK, "own words", "LicenseRef-apk-own-words"},
		// npm
		{NPM, "SEE LICENSE IN LICENSE.md", "NOASSERTION"},
		{NPM, "(MIT OR CC0-1.0)", "MIT OR CC0-1.0"},
		{NPM, "UNLICENSED", "LicenseRef-npm-UNLICENSED"},
		{NPM, "Unlicense", "Unlicense"},
		// labels
		{OCI, "ASL 2.0", "Apache-2.0"},
		// licences that are not open, by the names people use
		{Any, "Business Source License 1.1", "BUSL-1.1"},
		{Any, "BSL-1.1", "BUSL-1.1"},
		{Any, "SSPL", "SSPL-1.0"},
		{Any, "RSALv2", "LicenseRef-RSALv2"},
		{Any, "Elastic License 2.0", "Elastic-2.0"},
	} {
		t.Run(string(tc.list)+"/"+tc.raw, func(t *testing.T) {
			e, err := ParseFrom(tc.list, tc.raw)
			if err != nil || e.String() != tc.want {
				t.Errorf("got %q, %v, want %q", e, err, tc.want)
			}
		})
	}
}

func TestWhatIsNoExpressionIsAnError(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"nothing":            {"  \n ", "empty"},
		"an open end":        {"MIT and", "ends where"},
		"a missing operand":  {"MIT or and ISC", `"and" stands where`},
		"an open bracket":    {"(MIT or ISC", "not closed"},
		"a closing bracket":  {"MIT or ISC)", `unexpected ")"`},
		"two exceptions":     {"GPL-2+ with Font exception with Bison exception", "single licence"},
		"a loose exception":  {"(MIT or ISC) with Font exception", "single licence"},
		"prose":              {"This software is provided as is and anyone may use it in whatever way they like if they want to do so", "prose"},
		"too many brackets":  {strings.Repeat("(", 40) + "MIT or ISC" + strings.Repeat(")", 40), "nested"},
		"too many names":     {strings.TrimSuffix(strings.Repeat("MIT or ", maxTerms+1), " or "), "names"},
		"more than a screen": {strings.Repeat("MIT and ", 4000) + "MIT", "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := Parse(tc.raw)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %q, error %v, want one with %q", e, err, tc.want)
			}
			if got := ClassOf(tc.raw); got != Unknown {
				t.Errorf("class: got %s, want unknown", got)
			}
		})
	}
}

func TestClasses(t *testing.T) {
	for raw, want := range map[string]Class{
		"Apache-2.0": OSI, "MIT": OSI, "GPL-2.0-only": OSI, "AGPL-3.0-only": OSI, "MPL-2.0": OSI, "OFL-1.1": OSI, "Artistic-1.0-Perl": OSI,
		"GPL-1.0-or-later": OSI, "GPL-1+": OSI, "AGPL-1.0-or-later": OSI, "Apache-1.0+": OSI, "PHP-3.01": OSI, "ZPL-2.1": OSI,
		"GPL-1.0-only": FreeNotOSI, "Apache-1.0": FreeNotOSI, "CC0-1.0": FreeNotOSI, "X11": FreeNotOSI, "BSD-4-Clause": FreeNotOSI, "BSD-4-Clause-UC": FreeNotOSI,
		"curl": FreeNotOSI, "OpenSSL": FreeNotOSI, "PSF-2.0": FreeNotOSI, "FTL": FreeNotOSI, "Libpng": FreeNotOSI, "bzip2-1.0.6": FreeNotOSI,
		"FSFUL": FreeNotOSI, "FSFULLR": FreeNotOSI, "FSFAP": FreeNotOSI, "HPND-sell-variant": FreeNotOSI, "TCL": FreeNotOSI, "Vim": FreeNotOSI,
		"Beerware": FreeNotOSI, "LicenseRef-scancode-public-domain": FreeNotOSI,
		"GFDL-1.3-only": DocsData, "CC-BY-4.0": DocsData, "CC-BY-SA-4.0": DocsData, "Bitstream-Vera": DocsData,
		"SSPL-1.0": Restricted, "BUSL-1.1": Restricted, "Elastic-2.0": Restricted, "LicenseRef-RSALv2": Restricted, "LicenseRef-Commons-Clause": Restricted,
		"LicenseRef-Confluent-Community-1.0": Restricted, "LicenseRef-Timescale": Restricted, "FSL-1.1-MIT": Restricted, "FSL-1.1-ALv2": Restricted, "PolyForm-Noncommercial-1.0.0": Restricted,
		"CC-BY-NC-4.0": Restricted, "CC-BY-NC-SA-4.0": Restricted, "CC-BY-ND-4.0": Restricted, "JSON": Restricted, "Aladdin": Restricted, "Hippocratic-2.1": Restricted,
		"LicenseRef-npm-UNLICENSED": Restricted, "LicenseRef-Sonatype-CE": Restricted,
		"NOASSERTION": Unknown, "NONE": Unknown, "LicenseRef-anything": Unknown, "ADSL": Unknown, "": Unknown, "Some Name": Unknown,
		"BSL-1.0": OSI, "BSL": Unknown,
		// combinations
		"MIT AND SSPL-1.0": Restricted, "MIT OR SSPL-1.0": OSI, "LicenseRef-x OR MIT": OSI, "LicenseRef-x AND SSPL-1.0": Restricted,
		"LicenseRef-RSALv2 OR SSPL-1.0 OR AGPL-3.0-only": OSI, "LicenseRef-RSALv2 OR SSPL-1.0": Restricted,
		"GPL-2.0-or-later WITH Bison-exception-2.2":        OSI,
		"GPL-2.0-or-later WITH AdditionRef-x":              Unknown,
		"GPL-2.0-or-later WITH AdditionRef-rpm-exceptions": OSI,
		"LicenseRef-fedora-BSD":                            FreeNotOSI, "LicenseRef-SUSE-NonFree": Restricted,
		"SSPL-1.0 WITH AdditionRef-x":                  Restricted,
		"Apache-2.0 AND LicenseRef-Commons-Clause":     Restricted,
		"(GPL-2.0-only OR LicenseRef-x) AND CC-BY-4.0": DocsData,
		"GPL-2.0-only WITH Linux-syscall-note AND X11": FreeNotOSI,
		"any-OSI": OSI,
		"BSD-3-Clause-No-Military-License OR BSD-1-Clause": OSI,
	} {
		if got := ClassOf(raw); got != want {
			t.Errorf("ClassOf(%q): got %s, want %s", raw, got, want)
		}
	}
}

func TestEveryRowOfTheTablesIsAnExpression(t *testing.T) {
	check := func(where, target string) {
		e := must(target)
		if e.IsEmpty() {
			t.Errorf("%s: %q is no expression", where, target)
		}
		for _, id := range e.IDs() {
			_, known := spdxList[strings.ToLower(id)]
			if !known && !refForm.MatchString(id) && id != noAssertion {
				t.Errorf("%s: %q is no SPDX id and no reference", where, id)
			}
			if _, judged := refs[strings.ToLower(id)]; !known && !judged && id != noAssertion && !strings.HasPrefix(id, localPrefix) {
				t.Errorf("%s: the reference %q has no class", where, id)
			}
		}
	}
	for key, target := range names {
		check("names["+key+"]", target)
		if keyOf(key) != key {
			t.Errorf("names[%s] can never be found: the key of that name is %q", key, keyOf(key))
		}
	}
	for list, rows := range listNames {
		for key, target := range rows {
			check(fmt.Sprintf("listNames[%s][%s]", list, key), target)
			if keyOf(key) != key {
				t.Errorf("listNames[%s][%s] can never be found: the key of that name is %q", list, key, keyOf(key))
			}
		}
	}
	for _, s := range signatures {
		check("signatures", s.id)
	}
	for id, target := range textNames {
		check("textNames["+id+"]", target)
	}
	for name, id := range exceptionNames {
		if exceptions()[strings.ToLower(id)] != id {
			t.Errorf("exceptionNames[%s]: %q is no exception of the SPDX list", name, id)
		}
	}
	for key, e := range replaced() {
		if row := spdxList[strings.ToLower(e.id)]; row.id != e.id || row.flags&deprecated != 0 {
			t.Errorf("replaced[%s]: %q is no current SPDX id", key, e.id)
		}
	}
	for id := range refs {
		if !refForm.MatchString("LicenseRef-" + strings.TrimPrefix(id, "licenseref-")) {
			t.Errorf("refs[%s] is no reference", id)
		}
	}
}

func TestTheClassListsNameSPDXIDs(t *testing.T) {
	for name, list := range map[string]map[string]bool{"restrictedIDs": restrictedIDs, "docsIDs": docsIDs, "freeIDs": freeIDs, "anyOSI": anyOSI} {
		for id := range list {
			if _, ok := spdxList[id]; !ok {
				t.Errorf("%s: %q is not in the SPDX list", name, id)
			}
		}
	}
	for name, families := range map[string][]string{"restrictedFamilies": restrictedFamilies, "docsFamilies": docsFamilies, "freeFamilies": freeFamilies} {
		for _, f := range families {
			found := false
			for id := range spdxList {
				found = found || within(id, []string{f})
			}
			if !found {
				t.Errorf("%s: no id of the SPDX list belongs to %q", name, f)
			}
		}
	}
}

func TestTheGeneratedListHasEveryIDOfTheParserLibrary(t *testing.T) {
	ids := append(spdxlicenses.GetLicenses(), spdxlicenses.GetDeprecated()...)
	for _, id := range ids {
		if spdxList[strings.ToLower(id)].id != id {
			t.Errorf("%s is missing; run go generate", id)
		}
	}
	if len(spdxList) != len(ids) {
		t.Errorf("got %d ids, want %d", len(spdxList), len(ids))
	}
	osi := 0
	for _, row := range spdxList {
		if row.flags&osiApproved != 0 {
			osi++
		}
	}
	if osi < 140 || osi > 160 {
		t.Errorf("%d ids are OSI-approved; the list of November 2025 has 148", osi)
	}
}

// pool has ids of every class for the laws below.
var pool = []string{
	"MIT", "Apache-2.0", "GPL-2.0-or-later", "GPL-2.0-only WITH Classpath-exception-2.0", "X11", "CC0-1.0", "LicenseRef-scancode-public-domain",
	"CC-BY-4.0", "GFDL-1.3-only", "LicenseRef-x", "MIT WITH AdditionRef-y", "SSPL-1.0", "BUSL-1.1", "EPL-1.0+",
}

func randomExpression(r *rand.Rand, depth int) Expression {
	if depth == 0 || r.IntN(3) == 0 {
		return must(pool[r.IntN(len(pool))])
	}
	parts := make([]Expression, 1+r.IntN(4))
	for i := range parts {
		parts[i] = randomExpression(r, depth-1)
	}
	if r.IntN(2) == 0 {
		return And(parts...)
	}
	return Or(parts...)
}

func TestLawsOfExpressions(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for range 1500 {
		a, b := randomExpression(r, 3), randomExpression(r, 3)
		if got, want := And(a, b).Class(), Worst(a.Class(), b.Class()); got != want {
			t.Fatalf("(%s) AND (%s): got %s, want the worse, %s", a, b, got, want)
		}
		if got, want := Or(a, b).Class(), Best(a.Class(), b.Class()); got != want {
			t.Fatalf("(%s) OR (%s): got %s, want the better, %s", a, b, got, want)
		}
		again, err := Parse(a.String())
		if err != nil || again.String() != a.String() || again.Class() != a.Class() {
			t.Fatalf("%s: read back as %s, %v", a, again, err)
		}
		if s := a.Sorted(); s.Class() != a.Class() || s.Sorted().String() != s.String() {
			t.Fatalf("%s: sorting gave %s and then %s", a, s, s.Sorted())
		}
		if And(a, b).Sorted().String() != And(b, a).Sorted().String() {
			t.Fatalf("(%s) AND (%s): the order of the parts matters", a, b)
		}
		if got := Or(a, b).Class().rank(); got > min(a.Class().rank(), b.Class().rank()) {
			t.Fatalf("(%s) OR (%s): a choice made it worse", a, b)
		}
		if got := And(a, b).Class().rank(); got < max(a.Class().rank(), b.Class().rank()) {
			t.Fatalf("(%s) AND (%s): a demand made it better", a, b)
		}
		if lifted := a.ClassGiven(FreeNotOSI); lifted.rank() > a.Class().rank() || a.Class() != Unknown && len(a.Names(Unknown)) == 0 && lifted != a.Class() {
			t.Fatalf("%s: vouching turned %s into %s", a, a.Class(), lifted)
		}
		if text := must("BSD-3-Clause AND MIT"); a.SettledBy(text).SettledBy(text).String() != a.SettledBy(text).String() {
			t.Fatalf("%s: a text settles it twice", a)
		}
		if e := a.Effective(); e.Class() != a.Class() {
			t.Fatalf("%s: the choice %s has class %s, want %s", a, e, e.Class(), a.Class())
		}
		if valid, bad := spdxexp.ValidateLicenses(validatable(a)); !valid {
			t.Fatalf("%s: go-spdx does not know %v", a, bad)
		}
	}
}

// validatable are the ids of an expression that SPDX 2 knows.
func validatable(e Expression) []string {
	var out []string
	for _, id := range e.IDs() {
		if _, ok := spdxList[strings.ToLower(id)]; ok {
			out = append(out, id)
		}
	}
	return out
}

func TestNamesThatNobodyKnowsAreNeverOSI(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 1000 {
		name := make([]byte, 1+r.IntN(12))
		for i := range name {
			name[i] = "qxzjw789-"[r.IntN(9)]
		}
		for _, raw := range []string{string(name), string(name) + " AND MIT", string(name) + "+"} {
			if got := ClassOf(raw); got == OSI || got == FreeNotOSI {
				t.Fatalf("ClassOf(%q): got %s", raw, got)
			}
		}
	}
}

func TestTheChoiceOfAnOrIsTheBestBranch(t *testing.T) {
	for raw, want := range map[string]string{
		"LicenseRef-RSALv2 OR SSPL-1.0 OR AGPL-3.0-only": "AGPL-3.0-only",
		"MIT OR Apache-2.0":             "MIT OR Apache-2.0",
		"(SSPL-1.0 OR MIT) AND X11":     "MIT AND X11",
		"LicenseRef-RSALv2 OR SSPL-1.0": "LicenseRef-RSALv2 OR SSPL-1.0",
	} {
		e, err := Parse(raw)
		if err != nil || e.Effective().String() != want {
			t.Errorf("%s: got %s, %v, want %s", raw, e.Effective(), err, want)
		}
	}
}

func TestJoinedClaimsAllHold(t *testing.T) {
	for _, tc := range []struct {
		claims []string
		want   string
	}{
		{nil, "NOASSERTION"},
		{[]string{"UNKNOWN", " "}, "NOASSERTION"},
		{[]string{"UNKNOWN", "MIT"}, "MIT"},
		{[]string{"MIT License", "Apache 2.0", "MIT"}, "Apache-2.0 AND MIT"},
		{[]string{"ISC", "MIT or ISC"}, "ISC AND (ISC OR MIT)"},
		{[]string{"MIT", "(broken and"}, "LicenseRef-NOASSERTION AND MIT"},
	} {
		if got := Join(tc.claims); got != tc.want {
			t.Errorf("Join(%q): got %q, want %q", tc.claims, got, tc.want)
		}
	}
}

// FuzzParse has the laws: what is read is written in a form that reads back to the same, with the same class; a reference
// made from an unknown name is of class unknown.
func FuzzParse(f *testing.F) {
	for _, seed := range append(pool, "GPL-2+ or Artistic, and Expat", "Apache License, Version 2.0", "a/b (c)", "((MIT))", "x with y", "+", "MIT+", "GPL-2.0+-or-later",
		"LicenseRef-", "DocumentRef-a:LicenseRef-b", "none and NOASSERTION", "GFDL-NIV-1.2+", "a_or_b", "\xff\xfe", "| & ;") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, list := range []List{Debian, Any, Python, NPM, RPM, APK} {
			e, err := ParseFrom(list, raw)
			if err != nil {
				continue
			}
			again, err := ParseFrom(list, e.String())
			if err != nil || again.String() != e.String() || again.Class() != e.Class() {
				t.Fatalf("%q was read as %q [%s], and that as %q [%s], %v", raw, e, e.Class(), again, again.Class(), err)
			}
			if e.op == leaf && strings.HasPrefix(e.id, "LicenseRef-"+string(list)+"-") && list != Any && list != NPM && e.Class() == OSI {
				t.Fatalf("%q: the unknown name %q is OSI", raw, e)
			}
		}
	})
}

func BenchmarkParseADebianName(b *testing.B) {
	for b.Loop() {
		if _, err := ParseFrom(Debian, "GPL-2+ with Autoconf exception or Artistic, and BSD-3-clause"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClassOfAnSPDXExpression(b *testing.B) {
	for b.Loop() {
		ClassOf("GPL-2.0-or-later AND (MIT OR Apache-2.0) AND BSD-3-Clause")
	}
}

// A parser that goes back, as the one of go-spdx, needs 2^30 steps for the first of these.
func TestHostileExpressionsAllocateNoMoreThanTheirLengthDemands(t *testing.T) {
	for name, raw := range map[string]string{
		"nested choices":     strings.Repeat("(a or ", maxDepth-1) + "x" + strings.Repeat(")", maxDepth-1),
		"a long demand":      strings.TrimSuffix(strings.Repeat("a and b or ", 350), " or "),
		"unclosed brackets":  strings.Repeat("(a and ", 30) + "b",
		"words and fillers":  strings.Repeat("the-gnu-license-", 1000),
		"commas":             strings.Repeat("a,", 1000) + "b",
		"or later, for ever": strings.Repeat(" or later", 1800),
	} {
		allocations := testing.AllocsPerRun(1, func() { _, _ = Parse(raw) })
		if limit := float64(2000 + 200*len(raw)); allocations > limit {
			t.Errorf("%s: %d bytes cost %.0f allocations, want at most %.0f", name, len(raw), allocations, limit)
		}
	}
}

func TestVouchingLiftsOnlyWhatNobodyKnows(t *testing.T) {
	for raw, want := range map[string]Class{
		"LicenseRef-debian-own": FreeNotOSI, "MIT": OSI, "MIT AND LicenseRef-debian-own": FreeNotOSI, "SSPL-1.0 AND LicenseRef-debian-own": Restricted,
		"SSPL-1.0 OR LicenseRef-debian-own": FreeNotOSI, "GFDL-1.3-only": DocsData, "GPL-2.0-only WITH AdditionRef-x": FreeNotOSI, "": Unknown,
	} {
		e, _ := Parse(raw)
		if got := e.ClassGiven(FreeNotOSI); got != want {
			t.Errorf("%q: got %s, want %s", raw, got, want)
		}
	}
}

func TestATextSettlesVagueNamesOnly(t *testing.T) {
	for _, tc := range []struct {
		list             List
		name, text, want string
	}{
		{Python, "BSD", "BSD-3-Clause", "BSD-3-Clause"},
		{Python, "License :: OSI Approved :: BSD License", "BSD-2-Clause AND MIT", "BSD-2-Clause"},
		{Python, "BSD", "MIT", "LicenseRef-python-BSD"},
		{Python, "BSD AND MIT", "0BSD", "0BSD AND MIT"},
		{Any, "The BSD License", "BSD-2-Clause", "BSD-2-Clause"},
		{Python, "own", "BSD-3-Clause", "LicenseRef-python-own"},
		{Debian, "PSF", "Python-2.0", "Python-2.0"},
		{RPM, "BSD", "BSD-3-Clause", "BSD-3-Clause"},
	} {
		e, err := ParseFrom(tc.list, tc.name)
		if got := e.SettledBy(must(tc.text)).String(); err != nil || got != tc.want {
			t.Errorf("%s by %s: got %s, %v, want %s", tc.name, tc.text, got, err, tc.want)
		}
	}
}

func TestListedMeansEveryPartIsInTheSPDXList(t *testing.T) {
	for raw, want := range map[string]bool{
		"MIT": true, "MIT AND (ISC OR X11)": true, "GPL-2.0-only WITH Classpath-exception-2.0": true, "GPL-2.0-only WITH AdditionRef-x": false,
		"MIT AND LicenseRef-x": false, "NOASSERTION": false, "": false,
	} {
		e, _ := Parse(raw)
		if e.Listed() != want {
			t.Errorf("%q: got %v, want %v", raw, e.Listed(), want)
		}
	}
}

func TestOfStanzasThatMatchAFileTheLastOneSpeaks(t *testing.T) {
	file := func(stanzas ...string) []byte {
		text := "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
		for _, s := range stanzas {
			files, name, _ := strings.Cut(s, " | ")
			text += "\nFiles: " + files + "\nLicense: " + name + "\n"
		}
		return []byte(text)
	}
	for name, tc := range map[string]struct {
		in   []byte
		want string // concluded
	}{
		"the whole twice":              {file("* | GPL-2+", "* | Expat"), "MIT"},
		"parts before the whole":       {file("src/a.c | SSPL-1.0", "* | Expat"), "MIT"},
		"parts after the whole":        {file("* | Expat", "src/a.c | ISC"), "ISC AND MIT"},
		"a directory over a file":      {file("* | Expat", "src/a.c | ISC", "src/* | Zlib"), "MIT AND Zlib"},
		"a directory over half of it":  {file("* | Expat", "src/a.c b.c | ISC", "src/* | Zlib"), "ISC AND MIT AND Zlib"},
		"a wildcard inside is no rule": {file("* | Expat", "src/a.c | ISC", "src/?.c | Zlib"), "ISC AND MIT AND Zlib"},
		"a path from here":             {file("./src/a.c | ISC", "src/* | Zlib"), "Zlib"},
		"packaging does not come back": {file("debian/* | GPL-3+", "* | Expat"), "MIT"},
	} {
		c, err := DebianCopyright(tc.in)
		if err != nil || c.Concluded.String() != tc.want {
			t.Errorf("%s: got %s, %v, want %s", name, c.Concluded, err, tc.want)
		}
	}
}

func TestOnlyCodeIsShipped(t *testing.T) {
	for patterns, want := range map[string]Weight{
		"*": Main, "./*": Main, "src/a.c": Shipped, "debian/*": Packaging, "debian/* src/a.c": Shipped, "tests/* doc/x": Side, "tests/* src/a.c": Shipped,
		"m4/*.m4 configure ltmain.sh": Side, "*/tests/data/*": Side, "icons/*.svg": Side, "po/de.po": Side, "man/a.8": Side, "src/tables.txt": Side,
		"lib/testing.c": Shipped, "contrib/x": Shipped, "": Shipped,
	} {
		if got := weigh(strings.Fields(patterns)); got != want {
			t.Errorf("%q: got %s, want %s", patterns, got, want)
		}
	}
}

func TestTextsThatTheNamesNameSayNothingMore(t *testing.T) {
	for _, tc := range []struct{ names, text, want string }{
		{"MIT", "MIT", ""},
		{"MIT", "Apache-2.0", "Apache-2.0"},
		{"MIT OR Apache-2.0", "Apache-2.0 AND MIT", ""},
		{"MIT OR SSPL-1.0", "SSPL-1.0 AND MIT", ""},
		{"MIT", "MIT AND SSPL-1.0", "SSPL-1.0"},
		{"GPL-2.0-or-later", "GPL-2.0-only", ""},
		{"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", ""},
		{"LGPL-3.0-or-later", "GPL-3.0-only AND LGPL-3.0-only", ""},
		{"GPL-2.0-only", "GPL-3.0-only", "GPL-3.0-only"},
		{"MIT", "BUSL-1.1 OR MIT", "BUSL-1.1 OR MIT"},
		{"", "MIT", "MIT"},
		{"MIT", "", ""},
	} {
		names, _ := Parse(tc.names)
		text, _ := Parse(tc.text)
		if got := text.Beyond(names).String(); got != tc.want {
			t.Errorf("%q beyond %q: got %q, want %q", tc.text, tc.names, got, tc.want)
		}
	}
}
