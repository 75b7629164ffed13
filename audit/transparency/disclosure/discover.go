package disclosure

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of a discovery.
const (
	maxDeeper  = 4  // pages behind the home page
	maxPerKind = 5  // candidates of one kind
	maxFound   = 40 // candidates
)

// Discover looks from an operator's home page for the public artifacts of a cloud: at the places that standards fix, at
// hosts that operators name alike, and along the links of the home page and of up to four pages behind it. It follows links
// of the same registrable domain only; a candidate may also stand at a forge, at a service for status pages, or at the
// compliance monitor of SCS. Every target says in Why how it was found. Nothing of it is judged, and some may be wrong: the
// collectors tell.
func Discover(ctx context.Context, home string, w transparency.World) (targets []transparency.Target, seen []audit.Seen) {
	d := discovery{look: newLook(transparency.Target{URL: home}, w), asked: map[string]bool{}}
	start, err := url.Parse(home)
	if err != nil || start.Host == "" {
		return nil, nil
	}
	d.site = start.Hostname()
	d.page(ctx, home, true)
	d.fixed(ctx, start)
	slices.SortStableFunc(d.targets, func(x, y transparency.Target) int {
		return slices.Index(transparency.Kinds(), x.Kind) - slices.Index(transparency.Kinds(), y.Kind)
	})
	return d.targets, d.look.out.Seen
}

// discovery is one search.
type discovery struct {
	look    *look
	site    string // host of the home page
	asked   map[string]bool
	targets []transparency.Target
}

// page reads a page and sorts its links; from the home page it goes one step further.
func (d *discovery) page(ctx context.Context, address string, first bool) {
	if d.asked[address] {
		return
	}
	d.asked[address] = true
	answer := d.look.ask(ctx, audit.Request{URL: address, Redact: imprintWithoutPersons})
	if answer.Trouble != nil || !looksLikeHTML(answer.Body) {
		return
	}
	from := at(answer.Seen)
	if u, err := url.Parse(from); first && err == nil && sameSite(u.Hostname(), d.site) {
		d.site = u.Hostname()
	}
	var next []string
	for _, k := range readHTML(answer.Body).links {
		to := resolve(from, k.href)
		u, err := url.Parse(to)
		if to == "" || err != nil || u.Host == "" {
			continue
		}
		if d.link(u, to, k, address) {
			continue
		}
		if first && sameSite(u.Hostname(), d.site) && deeper.MatchString(k.text) && !slices.Contains(next, to) {
			next = append(next, to)
		}
	}
	for _, to := range next[:min(len(next), maxDeeper)] {
		d.page(ctx, to, false)
	}
}

// link sorts one link, and reports whether it is a candidate.
func (d *discovery) link(u *url.URL, to string, k link, on string) bool {
	host := strings.ToLower(u.Hostname())
	own := sameSite(host, d.site)
	if complianceHost(host) {
		return d.add(transparency.Target{Kind: transparency.KindCertificatePage, URL: on}, "links to the compliance monitor of SCS")
	}
	for _, s := range signs {
		why := ""
		switch {
		case own && host != d.site && s.host != nil && s.host.MatchString(host):
			why = fmt.Sprintf("the host %s is named like one", host)
		case s.service != nil && s.service.MatchString(host):
			why = fmt.Sprintf("the host %s serves such pages", host)
		case !own && !forge(host):
			continue
		case s.text != nil && s.text.MatchString(k.text):
			why = fmt.Sprintf("a link called %q on %s", k.text, on)
		case own && s.path != nil && s.path.MatchString(u.Path):
			why = fmt.Sprintf("the path of a link on %s", on)
		}
		if why == "" {
			continue
		}
		t := transparency.Target{Kind: s.kind, URL: to}
		if forge(host) && !own {
			t = repositoryTarget(s.kind, u, to)
		}
		if s.kind == transparency.KindCertificatePage {
			t.URL = on
		}
		return d.add(t, why)
	}
	return forge(host) && d.repository(u, k, on)
}

// repositoryTarget makes the target of a kind that stands in a repository of a forge.
func repositoryTarget(kind string, u *url.URL, to string) transparency.Target {
	repository, folder, ok := forgePlace(u)
	if !ok || kind != transparency.KindRunbooks && kind != transparency.KindAdvisories && kind != transparency.KindIncidentReports {
		return transparency.Target{Kind: kind, URL: to}
	}
	t := transparency.Target{Kind: kind, Repositories: []string{repository}, Path: folder}
	if kind == transparency.KindAdvisories {
		t.Adapter = adapterRepository
	}
	return t
}

