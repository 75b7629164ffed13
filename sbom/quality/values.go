package quality

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit/licence"
)

// validEmail reports whether a text is one bare address, e.g. of a list.
func validEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && strings.Contains(s[strings.LastIndexByte(s, '@'):], ".")
}

// validURL reports whether a text is an address that a browser, git or a package tool can open.
func validURL(s string) bool {
	u, err := url.Parse(strings.TrimPrefix(s, "git+"))
	if err != nil || u.Host == "" || strings.ContainsAny(s, " \t\r\n<>\"") {
		return false
	}
	switch u.Scheme {
	case "http", "https", "ftp", "ftps", "git", "ssh", "svn", "svn+ssh":
		return true
	}
	return false
}

// validURI reports whether a text is an absolute URI, such as an address, oci:// or urn:.
func validURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "") && !strings.ContainsAny(s, " \t\r\n<>\"")
}

// placeState judges where something can be had. A purl, or the path of a file inside the product, names it and leads
// nowhere: writers put one where CycloneDX demands a URL beside a hash. Then nothing is stated, and nothing wrongly.
func placeState(s string, valid func(string) bool) state {
	if strings.HasPrefix(s, "pkg:") || strings.HasPrefix(s, "file:") || s == "" {
		return absent
	}
	return validState(valid(s))
}

// hashDigits is how many hexadecimal digits each algorithm has, by its name without punctuation, in lower case. Source:
// CycloneDX 1.7 enumeration hash-alg and SPDX enumeration HashAlgorithm.
var hashDigits = map[string]int{
	"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "sha3224": 56, "sha3256": 64, "sha3384": 96, "sha3512": 128,
	"blake2b256": 64, "blake2b384": 96, "blake2b512": 128, "blake3": 64, "streebog256": 64, "streebog512": 128,
}

func plainAlgorithm(name []byte) string {
	var b [24]byte
	out := b[:0]
	for _, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c == '-' || c == '_':
			continue
		}
		if len(out) == len(b) {
			return ""
		}
		out = append(out, c)
	}
	return string(out)
}

// validHash returns given, or why a value is no hash of the algorithm, as states of fieldHash.
func validHash(algorithm string, value []byte) state {
	digits, known := hashDigits[algorithm]
	if !known {
		return wrong + 1
	}
	if len(value) != digits {
		return wrong
	}
	for _, c := range value {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return wrong
		}
	}
	return given
}

// nothing are words that stand where a value is unknown.
var nothing = map[string]bool{
	"unknown": true, "unspecified": true, "undefined": true, "n/a": true, "none": true, "null": true, "noassertion": true, "latest": true, "(unknown)": true, "tbd": true, "-": true,
}

func saysNothing(s []byte) bool {
	return len(s) < 16 && nothing[strings.ToLower(strings.TrimSpace(string(s)))]
}

// dateLike is what is meant as a time: a day, and a clock time or nothing behind it.
var dateLike = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$`)

// versionState judges a version. Source: BSI TR-03183-2 v2.1.0 section 5.2.2, component version: where there is none, the time
// of the last change of the file as RFC 3339 date-time.
func versionState(version []byte, ownFile bool) state {
	switch {
	case len(version) == 0:
		return absent
	case saysNothing(version):
		return wrong
	case len(version) >= 10 && version[4] == '-' && dateLike.Match(version) && !dateTime(version) && (ownFile || len(version) > 10):
		return wrong + 1
	case ownFile && strings.IndexAny(string(version), "0123456789") < 0:
		return wrong + 2
	}
	return given
}

func dateTime(s []byte) bool {
	_, err := time.Parse(time.RFC3339, string(s))
	return err == nil
}

// timestampState judges when a document was made: RFC 3339 and, for BSI, in UTC (section 5.2.1).
func timestampState(s []byte) (state, string) {
	t, err := time.Parse(time.RFC3339, string(s))
	if err != nil {
		return wrong, "no RFC 3339 date-time"
	}
	if _, offset := t.Zone(); offset != 0 {
		return wrong + 1, "not in UTC"
	}
	return given, ""
}

// filenameState judges a file name. Source: BSI TR-03183-2 v2.1.0 section 5.2.2: the name, without path.
func filenameState(s []byte) state {
	switch {
	case len(s) == 0:
		return wrong + 2
	case strings.ContainsAny(string(s), "/\\"):
		return wrong
	}
	return given
}

var cpeForm = regexp.MustCompile(`^(cpe:2\.3:[aho*-](:[^:\s\\]*(\\.[^:\s\\]*)*){10}|cpe:/[aho]?(:[^:\s]*){0,6})$`)

// bomLink is the URN by which one CycloneDX document names another, or an element of it. Source: CycloneDX 1.7 schema,
// bomLinkDocument and bomLinkElement.
var bomLink = regexp.MustCompile(`^urn:cdx:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/[1-9][0-9]*(#.+)?$`)

// serialForm is a serial number. Source: CycloneDX 1.7 schema, serialNumber.
var serialForm = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// licenceVerdict says what a text is, as a licence.
type licenceVerdict uint8

const (
	licenceNone       licenceVerdict = iota // NONE or NOASSERTION
	licenceName                             // a name or a text, no SPDX expression
	licenceUnlistedID                       // an expression with a LicenseRef that does not say whose list it is from
	licenceExpression                       // an SPDX expression
)

// licence judges a licence, and remembers the answer: few texts stand very often.
func (f *facts) licence(text []byte) licenceVerdict {
	if v, ok := f.licences[string(text)]; ok {
		return v
	}
	v := judgeLicence(string(text))
	if len(f.licences) < 10_000 && len(text) < 1000 {
		f.licences[string(text)] = v
	}
	return v
}

func judgeLicence(text string) licenceVerdict {
	switch {
	case text == "NONE" || text == "NOASSERTION":
		return licenceNone
	case licence.CheckExpression(text) != nil:
		return licenceName
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '(' || r == ')' }) {
		if _, ref, ok := strings.Cut(word, "LicenseRef-"); ok && !strings.Contains(strings.Trim(ref, "-"), "-") {
			return licenceUnlistedID
		}
	}
	return licenceExpression
}
