package policies

import (
	"strings"
	"testing"
)

func TestEveryTextOfThePolicyKeepsToTheGlossary(t *testing.T) {
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Glossary()); n < 60 {
		t.Errorf("the glossary has %d terms; at least 60 are needed", n)
	}
	for _, w := range p.Wording() {
		t.Error(w)
	}
}

func TestAnAvoidedWordAndAMissingTermAreFound(t *testing.T) {
	const glossary = `schema: pegel/policy/v1
terms:
- id: status-page
  en: {word: status page, meaning: a, avoid: [state page]}
  de: {word: Statusseite, meaning: a, forms: [Statusseiten], avoid: [Statuspage]}
  fr: {word: "page d'état", meaning: a}
- id: page
  en: {word: page, meaning: a}
  de: {word: Seite, meaning: a}
  fr: {word: page, meaning: a}
- id: open
  everyday: true
  en: {word: open, meaning: a}
  de: {word: offen, meaning: a}
  fr: {word: ouvert, meaning: a}
`
	for name, test := range map[string]struct{ title, want string }{
		"as it should be":          {`{en: An open status page, de: Die Statusseite, fr: "La page d'état"}`, ""},
		"a form counts":            {`{en: Status pages, de: Die Statusseiten}`, ""},
		"not yet translated":       {`{en: A status page}`, ""},
		"avoided":                  {`{en: A status page, de: Die Statuspage und die Statusseite}`, `de: "Statuspage" stands for "status-page"`},
		"avoided in English":       {`{en: A State Page}`, `en: "state page"`},
		"part of a word is none":   {`{en: OSI, de: Statuspages}`, ""},
		"another word":             {`{en: A status page, fr: La page}`, `the English title says "status page"; here it is called "page d'état"`},
		"the longer term is meant": {`{en: A status page, de: Statusseite, fr: "page d'état"}`, ""},
		"the shorter alone":        {`{en: A page, de: Ein Blatt}`, `says "page"; here it is called "Seite"`},
	} {
		files := tiny(t)
		files["glossary.yaml"] = glossary
		files["modules/licences.yaml"] = strings.Replace(tinyModule, "{en: OSI}", test.title, 1)
		p, err := Load(asFS(files))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := strings.Join(p.Wording(), "\n")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: want %q, got %q", name, test.want, got)
		}
	}
}

func TestAGlossaryIsReadStrictly(t *testing.T) {
	const head = "schema: pegel/policy/v1\nterms:\n"
	const good = "- id: a\n  en: {word: a, meaning: b}\n  de: {word: a, meaning: b}\n  fr: {word: a, meaning: b}\n"
	for name, test := range map[string]struct{ text, want string }{
		"as it should be":    {head + good, ""},
		"a language missing": {head + strings.Replace(good, "  fr: {word: a, meaning: b}\n", "", 1), `"fr" is missing`},
		"no meaning":         {head + strings.Replace(good, "meaning: b", "forms: [b]", 1), `"meaning" is missing`},
		"twice":              {head + good + good, `term "a" exists already`},
		"word and avoided":   {head + strings.Replace(good, "meaning: b", "meaning: b, avoid: [A]", 1), "cannot be the word and be avoided"},
		"an unknown key":     {head + strings.Replace(good, "meaning: b", "meaning: b, avoids: [c]", 1), `did you mean "avoid"?`},
		"no term":            {"schema: pegel/policy/v1\nterms: []\n", "at least one term"},
		"not one of ours":    {strings.Replace(head, "policy/v1", "policy/v2", 1) + good, "schema"},
		"nothing but a list": {"- a\n", "a mapping with the keys"},
	} {
		files := tiny(t)
		files["glossary.yaml"] = test.text
		_, err := Load(asFS(files))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
	}
}

func TestATextFallsBackToEnglish(t *testing.T) {
	text := Text{"en": "a", "de": "b"}
	for lang, want := range map[string]string{"en": "a", "de": "b", "fr": "a", "": "a"} {
		if got := text.In(lang); got != want {
			t.Errorf("%q: want %q, got %q", lang, want, got)
		}
	}
}
