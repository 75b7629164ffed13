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
	if err != nil || u.RawQuery != "" || u.Fragment != "" {
		return base
	}
	layout, ok := forges(u.Hostname())
	if !ok {
		return base
	}
	repo := strings.TrimSuffix(strings.TrimSuffix(base, "/"), ".git")
	if o.Path == "" {
		return repo + fmt.Sprintf(layout.tree, o.Commit)
	}
	var parts []string
	for _, part := range strings.Split(o.Path, "/") {
		if part == "" || part == "." || part == ".." {
			return repo + fmt.Sprintf(layout.tree, o.Commit)
		}
		parts = append(parts, url.PathEscape(part))
	}
	link := repo + fmt.Sprintf(layout.file, o.Commit) + "/" + strings.Join(parts, "/")
	if o.Line > 0 {
		link += fmt.Sprintf("#%s%d", layout.line, o.Line)
	}
	return link
}

// layout is how a forge writes the address of a revision and of a file in it.
type layout struct{ tree, file, line string }

func forges(host string) (layout, bool) {
	switch {
	case host == "github.com":
		return layout{"/tree/%s", "/blob/%s", "L"}, true
	case host == "opendev.org", host == "codeberg.org", strings.HasPrefix(host, "gitea."), strings.HasPrefix(host, "forgejo."):
		return layout{"/src/commit/%s", "/src/commit/%s", "L"}, true
	case strings.HasPrefix(host, "gitlab."), host == "salsa.debian.org", host == "invent.kde.org", host == "opencode.de", host == "gitlab.opencode.de":
		return layout{"/-/tree/%s", "/-/blob/%s", "L"}, true
	}
	return layout{}, false
}

func isCommit(s string) bool {
	return len(s) >= 7 && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// originText names a place for people.
func originText(o audit.Origin) string {
	text := strings.TrimPrefix(strings.TrimPrefix(o.URL, "https://"), "http://")
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
