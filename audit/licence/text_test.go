package licence

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

var (
	comments  = regexp.MustCompile(`(?s)//\*\*.*?\*\*//`)
	wildcards = regexp.MustCompile(`__[0-9]+__`)
)

var marks = regexp.MustCompile(`\(\(|\)\)\?\?|\)\)|\|\|`)

// plain writes a text that a pattern of licensecheck matches: of a group the longest alternative, of an option nothing.
func plain(pattern string) string {
	pattern = wildcards.ReplaceAllString(comments.ReplaceAllString(pattern, " "), " ")
	out, _ := group(strings.Fields(marks.ReplaceAllString(pattern, " $0 ")))
	return strings.Join(out, " ")
}

func group(tokens []string) (longest, rest []string) {
	var current []string
	for len(tokens) > 0 {
		t := tokens[0]
		tokens = tokens[1:]
		switch t {
		case "((":
			var inner []string
			inner, tokens = group(tokens)
			current = append(current, inner...)
		case "||":
			longest, current = longer(longest, current), nil
		case "))":
			return longer(longest, current), tokens
		case "))??":
			return nil, tokens
		default:
			current = append(current, t)
		}
	}
	return longer(longest, current), nil
}

func longer(a, b []string) []string {
	if len(b) > len(a) {
		return b
	}
	return a
}

// builtin returns a text of a licence that the matcher carries: the longest pattern of the name, which is the whole text
// and not a notice.
func builtin(t *testing.T, id string) string {
	t.Helper()
	best := ""
	for _, l := range licensecheck.BuiltinLicenses() {
		if l.ID != id {
			continue
		}
		if text := plain(l.LRE); len(text) > len(best) {
			best = text
		}
	}
	if best == "" {
		t.Fatalf("licensecheck has no text of %s", id)
	}
	return best + "\n"
}

// Texts that the matcher does not carry, as nothing but the phrases by which they are told.
const (
	busl = `Business Source License 1.1. Licensed Work: Sample. Change Date: 2030-01-01. Change License: MPL 2.0.
		You may make non-production use of the Licensed Work.`
	rsal    = `1. Redis Source Available License 2.0 (RSALv2) Agreement. You shall not make the functionality of the Software or a Modified version available to third parties as a service.`
	elastic = `Elastic License 2.0. Do not provide the software to third parties as a hosted or managed service. Do not move the license key.`
)

func TestLicenceTextsAreRecognised(t *testing.T) {
	for id, want := range map[string]string{
		"Apache-2.0": "Apache-2.0", "MIT": "MIT", "BSD-2-Clause": "BSD-2-Clause", "BSD-3-Clause": "BSD-3-Clause", "ISC": "ISC", "MPL-2.0": "MPL-2.0",
		"MPL-1.1": "MPL-1.1", "EPL-1.0": "EPL-1.0", "EPL-2.0": "EPL-2.0", "GPL-2.0": "GPL-2.0-only", "GPL-3.0": "GPL-3.0-only", "LGPL-2.1": "LGPL-2.1-only",
		"LGPL-3.0": "LGPL-3.0-only", "AGPL-3.0": "AGPL-3.0-only", "SSPL-1.0": "SSPL-1.0", "CC0-1.0": "CC0-1.0", "Unlicense": "Unlicense",
	} {
		t.Run(id, func(t *testing.T) {
			text := builtin(t, id)
			got, coverage, ok := Detect([]byte(text))
			if got != want || !ok || coverage < 95 {
				t.Errorf("got %q, coverage %d, ok %v, want %q", got, coverage, ok, want)
			}
			commented := " * " + strings.ReplaceAll(text, " of ", " of\n * ")
			if got, _, ok := Detect([]byte(commented)); got != want || !ok {
				t.Errorf("as a comment: got %q, ok %v, want %q", got, ok, want)
			}
		})
	}
}

