package upstream

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Limits of an address that a package names. Strangers write them.
const (
	maxAddress  = 512
	maxSegments = 12
)

// place is a repository, and a folder in it.
type place struct {
	repo string // https address without user, port, query and fragment; gitweb keeps its query ?p=
	path string // folder, "" for the whole
}

// key folds the addresses of one repository, so that they can be compared. A trailing .git and case do not count.
func (p place) key() string {
	u, err := url.Parse(p.repo)
	if err != nil {
		return ""
	}
	key := strings.ToLower(strings.TrimPrefix(u.Host, "www.") + "/" + strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git"))
	if u.RawQuery != "" {
		key += "?" + strings.TrimSuffix(strings.ToLower(u.RawQuery), ".git")
	}
	return key
}

// scpForm is the address that git takes from ssh: git@host:path.
var scpForm = regexp.MustCompile(`^git@([A-Za-z0-9.-]+):([A-Za-z0-9~][A-Za-z0-9._~/+-]*)$`)

// namePattern is a host name with at least one dot, and a last label that is no number.
var namePattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)

// segmentOf is one segment of the path of a repository. A colon stands in old Zope and ZeroMQ pages, a tilde in home directories.
var segmentOf = regexp.MustCompile(`^[A-Za-z0-9._~+:-]+$`)

// localNames are names that no public server has (RFC 6761, RFC 6762, RFC 8375, ICANN on internal).
var localNames = [...]string{"localhost", "local", "internal", "invalid", "test", "onion", "home.arpa", "lan", "corp", "home", "in-addr.arpa", "ip6.arpa"}

// cleanAddress reads an address that a stranger wrote and returns it in https form: only a public host name, no port but
// that of https, no user but git, no characters beyond those of plain paths. What is not like that is no address.
func cleanAddress(raw string) (u *url.URL, ok bool) {
	if len(raw) > maxAddress || raw == "" {
		return nil, false
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"'<>\\^`{|}", c) >= 0 {
			return nil, false
		}
	}
	raw = strings.TrimPrefix(raw, "scm:") // Maven
	for _, vcs := range [...]string{"git:", "git+", "hg+", "hg:", "svn:"} {
		if rest, found := strings.CutPrefix(raw, vcs); found && (strings.Contains(rest, "://") || scpForm.MatchString(rest)) {
			raw = rest
		}
	}
	if m := scpForm.FindStringSubmatch(raw); m != nil {
		raw = "https://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || !slices.Contains([]string{"https", "http", "git", "ssh"}, u.Scheme) {
		return nil, false
	}
	if u.User != nil && (u.User.String() != "git" || u.Scheme == "http") {
		return nil, false // whoever writes credentials into an address did not mean it to be passed on
	}
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && port != "443" || !publicName(host) {
		return nil, false
	}
	u.Scheme, u.User, u.Host = "https", nil, host
	return u, plainPath(u)
}

// publicName reports whether a host is a name that a public server can have.
func publicName(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || len(host) > 253 || !namePattern.MatchString(host) {
		return false
	}
	return !slices.ContainsFunc(localNames[:], func(n string) bool { return host == n || strings.HasSuffix(host, "."+n) })
}

// plainPath reports whether the path has only plain segments, and none that climbs.
func plainPath(u *url.URL) bool {
	if u.RawPath != "" || strings.Contains(u.EscapedPath(), "%") {
		return false
	}
	segments := segmentsOf(u)
	return len(segments) <= maxSegments && !slices.ContainsFunc(segments, func(s string) bool {
		return s == "." || s == ".." || !segmentOf.MatchString(s)
	})
}

func segmentsOf(u *url.URL) []string {
	return strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
}

// Forms of addresses on the forges of the table.
const (
	formOwnerName = "owner-name"
	formGroup     = "group"
	formGitSuffix = "git-suffix"
	formRest      = "rest"
)

// pagesOfGitHub are first segments there that are no owners.
var pagesOfGitHub = [...]string{"about", "apps", "collections", "enterprise", "features", "login", "marketplace", "orgs", "search", "settings", "site",
	"sponsors", "topics", "users"}

