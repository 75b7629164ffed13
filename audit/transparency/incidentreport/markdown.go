package incidentreport

import (
	"html"
	"regexp"
	"strings"
	"time"
)

var (
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	erb       = regexp.MustCompile(`<%[^%\n]*%>|\{%[^%\n]*%\}`)
	tag       = regexp.MustCompile(`</?[a-zA-Z][^<>\n]{0,500}>`)
	mdImage   = regexp.MustCompile(`!\[[^\]\n]*\]\([^)\n]*\)`)
	mdLink    = regexp.MustCompile(`\[([^\]\n]*)\]\(\s*<?([^)\s>]*)>?[^)\n]*\)`)
	refLink   = regexp.MustCompile(`\[([^\]\n]+)\]\[[^\]\n]*\]`)
	refTarget = regexp.MustCompile(`(?m)^[ \t]{0,3}\[([^\]\n]+)\]:[ \t]*(\S+).*$`)
	bareLink  = regexp.MustCompile(`https?://[^\s<>()\[\]"'|]+`)
	atx       = regexp.MustCompile(`^\s{0,3}(#{1,6})\s*(.*?)\s*#*\s*(\{[^}]*\})?$`)
	adocHead  = regexp.MustCompile(`^(={1,6})\s+(\S.*)$`)
	setext    = regexp.MustCompile(`^\s{0,3}(=+|-{3,}|~{3,})\s*$`)
	listMark  = regexp.MustCompile(`^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?`)
	boldStart = regexp.MustCompile(`^(?:\*\*|__)([^*_\n]{1,120}?)(?:\*\*|__)\s*(.*)$`)
	italic    = regexp.MustCompile(`^[*_]([^*_\n]{1,80}?)[*_]:?\s*$`)
	tableRule = regexp.MustCompile(`^[\s|:+=-]+$`)
	dateKey   = regexp.MustCompile(`(?mi)^\s*["']?(?:date|published|pubdate|published_at|publishdate|date_published|created)["']?\s*[:=]\s*["']?([0-9][^"'\n#]{7,40})`)
	titleKey  = regexp.MustCompile(`(?mi)^\s*["']?title["']?\s*[:=]\s*["']?(.+?)["']?,?\s*$`)
)

// ReadMarkdown reads Markdown, or plain text that was written to be read as it is. It never fails: whatever it cannot tell
// apart is a paragraph.
func ReadMarkdown(address string, data []byte) Document {
	text := strings.ReplaceAll(strings.ToValidUTF8(cut(string(data), maxText), ""), "\r\n", "\n")
	d := Document{URL: address}
	text = d.frontMatter(text)
	text = erb.ReplaceAllString(comment.ReplaceAllString(text, ""), "")
	d.markdownLinks(text)
	text = unbracket(text)
	m := markdown{d: &d}
	for line := range strings.SplitSeq(text, "\n") {
		if len(d.Blocks) >= maxBlocks {
			break
		}
		m.line(line)
	}
	m.flush()
	if d.Title == "" {
		d.Title = firstLine(d.Blocks)
	}
	d.Title = cut(clean(unmark(d.Title)), 200)
	return d
}

// frontMatter takes title and date from the head of a file as Jekyll (YAML, ---) and Hugo or Zola (TOML, +++) write it, and
// returns what follows. Only these two keys are read.
func (d *Document) frontMatter(text string) string {
	trimmed := strings.TrimLeft(text, "\ufeff \n")
	for _, fence := range []string{"---", "+++"} {
		rest, ok := strings.CutPrefix(trimmed, fence+"\n")
		if !ok {
			continue
		}
		head, body, ok := strings.Cut(rest, "\n"+fence)
		if !ok {
			return text
		}
		if m := titleKey.FindStringSubmatch(head); m != nil {
			d.Title = m[1]
		}
		if m := dateKey.FindStringSubmatch(head); m != nil {
			d.Published = parseTime(strings.TrimSpace(m[1]))
		}
		return body
	}
	return text
}

// parseTime reads the forms of time that feeds, front matter and pages use; zero if it is none of them.
func parseTime(s string) time.Time {
	for _, form := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05 -0700",
		"2006-01-02 15:04:05 -07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04 -0700", "2006-01-02 15:04",
		"2006-01-02", time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST",
		"2 Jan 2006 15:04:05 -0700", "2 Jan 2006",
	} {
		if t, err := time.Parse(form, s); err == nil && plausible(t) {
			return t.UTC().Truncate(time.Second)
		}
	}
	return time.Time{}
}

// plausible says whether a time can be that of an incident in a cloud: any sooner or later one is a slip of the pen.
func plausible(t time.Time) bool { return t.Year() >= 1995 && t.Year() < 2100 }

func (d *Document) markdownLinks(text string) {
	for _, m := range mdLink.FindAllStringSubmatch(text, maxLinks) {
		d.Links = append(d.Links, Link{URL: m[2], Text: clean(m[1]), Main: true})
	}
	for _, m := range refTarget.FindAllStringSubmatch(text, maxLinks) {
		d.Links = append(d.Links, Link{URL: m[2], Main: true})
	}
	for _, address := range bareLink.FindAllString(text, maxLinks) {
		d.Links = append(d.Links, Link{URL: strings.TrimRight(address, ".,;:*_`"), Main: true})
	}
}

