package disclosure

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of a security.txt. Real ones have one or two kilobytes; RFC 9116 (section 5.4) asks readers to guard themselves.
const (
	securityTxtLimit = 32 << 10
	maxFields        = 200
)

// securityTxtReader collects the fields of one file.
type securityTxtReader struct {
	facts   transparency.SecurityTxt
	count   map[string]int
	outside bool // text stands outside of the signed message
}

// parseSecurityTxt reads any bytes as the text of RFC 9116, sections 2 and 4. What breaks the RFC is listed with its line.
func parseSecurityTxt(data []byte) transparency.SecurityTxt {
	r := securityTxtReader{count: map[string]int{}, facts: transparency.SecurityTxt{Contacts: []transparency.Contact{}}}
	if len(data) > securityTxtLimit {
		data = data[:securityTxtLimit]
		r.problem(0, "it is larger than %d bytes; the rest was not read", securityTxtLimit)
	}
	if !utf8.Valid(data) {
		r.problem(0, "it is not UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) {
		r.problem(0, "lines end with a carriage return alone")
	}
	r.read(strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), "\n"))
	r.require()
	return r.facts
}

// Parts of an OpenPGP cleartext message (RFC 9580, section 7).
const (
	pgpMessage   = "-----BEGIN PGP SIGNED MESSAGE-----"
	pgpSignature = "-----BEGIN PGP SIGNATURE-----"
	pgpEnd       = "-----END PGP SIGNATURE-----"
)

func (r *securityTxtReader) read(lines []string) {
	const (
		plain = iota
		headers
		message
		signature
		after
	)
	state, signed := plain, false
	for i, text := range lines {
		text = strings.TrimRight(text, " \t")
		switch {
		case state == plain && text == pgpMessage:
			state = headers
		case state == headers:
			if text == "" {
				state = message
			}
		case state == message && text == pgpSignature:
			state = signature
		case state == signature:
			if text == pgpEnd {
				state, signed = after, true
			}
		case text == "" || strings.HasPrefix(text, "#"):
		case state == after:
			r.outside = true
		default:
			if state == message {
				text = strings.TrimPrefix(text, "- ") // how OpenPGP escapes a leading dash
			} else if strings.HasPrefix(text, "-----") {
				r.problem(i+1, "a part of a signature stands where none begins")
				continue
			}
			r.field(i+1, text)
		}
	}
	r.facts.Signed = signed && !r.outside
	switch {
	case r.outside:
		r.problem(0, "there is text beside the signed message")
	case state != plain && state != after:
		r.problem(0, "the signed message does not end")
	}
}

// field reads one field. Unknown ones are allowed (section 2.4).
func (r *securityTxtReader) field(line int, text string) {
	name, value, found := strings.Cut(text, ":")
	if !found || strings.ContainsAny(name, " \t") || name == "" {
		r.problem(line, "this is no field, comment or empty line")
		return
	}
	if !strings.HasPrefix(value, " ") {
		r.problem(line, "a space is missing after the colon")
	}
	name, value = strings.ToLower(name), strings.TrimSpace(value)
	if r.count[name]++; r.count[name] > maxFields {
		return
	}
	switch name {
	case "contact":
		r.contact(line, value)
	case "expires":
		r.expires(line, value)
	case "canonical":
		if r.web(line, "Canonical", value) {
			r.facts.Canonical = append(r.facts.Canonical, webAddress(value))
		}
	case "policy":
		if r.web(line, "Policy", value) {
			r.facts.Policy = append(r.facts.Policy, webAddress(value))
		}
	case "preferred-languages":
		for tag := range strings.SplitSeq(value, ",") {
			if tag = strings.TrimSpace(tag); !languageTag.MatchString(tag) {
				r.problem(line, "a language is no language tag")
			} else if len(r.facts.Languages) < maxFields {
				r.facts.Languages = append(r.facts.Languages, tag)
			}
		}
	case "acknowledgments", "hiring":
		r.web(line, strings.ToUpper(name[:1])+name[1:], value)
	case "encryption":
		if u, err := url.Parse(value); err != nil || u.Scheme == "" || u.Scheme == "http" {
			r.problem(line, "Encryption is no address of a key")
		}
	}
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// web checks that an address of the web begins with https (sections 2.5.1 to 2.5.8).
func (r *securityTxtReader) web(line int, field, value string) bool {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme == "":
		r.problem(line, "%s is no address", field)
	case u.Scheme == "http":
		r.problem(line, "%s has to begin with https", field)
	case u.Scheme == "https" && u.Host != "":
		return true
	}
	return false
}

func (r *securityTxtReader) contact(line int, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme == "":
		r.problem(line, "Contact is no URI: it has to begin with mailto:, https: or tel:")
		if domain := mailDomain(value); domain != "" { // people can still use it
			r.add(transparency.Contact{Kind: "mailto", Address: domain})
		}
	case u.Scheme == "mailto":
		domain := mailDomain(u.Opaque)
		if domain == "" {
			r.problem(line, "Contact is no mail address")
			return
		}
		r.add(transparency.Contact{Kind: "mailto", Address: domain})
	case u.Scheme == "tel":
		r.add(transparency.Contact{Kind: "tel"})
	case u.Scheme == "https" && u.Host != "":
		u.User = nil
		r.add(transparency.Contact{Kind: "https", Address: webAddress(u.String())})
	case u.Scheme == "http":
		r.problem(line, "Contact has to begin with https")
	default:
		r.problem(line, "Contact is neither mailto:, https: nor tel:")
	}
}

func (r *securityTxtReader) add(c transparency.Contact) {
	r.facts.Contacts = append(r.facts.Contacts, c)
}

// mailDomain returns the domain of a mail address, which may carry a subject; empty if it is none.
func mailDomain(address string) string {
	address, _, _ = strings.Cut(address, "?")
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(address, " \t<>/\"") || strings.Contains(domain, "@") {
		return ""
	}
	return clean(strings.ToLower(domain))
}

// expires reads the field that must stand once (section 2.5.5), a time as RFC 3339 writes it.
func (r *securityTxtReader) expires(line int, value string) {
	moment, err := time.Parse(time.RFC3339, strings.ToUpper(value))
	if err != nil {
		r.problem(line, "Expires is no time as RFC 3339 writes it")
		return
	}
	if r.facts.Expires.IsZero() || moment.Before(r.facts.Expires) { // of several the first to end counts
		r.facts.Expires = moment.UTC().Truncate(time.Second)
	}
}

// require notes what is missing or stands too often.
func (r *securityTxtReader) require() {
	if r.count["contact"] == 0 {
		r.problem(0, "Contact is missing")
	}
	switch n := r.count["expires"]; {
	case n == 0:
		r.problem(0, "Expires is missing")
	case n > 1:
		r.problem(0, "Expires stands %d times, and has to stand once", n)
	}
	if n := r.count["preferred-languages"]; n > 1 {
		r.problem(0, "Preferred-Languages stands %d times, and may stand once", n)
	}
}

func (r *securityTxtReader) problem(line int, format string, args ...any) {
	if len(r.facts.Problems) >= maxProblems {
		return
	}
	text := fmt.Sprintf(format, args...)
	if line > 0 {
		text = fmt.Sprintf("line %d: %s", line, text)
	}
	r.facts.Problems = append(r.facts.Problems, text)
}

// fieldSeen reports whether any line begins like a field of the RFC: otherwise the file is something else.
func fieldSeen(data []byte) bool { return knownField.Match(data) }

var knownField = regexp.MustCompile(`(?im)^(contact|expires|canonical|policy|encryption|hiring|acknowledgments|preferred-languages):`)
