package licence

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// lookup finds a whole string in the tables: names that mean something else in this list, SPDX ids, then other names.
func lookup(list List, name string) (Expression, bool) {
	const longest = 200 // bytes; the longest classifier of PyPI has about 100
	if len(name) > longest {
		return Expression{}, false
	}
	if rows := listNames[list]; rows != nil {
		if target, ok := rows[keyOf(name)]; ok {
			return must(target), true
		}
	}
	if e, ok := spdxID(name); ok {
		return e, true
	}
	if e, ok := address(name); ok {
		return e, true
	}
	if pointer(name) {
		return Expression{op: leaf, id: noAssertion}, true
	}
	if strings.Contains(name, "::") {
		return classifier(list, name)
	}
	key := keyOf(name)
	if target, ok := names[key]; ok {
		return must(target), true
	}
	if list == Debian && dedication(key) {
		return must(publicDomain), true
	}
	return family(key)
}

// dedication reports whether a short name says that the work, or the part that the name speaks about, is in the public
// domain, e.g. "public-domain-md5" or "Plumb-PD". A name that doubts it says nothing.
func dedication(key string) bool {
	for _, doubt := range []string{"not", "non", "probably", "maybe", "or", "and", "with", "unless"} {
		if slices.Contains(strings.Split(key, "-"), doubt) {
			return false
		}
	}
	return strings.HasPrefix(key, "public-domain-") || strings.HasSuffix(key, "-public-domain") || strings.HasSuffix(key, "-pd")
}

// classifier reads a trove classifier of PyPI, e.g. "License :: OSI Approved :: MIT License": first everything behind
// "License ::", because "OSI Approved :: BSD License" says more than its last part, then the last part.
func classifier(list List, name string) (Expression, bool) {
	parts := strings.Split(name, "::")
	if strings.EqualFold(strings.TrimSpace(parts[0]), "license") {
		parts = parts[1:]
	}
	if target, ok := names[keyOf(strings.Join(parts, " "))]; ok {
		return must(target), true
	}
	last := strings.TrimSpace(parts[max(0, len(parts)-1)])
	if last == "" {
		return Expression{}, false
	}
	if e, ok := lookup(list, last); ok {
		return e, true
	}
	_, short, _ := strings.Cut(strings.TrimSuffix(last, ")"), "(") // "Blue Oak Model License (BlueOak-1.0.0)"
	return spdxID(short)
}

// nameOf returns the expression of one name; a name that no table has becomes a reference.
func nameOf(list List, name string) Expression {
	if e, ok := lookup(list, name); ok {
		return e
	}
	if e, ok := tiedException(list, name); ok {
		return e
	}
	if e, ok := alternatives(list, name); ok {
		return e
	}
	return reference(list, name)
}

// tiedException reads names such as GPL-3+-WITH-BISON-EXCEPTION.
func tiedException(list List, name string) (Expression, bool) {
	i := strings.Index(strings.ToLower(name), "-with-")
	if i < 0 {
		return Expression{}, false
	}
	e, ok := lookup(list, name[:i])
	if !ok || e.op != leaf || e.exception != "" {
		return Expression{}, false
	}
	e.exception = exceptionOf(list, name[i+len("-with-"):])
	return e, true
}

var refForm = regexp.MustCompile(`^(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$`)

// spdxID reads one SPDX id in any case, with "+", or a reference. Ids that SPDX has replaced become their successors.
func spdxID(name string) (Expression, bool) {
	if strings.ContainsRune(name, ' ') {
		return Expression{}, false
	}
	upper := strings.ToUpper(name)
	if upper == noAssertion || upper == none {
		return Expression{op: leaf, id: upper}, true
	}
	if refForm.MatchString(name) {
		return Expression{op: leaf, id: name}, true
	}
	key := strings.ToLower(name)
	if target, ok := replaced()[key]; ok {
		return target, true
	}
	if row, ok := spdxList[key]; ok {
		return Expression{op: leaf, id: row.id}, true
	}
	base, plus := strings.CutSuffix(key, "+")
	if !plus {
		return Expression{}, false
	}
	base = strings.TrimSuffix(base, "-only")
	if row, ok := spdxList[base+"-or-later"]; ok {
		return Expression{op: leaf, id: row.id}, true
	}
	if row, ok := spdxList[base]; ok && row.flags&deprecated == 0 {
		return Expression{op: leaf, id: row.id, plus: !strings.HasSuffix(base, "-or-later")}, true
	}
	return Expression{}, false
}

