package visit

import (
	"bytes"
	"slices"
	"strings"
)

// withoutPersons drops the mail addresses of persons from text: "jane.doe@example.org" becomes "removed@example.org". Those
// of a role, such as security@ or cloud-support@, stay. What is no text is returned as it is.
func withoutPersons(body []byte) []byte {
	if bytes.IndexByte(body[:min(len(body), 8000)], 0) >= 0 {
		return body
	}
	for _, at := range atSigns {
		body = withoutPersonsAt(body, []byte(at))
	}
	return body
}

// atSigns are the ways to write @: plain, in an address, in HTML, in JSON, and against collectors of addresses.
var atSigns = []string{"@", "%40", "&#64;", "&#064;", "&#x40;", "&#X40;", "&commat;", `\u0040`, "(at)", " (at) ", "[at]", " [at] ", "{at}", " {at} "}

func withoutPersonsAt(body, at []byte) []byte {
	var out []byte
	done := 0 // bytes of body that are in out
	for i := 0; ; {
		n := bytes.Index(body[i:], at)
		if n < 0 {
			break
		}
		sign := i + n
		i = sign + len(at)
		begin := sign
		for begin > done && sign-begin < 64 && localPart(body[begin-1]) { // RFC 5321: at most 64 octets
			begin--
		}
		// What stands before the name: \n or \u003c of JSON, %3A of an address.
		begin = afterEscape(body, begin, sign)
		if begin == sign || !domainAt(body[i:]) || isRole(string(body[begin:sign])) {
			continue
		}
		out = append(append(out, body[done:begin]...), "removed"...)
		done = sign
	}
	if done == 0 {
		return body
	}
	return append(out, body[done:]...)
}

func afterEscape(body []byte, begin, sign int) int {
	if begin == 0 {
		return begin
	}
	switch rest := body[begin:sign]; body[begin-1] {
	case '\\':
		if len(rest) > 5 && rest[0] == 'u' {
			return begin + 5
		}
		if len(rest) > 1 && strings.IndexByte("nrtbf", rest[0]) >= 0 {
			return begin + 1
		}
	case '%':
		if len(rest) > 2 && hexDigit(rest[0]) && hexDigit(rest[1]) {
			return begin + 2
		}
	}
	return begin
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// localPart says whether a byte may stand in the name before the sign. Letters beyond ASCII may.
func localPart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80 || strings.IndexByte("._+-'", c) >= 0
}

// domainAt says whether a text begins with a domain: a dot, and an end of at least two letters.
func domainAt(text []byte) bool {
	end := 0
	for end < len(text) && end < 254 && (text[end] == '.' || text[end] == '-' || localPart(text[end]) && text[end] != '\'' && text[end] != '_' && text[end] != '+') {
		end++
	}
	domain := strings.TrimRight(string(text[:end]), ".-")
	dot := strings.LastIndexByte(domain, '.')
	if dot < 1 || len(domain)-dot < 3 {
		return false
	}
	return !strings.ContainsAny(domain[dot+1:], "0123456789") || strings.HasPrefix(domain[dot+1:], "xn--")
}

// isRole says whether the name of an address is that of a role or of a program, not of a person.
func isRole(local string) bool {
	words := strings.FieldsFunc(strings.ToLower(local), func(r rune) bool { return strings.ContainsRune("-_+", r) })
	return slices.ContainsFunc(words, func(w string) bool {
		if strings.Contains(w, ".") { // a dot stands between the names of people: each part must be a role
			return !slices.ContainsFunc(strings.Split(w, "."), func(p string) bool { return !role(p) })
		}
		return role(w)
	})
}

func role(word string) bool {
	_, ok := slices.BinarySearch(roles, strings.TrimRight(word, "0123456789"))
	return ok
}

// roles are names of mailboxes: those of RFC 2142, and what companies and projects use in English, German and French. Sorted.
var roles = []string{
	"abuse", "accessibility", "accounting", "actions", "admin", "administration", "administrator", "advisories", "alerts", "announce", "api", "backup",
	"barrierefreiheit", "billing", "bot", "buchhaltung", "bugs", "career", "careers", "cert", "certs", "ciso", "cloud", "community", "compliance", "conduct",
	"contact", "contacts", "csirt", "customercare", "daemon", "data", "dataprotection", "datenschutz", "desk", "dev", "devel", "devops", "discuss", "dispatch",
	"dns", "dpo", "dsb", "empfang", "events", "feedback", "finance", "ftp", "git", "hallo", "hello", "help", "helpdesk", "hilfe", "hostmaster", "hotline", "hr",
	"impressum", "incident", "incidents", "info", "information", "infos", "infrastructure", "investor", "ir", "it", "jobs", "karriere", "kontakt", "kundenservice",
	"legal", "list", "lists", "mail", "mailbox", "mailer", "marketing", "media", "moderator", "monitoring", "network", "newsletter", "noc", "noreply",
	"notification", "notifications", "office", "operations", "operator", "ops", "partner", "peering", "personal", "platform", "postmaster", "press", "presse",
	"privacy", "psirt", "rechnung", "recht", "redaktion", "register", "reply", "responsible", "root", "sales", "secalert", "secretariat", "secure", "security",
	"sekretariat", "service", "servicedesk", "services", "sicherheit", "soc", "status", "support", "team", "test", "tickets", "trust", "updates", "verkauf",
	"vertrieb", "vmt", "vulnerabilities", "vulnerability", "webmaster", "welcome", "www", "zentrale",
}
