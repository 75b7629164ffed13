package disclosure

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of one page.
const (
	maxLines = 20_000
	maxLinks = 5_000
)

// page is a page of HTML as a person reads it: lines of text, and links.
type page struct {
	title string
	lines []line
	links []link
	next  string // address of the page that follows in a list
	feeds []string
	cut   bool // more than is read
}

// line is one block of text: a paragraph, a heading, a list entry or the row of a table.
type line struct {
	heading bool
	cells   []string // of a row of a table; otherwise one
	links   []link
}

func (l line) text() string { return strings.TrimSpace(strings.Join(l.cells, " ")) }

// link is one hyperlink, with the text that a person clicks at.
type link struct {
	href  string
	text  string
	image bool // the text is what an image says instead
}

// pageReader collects a page while its tokens pass by. It holds no tree, so that depth costs nothing.
type pageReader struct {
	page    page
	cell    strings.Builder
	current line
	open    *link
	label   strings.Builder
	titled  bool
}

// blocks are elements that end a line.
var blocks = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Li: true, atom.Ul: true, atom.Ol: true, atom.Tr: true, atom.Table: true, atom.Br: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Section: true, atom.Article: true,
	atom.Header: true, atom.Footer: true, atom.Main: true, atom.Nav: true, atom.Dt: true, atom.Dl: true, atom.Pre: true,
	atom.Address: true, atom.Blockquote: true, atom.Hr: true, atom.Body: true, atom.Form: true,
}

var headings = map[atom.Atom]bool{atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true}

// readHTML reads any bytes as a page.
func readHTML(data []byte) page {
	z := html.NewTokenizer(bytes.NewReader(data))
	z.SetMaxBuf(1 << 20)
	r := pageReader{}
	skip := atom.Atom(0)
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		token := z.Token()
		if skip != 0 {
			if kind == html.EndTagToken && token.DataAtom == skip {
				skip = 0
			}
			continue
		}
		switch kind {
		case html.TextToken:
			r.text(token.Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			if kind == html.StartTagToken && (token.DataAtom == atom.Script || token.DataAtom == atom.Style || token.DataAtom == atom.Svg || token.DataAtom == atom.Template) {
				skip = token.DataAtom
				continue
			}
			r.start(token)
		case html.EndTagToken:
			r.end(token.DataAtom)
		}
		if len(r.page.lines) >= maxLines || len(r.page.links) >= maxLinks {
			r.page.cut = true
			break
		}
	}
	r.flush()
	return r.page
}

func (r *pageReader) text(s string) {
	if r.titled {
		r.page.title = clean(r.page.title + " " + s)
		return
	}
	r.cell.WriteString(s)
	if r.open != nil {
		r.label.WriteString(s)
	}
}

func (r *pageReader) start(t html.Token) {
	switch {
	case t.DataAtom == atom.Title:
		r.titled = r.page.title == ""
	case t.DataAtom == atom.A:
		r.close()
		r.open = &link{href: attribute(t, "href")}
		if attribute(t, "rel") == "next" {
			r.page.next = r.open.href
		}
	case t.DataAtom == atom.Link:
		r.head(t)
	case t.DataAtom == atom.Img && r.open != nil:
		if alt := attribute(t, "alt"); alt != "" {
			r.open.image = true
			r.label.WriteString(" " + alt + " ")
		} else {
			r.open.image = true
		}
	case t.DataAtom == atom.Td || t.DataAtom == atom.Th || t.DataAtom == atom.Dd:
		r.endCell()
	case headings[t.DataAtom]:
		r.flush()
		r.current.heading = true
	case blocks[t.DataAtom]:
		r.flush()
	case t.DataAtom == atom.Time:
		if moment := attribute(t, "datetime"); moment != "" {
			r.cell.WriteString(" " + moment + " ")
		}
	}
}

func (r *pageReader) head(t html.Token) {
	switch rel := strings.ToLower(attribute(t, "rel")); {
	case rel == "next":
		r.page.next = attribute(t, "href")
	case rel == "alternate":
		if kind := attribute(t, "type"); kind == "application/rss+xml" || kind == "application/atom+xml" {
			r.page.feeds = append(r.page.feeds, attribute(t, "href"))
		}
	}
}

