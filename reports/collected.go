package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// CollectedFact says of one kind of fact for how many projects it is known, and why not for the others.
type CollectedFact struct {
	Collector string            `json:"collector"`
	Fact      string            `json:"fact"`
	Known     int               `json:"known"`
	InVain    int               `json:"in_vain"`    // looked for, and could not be read
	NotLooked int               `json:"not_looked"` // nobody looked
	Reasons   []CollectedReason `json:"reasons,omitempty"`
}

// CollectedReason is why a fact is not known, with the projects that it holds for.
type CollectedReason struct {
	Reason   string   `json:"reason"`
	Settle   string   `json:"settle,omitempty"`
	Projects []string `json:"projects"`
}

// Add counts one project.
func (f *CollectedFact) Add(project string, outcome audit.Outcome, reason, settle string) {
	switch outcome {
	case audit.PASS:
		f.Known++
		return
	case audit.DNF:
		f.InVain++
	default:
		f.NotLooked++
	}
	i := slices.IndexFunc(f.Reasons, func(r CollectedReason) bool { return r.Reason == reason && r.Settle == settle })
	if i < 0 {
		i = len(f.Reasons)
		f.Reasons = append(f.Reasons, CollectedReason{Reason: reason, Settle: settle})
	}
	f.Reasons[i].Projects = append(f.Reasons[i].Projects, project)
}

// collectedText draws the table that a collection ends with.
func collectedText(projects int, facts []CollectedFact, width int) string {
	t := newTerminal(Options{Width: width})
	t.heading(fmt.Sprintf("What is known about %s", plural(projects, "project", "projects")))
	const namedReasons, namedProjects = 3, 4
	for i, f := range facts {
		if i == 0 || facts[i-1].Collector != f.Collector {
			t.para("", f.Collector)
		}
		line := fmt.Sprintf("%s: %d known", f.Fact, f.Known)
		if f.InVain > 0 {
			line += fmt.Sprintf(", %d could not be read", f.InVain)
		}
		if f.NotLooked > 0 {
			line += fmt.Sprintf(", %d not looked for", f.NotLooked)
		}
		t.para("  ", line)
		reasons := slices.Clone(f.Reasons)
		slices.SortStableFunc(reasons, func(a, b CollectedReason) int { return cmp.Compare(len(b.Projects), len(a.Projects)) })
		for n, r := range reasons {
			if n == namedReasons {
				t.para("      ", fmt.Sprintf("and %s more", plural(len(reasons)-n, "reason", "reasons")))
				break
			}
			text := r.Reason
			if r.Settle != "" {
				text += "; to settle: " + r.Settle
			}
			names := r.Projects
			if len(names) == projects && projects > 1 {
				names = []string{"all"}
			} else if len(names) > namedProjects {
				names = append(slices.Clone(names[:namedProjects]), fmt.Sprintf("and %d more", len(names)-namedProjects))
			}
			t.para("      ", strings.Join(names, ", ")+": "+text)
		}
	}
	return t.b.String()
}
