package runbook

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Topics that a reader of runbooks looks for (open-operations-manifesto, MANIFESTO.md: "publishing well-documented
// operational processes"; the list is the one of the issue on operational transparency).
const (
	topicDeploy   = "deploy"
	topicUpgrade  = "upgrade"
	topicBackup   = "backup"
	topicIncident = "incident"
	topicAccess   = "access"
)

// topicWords are the words by which headings and names speak of a topic, in English, German and French. Each is matched from
// the beginning of a word of lower-case letters without accents; "=" at the end asks for the whole word, and a space for words in a row.
// A guide to troubleshooting counts for incidents: it is how operators call what to do when something fails.
var topicWords = []struct {
	topic string
	words []string
}{
	{topicDeploy, []string{
		"deploy=", "deploys=", "deploying=", "deployment", "redeploy=", "redeploying=", "redeployment", "install=", "installing=", "installation", "bootstrap",
		"provision=", "provisioning=", "rollout=", "roll out=", "commissioning=",
		"bereitstell", "inbetriebnahme", "aufbau=", "ausroll", "einricht", "aufsetzen=",
		"deploiement", "deployer=", "mise en service", "mise en place", "mise en production",
	}},
	{topicUpgrade, []string{
		"upgrade", "upgrading=", "update guide", "update process", "update procedure", "package update", "software update", "firmware update", "security update",
		"system update", "kernel update", "rolling update", "patching=", "patch management", "patchday=",
		"aktualisier", "versionswechsel", "hochrusten=",
		"mise a jour", "mises a jour", "mise a niveau", "montee de version", "montees de version",
	}},
	{topicBackup, []string{
		"backup", "back up=", "backing up=", "restor", "disaster recovery=",
		"sicherung", "datensicherung", "wiederherstell", "ruckspiel",
		"sauvegard", "restaur", "reprise apres sinistre",
	}},
	{topicIncident, []string{
		"incident", "outage", "on call=", "oncall=", "emergency", "emergencies=", "disaster=", "troubleshoot", "escalation process", "escalation path", "escalation level", "postmortem", "post mortem",
		"finding problems", "failure handling",
		"storung", "vorfall=", "vorfalle", "notfall", "ausfall", "eskalation", "bereitschaft", "fehlerbehebung", "fehlersuche", "entstorung",
		"panne", "urgence", "astreinte", "depannage", "defaillance",
	}},
	{topicAccess, []string{
		"access=", "accesses=", "accessing=", "permission", "user management", "account management", "manage users", "break glass", "jump host", "jumphost=",
		"zugang", "zugange", "zugriff", "berechtigung", "benutzerverwaltung", "anmeld",
		"acces=", "habilitation", "droits d acces", "gestion des utilisateurs",
	}},
}

// nameWords are words that tell a topic only as a name of a playbook or document: in headings they speak of anything.
var nameWords = []struct{ topic, word string }{{topicDeploy, " setup "}, {topicUpgrade, " update "}, {topicUpgrade, " updates "}, {topicUpgrade, " maj "}}

// topicsOfName returns the topics that the name of a document or playbook speaks of.
func topicsOfName(name string) []string {
	out := topicsOf(name)
	plain := " " + strings.Join(plainWords(name), " ") + " "
	for _, w := range nameWords {
		if strings.Contains(plain, w.word) && !slices.Contains(out, w.topic) {
			out = append(out, w.topic)
		}
	}
	return out
}

// guides are parts of paths of texts that are written for operators: they are shown first.
var guides = regexp.MustCompile(`(?i)run-?books?|operat|playbook|guide|handbook|handbuch|betrieb|exploitation|proc[eé]dure|prozess|howto|how-to|(^|/)(ops|admin)`)

// topicsOf returns the topics that a heading speaks of.
func topicsOf(text string) []string {
	plain := " " + strings.Join(plainWords(text), " ") + " "
	var out []string
	for _, t := range topicWords {
		if slices.ContainsFunc(t.words, func(w string) bool {
			if whole, ok := strings.CutSuffix(w, "="); ok {
				return strings.Contains(plain, " "+whole+" ")
			}
			return strings.Contains(plain, " "+w)
		}) {
			out = append(out, t.topic)
		}
	}
	return out
}

// plainWords cuts a text into words of lower-case letters and digits without accents; CamelCase is cut too.
func plainWords(text string) []string {
	var b strings.Builder
	last := ' '
	for _, r := range text {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		last = r
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			b.WriteByte(' ')
		default:
			b.WriteString(withoutAccent(unicode.ToLower(r)))
		}
	}
	return strings.Fields(b.String())
}

// withoutAccent writes the letters of German and French in plain ones.
func withoutAccent(r rune) string {
	const with, without = "äàâáåãëéèêïîìíöôòóõüûùúÿçñ", "aaaaaaeeeeiiiiooooouuuuycn"
	switch r {
	case 'ß':
		return "ss"
	case 'œ':
		return "oe"
	}
	i := 0
	for _, w := range with {
		if w == r {
			return without[i : i+1]
		}
		i++
	}
	return string(r)
}

// elsewhere are directories whose documents speak to others than operators, or of the past: customers, developers, news.
var elsewhere = regexp.MustCompile(`(?i)(^|/)(user-?guides?|user-?docs?|users?|tutorials?|developer-?guides?|dev-?docs?|release-?notes?|changelogs?|blog|meeting-?notes?|minutes|news|adrs?|decisions|proposals?|specs?|\.github|tests?|testing|molecule|fixtures?|examples?|samples?|node_modules|vendor|third_party|themes?)/`)

// general are documents that every repository has and that are about the repository itself.
var general = regexp.MustCompile(`(?i)(^|/)(changelog|changes|news|history|code[_-]of[_-]conduct|contributing|licen[cs]e[^/]*|security|authors|maintainers|governance|release[_-]?notes)\.[a-z]+$`)

func isElsewhere(name string) bool { return elsewhere.MatchString(name) || general.MatchString(name) }

// nameOf returns the part of a path that says what a document is about: its own name, or the directory's if the name says
// nothing.
func nameOf(name string) string {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	switch strings.ToLower(stem) {
	case "readme", "index", "_index", "overview", "main", "site":
		if dir := path.Base(path.Dir(name)); dir != "." && dir != "/" {
			return dir
		}
		return ""
	}
	return stem
}
