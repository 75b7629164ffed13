package gitlog

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Bounds of the pages that a README names.
const (
	maxPages = 30
	maxPage  = 120 // bytes of one address
)

// pageWords are words in an address that promise something that is asked for.
var pageWords = regexp.MustCompile(`secur|vulnerab|govern|charter|conduct|contribut|roadmap|adopters|changelog|release|deprecat|support|maint|proposal`)

// sharedHosts hold the pages of many owners, whose names may be those of people; repositories of the project's own owner are
// found by sister.
var sharedHosts = map[string]bool{"github.com": true, "gitlab.com": true, "codeberg.org": true, "bitbucket.org": true, "raw.githubusercontent.com": true}

// page returns host and path of a link to a page whose address says that it tells more about the project.
func page(link *url.URL) (string, bool) {
	host, name := strings.ToLower(link.Hostname()), strings.Trim(path.Clean("/"+link.EscapedPath()), "/")
	address := host + "/" + name
	if name == "" || len(address) > maxPage || strings.ContainsAny(name, "@~") || sharedHosts[host] {
		return "", false
	}
	switch path.Ext(name) {
	case ".svg", ".png", ".gif", ".jpg":
		return "", false
	}
	return address, pageWords.MatchString(strings.ToLower(name))
}

// pages sorts what was found and keeps as many as are allowed.
func pages(found map[string]bool) []string {
	var list []string
	for p := range found {
		list = append(list, p)
	}
	slices.Sort(list)
	return list[:min(maxPages, len(list))]
}
