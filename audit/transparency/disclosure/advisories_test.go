package disclosure_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
)

// The fixtures are ours, in the shapes of: osism/osism.github.io docs/appendix/security at e4497687 (Markdown, and the HTML
// that Docusaurus 3 makes of it), SovereignCloudStack/website _i18n/en/_posts/blog at 5ee35411 (Jekyll), openstack/ossa
// ossa/*.yaml, OSV schema 1.6, GitHub REST "repository security advisories", CSAF 2.0 sections 3 and 7.1 with RFC 8322, RSS
// 2.0, RFC 4287, JSON Feed 1.1.
const (
	detailMarkdown = `---
sidebar_label: OSSA-2026-901
---

# OSSA-2026-901: Something escapes

| Property         | Value                                                             |
|:-----------------|:------------------------------------------------------------------|
| Date             | 2026-01-15 (Errata: 2026-01-16)                                   |
| CVE              | [CVE-2026-90001](https://www.cve.org/CVERecord?id=CVE-2026-90001) |
| Severity         | High                                                              |
| Reporter         | Jane Doe (Example)                                                |

## Affected Versions

| keystone Version | Status |
|:-----------------|:-------|
| >= 10.12.1       | Fixed  |

It is like CVE-2020-11111. Our cloud was patched on 2026-01-17.
`
	docusaurus = `<!doctype html><html lang="en"><head><title>Security | Example</title></head><body><nav><ul><li><a href="/docs/security/ossa-2026-901">OSSA-2026-901</a></li></ul></nav>
<main><h1>Security</h1><p>We follow a need-to-know principle.</p><h2>OpenStack Security Advisories (OSSA)</h2><table><thead><tr><th>Advisory</th><th>Description</th><th>Component</th></tr></thead>
<tbody><tr><td><a href="/docs/security/ossa-2026-901">OSSA-2026-901</a></td><td>Something escapes</td><td>Keystone</td></tr>
<tr><td><a href="/docs/security/ossa-2026-902">OSSA-2026-902</a></td><td>Something else</td><td>Nova</td></tr></tbody></table></main></body></html>`
	docusaurusDetail = `<!doctype html><html><head><title>OSSA-2026-90%d: It | Example</title></head><body><nav><a href="/docs/security/ossa-2026-999">OSSA-2026-999</a></nav>
<h1>OSSA-2026-90%[1]d: It</h1><table><tr><th>Property</th><th>Value</th></tr><tr><td>Date</td><td>2026-0%[1]d-15</td></tr><tr><td>CVE</td><td><a href="https://www.cve.org/">CVE-2026-9000%[1]d</a></td></tr>
<tr><td>Reporter</td><td>Jane Doe (Example)</td></tr></table><h2>Affected Versions</h2><p>Before 3.</p></body></html>`
)

func collect(t *testing.T, s served, path string) transparency.Artifact {
	t.Helper()
	server := s.start(t)
	a := disclosure.CollectAdvisories(t.Context(), transparency.Target{Kind: transparency.KindAdvisories, URL: server.URL + path}, world(server))
	if strings.Contains(asJSON(a), "Jane") {
		t.Errorf("a person is kept: %s", asJSON(a))
	}
	return a
}

func date(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, _ = time.Parse(time.DateOnly, text)
	}
	return t
}

// summary writes an advisory in one line.
func summary(a transparency.Advisory) string {
	day := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		if t.Equal(t.Truncate(24 * time.Hour)) {
			return t.Format(time.DateOnly)
		}
		return t.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s [%s] %s fixed %s affected %v days %v", a.ID, strings.Join(a.IDs, " "), day(a.Published), day(a.Fixed), a.Affected, a.Days)
}

