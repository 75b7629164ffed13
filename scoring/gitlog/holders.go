package gitlog

import (
	"regexp"
	"slices"
	"strings"
)

// This file says who gains from contributor terms and who owns a trademark: a foundation or a company. Documents say it in
// legal prose, so only the legal forms of companies and the names of foundations that host free software are looked for.

// foundations are organisations that hold software for the public, as they call themselves in agreements.
var foundations = regexp.MustCompile(`(?i)\b(?:linux foundation|lf projects|cloud native computing foundation|cncf|easycla|apache software foundation|openinfra foundation|open infrastructure foundation|openstack foundation|eclipse foundation|python software foundation|free software foundation|software freedom conservancy|software in the public interest|numfocus|openjs foundation|mariadb foundation|document foundation|kde e\.?v\.?|openssf|open source security foundation|dotnet foundation|\.net foundation|commonhaus|codeberg e\.?v\.?|matrix\.org foundation|internet systems consortium|isc)\b`)

// companyForm matches the legal form of a company behind its name.
var companyForm = regexp.MustCompile(`\b[A-Z][\w&.-]*(?: [A-Z][\w&.-]*){0,3},? (?:Inc\b|Incorporated\b|GmbH\b|LLC\b|Ltd\b|Limited\b|Corp\b|Corporation\b|AG\b|SAS\b|S\.A\.|B\.V\.|Oy\b|Pty\b|plc\b)`)

// staysOpen matches a promise that what is contributed stays under an open licence.
var staysOpen = regexp.MustCompile(`(?i)(?:will|shall|agrees? to|promises? to|commits? to)[^.]{0,160}(?:osi[- ]approved|open[- ]source initiative|approved by the osi|(?:open[- ]source|free software) licen[cs]e)`)

// sameTerms matches the rule that contributions come in under the licence that the project goes out under.
var sameTerms = regexp.MustCompile(`(?i)contribut(?:ions?|ed|ing|e|ors?)\b[^.]{0,200}\b(?:under (?:the )?(?:terms of )?(?:the |its |this )?(?:project'?s?|same|existing|above)[^.]{0,40}licen[cs]e|under the (?:apache|mit|bsd|gpl|gnu|mozilla|mpl|eclipse)[^.]{0,60}licen[cs]e|under (?:apache|mit|bsd|gpl|mpl)[- v.0-9]*(?:licen[cs]e)?)|inbound ?= ?outbound`)

// holderMarks name who gains: holder:foundation, holder:company, or both where the text names both.
func holderMarks(text []byte) []string {
	var marks []string
	if foundations.Match(text) {
		marks = append(marks, "holder:foundation")
	}
	if namesCompany(text) {
		marks = append(marks, "holder:company")
	}
	return marks
}

// namesCompany reports whether a company is named. Foundations are corporations too, and do not count.
func namesCompany(text []byte) bool {
	for _, m := range companyForm.FindAll(text, 50) {
		name := strings.ToLower(string(m))
		if !strings.Contains(name, "foundation") && !strings.Contains(name, "conservancy") && !strings.Contains(name, "public interest") {
			return true
		}
	}
	return false
}

// claSentences are the sentences of a guide that speak of the agreement, with the one after each: elsewhere a guide names
// companies for other reasons.
func claSentences(text []byte) []byte {
	var out []byte
	for _, at := range agreement.FindAllIndex(text, 20) {
		from, to := max(0, at[0]-200), min(len(text), at[1]+300)
		out = append(append(out, text[from:to]...), '\n')
	}
	return out
}

// Files that make a machine ask contributors for a signature.
var (
	claBotFile = paths(`^\.clabot$|^\.github/\.?clabot(\.json)?$|^\.github/workflows/(cla|cla[-_](check|assistant|bot)|check[-_]cla|contributor[-_]licen[cs]e[-_]agreement)\.ya?ml$|^\.?cla[-_]?assistant\.(json|ya?ml)$|^\.cla\.(json|ya?ml)$`, "cla", "contributor")
	dcoBotFile = paths(`^\.github/dco\.ya?ml$|^\.github/workflows/(dco|dco[-_](check|bot)|check[-_]dco|signed[-_]?off([-_]by)?)\.ya?ml$`, "dco", "signed")
)

// signatureBots are what configuration of CI and contribution guides name when a machine asks for a signature.
var signatureBots = []toolMark{
	{"cla-bot", "cla-assistant", regexp.MustCompile(`(?i)cla-assistant|contributor-assistant/github-action|cla-bot|\bclabot\b`)},
	{"cla-bot", "easycla", regexp.MustCompile(`(?i)\beasycla\b|communitybridge`)},
	{"dco-bot", "dco-check", regexp.MustCompile(`(?i)probot/dco|tim-actions/dco|dco-check|\bdco-action\b|christophebedard/dco-check|KineticCafe/actions-dco|dcoapp`)},
}

func termMarks(topic string, text []byte, prominent bool) []string {
	var marks []string
	switch topic {
	case "cla":
		marks = holderMarks(text)
		if staysOpen.Match(text) {
			marks = append(marks, "stays-open")
		}
	case "trademark":
		marks = holderMarks(text)
	case "contributing":
		if prominent && agreement.Match(text) && !noAgreement.Match(text) {
			marks = holderMarks(claSentences(text))
		}
		if prominent && sameTerms.Match(text) {
			marks = append(marks, "inbound-outbound")
		}
	}
	return slices.Compact(marks)
}
