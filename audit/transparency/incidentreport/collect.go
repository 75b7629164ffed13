// Package incidentreport collects what an operator publishes about incidents that are over: from a feed, a folder of Markdown
// in a public repository, a page with links to reports, and the addresses that a status page names. Which documents are reports,
// and which parts they have, Recognise tells; documents that are none are counted and not kept. Names of people are neither
// read nor kept.
//
// In go the bytes of a server, of a repository or of files that were handed over; out comes one artifact of the kind
// incident-reports. Nothing here compares reports with incidents: the indicators do.
package incidentreport

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Adapters lists the names that a target may give as adapter.
func Adapters() []string { return []string{AdapterFeed, AdapterFolder, AdapterList} }

// Names of adapters that a stack file may give; without one the answer decides.
const (
	AdapterFeed   = "feed"   // RSS, Atom, JSON Feed
	AdapterFolder = "folder" // Markdown in a git repository
	AdapterList   = "list"   // a page with links
)

// Bounds of one artifact.
const (
	maxDocuments = 200 // documents that are asked for, one request each
	maxEntries   = 2000
	maxPages     = 10 // of a feed or list
	maxFiles     = 1000
	maxFile      = 512 << 10
	maxAnswer    = 8 << 20
)

// linkKind is the kind of links under which the addresses of reports arrive that a status page names.
const linkKind = "incident-report"

// Collect looks at one artifact.
func Collect(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	c := &collector{w: w, out: transparency.Artifact{Target: t}, asked: map[string]bool{}}
	c.reports.Reports = []transparency.IncidentReport{}
	c.folders(ctx, t)
	if c.places() || t.URL != "" || t.File != "" {
		c.source(ctx, t)
	}
	c.named(ctx, t.Links)
	return c.artifact()
}

// collector gathers one artifact.
type collector struct {
	w         transparency.World
	out       transparency.Artifact
	reports   transparency.IncidentReports
	asked     map[string]bool
	documents int
	usable    bool           // at least one source could be read
	trouble   *audit.Trouble // of the first source that could not
}

// places says whether nothing else was named than what the world hands over.
func (c *collector) places() bool {
	return c.out.URL == "" && len(c.out.Repositories) == 0 && len(c.out.Links) == 0
}

func (c *collector) artifact() transparency.Artifact {
	a := c.out
	for _, s := range a.Seen {
		a.Handed = a.Handed || s.Handed != "" && s.Trouble == nil
	}
	if !c.usable {
		a.Trouble = c.trouble
		if a.Trouble == nil {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody said where incident reports are", Settle: "name a feed, a folder or a page under transparency: incident_reports"}
		}
		return a
	}
	slices.SortStableFunc(c.reports.Reports, func(x, y transparency.IncidentReport) int { return newest(y).Compare(newest(x)) })
	a.IncidentReports = &c.reports
	return a
}

func newest(r transparency.IncidentReport) time.Time {
	if r.Published.IsZero() {
		return r.Begin
	}
	return r.Published
}

// ask sends one question and appends the look.
func (c *collector) ask(ctx context.Context, address, accept string) (audit.Answer, int) {
	if c.w.Ask == nil {
		seen := audit.Seen{URL: address, Trouble: &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "run without --offline or hand the evidence over as files"}}
		c.out.Seen = append(c.out.Seen, seen)
		return audit.Answer{Seen: seen}, len(c.out.Seen) - 1
	}
	answer := c.w.Ask(ctx, audit.Request{URL: address, Accept: accept, Limit: maxAnswer, Redact: Redact})
	c.out.Seen = append(c.out.Seen, answer.Seen)
	return answer, len(c.out.Seen) - 1
}

// failed remembers the first trouble of a source.
func (c *collector) failed(t *audit.Trouble) {
	if c.trouble == nil {
		c.trouble = t
	}
}

func (c *collector) note(format string, args ...any) {
	if len(c.out.Notes) < 20 {
		c.out.Notes = append(c.out.Notes, clean(fmt.Sprintf(format, args...)))
	}
}

// source reads the address of the target, or the file that was handed over, whatever it is.
func (c *collector) source(ctx context.Context, t transparency.Target) {
	if t.URL != "" && c.isRepository(ctx, t) {
		return
	}
	var first *audit.Trouble
	for _, address := range candidates(t) {
		answer, seen := c.ask(ctx, address, accepted(t.Adapter))
		if answer.Trouble == nil {
			c.read(ctx, t, answer, seen)
			return
		}
		if first == nil {
			first = answer.Trouble
		}
		if answer.Trouble.Kind != audit.TroubleNotHanded {
			break
		}
	}
	c.failed(first)
}

// candidates are the addresses under which the source may be found. Only a target without an address has several: it was
// handed over as a file or a directory, and these are the usual names.
func candidates(t transparency.Target) []string {
	if t.URL != "" {
		return []string{t.URL}
	}
	out := []string{}
	if t.File != "" {
		out = append(out, "file:///"+url.PathEscape(t.File))
	}
	for _, name := range []string{"feed.xml", "atom.xml", "rss.xml", "index.xml", "feed.json", "index.html", "index.md", "README.md"} {
		out = append(out, "file:///"+name)
	}
	return out
}

func accepted(adapter string) string {
	switch adapter {
	case AdapterFeed:
		return "application/atom+xml, application/rss+xml, application/feed+json, application/xml, text/xml, application/json"
	case AdapterList:
		return "text/html, application/xhtml+xml, text/markdown, text/plain"
	}
	return "" // anything: the answer decides
}

