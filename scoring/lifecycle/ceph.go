package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Where Ceph keeps its releases (ceph/ceph 0edd2c56). Versions stand there without quotes, so that 0.80 would be a number;
// target_eol is an estimate that moves, actual_eol is what happened.
const (
	cephRepo = "https://github.com/ceph/ceph"
	cephFile = "doc/releases/releases.yml"
)

func ceph() source {
	return source{name: "Ceph releases", grade: audit.GradeRecord, repo: cephRepo, settle: "make " + cephRepo + " available and collect again",
		serves: func(c *Collector, p scoring.Project) bool { return c.table.rows[p.ID].own == "ceph" }, read: readCeph}
}

func readCeph(ctx context.Context, c *Collector, _ scoring.Project, _ scoring.Evidence) (calendar, error) {
	root, origin, err := c.file(ctx, cephRepo, cephFile, nil)
	if err != nil {
		return calendar{}, err
	}
	out := calendar{origins: []audit.Origin{origin}, seen: origin.At}
	for code, r := range root.Get("releases").Pairs() {
		cycle, ok, err := c.cephCycle(code, r)
		if err != nil {
			return calendar{}, fmtPath(cephFile, err)
		}
		if ok {
			out.cycles = append(out.cycles, cycle)
		}
	}
	if len(out.cycles) == 0 {
		return calendar{}, errors.New(cephFile + ": it names no release")
	}
	return out, nil
}

// cephCycle reads one named release; ok is false if nothing of it was out at the moment of assessment.
func (c *Collector) cephCycle(code string, r scoring.YAML) (cycle scoring.Cycle, ok bool, err error) {
	for item := range r.Get("releases").Items() {
		version := item.Get("version").Text()
		on, dated := day(item.Get("released"))
		if !numbered(version) || !dated {
			return cycle, false, fmt.Errorf("line %d: a release needs a version and a day", item.Line())
		}
		if on.After(c.options.At) {
			continue
		}
		if cycle.Released.IsZero() || on.Before(cycle.Released) {
			cycle.Released = on
		}
		if cycle.Latest == "" || scoring.CompareVersions(version, cycle.Latest) > 0 {
			cycle.Latest = version
		}
	}
	if cycle.Latest == "" {
		return cycle, false, nil
	}
	major, rest, _ := strings.Cut(cycle.Latest, ".")
	if major == "0" { // before 9.0 the second number told releases apart
		minor, _, _ := strings.Cut(rest, ".")
		major += "." + minor
	}
	cycle.Prefix, cycle.Name = major, major+" ("+cut(code)+")"
	target, err := mustDay(r.Get("target_eol"))
	if err != nil {
		return cycle, false, err
	}
	actual, err := mustDay(r.Get("actual_eol"))
	if err != nil {
		return cycle, false, err
	}
	cycle.Status = "maintained"
	switch {
	case !actual.IsZero():
		cycle.EndLow, cycle.EndHigh = actual, actual
		if actual.Before(c.options.At) {
			cycle.Status = "end of life"
		}
	case !target.IsZero():
		cycle.EndLow, cycle.EndHigh, cycle.Estimate = target, target, true
	}
	return cycle, true, nil
}

func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), mostName)], "") }
