package statuspage

import (
	"context"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// adapter reads the pages of one software.
type adapter struct {
	name string // as a target names it
	// marks are parts of HTML that only pages of this software have; pages that have one are tried with it first.
	marks []string
	// page is true if the page itself is needed to find the API or the feed.
	page bool
	// read fills the page. A trouble says that this software does not answer there, or not so that it can be read; it comes
	// after one request, or few, if another software runs the page.
	read func(context.Context, *look, *page) *audit.Trouble
}

// all lists the adapters in the order in which they are tried: those first whose first answer can be mistaken least.
func all() []adapter {
	return []adapter{
		{name: "scs", read: readSCS},
		{name: "statuspage", marks: []string{"statuspage.io", "incident.io"}, read: readStatuspage},
		{name: "betterstack", marks: []string{"betterstack", "betteruptime"}, read: readBetterStack},
		{name: "cstate", marks: []string{"cstate"}, read: readCState},
		{name: "instatus", marks: []string{"instatus"}, read: readInstatus},
		{name: "statuspal", marks: []string{"statuspal"}, page: true, read: readStatuspal},
		{name: "cachet", marks: []string{"cachet"}, read: readCachet},
		{name: "stackmon", marks: []string{"status dashboard", "stackmon"}, read: readStackmon},
		{name: "uptime-kuma", marks: []string{"uptime kuma", "uptime-kuma"}, read: readKuma},
		{name: "gatus", marks: []string{"gatus"}, read: readGatus},
		{name: "upptime", marks: []string{"upptime"}, page: true, read: readUpptime},
		{name: "statusio", marks: []string{"api.status.io"}, page: true, read: readStatusIO},
		{name: "feed", page: true, read: readFeed},
	}
}

// Adapters lists the names that a target may give as adapter, in the order in which they are tried.
func Adapters() []string {
	var names []string
	for _, a := range all() {
		names = append(names, a.name)
	}
	return names
}

// inOrder returns the adapters with those first that the page itself gives away. The feed stays last: it shows least.
func inOrder(html string) []adapter {
	html = strings.ToLower(html)
	marked := func(a adapter) bool {
		return slices.ContainsFunc(a.marks, func(m string) bool { return strings.Contains(html, m) })
	}
	var first, rest []adapter
	for _, a := range all() {
		if marked(a) {
			first = append(first, a)
		} else {
			rest = append(rest, a)
		}
	}
	return append(first, rest...)
}
