package licence

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of copyright files. The largest of Debian 12 has about 1.5 MB; the one with most stanzas about 4,000.
const (
	maxCopyright = 8 << 20
	maxStanzas   = 20_000
	maxPatterns  = 200_000
)

// Weight says what a stanza of a copyright file bears on.
type Weight string

// The weights.
const (
	Main      Weight = "main"      // the work: Files: *
	Shipped   Weight = "shipped"   // other code that may be in the binary package
	Packaging Weight = "packaging" // debian/*: the packaging, not the program
	Side      Weight = "side"      // tests, documentation, build scripts
)

// Stanza is one statement of a copyright file about the licence of files.
type Stanza struct {
	Files      []string // patterns, as written; empty in a file that is not machine-readable
	Weight     Weight
	Name       string     // as written after "License:"
	Expression Expression // empty if the name could not be read
	Line       int        // of the name, counted from 1
	// Overridden says that later stanzas cover all its files: of several that match a file, the last one speaks.
	Overridden bool
}

// Copyright is what a copyright file of a Debian package says. It describes the whole source package.
type Copyright struct {
	Machine  bool // the file has the machine-readable format (DEP-5)
	Stanzas  []Stanza
	Declared Expression // all stanzas but packaging and overridden ones
	// Concluded is what holds for the program: main and shipped stanzas, after the choice that every OR leaves. A stanza
	// whose name could not be read counts as LicenseRef-NOASSERTION. Empty if the file names no licence at all.
	Concluded Expression
}

// DebianCopyright reads /usr/share/doc/<package>/copyright. Names are read as in ParseFrom(Debian, ...); a local name is
// looked up by its text in the same file. A file that is not machine-readable is searched for licence texts and for
// references to /usr/share/common-licenses, the way Debian policy 12.5 demands them.
func DebianCopyright(data []byte) (Copyright, error) {
	if len(data) > maxCopyright {
		return Copyright{}, fmt.Errorf("reading copyright file: it has %d bytes, more than %d", len(data), maxCopyright)
	}
	paragraphs, err := splitParagraphs(data)
	if err != nil {
		return Copyright{}, fmt.Errorf("reading copyright file: %w", err)
	}
	if !machineReadable(paragraphs) {
		return proseCopyright(data), nil
	}
	return machineCopyright(paragraphs)
}

// field is one field of a paragraph: the value's first line, the lines after it, and where it stands.
type field struct {
	name  string // lower case
	first string
	rest  []string
	line  int
}

type paragraph []field

func (p paragraph) get(name string) (field, bool) {
	i := slices.IndexFunc(p, func(f field) bool { return f.name == name })
	if i < 0 {
		return field{}, false
	}
	return p[i], true
}

// splitParagraphs reads the control-file syntax leniently: lines that fit nowhere are left out, because people write these
// files by hand.
func splitParagraphs(data []byte) ([]paragraph, error) {
	var out []paragraph
	var current paragraph
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimRight(strings.ToValidUTF8(string(line), "?"), "\r\n\t ")
		name, value, isField := strings.Cut(text, ":")
		switch {
		case text == "":
			if len(current) > 0 {
				out = append(out, current)
			}
			current = nil
		case text[0] == ' ' || text[0] == '\t':
			if n := len(current); n > 0 {
				current[n-1].rest = append(current[n-1].rest, strings.TrimSpace(text))
			}
		case isField && fieldName.MatchString(name):
			current = append(current, field{name: strings.ToLower(name), first: strings.TrimSpace(value), line: number})
		}
		if len(out) > maxStanzas {
			return nil, fmt.Errorf("line %d: more than %d paragraphs", number, maxStanzas)
		}
	}
	if len(current) > 0 {
		out = append(out, current)
	}
	return out, nil
}

