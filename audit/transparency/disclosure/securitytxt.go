package disclosure

import (
	"context"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Places of security.txt (RFC 9116, section 3).
const (
	securityTxtPath   = "/.well-known/security.txt"
	securityTxtLegacy = "/security.txt"
)

const maxContacts = 10 // of which it is asked whether they answer

// CollectSecurityTxt reads the security.txt of a site. The target names the file itself or any page of the site.
func CollectSecurityTxt(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	l := newLook(t, w)
	var answer audit.Answer
	for _, place := range securityTxtPlaces(base(t)) {
		answer = l.ask(ctx, audit.Request{URL: place, Limit: securityTxtLimit + 1, Redact: withoutContactPersons})
		if answer.Trouble == nil || answer.Trouble.Kind != audit.TroubleNotFound && answer.Trouble.Kind != audit.TroubleNotHanded {
			break
		}
	}
	switch {
	case answer.Trouble != nil:
		return l.fail(answer.Trouble)
	case looksLikeHTML(answer.Body):
		return l.fail(trouble(audit.TroubleNotFound, "a web page answers where the file should be, and no security.txt",
			"publish a file of text at "+securityTxtPath+" (RFC 9116)"))
	}
	facts := parseSecurityTxt(answer.Body)
	if len(facts.Contacts) == 0 && facts.Expires.IsZero() && !fieldSeen(answer.Body) {
		return l.fail(trouble(audit.TroubleContent, "the file has none of the fields of a security.txt", "publish one by RFC 9116"))
	}
	l.transport(&facts, answer)
	if !answer.At.IsZero() && facts.Expires.After(answer.At.AddDate(1, 0, 0)) {
		l.note("it holds for longer than the year that RFC 9116, section 2.5.5, recommends")
	}
	l.reach(ctx, &facts)
	l.out.SecurityTxt = &facts
	return l.out
}

// securityTxtPlaces are the addresses at which the file may stand, in the order of the RFC.
func securityTxtPlaces(from string) []string {
	u, err := url.Parse(from)
	if err != nil {
		return []string{from}
	}
	if path.Base(u.Path) == "security.txt" || u.Scheme == "file" && path.Ext(u.Path) == ".txt" {
		return []string{from}
	}
	u.RawQuery, u.Fragment = "", ""
	var out []string
	for _, place := range []string{securityTxtPath, securityTxtLegacy} {
		v := *u
		v.Path, v.RawPath = place, ""
		out = append(out, v.String())
	}
	return out
}

// transport notes what the RFC asks of the way the file is served (sections 3 and 5.2): https, text/plain in UTF-8, the place,
// and that the file names the address it stands at if it names any.
func (l *look) transport(facts *transparency.SecurityTxt, answer audit.Answer) {
	if answer.Handed != "" {
		return
	}
	final, err := url.Parse(at(answer.Seen))
	if err != nil {
		return
	}
	problem := func(text string) { facts.Problems = append(facts.Problems, text) }
	if final.Scheme == "http" && !loopback(final.Hostname()) {
		problem("it is served without https")
	}
	media, parameters, _ := strings.Cut(strings.ToLower(answer.Headers["content-type"]), ";")
	switch {
	case strings.TrimSpace(media) != "text/plain":
		problem("it is served as " + clean(media) + ", not as text/plain")
	case strings.Contains(parameters, "charset") && !strings.Contains(parameters, "utf-8"):
		problem("it is served with another charset than utf-8")
	case !strings.Contains(parameters, "charset"):
		l.note("the server does not say that the text is in UTF-8")
	}
	if asked, err := url.Parse(answer.URL); err == nil && asked.Host != final.Host {
		l.note("the address leads to " + clean(final.Host) + "; the RFC asks readers to check that it speaks for the same operator")
	}
	if final.Path == securityTxtLegacy {
		facts.Legacy = true
		l.note("it stands at " + securityTxtLegacy + ", the place from before the RFC, and not at " + securityTxtPath)
	}
	if len(facts.Canonical) > 0 && !slices.Contains(facts.Canonical, answer.URL) && !slices.Contains(facts.Canonical, final.String()) {
		problem("the address it was read from is none of those that it calls canonical")
	}
	if facts.Signed {
		l.note("it is signed; the signature was not verified, because nobody but the operator says which key is the right one")
	}
}

// loopback reports whether a connection never leaves the machine, so that it needs no encryption (W3C Secure Contexts, 3.1).
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// reach asks whether the web addresses among the contacts answer. Nobody writes or calls.
func (l *look) reach(ctx context.Context, facts *transparency.SecurityTxt) {
	asked := 0
	for i := range facts.Contacts {
		c := &facts.Contacts[i]
		if c.Kind != "https" || c.Address == "" || asked == maxContacts {
			continue
		}
		asked++
		answer := l.ask(ctx, audit.Request{URL: c.Address})
		switch {
		case answer.Trouble == nil || answer.Trouble.Kind == audit.TroubleLogin: // a form for those who have an account
			c.Reachable = new(true)
		case answer.Trouble.Kind == audit.TroubleNotFound:
			c.Reachable = new(false)
		}
	}
}

// sameSite reports whether two hosts belong to one registrable domain.
func sameSite(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if a == b {
		return a != ""
	}
	x, errX := publicsuffix.EffectiveTLDPlusOne(a)
	y, errY := publicsuffix.EffectiveTLDPlusOne(b)
	return errX == nil && errY == nil && x == y
}

// registrable returns the domain that somebody registered; the host itself where there is none such.
func registrable(host string) string {
	if domain, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(host)); err == nil {
		return domain
	}
	return host
}
