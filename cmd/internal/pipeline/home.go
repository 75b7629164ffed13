package pipeline

import (
	"context"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// split parts the collectors into those whose facts can say that a repository is a mirror, with those that they need, and
// the others, which are asked about the true home only.
func (c *collecting) split() (finders, others []scoring.Collector) {
	order := collectorNames()
	last := placeIn(order, "forge")
	for _, collector := range c.chain {
		if placeIn(order, collector.Name()) <= last {
			finders = append(finders, collector)
		} else {
			others = append(others, collector)
		}
	}
	return finders, others
}

// home leaves a mirror: where what was read says that the project works elsewhere, that is read anew, from nothing, and the
// steps are kept. It is one hop: what the home says of yet another place is not followed. A home that cannot be read leaves
// the evidence of the mirror, which then says so.
func (c *collecting) home(ctx context.Context, finders []scoring.Collector, p scoring.Project, e scoring.Evidence, step func(string)) (scoring.Project, scoring.Evidence, error) {
	if c.g.catalogue == nil {
		return p, e, nil
	}
	if len(e.Steps) > 0 { // taken from a recording that left the mirror
		return moved(p, e), e, nil
	}
	home := c.g.catalogue.TrueHome(p, e)
	if len(home.Steps) == 0 || home.Repo == "" || sameRepository(home.Repo, p.Repo) {
		return p, e, nil
	}
	at := p
	at.Repo, at.Mirror = home.Repo, "" // a clone of the mirror is no proof of the home
	found, err := c.ask(ctx, finders, at, scoring.Evidence{}, step)
	if err != nil {
		return p, e, err
	}
	if !found.Has("git") {
		e.MirrorOf = mirrorFact(home.Repo, home.Steps, e)
		return p, e, nil
	}
	if strangers(e, found) {
		return p, e, nil
	}
	found.Steps = home.Steps
	return moved(p, found), found, nil
}

// strangers says that two whole histories begin at different moments: one is no mirror of the other, whatever its files
// claim. Anybody may name the review server of others in a .gitreview file, and would be judged by their evidence.
func strangers(mirror, home scoring.Evidence) bool {
	a, ok := mirror.History.Get()
	b, ok2 := home.History.Get()
	return ok && ok2 && !a.Shallow && !b.Shallow && !a.FirstCommit.IsZero() && !b.FirstCommit.IsZero() && !a.FirstCommit.Equal(b.FirstCommit)
}

// mirrorFact says of which repository the one that was read is a mirror, with what said so.
func mirrorFact(home string, steps []scoring.Step, e scoring.Evidence) audit.Fact[string] {
	var origins []audit.Origin
	for _, s := range steps {
		origins = append(origins, s.Origin)
	}
	return audit.Known(home, origins...).Graded(audit.GradeForge, e.AssessedAt, audit.Month)
}

// moved is the project as it is known after its mirror was left: at its home, with the steps in every link.
func moved(p scoring.Project, e scoring.Evidence) scoring.Project {
	if len(e.Steps) == 0 {
		return p
	}
	p.Mirror, p.Repo = p.Repo, e.Repo
	p.Links = slices.Clone(p.Links)
	for i, l := range p.Links {
		p.Links[i].Steps = slices.Concat(l.Steps, e.Steps)
	}
	return p
}

// atHome returns the projects with the addresses at which their evidence was found.
func atHome(projects []scoring.Project, evidence []scoring.Evidence) []scoring.Project {
	out := slices.Clone(projects)
	for i, p := range out {
		out[i] = moved(p, evidence[i])
	}
	return out
}
