package reports

import "cmp"

// Term is a word of the policy's glossary.
type Term struct {
	ID   string `json:"id"`
	Word Words  `json:"word"`
}

// translated returns the report with the texts of its findings in a language; the report that is given stays as it is.
func translated(r Report, lang string) Report {
	if lang == "" || lang == "en" || len(r.Requirements) == 0 {
		return r
	}
	texts := map[string]Requirement{}
	for _, t := range r.Requirements {
		texts[t.ID] = t
	}
	findings := make([]Finding, len(r.Findings))
	for i, f := range r.Findings {
		if t, ok := texts[f.Requirement]; ok {
			f.Title, f.Rationale = t.Title.In(lang), t.Rationale.In(lang)
			if f.Remedy == t.Remedy["en"] { // else it says something more than the requirement does
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
		if english, ok := signs[t.ID]; ok && t.Word[lang] != "" {
			out[english] = t.Word[lang]
		}
	}
	return out
}

func (l lexicon) of(word string) string { return cmp.Or(l[word], word) }

// label is a short text of the reports themselves, in all languages.
func label(lang, id string) string {
	for _, l := range phrases {
		if l.id == id {
			return l.in(lang)
		}
	}
	return id
}

// fill is label with {name} replaced; names and values alternate.
func fill(lang, id string, pairs ...string) string {
	return fillIn(label(lang, id), pairs...)
}

var phrases = [...]struct {
	id string
	phrase
}{
	{"frameworks", phrase{"Other frameworks", "Andere Rahmenwerke", "Autres référentiels"}},
	{"frameworks-note", phrase{
		"What the findings support in other frameworks. Whether anybody meets a framework is decided by whoever judges by it, not here.",
		"Was die Befunde in anderen Rahmenwerken stützen. Ob jemand ein Rahmenwerk erfüllt, entscheidet, wer danach urteilt, nicht dieser Bericht.",
		"Ce que les constats soutiennent dans d'autres référentiels. Si quelqu'un remplit un référentiel, c'est à ceux qui jugent selon lui d'en décider, pas à ce rapport.",
	}},
	{"unverified", phrase{"not verified against the text itself", "nicht am Text selbst geprüft", "non vérifié dans le texte même"}},
	{"criterion", phrase{"Criterion", "Kriterium", "Critère"}},
	{"asks", phrase{"Asks for", "Verlangt", "Demande"}},
	{"gives", phrase{"What the findings give", "Was die Befunde beitragen", "Ce qu'apportent les constats"}},
	{"strength", phrase{"Strength", "Stärke", "Force"}},
	{"answer", phrase{"Answer", "Antwort", "Réponse"}},
	{"strength-E", phrase{"E, direct evidence", "E, direkter Nachweis", "E, preuve directe"}},
	{"strength-P", phrase{"P, part of it", "P, ein Teil davon", "P, une partie"}},
	{"strength-C", phrase{"C, context only", "C, nur Zusammenhang", "C, contexte seulement"}},
	{Supports, phrase{"supports", "stützt", "soutient"}},
	{NotSupports, phrase{"does not support", "stützt nicht", "ne soutient pas"}},
	{NotDecided, phrase{"not decided", "nicht entschieden", "non décidé"}},
	{NoFinding, phrase{"no finding speaks to it", "kein Befund sagt etwas dazu", "aucun constat n'en parle"}},
	{"support-fails", phrase{"fails: {titles}", "verletzt: {titles}", "enfreint : {titles}"}},
	{"support-open", phrase{"open: {titles}", "offen: {titles}", "ouvert : {titles}"}},
	{"support-declared", phrase{"said by the operator only: {titles}", "nur vom Betreiber gesagt: {titles}", "dit par l'opérateur seulement : {titles}"}},
	{"support-count", phrase{
		"{name}: supports {yes} of {all} criteria, {open} not decided, {no} not supported.",
		"{name}: stützt {yes} von {all} Kriterien, {open} nicht entschieden, {no} nicht gestützt.",
		"{name} : soutient {yes} critères sur {all}, {open} non décidés, {no} non soutenus.",
	}},
	{"support-none", phrase{
		"{n} other frameworks: no criterion is supported by findings of this audit yet. The HTML report lists them.",
		"{n} andere Rahmenwerke: Noch kein Kriterium wird durch Befunde dieser Prüfung gestützt. Der HTML-Bericht führt sie auf.",
		"{n} autres référentiels : aucun critère n'est encore soutenu par les constats de cet audit. Le rapport HTML les énumère.",
	}},
	{"support-rest", phrase{
		"{n} more frameworks without a supported criterion; the HTML report lists them.",
		"{n} weitere Rahmenwerke ohne gestütztes Kriterium; der HTML-Bericht führt sie auf.",
		"{n} autres référentiels sans critère soutenu ; le rapport HTML les énumère.",
	}},
}
