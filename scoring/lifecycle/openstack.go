package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Where OpenStack keeps its series and what was released in each (openstack/releases 02df7c9a).
const (
	openStackRepo = "https://opendev.org/openstack/releases"
	seriesFile    = "data/series_status.yaml"
)

// mostSeries is how many of the newest series are looked through: twelve years.
const mostSeries = 24

// seriesName is how directories of series are named; it keeps foreign text out of paths.
var seriesName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// releasedVersion is the numeric head of a version. Markers such as train-em or 2024.2-eol have none.
var releasedVersion = regexp.MustCompile(`^([0-9]+)\.([0-9]+)\.[0-9]+`)

func openStack() source {
	return source{name: "OpenStack series", grade: audit.GradeRecord, repo: openStackRepo, settle: "make " + openStackRepo + " available and collect again",
		serves: func(_ *Collector, p scoring.Project) bool { _, ok := openStackName(p); return ok }, read: readOpenStack}
}

// openStackName returns the repository of a project of OpenStack, e.g. openstack/nova.
func openStackName(p scoring.Project) (string, bool) {
	for _, address := range []string{p.Repo, p.Mirror} {
		for _, host := range []string{"https://opendev.org/", "https://github.com/"} {
			name, ok := strings.CutPrefix(strings.ToLower(address), host)
			name = strings.TrimSuffix(strings.TrimSuffix(name, "/"), ".git")
			if short, found := strings.CutPrefix(name, "openstack/"); ok && found && seriesName.MatchString(short) {
				return name, true
			}
		}
	}
	return "", false
}

// series is one line of series_status.yaml.
type series struct {
	name, id   string
	status     string
	next       string // status that follows
	nextOn     time.Time
	released   time.Time
	eol        time.Time
	slurp      bool
	after      bool     // the file was written after the moment of assessment
	deliveries []string // numeric versions of the project that belong to it
}

func readOpenStack(ctx context.Context, c *Collector, p scoring.Project, known scoring.Evidence) (calendar, error) {
	root, origin, err := c.file(ctx, openStackRepo, seriesFile, nil)
	if err != nil {
		return calendar{}, err
	}
	all, err := readSeries(root)
	if err != nil {
		return calendar{}, fmtPath(seriesFile, err)
	}
	repo, _ := openStackName(p)
	_, deliverable, _ := strings.Cut(repo, "/")
	if g, ok := known.Governance.Get(); ok {
		if name, ok := g.Deliverable.Get(); ok && seriesName.MatchString(name) {
			deliverable = name
		}
	}
	out := calendar{origins: []audit.Origin{origin}, seen: origin.At}
	for i := range all[:min(len(all), mostSeries)] {
		all[i].after = origin.At.After(c.options.At)
		path := "deliverables/" + all[i].name + "/" + deliverable + ".yaml"
		list, at, err := c.parse(ctx, openStackRepo, path, nil)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it took no part in this series
			continue
		case err != nil:
			return calendar{}, err
		}
		all[i].deliveries = delivered(list, repo)
		if len(all[i].deliveries) > 0 {
			out.origins = append(out.origins, at)
		}
	}
	out.cycles = c.seriesCycles(all)
	if len(out.cycles) == 0 {
		return calendar{}, errors.New("no series lists a version of " + deliverable)
	}
	return out, nil
}

// readSeries reads series_status.yaml, newest first. Release ids are taken as text: 2025.10 is not 2025.1.
func readSeries(root scoring.YAML) ([]series, error) {
	var all []series
	for item := range root.Items() {
		s := series{name: short(item.Get("name")), id: short(item.Get("release-id")), status: item.Get("status").Text(),
			next: item.Get("next-phase").Get("status").Text(), slurp: slices.Contains([]string{"yes", "true"}, item.Get("slurp").Text())}
		if !seriesName.MatchString(s.name) {
			return nil, fmt.Errorf("line %d: a series has no name", item.Line())
		}
		for from, to := range map[string]*time.Time{"initial-release": &s.released, "eol-date": &s.eol} {
			var err error
			if *to, err = mustDay(item.Get(from)); err != nil {
				return nil, err
			}
		}
		var err error
		if s.nextOn, err = mustDay(item.Get("next-phase").Get("date")); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, errors.New("it names no series")
	}
	slices.SortStableFunc(all, func(a, b series) int { return b.released.Compare(a.released) })
	return all, nil
}