// forgePlace splits the address of a repository or of a folder in one, as forges write them: OWNER/NAME/tree/BRANCH/FOLDER,
// on GitLab with a dash before tree and groups in groups, on Gitea with src/branch. Other pages of a forge are none.
func forgePlace(u *url.URL) (repository, folder string, ok bool) {
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if !forge(u.Hostname()) || len(parts) < 2 || slices.Contains(parts, "") {
		return "", "", false
	}
	at := slices.IndexFunc(parts, func(p string) bool { return p == "-" || p == "tree" || p == "src" })
	if at < 0 {
		return "https://" + u.Host + "/" + strings.Join(parts, "/"), "", len(parts) == 2
	}
	rest := parts[at:]
	if rest[0] == "-" && len(rest) > 1 {
		rest = rest[1:]
	}
	if len(rest) > 1 && rest[0] == "src" && rest[1] == "branch" {
		rest = rest[1:]
	} else if rest[0] != "tree" {
		return "", "", false
	}
	if at < 2 || len(rest) < 2 {
		return "", "", false
	}
	return "https://" + u.Host + "/" + strings.Join(parts[:at], "/"), strings.Join(rest[2:], "/"), true
}

// repository sorts a link to a forge: repositories about operations are runbooks, an organisation is where to look for
// contributions.
func (d *discovery) repository(u *url.URL, k link, on string) bool {
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case len(parts) >= 2 && operating.MatchString(parts[1]+" "+k.text):
		return d.add(repositoryTarget(transparency.KindRunbooks, u, ""), fmt.Sprintf("a repository about operations that %s links to", on))
	case len(parts) == 1 && parts[0] != "" && !slices.Contains([]string{"features", "about", "login", "join", "pricing", "explore", "topics"}, parts[0]):
		return d.add(transparency.Target{Kind: transparency.KindOpenOperations, URL: "https://" + u.Host + "/" + parts[0]}, fmt.Sprintf("the organisation at a forge that %s links to", on))
	}
	return false
}

// add takes over a candidate, each once, and bounded.
func (d *discovery) add(t transparency.Target, why string) bool {
	if len(d.targets) >= maxFound {
		return true
	}
	same := 0
	for _, have := range d.targets {
		if have.Kind != t.Kind {
			continue
		}
		if have.URL == t.URL && slices.Equal(have.Repositories, t.Repositories) {
			return true
		}
		same++
	}
	if same < maxPerKind {
		t.Why = clean(why)
		d.targets = append(d.targets, t)
	}
	return true
}

// fixed asks at the places that a standard or a habit fixes, where the links did not name one already.
func (d *discovery) fixed(ctx context.Context, home *url.URL) {
	root := url.URL{Scheme: home.Scheme, Host: home.Host}
	file := root.JoinPath(securityTxtPath).String()
	if answer := d.look.ask(ctx, audit.Request{URL: file, Limit: securityTxtLimit, Redact: withoutContactPersons}); answer.Trouble == nil && fieldSeen(answer.Body) && !looksLikeHTML(answer.Body) {
		d.add(transparency.Target{Kind: transparency.KindSecurityTxt, URL: file}, "it stands where RFC 9116 wants it")
	}
	provider := root.JoinPath("/.well-known/csaf/provider-metadata.json").String()
	if answer := d.look.ask(ctx, audit.Request{URL: provider, Accept: "application/json", Redact: withoutReporters}); answer.Trouble == nil && strings.Contains(string(answer.Body), "canonical_url") {
		d.add(transparency.Target{Kind: transparency.KindAdvisories, URL: provider}, "it stands where CSAF 2.0 wants it")
	}
	if d.has(transparency.KindStatusPage) || loopback(home.Hostname()) {
		return
	}
	status := url.URL{Scheme: home.Scheme, Host: "status." + registrable(home.Hostname()), Path: "/"}
	if answer := d.look.ask(ctx, audit.Request{URL: status.String()}); answer.Trouble == nil {
		if final, err := url.Parse(at(answer.Seen)); err == nil && final.Hostname() != d.site && final.Hostname() != home.Hostname() {
			d.add(transparency.Target{Kind: transparency.KindStatusPage, URL: status.String()}, "the host "+status.Host+" answers")
		}
	}
}

func (d *discovery) has(kind string) bool {
	return slices.ContainsFunc(d.targets, func(t transparency.Target) bool { return t.Kind == kind })
}
