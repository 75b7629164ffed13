package runbook

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// site is a web site of these pages, as static site generators (MkDocs, Docusaurus, Hugo, Sphinx) lay them out.
type site struct {
	mu    sync.Mutex
	pages map[string]string
	head  map[string]map[string]string // headers by path
	asked []string
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Path)
	body, ok := s.pages[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Date", judged.Format(http.TimeFormat))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	for name, value := range s.head[r.URL.Path] {
		w.Header().Set(name, value)
	}
	fmt.Fprint(w, body)
}

func visited(t *testing.T, s *site, path string) (transparency.Artifact, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return Collect(context.Background(), transparency.Target{Kind: transparency.KindRunbooks, URL: server.URL + path}, transparency.World{Ask: asking(), At: judged}), server
}

func TestASiteOfRunbooksIsReadPageByPage(t *testing.T) {
	paragraph := "<p>" + strings.TrimSpace(steps) + "</p>"
	s := &site{
		pages: map[string]string{
			"/docs/": "<!doctype html><html><head><title>Runbooks</title></head><body><nav><h2>Incident</h2>" + paragraph + "</nav><h1>Runbooks</h1>" + paragraph +
				`<a href="upgrade/">Upgrade</a> <a href="/docs/backup.html#top">Backup</a> <a href="https://other.example.org/docs/x">other</a> <a href="/shop/">shop</a>
				<a href="pic.png">p</a> <a href="?print=1">print</a> <a href="javascript:alert(1)">x</a>
				<footer>Content is licensed under <a rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/">CC</a></footer></body></html>`,
			"/docs/upgrade/":    "<html><body><h1>Upgrade of <em>OpenStack</em></h1>" + paragraph + "<h2>Zugang</h2><p>kurz</p></body></html>",
			"/docs/backup.html": "<html><body><h2>Sauvegarde &amp; restauration</h2>" + paragraph + "<pre>\ndb_password: " + made(1, 30) + "\n</pre></body></html>",
		},
		head: map[string]map[string]string{"/docs/upgrade/": {"Last-Modified": judged.AddDate(0, -2, 0).Format(http.TimeFormat)}},
	}
	a, server := visited(t, s, "/docs/")
	if a.Trouble != nil {
		t.Fatalf("trouble: %+v", a.Trouble)
	}
	p := a.Runbooks.Places[0]
	if got, want := topicList(p), "upgrade docs/upgrade/:0\nbackup docs/backup.html:0"; got != want {
		t.Errorf("topics\n got %s\nwant %s", got, want)
	}
	licence, _ := p.Licence.Get()
	open, _ := p.Open.Get()
	last, _ := p.LastHuman.Get()
	public, _ := p.Public.Get()
	if licence != "CC-BY-SA-4.0" || !open || !public || !last.Equal(judged.AddDate(0, -2, 0)) || p.Documents != 3 || p.Commit != "" {
		t.Errorf("licence %q open %v public %v last %v documents %d", licence, open, public, last, p.Documents)
	}
	if len(p.Secrets) != 1 || p.Secrets[0].Path != "docs/backup.html" || p.Secrets[0].Line != 0 {
		t.Errorf("secrets %+v", p.Secrets)
	}
	for _, path := range s.asked {
		if strings.HasPrefix(path, "/shop") || strings.HasSuffix(path, ".png") {
			t.Errorf("asked for %s of %s", path, server.URL)
		}
	}
	if len(a.Seen) != len(s.asked) {
		t.Errorf("%d looks were noted, %d made", len(a.Seen), len(s.asked))
	}
}

func TestALargeSiteIsReadInPartAndSaysSo(t *testing.T) {
	s := &site{pages: map[string]string{"/": ""}}
	for i := range 1000 {
		s.pages["/"] += fmt.Sprintf(`<a href="/p%d">p</a>`, i)
		s.pages[fmt.Sprintf("/p%d", i)] = "<html><h1>Page</h1>" + steps
	}
	a, _ := visited(t, s, "/")
	if n := a.Runbooks.Places[0].Documents; n != maxPages || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "the first 60 pages were read, 941 more") {
		t.Errorf("%d pages, notes %q", n, a.Notes)
	}
}

func TestTheAgeOfASiteComesFromItsSitemapAndNotFromPagesMadeForTheLook(t *testing.T) {
	s := &site{
		pages: map[string]string{"/": "<html><h1>Upgrade</h1>" + steps + `<a href="/a.html">a</a>`, "/a.html": "<h1>x</h1>"},
		head:  map[string]map[string]string{"/": {"Last-Modified": judged.Add(-time.Minute).Format(http.TimeFormat)}, "/a.html": {"Last-Modified": judged.Add(time.Hour).Format(http.TimeFormat)}},
	}
	a, server := visited(t, s, "/")
	if f := a.Runbooks.Places[0].LastHuman; f.Unknown() != audit.DNF || f.Settle == "" {
		t.Errorf("made for the look: %+v", f)
	}
	s.pages["/sitemap.xml"] = `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>` + server.URL + `/a.html</loc><lastmod>2026-05-01</lastmod></url>` +
		`<url><loc>` + server.URL + `/</loc><lastmod>2099-01-01T00:00:00Z</lastmod></url><url><loc>https://other.example.org/</loc><lastmod>2026-11-01</lastmod></url></urlset>`
	a = Collect(context.Background(), transparency.Target{URL: server.URL + "/", Adapter: "site"}, transparency.World{Ask: asking(), At: judged})
	if at, _ := a.Runbooks.Places[0].LastHuman.Get(); at.Format(time.DateOnly) != "2026-05-01" {
		t.Errorf("sitemap: %v", at)
	}
	s.pages["/sitemap.xml"] = "<urlset><url><loc>" // broken
	a = Collect(context.Background(), transparency.Target{URL: server.URL + "/", Adapter: "site"}, transparency.World{Ask: asking(), At: judged})
	if f := a.Runbooks.Places[0].LastHuman; f.Unknown() != audit.DNF {
		t.Errorf("broken sitemap: %+v", f)
	}
}