func TestAdvisoriesAreReadInEveryShape(t *testing.T) {
	for _, c := range []struct {
		name, format string
		s            served
		want         []string
	}{
		{"an index of Docusaurus, and the pages behind it", "html", served{
			"/": "text/html\n" + docusaurus, "/docs/security/ossa-2026-901": "text/html\n" + fmt.Sprintf(docusaurusDetail, 1),
			"/docs/security/ossa-2026-902": "text/html\n" + fmt.Sprintf(docusaurusDetail, 2),
		}, []string{
			"OSSA-2026-902 [OSSA-2026-902 CVE-2026-90002] 2026-02-15 fixed - affected true days true",
			"OSSA-2026-901 [OSSA-2026-901 CVE-2026-90001] 2026-01-15 fixed - affected true days true",
		}},
		{"a table with dates", "html", served{"/": "text/html\n<html><body><h1>Sicherheitshinweise</h1><table><tr><th>Kennung</th><th>Veröffentlicht</th><th>Behoben</th><th>Betroffene Dienste</th></tr>" +
			"<tr><td>EX-1 CVE-2026-90001</td><td>15.01.2026</td><td>2026-01-16 08:30 Z</td><td>Nova</td></tr><tr><td>EX-2 (CVE-2026-90002)</td><td>3. März 2026</td><td></td><td></td></tr></table></body></html>"}, []string{
			"CVE-2026-90002 [CVE-2026-90002] 2026-03-03 fixed - affected false days true",
			"CVE-2026-90001 [CVE-2026-90001] 2026-01-15 fixed 2026-01-16T08:30:00Z affected true days true",
		}},
		{"one page with headings", "html", served{"/": "text/html\n<html><body><h1>Security advisories</h1><h2>CVE-2026-90001 in Nova</h2><p>Published: January 15, 2026</p><p>Fixed: 2026-01-16T10:00:00+01:00</p>" +
			"<p>Affected: Nova</p><p>Similar to CVE-2020-11111.</p><h2>OSSN-0096 and GHSA-2222-3333-4444 in Horizon</h2><p>5 février 2026</p></body></html>"}, []string{
			"OSSN-0096 [OSSN-0096 GHSA-2222-3333-4444] 2026-02-05 fixed - affected false days true",
			"CVE-2026-90001 [CVE-2026-90001] 2026-01-15 fixed 2026-01-16T09:00:00Z affected true days true",
		}},
		{"pages that follow each other", "html", served{
			"/":       `text/html` + "\n" + `<html><body><ul><li><a href="https://elsewhere.example.com/x">CVE-2026-90003</a> 2026-03-01</li></ul><a rel="next" href="/page/2">older</a></body></html>`,
			"/page/2": `text/html` + "\n" + `<html><body><ul><li>CVE-2026-90001 2026-01-01</li></ul><a rel="next" href="/">in a circle</a></body></html>`,
		}, []string{
			"CVE-2026-90003 [CVE-2026-90003] 2026-03-01 fixed - affected false days true",
			"CVE-2026-90001 [CVE-2026-90001] 2026-01-01 fixed - affected false days true",
		}},
		{"RSS", "rss", served{"/": `application/rss+xml` + "\n" + `<?xml version="1.0"?><rss version="2.0" xmlns:dc="x"><channel><title>x</title><item><title>CVE-2026-90001: Nova</title><link>https://example.org/a</link>
<guid>https://example.org/a</guid><pubDate>Thu, 15 Jan 2026 10:00:00 +0100</pubDate><author>jane@example.org (Jane Doe)</author><dc:creator>Jane Doe</dc:creator><description>&lt;p&gt;Affected: Nova&lt;/p&gt;&lt;p&gt;Fixed: 2026-01-15T12:00:00Z&lt;/p&gt;</description></item></channel></rss>`}, []string{
			"CVE-2026-90001 [CVE-2026-90001] 2026-01-15T09:00:00Z fixed 2026-01-15T12:00:00Z affected true days false",
		}},
		{"Atom", "atom", served{"/": `application/atom+xml` + "\n" + `<feed xmlns="http://www.w3.org/2005/Atom"><author><name>Jane Doe</name></author><entry><id>tag:example.org,2026:1</id><title>EX-2026-1</title>
<link rel="alternate" href="/ex-1"/><published>2026-01-15T09:00:00Z</published><updated>2026-02-01T00:00:00Z</updated><content type="html">About CVE-2026-90001</content></entry></feed>`}, []string{
			"tag:example.org,2026:1 [CVE-2026-90001] 2026-01-15T09:00:00Z fixed - affected false days false",
		}},
		{"JSON Feed", "json-feed", served{"/": `application/feed+json` + "\n" + `{"version":"https://jsonfeed.org/version/1.1","authors":[{"name":"Jane Doe"}],"items":[{"id":"1","url":"/x","title":"CVE-2026-90001","date_published":"2026-01-15T09:00:00Z"}]}`}, []string{
			"1 [CVE-2026-90001] 2026-01-15T09:00:00Z fixed - affected false days false",
		}},
		{"OSV", "osv", served{"/": `application/json` + "\n" + `[{"id":"EX-2026-1","aliases":["CVE-2026-90001","GHSA-2222-3333-4444"],"published":"2026-01-15T09:00:00Z","modified":"2026-02-01T00:00:00Z","affected":[{"package":{"name":"nova"}}],"credits":[{"name":"Jane Doe","contact":["mailto:jane@example.org"]}]}]`}, []string{
			"EX-2026-1 [CVE-2026-90001 GHSA-2222-3333-4444] 2026-01-15T09:00:00Z fixed - affected true days false",
		}},
		{"GitHub", "ghsa", served{"/": `application/json` + "\n" + `[{"ghsa_id":"GHSA-2222-3333-4444","cve_id":"CVE-2026-90001","published_at":"2026-01-15T09:00:00Z","author":{"login":"Jane"},"credits":[{"login":"Jane"}],"vulnerabilities":[{"package":{}}],"html_url":"https://example.org/g"}]`}, []string{
			"GHSA-2222-3333-4444 [GHSA-2222-3333-4444 CVE-2026-90001] 2026-01-15T09:00:00Z fixed - affected true days false",
		}},
		{"CSAF from the provider down to the document", "csaf", served{
			"/":              `application/json` + "\n" + `{"canonical_url":"https://example.org/","metadata_version":"2.0","distributions":[{"rolie":{"feeds":[{"url":"HERE/feed.json","tlp_label":"WHITE"},{"url":"HERE/secret.json","tlp_label":"RED"}]}}]}`,
			"/feed.json":     `application/json` + "\n" + `{"feed":{"id":"f","entry":[{"id":"EX-2026-0001","title":"Nova","published":"2026-01-15T09:00:00Z","content":{"src":"/ex-1.json"}}]}}`,
			"/ex-1.json":     `application/json` + "\n" + `{"document":{"tracking":{"id":"EX-2026-0001","initial_release_date":"2026-01-15T09:00:00Z"},"acknowledgments":[{"names":["Jane Doe"]}]},"vulnerabilities":[{"cve":"CVE-2026-90001","product_status":{"fixed":["a"]},"remediations":[{"category":"vendor_fix","date":"2026-01-15T11:00:00Z"}]}]}`,
			"/unlinked.json": "",
		}, []string{
			"EX-2026-0001 [CVE-2026-90001] 2026-01-15T09:00:00Z fixed 2026-01-15T11:00:00Z affected true days false",
		}},
		{"CSAF as a directory", "csaf", served{
			"/":                      `application/json` + "\n" + `{"canonical_url":"https://example.org/","metadata_version":"2.0","distributions":[{"directory_url":"HERE/csaf/"}]}`,
			"/csaf/changes.csv":      "text/csv\n\"2026/ex-1.json\",\"2026-02-01T00:00:00Z\"\n",
			"/csaf/2026/ex-1.json":   `application/json` + "\n" + `{"document":{"tracking":{"id":"ex-1","initial_release_date":"2026-01-15T09:00:00Z"}},"vulnerabilities":[{"cve":"CVE-2026-90001"}]}`,
			"/csaf/2026/unread.json": "",
		}, []string{
			"ex-1 [CVE-2026-90001] 2026-01-15T09:00:00Z fixed - affected false days false",
		}},
		{"a page whose feed lists them", "rss", served{
			"/":         `text/html` + "\n" + `<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body><p>See the feed.</p></body></html>`,
			"/feed.xml": `application/rss+xml` + "\n" + `<rss><channel><item><title>CVE-2026-90001</title><pubDate>Thu, 15 Jan 2026 09:00:00 GMT</pubDate></item></channel></rss>`,
		}, []string{"CVE-2026-90001 [CVE-2026-90001] 2026-01-15T09:00:00Z fixed - affected false days false"}},
		{"one advisory in Markdown", "text", served{"/": "text/plain\n" + detailMarkdown}, []string{
			"OSSA-2026-901 [OSSA-2026-901 CVE-2026-90001] 2026-01-15 fixed 2026-01-17 affected true days true",
		}},
		{"links with dates and no identifiers", "html", served{"/": `text/html` + "\n" + `<html><body><h1>Security notices</h1><ul><li>2026-01-15 <a href="/n/horizon-down">Horizon</a></li></ul></body></html>`}, []string{
			"horizon-down [] 2026-01-15 fixed - affected false days true",
		}},
	} {
		a := collect(t, c.s, "/")
		if a.Advisories == nil {
			t.Errorf("%s: got trouble %+v, want facts", c.name, a.Trouble)
			continue
		}
		var got []string
		for _, x := range a.Advisories.Advisories {
			got = append(got, summary(x))
		}
		if !slices.Equal(got, c.want) || a.Advisories.Format != c.format {
			t.Errorf("%s:\n got %s: %s\nwant %s: %s", c.name, a.Advisories.Format, strings.Join(got, "\n     "), c.format, strings.Join(c.want, "\n     "))
		}
		for _, s := range a.Seen {
			if strings.Contains(s.URL, "secret") || strings.Contains(s.URL, "elsewhere") {
				t.Errorf("%s: asked %s", c.name, s.URL)
			}
		}
	}
}

