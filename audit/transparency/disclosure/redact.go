package disclosure

import (
	"bytes"
	"regexp"
	"strings"
)

// This file drops what the formats say about people, before anything is kept or read. Each function takes any bytes. Domains
// of mail addresses stay, because they say which organisation can be reached.

var (
	mailAddress = regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@([A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24})\b`)
	hashLine    = regexp.MustCompile(`(?m)^#[^\r\n]*`)
	telephone   = regexp.MustCompile(`(?i)\btel:[+0-9().;=a-z -]+`)
)

// withoutMail leaves of mail addresses the domain.
func withoutMail(body []byte) []byte {
	if bytes.IndexByte(body, '@') < 0 { // long lists have none
		return body
	}
	return mailAddress.ReplaceAll(body, []byte("redacted@$1"))
}

// withoutContactPersons is for security.txt: addresses lose the name in front, numbers of telephones and comments their text.
func withoutContactPersons(body []byte) ([]byte, error) {
	if looksLikeHTML(body) {
		return withoutMail(body), nil
	}
	body = hashLine.ReplaceAll(body, []byte("#"))
	body = telephone.ReplaceAll(body, []byte("tel:redacted"))
	return withoutMail(body), nil
}

// person are keys and words behind which formats of advisories name who found or wrote something.
const person = `reporters?|reported[ _-]?by|credits?|credits_detailed|acknowledge?ments?|discovered[ _-]?by|found[ _-]?by|authors?|creator|` +
	`managingeditor|webmaster|contributors?|collaborating_users|login|gemeldet von|entdeckt von|autor(?:en|in)?|melder|signalé par|découvert par|auteurs?|crédits?`

var (
	personName = regexp.MustCompile(`(?i)^(?:` + person + `)$`)
	personXML  = regexp.MustCompile(`(?is)<((?:dc:|atom:|itunes:)?(?:author|creator|managingEditor|webMaster|contributor))\b[^>]*>.*?</(?:dc:|atom:|itunes:)?(?:author|creator|managingEditor|webMaster|contributor)\s*>`)
	personRow  = regexp.MustCompile(`(?is)(<t[hd][^>]*>\s*(?:<[^>]+>\s*)*(?:` + person + `)\s*:?\s*(?:</[^>]+>\s*)*</t[hd]>\s*<td[^>]*>).*?(</td>)`)
	personYAML = regexp.MustCompile(`(?im)^((?:` + person + `):)[ \t]*\r?\n(?:[ \t]*-[^\n]*\n(?:[ \t]+[^\s-][^\n]*\n)*)+`)
	personLine = regexp.MustCompile(`(?im)^([ \t|>*_-]*(?:` + person + `)[*_ \t]*[|:]+)[^\r\n]*`)
	personText = regexp.MustCompile(`(?i)(>\s*(?:` + person + `)\s*:)[^<]*`)
)

// personKey reports whether a key of JSON names people. The first letter tells most keys apart.
func personKey(key string) bool {
	return key != "" && strings.IndexByte("acdefglmrsw", key[0]|0x20) >= 0 && personName.MatchString(key)
}

// withoutReporters is for advisories in any format: whoever reported, found or wrote them is dropped.
func withoutReporters(body []byte) ([]byte, error) {
	if looksLikeJSON(body) {
		if out, ok := rewriteJSON(body, personKey, func(string, []byte) []byte { return []byte("null") }); ok {
			return withoutMail(out), nil
		}
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		body = personXML.ReplaceAll(body, []byte("<$1>redacted</$1>"))
		body = personRow.ReplaceAll(body, []byte("${1}redacted${2}"))
		return withoutMail(personText.ReplaceAll(body, []byte("${1} redacted"))), nil
	}
	body = personYAML.ReplaceAll(body, []byte("${1} []\n"))
	return withoutMail(personLine.ReplaceAll(body, []byte("${1} redacted"))), nil
}

// Keys of SBOMs that may name people: CycloneDX (authors, author, publisher, contact), SPDX (supplier, originator, creators).
func bomPersonKey(key string) bool {
	switch key {
	case "authors", "author", "publisher", "contact", "email", "phone", "supplier", "originator", "creators", "annotator", "reviewer":
		return true
	}
	return false
}

var (
	jsonName     = regexp.MustCompile(`("(?:name|phone)"\s*:\s*)"(?:[^"\\]|\\.)*"`)
	mailInText   = regexp.MustCompile(`[^"\s<>(@:]+@`)
	nameAndMail  = regexp.MustCompile(`^"[^"<@]*(<[^"<>]*@[^"<>]*>)[^"<]*"$`)
	spdxPerson   = regexp.MustCompile(`(Person:\s*)[^"\r\n<(]+`)
	spdxMail     = regexp.MustCompile(`((?:Organization|Person):[^"\r\n(<]*\()[^"\r\n()<@]+@`)
	xmlPerson    = regexp.MustCompile(`(?s)<((?:\w+:)?(?:author|email|phone))>.*?(@[^<]*)?</(?:\w+:)?(?:author|email|phone)>`)
	xmlAuthors   = regexp.MustCompile(`(?s)<((?:\w+:)?authors)>.*?</(?:\w+:)?authors>`)
	xmlContact   = regexp.MustCompile(`(?s)(<(?:\w+:)?contact\b[^>]*>\s*<(?:\w+:)?name>).*?(</(?:\w+:)?name>)`)
	tagValueLine = []byte("SPDXVersion:")
)

// withoutAuthors is for SBOMs. Addresses keep their domain and stay valid, because BSI TR-03183-2 asks for them.
func withoutAuthors(body []byte) ([]byte, error) {
	switch {
	case looksLikeJSON(body):
		if out, ok := rewriteJSON(body, bomPersonKey, bomPerson); ok {
			return out, nil
		}
		return withoutMail(body), nil // it cannot be read either way
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		body = xmlAuthors.ReplaceAll(body, []byte("<$1></$1>"))
		body = xmlContact.ReplaceAll(body, []byte("${1}redacted${2}"))
		return xmlPerson.ReplaceAll(body, []byte("<$1>redacted$2</$1>")), nil
	case bytes.Contains(body[:min(len(body), 4096)], tagValueLine):
		body = spdxMail.ReplaceAll(body, []byte("${1}redacted@"))
		return spdxPerson.ReplaceAll(body, []byte("${1}redacted ")), nil
	}
	return withoutMail(body), nil
}

// bomPerson leaves of a value what is no person: a mail address with its domain, the name of an organisation.
func bomPerson(key string, value []byte) []byte {
	switch {
	case key == "authors":
		return []byte(`[{"name":"redacted"}]`)
	case key == "author" || key == "phone" || key == "annotator" || key == "reviewer":
		return []byte(`"redacted"`)
	case key == "contact":
		value = jsonName.ReplaceAll(value, []byte(`${1}"redacted"`))
	case key == "publisher":
		value = nameAndMail.ReplaceAll(value, []byte(`"redacted $1"`))
	case len(value) > 0 && value[0] == '{': // an organisation, with people to write to
		if out, ok := rewriteJSON(value, bomPersonKey, bomPerson); ok {
			return out
		}
	default:
		value = spdxPerson.ReplaceAll(value, []byte("${1}redacted "))
	}
	return mailInText.ReplaceAll(value, []byte("redacted@"))
}