func TestTextsTogether(t *testing.T) {
	sspl, agpl, bsd, mit, apache := builtin(t, "SSPL-1.0"), builtin(t, "AGPL-3.0"), builtin(t, "BSD-3-Clause"), builtin(t, "MIT"), builtin(t, "Apache-2.0")
	for name, tc := range map[string]struct {
		text string
		want string
		ok   bool
	}{
		"RSAL or SSPL by choice, as Redis 7.4":       {"Since 2024 it is the user's choice of RSALv2 or SSPLv1.\n" + rsal + "\n2. SSPL\n" + sspl, "LicenseRef-RSALv2 OR SSPL-1.0", true},
		"three by choice, as Redis 8":                {"It is tri-licensed: your choice of (a), (b) or (c).\n" + rsal + "\n" + sspl + "\n" + agpl, "AGPL-3.0-only OR LicenseRef-RSALv2 OR SSPL-1.0", true},
		"two texts without a choice":                 {apache + "\nSome files:\n" + bsd, "Apache-2.0 AND BSD-3-Clause", true},
		"a choice in a later part decides nothing":   {apache + "\njquery is dual licensed\n" + mit, "Apache-2.0 AND MIT", true},
		"BUSL names its change licence, as in Vault": {busl, "BUSL-1.1", true},
		"BUSL with a notice of another licence": {
			busl + "\nLicensed under the Apache License, Version 2.0 (the \"License\"); you may not use this file except in compliance with the License.", "BUSL-1.1", true,
		},
		"BUSL and the whole text of another licence": {busl + "\nThe folder sdk:\n" + builtin(t, "MPL-2.0"), "BUSL-1.1 AND MPL-2.0", true},
		"Elastic 2.0":                   {elastic, "Elastic-2.0", true},
		"MIT under the Commons Clause":  {builtin(t, "CommonsClause") + mit, "LicenseRef-Commons-Clause AND MIT", true},
		"an SPDX tag":                   {"Provided under:\n\n\tSPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note\n", "GPL-2.0-only WITH Linux-syscall-note", true},
		"two tags that differ":          {"SPDX-License-Identifier: MIT\nSPDX-License-Identifier: ISC\n", "", false},
		"prose about licences":          {"Parts are under the GPL, others are not. Ask the authors about SSPL and Business Source License.", "", false},
		"a licence within other words":  {mit + strings.Repeat("and many more terms that nobody has ever seen ", 60), "MIT", false},
		"nothing":                       {"", "", false},
		"bytes that are no text at all": {strings.Repeat("\x00\xff", 500), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, coverage, ok := Detect([]byte(tc.text))
			if got != tc.want || ok != tc.ok {
				t.Errorf("got %q, coverage %d, ok %v, want %q, %v", got, coverage, ok, tc.want, tc.ok)
			}
		})
	}
}

func TestDebianCopyrightFiles(t *testing.T) {
	bsd := indent(builtin(t, "BSD-3-Clause"))
	const head = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: sample\n\n"
	for name, tc := range map[string]struct {
		text                string
		machine             bool
		declared, concluded string
		weights             []Weight
		lines               []int
	}{
		"main, shipped, side and packaging": {
			text: head + "Files: *\nCopyright: somebody\nLicense: GPL-2+ or SSPL-1.0\n\n" +
				"Files: src/compat/*\nLicense: Expat\n\nFiles: m4/*.m4 install-sh\nLicense: X11\n\nFiles: debian/*\nLicense: GPL-3+\n",
			machine: true, declared: "(GPL-2.0-or-later OR SSPL-1.0) AND MIT AND X11", concluded: "GPL-2.0-or-later AND MIT",
			weights: []Weight{Main, Shipped, Side, Packaging}, lines: []int{6, 9, 12, 15},
		},
		"a local name is decided by its text": {
			text:    head + "Files: *\nLicense: BSD\n\nLicense: BSD\n" + bsd,
			machine: true, declared: "BSD-3-Clause", concluded: "BSD-3-Clause", weights: []Weight{Main}, lines: []int{5},
		},
		"a local name inside an expression, too": {
			text:    head + "Files: *\nLicense: GPL-2 and BSD-somebody\n\nLicense: BSD-somebody\n" + bsd,
			machine: true, declared: "BSD-3-Clause AND GPL-2.0-only", concluded: "BSD-3-Clause AND GPL-2.0-only", weights: []Weight{Main}, lines: []int{5},
		},
		"a local name whose text nobody knows": {
			text:    head + "Files: *\nLicense: my-terms\n Do as I say.\n And quickly.\n",
			machine: true, declared: "LicenseRef-debian-my-terms", concluded: "LicenseRef-debian-my-terms", weights: []Weight{Main}, lines: []int{5},
		},
		"a name that cannot be read is not forgotten": {
			text:    head + "Files: *\nLicense: MIT\n\nFiles: lib/*\nLicense: MIT or\n",
			machine: true, declared: "LicenseRef-NOASSERTION AND MIT", concluded: "LicenseRef-NOASSERTION AND MIT", weights: []Weight{Main, Shipped}, lines: []int{5, 8},
		},
		"the name on the second line": {
			text:    head + "Files: *\nLicense:\n Apache-2.0\n",
			machine: true, declared: "Apache-2.0", concluded: "Apache-2.0", weights: []Weight{Main}, lines: []int{6},
		},
		"prose with references": {
			text: "It was put together by somebody.\n\nYou may redistribute it under version 2 of the licence, or\n(at your option) any\n later version.\nSee " +
				"/usr/share/common-licenses/GPL-2 for it.\nThe library is under /usr/share/common-licenses/LGPL-2.1.\n",
			declared: "GPL-2.0-or-later AND LGPL-2.1-only", concluded: "GPL-2.0-or-later AND LGPL-2.1-only", weights: []Weight{Main, Main}, lines: []int{6, 7},
		},
		"prose with a text": {
			text:     "It was put together by somebody from https://example.org.\n\n" + builtin(t, "MIT"),
			declared: "MIT", concluded: "MIT", weights: []Weight{Main}, lines: []int{1},
		},
		"prose without anything": {text: "Ask the author.\n"},
		"an empty file":          {},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := DebianCopyright([]byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if c.Machine != tc.machine || c.Declared.String() != tc.declared || c.Concluded.String() != tc.concluded {
				t.Errorf("got %v, declared %q, concluded %q, want %v, %q, %q", c.Machine, c.Declared, c.Concluded, tc.machine, tc.declared, tc.concluded)
			}
			if len(c.Stanzas) != len(tc.weights) {
				t.Fatalf("got %d stanzas %+v, want %d", len(c.Stanzas), c.Stanzas, len(tc.weights))
			}
			for i, s := range c.Stanzas {
				if s.Weight != tc.weights[i] || s.Line != tc.lines[i] {
					t.Errorf("stanza %d: got weight %s, line %d, want %s, %d", i, s.Weight, s.Line, tc.weights[i], tc.lines[i])
				}
			}
		})
	}
}

