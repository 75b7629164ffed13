package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Where Kubernetes keeps its calendar: the schedule of maintained versions and the list of those that ended
// (kubernetes/website 28d3e131 and 0637786b). Older states write the version 1.30 without quotes.
const (
	kubernetesRepo = "https://github.com/kubernetes/website"
	scheduleFile   = "data/releases/schedule.yaml"
	endedFile      = "data/releases/eol.yaml"
)

func kubernetes() source {
	return source{name: "Kubernetes schedule", grade: audit.GradeRecord, repo: kubernetesRepo, settle: "make " + kubernetesRepo + " available and collect again",
		serves: func(c *Collector, p scoring.Project) bool { return c.table.rows[p.ID].own == "kubernetes" }, read: readKubernetes}
}

func readKubernetes(ctx context.Context, c *Collector, _ scoring.Project, _ scoring.Evidence) (calendar, error) {
	root, origin, err := c.file(ctx, kubernetesRepo, scheduleFile, nil)
	if err != nil {
		return calendar{}, err
	}
	out := calendar{origins: []audit.Origin{origin}, seen: origin.At}
	for item := range root.Get("schedules").Items() {
		cycle, err := c.minor(item, item.Get("releaseDate"))
		if err != nil {
			return calendar{}, fmtPath(scheduleFile, err)
		}
		if cycle.Released.After(c.options.At) {
			continue
		}
		for patch := range item.Get("previousPatches").Items() {
			if on, ok := day(patch.Get("targetDate")); ok && !on.After(c.options.At) && scoring.CompareVersions(patch.Get("release").Text(), cycle.Latest) > 0 {
				cycle.Latest = short(patch.Get("release"))
			}
		}
		out.cycles = append(out.cycles, cycle)
	}
	ended, origin, err := c.file(ctx, kubernetesRepo, endedFile, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist): // older states have none
		return out, nil
	case err != nil:
		return calendar{}, err
	}
	out.origins = append(out.origins, origin)
	var past []scoring.Cycle
	for item := range ended.Get("branches").Items() {
		cycle, err := c.minor(item, scoring.YAML{})
		if err != nil {
			return calendar{}, fmtPath(endedFile, err)
		}
		cycle.Latest = short(item.Get("finalPatchRelease"))
		past = append(past, cycle)
	}
	out.cycles = join(past, out.cycles) // what happened is truer than what was planned
	return out, nil
}

// minor reads one minor version.
func (c *Collector) minor(item, released scoring.YAML) (scoring.Cycle, error) {
	name := short(item.Get("release"))
	if !numbered(name) {
		return scoring.Cycle{}, fmt.Errorf("line %d: a version is numbers joined by dots", item.Line())
	}
	end, err := mustDay(item.Get("endOfLifeDate"))
	if err != nil {
		return scoring.Cycle{}, err
	}
	since, err := mustDay(released)
	if err != nil {
		return scoring.Cycle{}, err
	}
	cycle := scoring.Cycle{Name: name, Prefix: name, Released: since, EndLow: end, EndHigh: end, Status: "maintained"}
	if !end.IsZero() && c.over(end) {
		cycle.Status = "end of life"
	}
	return cycle, nil
}
