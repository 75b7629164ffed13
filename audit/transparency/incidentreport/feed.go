package incidentreport

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"golang.org/x/net/html/charset"
)

// entry is one entry of a feed.
type entry struct {
	ID        string
	URL       string
	Title     string
	Published time.Time
	HTML      string // content or summary, whichever is longer
}

// parsedFeed is a feed of any of the three forms.
type parsedFeed struct {
	Entries []entry
	Next    string // address of the next page
}

// isFeed says whether a document begins as a feed does, in lower case.
func isFeed(head string) bool {
	if strings.HasPrefix(head, "{") {
		return strings.Contains(head, "jsonfeed.org/version")
	}
	return strings.HasPrefix(head, "<") && (strings.Contains(head, "<rss") || strings.Contains(head, "<feed") || strings.Contains(head, "<rdf:rdf"))
}

// feed reads all pages of a feed, and for entries that hold no whole report the pages that they point to.
func (c *collector) feed(ctx context.Context, base string, answer audit.Answer, seen int) {
	for page := 1; ; page++ {
		parsed, err := parseFeed(answer.Body)
		if err != nil {
			c.spoil(seen, "the feed cannot be read: "+clean(err.Error()), "repair the feed; a feed checker shows the place")
			return
		}
		c.usable = true
		c.entries(ctx, base, parsed.Entries, seen)
		next := absolute(base, parsed.Next)
		if parsed.Next == "" || !sameSite(base, next, c.w.Operator.Domains) || !c.first(next) {
			return
		}
		if page == maxPages {
			c.note("the first %d pages of the feed were read, the others were not", maxPages)
			return
		}
		answer, seen = c.ask(ctx, next, accepted(AdapterFeed))
		if answer.Trouble != nil {
			c.note("page %d of the feed cannot be read: %s", page+1, answer.Trouble.Text)
			return
		}
	}
}

// entries reads the entries of one page. The text in the feed suffices where it is a report with the parts that are asked for;
// otherwise the page of the entry is asked for, because feeds often hold only the begin.
func (c *collector) entries(ctx context.Context, base string, list []entry, seen int) {
	for n, e := range list {
		if n == maxEntries {
			c.note("the newest %d of %d entries were read", maxEntries, len(list))
			return
		}
		address := absolute(base, e.URL)
		if address == "" {
			address = base + "#" + e.ID
		}
		d := ReadHTML(address, []byte(e.HTML))
		d.Title, d.Published = cut(clean(e.Title), 200), e.Published
		got := Recognise(d)
		if got.Report && len(got.Parts) >= 4 && !got.End.IsZero() || !c.mayAsk(base, address, e) {
			if got.Report {
				c.keep(d, got, seen)
			} else {
				c.reports.Others++
			}
			continue
		}
		c.wholeEntry(ctx, d, got, seen)
	}
}

// mayAsk says whether the page of an entry is worth a request: it lies on the same site, and title or text speak of a failure.
func (c *collector) mayAsk(base, address string, e entry) bool {
	if !strings.HasPrefix(address, "http") && !strings.HasPrefix(address, "file:") || !sameSite(base, address, c.w.Operator.Domains) || !c.first(address) {
		return false
	}
	title := fold(e.Title)
	text := fold(cut(e.HTML, 4000))
	if hasAny(title, reportWords)+hasAny(title, incidentWords) == 0 && hasAny(text, failureWords) == 0 {
		return false
	}
	return !c.spent()
}

func (c *collector) wholeEntry(ctx context.Context, d Document, got Recognised, seen int) {
	answer, at := c.ask(ctx, d.URL, "")
	if answer.Trouble == nil {
		whole := documentOf(answer)
		whole.URL = d.URL
		if d.Title != "" {
			whole.Title = d.Title
		}
		if !d.Published.IsZero() {
			whole.Published = d.Published
		}
		if more := Recognise(whole); more.Report && len(more.Parts) >= len(got.Parts) {
			c.keep(whole, more, at)
			return
		}
	}
	if got.Report {
		c.keep(d, got, seen)
		return
	}
	c.reports.Others++
}

// parseFeed reads RSS 0.9x to 2.0 and RDF, Atom (RFC 4287, paging of RFC 5005) and JSON Feed 1.x. Unknown elements are nothing
// to complain about; XML has no entities but its own five.
func parseFeed(data []byte) (parsedFeed, error) {
	if data = bytes.TrimLeft(data, "\ufeff \r\n\t"); len(data) > 0 && data[0] == '{' {
		return parseJSONFeed(data)
	}
	var f xmlFeed
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) { return charset.NewReaderLabel(label, in) }
	if err := boundedDepth(data); err != nil {
		return parsedFeed{}, err
	}
	if err := d.Decode(&f); err != nil {
		return parsedFeed{}, fmt.Errorf("reading XML: %w", err)
	}
	return f.parsed(), nil
}

