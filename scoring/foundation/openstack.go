package foundation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Where OpenStack keeps its records (openstack/governance c7e4f290, openstack/releases 02df7c9a).
const (
	openStackGovernance = "https://opendev.org/openstack/governance"
	openStackReleases   = "https://opendev.org/openstack/releases"

	teamsFile    = "reference/projects.yaml"
	legacyFile   = "reference/legacy.yaml"
	inactiveFile = "reference/emerging-technology-and-inactive-projects.rst"
	sigsFile     = "reference/sigs-repos.yaml"
	tcFile       = "reference/technical-committee-repos.yaml"
	seriesFile   = "data/series_status.yaml"
)

// oversight is where the vulnerability management team says which repositories it covers: all with versioned releases whose
// team names a liaison; a team with one lead has that lead as its liaison (openstack/ossa, requirements 3 and 6).
const oversight = "https://security.openstack.org/repos-overseen.html"

func openStack() registry {
	return registry{name: "OpenStack governance", home: "openstack", address: openStackGovernance, about: ofOpenStack, load: loadOpenStack}
}

// openStackHosts are where repositories of OpenStack are found, its mirror on GitHub among them.
func openStackHosts() []string {
	return []string{"opendev.org", "github.com", "git.openstack.org", "review.opendev.org"}
}

// ofOpenStack reports whether a repository has the name of one of OpenStack.
func ofOpenStack(p scoring.Project) bool {
	return slices.ContainsFunc(places(p), func(at place) bool {
		return slices.Contains(openStackHosts(), at.host) && strings.HasPrefix(at.path, "openstack/")
	})
}

// openStackRecords is what is kept of OpenStack's records. No person is in it.
type openStackRecords struct {
	teams    map[string]*team
	repos    map[string]deliverable // by repository, e.g. openstack/nova
	retired  map[string]time.Time   // by repository; zero if no day is given
	inactive map[string]bool        // teams by folded name; nil if the list could not be read
	emerging map[string]bool
	// term is the series that the present leads serve and the day it began; zero if it could not be read.
	term      series
	termError error

	origin, legacyOrigin, listOrigin, seriesOrigin audit.Origin
	listError, legacyError                         error
}

// team is an OpenStack project team.
type team struct {
	name      string
	kind      string // leadership_type
	appointed []string
	security  int // liaisons for security
	line      int
}

// deliverable is what a repository is released as.
type deliverable struct {
	team, name string
	unreleased bool   // release-management: none
	deprecated string // series since which it is deprecated
	group      string // a group without elections that owns the repository
	line       int
}

type series struct {
	id    string // 2026.2, or the name of an old one
	since time.Time
}

func loadOpenStack(ctx context.Context, read scoring.ReadFile, at time.Time) (book, error) {
	r := openStackRecords{teams: map[string]*team{}, repos: map[string]deliverable{}, retired: map[string]time.Time{}}
	root, origin, err := readYAML(ctx, read, openStackGovernance, teamsFile)
	if err == nil {
		err = later(origin, at)
	}
	if err != nil {
		return nil, err
	}
	r.origin = origin
	if err := r.addTeams(root); err != nil {
		return nil, fmt.Errorf("%s: %w", teamsFile, err)
	}
	for _, file := range []string{sigsFile, tcFile} {
		if err := r.addGroups(ctx, read, file); err != nil {
			return nil, err
		}
	}
	r.legacyError = r.addLegacy(ctx, read, at)
	r.addLists(ctx, read, at)
	r.addTerm(ctx, read, at)
	return r.look, nil
}

// readYAML reads and parses a file.
func readYAML(ctx context.Context, read scoring.ReadFile, repo, path string) (scoring.YAML, audit.Origin, error) {
	data, origin, err := read(ctx, repo, path)
	if err != nil {
		return scoring.YAML{}, origin, fmt.Errorf("%s: %w", path, err)
	}
	root, err := scoring.ReadYAML(data)
	if err != nil {
		return scoring.YAML{}, origin, fmt.Errorf("%s: %w", path, err)
	}
	return root, origin, nil
}

// addTeams reads projects.yaml: teams by name, each with its deliverables.
func (r *openStackRecords) addTeams(root scoring.YAML) error {
	for name, t := range root.Pairs() {
		if !t.Get("deliverables").Mapping() {
			return fmt.Errorf("line %d: team %q has no deliverables", t.Line(), clip(name))
		}
		entry := &team{name: clip(name), kind: t.Get("leadership_type").Text(), line: t.Line()}
		for s := range t.Get("ptl").Get("appointed").Items() {
			entry.appointed = append(entry.appointed, clip(s.Text()))
		}
		slices.SortFunc(entry.appointed, bySeries)
		for range t.Get("liaisons").Get("security").Items() {
			entry.security++
		}
		r.teams[fold(name)] = entry
		for what, d := range t.Get("deliverables").Pairs() {
			for repo := range d.Get("repos").Items() {
				r.repos[fold(repo.Text())] = deliverable{team: fold(name), name: clip(what), line: d.Line(),
					unreleased: d.Get("release-management").Text() == "none", deprecated: clip(d.Get("deprecated").Text())}
			}
		}
	}
	if len(r.teams) == 0 {
		return errors.New("it names no team")
	}
	return nil
}

