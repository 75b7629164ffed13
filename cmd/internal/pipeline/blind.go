package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/gitlog"
)

// ScoreBlind scores a repository as it was on a past day, by what its local clone alone says of that day. Catalogue,
// foundations, forges and indexes are not asked: they tell of today, and so of what became of the project. Addresses are
// those of the project first, then of repositories that share its history. A clone speaks until its files were written: without
// that, who had fallen silent before the day could not be judged. Found is false if none of them has a clone below
// opt.Mirrors; a clone that says nothing of that day gives a project with a failure.
func ScoreBlind(ctx context.Context, addresses []string, at time.Time, profile audit.Profile, opt Options) (row reports.Project, found bool, err error) {
	collector, err := gitlog.New(gitlog.Options{
		Mirrors: opt.Mirrors, Offline: true, At: at, Dated: true, Classify: licence.Detect, Log: opt.logger(),
	})
	if err != nil {
		return reports.Project{}, false, err
	}
	for _, address := range addresses {
		p := scoring.Project{ID: addresses[0], Name: addresses[0], Repo: address}
		e, err := collector.Collect(ctx, p, scoring.Evidence{})
		if err != nil {
			return reports.Project{}, false, fmt.Errorf("reading the clone of %q: %w", address, err)
		}
		if !e.NotAsked {
			return projectRow(judge(p, e, profile), e, profile, at), true, nil
		}
	}
	return reports.Project{}, false, nil
}
