package reports

import (
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// phrase is one label of an explanation in the languages that it speaks: English, German, French. The words are those of the
// glossary of the policy (policies/data/glossary.yaml).
type phrase [3]string

func (p phrase) in(lang string) string {
	switch lang {
	case "de":
		return p[1]
	case "fr":
		return p[2]
	}
	return p[0]
}

var (
	wordHolds       = phrase{"holds", "erfüllt", "rempli"}
	wordFails       = phrase{"fails", "verletzt", "enfreint"}
	wordMiss        = phrase{"not looked at", "nicht angesehen", "non examiné"}
	wordDNF         = phrase{"could not tell", "nicht feststellbar", "non établi"}
	wordNA          = phrase{"does not apply", "trifft nicht zu", "sans objet"}
	wordTrue        = phrase{"true", "wahr", "vrai"}
	wordFalse       = phrase{"false", "falsch", "faux"}
	wordUnknown     = phrase{"not known", "nicht bekannt", "inconnu"}
	wordYes         = phrase{"yes", "ja", "oui"}
	wordNo          = phrase{"no", "nein", "non"}
	wordMust        = phrase{"must", "Muss", "obligation"}
	wordShould      = phrase{"should", "Soll", "recommandation"}
	labelAnswer     = phrase{"Answer", "Antwort", "Réponse"}
	labelFinding    = phrase{"Finding", "Befund", "Constat"}
	labelRequired   = phrase{"Requirement", "Anforderung", "Exigence"}
	labelSubject    = phrase{"Subject", "Gegenstand", "Sujet"}
	labelReason     = phrase{"Reason", "Grund", "Raison"}
	labelWaived     = phrase{"Waiver", "Ausnahme", "Dérogation"}
	labelScopes     = phrase{"Counts for", "Zählt für", "Compte pour"}
	labelDecides    = phrase{"Decides", "Entscheidet über", "Décide de"}
	labelRationale  = phrase{"Why it is asked", "Begründung", "Justification"}
	labelSources    = phrase{"Sources", "Quellen", "Sources"}
	labelRule       = phrase{"How the rule decided", "Wie die Regel entschied", "Comment la règle a décidé"}
	labelApplies    = phrase{"Does it apply?", "Trifft sie zu?", "S'applique-t-elle ?"}
	labelHoldsIt    = phrase{"Does it hold?", "Ist sie erfüllt?", "Est-elle remplie ?"}
	labelFacts      = phrase{"Facts and evidence", "Tatsachen und Nachweise", "Faits et preuves"}
	labelMeasured   = phrase{"measured", "gemessen", "mesuré"}
	labelDeclared   = phrase{"declared by the operator", "vom Betreiber erklärt", "déclaré par l'opérateur"}
	labelObserved   = phrase{"observed", "beobachtet", "observé"}
	labelUntil      = phrase{"counts until", "zählt bis", "compte jusqu'au"}
	labelSeen       = phrase{"Seen", "Gesehen", "Vu"}
	labelWhyUnknown = phrase{"Why not known", "Warum nicht bekannt", "Pourquoi inconnu"}
	labelOrigin     = phrase{"Read from", "Gelesen aus", "Lu dans"}
	labelInBundle   = phrase{"In the bundle", "Im Bündel", "Dans le paquet"}
	labelNotNamed   = phrase{"no source is named", "keine Quelle ist genannt", "aucune source n'est nommée"}
	labelBytes      = phrase{"bytes", "Bytes", "octets"}
	labelPointer    = phrase{"pointer", "Zeiger", "pointeur"}
	labelWithheld   = phrase{"withheld", "zurückgehalten", "retenu"}
	labelRemedy     = phrase{"Remedy", "Abhilfe", "Remède"}
	labelOwner      = phrase{"Who can fix it", "Wer es beheben kann", "Qui peut y remédier"}
	labelSettle     = phrase{"What would settle it", "Was es klären würde", "Ce qui l'établirait"}
	labelValid      = phrase{"Holds until", "Gilt bis", "Vaut jusqu'au"}
	labelExample    = phrase{"Shown for", "Gezeigt für", "Montré pour"}
	labelOverruled  = phrase{"The rule alone says", "Die Regel allein sagt", "La règle seule dit"}
	labelWarns      = phrase{"Only a warning: counts from", "Nur eine Warnung: zählt ab", "Simple avertissement : compte à partir du"}
	labelNoRule     = phrase{"no rule was asked", "keine Regel wurde befragt", "aucune règle n'a été appliquée"}
	labelPolicy     = phrase{"Policy", "Regelwerk", "Politique"}
	labelProposal   = phrase{
		"This is a proposal: SCS has adopted no rules for the levels SCS-open and SCS-sovereign.",
		"Dies ist ein Vorschlag: SCS hat für die Stufen SCS-open und SCS-sovereign keine Regeln beschlossen.",
		"Ceci est une proposition : SCS n'a adopté aucune règle pour les niveaux SCS-open et SCS-sovereign.",
	}
	labelLimiting   = phrase{"Findings that decide, worst first", "Befunde, die entscheiden, schlimmste zuerst", "Constats qui décident, les pires d'abord"}
	labelNoLimiting = phrase{"No finding stands against a requested scope.", "Kein Befund steht einem gefragten Geltungsbereich entgegen.", "Aucun constat ne s'oppose à un périmètre demandé."}
)

func outcomePhrase(o audit.Outcome) phrase {
	switch o {
	case audit.PASS:
		return wordHolds
	case audit.FAIL:
		return wordFails
	case audit.DNF:
		return wordDNF
	case audit.NA:
		return wordNA
	}
	return wordMiss
}

func severityPhrase(severity string) phrase {
	if severity == "should" {
		return wordShould
	}
	return wordMust
}

// ownerPhrase says who can fix something.
func ownerPhrase(owner string) phrase {
	switch owner {
	case "operator":
		return phrase{"the operator", "der Betreiber", "l'opérateur"}
	case "upstream":
		return phrase{"the upstream project", "das Upstream-Projekt", "le projet amont"}
	case "distribution":
		return phrase{"the distribution or packager", "die Distribution oder wer das Paket baut", "la distribution ou l'empaqueteur"}
	case "assessor":
		return phrase{"whoever runs this audit", "wer diese Prüfung durchführt", "celui qui mène cet audit"}
	}
	return phrase{owner, owner, owner}
}

// valueIn writes the value of an expression or fact in a language.
func valueIn(value, lang string) string {
	switch {
	case value == "true":
		return wordTrue.in(lang)
	case value == "false":
		return wordFalse.in(lang)
	case value == "not known":
		return wordUnknown.in(lang)
	}
	if score, ok := strings.CutSuffix(value, " of 100"); ok {
		return score + phrase{" of 100", " von 100", " sur 100"}.in(lang)
	}
	return value
}

// factIn writes the value of a fact in a language: yes and no instead of true and false.
func factIn(g audit.Ground, lang string) string {
	switch {
	case !g.Known:
		return wordUnknown.in(lang)
	case g.Value == "true":
		return wordYes.in(lang)
	case g.Value == "false":
		return wordNo.in(lang)
	case g.Value == "":
		return phrase{"not named", "nicht genannt", "non nommé"}.in(lang)
	}
	return valueIn(g.Value, lang)
}
