package disclosure

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

func FuzzListsOfAdvisories(f *testing.F) {
	for _, seed := range []string{
		"<!doctype html><h1>CVE-2026-90001</h1><table><tr><td>Date<td>2026-01-15</table>", "# Security\n| [OSSA-2026-901](x.md) | 2026-01-15 |\n",
		`[{"id":"EX-1","published":"2026-01-15T00:00:00Z","aliases":["CVE-2026-90001"]}]`, `{"document":{"tracking":{"id":"x"}},"vulnerabilities":[{"cve":"CVE-2026-90001"}]}`,
		`{"distributions":[{"rolie":{"feeds":[{"url":"a"}]}}],"canonical_url":"x"}`, `{"feed":{"entry":[{"id":"a"}]}}`, `<rss><channel><item><title>CVE-2026-90001</title></item></channel></rss>`,
		`<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>x</id></entry></feed>`, "---\ntitle: x\n---\n# GHSA-2222-3333-4444\nFixed on 3 March 2026", "2026-13-45 31.02.2026 January 99, 2026",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := readListing(data, "https://example.org/security/")
		if err != nil {
			return
		}
		for _, e := range list.entries {
			for _, id := range e.IDs {
				if canonicalID(id) != id || !slices.Equal(idsIn(id), []string{id}) {
					t.Errorf("identifier %q does not stay itself", id)
				}
			}
			if strings.ContainsFunc(e.ID+e.URL, unicode.IsControl) || len(e.ID) > maxText || len(e.URL) > maxAddress {
				t.Errorf("%q or %q is not fit to be shown", e.ID, e.URL)
			}
			for _, m := range []time.Time{e.Published, e.Fixed} {
				if !m.IsZero() && (m.Year() < 1998 || m.Year() > 2101) {
					t.Errorf("%v is no date of an advisory", m)
				}
			}
		}
		if again, err := readListing(data, "https://example.org/security/"); err != nil || len(again.entries) != len(list.entries) {
			t.Errorf("read again: %d entries and %v, want %d", len(again.entries), err, len(list.entries))
		}
	})
}

func FuzzPages(f *testing.F) {
	for _, seed := range []string{"<a href=x><div>y</div></a>", "<table><tr><td><tr><th>", "<script><a href=z></script>", "<title>Impressum</title><p>GmbH", "<a href='https://compliance.sovereignit.cloud/'><img alt=SCS>", "\xff<\x00a"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range []page{readHTML(data), readMarkdown(data)} {
			if len(p.lines) > maxLines || len(p.links) > maxLinks {
				t.Errorf("%d lines and %d links, want bounds", len(p.lines), len(p.links))
			}
			for _, k := range p.links {
				if to := resolve("https://example.org/", k.href); to != "" && !strings.HasPrefix(to, "http") {
					t.Errorf("%q leads to %q", k.href, to)
				}
			}
			certificateLink(p, "https://example.org/")
			statusPage(p)
		}
		out, err := imprintWithoutPersons(data)
		if err != nil {
			t.Fatal(err)
		}
		found, ok := reducedImprint(out)
		again, okAgain := reducedImprint(data) // law: the reduced form tells what the page told
		if ok != okAgain || !slices.Equal(found, again) {
			t.Errorf("reduced: %v, %v; whole: %v, %v", found, ok, again, okAgain)
		}
	})
}
