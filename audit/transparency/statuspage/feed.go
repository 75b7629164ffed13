package statuspage

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// The fallback for every other software: a feed, RSS 2.0 or Atom (RFC 4287), at the address given, at one that the page links
// with <link rel="alternate">, or at the usual places. A feed shows the newest entries only, with title, address, and a moment;
// components, ends and updates stand in its prose, which is not interpreted, but for the paragraphs that Statuspage and those
// who imitate it write for each update. It never tells what components there are.

const (
	mostEntries = 20000 // of a feed
	mostDeep    = 40    // elements inside each other
)

// feedPlaces are where feeds of status pages usually stand.
func feedPlaces() []string {
	return []string{"/history.atom", "/history.rss", "/feed", "/rss", "/feed.xml", "/index.xml", "/rss.xml", "/atom.xml"}
}

func readFeed(ctx context.Context, l *look, p *page) *audit.Trouble {
	var worst *audit.Trouble
	for _, source := range l.feeds() {
		trouble := feedInto(ctx, l, p, source)
		if trouble == nil {
			p.hides(transparency.PartComponents, transparency.PartEnd, transparency.PartUpdates, transparency.PartMaintenance, transparency.PartAnnounced)
			p.out.Shows = "the newest entries of a feed, which names no components"
			return nil
		}
		worst = telling(worst, trouble)
	}
	return worst
}

// feeds lists the addresses at which a feed may be.
func (l *look) feeds() []string {
	var out []string
	if strings.HasPrefix(strings.TrimLeft(l.html, "\ufeff \t\r\n"), "<?xml") || strings.HasPrefix(l.html, "<rss") || strings.HasPrefix(l.html, "<feed") {
		out = append(out, l.given)
	}
	for _, tag := range regexp.MustCompile(`(?i)<link\s[^>]{1,1000}>`).FindAllString(l.html, 200) {
		if !regexp.MustCompile(`(?i)application/(?:rss|atom)\+xml`).MatchString(tag) {
			continue
		}
		href := regexp.MustCompile(`(?i)\shref\s*=\s*["']?([^"'\s>]+)`).FindStringSubmatch(tag)
		if href == nil || len(out) >= 4 {
			continue
		}
		base, err := url.Parse(l.given)
		if err != nil {
			continue
		}
		if ref, err := base.Parse(html.UnescapeString(href[1])); err == nil && (ref.Scheme == "https" || ref.Scheme == "http") {
			out = append(out, ref.String())
		}
	}
	for _, ref := range feedPlaces() {
		out = append(out, l.join(ref))
	}
	return out
}

// feedInto adds the entries of a feed to a page.
func feedInto(ctx context.Context, l *look, p *page, source string) *audit.Trouble {
	accept := typeFeed
	if source == l.given {
		accept = "" // it was asked for already
	}
	answer := l.get(ctx, source, accept, mostPage)
	if answer.Trouble != nil {
		return answer.Trouble
	}
	title, entries, cut, err := parseFeed(answer.Body)
	if err != nil {
		return broken(source, err)
	}
	if p.out.Title == "" {
		p.out.Title = title
	}
	if cut {
		l.note("the first %d entries of the feed were read, there are more", mostEntries)
	}
	for _, e := range entries {
		updated, _ := moment(e.Updated)
		p.event(updated)
		p.incident(e.incident())
	}
	return nil
}

// entry is one entry of a feed.
type entry struct {
	ID, Title, Link, Published, Updated, Text, Category string
}

// parseFeed reads RSS 2.0 and Atom, token by token, so that neither depth nor length matter.
func parseFeed(body []byte) (title string, entries []entry, cut bool, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = true
	d.Entity = xml.HTMLEntity
	d.CharsetReader = charset
	var path []string
	var current *entry
	feed := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, false, fmt.Errorf("reading feed: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			if len(path) > mostDeep {
				return "", nil, false, errors.New("reading feed: nested too deep")
			}
			if len(path) == 1 {
				if feed = t.Name.Local == "rss" || t.Name.Local == "feed" || t.Name.Local == "RDF"; !feed {
					return "", nil, false, fmt.Errorf("reading feed: it is a %s", short(t.Name.Local, 40))
				}
			}
			if t.Name.Local == "item" || t.Name.Local == "entry" {
				if len(entries) == mostEntries {
					return title, entries, true, nil
				}
				current = &entry{}
			}
			if current != nil && t.Name.Local == "link" {
				current.atomLink(t.Attr)
			}
		case xml.EndElement:
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
			if current != nil && (t.Name.Local == "item" || t.Name.Local == "entry") {
				entries = append(entries, *current)
				current = nil
			}
		case xml.CharData:
			switch {
			case current != nil:
				current.add(path, string(t))
			case len(path) > 1 && path[len(path)-1] == "title" && len(path) <= 3 && path[len(path)-2] != "image":
				title += string(t)
			}
		}
	}
	if !feed {
		return "", nil, false, errors.New("reading feed: it is empty")
	}
	return short(title, mostTitle), entries, false, nil
}

// charset lets the encodings of feeds pass whose bytes below 0x80 are ASCII; other bytes are dropped with the text that is cut.
func charset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252":
		return &latin{input: input}, nil
	}
	return nil, fmt.Errorf("encoding %q is not read", short(label, 40))
}

// latin reads ISO 8859-1 as UTF-8.
type latin struct {
	input io.Reader
	rest  []byte
}

func (l *latin) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		buffer := make([]byte, 4096)
		n, err := l.input.Read(buffer)
		for _, b := range buffer[:n] {
			l.rest = append(l.rest, string(rune(b))...)
		}
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (e *entry) atomLink(attributes []xml.Attr) {
	rel, href := "alternate", ""
	for _, a := range attributes {
		switch a.Name.Local {
		case "rel":
			rel = a.Value
		case "href":
			href = a.Value
		}
	}
	if rel == "alternate" && href != "" && e.Link == "" {
		e.Link = href
	}
}

// add adds text to the part of an entry that it stands in.
func (e *entry) add(path []string, s string) {
	var part *string
	most := mostURL
	switch path[len(path)-1] {
	case "title":
		part = &e.Title
	case "link":
		part = &e.Link
	case "guid", "id":
		part = &e.ID
	case "pubDate", "published", "date":
		part = &e.Published
	case "updated":
		part = &e.Updated
	case "category":
		part = &e.Category
	case "description", "content", "summary", "encoded":
		part, most = &e.Text, 64<<10
	default:
		return
	}
	if len(*part)+len(s) <= most {
		*part += s
	}
}

// incident says what an entry tells of an incident. Its moment is when it was published, which for the software that writes
// one entry for each incident is near its begin.
func (e entry) incident() transparency.Incident {
	published, ok := moment(e.Published)
	if published.IsZero() && ok {
		published, ok = moment(e.Updated)
	}
	out := transparency.Incident{ID: strings.TrimSpace(e.ID), URL: e.Link, Title: e.Title, Begin: published}
	if address(out.URL) == "" {
		out.URL = address(out.ID)
	}
	if !ok {
		out.Unread = append(out.Unread, transparency.PartBegin)
	}
	text := html.UnescapeString(e.Text)
	if n := strings.Count(text, "<strong>"); n > 0 && strings.Contains(text, "<small>") {
		out.Updates = n // as Statuspage writes each update
	}
	lower := strings.ToLower(e.Title + " " + e.Category)
	out.Maintenance = strings.Contains(lower, "maintenance") || strings.Contains(lower, "wartung")
	return out
}