// replaced are the deprecated ids whose successors mean the same. GPL-2.0 without a word becomes -only, as SPDX says.
var replaced = sync.OnceValue(func() map[string]Expression {
	out := map[string]Expression{}
	for key, row := range spdxList {
		base, later := strings.CutSuffix(key, "+")
		if row.flags&deprecated == 0 {
			continue
		}
		suffix := "-only"
		if later {
			suffix = "-or-later"
		}
		if target, ok := spdxList[base+suffix]; ok {
			out[key] = Expression{op: leaf, id: target.id}
		}
	}
	for key, target := range map[string][2]string{
		"gpl-2.0-with-autoconf-exception":  {"GPL-2.0-only", "Autoconf-exception-2.0"},
		"gpl-2.0-with-bison-exception":     {"GPL-2.0-only", "Bison-exception-2.2"},
		"gpl-2.0-with-classpath-exception": {"GPL-2.0-only", "Classpath-exception-2.0"},
		"gpl-2.0-with-font-exception":      {"GPL-2.0-only", "Font-exception-2.0"},
		"gpl-2.0-with-gcc-exception":       {"GPL-2.0-only", "GCC-exception-2.0"},
		"gpl-3.0-with-autoconf-exception":  {"GPL-3.0-only", "Autoconf-exception-3.0"},
		"gpl-3.0-with-gcc-exception":       {"GPL-3.0-only", "GCC-exception-3.1"},
		"ecos-2.0":                         {"GPL-2.0-or-later", "eCos-exception-2.0"},
		"wxwindows":                        {"LGPL-2.0-or-later", "WxWindows-exception-3.1"},
		"bsd-2-clause-freebsd":             {"BSD-2-Clause-Views", ""},
		"bsd-2-clause-netbsd":              {"BSD-2-Clause", ""},
		"standardml-nj":                    {"SMLNJ", ""},
	} {
		out[key] = Expression{op: leaf, id: target[0], exception: target[1]}
	}
	return out
})

var (
	separators = regexp.MustCompile(`[\s_,:;"'()/]+`)
	hyphens    = regexp.MustCompile(`-{2,}`)
	versions   = regexp.MustCompile(`-(?:version-|ver\.?-|v\.?-?)([0-9])`)
	fillers    = regexp.MustCompile(`^(?:the|gnu|under)-|-(?:licen[cs]es?|licen[cs]ed)(-|$)`)
)

// keyOf brings names that differ only in case, spaces and filler words to one form: "Apache Licence, Version 2.0" and
// "apache-2.0" are the same.
func keyOf(name string) string {
	key := hyphens.ReplaceAllString(separators.ReplaceAllString(strings.ToLower(name), "-"), "-")
	key = strings.Trim(key, "-.")
	key = versions.ReplaceAllString(key, "-$1")
	for {
		next := strings.Trim(fillers.ReplaceAllString(key, "$1"), "-")
		if next == key {
			return key
		}
		key = next
	}
}

// gnuForm splits the names of the GNU licences, e.g. "gplv2+", "lgpl-2.1-or-later", "gnu-affero-general-public-3".
var gnuForm = regexp.MustCompile(`^(lesser-general-public|library-general-public|library-or-lesser-general-public|affero-general-public|general-public|agpl|lgpl|gpl|gfdl-niv|gfdl|fdl|free-documentation)-?v?([0-9](?:\.[0-9])?)?(?:\.0)?(\+|-only|-or-later|-or-newer|-\+)?(?:-a?l?gpl-?v?[0-9.]*\+?)?$`)

var gnuNames = map[string]string{
	"lesser-general-public": "lgpl", "library-general-public": "lgpl", "library-or-lesser-general-public": "lgpl",
	"affero-general-public": "agpl", "general-public": "gpl", "fdl": "gfdl", "free-documentation": "gfdl",
}

// first is the first version of each GNU licence. A work that names none may be used under any version ever published:
// section 9 of GPL-2.0, 13 of LGPL-2.0, 14 of GPL-3.0 and AGPL-3.0, 10 of GFDL-1.1.
var first = map[string]string{"gpl": "1.0", "lgpl": "2.0", "agpl": "3.0", "gfdl": "1.1"}

