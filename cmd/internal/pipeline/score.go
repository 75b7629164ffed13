package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/gitlog"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// Score measures upstream projects by name: the URL of a repository, the path of a local clone, a package URL or a
// catalogue id, each but package URLs with an optional revision after the last @ that follows the last slash. Recorded
// evidence comes first, then each collector is asked. A project that cannot be read is still in the result, with the
// reason; a target that is nothing of these is wrong usage. The result has one row for each project, in the order of the
// targets.
func Score(ctx context.Context, targets []string, atHead bool, opt Options) ([]reports.Project, error) {
	profiles, err := Profiles(opt.Profile)
	if err != nil {
		return nil, err
	}
	found, err := evidenceOf(ctx, targets, atHead, opt)
	if err != nil {
		return nil, err
	}
	rows := make([]reports.Project, 0, len(found))
	for _, f := range found {
		profile := profiles.For(f.project.Profile)
		rows = append(rows, projectRow(judge(f.project, f.evidence, profile), f.evidence, profile, f.evidence.AssessedAt))
	}
	return rows, nil
}

// scored is a project with the evidence that it is scored on.
type scored struct {
	project  scoring.Project
	evidence scoring.Evidence
}

// evidenceOf gathers the evidence about targets of pegel score.
func evidenceOf(ctx context.Context, names []string, atHead bool, opt Options) ([]scored, error) {
	catalogue, err := upstream.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	opt.AtHead = opt.AtHead || atHead
	stack := Stack{Name: "score"}
	stack.Collect.Indexes = opt.Indexes
	if err := stack.Collect.check(""); err != nil {
		return nil, usagef(collectHint(err), "flag --index: %w", err)
	}
	g, err := prepareProjects(stack, opt, catalogue)
	if err != nil {
		return nil, err
	}
	defer g.close()
	rec, err := g.recorded(ctx)
	if err != nil {
		return nil, err
	}
	targets, err := g.targets(ctx, names)
	if err != nil {
		return nil, err
	}
	g.resumeScore(targets)
	out := make([]scored, len(targets))
	if err := g.known(ctx, targets, rec, out); err != nil {
		return nil, err
	}
	for i, t := range targets {
		if t.batched() {
			continue
		}
		opt.progress("reading projects: "+publicAddress(t.name), i, len(targets))
		if out[i], err = g.single(ctx, t); err != nil {
			return nil, err
		}
	}
	opt.progress("reading projects", len(targets), len(targets))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].evidence = stated(out[i].evidence, out[i].project, g.said, g.opt.Now)
	}
	g.journal.done()
	return out, nil
}

// known gathers the evidence of all targets whose project is known before anything is read.
func (g *gatherer) known(ctx context.Context, targets []target, rec recording, out []scored) error {
	var projects []scoring.Project
	var at []int
	for i, t := range targets {
		if t.batched() {
			projects, at = append(projects, *t.project), append(at, i)
		}
	}
	if len(projects) == 0 {
		return nil
	}
	found := g.evidence(ctx, projects, rec)
	for i, p := range atHome(projects, found) {
		out[at[i]] = scored{p, g.counting(found[i])}
	}
	return ctx.Err()
}

// counting returns the evidence as it counts on the day that is judged: that of --at, else the day that the windows of the
// evidence end on, which for a recording is the day it was made for.
func (g *gatherer) counting(e scoring.Evidence) scoring.Evidence {
	at := g.at
	if g.opt.At.IsZero() && !e.AssessedAt.IsZero() {
		at = e.AssessedAt
	}
	return e.Fresh(at)
}

// resumeScore goes on with an interrupted run over many projects. The notes lie in the cache directory; without one there
// are none.
func (g *gatherer) resumeScore(targets []target) {
	const few = 8 // read again sooner than noted
	if len(targets) < few || g.opt.CacheDir == "" || g.client == nil && len(g.opt.Mirrors) == 0 {
		return
	}
	input := digestOfJSON(struct {
		Evidence, Mirrors, Indexes []string
		Offline, AtHead            bool
		Anew                       map[string][]string
	}{g.opt.Evidence, g.opt.Mirrors, g.opt.Indexes, g.opt.Offline, g.opt.AtHead, g.opt.Anew})
	g.journal = openJournal(scoreNotes(g.opt.CacheDir, input, g.opt.Now), journalRun{Tool: g.opt.Version, Input: input, At: g.at}, !g.opt.At.IsZero(), g.opt.Now)
	if g.journal != nil {
		g.at = g.journal.run.At
	}
}

