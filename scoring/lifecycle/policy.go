package lifecycle

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// versionTag is a tag of a release; release candidates and markers have more to them.
var versionTag = regexp.MustCompile(`^v?([0-9]{1,6})\.([0-9]{1,6})(\.[0-9]{1,6}){0,2}$`)

// mostTags bounds what is read of one project; the largest histories have some tens of thousands.
const mostTags = 1_000_000

func written() source {
	return source{name: "written policy and tags", grade: audit.GradeDeclared, settle: "read a clone with all tags",
		serves: func(c *Collector, p scoring.Project) bool { return c.table.rows[p.ID].policy != "" }, read: readPolicy}
}

// line is one cycle as the tags show it.
type line struct {
	name        string
	first, last time.Time
	latest      string
}

func readPolicy(ctx context.Context, c *Collector, p scoring.Project, known scoring.Evidence) (calendar, error) {
	rule := c.table.policies[c.table.rows[p.ID].policy]
	if c.options.Tags == nil {
		return calendar{}, errors.New("nobody reads the tags of the repository")
	}
	tags, err := c.options.Tags(ctx, p)
	switch {
	case err != nil:
		return calendar{}, errors.New("reading tags: " + err.Error())
	case len(tags) > mostTags:
		return calendar{}, errors.New("the repository has more tags than are read")
	}
	lines := c.lines(tags)
	if len(lines) == 0 {
		return calendar{}, errors.New("no tag looks like a release")
	}
	out := calendar{seen: known.SeenUntil, origins: []audit.Origin{{Source: "policy", URL: rule.source, At: rule.date}, {Source: "git", URL: p.Repo, Commit: known.Revision, At: known.RevisionAt}}}
	for i := range lines {
		out.cycles = append(out.cycles, c.judge(rule, lines, i))
	}
	return out, nil
}

// lines gathers the tags by their first two numbers, oldest version first.
func (c *Collector) lines(tags []scoring.Tag) []line {
	byName := map[string]*line{}
	for _, t := range tags {
		m := versionTag.FindStringSubmatch(t.Name)
		if m == nil || t.At.IsZero() || t.At.After(c.options.At) {
			continue
		}
		name := m[1] + "." + m[2]
		l := byName[name]
		if l == nil {
			l = &line{name: name, first: t.At, last: t.At}
			byName[name] = l
		}
		if t.At.Before(l.first) {
			l.first = t.At
		}
		if t.At.After(l.last) {
			l.last = t.At
		}
		if version := strings.TrimPrefix(t.Name, "v"); l.latest == "" || scoring.CompareVersions(version, l.latest) > 0 {
			l.latest = version
		}
	}
	out := make([]line, 0, len(byName))
	for _, l := range byName {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b line) int { return scoring.CompareVersions(a.name, b.name) })
	return out[max(0, len(out)-mostCycles):]
}

// judge applies a rule to one cycle.
func (c *Collector) judge(rule policy, lines []line, i int) scoring.Cycle {
	l := lines[i]
	cycle := scoring.Cycle{Name: l.name, Prefix: l.name, Released: l.first, Latest: l.latest, LTS: slices.Contains(rule.lts, l.name)}
	switch rule.kind {
	case "newest":
		rule.newest(&cycle, lines, i)
	case "term":
		rule.term(&cycle, lines, i)
	case "lts":
		rule.longTerm(&cycle, lines, i)
	case "open":
		return cycle
	}
	for _, e := range rule.ends {
		if strings.HasPrefix(l.name+".", e.prefix+".") && (cycle.EndLow.IsZero() || cycle.EndLow.After(e.day)) {
			cycle.EndLow, cycle.EndHigh = e.day, e.day
		}
	}
	c.finish(rule, &cycle, l)
	return cycle
}

// finish takes into account that a fix after the end of a rule shows a later end, and names the status.
func (c *Collector) finish(rule policy, cycle *scoring.Cycle, l line) {
	if !cycle.EndLow.IsZero() && !cycle.EndHigh.IsZero() && l.last.After(cycle.EndHigh) {
		cycle.EndHigh = midnight(l.last)
	}
	if rule.usually && !cycle.EndLow.IsZero() {
		cycle.EndHigh = time.Time{}
	}
	switch {
	case cycle.EndLow.IsZero() || !c.over(cycle.EndLow):
		cycle.Status = "maintained"
	case !cycle.EndHigh.IsZero() && c.over(cycle.EndHigh) && !cycle.Estimate:
		cycle.Status = "end of life"
	}
}

// newest ends a cycle when so many newer ones are out.
func (p policy) newest(cycle *scoring.Cycle, lines []line, i int) {
	newer := 0
	for _, l := range lines[i+1:] {
		if p.within == "major" && major(l.name) != major(cycle.Name) {
			break
		}
		if newer++; newer == p.count {
			cycle.EndLow, cycle.EndHigh = midnight(l.first), midnight(l.first)
			return
		}
	}
}

// term ends a cycle so many months after its first tag. One of long term ends after the next of them is out.
func (p policy) term(cycle *scoring.Cycle, lines []line, i int) {
	end := lines[i].first.AddDate(0, p.months, 0)
	if cycle.LTS {
		end, cycle.Estimate = lines[i].first.AddDate(0, p.ltsMonths, 0), true
		for _, l := range lines[i+1:] {
			if slices.Contains(p.lts, l.name) {
				end, cycle.Estimate = l.first.AddDate(0, p.afterMonths, 0), false
				break
			}
		}
	}
	cycle.EndLow, cycle.EndHigh = midnight(end), midnight(end)
}

// longTerm ends a cycle with the next one, formally, and usually some cycles later. One of long term ends two cycles after the
// next of them, because that is called so when the cycle after it is out.
func (p policy) longTerm(cycle *scoring.Cycle, lines []line, i int) {
	if cycle.LTS {
		for j := i + 1; j < len(lines); j++ {
			if slices.Contains(p.lts, lines[j].name) {
				if j+2 < len(lines) {
					cycle.EndLow, cycle.EndHigh = midnight(lines[j+2].first), midnight(lines[j+2].first)
				}
				return
			}
		}
		return
	}
	if i+1 >= len(lines) {
		return
	}
	cycle.EndLow, cycle.EndHigh = midnight(lines[i+1].first), midnight(lines[i].first.AddDate(0, p.usualMonths, 0))
	if i+p.usual < len(lines) {
		cycle.EndHigh = midnight(lines[i+p.usual].first)
	}
	if cycle.EndHigh.Before(cycle.EndLow) {
		cycle.EndHigh = cycle.EndLow
	}
}

func major(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return first
}

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