// maxDepth is how deep elements of a feed may nest; feeds need five levels and the XHTML of their contents some more.
const maxDepth = 200

// boundedDepth refuses XML that nests so deep that decoding it would cost a stack.
func boundedDepth(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) { return charset.NewReaderLabel(label, in) }
	depth := 0
	for {
		t, err := d.RawToken()
		if err != nil {
			return nil // Decode says what is wrong
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("elements nest deeper than %d", maxDepth)
			}
		case xml.EndElement:
			depth--
		}
	}
}

type xmlFeed struct {
	XMLName xml.Name
	Links   []xmlLink `xml:"link"`
	Entries []xmlItem `xml:"entry"`
	Items   []xmlItem `xml:"item"` // of RDF
	Channel struct {
		Links []xmlLink `xml:"link"`
		Items []xmlItem `xml:"item"`
	} `xml:"channel"`
}

type xmlLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Text string `xml:",chardata"`
}

type xmlItem struct {
	ID          string    `xml:"id"`
	GUID        string    `xml:"guid"`
	Title       string    `xml:"title"`
	Links       []xmlLink `xml:"link"`
	Published   string    `xml:"published"`
	Updated     string    `xml:"updated"`
	PubDate     string    `xml:"pubDate"`
	Date        string    `xml:"date"` // of Dublin Core
	Description string    `xml:"description"`
	Encoded     string    `xml:"encoded"` // content:encoded
	Summary     xmlText   `xml:"summary"`
	Content     xmlText   `xml:"content"`
}

// xmlText is text, HTML or XHTML.
type xmlText struct {
	Type  string `xml:"type,attr"`
	Text  string `xml:",chardata"`
	Inner string `xml:",innerxml"`
}

func (t xmlText) html() string {
	if t.Type == "xhtml" {
		return t.Inner
	}
	return t.Text
}

func (f xmlFeed) parsed() parsedFeed {
	var out parsedFeed
	for _, l := range append(f.Links, f.Channel.Links...) {
		if l.Rel == "next" && out.Next == "" {
			out.Next = strings.TrimSpace(l.Href)
		}
	}
	for _, list := range [][]xmlItem{f.Entries, f.Channel.Items, f.Items} {
		for _, i := range list {
			out.Entries = append(out.Entries, i.entry())
		}
	}
	return out
}

func (i xmlItem) entry() entry {
	e := entry{ID: clean(i.ID + i.GUID), Title: i.Title, URL: linkOf(i.Links)}
	if e.URL == "" && strings.HasPrefix(e.ID, "http") {
		e.URL = e.ID
	}
	for _, when := range []string{i.Published, i.PubDate, i.Date, i.Updated} {
		if e.Published = parseTime(strings.TrimSpace(when)); !e.Published.IsZero() {
			break
		}
	}
	for _, text := range []string{i.Encoded, i.Content.html(), i.Description, i.Summary.html()} {
		if len(text) > len(e.HTML) {
			e.HTML = text
		}
	}
	return e
}

func linkOf(links []xmlLink) string {
	for _, l := range links {
		if l.Rel == "" || l.Rel == "alternate" {
			if l.Href != "" {
				return strings.TrimSpace(l.Href)
			}
			if text := strings.TrimSpace(l.Text); text != "" {
				return text
			}
		}
	}
	return ""
}

// parseJSONFeed reads https://www.jsonfeed.org/version/1.1/.
func parseJSONFeed(data []byte) (parsedFeed, error) {
	var f struct {
		Next  string `json:"next_url"`
		Items []struct {
			ID        any    `json:"id"`
			URL       string `json:"url"`
			Title     string `json:"title"`
			HTML      string `json:"content_html"`
			Text      string `json:"content_text"`
			Summary   string `json:"summary"`
			Published string `json:"date_published"`
		} `json:"items"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return parsedFeed{}, fmt.Errorf("reading JSON: %w", err)
	}
	out := parsedFeed{Next: f.Next}
	for _, i := range f.Items {
		e := entry{URL: i.URL, Title: i.Title, HTML: i.HTML, Published: parseTime(i.Published)}
		if i.ID != nil {
			e.ID = clean(fmt.Sprint(i.ID))
		}
		if e.HTML == "" {
			e.HTML = strings.ReplaceAll(i.Text+i.Summary, "\n", "<br>")
		}
		out.Entries = append(out.Entries, e)
	}
	return out, nil
}
