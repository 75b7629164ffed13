package incidentreport

import (
	"net/url"
	"regexp"
	"strings"
)

// Words, folded, that tell an incident report from other documents.
var (
	reportWords = []string{
		"postmortem", "post mortem", "postmortems", "post mortems", "incident report", "incident review", "post incident", "root cause analysis", "rca", "outage report", "incident analysis", "retro incident", "portmortem",
		"stoerungsbericht", "vorfallsbericht", "vorfallbericht", "ausfallbericht", "incident bericht", "ursachenanalyse", "abschlussbericht", "nachbetrachtung",
		"rapport d incident", "retour sur l incident", "retour d experience", "compte rendu d incident", "poste mortem", "analyse d incident", "retour sur la panne", "retour sur l interruption",
	}
	incidentWords = []string{
		"incident", "outage", "outages", "downtime", "down", "disruption", "unavailable", "unavailability", "degraded", "degradation", "failure", "failures", "crash", "crashed", "broken", "unreachable", "inaccessible", "interruption", "errors", "timeouts", "503", "504", "502", "500", "stalled", "lost", "expired", "outaged", "overload", "failing", "not working", "full", "exhaustion", "starvation",
		"ausfall", "ausfaelle", "stoerung", "stoerungen", "stromausfall", "serverausfall", "netzausfall", "ausgefallen", "nicht erreichbar", "vorfall", "sicherheitsvorfall", "unterbrechung", "beeintraechtigung", "teilausfall",
		"panne", "pannes", "indisponibilite", "indisponible", "coupure", "coupures", "interruption de service", "perturbation", "dysfonctionnement", "defaillance",
	}
	otherWords = []string{
		"how to", "howto", "guide", "best practices", "best practice", "checklist", "what is", "what are", "policy", "process", "playbook", "runbook", "runbooks", "writing", "changelog", "release notes", "advisory", "advisories", "bulletin", "bulletins", "cve", "vulnerability", "vulnerabilities", "schwachstelle", "vulnerabilite", "faille", "sicherheitshinweis", "sicherheitsluecke", "avis de securite", "webinar", "tool", "tools", "tips", "course", "announcing", "introducing", "template", "example", "examples", "meeting", "minutes", "roadmap", "roles", "responsibilities", "tutorial", "workshop", "ways to", "reasons", "drill", "simulated",
		"anleitung", "leitfaden", "vorlage", "muster", "geplante", "geplant", "angekuendigt", "handbuch", "uebung", "tipps", "checkliste", "einrichtung", "notfallplan",
		"modele", "procedure", "bonnes pratiques", "maintenance planifiee", "programmee", "tutoriel", "exercice", "comment", "annonce", "bilan comptable", "nouveautes",
	}
	// laterWords name work that may have caused an incident; they count only where the title says nothing of a report.
	laterWords = []string{
		"maintenance", "migration", "upgrade", "installation", "install", "setup", "release", "released", "releases", "wartung", "wartungsarbeiten", "umzug", "index", "exercise", "exercises", "training", "mise a jour", "planned", "scheduled",
	}
	templateWords = []string{"template", "templates", "vorlage", "modele", "muster", "gabarit", "skeleton"}
	failureWords  = []string{
		"outage", "downtime", "down", "unavailable", "unable to", "failed", "failing", "failure", "errors", "error", "degraded", "degradation", "disruption", "interrupted", "crashed", "crashing", "timeouts", "timed out", "incident", "restored", "recovered", "mitigated", "rolled back", "rollback", "resolved", "alert", "alerts", "unresponsive", "inaccessible", "broken", "stopped working", "impacted", "affected", "overloaded", "exhausted", "leaked", "compromised", "reverted", "full", "out of space", "blocked", "crash", "expired", "reboot", "restarted", "breaking", "stuck", "stalling", "outages", "failures",
		"ausfall", "ausgefallen", "fiel", "nicht erreichbar", "nicht mehr erreichbar", "stoerung", "gestoert", "beeintraechtigt", "behoben", "wiederhergestellt", "unterbrechung", "unterbrochen", "abgestuerzt", "fehler", "fehlerhaft", "eingeschraenkt", "wieder verfuegbar", "wieder erreichbar", "stromausfall", "defekt", "ueberlast", "entstoert", "beheben", "betroffen", "problem", "probleme", "vorfall", "absturz",
		"panne", "indisponible", "indisponibles", "indisponibilite", "interruption", "retabli", "retablie", "retablis", "retablissement", "coupure", "erreur", "erreurs", "hors service", "perturbation", "defaillance", "resolu", "dysfonctionnement", "saturation", "plante", "bloque", "bloques", "impactes", "touches", "en panne",
	}
	ownWords = []string{
		"we", "our", "us", "wir", "unser", "unsere", "unserer", "unserem", "unseren", "unseres", "uns", "nous", "notre", "nos", "on call", "team", "equipe", "i", "ich", "mein", "meine", "mon", "ma",
	}
	instructionWords = []string{
		"you should", "you can", "you will", "you need", "you must", "your", "your team", "make sure", "it is important", "we recommend", "should include", "should be", "should contain", "sie sollten", "sie koennen", "ihre", "ihr", "solltest", "du", "dein", "vous devez", "vous pouvez", "votre", "vos", "il faut", "must be", "responsible for", "best practice",
	}
	advisoryWords = []string{
		"cvss", "affected versions", "patched versions", "fixed versions", "vulnerability", "vulnerable", "proof of concept", "cve", "upgrade to", "exploited", "exploit", "severity high", "credits", "disclosure", "schwachstelle", "sicherheitsluecke", "vulnerabilite", "faille", "ossa", "ghsa", "mitre", "attacker", "attackers", "patches",
	}
	releaseWords = []string{
		"release notes", "changelog", "breaking changes", "new features", "new feature", "bug fixes", "download", "deprecated", "deprecation", "what s new", "feature", "changes since", "full changelog", "release candidate", "neuerungen", "neue funktionen", "nouveautes", "nouvelles fonctionnalites", "contributors", "this release",
	}
	salesWords = []string{
		"request a demo", "book a demo", "free trial", "sign up", "get started", "pricing", "contact sales", "our platform helps", "try it free", "start for free", "schedule a demo", "kostenlos testen", "demo anfordern", "essai gratuit", "demander une demo", "learn more about how", "customers love", "newsletter",
	}
	announcementWords = []string{
		"will be performed", "planned maintenance", "scheduled maintenance", "maintenance window", "will be unavailable", "will take place", "will be offline", "wird durchgefuehrt", "werden durchgefuehrt", "geplante wartung", "wartungsfenster", "wartungsarbeiten", "findet statt", "maintenance planifiee", "maintenance programmee", "aura lieu", "seront indisponibles", "sera indisponible", "sera effectuee",
	}
	idLabels = []string{
		"incident id", "incident", "incident number", "incident no", "incident link", "status page", "statuspage", "id", "ticket", "vorfall", "vorfall id", "vorfallsnummer", "stoerungsnummer", "stoerung", "statusseite", "meldung", "incident n", "numero d incident", "identifiant", "reference", "page d etat", "page de statut", "tracking",
	}
	componentLabels = []string{
		"affected services", "affected service", "services affected", "affected components", "affected component", "components affected", "affected systems", "systems affected", "impacted services", "impacted service", "services impacted", "components", "service impacted", "affected products",
		"betroffene dienste", "betroffener dienst", "betroffene systeme", "betroffene komponenten", "betroffene komponente", "betroffene services", "komponenten",
		"services affectes", "services impactes", "services concernes", "services touches", "service impacte", "service concerne", "composants", "composants affectes", "composants concernes",
	}
)

