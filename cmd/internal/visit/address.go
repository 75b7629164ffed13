package visit

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/pegel-audit/pegel/audit"
)

// parse reads an address that may be asked: http or https, a host name or a full literal address, no credentials.
func parse(text string) (*url.URL, *audit.Trouble) {
	bad := func(why, settle string) (*url.URL, *audit.Trouble) {
		return nil, &audit.Trouble{Kind: audit.TroubleAddress, Text: why, Settle: settle}
	}
	const full = "write it in full, like https://status.example.org/"
	if len(text) > mostURL {
		return bad("the address has more than "+strconv.Itoa(mostURL)+" bytes", full)
	}
	u, err := url.Parse(text)
	if err != nil {
		return bad("the address cannot be read", full)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("the address is of no page in the web: only http and https are spoken", full)
	case u.User != nil:
		return bad("the address carries a name or password; an outsider has none", "write the address without it")
	case u.Opaque != "" || u.Hostname() == "":
		return bad("the address names no server", full)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return bad("the port of the address is none", full)
		}
	}
	host, ok := plainHost(u.Hostname())
	if !ok {
		return bad("the name of the server is none that can be looked up", full)
	}
	u.Host = joined(host, u.Port())
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// plainHost writes a host name in ASCII and lower case. Numbers that only some resolvers take for addresses are refused.
func plainHost(host string) (string, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String(), true
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil { // names with an underscore exist, and are plain
		if ascii = strings.ToLower(host); !strings.Contains(ascii, "_") || !plainName.MatchString(ascii) {
			return "", false
		}
	}
	if strings.Contains(ascii, "..") {
		return "", false
	}
	last := ascii[strings.LastIndexByte(strings.TrimSuffix(ascii, "."), '.')+1:]
	last = strings.TrimSuffix(last, ".")
	if last == "" || strings.Trim(last, "0123456789") == "" || numeric.MatchString(last) {
		return "", false
	}
	return ascii, true
}

var (
	plainName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9.])?$`)
	numeric   = regexp.MustCompile(`^0x[0-9a-f]*$`)
)

func joined(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return host
}

// Masked returns an address as it may stand in evidence: without credentials and fragment, and without the values of
// parameters that look like tokens. What cannot be read as an address is not repeated.
func Masked(text string) string {
	u, err := url.Parse(text)
	if err != nil || len(text) > mostURL {
		return "(an address that cannot be read)"
	}
	return masked(u)
}

func masked(u *url.URL) string {
	m := *u
	m.User, m.Fragment, m.RawFragment = nil, "", ""
	m.RawQuery = maskedQuery(u.RawQuery)
	if m.Opaque != "" {
		m.Opaque = tokenValue.ReplaceAllString(m.Opaque, Hidden)
	} else if path := u.EscapedPath(); tokenValue.MatchString(path) {
		m.Path = tokenValue.ReplaceAllString(path, Hidden)
		m.RawPath = ""
	}
	return m.String()
}

// Hidden stands in an address where a token was.
const Hidden = "HIDDEN"

// maskedQuery hides values, and leaves order and spelling of everything else.
func maskedQuery(query string) string {
	if query == "" {
		return ""
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			decoded = value
		}
		if value != "" && (tokenName.MatchString(plain) || tokenValue.MatchString(decoded)) {
			parts[i] = name + "=" + Hidden
		} else if value == "" && tokenValue.MatchString(plain) {
			parts[i] = Hidden
		}
	}
	return strings.Join(parts, "&")
}

var (
	// tokenName are names of parameters that carry a secret: OAuth, signed addresses of object stores, API keys, sessions.
	tokenName = regexp.MustCompile(`(?i)(^|[_.\-\[])(token|secret|password|passwd|passwort|pwd|pass|signature|sig|credential|credentials|` +
		`auth|authorization|apikey|jwt|session|sessionid|sid|ticket|assertion|samlresponse|samlrequest|code|key)(\]|$)|` +
		`(?i)(token|secret|apikey|password|sessionid|accesskey|authkey)$`)
	// tokenValue are values that are secrets by their form: JSON web tokens, and tokens of forges, clouds and Grafana.
	tokenValue = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*)?|` +
		`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|glsa_[A-Za-z0-9_]{20,}|AKIA[A-Z0-9]{16}|xox[abprs]-[A-Za-z0-9-]{10,})`)
)
