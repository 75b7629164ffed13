package runbook

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of one web site: a polite visitor does not read more of it. A file handed over is read like a site.
const (
	maxPages    = 60
	maxPageSize = 4 << 20
	maxSitemap  = 8 << 20
)

// acceptPages are the types of documents that are read of a site.
const acceptPages = "text/html, application/xhtml+xml, text/markdown, text/plain"

// site reads runbooks that are published as a web site: the page named and pages that it leads to below the same address.
func (l *looker) site(ctx context.Context, a address) transparency.Place {
	p := transparency.Place{URL: a.url, Path: a.folder}
	start, err := url.Parse(a.url)
	if err != nil {
		p.Trouble = &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address cannot be read", Settle: "name an address such as https://docs.example.org/"}
		return p
	}
	c := crawl{looker: l, start: start, queued: map[string]bool{a.url: true}, queue: []string{a.url}, place: p}
	if start.Scheme == "file" { // a directory that was handed over has no page of its own
		c.queue = append(c.queue, "file:///README.md", "file:///index.md", "file:///index.html")
	}
	c.run(ctx)
	return c.finish(ctx)
}

// crawl is one visit of a site.
type crawl struct {
	*looker
	start    *url.URL
	queue    []string
	queued   map[string]bool
	asked    int
	read     int
	shown    bool // a page came from a server
	place    transparency.Place
	first    *audit.Trouble // of the first page
	licence  string
	disputed bool // pages name several
	newest   time.Time
	origin   audit.Origin
	secrets  int
}

func (c *crawl) run(ctx context.Context) {
	for len(c.queue) > 0 && c.asked < maxPages && ctx.Err() == nil {
		next := c.queue[0]
		c.queue = c.queue[1:]
		c.asked++
		answer := c.ask(ctx, audit.Request{URL: next, Accept: acceptPages, Limit: maxPageSize})
		if answer.Trouble != nil || len(answer.Body) == 0 {
			if c.first == nil {
				c.first = answer.Trouble
			}
			continue
		}
		if c.asked == 1 && answer.Final != "" {
			if final, err := url.Parse(answer.Final); err == nil {
				c.start = final
			}
		}
		c.read++
		c.shown = c.shown || answer.Handed == ""
		c.page(answer)
	}
}

// page takes from one page what it tells.
func (c *crawl) page(answer audit.Answer) {
	address := answer.URL
	if answer.Final != "" {
		address = answer.Final
	}
	base, err := url.Parse(address)
	if err != nil {
		return
	}
	origin := answer.Origin("site")
	c.dated(answer, origin)
	name := clip(strings.TrimPrefix(base.Path, "/"))
	if answer.Handed != "" && name == "" {
		name = clip(answer.Handed)
	}
	r := reading{place: c.place}
	if isHTML(answer) {
		shown := readPage(base, answer.Body)
		c.hidden(name, []byte(shown.text.String()), true)
		r.place = c.place
		c.place = r.shown(shown, name)
		c.licensed(statedLicence(shown.licences))
		c.follow(shown.links)
		return
	}
	read := name
	if !isDocument(read) {
		read += ".md" // a text without a telling name is read like Markdown
	}
	c.hidden(name, answer.Body, false)
	r.place = c.place
	r.document(read, name, answer.Body)
	c.place = r.place
	c.follow(markdownLinks(base, answer.Body))
	c.licensed(statedLicence(strings.ToLower(string(answer.Body))))
}

// hidden looks for secrets in a text. Lines of a page are none that a reader of it could count.
func (c *crawl) hidden(name string, text []byte, page bool) {
	found, _ := secrets(name, text, "")
	c.secrets += len(found)
	for _, s := range found[:min(len(found), maxSecrets-len(c.place.Secrets))] {
		if page {
			s.Line = 0
		}
		c.place.Secrets = append(c.place.Secrets, s)
	}
}

func isHTML(answer audit.Answer) bool {
	kind := strings.ToLower(answer.Headers["content-type"])
	if kind == "" {
		kind = http.DetectContentType(answer.Body)
	}
	return strings.Contains(kind, "html")
}

// shown takes topics and secrets from a page.
func (r *reading) shown(p *page, name string) transparency.Place {
	r.place.Documents++
	if isElsewhere(name) {
		return r.place
	}
	for _, h := range p.headings {
		if h.level <= deepest && h.words >= fewestWords {
			r.topics(topicsOf(h.text), name, 0)
		}
	}
	if p.words >= fewestWords {
		r.topics(topicsOf(p.title), name, 0)
		r.topics(topicsOfName(nameOf(name)), name, 0)
	}
	return r.place
}

func (c *crawl) licensed(id string) {
	switch {
	case id == "" || c.disputed:
	case c.licence != "" && c.licence != id:
		c.licence, c.disputed = "", true
	default:
		c.licence = id
	}
}

// markdownLink matches links of Markdown.
var markdownLink = regexp.MustCompile(`\]\(\s*<?([^()\s<>]+)`)

// markdownLinks returns the addresses that a text in Markdown leads to.
func markdownLinks(base *url.URL, data []byte) []string {
	var out []string
	for _, m := range markdownLink.FindAllSubmatch(data, maxLinks) {
		if u := resolved(base, string(m[1]), nil); u != nil {
			u.Fragment = ""
			out = append(out, u.String())
		}
	}
	return out
}

