package policies

import (
	"slices"
	"strings"
	"testing"
)

const tinyFramework = `schema: pegel/policy/v1
id: other
title: {en: Other}
version: "1"
date: "2026"
status: law
url: https://example.org/other
verified: true
criteria:
- id: "A 1"
  asks: {en: open}
  gives: {en: licences}
  strength: E
  requirements: [osi]
`

func TestACrosswalkHoldsTogetherWithTheRequirements(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(tinyFramework, old, new, 1) }
	for name, test := range map[string]struct{ text, want string }{
		"as it should be":                 {tinyFramework, ""},
		"context needs no requirement":    {swap("strength: E\n  requirements: [osi]", "strength: C"), ""},
		"a typo":                          {swap("[osi]", "[ossi]"), `no requirement "ossi"; did you mean "osi"?`},
		"evidence without requirement":    {swap("  requirements: [osi]\n", ""), `"requirements" is missing`},
		"an unknown strength":             {swap("strength: E", "strength: X"), "is not one of E, P, C"},
		"nobody says whether it was read": {swap("verified: true\n", ""), `"verified" is missing`},
		"unverified without a note":       {swap("verified: true", "verified: false"), `"note" is missing`},
		"another file name":               {swap("id: other", "id: another"), "stand in crosswalk/another.yaml"},
		"twice":                           {tinyFramework + strings.SplitAfter(tinyFramework, "criteria:\n")[1], "stands here twice"},
		"no criterion":                    {strings.SplitAfter(tinyFramework, "criteria:")[0] + " []\n", "one to 500 criteria"},
		"no address of the web":           {swap("https://", "file://"), "starts with https://"},
		"an id of two lines":              {swap(`"A 1"`, `"A\n1"`), "on one line"},
		"an unknown key":                  {swap("strength: E", "strenght: E"), `did you mean "strength"?`},
	} {
		files := tiny(t)
		files["crosswalk/other.yaml"] = test.text
		_, err := Load(asFS(files))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
	}
}

// The issue names these frameworks; those of Switzerland are marked as unverified.
func TestTheFrameworksAreThereInThreeLanguages(t *testing.T) {
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]Framework{}
	for _, f := range p.Crosswalk() {
		byID[f.ID] = f
		texts := []Text{f.Title}
		if f.Note != nil {
			texts = append(texts, f.Note)
		}
		for _, c := range f.Criteria {
			texts = append(texts, c.Asks, c.Gives)
			if c.Note != nil {
				texts = append(texts, c.Note)
			}
		}
		for _, text := range texts {
			for _, lang := range Languages() {
				if text[lang] == "" {
					t.Errorf("%s: no %s text for %q", f.ID, lang, text["en"])
				}
			}
		}
	}
	for _, id := range []string{"eu-csf", "bsi-c3a", "bsi-c5", "cra", "tr-03183-2", "grundschutz", "opencode", "embag", "govstack", "cada", "procurement-ch", "dsg-ch", "isg-ch", "procurement-de"} {
		if _, ok := byID[id]; !ok {
			t.Errorf("no framework %q", id)
		}
	}
	for _, id := range []string{"procurement-ch", "dsg-ch", "isg-ch", "cada", "bsi-c3a"} {
		if byID[id].Verified {
			t.Errorf("%s is said to be verified; nobody has read the text itself", id)
		}
	}
	if got := p.Supporting("stack-bom"); !slices.Contains(got, "cra/Annex I Part II (1)") {
		t.Errorf("want the SBOM to support the CRA, got %v", got)
	}
}

// Whatever a crosswalk and a glossary hold: no panic; what is accepted names only requirements that are there, gives the same
// policy of its own files, and has an English text everywhere.
func FuzzCrosswalkAndGlossary(f *testing.F) {
	p, err := Default()
	if err != nil {
		f.Fatal(err)
	}
	var glossary []byte
	for _, file := range p.Files() {
		if file.Name == glossaryFile {
			glossary = file.Data
		}
	}
	f.Add([]byte(tinyFramework), []byte("schema: pegel/policy/v1\nterms:\n- {id: a, en: {word: a, meaning: b}, de: {word: a, meaning: b}, fr: {word: a, meaning: b}}\n"))
	f.Add([]byte(strings.Replace(tinyFramework, "[osi]", "[osi, {a: b}]", 1)), glossary)
	f.Add([]byte("criteria: [{id: [1], requirements: {a: b}}]"), []byte("terms: [1, {id: a, en: x}]"))
	tinyFiles := tiny(f)
	f.Fuzz(func(t *testing.T, framework, glossary []byte) {
		files := []File{{"crosswalk/other.yaml", framework}, {glossaryFile, glossary}}
		for name, text := range tinyFiles {
			files = append(files, File{name, []byte(text)})
		}
		p, err := FromFiles(files)
		if err != nil {
			return
		}
		for _, f := range p.Crosswalk() {
			for _, c := range f.Criteria {
				if c.Asks["en"] == "" || c.Gives["en"] == "" {
					t.Fatalf("criterion %q was accepted without an English text", c.ID)
				}
				for _, id := range c.Requirements {
					if _, ok := p.Requirement(id); !ok {
						t.Fatalf("criterion %q was accepted with requirement %q, which is not there", c.ID, id)
					}
				}
			}
		}
		p.Wording()
		again, err := FromFiles(p.Files())
		if err != nil || again.Digest() != p.Digest() {
			t.Fatalf("its own files give another policy: %v", err)
		}
	})
}
