package incidentreport

import "strings"

// Parts of a report, as transparency.IncidentReport names them.
const (
	summary    = "summary"
	impact     = "impact"
	timeline   = "timeline"
	rootCause  = "root-cause"
	resolution = "resolution"
	actions    = "actions"
	lessons    = "lessons"
)

// parts lists the parts in the order of every answer.
func parts() []string {
	return []string{summary, impact, timeline, rootCause, resolution, actions, lessons}
}

// Longer headings are titles or sentences, and longer labels are the begin of a sentence.
const (
	maxHeadingWords = 10
	maxLabelWords   = 6
)

// headings says by which words a heading or a label announces a part, folded, in English, German and French. Sources: the
// templates of Google's SRE book (appendix D), Atlassian's and PagerDuty's public incident handbooks, the headings of the
// English reports of the training half of testdata/real.yaml; German and French by the words of BSI IT-Grundschutz DER.2.1 and
// of ANSSI's crisis guides and the reports of the training half.
var headings = map[string][]string{
	summary: {
		"summary", "executive summary", "tl dr", "tldr", "overview", "abstract", "synopsis", "what happened", "in short", "in brief",
		"at a glance", "description", "incident description", "issue description", "problem description", "the incident", "the outage", "what happens", "incident summary", "what was the issue",
		"zusammenfassung", "kurzfassung", "ueberblick", "uebersicht", "uberblick", "was ist passiert", "was war passiert", "was passiert ist", "was passierte",
		"was geschah", "was ist geschehen", "was war los", "kurz gesagt", "kurz und knapp", "beschreibung", "der vorfall", "vorfallsbeschreibung", "stoerungsbeschreibung",
		"resume", "synthese", "en bref", "sommaire", "que s est il passe", "ce qui s est passe", "ce qu il s est passe", "apercu", "les faits", "l incident", "recapitulatif",
	},
	impact: {
		"impact", "impacts", "impacted", "affected", "consequences", "blast radius", "effects", "scope", "user facing symptoms", "symptoms", "damage", "who was affected",
		"auswirkung", "auswirkungen", "betroffene", "betroffen", "betroffener", "folgen", "beeintraechtigung", "beeintraechtigungen", "schaden", "schadensausmass", "symptome",
		"incidence", "incidences", "affectes", "impactes", "concernes", "repercussions", "perimetre", "effets", "symptomes",
	},
	timeline: {
		"timeline", "timelines", "time line", "chronology", "sequence of events", "key events", "order of events", "event log", "incident log", "key timings", "course of events", "detailed timeline",
		"zeitlicher verlauf", "zeitlicher ablauf", "ablauf", "zeitverlauf", "verlauf", "chronologie", "chronologischer", "zeitleiste", "zeitlinie", "zeitachse", "hergang", "ereignisse", "zeitstrahl", "protokoll",
		"deroulement", "deroule", "frise", "fil des evenements", "evenements", "ligne de temps", "historique",
	},
	rootCause: {
		"root cause", "root causes", "cause", "causes", "caused", "contributing factors", "contributing causes", "why did", "why it happened", "why this happened", "rca", "trigger", "triggers", "diagnosis", "analysis", "technical details", "reason", "reasons", "what was the problem", "the problem", "the bug", "why this happens", "how did this happen", "how did it happen", "how this happened", "how it happened", "investigation", "background",
		"ursache", "ursachen", "grundursache", "fehlerursache", "hauptursache", "stoerungsursache", "ausloeser", "ursachenanalyse", "fehleranalyse", "analyse", "wie konnte das passieren", "warum", "wie kam es dazu", "grund", "das problem", "hintergrund",
		"cause racine", "causes racines", "causes profondes", "origine", "origines", "pourquoi", "declencheur", "diagnostic", "explication", "explications", "comment cela a t il pu arriver", "comment est ce arrive",
	},
	resolution: {
		"resolution", "recovery", "mitigation", "mitigations", "remediation", "fix", "fixes", "fixed", "how we fixed", "response", "our response", "solution", "restoration", "resolved", "how it was resolved", "recovered", "containment", "workaround", "solving", "what was done", "what we did", "what did we do",
		"behebung", "loesung", "losung", "wiederherstellung", "fehlerbehebung", "entstoerung", "stoerungsbehebung", "sofortmassnahmen", "sofortmassnahme", "gegenmassnahmen", "beseitigung", "problemloesung", "reaktion", "behoben", "was wir getan haben", "was wurde getan",
		"retablissement", "correction", "correctif", "correctifs", "reparation", "retour a la normale", "remise en service", "qu avons nous fait", "ce que nous avons fait", "restauration", "reprise",
	},
	actions: {
		"actions", "action", "action items", "action points", "follow up", "follow ups", "followup", "followups", "next steps", "corrective", "preventive", "preventative", "prevention", "preventing", "prevent", "what we are doing", "what are we doing", "what we re doing",
		"going forward", "moving forward", "future", "improvements", "improvement", "process improvements", "what s next", "what we changed", "what we ve changed", "what next", "review actions", "steps we are taking", "planned changes", "remediations", "recommendations", "to do", "todo", "todos", "possible improvements", "long term changes", "how are we preventing",
		"massnahme", "massnahmen", "folgemassnahmen", "verbesserung", "verbesserungen", "naechste schritte", "die naechsten schritte", "vermeidung", "praevention", "was wir tun", "ausblick", "konsequenzen", "was wir verbessern", "was wir aendern", "was wir besser machen", "in zukunft", "zukuenftig", "kuenftig", "kuenftige", "vorbeugung", "wie geht es weiter", "wie es weitergeht", "handlungsbedarf", "vorkehrungen",
		"mesures", "mesure", "plan d action", "plan d actions", "prochaines etapes", "ameliorations", "amelioration", "a venir", "suites", "actions correctives", "actions preventives", "et apres", "et maintenant", "ce qu on a change", "ce que nous avons change", "pour l avenir", "a l avenir", "prochainement", "suite a donner", "recommandations",
	},
	lessons: {
		"lessons", "lessons learned", "lessons learnt", "lesson", "learnings", "learning", "what we learned", "what we ve learned", "what went well", "what went wrong", "what didn t go so well", "what went badly", "what went poorly", "where we got lucky", "what could have gone better", "takeaways", "takeaway", "insights", "what could be improved", "retrospective", "reflections", "conclusion", "conclusions", "went well",
		"erkenntnisse", "erkenntnis", "lehren", "gelernt", "was lief gut", "was gut lief", "was lief schlecht", "gut gelaufen", "gelernte", "fazit", "schlussfolgerungen", "schlussfolgerung", "lektionen",
		"enseignements", "enseignement", "lecons", "retour d experience", "ce que nous avons appris", "appris", "apprentissages", "ce qui a bien", "ce qui s est bien passe", "ce qui a moins bien", "bilan", "retex", "rex",
	},
}

