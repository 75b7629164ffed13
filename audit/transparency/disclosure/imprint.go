package disclosure

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Parts of an imprint: who runs the site, where, how to reach them, and the register in which they stand (§ 5 DDG; article 5
// of Directive 2000/31/EC, which the other member states put into their laws).
const (
	imprintCompany  = "company"
	imprintAddress  = "address"
	imprintContact  = "contact"
	imprintRegister = "register"
)

// imprintWord is how pages with it are called.
var imprintWord = regexp.MustCompile(`(?i)\b(?:impressum|imprint|legal notices?|legal information|legal disclosure|mentions l[ée]gales|anbieterkennzeichnung|site notice|company information)\b`)

// imprintPath is how their addresses are written.
var imprintPath = regexp.MustCompile(`(?i)/(?:impressum|imprint|legal-notice|legal|mentions-legales|anbieterkennzeichnung)(?:[./]|$)`)

// CollectImprint finds the imprint. The target names it, or a page of the site that links to it.
func CollectImprint(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	l := newLook(t, w)
	address := base(t)
	for range 2 {
		answer := l.ask(ctx, audit.Request{URL: address, Redact: imprintWithoutPersons})
		if answer.Trouble != nil {
			return l.fail(answer.Trouble)
		}
		if found, ok := reducedImprint(answer.Body); ok {
			facts := transparency.Imprint{Found: found}
			if address != base(t) {
				facts.URL = webAddress(address)
			}
			l.out.Imprint = &facts
			return l.out
		}
		p := readPage(answer.Body)
		next := imprintLink(p, at(answer.Seen))
		if len(p.links) == 0 {
			return l.fail(trouble(audit.TroubleContent, "the page is no imprint and has no links: perhaps a script makes them", "name the address of the imprint itself"))
		}
		if next == "" || next == address {
			break
		}
		address = next
	}
	return l.fail(trouble(audit.TroubleNotFound, "the page is no imprint and links to none", "link to the imprint from every page, as § 5 DDG asks, or name its address"))
}

func readPage(data []byte) page {
	if looksLikeHTML(data) {
		return readHTML(data)
	}
	return readMarkdown(data)
}

// imprintLink returns the address of the imprint: by the words of the link first, then by the path.
func imprintLink(p page, address string) string {
	for _, match := range []func(link) bool{
		func(k link) bool { return imprintWord.MatchString(k.text) },
		func(k link) bool { return imprintPath.MatchString(pathOf(resolve(address, k.href))) },
	} {
		for _, k := range p.links {
			if to := resolve(address, k.href); to != "" && match(k) {
				return to
			}
		}
	}
	return ""
}

// isImprint reports whether a page says itself that it is the imprint: in its title or a heading, not only in its menu.
func isImprint(p page) bool {
	if imprintWord.MatchString(p.title) {
		return true
	}
	return slices.ContainsFunc(p.lines, func(l line) bool { return l.heading && imprintWord.MatchString(l.text()) })
}

// What the parts look like. Only the marks of an organisation are read, never what stands around them.
var (
	legalForm = regexp.MustCompile(`\b(?:GmbH|gGmbH|UG \(haftungsbeschränkt\)|AG|SE|KGaA|GmbH & Co\. ?KG|OHG|eG|e\. ?G\.|e\. ?V\.|e\. ?K\.|Anstalt des öffentlichen Rechts|AöR|Stiftung|` +
		`Ltd\.?|Limited|LLC|Inc\.?|PLC|B\.?V\.?|N\.?V\.?|S\.?A\.?S\.?U?|S\.?A\.?R\.?L\.?|S\.?A\.?|SCIC|S\.?p\.?A\.?|S\.?r\.?l\.?|A/S|ApS|AB|Oy|Körperschaft des öffentlichen Rechts|KdöR|Universität|University|Université|Foundation)(?:[\s,.;)<]|$)`)
	postalCode = regexp.MustCompile(`(?:\b(?:[A-Z]{1,2}-)?\d{4,5} \p{Lu}[\p{L}.-]+|\b[A-Z]{1,2}\d{1,2}[A-Z]? \d[A-Z]{2}\b|\b\d{4} ?[A-Z]{2} \p{Lu}\p{L}+)`)
	register   = regexp.MustCompile(`(?i)\b(?:HR[AB]\b ?\d|VR\b ?\d|GnR\b ?\d|Handelsregister|Vereinsregister|Amtsgericht|Registergericht|Firmenbuch|FN ?\d{4}|R\.?C\.?S\.? |SIREN|SIRET|RCS\b|KvK|Chamber of Commerce|commercial register|company (?:registration )?(?:no|number|reg)|registered in|register(?:ed)? (?:number|court)|registration number|Registrierungsnummer|UID-Nr)`)
	anyPhone   = regexp.MustCompile(`(?i)\b(?:tel(?:efon|ephone|éphone)?|phone|fon)\b[^0-9+\n]{0,12}(?:\+|\d)[\d ()/.–-]{5,}`)
	anyMail    = regexp.MustCompile(`(?i)mailto:|[a-z0-9._%+-]+ ?(?:@|\[at\]|\(at\)|\{at\}) ?[a-z0-9-]+ ?(?:\.|\[dot\]|\(dot\)|\[punkt\]|\(punkt\))[a-z]{2,}|\be-?mail\b|\bcourriel\b|kontaktformular|contact form|formulaire de contact`)
)

// imprintParts says which parts a page has.
func imprintParts(p page) []string {
	var text strings.Builder
	for _, l := range p.lines {
		text.WriteString(l.text() + "\n")
	}
	for _, k := range p.links {
		if strings.HasPrefix(strings.ToLower(k.href), "mailto:") {
			text.WriteString("mailto:\n")
		}
		if strings.HasPrefix(strings.ToLower(k.href), "tel:") {
			text.WriteString("tel +0000000\n")
		}
	}
	s := text.String()
	found := []string{}
	for _, part := range []struct {
		name string
		seen bool
	}{
		{imprintCompany, legalForm.MatchString(s)},
		{imprintAddress, postalCode.MatchString(s)},
		{imprintContact, anyMail.MatchString(s) || anyPhone.MatchString(s)},
		{imprintRegister, register.MatchString(s)},
	} {
		if part.seen {
			found = append(found, part.name)
		}
	}
	return found
}

// The form in which an imprint is kept. An imprint is full of names that the law asks for; what is kept says only which parts
// it has.
const (
	reducedHead = "pegel: this page is an imprint; names and addresses were left out\n"
	reducedPart = "part: "
)

// imprintWithoutPersons reduces an imprint to the list of its parts, and drops mail addresses from any other page.
func imprintWithoutPersons(body []byte) ([]byte, error) {
	p := readPage(body)
	if !isImprint(p) {
		return withoutMail(body), nil
	}
	var out bytes.Buffer
	out.WriteString(reducedHead)
	for _, part := range imprintParts(p) {
		out.WriteString(reducedPart + part + "\n")
	}
	return out.Bytes(), nil
}

// reducedImprint reads what imprintWithoutPersons wrote; a page that nobody reduced is reduced first.
func reducedImprint(body []byte) ([]string, bool) {
	if !bytes.HasPrefix(body, []byte(reducedHead)) {
		body, _ = imprintWithoutPersons(body)
	}
	rest, ok := bytes.CutPrefix(body, []byte(reducedHead))
	if !ok {
		return nil, false
	}
	found := []string{}
	for text := range strings.Lines(string(rest)) {
		part, ok := strings.CutPrefix(strings.TrimSpace(text), reducedPart)
		if ok && slices.Contains([]string{imprintCompany, imprintAddress, imprintContact, imprintRegister}, part) {
			found = append(found, part)
		}
	}
	return found, true
}