func TestAdvisoriesAreReadFromARepository(t *testing.T) {
	files := map[string]string{
		"docs/appendix/security/index.md":                     "# Security\n\n| [OSSA-2026-901](ossa-2026-901.md) | x |\n",
		"docs/appendix/security/ossa-2026-901.md":             detailMarkdown,
		"docs/appendix/security/broken.yaml":                  "a: [",
		"docs/appendix/security/ossa-2026-902.yaml":           "date: 2026-02-01\nid: OSSA-2026-902\ntitle: x\nvulnerabilities:\n- cve-id: CVE-2026-90002\naffected-products:\n- product: nova\nreporters:\n- name: Jane Doe\n",
		"docs/appendix/security/2026-03-07-cve-2026-90003.md": "---\ntitle: \"On CVE-2026-90003\"\nauthor:\n  - \"Jane Doe\"\n---\n\nSince 2026-03-01 it is known; compare CVE-2020-11111.\n",
		"docs/other/2026-03-07-cve-2026-90009.md":             "# CVE-2026-90009\n",
	}
	target := transparency.Target{Kind: transparency.KindAdvisories, Repositories: []string{"https://git.example.org/docs"}, Path: "docs/appendix/security"}
	a := disclosure.CollectAdvisories(t.Context(), target, transparency.World{Open: repository(files), At: now})
	if a.Advisories == nil {
		t.Fatalf("got %+v", a.Trouble)
	}
	want := []string{
		"CVE-2026-90003 [CVE-2026-90003] 2026-03-07 fixed - affected false days true",
		"OSSA-2026-902 [OSSA-2026-902 CVE-2026-90002] 2026-02-01 fixed - affected true days true",
		"OSSA-2026-901 [OSSA-2026-901 CVE-2026-90001] 2026-01-15 fixed 2026-01-17 affected true days true",
	}
	var got []string
	for _, x := range a.Advisories.Advisories {
		got = append(got, summary(x))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(asJSON(a), "Jane") || !strings.Contains(strings.Join(a.Notes, "\n"), "1 documents beside them are no advisories") {
		t.Errorf("got %s", asJSON(a))
	}
}

func TestWhatIsNoListOfAdvisoriesIsNone(t *testing.T) {
	for _, c := range []struct {
		name, answer, kind string
	}{
		{"nothing", "", audit.TroubleNotFound},
		{"an empty page", "text/html\n<html><body><h1>Security advisories</h1><p>There are none.</p></body></html>", audit.TroubleContent},
		{"a login form", `text/html` + "\n" + `<form>CVE-2026-90001 <input type="password"></form>`, audit.TroubleLogin},
		{"broken JSON", `application/json` + "\n" + `[{"id":"CVE-2026-90001",`, audit.TroubleContent},
		{"other JSON", `application/json` + "\n" + `[{"name":"x"}]`, audit.TroubleContent},
		{"broken XML", "application/rss+xml\n<rss><channel><item>", audit.TroubleContent},
		{"other XML", "application/xml\n<note>CVE-2026-90001</note>", audit.TroubleContent},
		{"an empty answer", "text/html\n", audit.TroubleContent},
		{"a broken server", "=500", audit.TroubleServer},
	} {
		s := served{}
		if c.answer != "" {
			s["/"] = c.answer
		}
		a := collect(t, s, "/")
		if a.Trouble == nil || a.Trouble.Kind != c.kind || a.Advisories != nil || a.Trouble.Text == "" {
			t.Errorf("%s: got trouble %+v, want %s", c.name, a.Trouble, c.kind)
		}
	}
}

func TestOfAHundredThousandAdvisoriesTheNewestAreKept(t *testing.T) {
	var b strings.Builder
	b.WriteString("application/json\n[")
	for i := range 100_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"EX-%d","aliases":["CVE-2026-%d"],"published":"%s"}`, i, 10_000+i, now.Add(time.Duration(i-200_000)*time.Hour).Format(time.RFC3339))
	}
	b.WriteString("]")
	a := collect(t, served{"/": b.String()}, "/")
	if a.Advisories == nil || len(a.Advisories.Advisories) != 2000 || a.Advisories.Advisories[0].ID != "EX-99999" {
		t.Fatalf("got trouble %+v, want the newest 2000", a.Trouble)
	}
	if !strings.Contains(strings.Join(a.Notes, "\n"), "the newest 2000 of 100000 advisories were kept") {
		t.Errorf("got notes %q", a.Notes)
	}
}

func TestPagesOfSingleAdvisoriesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("text/html\n<html><body><ul>")
	for i := range 200 {
		fmt.Fprintf(&b, `<li><a href="/a/%d">CVE-2026-%d</a></li>`, i, 10_000+i)
	}
	a := collect(t, served{"/": b.String()}, "/")
	if a.Advisories == nil || len(a.Seen) > 100 || !strings.Contains(strings.Join(a.Notes, "\n"), "those of 140 more were not") {
		t.Errorf("got %d looks, notes %q", len(a.Seen), a.Notes)
	}
}

func TestAddressesOfForgesAreReadAsRepositories(t *testing.T) {
	for address, want := range map[string]string{
		"https://github.com/example/docs/tree/main/docs/security":              "https://github.com/example/docs",
		"https://gitlab.example.org/a/b/docs/-/tree/main/docs/security":        "https://gitlab.example.org/a/b/docs",
		"https://codeberg.org/example/docs/src/branch/main/docs/security":      "https://codeberg.org/example/docs",
		"https://github.com/example/docs":                                      "https://github.com/example/docs",
		"https://git.example.org/docs.git":                                     "",
		"https://github.com/example/docs/security/advisories":                  "",
		"https://www.example.org/docs/tree/main/docs/security":                 "",
		"https://gitlab.example.org/example/docs/-/blob/main/docs/x.md?y=tree": "",
	} {
		opened := ""
		files := repository(map[string]string{"docs/security/ossa-2026-901.md": detailMarkdown, "docs/other/cve-2026-90009.md": "# CVE-2026-90009\n"})
		w := transparency.World{At: now, Open: func(c ctx, url string) (*transparency.Repository, *audit.Trouble) {
			opened = url
			return files(c, url)
		}}
		a := disclosure.CollectAdvisories(t.Context(), transparency.Target{URL: address}, w)
		if opened != want {
			t.Errorf("%s: opened %q, want %q", address, opened, want)
		}
		if strings.HasSuffix(address, "security") && want != "" && (a.Advisories == nil || len(a.Advisories.Advisories) != 1) {
			t.Errorf("%s: got %+v, want the advisory of the folder", address, a.Advisories)
		}
	}
}
