package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/gitlog"
)

// parallelCollects bounds how many projects are read at once.
const parallelCollects = 2

// collecting gathers evidence about projects: what was recorded, what an interrupted run left, then each collector.
type collecting struct {
	g       *gatherer
	chain   []scoring.Collector
	broken  map[string]error // collectors that could not be made, by name
	rec     recording
	journal *journal // nil: an interrupted run is not resumed
	anew    anew
}

// evidence gathers what is known about every project. A project of which nothing could be read still has a document that
// says why.
func (g *gatherer) evidence(ctx context.Context, projects []scoring.Project, rec recording) []scoring.Evidence {
	c := g.collecting(ctx, projects, rec)
	defer g.close()
	out := make([]scoring.Evidence, len(projects))
	var group errgroup.Group
	group.SetLimit(parallelCollects)
	var done atomic.Int64
	for i, p := range projects {
		group.Go(func() error {
			e := c.project(ctx, p, func(collector string) {
				g.opt.progress("reading projects: "+p.Name+" ("+collector+")", int(done.Load()), len(projects))
			})
			out[i] = stated(e, p, g.said, g.opt.Now)
			g.opt.progress("reading projects", int(done.Add(1)), len(projects))
			return nil
		})
	}
	_ = group.Wait() // errors are kept as the failure of each project's evidence
	if ctx.Err() == nil {
		c.join(ctx, projects, out)
	}
	g.opt.progress("reading projects", len(projects), len(projects))
	return out
}

// project gathers the evidence of one project, collector by collector.
func (c *collecting) project(ctx context.Context, p scoring.Project, step func(string)) scoring.Evidence {
	e := c.taken(p)
	if resumed, ok := c.journal.load(p, e); ok {
		return resumed
	}
	began, asked := e, p
	ctx, seen := recordKept(ctx)
	finders, others := c.split()
	e, err := c.ask(ctx, finders, p, e, step)
	if err == nil {
		p, e, err = c.home(ctx, finders, p, e, step)
	}
	if err == nil {
		e, err = c.ask(ctx, others, p, e, step)
	}
	if err != nil {
		return c.g.nothing(p, err) // the run ends
	}
	if err, ok := c.broken["git"]; ok && !e.Has("git") {
		e.Schema, e.Project, e.Repo, e.AssessedAt = scoring.EvidenceSchema, p.ID, p.Repo, c.g.at
		e.Failure, e.Settle = err.Error(), "make "+p.Repo+" readable, or give a local clone with --mirror"
	}
	if ctx.Err() == nil && !unsettled(e) {
		c.journal.save(asked, began, e, seen)
	}
	return e
}

// ask asks collectors one after the other about one project.
func (c *collecting) ask(ctx context.Context, chain []scoring.Collector, p scoring.Project, e scoring.Evidence, step func(string)) (scoring.Evidence, error) {
	for _, collector := range chain {
		if c.enough(collector.Name(), p, e) {
			continue
		}
		step(collector.Name())
		before := e
		next, err := collector.Collect(ctx, p, e)
		if err != nil {
			return before, err
		}
		e = next
		if collector.Name() == "git" && before.Has("git") && (!e.Has("git") || e.Failure != "") {
			e = before // what was recorded is better than nothing
		}
	}
	return e, nil
}

// unsettled says that a service was out of order or asked for patience: an interrupted run that goes on asks it again.
func unsettled(e scoring.Evidence) bool {
	return slices.ContainsFunc(e.States(), func(s scoring.State) bool {
		return s.Outcome == audit.DNF && strings.HasPrefix(s.Settle, "run again")
	})
}

// taken returns what was recorded about a project, without what is to be collected anew.
func (c *collecting) taken(p scoring.Project) scoring.Evidence {
	e, ok := c.rec.of(p)
	if !ok {
		return scoring.Evidence{}
	}
	for _, collector := range c.anew.of(p.ID) {
		e = e.Without(collector)
	}
	return e
}