// unbracket takes the brackets from words that are links by a definition elsewhere in the text: [word] and [word]: address.
func unbracket(text string) string {
	var pairs []string
	for _, m := range refTarget.FindAllStringSubmatch(text, maxLinks) {
		label := m[1]
		pairs = append(pairs, "["+label+"]", label)
	}
	return strings.NewReplacer(pairs...).Replace(refTarget.ReplaceAllString(text, ""))
}

// unmark takes the marks of Markdown out of a line.
func unmark(line string) string {
	line = mdImage.ReplaceAllString(line, "")
	line = mdLink.ReplaceAllString(line, "$1")
	line = refLink.ReplaceAllString(line, "$1")
	line = tag.ReplaceAllString(line, "")
	line = strings.NewReplacer("**", "", "__", "", "`", "", "~~", "").Replace(line)
	return html.UnescapeString(line)
}

// markdown gathers lines into blocks.
type markdown struct {
	d     *Document
	kind  Kind
	lines []string
	fence string
}

func (m *markdown) line(line string) {
	trimmed := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "> "))
	if m.fenced(trimmed) {
		return
	}
	switch {
	case trimmed == "":
		m.flush()
	case m.underline(trimmed):
	case atx.MatchString(trimmed):
		m.flush()
		h := atx.FindStringSubmatch(trimmed)
		m.d.add(Block{Kind: Heading, Level: len(h[1]), Text: unmark(h[2])})
	case adocHead.MatchString(trimmed):
		m.flush()
		h := adocHead.FindStringSubmatch(trimmed)
		m.d.add(Block{Kind: Heading, Level: len(h[1]), Text: unmark(h[2])})
	case strings.HasPrefix(trimmed, "|") && strings.Count(trimmed, "|") > 1:
		m.row(trimmed)
	case len(m.lines) == 0 && plainHeading(trimmed):
		m.d.add(Block{Kind: Heading, Level: 7, Text: strings.TrimRight(unmark(trimmed), ": ")})
	case listMark.MatchString(trimmed):
		m.flush()
		m.kind, m.lines = Item, []string{listMark.ReplaceAllString(trimmed, "")}
	case boldStart.MatchString(trimmed) || ownLine(trimmed):
		m.flush()
		m.lines = append(m.lines, trimmed)
	default:
		m.lines = append(m.lines, trimmed)
	}
	if strings.HasSuffix(line, "\\") || strings.HasSuffix(line, "  ") && len(m.lines) > 0 {
		m.flush()
	}
}

// ownLine says whether a line of plain text starts something new: with a clock time or with a label.
func ownLine(line string) bool {
	if beginsWithMoment(line) {
		return true
	}
	label, _ := splitLabel(line)
	return label != "" && len(partsOf(label, maxLabelWords)) > 0
}

// plainHeading says whether a line of plain text stands for a heading: it announces a part, is short and no sentence.
func plainHeading(line string) bool {
	if len(strings.Fields(line)) > 8 || strings.ContainsAny(line[len(line)-1:], ".,;") || listMark.MatchString(line) || boldStart.MatchString(line) {
		return false
	}
	_, rest := splitLabel(line)
	return (rest == "" || rest == line) && len(partsOf(line, maxHeadingWords)) > 0
}

// fenced takes the lines of code blocks.
func (m *markdown) fenced(line string) bool {
	for _, f := range []string{"```", "~~~"} {
		if strings.HasPrefix(line, f) && (m.fence == "" || m.fence == f) {
			m.flush()
			if m.fence == "" {
				m.fence = f
			} else {
				m.fence = ""
			}
			return true
		}
	}
	if m.fence == "" {
		return false
	}
	m.d.add(Block{Kind: Code, Text: line})
	return true
}

// underline makes a heading of the one line before it.
func (m *markdown) underline(line string) bool {
	if !setext.MatchString(line) {
		return false
	}
	if len(m.lines) == 1 && m.kind == Text {
		level := 2
		if line[0] == '=' {
			level = 1
		}
		m.d.add(Block{Kind: Heading, Level: level, Text: unmark(m.lines[0])})
		m.lines = nil
		return true
	}
	m.flush()
	return true
}

func (m *markdown) row(line string) {
	m.flush()
	if tableRule.MatchString(line) {
		return
	}
	cells := strings.Split(strings.Trim(unmark(line), "| "), "|")
	m.d.add(Block{Kind: Row, Label: strings.TrimSpace(cells[0]), Text: strings.Join(cells[1:], " ")})
}

func (m *markdown) flush() {
	if len(m.lines) == 0 {
		m.kind = Text
		return
	}
	text := strings.TrimRight(strings.Join(m.lines, " "), "\\ ")
	b := Block{Kind: m.kind, Text: text}
	if l := boldStart.FindStringSubmatch(text); l != nil {
		b.Label, b.Text = strings.Trim(unmark(l[1]), " :"), strings.TrimLeft(l[2], " :–—-")
	} else if i := italic.FindStringSubmatch(text); i != nil && len(partsOf(i[1], maxLabelWords)) > 0 {
		b.Label, b.Text = strings.Trim(i[1], " :"), ""
	}
	b.Text = strings.Trim(unmark(b.Text), "*_ ")
	m.d.add(b)
	m.lines, m.kind = nil, Text
}

// firstLine is the title of a text that states none: its first block if that is a heading or a short line, else its first
// heading.
func firstLine(blocks []Block) string {
	for i, b := range blocks {
		text := strings.Trim(b.Label+": "+b.Text, ": ")
		if b.Kind == Heading || i == 0 && b.Kind == Text && len(strings.Fields(text)) <= 14 {
			return text
		}
	}
	return ""
}