// delivered returns the versions of a repository that a deliverable lists. What is no version is a marker.
func delivered(list scoring.YAML, repo string) []string {
	var out []string
	for release := range list.Get("releases").Items() {
		version := releasedVersion.FindString(release.Get("version").Text())
		if version == "" {
			continue
		}
		named, mine := 0, false
		for part := range release.Get("projects").Items() {
			named++
			mine = mine || strings.EqualFold(part.Get("repo").Text(), repo)
		}
		if mine || named == 0 {
			out = append(out, version)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// seriesCycles makes one cycle for each head of version numbers that belongs to one series alone: 30 if all 30.x are of one
// series, else 25.1.
func (c *Collector) seriesCycles(all []series) []scoring.Cycle {
	owners := map[string]map[int]bool{}
	for i, s := range all {
		for _, v := range s.deliveries {
			for _, head := range heads(v) {
				if owners[head] == nil {
					owners[head] = map[int]bool{}
				}
				owners[head][i] = true
			}
		}
	}
	var out []scoring.Cycle
	seen := map[string]bool{}
	for _, s := range all {
		for _, v := range s.deliveries {
			for _, head := range heads(v) {
				if len(owners[head]) == 1 {
					if !seen[head] {
						seen[head] = true
						out = append(out, c.cycleOf(s, head))
					}
					break
				}
			}
		}
	}
	return out
}

// heads returns 30, 30.1 and 30.1.0 of 30.1.0.
func heads(version string) []string {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	return []string{major, major + "." + minor, version}
}

// cycleOf tells the phase of a series at the moment of assessment.
func (c *Collector) cycleOf(s series, prefix string) scoring.Cycle {
	cycle := scoring.Cycle{Name: cmp.Or(s.id, s.name), Prefix: prefix, Released: s.released, LTS: s.slurp}
	if s.id != "" {
		cycle.Name += " (" + s.name + ")"
	}
	at, status, following := c.options.At, s.status, s.next
	if !s.nextOn.IsZero() && !at.Before(s.nextOn) { // the file is older than the phase
		status, following = s.next, ""
	}
	if s.released.After(at) {
		status, following = "development", ""
	}
	switch status {
	case "development", "future":
		cycle.Status = "development"
	case "maintained":
		cycle.Status = "maintained"
		if following != "" && following != "maintained" {
			cycle.EndLow, cycle.EndHigh = s.nextOn, s.nextOn
		}
	case "unmaintained", "extended maintenance":
		if s.after { // nobody says since when
			break
		}
		cycle.Status, cycle.Ended = "unmaintained", true
		if status == "extended maintenance" {
			cycle.Status = "extended"
		}
		if s.next == status && !s.nextOn.IsZero() {
			cycle.EndLow, cycle.EndHigh, cycle.Ended = s.nextOn, s.nextOn, false
		}
	case "end of life":
		c.buried(&cycle, s)
	}
	return cycle
}

// buried tells the end of a series that has reached its end of life. Before that day it may have been unmaintained for years:
// nobody says since when.
func (c *Collector) buried(cycle *scoring.Cycle, s series) {
	end := s.eol
	if end.IsZero() && s.next == "end of life" {
		end = s.nextOn
	}
	switch {
	case end.IsZero():
		cycle.Status, cycle.Ended = "end of life", true
	case c.over(end):
		cycle.Status, cycle.EndLow, cycle.EndHigh = "end of life", end, end
	default:
		cycle.EndHigh = end
	}
}