func TestAPageThatCannotBeReadIsATroubleOfTheArtifact(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"login form with status 200": {`<html><form><input type="password"></form></html>`, audit.TroubleLogin},
		"empty page":                 {"", audit.TroubleContent},
	} {
		a, _ := visited(t, &site{pages: map[string]string{"/": c.body}}, "/")
		if a.Trouble == nil || a.Trouble.Kind != c.want || a.Runbooks != nil || a.Trouble.Text == "" {
			t.Errorf("%s: %+v", name, a.Trouble)
		}
	}
	if a, _ := visited(t, &site{}, "/nothing"); a.Trouble == nil || a.Trouble.Kind != audit.TroubleNotFound {
		t.Errorf("nothing there: %+v", a.Trouble)
	}
}

func TestARepositoryOnAnUnknownServerIsFoundByAsking(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ops/runbooks/info/refs" && r.URL.RawQuery == "service=git-upload-pack" {
			fmt.Fprint(w, "001e# service=git-upload-pack\n0000")
			return
		}
		fmt.Fprint(w, "<html>a page of the forge</html>")
	}))
	defer server.Close()
	opened := ""
	w := transparency.World{Ask: asking(), At: judged, Open: func(_ context.Context, url string) (*transparency.Repository, *audit.Trouble) {
		opened = url
		return repositoryOf(map[string]string{"a.md": "# Upgrade\n" + steps}), nil
	}}
	a := Collect(context.Background(), transparency.Target{URL: server.URL + "/ops/runbooks"}, w)
	if opened != server.URL+"/ops/runbooks" || topicList(a.Runbooks.Places[0]) == "" {
		t.Errorf("opened %q, %+v", opened, a)
	}
}

func TestFilesThatWereHandedOverAreReadAndMarked(t *testing.T) {
	files := map[string]string{"README.md": "# Runbooks\n" + steps + "[Upgrade](ops/upgrade.md)", "ops/upgrade.md": "# Upgrade\n" + steps}
	ask := func(_ context.Context, r audit.Request) audit.Answer {
		name := strings.TrimPrefix(r.URL, "file:///")
		if files[name] == "" {
			return audit.Answer{Seen: audit.Seen{URL: r.URL, At: judged, Trouble: &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "not handed over"}}}
		}
		return audit.Answer{Seen: audit.Seen{URL: r.URL, Handed: name, At: judged, Headers: map[string]string{"content-type": "text/markdown"}}, Body: []byte(files[name])}
	}
	a := Collect(context.Background(), transparency.Target{File: "runbooks"}, transparency.World{Ask: ask, At: judged})
	if a.Trouble != nil || !a.Handed || topicList(a.Runbooks.Places[0]) != "upgrade ops/upgrade.md:1" || a.Runbooks.Places[0].Documents != 2 {
		t.Fatalf("a directory: %+v", a.Runbooks)
	}
	if f := a.Runbooks.Places[0].Public; f.Value != nil {
		t.Errorf("nobody saw that it is public: %+v", f)
	}
	files = map[string]string{"": "# Backup\n" + steps} // a file alone answers the first address that is asked
	a = Collect(context.Background(), transparency.Target{File: "runbooks.md"}, transparency.World{Ask: ask, At: judged})
	if a.Trouble != nil || len(a.Runbooks.Places[0].Topics) != 1 {
		t.Errorf("a file: %+v", a)
	}
	files = nil
	if a = Collect(context.Background(), transparency.Target{File: "x"}, transparency.World{Ask: ask, At: judged}); a.Trouble == nil || a.Trouble.Kind != audit.TroubleNotHanded {
		t.Errorf("nothing: %+v", a.Trouble)
	}
}

// The law: whatever a page is, its headings have a level and words, and its links can be asked.
func FuzzPagesGiveHeadingsAndLinksThatCanBeAsked(f *testing.F) {
	f.Add("<html><h1>Upgrade</h1><p>x</p><a href='/y'>y</a>")
	f.Add("<nav><nav></nav><h2>a<h3>b</h2></h3><script>")
	f.Add("<base href='//[::1'><a href='javascript:x'><a href='http://a:b@c'>")
	f.Fuzz(func(t *testing.T, body string) {
		p := readPage(addressForTest("https://docs.example.org/a/"), []byte(body))
		for _, h := range p.headings {
			if h.level < 1 || h.level > 4 || h.words < 0 || h.text == "" {
				t.Fatalf("heading %+v", h)
			}
		}
		for _, l := range p.links {
			if u := addressForTest(l); u == nil || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "file" {
				t.Fatalf("link %q", l)
			}
		}
	})
}
