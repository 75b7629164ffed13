package reports

import (
	"cmp"
	"strings"
)

// Languages are those that Options.Lang may name; "" is English. What is written in all of them: title, rationale and remedy
// of findings, the words for outcomes, and the tables of other frameworks. The rest of a report is English.
func Languages() []string { return []string{"en", "de", "fr"} }

// Words is one text in each language that it was written in; English is always there.
type Words struct {
	En string `json:"en"`
	De string `json:"de,omitempty"`
	Fr string `json:"fr,omitempty"`
}

// In returns the text in a language, or in English where nobody wrote it in that language.
func (t Words) In(lang string) string { return cmp.Or(t.only(lang), t.En) }

// only is the text in a language and nothing else.
func (t Words) only(lang string) string {
	switch lang {
	case "de":
		return t.De
	case "fr":
		return t.Fr
	}
	return t.En
}

// Term is a word of the policy's glossary.
type Term struct {
	ID   string `json:"id"`
	Word Words  `json:"word"`
}

// RequirementText is what findings of one requirement say in all languages.
type RequirementText struct {
	ID        string `json:"id"`
	Title     Words  `json:"title"`
	Rationale Words  `json:"rationale"`
	Remedy    Words  `json:"remedy"`
}

// translated returns the report with the texts of its findings in a language; the report that is given stays as it is.
func translated(r Report, lang string) Report {
	if lang == "" || lang == "en" || len(r.Texts) == 0 {
		return r
	}
	texts := map[string]RequirementText{}
	for _, t := range r.Texts {
		texts[t.ID] = t
	}
	findings := make([]Finding, len(r.Findings))
	for i, f := range r.Findings {
		if t, ok := texts[f.Requirement]; ok {
			f.Title, f.Rationale = t.Title.In(lang), t.Rationale.In(lang)
			if f.Remedy == t.Remedy.En { // else it says something more than the requirement does
				f.Remedy = t.Remedy.In(lang)
			}
		}
		findings[i] = f
	}
	r.Findings = findings
	return r
}

// lexicon leads from the English word of a sign to the word of the glossary in another language. The zero value leaves words
// as they are.
type lexicon map[string]string

// lexiconOf reads the words for outcomes and verdicts from the report's own glossary.
func lexiconOf(r Report, lang string) lexicon {
	if lang == "" || lang == "en" {
		return nil
	}
	signs := map[string]string{
		"eligible": "eligible", "not-eligible": "not eligible", "undetermined": "undetermined", "pass": "holds", "fail": "fails",
		"miss": "not looked at", "dnf": "looked, could not tell", "not-applicable": "does not apply",
	}
	out := lexicon{}
	for _, t := range r.Words {
		if english, ok := signs[t.ID]; ok && t.Word.only(lang) != "" {
			out[english] = t.Word.only(lang)
		}
	}
	return out
}

func (l lexicon) of(word string) string { return cmp.Or(l[word], word) }

// label is a short text of the reports themselves, in all languages.
func label(lang, id string) string {
	for _, l := range phrases {
		if l.id == id {
			return l.Words.In(lang)
		}
	}
	return id
}

// fill is label with {name} replaced; names and values alternate.
func fill(lang, id string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(label(lang, id))
}

var phrases = [...]struct {
	id string
	Words
}{
	{"frameworks", Words{"Other frameworks", "Andere Rahmenwerke", "Autres référentiels"}},
	{"frameworks-note", Words{
		"What the findings support in other frameworks. Whether anybody meets a framework is decided by whoever judges by it, not here.",
		"Was die Befunde in anderen Rahmenwerken stützen. Ob jemand ein Rahmenwerk erfüllt, entscheidet, wer danach urteilt, nicht dieser Bericht.",
		"Ce que les constats soutiennent dans d'autres référentiels. Si quelqu'un remplit un référentiel, c'est à ceux qui jugent selon lui d'en décider, pas à ce rapport.",
	}},
	{"unverified", Words{"not verified against the text itself", "nicht am Text selbst geprüft", "non vérifié dans le texte même"}},
	{"criterion", Words{"Criterion", "Kriterium", "Critère"}},
	{"asks", Words{"Asks for", "Verlangt", "Demande"}},
	{"gives", Words{"What the findings give", "Was die Befunde beitragen", "Ce qu'apportent les constats"}},
	{"strength", Words{"Strength", "Stärke", "Force"}},
	{"answer", Words{"Answer", "Antwort", "Réponse"}},
	{"strength-E", Words{"E, direct evidence", "E, direkter Nachweis", "E, preuve directe"}},
	{"strength-P", Words{"P, part of it", "P, ein Teil davon", "P, une partie"}},
	{"strength-C", Words{"C, context only", "C, nur Zusammenhang", "C, contexte seulement"}},
	{Supports, Words{"supports", "stützt", "soutient"}},
	{NotSupports, Words{"does not support", "stützt nicht", "ne soutient pas"}},
	{NotDecided, Words{"not decided", "nicht entschieden", "non décidé"}},
	{NoFinding, Words{"no finding speaks to it", "kein Befund sagt etwas dazu", "aucun constat n'en parle"}},
	{"support-fails", Words{"fails: {titles}", "verletzt: {titles}", "enfreint : {titles}"}},
	{"support-open", Words{"open: {titles}", "offen: {titles}", "ouvert : {titles}"}},
	{"support-declared", Words{"said by the operator only: {titles}", "nur vom Betreiber gesagt: {titles}", "dit par l'opérateur seulement : {titles}"}},
	{"support-count", Words{
		"{name}: supports {yes} of {all} criteria, {open} not decided, {no} not supported.",
		"{name}: stützt {yes} von {all} Kriterien, {open} nicht entschieden, {no} nicht gestützt.",
		"{name} : soutient {yes} critères sur {all}, {open} non décidés, {no} non soutenus.",
	}},
	{"support-none", Words{
		"{n} other frameworks: no criterion is supported by findings of this audit yet. The HTML report lists them.",
		"{n} andere Rahmenwerke: Noch kein Kriterium wird durch Befunde dieser Prüfung gestützt. Der HTML-Bericht führt sie auf.",
		"{n} autres référentiels : aucun critère n'est encore soutenu par les constats de cet audit. Le rapport HTML les énumère.",
	}},
	{"support-rest", Words{
		"{n} more frameworks without a supported criterion; the HTML report lists them.",
		"{n} weitere Rahmenwerke ohne gestütztes Kriterium; der HTML-Bericht führt sie auf.",
		"{n} autres référentiels sans critère soutenu ; le rapport HTML les énumère.",
	}},
}
