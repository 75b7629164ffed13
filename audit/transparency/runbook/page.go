package runbook

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of one page.
const (
	maxLinks    = 2000
	maxHeadings = 2000
)

// page is what an HTML page shows.
type page struct {
	title    string
	headings []heading // line is 0: lines of HTML say nothing to a reader
	words    int
	links    []string // absolute, without fragment, http and https only
	text     strings.Builder
	licences string // addresses of links and the text, in lower case
}

// readPage reads an HTML page. It never fails: a parser of browsers makes sense of anything.
func readPage(base *url.URL, data []byte) *page {
	p := &page{}
	z := html.NewTokenizer(bytes.NewReader(data))
	z.SetMaxBuf(1 << 20)
	var open strings.Builder // of the heading that is open
	level, hidden := 0, 0
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			p.licences += strings.ToLower(p.text.String())
			fold(p.headings)
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch {
			case isHidden(t.DataAtom):
				if kind == html.StartTagToken {
					hidden++
				}
			case headingLevel(t.DataAtom) > 0:
				level = headingLevel(t.DataAtom)
				open.Reset()
			case t.DataAtom == atom.Title:
				level = -1
				open.Reset()
			case t.DataAtom == atom.Base:
				base = resolved(base, attribute(t, "href"), base)
			case t.DataAtom == atom.A || t.DataAtom == atom.Link:
				p.link(base, t)
			}
		case html.EndTagToken:
			t := z.Token()
			switch {
			case isHidden(t.DataAtom):
				hidden = max(0, hidden-1)
			case t.DataAtom == atom.Title && level < 0:
				p.title, level = strings.TrimSpace(open.String()), 0
			case headingLevel(t.DataAtom) > 0 && level > 0:
				if heard := strings.TrimSpace(open.String()); heard != "" && len(p.headings) < maxHeadings {
					p.headings = append(p.headings, heading{level: level, text: heard})
				}
				level = 0
			}
		case html.TextToken:
			if hidden > 0 {
				continue
			}
			said := string(z.Text())
			if level != 0 {
				open.WriteString(html.UnescapeString(said))
				continue
			}
			p.text.WriteString(html.UnescapeString(said) + " ")
			p.words += wordsIn(said)
			count(p.headings, said)
		}
	}
}

func isHidden(a atom.Atom) bool {
	return a == atom.Script || a == atom.Style || a == atom.Template || a == atom.Noscript || a == atom.Nav
}

func headingLevel(a atom.Atom) int {
	switch a {
	case atom.H1:
		return 1
	case atom.H2:
		return 2
	case atom.H3:
		return 3
	case atom.H4, atom.H5, atom.H6:
		return 4
	}
	return 0
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

func (p *page) link(base *url.URL, t html.Token) {
	to := resolved(base, attribute(t, "href"), nil)
	if to == nil {
		return
	}
	if len(p.licences) < 1<<16 {
		p.licences += strings.ToLower(to.String()) + "\n"
	}
	if t.DataAtom == atom.A && len(p.links) < maxLinks {
		to.Fragment = ""
		p.links = append(p.links, to.String())
	}
}

// resolved makes an address absolute; otherwise if it is none that can be asked.
func resolved(base *url.URL, href string, otherwise *url.URL) *url.URL {
	u, err := url.Parse(href)
	if err != nil || href == "" || base == nil {
		return otherwise
	}
	u = base.ResolveReference(u)
	if u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "file" || u.User != nil {
		return otherwise
	}
	return u
}