func (r *pageReader) end(a atom.Atom) {
	switch {
	case a == atom.Title:
		r.titled = false
	case a == atom.A:
		r.close()
	case a == atom.Td || a == atom.Th: // an empty one keeps its place
		r.current.cells = append(r.current.cells, strings.Join(strings.Fields(r.cell.String()), " "))
		r.cell.Reset()
	case blocks[a] && a != atom.Dt:
		r.flush()
	}
}

// close ends a link.
func (r *pageReader) close() {
	if r.open == nil {
		return
	}
	r.open.text = clean(r.label.String())
	if r.open.href != "" {
		r.page.links = append(r.page.links, *r.open)
		r.current.links = append(r.current.links, *r.open)
	}
	r.open = nil
	r.label.Reset()
}

func (r *pageReader) endCell() {
	if text := strings.Join(strings.Fields(r.cell.String()), " "); text != "" {
		r.current.cells = append(r.current.cells, text)
	}
	r.cell.Reset()
}

func (r *pageReader) flush() {
	r.endCell()
	if r.open == nil && (r.current.text() != "" || len(r.current.links) > 0) {
		r.page.lines = append(r.page.lines, r.current)
		r.current = line{}
	} else if r.open == nil {
		r.current = line{}
	}
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

// looksLikeHTML tells pages from other texts by their first bytes.
func looksLikeHTML(data []byte) bool {
	head := strings.ToLower(string(data[:min(len(data), 1024)]))
	head = strings.TrimLeft(strings.TrimPrefix(head, "\ufeff"), " \t\r\n")
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html") ||
		strings.HasPrefix(head, "<") && (strings.Contains(head, "<body") || strings.Contains(head, "<head") || strings.Contains(head, "<div") || strings.Contains(head, "<a "))
}

var markdownLink = regexp.MustCompile(`\[([^\]\[]{0,300})\]\(([^)\s]+)[^)]*\)`)

// readMarkdown reads Markdown, reStructuredText and plain text as a page: headings by # or a line below them, rows by bars.
func readMarkdown(data []byte) page {
	var p page
	fenced := false
	for raw := range strings.Lines(string(data)) {
		if len(p.lines) >= maxLines || len(p.links) >= maxLinks {
			p.cut = true
			break
		}
		text := strings.TrimSpace(raw)
		if strings.HasPrefix(text, "```") || strings.HasPrefix(text, "~~~") {
			fenced = !fenced
			continue
		}
		if fenced || text == "" {
			continue
		}
		p.lines = append(p.lines, markdownLine(&p, text))
	}
	for i, l := range p.lines {
		if i > 0 && underline(l.text()) {
			p.lines[i-1].heading = true
		}
		if p.title == "" && l.heading {
			p.title = clean(l.text())
		}
	}
	return p
}

// markdownLine reads one line, and adds its links to the page.
func markdownLine(p *page, text string) line {
	var l line
	for _, m := range markdownLink.FindAllStringSubmatch(text, 50) {
		l.links = append(l.links, link{text: clean(m[1]), href: m[2]})
	}
	p.links = append(p.links, l.links...)
	text = markdownLink.ReplaceAllString(text, "$1")
	if rest := strings.TrimLeft(text, "#"); rest != text && strings.HasPrefix(rest, " ") {
		l.heading, text = true, strings.TrimSpace(rest)
	}
	l.cells = []string{strings.Trim(text, "*_` ")}
	if strings.HasPrefix(text, "|") {
		l.cells = nil
		for cell := range strings.SplitSeq(strings.TrimSuffix(text[1:], "|"), "|") {
			l.cells = append(l.cells, strings.Trim(cell, "*_` ")) // an empty one keeps its place
		}
	}
	return l
}

// underline reports whether a line only marks the one above it as a heading.
func underline(s string) bool {
	return len(s) >= 3 && (strings.Trim(s, "=") == "" || strings.Trim(s, "-") == "" || strings.Trim(s, "~") == "")
}
