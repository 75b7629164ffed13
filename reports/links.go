package reports

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// webURL returns the address if a browser may open it: http or https with a host, without user name or password, and of a
// sane length. Else "".
func webURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || len(address) > 2000 || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// originURL returns the address where a browser shows exactly the bytes that were read: repository, revision, path, line.
// Where the forge is not known it is the address of the repository or document itself.
func originURL(o audit.Origin) string {
	base := webURL(o.URL)
	if base == "" || !isCommit(o.Commit) {
		return base
	}
	u, err := url.Parse(base)
	if err != nil || u.Fragment != "" {
		return base
	}
	repo, layout, ok := layoutOf(u)
	if !ok {
		return base
	}
	path, ok := escapedPath(o.Path)
	if !ok {
		return repo + fmt.Sprintf(layout.tree, o.Commit)
	}
	link := repo + fmt.Sprintf(layout.file, o.Commit, path)
	if o.Line > 0 {
		link += fmt.Sprintf("#%s%d", layout.line, o.Line)
	}
	return link
}

// escapedPath writes a path inside a repository for an address; ok is false if there is none, or if it climbs.
func escapedPath(path string) (escaped string, ok bool) {
	if path == "" {
		return "", false
	}
	var parts []string
	for _, part := range strings.Split(path, "/") {
		if part == "" || part == "." || part == ".." {
			return "", false
		}
		parts = append(parts, url.PathEscape(part))
	}
	return strings.Join(parts, "/"), true
}

// layout is how a forge writes, after the address of a repository, that of a revision (%[1]s) and of a file in it (%[2]s),
// and what stands before the number of a line.
type layout struct{ tree, file, line string }

// layoutOf finds out which software serves a repository, by the hosts that are known and the forms that addresses have. It
// returns the address that the layout goes on from.
func layoutOf(u *url.URL) (repo string, l layout, ok bool) {
	host := u.Hostname()
	repo = strings.TrimSuffix(u.String(), "/")
	if project, ok := gitwebProject(u); ok {
		at := "/gitweb/"
		if host == "git.haproxy.org" {
			at = "/"
		}
		return u.Scheme + "://" + u.Host + at + "?p=" + url.QueryEscape(project), layout{";a=tree;hb=%s", ";a=blob;hb=%[1]s;f=%[2]s", "l"}, true
	}
	if u.RawQuery != "" {
		return "", layout{}, false
	}
	if host == "git.kernel.org" || host == "git.zx2c4.com" || host == "git.launchpad.net" || strings.HasPrefix(host, "cgit.") {
		return repo, layout{"/tree/?id=%s", "/tree/%[2]s?id=%[1]s", "n"}, true // cgit; .git is part of some addresses
	}
	repo = strings.TrimSuffix(repo, ".git")
	switch {
	case host == "github.com":
		l = layout{"/tree/%s", "/blob/%[1]s/%[2]s", "L"}
	case host == "opendev.org", host == "codeberg.org", strings.HasPrefix(host, "gitea."), strings.HasPrefix(host, "forgejo."):
		l = layout{"/src/commit/%s", "/src/commit/%[1]s/%[2]s", "L"}
	case strings.HasPrefix(host, "gitlab."), host == "salsa.debian.org", host == "invent.kde.org", host == "opencode.de", host == "git.openldap.org":
		l = layout{"/-/tree/%s", "/-/blob/%[1]s/%[2]s", "L"}
	case strings.HasSuffix(host, ".googlesource.com"):
		l = layout{"/+/%s", "/+/%[1]s/%[2]s", ""}
	case host == "bitbucket.org":
		l = layout{"/src/%s", "/src/%[1]s/%[2]s", "lines-"}
	case host == "git.sr.ht":
		l = layout{"/tree/%s", "/tree/%[1]s/item/%[2]s", "L"}
	case host == "git.zabbix.com": // Bitbucket Server
		l = layout{"/browse?at=%s", "/browse/%[2]s?at=%[1]s", ""}
	default:
		return "", layout{}, false
	}
	return repo, l, true
}

// gitwebProject returns the name of a repository that gitweb shows: of git.haproxy.org, git.postgresql.org,
// git.shibboleth.net and thekelleys.org.uk, by the address of the clone or of the page.
func gitwebProject(u *url.URL) (string, bool) {
	switch u.Hostname() {
	case "git.haproxy.org", "git.postgresql.org", "git.shibboleth.net", "thekelleys.org.uk":
	default:
		return "", false
	}
	project := strings.TrimPrefix(strings.TrimSuffix(u.Path, "/"), "/git/")
	if name, ok := strings.CutPrefix(u.RawQuery, "p="); ok {
		project = name
	}
	if project == "" || strings.ContainsAny(project, "/;&?#=%") {
		return "", false
	}
	return project, true
}

// pageURL returns the address that people read where a program asked an interface: the page of the repository for an
// answer of GitHub or Launchpad, the search for one of Gerrit. Repo is the project's own, for answers that name none.
func pageURL(o audit.Origin, repo string) string {
	link := originURL(o)
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return link
	}
	switch host := u.Hostname(); {
	case host == "api.github.com":
		if rest, ok := strings.CutPrefix(u.Path, "/repos/"); ok {
			if parts := strings.SplitN(rest, "/", 3); len(parts) >= 2 {
				return "https://github.com/" + url.PathEscape(parts[0]) + "/" + url.PathEscape(parts[1])
			}
		}
		if own, err := url.Parse(webURL(repo)); err == nil && own.Hostname() == "github.com" {
			return own.String()
		}
	case host == "api.launchpad.net":
		if parts := strings.SplitN(strings.TrimPrefix(u.Path, "/"), "/", 3); len(parts) >= 2 {
			return "https://launchpad.net/" + url.PathEscape(parts[1])
		}
	case strings.HasSuffix(u.Path, "/changes/") && u.Query().Get("q") != "":
		return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "changes/") + "q/" + url.PathEscape(u.Query().Get("q"))
	}
	return link
}

func isCommit(s string) bool {
	return len(s) >= 7 && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// originText names a place for people.
func originText(o audit.Origin) string {
	text := strings.TrimPrefix(strings.TrimPrefix(o.URL, "https://"), "http://")
	host, path, _ := strings.Cut(text, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 { // nobody's password is shown
		text = strings.TrimSuffix(host[at+1:]+"/"+path, "/")
	}
	if o.Path != "" {
		text = strings.TrimPrefix(text+" "+o.Path, " ")
	}
	if o.Line > 0 {
		text += fmt.Sprintf(":%d", o.Line)
	}
	if text == "" {
		return "place not named"
	}
	return text
}