// repository returns the repository that an address leads to. ok is false for the address of anything else, such as a home
// page. trusted says that the address stands where only repositories stand, so that an unknown host may be one too.
func (t *table) repository(raw string, trusted bool) (p place, ok bool) {
	u, ok := cleanAddress(raw)
	if !ok {
		return place{}, false
	}
	u.Host = strings.TrimPrefix(u.Host, "www.")
	segments := segmentsOf(u)
	if u.Host == "raw.githubusercontent.com" {
		u.Host = "github.com"
		segments = segments[:min(2, len(segments))]
	}
	form, known := t.forges[u.Host]
	switch {
	case known:
	case strings.HasPrefix(u.Host, "gitlab."):
		form = formGroup
	case slices.ContainsFunc(segments, func(s string) bool { return len(s) > 4 && strings.HasSuffix(s, ".git") }):
		form = formGitSuffix
	case gitweb(u) != "":
		return place{repo: "https://" + u.Host + "/" + strings.Join(segments, "/") + "?p=" + gitweb(u)}, true
	case trusted && len(segments) > 0:
		form = formRest
	default:
		return place{}, false
	}
	repo, rest, ok := cut(u.Host, form, segments)
	if !ok {
		return place{}, false
	}
	return place{repo: "https://" + u.Host + "/" + strings.Join(repo, "/"), path: folder(rest)}, true
}

// gitweb returns the project that an address of gitweb names in its query, or "".
func gitweb(u *url.URL) string {
	p := u.Query().Get("p")
	for segment := range strings.SplitSeq(p, "/") {
		if segment == ".." || !segmentOf.MatchString(segment) {
			return ""
		}
	}
	if !strings.HasSuffix(p, ".git") {
		return ""
	}
	return p
}

// cut divides the segments of an address into those of the repository and the rest.
func cut(host, form string, segments []string) (repo, rest []string, ok bool) {
	switch form {
	case formOwnerName:
		if len(segments) < 2 || host == "github.com" && slices.Contains(pagesOfGitHub[:], strings.ToLower(segments[0])) {
			return nil, nil, false
		}
		repo, rest = segments[:2], segments[2:]
	case formGroup:
		end := slices.Index(segments, "-")
		if end < 0 {
			end = slices.IndexFunc(segments, func(s string) bool {
				return slices.Contains([]string{"tree", "blob", "wikis", "issues", "merge_requests"}, s)
			})
		}
		if end < 0 {
			end = len(segments)
		}
		if end < 2 && (host != "pagure.io" || end < 1) {
			return nil, nil, false
		}
		repo, rest = segments[:end], segments[end:]
		if len(rest) > 0 && rest[0] == "-" {
			rest = rest[1:]
		}
	case formGitSuffix:
		at := slices.IndexFunc(segments, func(s string) bool { return len(s) > 4 && strings.HasSuffix(s, ".git") })
		if at < 0 {
			return nil, nil, false
		}
		return segments[:at+1], segments[at+1:], true
	case formRest:
		if at := slices.Index(segments, "+"); at > 0 {
			segments = segments[:at]
		}
		if len(segments) == 0 {
			return nil, nil, false
		}
		return segments, nil, true
	}
	repo = slices.Clone(repo)
	last := len(repo) - 1
	repo[last] = strings.TrimSuffix(repo[last], ".git")
	return repo, rest, repo[last] != ""
}

// folder is the path in a repository that the rest of an address shows: what follows tree or blob and a revision. Home
// pages such as .../tree/master show the whole.
func folder(rest []string) string {
	if len(rest) > 2 && (rest[0] == "tree" || rest[0] == "blob") {
		return strings.Join(rest[2:], "/")
	}
	return ""
}

// folderName returns a folder as a package names it, or "" for what cannot be one.
func folderName(path string) string {
	path = strings.Trim(strings.TrimPrefix(path, "./"), "/")
	if path == "" || len(path) > maxAddress {
		return ""
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." || !folderPattern.MatchString(segment) {
			return ""
		}
	}
	return path
}

var folderPattern = regexp.MustCompile(`^[A-Za-z0-9._+@-]+$`)