var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,40}$`)

// machineReadable follows the format's rule: the first paragraph has a Format field; older drafts named it
// Format-Specification.
func machineReadable(paragraphs []paragraph) bool {
	if len(paragraphs) == 0 {
		return false
	}
	for _, f := range paragraphs[0] {
		if f.name == "format" || f.name == "format-specification" {
			return true
		}
	}
	return false
}

func machineCopyright(paragraphs []paragraph) (Copyright, error) {
	texts := licenceTexts(paragraphs)
	c := Copyright{Machine: true}
	patterns, known := 0, map[string]Expression{} // many stanzas have one name, and its text is looked at once
	for i, p := range paragraphs {
		name, ok := p.get("license")
		if !ok {
			continue
		}
		files, hasFiles := p.get("files")
		if !hasFiles && i > 0 {
			continue // a text that other stanzas refer to
		}
		s := Stanza{Files: patternsOf(files), Name: nameIn(name), Line: lineOf(name)}
		if patterns += len(s.Files); patterns > maxPatterns {
			return Copyright{}, errors.New("reading copyright file: more than 200000 file patterns")
		}
		s.Weight = weigh(s.Files)
		if !hasFiles {
			s.Weight = Shipped // the header's licence holds for the collection as a whole
		}
		if _, seen := known[s.Name]; !seen {
			known[s.Name] = named(s.Name, texts)
		}
		s.Expression = known[s.Name]
		if s.Name == "" && s.Expression.IsEmpty() {
			s.Expression = textOf(name.rest)
		}
		c.Stanzas = append(c.Stanzas, s)
	}
	override(c.Stanzas)
	c.conclude()
	return c, nil
}

// override marks the stanzas that later ones cover: "the last paragraph that matches a particular file applies to it"
// (machine-readable copyright format 1.0, Files). A pattern is covered by the same one and by one that ends in * and
// begins with what stands before the first wildcard; what no such comparison shows counts as not covered.
func override(stanzas []Stanza) {
	exact, below := map[string]bool{}, map[string]bool{}
	for i := len(stanzas) - 1; i >= 0; i-- {
		s := &stanzas[i]
		s.Overridden = len(s.Files) > 0 && !slices.ContainsFunc(s.Files, func(p string) bool { return !covered(p, exact, below) })
		for _, p := range s.Files {
			p = strings.TrimPrefix(p, "./")
			exact[p] = true
			if prefix, ok := strings.CutSuffix(p, "*"); ok && !strings.ContainsAny(prefix, "*?\\") {
				below[prefix] = true
			}
		}
	}
}

func covered(pattern string, exact, below map[string]bool) bool {
	const longest = 512 // bytes of a path that are compared
	pattern = strings.TrimPrefix(pattern, "./")
	if exact[pattern] {
		return true
	}
	if end := strings.IndexAny(pattern, "*?\\"); end >= 0 {
		pattern = pattern[:end]
	}
	pattern = pattern[:min(len(pattern), longest)]
	for n := range len(pattern) + 1 {
		if below[pattern[:n]] {
			return true
		}
	}
	return false
}

// nameIn returns the short name. Some files leave the first line empty and put the name on the next.
func nameIn(f field) string {
	if f.first == "" && len(f.rest) > 0 && len(strings.Fields(f.rest[0])) <= maxPhrase {
		return f.rest[0]
	}
	return f.first
}

func lineOf(f field) int {
	if f.first == "" && len(f.rest) > 0 {
		return f.line + 1
	}
	return f.line
}

func patternsOf(f field) []string {
	return strings.Fields(strings.ReplaceAll(f.first+" "+strings.Join(f.rest, " "), ",", " "))
}

// licenceTexts returns the text of each short name, wherever in the file it stands.
func licenceTexts(paragraphs []paragraph) map[string][]string {
	out := map[string][]string{}
	for _, p := range paragraphs {
		if f, ok := p.get("license"); ok && len(f.rest) > 1 {
			key := strings.ToLower(nameIn(f))
			if len(f.rest) > len(out[key]) {
				out[key] = f.rest
			}
		}
	}
	return out
}

func textOf(lines []string) Expression {
	found, _, ok := Detect([]byte(strings.Join(lines, "\n")))
	if !ok {
		return Expression{}
	}
	e, err := Parse(found)
	if err != nil {
		return Expression{}
	}
	return e
}

// named reads a name and decides by its text what a table cannot: local names. A text is only asked for a whole name, not
// for one inside an expression, unless the name has a text of its own.
func named(name string, texts map[string][]string) Expression {
	e, err := ParseFrom(Debian, name)
	if err != nil {
		return Expression{}
	}
	return e.resolve(name, texts)
}

const localPrefix = "LicenseRef-" + string(Debian) + "-"

func (e Expression) resolve(name string, texts map[string][]string) Expression {
	if e.op == leaf && strings.HasPrefix(e.id, localPrefix) && e.exception == "" {
		if found := textOf(textFor(strings.TrimPrefix(e.id, localPrefix), name, texts)); !found.IsEmpty() {
			return found
		}
		return e
	}
	if e.op != and && e.op != or {
		return e
	}
	parts := make([]Expression, len(e.parts))
	for i, p := range e.parts {
		parts[i] = p.resolve("", texts)
	}
	return combine(e.op, parts)
}

// textFor finds the text of a local name by the name itself or by its form in a reference.
func textFor(safe, name string, texts map[string][]string) []string {
	if t, ok := texts[strings.ToLower(name)]; ok && name != "" {
		return t
	}
	if t, ok := texts[strings.ToLower(safe)]; ok {
		return t
	}
	keys := make([]string, 0, len(texts))
	for key := range texts {
		if strings.EqualFold(safeName(key), safe) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	return texts[keys[0]]
}

// conclude joins the stanzas.
func (c *Copyright) conclude() {
	var declared, concluded []Expression
	for _, s := range c.Stanzas {
		if s.Overridden {
			continue
		}
		e := s.Expression
		if e.IsEmpty() {
			e = Expression{op: leaf, id: "LicenseRef-" + noAssertion}
		}
		if s.Weight != Packaging {
			declared = append(declared, e)
		}
		if s.Weight == Main || s.Weight == Shipped {
			concluded = append(concluded, e.Effective())
		}
	}
	c.Declared, c.Concluded = And(declared...).Sorted(), And(concluded...).Sorted()
}

// weigh decides by the patterns: all of one kind, or shipped.
func weigh(patterns []string) Weight {
	if slices.Contains(patterns, "*") || slices.Contains(patterns, "./*") {
		return Main
	}
	all := func(is func(string) bool) bool {
		return len(patterns) > 0 && !slices.ContainsFunc(patterns, func(p string) bool { return !is(p) })
	}
	switch {
	case all(func(p string) bool {
		p = strings.TrimPrefix(p, "./")
		return p == "debian" || strings.HasPrefix(p, "debian/")
	}):
		return Packaging
	case all(sidePattern):
		return Side
	}
	return Shipped
}

// sideDirs, sideFiles and sideKinds are parts of a source tree that build, describe or illustrate the program and are no
// code of it: the autotools and their macros, tests, documentation, translations, pictures, sounds and fonts (reference:
// licences of packages, reading DEP-5).
var sideDirs = []string{
	"test", "tests", "testsuite", "testsuites", "testdata", "testing", "t", "unittests", "doc", "docs", "documentation", "man", "manpages", "manual", "manuals",
	"examples", "example", "samples", "m4", "build-aux", "config-aux", "autoconf", "debian", "po", "locale", "locales", "translations", "icons", "images", "artwork",
	"fonts", "sounds",
}

var sideFiles = []string{
	"configure", "configure.ac", "configure.in", "aclocal.m4", "install-sh", "ltmain.sh", "ltmain", "missing", "depcomp", "compile", "config.guess",
	"config.sub", "mkinstalldirs", "ylwrap", "test-driver", "libtool", "makefile.in", "makefile.am", "config.rpath", "py-compile", "mdate-sh",
	"texinfo.tex", "readme", "install", "news", "changelog", "changes", "authors", "copying", "license", "licence", "todo", "thanks", "cmakelists.txt",
}

var sideKinds = []string{
	".m4", ".md", ".rst", ".txt", ".html", ".htm", ".tex", ".texi", ".texinfo", ".pdf", ".ps", ".pod", ".docbook", ".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".po",
	".pot", ".png", ".svg", ".jpg", ".jpeg", ".gif", ".ico", ".bmp", ".xcf", ".ogg", ".wav", ".mp3", ".flac", ".ttf", ".otf", ".woff", ".woff2", ".pfb", ".afm",
	".appdata.xml", ".metainfo.xml", ".cmake",
}

func sidePattern(p string) bool {
	p = strings.ToLower(strings.TrimPrefix(p, "./"))
	parts := strings.Split(p, "/")
	for _, dir := range parts[:len(parts)-1] {
		if slices.Contains(sideDirs, dir) {
			return true
		}
	}
	base := parts[len(parts)-1]
	return slices.Contains(sideFiles, base) || strings.HasPrefix(base, "makefile.in") ||
		slices.ContainsFunc(sideKinds, func(ending string) bool { return strings.HasSuffix(base, ending) })
}

// commonLicence finds references to the licences that every Debian system carries.
var commonLicence = regexp.MustCompile(`/usr/share/common-licenses/([A-Za-z]+(?:-[0-9][0-9.]*[0-9]|-[0-9])?)`)

// anyLater is the grant of the GNU licences to use a later version.
var anyLater = regexp.MustCompile(`(?is)any\s+later\s+version`)

// proseThreshold is the share of a file in percent that must be licence texts. It is lower than Threshold because such
// files open with the packager and the source, and list copyright holders between the texts.
const proseThreshold = 50

// proseCopyright reads a file without structure: it has one stanza of weight main for each licence that it names by text
// or by reference. All of them count, because the file does not say to what each belongs.
func proseCopyright(data []byte) Copyright {
	var c Copyright
	if found, coverage, ok := Detect(data); ok || coverage >= proseThreshold {
		if e, err := Parse(found); err == nil {
			c.Stanzas = append(c.Stanzas, Stanza{Weight: Main, Name: found, Expression: e, Line: 1})
		}
	}
	const before = 1500 // bytes of the notice that a reference ends; the GPL's notice has about 700
	last := 0
	for _, m := range commonLicence.FindAllSubmatchIndex(data, 1000) {
		name := string(data[m[2]:m[3]])
		if gnuForm.MatchString(strings.ToLower(name)) && anyLater.Match(data[max(last, m[0]-before):m[0]]) {
			name += "+"
		}
		last = m[1]
		e, err := ParseFrom(Debian, name)
		if err != nil {
			continue
		}
		line := 1 + bytes.Count(data[:m[0]], []byte("\n"))
		if !slices.ContainsFunc(c.Stanzas, func(s Stanza) bool { return s.Expression.String() == e.String() }) {
			c.Stanzas = append(c.Stanzas, Stanza{Weight: Main, Name: name, Expression: e, Line: line})
		}
	}
	c.conclude()
	return c
}
