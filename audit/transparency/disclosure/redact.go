package disclosure

import (
	"bytes"
	"regexp"
)

// This file drops what the formats say about people, before anything is kept or read. Each function takes any bytes. Domains
// of mail addresses stay, because they say which organisation can be reached.

var (
	mailAddress = regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@([A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24})\b`)
	hashLine    = regexp.MustCompile(`(?m)^#[^\r\n]*`)
	telephone   = regexp.MustCompile(`(?i)\btel:[+0-9().;=a-z -]+`)
)

// withoutMail leaves of mail addresses the domain.
func withoutMail(body []byte) []byte { return mailAddress.ReplaceAll(body, []byte("redacted@$1")) }

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
	personJSON = regexp.MustCompile(`(?i)"(?:` + person + `|contact_details|publisher_contact)"\s*:\s*(?:"(?:[^"\\]|\\.)*"|null)`)
	personList = regexp.MustCompile(`(?i)("(?:` + person + `)"\s*:\s*)(?:\[[^\]]*\]|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})`)
	personXML  = regexp.MustCompile(`(?is)<((?:dc:|atom:|itunes:)?(?:author|creator|managingEditor|webMaster|contributor))\b[^>]*>.*?</(?:dc:|atom:|itunes:)?(?:author|creator|managingEditor|webMaster|contributor)\s*>`)
	personRow  = regexp.MustCompile(`(?is)(<t[hd][^>]*>\s*(?:<[^>]+>\s*)*(?:` + person + `)\s*:?\s*(?:</[^>]+>\s*)*</t[hd]>\s*<td[^>]*>).*?(</td>)`)
	personYAML = regexp.MustCompile(`(?im)^((?:` + person + `):)[ \t]*\r?\n(?:[ \t]*-[^\n]*\n(?:[ \t]+[^\s-][^\n]*\n)*)+`)
	personLine = regexp.MustCompile(`(?im)^([ \t|>*_-]*(?:` + person + `)[*_ \t]*[|:]+)[^\r\n]*`)
)

// withoutReporters is for advisories in any format: whoever reported, found or wrote them is dropped.
func withoutReporters(body []byte) ([]byte, error) {
	body = personList.ReplaceAll(body, []byte("${1}[]"))
	body = personJSON.ReplaceAllFunc(body, func(m []byte) []byte {
		key, _, _ := bytes.Cut(m, []byte(":"))
		return append(bytes.TrimSpace(bytes.Clone(key)), `: "redacted"`...)
	})
	body = personXML.ReplaceAll(body, []byte("<$1>redacted</$1>"))
	body = personRow.ReplaceAll(body, []byte("${1}redacted${2}"))
	body = personYAML.ReplaceAll(body, []byte("${1} []\n"))
	body = personLine.ReplaceAllFunc(body, func(m []byte) []byte {
		parts := personLine.FindSubmatch(m)
		return append(bytes.Clone(parts[1]), " redacted"...)
	})
	return withoutMail(body), nil
}

var (
	bomPersonText = regexp.MustCompile(`("(?:author|email)"\s*:\s*)"(?:[^"\\@]|\\.)*(@[^"\\]*)?"`)
	bomAuthors    = regexp.MustCompile(`("authors"\s*:\s*)\[[^\]]*\]`)
	bomContact    = regexp.MustCompile(`("contact"\s*:\s*\[\s*\{[^\]]*?"name"\s*:\s*)"(?:[^"\\]|\\.)*"`)
	bomPublisher  = regexp.MustCompile(`("publisher"\s*:\s*"(?:[^"\\]|\\.)*?)<[^>"]*@([^>"]*)>`)
	spdxPerson    = regexp.MustCompile(`(Person:\s*)[^"\r\n<]+`)
	spdxMail      = regexp.MustCompile(`(Organization:[^"\r\n(<]*\()[^"\r\n()<@]+@`)
	xmlPerson     = regexp.MustCompile(`(?s)<((?:\w+:)?(?:author|email))>.*?(@[^<]*)?</(?:\w+:)?(?:author|email)>`)
	xmlAuthors    = regexp.MustCompile(`(?s)<((?:\w+:)?authors)>.*?</(?:\w+:)?authors>`)
)

// withoutAuthors is for SBOMs. Addresses keep their domain and stay valid, because BSI TR-03183-2 asks for them.
func withoutAuthors(body []byte) ([]byte, error) {
	body = bomAuthors.ReplaceAll(body, []byte(`${1}[{"name":"redacted"}]`))
	body = bomContact.ReplaceAll(body, []byte(`${1}"redacted"`))
	body = bomPersonText.ReplaceAll(body, []byte(`${1}"redacted${2}"`))
	body = bomPublisher.ReplaceAll(body, []byte(`${1}<redacted@${2}>`))
	body = spdxPerson.ReplaceAll(body, []byte("${1}redacted"))
	body = spdxMail.ReplaceAll(body, []byte("${1}redacted@"))
	body = xmlAuthors.ReplaceAll(body, []byte("<$1></$1>"))
	return xmlPerson.ReplaceAll(body, []byte("<$1>redacted$2</$1>")), nil
}