// single reads a repository that the catalogue may not know, or one revision, and asks the other collectors about it.
func (g *gatherer) single(ctx context.Context, t target) (scored, error) {
	options, done, err := g.gitOptions()
	if err != nil {
		return scored{}, err
	}
	defer done()
	// A revision is judged on its own day unless another is asked for: today it would look abandoned.
	options.AtHead = g.opt.AtHead || t.rev != "" && g.opt.At.IsZero()
	git, err := gitlog.New(options)
	if err != nil {
		return scored{}, err
	}
	p, e, err := g.readRepository(ctx, git, t)
	if err != nil || p.Repo == "" {
		return scored{p, e}, err
	}
	opt := g.opt
	opt.At, opt.AtHead = e.AssessedAt, false
	if exists(t.name) {
		opt.Mirrors = append(slices.Clone(opt.Mirrors), t.name)
	}
	if opt.At.IsZero() || opt.At.After(opt.Now) {
		opt.At = g.at
	}
	around, err := prepareProjects(g.stack, opt, g.catalogue)
	if err != nil {
		return scored{}, err
	}
	defer around.close()
	p, e, err = around.surround(ctx, p, e, t.rev == "")
	return scored{p, g.counting(e)}, err
}

// surround asks all collectors but git about a repository that was read, and leaves a mirror where follow says so.
func (g *gatherer) surround(ctx context.Context, p scoring.Project, e scoring.Evidence, follow bool) (scoring.Project, scoring.Evidence, error) {
	c := g.collecting(ctx, []scoring.Project{p}, recording{})
	finders, others := c.split()
	quiet := func(string) {}
	noGit := func(s scoring.Collector) bool { return s.Name() == "git" }
	e, err := c.ask(ctx, slices.DeleteFunc(slices.Clone(finders), noGit), p, e, quiet)
	if err == nil && follow && e.Has("git") {
		p, e, err = c.home(ctx, finders, p, e, quiet)
	}
	if err == nil {
		e, err = c.ask(ctx, others, p, e, quiet)
	}
	return p, e, err
}

// readRepository reads the repository of a target at its revision, and finds out which project of the catalogue it is.
func (g *gatherer) readRepository(ctx context.Context, c *gitlog.Collector, t target) (scoring.Project, scoring.Evidence, error) {
	if t.project != nil {
		p := *t.project
		e, err := c.Repository(ctx, p.Repo, t.rev)
		if err == nil && e.Failure != "" && p.Mirror != "" {
			if other, err := c.Repository(ctx, p.Mirror, t.rev); err == nil && other.Failure == "" {
				return p, other, nil
			}
		}
		return p, e, err
	}
	e, err := c.Repository(ctx, t.name, t.rev)
	if err != nil {
		return scoring.Project{}, e, usagef("a clone is a directory made by git clone; a bare one serves too", "scoring %q: %w", publicAddress(t.name), err)
	}
	tree, _ := e.Tree.Get()
	for _, entry := range g.catalogue.Components() {
		if sameRepository(entry.Repo, e.Repo) || sameRepository(entry.Mirror, e.Repo) || sameGerrit(entry.Repo, tree.GerritProject) {
			return catalogueProject(g.catalogue, entry.ID), e, nil
		}
	}
	return scoring.Project{ID: e.Project, Name: orText(e.Repo, e.Project), Repo: e.Repo}, e, nil
}

// catalogueProject is a project as the catalogue describes it, without any deployment.
func catalogueProject(c *upstream.Catalogue, id string) scoring.Project {
	found := c.Resolve([]upstream.Part{{Subject: id, Assign: id}}).Projects
	if len(found) == 0 {
		return scoring.Project{ID: id}
	}
	found[0].Links = nil
	return found[0]
}
