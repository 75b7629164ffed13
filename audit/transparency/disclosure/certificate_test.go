package disclosure_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
)

// status has the shape of compliance-monitor/templates/details.md.j2 (SovereignCloudStack/standards at 077174d9), rendered.
const status = "text/html\n<html><body><h1>Details for example</h1><h2>example: SCS-compatible IaaS</h2><table><tr><th>testcase id</th><th>result</th><th>v5.1</th></tr>" +
	`<tr><td><a href="x">volume-types-check</a></td><td>✅ pass (<a href="/report/1">2026-11-20</a>)</td><td>X</td></tr><tr><td>flavors</td><td>✅ pass (2025-08-01)</td><td>X</td></tr></table></body></html>`

func TestTheCertificateStatusPageIsFoundBehindItsHyperlink(t *testing.T) {
	const detail = "https://compliance.sovereignit.cloud/page/detail/example/50393e6f"
	for _, c := range []struct {
		name    string
		s       served // by path, of all hosts
		url     string
		link    string
		logo    bool
		scopes  []string
		history string
		kind    string
	}{
		{"a logo with a link", served{"/cert": `text/html` + "\n" + `<html><body><a href="` + detail + `"><img alt="SCS-compatible IaaS" src="x.svg"></a></body></html>`, "/page/detail/example/50393e6f": status},
			"https://www.example.org/cert", detail, true, []string{"SCS-compatible IaaS"}, "2025-08-01", ""},
		{"a link in words to another host", served{"/cert": `text/html` + "\n" + `<html><body><a href="https://status.example.com/scs">SCS-compatible KaaS</a></body></html>`, "/scs": status},
			"https://www.example.org/cert", "https://status.example.com/scs", false, []string{"SCS-compatible IaaS"}, "2025-08-01", ""},
		{"the status page itself, and the home page links to it", served{"/page/detail/example/50393e6f": status, "/": `text/html` + "\n" + `<html><body><a href="` + detail + `/">certificate</a></body></html>`},
			detail, detail + "/", false, []string{"SCS-compatible IaaS"}, "2025-08-01", ""},
		{"the status page itself, and nobody links to it", served{"/page/detail/example/50393e6f": status, "/": "text/html\n<html><body><a href='/x'>x</a></body></html>"},
			detail, "", false, []string{"SCS-compatible IaaS"}, "2025-08-01", ""},
		{"no link", served{"/cert": `text/html` + "\n" + `<html><body><img alt="SCS-compatible IaaS"><a href="/contact">contact</a></body></html>`}, "https://www.example.org/cert", "", false, nil, "", ""},
		{"a link to a page that is gone", served{"/cert": `text/html` + "\n" + `<html><body><a href="` + detail + `">SCS</a></body></html>`}, "https://www.example.org/cert", detail, false, nil, "", ""},
		{"a page without links", served{"/cert": "text/html\n<html><body><script></script></body></html>"}, "https://www.example.org/cert", "", false, nil, "", audit.TroubleContent},
		{"a login form", served{"/cert": `text/html` + "\n" + `<input type="password">`}, "https://www.example.org/cert", "", false, nil, "", audit.TroubleLogin},
	} {
		server := c.s.start(t)
		w := transparency.World{Ask: askBy(&http.Client{Transport: toServer{server.Listener.Addr().String()}}), At: now, Operator: transparency.Operator{Domains: []string{"example.org"}}}
		a := disclosure.CollectCertificatePage(t.Context(), transparency.Target{Kind: transparency.KindCertificatePage, URL: c.url}, w)
		if (a.Trouble == nil) != (c.kind == "") || a.Trouble != nil && a.Trouble.Kind != c.kind {
			t.Errorf("%s: got trouble %+v, want %q", c.name, a.Trouble, c.kind)
			continue
		}
		f := a.CertificatePage
		if f == nil {
			continue
		}
		from := ""
		if f.History {
			from = f.HistoryFrom.Format("2006-01-02")
		}
		if f.Link != c.link || f.Logo != c.logo || !slices.Equal(f.Scopes, c.scopes) || from != c.history {
			t.Errorf("%s: got %+v, want link %q, logo %v, scopes %v, history from %q", c.name, *f, c.link, c.logo, c.scopes, c.history)
		}
	}
}

func TestDiscoveryFindsWhatIsPublicAndSaysWhy(t *testing.T) {
	s := served{
		"/": `text/html` + "\n" + `<html><body><a href="https://status.example.org/">Status</a><a href="https://health.example.org/d/abc">API health</a>
<a href="/impressum">Impressum</a><a href="/trust">Trust center</a><a href="https://github.com/example">GitHub</a><a href="https://github.com/example/runbooks">How we run it</a>
<a href="https://evil.example.com/post-mortems">post-mortems</a><a href="https://example.statuspage.io/">uptime</a><a href="javascript:alert(1)">Status</a><a href="https://compliance.sovereignit.cloud/page/table">SCS</a>
<a href="https://login.example.org/status">Status of your order</a></body></html>`,
		"/trust": `text/html` + "\n" + `<html><body><a href="/security/advisories">Sicherheitshinweise</a><a href="/files/cloud.cdx.json">Software-Stückliste</a><a href="https://blog.example.org/incidents">Post-Mortems</a>
<a href="/trust/deeper">Open Source</a></body></html>`,
		"/.well-known/security.txt": utf8Text + "Contact: mailto:x@example.org\nExpires: 2027-01-01T00:00:00Z\n",
		"/trust/deeper":             `text/html` + "\n" + `<html><body><a href="/never">SBOM</a></body></html>`,
	}
	server := s.start(t)
	w := transparency.World{Ask: askBy(&http.Client{Transport: toServer{server.Listener.Addr().String()}}), At: now}
	targets, seen := disclosure.Discover(t.Context(), "https://www.example.org/", w)
	var got []string
	for _, x := range targets {
		got = append(got, x.Kind+" "+x.URL+strings.Join(x.Repositories, " "))
		if x.Why == "" {
			t.Errorf("%s: nobody says why", x.URL)
		}
	}
	want := []string{
		"status-page https://status.example.org/", "status-page https://example.statuspage.io/", "incident-reports https://blog.example.org/incidents",
		"monitor https://health.example.org/d/abc", "runbooks https://github.com/example/runbooks", "open-operations https://github.com/example",
		"sbom https://www.example.org/files/cloud.cdx.json", "security-txt https://www.example.org/.well-known/security.txt",
		"advisories https://www.example.org/security/advisories", "imprint https://www.example.org/impressum", "certificate-page https://www.example.org/",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, look := range seen {
		if !strings.Contains(look.URL, "www.example.org") {
			t.Errorf("asked %s while searching, want the operator's pages only", look.URL)
		}
	}
	if len(seen) > 8 {
		t.Errorf("%d looks, want few", len(seen))
	}
}

func TestDiscoveryTriesTheHostThatStatusPagesHave(t *testing.T) {
	server := served{"/": "text/html\n<html><body>hello</body></html>"}.start(t)
	w := transparency.World{Ask: askBy(&http.Client{Transport: toServer{server.Listener.Addr().String()}}), At: now}
	targets, _ := disclosure.Discover(t.Context(), "https://www.example.org/", w)
	if len(targets) != 1 || targets[0].URL != "https://status.example.org/" {
		t.Errorf("got %+v, want the host status.example.org", targets)
	}
	if targets, seen := disclosure.Discover(t.Context(), "no address", w); targets != nil || seen != nil {
		t.Errorf("got %v, %v from what is no address", targets, seen)
	}
}
