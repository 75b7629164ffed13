package thirdparty

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// scorecardAnswer is a result that the OpenSSF computed. Details of checks are left out: they name people and files.
// Source: ScorecardResult of openapi.yaml of ossf/scorecard-webapp.
type scorecardAnswer struct {
	Date string `json:"date"`
	Repo struct {
		Commit string `json:"commit"`
	} `json:"repo"`
	Scorecard struct {
		Version string `json:"version"`
	} `json:"scorecard"`
	Checks []struct {
		Name   string `json:"name"`
		Score  int    `json:"score"`
		Reason string `json:"reason"`
	} `json:"checks"`
}

// mostChecks bounds the checks of one result; Scorecard 5 has 20.
const mostChecks = 100

// scorecard asks for the precomputed result of a project: a cross-check with our own run, never evidence of its own. The
// OpenSSF computes it for repositories on GitHub and GitLab; that of a mirror is not asked for, because most of its checks
// look at what happens on the forge.
func (c *Collector) scorecard(ctx context.Context, a *asker, p scoring.Project) audit.Fact[scoring.Checks] {
	if !c.on(Scorecard) {
		return off[scoring.Checks](string(Scorecard))
	}
	home := spelled(p.Repo)
	forge, path, _ := strings.Cut(home, "/")
	if forge != "github.com" && forge != "gitlab.com" || strings.Count(path, "/") != 1 {
		return audit.Fact[scoring.Checks]{Settle: "run the checks on a clone: precomputed results exist for GitHub and GitLab only"}
	}
	v, ans, err := get[scorecardAnswer](ctx, a, Scorecard, "/projects/"+home)
	switch {
	case errors.Is(err, errNoSuchEntry):
		return vain[scoring.Checks]("run the checks on a clone", "api.scorecard.dev has no result of "+home)
	case err != nil:
		return vain[scoring.Checks]("ask api.scorecard.dev again", trouble(Scorecard, err))
	}
	at, ok := scorecardDate(v.Date)
	if !ok || len(v.Checks) == 0 || len(v.Checks) > mostChecks {
		return vain[scoring.Checks]("run the checks on a clone", "the result of api.scorecard.dev has no date or no checks", ans.origin)
	}
	out := scoring.Checks{Version: clip(v.Scorecard.Version), Commit: clip(v.Repo.Commit)}
	for _, check := range v.Checks {
		if check.Score < 0 || check.Score > 10 {
			if out.Skipped == nil {
				out.Skipped = map[string]string{}
			}
			out.Skipped[clip(check.Name)] = clip(check.Reason)
			continue
		}
		out.Results = append(out.Results, scoring.Check{Name: clip(check.Name), Score: check.Score, Reason: clip(check.Reason)})
	}
	slices.SortFunc(out.Results, func(x, y scoring.Check) int { return cmp.Compare(x.Name, y.Name) })
	ans.origin.Commit, ans.origin.At = out.Commit, at
	return graded(audit.Known(out, ans.origin), at)
}

// scorecardDate reads the date of a result, which is a day in older ones.
func scorecardDate(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
