package runbook

import (
	"path"
	"regexp"
	"strings"
	"unicode"
)

// heading is one of a document, with what stands below it.
type heading struct {
	level int
	text  string
	line  int // from 1
	words int // in the section: until the next heading of the same or a higher level
}

// Of documents headings of this level and above are looked at: deeper ones are steps of something else.
const deepest = 3

// fewestWords is how many words a section or a document has at least: a heading with nothing below it, or a page that says that
// something will be written, tells nobody how to do anything.
const fewestWords = 15

// headings finds the headings of a document in Markdown (ATX and underlined), reStructuredText (underlined) and AsciiDoc.
// What looks like one in a block of code is none.
func headings(name string, data []byte) []heading {
	lines := strings.Split(strings.ToValidUTF8(string(data), "\uFFFD"), "\n")
	s := scanner{lines: lines, adoc: isAsciiDoc(name), rst: strings.EqualFold(path.Ext(name), ".rst")}
	var out []heading
	begin := s.skipFrontMatter()
	for i := begin; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], " \t\r")
		if s.fenced(line) {
			count(out, line) // commands are what a runbook is for
			continue
		}
		level, text, at, ok := s.heading(i, line)
		if ok {
			out = append(out, heading{level: level, text: text, line: at + 1})
			i = max(i, at)
			continue
		}
		count(out, line)
	}
	fold(out)
	return out
}

type scanner struct {
	lines     []string
	adoc, rst bool
	fence     string // that ends the block which is open
	marks     []rune // of underlines in reStructuredText, in the order in which they came
}

// skipFrontMatter returns the line after the YAML before a page (Jekyll, Docusaurus, Hugo).
func (s *scanner) skipFrontMatter() int {
	if len(s.lines) == 0 || strings.TrimSpace(s.lines[0]) != "---" {
		return 0
	}
	for i := 1; i < min(len(s.lines), 100); i++ {
		if strings.TrimSpace(s.lines[i]) == "---" {
			return i + 1
		}
	}
	return 0
}

// fenced reports lines of code, and the lines around it.
func (s *scanner) fenced(line string) bool {
	text := strings.TrimLeft(line, " \t")
	if s.fence != "" {
		if strings.HasPrefix(text, s.fence) && strings.Trim(text, s.fence[:1]) == "" {
			s.fence = ""
		}
		return true
	}
	for _, mark := range []string{"```", "~~~"} {
		if strings.HasPrefix(text, mark) && !s.rst {
			s.fence = mark
			return true
		}
	}
	if s.adoc && (text == "----" || text == "....") {
		s.fence = text
		return true
	}
	return false
}

var (
	atx      = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*$`)
	adocHead = regexp.MustCompile(`^(={1,6})[ \t]+(.+)$`)
	under    = regexp.MustCompile("^([=~^\"'`*+#.:_-])[=~^\"'`*+#.:_-]{2,}$")
)

func (s *scanner) heading(i int, line string) (level int, text string, at int, ok bool) {
	if s.adoc {
		if m := adocHead.FindStringSubmatch(line); m != nil {
			return max(1, len(m[1])-1), m[2], i, true
		}
		return 0, "", 0, false
	}
	if m := atx.FindStringSubmatch(line); m != nil && !s.rst {
		return len(m[1]), m[2], i, true
	}
	return s.underlined(i, line)
}

// underlined finds a line with a row of signs below it.
func (s *scanner) underlined(i int, line string) (level int, text string, at int, ok bool) {
	if i+1 >= len(s.lines) || strings.TrimSpace(line) == "" || !startsText(line) {
		return 0, "", 0, false
	}
	row := strings.TrimRight(s.lines[i+1], " \t\r")
	m := under.FindStringSubmatch(row)
	if m == nil || strings.Trim(row, m[1]) != "" {
		return 0, "", 0, false
	}
	mark := []rune(m[1])[0]
	if !s.rst {
		switch {
		case mark == '=':
			return 1, line, i, true
		case mark == '-' && i > 0 && strings.TrimSpace(s.lines[i-1]) == "":
			return 2, line, i, true
		}
		return 0, "", 0, false
	}
	for k, known := range s.marks {
		if known == mark {
			return k + 1, line, i, true
		}
	}
	if len(s.marks) < 6 {
		s.marks = append(s.marks, mark)
	}
	return len(s.marks), line, i, true
}

func startsText(line string) bool {
	for _, r := range line {
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	return false
}

// unwritten matches what stands where a text is still to come.
var unwritten = regexp.MustCompile(`(?i)^\W*(todo|tbd|tbc|wip|coming soon|to be (done|written|defined|added)|work in progress|folgt|à compléter|en cours de rédaction)\b`)

// count adds the words of a line to the newest heading.
func count(all []heading, line string) {
	if len(all) > 0 && !unwritten.MatchString(line) {
		all[len(all)-1].words += wordsIn(line)
	}
}

// wordsIn counts words of at least two letters.
func wordsIn(line string) int {
	n := 0
	for _, w := range strings.FieldsFunc(line, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(w) > 1 {
			n++
		}
	}
	return n
}

// fold lets each section have the words of those below it.
func fold(all []heading) {
	var open []int
	for i := range all {
		for len(open) > 0 && all[open[len(open)-1]].level >= all[i].level {
			open = open[:len(open)-1]
		}
		for _, k := range open {
			all[k].words += all[i].words
		}
		open = append(open, i)
	}
}

func isAsciiDoc(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".adoc", ".asciidoc", ".asc":
		return true
	}
	return false
}

// isDocument reports texts that people read.
func isDocument(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".mdx", ".rst":
		return true
	}
	return isAsciiDoc(name)
}
