package pipeline

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// MostQuarters bounds the quarters that pegel score --history evaluates: three years, as far back as the windows of the
// history facts reach (design, truth rule 11).
const MostQuarters = 12

// quarterLength is that of scoring.Quarter: 365/4 days.
const quarterLength = 365 * 24 * time.Hour / 4

// parallelQuarters bounds how many moments are evaluated at once.
const parallelQuarters = 2

// ScoreHistory scores targets as Score does, and again at the ends of the quarters before, counted back from the day that
// each is judged on: quarters in all, that day included. What a past day did not show is unknown there. A project without a
// clone that reaches back gets what the recorded evidence says of the past instead. A target with a revision is wrong usage:
// its line has one end, and no past of its own to go back to.
func ScoreHistory(ctx context.Context, targets []string, atHead bool, quarters int, opt Options) ([]reports.Project, error) {
	if quarters < 2 || quarters > MostQuarters {
		return nil, usagef("for example --history=8; without a number it is 12", "flag --history: give 2 to %d quarters, not %d", MostQuarters, quarters)
	}
	for _, target := range targets {
		if _, rev := splitRevision(target); rev != "" {
			return nil, usagef("leave the revision away", "flag --history: %q names a revision, and the history of a project is that of its default branch", publicAddress(target))
		}
	}
	profiles, err := Profiles(opt.Profile)
	if err != nil {
		return nil, err
	}
	rows, err := Score(ctx, targets, atHead, opt)
	if err != nil {
		return nil, err
	}
	if len(rows) != len(targets) {
		return nil, usagef("name each project once", "flag --history: the %d targets are %d projects", len(targets), len(rows))
	}
	past, err := scorePast(ctx, targets, rows, quarters, opt)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i] = withQuarters(rows[i], past[i], profiles.For(rows[i].Profile))
	}
	return rows, nil
}

// scorePast evaluates each target at the quarter ends before its row, oldest first.
func scorePast(ctx context.Context, targets []string, rows []reports.Project, quarters int, opt Options) ([][]reports.Project, error) {
	past := make([][]reports.Project, len(rows))
	var group errgroup.Group
	group.SetLimit(parallelQuarters)
	opt.Progress, opt.AtHead, opt.Anew = nil, false, nil
	for i, row := range rows {
		past[i] = make([]reports.Project, quarters-1)
		for k := range past[i] {
			then := opt
			then.At = row.At.Add(-time.Duration(quarters-1-k) * quarterLength)
			if row.Failure != "" {
				past[i][k] = reports.Project{At: then.At, Failure: row.Failure}
				continue
			}
			group.Go(func() error {
				found, err := Score(ctx, targets[i:i+1], false, then)
				if err == nil && len(found) != 1 {
					err = errors.New("a target was scored as none or several projects")
				}
				if err == nil {
					past[i][k] = found[0]
				}
				return err
			})
		}
	}
	return past, group.Wait()
}

// withQuarters adds past evaluations to a row, oldest first, with the row itself as the last, and what follows from them:
// the verdicts with hysteresis, and the trend of each aspect.
func withQuarters(row reports.Project, past []reports.Project, profile audit.Profile) reports.Project {
	all := append(append([]reports.Project{}, past...), row)
	standings := make([]scoring.Standing, len(all))
	for i, p := range all {
		q := reports.Quarter{End: p.At, Head: p.Head, Verdict: p.Verdict, Aspects: p.Aspects, Failure: p.Failure}
		if q.Aspects == nil {
			q.Aspects = []reports.Aspect{}
		}
		if p.Failure == "" {
			standings[i] = scoring.Standing{Verdict: p.Verdict, Below: scoring.Below(scoreOf(p), profile)}
		} else {
			q.Verdict, q.Aspects = "", []reports.Aspect{}
		}
		row.Quarters = append(row.Quarters, q)
	}
	for i, h := range scoring.Hold(standings, profile.Hysteresis.Audits) {
		row.Quarters[i].Held, row.Quarters[i].Probation = h.Verdict, h.Probation
	}
	aspects := append([]reports.Aspect{}, row.Aspects...)
	for i := range aspects {
		aspects[i].Trend = trendOf(row.Quarters, aspects[i].Aspect, profile)
	}
	row.Aspects = aspects
	return row
}

// scoreOf is the score behind a row, as far as verdicts need it.
func scoreOf(p reports.Project) scoring.ProjectScore {
	s := scoring.ProjectScore{Project: scoring.Project{ID: p.ID, Role: p.Role}}
	open := map[string][]string{}
	for _, i := range p.Indicators {
		if i.KnockOut && !i.Outcome.Decided() && i.Outcome != audit.NA && i.Low == 0 {
			open[i.Aspect] = append(open[i.Aspect], i.ID)
		}
	}
	for _, a := range p.Aspects {
		s.Aspects = append(s.Aspects, scoring.AspectScore{
			Aspect: a.Aspect, Interval: audit.Between(a.Low, a.High), Coverage: a.Coverage, KnockOuts: a.KnockOuts, Open: open[a.Aspect],
		})
	}
	return s
}

// Words for a trend, as in reports.Trend.
const (
	rises   = "rises"
	falls   = "falls"
	steady  = "steady"
	unclear = "unclear"
)

// point is one point of a hundred in basis points: a slower change is not shown, and is no trend.
const point = audit.Full / 100

// trendOf is the robust slope of one aspect over the quarters that could be judged; nil if these are fewer than the profile
// wants for a trend (AC-05). What is known changes too: evidence that comes or goes moves the two ends apart or together, so
// only ends that move in one direction are a trend.
func trendOf(quarters []reports.Quarter, aspect string, profile audit.Profile) *reports.Trend {
	var low, high []scoring.Point
	for i, q := range quarters {
		for _, a := range q.Aspects {
			if a.Aspect == aspect && q.Failure == "" {
				low = append(low, scoring.Point{At: i, Value: a.Low})
				high = append(high, scoring.Point{At: i, Value: a.High})
			}
		}
	}
	least := profile.Indicators["AC-05"].Numbers["least_quarters"]
	if len(low) < max(least, 2) {
		return nil
	}
	const quartersAYear = 4
	t := &reports.Trend{Quarters: len(low)}
	t.Low, _ = scoring.Slope(low, quartersAYear)
	t.High, _ = scoring.Slope(high, quartersAYear)
	switch {
	case t.Low >= point && t.High >= point:
		t.Word = rises
	case t.Low <= -point && t.High <= -point:
		t.Word = falls
	case t.Low > -point && t.Low < point && t.High > -point && t.High < point:
		t.Word = steady
	default:
		t.Word = unclear
	}
	return t
}

// yearsOf is what the evidence says of past quarter ends without asking a clone again. Scores cannot be drawn from it: most
// indicators need the files, tags and branches of that day.
func yearsOf(e scoring.Evidence) []reports.Year {
	h, known := e.History.Get()
	if !known {
		return nil
	}
	r, _ := e.Releases.Get()
	var out []reports.Year
	for i, p := range h.Past {
		y := reports.Year{
			End: p.End, Commits: p.Commits, HumanCommits: p.HumanCommits, Authors: p.Authors, Newcomers: p.Newcomers, Retained: p.Retained,
			BusFactor50: p.BusFactor50, TopOrgLow: p.TopOrgLowBP, TopOrgHigh: p.TopOrgHighBP,
		}
		if len(r.Past) == len(h.Past) {
			n := r.Past[i]
			y.Releases = &n
		}
		out = append(out, y)
	}
	return out
}
