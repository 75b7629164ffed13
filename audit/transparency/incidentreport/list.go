package incidentreport

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// list reads a page: as a report if it is one, and otherwise as a list of links to reports.
func (c *collector) list(ctx context.Context, base string, body []byte, seen int) {
	c.usable = true
	d := ReadHTML(base, body)
	if got := Recognise(d); got.Report && len(worthAsking(base, d, c.w.Operator.Domains)) < 5 {
		c.keep(d, got, seen)
		return
	}
	c.follow(ctx, base, d, seen)
}

// follow reads the documents that a page points to, on the same site, and its further pages.
func (c *collector) follow(ctx context.Context, base string, d Document, seen int) {
	c.first(base)
	for page := 1; ; page++ {
		for _, address := range worthAsking(base, d, c.w.Operator.Domains) {
			if !c.first(address) {
				continue
			}
			if c.spent() {
				return
			}
			answer, at := c.ask(ctx, address, "text/html, application/xhtml+xml, text/markdown, text/plain")
			if answer.Trouble != nil {
				if answer.Trouble.Kind == audit.TroubleInterrupted {
					return
				}
				c.note("%s cannot be read: %s", address, answer.Trouble.Text)
				continue
			}
			document := documentOf(answer)
			document.URL = address
			c.document(document, at)
		}
		next := nextPage(base, d, c.w.Operator.Domains)
		if next == "" || page == maxPages || !c.first(next) {
			return
		}
		answer, _ := c.ask(ctx, next, "text/html, application/xhtml+xml")
		if answer.Trouble != nil {
			c.note("page %d of the list cannot be read: %s", page+1, answer.Trouble.Text)
			return
		}
		d = ReadHTML(next, answer.Body)
	}
}

// worthAsking returns the links of a page that may point to reports, in their order: pages of the same site in the main part of
// the page, below its own address, or with a title that speaks of an incident or names a day. Without any such, all of the
// main part.
func worthAsking(base string, d Document, domains []string) []string {
	var likely, rest []string
	for _, l := range d.Links {
		address := absoluteLink(base, l.URL)
		if address == "" || !l.Main || !sameSite(base, address, domains) || isAsset(address) || sameDocument(base, address) || isNavigation(l) {
			continue
		}
		text := fold(l.Text + " " + slug(address))
		switch {
		case slices.Contains(likely, address) || slices.Contains(rest, address):
		case below(base, address), hasAny(text, reportWords)+hasAny(text, incidentWords) > 0, len(datesOf(l.Text+" "+slug(address))) > 0:
			likely = append(likely, address)
		default:
			rest = append(rest, address)
		}
	}
	if len(likely) > 0 {
		return likely[:min(len(likely), maxDocuments)]
	}
	return rest[:min(len(rest), maxDocuments)]
}

func absoluteLink(base, reference string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u, err := b.Parse(strings.TrimSpace(reference))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != b.Scheme || u.User != nil {
		return ""
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

// sameSite says whether two addresses belong together: the same host, one below the other, or hosts of the operator.
func sameSite(base, address string, domains []string) bool {
	b, err := url.Parse(base)
	if err != nil {
		return false
	}
	a, err := url.Parse(address)
	if err != nil || a.Scheme != b.Scheme && !(a.Scheme == "https" && b.Scheme == "http") {
		return false
	}
	from, to := strings.ToLower(b.Hostname()), strings.ToLower(a.Hostname())
	if from == to {
		return a.Port() == b.Port() || a.Scheme != b.Scheme
	}
	if strings.HasSuffix(to, "."+strings.TrimPrefix(from, "www.")) || strings.HasSuffix(from, "."+strings.TrimPrefix(to, "www.")) || strings.TrimPrefix(to, "www.") == strings.TrimPrefix(from, "www.") {
		return true
	}
	return slices.ContainsFunc(domains, func(domain string) bool {
		domain = strings.ToLower(domain)
		return domain != "" && (to == domain || strings.HasSuffix(to, "."+domain))
	})
}

func sameDocument(base, address string) bool {
	return strings.TrimSuffix(absoluteLink(base, ""), "/") == strings.TrimSuffix(address, "/")
}

// below says whether an address lies below the folder of the page.
func below(base, address string) bool {
	b, err := url.Parse(base)
	if err != nil {
		return false
	}
	a, err := url.Parse(address)
	if err != nil || !strings.EqualFold(a.Host, b.Host) {
		return false
	}
	folder := b.Path
	if path.Ext(folder) != "" {
		folder = path.Dir(folder)
	}
	folder = strings.TrimSuffix(folder, "/") + "/"
	return folder != "/" && strings.HasPrefix(a.Path, folder) && len(a.Path) > len(folder)
}

func isAsset(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".css", ".js", ".json", ".xml", ".rss", ".atom", ".pdf", ".zip", ".gz", ".mp4", ".mp3", ".woff", ".woff2", ".ics", ".csv":
		return true
	}
	return false
}

// isNavigation says whether a link leads around the site and not to a document.
func isNavigation(l Link) bool {
	text := fold(l.Text)
	switch text {
	case "home", "contact", "kontakt", "imprint", "impressum", "datenschutz", "privacy", "privacy policy", "login", "log in", "sign in", "anmelden", "connexion", "about", "about us", "ueber uns", "a propos", "mentions legales", "rss", "feed", "subscribe", "abonnieren", "previous", "next", "older", "newer", "zurueck", "weiter", "suivant", "precedent", "back", "search", "suche":
		return true
	}
	return strings.Contains(l.Rel, "nofollow") || strings.Contains(l.Rel, "tag") || strings.Contains(l.Rel, "author") || strings.Contains(l.Rel, "next") || strings.Contains(l.Rel, "prev")
}

func nextPage(base string, d Document, domains []string) string {
	for _, l := range d.Links {
		if slices.Contains(strings.Fields(l.Rel), "next") {
			if address := absoluteLink(base, l.URL); address != "" && sameSite(base, address, domains) {
				return address
			}
		}
	}
	return ""
}
