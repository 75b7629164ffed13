package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// The simple numbers that the score has to beat.
const (
	byCommits    = "human commits of 12 months"
	byAuthors    = "authors of 12 months"
	bySilence    = "days since the last human commit, fewer is better"
	byMaintained = "AC-01 (maintained) alone"
)

func baselines() []string { return []string{byCommits, byAuthors, bySilence, byMaintained} }

// evaluate scores every project of the outcomes on its days before the event, several at once.
func evaluate(ctx context.Context, o outcomes, s split, clones string, at time.Time, jobs int, progress io.Writer) (results, error) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		return results{}, fmt.Errorf("loading the built-in profile: %w", err)
	}
	rules, err := json.Marshal(profile)
	if err != nil {
		return results{}, fmt.Errorf("reading the built-in profile: %w", err)
	}
	r := results{
		Schema: resultsSchema, Date: at.UTC().Format(time.DateOnly), Outcomes: o.digest, Split: s.digest,
		Profile: profile.ID + " " + profile.Version, Rules: audit.DigestOf(rules),
		Questions: map[string]asked{}, Cases: make([]judged, len(o.Outcomes)*len(o.Months)),
	}
	for id, rule := range profile.Indicators {
		r.Questions[id] = asked{rule.Aspect, rule.Title}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	places := make(chan int)
	var done sync.WaitGroup
	for range max(1, jobs) {
		done.Go(func() {
			for i := range places {
				x, months := o.Outcomes[i/len(o.Months)], o.Months[i%len(o.Months)]
				var err error
				if r.Cases[i], err = judge(ctx, x, months, clones, profile); err != nil {
					stop(fmt.Errorf("judging %s: %w", x.id(), err))
				}
			}
		})
	}
	for i := range r.Cases {
		if ctx.Err() != nil {
			break
		}
		if i%20 == 0 {
			fmt.Fprintf(progress, "%d of %d\n", i, len(r.Cases))
		}
		places <- i
	}
	close(places)
	done.Wait()
	return r, context.Cause(ctx)
}

// judge scores one project as it was that many months before its event.
func judge(ctx context.Context, x outcome, months int, clones string, profile audit.Profile) (judged, error) {
	j := judged{ID: x.id(), Months: months, At: x.before(months)}
	if ctx.Err() != nil {
		return j, ctx.Err()
	}
	row, found, err := pipeline.ScoreBlind(ctx, x.addresses(), j.At, profile, pipeline.Options{Mirrors: []string{clones}})
	switch {
	case err != nil:
		return j, err
	case !found:
		j.State, j.Reason = noClone, "no clone"
		return j, nil
	case row.Failure != "":
		j.State, j.Reason = failed, row.Failure
		return j, nil
	case row.Facts == nil:
		j.State, j.Reason = failed, "the clone does not tell the history"
		return j, nil
	}
	return j.with(row), nil
}

// with adds what a score says.
func (j judged) with(row reports.Project) judged {
	j.State, j.Revision, j.Verdict = read, row.Head, row.Verdict
	j.Aspects, j.Indicators = map[string]score{}, map[string][3]int{}
	type sum struct{ low, weight int }
	sums := map[string]sum{}
	for _, m := range row.Indicators {
		if m.Outcome == audit.NA {
			continue
		}
		s := sums[m.Aspect]
		sums[m.Aspect] = sum{s.low + m.Weight*m.Low, s.weight + m.Weight}
		if m.Low > 0 || m.High < audit.Full {
			j.Indicators[m.ID] = [3]int{m.Low, m.High, m.Weight}
		}
	}
	for _, a := range row.Aspects {
		s := score{Low: a.Low, High: a.High, Coverage: a.Coverage}
		if w := sums[a.Aspect]; w.weight > 0 && len(a.KnockOuts) == 0 {
			s.Measured = w.low / w.weight
		}
		j.Aspects[a.Aspect] = s
	}
	j.Baselines = map[string]int{
		byCommits: number(row.Facts, "human_commits_12m"), byAuthors: number(row.Facts, "authors_12m"),
		bySilence: -silence(row.Facts, j.At), byMaintained: j.Indicators["AC-01"][0],
	}
	return j
}

// number is a count among the facts, 0 where there is none.
func number(facts map[string]any, name string) int {
	n, _ := facts[name].(int)
	return n
}

// silence is how many days ago somebody wrote last; where nobody ever did, longer than anybody can be silent.
func silence(facts map[string]any, at time.Time) int {
	const ever = 36500
	text, _ := facts["last_human_commit"].(string)
	last, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ever
	}
	return int(at.Sub(last) / (24 * time.Hour))
}
