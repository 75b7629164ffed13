package foundation

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

//go:embed data/foundations.yaml
var builtinHomes []byte

// HomesSchema names the form of the table of foundations.
const HomesSchema = "pegel/foundations/v1"

// home is one foundation and what it lends to each of its projects.
type home struct {
	id, name string
	called   []string
	lends    []loan
}

// loan is a document that serves every project of a foundation.
type loan struct {
	what, address, source string
	date                  time.Time
}

// parseHomes reads the table of foundations. Its head says what each field means.
func parseHomes(data []byte) ([]home, error) {
	root, err := scoring.ReadYAML(data)
	if err != nil {
		return nil, fmt.Errorf("reading the table of foundations: %w", err)
	}
	if got := root.Get("schema").Text(); got != HomesSchema {
		return nil, fmt.Errorf("reading the table of foundations: schema %q is not %q", got, HomesSchema)
	}
	var homes []home
	taken := map[string]bool{}
	for row := range root.Get("foundations").Items() {
		h, err := parseHome(row)
		if err != nil {
			return nil, fmt.Errorf("reading the table of foundations: line %d: %w", row.Line(), err)
		}
		for _, name := range append([]string{h.id}, h.called...) {
			if taken[fold(name)] {
				return nil, fmt.Errorf("reading the table of foundations: line %d: %q stands twice", row.Line(), name)
			}
			taken[fold(name)] = true
		}
		homes = append(homes, h)
	}
	if len(homes) == 0 {
		return nil, fmt.Errorf("reading the table of foundations: it names none")
	}
	return homes, nil
}

func parseHome(row scoring.YAML) (home, error) {
	h := home{id: row.Get("id").Text(), name: row.Get("name").Text()}
	if h.id == "" || h.name == "" {
		return h, fmt.Errorf("a foundation needs id and name")
	}
	for name := range row.Get("called").Items() {
		if fold(name.Text()) != fold(h.id) {
			h.called = append(h.called, name.Text())
		}
	}
	for l := range row.Get("lends").Items() {
		date, err := time.Parse(time.DateOnly, l.Get("date").Text())
		if err != nil {
			return h, fmt.Errorf("date %q is no day such as 2026-02-28", l.Get("date").Text())
		}
		lent := loan{l.Get("what").Text(), l.Get("address").Text(), l.Get("source").Text(), date}
		switch lent.what {
		case "code-of-conduct", "charter", "elections", "channels", "security-team":
		default:
			return h, fmt.Errorf("nothing is known that is called %q", lent.what)
		}
		if !strings.HasPrefix(lent.address, "https://") || !strings.HasPrefix(lent.source, "https://") {
			return h, fmt.Errorf("%s: address and source must begin with https://", lent.what)
		}
		h.lends = append(h.lends, lent)
	}
	return h, nil
}

// lend adds to what is known about a project what its foundation lends to all of its projects.
func (h home) lend(g scoring.Governance) scoring.Governance {
	for _, l := range h.lends {
		origin := audit.Origin{Source: "foundations", URL: l.source, At: l.date}
		address := audit.Known(l.address, origin).Graded(audit.GradeDeclared, l.date, audit.Year)
		switch l.what {
		case "code-of-conduct":
			g.CodeOfConduct = address
		case "charter":
			g.Charter = address
		case "elections":
			g.Elections = address
		case "channels":
			g.Channels = address
		case "security-team":
			g.SecurityTeam = audit.Known(true, origin).Graded(audit.GradeDeclared, l.date, audit.Year)
		}
	}
	return g
}

// homeOf returns the foundation that the catalogue names.
func homeOf(homes []home, called string) (home, bool) {
	for _, h := range homes {
		for _, name := range append([]string{h.id}, h.called...) {
			if fold(name) == fold(called) {
				return h, true
			}
		}
	}
	return home{}, false
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
