package incidentreport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// site serves pages by path: bodies of our own, or files of testdata where the value begins with @.
func site(t *testing.T, pages map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if name, isFile := strings.CutPrefix(body, "@"); isFile {
			data, err := os.ReadFile("testdata/" + name)
			if err != nil {
				t.Error(err)
			}
			body = string(data)
		}
		body = strings.ReplaceAll(body, "BASE", "http://"+r.Host)
		switch {
		case strings.HasSuffix(r.URL.Path, ".md"), strings.HasSuffix(r.URL.Path, ".txt"):
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		case strings.HasSuffix(r.URL.Path, ".xml"):
			w.Header().Set("Content-Type", "application/xml")
		case strings.HasSuffix(r.URL.Path, ".json"):
			w.Header().Set("Content-Type", "application/json")
		case strings.HasSuffix(r.URL.Path, ".png"):
			w.Header().Set("Content-Type", "image/png")
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server
}

func collectFrom(t *testing.T, server *httptest.Server, target transparency.Target) transparency.Artifact {
	t.Helper()
	target.Kind = transparency.KindIncidentReports
	if target.URL != "" {
		target.URL = server.URL + target.URL
	}
	for i := range target.Links {
		target.Links[i].URL = server.URL + target.Links[i].URL
	}
	return Collect(context.Background(), target, transparency.World{Ask: ask(server.Client()), At: at})
}

func titles(a transparency.Artifact) []string {
	var out []string
	if a.IncidentReports != nil {
		for _, r := range a.IncidentReports.Reports {
			out = append(out, r.Title)
		}
	}
	return out
}

// RSS 2.0 as Hugo and WordPress write it: the first entry has the whole text, the second only its begin.
const rss = `<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Example Cloud</title><link>BASE/</link><managingEditor>person@example.org (A Person)</managingEditor>
<item><title>Post-mortem: dashboard login</title><link>BASE/blog/dashboard.html</link><pubDate>Wed, 20 May 2026 08:00:00 +0200</pubDate><dc:creator>A Person</dc:creator><description>Users were unable to log in.</description></item>
<item><title>We have a new region</title><link>BASE/blog/region.html</link><pubDate>Mon, 04 May 2026 10:00:00 GMT</pubDate><description>A new region opens.</description></item>
<item><title>Outage of the resolver</title><link>BASE/blog/gone.html</link><pubDate>Fri, 01 May 2026 10:00:00 GMT</pubDate>
<content:encoded><![CDATA[<h2>Summary</h2><p>On 2026-04-28 our resolver was down from 10:00 to 10:40 UTC and names could not be resolved.</p><h2>Impact</h2><p>All customers were affected for forty minutes.</p><h2>Root cause</h2><p>A wrong zone file was loaded by hand.</p><h2>Action items</h2><p>Zone files are checked before they are loaded.</p>]]></content:encoded></item>
</channel></rss>`

func TestAFeedIsReadAndShortEntriesAreFollowed(t *testing.T) {
	server := site(t, map[string]string{"/feed.xml": rss, "/blog/dashboard.html": "@reports/en-page.html"})
	a := collectFrom(t, server, transparency.Target{URL: "/feed.xml"})
	if a.Trouble != nil {
		t.Fatal(a.Trouble)
	}
	if got := titles(a); !slices.Equal(got, []string{"Post-mortem: dashboard login", "Outage of the resolver"}) {
		t.Errorf("got %q", got)
	}
	first := a.IncidentReports.Reports[0]
	if first.URL != server.URL+"/blog/dashboard.html" || !first.Published.Equal(time.Date(2026, 5, 20, 6, 0, 0, 0, time.UTC)) || first.Seen != 1 {
		t.Errorf("got %+v", first)
	}
	if a.IncidentReports.Others != 1 || len(a.Seen) != 2 {
		t.Errorf("got %d others in %d looks, want 1 in 2", a.IncidentReports.Others, len(a.Seen))
	}
}

// Atom with paging by RFC 5005, XHTML content and an author that must not be kept.
func TestAnAtomFeedIsReadOverItsPages(t *testing.T) {
	page := func(n int, next string) string {
		return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>%s
<entry><title>Incident report %d</title><id>urn:x:%d</id><link rel="alternate" href="BASE/r/%d"/><published>2026-05-0%dT10:00:00Z</published><author><name>A Person</name></author>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Start: 2026-05-0%d 08:00 UTC</p><p>End: 2026-05-0%d 09:00 UTC</p><p>Impact: volumes were unavailable for an hour</p><p>Cause: a broken switch failed</p><p>Resolution: we replaced the switch</p><p>Follow-up: spare switches in each row</p></div></content></entry></feed>`, next, n, n, n, n, n, n)
	}
	server := site(t, map[string]string{
		"/atom.xml":  page(2, `<link rel="next" href="/atom2.xml"/>`),
		"/atom2.xml": page(1, `<link rel="next" href="/atom.xml"/>`),
	})
	a := collectFrom(t, server, transparency.Target{URL: "/atom.xml", Adapter: AdapterFeed})
	if got := titles(a); !slices.Equal(got, []string{"Incident report 2", "Incident report 1"}) {
		t.Errorf("got %q, trouble %v", got, a.Trouble)
	}
	if r := a.IncidentReports.Reports[0]; !slices.Equal(r.Parts, []string{"impact", "root-cause", "resolution", "actions"}) || r.End.IsZero() {
		t.Errorf("got %+v", r)
	}
}

func TestAJSONFeedIsRead(t *testing.T) {
	server := site(t, map[string]string{
		"/feed.json": `{"version":"https://jsonfeed.org/version/1.1","title":"x","authors":[{"name":"A Person"}],"items":[
{"id":7,"url":"BASE/dns.html","title":"Störungsbericht DNS","content_text":"Mehr dazu im Bericht über den Ausfall.","date_published":"2026-02-20T10:00:00Z"}]}`,
		"/dns.html": `<html><body><article><h1>x</h1><h2>Zusammenfassung</h2><p>Am 17.02.2026 war die Auflösung zwischen 08:12 Uhr und 09:55 Uhr gestört.</p><h2>Ursache</h2><p>Ein Update war fehlerhaft und wurde eingespielt.</p><h2>Maßnahmen</h2><p>Wir testen Updates zuerst.</p></article></body></html>`,
	})
	a := collectFrom(t, server, transparency.Target{URL: "/feed.json"})
	if len(titles(a)) != 1 || a.IncidentReports.Reports[0].Language != "de" || a.IncidentReports.Reports[0].End.IsZero() {
		t.Errorf("got %+v, trouble %v", a.IncidentReports, a.Trouble)
	}
}

func TestAListIsFollowedOnItsSiteOnly(t *testing.T) {
	server := site(t, map[string]string{
		"/incidents/": `<html><body><nav><a href="/incidents/nav.html">Incidents</a><a href="/">Home</a></nav><main><h1>Reports</h1>
<a href="en-page.html">Dashboard</a> <a href="/incidents/fr.html#top">Messagerie</a> <a href="/incidents/fr.html">again</a> <a href="template.md">Template</a>
<a href="https://elsewhere.example.net/incident.html">Incident of others</a> <a href="logo.png">Logo</a> <a href="missing.html">Outage 2025</a></main><a rel="next" href="page2.html">older</a></body></html>`,
		"/incidents/en-page.html": "@reports/en-page.html", "/incidents/fr.html": "@reports/fr-questions.html", "/incidents/template.md": "@others/template.md",
		"/incidents/page2.html": `<html><body><main><a href="en-labels.md">2026-01-14</a></main></body></html>`, "/incidents/en-labels.md": "@reports/en-labels.md",
	})
	a := collectFrom(t, server, transparency.Target{URL: "/incidents/"})
	want := []string{"Retour sur l'incident du 8 juin 2026", "Incident report: nobody could log in to the dashboard", "Incident on 2026-01-14"}
	if got := titles(a); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q (trouble %v)", got, want, a.Trouble)
	}
	if a.IncidentReports.Others != 1 || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "missing.html") {
		t.Errorf("got %d others, notes %q", a.IncidentReports.Others, a.Notes)
	}
	for _, s := range a.Seen {
		if strings.Contains(s.URL, "elsewhere") || strings.Contains(s.URL, "nav.html") || strings.Contains(s.URL, "logo") {
			t.Errorf("asked for %s", s.URL)
		}
	}
}

func TestALongListIsBounded(t *testing.T) {
	var links strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&links, `<a href="/i/incident-%d.html">x</a>`, i)
	}
	server := site(t, map[string]string{"/i/": "<html><body><main>" + links.String() + "</main></body></html>"})
	a := collectFrom(t, server, transparency.Target{URL: "/i/"})
	if len(a.Seen) > maxDocuments+1 || len(a.Notes) > 20 || a.Trouble != nil {
		t.Errorf("got %d looks, %d notes, trouble %v", len(a.Seen), len(a.Notes), a.Trouble)
	}
}

func TestReportsThatAStatusPageNamesAreRead(t *testing.T) {
	server := site(t, map[string]string{"/status/1": "@reports/en-page.html", "/status/2": "<html><body>soon</body></html>"})
	a := collectFrom(t, server, transparency.Target{Links: []transparency.Link{
		{Kind: "incident-report", URL: "/status/1"}, {Kind: "incident-report", URL: "/status/2"}, {Kind: "incident-report", URL: "/status/3"}, {Kind: "talk", URL: "/talk"},
	}})
	if len(titles(a)) != 1 || a.IncidentReports.Reports[0].URL != server.URL+"/status/1" || len(a.Notes) != 2 || len(a.Seen) != 3 {
		t.Errorf("got %q, notes %q, %d looks", titles(a), a.Notes, len(a.Seen))
	}
}

func repository(files map[string]string) func(context.Context, string) (*transparency.Repository, *audit.Trouble) {
	return func(_ context.Context, address string) (*transparency.Repository, *audit.Trouble) {
		if strings.Contains(address, "private") {
			return nil, &audit.Trouble{Kind: audit.TroubleLogin, Text: "the repository asks for a login"}
		}
		r := &transparency.Repository{URL: address, Commit: strings.Repeat("a", 40)}
		for name, body := range files {
			r.Files = append(r.Files, transparency.File{Path: name, ID: name, Size: int64(len(body))})
		}
		r.Read = func(_ context.Context, id string, _ int64) ([]byte, error) {
			if strings.Contains(id, "unreadable") {
				return nil, errors.New("no such object")
			}
			if data, err := os.ReadFile("testdata/" + path.Join("reports", path.Base(id))); err == nil {
				return data, nil
			}
			return []byte(files[id]), nil
		}
		return r, nil
	}
}

func TestAFolderOfARepositoryIsRead(t *testing.T) {
	open := repository(map[string]string{"reports/2026/en-headings.md": "", "reports/en-labels.md": "", "reports/README.md": "# Our reports\n", "other/de-ascii.md": "", "reports/pic.png": "", "reports/unreadable.md": ""})
	for _, target := range []transparency.Target{
		{Repositories: []string{"https://github.com/example/docs"}, Path: "reports"},
		{URL: "https://github.com/example/docs", Path: "/reports/"},
	} {
		a := Collect(context.Background(), target, transparency.World{Open: open, At: at})
		if got := titles(a); !slices.Equal(got, []string{"Post-mortem: block storage slow in region north", "Incident on 2026-01-14"}) {
			t.Fatalf("got %q, trouble %v", got, a.Trouble)
		}
		want := "https://github.com/example/docs/blob/" + strings.Repeat("a", 40) + "/reports/2026/en-headings.md"
		if r := a.IncidentReports.Reports[0]; r.URL != want || r.Seen != 0 || a.IncidentReports.Others != 1 || len(a.Notes) != 1 {
			t.Errorf("got %+v, %d others, notes %q", r, a.IncidentReports.Others, a.Notes)
		}
		// The day in the name of a report is that of the incident, so nothing is published by it.
		if r := a.IncidentReports.Reports[1]; !r.Published.IsZero() {
			t.Errorf("published %s", r.Published)
		}
	}
}

func TestEveryTroubleIsToldInWords(t *testing.T) {
	server := site(t, map[string]string{
		"/login": `<form><input type="password"></form>`, "/broken.xml": `<?xml version="1.0"?><rss version="2.0"><channel><item><title>x</wrong></rss>`,
		"/picture.png": "\x89PNG\x00", "/data.json": `{"items":[]}`, "/page": "<html><body>hello</body></html>", "/broken.json": `{"version":"https://jsonfeed.org/version/1","items":[`,
	})
	for _, c := range []struct {
		target        transparency.Target
		kind, text    string
		offline, open bool
	}{
		{target: transparency.Target{URL: "/login"}, kind: audit.TroubleLogin, text: "login"},
		{target: transparency.Target{URL: "/nothing"}, kind: audit.TroubleNotFound, text: "nothing"},
		{target: transparency.Target{URL: "/broken.json"}, kind: audit.TroubleContent, text: "the feed cannot be read"},
		{target: transparency.Target{URL: "/picture.png"}, kind: audit.TroubleContent, text: "no feed, no page and no text"},
		{target: transparency.Target{URL: "/data.json"}, kind: audit.TroubleContent, text: "no feed, no page and no text"},
		{target: transparency.Target{URL: "/page", Adapter: AdapterFeed}, kind: audit.TroubleContent, text: "no feed"},
		{target: transparency.Target{URL: "/feed.xml"}, kind: audit.TroubleOffline, text: "may not ask", offline: true},
		{target: transparency.Target{URL: "/docs.git"}, kind: audit.TroubleOffline, text: "may not open"},
		{target: transparency.Target{Repositories: []string{"https://git.example.org/private"}}, kind: audit.TroubleLogin, text: "login", open: true},
		{target: transparency.Target{Repositories: []string{"https://git.example.org/x"}, Path: "nowhere"}, kind: audit.TroubleNotFound, text: "no text in the folder", open: true},
		{target: transparency.Target{Links: []transparency.Link{{Kind: "talk", URL: "/x"}}}, kind: audit.TroubleNotNamed, text: "nobody said"},
	} {
		w := transparency.World{Ask: ask(server.Client()), At: at}
		if c.offline {
			w.Ask = nil
		}
		if c.open {
			w.Open = repository(map[string]string{"a.png": ""})
		}
		target := c.target
		if target.URL != "" {
			target.URL = server.URL + target.URL
		}
		a := Collect(context.Background(), target, w)
		if a.Trouble == nil || a.Trouble.Kind != c.kind || !strings.Contains(a.Trouble.Text, c.text) || a.IncidentReports != nil {
			t.Errorf("%+v: got %+v, want %s with %q", c.target, a.Trouble, c.kind, c.text)
		}
	}
}

// Files that were handed over: the same Ask answers from them, and a target has no address.
func TestEvidenceHandedOverIsReadAndMarked(t *testing.T) {
	files := map[string]string{"index.html": `<html><body><main><a href="en-page.html">one</a></main></body></html>`}
	data, err := os.ReadFile("testdata/reports/en-page.html")
	if err != nil {
		t.Fatal(err)
	}
	files["en-page.html"] = string(data)
	handed := func(_ context.Context, r audit.Request) audit.Answer {
		name := path.Base(r.URL)
		body, ok := files[name]
		if !ok {
			return audit.Answer{Seen: audit.Seen{URL: r.URL, Trouble: &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "it is not among the files that were handed over"}}}
		}
		return audit.Answer{Seen: audit.Seen{URL: r.URL, Handed: name, At: at}, Body: []byte(body)}
	}
	a := Collect(context.Background(), transparency.Target{File: "reports"}, transparency.World{Ask: handed, At: at})
	if len(titles(a)) != 1 || !a.Handed {
		t.Errorf("got %q, handed %v, trouble %v", titles(a), a.Handed, a.Trouble)
	}
	delete(files, "index.html")
	a = Collect(context.Background(), transparency.Target{File: "reports"}, transparency.World{Ask: handed, At: at})
	if a.Trouble == nil || a.Trouble.Kind != audit.TroubleNotHanded {
		t.Errorf("got trouble %v", a.Trouble)
	}
}

func TestNamesOfPeopleAreDropped(t *testing.T) {
	for _, text := range []string{
		strings.ReplaceAll(rss, "BASE", "https://x.example.org"),
		`<feed><author><name>A Person</name><email>person@example.org</email></author><entry/></feed>`,
		`{"version":"https://jsonfeed.org/version/1","authors":[{"name":"A Person"}],"author":{"name":"A Person"},"items":[]}`,
		`<html><head><meta name="author" content="A Person"></head><body>person@example.org</body></html>`,
		"---\nauthor: A Person\nauthor_email: person@example.org\ntitle: x\n---\ntext\n",
	} {
		got, err := Redact([]byte(text))
		if err != nil || strings.Contains(string(got), "A Person") || strings.Contains(string(got), "person@") {
			t.Errorf("got %s (%v)", got, err)
		}
	}
}