// enough says that a collector need not be asked: its facts were taken from a recording. Facts of git are enough only if
// they cover the deployed versions, or nobody could read the others.
func (c *collecting) enough(collector string, p scoring.Project, e scoring.Evidence) bool {
	if !e.Has(collector) {
		return false
	}
	if collector != "git" {
		return true
	}
	for _, version := range p.Versions {
		if _, ok := e.Licences[version]; !ok {
			return false
		}
	}
	return true
}

// gitOptions are those of a collector of git. The files that say who works for whom are open until done is called.
func (g *gatherer) gitOptions() (options gitlog.Options, done func(), err error) {
	options = gitlog.Options{
		CacheDir: g.opt.CacheDir, Mirrors: g.opt.Mirrors, Offline: g.opt.Offline, At: g.at, AtHead: g.opt.AtHead, Keep: g.keptBy(),
		Classify: licence.Detect, Log: g.opt.logger(), Reach: g.reach,
	}
	var open []*os.File
	done = func() {
		for _, f := range open {
			_ = f.Close()
		}
	}
	for _, a := range g.stack.Collect.Affiliations {
		at, err := ParseDay(a.At)
		var f *os.File
		if err == nil {
			f, err = os.Open(relativeTo(g.stack.Dir, a.File))
		}
		if err != nil {
			done()
			return options, func() {}, usagef(affiliationsHint, "reading stack %q: collect: affiliations: %w", g.stack.Name, plainPath(a.File, err))
		}
		open = append(open, f)
		options.Affiliations = append(options.Affiliations, gitlog.AffiliationFile{Name: a.File, Source: a.Source, At: at, Data: f})
	}
	return options, done, nil
}

// plainPath names a file as the stack file does.
func plainPath(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%q: %w", name, err)
}

// nothing is the evidence of a project that could not be read at all.
func (g *gatherer) nothing(p scoring.Project, err error) scoring.Evidence {
	return scoring.Evidence{
		Schema: scoring.EvidenceSchema, Project: p.ID, Repo: p.Repo, AssessedAt: g.at,
		Failure: err.Error(), Settle: "make " + p.Repo + " readable, or give a local clone with --mirror",
	}
}

// collecting makes the collectors. One that cannot be made, such as that of git without git, leaves its facts unknown.
func (g *gatherer) collecting(ctx context.Context, projects []scoring.Project, rec recording) *collecting {
	c := &collecting{g: g, rec: rec, broken: map[string]error{}, journal: g.journal, anew: g.opt.Anew}
	for _, build := range collectors() {
		collector, err := build.make(ctx, g, projects)
		switch {
		case err != nil:
			c.broken[build.name] = err
			g.opt.logger().Warn("a collector is missing", "name", build.name, "reason", err.Error())
		case collector != nil:
			c.chain = append(c.chain, collector)
		}
	}
	return c
}

// keptBy is how collectors hand over raw bytes: to the bundle, and to the journal of their project.
func (g *gatherer) keptBy() audit.Keep {
	if g.keep == nil {
		return nil
	}
	return func(ctx context.Context, b audit.Blob) (audit.Digest, error) {
		noteKept(ctx, b)
		return g.keep(ctx, b)
	}
}

// anew says which facts are collected again although a recording has them: collectors by project id, "" for all projects.
type anew map[string][]string

// of returns the collectors to ask anew about a project.
func (a anew) of(project string) []string { return append(append([]string{}, a[""]...), a[project]...) }

// ParseAnew reads PROJECT, PROJECT:COLLECTOR or :COLLECTOR, as in --anew keystone:git.
func ParseAnew(words []string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, w := range words {
		names := collectorNames()
		project, collector, ok := strings.Cut(w, ":")
		if !ok {
			out[w] = names
			continue
		}
		if !slices.Contains(names, collector) {
			return nil, usagef("collectors are "+strings.Join(names, ", "), "flag --anew: %q: no collector %q", w, collector)
		}
		out[project] = append(out[project], collector)
	}
	return out, nil
}

func collectorNames() []string {
	var out []string
	for _, b := range collectors() {
		out = append(out, b.name)
	}
	return out
}
