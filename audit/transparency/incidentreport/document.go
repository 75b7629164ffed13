package incidentreport

import (
	"strings"
	"time"
	"unicode"
)

// Bounds of what is read of one document; whatever lies beyond is left out.
const (
	maxText   = 1 << 20 // bytes of a document; the longest of the post-mortems measured has 60 KB
	maxBlocks = 5000
	maxLinks  = 2000
	maxBlock  = 4000 // bytes of one paragraph
)

// Document is a text that may be an incident report, whatever it was written in.
type Document struct {
	URL       string
	Title     string
	Published time.Time // as the document or its feed says; zero: not said
	Blocks    []Block
	Links     []Link
}

// Kind says what a block is.
type Kind int

// The kinds of blocks.
const (
	Text    Kind = iota // a paragraph
	Heading             // of Level
	Item                // of a list
	Row                 // of a table
	Code                // a line of preformatted text
)

// Block is a heading, a paragraph, an entry of a list or a row of a table.
type Block struct {
	Kind  Kind
	Level int    // of a heading, 1 to 6; 7: a line that stands for a heading, such as bold text alone
	Label string // words set apart at its begin: bold text, text before a colon, the first cell of a row
	Text  string // without the label
}

// Link is a hyperlink.
type Link struct {
	URL  string // as written
	Text string
	Rel  string
	Main bool // stands in the main part of the page
}

// add appends a block after cleaning it; blocks without words are dropped.
func (d *Document) add(b Block) {
	b.Text, b.Label = clean(b.Text), clean(b.Label)
	if len(d.Blocks) >= maxBlocks || b.Text == "" && b.Label == "" {
		return
	}
	if b.Kind == Heading {
		b.Text, b.Label = strings.TrimSpace(b.Label+" "+b.Text), ""
	}
	if b.Label == "" && b.Kind != Heading && b.Kind != Code {
		b.Label, b.Text = splitLabel(b.Text)
	}
	if b.Kind == Text && b.Text == "" && len(strings.Fields(b.Label)) <= maxHeadingWords {
		b.Kind, b.Level, b.Text, b.Label = Heading, 7, b.Label, ""
	}
	d.Blocks = append(d.Blocks, b)
}

// splitLabel splits "Impact: nobody could log in" before the colon, unless what stands there is a clock time, an address or
// half a sentence.
func splitLabel(text string) (label, rest string) {
	i := strings.IndexAny(text, ":：")
	if i <= 0 || i > 60 || strings.HasPrefix(text[i:], "://") {
		return "", text
	}
	label = strings.TrimSpace(text[:i])
	if len(strings.Fields(label)) > 6 || !unicode.IsLetter([]rune(label)[len([]rune(label))-1]) && !strings.HasSuffix(label, ")") {
		return "", text
	}
	return label, strings.TrimSpace(strings.TrimLeft(text[i:], ":： "))
}

// clean makes text fit to be shown and compared: one line, no control characters, bounded.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar, unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return cut(strings.Join(strings.Fields(text), " "), maxBlock)
}

// cut shortens text to at most n bytes without splitting a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n]
}

// fold makes words comparable: lower case, umlauts and accents as plain letters, everything but letters and digits as space.
func fold(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if s, ok := plain(r); ok {
			b.WriteString(s)
			continue
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteByte(' ')
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// plain returns the plain spelling of a letter with a mark.
func plain(r rune) (string, bool) {
	switch r {
	case 'ä':
		return "ae", true
	case 'ö':
		return "oe", true
	case 'ü':
		return "ue", true
	case 'ß':
		return "ss", true
	case 'à', 'â', 'á':
		return "a", true
	case 'é', 'è', 'ê', 'ë':
		return "e", true
	case 'î', 'ï', 'í':
		return "i", true
	case 'ô', 'ó':
		return "o", true
	case 'ù', 'û', 'ú':
		return "u", true
	case 'ç':
		return "c", true
	case 'œ':
		return "oe", true
	case '\u0308', '\u0301', '\u0300', '\u0302', '\u0327', '\u200d', '\ufe0f': // marks that follow their letter, and joiners
		return "", true
	}
	return "", false
}

// has says whether folded text contains the words of a phrase, as whole words.
func has(folded, phrase string) bool {
	return strings.Contains(" "+folded+" ", " "+phrase+" ")
}

// hasAny returns how many of the phrases folded text contains.
func hasAny(folded string, phrases []string) int {
	padded, n := " "+folded+" ", 0
	for _, p := range phrases {
		if strings.Contains(padded, " "+p+" ") {
			n++
		}
	}
	return n
}
