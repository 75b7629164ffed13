package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// glossaryFile holds the words of a policy. It is a file of the policy like the others and counts in its digest: reports in
// other languages are written with its words, and the same bundle must give the same bytes.
const glossaryFile = "glossary.yaml"

// mostTerms bounds a glossary.
const mostTerms = 500

// Term is one thing with its word in each language.
type Term struct {
	ID       string
	Words    map[string]Word // by language; those of Languages are all there
	Everyday bool            // the English word has an everyday sense too
}

// Word is what a thing is called in one language.
type Word struct {
	Word    string
	Meaning string   // in one line
	Forms   []string // other forms or stems that count as the word
	Avoid   []string // words that must not stand for it
}

// Glossary lists the words of the policy, in the order of its file. A policy needs none.
func (p *Policy) Glossary() []Term { return slices.Clone(p.glossary) }

// Term returns one term by id.
func (p *Policy) Term(id string) (Term, bool) {
	at := slices.IndexFunc(p.glossary, func(t Term) bool { return t.ID == id })
	if at < 0 {
		return Term{}, false
	}
	return p.glossary[at], true
}

// In returns the word in a language, or the English one.
func (t Term) In(lang string) string { return cmp.Or(t.Words[lang].Word, t.Words["en"].Word) }

// terms reads the glossary.
func (l *loader) terms(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "terms")
	r.oneOf(root, m, "schema", Schema)
	list := r.entries(m["terms"])
	if m != nil && len(list) == 0 {
		r.problem(root, "a glossary has at least one term")
	}
	if len(list) > mostTerms {
		r.problem(m["terms"], "a glossary has at most %d terms", mostTerms)
		return
	}
	for _, n := range list {
		m := r.mapping(n, append([]string{"id", "everyday"}, Languages()...)...)
		t := Term{ID: r.identifier(n, m, "id"), Everyday: r.boolean(m["everyday"]), Words: map[string]Word{}}
		for _, lang := range Languages() {
			if m != nil && m[lang] == nil {
				r.problem(n, "%q is missing: the word in that language", lang)
			}
			if w, ok := r.word(m[lang]); ok {
				t.Words[lang] = w
			}
		}
		if slices.ContainsFunc(l.policy.glossary, func(o Term) bool { return o.ID == t.ID }) {
			r.problem(n, "term %q exists already", t.ID)
			continue
		}
		l.policy.glossary = append(l.policy.glossary, t)
	}
}

func (r *reader) word(n *yaml.Node) (Word, bool) {
	if n == nil {
		return Word{}, false
	}
	m := r.mapping(n, "word", "meaning", "forms", "avoid")
	w := Word{Word: r.needed(n, m, "word"), Meaning: r.needed(n, m, "meaning"), Forms: r.texts(m["forms"]), Avoid: r.texts(m["avoid"])}
	for _, a := range w.Avoid {
		if strings.EqualFold(a, w.Word) || slices.ContainsFunc(w.Forms, func(f string) bool { return strings.EqualFold(a, f) }) {
			r.problem(m["avoid"], "%q cannot be the word and be avoided", clean(a))
		}
	}
	return w, m != nil
}

// Wording lists where texts of the policy leave its glossary: an avoided word in its language, and a title whose English
// holds a term while the title in another language holds neither its word nor a form of it. Nil if all keep to it.
func (p *Policy) Wording() []string {
	var out []string
	for _, t := range p.texts() {
		for _, lang := range Languages() {
			for _, term := range p.glossary {
				for _, avoid := range term.Words[lang].Avoid {
					if hasWord(t.text[lang], avoid) {
						out = append(out, fmt.Sprintf("%s, %s: %q stands for %q; the word is %q", t.where, lang, avoid, term.ID, term.Words[lang].Word))
					}
				}
			}
		}
		if t.title {
			out = append(out, p.untranslated(t)...)
		}
	}
	return out
}

// untranslated holds the titles of other languages against the terms that the English title uses, longest first: "upstream
// project" is one term there and not two.
func (p *Policy) untranslated(t located) []string {
	terms := slices.DeleteFunc(p.Glossary(), func(t Term) bool { return t.Everyday })
	slices.SortStableFunc(terms, func(a, b Term) int { return cmp.Compare(len(b.In("en")), len(a.In("en"))) })
	rest := strings.ToLower(t.text["en"])
	var out []string
	for _, term := range terms {
		found := false
		for _, form := range append([]string{term.In("en")}, term.Words["en"].Forms...) {
			for _, f := range []string{form, form + "s"} {
				if cut, ok := withoutWord(rest, strings.ToLower(f)); ok {
					rest, found = cut, true
				}
			}
		}
		if !found {
			continue
		}
		for _, lang := range Languages() {
			text, w := strings.ToLower(t.text[lang]), term.Words[lang]
			if lang == "en" || text == "" {
				continue
			}
			if !slices.ContainsFunc(append([]string{w.Word}, w.Forms...), func(f string) bool { return strings.Contains(text, strings.ToLower(f)) }) {
				out = append(out, fmt.Sprintf("%s, %s: the English title says %q; here it is called %q, or one of the forms that the glossary lists", t.where, lang, term.In("en"), w.Word))
			}
		}
	}
	return out
}

// located is a text of the policy with its place.
type located struct {
	where string
	text  Text
	title bool // short and close to a term in every word
}

// texts lists every text of the policy that people read.
func (p *Policy) texts() []located {
	out := []located{{"title of the policy", p.title, true}}
	for _, q := range p.requirements {
		at := "requirement " + q.ID
		out = append(out, located{at + ", title", q.Title, true}, located{at + ", rationale", q.Rationale, false}, located{at + ", remedy", q.Remedy, false})
		for _, word := range sortedKeys(q.Because) {
			out = append(out, located{at + ", because " + word, Text{"en": q.Because[word]}, false})
		}
	}
	for _, s := range p.switches {
		out = append(out, located{"switch " + s.Name + ", title", s.Title, true})
	}
	for _, c := range p.clauses {
		out = append(out, located{"clause " + c.ID + ", says", c.Says, false}, located{"clause " + c.ID + ", refused", c.Refused, false})
	}
	for _, f := range p.crosswalk {
		at := "framework " + f.ID
		out = append(out, located{at + ", note", f.Note, false})
		for _, c := range f.Criteria {
			at := at + ", criterion " + c.ID
			out = append(out, located{at + ", asks", c.Asks, false}, located{at + ", gives", c.Gives, false}, located{at + ", note", c.Note, false})
		}
	}
	return out
}

// hasWord reports whether a text holds a word or phrase as a whole, in any case.
func hasWord(text, word string) bool {
	_, ok := withoutWord(strings.ToLower(text), strings.ToLower(word))
	return ok
}

// withoutWord takes every whole occurrence of a word out of a text; ok is false if there is none. Both are in lower case.
func withoutWord(text, word string) (rest string, ok bool) {
	if word == "" {
		return text, false
	}
	var b strings.Builder
	for {
		at := strings.Index(text, word)
		if at < 0 {
			b.WriteString(text)
			return b.String(), ok
		}
		end := at + len(word)
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[end:])
		b.WriteString(text[:at])
		if inWord(before) || inWord(after) {
			b.WriteString(text[at:end])
		} else {
			b.WriteString(" | ")
			ok = true
		}
		text = text[end:]
	}
}

func inWord(c rune) bool { return unicode.IsLetter(c) && c != utf8.RuneError || unicode.IsDigit(c) }
