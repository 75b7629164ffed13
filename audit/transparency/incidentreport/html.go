package incidentreport

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// datePublished is what schema.org calls the day of an article, as pages write it in JSON-LD.
var datePublished = regexp.MustCompile(`"datePublished"\s*:\s*"([^"]{8,40})"`)

// ReadHTML reads a page. It works on the stream of tags and builds no tree, so depth costs nothing. Navigation, footers, asides
// and forms are left out; if the page has a main part or an article, only that counts.
func ReadHTML(address string, data []byte) Document {
	data = data[:min(len(data), maxText)]
	for _, skip := range []bool{true, false} {
		p := page{doc: Document{URL: address}, skipping: skip}
		p.read(data)
		if d := p.document(); len(d.Blocks) > 0 || !skip {
			return d
		}
	}
	return Document{URL: address}
}

// page is a page while it is read.
type page struct {
	doc      Document
	skipping bool
	skip     int // open elements that are left out
	main     int // open elements that hold the main part
	inMain   []Block
	kind     Kind
	level    int
	label    bool // inside words set apart at the begin of a block
	labelled strings.Builder
	text     strings.Builder
	cells    int
	inTitle  bool
	script   bool
	title    string
	h1       string
	link     *Link
	time     time.Time
	meta     time.Time
}

func (p *page) read(data []byte) {
	z := html.NewTokenizer(bytes.NewReader(data))
	z.SetMaxBuf(maxText)
	for {
		switch z.Next() {
		case html.ErrorToken:
			p.flush()
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			p.start(z.Token())
		case html.EndTagToken:
			p.end(z.Token())
		case html.TextToken:
			p.words(string(z.Text()))
		}
	}
}

func (p *page) document() Document {
	d := p.doc
	if len(p.inMain) >= 3 {
		d.Blocks = p.inMain
	}
	d.Title = cut(clean(p.title), 200)
	if p.h1 != "" {
		d.Title = cut(p.h1, 200)
	}
	d.Published = p.meta
	if d.Published.IsZero() {
		d.Published = p.time
	}
	return d
}

func (p *page) start(t html.Token) {
	switch t.DataAtom {
	case atom.Script:
		p.script = attribute(t, "type") == "application/ld+json"
	case atom.Title:
		p.inTitle = p.title == ""
	case atom.Meta:
		p.readMeta(t)
	case atom.Time:
		if p.time.IsZero() {
			p.time = parseTime(strings.TrimSpace(attribute(t, "datetime")))
		}
	case atom.A, atom.Link:
		p.readLink(t)
	case atom.Nav, atom.Footer, atom.Aside, atom.Form:
		p.flush()
		p.skip++
	case atom.Main, atom.Article:
		p.flush()
		p.main++
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		p.flush()
		p.kind, p.level = Heading, int(t.Data[1]-'0')
	case atom.Li, atom.Dd:
		p.flush()
		p.kind = Item
	case atom.Dt:
		p.flush()
		p.kind, p.level = Heading, 7
	case atom.Tr:
		p.flush()
		p.kind, p.cells = Row, 0
	case atom.Td, atom.Th:
		p.cells++
		p.label = p.cells == 1
		p.text.WriteByte(' ')
	case atom.B, atom.Strong:
		p.label = p.kind != Row && strings.TrimSpace(p.text.String()) == "" && p.labelled.Len() == 0
	case atom.P:
		if p.kind != Item && p.kind != Row || p.text.Len() > 0 && p.kind == Item {
			p.flush()
		}
	case atom.Br, atom.Div, atom.Section, atom.Ul, atom.Ol, atom.Table, atom.Pre, atom.Blockquote, atom.Hr, atom.Dl, atom.Header:
		if p.kind != Row {
			p.flush()
		}
	}
}

func (p *page) end(t html.Token) {
	switch t.DataAtom {
	case atom.Script:
		p.script = false
	case atom.Title:
		p.inTitle = false
	case atom.A:
		p.link = nil
	case atom.Nav, atom.Footer, atom.Aside, atom.Form:
		p.flush()
		p.skip = max(0, p.skip-1)
	case atom.Main, atom.Article:
		p.flush()
		p.main = max(0, p.main-1)
	case atom.B, atom.Strong:
		p.label = p.label && p.kind == Row
	case atom.Td, atom.Th:
		p.label = false
		p.text.WriteByte(' ')
	case atom.P, atom.Div:
		if p.kind != Row {
			p.flush()
		}
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Li, atom.Dd, atom.Dt, atom.Tr, atom.Pre, atom.Ul, atom.Ol, atom.Table, atom.Section:
		p.flush()
	}
}

func (p *page) words(text string) {
	switch {
	case p.script:
		if m := datePublished.FindStringSubmatch(text); m != nil && p.meta.IsZero() {
			p.meta = parseTime(m[1])
		}
	case p.inTitle:
		p.title += html.UnescapeString(text)
	default:
		text = html.UnescapeString(text)
		if p.link != nil && len(p.link.Text) < 300 {
			p.link.Text = clean(p.link.Text + " " + text)
		}
		if p.skipping && p.skip > 0 {
			return
		}
		if p.label {
			p.labelled.WriteString(text)
			return
		}
		p.text.WriteString(text)
	}
}

func (p *page) flush() {
	b := Block{Kind: p.kind, Level: p.level, Label: strings.Trim(p.labelled.String(), " \n\t:"), Text: strings.TrimLeft(clean(p.text.String()), ":–—- ")}
	if len(b.Label) > 120 {
		b.Label, b.Text = "", b.Label+" "+b.Text
	}
	p.kind, p.level, p.label = Text, 0, false
	p.labelled.Reset()
	p.text.Reset()
	before := len(p.doc.Blocks)
	p.doc.add(b)
	if len(p.doc.Blocks) == before {
		return
	}
	added := p.doc.Blocks[before]
	if added.Kind == Heading && added.Level == 1 && p.h1 == "" {
		p.h1 = added.Text
	}
	if p.main > 0 {
		p.inMain = append(p.inMain, added)
	}
}

func (p *page) readMeta(t html.Token) {
	switch strings.ToLower(attribute(t, "property") + attribute(t, "name") + attribute(t, "itemprop")) {
	case "og:title":
		if title := clean(attribute(t, "content")); title != "" {
			p.title = title
		}
	case "article:published_time", "datepublished", "date", "dc.date", "dcterms.created", "pubdate", "publish-date":
		if at := parseTime(strings.TrimSpace(attribute(t, "content"))); !at.IsZero() {
			p.meta = at
		}
	}
}

func (p *page) readLink(t html.Token) {
	address := strings.TrimSpace(attribute(t, "href"))
	if address == "" || len(p.doc.Links) >= maxLinks {
		return
	}
	main := p.skip == 0 && t.DataAtom == atom.A
	p.doc.Links = append(p.doc.Links, Link{URL: address, Rel: strings.ToLower(attribute(t, "rel")), Main: main, Text: clean(attribute(t, "type"))})
	if t.DataAtom == atom.A {
		p.link = &p.doc.Links[len(p.doc.Links)-1]
		p.link.Text = ""
	}
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