// sentences announce a part without a heading. They count only in a document that is a report anyway.
var sentences = map[string][]string{
	impact: {
		"were unable to", "was unable to", "were unavailable", "was unavailable", "could not access", "couldn t access", "were affected", "was affected", "were not able to", "users saw", "customers saw", "users experienced", "customers experienced", "was down", "were down", "was inaccessible", "returned errors", "users were", "inaccessible", "unreachable", "prevented", "unable to", "could not", "couldn t", "failed requests", "requests failed", "were failing", "was failing", "experiencing issues", "experienced", "users had", "users reported", "users couldn t", "launching a new", "dropped to zero", "drops to zero", "went down",
		"nicht erreichbar", "waren betroffen", "war betroffen", "nicht verfuegbar", "konnten nicht", "konnte nicht", "betroffen waren", "betroffen war", "fiel", "dauerte der ausfall", "ausfall dauerte", "ausgefallen", "beeintraechtigt",
		"n etait plus", "n etaient plus", "etait indisponible", "etaient indisponibles", "etait inaccessible", "etaient inaccessibles", "ont ete affectes", "ont ete impactes", "ont ete touches", "ne pouvaient plus", "ne pouvait plus",
	},
	rootCause: {
		"root cause", "was caused by", "were caused by", "the cause of", "the cause was", "caused by", "turned out that", "the reason was", "because of", "due to", "because", "triggered by", "resulted from", "the issue was", "the problem was", "identified that",
		"ursache war", "ursachen", "ursache fuer", "ursache der", "ursache des", "die ursache", "grund war", "grund dafuer", "grund fuer", "verursacht durch", "verursacht wurde", "ausgeloest durch", "ursaechlich",
		"la cause", "cause de", "a ete cause par", "provoque par", "du a", "due a", "en raison d", "a l origine", "s explique par",
	},
	resolution: {
		"was resolved", "were resolved", "was restored", "were restored", "has been restored", "was fixed", "has been fixed", "we fixed", "rolled back", "we reverted", "was reverted", "back online", "was mitigated", "fully recovered", "resolved by", "has been resolved", "back to normal", "came back up",
		"behoben", "wiederhergestellt", "wieder erreichbar", "wieder verfuegbar", "wieder in betrieb", "wieder online", "konnte geloest werden", "beheben", "wieder herstellen",
		"retabli", "retablie", "retablis", "retablies", "a ete resolu", "a ete corrige", "retour a la normale", "remis en service", "a ete redemarre", "correctif a ete",
	},
	actions: {
		"we will be", "we are going to", "we plan to", "we will", "we ll", "to prevent this", "preventing this", "from happening again", "prevent this from", "prevent similar", "in the future we", "we have since", "follow up", "next steps", "to avoid this", "we are working on",
		"kuenftig", "in zukunft", "zukuenftig", "um zu verhindern", "nicht wieder", "nicht noch einmal", "werden wir", "wir werden", "wir arbeiten daran", "geplant ist", "bereits in planung", "vorbeugen", "vermeiden",
		"a l avenir", "afin d eviter", "pour eviter", "nous allons", "nous avons mis en place", "ne se reproduise", "ne se reproduisent",
	},
	lessons: {
		"lessons learned", "we learned", "we ve learned", "what we learned", "in hindsight", "in retrospect", "takeaway",
		"gelernt", "lehren", "im nachhinein", "rueckblickend", "erkenntnis",
		"nous avons appris", "enseignements", "avec le recul", "retrospectivement", "lecon",
	},
}

