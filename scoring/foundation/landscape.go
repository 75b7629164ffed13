package foundation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Where the CNCF keeps the list of its projects (cncf/landscape 153d699b). Entries with the key project are its projects, all
// others are products around them.
const (
	landscapeRepo = "https://github.com/cncf/landscape"
	landscapeFile = "landscape.yml"
)

func landscape() registry {
	return registry{name: "CNCF landscape", home: "cncf", address: landscapeRepo, about: func(p scoring.Project) bool { return len(places(p)) > 0 }, load: loadLandscape}
}

// entry is one project of the landscape.
type entry struct {
	name, level string
	steps       []scoring.LevelChange // oldest first
	audits      []time.Time           // of security
	line        int
}

// landscapeRecords is what is kept of the landscape.
type landscapeRecords struct {
	byPlace map[place]entry
	byName  map[string]entry
	byOrg   map[place]entry // repositories of a whole organisation
	origin  audit.Origin
}

func loadLandscape(ctx context.Context, read scoring.ReadFile, at time.Time) (book, error) {
	root, origin, err := readYAML(ctx, read, landscapeRepo, landscapeFile)
	if err != nil {
		return nil, err
	}
	r := landscapeRecords{map[place]entry{}, map[string]entry{}, map[place]entry{}, origin}
	for category := range root.Get("landscape").Items() {
		for sub := range category.Get("subcategories").Items() {
			for item := range sub.Get("items").Items() {
				if item.Get("project").Text() != "" {
					if err := r.add(item); err != nil {
						return nil, fmt.Errorf("%s: %w", landscapeFile, err)
					}
				}
			}
		}
	}
	if len(r.byName) == 0 {
		return nil, errors.New(landscapeFile + ": it names no project")
	}
	return r.look, nil
}

// levels of the CNCF's ladder with the keys that date them, as they follow on each other.
func ladder() []string { return []string{"accepted", "incubating", "graduated", "archived"} }

func (r *landscapeRecords) add(item scoring.YAML) error {
	e := entry{name: clip(item.Get("name").Text()), level: clip(item.Get("project").Text()), line: item.Line()}
	extra := item.Get("extra")
	for _, level := range ladder() {
		text := extra.Get(level).Text()
		if text == "" {
			continue
		}
		on, ok := day(text)
		if !ok {
			return fmt.Errorf("line %d: %s is no day", extra.Get(level).Line(), level)
		}
		e.steps = append(e.steps, scoring.LevelChange{Level: level, At: on})
	}
	e.steps = entered(e.steps, e.level)
	for a := range extra.Get("audits").Items() {
		if on, ok := day(a.Get("date").Text()); ok && a.Get("type").Text() == "security" {
			e.audits = append(e.audits, on)
		}
	}
	r.byName[fold(e.name)] = e
	if at, ok := placeOf(item.Get("repo_url").Text()); ok {
		r.byPlace[at] = e
	}
	for more := range item.Get("additional_repos").Items() {
		if at, ok := placeOf(more.Get("repo_url").Text()); ok {
			if _, taken := r.byPlace[at]; !taken {
				r.byPlace[at] = e
			}
		}
	}
	if at, ok := placeOf(item.Get("project_org").Text()); ok && !strings.Contains(at.path, "/") {
		r.byOrg[at] = e
	}
	return nil
}

// entered names the level on which a project was accepted: the one whose date is the same day, sandbox if it came to incubation
// later or is in the sandbox still, and else just "accepted": before 2018 there was no sandbox.
func entered(steps []scoring.LevelChange, level string) []scoring.LevelChange {
	slices.SortStableFunc(steps, func(a, b scoring.LevelChange) int { return a.At.Compare(b.At) })
	if len(steps) == 0 || steps[0].Level != "accepted" {
		return steps
	}
	switch {
	case len(steps) > 1 && steps[1].At.Equal(steps[0].At):
		return steps[1:]
	case len(steps) == 1 && level == "sandbox", len(steps) > 1 && steps[1].Level == "incubating":
		steps[0].Level = "sandbox"
	case len(steps) == 1 && level != "archived":
		steps[0].Level = level
	}
	return steps
}

func (r *landscapeRecords) look(_ context.Context, asked inquiry) (answer, error) {
	e, ok := r.find(asked.project)
	if !ok {
		return answer{searched: true, origins: []audit.Origin{r.origin}}, nil
	}
	return r.tell(asked, e), nil
}

// find looks a project up by its addresses, then by the name that the catalogue gives, then by its organisation.
func (r *landscapeRecords) find(p scoring.Project) (entry, bool) {
	for _, at := range places(p) {
		if e, ok := r.byPlace[at]; ok {
			return e, true
		}
	}
	if e, ok := r.byName[fold(p.Registry)]; ok && p.Registry != "" {
		return e, true
	}
	if e, ok := r.byName[fold(p.Name)]; ok && fold(p.Foundation) == "cncf" {
		return e, true
	}
	for _, at := range places(p) {
		org, _, _ := strings.Cut(at.path, "/")
		if e, ok := r.byOrg[place{at.host, org}]; ok {
			return e, true
		}
	}
	return entry{}, false
}

// tell returns what was true of an entry at the moment of assessment.
func (r *landscapeRecords) tell(asked inquiry, e entry) answer {
	origin := r.origin
	origin.Line = e.line
	a := answer{listed: true, lent: true, origins: []audit.Origin{origin}}
	g := scoring.Governance{Steps: []scoring.Step{projectStep(asked.project)}, Team: e.name}
	g.Steps = append(g.Steps, scoring.Step{What: "team", Name: e.name, Origin: origin})

	past := make([]scoring.LevelChange, 0, len(e.steps))
	for _, s := range e.steps {
		if !s.At.After(asked.at) {
			past = append(past, s)
		}
	}
	cutOff := len(past) < len(e.steps)
	if cutOff && len(past) == 0 {
		return answer{complete: true, origins: a.origins} // it came to the foundation later
	}
	g.Levels = known(past, asked.at, origin)
	switch level := e.level; {
	case cutOff:
		last := past[len(past)-1]
		g.Level, g.LevelSince = known(last.Level, asked.at, origin), known(last.At, asked.at, origin)
	case later(r.origin, asked.at) != nil && len(past) == 0:
		g.Level = unknown[string]("the landscape gives no day for the level "+level, "read a state of the landscape of that time", origin)
	default:
		g.Level = known(level, asked.at, origin)
		if n := len(past); n > 0 && past[n-1].Level == level {
			g.LevelSince = known(past[n-1].At, asked.at, origin)
		} else {
			g.LevelSince = unknown[time.Time]("the landscape does not say since when", "read the records of the technical oversight committee", origin)
		}
	}
	if level, ok := g.Level.Get(); ok {
		g.Inactive = known(level == "archived", asked.at, origin)
		a.lent = level != "archived"
	}
	g.LastAudit = lastAudit(e, asked.at, origin)
	a.governance = g
	return a
}

// lastAudit returns the newest audit; the landscape does not claim to list all.
func lastAudit(e entry, at time.Time, origin audit.Origin) audit.Fact[time.Time] {
	var newest time.Time
	for _, on := range e.audits {
		if !on.After(at) && on.After(newest) {
			newest = on
		}
	}
	if newest.IsZero() {
		return unknown[time.Time]("the landscape lists no security audit", "ask the project for its audits", origin)
	}
	return known(newest, at, origin)
}
