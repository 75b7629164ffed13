package pipeline

import (
	"context"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// join says of each project what it shares with the others whose histories were read in this run. Who the people are is known
// while the run lasts and is never written: a project that an interrupted run had read is read again for it, and facts that
// were taken from a recording keep what their own collection counted.
func (c *collecting) join(ctx context.Context, projects []scoring.Project, all []scoring.Evidence) {
	if c.g.git == nil {
		return
	}
	var crowds []scoring.Crowd
	var at []int
	for i, e := range all {
		if _, taken := e.Taken["git"]; taken {
			continue
		}
		circle, ok := c.g.git.Circle(ctx, moved(projects[i], e), e)
		if !ok {
			continue
		}
		crowd := scoring.Crowd{Project: e.Project}
		for _, who := range circle.Critical {
			crowd.Critical = append(crowd.Critical, uint64(who))
		}
		for _, who := range circle.Authors {
			crowd.Authors = append(crowd.Authors, uint64(who))
		}
		crowds, at = append(crowds, crowd), append(at, i)
	}
	if len(crowds) < 2 {
		return // nobody to compare with
	}
	for k, s := range scoring.Join(crowds) {
		e := &all[at[k]]
		origin := audit.Origin{Source: "git", URL: e.Repo, Commit: e.Revision, At: e.AssessedAt}
		e.Shared = audit.Known(s, origin).Graded(audit.GradeRecord, e.SeenUntil, audit.Month)
	}
}