// partsOf returns the parts that a heading or label announces.
func partsOf(heading string, maxWords int) []string {
	if len(heading) > 200 {
		return nil
	}
	folded := unnumber(fold(heading))
	if n := len(strings.Fields(folded)); n == 0 || n > maxWords || strings.HasPrefix(folded, "time to ") || strings.HasPrefix(folded, "temps de ") {
		return nil
	}
	var out []string
	for _, p := range parts() {
		if hasAny(folded, headings[p]) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// unnumber drops the number of a heading.
func unnumber(folded string) string {
	words := strings.Fields(folded)
	for len(words) > 1 && strings.Trim(words[0], "0123456789") == "" {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// Words that tell the language of a text: the most frequent ones that the other two languages do not have.
var languageWords = map[string][]string{
	"en": {"the", "and", "was", "were", "of", "that", "with", "this", "for", "is", "we", "it", "from", "have"},
	"de": {"der", "und", "wurde", "wurden", "nicht", "mit", "das", "ist", "ein", "eine", "auf", "wir", "zu", "auch"},
	"fr": {"le", "les", "des", "et", "une", "est", "pour", "que", "dans", "nous", "sur", "ete", "avec", "aux", "la", "du", "un"},
}

// languageOf returns the language whose small words a folded text has most of; "" if there are too few to tell.
func languageOf(folded string) string {
	count := map[string]int{}
	for w := range strings.FieldsSeq(folded) {
		count[w]++
	}
	best, most, second := "", 0, 0
	for _, lang := range []string{"en", "de", "fr"} {
		n := 0
		for _, w := range languageWords[lang] {
			n += count[w]
		}
		if n > most {
			best, most, second = lang, n, most
		} else {
			second = max(second, n)
		}
	}
	if most < 4 || most < second+second/2 {
		return ""
	}
	return best
}
