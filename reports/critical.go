package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Critical says what several deployed projects hang on at once: if it goes, more than one component is hit.
type Critical struct {
	Projects      int                    `json:"projects"`   // whose people were compared with those of others
	Attributed    int                    `json:"attributed"` // whose commits of 12 months were looked at by organisation
	People        []CriticalPeople       `json:"people,omitempty"`
	Organisations []CriticalOrganisation `json:"organisations,omitempty"`
}

// CriticalPeople is a set of projects and how many people belong in each of them to the fewest who wrote half of the commits.
type CriticalPeople struct {
	Projects []string `json:"projects"`      // ids, sorted
	People   int      `json:"people"`        // at least so many; 0 with Few
	Few      bool     `json:"few,omitempty"` // one or two
}

// CriticalOrganisation is an organisation that certainly wrote most of several projects.
type CriticalOrganisation struct {
	Name     string          `json:"name"`
	Projects []CriticalShare `json:"projects"` // by id
}

// CriticalShare is the share of an organisation in the commits of 12 months, in basis points: both ends.
type CriticalShare struct {
	Project string `json:"project"`
	Low     int    `json:"low"`
	High    int    `json:"high"`
}

// maxTogether bounds what the text shows; the other formats show all.
const maxTogether = 5

// criticalLine is one thing that several projects hang on, as people read it.
type criticalLine struct{ Who, What string }

// criticalLines writes organisations first, then people, those with most projects first.
func criticalLines(r Report) []criticalLine {
	if r.Critical == nil {
		return nil
	}
	names := map[string]string{}
	for _, p := range r.Projects {
		names[p.ID] = cmp.Or(p.Name, p.ID)
	}
	named := func(id string) string { return cmp.Or(names[id], id) }
	var out []criticalLine
	for _, o := range r.Critical.Organisations {
		var parts []string
		for _, s := range o.Projects {
			parts = append(parts, fmt.Sprintf("%s (%s %%)", named(s.Project), points(s.Low, s.High)))
		}
		out = append(out, criticalLine{o.Name, "wrote most of " + list(parts)})
	}
	for _, p := range r.Critical.People {
		who := "One or two people"
		if !p.Few {
			who = plural(p.People, "person", "people")
		}
		var parts []string
		for _, id := range p.Projects {
			parts = append(parts, named(id))
		}
		slices.Sort(parts)
		out = append(out, criticalLine{who, fmt.Sprintf("are among the fewest who wrote half of each of %d projects: %s", len(parts), list(parts))})
	}
	return out
}

// criticalScope says how much was compared.
func criticalScope(r Report) string {
	if r.Critical == nil {
		return ""
	}
	return fmt.Sprintf("Compared: the people of %s, the organisations of %s, by commits of 12 months. People are only counted; who they are is not kept.",
		plural(r.Critical.Projects, "project", "projects"), plural(r.Critical.Attributed, "project", "projects"))
}

func (t *terminal) critical(r Report) {
	lines := criticalLines(r)
	if len(lines) == 0 {
		return
	}
	t.heading("Critical in several components at once")
	for _, l := range lines[:min(len(lines), maxTogether)] {
		t.para("  ", sentence(l.Who+" "+l.What))
	}
	if left := len(lines) - maxTogether; left > 0 {
		t.para("  ", "… and "+strings.TrimSpace(plural(left, "more", "more"))+"; the HTML report lists them all.")
	}
	t.para("  ", criticalScope(r))
}
