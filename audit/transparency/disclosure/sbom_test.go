package disclosure_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
)

// checkWords stands for the reading of SBOMs: a document is "BOM DATE part part ..." and names of three deployed parts.
func checkWords(_ context.Context, data []byte) (transparency.SBOMFacts, error) {
	words := strings.Fields(string(data))
	if len(words) < 2 || words[0] != "BOM" {
		return transparency.SBOMFacts{}, errors.New("this is no SBOM")
	}
	f := transparency.SBOMFacts{Format: "T 1", Created: date(words[1]), Components: len(words) - 2, BSI: !slices.Contains(words, "poor"), Deployed: 3}
	for _, name := range []string{"nova", "keystone", "redis"} {
		part := transparency.SBOMPart{Name: name, Named: slices.Contains(words, name)}
		f.Parts = append(f.Parts, part)
		if part.Named {
			f.Named++
		} else {
			f.Missing = append(f.Missing, name)
		}
	}
	return f, nil
}

func TestSBOMsAreReadAloneOrBehindAPage(t *testing.T) {
	page := func(links ...string) string {
		out := "text/html\n<html><body>"
		for _, l := range links {
			out += `<a href="` + l + `">x</a>`
		}
		return out + "</body></html>"
	}
	for _, c := range []struct {
		name string
		s    served
		want string // of the facts
		kind string // of the trouble
	}{
		{"a document", served{"/": "application/json\nBOM 2026-11-01 nova"}, "2026-11-01 1 documents named 1 missing [keystone redis] bsi true", ""},
		{"a page with several", served{"/": page("a.cdx.json", "/files/sbom-b.json?download=1", "a.cdx.json", "other.json", "mailto:x", "b.spdx.json"), "/a.cdx.json": "x\nBOM 2026-11-01 nova poor", "/files/sbom-b.json": "x\nBOM 2026-10-01 keystone redis", "/b.spdx.json": "x\nBOM 2020-01-01 other"},
			"2026-10-01 3 documents named 3 missing [] bsi false", ""},
		{"old releases beside the new one", served{"/": page("old-bom.json", "new-bom.json"), "/old-bom.json": "x\nBOM 2024-01-01 nova keystone poor", "/new-bom.json": "x\nBOM 2026-11-01 nova keystone"},
			"2026-11-01 2 documents named 2 missing [redis] bsi true", ""},
		{"one of two is broken", served{"/": page("a.cdx.json", "b.cdx.json"), "/a.cdx.json": "x\nBOM 2026-11-01 nova", "/b.cdx.json": "x\n<broken"}, "2026-11-01 1 documents named 1 missing [keystone redis] bsi true", ""},
		{"a page without any", served{"/": page("x.html")}, "", audit.TroubleContent},
		{"a page whose links lead nowhere", served{"/": page("a.cdx.json")}, "", audit.TroubleNotFound},
		{"something else", served{"/": "application/json\n{}"}, "", audit.TroubleContent},
		{"an SBOM of nothing", served{"/": "application/json\nBOM 2026-11-01"}, "", audit.TroubleContent},
		{"nothing at all", served{"/": "application/json\n"}, "", audit.TroubleContent},
		{"a login form", served{"/": `text/html` + "\n" + `<html><form><input type="password"></form></html>`}, "", audit.TroubleLogin},
		{"not there", served{}, "", audit.TroubleNotFound},
	} {
		server := c.s.start(t)
		w := world(server)
		w.CheckSBOM = checkWords
		a := disclosure.CollectSBOM(t.Context(), transparency.Target{Kind: transparency.KindSBOM, URL: server.URL + "/"}, w)
		if (a.Trouble == nil) != (c.kind == "") || a.Trouble != nil && a.Trouble.Kind != c.kind {
			t.Errorf("%s: got trouble %+v, want %q", c.name, a.Trouble, c.kind)
			continue
		}
		if f := a.SBOM; f != nil {
			if got := fmt.Sprintf("%s %d documents named %d missing %v bsi %v", f.Created.Format("2006-01-02"), f.Documents, f.Named, f.Missing, f.BSI); got != c.want {
				t.Errorf("%s: got %s, want %s", c.name, got, c.want)
			}
		}
	}
}

func TestSBOMsAreReadFromARepository(t *testing.T) {
	w := transparency.World{At: now, CheckSBOM: checkWords, Open: repository(map[string]string{"README.md": "x", "10.2/bom.json": "BOM 2026-11-01 nova", "10.2/keystone.cdx.json": "BOM 2026-11-02 keystone", "9/bom.json": "BOM 2024-01-01 redis"})}
	a := disclosure.CollectSBOM(t.Context(), transparency.Target{Repositories: []string{"https://git.example.org/sbom"}, Path: "10.2/"}, w)
	if a.SBOM == nil || a.SBOM.Documents != 2 || a.SBOM.Named != 2 || !slices.Equal(a.SBOM.Missing, []string{"redis"}) {
		t.Errorf("got %+v, trouble %+v", a.SBOM, a.Trouble)
	}
}

func TestWithoutAReaderNothingIsSaidOfAnSBOM(t *testing.T) {
	if a := disclosure.CollectSBOM(t.Context(), transparency.Target{URL: "https://example.org/"}, transparency.World{}); a.Trouble == nil || a.Trouble.Outcome() != audit.DNF {
		t.Errorf("got %+v, want DNF", a.Trouble)
	}
}
