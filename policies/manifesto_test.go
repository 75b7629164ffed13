package policies

import (
	"slices"
	"testing"
)

// manifesto is the document whose sentences each have an answer of their own.
const manifesto = "open-operations-manifesto"

// sentencesServed lists the sentences of the manifesto that a requirement rests on. How to sign stands in another file.
func sentencesServed(q Requirement) []string {
	var out []string
	for _, c := range q.Sources {
		if c.Document.ID == manifesto && c.File() == c.Document.Path {
			out = append(out, c.ID)
		}
	}
	return out
}

func TestEachSentenceOfTheManifestoHasARequirementOfItsOwnOrAReasonWhyNot(t *testing.T) {
	p := builtIn(t)
	for _, q := range p.Requirements() {
		if s := sentencesServed(q); len(s) > 1 {
			t.Errorf("%s hides %d sentences of the manifesto: %q", q.ID, len(s), s)
		}
	}
	served, refused := 0, 0
	lines := map[int]bool{}
	for _, c := range p.Clauses() {
		if c.Document.ID != manifesto {
			continue
		}
		lines[c.Line] = true
		switch by := p.Serving(c.ID); {
		case c.Quote == "" || c.Line == 0:
			t.Errorf("%s quotes nothing of the manifesto", c.ID)
		case c.Refused != nil:
			refused++
		case len(by) == 0:
			t.Errorf("%s has no answer", c.ID)
		default:
			served++
		}
	}
	if served < 15 || refused < 20 {
		t.Errorf("%d sentences are served and %d refused; the manifesto has more of both", served, refused)
	}
	// Every paragraph of the manifesto, and every heading that is a sentence.
	for _, line := range []int{6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 36, 38, 42, 48} {
		if !lines[line] {
			t.Errorf("no clause stands in line %d of the manifesto", line)
		}
	}
}

// The topics that the proposal adds to what SCS has written down: each is there, in the levels that its source speaks of.
func TestWhatNoStandardHasYetIsInTheLevelsOfItsSource(t *testing.T) {
	p := builtIn(t)
	for id, levels := range map[string][]string{
		"patches-public":      {"scs-open", "scs-sovereign"},
		"patches-linked":      {"scs-open", "scs-sovereign"},
		"upgrades-tested":     {"scs-open", "scs-sovereign"},
		"identity-federation": {"scs-sovereign"},
		"insourcing":          {"scs-sovereign"},
	} {
		q, ok := p.Requirement(id)
		if !ok || q.Severity != Should {
			t.Errorf("%s: want a should, got %q (there: %v)", id, q.Severity, ok)
		}
		for _, s := range p.Scopes() {
			if got, want := slices.Contains(s.Include, id), slices.Contains(levels, s.Level); got != want {
				t.Errorf("%s asks for %s: got %v, want %v", s.ID, id, got, want)
			}
		}
	}
}

func TestOperatorRequirementsSpeakThreeLanguages(t *testing.T) {
	for _, q := range builtIn(t).Requirements() {
		if q.ForEach != KindOperator {
			continue
		}
		for what, text := range map[string]Text{"title": q.Title, "rationale": q.Rationale, "remedy": q.Remedy} {
			for _, lang := range []string{"en", "de", "fr"} {
				if text[lang] == "" {
					t.Errorf("%s has no %s in %q", q.ID, what, lang)
				}
			}
		}
		for _, c := range q.Sources {
			if c.Document.ID == manifesto || c.Document.ID == "govstack" {
				for _, lang := range []string{"en", "de", "fr"} {
					if c.Says[lang] == "" {
						t.Errorf("%s says nothing in %q", c.ID, lang)
					}
				}
			}
		}
	}
}