// family reads names by rule instead of by table: the GNU licences, "+" and missing minor numbers.
func family(key string) (Expression, bool) {
	if m := gnuForm.FindStringSubmatch(key); m != nil {
		return gnu(m[1], m[2], m[3])
	}
	base, plus := strings.CutSuffix(key, "+")
	for _, id := range []string{base, base + ".0"} {
		if row, ok := spdxList[id]; ok && row.flags&deprecated == 0 {
			return Expression{op: leaf, id: row.id, plus: plus}, true
		}
	}
	return Expression{}, false
}

func gnu(name, version, suffix string) (Expression, bool) {
	if long, ok := gnuNames[name]; ok {
		name = long
	}
	variant := ""
	if name == "gfdl-niv" {
		name, variant = "gfdl", "-no-invariants"
	}
	later := suffix != "" && suffix != "-only"
	if version == "" {
		version, later = first[name], true
	}
	if !strings.Contains(version, ".") {
		version += ".0"
	}
	ending := "-only"
	if later {
		ending = "-or-later"
	}
	row, ok := spdxList[name+"-"+version+variant+ending]
	return Expression{op: leaf, id: row.id}, ok
}

// exceptionOf returns the id of an exception of the SPDX list by its id or by one of its names, else an
// AdditionRef-<list>-<name> as SPDX 3 has it.
func exceptionOf(list List, name string) string {
	if additionForm.MatchString(name) {
		return name
	}
	key := strings.Trim(separators.ReplaceAllString(strings.ToLower(name), "-"), "-.")
	if id, ok := exceptions()[key]; ok {
		return id
	}
	short := strings.TrimSuffix(strings.TrimSuffix(key, "s"), "-exception")
	short = strings.TrimPrefix(strings.TrimPrefix(short, "the-"), "gnu-")
	if id, ok := exceptionNames[short]; ok {
		return id
	}
	return "AdditionRef-" + string(list) + "-" + safeName(name)
}

var additionForm = regexp.MustCompile(`^(?:DocumentRef-[A-Za-z0-9.-]+:)?AdditionRef-[A-Za-z0-9.-]+$`)

// exceptionNames are the short names of copyright files. Autoconf's exception exists for GPL 2 and 3; the wording of 3.0
// is the more permissive reading and both only add permissions.
var exceptionNames = map[string]string{
	"autoconf": "Autoconf-exception-3.0", "autoconf-data": "Autoconf-exception-generic", "autoconf-2.0": "Autoconf-exception-2.0",
	"bison": "Bison-exception-2.2", "bison-2.2": "Bison-exception-2.2", "libtool": "Libtool-exception", "classpath": "Classpath-exception-2.0",
	"gcc": "GCC-exception-3.1", "gcc-runtime": "GCC-exception-3.1", "gcc-runtime-3.1": "GCC-exception-3.1", "gcc-runtime-library-3.1": "GCC-exception-3.1", "gcc-3.1": "GCC-exception-3.1", "gcc-runtime-library": "GCC-exception-3.1",
	"font": "Font-exception-2.0", "llvm": "LLVM-exception", "linux-syscall-note": "Linux-syscall-note",
	"openjdk-assembly": "OpenJDK-assembly-exception-1.0", "qt-lgpl-1.1": "Qt-LGPL-exception-1.1", "u-boot": "u-boot-exception-2.0",
	"bootloader": "Bootloader-exception", "swift": "Swift-exception", "texinfo": "Texinfo-exception",
	"ocaml": "OCaml-LGPL-linking-exception", "ocaml-linking": "OCaml-LGPL-linking-exception", "gstreamer": "GStreamer-exception-2008",
	"foss": "Universal-FOSS-exception-1.0", "universal-foss": "Universal-FOSS-exception-1.0", "pcre2": "PCRE2-exception",
}

// safeName makes a name fit for a reference. Long names are cut and told apart by a digest.
func safeName(name string) string {
	const limit = 80
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	safe := strings.Trim(hyphens.ReplaceAllString(b.String(), "-"), "-.")
	if safe == "" || len(safe) > limit {
		sum := sha256.Sum256([]byte(name))
		return strings.TrimLeft(safe[:min(len(safe), limit)]+"-"+hex.EncodeToString(sum[:4]), "-")
	}
	return safe
}

func reference(list List, name string) Expression {
	return Expression{op: leaf, id: "LicenseRef-" + string(list) + "-" + safeName(name)}
}

// must reads the right-hand side of a table; a test reads every row.
func must(target string) Expression {
	p := parser{list: Any, tokens: scan(target)}
	e, err := p.parse()
	if err != nil {
		return Expression{}
	}
	return e
}
