//go:build live

package policies

import (
	"regexp"
	"strings"
	"testing"
)

// clausesOf are the clauses in the main file of a document, and the lines of that file.
func clausesOf(t *testing.T, id string) ([]string, []Clause) {
	t.Helper()
	var out []Clause
	for _, c := range builtIn(t).Clauses() {
		if c.Document.ID == id && c.File() == c.Document.Path {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no clause of %s", id)
	}
	text, err := pinned(t.Context(), out[0])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(text, "\n"), out
}

func quotedIn(text string, line int, clauses []Clause) (ids []string) {
	for _, c := range clauses {
		if c.Line == line && strings.Contains(strings.Join(strings.Fields(text), " "), c.Quote) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

var (
	markdownLink = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)|<([^>]*)>`)
	sentenceEnd  = regexp.MustCompile(`[.?](\s+|$)`)
	bullet       = regexp.MustCompile(`^\s*\* `)
	chapter      = regexp.MustCompile(`^## (6\.\d)`)
)

// Each sentence of the manifesto, headings that are sentences included, is quoted by exactly one clause.
func TestEverySentenceOfTheManifestoIsAClause(t *testing.T) {
	lines, clauses := clausesOf(t, manifesto)
	sentences, head := 0, false
	for i, text := range lines {
		switch {
		case text == "---":
			head = !head && i == 0
			continue
		case head || strings.HasPrefix(text, "{%") || strings.TrimSpace(text) == "":
			continue
		case strings.HasPrefix(text, "#") && !strings.Contains(text, "We"): // "About this manifesto"
			continue
		}
		text = markdownLink.ReplaceAllString(text, "$1$2")
		for _, s := range sentenceEnd.Split(strings.TrimLeft(text, "# "), -1) {
			if strings.TrimSpace(s) == "" {
				continue
			}
			sentences++
			n := 0
			for _, c := range clauses {
				if c.Line == i+1 && strings.Contains(s, strings.TrimRight(c.Quote, ".?")) {
					n++
				}
			}
			if n != 1 {
				t.Errorf("line %d: %d clauses quote the sentence %q", i+1, n, s)
			}
		}
	}
	if sentences != len(clauses) {
		t.Errorf("%d sentences, %d clauses", sentences, len(clauses))
	}
	t.Logf("%d sentences of the manifesto, each with its clause", sentences)
}

// Each bullet of the chapters 6.2, 6.4 and 6.5 of GovStack is quoted by exactly one clause.
func TestEveryBulletOfGovStackIsAClause(t *testing.T) {
	lines, clauses := clausesOf(t, "govstack")
	bullets, in := 0, ""
	for i, text := range lines {
		if m := chapter.FindStringSubmatch(text); m != nil {
			in = m[1]
		}
		if in != "6.2" && in != "6.4" && in != "6.5" || !bullet.MatchString(text) {
			continue
		}
		bullets++
		if ids := quotedIn(text, i+1, clauses); len(ids) != 1 {
			t.Errorf("line %d: quoted by %q", i+1, ids)
		}
	}
	if bullets != len(clauses) {
		t.Errorf("%d bullets, %d clauses", bullets, len(clauses))
	}
	t.Logf("%d bullets of GovStack, each with its clause", bullets)
}