// ticket finds ids such as INC-1234 and "incident #465".
var ticket = regexp.MustCompile(`\b((?:INC|SPM|PM|RCA|SEV|OPS|VORFALL|INCIDENT)[-_ ]?#?\d{2,}(?:[-_]\d+)*)\b`)

// word finds the first id in a line.
var word = regexp.MustCompile(`^[#\s(]*([A-Za-z0-9][A-Za-z0-9._-]{2,63})`)

// incidentID reads the id or address that stands after a label.
func incidentID(text string) string {
	if m := bareLink.FindString(text); m != "" {
		return cut(strings.TrimRight(m, ".,;"), 300)
	}
	if m := ticket.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if m := word.FindStringSubmatch(text); m != nil && strings.ContainsAny(m[1], "0123456789") && len(moments(m[1])) == 0 {
		return strings.TrimRight(m[1], ".")
	}
	return ""
}

// isIncidentAddress says whether an address looks like that of one incident on a status page.
func isIncidentAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	host, path := strings.ToLower(u.Host), strings.Trim(strings.ToLower(u.Path), "/")
	_, after, ok := cutAny(path, "incidents/", "incident/", "issues/", "maintenance/", "notices/", "status/")
	named := strings.HasPrefix(host, "status") || strings.Contains(host, ".status") || strings.Contains(host, "status-") || strings.Contains(host, "stspg")
	if strings.Contains(path, "incident") && ok && after != "" {
		return !strings.Contains(host, "github.com") || strings.Contains(path, "/issues/")
	}
	return named && path != "" && (ok && after != "" || strings.Contains(host, "stspg"))
}

func cutAny(s string, seps ...string) (before, after string, found bool) {
	for _, sep := range seps {
		if before, after, found = strings.Cut(s, sep); found {
			return before, after, true
		}
	}
	return s, "", false
}
