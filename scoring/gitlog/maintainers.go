package gitlog

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// maxMaintainers bounds the people read from one list.
const maxMaintainers = 2000

var (
	affiliationHead = regexp.MustCompile(`(?i)^(current )?(affiliations?|company|companies|organi[sz]ations?|employer|represents|sponsor|org)\b`)
	// formerPeople begins the part of a list in which people stand who are no maintainers any more.
	formerPeople = regexp.MustCompile(`(?i)emerit|former|alumni|retired|inactive|past |previous|honou?rary`)
	heading      = regexp.MustCompile(`^(#{1,6}\s|\*\*[^*]+\*\*\s*$)`)
	mdLink       = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	loginInRow   = regexp.MustCompile(`github\.com/([A-Za-z0-9-]+)|(?:^|[\s|(/` + "`" + `])@([A-Za-z0-9-]+)`)
	// sharedAddress matches addresses behind which no single person stands: lists, and boxes of a role.
	sharedAddress = regexp.MustCompile(`(?i)\+(un)?subscribe@|@(lists?|groups?)\.|@([a-z0-9-]+\.)*(googlegroups\.com|groups\.io)$|(^|[-.])(maintainers?|security|committers|dev|users?|announce|info|team)@`)
	noEmployer    = regexp.MustCompile(`(?i)^(|-+|–|n/?a|none|independent|individual|self|self-employed|freelance(r)?|unaffiliated|unknown|tbd|\?)$`)
)

// lister tells for whom the owner of an address or of a login works on a day; Affiliation is one.
type lister interface {
	Of(address string, at time.Time) (string, bool)
	OfLogin(login string, at time.Time) (string, bool)
	Group(organisation string, at time.Time) string
}

// roster is what a list of maintainers says: people in memory only, by what identifies them in the list, with the
// organisation that the list or their address names; empty if neither does.
type roster map[string]string

// readRoster reads a list of maintainers: tables with a column for the organisation (CNCF projects), and lines with an
// address. Those listed as former are left out, and so are people of whom the list says nothing but a name: it is then not
// known how a name is told from other words.
func readRoster(text []byte, at time.Time, l lister) roster {
	r := roster{}
	former, column, inTable := 0, -1, false
	for line := range bytes.Lines(text) {
		row := strings.TrimSpace(string(line))
		if heading.MatchString(row) {
			level := len(row) - len(strings.TrimLeft(row, "#"))
			switch {
			case formerPeople.MatchString(row):
				former = max(1, level)
			case former > 0 && level <= former:
				former = 0
			}
			column, inTable = -1, false
			continue
		}
		if former > 0 || len(r) >= maxMaintainers {
			continue
		}
		if !strings.HasPrefix(row, "|") {
			column, inTable = -1, false
			r.line(row, at, l)
			continue
		}
		cells := cellsOf(row)
		switch {
		case !inTable:
			inTable = true
			column = slices.IndexFunc(cells, affiliationHead.MatchString)
		case strings.Trim(row, "|-: \t") == "":
		default:
			r.row(row, cells, column, at, l)
		}
	}
	return r
}

func cellsOf(row string) []string {
	cells := strings.Split(strings.Trim(row, "|"), "|")
	for i, c := range cells {
		cells[i] = strings.Trim(strings.TrimSpace(mdLink.ReplaceAllString(c, "$1")), "*`_ ")
	}
	return cells
}

// row takes one person from a table.
func (r roster) row(raw string, cells []string, column int, at time.Time, l lister) {
	if column < 0 || column >= len(cells) {
		r.line(raw, at, l)
		return
	}
	person := cmp.Or(whoIs(raw), strings.ToLower(cells[0]))
	if person == "" {
		return
	}
	employer := cells[column]
	if noEmployer.MatchString(employer) {
		employer = employerOf(raw, at, l)
	} else {
		employer = plainOrganisation(l.Group(employer, at))
	}
	r.put(person, employer)
}

// line takes the person of a line with an address.
func (r roster) line(row string, at time.Time, l lister) {
	if mail := mailAddress.FindString(row); mail != "" && (!sharedAddress.MatchString(mail) || loginOf(row) != "") {
		r.put(whoIs(row), employerOf(row, at, l))
	}
}

// put keeps what is known of a person who stands twice.
func (r roster) put(person, employer string) {
	if r[person] == "" {
		r[person] = employer
	}
}

// whoIs is what tells a person of a list from the others: login, else address.
func whoIs(row string) string {
	if login := loginOf(row); login != "" {
		return login
	}
	return strings.ToLower(mailAddress.FindString(row))
}