// read takes an answer for what it is.
func (c *collector) read(ctx context.Context, t transparency.Target, answer audit.Answer, seen int) {
	base := answer.URL
	if answer.Final != "" {
		base = answer.Final
	}
	form := formOf(answer)
	switch {
	case form == formFeed:
		c.feed(ctx, base, answer, seen)
	case t.Adapter == AdapterFeed:
		c.spoil(seen, "the address answers, but with no feed: neither RSS, Atom nor JSON Feed", "give the address of the feed itself")
	case form == formHTML:
		c.list(ctx, base, answer.Body, seen)
	case form == formText:
		c.usable = true
		d := ReadMarkdown(base, answer.Body)
		if !c.document(d, seen) {
			c.follow(ctx, base, d, seen)
		}
	default:
		c.spoil(seen, "the address answers with something that is no feed, no page and no text", "give the address of a feed, of a page that lists reports, or of a folder in a repository")
	}
}

// spoil records that an answer could be read but is not what was needed.
func (c *collector) spoil(seen int, text, settle string) {
	trouble := &audit.Trouble{Kind: audit.TroubleContent, Text: text, Settle: settle}
	c.out.Seen[seen].Trouble = trouble
	c.failed(trouble)
}

// document keeps a document if it is a report, and counts it otherwise. It says which of the two it was.
func (c *collector) document(d Document, seen int) bool {
	got := Recognise(d)
	if !got.Report {
		c.reports.Others++
		return false
	}
	c.keep(d, got, seen)
	return true
}

func (c *collector) keep(d Document, got Recognised, seen int) {
	if slices.ContainsFunc(c.reports.Reports, func(r transparency.IncidentReport) bool { return r.URL == d.URL }) {
		return
	}
	c.reports.Reports = append(c.reports.Reports, transparency.IncidentReport{
		URL: d.URL, Title: d.Title, Published: d.Published, Begin: got.Begin, End: got.End, Language: got.Language,
		Parts: got.Parts, Incident: absolute(d.URL, got.Incident), Components: got.Components, Seen: seen,
	})
}

// named reads the reports that a status page names.
func (c *collector) named(ctx context.Context, links []transparency.Link) {
	for _, l := range links {
		if l.Kind != linkKind {
			continue
		}
		if c.spent() {
			return
		}
		if !c.first(l.URL) {
			continue
		}
		answer, seen := c.ask(ctx, l.URL, "")
		if answer.Trouble != nil {
			c.failed(answer.Trouble)
			c.note("the report that a status page names at %s cannot be read: %s", l.URL, answer.Trouble.Text)
			continue
		}
		c.usable = true
		d := documentOf(answer)
		d.URL = l.URL // as the status page names it, so that the two can be joined
		if d.Title == "" {
			d.Title = cut(clean(l.Title), 200)
		}
		if d.Published.IsZero() {
			d.Published = l.Date
		}
		if !c.document(d, seen) {
			c.note("a status page names a report at %s, but what stands there is none", l.URL)
		}
	}
}

// first says whether an address is asked for the first time, and remembers it.
func (c *collector) first(address string) bool {
	key := strings.TrimSuffix(address, "/")
	key, _, _ = strings.Cut(key, "#")
	if c.asked[key] {
		return false
	}
	c.asked[key] = true
	return true
}

// spent says whether no more documents may be asked for, and counts one otherwise.
func (c *collector) spent() bool {
	if c.documents < maxDocuments {
		c.documents++
		return false
	}
	if c.documents == maxDocuments {
		c.documents++
		c.note("the first %d documents were read, the others were not", maxDocuments)
	}
	return true
}

// documentOf reads an answer as a document.
func documentOf(answer audit.Answer) Document {
	if formOf(answer) == formText {
		return ReadMarkdown(answer.URL, answer.Body)
	}
	return ReadHTML(answer.URL, answer.Body)
}

// form is what an answer is, by its bytes first.
type form int

const (
	formOther form = iota
	formFeed
	formHTML
	formText
)

func formOf(answer audit.Answer) form {
	head := strings.ToLower(strings.TrimLeft(string(answer.Body[:min(len(answer.Body), 2048)]), "\ufeff \r\n\t"))
	media, _, _ := strings.Cut(answer.Headers["content-type"], ";")
	media = strings.TrimSpace(strings.ToLower(media))
	switch {
	case isFeed(head):
		return formFeed
	case strings.HasPrefix(head, "<!doctype html"), strings.HasPrefix(head, "<html"), strings.Contains(head, "<html"), strings.Contains(head, "<body"), media == "text/html" && strings.HasPrefix(head, "<"), media == "application/xhtml+xml":
		return formHTML
	case head == "" || strings.ContainsRune(head, 0) || strings.HasPrefix(head, "%pdf"), strings.HasPrefix(media, "image/"), strings.HasPrefix(head, "{"), strings.HasPrefix(head, "[{"), strings.HasPrefix(head, "<?xml"):
		return formOther
	}
	switch media {
	case "", "text/plain", "text/markdown", "text/x-markdown", "text/x-web-markdown", "application/octet-stream", "text/html":
		return formText
	}
	return formOther
}

// absolute makes an address whole that stands in a document; ids stay as they are.
func absolute(base, reference string) string {
	if !strings.Contains(reference, "/") || strings.Contains(reference, " ") {
		return reference
	}
	b, err := url.Parse(base)
	if err != nil {
		return reference
	}
	r, err := b.Parse(reference)
	if err != nil {
		return reference
	}
	r.User = nil
	return r.String()
}

// isMarkdown says whether a file name is that of a text that may be a report.
func isMarkdown(name string) bool {
	switch strings.ToLower(path.Ext(strings.TrimSuffix(name, ".erb"))) {
	case ".md", ".markdown", ".mdx", ".txt", ".rst", ".adoc", ".asciidoc", ".mkd":
		return true
	}
	return false
}
