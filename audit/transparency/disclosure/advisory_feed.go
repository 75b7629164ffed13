package disclosure

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// feed is RSS 2.0 or 1.0, or Atom (RFC 4287): whichever elements there are.
type feed struct {
	XMLName xml.Name
	Items   []feedItem `xml:"channel>item"`
	Outside []feedItem `xml:"item"` // of RSS 1.0
	Entries []feedItem `xml:"entry"`
	Links   []feedLink `xml:"link"`
}

type feedItem struct {
	ID          string     `xml:"id"`
	GUID        string     `xml:"guid"`
	Title       string     `xml:"title"`
	Links       []feedLink `xml:"link"`
	Description string     `xml:"description"`
	Summary     string     `xml:"summary"`
	Content     string     `xml:"content"`
	Encoded     string     `xml:"encoded"`
	PubDate     string     `xml:"pubDate"`
	Published   string     `xml:"published"`
	Updated     string     `xml:"updated"`
	Date        string     `xml:"date"`
}

type feedLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Text string `xml:",chardata"`
}

// readFeed reads RSS or Atom. Unknown elements are left out; entities beside those of XML are kept as text.
func readFeed(data []byte, address string) (listing, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-8", "us-ascii", "iso-8859-1", "latin1", "windows-1252": // identifiers and dates are the same bytes in all
			return input, nil
		}
		return nil, fmt.Errorf("the charset %q is not read", clean(charset))
	}
	var f feed
	if err := d.Decode(&f); err != nil {
		return listing{}, fmt.Errorf("the XML is broken: %w", err)
	}
	out := listing{entries: []entry{}}
	switch strings.ToLower(f.XMLName.Local) {
	case "rss", "rdf":
		out.format = "rss"
	case "feed":
		out.format = "atom"
	default:
		return listing{}, errors.New("the XML is neither RSS nor Atom")
	}
	for _, list := range [][]feedItem{f.Items, f.Outside, f.Entries} {
		for _, item := range list {
			out.entries = append(out.entries, item.entry(address))
		}
	}
	for _, k := range f.Links {
		if next := resolve(address, k.Href); k.Rel == "next" && k.Href != "" && next != "" {
			out.more = append(out.more, next)
		}
	}
	return out, nil
}

func (i feedItem) entry(address string) entry {
	to := ""
	for _, k := range i.Links {
		if to == "" && (k.Rel == "" || k.Rel == "alternate") {
			if ref := strings.TrimSpace(cmp.Or(k.Href, k.Text)); ref != "" {
				to = resolve(address, ref)
			}
		}
	}
	e := feedEntry(cmp.Or(i.GUID, i.ID), i.Title, to, i.Description+" "+i.Summary+" "+i.Content+" "+i.Encoded)
	for _, text := range []string{i.PubDate, i.Published, i.Date, i.Updated} {
		if m, ok := feedDate(text); ok {
			setPublished(&e.Advisory, m)
		}
	}
	return e
}

// feedEntry makes an entry from what every feed has. Identifiers of the title say what it is about; only without them those
// of the text, which may name others for comparison.
func feedEntry(id, title, to, text string) entry {
	e := entry{Advisory: transparency.Advisory{URL: webAddress(to)}, detail: to}
	ids := idsIn(title)
	if len(ids) == 0 {
		ids = idsIn(to)
	}
	p := readHTML([]byte(text[:min(len(text), pageLimit)]))
	if len(ids) == 0 {
		ids = idsIn(text)
	}
	addIDs(&e.Advisory, ids...)
	for _, l := range p.lines {
		labelled(&e.Advisory, l)
	}
	e.ID = clean(cmp.Or(strings.TrimSpace(id), to, title))
	if own := idsIn(id); len(own) == 0 && len(ids) > 0 && strings.Contains(e.ID, "/") {
		e.ID = ids[0]
	}
	return e
}

// feedDate reads the dates of feeds: RFC 822 with a year of four digits, as RSS has it, and RFC 3339.
func feedDate(text string) (moment, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return moment{at: t.UTC().Truncate(time.Second)}, true
		}
	}
	return dateIn(text)
}