func loginOf(row string) string {
	m := loginInRow.FindStringSubmatch(mailAddress.ReplaceAllString(row, ""))
	if m == nil {
		return ""
	}
	return strings.ToLower(cmp.Or(m[1], m[2]))
}

// employerOf asks the affiliations for the address and the login in a row.
func employerOf(row string, at time.Time, l lister) string {
	if mail := mailAddress.FindString(row); mail != "" {
		if name, ok := l.Of(mail, at); ok {
			return plainOrganisation(name)
		}
	}
	if login := loginOf(row); login != "" {
		if name, ok := l.OfLogin(login, at); ok {
			return plainOrganisation(name)
		}
	}
	return ""
}

// marks are the counts that stay of a list: members, those of unknown organisation, organisations, and the members of the
// largest.
func (r roster) marks() []string {
	if len(r) == 0 {
		return nil
	}
	by, unknown := map[string]int{}, 0
	for _, employer := range r {
		if employer == "" {
			unknown++
			continue
		}
		by[employer]++
	}
	top := 0
	for _, n := range by {
		top = max(top, n)
	}
	return []string{
		fmt.Sprintf("members:%d", len(r)), fmt.Sprintf("unaffiliated:%d", unknown), fmt.Sprintf("organisations:%d", len(by)), fmt.Sprintf("largest:%d", top),
	}
}

// teamOf reads the team from the list of maintainers that a reader would look at first: in the repository, else in a place
// beside it. It is a statement of the project about itself (grade D).
func teamOf(e scoring.Evidence) audit.Fact[scoring.Team] {
	own, _ := e.Tree.Get()
	if team, ok := listedTeam(own); ok {
		return team.fact(e.Repo, e.Revision, e.RevisionAt, e.SeenUntil)
	}
	for _, p := range e.Places {
		t, _ := p.Tree.Get()
		if team, ok := listedTeam(t); ok {
			return team.fact(p.Repo, p.Revision, p.RevisionAt, p.Tree.ObservedAt)
		}
	}
	return audit.Fact[scoring.Team]{}
}

// listed is a list of maintainers by its counts.
type listed struct {
	document                                      scoring.Document
	members, unaffiliated, organisations, largest int
}

func listedTeam(t scoring.Tree) (best listed, ok bool) {
	for _, d := range t.Documents["maintainers"] {
		l := listed{document: d}
		for _, m := range d.Marks {
			for prefix, to := range map[string]*int{
				"members:%d": &l.members, "unaffiliated:%d": &l.unaffiliated, "organisations:%d": &l.organisations, "largest:%d": &l.largest,
			} {
				if n := 0; strings.HasPrefix(m, strings.TrimSuffix(prefix, "%d")) {
					if _, err := fmt.Sscanf(m, prefix, &n); err == nil {
						*to = n
					}
				}
			}
		}
		if l.members > 0 && ofProject(d.Path) && (!ok || strings.Count(d.Path, "/") < strings.Count(best.document.Path, "/")) {
			best, ok = l, true
		}
	}
	return best, ok
}

// ofProject reports whether a list of maintainers stands where a project says who leads it. Deeper in the tree it is the
// list of one part, such as buildman/MAINTAINERS of Quay, or the page of a web site.
func ofProject(name string) bool {
	switch dir, _, below := strings.Cut(strings.ToLower(name), "/"); dir {
	case ".github", ".gitlab", "doc", "docs", "documentation", "community", "governance":
		return strings.Count(name, "/") <= 2
	default:
		return !below
	}
}

func (l listed) fact(repo, commit string, at, seen time.Time) audit.Fact[scoring.Team] {
	origin := audit.Origin{Source: "git", URL: repo, Commit: commit, Path: l.document.Path, Digest: l.document.Digest, At: at}
	team := scoring.Team{Source: scoring.MaintainersFile, Members: audit.Known(l.members, origin)}
	team.Organisations = audit.Known([2]int{max(1, l.organisations), l.organisations + l.unaffiliated}, origin)
	team.TopOrgBP = audit.Known([2]int{l.largest * audit.Full / l.members, min(l.members, max(1, l.largest)+l.unaffiliated) * audit.Full / l.members}, origin)
	if l.organisations == 0 {
		team.TopOrgBP = audit.Known([2]int{audit.Full / l.members, audit.Full}, origin)
	}
	return audit.Known(team, origin).Graded(audit.GradeDeclared, seen, audit.Year)
}
