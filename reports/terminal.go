package reports

import (
	"strings"
	"unicode/utf8"
)

// Widths of text in columns.
const (
	defaultWidth = 100
	minWidth     = 40
	maxWidth     = 140 // longer lines are hard to read
)

// terminal writes wrapped lines.
type terminal struct {
	b     strings.Builder
	width int
	color bool
	words lexicon // for signs, in the language of the report
}

func newTerminal(opt Options) *terminal {
	width := opt.Width
	if width <= 0 {
		width = defaultWidth
	}
	return &terminal{width: max(minWidth, min(maxWidth, width)), color: opt.Color}
}

// heading writes an empty line and a title.
func (t *terminal) heading(s string) {
	t.b.WriteByte('\n')
	for _, l := range wrap(s, t.width) {
		t.b.WriteString(t.paint("1", l) + "\n")
	}
}

// para writes text wrapped to the width: the first line after lead, the others below the text.
func (t *terminal) para(lead, s string) { t.signed(lead, sign{}, s) }

// signed is para with a mark before the text.
func (t *terminal) signed(lead string, mark sign, s string) {
	hang := utf8.RuneCountInString(lead)
	if mark.Mark != "" {
		hang += utf8.RuneCountInString(mark.Mark) + 1
	}
	for i, l := range wrap(s, t.width-hang) {
		switch {
		case i > 0:
			t.b.WriteString(strings.Repeat(" ", hang))
		case mark.Mark != "":
			t.b.WriteString(lead + t.tinted(mark, mark.Mark) + " ")
		default:
			t.b.WriteString(lead)
		}
		t.b.WriteString(l + "\n")
	}
}

// tinted colours text by the tone of a sign.
func (t *terminal) tinted(mark sign, s string) string {
	switch mark.Tone {
	case good:
		return t.paint("32", s)
	case bad:
		return t.paint("31", s)
	case unsure:
		return t.paint("33", s)
	}
	return s
}

func (t *terminal) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// wrap breaks a text between words into lines of at most width characters; a longer word is broken inside.
func wrap(s string, width int) []string {
	width = max(width, 10)
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		for {
			room := width - utf8.RuneCountInString(line)
			if line != "" {
				room--
			}
			size := utf8.RuneCountInString(word)
			if size <= room {
				break
			}
			if line == "" {
				runes := []rune(word)
				lines, word = append(lines, string(runes[:width])), string(runes[width:])
				continue
			}
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// pad fills s with spaces to n characters.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}
