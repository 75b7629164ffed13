package conformance

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Listing is one line of the public overview of a compliance monitor, for --providers.
type Listing struct {
	Subject   string   `json:"subject"`           // or group-NAME
	Members   []string `json:"members,omitempty"` // of a group, by name
	Name      string   `json:"name"`
	About     string   `json:"about,omitempty"`
	Operator  string   `json:"operator,omitempty"`
	Regions   int      `json:"regions,omitempty"` // 0: not said
	Scope     string   `json:"scope"`             // id
	Certified bool     `json:"certified"`         // it stands in the table of certified environments
	Monitors  []string `json:"monitors,omitempty"`
	// Shown is what the overview itself says about the tests, e.g. "✅ v5.1".
	Shown string `json:"shown,omitempty"`
	// Tests is the answer drawn from the results of the subjects.
	Tests Answer `json:"-"`
}

// Overview reads what a compliance monitor shows to everybody about every subject: one request for the table, one for the
// results, and one for each group in the table. The key is the layer and the subject, e.g. "iaas/group-artcodix". Subjects with
// results that stand in no table have a Listing without a name.
func Overview(ctx context.Context, ask audit.Ask, monitor string) (map[string]Listing, *audit.Trouble) {
	base := monitorBase(monitor)
	table := ask(ctx, audit.Request{URL: base + "markdown/table", Accept: "text/markdown", Limit: maxDetails})
	if table.Trouble != nil {
		return nil, table.Trouble
	}
	results := ask(ctx, audit.Request{URL: base + "status", Accept: "application/json", Limit: maxStatus})
	if results.Trouble != nil {
		return nil, results.Trouble
	}
	all, err := ParseStatus(results.Body)
	if err != nil {
		return nil, &audit.Trouble{Kind: audit.TroubleContent, Text: "the answer of the compliance monitor cannot be read: " + err.Error()}
	}
	out := map[string]Listing{}
	grouped := map[string]bool{}
	for _, row := range parseOverview(string(table.Body)) {
		key := layerOf(row.Scope) + "/" + row.Subject
		if old, twice := out[key]; twice && old.Certified {
			continue
		}
		if strings.HasPrefix(row.Subject, groupPrefix) && len(grouped) < maxListings {
			_, alias := scopeOf(layerOf(row.Scope))
			page := ask(ctx, audit.Request{URL: base + "markdown/detail/" + url.PathEscape(row.Subject) + "/" + alias, Accept: "text/markdown", Limit: maxDetails})
			if page.Trouble == nil {
				row.Members = groupMembers(page.Body)
			}
		}
		row.Tests = row.answer(all, results.Seen)
		for _, name := range append([]string{row.Subject}, row.Members...) {
			grouped[layerOf(row.Scope)+"/"+name] = true
		}
		out[key] = row
	}
	addUnlisted(out, grouped, all, results.Seen)
	return out, nil
}

const maxListings = 500

func (l Listing) answer(all map[string]map[string]SubjectStatus, seen audit.Seen) Answer {
	status := Status{Scope: l.Scope}
	names := []string{l.Subject}
	if strings.HasPrefix(l.Subject, groupPrefix) {
		status.Group, names = l.Subject, l.Members
	}
	for _, name := range names {
		status.Subjects = append(status.Subjects, subjectStatus(all, name, l.Scope))
	}
	layer := layerOf(l.Scope)
	e := Entry{Target: Target{Kind: KindStatus, Layer: layer, Subject: l.Subject}, Seen: []audit.Seen{seen}, Status: &status}
	return Judge(Evidence{Entries: []Entry{e}}, layer, seen.At).Tests
}

// addUnlisted adds subjects that have results and stand in no table.
func addUnlisted(out map[string]Listing, known map[string]bool, all map[string]map[string]SubjectStatus, seen audit.Seen) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for uuid := range all[name] {
			key := layerOf(uuid) + "/" + name
			if layerOf(uuid) == "" || known[key] {
				continue
			}
			l := Listing{Subject: name, Scope: uuid}
			l.Tests = l.answer(all, seen)
			l.Subject = plain(name)
			out[key] = l
		}
	}
}

// parseOverview reads the tables of the overview: headings "### Certified SCS-compatible IaaS", columns Name, Description,
// Operator, the scope, HealthMon.
func parseOverview(page string) []Listing {
	var out []Listing
	certified := false
	scope := ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			certified, scope = strings.HasPrefix(heading, "Certified"), ""
			continue
		}
		cells := tableCells(line)
		if len(cells) < 4 || len(out) == maxListings {
			continue
		}
		if strings.EqualFold(cells[0], "Name") {
			scope = scopeInHeading(cells[3])
			continue
		}
		if row, ok := listing(cells); ok && row.Scope == scope {
			row.Certified = certified
			out = append(out, row)
		}
	}
	return out
}

func scopeInHeading(cell string) string {
	for _, uuid := range []string{ScopeIaaS, ScopeKaaS} {
		if namesScope(cell, uuid) {
			return uuid
		}
	}
	return ""
}

func tableCells(line string) []string {
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

var (
	linkPattern    = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]*)\)`)
	regionsPattern = regexp.MustCompile(`\((\d{1,4}) SCS (?:region|configuration)s?\)`)
)

func listing(cells []string) (Listing, bool) {
	detail := linkPattern.FindStringSubmatch(cells[3])
	if detail == nil {
		return Listing{}, false
	}
	_, path, found := strings.Cut(detail[2], "/page/detail/")
	subject, scope, both := strings.Cut(path, "/")
	subject, err := url.PathUnescape(subject)
	if !found || !both || err != nil || subject == "" {
		return Listing{}, false
	}
	l := Listing{Subject: plain(subject), Shown: plain(detail[1]), Name: cellText(cells[0]), About: cellText(cells[1]), Operator: cellText(cells[2])}
	for _, uuid := range []string{ScopeIaaS, ScopeKaaS} {
		if _, alias := scopeOf(layerOf(uuid)); scope == alias || scope == uuid {
			l.Scope = uuid
		}
	}
	if n := regionsPattern.FindStringSubmatch(cells[1]); n != nil {
		l.Regions, _ = strconv.Atoi(n[1])
	}
	if len(cells) > 4 {
		for _, link := range linkPattern.FindAllStringSubmatch(cells[4], 16) {
			l.Monitors = append(l.Monitors, plain(link[2]))
		}
	}
	return l, l.Scope != ""
}

// cellText is a cell without links and entities.
func cellText(cell string) string {
	return plain(pageText(linkPattern.ReplaceAllString(cell, "$1")))
}