func indent(text string) string {
	return " " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n ") + "\n .\n"
}

func TestHugeCopyrightFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"bytes":      strings.Repeat("x", maxCopyright+1),
		"paragraphs": "Format: x\n\n" + strings.Repeat("License: MIT\n\n", maxStanzas+1),
		"patterns":   "Format: x\n\nLicense: MIT\nFiles: " + strings.Repeat("a ", maxPatterns+1),
	} {
		if _, err := DebianCopyright([]byte(text)); err == nil {
			t.Errorf("%s: the file was read", name)
		}
	}
}

// FuzzDebianCopyright has the laws: what is concluded can be read back, and is never known better than its stanzas.
func FuzzDebianCopyright(f *testing.F) {
	f.Add([]byte("Format: x\n\nFiles: *\nLicense: GPL-2+ or Artistic, and Expat\n text\n .\n more\n"))
	f.Add([]byte("Format: x\nLicense: MIT\n\nFiles: debian/*\nLicense:\n x y\n"))
	f.Add([]byte("/usr/share/common-licenses/GPL-2 any later version /usr/share/common-licenses/Apache-2.0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DebianCopyright(data)
		if err != nil {
			return
		}
		for _, e := range []Expression{c.Declared, c.Concluded} {
			if again, err := Parse(e.String()); !e.IsEmpty() && (err != nil || again.String() != e.String()) {
				t.Fatalf("%q reads back as %q, %v", e, again, err)
			}
		}
		for _, s := range c.Stanzas {
			if counts := s.Weight == Main || s.Weight == Shipped; counts && Worst(c.Concluded.Class(), s.Expression.Class()) != c.Concluded.Class() {
				t.Fatalf("%q is better than its stanza %q", c.Concluded, s.Expression)
			}
		}
	})
}

// FuzzDetect has the law that what is found is an expression in normal form, and only a known one may be relied on.
func FuzzDetect(f *testing.F) {
	f.Add([]byte(busl))
	f.Add([]byte(rsal + elastic))
	f.Add([]byte("SPDX-License-Identifier: MIT */"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, coverage, ok := Detect(data)
		if found == "" && ok || coverage < 0 || coverage > 100 {
			t.Fatalf("got %q, coverage %d, ok %v", found, coverage, ok)
		}
		if e, err := Parse(found); found != "" && (err != nil || e.String() != found) {
			t.Fatalf("%q reads back as %q, %v", found, e, err)
		}
	})
}

func TestAStatementInWordsOfItsOwnIsRecognisedAsAWhole(t *testing.T) {
	const said = "In the past haproxy has been covered by GPL version 2. We apply the LGPL license to the exportable include files. Files here are covered by the GPL unless expressly stated otherwise."
	if got, _, ok := Detect([]byte(said)); got != "GPL-2.0-only" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, _, ok := Detect([]byte("This part is licensed under the MPL 2.0. For the text please see LICENSE-MPL-RabbitMQ.")); got != "MPL-2.0" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, _, ok := Detect([]byte(strings.Replace(said, "unless expressly", "only where", 1))); ok {
		t.Errorf("got %q of half a statement, want nothing", got)
	}
}

func TestTheTimescaleLicenceIsTold(t *testing.T) {
	text := "TIMESCALE LICENSE AGREEMENT\n\nMade up for this test: (b) Value Added Products or Services. Nobody may offer a database-as-a-service with it.\n"
	if e, _, _ := Detect([]byte(text)); e != "LicenseRef-Timescale" || ClassOf(e) != Restricted {
		t.Errorf("got %q, want the restricted LicenseRef-Timescale", e)
	}
}
