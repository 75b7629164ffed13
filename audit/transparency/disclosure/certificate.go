package disclosure

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// scsScope finds the names of scopes on a page (scs-0003-v1: three levels, layers IaaS and KaaS).
var scsScope = regexp.MustCompile(`(?i)\bSCS[- ](compatible|open|sovereign)[- ]([IK])aaS\b`)

// scsWord is how links to a certificate speak of it.
var scsWord = regexp.MustCompile(`(?i)\bSCS[- ](?:compatible|open|sovereign|certifi|zertifi)|sovereign cloud stack|certificate status|compliance[- ](?:status|monitor)`)

// complianceHost reports whether a host serves the certificate status pages of SCS (standards: compliance-monitor).
func complianceHost(host string) bool {
	host = strings.ToLower(host)
	return host == "compliance.sovereignit.cloud" || host == "compliance.scs.community"
}

func atSCS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && complianceHost(u.Hostname())
}

// CollectCertificatePage looks at the page on which an operator shows the certificate of a cloud, and follows its hyperlink to
// the certificate status page (scs-0004-v1, rules 4 and 6). A target that names the status page itself is looked for on the
// operator's home page.
func CollectCertificatePage(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	l := newLook(t, w)
	answer := l.ask(ctx, audit.Request{URL: base(t)})
	if answer.Trouble != nil {
		return l.fail(answer.Trouble)
	}
	p := readPage(answer.Body)
	facts := transparency.CertificatePage{}
	if statusPage(p) {
		l.status(&facts, p)
		l.home(ctx, &facts, at(answer.Seen))
		l.out.CertificatePage = &facts
		return l.out
	}
	to, logo := certificateLink(p, at(answer.Seen))
	if to == "" {
		if len(p.links) == 0 {
			return l.fail(trouble(audit.TroubleContent, "the page has no links: perhaps a script makes them", "name a page that shows the link without a script"))
		}
		l.out.CertificatePage = &facts // read, and without the link: that counts
		return l.out
	}
	facts.Link, facts.Logo, facts.SCS = webAddress(to), logo, atSCS(to)
	status := l.ask(ctx, audit.Request{URL: to})
	if status.Trouble != nil {
		l.note("the certificate status page could not be read: " + status.Trouble.Text)
	} else {
		l.status(&facts, readPage(status.Body))
	}
	l.out.CertificatePage = &facts
	return l.out
}

// home looks for the hyperlink to the status page on the operator's home page.
func (l *look) home(ctx context.Context, facts *transparency.CertificatePage, status string) {
	for i, domain := range l.world.Operator.Domains {
		if i == 3 {
			return
		}
		answer := l.ask(ctx, audit.Request{URL: "https://" + domain + "/"})
		if answer.Trouble != nil {
			continue
		}
		for _, k := range readPage(answer.Body).links {
			if to := resolve(at(answer.Seen), k.href); to != "" && samePlace(to, status) {
				facts.Link, facts.Logo, facts.SCS = webAddress(to), k.image, atSCS(to)
				return
			}
		}
	}
	l.note("no hyperlink from a page of the operator to the certificate status page was found")
}

// samePlace compares addresses without query and the slash at the end.
func samePlace(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && strings.EqualFold(x.Host, y.Host) && strings.TrimRight(x.Path, "/") == strings.TrimRight(y.Path, "/")
}

// certificateLink returns the hyperlink to a status page: to one of the known hosts, else by the words of the link or the
// picture in it.
func certificateLink(p page, address string) (to string, logo bool) {
	for _, match := range []func(to string, k link) bool{
		func(to string, _ link) bool {
			u, err := url.Parse(to)
			return err == nil && complianceHost(u.Hostname())
		},
		func(to string, k link) bool { return scsWord.MatchString(k.text) && strings.Contains(to, "compliance") },
		func(_ string, k link) bool { return scsScope.MatchString(k.text) },
	} {
		for _, k := range p.links {
			if to := resolve(address, k.href); to != "" && !samePlace(to, address) && match(to, k) {
				return to, k.image
			}
		}
	}
	return "", false
}

// statusPage reports whether a page shows results of tests: a scope, and rows with results.
func statusPage(p page) bool {
	results := 0
	for _, l := range p.lines {
		if len(l.cells) >= 2 && resultWord.MatchString(l.text()) {
			results++
		}
	}
	return results > 0 && slices.ContainsFunc(p.lines, func(l line) bool { return scsScope.MatchString(l.text()) })
}

// resultWord is how the compliance monitor writes results (standards: compliance-monitor/templates/details.md.j2).
var resultWord = regexp.MustCompile(`(?i)(?:✅|🛑|🟧|❔|❓|⚠️)|\b(?:PASS|FAIL|DNF|MISSING)\b`)

// status takes over which scopes a status page names and which days it shows.
func (l *look) status(facts *transparency.CertificatePage, p page) {
	days := map[time.Time]bool{}
	lines := append([]line{{cells: []string{p.title}}}, p.lines...)
	for _, text := range lines {
		for _, m := range scsScope.FindAllStringSubmatch(text.text(), 20) {
			scope := "SCS-" + strings.ToLower(m[1]) + " " + strings.ToUpper(m[2]) + "aaS"
			if !slices.Contains(facts.Scopes, scope) {
				facts.Scopes = append(facts.Scopes, scope)
			}
		}
		for _, cell := range text.cells {
			if d, ok := dateIn(cell); ok {
				days[d.at.Truncate(24*time.Hour)] = true
			}
		}
	}
	slices.Sort(facts.Scopes)
	if len(days) == 0 {
		return
	}
	facts.HistoryFrom = slices.MinFunc(slices.Collect(maps.Keys(days)), time.Time.Compare)
	facts.History = len(days) > 1
}
