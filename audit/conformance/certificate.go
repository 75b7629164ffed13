package conformance

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Certificate is what shows that a certificate is held. SCS publishes no certificates that a program can read, only pages for
// people; until it does, whatever is found here supports the operator's word and does not replace it.
type Certificate struct {
	Subject string    `json:"subject"`
	Scope   string    `json:"scope"`             // id
	Version string    `json:"version,omitempty"` // of the scope, as the operator says
	Issuer  string    `json:"issuer,omitempty"`  // as the operator says
	Issued  time.Time `json:"issued,omitzero"`   // as the operator says
	// Page is the certificate status page (scs-0004, rule 4).
	Page CertificateStatus `json:"page"`
	// Revocations is the public list of revoked certificates (scs-0004, rule 7).
	Revocations Revocations `json:"revocations"`
}

// CertificateStatus is what a certificate status page shows.
type CertificateStatus struct {
	Host         string `json:"host,omitempty"` // who says it; empty: a file that was handed over
	NamesSubject bool   `json:"names_subject"`
	NamesScope   bool   `json:"names_scope"`
	// Listed says how the overview of a compliance monitor lists the subject: certified or not-certified; empty: not at all,
	// or the page is not one of a monitor.
	Listed string `json:"listed,omitempty"`
}

// Words for Listed.
const (
	ListedCertified    = "certified"
	ListedNotCertified = "not-certified"
)

// CertificateYears is how long a certificate counts (scs-0004, rule 1: "the period of one year").
const CertificateYears = 1

// Until returns the day when a certificate of that day stops to count; zero if nobody says when it was issued.
func (c Certificate) Until() time.Time {
	if c.Issued.IsZero() {
		return time.Time{}
	}
	return c.Issued.AddDate(CertificateYears, 0, 0)
}

const settleCertificate = "name the certificate status page of SCS (scs-0004, rule 4) with subject and layer"

func collectCertificate(ctx context.Context, t Target, w World) Entry {
	l := &look{entry: Entry{Target: t}, ask: w.Ask}
	uuid, _ := scopeOf(t.Layer)
	switch {
	case uuid == "":
		return l.stop(audit.TroubleNotNamed, fmt.Sprintf("there is no SCS-compatible scope for layer %q", plain(t.Layer)), "name layer iaas or kaas")
	case t.Subject == "":
		return l.stop(audit.TroubleNotNamed, "nobody said for which subject the certificate is", settleCertificate)
	}
	c := Certificate{Subject: plain(t.Subject), Scope: uuid, Version: plain(t.Version), Issuer: plain(t.Issuer), Issued: t.Issued.UTC()}
	if t.Issued.IsZero() {
		c.Issued = time.Time{}
	}
	where := t.URL
	if where == "" {
		where = address(t.File)
	}
	page := l.get(ctx, audit.Request{URL: where, Limit: maxDetails})
	if page.Trouble != nil {
		return l.fail(*page.Trouble, settleCertificate)
	}
	c.Page = readPage(page, t, uuid)
	if monitorPage(t.URL) {
		l.listed(ctx, &c, t)
	}
	if t.Revocations != "" {
		a := l.get(ctx, audit.Request{URL: address(t.Revocations), Limit: maxDetails})
		c.Revocations = readRevocations(a, t, uuid)
	}
	l.entry.Certificate = &c
	return l.entry
}

// readPage looks for the subject and the scope on a page for people. The address counts for neither: a page that is there for
// every address says nothing.
func readPage(a audit.Answer, t Target, uuid string) CertificateStatus {
	host := ""
	if u, err := url.Parse(a.URL); err == nil && a.Handed == "" {
		host = plain(u.Host)
	}
	text := pageText(string(a.Body))
	return CertificateStatus{Host: host, NamesSubject: hasWord(text, t.Subject) || hasWord(text, groupTitle(t.Subject)), NamesScope: namesScope(text, uuid)}
}

// groupTitle is what a compliance monitor calls a group in the title of its page; empty if the subject is no group.
func groupTitle(subject string) string {
	if name, ok := strings.CutPrefix(subject, groupPrefix); ok && name != "" {
		return "group " + name
	}
	return ""
}

// listed reads the overview of the compliance monitor, which has a table of certified environments and one of others
// (compliance-monitor/templates/overview.md.j2).
func (l *look) listed(ctx context.Context, c *Certificate, t Target) {
	a := l.get(ctx, audit.Request{URL: monitorBase(t.URL) + "markdown/table", Accept: "text/markdown", Limit: maxDetails})
	if a.Trouble != nil {
		l.note("the overview of the compliance monitor could not be read: %s", a.Trouble.Text)
		return
	}
	for _, row := range parseOverview(string(a.Body)) {
		if layerOf(row.Scope) != t.Layer || row.Subject != t.Subject {
			continue
		}
		if c.Page.Listed = ListedNotCertified; row.Certified {
			c.Page.Listed = ListedCertified
			return
		}
	}
}

// namesScope reports whether a text names the scope, by its id or by its name, e.g. "SCS-compatible IaaS".
func namesScope(text, uuid string) bool {
	low := strings.ToLower(text)
	_, alias := scopeOf(layerOf(uuid))
	return strings.Contains(low, uuid) || strings.Contains(strings.NewReplacer(" ", "-").Replace(low), alias)
}

// hasWord reports whether a name stands in a text with no letter, digit, dot before or after it that would make it another.
func hasWord(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	for from := 0; name != ""; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		if !joins(text, i-1) && !joins(text, i+len(name)) {
			return true
		}
		from = i + len(name)
	}
	return false
}

func joins(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 0x80
}