// follow queues pages of the same site below the address that was named.
func (c *crawl) follow(links []string) {
	below := c.start.Path
	if !strings.HasSuffix(below, "/") {
		below = path.Dir(below)
	}
	below = strings.TrimSuffix(below, "/") + "/"
	for _, link := range links {
		u, err := url.Parse(link)
		if err != nil || u.Scheme != c.start.Scheme || u.Host != c.start.Host || !strings.HasPrefix(u.Path, below) || u.RawQuery != "" || isBinary(u.Path) || isFeed(u.Path) {
			continue
		}
		if !c.queued[link] && len(c.queued) < maxLinks {
			c.queued[link] = true
			c.queue = append(c.queue, link)
		}
	}
}

func isFeed(name string) bool {
	switch path.Ext(name) {
	case ".xml", ".rss", ".atom", ".json", ".js", ".css":
		return true
	}
	return false
}

// dated takes the age of a page from its headers. A page that is as young as the look was made for it and says nothing.
func (c *crawl) dated(answer audit.Answer, origin audit.Origin) {
	modified, err := http.ParseTime(answer.Headers["last-modified"])
	if err != nil {
		return
	}
	now := answer.At
	if server, err := http.ParseTime(answer.Headers["date"]); err == nil {
		now = server // both are by the server's clock
	}
	c.changed(modified, now, origin)
}

// madeForLook is how young a page may be before it counts as made for whoever asks.
const madeForLook = 5 * time.Minute

func (c *crawl) changed(at, now time.Time, origin audit.Origin) {
	if !now.IsZero() && now.Sub(at) < madeForLook {
		return
	}
	if at.After(c.newest) {
		c.newest, c.origin = at.UTC(), origin
	}
}

// finish asks the site map for dates and fills in the rest.
func (c *crawl) finish(ctx context.Context) transparency.Place {
	p := c.place
	if c.read == 0 {
		p.Trouble = c.first
		if p.Trouble == nil {
			p.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the page is empty", Settle: "name the page where the runbooks begin"}
		}
		return p
	}
	if len(c.queue) > 0 {
		c.artifact.Notes = append(c.artifact.Notes, fmt.Sprintf("%s: the first %d pages were read, %d more are linked", p.URL, c.asked, len(c.queue)))
	}
	if p.Documents > 0 && c.start.Scheme != "file" {
		c.sitemap(ctx)
	}
	p.Topics = shownTopics(p.Topics)
	last := c.artifact.Seen[len(c.artifact.Seen)-1]
	p.SeenUntil = last.At
	origin := audit.Origin{Source: "site", URL: p.URL, At: last.At}
	p.LastHuman = audit.Failed[time.Time]("the site does not say when it was changed", origin)
	p.LastHuman.Settle = "publish a sitemap.xml with lastmod, or name the repository of the site"
	if !c.newest.IsZero() {
		p.LastHuman = audit.Known(c.newest, c.origin)
	}
	if c.shown {
		p.Public = audit.Known(true, origin)
	}
	p.Licence = audit.Failed[string]("no page names a licence", origin)
	if c.disputed {
		p.Licence = audit.Failed[string]("its pages name several licences", origin)
	}
	if e, err := licence.Parse(c.licence); err == nil && c.licence != "" {
		p.Licence = audit.Known(e.String(), origin)
	}
	p.Open = openLicence(p.Licence)
	p.SecretsSeen = audit.Known(c.secrets, origin)
	return p
}

// sitemap reads dates of the pages below the address (https://www.sitemaps.org/protocol.html).
func (c *crawl) sitemap(ctx context.Context) {
	root := *c.start
	root.Path, root.RawQuery, root.Fragment = "/sitemap.xml", "", ""
	if c.start.Path != "" && c.start.Path != "/" {
		below := *c.start
		below.Path, below.RawQuery, below.Fragment = strings.TrimSuffix(path.Dir(c.start.Path+"x"), "/")+"/sitemap.xml", "", ""
		if c.dates(ctx, below.String()) {
			return
		}
	}
	c.dates(ctx, root.String())
}

func (c *crawl) dates(ctx context.Context, address string) bool {
	answer := c.ask(ctx, audit.Request{URL: address, Accept: "application/xml, text/xml", Limit: maxSitemap})
	if answer.Trouble != nil {
		return false
	}
	var m struct {
		URLs []struct {
			Loc     string `xml:"loc"`
			LastMod string `xml:"lastmod"`
		} `xml:"url"`
	}
	if err := xml.Unmarshal(answer.Body, &m); err != nil {
		return false
	}
	origin := answer.Origin("site")
	for _, u := range m.URLs {
		at, err := time.Parse(time.RFC3339, strings.TrimSpace(u.LastMod))
		if err != nil {
			if at, err = time.Parse(time.DateOnly, strings.TrimSpace(u.LastMod)); err != nil {
				continue
			}
		}
		if c.queued[strings.TrimSpace(u.Loc)] && !at.After(answer.At) {
			c.changed(at, time.Time{}, origin)
		}
	}
	return len(m.URLs) > 0
}
