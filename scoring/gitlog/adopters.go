package gitlog

import (
	"fmt"
	"net/url"
	"strings"
)

// leastAdopters is the fewest links from which on a file is taken for a list of organisations. A file with fewer may name
// them in other words, so that nothing is said about it.
const leastAdopters = 3

// adopterMarks counts the organisations that a list of adopters names, by the hosts that it links to: each organisation of
// such lists brings its own page (CNCF's template for ADOPTERS.md). Hosts of forges and of pictures do not count. The count
// is a lower bound, given as "organisations:N" from leastAdopters on.
func adopterMarks(text []byte) []string {
	hosts := map[string]bool{}
	for _, link := range webLink.FindAll(text, 5000) {
		u, err := url.Parse(strings.TrimRight(string(link), ".,;:!?*`"))
		if err != nil {
			continue
		}
		host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
		if domainPattern.MatchString(host) && !isForge(host) {
			hosts[host] = true
		}
	}
	if len(hosts) < leastAdopters {
		return nil
	}
	return []string{fmt.Sprintf("organisations:%d", len(hosts))}
}

// isForge reports whether a host serves projects and pictures of many.
func isForge(host string) bool {
	for _, forge := range []string{"github.com", "githubusercontent.com", "github.io", "gitlab.com", "bitbucket.org", "opendev.org", "codeberg.org",
		"shields.io", "youtube.com", "youtu.be", "medium.com", "twitter.com", "x.com", "linkedin.com", "slack.com", "google.com", "cncf.io"} {
		if host == forge || strings.HasSuffix(host, "."+forge) {
			return true
		}
	}
	return false
}