// addGroups reads the repositories of groups that are no project teams.
func (r *openStackRecords) addGroups(ctx context.Context, read scoring.ReadFile, file string) error {
	root, _, err := readYAML(ctx, read, openStackGovernance, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // older states have none
	}
	if err != nil {
		return err
	}
	for group, list := range root.Pairs() {
		for entry := range list.Items() {
			repo := fold(entry.Get("repo").Text())
			if _, ok := r.repos[repo]; !ok && repo != "" {
				r.repos[repo] = deliverable{group: clip(group), line: entry.Line()}
			}
		}
	}
	return nil
}

// addLegacy reads which repositories are official no more. The file repeats the names of teams.
func (r *openStackRecords) addLegacy(ctx context.Context, read scoring.ReadFile, at time.Time) error {
	data, origin, err := read(ctx, openStackGovernance, legacyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var root scoring.YAML
	if err == nil {
		root, err = scoring.ReadRepeatingYAML(data)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", legacyFile, err)
	}
	r.legacyOrigin = origin
	for _, t := range root.Pairs() {
		for _, d := range t.Get("deliverables").Pairs() {
			text := cmp.Or(d.Get("retired-on").Text(), t.Get("retired-on").Text())
			on, _ := day(text)
			for repo := range d.Get("repos").Items() {
				if !on.After(at) {
					r.retired[fold(repo.Text())] = on
				}
			}
		}
	}
	return nil
}

// addLists reads which teams the technical committee calls emerging or inactive.
func (r *openStackRecords) addLists(ctx context.Context, read scoring.ReadFile, at time.Time) {
	data, origin, err := read(ctx, openStackGovernance, inactiveFile)
	r.listOrigin = origin
	if err == nil {
		err = later(origin, at)
	}
	if err == nil {
		r.emerging, err = bullets(string(data), "Current Emerging Technology Projects")
	}
	if err == nil {
		r.inactive, err = bullets(string(data), "Current Inactive Projects")
	}
	r.listError = err
}

// bullets returns the names in the list below a heading of a reStructuredText page. A heading with neither names nor a
// sentence that there are none is an error: the page has a form that we do not know.
func bullets(page, heading string) (map[string]bool, error) {
	lines := strings.Split(page, "\n")
	start := slices.IndexFunc(lines, func(l string) bool { return strings.TrimSpace(l) == heading })
	if start < 0 || start+1 >= len(lines) {
		return nil, fmt.Errorf("%s has no list %q", inactiveFile, heading)
	}
	found, none := map[string]bool{}, false
	for i, line := range lines[start+2:] {
		if next := start + 2 + i + 1; next < len(lines) && line != "" && underline(lines[next]) {
			break
		}
		if name, ok := strings.CutPrefix(line, "* "); ok {
			found[fold(name)] = true
		}
		none = none || strings.HasPrefix(strings.ToLower(line), "no ")
	}
	if len(found) == 0 && !none {
		return nil, fmt.Errorf("%s: the list %q has a form that is not known", inactiveFile, heading)
	}
	return found, nil
}

// underline reports whether a line underlines a heading.
func underline(line string) bool {
	return len(line) > 3 && (strings.Trim(line, "-") == "" || strings.Trim(line, "=") == "")
}

// addTerm reads which series was in development at the moment of assessment: leads are chosen for it.
func (r *openStackRecords) addTerm(ctx context.Context, read scoring.ReadFile, at time.Time) {
	root, origin, err := readYAML(ctx, read, openStackReleases, seriesFile)
	r.seriesOrigin, r.termError = origin, err
	if err != nil {
		return
	}
	type release struct {
		id string
		on time.Time
	}
	var all []release
	for s := range root.Items() {
		if on, ok := day(s.Get("initial-release").Text()); ok {
			all = append(all, release{clip(cmp.Or(s.Get("release-id").Text(), s.Get("name").Text())), on})
		}
	}
	slices.SortFunc(all, func(a, b release) int { return a.on.Compare(b.on) })
	for i := 1; i < len(all); i++ {
		if !all[i-1].on.After(at) && all[i].on.After(at) {
			r.term = series{all[i].id, all[i-1].on}
			return
		}
	}
	r.termError = fmt.Errorf("%s does not say which series was in development on %s", seriesFile, at.UTC().Format(time.DateOnly))
}

// look finds a project by its repository.
func (r *openStackRecords) look(_ context.Context, asked inquiry) (answer, error) {
	for _, at := range places(asked.project) {
		if !slices.Contains(openStackHosts(), at.host) {
			continue
		}
		if d, ok := r.repos[at.path]; ok {
			return r.official(asked, d), nil
		}
		if r.legacyError != nil && strings.HasPrefix(at.path, "openstack/") {
			return answer{}, r.legacyError
		}
		if on, ok := r.retired[at.path]; ok {
			return r.former(asked, on), nil
		}
		if strings.HasPrefix(at.path, "openstack/") {
			return answer{complete: true, origins: []audit.Origin{r.origin}}, nil
		}
	}
	return answer{}, nil
}

// official tells what the records say of a repository that OpenStack calls its own.
func (r *openStackRecords) official(asked inquiry, d deliverable) answer {
	origin := r.origin
	origin.Line = d.line
	a := answer{listed: true, lent: true, origins: []audit.Origin{origin}}
	g := scoring.Governance{Steps: []scoring.Step{projectStep(asked.project)}, Level: known("official", asked.at, origin)}
	if d.group != "" {
		g.Team = d.group
		g.Steps = append(g.Steps, scoring.Step{What: "team", Name: d.group, Origin: origin})
		a.governance = g
		return a
	}
	t := r.teams[d.team]
	at := r.origin
	at.Line = t.line
	g.Team, g.Deliverable = t.name, known(d.name, asked.at, origin)
	g.Steps = append(g.Steps, scoring.Step{What: "deliverable", Name: d.name, Origin: origin}, scoring.Step{What: "team", Name: t.name, Origin: at})
	if d.deprecated != "" {
		g.Level = known("deprecated", asked.at, origin)
	}
	if r.emerging[fold(t.name)] {
		g.Level = known("emerging", asked.at, r.listOrigin)
	}
	r.lead(&g, t, asked.at, at)
	g.SecurityTeam = r.security(t, d, asked.at, at)
	g.Inactive = r.sleeps(t, asked.at)
	a.governance = g
	return a
}

// lead tells how the team is led in the present term.
func (r *openStackRecords) lead(g *scoring.Governance, t *team, at time.Time, origin audit.Origin) {
	switch {
	case t.kind == "distributed":
		g.Leadership, g.Vacancies = known("distributed", at, origin), known([]string{}, at, origin)
		return
	case t.kind != "ptl":
		g.Leadership = unknown[string]("the team has the leadership type "+clip(t.kind), "read "+teamsFile+" and teach the collector that type", origin)
		return
	}
	g.Vacancies = known(append([]string{}, t.appointed...), at, origin)
	if r.termError != nil {
		g.Leadership = unknown[string]("the series in development is not known: "+r.termError.Error(), "make "+openStackReleases+" available and collect again", origin)
		g.TermSince = unknown[time.Time]("the series in development is not known: "+r.termError.Error(), "make "+openStackReleases+" available and collect again", origin)
		return
	}
	how := "elected"
	if slices.Contains(t.appointed, r.term.id) {
		how = "appointed"
	}
	if last := origin.At; last.Before(r.term.since) && !last.IsZero() {
		reason := "the team list is of " + last.UTC().Format(time.DateOnly) + ", before the term for " + r.term.id + " began"
		g.Leadership = unknown[string](reason, "read a newer state of "+openStackGovernance, origin)
		g.TermSince = unknown[time.Time](reason, "read a newer state of "+openStackGovernance, origin)
		return
	}
	g.Leadership = known(how, at, origin, r.seriesOrigin)
	g.TermSince = known(r.term.since, at, origin, r.seriesOrigin)
}

// security tells whether the vulnerability management team covers the repository.
func (r *openStackRecords) security(t *team, d deliverable, at time.Time, origin audit.Origin) audit.Fact[bool] {
	policy := audit.Origin{Source: "foundations", URL: oversight, At: origin.At}
	switch {
	case d.unreleased:
		return unknown[bool]("the vulnerability management team covers repositories with versioned releases, and this one is not released", "ask the team", origin)
	case t.security > 0 || t.kind == "ptl":
		return audit.Known(true, origin, policy).Graded(audit.GradeRecord, known(true, at, origin).ObservedAt, audit.Year)
	}
	return unknown[bool]("the team names no liaison for security and has no single lead who would be it", "ask the team", origin)
}

// sleeps tells whether the team is marked inactive.
func (r *openStackRecords) sleeps(t *team, at time.Time) audit.Fact[bool] {
	if r.listError != nil {
		return unknown[bool]("the list of inactive teams could not be read: "+r.listError.Error(), "make "+openStackGovernance+" available and collect again")
	}
	return known(r.inactive[fold(t.name)], at, r.listOrigin)
}

// former tells what the records say of a repository that was official once.
func (r *openStackRecords) former(asked inquiry, on time.Time) answer {
	g := scoring.Governance{Steps: []scoring.Step{projectStep(asked.project)}, Level: known("retired", asked.at, r.legacyOrigin), Inactive: known(true, asked.at, r.legacyOrigin)}
	if !on.IsZero() {
		g.LevelSince = known(on, asked.at, r.legacyOrigin)
		g.Levels = known([]scoring.LevelChange{{Level: "retired", At: on}}, asked.at, r.legacyOrigin)
	}
	return answer{listed: true, governance: g, origins: []audit.Origin{r.legacyOrigin}}
}

// bySeries sorts series by age: names in the order of the alphabet, then numbers such as 2023.1.
func bySeries(a, b string) int {
	numbered := func(s string) int {
		if s != "" && s[0] >= '0' && s[0] <= '9' {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(numbered(a), numbered(b)), cmp.Compare(a, b))
}
