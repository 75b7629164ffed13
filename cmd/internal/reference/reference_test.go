package reference

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/policies"
)

var update = flag.Bool("update", false, "write the reference pages anew")

func pages(t *testing.T) map[string][]byte {
	t.Helper()
	p, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	files, err := policies.DefaultCases()
	if err != nil {
		t.Fatal(err)
	}
	cases, problems := p.ParseCases(files)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	out := map[string][]byte{}
	for _, lang := range policies.Languages() {
		out[lang] = Page(p, cases, lang)
	}
	return out
}

func TestTheReferencePagesAreUpToDate(t *testing.T) {
	for lang, now := range pages(t) {
		name := filepath.Join("..", "..", "..", "docs", "policy."+lang+".md")
		if *update {
			if err := os.WriteFile(name, now, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		there, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(there, now) {
			t.Errorf("docs/policy.%s.md is not up to date; run make generate", lang)
		}
	}
}

func TestTheFirstLineSaysThatThisIsAProposal(t *testing.T) {
	p, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	for lang, page := range pages(t) {
		first, _, _ := strings.Cut(string(page), "\n")
		want := map[string]string{"en": "a proposal of Pegel, not an SCS standard", "de": "ein Vorschlag von Pegel, kein SCS-Standard", "fr": "une proposition de Pegel, pas un standard SCS"}[lang]
		for _, want := range []string{want, p.ID(), p.Version(), string(p.Digest())} {
			if !strings.Contains(first, want) {
				t.Errorf("%s: the first line does not say %q: %s", lang, want, first)
			}
		}
	}
}

// An auditor who follows a link inside of the page arrives, and finds every requirement, clause and switch.
func TestEveryPartHasItsAnchorAndEveryLinkLeadsToOne(t *testing.T) {
	p, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	for lang, page := range pages(t) {
		anchors := map[string]int{}
		for _, m := range regexp.MustCompile(`<a id="([^"]*)">`).FindAllSubmatch(page, -1) {
			anchors[string(m[1])]++
		}
		for id, n := range anchors {
			if n > 1 {
				t.Errorf("%s: anchor %q stands there %d times", lang, id, n)
			}
		}
		for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllSubmatch(page, -1) {
			if anchors[string(m[1])] == 0 {
				t.Errorf("%s: a link leads to %q, which is nowhere", lang, m[1])
			}
		}
		for _, q := range p.Requirements() {
			if anchors[q.ID] == 0 || !bytes.Contains(page, []byte(q.Pass)) && !strings.Contains(q.Pass, "`") {
				t.Errorf("%s: requirement %s has no anchor, or its rule is not shown", lang, q.ID)
			}
		}
		for _, s := range p.Scopes() {
			if anchors[s.ID] == 0 {
				t.Errorf("%s: scope %s has no anchor", lang, s.ID)
			}
		}
		for _, c := range p.Clauses() {
			if anchors[strings.ReplaceAll(c.ID, "/", "--")] == 0 {
				t.Errorf("%s: clause %s has no anchor", lang, c.ID)
			}
		}
		if lang == "en" && bytes.Contains(page, []byte(" (en)")) {
			t.Error("the English page marks texts as not translated")
		}
	}
}

// The tables of sources may say what others demand and quote them; what we say of other frameworks may not.
func TestTheTablesOfFrameworksSayNowhereThatAnybodyIsCompliant(t *testing.T) {
	never := regexp.MustCompile(`(?i)\bcompliant\b|compliance with|konform\b|\bconforme\b`)
	for lang, page := range pages(t) {
		from, to := bytes.Index(page, []byte(`<a id="framework-`)), bytes.Index(page, []byte(`<a id="term-`))
		if from < 0 || to < from {
			t.Fatalf("%s: the page has no tables of frameworks before its glossary", lang)
		}
		if found := never.Find(page[from:to]); found != nil {
			t.Errorf("%s: %q", lang, found)
		}
	}
}
